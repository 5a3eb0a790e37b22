"""How every ordered pair of models fares: effects relative to the mean outcome, as in GLEE's maps.

The two model factors of the regression are replaced by one factor of ordered pairs (Shapira et al.
2024, arXiv 2410.05254, section 3), so that pairs that met other configurations are comparable.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from catallaxy.platform.analysis.design import Design
from catallaxy.platform.analysis.effects import ROBUST, Fit, Inference, fits_on
from catallaxy.platform.analysis.families import SEATS, Family, factors_of, measured, prepared

PAIR = "pair"


@dataclass(frozen=True, slots=True)
class PairEffects:
    """The effect of every ordered pair on one outcome.

    `table` has a row per pair that played: `alice`, `bob`, `n` (episodes), `mean` (the pair's raw
    mean), `estimate` (what the pair adds to the mean outcome over the configurations that were
    played), `se`, `freedom`, `low`, `high`, `p`, `p_adjusted`. `mean` is that mean outcome.
    """

    outcome: str
    mean: float
    table: pd.DataFrame
    notes: tuple[str, ...]

    def matrix(self, column: str = "estimate") -> pd.DataFrame:
        """A column of the table as Alice's models by Bob's; NaN for pairs that never met."""
        return self.table.pivot(index="alice", columns="bob", values=column)


@dataclass(frozen=True)
class PairFits:
    """Regressions of several outcomes on the same design, whose factor `pair` has `names`."""

    names: tuple[tuple[str, str], ...]
    fits: dict[str, Fit]

    @property
    def design(self) -> Design:
        """What all regressions share."""
        return next(iter(self.fits.values())).design

    def contrasts(self) -> np.ndarray:
        """A contrast for every pair: its coefficient; zeros for the reference pair."""
        levels = self.design.of(PAIR)
        if levels:
            return self.design.against_reference(levels)
        return np.zeros((1, self.design.matrix.shape[1]))

    def members(self) -> np.ndarray:
        """(pairs, episodes): 1 where the pair played the episode."""
        members = (self.design.matrix @ self.contrasts().T).T
        members[members.sum(axis=1) == 0] = 1 - members.sum(axis=0)
        return members


def pair_effects(
    frame: pd.DataFrame,
    outcomes: Sequence[str],
    factors: Sequence[str] = (),
    inference: Inference = ROBUST,
) -> dict[str, PairEffects]:
    """The effects of the ordered pairs on every outcome, adjusted for `factors`.

    The pairs are those of the columns `alice` and `bob`. Rows that miss a value are dropped.
    Raises ValueError as `effects` does.
    """
    fitted = fitted_pairs(frame, outcomes, factors, inference)
    members = fitted.members()
    counts = members.sum(axis=1)
    contrasts = centred(fitted.contrasts(), counts)
    found = {}
    for outcome, fit in fitted.fits.items():
        estimates = fit.estimates(contrasts)
        table = pd.DataFrame(
            {
                "alice": [alice for alice, _ in fitted.names],
                "bob": [bob for _, bob in fitted.names],
                "n": counts.astype(int),
                "mean": members @ fit.outcome / counts,
                **estimates.columns(inference.correction),
            }
        )
        notes = fit.notes([f"{alice} - {bob}" for alice, bob in fitted.names], estimates)
        found[outcome] = PairEffects(outcome, float(fit.outcome.mean()), table, notes)
    return found


def family_pairs(
    frame: pd.DataFrame,
    family: Family,
    *,
    without: Sequence[str] = (),
    inference: Inference = ROBUST,
) -> dict[str, PairEffects]:
    """The pairs' effects on all measures of one family, adjusted for its parameters and market.

    `without` leaves factors out.
    """
    ready = prepared(frame, family)
    factors = [name for name in factors_of(ready, family) if name not in (*SEATS, *without)]
    return pair_effects(ready, measured(ready, family), factors, inference)


def fitted_pairs(
    frame: pd.DataFrame, outcomes: Sequence[str], factors: Sequence[str], inference: Inference
) -> PairFits:
    """Regress `outcomes` on `factors` and the ordered pair of the columns `alice` and `bob`.

    A row without a model at either seat is dropped and counted.
    """
    missing = [seat for seat in SEATS if seat not in frame]
    if missing:
        raise ValueError(f"the frame has no column {', '.join(map(repr, missing))}")
    seated = frame[list(SEATS)].notna().all(axis=1)
    met = [
        (str(alice), str(bob)) if both else None
        for alice, bob, both in zip(frame["alice"], frame["bob"], seated, strict=True)
    ]
    names = sorted({pair for pair in met if pair is not None})
    titles = _titles(names)
    paired = pd.Categorical([pair and titles[pair] for pair in met], list(titles.values()))
    fits = fits_on(outcomes, frame.assign(**{PAIR: paired}), [*factors, PAIR], {}, inference)
    of = {title: pair for pair, title in titles.items()}
    levels = fits[outcomes[0]].design.of(PAIR)
    return PairFits(tuple(of[level.name] for level in levels) or (names[0],), fits)


def _titles(names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """`alice - bob` for every pair; with a number where names make two pairs read alike."""
    plain = [" - ".join(pair) for pair in names]
    return {
        pair: title if plain.count(title) == 1 else f"{title} ({place})"
        for place, (pair, title) in enumerate(zip(names, plain, strict=True), 1)
    }


def centred(contrasts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Contrasts with the mean over all episodes instead of with the reference level."""
    return contrasts - counts / counts.sum() @ contrasts
