"""A seller who sees what a product is like talks to a buyer who does not, round after round.

Knows no prompt, no agent. Alice sells, Bob buys; whatever she says is cheap talk. The game, its
parameters and its measures are GLEE's (Shapira et al. 2024, arXiv 2410.05254).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from math import isfinite
from random import Random
from typing import Literal, TypeAlias

from catallaxy.games.base import IllegalMove, Remark, Seat
from catallaxy.games.glee.compat import GleeCompat, Metrics
from catallaxy.games.glee.persuasion_metrics import Tally, counts, expected, named, outcome
from catallaxy.games.glee.persuasion_moves import (
    Decision,
    Move,
    Purchase,
    PurchaseWithMessage,
    Recommendation,
    SellerMessage,
)
from catallaxy.games.glee.persuasion_theory import babbling, commitment, rational, truthful

Quality: TypeAlias = Literal["high", "low"]
Horizon: TypeAlias = Literal["stated", "hidden"]
MessageType: TypeAlias = Literal["binary", "text"]
BuyerType: TypeAlias = Literal["long_living", "myopic"]
ForfeitAs: TypeAlias = Literal["pass", "end"]
Role: TypeAlias = Literal["seller", "buyer"]

_SEATS: tuple[Seat, Seat] = ("alice", "bob")
_OPTIONS = {
    "horizon": ("stated", "hidden"),
    "message_type": ("binary", "text"),
    "buyer": ("long_living", "myopic"),
    "forfeit_as": ("pass", "end"),
}
_BENCHMARKS = {"theory": "", "commitment": "_commitment", "truthful": "_truthful"}


@dataclass(frozen=True, slots=True)
class Round:
    """One round as it was: `recommendation` is None where the seller writes a message.

    `bought` is None until the buyer has decided.
    """

    round: int
    quality: Quality
    recommendation: Decision | None = None
    message: str = ""
    bought: bool | None = None
    buyer_message: str = ""


@dataclass(frozen=True, slots=True)
class Forfeit:
    """Who did not manage a legal move, and in which round."""

    round: int
    seat: Seat


class Ended(StrEnum):
    """How a game ended."""

    PLAYED = "played"
    FORFEIT = "forfeit"


@dataclass(frozen=True, slots=True)
class PersuasionState:
    """Where a game stands.

    `qualities` are nature's draws for all rounds, `pitch` is the round in which the seller has
    spoken and the buyer has not yet decided, `history` has the decided rounds.
    """

    qualities: tuple[Quality, ...]
    round: int = 1
    pitch: Round | None = None
    history: tuple[Round, ...] = ()
    ended: Ended | None = None
    forfeits: tuple[Forfeit, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """A round as one seat knows it; None for what this seat does not know (yet).

    `worth` is what the product is, or would have been, worth to the buyer, in dollars.
    """

    round: int | None
    quality: Quality | None
    worth: float | None
    recommendation: Decision | None
    message: str
    bought: bool | None
    buyer_message: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a new buyer is told of earlier rounds, in numbers; `rounds` is None if it is not."""

    rounds: int | None
    sold: int
    high_sold: int


@dataclass(frozen=True, slots=True)
class PersuasionView:
    """All that one seat may know; None for what it does not know.

    `high_worth` and `low_worth` are dollars, `p` is the chance of high quality, `rounds_told` the
    number of rounds. `quality` is that of this round's product, `pitch` what the seller said about
    it. `history` has the earlier rounds; successive buyers have `statistics` in its place.
    """

    seat: Seat
    role: Role
    round: int | None
    rounds_told: int | None
    price: float
    p: float | None
    high_worth: float | None
    low_worth: float | None
    seller_knows_values: bool
    buyer_knows_p: bool
    message_type: MessageType
    buyer: BuyerType
    buyer_may_write: bool
    max_message_chars: int
    quality_feedback: Literal["every_round", "after_purchase"]
    statistics_told: Literal["paper", "code"]
    quality: Quality | None
    pitch: Seen | None
    history: tuple[Seen, ...]
    statistics: Statistics | None
    ended: Ended | None


