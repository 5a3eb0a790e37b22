"""Nash equilibria of a game in two payoff matrices. Knows no model and no data.

Pure ones by definition; mixed ones by nashpy's enumeration of the vertices of best-reply polytopes
(Nisan, Roughgarden, Tardos and Vazirani 2007, algorithm 3.5), after strictly dominated strategies
are gone. What is found is checked to be an equilibrium before it is returned.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from nashpy.algorithms.vertex_enumeration import vertex_enumeration
from scipy.optimize import linprog
from scipy.spatial import QhullError

TIE = 1e-9
"""Payoffs that differ by this share of the range of their matrix are equal up to rounding."""

_WHOLE = 7  # strategies a side up to which all vertices are enumerated: about a second
_LARGEST = 3  # beyond, strategies that a mixture may use: seconds at 14 a side
_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Equilibrium:
    """Probabilities of either player's strategies, and expected payoffs."""

    rows: tuple[float, ...]
    columns: tuple[float, ...]
    row_payoff: float
    column_payoff: float

    @property
    def pure(self) -> bool:
        """Whether neither player mixes."""
        return max(self.rows) == max(self.columns) == 1


@dataclass(frozen=True, slots=True)
class Equilibria:
    """Pure equilibria first, then mixed ones.

    `complete`: these are all, else all pure ones and mixed ones of few strategies. `degenerate`:
    some strategies tie, so that there may be a continuum between those that are listed.
    """

    found: tuple[Equilibrium, ...]
    complete: bool
    degenerate: bool


def pure_equilibria(rows: np.ndarray, columns: np.ndarray) -> list[tuple[int, int]]:
    """The cells that are a best reply of either player to the other; ties count."""
    best = rows >= rows.max(axis=0, keepdims=True) - TIE * np.ptp(rows)
    best &= columns >= columns.max(axis=1, keepdims=True) - TIE * np.ptp(columns)
    return [(int(row), int(column)) for row, column in np.argwhere(best)]


def equilibria(rows: np.ndarray, columns: np.ndarray) -> Equilibria:
    """The equilibria of the game in which the players get `rows` and `columns`.

    Both are (row strategies, column strategies). Raises ValueError if shapes differ or a payoff is
    not finite.
    """
    if rows.shape != columns.shape or rows.ndim != 2 or not rows.size:
        raise ValueError(f"payoff matrices of shapes {rows.shape} and {columns.shape}")
    if not (np.isfinite(rows).all() and np.isfinite(columns).all()):
        raise ValueError("every payoff must be a finite number")
    pure = [
        (np.eye(rows.shape[0])[row], np.eye(rows.shape[1])[column])
        for row, column in pure_equilibria(rows, columns)
    ]
    mixed, complete = _mixed(_scaled(rows), _scaled(columns))
    every = [*pure, *(one for one in mixed if max(one[0]) < 1 or max(one[1]) < 1)]
    return Equilibria(
        tuple(
            Equilibrium(
                tuple(map(float, x)),
                tuple(map(float, y)),
                float(x @ rows @ y),
                float(x @ columns @ y),
            )
            for x, y in every
        ),
        complete,
        any(_tied(rows, x, y) or _tied(columns.T, y, x) for x, y in every),
    )


_Strategies = tuple[np.ndarray, np.ndarray]


def _mixed(rows: np.ndarray, columns: np.ndarray) -> tuple[list[_Strategies], bool]:
    """Equilibria of scaled payoffs, each once, and whether they are all there are."""
    kept_rows, kept_columns = _undominated(rows, columns)
    few = np.ix_(kept_rows, kept_columns)
    small, complete = _candidates(rows[few], columns[few])
    found: dict[tuple[int, ...], _Strategies] = {}
    for x, y in small:
        whole = np.zeros(rows.shape[0]), np.zeros(rows.shape[1])
        whole[0][kept_rows], whole[1][kept_columns] = _cleaned(x), _cleaned(y)
        if _regret(rows, columns, *whole) < _SAME:
            key = tuple(np.rint(np.concatenate(whole) / _SAME).astype(int))
            found.setdefault(key, whole)
    return list(found.values()), complete


