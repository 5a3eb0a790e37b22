"""What the record takes: 1 KB events per second through a Store, and what it adds to a turn."""

import asyncio
import random
import string
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from catallaxy.agents.chat import CallKey, Message, Reply, Sampling, Schema
from catallaxy.games.glee.bargaining import Bargaining
from catallaxy.platform.backends.draws import Draws
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.backends.limits import Limits
from catallaxy.platform.backends.scripted import Scripted
from catallaxy.platform.host import Host, Write
from catallaxy.platform.inline import LocalRecord
from catallaxy.platform.record import Call, Engagement, Episode, EpisodeStatus, Turn, TurnKind
from catallaxy.platform.store.rows import AgentRow, Run
from catallaxy.platform.store.writer import Store
from tests.benchmarks.measure import PAIRS, Figure, Size, interleaved, metered
from tests.benchmarks.runs import ONE_VARIANT, built, plans, scratch, through

EVENT_BYTES = 1000
TURNS = 40  # of an episode
UNWRITTEN = 400  # episodes handed over before the first must be durable
TEXTS = 4000  # different ones, so that compression has nothing to gain
RATE = 500  # turns per second of the host whose turns are timed
IN_FLIGHT = 128


def figures(size: Size) -> Iterator[Figure]:
    """Turns of 1 KB, calls with 1 KB of text, and the 99th percentile added to a turn."""
    seconds = {Size.QUICK: 8.0, Size.USUAL: 20.0, Size.FULL: 60.0}[size]
    yield _sustained("durable 1 KB events per second", seconds, _turn_events, 20_000, 40_000)
    yield _sustained("durable calls with 1 KB of new text per s", 8.0, _call_events, None, None)
    yield _added(2 if size is Size.QUICK else PAIRS, 2.0 if size is Size.QUICK else 4.0)


class _Texts:
    """1 KB texts that differ."""

    def __init__(self) -> None:
        draw = random.Random(1)
        letters = string.ascii_letters + "     "
        self._texts = ["".join(draw.choices(letters, k=EVENT_BYTES)) for _ in range(TEXTS)]

    def __getitem__(self, number: int) -> str:
        return self._texts[number % TEXTS]


class _Writing:
    """Hands one episode after another to a store."""

    def __init__(self, store: Store, texts: _Texts) -> None:
        self._store = store
        self._texts = texts
        self._rules = Bargaining()

    def engagement(self, number: int) -> Engagement:
        seats = {"alice": "alice", "bob": "bob"}
        return Engagement(number, f"e{number:07d}", "bargaining", "v", self._rules, seats, number)

    def turns(self, number: int) -> list[Future[Any]]:
        """Turns whose private reasoning has 1 KB."""
        turns = tuple(
            Turn(
                seq=seq,
                turn=seq,
                seat="alice",
                tried=0,
                kind=TurnKind.MOVE,
                move_type="Offer",
                move={"alice_gain": seq, "bob_gain": 100 - seq},
                reasoning=self._texts[number * TURNS + seq],
            )
            for seq in range(TURNS)
        )
        engagement = self.engagement(number)
        return [self._store.append([Episode(engagement, 1, EpisodeStatus.SETTLED, turns)])]

    def calls(self, number: int) -> list[Future[Any]]:
        """Calls whose new prompt and reply have 1 KB together, never said before."""
        dialogue: tuple[Message, ...] = ()
        calls = []
        for turn in range(TURNS):
            text = f"{number}/{turn} {self._texts[number * TURNS + turn]}"
            asked = (*dialogue, Message("user", text[:600]))
            reply = Reply(text[600:])
            key = CallKey(f"e{number:07d}", "alice", turn, 0)
            sampling = Sampling(seed=turn, call=key)
            calls.append(Call(key, 1, "x", "x", "x", sampling, asked, reply))
            dialogue = (*asked, Message("assistant", reply.text))
        engagement = self.engagement(number)
        ended = Episode(engagement, 1, EpisodeStatus.SETTLED, ())
        return [self._store.record(calls), self._store.append([ended])]


def _turn_events(writing: _Writing, number: int) -> list[Future[Any]]:
    return writing.turns(number)


def _call_events(writing: _Writing, number: int) -> list[Future[Any]]:
    return writing.calls(number)


