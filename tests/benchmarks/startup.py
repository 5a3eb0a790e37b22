"""From typing a command to its first effect: `--help`, the first turn inline, the first on Ray."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from catallaxy.platform.store.reader import Reader
from tests.benchmarks.measure import PAIRS, Figure, Size, metered
from tests.benchmarks.runs import scratch

FEW = (
    "experiment=glee_bargaining",
    "backend=scripted",
    "market.factors.delta_a=[0.9]",
    "market.factors.delta_b=[0.9]",
)
_FIRST = "SELECT min(epoch(started) + latency_s) FROM calls"


def figures(size: Size) -> Iterator[Figure]:
    """Three commands, each as a process of its own."""
    passes = 2 if size is Size.QUICK else PAIRS
    yield _figure("start-up, --help", _help, passes, 1.0, 0.4)
    yield _figure("start-up, first turn inline", lambda: _first_turn(), passes, 2.0, 0.8)
    ray = ("cluster=ray", "cluster.hosts=2")
    yield _figure(
        "start-up, first turn on Ray",
        lambda: _first_turn(*ray),
        1 if size is Size.QUICK else 3,
        10,
        4,
    )


def _figure(
    measure: str, seconds: Callable[[], float], passes: int, floor: float, aim: float
) -> Figure:
    with metered() as cost:
        values = [seconds() for _ in range(passes + 1)][1:]
    details = f"CPU s each {cost.cpu / (passes + 1):.2f}"
    return Figure(measure, values, "s", floor, aim, cost.foreign, details)


def _help() -> float:
    began = time.perf_counter()
    subprocess.run([_catallaxy(), "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _first_turn(*overrides: str) -> float:
    """Until the first model call has been answered; it is durable at most 0.11 s later."""
    with scratch() as folder:
        run = folder / "run"
        began = time.time()
        subprocess.run(
            [_catallaxy(), "run", *FEW, *overrides, f"hydra.run.dir={run}"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with Reader.open(run) as reader:
            [(first,)] = reader.sql(_FIRST).rows
    return first - began


def _catallaxy() -> str:
    """The command that a user types."""
    return str(Path(sys.executable).with_name("catallaxy"))
