"""Bargainers that follow a rule instead of asking a model. Know no other player's secrets.

Each is a rule for the least that it wants, in dollars; offers keep to whole units of money, so that
both amounts add up to the pie exactly (up to 15 digits).
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random
from typing import Any

from catallaxy.agents.base import Act, Ask
from catallaxy.agents.wording import money
from catallaxy.games.glee.bargaining import (
    BargainingView,
    Claim,
    ClaimWithMessage,
    Move,
    Offer,
    OfferWithMessage,
)
from catallaxy.games.glee.bargaining_theory import proposer_share, responder_share

_EQUAL_SPLIT = 0.5  # our convention where theory supports every division


class _Bargainer:
    """What all share: they know this game only."""

    __slots__ = ()

    def plays(self, view: Any) -> bool:
        """Whether the view is one of this game."""
        return isinstance(view, BargainingView)


@dataclass(frozen=True, slots=True)
class EquilibriumBargainer(_Bargainer):
    """Plays the subgame-perfect equilibrium from whatever round it finds itself in.

    Backward induction where the last round is told, Rubinstein's shares where it is not, an equal
    split where those are undefined. Under incomplete information it takes the other's delta to be
    `belief_delta`, or its own if that is None. Accepts at indifference, short of one `unit`
    (dollars) for rounding.
    """

    unit: float = 0.01
    belief_delta: float | None = None
    chatty: bool = True

    async def act(self, ask: Ask) -> Act:
        """Offer the equilibrium division or hold the offer against it."""
        view: BargainingView = ask.view
        wanted = self._share(view) * view.pie
        if view.offer is None:
            return Act(_offer(ask, wanted, unit=self.unit, chatty=self.chatty))
        return Act(_answer(ask, at_least=wanted - self.unit))

    def _share(self, view: BargainingView) -> float:
        other = view.other_delta
        if other is None:
            other = view.delta if self.belief_delta is None else self.belief_delta
        left = None if view.rounds_told is None else view.rounds_told - view.round + 1
        if view.role == "proposer":
            share = proposer_share(view.delta, other, left)
        else:
            share = responder_share(other, view.delta, left)
        return _EQUAL_SPLIT if share is None else share


@dataclass(frozen=True, slots=True)
class FairBargainer(_Bargainer):
    """Asks for `share` of the pie, accepts `tolerance` less (both are fractions of the pie)."""

    share: float = 0.5
    tolerance: float = 0.0
    unit: float = 0.01
    chatty: bool = True

    async def act(self, ask: Ask) -> Act:
        """Offer the fair division or hold the offer against it."""
        view: BargainingView = ask.view
        if view.offer is None:
            return Act(_offer(ask, self.share * view.pie, unit=self.unit, chatty=self.chatty))
        least = (self.share - self.tolerance) * view.pie
        return Act(_answer(ask, at_least=least - self.unit / 2))


@dataclass(frozen=True, slots=True)
class GreedyBargainer(_Bargainer):
    """Asks for everything and accepts nothing less, except in a last round that it knows of.

    There, rejecting leaves it with nothing, so it takes any offer of at least one `unit` (dollars).
    """

    unit: float = 0.01
    chatty: bool = True

    async def act(self, ask: Ask) -> Act:
        """Demand the whole pie, or hold out for it."""
        view: BargainingView = ask.view
        if view.offer is None:
            return Act(_offer(ask, view.pie, unit=self.unit, chatty=self.chatty))
        last = view.round == view.rounds_told
        return Act(_answer(ask, at_least=self.unit if last else view.pie))


@dataclass(frozen=True, slots=True)
class RandomBargainer(_Bargainer):
    """Legal moves by chance: a uniform division in whole `unit`s (dollars), or a coin's answer.

    `accept_probability` is the coin. The same seed gives the same move.
    """

    accept_probability: float = 0.5
    unit: float = 1.0
    chatty: bool = True

    async def act(self, ask: Ask) -> Act:
        """Draw a move from the ask's own seed."""
        view: BargainingView = ask.view
        rng = Random(ask.seed)
        if view.offer is None:
            drawn = rng.randint(0, int(_exact(view.pie) / _exact(self.unit))) * self.unit
            return Act(_offer(ask, drawn, unit=self.unit, chatty=self.chatty))
        return Act(ask.move_type("accept" if rng.random() < self.accept_probability else "reject"))


@dataclass(frozen=True, slots=True)
class ConcessionBargainer(_Bargainer):
    """Gives way with time: a time-dependent tactic (Faratin, Sierra & Jennings 1998).

    Demands floor + (1 - (t/T)^(1/beta)) (start - floor) of the pie, t rounds after the first, T at
    the `deadline` (a round, or the last round told if that is earlier). `beta` below 1 holds out
    until the end, above 1 concedes early. Accepts what it would ask for itself in the next round.
    """

    start: float = 0.9
    floor: float = 0.4
    beta: float = 1.0
    deadline: int = 12
    unit: float = 0.01
    chatty: bool = True

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

    async def act(self, ask: Ask) -> Act:
        """Demand what this round calls for, or hold the offer against the next round's demand."""
        view: BargainingView = ask.view
        if view.offer is None:
            wanted = self._demand(view, view.round) * view.pie
            return Act(_offer(ask, wanted, unit=self.unit, chatty=self.chatty))
        least = self._demand(view, view.round + 1) * view.pie
        return Act(_answer(ask, at_least=least - self.unit / 2))

    def _demand(self, view: BargainingView, at: int) -> float:
        end = self.deadline
        if view.rounds_told is not None:
            end = min(end, view.rounds_told)
        passed = 1.0 if at >= end else (at - 1) / (end - 1)
        return self.floor + (1 - passed ** (1 / self.beta)) * (self.start - self.floor)


def _exact(amount: float) -> Decimal:
    return Decimal(repr(amount))


def _offer(ask: Ask, wanted: float, *, unit: float, chatty: bool) -> Move:
    """An offer that keeps `wanted` dollars, to the nearest unit, within the pie."""
    view: BargainingView = ask.view
    pie, step = _exact(view.pie), _exact(unit)
    units = (_exact(wanted) / step).to_integral_value(ROUND_HALF_EVEN)
    own = min(max(units * step, Decimal(0)), pie)
    gains = {view.seat: float(own), view.other: float(pie - own)}
    mine, yours = money(float(own)), money(float(pie - own))
    said = f"I propose {mine} for me and {yours} for you." if chatty else ""
    message = said[: view.max_message_chars]
    if ask.move_type is Claim:
        return Claim(float(own))
    if ask.move_type is ClaimWithMessage:
        return ClaimWithMessage(float(own), message)
    if ask.move_type is OfferWithMessage:
        return OfferWithMessage(gains["alice"], gains["bob"], message)
    return Offer(gains["alice"], gains["bob"])


def _answer(ask: Ask, *, at_least: float) -> Move:
    """Accept an open offer that gives this seat `at_least` dollars, else reject it."""
    view: BargainingView = ask.view
    offer = view.offer
    if offer is None:
        raise ValueError("there is no offer to answer")
    gain = offer.alice_gain if view.seat == "alice" else offer.bob_gain
    return ask.move_type("accept" if gain >= at_least else "reject")
