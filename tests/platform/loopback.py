"""A model server for tests: on the loopback, says what it is told to, remembers what it was asked.

Also a clock that jumps, so that minutes of waiting take no time.
"""

import asyncio
import heapq
import selectors
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from aiohttp import web

from catallaxy.agents.chat import CallKey, Message, Sampling

T = TypeVar("T")

Answer = Callable[[dict[str, Any]], Awaitable[web.StreamResponse] | web.StreamResponse]

SCHEMA = {
    "type": "object",
    "properties": {"keep": {"type": "number"}},
    "required": ["keep"],
    "additionalProperties": False,
}
ASKED = (Message("system", "You divide $100."), Message("user", "Your offer?"))


def sampling(seed: int = 7, *, episode: str = "e1", turn: int = 0, tried: int = 0) -> Sampling:
    """A choice of everything that can be chosen."""
    return Sampling(0.7, 0.9, 50, seed, CallKey(episode, "alice", turn, tried))


def completion(text: object, **more: Any) -> dict[str, Any]:
    """A chat completion as a server sends it."""
    return {
        "id": "chatcmpl-1",
        "model": "served",
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 8},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
        **more,
    }


def says(body: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """An HTTP response with a JSON or raw body."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return web.Response(body=raw, status=status, headers=headers, content_type="application/json")


@dataclass
class Server:
    """What the server was asked, and what it says next; the last answer is said again and again."""

    answers: list[Answer]
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Handle one POST."""
        self.bodies.append(orjson.loads(await request.read()))
        self.headers.append(dict(request.headers))
        chosen = self.answers[min(len(self.bodies), len(self.answers)) - 1]
        response = chosen(self.bodies[-1])
        return response if isinstance(response, web.StreamResponse) else await response


@asynccontextmanager
async def serving(*answers: Answer) -> AsyncGenerator[Server]:
    """A server that gives `answers` in turn."""
    server = Server(list(answers))
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


class _Jump(selectors.DefaultSelector):
    """Never waits: time passes instead."""

    clock = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout:
            self.clock += timeout
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.clock


def run_fast(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` on a clock that jumps."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)


def busiest(times: list[float], window: float, weights: list[float] | None = None) -> float:
    """The largest total of `weights` (or of events) in any half-open window of that length."""
    events = sorted(zip(times, weights or [1.0] * len(times), strict=True))
    heap: list[tuple[float, float]] = []
    total = most = 0.0
    for at, weight in events:
        heapq.heappush(heap, (at, weight))
        total += weight
        while heap[0][0] <= at - window + 1e-6:
            total -= heapq.heappop(heap)[1]
        most = max(most, total)
    return most
