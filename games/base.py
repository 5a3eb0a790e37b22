"""What a game is. Knows no words, no model, no clock, no file.

A game is a frozen value: its fields are the rules' parameters, its methods are pure functions of a
frozen state. Sequential, simultaneous, repeated and many-seat games are all this one protocol.
"""

from collections.abc import Mapping
from random import Random
from typing import Protocol, TypeAlias, TypeVar, runtime_checkable

Seat: TypeAlias = str

State = TypeVar("State")
View = TypeVar("View", covariant=True)
Move = TypeVar("Move")


class IllegalMove(ValueError):
    """A move that the rules forbid. The text is read back to the player: say what is allowed."""


class Game(Protocol[State, View, Move]):
    """The rules of one game. Seed and moves replay an episode exactly."""

    @property
    def seats(self) -> tuple[Seat, ...]:
        """The places at this game, in the order in which tables print them."""
        ...

    def start(self, rng: Random) -> State:
        """The opening state. All of nature's luck that is not counter-based comes from `rng`."""
        ...

    def to_move(self, state: State) -> tuple[Seat, ...]:
        """Who moves now: one seat, several at once, or () when the game is over."""
        ...

    def view(self, state: State, seat: Seat) -> View:
        """All that `seat` may know now. What is not in the view cannot reach a prompt."""
        ...

    def move_type(self, state: State, seat: Seat) -> type[Move]:
        """The dataclass of the move that `seat` makes now; schema and parser derive from it."""
        ...

    def check(self, state: State, seat: Seat, move: Move) -> None:
        """Raise `IllegalMove`, worded for the player, unless the rules allow `move`."""
        ...

    def step(self, state: State, moves: Mapping[Seat, Move]) -> State:
        """The state after one legal move of every seat in `to_move(state)`."""
        ...

    def forfeit(self, state: State, seat: Seat) -> State:
        """The state after `seat` used up its tries: the game's declared default."""
        ...

    def payoffs(self, state: State) -> Mapping[Seat, float]:
        """What every seat earned, in the unit of the game (dollars, points). Final states only."""
        ...

    def metrics(self, state: State) -> Mapping[str, float]:
        """The literature's measures by the literature's names; `name@seat` belongs to one seat."""
        ...


@runtime_checkable
class Predicted(Protocol):
    """A game whose theory predicts its metrics. Optional: not every game has a solution."""

    def prediction(self) -> Mapping[str, float]:
        """What theory expects, under the names that `metrics` uses. Missing where undefined."""
        ...
