"""Turns per second on Ray with two hosts over turns per second inline, warm, same engagements."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from catallaxy.platform.cluster import HostActor, OnRay
from catallaxy.platform.experiment import Experiment
from catallaxy.platform.host import Host, Hosting, Plan, Recording, Session
from catallaxy.platform.inline import Inline
from catallaxy.platform.record import Call, Episode
from catallaxy.platform.store.rows import Run
from tests.benchmarks.measure import PAIRS, Figure, Size, interleaved
from tests.benchmarks.runs import SCRIPTED, built, local_ray, plans, scratch

HOSTS = 2
IN_FLIGHT = 256  # episodes, in all
Play = Callable[[Sequence[Plan]], Awaitable[int]]
"""Plays all plans; the turns."""


class Nowhere:
    """A record that keeps nothing; `write.remote` answers at once, as a store's actor would."""

    @property
    def write(self) -> "Nowhere":
        return self

    async def remote(self, calls: Sequence[Call], episodes: Sequence[Episode]) -> None:
        """Forget everything."""


def figures(size: Size) -> Iterator[Figure]:
    """With and without the record."""
    import ray

    local_ray(HOSTS)
    pairs, replicates = (2, 2) if size is Size.QUICK else (PAIRS, 6)
    try:
        with asyncio.Runner() as runner, scratch() as folder:
            opened = runner.run(_opened(folder))
            for name, (floor, aim) in {
                "with record": (0.7, 0.82),
                "without record": (1.4, 1.7),
            }.items():
                on_ray, inline = opened.arms[name]
                yield _figure(runner, name, on_ray, inline, floor, aim, pairs, replicates)
            runner.run(opened.close())
    finally:
        ray.shutdown()


class _Opened:
    """Both arms of both figures, kept open so that every pass but the first is warm."""

    def __init__(self) -> None:
        self.arms: dict[str, tuple[Play, Play]] = {}
        self._stack = AsyncExitStack()

    async def enter(self, context: Any) -> Any:
        return await self._stack.enter_async_context(context)

    async def close(self) -> None:
        await self._stack.aclose()


async def _opened(folder: Path) -> _Opened:
    opened = _Opened()
    opened.arms["with record"] = (
        _playing(await opened.enter(_hosted(OnRay(hosts=HOSTS, in_flight=IN_FLIGHT // HOSTS),
                                            folder / "ray"))),
        _playing(await opened.enter(_hosted(Inline(in_flight=IN_FLIGHT), folder / "inline"))),
    )  # fmt: skip
    opened.arms["without record"] = (
        await opened.enter(_actors_without_record()),
        await opened.enter(_host_without_record()),
    )
    return opened


def _figure(
    runner: asyncio.Runner,
    name: str,
    on_ray: Play,
    inline: Play,
    floor: float,
    aim: float,
    pairs: int,
    replicates: int,
) -> Figure:
    def arm(play: Play) -> Callable[[int], float]:
        def once(number: int) -> float:
            design = plans(_made(number, replicates))
            began = time.perf_counter()
            turns = runner.run(_awaited(play(design)))
            return turns / (time.perf_counter() - began)

        return once

    arms = interleaved(arm(on_ray), arm(inline), pairs=pairs)
    return Figure(
        measure=f"Ray over inline, 2 hosts, {name}",
        values=arms.ratios(float),
        floor=floor,
        aim=aim,
        foreign=arms.foreign,
        details=(
            f"{median(each.found for each in arms.first):,.0f} over "
            f"{median(each.found for each in arms.second):,.0f} turns/s; "
            f"{arms.cpu('Ray', 'inline')}"
        ),
    )


async def _awaited(turns: Awaitable[int]) -> int:
    return await turns


def _made(number: int, replicates: int = 1) -> Experiment:
    """The same engagements for both arms, others in every pass: what is settled is not repeated."""
    return built(*SCRIPTED, f"market.replicates={replicates}", f"seed={number}")


def _session() -> Session:
    return _made(0).session


@asynccontextmanager
async def _hosted(cluster: OnRay | Inline, folder: Path) -> AsyncGenerator[Hosting]:
    hosting = await cluster.open(_session(), folder, Recording())
    try:
        await hosting.record.begin(Run("bench", "bench", 0), ())
        yield hosting
    finally:
        await hosting.close("finished")


def _playing(hosting: Hosting) -> Play:
    seen: set[str] = set()

    async def play(design: Sequence[Plan]) -> int:
        fresh = [_renamed(plan, len(seen)) for plan in design]
        seen.update(plan.engagement.id for plan in fresh)
        await hosting.record.plan([plan.engagement for plan in fresh])
        turns = 0
        async for report in hosting.play(fresh):
            turns += report.turns
        return turns

    return play


def _renamed(plan: Plan, offset: int) -> Plan:
    """The same engagement under an id and an ordinal that the record has not seen."""
    engagement = plan.engagement
    ordinal = engagement.ordinal + offset
    return Plan(replace(engagement, ordinal=ordinal, id=f"{ordinal:06d}-{engagement.variant}"))


@asynccontextmanager
async def _host_without_record() -> AsyncGenerator[Play]:
    host = Host(_session(), Nowhere().remote, in_flight=IN_FLIGHT)

    async def play(design: Sequence[Plan]) -> int:
        host.give(design)
        turns = done = 0
        while done < len(design):
            report = await host.take()
            turns, done = turns + report.turns, done + len(report.outcomes)
        return turns

    try:
        yield play
    finally:
        await host.close()


@asynccontextmanager
async def _actors_without_record() -> AsyncGenerator[Play]:
    import ray

    remote: Any = ray.remote
    actors = [
        remote(HostActor)
        .options(num_cpus=0, max_concurrency=64)
        .remote(_session(), Nowhere(), IN_FLIGHT // HOSTS, HOSTS)
        for _ in range(HOSTS)
    ]
    for actor in actors:
        await actor.open.remote()

    async def half(actor: Any, design: Sequence[Plan]) -> int:
        await actor.give.remote(design)
        turns = done = 0
        while done < len(design):
            report = await actor.take.remote()
            turns, done = turns + report.turns, done + len(report.outcomes)
        return turns

    async def play(design: Sequence[Plan]) -> int:
        parts = [half(actor, design[at::HOSTS]) for at, actor in enumerate(actors)]
        return sum(await asyncio.gather(*parts))

    try:
        yield play
    finally:
        for actor in actors:
            ray.kill(actor)
