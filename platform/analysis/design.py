"""A design of dummies from the labels in a data frame, and what it can tell apart.

Knows no outcome, no variance and no game.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

_ZERO = 1e-10  # relative size below which a direction of a design of dummies is rounding


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a factor, on `n` rows; `column` of the design, None for the reference level."""

    factor: str
    name: str
    n: int
    column: int | None

    @property
    def reference(self) -> bool:
        """Whether the other levels of the factor are compared with this one."""
        return self.column is None


@dataclass(frozen=True)
class Design:
    """A constant and a dummy for every level but the reference, rows in the order of the frame.

    `matrix` has a column for every coefficient, also for those that cannot be told apart; `notes`
    says in sentences what was left out.
    """

    matrix: np.ndarray
    levels: tuple[Level, ...]
    notes: tuple[str, ...]

    @cached_property
    def kept(self) -> np.ndarray:
        """Indices of columns that span the design: what depends on earlier columns is left out."""
        gram = self._gram.copy()
        kept = []
        for column in range(len(gram)):
            if gram[column, column] > _ZERO:
                kept.append(column)
                pivot = gram[column] / np.sqrt(gram[column, column])
                gram -= np.outer(pivot, pivot)
        return np.array(kept)

    @cached_property
    def blind(self) -> np.ndarray:
        """An orthonormal basis of the changes of the coefficients that no row notices."""
        values, vectors = np.linalg.eigh(self._gram)
        unseen = vectors[:, values < _ZERO * len(values)] / self._norms[:, None]
        return np.linalg.qr(unseen)[0]

    def identified(self, contrasts: np.ndarray) -> np.ndarray:
        """Which rows of `contrasts` (of all coefficients) the design determines."""
        return np.abs(contrasts @ self.blind).max(axis=1, initial=0) < np.sqrt(_ZERO)

    def of(self, factor: str) -> tuple[Level, ...]:
        """The levels of `factor`, none if it is not in the design."""
        return tuple(level for level in self.levels if level.factor == factor)

    def against_reference(self, levels: Sequence[Level]) -> np.ndarray:
        """A contrast for each of `levels`: its coefficient; for a reference level all zeros."""
        contrasts = np.zeros((len(levels), self.matrix.shape[1]))
        for row, level in enumerate(levels):
            if level.column is not None:
                contrasts[row, level.column] = 1
        return contrasts

    def confounded(self) -> tuple[str, ...]:
        """A sentence for every set of levels whose effects cannot be told apart."""
        linked = np.abs(self.blind @ self.blind.T) > np.sqrt(_ZERO)
        groups = connected_components(linked, directed=False)[1]
        members: dict[int, list[str]] = {}
        for level in self.levels:
            if level.column is not None and linked[level.column, level.column]:
                title = f"{level.factor} {level.name!r}"
                members.setdefault(int(groups[level.column]), []).append(title)
        return tuple(f"Not told apart by the design: {', '.join(m)}." for m in members.values())

    @cached_property
    def _norms(self) -> np.ndarray:
        return np.linalg.norm(self.matrix, axis=0)

    @cached_property
    def _gram(self) -> np.ndarray:
        """The products of the columns, each of length 1."""
        return (self.matrix.T @ self.matrix) / np.outer(self._norms, self._norms)


def label(value: object) -> str:
    """The name of a level: `0.9`, `10000`, `true`, or the text itself."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, Real):
        return f"{float(value):.15g}"
    return str(value)


def designed(
    frame: pd.DataFrame, factors: Sequence[str], reference: Mapping[str, object]
) -> Design:
    """The design of `factors` (columns without missing values) on the rows of `frame`.

    `reference` gives the level that the others of a factor are compared with; where it gives none,
    or one that does not occur, the most frequent level is. A factor with one level is left out.
    Raises ValueError if there are no rows.
    """
    if frame.empty:
        raise ValueError("a design needs at least one row")
    columns, levels, notes = [np.ones(len(frame))], [], []
    for factor in factors:
        names, codes = _coded(frame[factor])
        counts = np.bincount(codes, minlength=len(names))
        if len(names) == 1:
            notes.append(f"{factor} is always {names[0]!r} and was left out.")
            continue
        base = int(counts.argmax())
        if factor in reference:
            asked = label(reference[factor])
            if asked in names:
                base = names.index(asked)
            else:
                notes.append(
                    f"{factor} is never {asked!r}: the reference level is {names[base]!r}, "
                    "the most frequent one."
                )
        for code, name in enumerate(names):
            column = None if code == base else len(columns)
            levels.append(Level(factor, name, int(counts[code]), column))
            if code != base:
                columns.append((codes == code).astype(float))
    return Design(np.column_stack(columns), tuple(levels), tuple(notes))


def _coded(column: pd.Series) -> tuple[list[str], np.ndarray]:
    """The labels that occur, in order, and for every row the index of its label.

    The order is that of the categories, if there are any, else of the numbers or the text.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        values = [value for value in column.cat.categories if (column == value).any()]
    else:
        values = sorted(pd.unique(column), key=_sort_key)
    names = list(dict.fromkeys(label(value) for value in values))
    index = {name: code for code, name in enumerate(names)}
    code_of = {value: index[label(value)] for value in values}
    return names, np.array([code_of[value] for value in column], dtype=int)


def _sort_key(value: object) -> tuple[bool, float, str]:
    number = float(value) if isinstance(value, Real) else 0.0
    return (not isinstance(value, Real), number, str(value))
