"""What a seller and a buyer can say to each other. Knows no rules: whose turn, what is allowed.

An answer accepts, rejects, or takes the outside option. Its class says in which words: our own,
GLEE's (spelt as GLEE spells them), or those of GLEE's competition, where there is no John.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal, TypeAlias, get_args, get_type_hints

from catallaxy.games.glee.compat import GleeCompat

Role: TypeAlias = Literal["seller", "buyer"]
Meaning: TypeAlias = Literal["accept", "reject", "outside"]
Aliases: TypeAlias = Mapping[str, Mapping[str, str]]

_LEAVE = {"walkaway": "walk_away", "walk away": "walk_away"}
_SELLER = {"AcceptOffer": "accept", "RejectOffer": "reject", "SellToJhon": "sell_to_john"}
_BUYER = {"AcceptOffer": "accept", "RejectOffer": "reject", "BuyFromJhon": "buy_from_john"}
_OFFICIAL = {"accept": "AcceptOffer", "reject": "RejectOffer"}
_JOHN = ("sell_to_john", "buy_from_john", "SellToJhon", "BuyFromJhon", "DealWithJhon")


@dataclass(frozen=True, slots=True)
class Price:
    """The price, in dollars, at which the proposer would trade."""

    product_price: float


@dataclass(frozen=True, slots=True)
class PriceWithMessage:
    """The price, in dollars, at which the proposer would trade, and a text for the other."""

    product_price: float
    message: str


@dataclass(frozen=True, slots=True)
class SellerAnswer:
    """What the seller says to a price."""

    ALIASES: ClassVar[Aliases] = {"decision": {**_SELLER, "DealWithJhon": "sell_to_john"}}

    decision: Literal["accept", "reject", "sell_to_john"]


@dataclass(frozen=True, slots=True)
class BuyerAnswer:
    """What the buyer says to a price."""

    ALIASES: ClassVar[Aliases] = {"decision": {**_BUYER, "DealWithJhon": "buy_from_john"}}

    decision: Literal["accept", "reject", "buy_from_john"]


@dataclass(frozen=True, slots=True)
class WalkAwayAnswer:
    """What either says to a price where there is no John."""

    ALIASES: ClassVar[Aliases] = {
        "decision": {"AcceptOffer": "accept", "RejectOffer": "reject", **_LEAVE}
    }

    decision: Literal["accept", "reject", "walk_away"]


@dataclass(frozen=True, slots=True)
class OfficialSellerAnswer:
    """What the seller says to a price, in GLEE's own tokens."""

    ALIASES: ClassVar[Aliases] = {
        "decision": {**_OFFICIAL, "sell_to_john": "SellToJhon", "DealWithJhon": "SellToJhon"}
    }

    decision: Literal["AcceptOffer", "RejectOffer", "SellToJhon"]


@dataclass(frozen=True, slots=True)
class OfficialBuyerAnswer:
    """What the buyer says to a price, in GLEE's own tokens."""

    ALIASES: ClassVar[Aliases] = {
        "decision": {**_OFFICIAL, "buy_from_john": "BuyFromJhon", "DealWithJhon": "BuyFromJhon"}
    }

    decision: Literal["AcceptOffer", "RejectOffer", "BuyFromJhon"]


@dataclass(frozen=True, slots=True)
class LenientSellerAnswer(SellerAnswer):
    """The same, but the buyer's word for John is read too."""

    ALIASES: ClassVar[Aliases] = {"decision": {**_SELLER, **dict.fromkeys(_JOHN, "sell_to_john")}}


@dataclass(frozen=True, slots=True)
class LenientBuyerAnswer(BuyerAnswer):
    """The same, but the seller's word for John is read too."""

    ALIASES: ClassVar[Aliases] = {"decision": {**_BUYER, **dict.fromkeys(_JOHN, "buy_from_john")}}


@dataclass(frozen=True, slots=True)
class LenientOfficialSellerAnswer(OfficialSellerAnswer):
    """The same, but the buyer's word for John is read too."""

    ALIASES: ClassVar[Aliases] = {"decision": {**_OFFICIAL, **dict.fromkeys(_JOHN, "SellToJhon")}}


