"""Where the episodes of a GLEE game come from: how balanced their design is, and who played.

Knows no statistics and no HTML.
"""

import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd

from catallaxy.platform.analysis.balance import Balance, Cell, balance
from catallaxy.platform.exchange.glee_people import KIND as IMPORTED
from catallaxy.platform.store.reader import Reader

SEATS = ("alice", "bob")
MODEL, PERSON, PROGRAM, SCRIPTED = "model", "person", "program over HTTP", "scripted"
_WHAT = {"TerminalAgent": PERSON, "PageAgent": PERSON, "RemotePlayer": PROGRAM, IMPORTED: IMPORTED}

_PLAN = """
SELECT g.variant, map_values(g.seats) AS agents, v.wording, CAST(v.rules AS VARCHAR) AS rules
FROM engagements AS g JOIN variants AS v ON v.run = g.run AND v.variant = g.variant
WHERE g.game = ? AND CAST(v.rules AS VARCHAR) <> '{}'  -- imported, and could not be read
ORDER BY g.run, g.ordinal
"""
_AGENTS = "SELECT run, agent, kind, coalesce(model, '') FROM agents"


@dataclass(frozen=True, slots=True)
class Player:
    """Who sat at the game under one name: what it is, its agents, its episodes at either seat.

    `model` is empty for players without one, and `human` for people in imported games.
    """

    name: str
    what: str
    model: str
    agents: tuple[str, ...]
    as_alice: int
    as_bob: int


@dataclass(frozen=True, slots=True)
class Origins:
    """The design of one game, and who played its `settled` episodes.

    `by` counts the episodes in which some seat was taken by a model, a person, and so on; those
    with `imported` players were not played here.
    """

    design: Balance
    players: tuple[Player, ...]
    settled: int
    by: Mapping[str, int]

    @property
    def imported(self) -> int:
        """Settled episodes that were not played here."""
        return self.by.get(IMPORTED, 0)


def origins(reader: Reader, game: str, frame: pd.DataFrame) -> Origins:
    """Where the episodes of `frame`, that of `episodes_frame`, come from."""
    kinds = {
        (run, agent): (_WHAT.get(kind, MODEL if model else SCRIPTED), model)
        for run, agent, kind, model in reader.sql(_AGENTS).rows
    }
    sat = pd.concat([_sat(frame, seat, kinds) for seat in SEATS], ignore_index=True)
    by = sat.drop_duplicates(["episode", "what"])["what"].value_counts()
    [design] = balance(_cells(reader, game))
    return Origins(design, tuple(_players(sat)), len(frame), by.to_dict())


def _sat(
    frame: pd.DataFrame, seat: str, kinds: Mapping[tuple[str, str], tuple[str, str]]
) -> pd.DataFrame:
    agents = frame[f"agent_{seat}"]
    told = [kinds[key] for key in zip(frame["run"], agents, strict=True)]
    return pd.DataFrame(
        {
            "episode": frame.index,
            "seat": seat,
            "name": frame[seat],
            "agent": agents,
            "what": [what for what, _ in told],
            "model": [model for _, model in told],
        }
    )


def _players(sat: pd.DataFrame) -> Iterator[Player]:
    for key, group in sat.groupby(["what", "name"], sort=True):
        what, name = map(str, cast("tuple[object, ...]", key))  # grouped by two columns
        seats = group["seat"].value_counts()
        yield Player(
            name,
            what,
            str(group["model"].iloc[0]),
            tuple(sorted(group["agent"].unique())),
            int(seats.get("alice", 0)),
            int(seats.get("bob", 0)),
        )


def _cells(reader: Reader, game: str) -> Iterator[Cell]:
    """What was planned, played or not: one cell an episode whose rules are known."""
    for variant, agents, wording, rules in reader.sql(_PLAN, [game]).rows:
        levels = {name: _level(value) for name, value in json.loads(rules or "{}").items()}
        yield Cell(game, variant, {**levels, "wording": wording}, " vs ".join(agents))


def _level(value: Any) -> Hashable:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value
