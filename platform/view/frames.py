"""One row per settled episode with everything that a statistic needs: what the analysis reads.

Knows no statistics. Works for every game.
"""

import pandas as pd

from catallaxy.platform.errors import StoreError
from catallaxy.platform.store.reader import Reader

_EPISODES = """
SELECT e.*, v.wording
FROM episodes AS e JOIN variants AS v ON v.run = e.run AND v.variant = e.variant
WHERE e.status = 'settled' AND e.game = ? ORDER BY e.run, e.ordinal
"""
_SEATS = """
SELECT s.*, a.model, a.kind
FROM seats AS s JOIN agents AS a ON a.run = s.run AND a.agent = s.agent
WHERE s.status = 'settled' AND s.game = ? ORDER BY s.run, s.ordinal, s.place
"""
_PLAYED = ("run", "episode", "ordinal", "game", "variant", "replicate", "status")
_SEAT_FACTS = frozenset((*_PLAYED, "seat", "place", "agent", "model", "kind"))


def episodes_frame(reader: Reader, game: str) -> pd.DataFrame:
    """The settled episodes of `game` over all open runs; empty if there are none.

    Columns: those of the view `episodes`, `wording`, and per seat of the game `<seat>` (who sat
    there: the model, or the agent's name or kind), `agent_<seat>` and `<metric>_<seat>`. Raises
    StoreError if the tables of a game do not all have the same seats.
    """
    episodes = reader.sql(_EPISODES, [game]).df()
    seats = reader.sql(_SEATS, [game]).df()
    if episodes.empty:
        return episodes
    names = list(dict.fromkeys(seats["seat"]))
    seats["label"] = _labels(seats, names)
    measures = [c for c in seats if c not in _SEAT_FACTS and seats[c].notna().any()]
    measures.remove("label")
    frame = episodes.dropna(axis="columns", how="all")
    for name in names:
        columns = ["run", "episode", "label", "agent", *measures]
        of_seat = seats.loc[seats["seat"] == name, columns]
        renamed = {"label": name, "agent": f"agent_{name}"}
        renamed |= {measure: f"{measure}_{name}" for measure in measures}
        frame = frame.merge(of_seat.rename(columns=renamed), on=["run", "episode"], how="left")
    if len(frame) != len(episodes):
        raise StoreError(f"{game}: a seat is taken twice in one episode")
    return frame


def games(reader: Reader) -> list[str]:
    """The games with settled episodes, by name."""
    found = reader.sql("SELECT DISTINCT game FROM episodes WHERE status = 'settled' ORDER BY game")
    return [name for (name,) in found.rows]


def _labels(seats: pd.DataFrame, names: list[str]) -> pd.Series:
    """Who sat there, by the name that tells players apart.

    The model; the agent where it has none or where several agents have the same; the kind of agent
    where an agent without a model is only named like a seat.
    """
    model = seats["model"].fillna("")
    named = ~seats["agent"].isin(names)
    agents = seats["agent"].where(named, seats["kind"])
    sharing = seats.loc[named & (model != "")].groupby("model")["agent"].nunique()
    told = (model != "") & ~(named & model.isin(sharing.index[sharing > 1]))
    return model.where(told, agents)
