"""Bargaining as the search for a best response sees it. Knows the moves, no opponent."""

from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any, Literal

from catallaxy.agents.base import Agent
from catallaxy.games.base import Seat
from catallaxy.games.glee.bargaining import (
    AnswerOrWalkAway,
    Bargaining,
    BargainingState,
    Claim,
    ClaimWithMessage,
    Offer,
    OfferWithMessage,
)
from catallaxy.platform.analysis.best_response.asking import BestResponse
from catallaxy.platform.analysis.best_response.haggling import haggled
from catallaxy.platform.analysis.best_response.terms import Said, Terms

_CENT = Decimal("0.01")
_FINEST = 10_000  # coins in a pie, at least


@dataclass(frozen=True, slots=True)
class _BargainingTerms(Terms):
    """A claim is what the seat keeps of the pie, in coins of `coin` dollars."""

    rules: Bargaining
    coin: Decimal

    def claim(self, state: BargainingState, coins: int) -> Any:
        """An offer that keeps so much, or the whole pie at most."""
        pie = _exact(self.rules.pie)
        own = min(coins * self.coin, pie)
        due = self.due(state)
        if due is Claim:
            return Claim(float(own))
        if due is ClaimWithMessage:
            return ClaimWithMessage(float(own), "")
        gains = (float(own), float(pie - own))
        alice, bob = gains if self.seat == "alice" else gains[::-1]
        if due is OfferWithMessage:
            return OfferWithMessage(alice, bob, "")
        return Offer(alice, bob)

    def answer(self, state: BargainingState, said: Literal["accept", "reject"]) -> Any:
        """Yes or no."""
        return self.due(state)(said)

    def said(self, move: Any) -> Said:
        """What it says; walking away is leaving."""
        if isinstance(move, AnswerOrWalkAway) and move.decision == "walk_away":
            return "leave"
        return move.decision


def bargained(rules: Bargaining, seat: Seat, opponent: Agent) -> BestResponse:
    """The best response of `seat`; it knows both deltas and the last round, told or not.

    Claims keep to cents, or to the 10,000th part of a small pie. Raises NoBestResponse.
    """
    pie = _exact(rules.pie)
    coin = min(_CENT, Decimal(10) ** (pie / _FINEST).adjusted())
    most = ceil(pie / coin)
    terms = _BargainingTerms(
        rules=rules,
        seat=seat,
        other="bob" if seat == "alice" else "alice",
        scale=rules.pie,
        most=most,
        usual=most,
        limited=True,
        coin=coin,
    )
    return haggled(terms, opponent)


def _exact(amount: float) -> Decimal:
    return Decimal(repr(amount))
