"""`python -m tests.benchmarks [name ...] [--quick]`: one line a figure; 1 if a floor is missed."""

import argparse
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator

from tests.benchmarks.measure import Figure, Size, Verdict

ROWS = (
    "startup",
    "cpu_per_turn",
    "agents_per_gib",
    "durable_events",
    "glee_grids",
    "replay",
    "slots_busy",
    "ray_over_inline",
    "engine_kept",
    "kills",
)

HOW_LONG = {
    Size.QUICK: "a few minutes: says little about the figures",
    Size.FULL: "half an hour: 100 kills, a minute of writing",
}
KILLS = {Size.QUICK: 2, Size.USUAL: 10, Size.FULL: 100}

os.environ["RAY_ADDRESS"] = "local"  # a Ray of our own, whatever else runs on this machine
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")


def main() -> int:
    """Measure what was named, or everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(ROWS)}")
    sizes = parser.add_mutually_exclusive_group()
    for size, means in HOW_LONG.items():
        sizes.add_argument(f"--{size}", action="store_const", const=size, dest="size", help=means)
    parser.set_defaults(size=Size.USUAL)
    parser.add_argument("--kills", type=int, help="how often runs are killed (2, 10 or 100)")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(ROWS))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    kills = options.kills or KILLS[options.size]
    missed = False
    for name in options.names or ROWS:
        began = time.monotonic()
        module = importlib.import_module(f"tests.benchmarks.{name}")
        measured: Callable[..., Iterator[Figure]] = module.figures
        found = measured(options.size, kills) if name == "kills" else measured(options.size)
        for figure in found:
            print(figure, flush=True)
            missed |= figure.verdict is Verdict.BELOW
        print(f"# {name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
