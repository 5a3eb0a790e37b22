"""A part of the grid: a block design over configuration x seating x nature's seed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

import numpy as np

from catallaxy.platform.config import known
from catallaxy.platform.errors import ConfigError
from catallaxy.platform.market.cells import Cells, Configuration, Seats, engagement
from catallaxy.platform.market.house import House, Offered, Standings
from catallaxy.platform.record import Engagement
from catallaxy.platform.seeds import derive

_OF_TWO = 0.1  # how much a repeated pair of levels weighs beside a repeated level


@dataclass(frozen=True)
class Fraction(Cells):
    """Equally many configurations for every seating, each configuration equally often.

    `share` is the part of each game's configurations that every seating plays (0.05: one in
    twenty; 2: every one twice), `per_seating` the number of episodes per seating instead, of every
    game or by game. With `draw: balanced` every configuration is played equally often (counts
    differ by at most one), no seating plays one twice before it played all, and within a seating
    the levels of every factor, then pairs of levels, are as even as a greedy choice makes them.
    With `draw: quotas` configurations are drawn uniformly with replacement and agents meet by
    chance, each as often at each seat as in the balanced design: the nearest to what is known of
    GLEE's sampling (2,500, 2,500 and 1,000 episodes per model and seat; Shapira et al. 2024).
    """

    share: float | None = None
    per_seating: int | Mapping[str, int] | None = None
    draw: Literal["balanced", "quotas"] = "balanced"

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.share is None) == (self.per_seating is None):
            raise ValueError("give either share or per_seating, and leave the other one null")
        if self.share is not None and not self.share > 0:
            raise ValueError(f"share must be above 0, not {self.share!r}")
        numbers = self.per_seating
        for number in numbers.values() if isinstance(numbers, Mapping) else [numbers]:
            if number is not None and number < 1:
                raise ValueError(f"per_seating must be at least 1, not {number!r}")

    def next(self, house: House, standings: Standings) -> Iterable[Engagement]:
        """The whole design at once; nothing after that."""
        return () if standings.issued else self._design(house)

    def _design(self, house: House) -> Iterator[Engagement]:
        """All games side by side, so that a run that is cut short is still nearly balanced."""
        planned: list[tuple[float, int, str, tuple[Configuration, Seats], int]] = []
        for number, offered in enumerate(house.catalogue.values()):
            cells = self._cells(offered, house)
            seen: dict[tuple[str, tuple[str, ...]], int] = {}
            for place, cell in enumerate(cells):
                key = (cell[0].variant, tuple(cell[1].values()))
                replicate = seen[key] = seen.get(key, -1) + 1
                planned.append((place / len(cells), number, offered.name, cell, replicate))
        planned.sort(key=lambda each: each[:2])
        for ordinal, (_, _, game, cell, replicate) in enumerate(planned):
            yield engagement(house, game, cell, replicate, ordinal)

    def _cells(self, offered: Offered, house: House) -> list[tuple[Configuration, Seats]]:
        configurations = self.configurations(offered, house)
        seatings = self.seatings(offered.rules, house)
        rng = Random(derive(house.seed, offered.name, "design"))
        number = self._number(offered, len(configurations), house)
        if self.draw == "quotas":
            return list(self._drawn(configurations, seatings, number, rng))
        return list(_balanced(configurations, seatings, number, rng))

    def _number(self, offered: Offered, configurations: int, house: House) -> int:
        """Episodes per seating."""
        if self.share is not None:
            return max(1, round(self.share * configurations))
        if isinstance(self.per_seating, Mapping):
            for name in self.per_seating:
                known(name, house.catalogue, at="market.per_seating")
            if offered.name not in self.per_seating:
                raise ConfigError(f"market.per_seating has no number for {offered.name!r}.")
            return self.per_seating[offered.name]
        return self.per_seating or 1

    def _drawn(
        self,
        configurations: Sequence[Configuration],
        seatings: Sequence[Seats],
        number: int,
        rng: Random,
    ) -> Iterator[tuple[Configuration, Seats]]:
        if self.seating not in ("with_self", "by_seat"):
            raise ConfigError(
                "market.draw=quotas lets every agent meet every one, itself too: "
                f"it needs market.seating=with_self, not {self.seating}."
            )
        columns = {seat: [seats[seat] for seats in seatings] * number for seat in seatings[0]}
        for column in columns.values():
            rng.shuffle(column)
        for row in zip(*columns.values(), strict=True):
            yield rng.choice(configurations), dict(zip(columns, row, strict=True))


@dataclass(slots=True)
class _Block:
    """What one seating has been given: how often each configuration, and what each would repeat."""

    seats: Seats
    own: np.ndarray
    repeats: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.repeats = np.zeros(len(self.own))


def _balanced(
    configurations: Sequence[Configuration],
    seatings: Sequence[Seats],
    number: int,
    rng: Random,
) -> Iterator[tuple[Configuration, Seats]]:
    """`number` configurations for every seating, one for each in turn."""
    likeness = _likeness(configurations)
    used = np.zeros(len(configurations), dtype=int)
    tie_breaks = np.array([rng.random() for _ in configurations]) * 1e-6
    blocks = [_Block(seats, np.zeros(len(configurations), dtype=int)) for seats in seatings]
    for _ in range(number):
        rng.shuffle(blocks)
        for block in blocks:
            fresh = block.own == block.own.min()
            rarest = used[fresh].min()
            worth = np.where(fresh & (used == rarest), block.repeats + tie_breaks, np.inf)
            chosen = int(worth.argmin())
            used[chosen] += 1
            block.own[chosen] += 1
            block.repeats += likeness[chosen]
            tie_breaks = np.roll(tie_breaks, 1)
            yield configurations[chosen], block.seats


def _likeness(configurations: Sequence[Configuration]) -> np.ndarray:
    """How much two configurations repeat each other: shared levels, weighed by their number.

    Minimising its sum over the chosen ones minimises the sum of squares of the levels' counts.
    """
    levels = np.array([c.levels for c in configurations], dtype=int).reshape(
        len(configurations), -1
    )
    shared = np.zeros((len(configurations), len(configurations)))
    squares = np.zeros_like(shared)
    for column in levels.T:
        same = (column[:, None] == column[None, :]) * float(len(set(column.tolist())))
        shared += same
        squares += same**2
    return shared + _OF_TWO * (shared**2 - squares) / 2
