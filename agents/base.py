"""What an agent is: from an ask to an act. Knows no retries, no record, no scheduling."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from catallaxy.agents.chat import CallKey, Message, Reply
from catallaxy.games.base import Seat


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


class Agent(Protocol):
    """Who decides. Stateless during an episode: the table owns the dialogue."""

    async def act(self, ask: Ask) -> Act:
        """Answer `ask`. Raises BackendFailed when the model cannot be reached."""
        ...
