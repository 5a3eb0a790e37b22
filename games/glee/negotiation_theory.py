"""Prices that theory expects when a seller and a buyer bargain. Knows no moves, no prompts.

Values and prices are in one and the same unit, such as M. Nothing is lost by waiting, and the
outside option is worth as much as not trading.
"""

from collections.abc import Sequence
from dataclasses import dataclass

PRIOR: tuple[float, ...] = (0.8, 1.0, 1.2, 1.5)
"""GLEE's values in units of M, each as likely: a belief about a value that is not told."""

_NOISE = 1e-12  # what binary fractions may add to equal gains


def agreed_price(seller_value: float, buyer_value: float, last_round: int | None) -> float | None:
    """The price under complete information; the seller opens. None if no price suits both.

    If the last round (1, 2, ...) is known, who proposes in it takes the surplus by backward
    induction: the seller in an odd one, the buyer in an even one. If it is not, every price between
    the values can be supported, and the midpoint is our convention. Derived.
    """
    if buyer_value < seller_value:
        return None
    if last_round is None:
        return (seller_value + buyer_value) / 2
    return buyer_value if last_round % 2 == 1 else seller_value


@dataclass(frozen=True, slots=True)
class Posted:
    """A price that is put to the other to take or leave, and what it gains on average."""

    price: float
    expected_gain: float


def posted_ask(seller_value: float, buyer_values: Sequence[float] = PRIOR) -> Posted | None:
    """The seller's best price before a buyer whose value is one of `buyer_values`, equally likely.

    Maximises (price - seller_value) P(buyer_value >= price): the posted price of Riley &
    Zeckhauser (1983), "Optimal Selling Strategies". Of equally good prices the lowest. None if no
    price gains anything. A value that is listed twice is twice as likely.
    """
    best: Posted | None = None
    for price in sorted(set(buyer_values)):
        sells = sum(value >= price for value in buyer_values) / len(buyer_values)
        gain = (price - seller_value) * sells
        if gain > (best.expected_gain if best else 0.0) + _NOISE:
            best = Posted(price, gain)
    return best


def posted_bid(buyer_value: float, seller_values: Sequence[float] = PRIOR) -> Posted | None:
    """The buyer's best price before a seller whose value is one of `seller_values`: the mirror.

    Maximises (buyer_value - price) P(seller_value <= price); of equally good prices the highest.
    """
    mirrored = posted_ask(-buyer_value, [-value for value in seller_values])
    return None if mirrored is None else Posted(-mirrored.price, mirrored.expected_gain)


def posted_outcome(
    seller_value: float, buyer_value: float, buyer_values: Sequence[float] = PRIOR
) -> float | None:
    """The price of the trade if the seller posts its best price to a buyer of `buyer_value`.

    None if the buyer leaves it. A seller who expects to gain from no price asks for its own value.
    """
    posted = posted_ask(seller_value, buyer_values)
    price = seller_value if posted is None else posted.price
    return price if buyer_value >= price else None
