"""Best-response regret: what a seat could have earned more against the player that it met.

Regret is the value of a best response to that player in that configuration, on average over nature
and over the player's luck, less what the seat earned. Its mean over episodes is the measure: luck
makes single ones negative. Knows no database: the frames are the views of the record.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from catallaxy.agents.base import Agent
from catallaxy.games.base import Seat
from catallaxy.platform.analysis.best_response.asking import BestResponse, NoBestResponse
from catallaxy.platform.analysis.best_response.solve import best_response
from catallaxy.platform.analysis.intervals import mean
from catallaxy.platform.config import TARGET, build
from catallaxy.platform.errors import ConfigError

EARNED = "self_gain_paper"
"""What counts as earned: GLEE's official code credits gains that nobody was paid."""
COLUMNS = (
    "run",
    "episode",
    "game",
    "variant",
    "seat",
    "agent",
    "opponent",
    "earned",
    "best",
    "regret",
    "error",
    "note",
)
MEAN_COLUMNS = ("game", "agent", "seat", "opponent", "regret", "half", "n", "clusters", "error")
_FOUND = ("best", "regret", "error", "note")
_RULES_OF_THEIR_OWN = "catallaxy.agents.scripted."


@dataclass(frozen=True, slots=True)
class Met:
    """One seat of one game that was played: whom it met, and the `self_gain_paper` it earned."""

    rules: Any
    seat: Seat
    opponent: Agent
    earned: float


@dataclass(frozen=True, slots=True)
class Regret:
    """`best` is the value of a best response, `error` its standard error, `regret` what was missed.

    All in the unit of `self_gain`; None where no best response is known, and `note` says why.
    """

    best: float | None
    regret: float | None
    error: float | None
    note: str = ""


def regrets(met: Iterable[Met]) -> list[Regret]:
    """The regret of every row. Every opponent, an object, is tried out once per rules and seat."""
    rows = list(met)  # holds the opponents, so that their ids stay theirs
    known: dict[tuple[Any, Seat, int], BestResponse | str] = {}
    found = []
    for row in rows:
        key = (row.rules, row.seat, id(row.opponent))
        if key not in known:
            known[key] = _tried(row)
        best = known[key]
        if isinstance(best, str):
            found.append(Regret(None, None, None, best))
        else:
            found.append(Regret(best.value, best.value - row.earned, best.error))
    return found


def _tried(row: Met) -> BestResponse | str:
    try:
        return best_response(row.rules, row.seat, row.opponent)
    except NoBestResponse as reason:
        return str(reason)


def regret_frame(
    seats: pd.DataFrame, variants: pd.DataFrame, agents: pd.DataFrame, runs: pd.DataFrame
) -> pd.DataFrame:
    """The regret of every seat of every settled episode, from four views of the record.

    `seats`, `variants`, `agents` and `runs` are those views, all columns. Rules and opponents are
    built again from what the record says of them. Columns run, episode, game, variant, seat, agent,
    opponent, earned, best, regret, error (as in `Regret`), note (why there is no regret, or empty).
    Only opponents from `agents/scripted` have rules that are known. Raises ValueError for a missing
    column.
    """
    played = _played(seats)
    rules, players = _rules(variants, runs), _players(agents)
    paired = [
        _met(rules[run, variant], seat, players.get((run, opponent), _NOBODY), earned)
        for run, variant, seat, opponent, earned in _columns(
            played, "run", "variant", "seat", "opponent", "earned"
        )
    ]
    tried = iter(regrets(each for each in paired if isinstance(each, Met)))
    found = [next(tried) if isinstance(each, Met) else each for each in paired]
    columns = {name: [getattr(each, name) for each in found] for name in _FOUND}
    return played.assign(**columns).astype(dict.fromkeys(_FOUND[:3], float))[list(COLUMNS)]


