"""What may be asked of the games in a record that are GLEE's: episodes, statistics, regret.

Regressions need `catallaxy[analysis]`; the rest does not.
"""

from typing import TYPE_CHECKING

import pandas as pd

from catallaxy.platform.analysis.percentiles import Leaderboard, leaderboard
from catallaxy.platform.analysis.regret import mean_regrets, regret_frame
from catallaxy.platform.errors import ConfigError, NotReady
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.view.frames import episodes_frame, games

if TYPE_CHECKING:
    from catallaxy.platform.view.study import Study

GLEE = ("bargaining", "negotiation", "persuasion")
"""The games whose statistics are known."""
_EXTRA = ("statsmodels", "nashpy")

_INFERENCE = """
SELECT DISTINCT coalesce(rules ->> '$.compat.inference', '') FROM variants
WHERE game = ? AND variant IN (
  SELECT variant FROM episodes WHERE status = 'settled' AND game = ?
)
"""


class CannotTell(Exception):
    """The record does not allow this; the text says why, in one sentence."""


def episodes(reader: Reader, game: str) -> pd.DataFrame:
    """The frame of the settled episodes of `game`. Raises ConfigError if there are none."""
    found = episodes_frame(reader, game)
    if found.empty:
        known = ", ".join(games(reader)) or "none at all"
        raise ConfigError(f"no settled episode of {game!r}; the record has those of: {known}")
    return found


def study(reader: Reader, game: str) -> "Study":
    """The statistics of one game of GLEE's.

    Inference is classical if all rules that were played say so (`compat.inference`). Raises
    ConfigError for other games or without episodes, NotReady without `catallaxy[analysis]`.
    """
    if game not in GLEE:
        raise ConfigError(f"statistics are known for {', '.join(GLEE)}, not for {game!r}")
    found = episodes(reader, game)
    try:
        from catallaxy.platform.view.study import Study  # noqa: PLC0415 - statsmodels is an extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise NotReady(
            "This needs statsmodels and nashpy: pip install catallaxy[analysis]"
        ) from error
    modes = {mode for (mode,) in reader.sql(_INFERENCE, [game, game]).rows}
    return Study.of(found, game, classical=modes == {"classical"})


def ranking(frame: pd.DataFrame) -> Leaderboard:
    """Players of a GLEE game by their mean percentile within configuration and role.

    Raises ConfigError if the frame does not have GLEE's columns.
    """
    missing = [
        name
        for name in ("alice", "bob", "self_gain_alice", "self_gain_bob")
        if name not in frame.columns
    ]
    if missing:
        raise ConfigError(f"percentiles need the columns {', '.join(missing)}")
    return leaderboard(frame)


def regrets(reader: Reader, only: pd.DataFrame | None = None) -> pd.DataFrame:
    """The best-response regret of every seat, as `regret_frame` has it.

    With `only`, of the episodes in that frame (columns run, episode). Raises ConfigError if no
    game of the record has gains.
    """
    seats, variants, agents, runs = (
        reader.sql(query).df()
        for query in (
            "SELECT * FROM seats ORDER BY run, ordinal, place",
            "SELECT * FROM variants",
            "SELECT * FROM agents",
            "SELECT * FROM runs",
        )
    )
    if only is not None:
        seats = seats.merge(only[["run", "episode"]], on=["run", "episode"])
    try:
        return regret_frame(seats, variants, agents, runs)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def mean_regret(reader: Reader) -> pd.DataFrame:
    """The mean regret of every agent at every seat against every opponent whose rule is known."""
    return mean_regrets(regrets(reader))
