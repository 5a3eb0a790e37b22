"""A recorded run played again from its record: turns per second, calls made, equal tables."""

import time
from collections.abc import Iterator
from pathlib import Path

from catallaxy.platform.store.compare import differences
from tests.benchmarks.measure import PAIRS, Figure, Size, metered
from tests.benchmarks.runs import SCRIPTED, played, scratch

GAMES = ("backend.accept_probability=0.1",)


def figures(size: Size) -> Iterator[Figure]:
    """One recorded run, replayed several times."""
    passes, replicates = (2, 1) if size is Size.QUICK else (PAIRS, 2)
    games = f"market.replicates={replicates}"
    rates, calls, unequal = [], [], []
    with scratch() as folder, metered() as cost:
        recorded = played(folder / "recorded", *SCRIPTED, *GAMES, games)
        for number in range(passes + 1):
            copy = folder / f"replay-{number}"
            began = time.perf_counter()
            run = played(
                copy, *SCRIPTED[:1], "backend=replay", f"backend.run={recorded.folder}", games
            )
            if number:
                rates.append(run.turns / (time.perf_counter() - began))
                calls.append(run.progress.spent.calls)
                unequal.append(len(_unequal(recorded.folder, copy)))
    per_turn = f"{recorded.turns} turns, from the start to the closed record"
    yield Figure("replay, turns per second", rates, "1/s", None, 10_000, cost.foreign, per_turn)
    yield Figure("replay, model calls made", calls, "", 0, 0)
    yield Figure("replay, differences of the tables", unequal, "", 0, 0)


def _unequal(one: Path, other: Path) -> list[str]:
    """What differs, other than who was asked: a replay asks no model and says so in every call."""
    lines = differences(one, other)
    return [line for line in lines if not line.startswith(("calls:", "agents:"))]
