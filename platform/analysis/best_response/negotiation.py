"""Negotiation as the search for a best response sees it. Knows the moves, no opponent."""

from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any, Literal

from catallaxy.agents.base import Agent
from catallaxy.games.base import Seat
from catallaxy.games.glee.negotiation import Negotiation, NegotiationState
from catallaxy.games.glee.negotiation_moves import (
    COUNTERS,
    TALKING_COUNTERS,
    PriceWithMessage,
    meaning,
    tokens_of,
)
from catallaxy.platform.analysis.best_response.asking import BestResponse
from catallaxy.platform.analysis.best_response.haggling import haggled
from catallaxy.platform.analysis.best_response.terms import Said, Terms

_CENT = Decimal("0.01")
_FINEST = 10_000  # coins in M, at least
_USUAL = 2  # times the larger value: prices worth a try
_BEYOND = 10  # the same: who gets so much gets anything


@dataclass(frozen=True, slots=True)
class _NegotiationTerms(Terms):
    """A seller's claim is the price, in coins of `coin` dollars; a buyer's, `dearest` less it."""

    rules: Negotiation
    coin: Decimal
    dearest: Decimal

    def claim(self, state: NegotiationState, coins: int) -> Any:
        """A price, or a rejection that names it."""
        asked = coins * self.coin
        price = float(asked if self.seat == "alice" else self.dearest - asked)
        due = self.due(state)
        message = {"message": ""} if issubclass(due, (PriceWithMessage, *TALKING_COUNTERS)) else {}
        if state.offer is None:
            return due(product_price=price, **message)
        return due(tokens_of(due).reject, product_price=price, **message)

    def answer(self, state: NegotiationState, said: Literal["accept", "reject"]) -> Any:
        """Yes or no, in the words that are due."""
        due = self.due(state)
        return due(getattr(tokens_of(due), said))

    def said(self, move: Any) -> Said:
        """What it says; dealing with John, or walking away, is leaving."""
        said = meaning(move.decision)
        return said if said in ("accept", "reject") else "leave"

    def counters(self, state: NegotiationState) -> bool:
        """Where the answer that is due names the next price."""
        return issubclass(self.due(state), COUNTERS)


def negotiated(rules: Negotiation, seat: Seat, opponent: Agent) -> BestResponse:
    """The best response of `seat`; it knows both values and the last round, told or not.

    Prices keep to cents, or to the 10,000th part of a small M. Not trading gains 0, with John or
    without. Raises NoBestResponse.
    """
    scale = _exact(rules.price_scale)
    larger = max(_exact(rules.seller_value), _exact(rules.buyer_value)) * scale
    coin = min(_CENT, Decimal(10) ** (scale / _FINEST).adjusted())
    usual, beyond = ceil(larger / coin) * _USUAL, ceil(larger / coin) * _BEYOND
    selling = seat == "alice"
    limited = not selling and rules.compat.negotiation_validation == "checked"  # no price below 0
    terms = _NegotiationTerms(
        rules=rules,
        seat=seat,
        other="bob" if selling else "alice",
        scale=rules.price_scale,
        most=usual if limited else beyond,
        usual=usual,
        limited=limited,
        coin=coin,
        dearest=usual * coin,
    )
    return haggled(terms, opponent)


def _exact(amount: float) -> Decimal:
    return Decimal(repr(amount))
