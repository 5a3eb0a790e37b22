"""The balanced design: parameters x seatings x replicates, known before the first episode."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import permutations, product
from random import Random
from typing import Any, Literal

from catallaxy.platform.config import build, known
from catallaxy.platform.errors import ConfigError
from catallaxy.platform.market.house import House, Offered, Standings, episode_id
from catallaxy.platform.record import Engagement
from catallaxy.platform.seeds import derive


@dataclass(frozen=True)
class Grid:
    """Every combination of the factors' levels, at every seating, `replicates` times.

    `factors` maps a name to its levels. A level is the value of the rule of that name, or a mapping
    of several rules that change together. `seating` is `by_seat` (the agents are named like the
    seats), `ordered_pairs` (every pair of different agents, both ways round), `with_self` (also
    self-play) or `listed` (`pairs`, agents in the order of the seats). Nature's seed is shared by
    all seatings of one variant and replicate (common random numbers). Within a replicate the order
    is shuffled by the run's seed, so that a run that is cut short is still nearly balanced.
    """

    factors: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    seating: Literal["by_seat", "ordered_pairs", "with_self", "listed"] = "by_seat"
    pairs: Sequence[Sequence[str]] = ()
    replicates: int = 1
    order: Literal["shuffled", "listed"] = "shuffled"

    def __post_init__(self) -> None:
        if self.replicates < 1:
            raise ValueError(f"replicates must be at least 1, not {self.replicates}")
        for name, levels in self.factors.items():
            if not levels:
                raise ValueError(f"factors.{name} has no levels")

    def next(self, house: House, standings: Standings) -> Iterable[Engagement]:
        """The whole design at once; nothing after that."""
        return () if standings.issued else self._design(house)

    def _design(self, house: House) -> Iterator[Engagement]:
        ordinal = 0
        for offered in house.catalogue.values():
            variants = [(rules, offered.variant(rules)) for rules in self._variants(offered)]
            for replicate in range(self.replicates):
                cells = [
                    (rules, variant, seats)
                    for rules, variant in variants
                    for seats in self._seatings(rules, house)
                ]
                if self.order == "shuffled":
                    Random(derive(house.seed, offered.name, "order", replicate)).shuffle(cells)
                for rules, variant, seats in cells:
                    yield Engagement(
                        ordinal=ordinal,
                        id=episode_id(ordinal, variant, seats, replicate),
                        game=offered.name,
                        variant=variant,
                        rules=rules,
                        seats=seats,
                        seed=derive(house.seed, offered.name, variant, replicate),
                        replicate=replicate,
                    )
                    ordinal += 1

    def _variants(self, offered: Offered) -> Iterator[Any]:
        hints = {f.name: f for f in fields(offered.rules)}
        for combination in product(*self.factors.values()):
            changes: dict[str, Any] = {}
            for name, level in zip(self.factors, combination, strict=True):
                changes.update(level if isinstance(level, Mapping) else {name: level})
            for name in changes:
                known(name, hints, at=f"market.factors.{name}")
            yield _changed(offered, changes)

    def _seatings(self, rules: Any, house: House) -> list[Mapping[str, str]]:
        seats, names = rules.seats, list(house.registry)
        if self.seating == "by_seat":
            for seat in seats:
                known(seat, names, at=f"agent.{seat} (market.seating is by_seat)")
            return [{seat: seat for seat in seats}]
        if self.seating == "listed":
            return [self._listed(pair, seats, names) for pair in self.pairs]
        if len(names) < (1 if self.seating == "with_self" else len(seats)):
            raise ConfigError(f"market.seating={self.seating} needs more agents than {names}")
        if self.seating == "with_self":
            tuples: Iterable[Sequence[str]] = product(names, repeat=len(seats))
        else:
            tuples = permutations(names, len(seats))
        return [dict(zip(seats, each, strict=True)) for each in tuples]

    def _listed(
        self, pair: Sequence[str], seats: Sequence[str], names: Sequence[str]
    ) -> Mapping[str, str]:
        if len(pair) != len(seats):
            raise ConfigError(f"market.pairs: {list(pair)} must name one agent per seat {seats}")
        for name in pair:
            known(name, names, at="market.pairs")
        return dict(zip(seats, pair, strict=True))


def _changed(offered: Offered, changes: Mapping[str, Any]) -> Any:
    """The game's rules with other values, checked like any configuration."""
    kind = type(offered.rules)
    checked = build(
        {
            "_target_": f"{kind.__module__}.{kind.__qualname__}",
            **{f.name: getattr(offered.rules, f.name) for f in fields(kind) if f.init},
            **changes,
        },
        at="market.factors",
    )
    return replace(checked)
