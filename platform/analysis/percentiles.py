"""Payoffs as percentiles within a configuration and role: comparable where the stakes are not.

The idea is that of GLEE's competition, which also adjusts for the opponent's rating; this does not.
Knows no database and no game.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from catallaxy.platform.analysis.intervals import mean

GAINS: Mapping[str, str] = MappingProxyType({"alice": "self_gain_alice", "bob": "self_gain_bob"})


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Agents by their mean percentile.

    `table` has a row per agent, best first: `agent`, `n` (payoffs that count), `percentile`, `low`,
    `high` (95 %, robust to clusters of one configuration; None without an interval). `alone` counts
    the payoffs that did not count: those of a configuration and role that only one agent played.
    """

    table: pd.DataFrame
    alone: int


def percentiles(
    frame: pd.DataFrame, gains: Mapping[str, str] = GAINS, within: str = "variant"
) -> pd.DataFrame:
    """Every payoff's percentile among all payoffs of its configuration and role, in [0, 1].

    `frame` has a row per episode, the agent of every seat in a column of the seat's name; `gains`
    gives the payoff's column for each seat. Payoffs below count fully and equal ones, its own
    among them, half, so that the mean is 1/2 in every configuration and role. Returned is a row
    per episode and seat: `agent`, `seat`, `within`, `gain`, `percentile`, `rivals` (other agents
    in that configuration and role). Rows that miss a value are left out.
    """
    seats = [
        pd.DataFrame(
            {
                "agent": frame[seat],
                "seat": seat,
                "within": frame[within],
                "gain": frame[column].astype(float),
            }
        )
        for seat, column in gains.items()
    ]
    found = pd.concat(seats, ignore_index=True).dropna().reset_index(drop=True)
    cells = found.groupby(["within", "seat"])
    rank, size = cells["gain"].rank(method="average"), cells["gain"].transform("size")
    return found.assign(
        percentile=(rank - 0.5) / size, rivals=cells["agent"].transform("nunique") - 1
    )


def leaderboard(
    frame: pd.DataFrame, gains: Mapping[str, str] = GAINS, within: str = "variant"
) -> Leaderboard:
    """Agents by their mean percentile over the configurations and roles that others played too."""
    every = percentiles(frame, gains, within)
    played = every[every["rivals"] > 0]
    rows = []
    for agent, own in played.groupby("agent"):
        found = mean(own["percentile"].tolist(), own["within"].tolist())
        rows.append((agent, found.n, found.value, found.low, found.high))
    table = pd.DataFrame(rows, columns=["agent", "n", "percentile", "low", "high"])
    best_first = table.sort_values(["percentile", "agent"], ascending=[False, True])
    return Leaderboard(best_first.reset_index(drop=True), len(every) - len(played))
