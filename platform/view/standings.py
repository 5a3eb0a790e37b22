"""How far players are from theory and from a best response, and who does best, as rows.

Knows no HTML. Gains are in the unit of `self_gain`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from catallaxy.platform.analysis.intervals import Mean, mean
from catallaxy.platform.errors import ConfigError
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.view import statistics
from catallaxy.platform.view.origins import SEATS
from catallaxy.platform.view.statistics import CannotTell

_TRIED: Mapping[str, int] = {"persuasion": 36}
_TRIED_ELSEWHERE = 144
_TRIED_WITH_LUCK = 8
"""Episodes of a game whose regret a page computes, in the order of play: seconds, not minutes.

A best response to a player that tosses coins is estimated from thousands of them.
"""

_LUCKY = "SELECT run, agent FROM agents WHERE contains(CAST(spec AS VARCHAR), '.Random')"


@dataclass(frozen=True, slots=True)
class TheoryRow:
    """One agent at one seat; None where nothing is predicted, or no opponent's rule is known.

    `against` are the opponents in the episodes of `regret`.
    """

    agent: str
    seat: str
    gain: Mean
    distance: Mean | None
    regret: Mean | None
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TheoryFound:
    """The rows; regret was computed for `tried` of `settled` episodes, the first to be planned.

    `error` is the largest standard error of a best response's value.
    """

    rows: tuple[TheoryRow, ...]
    tried: int
    settled: int
    error: float

    @property
    def with_regret(self) -> bool:
        """Whether any opponent's rule was known."""
        return any(row.regret for row in self.rows)


@dataclass(frozen=True, slots=True)
class RankRow:
    """One player's mean percentile, in percent, over `n` payoffs."""

    player: str
    n: int
    percentile: float
    half: float | None


@dataclass(frozen=True, slots=True)
class RankingFound:
    """Players, best first; `alone` payoffs did not count."""

    rows: tuple[RankRow, ...]
    alone: int


def theory_found(reader: Reader, game: str, frame: pd.DataFrame) -> TheoryFound:
    """Distance to theory and regret of every agent and seat.

    Raises CannotTell where neither a prediction nor an opponent's rule is known.
    """
    tried = _tried(reader, game, frame)
    try:
        regrets = statistics.regrets(reader, tried)
    except ConfigError as error:
        raise CannotTell(f"{error}.") from error
    regrets = regrets[regrets["regret"].notna()]
    rows = []
    for seat in SEATS:
        for agent, own in frame.groupby(f"agent_{seat}", sort=True):
            missed = regrets[(regrets["agent"] == agent) & (regrets["seat"] == seat)]
            rows.append(
                TheoryRow(
                    str(agent),
                    seat,
                    mean(own[f"self_gain_{seat}"].tolist(), own["variant"].tolist()),
                    _mean(own, f"distance_to_theory_{seat}"),
                    _mean(missed, "regret"),
                    tuple(sorted(missed["opponent"].unique())),
                )
            )
    if not any(row.distance or row.regret for row in rows):
        raise CannotTell("theory predicts nothing here, and no opponent's rule is known.")
    error = float(regrets["error"].max()) if len(regrets) else 0.0
    rows.sort(key=lambda row: row.agent)
    return TheoryFound(tuple(rows), len(tried), len(frame), error)


def _tried(reader: Reader, game: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The episodes whose regret is computed."""
    lucky = {tuple(row) for row in reader.sql(_LUCKY).rows}
    tosses = pd.Series(
        [
            any((row["run"], row[f"agent_{seat}"]) in lucky for seat in SEATS)
            for row in frame.to_dict("records")
        ],
        index=frame.index,
    )
    most = _TRIED.get(game, _TRIED_ELSEWHERE)
    return pd.concat([frame[~tosses].head(most), frame[tosses].head(_TRIED_WITH_LUCK)])


def ranking_found(frame: pd.DataFrame) -> RankingFound:
    """The ranking. Raises CannotTell where nobody had a rival."""
    found = statistics.ranking(frame)
    if found.table["agent"].nunique() < 2:
        raise CannotTell(
            "a rank needs configurations in which several players took the same seat; "
            "more replicates or a smaller grid give them."
        )
    rows = [
        RankRow(
            str(row["agent"]),
            int(row["n"]),
            100 * row["percentile"],
            None if pd.isna(row["low"]) else 50 * (row["high"] - row["low"]),
        )
        for row in found.table.to_dict("records")
    ]
    return RankingFound(tuple(rows), found.alone)


def _mean(rows: pd.DataFrame, column: str) -> Mean | None:
    """The mean of a column with the interval that its clusters allow; None without a value."""
    if column not in rows or rows[column].isna().all():
        return None
    known = rows[rows[column].notna()]
    return mean(known[column].tolist(), known["variant"].tolist())
