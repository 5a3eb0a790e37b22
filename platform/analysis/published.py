"""GLEE's published results, and whether effects that were found have their signs.

Shapira et al. 2024, arXiv 2410.05254, version 3: tables 5 and 6, and the meta-game's equilibria.
The models are mostly retired and were one mixture among many, so signs and orders of the markets'
effects are comparable, not their sizes. Gains and effects are in the unit of the measures, as
everywhere here; the paper prints them times 100.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy.stats import kendalltau

from catallaxy.platform.analysis.effects import Effects
from catallaxy.platform.analysis.families import MARKET, SEATS

_FACTS = Path(__file__).resolve().with_name("glee_published.yaml")
_METRICS = ("efficiency", "fairness")
_FAMILIES = ("bargaining", "negotiation", "persuasion")
_POINT = 0.01


@dataclass(frozen=True, slots=True)
class SignComparison:
    """How differences between markets agree with the paper's, pair of markets by pair.

    Counted are pairs of markets that both have and whose difference in the paper exceeds its own
    half-width: of these `compared` pairs `agreeing` have the paper's sign here. Of `resolved` ones
    our interval excludes 0 as well, `resolved_agreeing` of them with the paper's sign. `tau` is
    Kendall's rank correlation (tau-b) over the common markets with its two-sided p value: pairs
    share markets, so a sign test over pairs would count the same evidence again and again. NaN
    where there are too few. `pairs` has `level`, `other`, `published`, `estimate`, `low`, `high`,
    `counted`, `resolved`, `agrees`; `absent` are the paper's markets that were not found here.
    """

    family: str
    metric: str
    compared: int
    agreeing: int
    resolved: int
    resolved_agreeing: int
    tau: float
    tau_p: float
    absent: tuple[str, ...]
    pairs: pd.DataFrame

    @property
    def share(self) -> float:
        """The share of compared pairs that have the paper's sign, NaN if there are none."""
        return self.agreeing / self.compared if self.compared else np.nan


def market_effects(family: str, metric: str) -> pd.DataFrame:
    """Table 5: `level`, `estimate` and `half` of its interval, for efficiency or fairness.

    Raises ValueError for another family or measure.
    """
    _checked("family", family, _FAMILIES)
    place = _METRICS.index(_checked("metric", metric, _METRICS))
    rows = dict(_facts()["markets"][family])
    half = rows.pop("half_width")[metric]
    return pd.DataFrame(
        {"level": list(rows), "estimate": [row[place] * _POINT for row in rows.values()]}
    ).assign(half=half * _POINT)


def model_effects(family: str, seat: str) -> pd.DataFrame:
    """Table 6: `level` (the model), `estimate` of its self-gain at `seat`, and `half`.

    Raises ValueError for another family or seat.
    """
    facts = _facts()["models"]
    place = 2 * _FAMILIES.index(_checked("family", family, _FAMILIES))
    place += SEATS.index(_checked("seat", seat, SEATS))
    usual, own = facts["half_width"][family], facts["half_width_of_its_own"]
    return pd.DataFrame(
        {
            "level": list(facts["gains"]),
            "estimate": [row[place] * _POINT for row in facts["gains"].values()],
            "half": [
                own.get(model, {}).get(family, usual)[seat] * _POINT for model in facts["gains"]
            ],
        }
    )


def published_equilibria(family: str) -> tuple[tuple[str, str], ...]:
    """The pure equilibria of the paper's meta-game: the models of Alice and of Bob."""
    _checked("family", family, _FAMILIES)
    return tuple((alice, bob) for alice, bob in _facts()["equilibria"][family])


def published_best_replies() -> tuple[dict[str, str], ...]:
    """Best replies that the paper names: `family`, `alice`, `bob`, and which of them `replies`."""
    return tuple(dict(fact) for fact in _facts()["best_replies"])


def compare_signs(found: Effects, family: str, metric: str) -> SignComparison:
    """Compare the differences between markets with those of the paper's table 5.

    `found` is a regression with the factor `market`. Differences between rows do not depend on
    the reference level, about which the paper contradicts itself. Raises ValueError for a family or
    measure that the table does not have.
    """
    published = market_effects(family, metric)
    estimate = published.set_index("level")["estimate"]
    half = float(published["half"].iloc[0])
    ours = found.differences(MARKET)
    ours = ours[ours["level"].isin(estimate.index) & ours["other"].isin(estimate.index)]
    ours = ours[ours["estimate"].notna()]
    theirs = estimate[ours["level"]].to_numpy() - estimate[ours["other"]].to_numpy()
    here = ours["estimate"].to_numpy()
    pairs = ours[["level", "other", "estimate", "low", "high"]].assign(
        published=theirs,
        counted=np.abs(theirs) > half + 1e-12,
        resolved=(ours["low"] > 0) | (ours["high"] < 0),
        agrees=np.sign(theirs) == np.sign(here),
    )
    counted = pairs[pairs["counted"]]
    seen = [name for name in estimate.index if name in {*pairs["level"], *pairs["other"]}]
    tau, tau_p = _kendall(found, estimate, seen)
    return SignComparison(
        family,
        metric,
        len(counted),
        int(counted["agrees"].sum()),
        int(counted["resolved"].sum()),
        int((counted["resolved"] & counted["agrees"]).sum()),
        tau,
        tau_p,
        tuple(name for name in estimate.index if name not in seen),
        pairs.reset_index(drop=True),
    )


def _kendall(found: Effects, published: pd.Series, seen: list[str]) -> tuple[float, float]:
    table = found.table[found.table["factor"] == MARKET].set_index("level")["estimate"]
    ours = table[seen].round(9)  # what ties but for rounding ties
    if len(seen) < 3 or ours.nunique() == 1:
        return np.nan, np.nan
    tested = kendalltau(published[seen], ours)
    return float(tested.statistic), float(tested.pvalue)


def _checked(what: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"{what} must be one of {', '.join(known)}, not {value!r}")
    return value


@cache
def _facts() -> dict[str, Any]:
    return yaml.safe_load(_FACTS.read_text())
