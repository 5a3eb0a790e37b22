"""A real small model inside this process: llama.cpp through the `xllamacpp` package.

Needs no account, no GPU and no compiler. Knows no wire format: it starts a server on the loopback
and asks it as `Endpoint` asks any other.
"""

import asyncio
import importlib
import os
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from catallaxy.agents.chat import BackendFailed, Message, Reply, Sampling, Schema
from catallaxy.platform.backends.base import Backend
from catallaxy.platform.backends.endpoint import Endpoint
from catallaxy.platform.backends.limits import FREE, Limits, Prices
from catallaxy.platform.backends.weights import SMOLLM2, cache_folder, fetch
from catallaxy.platform.errors import NotReady

SILENT = -1  # llama.cpp's log level


@dataclass(frozen=True, kw_only=True)
class Local(Backend):
    """SmolLM2-135M-Instruct, or the GGUF file of your own that `gguf` names.

    `slots` requests are worked on at once, each with a `context` of so many tokens. `threads` 0
    means all cores, but for one where there are more than two. Starts on the first question:
    1 to 3 s, and a download of 93 MB once ever.
    """

    provider: ClassVar[str] = "llama.cpp"

    model: str = "SmolLM2-135M-Instruct"
    gguf: str | None = None
    slots: int = 4
    context: int = 4096
    threads: int = 0
    cache_dir: str | None = None
    limits: Limits = field(default_factory=lambda: Limits(concurrency=8))
    prices: Prices = FREE

    @property
    def constrains(self) -> bool:
        return True

    def part(self, parts: int) -> "Local":
        # two processes with a thread per core each wait for each other: 23 instead of 97 tok/s
        return self if parts == 1 else replace(self, threads=max(1, _threads(self) // parts))

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        endpoint = self._engine.endpoint
        if endpoint is None:
            endpoint = await asyncio.to_thread(self._engine.start)
        return await endpoint.reply(messages, schema, sampling)

    async def close(self) -> None:
        engine = self.__dict__.pop("_engine", None)
        if engine is not None:
            if engine.endpoint is not None:
                await engine.endpoint.close()
            await asyncio.to_thread(engine.stop)

    @cached_property
    def _engine(self) -> "_Engine":
        return _Engine(self)


class _Engine:
    """The server of one Local in this process."""

    def __init__(self, local: Local) -> None:
        self._local = local
        self._starting = threading.Lock()
        self._server: list[Any] = []
        self.endpoint: Endpoint | None = None
        # also runs when the interpreter ends, while llama.cpp's threads can still be joined
        self.stop = weakref.finalize(self, self._server.clear)

    def start(self) -> Endpoint:
        """Start the server once, and say how to reach it."""
        with self._starting:
            if self.endpoint is None:
                server = _serve(self._local)
                self._server.append(server)
                self.endpoint = Endpoint(
                    base_url=f"{server.listening_address}/v1",
                    model=self._local.model,
                    provider=self._local.provider,
                    limits=self._local.limits,
                )
            return self.endpoint


def _serve(local: Local) -> Any:
    try:
        # an optional package, 100 MB: only this backend needs it
        xllamacpp: Any = importlib.import_module("xllamacpp")
    except ImportError as error:
        raise BackendFailed(
            f"{local.where}: the package xllamacpp is missing; install catallaxy[local]"
        ) from error
    params = xllamacpp.CommonParams()
    params.model.path = str(_weights(local))
    params.model_alias = {local.model}
    params.n_parallel = local.slots
    params.n_ctx = local.slots * local.context
    params.cpuparams.n_threads = _threads(local)
    params.cpuparams_batch.n_threads = _threads(local)
    params.verbosity = SILENT
    params.ui = False
    params.endpoint_slots = False
    try:
        return xllamacpp.Server(params)
    except (RuntimeError, ValueError, OSError) as error:
        raise BackendFailed(
            f"{local.where}: llama.cpp could not load {params.model.path}: {error}; "
            "is it a GGUF file of a chat model, and is there memory for it?"
        ) from error


def _threads(local: Local) -> int:
    if local.threads:
        return local.threads
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return cores if cores <= 2 else cores - 1  # a thread that waits for a core stalls the others


def _weights(local: Local) -> Path:
    if local.gguf is not None:
        file = Path(local.gguf).expanduser()
        if not file.is_file():
            raise BackendFailed(f"{local.where}: gguf: there is no file {local.gguf!r}")
        return file
    try:
        return fetch(SMOLLM2, cache_folder(local.cache_dir))
    except NotReady as error:
        raise BackendFailed(f"{local.where}: {error}") from error
