"""A model server of fixed capacity, in a process of its own: slots, a service time, first come
first served.

Its answers are legal moves of bargaining over $10,000 and depend on the request's bytes alone.
Synthetic: no tokens, no batching, no prefix cache; it stands for an engine that is the limit.
"""

import asyncio
import heapq
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from types import TracebackType
from typing import Any

import orjson

PIE = 10_000
ROUNDS = 5  # offers are rejected before this round


@dataclass(frozen=True, slots=True)
class Spent:
    """What the engine did since it was last asked to forget. Clock: monotonic, of this machine."""

    served: int
    first: float  # arrival of the first request
    last: float  # end of the last answer
    busy: float  # seconds of work, all slots
    cpu: float
    asked: int
    again: int  # requests that came before
    again_answered: int  # and whose first answer had been sent

    @property
    def window(self) -> float:
        """Seconds from the first request to the last answer."""
        return self.last - self.first


class Engine:
    """The server's process, as a context. `slots` answers at a time, each after `service_s`."""

    def __init__(self, slots: int, service_s: float) -> None:
        self.slots = slots
        self.service_s = service_s

    def __enter__(self) -> "Engine":
        command = [sys.executable, "-m", __name__, str(self.slots), str(self.service_s)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if self._process.stdout is None:
            raise RuntimeError("no pipe")
        port = int(self._process.stdout.readline())
        self._root = f"http://127.0.0.1:{port}"
        self.url = f"{self._root}/v1"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def overrides(self) -> tuple[str, ...]:
        """A run against this engine."""
        return (
            "backend=endpoint",
            f"backend.base_url={self.url}",
            "backend.model=synthetic",
            "check=false",
        )

    def spent(self) -> Spent:
        """What it did since `forget`."""
        return Spent(**self._get("spent"))

    def forget(self) -> None:
        """Count anew."""
        self._get("forget")

    def kept(self) -> list[tuple[str, bytes]]:
        """Session and body of every request since `forget`, in the order of arrival."""
        return [(session, body.encode()) for session, body in self._get("kept")]

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self._root}/{path}") as answer:
            return orjson.loads(answer.read())


def move(body: bytes) -> str:
    """A legal move: amounts from the hash of the request, acceptance in round 5, 6 or 7."""
    number = int.from_bytes(blake2b(body, digest_size=8).digest())
    if b'"decision"' not in body[body.rfind(b'"response_format"') :]:
        mine = number % (PIE + 1)
        return f'{{"alice_gain": {mine}, "bob_gain": {PIE - mine}}}'
    told = body.count(b'"role":"assistant"')
    return '{"decision": "accept"}' if told + 1 >= ROUNDS + number % 3 else '{"decision": "reject"}'


class _Slots:
    """Who is served when, and what is known of it."""

    def __init__(self, slots: int, service_s: float) -> None:
        self._service_s = service_s
        self._free = [0.0] * slots
        self._known: dict[bytes, int] = {}
        self._cpu = 0.0
        self.forget()

    def forget(self) -> None:
        self._served = self._asked = self._again = self._again_answered = 0
        self._first = self._last = 0.0
        self._kept: list[tuple[str, bytes]] = []
        self._known.clear()
        self._cpu = time.process_time()

    def take(self, head: bytes, body: bytes, send: Callable[[bytes], bool]) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._first = self._first or now
        self._asked += 1
        self._kept.append((_header(head, b"x-session-id"), body))
        asked = blake2b(body, digest_size=16).digest()
        if asked in self._known:
            self._again += 1
            self._again_answered += self._known[asked]
        else:
            self._known[asked] = 0
        done = max(now, self._free[0]) + self._service_s
        heapq.heapreplace(self._free, done)
        loop.call_at(done, self._answer, asked, body, send, done)

    def _answer(
        self, asked: bytes, body: bytes, send: Callable[[bytes], bool], done: float
    ) -> None:
        if not send(_completion(body)):
            return
        self._known[asked] = 1
        self._served += 1
        self._last = done

    def spent(self) -> dict[str, float]:
        return {
            "served": self._served,
            "first": self._first,
            "last": self._last,
            "busy": self._served * self._service_s,
            "cpu": time.process_time() - self._cpu,
            "asked": self._asked,
            "again": self._again,
            "again_answered": self._again_answered,
        }

    def get(self, path: bytes) -> bytes:
        if path == b"/kept":
            return orjson.dumps([(session, body.decode()) for session, body in self._kept])
        if path == b"/forget":
            self.forget()
        return orjson.dumps(self.spent())


class _Connection(asyncio.Protocol):
    """Just enough HTTP/1.1."""

    def __init__(self, slots: _Slots) -> None:
        self._slots = slots
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            whole = end + 4 + int(_header(head, b"content-length") or 0)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            if head.startswith(b"GET "):
                self._send(self._slots.get(head.split(b" ", 2)[1]))
            else:
                self._slots.take(head, body, self._send)

    def _send(self, content: bytes) -> bool:
        if self._transport.is_closing():
            return False
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % len(content)
            + content
        )
        return True


def _header(head: bytes, name: bytes) -> str:
    at = head.lower().find(b"\r\n" + name + b":")
    if at < 0:
        return ""
    return head[at + len(name) + 3 :].split(b"\r\n", 1)[0].strip().decode()


def _completion(body: bytes) -> bytes:
    text = move(body)
    return orjson.dumps(
        {
            "id": "synthetic",
            "model": "synthetic",
            "choices": [
                {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": len(body) // 4, "completion_tokens": len(text) // 4},
        }
    )


async def _serve(slots: int, service_s: float) -> None:
    served = _Slots(slots, service_s)
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(served), "127.0.0.1", 0, backlog=4096
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