def mean_regrets(frame: pd.DataFrame) -> pd.DataFrame:
    """The mean regret of every agent at every seat against every opponent, from `regret_frame`.

    Columns game, agent, seat, opponent, regret, half (of the 95 % interval, clustered by
    configuration; null without one), n, clusters, error (the largest of what was averaged: it is
    shared by all episodes of a configuration, and no interval contains it).
    """
    known = frame.loc[frame["regret"].notna()]
    rows = []
    for key, group in known.groupby(["game", "agent", "seat", "opponent"], sort=True):
        found = mean(group["regret"].to_numpy(), group["variant"].tolist())
        names = key if isinstance(key, tuple) else (key,)
        rows.append(
            (*names, found.value, found.half, found.n, found.clusters, group["error"].max())
        )
    return pd.DataFrame(rows, columns=list(MEAN_COLUMNS))


def _played(seats: pd.DataFrame) -> pd.DataFrame:
    """Who earned what against whom: settled episodes of two seats; `opponent` is None otherwise."""
    asked = ("run", "episode", "game", "variant", "status", "seat", "agent", EARNED)
    missing = [name for name in asked if name not in seats.columns]
    if missing:
        raise ValueError(f"the frame of seats has no column {', '.join(map(repr, missing))}")
    kept = seats.loc[(seats["status"] == "settled") & seats[EARNED].notna(), list(asked)]
    kept = kept.rename(columns={EARNED: "earned"}).reset_index(drop=True)
    agents = kept.groupby(["run", "episode"])["agent"].agg(list)
    opponents = []
    for run, episode, agent in zip(kept["run"], kept["episode"], kept["agent"], strict=True):
        others = list(agents[run, episode])
        others.remove(agent)
        opponents.append(others[0] if len(others) == 1 else None)
    return kept.assign(opponent=opponents)


def _met(
    rules: "_Built | Regret", seat: Seat, opponent: "_Built | Regret", earned: float
) -> Met | Regret:
    if isinstance(rules, Regret):
        return rules
    if isinstance(opponent, Regret):
        return opponent
    return Met(rules.value, seat, opponent.value, earned)


@dataclass(frozen=True, slots=True)
class _Built:
    """What the record describes, as an object."""

    value: Any


def _unknown(why: str) -> Regret:
    return Regret(None, None, None, why)


_NOBODY = _unknown("there was not exactly one opponent")


def _columns(frame: pd.DataFrame, *names: str) -> Iterable[tuple[Any, ...]]:
    return zip(*(frame[name] for name in names), strict=True)


def _rules(variants: pd.DataFrame, runs: pd.DataFrame) -> dict[tuple[str, str], _Built | Regret]:
    """The rules of every variant, or why they cannot be built."""
    classes = {run: _classes(config) for run, config in _columns(runs, "run", "config")}
    found: dict[tuple[str, str], _Built | Regret] = {}
    for run, variant, game, rules in _columns(variants, "run", "variant", "game", "rules"):
        target = classes.get(run, {}).get(game)
        if target is None:
            found[run, variant] = _unknown(f"the run does not say which rules {game} has")
        else:
            found[run, variant] = _object({TARGET: target, **_plain(rules)}, f"rules of {game}")
    return found


def _classes(config: Any) -> dict[str, str]:
    """The class of the rules of every game, from a run's configuration."""
    plain = _plain(config)
    specs = [plain.get("game"), *(plain.get("games") or {}).values()]
    return {spec["name"]: spec["rules"][TARGET] for spec in specs if spec and "rules" in spec}


def _players(agents: pd.DataFrame) -> dict[tuple[str, str], _Built | Regret]:
    """Every agent that follows a rule, one object for equal ones; of the others, why not."""
    return {
        (run, agent): _player(json.dumps(_plain(spec), sort_keys=True))
        for run, agent, spec in _columns(agents, "run", "agent", "spec")
    }


@lru_cache(maxsize=1024)
def _player(text: str) -> _Built | Regret:
    spec = json.loads(text)
    if not str(spec.get(TARGET, "")).startswith(_RULES_OF_THEIR_OWN):
        return _unknown("the opponent's rule is not known")
    return _object(spec, "opponent")


def _object(spec: Mapping[str, Any], at: str) -> _Built | Regret:
    try:
        return _Built(build(spec, at=at))
    except ConfigError as error:
        return _unknown(str(error))


def _plain(value: Any) -> Mapping[str, Any]:
    """A mapping, also from JSON."""
    return json.loads(value) if isinstance(value, str) else value