@dataclass(frozen=True, slots=True)
class LenientOfficialBuyerAnswer(OfficialBuyerAnswer):
    """The same, but the seller's word for John is read too."""

    ALIASES: ClassVar[Aliases] = {"decision": {**_OFFICIAL, **dict.fromkeys(_JOHN, "BuyFromJhon")}}


@dataclass(frozen=True, slots=True)
class SellerCounter(SellerAnswer):
    """An answer that names the seller's own price, in dollars, if it rejects."""

    product_price: float | None = None


@dataclass(frozen=True, slots=True)
class SellerCounterWithMessage(SellerCounter):
    """The same, with a text for the buyer that goes with the price."""

    message: str | None = None


@dataclass(frozen=True, slots=True)
class BuyerCounter(BuyerAnswer):
    """An answer that names the buyer's own price, in dollars, if it rejects."""

    product_price: float | None = None


@dataclass(frozen=True, slots=True)
class BuyerCounterWithMessage(BuyerCounter):
    """The same, with a text for the seller that goes with the price."""

    message: str | None = None


@dataclass(frozen=True, slots=True)
class WalkAwayCounter(WalkAwayAnswer):
    """An answer that names its own price, in dollars, if it rejects; there is no John."""

    product_price: float | None = None


@dataclass(frozen=True, slots=True)
class WalkAwayCounterWithMessage(WalkAwayCounter):
    """The same, with a text for the other player that goes with the price."""

    message: str | None = None


Answer: TypeAlias = (
    SellerAnswer | BuyerAnswer | WalkAwayAnswer | OfficialSellerAnswer | OfficialBuyerAnswer
)
Counter: TypeAlias = SellerCounter | BuyerCounter | WalkAwayCounter
Move: TypeAlias = Price | PriceWithMessage | Answer

COUNTERS = (SellerCounter, BuyerCounter, WalkAwayCounter)
TALKING_COUNTERS = (
    SellerCounterWithMessage,
    BuyerCounterWithMessage,
    WalkAwayCounterWithMessage,
)

_ANSWERS: Mapping[tuple[Role, str, str], type[Answer]] = {
    ("seller", "own", "checked"): SellerAnswer,
    ("seller", "own", "official"): LenientSellerAnswer,
    ("seller", "official", "checked"): OfficialSellerAnswer,
    ("seller", "official", "official"): LenientOfficialSellerAnswer,
    ("buyer", "own", "checked"): BuyerAnswer,
    ("buyer", "own", "official"): LenientBuyerAnswer,
    ("buyer", "official", "checked"): OfficialBuyerAnswer,
    ("buyer", "official", "official"): LenientOfficialBuyerAnswer,
}


def answer_type(role: Role, compat: GleeCompat) -> type[Answer]:
    """The class of an answer that names no price."""
    if compat.outside_option == "walk_away":
        return WalkAwayAnswer
    return _ANSWERS[role, compat.john_tokens, compat.negotiation_validation]


def counter_type(role: Role, compat: GleeCompat, *, talks: bool) -> type[Counter]:
    """The class of an answer that names the next price if it rejects: never in GLEE's tokens."""
    if compat.outside_option == "walk_away":
        return WalkAwayCounterWithMessage if talks else WalkAwayCounter
    if role == "seller":
        return SellerCounterWithMessage if talks else SellerCounter
    return BuyerCounterWithMessage if talks else BuyerCounter


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words by which one class of answers accepts, rejects, or takes the outside option."""

    accept: str
    reject: str
    outside: str


@cache
def tokens_of(answer: type[Answer]) -> Tokens:
    """The words of a class of answers."""
    return Tokens(*get_args(get_type_hints(answer)["decision"]))


def meaning(decision: str) -> Meaning | None:
    """What a decision says in any of the words, whoever says it; None if nothing."""
    if decision in ("accept", "AcceptOffer"):
        return "accept"
    if decision in ("reject", "RejectOffer"):
        return "reject"
    return "outside" if decision in (*_JOHN, "walk_away") else None
