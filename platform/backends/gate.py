"""What all backends share: limits, time-outs, retries, prices and the record of every call.

Knows no client, no engine, no database.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from time import time
from typing import Any, TypeAlias

import orjson

from catallaxy.agents.chat import BackendFailed, CallKey, Message, Reply, Sampling, Schema
from catallaxy.platform.backends.base import Backend
from catallaxy.platform.backends.cassette import Cassette
from catallaxy.platform.backends.deadlines import Deadlines
from catallaxy.platform.backends.failures import error_type
from catallaxy.platform.backends.loops import PerLoop
from catallaxy.platform.backends.pace import Pace
from catallaxy.platform.errors import NotReady
from catallaxy.platform.record import Call

log = logging.getLogger(__name__)

Sink: TypeAlias = Callable[[Call], None]

NO_CALL = CallKey("", "", 0, 0)  # asked for outside any episode

_READY = (
    Message("system", "You are asked whether you are there, before a game begins."),
    Message("user", "Are you ready? Answer in one short sentence of plain English."),
)
_READY_SCHEMA: Schema = {
    "type": "object",
    "properties": {"ready": {"type": "string", "enum": ["yes", "no"]}},
    "required": ["ready"],
    "additionalProperties": False,
}
_READY_SAMPLING = Sampling(max_tokens=256, seed=0)
_READY_RETRIES = 2  # a person waits for this answer


class _Live:
    """What belongs to one event loop."""

    __slots__ = ("deadlines", "jitter", "pace", "slots")

    def __init__(self, gate: "Gate") -> None:
        self.slots = asyncio.Semaphore(gate.limits.concurrency)
        self.pace = Pace(gate.limits)
        self.deadlines = Deadlines(gate.limits.timeout_s)
        self.jitter = Random()  # of its own: waiting must not disturb any draw that matters


class Gate:
    """A ChatModel around one backend. Give it a `sink` and it records every attempt there.

    A `cassette` answers first; what is not in it is asked. Travels as plain data: name, backend
    and limits; sink, cassette and what is in flight stay behind.
    """

    def __init__(self, name: str, backend: Backend) -> None:
        self.name = name
        self.backend = backend
        self.limits = backend.limits
        self._whole = backend  # before it was shared
        self.sink: Sink | None = None
        self.cassette: Cassette | None = None
        self._live = PerLoop(self._open)

    def __repr__(self) -> str:
        return f"Gate({self.name!r}, {self.backend!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "whole": self._whole,
            "backend": self.backend,
            "limits": self.limits,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        Gate.__init__(self, state["name"], state["whole"])
        self.backend = state["backend"]
        self.limits = state["limits"]

    def share(self, parts: int) -> None:
        """From now on this process gets one of `parts` equal parts of every limit."""
        self.limits = self._whole.limits.part(parts)
        self.backend = self._whole.part(parts)
        self._live = PerLoop(self._open)

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        """Answer from the cassette or the backend. Raises BackendFailed when patience is spent."""
        prompt = tuple(messages)
        if self.cassette is not None:
            found = self.cassette.find(self.backend.model, prompt, sampling)
            if found is not None:
                if not self.cassette.own:
                    asked = _Asked(prompt, sampling, 1, time())
                    self._record(asked, found, asked.started, cost=0.0, reused=True)
                return found
        return await self._ask(prompt, schema, sampling)

    async def check(self) -> None:
        """Ask the model one tiny question, unrecorded. Raises NotReady if there is no answer.

        A backend that claims to hold replies to a schema and does not is warned about.
        """
        if self.backend.reused:
            return
        quiet = Gate(self.name, self.backend)
        quiet.limits = self.limits
        try:
            reply = await quiet._ask(
                _READY, _READY_SCHEMA, _READY_SAMPLING, min(_READY_RETRIES, self.limits.retries)
            )
        except BackendFailed as error:
            raise NotReady(f"backend {self.name!r}: {_naming(self.backend, error)}") from error
        if self.backend.constrains and reply.finish != "length" and not _obeys(reply.text):
            log.warning(
                "backend %r: %s was given a JSON schema and ignored it (it said %.80r); "
                "set structured to what this server understands, or expect unreadable moves",
                self.name,
                self.backend.where,
                reply.text,
            )

    async def close(self) -> None:
        """Close the backend's connections on this event loop."""
        live = self._live.take()
        if live is not None:
            live.deadlines.close()
        await self.backend.close()

    def _open(self) -> _Live:
        return _Live(self)

    async def _ask(
        self,
        prompt: tuple[Message, ...],
        schema: Schema | None,
        sampling: Sampling,
        retries: int | None = None,
    ) -> Reply:
        live = self._live.get()
        patience = self.limits.retries if retries is None else retries
        attempt = 1
        while True:
            try:
                return await self._attempt(live, prompt, schema, sampling, attempt)
            except BackendFailed as error:
                wait = self._wait(live, error, attempt, patience)
            await asyncio.sleep(wait)
            attempt += 1

    async def _attempt(
        self,
        live: _Live,
        prompt: tuple[Message, ...],
        schema: Schema | None,
        sampling: Sampling,
        attempt: int,
    ) -> Reply:
        async with live.slots:
            reserved = 0 if live.pace.free else await live.pace.enter(prompt, sampling)
            asked = _Asked(prompt, sampling, attempt, time())
            wait = live.deadlines.begin()
            try:
                reply = await self.backend.reply(prompt, schema, sampling)
            except asyncio.CancelledError as cancelled:
                if not wait.over():
                    raise
                text = f"{self.backend.where}: no answer within {self.limits.timeout_s:g} s"
                error = BackendFailed(text, transient=True)
                error.__cause__ = TimeoutError()
                self._failed(asked, error)
                raise error from cancelled
            except BackendFailed as error:
                live.pace.leave(reserved, 0)
                self._failed(asked, error)
                raise
            finally:
                live.deadlines.end(wait)
        usage = reply.usage
        if reserved:
            live.pace.leave(reserved, usage.input + usage.output)
        cost = 0.0 if self.backend.reused else self.backend.prices.cost(usage)
        self._record(asked, reply, time(), cost=cost, reused=self.backend.reused)
        return reply

    def _wait(self, live: _Live, error: BackendFailed, attempt: int, retries: int) -> float:
        """Seconds until the next attempt; raises `error` where another one cannot help."""
        if not error.transient:
            raise error
        limits, asked = self.limits, error.retry_after or 0.0
        if attempt > retries:
            raise BackendFailed(
                f"{_naming(self.backend, error)} (gave up after {attempt} attempts)",
                transient=True,
                retry_after=error.retry_after,
            ) from error
        if asked > max(limits.backoff_max_s, limits.timeout_s):
            raise BackendFailed(
                f"{_naming(self.backend, error)}: the server asks to wait {asked:g} s, longer than "
                "backoff_max_s and timeout_s allow; resume the run later",
                transient=True,
                retry_after=asked,
            ) from error
        if asked:
            live.pace.quiet(asked)
        ceiling = min(limits.backoff_max_s, limits.backoff_s * 2.0 ** min(attempt - 1, 60))
        return asked + live.jitter.uniform(0.0, ceiling)

    def _failed(self, asked: "_Asked", error: BackendFailed) -> None:
        if self.sink is not None:
            kind = error_type(error)
            self.sink(asked.call(self, None, error_type=kind, error=str(error), ended=time()))

    def _record(
        self, asked: "_Asked", reply: Reply, ended: float, *, cost: float | None, reused: bool
    ) -> None:
        if self.sink is not None:
            self.sink(asked.call(self, reply, cost=cost, ended=ended, reused=reused))


@dataclass(slots=True)
class _Asked:
    """One attempt, as it left."""

    prompt: tuple[Message, ...]
    sampling: Sampling
    attempt: int
    started: float

    def call(
        self,
        gate: Gate,
        reply: Reply | None,
        *,
        ended: float,
        error_type: str | None = None,
        error: str | None = None,
        cost: float | None = None,
        reused: bool = False,
    ) -> Call:
        """The record of this attempt, now that it is over."""
        backend = gate.backend
        return Call(
            self.sampling.call or NO_CALL,
            self.attempt,
            gate.name,
            backend.provider,
            backend.model,
            self.sampling,
            self.prompt,
            reply,
            error_type,
            error,
            cost,
            self.started,
            ended,
            reused,
        )


def _naming(backend: Backend, error: BackendFailed) -> str:
    """The error's words, with address and model in front where they do not say it yet."""
    text = str(error)
    return text if backend.model in text else f"{backend.where}: {text}"


def _obeys(text: str) -> bool:
    try:
        return orjson.loads(text).get("ready") in ("yes", "no")
    except (orjson.JSONDecodeError, AttributeError):
        return False
