"""How balanced a design is, from the design itself. Knows no database and no matchmaker."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt


@dataclass(frozen=True, slots=True)
class Cell:
    """One planned episode: game, id of its configuration, levels by factor, who sits there."""

    game: str
    variant: str
    levels: Mapping[str, Hashable]
    seating: str


@dataclass(frozen=True, slots=True)
class Factor:
    """How evenly the levels of one factor were given out.

    `fewest` and `most` are over all levels and seatings: episodes of one level at one seating.
    `association` is Cramér's V between the factor and the seating: 0 if each seating meets every
    level equally often, 1 if the seating tells the level.
    """

    name: str
    levels: int
    fewest: int
    most: int
    association: float


@dataclass(frozen=True, slots=True)
class Balance:
    """One game's part of a design. Counts are episodes; a pair is (fewest, most)."""

    game: str
    episodes: int
    configurations: int
    seatings: int
    cells: int
    per_configuration: tuple[int, int]
    per_seating: tuple[int, int]
    factors: tuple[Factor, ...]

    def __str__(self) -> str:
        worst = max((f.association for f in self.factors), default=0.0)
        return (
            f"{self.game}: {self.episodes:,} episodes in {self.cells:,} cells; each of "
            f"{_counted(self.configurations, 'configuration')} {_span(self.per_configuration)}, "
            f"each of {_counted(self.seatings, 'seating')} {_span(self.per_seating)}; association "
            f"of factors and seatings at most {worst:.2f}"
        )


def balance(cells: Iterable[Cell]) -> list[Balance]:
    """The balance of every game, in order of first appearance."""
    by_game: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        by_game[cell.game].append(cell)
    return [_of(game, found) for game, found in by_game.items()]


def _of(game: str, cells: Sequence[Cell]) -> Balance:
    variants = Counter(cell.variant for cell in cells)
    seatings = Counter(cell.seating for cell in cells)
    names = [n for n in cells[0].levels if len({cell.levels[n] for cell in cells}) > 1]
    return Balance(
        game=game,
        episodes=len(cells),
        configurations=len(variants),
        seatings=len(seatings),
        cells=len({(cell.variant, cell.seating) for cell in cells}),
        per_configuration=_ends(variants.values()),
        per_seating=_ends(seatings.values()),
        factors=tuple(_factor(name, cells, list(seatings)) for name in names),
    )


def _factor(name: str, cells: Sequence[Cell], seatings: Sequence[str]) -> Factor:
    levels = list(dict.fromkeys(cell.levels[name] for cell in cells))
    found = Counter((cell.levels[name], cell.seating) for cell in cells)
    table = [found[pair] for pair in product(levels, seatings)]
    return Factor(name, len(levels), *_ends(table), _cramer(table, len(levels), len(seatings)))


def _cramer(table: Sequence[int], rows: int, columns: int) -> float:
    """Cramér's V of a table of counts in row order: sqrt(chi2 / (n (min(rows, columns) - 1)))."""
    freedom = min(rows, columns) - 1
    if freedom == 0:
        return 0.0
    total = sum(table)
    by_row = [sum(table[r * columns : (r + 1) * columns]) for r in range(rows)]
    by_column = [sum(table[c::columns]) for c in range(columns)]
    chi2 = sum(
        (table[r * columns + c] - expected) ** 2 / expected
        for r, c in product(range(rows), range(columns))
        if (expected := by_row[r] * by_column[c] / total)
    )
    return sqrt(chi2 / (total * freedom))


def _ends(counts: Iterable[int]) -> tuple[int, int]:
    found = list(counts)
    return min(found), max(found)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _span(ends: tuple[int, int]) -> str:
    fewest, most = ends
    if fewest == most:
        return "once" if most == 1 else f"{most:,} times"
    return f"{fewest:,} to {most:,} times"