@dataclass(frozen=True, slots=True)
class Persuasion:
    """The rules.

    `p` is the chance that a product is of high quality; `v` and `c` are what one of high and of low
    quality is worth to the buyer in units of `product_price` (dollars). A `myopic` buyer is a new
    one in every round. `forfeit_as` says what the silence of a player who used up its tries means:
    `pass` (no recommendation, an empty message, no purchase) or the `end` of the game.
    Raises ValueError for a field that no game can have.
    """

    p: float = 0.5
    v: float = 1.25
    c: float = 0.0
    product_price: float = 10_000
    total_rounds: int = 20
    horizon: Horizon = "stated"
    seller_knows_values: bool = True
    buyer_knows_p: bool = True
    message_type: MessageType = "binary"
    buyer: BuyerType = "long_living"
    allow_buyer_message: bool = False
    forfeit_as: ForfeitAs = "pass"
    max_message_chars: int = 2000
    compat: GleeCompat = field(default_factory=GleeCompat)

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"p: give a chance from 0 to 1; you gave {self.p!r}.")
        if not (isfinite(self.v) and self.v >= 1):
            raise ValueError(f"v: give 1 or more, in units of the price; you gave {self.v!r}.")
        if not 0 <= self.c <= 1:
            raise ValueError(f"c: give 0 to 1, in units of the price; you gave {self.c!r}.")
        if not (isfinite(self.product_price) and self.product_price > 0):
            raise ValueError(
                f"product_price: give an amount above 0 dollars; you gave {self.product_price!r}."
            )
        if self.total_rounds < 1:
            raise ValueError(f"total_rounds: give 1 or more; you gave {self.total_rounds!r}.")
        if self.max_message_chars < 0:
            raise ValueError(
                f"max_message_chars: give 0 or more; you gave {self.max_message_chars!r}."
            )
        for name, options in _OPTIONS.items():
            if getattr(self, name) not in options:
                allowed, got = " or ".join(map(repr, options)), getattr(self, name)
                raise ValueError(f"{name}: give {allowed}; you gave {got!r}.")

    @property
    def seats(self) -> tuple[Seat, ...]:
        """Alice, who sells, and Bob, who buys."""
        return _SEATS

    @property
    def rounds_told(self) -> int | None:
        """The number of rounds as the players are told it, None if they are not."""
        return self.total_rounds if self.horizon == "stated" else None

    def start(self, rng: Random) -> PersuasionState:
        """Round 1. Nature draws all qualities, one number of `rng` each.

        So one seed is the same luck at every p: what is high at one p is high at every larger p.
        """
        drawn = (rng.random() < self.p for _ in range(self.total_rounds))
        return PersuasionState(tuple("high" if high else "low" for high in drawn))

    def to_move(self, state: PersuasionState) -> tuple[Seat, ...]:
        """Alice speaks, then Bob decides, in every round."""
        if state.ended is not None:
            return ()
        return ("alice",) if state.pitch is None else ("bob",)

    def holder(self, state: PersuasionState, seat: Seat) -> int:
        """The number of the round for a myopic Bob, who is somebody else in every round."""
        return state.round if seat == "bob" and self.buyer == "myopic" else 0

    def view(self, state: PersuasionState, seat: Seat) -> PersuasionView:
        """What `seat` may know: qualities are Alice's at once, and Bob's when rules say so."""
        seller = seat == "alice"
        new = not seller and self.buyer == "myopic"
        valued = not seller or self.seller_knows_values
        return PersuasionView(
            seat=seat,
            role="seller" if seller else "buyer",
            round=self._number(state.round, seat),
            rounds_told=self.rounds_told,
            price=self.product_price,
            p=self.p if seller or self.buyer_knows_p else None,
            high_worth=self._worth("high") if valued else None,
            low_worth=self._worth("low") if valued else None,
            seller_knows_values=self.seller_knows_values,
            buyer_knows_p=self.buyer_knows_p,
            message_type=self.message_type,
            buyer=self.buyer,
            buyer_may_write=self.allow_buyer_message,
            max_message_chars=self.max_message_chars,
            quality_feedback=self.compat.quality_feedback,
            statistics_told=self.compat.myopic_stats,
            quality=state.qualities[state.round - 1] if seller else None,
            pitch=None if state.pitch is None else self._seen(state.pitch, seat),
            history=() if new else tuple(self._seen(past, seat) for past in state.history),
            statistics=self._statistics(state.history) if new else None,
            ended=state.ended,
        )

    def _worth(self, quality: Quality) -> float:
        return _product(self.v if quality == "high" else self.c, self.product_price)

    def _number(self, number: int, seat: Seat) -> int | None:
        """A round's number, which GLEE's code does not tell new buyers."""
        told = seat == "alice" or self.buyer == "long_living" or self.compat.myopic_stats == "paper"
        return number if told else None

    def _statistics(self, history: tuple[Round, ...]) -> Statistics:
        sold = [past.quality for past in history if past.bought]
        rounds = len(history) if self.compat.myopic_stats == "paper" else None
        return Statistics(rounds, len(sold), sold.count("high"))

    def _seen(self, past: Round, seat: Seat) -> Seen:
        """A round as `seat` knows it: Bob learns the quality after his decision, if at all."""
        if seat == "alice":
            known, valued = True, self.seller_knows_values
        else:
            always = self.compat.quality_feedback == "every_round" and past.bought is not None
            known = valued = always or past.bought is True
        return Seen(
            round=self._number(past.round, seat),
            quality=past.quality if known else None,
            worth=self._worth(past.quality) if known and valued else None,
            recommendation=past.recommendation,
            message=past.message,
            bought=past.bought,
            buyer_message=past.buyer_message,
        )

    def move_type(self, state: PersuasionState, seat: Seat) -> type[Move]:
        """What the seller says, or what the buyer does about it."""
        if state.pitch is None:
            return Recommendation if self.message_type == "binary" else SellerMessage
        return PurchaseWithMessage if self.allow_buyer_message else Purchase

    def check(self, state: PersuasionState, seat: Seat, move: Move) -> None:
        """Raise `IllegalMove` unless it is this seat's turn and the rules allow `move`."""
        if seat not in self.to_move(state):
            raise IllegalMove(Remark("It is not your turn."))
        expected = self.move_type(state, seat)
        if type(move) is not expected:
            due, got = expected.__name__, type(move).__name__
            raise IllegalMove("Now a {due} is due, not a {got}.", due=due, got=got)
        if not isinstance(move, SellerMessage) and move.decision not in ("yes", "no"):
            raise IllegalMove("Say yes or no; you said {got!r}.", got=move.decision)
        talks = isinstance(move, (SellerMessage, PurchaseWithMessage))
        if talks and len(move.message) > self.max_message_chars:
            raise IllegalMove(
                "A message has at most {most} characters; yours has {got}.",
                most=self.max_message_chars,
                got=len(move.message),
            )

    def step(self, state: PersuasionState, moves: Mapping[Seat, Move]) -> PersuasionState:
        """What the seller says opens the round to the buyer, whose decision closes it."""
        (seat,) = self.to_move(state)
        match moves[seat]:
            case Recommendation(decision):
                return self._spoken(state, decision, "")
            case SellerMessage(message):
                return self._spoken(state, None, message)
            case Purchase(decision):
                return self._decided(state, decision == "yes", "")
            case PurchaseWithMessage(decision, message):
                return self._decided(state, decision == "yes", message)

    def _spoken(
        self, state: PersuasionState, recommendation: Decision | None, message: str
    ) -> PersuasionState:
        now = state.round
        pitch = Round(now, state.qualities[now - 1], recommendation, message)
        return PersuasionState(state.qualities, now, pitch, state.history, None, state.forfeits)

    def _decided(self, state: PersuasionState, bought: bool, message: str) -> PersuasionState:
        pitch = state.pitch
        if pitch is None:
            raise ValueError("the buyer came before the seller: `check` was not asked")
        closed = Round(
            pitch.round, pitch.quality, pitch.recommendation, pitch.message, bought, message
        )
        history = (*state.history, closed)
        over = state.round >= self.total_rounds
        return PersuasionState(
            state.qualities,
            state.round if over else state.round + 1,
            None,
            history,
            Ended.PLAYED if over else None,
            state.forfeits,
        )

    def forfeit(self, state: PersuasionState, seat: Seat) -> PersuasionState:
        """As `forfeit_as` says: no recommendation or no purchase, or the end of the game.

        Either way it is on record; rounds after the end, and the open one, are not played.
        """
        marked = replace(state, forfeits=(*state.forfeits, Forfeit(state.round, seat)))
        if self.forfeit_as == "end":
            return replace(marked, ended=Ended.FORFEIT)
        if seat == "bob":
            return self._decided(marked, False, "")
        return self._spoken(marked, "no" if self.message_type == "binary" else None, "")

    def payoffs(self, state: PersuasionState) -> Mapping[Seat, float]:
        """Dollars over all rounds: the price of every product sold; its worth less its price.

        Raises ValueError if the game is not over.
        """
        tally, price = self._tally(state), rational(self.product_price)
        high, low = rational(self.v) - 1, rational(self.c) - 1
        return {
            "alice": float(tally.sold * price),
            "bob": float((tally.high_sold * high + tally.low_sold * low) * price),
        }

    def metrics(self, state: PersuasionState) -> Mapping[str, float]:
        """GLEE's measures, gains per round in units of the price, and distances to benchmarks.

        `self_gain@seat`, `efficiency`, `fairness` follow the compat switches; `_paper` and
        `_official_code` hold both conventions. Efficiency is missing without a product of high
        quality, fairness without one of low quality.
        Raises ValueError if the game is not over.
        """
        tally, v, c = self._tally(state), rational(self.v), rational(self.c)
        found = {
            **named("", outcome(tally, v, c, self.compat.buyer_gain_metrics)),
            **counts(tally),
            **{f"forfeits@{seat}": _forfeits(state, seat) for seat in _SEATS},
            **named("_paper", outcome(tally, v, c, "paper")),
            **named("_official_code", outcome(tally, v, c, "official_code")),
        }
        predicted = self.prediction()
        for label, variant in _BENCHMARKS.items():
            for seat in _SEATS:
                distance = found[f"self_gain@{seat}"] - predicted[f"self_gain{variant}@{seat}"]
                found[f"distance_to_{label}@{seat}"] = distance
        return found

    def _tally(self, state: PersuasionState) -> Tally:
        if state.ended is None:
            raise ValueError("the game is not over: there are no payoffs yet")
        bought = [past.quality for past in state.history if past.bought]
        return Tally(
            total=self.total_rounds,
            rounds=len(state.history),
            high_rounds=sum(past.quality == "high" for past in state.history),
            high_sold=bought.count("high"),
            low_sold=bought.count("low"),
        )

    def prediction(self) -> Mapping[str, float]:
        """Babbling, on average over nature; two benchmarks with more trust under other names.

        Babbling is the equilibrium of a single round, so of successive buyers and of any number of
        rounds that is known (backward induction); under a hidden number it is one of many. Names
        in `_commitment` are those of a seller who can bind itself, in `_truthful` of one who says
        what is. All suppose that both know p, v and c.
        """
        formula = self.compat.buyer_gain_metrics
        return dict(_prediction(self.p, self.v, self.c, self.total_rounds, formula))


@lru_cache(maxsize=4096)
def _product(share: float, price: float) -> float:
    """Dollars, free of binary noise."""
    return float(rational(share) * rational(price))


def _forfeits(state: PersuasionState, seat: Seat) -> float:
    return float(sum(forfeit.seat == seat for forfeit in state.forfeits))


@lru_cache(maxsize=1024)
def _prediction(p: float, v: float, c: float, rounds: int, formula: Metrics) -> Mapping[str, float]:
    values = rational(v), rational(c)
    equilibrium = expected(babbling(p, v, c), rational(p), rounds)
    found = named("", outcome(equilibrium, *values, formula)) | counts(equilibrium)
    for variant, sales in (("_commitment", commitment), ("_truthful", truthful)):
        tally = expected(sales(p, v, c), rational(p), rounds)
        found |= named(variant, outcome(tally, *values, formula))
    return found
