"""What an agent is: from an ask to an act. Knows no retries, no record, no scheduling."""

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from catallaxy.agents.chat import CallKey, Message, Reply
from catallaxy.games.base import Remark, Seat


class Words(Protocol):
    """What words a view; `agents/wording.py` has the one that is written in YAML."""

    def messages(self, ask: "Ask", *, persona: str, scratchpad: bool) -> tuple[Message, ...]:
        """What is new for this seat since `ask.dialogue`. Raises ValueError if it does not fit."""
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to one seat.

    `dialogue` is what this seat and its model have said so far in this episode, `objection` why
    the last try was refused (None on the first), `tries_left` counts this try, `seed` is this
    try's own random seed (31 bits), and `wording` is the words of this game.
    """

    seat: Seat
    view: Any  # the view of any game
    move_type: type[Any]
    dialogue: tuple[Message, ...]
    wording: Words
    seed: int
    call: CallKey
    objection: str | None = None
    tries_left: int = 1


@dataclass(frozen=True, slots=True)
class Act:
    """One answer: a move, or None and the trouble in words.

    `messages` are appended to the dialogue. `reasoning` is private: recorded, shown to nobody.
    """

    move: Any | None
    messages: tuple[Message, ...] = ()
    reply: Reply | None = None
    trouble: str | None = None
    reasoning: str = field(default="")


@dataclass(frozen=True, slots=True)
class End:
    """What one seat is told when its episode is over; `play` as in `CallKey`.

    `payoff` is None if the episode could not be played to its end.
    """

    episode: str
    play: int
    seat: Seat
    view: Any
    payoff: float | None


@runtime_checkable
class Specialist(Protocol):
    """An agent that knows some games only. Optional: models and people play any."""

    def plays(self, view: Any) -> bool:
        """Whether it can play the game of this view."""
        ...


@runtime_checkable
class Attends(Protocol):
    """An agent that wants to hear how an episode ended. Optional: models do not."""

    def end(self, end: End) -> None:
        """Take note of the end, without waiting for anybody."""
        ...


@runtime_checkable
class Connected(Protocol):
    """An agent that reaches out of this process (a page, a server). Optional."""

    async def check(self) -> None:
        """See before a run that it can be reached. Raises BackendFailed with one sentence."""
        ...

    async def close(self) -> None:
        """Let go of what it holds in this process. Twice does no harm."""
        ...


def trouble(error: ValueError) -> str:
    """What an error says to the player, with what is needed to say it in another language."""
    said = error.args[0] if error.args else ""
    return said if isinstance(said, Remark) else str(error)


class Agent(Protocol):
    """Who decides. Stateless during an episode: the table owns the dialogue."""

    async def act(self, ask: Ask) -> Act:
        """Answer `ask`. Raises BackendFailed when the model cannot be reached."""
        ...
