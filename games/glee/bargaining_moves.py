"""What the two players of a bargaining game can do. Knows no rules: whose turn, what is allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

Decision: TypeAlias = Literal["accept", "reject"]
OpenDecision: TypeAlias = Literal["accept", "reject", "walk_away"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A division of the pie in dollars of round 1; the two amounts add up to the pie."""

    alice_gain: float
    bob_gain: float


@dataclass(frozen=True, slots=True)
class OfferWithMessage:
    """A division of the pie in dollars of round 1, and a text for the other player."""

    alice_gain: float
    bob_gain: float
    message: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What the proposer keeps, in dollars of round 1; the other gets the rest of the pie."""

    claim: float


@dataclass(frozen=True, slots=True)
class ClaimWithMessage:
    """What the proposer keeps, in dollars of round 1, and a text for the other player."""

    claim: float
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other player says to an offer."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class AnswerOrWalkAway:
    """What the other player says to an offer where it may also leave for good."""

    ALIASES: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "decision": {"walkaway": "walk_away", "walk away": "walk_away"}
    }

    decision: OpenDecision


Move: TypeAlias = Offer | OfferWithMessage | Claim | ClaimWithMessage | Answer | AnswerOrWalkAway
