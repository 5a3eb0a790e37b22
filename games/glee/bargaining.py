"""Two players divide a pie by alternating offers while it loses value. Knows no prompt, no agent.

Alice proposes in odd rounds, Bob in even ones; who answers accepts or rejects. The game, its
parameters and its measures are GLEE's (Shapira et al. 2024, arXiv 2410.05254).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from enum import StrEnum
from math import isfinite
from random import Random
from typing import Literal, TypeAlias

from catallaxy.games.base import IllegalMove, Remark, Seat
from catallaxy.games.glee.bargaining_metrics import code_outcome, fairness, named, paper_outcome
from catallaxy.games.glee.bargaining_moves import (
    Answer,
    AnswerOrWalkAway,
    Claim,
    ClaimWithMessage,
    Move,
    Offer,
    OfferWithMessage,
    OpenDecision,
)
from catallaxy.games.glee.bargaining_theory import proposer_share
from catallaxy.games.glee.compat import GleeCompat

OfferForm: TypeAlias = Literal["division", "claim"]
Horizon: TypeAlias = Literal["stated", "hidden"]
HorizonKind: TypeAlias = Literal["single", "stated", "hidden"]
Role: TypeAlias = Literal["proposer", "responder"]

_SEATS: tuple[Seat, Seat] = ("alice", "bob")
_OFFICIAL_STATES_UP_TO = 20
_TINY = Decimal("1e-14")
_EXACT = Context(prec=700, traps=[])  # enough digits for the sum of any two floats


@dataclass(frozen=True, slots=True)
class Proposal:
    """An offer as both players saw it, and its answer; `answer` is None while it is open."""

    round: int
    proposer: Seat
    alice_gain: float
    bob_gain: float
    message: str = ""
    answer: OpenDecision | None = None


class Ended(StrEnum):
    """How a game ended."""

    AGREEMENT = "agreement"
    NO_AGREEMENT = "no_agreement"
    WALKED_AWAY = "walked_away"
    FORFEIT = "forfeit"


@dataclass(frozen=True, slots=True)
class BargainingState:
    """Where a game stands: `history` has the answered proposals, `offer` the open one."""

    round: int = 1
    offer: Proposal | None = None
    history: tuple[Proposal, ...] = ()
    ended: Ended | None = None
    forfeited_by: Seat | None = None


@dataclass(frozen=True, slots=True)
class Reminder:
    """Percent of its value that a dollar has lost since round 1; `other` is None if untold."""

    own: float
    other: float | None


@dataclass(frozen=True, slots=True)
class BargainingView:
    """All that one seat may know.

    `loss` is the percent of value that one more round costs this seat (100 (1 - delta)); what is
    the other's is None under incomplete information. `inflation_shown` says whether the rules
    mention losses at all, `rounds_told` is the number of rounds or None if it is not told.
    """

    seat: Seat
    other: Seat
    round: int
    role: Role
    pie: float
    delta: float
    loss: float
    other_delta: float | None
    other_loss: float | None
    complete_information: bool
    inflation_shown: bool
    reminder: Reminder | None
    rounds_told: int | None
    messages_allowed: bool
    max_message_chars: int
    walk_away_allowed: bool
    history: tuple[Proposal, ...]
    offer: Proposal | None
    ended: Ended | None

    @property
    def alice_loss(self) -> float | None:
        """Alice's loss in percent, None if this seat does not know it."""
        return self.loss if self.seat == "alice" else self.other_loss

    @property
    def bob_loss(self) -> float | None:
        """Bob's loss in percent, None if this seat does not know it."""
        return self.loss if self.seat == "bob" else self.other_loss


