"""How full an engine of fixed capacity is kept: the platform against a bare aiohttp client.

The bare client sends the very bytes that the platform sent, in the same order of episodes, each
turn when the reply to the one before has arrived.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from statistics import fmean, median

import aiohttp
import orjson

from catallaxy.agents.chat import CallKey
from tests.benchmarks.engine import Engine, Spent
from tests.benchmarks.measure import PAIRS, Figure, Size, interleaved
from tests.benchmarks.runs import ONE_VARIANT, built, local_ray, played, playing, run_folder

PER_SLOT = 4  # episodes


@dataclass(frozen=True, slots=True)
class Load:
    """One engine, how many episodes are played on it, and what must be kept of it."""

    slots: int
    service_s: float
    episodes: int
    floor: float
    aim: float

    @property
    def rate(self) -> float:
        """Requests per second at most."""
        return self.slots / self.service_s

    @property
    def in_flight(self) -> int:
        """Episodes at a time."""
        return PER_SLOT * self.slots

    def overrides(self, engine: Engine) -> tuple[str, ...]:
        """The run that the platform plays."""
        return (
            *ONE_VARIANT,
            *engine.overrides,
            f"backend.limits.concurrency={self.in_flight}",
            f"market.replicates={self.episodes}",
        )


LOADS = (
    Load(slots=32, service_s=0.064, episodes=200, floor=0.95, aim=0.985),
    Load(slots=8, service_s=0.08, episodes=40, floor=0.97, aim=0.995),
    Load(slots=2, service_s=0.1, episodes=8, floor=0.98, aim=0.995),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """One pass: what the engine did, and how long after its last answer all was durable."""

    spent: Spent
    lag: float = 0.0

    @property
    def rate(self) -> float:
        """Turns per second, from the first request to the last answer."""
        return self.spent.served / self.spent.window


def figures(size: Size) -> Iterator[Figure]:
    """One line per engine, and one for Ray."""
    for load in LOADS[:1] if size is Size.QUICK else LOADS:
        with Engine(load.slots, load.service_s) as engine:
            yield _against_bare(load, engine, 2 if size is Size.QUICK else PAIRS)
            if load is LOADS[0] and size is not Size.QUICK:
                yield _on_ray(load, engine)


def _against_bare(load: Load, engine: Engine, pairs: int) -> Figure:
    requests: list[list[tuple[str, bytes]]] = []

    def platform(_: int) -> Kept:
        engine.forget()
        with run_folder() as folder:
            run = played(folder, *load.overrides(engine), f"cluster.in_flight={load.in_flight}")
        spent = engine.spent()
        if not requests:
            requests.extend(_by_episode(load, engine))
        return Kept(spent, run.durable - spent.last)

    def bare(_: int) -> Kept:
        engine.forget()
        asyncio.run(_replay(engine.url, requests, load.in_flight))
        return Kept(engine.spent())

    arms = interleaved(platform, bare, pairs=pairs)
    counts = {each.found.spent.asked for each in [*arms.first, *arms.second]}
    if len(counts) != 1:
        raise RuntimeError(f"the arms asked different things: {counts}")
    found = [each.found for each in arms.first]
    return Figure(
        measure=f"engine kept, {load.rate:.0f} requests/s",
        values=arms.ratios(lambda kept: kept.rate),
        floor=load.floor,
        aim=load.aim,
        foreign=arms.foreign,
        details=(
            f"{median(kept.rate for kept in found):.1f} of "
            f"{median(each.found.rate for each in arms.second):.1f} turns/s; all durable "
            f"{median(kept.lag for kept in found):.2f} s after the last answer; "
            f"{arms.cpu('platform', 'bare')}, engine "
            f"{fmean(kept.spent.cpu for kept in found):.2f} of it"
        ),
    )


def _on_ray(load: Load, engine: Engine) -> Figure:
    import ray

    local_ray(2)
    requests: list[list[tuple[str, bytes]]] = []
    overrides = (
        *load.overrides(engine),
        "cluster=ray",
        "cluster.hosts=2",
        f"cluster.in_flight={load.in_flight // 2}",
    )

    def platform(_: int) -> Kept:
        engine.forget()
        with run_folder() as folder:
            run = asyncio.run(playing(folder, built(*overrides)))
        spent = engine.spent()
        if not requests:
            requests.extend(_by_episode(load, engine))
        return Kept(spent, run.durable - spent.last)

    def bare(_: int) -> Kept:
        engine.forget()
        asyncio.run(_replay(engine.url, requests, load.in_flight))
        return Kept(engine.spent())

    try:
        arms = interleaved(platform, bare, pairs=1)
    finally:
        ray.shutdown()
    return Figure(
        measure=f"engine kept, {load.rate:.0f} requests/s, Ray with 2 hosts",
        values=arms.ratios(lambda kept: kept.rate),
        foreign=arms.foreign,
        details=arms.cpu("platform", "bare"),
    )


def _by_episode(load: Load, engine: Engine) -> list[list[tuple[str, bytes]]]:
    """What was asked, as a list per episode, in the order of the design."""
    design = built(*load.overrides(engine)).design()
    sessions = {
        _session(engagement.id, seat): engagement.ordinal
        for engagement in design
        for seat in engagement.seats
    }
    episodes: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for session, body in engine.kept():
        episodes[sessions[session]].append((session, body))
    return [episodes[ordinal] for ordinal in sorted(episodes)]


def _session(episode: str, seat: str) -> str:
    """The header by which a router keeps a dialogue on one server."""
    dialogue = CallKey(episode, seat, 0, 0).dialogue
    return blake2b(dialogue.encode(), digest_size=16).hexdigest()


async def _replay(
    url: str, episodes: Sequence[Sequence[tuple[str, bytes]]], in_flight: int
) -> None:
    """Send everything; as many episodes at a time as the platform has."""
    waiting = iter(episodes)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:

        async def play() -> None:
            for episode in waiting:
                for session, body in episode:
                    headers = {"Content-Type": "application/json", "X-Session-ID": session}
                    async with client.post(
                        f"{url}/chat/completions", data=body, headers=headers
                    ) as answer:
                        orjson.loads(await answer.read())["choices"][0]["message"]["content"]

        async with asyncio.TaskGroup() as group:
            for _ in range(in_flight):
                group.create_task(play())
