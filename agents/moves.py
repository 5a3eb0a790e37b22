"""From a reply's text to a typed move, and from a move type to its JSON schema.

Knows no game: a move type is any frozen dataclass of numbers, strings, literals and lists. Its
class variable ALIASES may map a field to other words under which a literal is read.
"""

import contextlib
import json
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

import orjson
from pydantic import TypeAdapter, ValidationError

from catallaxy.games.base import Remark

REASONING = "reasoning"

_DIGIT_GROUPS = re.compile(r"(?<=\d),(?=\d{3})")
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")

MISSING = '"{name}" is missing (expected: {expected})'
MUST_BE = '"{name}" must be {expected}, not {got!r}'
CUT_OFF = "Your JSON object was cut off: it has no closing brace. Be brief."
NOT_VALID = "What stands between the braces is not valid JSON."
NO_OBJECT = "There was no JSON object in your answer."

Extraction = Literal["string_aware", "non_greedy"]


@dataclass(frozen=True, slots=True)
class Read:
    """A move as it was read, and the private reasoning that came with it."""

    move: Any
    reasoning: str = ""


_hints = lru_cache(maxsize=256)(get_type_hints)


@lru_cache(maxsize=256)
def adapter(move_type: type[Any]) -> TypeAdapter[Any]:
    """The validator of one move type, built once."""
    return TypeAdapter(move_type)


@lru_cache(maxsize=256)
def schema(move_type: type[Any], *, scratchpad: bool = False) -> Mapping[str, Any]:
    """The JSON schema that constrains a reply; with `scratchpad`, private reasoning comes first."""
    found = adapter(move_type).json_schema()
    properties = {
        name: {k: v for k, v in rule.items() if k not in ("title", "default")}
        for name, rule in found.get("properties", {}).items()
    }
    if scratchpad:
        properties = {REASONING: {"type": "string"}, **properties}
    constrained = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    if "$defs" in found:
        constrained["$defs"] = found["$defs"]
    return constrained


@lru_cache(maxsize=256)
def shape(move_type: type[Any], *, scratchpad: bool = False) -> str:
    """The JSON that is expected, as a player reads it: `{"keep": <number>}`."""
    parts = [f'"{REASONING}": "<text>"'] if scratchpad else []
    hints = _hints(move_type)
    parts += [f'"{f.name}": {_shape_of(hints[f.name])}' for f in fields(move_type)]
    return "{" + ", ".join(parts) + "}"


def _shape_of(hint: Any) -> str:
    origin = get_origin(hint)
    if origin is Literal:
        return " or ".join(f'"{value}"' for value in get_args(hint))
    if origin in (list, tuple):
        return f"[{_shape_of(get_args(hint)[0])}, ...]"
    if is_dataclass(hint):
        return shape(typing.cast("type[Any]", hint))
    if hint in (int, float):
        return "<number>"
    if hint is bool:
        return "true or false"
    if hint is str:
        return '"<text>"'
    options = [_shape_of(option) for option in get_args(hint) if option is not type(None)]
    return " or ".join(options) if options else "<value>"


def read(text: str, move_type: type[Any], *, extraction: Extraction = "string_aware") -> Read:
    """The move in `text`, tolerant of what surrounds it: prose, fences, `$`, digit groups.

    Raises ValueError with a `Remark` for the player when there is no such move in the text.
    """
    found = _object_in(text, extraction)
    reasoning = found.pop(REASONING, "")
    try:
        move = adapter(move_type).validate_python(_tidy(found, move_type))
    except ValidationError as error:
        raise ValueError(_in_words(error, move_type)) from error
    return Read(move, reasoning if isinstance(reasoning, str) else str(reasoning))


