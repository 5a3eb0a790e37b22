"""What two games of alternating offers have in common for one who searches a best response."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, TypeAlias

from catallaxy.games.base import Seat
from catallaxy.platform.analysis.best_response.asking import Policy

Said: TypeAlias = Literal["accept", "reject", "leave"]
State: TypeAlias = Any  # of either game


@dataclass(frozen=True, slots=True)
class Terms(ABC):
    """What a game of alternating offers means to `seat`.

    `most` is the largest claim in coins, `usual` the largest that makes sense to try at random;
    `limited` says whether the rules forbid to claim more than `most`. A payoff over `scale` is a
    gain.
    """

    rules: Any
    seat: Seat
    other: Seat
    scale: float
    most: int
    usual: int
    limited: bool

    def due(self, state: State) -> type[Any]:
        """The class of the move that is due."""
        (mover,) = self.rules.to_move(state)
        return self.rules.move_type(state, mover)

    @abstractmethod
    def claim(self, state: State, coins: int) -> Any:
        """The move of `seat` that claims `coins`: an offer, or a rejection that carries one."""

    @abstractmethod
    def answer(self, state: State, said: Literal["accept", "reject"]) -> Any:
        """The move that says so to the open offer and nothing else, whoever it is for."""

    @abstractmethod
    def said(self, move: Any) -> Said:
        """What an answer says."""

    def counters(self, state: State) -> bool:
        """Whether who rejects the open offer makes the next one with the same move."""
        return False

    def gain(self, state: State) -> float:
        """What the seat has gained when the game is over."""
        return self.rules.payoffs(state)[self.seat] / self.scale

    def worth(self, offered: State) -> float:
        """What the seat gains if the open offer is accepted."""
        (mover,) = self.rules.to_move(offered)
        accepted = self.answer(offered, "accept")
        return self.gain(self.rules.step(offered, {mover: accepted}))

    def claimed(self, state: State, coins: int) -> State:
        """The state in which that claim is open."""
        return self.rules.step(state, {self.seat: self.claim(state, coins)})

    def turn(self, offered: State) -> State | None:
        """Where the seat can claim once it does not accept the open offer; None if it is over."""
        if offered.round >= self.rules.max_rounds:
            return None
        if self.counters(offered):
            return offered
        return self.rules.step(offered, {self.seat: self.answer(offered, "reject")})

    def offers(self, policy: Policy, claimed: State, luck: Sequence[int]) -> list[State]:
        """What the other offers after it rejected the open claim; nothing if it is over."""
        if claimed.round >= self.rules.max_rounds:
            return []
        if not self.counters(claimed):
            reject = {self.other: self.answer(claimed, "reject")}
            return self._next(self.rules.step(claimed, reject), policy, luck)
        moves = [m for m in policy.moves(claimed, luck) if self.said(m) == "reject"]
        return [self.rules.step(claimed, {self.other: move}) for move in moves]

    def opening(self, policy: Policy, luck: Sequence[int]) -> list[State]:
        """What the other offers if it begins; nothing if the seat does."""
        start = self.rules.start(Random(0))
        if self.rules.to_move(start) == (self.seat,):
            return []
        return self._next(start, policy, luck)

    def _next(self, state: State, policy: Policy, luck: Sequence[int]) -> list[State]:
        moves = policy.moves(state, luck)
        return [self.rules.step(state, {self.other: move}) for move in moves]
