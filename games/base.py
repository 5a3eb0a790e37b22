"""What a game is. Knows no words, no model, no clock, no file.

A game is a frozen value: its fields are the rules' parameters, its methods are pure functions of a
frozen state. Sequential, simultaneous, repeated and many-seat games are all this one protocol.
"""

from collections.abc import Mapping
from random import Random
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

Seat: TypeAlias = str

State = TypeVar("State")
View = TypeVar("View", covariant=True)
Move = TypeVar("Move")


class Remark(str):
    """A sentence to a player that can be said in another language too.

    It is the English sentence itself; `template` is that sentence before `facts` were put in their
    places (`str.format`), under which a wording finds its translation.
    """

    __slots__ = ("facts", "template")

    template: str
    facts: Mapping[str, Any]

    def __new__(cls, template: str, **facts: Any) -> "Remark":
        """The sentence with `facts` in its places."""
        self = super().__new__(cls, template.format(**facts))
        self.template, self.facts = template, facts
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _remark, (self.template, dict(self.facts))


def _remark(template: str, facts: Mapping[str, Any]) -> Remark:
    return Remark(template, **facts)


class IllegalMove(ValueError):
    """A move that the rules forbid. The text is read back to the player: say what is allowed.

    `IllegalMove("At most {most} coins.", most=3)` keeps text and facts apart for translations.
    """

    def __init__(self, text: str, **facts: Any) -> None:
        super().__init__(Remark(text, **facts) if facts else text)


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


@runtime_checkable
class Succeeded(Protocol):
    """A game in which one person after another takes a seat. Optional: most keep their players."""

    def holder(self, state: Any, seat: Seat) -> int:
        """The number of the person on `seat` now; a new one has heard nothing of the old one's."""
        ...
