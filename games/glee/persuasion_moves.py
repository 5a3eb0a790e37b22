"""What the two players of a persuasion game can do. Knows no rules: whose turn, what is allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

Decision: TypeAlias = Literal["yes", "no"]

_GERMAN = {"ja": "yes", "nein": "no"}
_BUYING = {"decision": {"buy": "yes", "pass": "no", **_GERMAN}}


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Whether the seller recommends the product of this round."""

    ALIASES: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "decision": {"recommend": "yes", **_GERMAN}
    }

    decision: Decision


@dataclass(frozen=True, slots=True)
class SellerMessage:
    """What the seller says to the buyer about the product of this round."""

    message: str


@dataclass(frozen=True, slots=True)
class Purchase:
    """Whether the buyer buys the product of this round."""

    ALIASES: ClassVar[Mapping[str, Mapping[str, str]]] = _BUYING

    decision: Decision


@dataclass(frozen=True, slots=True)
class PurchaseWithMessage:
    """Whether the buyer buys the product of this round, and a text for the seller."""

    ALIASES: ClassVar[Mapping[str, Mapping[str, str]]] = _BUYING

    decision: Decision
    message: str


Move: TypeAlias = Recommendation | SellerMessage | Purchase | PurchaseWithMessage
