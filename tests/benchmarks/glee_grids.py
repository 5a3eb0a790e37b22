"""A thousand scripted games of each GLEE family over the full grids, inline, from start to end."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from catallaxy.platform.store.reader import Reader
from tests.benchmarks.measure import PAIRS, Figure, Size, metered
from tests.benchmarks.runs import scratch

PER_SEATING = {Size.QUICK: 50}
GAMES = (
    "experiment=glee",
    "~agent.model",  # two players without a model are left, both ways round
    "market.seating=ordered_pairs",
    "market.share=null",
)


def figures(size: Size) -> Iterator[Figure]:
    """The seconds of one `catallaxy run`, its start and its summary included."""
    number = PER_SEATING.get(size, 500)
    passes = 1 if size is Size.QUICK else PAIRS
    with metered() as cost:
        values = [_seconds(number) for _ in range(passes)]
    details = f"{3 * 2 * number:,} games; CPU s each {cost.cpu / passes:.2f}"
    yield Figure("GLEE, full grids, scripted", values, "s", 60.0, 20.0, cost.foreign, details)


def _seconds(number: int) -> float:
    with scratch() as folder:
        run = folder / "run"
        command = [str(Path(sys.executable).with_name("catallaxy")), "run", *GAMES]
        began = time.perf_counter()
        subprocess.run(
            [*command, f"market.per_seating={number}", f"hydra.run.dir={run}"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        took = time.perf_counter() - began
        with Reader.open(run) as reader:
            asked = "SELECT count(*) FROM episodes WHERE status = 'settled'"
            [(settled,)] = reader.sql(asked).rows
    if settled != 3 * 2 * number:
        raise RuntimeError(f"{settled} of {3 * 2 * number} games were settled")
    return took
