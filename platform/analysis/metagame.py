"""The game before the game: each side picks a model to maximise its expected gain.

As in GLEE (Shapira et al. 2024, arXiv 2410.05254): Alice's models are the rows, Bob's the columns.
Beyond it: mixed equilibria, and how often an equilibrium outlives the resampling of clusters.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from catallaxy.platform.analysis.effects import Inference
from catallaxy.platform.analysis.equilibria import (
    Equilibria,
    Equilibrium,
    equilibria,
    pure_equilibria,
)
from catallaxy.platform.analysis.families import SEATS, Family, factors_of, prepared
from catallaxy.platform.analysis.pairs import PairFits, centred, fitted_pairs

GAINS = ("self_gain_alice", "self_gain_bob")

_SINGULAR = 1e-10

_Names = tuple[str, str]


@dataclass(frozen=True, slots=True)
class MetaEquilibrium:
    """The models that either side picks with their probabilities, and the expected gains."""

    alice: Mapping[str, float]
    bob: Mapping[str, float]
    alice_gain: float
    bob_gain: float

    @property
    def pure(self) -> bool:
        """Whether each side picks one model."""
        return len(self.alice) == len(self.bob) == 1


@dataclass(frozen=True, slots=True)
class MetaGame:
    """Expected gains by pair of models, and what follows from them.

    The gains are frames with Alice's models as rows and Bob's as columns, NaN for the pairs in
    `missing`: while there are any, no equilibrium is claimed. `complete` and `degenerate` are those
    of `Equilibria`. `survival` has a row per pair of models that is a pure equilibrium in the data
    (`observed`) or in a resample: `alice`, `bob` and the `share` of the `resamples`, which are
    those in which every pair occurs.
    """

    alice_gains: pd.DataFrame
    bob_gains: pd.DataFrame
    missing: tuple[_Names, ...]
    equilibria: tuple[MetaEquilibrium, ...]
    complete: bool
    degenerate: bool
    survival: pd.DataFrame
    resamples: int
    notes: tuple[str, ...]


def metagame(
    frame: pd.DataFrame,
    factors: Sequence[str] = (),
    *,
    cluster: str = "variant",
    replications: int = 200,
    seed: int = 0,
) -> MetaGame:
    """The game of choosing `alice` and `bob`, from `self_gain_alice` and `self_gain_bob`.

    With `factors` the gains are those of a regression on them and the pair, so that pairs that met
    other configurations are comparable; without, the raw means. `replications` resamples of whole
    clusters say how sure the pure equilibria are. Raises ValueError as `effects` does.
    """
    fitted = fitted_pairs(frame, GAINS, factors, Inference(cluster=cluster))
    regression = _Regression.of(fitted)
    alice, bob = _bimatrix(fitted.names, regression.known())
    missing = tuple(
        (row, column)
        for row, column in product(alice.index, alice.columns)
        if np.isnan(alice.loc[row, column])
    )
    drawn = [] if missing else list(_resampled(regression, replications, seed))
    solved = Equilibria((), False, False) if missing else equilibria(*_arrays(alice, bob))
    return MetaGame(
        alice,
        bob,
        missing,
        tuple(_named(one, alice) for one in solved.found),
        solved.complete,
        solved.degenerate,
        _survival([] if missing else _pure(alice, bob), drawn),
        len(drawn),
        _notes(fitted, missing, 0 if missing else replications - len(drawn)),
    )


def family_metagame(
    frame: pd.DataFrame,
    family: Family,
    *,
    without: Sequence[str] = (),
    cluster: str = "variant",
    replications: int = 200,
    seed: int = 0,
) -> MetaGame:
    """The meta-game of one family of games, adjusted for its parameters and market.

    `without` leaves factors out.
    """
    ready = prepared(frame, family)
    factors = [name for name in factors_of(ready, family) if name not in (*SEATS, *without)]
    return metagame(ready, factors, cluster=cluster, replications=replications, seed=seed)


@dataclass(frozen=True)
class _Regression:
    """Both gains on a sparse design of full rank, and the contrasts between pairs."""

    fitted: PairFits
    matrix: csr_array
    gains: np.ndarray
    contrasts: np.ndarray
    members: csr_array

    @classmethod
    def of(cls, fitted: PairFits) -> "_Regression":
        kept = fitted.design.kept
        return cls(
            fitted,
            csr_array(fitted.design.matrix[:, kept]),
            np.column_stack([fitted.fits[name].outcome for name in GAINS]),
            fitted.contrasts()[:, kept],
            csr_array(fitted.members()),
        )

    def means(self, weights: np.ndarray) -> np.ndarray | None:
        """(pairs, 2): what every pair gains over all episodes, each weighted; None if unknown."""
        weighted = self.matrix.multiply(weights[:, None]).T.tocsr()
        gram = (weighted @ self.matrix).toarray()
        sizes = np.sqrt(np.diag(gram))
        if not sizes.all():
            return None
        if np.linalg.eigvalsh(gram / np.outer(sizes, sizes))[0] < _SINGULAR:
            return None
        found = np.linalg.solve(gram, weighted @ self.gains)
        over = centred(self.contrasts, self.members @ weights)
        return weights @ self.gains / weights.sum() + over @ found

    def known(self) -> np.ndarray:
        """The means of all pairs, NaN where the design does not determine them."""
        even = np.ones(len(self.gains))
        over = centred(self.fitted.contrasts(), self.members @ even)
        sure = self.fitted.design.identified(over)
        means = self.means(even)
        blank = np.full((len(over), 2), np.nan)
        return blank if means is None else np.where(sure[:, None], means, blank)


def _bimatrix(names: Sequence[_Names], means: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    found = pd.DataFrame(names, columns=list(SEATS)).assign(
        **dict(zip(GAINS, means.T, strict=True))
    )
    alice, bob = (found.pivot(index="alice", columns="bob", values=name) for name in GAINS)
    return alice, bob


def _arrays(alice: pd.DataFrame, bob: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return alice.to_numpy(), bob.to_numpy()


def _pure(alice: pd.DataFrame, bob: pd.DataFrame) -> list[_Names]:
    return [
        (str(alice.index[row]), str(alice.columns[column]))
        for row, column in pure_equilibria(*_arrays(alice, bob))
    ]


def _resampled(regression: _Regression, replications: int, seed: int) -> Iterator[list[_Names]]:
    """The pure equilibria of resamples of whole clusters in which every pair occurs."""
    clustered = regression.fitted.fits[GAINS[0]].clustered
    if clustered is None:
        raise ValueError("resampling needs clusters")
    rng = np.random.default_rng(seed)
    even = np.full(clustered.clusters, 1 / clustered.clusters)
    for times in rng.multinomial(clustered.clusters, even, size=replications):
        means = regression.means(times[clustered.codes].astype(float))
        if means is not None:
            yield _pure(*_bimatrix(regression.fitted.names, means))


def _survival(observed: Sequence[_Names], drawn: Sequence[Sequence[_Names]]) -> pd.DataFrame:
    counted = Counter(names for each in drawn for names in each)
    every = sorted({*observed, *counted}, key=lambda names: (-counted[names], names))
    share = [counted[names] / len(drawn) if drawn else np.nan for names in every]
    return pd.DataFrame(every, columns=list(SEATS)).assign(
        share=share, observed=[names in observed for names in every]
    )


def _named(one: Equilibrium, gains: pd.DataFrame) -> MetaEquilibrium:
    return MetaEquilibrium(
        _picked(gains.index, one.rows),
        _picked(gains.columns, one.columns),
        one.row_payoff,
        one.column_payoff,
    )


def _picked(models: pd.Index, chances: Sequence[float]) -> dict[str, float]:
    return {str(model): p for model, p in zip(models, chances, strict=True) if p > 0}


def _notes(fitted: PairFits, missing: Sequence[_Names], unusable: int) -> tuple[str, ...]:
    notes = [*fitted.design.notes, *fitted.design.confounded()]
    dropped = fitted.fits[GAINS[0]].dropped
    if dropped:
        notes.append(f"{dropped} episodes miss a value that is needed and were left out.")
    if missing:
        listed = ", ".join(" - ".join(names) for names in missing)
        notes.append(f"No equilibrium is claimed while pairs (Alice - Bob) are missing: {listed}.")
    if unusable:
        notes.append(f"{unusable} resamples lack a pair of models and were left out.")
    return tuple(notes)
