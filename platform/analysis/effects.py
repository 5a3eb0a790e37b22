"""Effects of the levels of factors on an outcome, with intervals. Knows no game and no database.

Ordinary least squares on dummies, as in GLEE (Shapira et al. 2024, arXiv 2410.05254, section 3),
by statsmodels; the paper's classical intervals, and intervals that allow for episodes of one
configuration resembling each other. Effects are in the unit of the outcome, not times 100.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS, RegressionResults
from statsmodels.stats.multitest import multipletests

from catallaxy.platform.analysis.design import Design, designed
from catallaxy.platform.analysis.intervals import FEWEST_CLUSTERS, LEVEL
from catallaxy.platform.analysis.robust import Clustered, Intervals, wild_draws

Method: TypeAlias = Literal["clustered", "bootstrap", "classical"]
Correction: TypeAlias = Literal["holm", "bonferroni", "fdr_bh", "fdr_by", "none"]

_EXACT = 1e-10  # relative size below which residuals and standard errors are rounding
_FEWEST_FREEDOM = 4  # below, Satterthwaite's approximation is not trusted (Tipton 2015)
_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Inference:
    """How uncertainty is judged.

    `clustered`: the sandwich CR2 with Satterthwaite's degrees of freedom; `bootstrap`: the wild
    cluster bootstrap-t with `replications` draws from `seed`; `classical`: normal quantiles times
    the standard errors of independent errors of equal variance, as in GLEE.
    `cluster` is the column whose equal values make a cluster, by default the configuration: it also
    holds together what shares nature's seed, which no two configurations do. `correction` is for
    the many comparisons of one table; `level` is that of the intervals, which are not corrected.
    """

    method: Method = "clustered"
    cluster: str = "variant"
    correction: Correction = "holm"
    level: float = LEVEL
    replications: int = 999
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError(f"level must be between 0 and 1, not {self.level!r}")
        if self.replications < 1:
            raise ValueError(f"replications must be at least 1, not {self.replications!r}")


ROBUST = Inference()
"""Intervals that allow for clusters, corrected for multiple comparisons: the default."""

CLASSICAL = Inference(method="classical", correction="none")
"""The paper's own inference."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Contrasts of coefficients, one entry each; what cannot be estimated is NaN."""

    estimate: np.ndarray
    se: np.ndarray
    freedom: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray

    def columns(self, correction: Correction) -> dict[str, np.ndarray]:
        """The columns of a table, with p values adjusted for the comparisons in it."""
        names = ("estimate", "se", "freedom", "low", "high", "p")
        found = {name: getattr(self, name) for name in names}
        return found | {"p_adjusted": adjusted(self.p, correction)}


