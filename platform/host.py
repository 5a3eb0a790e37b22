"""A host plays many episodes at once, as coroutines, and hands what happened to the record.

Knows no Ray and no DuckDB: `write` takes calls and episodes and returns when they are durable.
"""

import asyncio
import contextlib
import gc
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from catallaxy.agents.base import Agent, Connected
from catallaxy.agents.wording import Wording
from catallaxy.platform.backends.cassette import Cassette, RecordedCall
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.backends.replay import Replay
from catallaxy.platform.episode import Table
from catallaxy.platform.record import Call, Engagement, Episode, Outcome, Past
from catallaxy.platform.store.rows import AgentRow, LedgerEntry, Run, VariantRow

BATCH_S = 0.01  # what settles within 10 ms is handed to the record together
WAITING = 4096  # episodes that may wait for the record before play pauses
HEARTBEAT_S = 0.5
# Episodes are trees of values without cycles: Python's usual search for cycles among all that waits
# for the record takes a fifth of the time of a turn.
RARE_COLLECTIONS = (100_000, 20, 100)

Write = Callable[[Sequence[Call], Sequence[Episode]], Awaitable[None]]


@dataclass(frozen=True)
class Session:
    """Everything that a host needs to play, as plain data that pickles.

    `wordings` are by game and name. `gates` are all backends that `agents` use, each once, so that
    limits and sinks can be set;
    `recordings` are the calls that the replaying ones among them answer from, by name.
    """

    agents: Mapping[str, Agent]
    wordings: Mapping[str, Mapping[str, Wording]]
    gates: tuple[Gate, ...] = ()
    table: Table = field(default_factory=Table)
    recordings: Mapping[str, tuple[RecordedCall, ...]] = field(default_factory=dict)

    def slots(self) -> int:
        """How many requests the backends of this session may have under way at once."""
        return sum(gate.backend.limits.concurrency for gate in self.gates)


@dataclass(frozen=True, slots=True)
class Plan:
    """An engagement to be played for the `play`-th time, with the calls that are already known."""

    engagement: Engagement
    play: int = 1
    recorded: tuple[RecordedCall, ...] = ()


