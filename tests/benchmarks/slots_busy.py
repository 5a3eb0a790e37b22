"""Share of an engine's slots that are busy: lognormal latency, four episodes for every slot.

A slot is the platform's own limit of concurrency. What a slot needs is known beforehand, so a turn
that the platform delays counts as an idle slot; so does the end, when episodes run out.
"""

import asyncio
import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from catallaxy.agents.chat import Message, Reply, Sampling, Schema
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.backends.limits import Limits
from catallaxy.platform.backends.scripted import Scripted
from catallaxy.platform.experiment import Experiment
from tests.benchmarks.measure import Figure, Size, metered
from tests.benchmarks.runs import ONE_VARIANT, built, playing, run_folder, through

SLOTS = 32
EPISODES = 4 * SLOTS
PASSES = 3
ROUNDS = 10  # nobody accepts: 20 turns an episode
MEAN_S, SIGMA = 0.2, 0.6  # a timer of asyncio is late by up to 1 ms, which nobody can help


@dataclass(frozen=True, kw_only=True)
class Slow(Scripted):
    """A scripted model that notes what it waits, and when."""

    @cached_property
    def waits(self) -> dict[str, list[float]]:
        """Seconds by episode, in the order of its turns."""
        return defaultdict(list)

    @cached_property
    def times(self) -> list[float]:
        """When a wait began or was over, on the loop's clock."""
        return []

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        self.times.append(asyncio.get_running_loop().time())
        answer = await super().reply(messages, schema, sampling)
        self.times.append(asyncio.get_running_loop().time())
        return answer

    def _latency(self, question: str) -> float:
        wait = super()._latency(question)
        self.waits[question.split("\0")[1]].append(wait)
        return wait


def figures(size: Size) -> Iterator[Figure]:
    """The share of busy slots, and what a platform without any cost would reach."""
    shares, ideals = [], []
    with metered() as cost:
        for number in range(1 if size is Size.QUICK else PASSES):
            model = Slow(
                accept_probability=0.0,
                latency_s=MEAN_S,
                latency_sigma=SIGMA,
                limits=Limits(concurrency=SLOTS),
            )
            with run_folder() as folder:
                asyncio.run(playing(folder, _made(model, number)))
            work = sum(map(sum, model.waits.values()))
            shares.append(work / SLOTS / (max(model.times) - min(model.times)))
            ideals.append(work / SLOTS / _ideal(model.waits))
    yield Figure(
        measure=f"slots busy, sigma {SIGMA}, 4 episodes a slot",
        values=shares,
        floor=0.93,
        aim=0.975,
        foreign=cost.foreign,
        details=f"{median(ideals):.3f} without any cost; CPU s {cost.cpu:.1f} in {cost.wall:.0f} s",
    )


def _made(model: Slow, seed: int) -> Experiment:
    made = built(
        *ONE_VARIANT,
        f"market.factors.horizon=[{{max_rounds:{ROUNDS},horizon:hidden}}]",
        "backend=scripted",
        "check=false",  # its question comes before the record is opened
        f"market.replicates={EPISODES}",
        f"cluster.in_flight={EPISODES}",
        f"seed={seed}",
    )
    return through(made, Gate("slow", model))


def _ideal(waits: Mapping[str, Sequence[float]]) -> float:
    """Seconds until all is done on the slots, first come first served, when nothing else costs."""
    free = [0.0] * SLOTS
    ready = [(0.0, number, 0) for number in range(len(waits))]
    episodes = list(waits.values())
    while ready:
        asked, number, turn = heapq.heappop(ready)
        done = max(asked, free[0]) + episodes[number][turn]
        heapq.heapreplace(free, done)
        if turn + 1 < len(episodes[number]):
            heapq.heappush(ready, (done, number, turn + 1))
    return max(free)