def _sustained(
    measure: str, seconds: float, hand_over: Any, floor: float | None, aim: float | None
) -> Figure:
    texts = _Texts()
    with scratch() as folder, metered() as cost:
        store = Store(folder / "run")
        store.begin(Run("bench", "bench", 0), [AgentRow("alice", "x"), AgentRow("bob", "x")])
        writing = _Writing(store, texts)
        rates, number = [], 0
        waiting: deque[list[Future[Any]]] = deque()
        began = mark = time.perf_counter()
        marked = durable = 0
        while time.perf_counter() < began + seconds:
            waiting.append(hand_over(writing, number))
            number += 1
            if len(waiting) < UNWRITTEN:
                continue
            for future in waiting.popleft():
                future.result()
            durable += TURNS
            if (now := time.perf_counter()) >= mark + seconds / 8:
                rates.append((durable - marked) / (now - mark))
                mark, marked = now, durable
        store.close()
        size = sum(path.stat().st_size for path in (folder / "run").glob("store*"))
    return Figure(
        measure=measure,
        values=rates,
        unit="1/s",
        floor=floor,
        aim=aim,
        foreign=cost.foreign,
        details=(
            f"{durable} in {seconds:.0f} s, {size / max(1, durable):.0f} bytes each on the disk, "
            f"{1e6 * cost.cpu / max(1, durable):.0f} µs of CPU each, making it included"
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Timed(Scripted):
    """Answers after a lognormal wait, and notes how late the next turn of the episode arrives."""

    @cached_property
    def late(self) -> list[float]:
        """Seconds from the moment a reply was due to the arrival of the next turn."""
        return []

    @cached_property
    def _due(self) -> dict[str, float]:
        return {}

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        now = asyncio.get_running_loop().time()
        key = sampling.call
        if key is None:
            raise RuntimeError("asked outside an episode")
        due = self._due.pop(key.episode, None)
        if due is not None:
            self.late.append(now - due)
        wait = 0.5 * IN_FLIGHT / RATE * (0.5 + Draws(f"wait {key}").unit() * 3.0)
        await asyncio.sleep(wait)
        self._due[key.episode] = now + wait
        return await super().reply(messages, schema, sampling)


@dataclass(slots=True)
class _Turns:
    """The times of one pass, in seconds."""

    late: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        return 1000 * sorted(self.late)[int(share * len(self.late))]


def _added(pairs: int, seconds: float) -> Figure:
    def with_record(number: int) -> _Turns:
        with scratch() as folder:
            return asyncio.run(_recorded(folder, number, seconds))

    def without(number: int) -> _Turns:
        return asyncio.run(_timed(number, seconds, _forget))

    arms = interleaved(with_record, without, pairs=pairs)
    both = list(zip(arms.first, arms.second, strict=True))
    shown = [
        f"p{100 * share:g} {_middle(arms.first, share):.2f} with, "
        f"{_middle(arms.second, share):.2f} without"
        for share in (0.5, 0.99)
    ]
    return Figure(
        measure=f"p99 added to a turn, {RATE} turns/s",
        values=[one.found.percentile(0.99) - other.found.percentile(0.99) for one, other in both],
        unit="ms",
        floor=2.0,
        aim=0.5,
        foreign=arms.foreign,
        details=f"{'; '.join(shown)}; {arms.cpu('with record', 'without')}",
    )


def _middle(passes: Sequence[Any], share: float) -> float:
    found = sorted(each.found.percentile(share) for each in passes)
    return found[len(found) // 2]


async def _forget(calls: Sequence[Call], episodes: Sequence[Episode]) -> None:
    """Keep nothing."""


async def _recorded(folder: Path, number: int, seconds: float) -> _Turns:
    store = await asyncio.to_thread(Store, folder / "run")
    record = LocalRecord(store)
    await record.begin(Run("bench", "bench", 0), ())
    try:
        return await _timed(number, seconds, record.write)
    finally:
        await asyncio.to_thread(store.close)


async def _timed(number: int, seconds: float, write: Write) -> _Turns:
    model = Timed(accept_probability=0.1, limits=Limits(concurrency=10 * IN_FLIGHT))
    made = through(
        built(*ONE_VARIANT, "backend=scripted", "market.replicates=4000", f"seed={number}"),
        Gate("timed", model),
    )
    host = Host(made.session, write, in_flight=IN_FLIGHT)
    host.give(plans(made))
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        await host.take()
    late = list(model.late)
    await host.close()
    return _Turns(late)