def _candidates(rows: np.ndarray, columns: np.ndarray) -> tuple[list[_Strategies], bool]:
    if min(rows.shape) == 1:  # who has no choice does not mix, and the other has no reason to
        return [], True
    if max(rows.shape) <= _WHOLE:
        try:
            with np.errstate(all="ignore"):
                found = list(vertex_enumeration(rows, columns))
            return [(np.asarray(x), np.asarray(y)) for x, y in found], True
        except QhullError:  # the polytope is too flat for its arithmetic
            pass
    largest = min(_LARGEST, *rows.shape)
    sizes = range(1, largest + 1)
    return [one for size in sizes for one in _supports(rows, columns, size)], False


def _supports(rows: np.ndarray, columns: np.ndarray, size: int) -> Iterator[_Strategies]:
    """Equilibria in which either player mixes `size` strategies: each is indifferent among them."""
    column_sets = np.array(list(combinations(range(rows.shape[1]), size)))
    for row_set in combinations(range(rows.shape[0]), size):
        row_parts = rows[np.ix_(row_set)][:, column_sets].swapaxes(0, 1)
        column_parts = columns[np.ix_(row_set)][:, column_sets].swapaxes(0, 1)
        y = _indifferent(row_parts)
        x = _indifferent(column_parts.swapaxes(1, 2))
        for place in np.flatnonzero((np.minimum(x, y) > 0).all(axis=1)):
            strategies = np.zeros(rows.shape[0]), np.zeros(rows.shape[1])
            strategies[0][list(row_set)] = x[place]
            strategies[1][column_sets[place]] = y[place]
            yield strategies


def _indifferent(parts: np.ndarray) -> np.ndarray:
    """For every square matrix the mixture of columns to which all rows are equally good.

    NaN where there is none or more than one.
    """
    count, size, _ = parts.shape
    system = np.zeros((count, size + 1, size + 1))
    system[:, :size, :size], system[:, :size, size], system[:, size, :size] = parts, -1, 1
    regular = np.abs(np.linalg.det(system)) > TIE
    solved = np.full((count, size), np.nan)
    target = np.zeros((size + 1, 1))
    target[size] = 1
    solved[regular] = np.linalg.solve(system[regular], target)[:, :size, 0]
    return solved


def _undominated(rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The strategies that survive the iterated removal of strictly dominated ones.

    No equilibrium uses any other.
    """
    kept_rows, kept_columns = np.arange(rows.shape[0]), np.arange(rows.shape[1])
    while True:
        left = len(kept_rows) + len(kept_columns)
        payoffs = rows[np.ix_(kept_rows, kept_columns)]
        kept_rows = kept_rows[[not _dominated(payoffs, row) for row in range(len(payoffs))]]
        payoffs = columns[np.ix_(kept_rows, kept_columns)].T
        kept_columns = kept_columns[[not _dominated(payoffs, row) for row in range(len(payoffs))]]
        if len(kept_rows) + len(kept_columns) == left:
            return kept_rows, kept_columns


def _dominated(payoffs: np.ndarray, row: int) -> bool:
    """Whether some mixture of the other rows is better than `row` against every column."""
    others = np.delete(payoffs, row, axis=0)
    if not len(others):
        return False
    gain = np.append(np.zeros(len(others)), -1)
    better = np.column_stack([-others.T, np.ones(payoffs.shape[1])])
    found = linprog(
        gain,
        A_ub=better,
        b_ub=-payoffs[row],
        A_eq=[[1.0] * len(others) + [0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * len(others) + [(None, None)],
    )
    return bool(-found.fun > TIE)


def _scaled(payoffs: np.ndarray) -> np.ndarray:
    """Payoffs moved to [1, 2]: the same equilibria, and a bounded polytope."""
    width = np.ptp(payoffs)
    return (payoffs - payoffs.min()) / (width if width > 0 else 1) + 1


def _cleaned(strategy: np.ndarray) -> np.ndarray:
    """Probabilities without rounding below 0 or about 0, adding up to 1."""
    found = np.where(strategy > _SAME, strategy, 0.0)
    return found / found.sum()


def _regret(rows: np.ndarray, columns: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    return max((rows @ y).max() - x @ rows @ y, (x @ columns).max() - x @ columns @ y)


def _tied(payoffs: np.ndarray, own: np.ndarray, other: np.ndarray) -> bool:
    """Whether more strategies are best replies than the other player mixes."""
    against = payoffs @ other
    replies = (against >= against.max() - _SAME * max(np.ptp(payoffs), TIE)).sum()
    return bool(replies > np.count_nonzero(other))