def plain(move: Any) -> dict[str, Any]:
    """A move as JSON-ready values, fields in order."""
    return {f.name: _plain(getattr(move, f.name)) for f in fields(move)}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return plain(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _object_in(text: str, extraction: Extraction) -> dict[str, Any]:
    if extraction == "string_aware":
        with contextlib.suppress(orjson.JSONDecodeError):
            whole = orjson.loads(text)  # what a constrained model says, and most others
            if isinstance(whole, dict):
                return whole
    if extraction == "non_greedy":
        begin = text.find("{")
        end = text.find("}", begin)
        candidates = [text[begin : end + 1]] if -1 < begin < end else []
    else:
        candidates = _objects(text)
    for candidate in candidates:
        value = _loaded(candidate)
        if isinstance(value, dict):
            return value
    if "{" in text and not candidates:
        raise ValueError(Remark(CUT_OFF))
    if candidates:
        raise ValueError(Remark(NOT_VALID))
    raise ValueError(Remark(NO_OBJECT))


def _loaded(candidate: str) -> Any:
    """The JSON value of `candidate`, mended where models often slip; None if it is beyond that."""
    with contextlib.suppress(orjson.JSONDecodeError):
        return orjson.loads(candidate)
    with contextlib.suppress(ValueError, RecursionError):
        # strict=False: a raw line break inside a string
        return json.loads(_outside_strings(candidate), strict=False, parse_constant=_refuse)
    return None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")


def _objects(text: str) -> list[str]:
    """The outermost `{...}` of `text`; braces inside strings do not count."""
    found: list[str] = []
    depth, begin, quoted, escaped = 0, 0, False, False
    for at, char in enumerate(text):
        if quoted:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                quoted = False
        elif char == '"' and depth:
            quoted = True
        elif char == "{":
            begin = at if depth == 0 else begin
            depth += 1
        elif char == "}" and depth:
            depth -= 1
            if depth == 0:
                found.append(text[begin : at + 1])
    return found


def _outside_strings(text: str) -> str:
    """`text` without digit groups, `$` and trailing commas, except inside JSON strings."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', text, flags=re.DOTALL)
    return "".join(
        part
        if part.startswith('"')
        else _TRAILING_COMMA.sub("", _DIGIT_GROUPS.sub("", part)).replace("$", "")
        for part in parts
    )


@lru_cache(maxsize=256)
def _numbers_and_words(
    move_type: type[Any],
) -> tuple[frozenset[str], Mapping[str, Mapping[str, str]]]:
    hints = _hints(move_type)
    numbers = frozenset(
        name for name, hint in hints.items() if {int, float} & {hint, *get_args(hint)}
    )
    aliases: Mapping[str, Mapping[str, str]] = getattr(move_type, "ALIASES", {})
    words = {
        name: {
            **{str(option).casefold(): option for option in get_args(hint)},
            **{other.casefold(): option for other, option in aliases.get(name, {}).items()},
        }
        for name, hint in hints.items()
        if get_origin(hint) is Literal and all(isinstance(o, str) for o in get_args(hint))
    }
    return numbers, words


def _tidy(found: dict[str, Any], move_type: type[Any]) -> dict[str, Any]:
    numbers, words = _numbers_and_words(move_type)
    for name, value in found.items():
        if isinstance(value, bool) and name in numbers:
            found[name] = str(value).lower()  # JSON's true is no amount
        if not isinstance(value, str):
            continue
        if name in numbers:
            found[name] = _DIGIT_GROUPS.sub("", value).replace("$", "").strip()
        elif name in words:
            found[name] = words[name].get(value.strip().casefold(), value)
    return found


def _in_words(error: ValidationError, move_type: type[Any]) -> Remark:
    hints = _hints(move_type)
    complaints: list[Remark] = []
    for problem in error.errors(include_url=False, include_input=True):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        expected = _shape_of(hints[name]) if name in hints else ""
        if problem["type"] in ("missing", "missing_argument"):
            complaints.append(Remark(MISSING, name=name, expected=expected))
        else:
            got = str(problem["input"])[:80]
            complaints.append(Remark(MUST_BE, name=name, expected=expected, got=got))
    several = {f"part{number}": complaint for number, complaint in enumerate(complaints)}
    return Remark("; ".join(f"{{{name}}}" for name in several) + ".", **several)
