"""Who and what is on the market: the registry of agents and the catalogue of games. Values only."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from hashlib import blake2b
from typing import Any, Protocol

import orjson

from catallaxy.agents.base import Agent
from catallaxy.agents.wording import Wording
from catallaxy.platform.record import Engagement


@dataclass(frozen=True, slots=True)
class Entry:
    """One agent in the registry. `spec` is its configuration, for the record."""

    name: str
    agent: Agent
    kind: str
    backend: str | None
    model: str | None
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Offered:
    """One game in the catalogue: its rules as configured, and its words by name.

    `wording` names the words that are used where the design does not vary them.
    """

    name: str
    rules: Any
    wordings: Mapping[str, Wording]
    wording: str

    def variant(self, rules: Any, wording: str | None = None) -> str:
        """The hash of game, rules and wording: 12 hex digits, equal on every machine."""
        parts = [
            self.name,
            type(rules).__qualname__,
            plain_rules(rules),
            wording_hash(self.wordings[wording or self.wording]),
        ]
        return _digest(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS, default=str), 6)


@dataclass(frozen=True, slots=True)
class House:
    """What a matchmaker can choose from."""

    registry: Mapping[str, Entry]
    catalogue: Mapping[str, Offered]
    seed: int


@dataclass(frozen=True, slots=True)
class Standings:
    """What has been settled so far, in order: what a matchmaker may base its choice on."""

    issued: int = 0
    settled: int = 0
    balances: Mapping[str, float] = field(default_factory=dict)


class Matchmaker(Protocol):
    """Decides which engagements come next, given what has been settled."""

    def next(self, house: House, standings: Standings) -> Iterable[Engagement]:
        """The next engagements, ordinals from `standings.issued`; none when the run is complete."""
        ...


def plain_rules(rules: Any) -> Mapping[str, Any]:
    """The parameters of a game as JSON-ready values."""
    if not is_dataclass(rules) or isinstance(rules, type):
        raise TypeError(f"rules must be a dataclass value, not {type(rules).__name__}")
    return asdict(rules)


def wording_hash(wording: Wording) -> str:
    """The hash of every word of a wording: 12 hex digits."""
    return _digest(orjson.dumps(asdict(wording), option=orjson.OPT_SORT_KEYS), 6)


def episode_id(ordinal: int, variant: str, seats: Mapping[str, str], replicate: int) -> str:
    """A readable id that is the same in every run of the same design: `000007-3f9c21aa`."""
    parts = orjson.dumps([variant, dict(seats), replicate])
    return f"{ordinal:06d}-{_digest(parts, 4)}"


def _digest(content: bytes, size: int) -> str:
    return blake2b(content, digest_size=size).hexdigest()
