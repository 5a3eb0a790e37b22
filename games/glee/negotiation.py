"""A seller and a buyer bargain over the price of one product. Knows no prompt, no agent.

Alice sells and proposes in odd rounds, Bob buys and proposes in even ones; who answers accepts,
rejects, or deals with John, a third person, at the own value. The game, its parameters and its
measures are GLEE's (Shapira et al. 2024, arXiv 2410.05254).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from random import Random
from typing import Literal, TypeAlias

from catallaxy.games.base import IllegalMove, Remark, Seat
from catallaxy.games.glee.compat import GleeCompat
from catallaxy.games.glee.negotiation_metrics import Outcome, code_outcome, named, paper_outcome
from catallaxy.games.glee.negotiation_moves import (
    COUNTERS,
    TALKING_COUNTERS,
    Answer,
    BuyerAnswer,
    Move,
    Price,
    PriceWithMessage,
    Role,
    SellerAnswer,
    Tokens,
    answer_type,
    counter_type,
    meaning,
    tokens_of,
)
from catallaxy.games.glee.negotiation_theory import agreed_price, posted_outcome

__all__ = [
    "BuyerAnswer",
    "Ended",
    "Negotiation",
    "NegotiationState",
    "NegotiationView",
    "Price",
    "PriceWithMessage",
    "Proposal",
    "SellerAnswer",
]

Horizon: TypeAlias = Literal["stated", "hidden"]
HorizonKind: TypeAlias = Literal["single", "stated", "hidden"]
Said: TypeAlias = Literal["accept", "reject", "john", "walk_away"]

_SEATS: tuple[Seat, Seat] = ("alice", "bob")
_OFFICIAL_STATES_UP_TO = 20


@dataclass(frozen=True, slots=True)
class Proposal:
    """A price as both players saw it, in dollars; `answer` is None while it is open."""

    round: int
    proposer: Seat
    price: float
    message: str = ""
    answer: Said | None = None


class Ended(StrEnum):
    """How a game ended."""

    AGREEMENT = "agreement"
    NO_AGREEMENT = "no_agreement"
    OUTSIDE_OPTION = "outside_option"
    FORFEIT = "forfeit"


@dataclass(frozen=True, slots=True)
class NegotiationState:
    """Where a game stands: `history` has the answered proposals, `offer` the open one."""

    round: int = 1
    offer: Proposal | None = None
    history: tuple[Proposal, ...] = ()
    ended: Ended | None = None
    forfeited_by: Seat | None = None


@dataclass(frozen=True, slots=True)
class NegotiationView:
    """All that one seat may know. Values and prices in dollars.

    `other_value` is None under incomplete information. `price_scale` is M, the public scale on
    which both values are set. `rounds_told` is the number of rounds as it is put into words,
    `rounds_known` the one that follows from all that is told (a single round shows without a
    number); None if it is not told. `last_round` says whether this round is told to be the last.
    `tokens` are this seat's words for an answer.
    """

    seat: Seat
    other: Seat
    role: Role
    round: int
    value: float
    other_value: float | None
    price_scale: float
    complete_information: bool
    rounds_told: int | None
    rounds_known: int | None
    last_round: bool
    messages_allowed: bool
    max_message_chars: int
    outside_option: Literal["john", "walk_away"]
    counteroffer: Literal["own_move", "with_rejection"]
    tokens: Tokens
    history: tuple[Proposal, ...]
    offer: Proposal | None
    ended: Ended | None

    @property
    def seller_value(self) -> float | None:
        """What the product is worth to the seller, None if this seat does not know it."""
        return self.value if self.role == "seller" else self.other_value

    @property
    def buyer_value(self) -> float | None:
        """What the product is worth to the buyer, None if this seat does not know it."""
        return self.value if self.role == "buyer" else self.other_value


@dataclass(frozen=True, slots=True)
class Negotiation:
    """The rules.

    `seller_value`, `buyer_value`: what the product is worth to Alice and to Bob, in units of
    `price_scale` (dollars; GLEE's F_A, F_B and M, `product_price_order`). `horizon` says whether
    `max_rounds` is told to the players. `complete_information` tells each the other's value.
    Raises ValueError for a field that no game can have.
    """

    seller_value: float = 1.0
    buyer_value: float = 1.0
    price_scale: float = 10_000
    max_rounds: int = 1
    horizon: Horizon = "stated"
    complete_information: bool = True
    messages_allowed: bool = False
    max_message_chars: int = 2000
    compat: GleeCompat = field(default_factory=GleeCompat)

    def __post_init__(self) -> None:
        for name in ("seller_value", "buyer_value", "price_scale"):
            number = getattr(self, name)
            if not (isfinite(number) and number > 0):
                raise ValueError(f"{name}: give a number above 0; you gave {number!r}.")
        if self.max_rounds < 1:
            raise ValueError(f"max_rounds: give 1 or more; you gave {self.max_rounds!r}.")
        if self.horizon not in ("stated", "hidden"):
            raise ValueError(f"horizon: give 'stated' or 'hidden'; you gave {self.horizon!r}.")
        if self.max_message_chars < 0:
            raise ValueError(
                f"max_message_chars: give 0 or more; you gave {self.max_message_chars!r}."
            )

    @property
    def seats(self) -> tuple[Seat, ...]:
        """Alice, who sells and opens, and Bob, who buys."""
        return _SEATS

    @property
    def rounds_told(self) -> int | None:
        """The number of rounds as it is put into words, None if it is not."""
        told = self.horizon == "stated"
        if self.compat.horizon_text == "official":
            told = 1 < self.max_rounds <= _OFFICIAL_STATES_UP_TO
        return self.max_rounds if told else None

    @property
    def rounds_known(self) -> int | None:
        """The number of rounds that the players can tell from the words, None if they cannot."""
        if self.compat.horizon_text == "official" and self.max_rounds == 1:
            return 1
        return self.rounds_told

    @property
    def horizon_kind(self) -> HorizonKind:
        """Whether the players know of one single round, of a last round, or of none."""
        if self.rounds_known is None:
            return "hidden"
        return "single" if self.rounds_known == 1 else "stated"

    def start(self, rng: Random) -> NegotiationState:
        """Round 1, no offer yet. Nature has no part in this game."""
        return NegotiationState()

    def to_move(self, state: NegotiationState) -> tuple[Seat, ...]:
        """The proposer of an odd round is Alice; with an offer open, the other one answers."""
        if state.ended is not None:
            return ()
        alice = (state.round % 2 == 1) == (state.offer is None)
        return ("alice",) if alice else ("bob",)

    def view(self, state: NegotiationState, seat: Seat) -> NegotiationView:
        """Everything of `state` is public; only the other's value may be private."""
        seller = seat == "alice"
        value, others = self._values() if seller else self._values()[::-1]
        role: Role = "seller" if seller else "buyer"
        return NegotiationView(
            seat=seat,
            other="bob" if seller else "alice",
            role=role,
            round=state.round,
            value=float(value),
            other_value=float(others) if self.complete_information else None,
            price_scale=self.price_scale,
            complete_information=self.complete_information,
            rounds_told=self.rounds_told,
            rounds_known=self.rounds_known,
            last_round=self._shown_as_last(state.round),
            messages_allowed=self.messages_allowed,
            max_message_chars=self.max_message_chars,
            outside_option=self.compat.outside_option,
            counteroffer=self.compat.counteroffer,
            tokens=tokens_of(self._answer_type(state, role)),
            history=state.history,
            offer=state.offer,
            ended=state.ended,
        )

    def _values(self) -> tuple[Decimal, Decimal]:
        """What the product is worth to Alice and to Bob, in dollars, free of binary noise."""
        scale = _exact(self.price_scale)
        return _exact(self.seller_value) * scale, _exact(self.buyer_value) * scale

    def _shown_as_last(self, now: int) -> bool:
        """GLEE's words show the last round even where they hide the number of rounds."""
        official = self.compat.horizon_text == "official"
        return now == (self.max_rounds if official else self.rounds_known)

    def _answer_type(self, state: NegotiationState, role: Role) -> type[Answer]:
        if self.compat.counteroffer == "own_move" or self._shown_as_last(state.round):
            return answer_type(role, self.compat)
        return counter_type(role, self.compat, talks=self.messages_allowed)

    def move_type(self, state: NegotiationState, seat: Seat) -> type[Move]:
        """An answer while an offer is open, else a price."""
        if state.offer is not None:
            return self._answer_type(state, "seller" if seat == "alice" else "buyer")
        return PriceWithMessage if self.messages_allowed else Price

    def check(self, state: NegotiationState, seat: Seat, move: Move) -> None:
        """Raise `IllegalMove` unless it is this seat's turn and the rules allow `move`."""
        if seat not in self.to_move(state):
            raise IllegalMove(Remark("It is not your turn."))
        expected = self.move_type(state, seat)
        if type(move) is not expected:
            due, got = expected.__name__, type(move).__name__
            raise IllegalMove("Now {due} is due, not {got!r}.", due=due, got=got)
        if isinstance(move, (Price, PriceWithMessage)):
            self._check_price(move.product_price)
            self._check_message(_message_of(move))
            return
        self._check_decision(move)
        if isinstance(move, COUNTERS) and meaning(move.decision) == "reject":
            if move.product_price is None:
                raise IllegalMove(
                    Remark("Who rejects an offer must name a price: product_price is missing.")
                )
            self._check_price(move.product_price)
            self._check_message(_message_of(move))

    def _check_price(self, price: float) -> None:
        lenient = self.compat.negotiation_validation == "official"
        if not isfinite(price) or (price < 0 and not lenient):
            raise IllegalMove(
                "product_price must be {least}; you gave {got:.15g}.",
                least=Remark("a number") if lenient else Remark("a number of at least 0"),
                got=price,
            )

    def _check_message(self, message: str) -> None:
        if len(message) > self.max_message_chars:
            raise IllegalMove(
                "A message has at most {most} characters; yours has {got}.",
                most=self.max_message_chars,
                got=len(message),
            )

    def _check_decision(self, move: Answer) -> None:
        words = tokens_of(type(move))
        known = move.decision in (words.accept, words.reject, words.outside)
        if self.compat.negotiation_validation == "official":
            known = known or meaning(move.decision) is not None
        if not known:
            raise IllegalMove(
                "Say {accept}, {reject} or {outside}; you said {got!r}.",
                accept=words.accept,
                reject=words.reject,
                outside=words.outside,
                got=move.decision,
            )

    def step(self, state: NegotiationState, moves: Mapping[Seat, Move]) -> NegotiationState:
        """A price opens it to the other; an answer ends the game or the round."""
        (seat,) = self.to_move(state)
        move = moves[seat]
        if isinstance(move, (Price, PriceWithMessage)):
            made = Proposal(state.round, seat, move.product_price, _message_of(move))
            return replace(state, offer=made)
        if state.offer is None:
            raise ValueError("an answer came before an offer: `check` was not asked")
        match meaning(move.decision):
            case "accept":
                return _over(state, "accept", Ended.AGREEMENT)
            case "reject":
                return self._rejected(state, seat, move)
            case _:
                return _over(state, self.compat.outside_option, Ended.OUTSIDE_OPTION)

    def _rejected(self, state: NegotiationState, seat: Seat, move: Answer) -> NegotiationState:
        if state.round >= self.max_rounds:
            return _over(state, "reject", Ended.NO_AGREEMENT)
        following, offer = state.round + 1, None
        if isinstance(move, COUNTERS) and move.product_price is not None:
            offer = Proposal(following, seat, move.product_price, _message_of(move))
        return NegotiationState(following, offer, _answered(state, "reject"))

    def forfeit(self, state: NegotiationState, seat: Seat) -> NegotiationState:
        """The outside option: no trade, nobody gains anything, and `seat` is on record."""
        return replace(state, ended=Ended.FORFEIT, forfeited_by=seat)

    def payoffs(self, state: NegotiationState) -> Mapping[Seat, float]:
        """Dollars: the price less the seller's value, the buyer's value less the price; else 0.

        Raises ValueError if the game is not over.
        """
        deal = self._deal(state)
        if deal is None:
            return {"alice": 0.0, "bob": 0.0}
        (seller, buyer), price = self._values(), _exact(deal.price)
        return {"alice": float(price - seller), "bob": float(buyer - price)}

    def metrics(self, state: NegotiationState) -> Mapping[str, float]:
        """GLEE's measures, gains and price in units of M, and the distance to theory.

        `self_gain@seat`, `efficiency`, `fairness` follow the compat switches; `_paper` and
        `_official_code` hold both conventions. `price` only exists after a trade.
        Raises ValueError if the game is not over.
        """
        deal = self._deal(state)
        price = None if deal is None else float(_exact(deal.price) / _exact(self.price_scale))
        found = {
            **named("", self._outcome(price)),
            "agreement": 0.0 if price is None else 1.0,
            "rounds": float(state.round),
            **({} if price is None else {"price": price}),
            **named("_paper", paper_outcome(price, self.seller_value, self.buyer_value)),
            **named("_official_code", code_outcome(price, self.seller_value, self.buyer_value)),
        }
        predicted = self.prediction()
        for seat in _SEATS:
            gain = f"self_gain@{seat}"
            found[f"distance_to_theory@{seat}"] = found[gain] - predicted[gain]
        return found

    def _outcome(self, price: float | None) -> Outcome:
        """The measures in force; `price` in units of M, None without a trade."""
        code = self.compat.efficiency_metrics == "official_code"
        measured = code_outcome if code else paper_outcome
        return measured(price, self.seller_value, self.buyer_value)

    def _deal(self, state: NegotiationState) -> Proposal | None:
        if state.ended is None:
            raise ValueError("the game is not over: there are no payoffs yet")
        return state.history[-1] if state.ended is Ended.AGREEMENT else None

    def prediction(self) -> Mapping[str, float]:
        """The outcome that theory expects of this configuration, in units of M.

        | the players know | F_A < F_B | F_A > F_B |
        |---|---|---|
        | both values, last round odd | trade at F_B | no trade |
        | both values, last round even | trade at F_A | no trade |
        | both values, no last round | trade at the midpoint (a convention) | no trade |
        | the own value, a single round | trade at Alice's posted price if F_B allows | no trade |
        | the own value, more rounds | as if both values were known (a benchmark) | no trade |

        The posted price is her best one against F_B uniform on 0.8, 1, 1.2, 1.5, and what is
        predicted is what it leads to with this F_B. A trade is expected in round 1: who is
        indifferent accepts. Where both values and the price are equal nobody gains by a trade, so
        that `agreement`, `price` and `rounds` are missing; `rounds` is too where no trade is
        expected, unless there is a single round.
        """
        seller, buyer, known = self.seller_value, self.buyer_value, self.rounds_known
        if known == 1 and not self.complete_information:
            price = posted_outcome(seller, buyer)
        else:
            price = agreed_price(seller, buyer, known)
        found = named("", self._outcome(price))
        if known == 1:
            found["rounds"] = 1.0
        if price is None:
            return found | {"agreement": 0.0}
        if price == seller == buyer:
            return found
        return found | {"agreement": 1.0, "price": price, "rounds": 1.0}


def _message_of(move: Move) -> str:
    if isinstance(move, (PriceWithMessage, *TALKING_COUNTERS)):
        return move.message or ""
    return ""


def _answered(state: NegotiationState, said: Said) -> tuple[Proposal, ...]:
    """The history with the open offer answered."""
    if state.offer is None:
        return state.history
    return (*state.history, replace(state.offer, answer=said))


def _over(state: NegotiationState, said: Said, ended: Ended) -> NegotiationState:
    return NegotiationState(state.round, None, _answered(state, said), ended)


def _exact(amount: float) -> Decimal:
    return Decimal(repr(amount))
