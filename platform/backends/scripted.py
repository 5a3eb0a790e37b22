"""A model that is no model: instant, seeded answers. Knows no game, only prompts and JSON schemas.

What it says depends on the question and its seed, never on who asked first.
"""

import asyncio
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Literal, TypeAlias

import orjson
from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from catallaxy.agents.chat import BackendFailed, Message, Reply, Sampling, Schema, Usage
from catallaxy.platform.backends.base import Backend
from catallaxy.platform.backends.draws import PHRASES, Draws, Instance
from catallaxy.platform.backends.limits import FREE, Limits, Prices

Mode: TypeAlias = Literal["random", "split", "echo", "garbage"]

GARBAGE = (
    "I would rather talk about the weather.",
    '{"',
    '{"offer": ',
    "```json\n{}\n```",
    "As a language model, I cannot take part in a negotiation.",
)
NUMBERS = (0.0, 100.0)  # the range of a number that neither schema nor prompt bounds
SCHEMAS = 256  # remembered; a game has few
_GAIN = "_gain"
_MONEY = re.compile(
    r"\$\s?(?P<before>\d[\d,]*(?:\.\d+)?)"  # $1,250.50
    r"|(?P<after>\d[\d .]*(?:,\d+)?) ?(?:Dollar\b|\$(?!\d))"  # 1 250,50 Dollar
)
_LENGTH_TOKEN = 4  # characters


