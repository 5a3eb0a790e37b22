"""Ray, and nothing but Ray: hosts, the store's actor, placement, what happens when one dies."""

import asyncio
import contextlib
import gc
import logging
import os
import socket
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catallaxy.platform.backends.cassette import RecordedCall
from catallaxy.platform.errors import NotReady, StoreError
from catallaxy.platform.host import (
    RARE_COLLECTIONS,
    Host,
    Hosting,
    Plan,
    Recording,
    Report,
    Session,
    in_flight,
)
from catallaxy.platform.inline import LOCK_WAIT_S, past
from catallaxy.platform.record import Call, Engagement, Episode, Outcome, Past
from catallaxy.platform.store.rows import AgentRow, LedgerEntry, Run, VariantRow
from catallaxy.platform.store.writer import Store

log = logging.getLogger(__name__)

OBJECT_STORE_BYTES = 200 * 1024**2  # our traffic is small messages
KNOCK_S = 5.0
PLACE_S = 30.0  # for a free CPU
CLOSE_S = 30.0
TOKEN = Path("~/.ray/auth_token").expanduser()
MAX_DEATHS = 20  # in a row, without one episode between them

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")


@dataclass(frozen=True)
class OnRay:
    """Hosts on a Ray cluster.

    `address` null starts Ray on this machine, `auto` joins the cluster that it belongs to. `hosts`
    null is one per CPU of the cluster. `in_flight` episodes per host; null is four per slot of the
    backends. A backend's limits are split over the hosts.
    """

    address: str | None = None
    hosts: int | None = None
    in_flight: int | None = None
    cpus_per_host: float = 1.0

    async def open(self, session: Session, folder: Path, recording: Recording) -> Hosting:
        """Join or start Ray, start the store's actor on this node, then the hosts."""
        started = await asyncio.to_thread(_join, self.address, self.hosts)
        hosts = self._how_many(session)
        field_ = _Field(self, session, folder, recording, hosts, started)
        try:
            await field_.start()
        except BaseException:
            await field_.close("failed")
            raise
        return field_

    def _how_many(self, session: Session) -> int:
        import ray

        wished = self.hosts or max(1, int(ray.available_resources().get("CPU", 1)))
        narrow = min((g.backend.limits.concurrency for g in session.gates), default=wished)
        return max(1, min(wished, narrow))


