"""The one seam to every language model: messages in, one reply out. Knows no client, no game."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal, Protocol, TypeAlias

Role: TypeAlias = Literal["system", "user", "assistant"]
Schema: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """One message of a dialogue. `content` is stored and sent as it stands."""

    role: Role
    content: str

    @property
    def hash(self) -> str:
        """The key under which the store keeps this text: 32 hex digits over role and content."""
        kept = self.__dict__  # cached by hand: functools.cached_property takes a lock
        if "hash" not in kept:
            text = f"{self.role}\0{self.content}".encode("utf-8", "surrogatepass")
            kept["hash"] = blake2b(text, digest_size=16).hexdigest()
        return kept["hash"]


@dataclass(frozen=True, slots=True)
class CallKey:
    """For whom a model is asked: which dialogue, which turn of the episode, which try of it.

    `play` counts how often the episode was begun; it is no part of what identifies the question.
    """

    episode: str
    seat: str
    turn: int
    tried: int
    play: int = 1

    @property
    def dialogue(self) -> str:
        """The dialogue's id: what routing keeps on one server."""
        return f"{self.episode}/{self.seat}"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a reply is drawn. None leaves the choice to the backend."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    call: CallKey | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. `cached` is the part of `input` that the server had already read."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered, as text, and what it cost.

    `finish` is the server's finish reason ("stop", "length", ...); `model` is the name that the
    server gave itself; `reasoning` is private thinking that a server returned beside the text.
    """

    text: str
    usage: Usage = field(default_factory=Usage)
    finish: str = "stop"
    model: str = ""
    id: str = ""
    reasoning: str = ""


class BackendFailed(Exception):
    """A model could not be asked or did not answer: never the player's fault.

    `transient` says whether asking again can help; `retry_after` is the server's wish in seconds.
    """

    def __init__(
        self, text: str, *, transient: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(text)
        self.transient = transient
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (str(self), self.transient, self.retry_after))


def _rebuild(text: str, transient: bool, retry_after: float | None) -> BackendFailed:
    return BackendFailed(text, transient=transient, retry_after=retry_after)


class ChatModel(Protocol):
    """One way to reach a model. Opens its connection on first use, so that it travels pickled."""

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        """Answer `messages`; constrained by the JSON `schema` where the server can.

        Raises BackendFailed, and nothing else, when there is no answer.
        """
        ...
