"""Random numbers from a name, and values that a JSON schema allows. Knows no prompt, no game."""

import math
import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from catallaxy.agents.chat import BackendFailed, Schema

ACCEPTING = ("accept", "yes", "buy", "agree")  # how a word that says yes begins
PHRASES = (
    "A fair offer.",
    "This is my best offer.",
    "Let us agree now.",
    "Waiting costs us both.",
    "I could do better elsewhere.",
    "Think it over.",
)
_EIGHT = struct.Struct(">8Q")  # what one hash of 64 bytes gives
_STEP = 2.0**-53


class Draws:
    """An endless row of random numbers that depends on `name` alone.

    One hash gives eight of them, ten times cheaper than seeding a `random.Random`.
    """

    __slots__ = ("_block", "_left", "_name")

    def __init__(self, name: str) -> None:
        self._name = name.encode("utf-8", "surrogatepass")
        self._block = 0
        self._left: list[int] = []

    def unit(self) -> float:
        """Uniform in [0, 1)."""
        if not self._left:
            salt = self._block.to_bytes(8, "big")
            self._left = list(_EIGHT.unpack(blake2b(self._name, salt=salt).digest()))
            self._block += 1
        return (self._left.pop() >> 11) * _STEP

    def one_of(self, options: Sequence[Any]) -> Any:
        """One of `options`, each as likely."""
        return options[int(self.unit() * len(options))]


class Instance:
    """Draws values that a JSON schema allows, of the part of the language that moves use."""

    __slots__ = ("_accept", "_range", "_root")

    def __init__(self, root: Schema, range_: tuple[float, float], accept: float) -> None:
        self._root = root
        self._range = range_
        self._accept = accept

    def draw(self, rule: Mapping[str, Any], draws: Draws) -> Any:
        """A value that `rule` allows. Raises BackendFailed for a rule of another kind."""
        if "$ref" in rule:
            return self.draw(self._root["$defs"][rule["$ref"].rsplit("/", 1)[-1]], draws)
        if "const" in rule:
            return rule["const"]
        if "enum" in rule:
            return self._option(rule["enum"], draws)
        for either in ("anyOf", "oneOf"):
            if either in rule:
                return self.draw(draws.one_of(rule[either]), draws)
        return self._typed(rule, draws)

    def _typed(self, rule: Mapping[str, Any], draws: Draws) -> Any:
        match rule.get("type"):
            case "string":
                return draws.one_of(PHRASES)[: rule.get("maxLength")]
            case "number" | "integer" as kind:
                return self._number(rule, draws, whole=kind == "integer")
            case "boolean":
                return draws.unit() < self._accept
            case "null":
                return None
            case "array":
                return self._array(rule, draws)
            case "object":
                return {
                    name: self.draw(inner, draws)
                    for name, inner in rule.get("properties", {}).items()
                }
        raise BackendFailed(f"scripted: no answer can be drawn for the schema {dict(rule)!r}")

    def _option(self, options: Sequence[Any], draws: Draws) -> Any:
        yes = [option for option in options if _accepts(option)]
        no = [option for option in options if not _accepts(option)]
        if yes and no:
            return draws.one_of(yes if draws.unit() < self._accept else no)
        return draws.one_of(options)

    def _number(self, rule: Mapping[str, Any], draws: Draws, *, whole: bool) -> float:
        low = rule.get("minimum", rule.get("exclusiveMinimum"))
        high = rule.get("maximum", rule.get("exclusiveMaximum"))
        span = self._range[1] - self._range[0]
        if low is None:
            low = self._range[0] if high is None else min(self._range[0], high - span)
        if high is None:
            high = max(self._range[1], low + span)
        # whole numbers read as people write them, where there is room for some
        if whole or high - low >= 2:
            first = math.floor(low) + 1 if "exclusiveMinimum" in rule else math.ceil(low)
            last = math.ceil(high) - 1 if "exclusiveMaximum" in rule else math.floor(high)
            return first + int(draws.unit() * (last - first + 1))
        return low + (0.001 + 0.998 * draws.unit()) * (high - low)

    def _array(self, rule: Mapping[str, Any], draws: Draws) -> list[Any]:
        if "prefixItems" in rule:
            return [self.draw(item, draws) for item in rule["prefixItems"]]
        least = rule.get("minItems", 1)
        most = rule.get("maxItems", max(least, 3))
        length = least + int(draws.unit() * (most - least + 1))
        return [self.draw(rule.get("items", {"type": "string"}), draws) for _ in range(length)]


@lru_cache(maxsize=1024)
def _accepts(option: object) -> bool:
    return isinstance(option, str) and option.casefold().startswith(ACCEPTING)
