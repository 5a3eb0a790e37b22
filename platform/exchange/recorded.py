"""Episodes as a record has them, with every try and text. Knows the reader's views, no game."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from catallaxy.games.base import Seat
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.store.rows import AgentRow

AT_ONCE = 500  # episodes in memory


@dataclass(frozen=True, slots=True)
class Source:
    """What all episodes of one run have in common; `commit` is None where it is not known."""

    run: str
    name: str
    commit: str | None
    agents: Mapping[str, AgentRow]


@dataclass(frozen=True, slots=True)
class Try:
    """One row of `turns`; `said` are the messages of it, role and text."""

    seq: int
    seat: Seat
    kind: str
    move: Mapping[str, Any] | None
    said: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One episode that ended. `date` is its start in Unix seconds, None where it is not known."""

    episode: str
    game: str
    rules: Mapping[str, Any]
    seed: int
    date: float | None
    seats: Mapping[Seat, str]
    tries: tuple[Try, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """An episode that ended, and how."""

    episode: str
    game: str
    status: str


def source(reader: Reader) -> Source:
    """The one run that `reader` has open."""
    [(run, name, sha)] = reader.sql("SELECT run, name, git_sha FROM runs").rows
    rows = reader.sql("SELECT agent, kind, backend, model, CAST(spec AS VARCHAR) FROM agents").rows
    agents = {row[0]: AgentRow(*row[:4], json.loads(row[4] or "{}")) for row in rows}
    return Source(run, name, (sha or "").rstrip("+") or None, agents)


def ended(reader: Reader) -> list[Ended]:
    """Every episode that ended, in the order of the design."""
    query = "SELECT episode, game, status FROM episodes ORDER BY ordinal"
    return [Ended(*row) for row in reader.sql(query).rows]


_EPISODES = """
SELECT e.episode, e.game, CAST(v.rules AS VARCHAR), e.seed, e.started, s.seats, s.agents
FROM episodes AS e
LEFT JOIN variants AS v ON v.run = e.run AND v.variant = e.variant
LEFT JOIN (
  SELECT run, episode, list(seat ORDER BY place) AS seats, list(agent ORDER BY place) AS agents
  FROM seats GROUP BY run, episode
) AS s ON s.run = e.run AND s.episode = e.episode
WHERE e.episode IN (SELECT unnest(?)) ORDER BY e.ordinal
"""
_TRIES = """
SELECT episode, seq, seat, kind, CAST(move AS VARCHAR) FROM turns
WHERE episode IN (SELECT unnest(?)) ORDER BY episode, seq
"""
_SAID = """
SELECT episode, seq, role, content FROM transcript
WHERE episode IN (SELECT unnest(?)) AND role IN ('system', 'user', 'assistant')
ORDER BY episode, seq, line
"""


def recorded(reader: Reader, episodes: Sequence[str]) -> Iterator[Recorded]:
    """The episodes with these ids, whole."""
    for start in range(0, len(episodes), AT_ONCE):
        ids = [*episodes[start : start + AT_ONCE]]
        said = _grouped(reader.sql(_SAID, [ids]).rows)
        tries = _grouped(reader.sql(_TRIES, [ids]).rows)
        for episode, game, rules, seed, started, seats, agents in reader.sql(_EPISODES, [ids]).rows:
            yield Recorded(
                episode,
                game,
                json.loads(rules),
                seed,
                _date(started),
                dict(zip(seats, agents, strict=True)),
                tuple(_tries(tries.get(episode, ()), said.get(episode, ()))),
            )


def _grouped(rows: Sequence[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    return {episode: list(group) for episode, group in groupby(rows, key=lambda row: row[0])}


def _tries(rows: Sequence[tuple[Any, ...]], said: Sequence[tuple[Any, ...]]) -> Iterator[Try]:
    texts: dict[int, list[tuple[str, str]]] = {}
    for _, seq, role, text in said:
        texts.setdefault(seq, []).append((role, text))
    for _, seq, seat, kind, move in rows:
        plain = None if move is None else json.loads(move)
        yield Try(seq, seat, kind, plain, tuple(texts.get(seq, ())))


def _date(started: datetime | None) -> float | None:
    seconds = 0.0 if started is None else started.replace(tzinfo=UTC).timestamp()
    return seconds or None