def _join(address: str | None, hosts: int | None) -> bool:
    """Whether Ray was started here (and is to be stopped at the end)."""
    if address is not None and TOKEN.exists():
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # as `ray start` set it up on this machine
    import ray

    if ray.is_initialized():
        return False
    options: dict[str, Any] = {"address": "local"}  # never somebody else's that happens to run here
    if address is None:
        options |= {
            "num_cpus": max(os.cpu_count() or 1, hosts or 1),
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
        }
    else:
        options["address"] = _knocked(address)
    try:
        ray.init(logging_level=logging.ERROR, log_to_driver=False, **options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        where = address or "on this machine"
        raise NotReady(f"Ray ({where}) cannot be reached or started: {error}") from error
    return address is None


def _knocked(address: str) -> str:
    """The address, once somebody answered there: Ray itself tries for minutes."""
    from ray._private.services import canonicalize_bootstrap_address

    try:
        found = canonicalize_bootstrap_address("auto") if address == "auto" else address
        host, _, port = str(found).removeprefix("ray://").rpartition(":")
        socket.create_connection((host, int(port)), timeout=KNOCK_S).close()
    except (OSError, ValueError) as error:
        raise NotReady(
            f"cluster.address={address}: nobody answers ({error}); start Ray with "
            "`ray start --head`, or leave cluster.address=null"
        ) from error
    return str(found)


class StoreActor:
    """The store, in a process of its own: the only writer. Methods return when it is durable."""

    def __init__(self, folder: str, recording: Recording) -> None:
        gc.set_threshold(*RARE_COLLECTIONS)
        self._store = Store(Path(folder), wait_s=LOCK_WAIT_S, rotate_s=recording.rotate_s)

    def ready(self) -> bool:
        return True

    def begin(self, run: Run, agents: Sequence[AgentRow]) -> Past:
        self._store.begin(run, agents).result()
        return past(self._store)

    def declare(self, variants: Sequence[VariantRow]) -> None:
        self._store.declare((), variants).result()

    def plan(self, engagements: Sequence[Engagement]) -> None:
        self._store.plan(engagements).result()

    def settle(self, postings: Sequence[LedgerEntry]) -> None:
        self._store.settle(postings).result()

    def write(self, calls: Sequence[Call], episodes: Sequence[Episode]) -> None:
        waiting: list[Future[Any]] = [self._store.record(calls), self._store.append(episodes)]
        for each in waiting:
            each.result()

    def known(self, episodes: Sequence[str]) -> Mapping[str, Outcome]:
        """Which of `episodes` are settled already, with their outcomes."""
        self._store.flush()  # a dead host's last words may still wait here
        return self._store.outcomes(episodes)

    def recorded(self, episodes: Sequence[str]) -> Mapping[str, tuple[RecordedCall, ...]]:
        """The calls that returned in episodes that were never settled."""
        return self._store.recorded(episodes)

    def close(self, status: str) -> None:
        self._store.close(status)


class HostActor:
    """A host in a process of its own. A place, not a thing: it forwards."""

    def __init__(self, session: Session, store: Any, in_flight: int, parts: int) -> None:
        self._make = (session, store, in_flight, parts)
        self._host: Host | None = None

    async def open(self) -> int:
        session, store, episodes, parts = self._make

        async def write(calls: Sequence[Call], settled: Sequence[Episode]) -> None:
            await _of_store(store.write.remote(calls, settled))

        self._host = Host(session, write, in_flight=episodes, parts=parts)
        return os.getpid()

    async def give(self, plans: Sequence[Plan]) -> None:
        self._opened.give(plans)

    async def take(self) -> Report:
        return await self._opened.take()

    async def close(self) -> None:
        await self._opened.close()

    @property
    def _opened(self) -> Host:
        if self._host is None:
            raise RuntimeError("open() comes first")
        return self._host


class RemoteRecord:
    """The store's actor, awaitable."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    async def begin(self, run: Run, agents: Sequence[AgentRow]) -> Past:
        return await _of_store(self.actor.begin.remote(run, agents))

    async def declare(self, variants: Sequence[VariantRow]) -> None:
        await _of_store(self.actor.declare.remote(variants))

    async def recorded(self, episodes: Sequence[str]) -> Mapping[str, tuple[RecordedCall, ...]]:
        return await _of_store(self.actor.recorded.remote(episodes))

    async def plan(self, engagements: Sequence[Engagement]) -> None:
        await _of_store(self.actor.plan.remote(engagements))

    async def settle(self, postings: Sequence[LedgerEntry]) -> None:
        await _of_store(self.actor.settle.remote(postings))


@dataclass(slots=True)
class _Seat:
    """One host as the driver sees it: its actor (a Ray handle) and what it still owes."""

    number: int
    actor: Any = None
    pid: int = 0
    owes: dict[str, Plan] = field(default_factory=dict)


class _Field:
    """The hosts and the store of one run on Ray."""

    def __init__(
        self,
        config: OnRay,
        session: Session,
        folder: Path,
        recording: Recording,
        hosts: int,
        started: bool,
    ) -> None:
        self._recording = recording
        self._config = config
        self._session = session
        self._folder = folder
        self._started = started
        self._in_flight = in_flight(session, config.in_flight, hosts)
        self._seats = [_Seat(number) for number in range(hosts)]
        self._deaths = 0
        self._store: Any = None

    @property
    def record(self) -> RemoteRecord:
        return RemoteRecord(self._store)

    @property
    def pids(self) -> list[int]:
        """The hosts' processes, for people who watch or kill them."""
        return [seat.pid for seat in self._seats]

    async def start(self) -> None:
        import ray
        from ray.exceptions import RayActorError
        from ray.util.scheduling_strategies import (
            NodeAffinitySchedulingStrategy,
        )

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        # more threads than hosts have writes under way: nobody waits behind a group commit
        options = {"num_cpus": 0, "max_concurrency": 64, "scheduling_strategy": here}
        self._store = (
            ray.remote(StoreActor)
            .options(**options)
            .remote(str(self._folder.resolve()), self._recording)
        )
        try:
            await self._store.ready.remote()  # ty: ignore[missing-attribute]
        except RayActorError as error:  # the cause is in what Ray says of the constructor
            raise StoreError(_cause(error)) from error
        self._shared = ray.put(self._session)
        await asyncio.gather(*(self._seat(seat) for seat in self._seats))
        self._somebody()

    async def _seat(self, seat: _Seat) -> bool:
        """Put a host on `seat`; whether there was room for it, and it lived."""
        import ray
        from ray.exceptions import RayActorError

        options = {"num_cpus": self._config.cpus_per_host, "max_concurrency": 64}
        remote: Any = ray.remote
        actor = (
            remote(HostActor)
            .options(**options)
            .remote(self._shared, self._store, self._in_flight, len(self._seats))
        )
        try:
            seat.pid = await asyncio.wait_for(_awaited(actor.open.remote()), PLACE_S)
        except (TimeoutError, RayActorError):
            ray.kill(actor)
            seat.actor = None
            return False
        seat.actor = actor
        return True

    async def play(self, plans: Iterable[Plan]) -> AsyncGenerator[Report, None]:
        """Keep every host supplied; plans of a host that died go to the front of the queue."""
        queue = _Queue(plans)
        asked: dict[asyncio.Future[Report], _Seat] = {}
        try:
            for seat in self._seats:
                if seat.actor is not None:
                    await self._supply(seat, queue)
                    asked[self._take(seat)] = seat
            while asked and (queue or any(seat.owes for seat in self._seats)):
                done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    seat = asked.pop(future)
                    yield await self._answer(seat, future, queue)
                    if seat.actor is not None:
                        asked[self._take(seat)] = seat
        finally:
            for future in asked:
                future.cancel()

    def _somebody(self) -> None:
        if all(seat.actor is None for seat in self._seats):
            raise NotReady(
                f"the Ray cluster has no free CPU for a host (waited {PLACE_S:g} s); wait until "
                "others have ended, or set cluster.cpus_per_host=0"
            )

    @staticmethod
    def _take(seat: _Seat) -> "asyncio.Future[Report]":
        return asyncio.ensure_future(_awaited(seat.actor.take.remote()))

    async def _answer(
        self, seat: _Seat, future: "asyncio.Future[Report]", queue: "_Queue"
    ) -> Report:
        from ray.exceptions import RayActorError, RayTaskError

        try:
            report = future.result()
        except RayTaskError as error:
            raise StoreError(_cause(error)) from error
        except RayActorError as error:
            report = await self._bury(seat, queue, error)
        for outcome in report.outcomes:
            seat.owes.pop(outcome.episode, None)
            self._deaths = 0
        if seat.actor is not None:
            await self._supply(seat, queue)
        return report

    async def _supply(self, seat: _Seat, queue: "_Queue") -> None:
        from ray.exceptions import RayActorError

        wanted = self._in_flight + max(4, self._in_flight // 2) - len(seat.owes)
        plans = queue.take(wanted) if wanted > self._in_flight // 4 else []
        if not plans:
            return
        seat.owes.update({plan.engagement.id: plan for plan in plans})
        try:
            await seat.actor.give.remote(plans)
        except RayActorError:
            log.debug("host %d died while it was given work; take() tells", seat.number)

    async def _bury(self, seat: _Seat, queue: "_Queue", error: Exception) -> Report:
        """Start a new host in the place of a dead one; what it owed is played again."""
        self._deaths += 1
        if self._deaths > MAX_DEATHS:
            raise NotReady(f"hosts die as soon as they start: {_cause(error)}") from error
        owed, seat.owes = seat.owes, {}
        known = await _of_store(self._store.known.remote(list(owed)))
        lost = [episode for episode in owed if episode not in known]
        recorded = await _of_store(self._store.recorded.remote(lost))
        again = [
            Plan(owed[episode].engagement, owed[episode].play + 1, recorded.get(episode, ()))
            for episode in lost
        ]
        queue.put_back(again)
        log.warning("host %d died; %d episodes are played again", seat.number, len(again))
        if not await self._seat(seat):
            log.warning("there is no room for host %d any more; the others go on", seat.number)
            self._somebody()
        return Report(outcomes=tuple(known.values()), again=len(again))

    async def close(self, status: str) -> None:
        import ray

        closing = [_awaited(seat.actor.close.remote()) for seat in self._seats if seat.actor]
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await asyncio.gather(*closing, return_exceptions=True)
        try:
            if self._store is not None:
                await _of_store(self._store.close.remote(status))
        except StoreError as error:
            if status != "failed":
                raise
            log.debug("%s", error)  # whoever made the run fail is on the way up already
        finally:
            actors = [seat.actor for seat in self._seats if seat.actor]
            for actor in [*actors, *([self._store] if self._store is not None else [])]:
                ray.kill(actor)
            if self._started:
                await asyncio.to_thread(ray.shutdown)


async def _awaited(ref: Any) -> Any:
    return await ref


async def _of_store(ref: Any) -> Any:
    """What a method of the store's actor answers. Raises StoreError with one sentence."""
    from ray.exceptions import RayActorError, RayTaskError

    try:
        return await ref
    except RayTaskError as error:
        raise StoreError(_cause(error)) from error
    except RayActorError as error:
        raise StoreError(
            "The process that writes the record died; what was settled is intact: resume the run."
        ) from error


def _cause(error: BaseException) -> str:
    """The last line of what Ray wraps around an error."""
    cause = getattr(error, "cause", None) or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return lines[-1] if lines else repr(cause)


class _Queue:
    """Plans not yet given to a host; the iterable is drawn only as far as needed."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._rest: Iterator[Plan] = iter(plans)
        self._front: deque[Plan] = deque()
        self._peek()

    def _peek(self) -> None:
        if not self._front:
            self._front.extend(plan for plan in (next(self._rest, None),) if plan is not None)

    def __bool__(self) -> bool:
        return bool(self._front)

    def take(self, count: int) -> list[Plan]:
        taken: list[Plan] = []
        while len(taken) < count and self._front:
            taken.append(self._front.popleft())
            self._peek()
        return taken

    def put_back(self, plans: Iterable[Plan]) -> None:
        self._front.extendleft(reversed(list(plans)))
