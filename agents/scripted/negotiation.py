"""Sellers and buyers that follow a rule instead of asking a model. Know no other player's secrets.

Each is a rule for the price that it names and for what it says to the other's; both work in either
role and in the words of every variant. Prices keep to whole units of money.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random
from typing import Any

from catallaxy.agents.base import Act, Ask
from catallaxy.agents.wording import money
from catallaxy.games.glee.negotiation import NegotiationView
from catallaxy.games.glee.negotiation_moves import (
    COUNTERS,
    TALKING_COUNTERS,
    Meaning,
    Move,
    PriceWithMessage,
)
from catallaxy.games.glee.negotiation_theory import (
    PRIOR,
    Posted,
    agreed_price,
    posted_ask,
    posted_bid,
)


@dataclass(frozen=True, slots=True)
class _Negotiator(ABC):
    """What all share: `unit` (dollars) is what prices are rounded to, `chatty` says a sentence."""

    unit: float = 0.01
    chatty: bool = True

    def plays(self, view: Any) -> bool:
        """Whether the view is one of this game."""
        return isinstance(view, NegotiationView)

    async def act(self, ask: Ask) -> Act:
        """Name a price or say something to the open one, as the rule wants it."""
        return Act(self._move(ask))

    @abstractmethod
    def _price(self, ask: Ask, at: int) -> float:
        """The price in dollars that it names in round `at`."""

    @abstractmethod
    def _choice(self, ask: Ask, gain: float) -> Meaning:
        """What it says to an offer that would gain it so many dollars."""

    def _move(self, ask: Ask) -> Move:
        view: NegotiationView = ask.view
        if view.offer is None:
            return ask.move_type(**self._named(ask, view.round))
        choice = self._choice(ask, _gain(view, view.offer.price))
        word = getattr(view.tokens, choice)
        if choice == "reject" and issubclass(ask.move_type, COUNTERS):
            return ask.move_type(word, **self._named(ask, view.round + 1))
        return ask.move_type(word)

    def _named(self, ask: Ask, at: int) -> dict[str, float | str]:
        """A price to the nearest unit and, where it can be said, a sentence about it."""
        step = _exact(self.unit)
        units = (_exact(self._price(ask, at)) / step).to_integral_value(ROUND_HALF_EVEN)
        price = float(max(units * step, Decimal(0)))
        if not issubclass(ask.move_type, (PriceWithMessage, *TALKING_COUNTERS)):
            return {"product_price": price}
        view: NegotiationView = ask.view
        verb = "sell" if view.role == "seller" else "buy"
        said = f"I would {verb} at {money(price)}." if self.chatty else ""
        return {"product_price": price, "message": said[: view.max_message_chars]}

    def _enough(self, gain: float, least: float) -> bool:
        """Whether a gain is what was wanted, apart from rounding."""
        return gain >= least - self.unit / 2


@dataclass(frozen=True, slots=True)
class EquilibriumNegotiator(_Negotiator):
    """Plays the subgame-perfect equilibrium from whatever round it finds itself in.

    Who proposes in the last round that is told gets the surplus, the midpoint is the price where
    none is told; it accepts at indifference. It deals with John, or walks away, when it can expect
    nothing from the other.

    A value that is not told is believed to be one of `belief` (in units of M, each as likely).
    Then it posts its best price against that belief if it proposes last, concedes all if the other
    does, and otherwise meets in the middle of its own value and the mean of those values in
    `belief` that leave a surplus. The last two are rules of thumb, not a solution of that game.
    """

    belief: tuple[float, ...] = PRIOR

    def __post_init__(self) -> None:
        if not self.belief:
            raise ValueError("belief: give at least one value; you gave none.")

    def _price(self, ask: Ask, at: int) -> float:
        view: NegotiationView = ask.view
        if self._posts(view):
            posted = self._posted(view)
            return view.value if posted is None else posted.price
        return self._agreed(view)

    def _choice(self, ask: Ask, gain: float) -> Meaning:
        view: NegotiationView = ask.view
        if self._enough(gain, self._least(view)):
            return "accept"
        return "reject" if _gain(view, self._believed(view)) > 0 else "outside"

    def _least(self, view: NegotiationView) -> float:
        """What it expects, in dollars, from going on."""
        if self._posts(view):
            posted = self._posted(view)
            return 0.0 if posted is None else posted.expected_gain
        return _gain(view, self._agreed(view))

    def _posts(self, view: NegotiationView) -> bool:
        """Whether it is the last to name a price, without knowing the other's value."""
        if view.other_value is not None or view.rounds_known is None:
            return False
        return (view.rounds_known % 2 == 1) == (view.role == "seller")

    def _posted(self, view: NegotiationView) -> Posted | None:
        values = [_times(value, view.price_scale) for value in self.belief]
        post = posted_ask if view.role == "seller" else posted_bid
        return post(view.value, values)

    def _agreed(self, view: NegotiationView) -> float:
        """The price if both values were as it takes them to be; its own value if there is none."""
        own, other = view.value, self._believed(view)
        seller, buyer = (own, other) if view.role == "seller" else (other, own)
        price = agreed_price(seller, buyer, view.rounds_known)
        return own if price is None else price

    def _believed(self, view: NegotiationView) -> float:
        """What it takes the other's value to be, its own if it believes in no surplus."""
        if view.other_value is not None:
            return view.other_value
        values = [_times(value, view.price_scale) for value in self.belief]
        better = [value for value in values if _gain(view, value) > 0]
        return sum(better) / len(better) if better else view.value