@dataclass(frozen=True)
class Fit:
    """A regression of `outcome` (one value per row of the design).

    `clustered` is the geometry of the columns that the design can tell apart, None where errors
    count as independent; `dropped` rows missed a value.
    """

    design: Design
    outcome: np.ndarray
    inference: Inference
    clustered: Clustered | None
    dropped: int = 0

    @cached_property
    def results(self) -> RegressionResults:
        """The least-squares fit on the columns that the design can tell apart."""
        return OLS(self.outcome, self.design.matrix[:, self.design.kept]).fit(method="qr")

    @cached_property
    def silent(self) -> str | None:
        """Why there are no intervals at all, None where there are."""
        n, k = len(self.outcome), len(self.design.kept)
        size = np.abs(self.outcome).max()
        if np.ptp(self.outcome) <= _EXACT * size:
            return "The outcome is the same in every episode: no intervals."
        if n <= k:
            return f"{n} episodes for {k} coefficients: no intervals."
        if np.abs(self.results.resid).max() <= _EXACT * size:
            return "The factors explain every episode exactly: there is no noise to judge by."
        if self.clustered is not None and self.clustered.clusters < FEWEST_CLUSTERS:
            return (
                f"{self.clustered.clusters} distinct values of {self.inference.cluster}: "
                f"intervals need at least {FEWEST_CLUSTERS} clusters."
            )
        return None

    def estimates(self, contrasts: np.ndarray) -> Estimates:
        """Estimates and intervals of `contrasts` (rows) of all coefficients of the design."""
        known = self.design.identified(contrasts)
        kept = contrasts[:, self.design.kept]
        value = np.where(known, kept @ self.results.params, np.nan)
        known &= np.abs(kept).sum(axis=1) > 0
        blank = np.full((4, len(value)), np.nan)
        if self.silent is None and known.any():
            found = self._intervals(value[known], kept[known])
            sure = found.se > _EXACT * np.abs(self.outcome).max()
            rows = (found.se, found.freedom, found.half, found.p)
            blank[:, known] = np.where(sure, np.stack(rows), np.nan)
        se, freedom, half, p = blank
        return Estimates(value, se, freedom, value - half, value + half, p)

    def notes(self, titles: Sequence[str], found: Estimates) -> tuple[str, ...]:
        """What a reader must know of the design and of `found`, whose contrasts have `titles`."""
        notes = [*self.design.notes, *self.design.confounded()]
        if self.dropped:
            notes.append(f"{self.dropped} episodes miss a value that is needed and were left out.")
        if self.silent is not None:
            return (*notes, self.silent)
        bare = np.isfinite(found.estimate) & (found.estimate != 0) & ~np.isfinite(found.se)
        if bare.any():
            notes.append(
                f"No interval, for want of spread or because all depends on one "
                f"{self.inference.cluster}: {_listed(titles, bare)}."
            )
        few = found.freedom < _FEWEST_FREEDOM
        if few.any():
            notes.append(
                f"Rough intervals, on fewer than {_FEWEST_FREEDOM} degrees of freedom: "
                f"{_listed(titles, few)}."
            )
        return tuple(notes)

    def _intervals(self, value: np.ndarray, contrasts: np.ndarray) -> Intervals:
        level = self.inference.level
        if self.clustered is None:
            return self._classical(contrasts)
        resid = self.results.resid
        alone = self.clustered.rests_on(contrasts) >= 0
        if self.inference.method == "bootstrap":
            draws = wild_draws(
                self.clustered.clusters, self.inference.replications, self.inference.seed
            )
            found = self.clustered.wild(value, resid, contrasts, level, draws)
        else:
            found = self.clustered.cr2(value, resid, contrasts, level)
        rows = (found.se, found.freedom, found.half, found.p)
        return Intervals(*np.where(alone, np.nan, np.stack(rows)))

    def _classical(self, contrasts: np.ndarray) -> Intervals:
        tested = self.results.t_test(contrasts, use_t=False)
        low, high = tested.conf_int(alpha=1 - self.inference.level).T
        freedom = np.full(len(contrasts), float(self.results.df_resid))
        return Intervals(np.ravel(tested.sd), freedom, (high - low) / 2, np.ravel(tested.pvalue))


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of every level on one outcome, relative to the reference levels.

    `table` has a row per level: `factor`, `level`, `reference`, `n_level` (episodes), `estimate`,
    `se`, `freedom`, `low`, `high`, `p`, `p_adjusted`; NaN where there is none, and `notes` says
    why. `n` episodes were used and `dropped` were not, `mean` is the outcome's over those used,
    `clusters` is None for classical intervals.
    """

    outcome: str
    table: pd.DataFrame
    notes: tuple[str, ...]
    n: int
    dropped: int
    mean: float
    clusters: int | None
    fit: Fit = field(repr=False)

    def differences(self, factor: str) -> pd.DataFrame:
        """Every pair of levels of `factor`: the effect of `level` minus that of `other`.

        These do not depend on the reference level. Columns as in `table`.
        """
        levels, design = self.fit.design.of(factor), self.fit.design
        pairs = list(combinations(levels, 2))
        first = design.against_reference([one for one, _ in pairs])
        second = design.against_reference([other for _, other in pairs])
        found = self.fit.estimates(first - second)
        names = {"level": [a.name for a, _ in pairs], "other": [b.name for _, b in pairs]}
        return pd.DataFrame({**names, **found.columns(self.fit.inference.correction)})


def effects(
    frame: pd.DataFrame,
    outcome: str,
    factors: Sequence[str],
    reference: Mapping[str, object] = _NOTHING,
    inference: Inference = ROBUST,
) -> Effects:
    """The effects of the levels of `factors` on the column `outcome` of `frame`.

    The frame has one row per episode. Rows that miss the outcome, a factor or the cluster are
    dropped and counted. Raises ValueError for columns that do not exist, and if no row is left.
    """
    return effects_on([outcome], frame, factors, reference, inference)[outcome]


def effects_on(
    outcomes: Sequence[str],
    frame: pd.DataFrame,
    factors: Sequence[str],
    reference: Mapping[str, object] = _NOTHING,
    inference: Inference = ROBUST,
) -> dict[str, Effects]:
    """`effects` on several outcomes, over the rows that miss none of them."""
    fits = fits_on(outcomes, frame, factors, reference, inference)
    return {name: _effects(name, fit) for name, fit in fits.items()}


def fits_on(
    outcomes: Sequence[str],
    frame: pd.DataFrame,
    factors: Sequence[str],
    reference: Mapping[str, object],
    inference: Inference,
) -> dict[str, Fit]:
    """The regressions behind `effects_on`: one design, an outcome each."""
    clusters = [] if inference.method == "classical" else [inference.cluster]
    asked = list(dict.fromkeys([*outcomes, *factors, *clusters]))
    missing = [name for name in asked if name not in frame.columns]
    if missing:
        raise ValueError(f"the frame has no column {', '.join(map(repr, missing))}")
    values = frame[list(outcomes)].astype(float)
    whole = np.isfinite(values).all(axis=1) & frame[asked].notna().all(axis=1)
    rows = frame.loc[whole]
    if rows.empty:
        raise ValueError(f"no episode has all of {', '.join(asked)}")
    design = designed(rows, factors, reference)
    geometry = None
    if clusters:
        codes = np.unique(rows[clusters[0]].astype(str), return_inverse=True)[1]
        geometry = Clustered(design.matrix[:, design.kept], codes)
    dropped = len(frame) - len(rows)
    return {
        name: Fit(design, values.loc[whole, name].to_numpy(), inference, geometry, dropped)
        for name in outcomes
    }


def adjusted(p: np.ndarray, correction: Correction) -> np.ndarray:
    """The p values of one family of comparisons, corrected; NaN are not part of the family."""
    found, real = np.array(p, dtype=float), np.isfinite(p)
    if correction != "none" and real.any():
        found[real] = multipletests(found[real], method=correction)[1]
    return found


def _listed(titles: Sequence[str], chosen: np.ndarray) -> str:
    return ", ".join(title for title, is_chosen in zip(titles, chosen, strict=True) if is_chosen)


def _effects(outcome: str, fit: Fit) -> Effects:
    levels = fit.design.levels
    found = fit.estimates(fit.design.against_reference(levels))
    table = pd.DataFrame(
        {
            "factor": [level.factor for level in levels],
            "level": [level.name for level in levels],
            "reference": [level.reference for level in levels],
            "n_level": [level.n for level in levels],
            **found.columns(fit.inference.correction),
        }
    )
    return Effects(
        outcome,
        table,
        fit.notes([f"{level.factor} {level.name!r}" for level in levels], found),
        len(fit.outcome),
        fit.dropped,
        float(fit.outcome.mean()),
        None if fit.clustered is None else fit.clustered.clusters,
        fit,
    )