@dataclass(slots=True)
class Spent:
    """What the models cost so far: calls that returned, tokens, US dollars, failed requests."""

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    errors: int = 0
    reused: int = 0

    def add(self, call: Call) -> None:
        """Count one call."""
        if call.reply is None:
            self.errors += 1
            return
        if call.reused:
            self.reused += 1
            return
        self.calls += 1
        self.input_tokens += call.reply.usage.input
        self.cached_tokens += call.reply.usage.cached
        self.output_tokens += call.reply.usage.output
        self.cost += call.cost or 0.0

    def plus(self, other: "Spent") -> None:
        """Add what another host spent."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class Report:
    """What a host has finished and spent since its last report; also a sign of life."""

    outcomes: tuple[Outcome, ...] = ()
    spent: Spent = field(default_factory=Spent)
    turns: int = 0
    again: int = 0  # episodes begun again because a host died


@dataclass(frozen=True, slots=True)
class Recording:
    """How the record is kept: every `rotate_s` seconds other processes can query a live run."""

    rotate_s: float = 2.0


class Hosting(Protocol):
    """A running cluster: a place to play, and the record."""

    @property
    def record(self) -> "Record":
        """The one writer of the run."""
        ...

    def play(self, plans: Iterable[Plan]) -> AsyncGenerator[Report, None]:
        """Play every plan once; reports in the order of completion, and at least twice a second."""
        ...

    async def close(self, status: str) -> None:
        """Stop playing, keep what was settled, close the record."""
        ...


class Record(Protocol):
    """The writer of a run, as the marketplace sees it. Every method returns when it is durable."""

    async def begin(self, run: Run, agents: Sequence[AgentRow]) -> Past:
        """The run starts, or goes on: what earlier launches left. The ledger is begun anew."""
        ...

    async def declare(self, variants: Sequence[VariantRow]) -> None:
        """What is going to be played, and what theory expects of it."""
        ...

    async def recorded(self, episodes: Sequence[str]) -> Mapping[str, tuple[RecordedCall, ...]]:
        """The answered calls of `episodes`."""
        ...

    async def plan(self, engagements: Sequence[Engagement]) -> None:
        """The design; engagements that are known already are kept."""
        ...

    async def settle(self, postings: Sequence[LedgerEntry]) -> None:
        """Postings of the ledger."""
        ...


class Cluster(Protocol):
    """Where a run is played, as configured."""

    async def open(self, session: Session, folder: Path, recording: Recording) -> Hosting:
        """Start what is needed. Raises NotReady with one sentence when that is impossible."""
        ...


class Host:
    """Plays the plans that it is given, at most `in_flight` at a time."""

    def __init__(self, session: Session, write: Write, *, in_flight: int, parts: int = 1) -> None:
        self._session = session
        self._write = write
        self._plans: deque[Plan] = deque()
        self._given = asyncio.Event()
        self._calls: list[Call] = []
        self._episodes: list[Episode] = []
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._unwritten = 0
        self._outcomes: list[Outcome] = []
        self._spent = Spent()
        self._turns = 0
        self._news = asyncio.Event()
        self._fault: BaseException | None = None
        self._cassette = Cassette((), own=True)
        for gate in session.gates:
            if isinstance(gate.backend, Replay):
                gate.backend.load(session.recordings[gate.name])
            gate.share(parts)
            gate.sink = self._called
            gate.cassette = self._cassette
        self._collecting = gc.get_threshold()
        gc.set_threshold(*RARE_COLLECTIONS)
        self._writes: set[asyncio.Task[None]] = set()
        self._tasks = [asyncio.create_task(self._serve()) for _ in range(in_flight)]
        self._tasks.append(asyncio.create_task(self._hand_over()))

    def give(self, plans: Iterable[Plan]) -> None:
        """Queue plans; returns at once."""
        self._plans.extend(plans)
        self._given.set()

    async def take(self) -> Report:
        """What has been finished since the last call; waits at most `HEARTBEAT_S` for something.

        Raises what broke the record, if something did.
        """
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._news.wait(), HEARTBEAT_S)
        if self._fault is not None:
            raise self._fault
        self._news.clear()
        report = Report(tuple(self._outcomes), self._spent, self._turns)
        self._outcomes, self._spent, self._turns = [], Spent(), 0
        return report

    async def close(self) -> None:
        """Stop in mid-episode; what had returned by then is handed to the record."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._fault is None:
            self._flush()
        await asyncio.gather(*self._writes, return_exceptions=True)
        gc.set_threshold(*self._collecting)
        for gate in self._session.gates:
            await gate.close()
        for agent in self._session.agents.values():
            if isinstance(agent, Connected):
                await agent.close()

    def _called(self, call: Call) -> None:
        self._spent.add(call)
        self._calls.append(call)
        self._changed.set()

    async def _serve(self) -> None:
        while True:
            while not self._plans:
                self._given.clear()
                await self._given.wait()
            plan = self._plans.popleft()
            await self._room.wait()
            try:
                await self._play(plan)
            except Exception as error:  # noqa: BLE001  a bug of ours: whoever takes is told
                self._fault = error
                self._news.set()
                return
            await asyncio.sleep(0)  # agents without a model never wait: let the record have a turn

    async def _play(self, plan: Plan) -> None:
        engagement = plan.engagement
        agents = {seat: self._session.agents[name] for seat, name in engagement.seats.items()}
        words = self._session.wordings[engagement.game][engagement.wording]
        self._cassette.extend(plan.recorded)
        episode = await self._session.table.play(engagement, words, agents, plan.play)
        self._cassette.forget(engagement.id)
        self._turns += len(episode.turns)
        self._episodes.append(episode)
        self._unwritten += 1
        if self._unwritten >= WAITING:
            self._room.clear()
        self._changed.set()

    async def _hand_over(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(BATCH_S)
            self._flush()

    def _flush(self) -> None:
        self._changed.clear()
        calls, self._calls = self._calls, []
        episodes, self._episodes = self._episodes, []
        if calls or episodes:
            task = asyncio.create_task(self._written(calls, episodes))
            self._writes.add(task)
            task.add_done_callback(self._writes.discard)

    async def _written(self, calls: list[Call], episodes: list[Episode]) -> None:
        try:
            await self._write(calls, episodes)
        except BaseException as error:  # noqa: BLE001  whoever takes the next report is told
            self._fault = error
        self._outcomes.extend(map(Outcome.of, episodes))
        self._unwritten -= len(episodes)
        if self._unwritten < WAITING:
            self._room.set()
        self._news.set()


def in_flight(session: Session, wished: int | None, hosts: int = 1) -> int:
    """Episodes in flight per host: four per slot of the backends, so that no slot waits."""
    if wished is not None:
        return max(1, wished)
    return min(512, max(8, 4 * session.slots() // hosts))