@dataclass(frozen=True, slots=True)
class FairNegotiator(_Negotiator):
    """Names the midpoint of both values, accepts `tolerance` less (a fraction of its own value).

    Where the other's value is not told it wants its own value and `margin` (a fraction of it) more
    as a seller, less as a buyer. Deals with John, or walks away, where no price suits both.
    """

    margin: float = 0.1
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.margin < 1:
            raise ValueError(f"margin: give a fraction from 0, below 1; you gave {self.margin!r}.")

    def _price(self, ask: Ask, at: int) -> float:
        view: NegotiationView = ask.view
        if view.other_value is None:
            return _beyond(view, self.margin)
        return view.value if _hopeless(view) else (view.value + view.other_value) / 2

    def _choice(self, ask: Ask, gain: float) -> Meaning:
        view: NegotiationView = ask.view
        least = _gain(view, self._price(ask, view.round)) - self.tolerance * view.value
        if self._enough(gain, least):
            return "accept"
        return "outside" if _hopeless(view) else "reject"


@dataclass(frozen=True, slots=True)
class GreedyNegotiator(_Negotiator):
    """Wants all of the surplus, and `factor` times its own value where it knows of none.

    As a buyer, its own value divided by `factor`. It holds out for that, except in a round that it
    knows to be the last: there it takes any gain of at least one `unit`. Deals with John, or walks
    away, where no price suits both.
    """

    factor: float = 2.0

    def __post_init__(self) -> None:
        if not self.factor > 1:
            raise ValueError(f"factor: give a number above 1; you gave {self.factor!r}.")

    def _price(self, ask: Ask, at: int) -> float:
        view: NegotiationView = ask.view
        if view.other_value is not None and _gain(view, view.other_value) > 0:
            return view.other_value
        return view.value * self.factor if view.role == "seller" else view.value / self.factor

    def _choice(self, ask: Ask, gain: float) -> Meaning:
        view: NegotiationView = ask.view
        if self._enough(gain, _gain(view, self._price(ask, view.round))):
            return "accept"
        if view.last_round and gain >= self.unit:
            return "accept"
        return "outside" if _hopeless(view) else "reject"


