"""The cells of a design: which configurations a game has, and who may sit where."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import permutations, product
from typing import Any, Literal, TypeAlias

from catallaxy.games.base import Seat
from catallaxy.platform.config import build, known
from catallaxy.platform.errors import ConfigError
from catallaxy.platform.factors import WORDING
from catallaxy.platform.market.house import House, Offered, episode_id
from catallaxy.platform.record import Engagement
from catallaxy.platform.seeds import derive

Factors: TypeAlias = Mapping[str, Sequence[Any]]
Seats: TypeAlias = Mapping[Seat, str]


@dataclass(frozen=True, slots=True)
class Configuration:
    """One combination of levels: the rules, the name of the words, the hash of both.

    `levels` has the index of the level of every factor, in the order of the factors.
    """

    rules: Any
    wording: str
    variant: str
    levels: tuple[int, ...]


@dataclass(frozen=True)
class Cells:
    """Which configurations and seatings a design is made of.

    `factors` maps a name to its levels, for every game of the run, `factors_of` for one game by
    its name. A level is the value of the rule of that name, or a mapping of several rules that
    change together; the factor `wording` has names of wordings. `seating` is `by_seat` (the agents
    are named like the seats), `ordered_pairs` (every pair of different agents, both ways round),
    `with_self` (also self-play) or `listed` (`pairs`, agents in the order of the seats).
    """

    factors: Factors = field(default_factory=dict)
    factors_of: Mapping[str, Factors] = field(default_factory=dict)
    seating: Literal["by_seat", "ordered_pairs", "with_self", "listed"] = "by_seat"
    pairs: Sequence[Sequence[str]] = ()

    def __post_init__(self) -> None:
        for factors in (self.factors, *self.factors_of.values()):
            for name, levels in factors.items():
                if not levels:
                    raise ValueError(f"factors.{name} has no levels")

    def factors_for(self, offered: Offered) -> Factors:
        """All factors of one game."""
        return {**self.factors, **self.factors_of.get(offered.name, {})}

    def configurations(self, offered: Offered, house: House) -> list[Configuration]:
        """Every combination of the levels, in the order in which they are listed."""
        for name in self.factors_of:
            known(name, house.catalogue, at="market.factors_of")
        return list(_configurations(offered, self.factors_for(offered)))

    def seatings(self, rules: Any, house: House) -> list[Seats]:
        """Who may sit at a game with these rules."""
        seats, names = rules.seats, list(house.registry)
        if self.seating == "by_seat":
            for seat in seats:
                known(seat, names, at=f"agent.{seat} (market.seating is by_seat)")
            return [{seat: seat for seat in seats}]
        if self.seating == "listed":
            return [_listed(pair, seats, names) for pair in self.pairs]
        if len(names) < (1 if self.seating == "with_self" else len(seats)):
            raise ConfigError(f"market.seating={self.seating} needs more agents than {names}")
        if self.seating == "with_self":
            tuples: Iterable[Sequence[str]] = product(names, repeat=len(seats))
        else:
            tuples = permutations(names, len(seats))
        return [dict(zip(seats, each, strict=True)) for each in tuples]


def engagement(
    house: House, game: str, cell: tuple[Configuration, Seats], replicate: int, ordinal: int
) -> Engagement:
    """The plan of one episode; nature's seed is shared by all seatings of the configuration."""
    configuration, seats = cell
    return Engagement(
        ordinal=ordinal,
        id=episode_id(ordinal, configuration.variant, seats, replicate),
        game=game,
        variant=configuration.variant,
        rules=configuration.rules,
        seats=seats,
        seed=derive(house.seed, game, configuration.variant, replicate),
        replicate=replicate,
        wording=configuration.wording,
    )


def _configurations(offered: Offered, factors: Factors) -> Iterator[Configuration]:
    rules_of = {f.name: f for f in fields(offered.rules)}
    for indices in product(*(range(len(levels)) for levels in factors.values())):
        changes: dict[str, Any] = {}
        for (name, levels), index in zip(factors.items(), indices, strict=True):
            level = levels[index]
            changes.update(level if isinstance(level, Mapping) else {name: level})
        wording = str(changes.pop(WORDING, offered.wording))
        known(wording, offered.wordings, at=f"market.factors.{WORDING}")
        for name in changes:
            known(name, rules_of, at=f"market.factors.{name}")
        rules = _changed(offered, changes)
        yield Configuration(rules, wording, offered.variant(rules, wording), indices)


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


def _listed(pair: Sequence[str], seats: Sequence[Seat], names: Sequence[str]) -> Seats:
    if len(pair) != len(seats):
        raise ConfigError(f"market.pairs: {list(pair)} must name one agent per seat {seats}")
    for name in pair:
        known(name, names, at="market.pairs")
    return dict(zip(seats, pair, strict=True))
