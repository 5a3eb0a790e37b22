"""Everything in one process, on one event loop: for laptops, debugging and tests."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from catallaxy.platform.backends.cassette import RecordedCall
from catallaxy.platform.host import Host, Hosting, Plan, Recording, Report, Session, in_flight
from catallaxy.platform.record import Call, Engagement, Episode, Past
from catallaxy.platform.store.rows import AgentRow, LedgerEntry, Run, VariantRow
from catallaxy.platform.store.writer import Store

LOCK_WAIT_S = 15.0  # a killed run's writer needs seconds to vanish


@dataclass(frozen=True)
class Inline:
    """One process. `in_flight` episodes at a time; null is four per slot of the backends."""

    in_flight: int | None = None

    async def open(self, session: Session, folder: Path, recording: Recording) -> Hosting:
        """Open the store and start one host."""
        store = await asyncio.to_thread(
            Store, folder, wait_s=LOCK_WAIT_S, rotate_s=recording.rotate_s
        )
        return _Here(session, store, in_flight(session, self.in_flight))


def past(store: Store) -> Past:
    """What earlier launches left; the ledger is emptied, since it is settled again from the start.

    Blocks until that is durable.
    """
    store.resettle().result()
    return Past(store.outcomes(), store.plays())


class LocalRecord:
    """The store of this process, awaitable."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def begin(self, run: Run, agents: Sequence[AgentRow]) -> Past:
        await asyncio.wrap_future(self.store.begin(run, agents))
        return await asyncio.to_thread(past, self.store)

    async def declare(self, variants: Sequence[VariantRow]) -> None:
        await asyncio.wrap_future(self.store.declare((), variants))

    async def recorded(self, episodes: Sequence[str]) -> Mapping[str, tuple[RecordedCall, ...]]:
        return await asyncio.to_thread(self.store.recorded, episodes)

    async def plan(self, engagements: Sequence[Engagement]) -> None:
        await asyncio.wrap_future(self.store.plan(engagements))

    async def settle(self, postings: Sequence[LedgerEntry]) -> None:
        await asyncio.wrap_future(self.store.settle(postings))

    async def write(self, calls: Sequence[Call], episodes: Sequence[Episode]) -> None:
        recorded = self.store.record(calls)
        await asyncio.wrap_future(self.store.append(episodes))
        await asyncio.wrap_future(recorded)


class _Here:
    def __init__(self, session: Session, store: Store, episodes: int) -> None:
        self.record = LocalRecord(store)
        self._store = store
        self._host = Host(session, self.record.write, in_flight=episodes)

    async def play(self, plans: Iterable[Plan]) -> AsyncGenerator[Report, None]:
        waiting = 0
        for plan in plans:
            self._host.give((plan,))
            waiting += 1
        while waiting:
            report = await self._host.take()
            waiting -= len(report.outcomes)
            yield report

    async def close(self, status: str) -> None:
        await self._host.close()
        await asyncio.to_thread(self._store.close, status)