@dataclass(frozen=True, slots=True)
class RandomNegotiator(_Negotiator):
    """Legal moves by chance: a uniform price in whole `unit`s up to `spread` times its own value.

    Accepts with `accept_probability`, takes the outside option with `outside_probability`, rejects
    otherwise, whatever the offer. The same seed gives the same move.
    """

    unit: float = 1.0
    accept_probability: float = 0.4
    outside_probability: float = 0.1
    spread: float = 2.0

    def __post_init__(self) -> None:
        chances = (self.accept_probability, self.outside_probability)
        if min(chances) < 0 or sum(chances) > 1:
            raise ValueError(
                "accept_probability, outside_probability: give chances that add up to 1 at most; "
                f"you gave {chances[0]!r} and {chances[1]!r}."
            )

    def _price(self, ask: Ask, at: int) -> float:
        rng = Random(ask.seed)
        rng.random()  # the answer's: a rejection draws its price independently of itself
        most = _exact(ask.view.value) * _exact(self.spread) / _exact(self.unit)
        return rng.randint(0, int(most)) * self.unit

    def _choice(self, ask: Ask, gain: float) -> Meaning:
        drawn = Random(ask.seed).random()
        if drawn < self.accept_probability:
            return "accept"
        return "outside" if drawn >= 1 - self.outside_probability else "reject"


@dataclass(frozen=True, slots=True)
class ConcessionNegotiator(_Negotiator):
    """Gives way with time: a time-dependent tactic (Faratin, Sierra & Jennings 1998).

    Demands floor + (1 - (t/T)^(1/beta)) (start - floor) of what it can hope for, t rounds after the
    first, T at the `deadline` (a round, or the last round known if that is earlier). `beta` below 1
    holds out until the end, above 1 concedes early. What it can hope for is the other's value and,
    where that is not told, `reach` (a fraction of its own value) beyond its own. Accepts what it
    would ask for in the next round. Deals with John, or walks away, where no price suits both.
    """

    start: float = 1.0
    floor: float = 0.1
    beta: float = 1.0
    deadline: int = 12
    reach: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= self.start <= 1:
            raise ValueError(
                f"floor, start: give 0 <= floor <= start <= 1; you gave {self.floor!r}, "
                f"{self.start!r}."
            )
        if not self.beta > 0:
            raise ValueError(f"beta: give a number above 0; you gave {self.beta!r}.")
        if self.deadline < 1:
            raise ValueError(f"deadline: give a round from 1; you gave {self.deadline!r}.")
        if not 0 <= self.reach < 1:
            raise ValueError(f"reach: give a fraction from 0, below 1; you gave {self.reach!r}.")

    def _price(self, ask: Ask, at: int) -> float:
        view: NegotiationView = ask.view
        if _hopeless(view):
            return view.value
        hope = _beyond(view, self.reach) if view.other_value is None else view.other_value
        return view.value + self._demand(view, at) * (hope - view.value)

    def _choice(self, ask: Ask, gain: float) -> Meaning:
        view: NegotiationView = ask.view
        if self._enough(gain, _gain(view, self._price(ask, view.round + 1))):
            return "accept"
        return "outside" if _hopeless(view) else "reject"

    def _demand(self, view: NegotiationView, at: int) -> float:
        end = self.deadline if view.rounds_known is None else min(self.deadline, view.rounds_known)
        passed = 1.0 if at >= end else (at - 1) / (end - 1)
        return self.floor + (1 - passed ** (1 / self.beta)) * (self.start - self.floor)


def _gain(view: NegotiationView, price: float) -> float:
    """What a price gains this seat, in dollars."""
    return price - view.value if view.role == "seller" else view.value - price


def _beyond(view: NegotiationView, margin: float) -> float:
    """A price that gains this seat `margin` of its own value."""
    return view.value * (1 + margin if view.role == "seller" else 1 - margin)


def _hopeless(view: NegotiationView) -> bool:
    """Whether it is told that no price suits both."""
    return view.other_value is not None and _gain(view, view.other_value) < 0


def _times(value: float, scale: float) -> float:
    return float(_exact(value) * _exact(scale))


def _exact(amount: float) -> Decimal:
    return Decimal(repr(amount))