@dataclass(frozen=True, slots=True)
class Bargaining:
    """The rules.

    `pie` in dollars; `delta_a`, `delta_b` in (0, 1]: what a dollar keeps of its value to Alice and
    to Bob per further round; `horizon` says whether `max_rounds`, and that both get nothing after
    it, is told to the players; `offer_form` is how an offer is put: both amounts, as in GLEE, or
    the proposer's own (for models that cannot add); `show_inflation_update` reminds them of what
    was lost from round 2.
    Raises ValueError for a field that no game can have.
    """

    pie: float = 10_000
    delta_a: float = 0.9
    delta_b: float = 0.9
    max_rounds: int = 99
    horizon: Horizon = "hidden"
    complete_information: bool = True
    messages_allowed: bool = False
    offer_form: OfferForm = "division"
    show_inflation_update: bool = True
    max_message_chars: int = 2000
    compat: GleeCompat = field(default_factory=GleeCompat)

    def __post_init__(self) -> None:
        if not (isfinite(self.pie) and self.pie > 0):
            raise ValueError(f"pie: give an amount above 0 dollars; you gave {self.pie!r}.")
        for name, delta in (("delta_a", self.delta_a), ("delta_b", self.delta_b)):
            if not 0 < delta <= 1:
                raise ValueError(f"{name}: give a number above 0 and up to 1; you gave {delta!r}.")
        if self.max_rounds < 1:
            raise ValueError(f"max_rounds: give 1 or more; you gave {self.max_rounds!r}.")
        if self.horizon not in ("stated", "hidden"):
            raise ValueError(f"horizon: give 'stated' or 'hidden'; you gave {self.horizon!r}.")
        if self.offer_form not in ("division", "claim"):
            raise ValueError(
                f"offer_form: give 'division' or 'claim'; you gave {self.offer_form!r}."
            )
        if self.max_message_chars < 0:
            raise ValueError(
                f"max_message_chars: give 0 or more; you gave {self.max_message_chars!r}."
            )

    @property
    def seats(self) -> tuple[Seat, ...]:
        """Alice, who opens, and Bob."""
        return _SEATS

    @property
    def rounds_told(self) -> int | None:
        """The number of rounds as the players are told it, None if they are not."""
        told = self.horizon == "stated"
        if self.compat.horizon_text == "official":
            told = self.max_rounds <= _OFFICIAL_STATES_UP_TO
        return self.max_rounds if told else None

    @property
    def horizon_kind(self) -> HorizonKind:
        """Whether the players know of one single round, of a last round, or of none."""
        if self.rounds_told is None:
            return "hidden"
        return "single" if self.max_rounds == 1 else "stated"

    @property
    def inflation_shown(self) -> bool:
        """Whether the rules mention losses, to both players alike."""
        if not self.complete_information and self.compat.inflation_paragraph == "always":
            return True
        return self.delta_a < 1 or self.delta_b < 1

    def start(self, rng: Random) -> BargainingState:
        """Round 1, no offer yet. Nature has no part in this game."""
        return BargainingState()

    def to_move(self, state: BargainingState) -> tuple[Seat, ...]:
        """The proposer of an odd round is Alice; with an offer open, the other one answers."""
        if state.ended is not None:
            return ()
        alice = (state.round % 2 == 1) == (state.offer is None)
        return ("alice",) if alice else ("bob",)

    def view(self, state: BargainingState, seat: Seat) -> BargainingView:
        """Everything of `state` is public; only the other's loss may be private."""
        alice = seat == "alice"
        delta, others = (self.delta_a, self.delta_b) if alice else (self.delta_b, self.delta_a)
        role: Role = "proposer" if alice == (state.round % 2 == 1) else "responder"
        known = others if self.complete_information else None
        return BargainingView(
            seat=seat,
            other="bob" if alice else "alice",
            round=state.round,
            role=role,
            pie=self.pie,
            delta=delta,
            loss=_percent_lost(delta),
            other_delta=known,
            other_loss=None if known is None else _percent_lost(known),
            complete_information=self.complete_information,
            inflation_shown=self.inflation_shown,
            reminder=self._reminder(state.round, role, delta, others),
            rounds_told=self.rounds_told,
            messages_allowed=self.messages_allowed,
            max_message_chars=self.max_message_chars,
            walk_away_allowed=self.compat.bargaining_walk_away,
            history=state.history,
            offer=state.offer,
            ended=state.ended,
        )

    def _reminder(self, now: int, role: Role, delta: float, others: float) -> Reminder | None:
        if now == 1 or not self.show_inflation_update or not self.inflation_shown:
            return None
        if role == "proposer" and self.compat.reminder_recipients == "responder":
            return None
        both = self.complete_information or self.compat.reminder_scope == "both_losses"
        passed = now - 1
        return Reminder(
            _percent_lost(delta**passed), _percent_lost(others**passed) if both else None
        )

    def move_type(self, state: BargainingState, seat: Seat) -> type[Move]:
        """An answer while an offer is open, else an offer."""
        if state.offer is not None:
            return AnswerOrWalkAway if self.compat.bargaining_walk_away else Answer
        if self.offer_form == "claim":
            return ClaimWithMessage if self.messages_allowed else Claim
        return OfferWithMessage if self.messages_allowed else Offer

    def check(self, state: BargainingState, seat: Seat, move: Move) -> None:
        """Raise `IllegalMove` unless it is this seat's turn and the rules allow `move`."""
        if seat not in self.to_move(state):
            raise IllegalMove(Remark("It is not your turn."))
        expected = self.move_type(state, seat)
        if type(move) is not expected:
            due, got = expected.__name__, type(move).__name__
            raise IllegalMove("Now an {due} is due, not {got!r}.", due=due, got=got)
        if isinstance(move, (Answer, AnswerOrWalkAway)):
            _check_decision(move)
            return
        if isinstance(move, (Claim, ClaimWithMessage)):
            self._check_amount("claim", move.claim)
        else:
            self._check_amounts(seat, move.alice_gain, move.bob_gain)
        talks = isinstance(move, (OfferWithMessage, ClaimWithMessage))
        if talks and len(move.message) > self.max_message_chars:
            raise IllegalMove(
                "A message has at most {most} characters; yours has {got}.",
                most=self.max_message_chars,
                got=len(move.message),
            )

    def _check_amount(self, name: str, amount: float) -> None:
        if not 0 <= amount <= self.pie:  # refuses NaN too
            raise IllegalMove(
                "{name} must be a number from 0 to {pie:.15g}; you gave {got:.15g}.",
                name=name,
                pie=self.pie,
                got=amount,
            )

    def _division(
        self, seat: Seat, move: Offer | OfferWithMessage | Claim | ClaimWithMessage
    ) -> tuple[float, float]:
        """What Alice and Bob would get."""
        if isinstance(move, (Offer, OfferWithMessage)):
            return move.alice_gain, move.bob_gain
        rest = float(Decimal(repr(self.pie)) - Decimal(repr(move.claim)))
        return (move.claim, rest) if seat == "alice" else (rest, move.claim)

    def _check_amounts(self, seat: Seat, alice: float, bob: float) -> None:
        if self.compat.bargaining_bounds == "none":
            fits = alice + bob == self.pie
        else:
            self._check_amount("alice_gain", alice)
            self._check_amount("bob_gain", bob)
            fits = _adds_up(alice, bob, self.pie)
        if not fits:
            raise IllegalMove(
                "alice_gain and bob_gain must add up to exactly {pie:.15g}; "
                "{alice:.15g} and {bob:.15g} add up to {total}. {remedy}",
                pie=self.pie,
                alice=alice,
                bob=bob,
                total=_written(_sum(alice, bob)),
                remedy=self._remedy(seat, alice if seat == "alice" else bob),
            )

    def _remedy(self, seat: Seat, own: float) -> Remark:
        """The division that leaves `seat` what it asked for."""
        if not 0 <= own <= self.pie:
            return Remark("Ask for no more than there is.")
        rest = float(Decimal(repr(self.pie)) - Decimal(repr(own)))
        return Remark(
            "With {own_name} {own:.15g}, {other_name} must be {rest:.15g}.",
            own_name=f"{seat}_gain",
            own=own,
            other_name="bob_gain" if seat == "alice" else "alice_gain",
            rest=rest,
        )

    def step(self, state: BargainingState, moves: Mapping[Seat, Move]) -> BargainingState:
        """An offer opens it to the other; an answer ends the game or the round."""
        (seat,) = self.to_move(state)
        move = moves[seat]
        offer = state.offer
        if not isinstance(move, (Answer, AnswerOrWalkAway)):
            talks = isinstance(move, (OfferWithMessage, ClaimWithMessage))
            made = Proposal(
                state.round, seat, *self._division(seat, move), move.message if talks else ""
            )
            return BargainingState(state.round, made, state.history)
        if offer is None:
            raise ValueError("an answer came before an offer: `check` was not asked")
        closed = Proposal(
            offer.round,
            offer.proposer,
            offer.alice_gain,
            offer.bob_gain,
            offer.message,
            move.decision,
        )
        history = (*state.history, closed)
        if move.decision == "accept":
            return BargainingState(state.round, None, history, Ended.AGREEMENT)
        if move.decision == "walk_away":
            return BargainingState(state.round, None, history, Ended.WALKED_AWAY)
        if state.round >= self.max_rounds:
            return BargainingState(state.round, None, history, Ended.NO_AGREEMENT)
        return BargainingState(state.round + 1, None, history)

    def forfeit(self, state: BargainingState, seat: Seat) -> BargainingState:
        """No agreement: the game is over, both get nothing, and `seat` is on record."""
        return BargainingState(state.round, state.offer, state.history, Ended.FORFEIT, seat)

    def payoffs(self, state: BargainingState) -> Mapping[Seat, float]:
        """Discounted dollars: an agreed gain times the seat's delta per round passed, else 0.

        Raises ValueError if the game is not over.
        """
        deal = self._deal(state)
        if deal is None:
            return {"alice": 0.0, "bob": 0.0}
        passed = state.round - 1
        return {
            "alice": self.delta_a**passed * deal.alice_gain,
            "bob": self.delta_b**passed * deal.bob_gain,
        }

    def metrics(self, state: BargainingState) -> Mapping[str, float]:
        """GLEE's measures, gains in units of the pie, and the distance to theory.

        `self_gain@seat`, `efficiency`, `fairness` follow the compat switches; `_paper` and
        `_official_code` hold both conventions. `alice_share` only exists after an agreement.
        Raises ValueError if the game is not over.
        """
        deal = self._deal(state)
        share = None if deal is None else deal.alice_gain / self.pie
        passed = state.round - 1
        kept_a, kept_b = self.delta_a**passed, self.delta_b**passed
        paper, code = paper_outcome(share, kept_a, kept_b), code_outcome(share, kept_a, kept_b)
        now = code if self.compat.no_deal_metrics == "official_code" else paper
        found = {
            **named("", now),
            "agreement": 0.0 if share is None else 1.0,
            "rounds": float(state.round),
            **({} if share is None else {"alice_share": share}),
            **named("_paper", paper),
            **named("_official_code", code),
        }
        return found | self._distances(found)

    def _distances(self, found: Mapping[str, float]) -> dict[str, float]:
        predicted = self.prediction()
        return {
            f"distance_to_theory@{seat}": found[name] - predicted[name]
            for seat in _SEATS
            if (name := f"self_gain@{seat}") in predicted
        }

    def _deal(self, state: BargainingState) -> Proposal | None:
        if state.ended is None:
            raise ValueError("the game is not over: there are no payoffs yet")
        return state.history[-1] if state.ended is Ended.AGREEMENT else None

    def prediction(self) -> Mapping[str, float]:
        """The subgame-perfect outcome if both deltas were known: agreement in round 1.

        The division is missing where theory has none (no last round known and both deltas 1).
        """
        found = {"efficiency": 1.0, "agreement": 1.0, "rounds": 1.0}
        share = proposer_share(self.delta_a, self.delta_b, self.rounds_told)
        if share is not None:
            found["fairness"] = fairness(share)
            found["alice_share"] = share
            found["self_gain@alice"] = share
            found["self_gain@bob"] = 1 - share
        return found


