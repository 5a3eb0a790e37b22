"""CPU per turn inline: instant scripted model, wording, validation, durable record.

A long run less a short one, so that starting up and closing an empty record do not count.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks.measure import PAIRS, Figure, Size, interleaved
from tests.benchmarks.runs import SCRIPTED, built, playing, run_folder

LONG_GAMES = (
    *SCRIPTED,
    "backend.accept_probability=0.05",
    "market.factors.horizon=[{max_rounds:99,horizon:hidden}]",
)
FLOOR, AIM = 150, 40


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of this process, and turns."""

    cpu: float
    turns: int
    episodes: int


def figures(size: Size) -> Iterator[Figure]:
    """Long games, where turns are what costs, and GLEE's own mix of games."""
    pairs = 2 if size is Size.QUICK else PAIRS
    yield _figure("CPU per turn, long games", LONG_GAMES, 1 if size is Size.QUICK else 2, pairs)
    yield _figure("CPU per turn, GLEE's mix", SCRIPTED, 6 if size is Size.QUICK else 10, pairs)


def _figure(measure: str, overrides: tuple[str, ...], replicates: int, pairs: int) -> Figure:
    def long(number: int) -> Spent:
        return _spent(*overrides, f"market.replicates={replicates}", f"seed={number}")

    def short(number: int) -> Spent:
        return _spent(*overrides, "market.factors.pie=[100]", "market.factors.delta_a=[0.8]",
                      "market.factors.delta_b=[0.8]", f"seed={number}")  # fmt: skip

    arms = interleaved(long, short, pairs=pairs)
    values = []
    for one, other in zip(arms.first, arms.second, strict=True):
        cpu = one.found.cpu - other.found.cpu
        values.append(1e6 * cpu / (one.found.turns - other.found.turns))
    last = arms.first[-1].found
    return Figure(
        measure=measure,
        values=values,
        unit="µs",
        floor=FLOOR,
        aim=AIM,
        foreign=arms.foreign,
        details=(
            f"{last.turns} turns in {last.episodes} episodes, "
            f"{last.turns / last.episodes:.1f} each; {arms.cpu('long run', 'short run')}"
        ),
    )


def _spent(*overrides: str) -> Spent:
    made = built(*overrides)
    with run_folder() as folder:
        began = time.process_time()
        run = asyncio.run(playing(folder, made))
        cpu = time.process_time() - began
    return Spent(cpu, run.turns, run.progress.settled)
