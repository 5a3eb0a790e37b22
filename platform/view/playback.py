"""One episode as it was played, read from the record. Knows no terminal and no HTML."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catallaxy.platform.errors import ConfigError
from catallaxy.platform.store.reader import Reader

READ_AT_MOST = 50_000_000  # characters of one message


@dataclass(frozen=True, slots=True)
class Sitter:
    """Who sat where; `model` is empty for agents without one, `payoff` None if not settled."""

    seat: str
    agent: str
    model: str
    payoff: float | None
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a dialogue: the beginning of its text, and the length of the whole."""

    role: str
    text: str
    length: int


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a seat at a turn; turns count from 0."""

    seq: int
    turn: int
    seat: str
    kind: str
    move: Mapping[str, Any] | None
    trouble: str | None
    reasoning: str
    said: tuple[Said, ...]

    @property
    def answer(self) -> Said | None:
        """The last thing that the seat's model said in this try."""
        return next((said for said in reversed(self.said) if said.role == "assistant"), None)


@dataclass(frozen=True, slots=True)
class Playback:
    """One episode: who sat where, every try in order, and how it ended."""

    episode: str
    ordinal: int
    game: str
    status: str
    fault: str | None
    error: str | None
    turns: int
    sitters: tuple[Sitter, ...]
    metrics: Mapping[str, float]
    tries: tuple[Try, ...]


_EPISODE = """
SELECT episode, ordinal, game, status, fault, error, turns FROM episodes WHERE episode = ?
"""
_SITTERS = """
SELECT s.seat, s.agent, coalesce(a.model, '') AS model, s.payoff
FROM seats AS s LEFT JOIN agents AS a ON a.run = s.run AND a.agent = s.agent
WHERE s.episode = ? ORDER BY s.place
"""
_METRICS = "SELECT seat, name, value FROM metrics WHERE episode = ?"
_TRIES = """
SELECT seq, turn, seat, kind, CAST(move AS VARCHAR), trouble, reasoning
FROM turns WHERE episode = ? ORDER BY seq
"""
_SAID = """
SELECT seq, role, left(content, ?), length(content)
FROM transcript WHERE episode = ? AND role IN ('system', 'user', 'assistant') ORDER BY seq, line
"""


def playback(reader: Reader, episode: str, longest: int = READ_AT_MOST) -> Playback:
    """The episode with the id `episode`; of every message at most `longest` characters."""
    row = reader.sql(_EPISODE, [episode]).rows[0]
    metrics: dict[str, dict[str, float]] = {}
    for seat, name, value in reader.sql(_METRICS, [episode]).rows:
        metrics.setdefault(seat, {})[name] = value
    sitters = tuple(
        Sitter(seat, agent, model, payoff, metrics.get(seat, {}))
        for seat, agent, model, payoff in reader.sql(_SITTERS, [episode]).rows
    )
    tries = _tries(reader, episode, longest)
    return Playback(*row, sitters=sitters, metrics=metrics.get("", {}), tries=tries)


def _tries(reader: Reader, episode: str, longest: int) -> tuple[Try, ...]:
    said: dict[int, list[Said]] = {}
    for seq, role, text, length in reader.sql(_SAID, [longest, episode]).rows:
        said.setdefault(seq, []).append(Said(role, text, length))
    return tuple(
        Try(
            seq=seq,
            turn=turn,
            seat=seat,
            kind=kind,
            move=json.loads(move) if move else None,
            trouble=trouble,
            reasoning=reasoning or "",
            said=tuple(said.get(seq, ())),
        )
        for seq, turn, seat, kind, move, trouble, reasoning in reader.sql(_TRIES, [episode]).rows
    )


def find_episode(reader: Reader, wanted: str) -> str:
    """The id of the episode that `wanted` names: an ordinal, an id or the beginning of one.

    Raises ConfigError if there is none, or more than one.
    """
    ids = reader.sql("SELECT episode, ordinal FROM episodes ORDER BY ordinal").rows
    if wanted.isdecimal() and str(int(wanted)) == wanted:
        by_ordinal = [episode for episode, ordinal in ids if ordinal == int(wanted)]
        if by_ordinal:
            return by_ordinal[0]
    found = [episode for episode, _ in ids if episode.startswith(wanted)]
    if wanted in found or len(found) == 1:
        return wanted if wanted in found else found[0]
    if not found:
        raise ConfigError(
            f"no episode {wanted!r}: give an id or the beginning of one, or its number; "
            f"{len(ids)} episodes are on record (catallaxy show RUN lists them)"
        )
    raise ConfigError(f"{wanted!r} could be {len(found)} episodes: {found[0]}, {found[1]} ...")
