"""An agent that words its view, asks a model and reads the reply. Never retries, never invents."""

from dataclasses import dataclass

from catallaxy.agents.base import Act, Ask, trouble
from catallaxy.agents.chat import ChatModel, Message, Sampling
from catallaxy.agents.moves import Extraction, read, schema

_OPENING = 2  # messages that are always sent: the rules; the briefing with the first question


@dataclass(frozen=True, slots=True)
class ChatAgent:
    """A language model at a seat.

    `persona` is told to the model once, with its private briefing; `scratchpad` asks for private
    reasoning before the move (recorded, never shown to the other side); `constrain` sends the JSON
    schema so that the server can constrain its decoding. `window` is how many of the latest
    messages the model is sent, after the rules, the briefing and the first question: for games that
    outgrow a small model's context (None: all; the record keeps all in any case).
    """

    model: ChatModel
    persona: str = ""
    scratchpad: bool = False
    constrain: bool = True
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    window: int | None = None
    json_extraction: Extraction = "string_aware"

    def __post_init__(self) -> None:
        if self.temperature is not None and not self.temperature >= 0:
            raise ValueError(
                f"temperature: give 0 or more, or null; you gave {self.temperature!r}."
            )
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(
                f"top_p: give more than 0 and up to 1, or null; you gave {self.top_p!r}."
            )
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"max_tokens: give 1 or more, or null; you gave {self.max_tokens!r}.")
        if self.window is not None and self.window < 1:
            raise ValueError(f"window: give 1 message or more, or null; you gave {self.window!r}.")

    async def act(self, ask: Ask) -> Act:
        """Answer `ask` with one call to the model; trouble in words if the reply is unreadable."""
        said = ask.wording.messages(ask, persona=self.persona, scratchpad=self.scratchpad)
        form = schema(ask.move_type, scratchpad=self.scratchpad) if self.constrain else None
        sampling = Sampling(self.temperature, self.top_p, self.max_tokens, ask.seed, ask.call)
        reply = await self.model.reply(self._sent((*ask.dialogue, *said)), form, sampling)
        added = (*said, Message("assistant", reply.text))
        try:
            found = read(reply.text, ask.move_type, extraction=self.json_extraction)
        except ValueError as error:
            return Act(None, added, reply, trouble(error), reply.reasoning)
        return Act(found.move, added, reply, None, found.reasoning or reply.reasoning)

    def _sent(self, dialogue: tuple[Message, ...]) -> tuple[Message, ...]:
        """What of a dialogue the model reads; user and assistant go on taking turns."""
        if self.window is None or len(dialogue) - _OPENING <= self.window:
            return dialogue
        latest = dialogue[-self.window :]
        if latest[0].role == "user" and len(latest) > 1:
            latest = latest[1:]
        return (*dialogue[:_OPENING], *latest)
