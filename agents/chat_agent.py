"""An agent that words its view, asks a model and reads the reply. Never retries, never invents."""

from dataclasses import dataclass

from catallaxy.agents.base import Act, Ask, trouble
from catallaxy.agents.chat import ChatModel, Message, Sampling
from catallaxy.agents.moves import Extraction, read, schema


@dataclass(frozen=True, slots=True)
class ChatAgent:
    """A language model at a seat.

    `persona` is told to the model once, with its private briefing; `scratchpad` asks for private
    reasoning before the move (recorded, never shown to the other side); `constrain` sends the JSON
    schema so that the server can constrain its decoding.
    """

    model: ChatModel
    persona: str = ""
    scratchpad: bool = False
    constrain: bool = True
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    json_extraction: Extraction = "string_aware"

    async def act(self, ask: Ask) -> Act:
        """Answer `ask` with one call to the model; trouble in words if the reply is unreadable."""
        said = ask.wording.messages(ask, persona=self.persona, scratchpad=self.scratchpad)
        form = schema(ask.move_type, scratchpad=self.scratchpad) if self.constrain else None
        sampling = Sampling(self.temperature, self.top_p, self.max_tokens, ask.seed, ask.call)
        reply = await self.model.reply((*ask.dialogue, *said), form, sampling)
        added = (*said, Message("assistant", reply.text))
        try:
            found = read(reply.text, ask.move_type, extraction=self.json_extraction)
        except ValueError as error:
            return Act(None, added, reply, trouble(error), reply.reasoning)
        return Act(found.move, added, reply, None, found.reasoning or reply.reasoning)