def _check_decision(move: Answer | AnswerOrWalkAway) -> None:
    said = move.decision
    if said in ("accept", "reject"):
        return
    if isinstance(move, Answer):
        raise IllegalMove("Say accept or reject; you said {got!r}.", got=said)
    if said != "walk_away":
        raise IllegalMove("Say accept, reject or walk_away; you said {got!r}.", got=said)


def _percent_lost(kept: float) -> float:
    """Percent lost of what keeps the fraction `kept`, free of binary noise."""
    return round(100 * (1 - kept), 10)


def _adds_up(alice: float, bob: float, pie: float) -> bool:
    """Whether two amounts, as decimals as they were written, add up to the pie exactly."""
    if alice % 1 == 0 and bob % 1 == 0 and pie < 2**52:
        return alice + bob == pie
    return _sum(alice, bob) == Decimal(repr(pie))


def _written(amount: Decimal) -> str:
    """All digits of an amount that has few of them, 17 of any other."""
    short = amount.normalize(_EXACT)
    few = (
        short.is_finite()
        and short.adjusted() < 15
        and short == short.quantize(_TINY, context=_EXACT)
    )
    return f"{short:f}" if few else f"{short:.17g}"


def _sum(alice: float, bob: float) -> Decimal:
    return _EXACT.add(Decimal(repr(alice)), Decimal(repr(bob)))
