"""The whole design: configurations x seatings x replicates, known before the first episode."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from catallaxy.platform.market.cells import Cells, engagement
from catallaxy.platform.market.house import House, Standings
from catallaxy.platform.record import Engagement
from catallaxy.platform.seeds import derive


@dataclass(frozen=True)
class Grid(Cells):
    """Every configuration, at every seating, `replicates` times.

    Nature's seed is shared by all seatings of one configuration and replicate (common random
    numbers). Within a replicate the order is shuffled by the run's seed, so that a run that is cut
    short is still nearly balanced.
    """

    replicates: int = 1
    order: Literal["shuffled", "listed"] = "shuffled"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.replicates < 1:
            raise ValueError(f"replicates must be at least 1, not {self.replicates}")

    def next(self, house: House, standings: Standings) -> Iterable[Engagement]:
        """The whole design at once; nothing after that."""
        return () if standings.issued else self._design(house)

    def _design(self, house: House) -> Iterator[Engagement]:
        ordinal = 0
        for offered in house.catalogue.values():
            configurations = self.configurations(offered, house)
            for replicate in range(self.replicates):
                cells = [
                    (configuration, seats)
                    for configuration in configurations
                    for seats in self.seatings(configuration.rules, house)
                ]
                if self.order == "shuffled":
                    Random(derive(house.seed, offered.name, "order", replicate)).shuffle(cells)
                for cell in cells:
                    yield engagement(house, offered.name, cell, replicate, ordinal)
                    ordinal += 1
