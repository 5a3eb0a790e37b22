"""Intervals of least-squares contrasts whose errors resemble each other within clusters.

Arrays only: a design of full rank, residuals, the cluster of every row. Everything is computed in
the orthonormal coordinates of the design's QR decomposition, so that no matrix is larger than a
cluster or than the number of coefficients.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import stdtr, stdtrit

_WHOLE = 1 - 1e-9  # a cluster with this much leverage determines a direction alone
_FEW = 12  # below, two-point weights have too few distinct draws (Webb 2023)
_NUMBERS_AT_ONCE = 4_000_000  # 32 MB
_WEBB = np.sqrt(np.array([0.5, 1.0, 1.5]))


@dataclass(frozen=True, slots=True)
class Intervals:
    """Standard errors, degrees of freedom, half-widths and two-sided p values, one per contrast."""

    se: np.ndarray
    freedom: np.ndarray
    half: np.ndarray
    p: np.ndarray


@dataclass(frozen=True)
class Clustered:
    """The geometry of a design `matrix` (rows, coefficients; of full rank) in clusters.

    `codes` has for every row the number of its cluster, from 0 without gaps.
    """

    matrix: np.ndarray
    codes: np.ndarray

    @property
    def clusters(self) -> int:
        """The number of clusters."""
        return int(self.codes.max()) + 1

    def rests_on(self, contrasts: np.ndarray) -> np.ndarray:
        """For every contrast a cluster without which it would not be identified, -1 if none.

        No spread between clusters says anything about such a contrast, and the residuals of its
        cluster are zero on average by construction: a sandwich would take it for certain.
        """
        found = np.full(len(contrasts), -1)
        moved = self._moved(contrasts)
        for cluster, (_, leverage, directions) in enumerate(self._parts):
            alone = directions[leverage >= _WHOLE]
            found[(np.abs(moved @ alone.T) > 1e-6).any(axis=1)] = cluster
        return found

    def cr2(
        self, estimates: np.ndarray, residuals: np.ndarray, contrasts: np.ndarray, level: float
    ) -> Intervals:
        """The bias-reduced sandwich CR2 with Satterthwaite's degrees of freedom.

        Bell and McCaffrey (2002); Pustejovsky and Tipton (2018), "Small-sample methods for
        cluster-robust variance estimation and hypothesis testing in fixed effects models". The
        working model is independent errors of equal variance.
        """
        moved = self._moved(contrasts)
        se = np.sqrt(((self._adjusted(residuals) @ moved.T) ** 2).sum(axis=0))
        freedom = self._freedom(moved)
        with np.errstate(divide="ignore", invalid="ignore"):
            p = 2 * stdtr(freedom, -np.abs(estimates / se))
        return Intervals(se, freedom, stdtrit(freedom, (1 + level) / 2) * se, p)

    def cr1(self, residuals: np.ndarray, contrasts: np.ndarray) -> np.ndarray:
        """Standard errors by the sandwich CR1: (G / (G-1)) (n-1) / (n-k) times the plain one.

        Cameron and Miller (2015), "A Practitioner's Guide to Cluster-Robust Inference".
        """
        plain = self._scores(residuals) @ self._moved(contrasts).T
        return np.sqrt(self._inflation * (plain**2).sum(axis=0))

    def wild(
        self,
        estimates: np.ndarray,
        residuals: np.ndarray,
        contrasts: np.ndarray,
        level: float,
        draws: np.ndarray,
    ) -> Intervals:
        """The wild cluster bootstrap-t: symmetric intervals from `draws` (draws, clusters).

        The residuals of a cluster, adjusted as in CR2, are multiplied by its draw; t is
        studentised by CR1. MacKinnon, Nielsen and Webb (2023), "Fast and reliable jackknife and
        bootstrap methods for cluster-robust inference", without the null imposed.
        """
        moved, se = self._moved(contrasts), self.cr1(residuals, contrasts)
        adjusted = self._adjusted(residuals)
        shifts = draws @ adjusted
        half, p = np.empty(len(moved)), np.empty(len(moved))
        for row, contrast in enumerate(moved):
            scores = draws * (adjusted @ contrast) - shifts @ self._spread(contrast).T
            drawn = np.abs(shifts @ contrast) / np.sqrt(self._inflation * (scores**2).sum(axis=1))
            half[row] = np.quantile(drawn, level, method="higher") * se[row]
            with np.errstate(divide="ignore", invalid="ignore"):
                beyond = drawn >= np.abs(estimates[row] / se[row])
            p[row] = (1 + beyond.sum()) / (1 + len(drawn))
        return Intervals(se, np.full(len(moved), np.nan), half, p)

    @property
    def _inflation(self) -> float:
        n, k = self.matrix.shape
        return self.clusters / (self.clusters - 1) * (n - 1) / (n - k)

    @cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self.codes, kind="stable")

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.searchsorted(self.codes[self._order], np.arange(self.clusters))

    @cached_property
    def _decomposed(self) -> tuple[np.ndarray, np.ndarray]:
        """The design in orthonormal coordinates, rows by cluster, and the way there."""
        orthonormal, triangle = np.linalg.qr(self.matrix[self._order])
        return orthonormal, triangle

    @cached_property
    def _parts(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Per cluster its rows, the leverage along its principal directions, and those."""
        found = []
        for rows in np.split(self._decomposed[0], self._starts[1:]):
            _, values, directions = np.linalg.svd(rows, full_matrices=False)
            found.append((rows, np.clip(values**2, 0, 1), directions))
        return found

    def _moved(self, contrasts: np.ndarray) -> np.ndarray:
        """The contrasts in orthonormal coordinates."""
        return np.linalg.solve(self._decomposed[1].T, contrasts.T).T

    def _scores(self, residuals: np.ndarray) -> np.ndarray:
        """Per cluster the sum of its rows times their residuals."""
        weighted = self._decomposed[0] * residuals[self._order, None]
        return np.add.reduceat(weighted, self._starts, axis=0)

    def _adjusted(self, residuals: np.ndarray) -> np.ndarray:
        """The scores of residuals that are multiplied by (I - H_gg)^(-1/2)."""
        scores = self._scores(residuals)
        for row, (leverage, directions) in enumerate(self._spectra()):
            scores[row] += ((_root(leverage) - 1) * (directions @ scores[row])) @ directions
        return scores

    def _spread(self, contrast: np.ndarray) -> np.ndarray:
        """Per cluster its products of columns times `contrast`."""
        rows = self._decomposed[0]
        return np.add.reduceat(rows * (rows @ contrast)[:, None], self._starts, axis=0)

    def _freedom(self, contrasts: np.ndarray) -> np.ndarray:
        """Satterthwaite's degrees of freedom, computed once for all outcomes of a design."""
        key = contrasts.tobytes()
        if key not in self._found:
            at_once = max(1, _NUMBERS_AT_ONCE // (self.clusters * contrasts.shape[1]))
            starts = range(0, len(contrasts), at_once)
            parts = [self._satterthwaite(contrasts[each : each + at_once]) for each in starts]
            self._found[key] = np.concatenate(parts)
        return self._found[key]

    @cached_property
    def _found(self) -> dict[bytes, np.ndarray]:
        return {}

    def _satterthwaite(self, contrasts: np.ndarray) -> np.ndarray:
        """(tr Θ)² / tr(Θ²) with Θ = diag(d) - Q Q': the variance of CR2 as a quadratic form."""
        d = np.empty((len(contrasts), self.clusters))
        q = np.empty((len(contrasts), self.clusters, contrasts.shape[1]))
        for row, (leverage, directions) in enumerate(self._spectra()):
            along = contrasts @ directions.T * _root(leverage)
            d[:, row] = along**2 @ leverage
            q[:, row] = (leverage * along) @ directions
        inner = (q**2).sum(axis=2)
        products = q.swapaxes(1, 2) @ q
        squared = (d**2).sum(axis=1) - 2 * (d * inner).sum(axis=1) + (products**2).sum(axis=(1, 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            return (d - inner).sum(axis=1) ** 2 / squared

    def _spectra(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return ((leverage, directions) for _, leverage, directions in self._parts)


def wild_draws(clusters: int, replications: int, seed: int) -> np.ndarray:
    """Weights of mean 0 and variance 1, (replications, clusters).

    Signs; Webb's six points (2023, "Reworking wild bootstrap-based inference for clustered
    errors") where there are so few clusters that signs repeat themselves.
    """
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], size=(replications, clusters))
    return signs * rng.choice(_WEBB, size=signs.shape) if clusters < _FEW else signs


def _root(leverage: np.ndarray) -> np.ndarray:
    """(1 - leverage)^(-1/2), and 0 for a direction that one cluster determines alone."""
    rest = np.where(leverage < _WHOLE, 1 - leverage, np.inf)
    return 1 / np.sqrt(rest)
