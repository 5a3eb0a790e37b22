"""Requests and tokens per minute, without polling. Knows no backend, no retries."""

import asyncio
from collections import deque
from collections.abc import Sequence

from catallaxy.agents.chat import Message, Sampling
from catallaxy.platform.backends.limits import Limits

MINUTE_S = 60.0
CHARACTERS_PER_TOKEN = 4  # a usual ratio for English; corrected by what the server counted
UNBOUNDED_REPLY = 512  # tokens set aside for a reply whose length nobody bounded
_DUST = 1e-9


class Bucket:
    """A token bucket: never more than `per_minute` within a minute, first come first served.

    It holds one second's worth. Who wants more than it can hold waits until it is full, and those
    who come later pay the debt.
    """

    def __init__(self, per_minute: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._capacity = max(1.0, per_minute / MINUTE_S)
        # what the bucket holds at the start counts within the first minute as well
        self._rate = (per_minute - (self._capacity - 1.0)) / MINUTE_S
        self._level = self._capacity
        self._at = self._loop.time()
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, amount: float) -> None:
        """Return when `amount` may be used. A cancelled waiter takes nothing."""
        granted: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((amount, granted))
        self._pump()
        try:
            await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                self._pump()
            else:
                self.give(amount)
            raise

    def give(self, amount: float) -> None:
        """Put back what was taken and not used; a negative `amount` takes more, without waiting."""
        self._refill()
        self._level = min(self._capacity, self._level + amount)
        self._pump()

    def _refill(self) -> None:
        now = self._loop.time()
        self._level = min(self._capacity, self._level + (now - self._at) * self._rate)
        self._at = now

    def _pump(self) -> None:
        self._refill()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            amount, granted = self._waiting[0]
            if granted.done():
                self._waiting.popleft()
                continue
            short = min(amount, self._capacity) - self._level
            if short > _DUST:
                self._timer = self._loop.call_later(short / self._rate, self._pump)
                return
            self._waiting.popleft()
            self._level -= amount
            granted.set_result(None)


class Pace:
    """When the next request may leave: both buckets, and a pause that a server asked for."""

    def __init__(self, limits: Limits) -> None:
        self._loop = asyncio.get_running_loop()
        self._requests = _bucket(limits.requests_per_minute)
        self._tokens = _bucket(limits.tokens_per_minute)
        self._quiet_until = 0.0
        self.free = self._requests is None and self._tokens is None  # nobody ever has to wait

    async def enter(self, prompt: Sequence[Message], sampling: Sampling) -> int:
        """Wait for this request's turn; the tokens that were set aside for it."""
        # a pause has a known end, nobody signals it
        while self._quiet_until and (left := self._quiet_until - self._loop.time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left)
        if self._requests is not None:
            await self._requests.take(1)
        if self._tokens is None:
            return 0
        reserved = _estimate(prompt, sampling)
        try:
            await self._tokens.take(reserved)
        except asyncio.CancelledError:
            if self._requests is not None:
                self._requests.give(1)
            raise
        return reserved

    def leave(self, reserved: int, used: int) -> None:
        """Correct what was set aside by what was used."""
        if self._tokens is not None and reserved != used:
            self._tokens.give(reserved - used)

    def quiet(self, seconds: float) -> None:
        """Nobody asks for so long: the server said so."""
        self.free = False
        self._quiet_until = max(self._quiet_until, self._loop.time() + seconds)


def _bucket(per_minute: float | None) -> Bucket | None:
    return None if per_minute is None else Bucket(per_minute)


def _estimate(prompt: Sequence[Message], sampling: Sampling) -> int:
    read = sum(len(message.content) for message in prompt) // CHARACTERS_PER_TOKEN
    return read + (sampling.max_tokens or UNBOUNDED_REPLY)