@dataclass(frozen=True, kw_only=True)
class Scripted(Backend):
    """Draws its answers; a stand-in for a model wherever the model is not the question.

    `random` draws an instance of the schema. `split` does so too, but two numbers named `*_gain`
    share the largest sum of money in the first message that names one (of the first two: the rules
    and the briefing), in whole dollars, and every other number lies between 0 and that sum. `echo`
    says the last message again; `garbage` is never readable.
    `replies`, if there are any, are said in turn instead; each may be a Jinja template over
    `seat`, `turn`, `tried`, `seed` and `last` (the last message).

    A word or a boolean that accepts comes up with `accept_probability`. `error_rate` is the share
    of unreadable replies; `fail_rate` the share of questions whose first attempt fails as a
    server would. `latency_s` is the mean of a lognormal wait, `latency_sigma` its spread.
    `numbers` bounds what neither schema nor prompt bounds.
    """

    provider: ClassVar[str] = "scripted"

    mode: Mode = "split"
    model: str = "scripted"
    replies: tuple[str, ...] = ()
    accept_probability: float = 0.5
    error_rate: float = 0.0
    fail_rate: float = 0.0
    latency_s: float = 0.0
    latency_sigma: float = 0.0
    numbers: tuple[float, float] | None = None
    limits: Limits = field(default_factory=lambda: Limits(concurrency=256, backoff_s=0.01))
    prices: Prices = FREE

    def __post_init__(self) -> None:
        for name in ("accept_probability", "error_rate", "fail_rate"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is a share, 0 to 1; got {getattr(self, name)!r}.")
        for name in ("latency_s", "latency_sigma"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name} must be at least 0; got {getattr(self, name)!r}.")

    @property
    def constrains(self) -> bool:
        return self.mode in ("random", "split") and not self.replies and not self.error_rate

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        question = _question(messages, sampling)
        draws = Draws(question)
        if self.latency_s:
            await asyncio.sleep(self._latency(question))
        if self.fail_rate:
            self._fail_once(question)
        text = self._text(messages, schema, sampling, draws)
        read = 0
        for message in messages:
            read += len(message.content)
        usage = Usage(read // _LENGTH_TOKEN, len(text) // _LENGTH_TOKEN)
        return Reply(text, usage, "stop", self.model)

    def _text(
        self,
        messages: Sequence[Message],
        schema: Schema | None,
        sampling: Sampling,
        draws: Draws,
    ) -> str:
        if self.error_rate and draws.unit() < self.error_rate:
            return draws.one_of(GARBAGE)
        if self.replies:
            return self._said(messages, sampling)
        if self.mode == "echo":
            return messages[-1].content if messages else ""
        if self.mode == "garbage":
            return draws.one_of(GARBAGE)
        if schema is None:
            return draws.one_of(PHRASES)
        return orjson.dumps(self._value(messages, schema, draws)).decode()

    def _value(self, messages: Sequence[Message], schema: Schema, draws: Draws) -> Any:
        pie = _pie(messages) if self.mode == "split" else None
        range_ = self.numbers or (NUMBERS if pie is None else (0.0, pie))
        instance = Instance(schema, range_, self.accept_probability)
        gains = self._gains_in(schema) if pie is not None else None
        if pie is None or gains is None:
            return instance.draw(schema, draws)
        mine = int(draws.unit() * (int(pie) + 1))
        rest: float = pie - mine
        shares = {gains[0]: mine, gains[1]: int(rest) if rest == int(rest) else rest}
        return {
            name: shares[name] if name in shares else instance.draw(rule, draws)
            for name, rule in schema["properties"].items()
        }

    def _gains_in(self, schema: Schema) -> tuple[str, str] | None:
        known = self._known_gains.get(id(schema))
        if known is None or known[0] is not schema:
            if len(self._known_gains) >= SCHEMAS:
                self._known_gains.clear()
            # the schema is kept, so that its id is not given to another
            known = self._known_gains[id(schema)] = (schema, _gains(schema))
        return known[1]

    @cached_property
    def _known_gains(self) -> dict[int, tuple[Schema, tuple[str, str] | None]]:
        return {}

    def _said(self, messages: Sequence[Message], sampling: Sampling) -> str:
        call = sampling.call
        turn = call.turn if call is not None else 0
        said = self._sayings[turn % len(self._sayings)]
        if isinstance(said, str):
            return said
        try:
            return said.render(
                seat=call.seat if call is not None else "",
                turn=turn,
                tried=call.tried if call is not None else 0,
                seed=sampling.seed,
                last=messages[-1].content if messages else "",
            )
        except TemplateError as error:
            raise BackendFailed(f"{self.where}: replies: {error}") from error

    @cached_property
    def _sayings(self) -> tuple[str | Template, ...]:
        words = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
        return tuple(
            words.from_string(text) if "{{" in text or "{%" in text else text
            for text in self.replies
        )

    @cached_property
    def _failed(self) -> set[str]:
        return set()

    def _fail_once(self, question: str) -> None:
        if question in self._failed:
            self._failed.discard(question)
        elif Draws(f"failure\0{question}").unit() < self.fail_rate:
            self._failed.add(question)
            raise BackendFailed(f"{self.where}: failed on purpose (fail_rate)", transient=True)

    def _latency(self, question: str) -> float:
        draws = Draws(f"latency\0{question}")
        radius = math.sqrt(-2.0 * math.log(1.0 - draws.unit()))
        normal = radius * math.cos(2.0 * math.pi * draws.unit())
        sigma = self.latency_sigma
        return self.latency_s * math.exp(sigma * normal - sigma * sigma / 2.0)


def _pie(messages: Sequence[Message]) -> float | None:
    for message in messages[:2]:
        if (found := largest_sum(message.content)) is not None:
            return found
    return None


@lru_cache(maxsize=4096)
def largest_sum(text: str) -> float | None:
    """The largest sum of money that `text` names, in dollars; None if it names none."""
    sums = [
        float(found["before"].replace(",", ""))
        if found["before"]
        else float(re.sub(r"[ .]", "", found["after"]).replace(",", "."))
        for found in _MONEY.finditer(text)
    ]
    return max(sums, default=None)


def _gains(schema: Schema) -> tuple[str, str] | None:
    properties = schema.get("properties", {})
    gains = [
        name
        for name in properties
        if name.endswith(_GAIN) and properties[name].get("type") in ("number", "integer")
    ]
    return (gains[0], gains[1]) if len(gains) == 2 else None


def _question(messages: Sequence[Message], sampling: Sampling) -> str:
    last = messages[-1].hash if messages else ""
    call = sampling.call
    if call is None:
        return f"{sampling.seed}\0{len(messages)}\0{last}"
    return (
        f"{sampling.seed}\0{call.episode}\0{call.seat}\0{call.turn}\0{call.tried}"
        f"\0{len(messages)}\0{last}"
    )
