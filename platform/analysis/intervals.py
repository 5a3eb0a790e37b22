"""Means with 95 % confidence intervals. Knows numbers and groups only, no database and no game."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit  # scipy.stats takes half a second to load

LEVEL = 0.95
FEWEST_CLUSTERS = 5
_NOISE = 1e-12  # relative spread below which values are equal up to rounding


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over `n` values; `half` is half the width of its interval, None where there is none.

    `clusters` is the number of groups that the interval treats as independent, None if it is the
    values themselves.
    """

    value: float
    n: int
    half: float | None = None
    clusters: int | None = None

    @property
    def low(self) -> float | None:
        """The lower end of the interval."""
        return None if self.half is None else self.value - self.half

    @property
    def high(self) -> float | None:
        """The upper end of the interval."""
        return None if self.half is None else self.value + self.half


def mean(values: Sequence[float], clusters: Sequence[Hashable] | None = None) -> Mean:
    """The mean of `values` with the interval that their design allows.

    Episodes of one variant resemble each other, so with at least 5 distinct `clusters` the interval
    is cluster-robust; with fewer, too few to estimate from, and without any it is Student's. There
    is no interval for a single value, nor where all values are equal: without spread there is
    nothing to judge uncertainty by. Raises ValueError if there are no values.
    """
    numbers = np.asarray(values, dtype=float)
    if numbers.size == 0:
        raise ValueError("a mean needs at least one value")
    found = float(numbers.mean())
    if numbers.size == 1 or np.ptp(numbers) <= _NOISE * np.abs(numbers).max():
        return Mean(found, numbers.size)
    if clusters is not None:
        codes = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)[1]
        if codes.max() + 1 >= FEWEST_CLUSTERS:
            return _clustered(numbers, codes)
    return Mean(found, numbers.size, _quantile(numbers.size - 1) * _standard_error(numbers))


def _standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(values.size))


def _clustered(values: np.ndarray, codes: np.ndarray) -> Mean:
    """CR1 of a regression on a constant: G/(G-1) sum_g (sum of residuals in g)^2 / n^2, t on G-1.

    Liang and Zeger (1986); Cameron and Miller (2015), "A Practitioner's Guide to Cluster-Robust
    Inference", equation 11 with one regressor.
    """
    groups = int(codes.max()) + 1
    residuals = np.bincount(codes, weights=values - values.mean(), minlength=groups)
    variance = groups / (groups - 1) * float((residuals**2).sum()) / values.size**2
    half = _quantile(groups - 1) * float(np.sqrt(variance))
    return Mean(float(values.mean()), values.size, half, groups)


def _quantile(freedom: int) -> float:
    return float(stdtrit(freedom, (1 + LEVEL) / 2))
