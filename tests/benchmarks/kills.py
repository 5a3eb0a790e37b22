"""`kill -9` of a run on Ray at random instants, then resume: what is lost, doubled, asked again.

The model is a server of its own, which survives and counts what it is asked twice. What a run
acknowledged is told by its reports, as its driver receives them.
"""

import asyncio
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from catallaxy.platform.compose import composed
from catallaxy.platform.experiment import conduct, experiment, reopened
from catallaxy.platform.host import Cluster, Hosting, Plan, Record, Recording, Report, Session
from catallaxy.platform.market.marketplace import Progress
from catallaxy.platform.store.reader import Reader
from tests.benchmarks.engine import Engine
from tests.benchmarks.measure import Figure, Size
from tests.benchmarks.runs import ONE_VARIANT, played, scratch

SLOTS, SERVICE_S = 16, 0.05
EPISODES = 400
A_RUN = 5  # kills, then it is played to its end
WHILE_IT_PLAYS = 0.8  # share of the kills; the others hit a resume that is starting
WITHIN_S = 2.5
PATIENCE_S = 120.0


@dataclass(slots=True)
class Found:
    """What one run with its kills showed."""

    kills: int
    lost: int = 0
    doubled: int = 0
    unequal: int = 0
    calls: int = 0
    again: int = 0
    answered: int = 0
    waits: list[float] = field(default_factory=list)


def figures(size: Size, kills: int) -> Iterator[Figure]:
    """Runs that are killed five times each, then resumed to their end."""
    draw = random.Random(1)
    found = []
    with Engine(SLOTS, SERVICE_S) as engine, scratch() as folder:
        played(folder / "whole", *_overrides(engine))
        engine.forget()
        for number, start in enumerate(range(0, kills, A_RUN)):
            run = folder / f"killed-{number}"
            found.append(_killed(run, folder / "whole", engine, min(A_RUN, kills - start), draw))
    share = [each.again / each.kills / each.calls for each in found]
    wait = [wait for each in found for wait in each.waits] or [math.nan]
    yield Figure(
        measure=f"{kills} kills, settled episodes lost or doubled",
        values=[sum(each.lost + each.doubled + each.unequal for each in found)],
        floor=0,
        aim=0,
        details=", ".join(
            f"{name} {sum(getattr(each, name) for each in found)}"
            for name in ("lost", "doubled", "unequal")
        ),
    )
    yield Figure(
        measure="calls asked again after a kill, share of the run's",
        values=share,
        floor=0.05,
        aim=0.01,
        details=(
            f"a kill: {sum(each.again for each in found) / kills:.1f} of "
            f"{found[0].calls} calls, {sum(each.answered for each in found) / kills:.1f} of them "
            "had been answered, the others were under way; from the kill to playing again "
            f"{median(wait):.1f} s"
        ),
    )


def _overrides(engine: Engine) -> tuple[str, ...]:
    return (
        *ONE_VARIANT,
        *engine.overrides,
        f"backend.limits.concurrency={2 * SLOTS}",
        f"market.replicates={EPISODES}",
    )


ON_RAY = ("cluster=ray", "cluster.hosts=2", f"cluster.in_flight={2 * SLOTS}")


def _killed(run: Path, whole: Path, engine: Engine, kills: int, draw: random.Random) -> Found:
    found = Found(kills)
    engine.forget()
    acknowledged: list[str] = []
    arguments = ["run", str(run), *_overrides(engine), *ON_RAY]
    for number in range(kills):
        began = time.monotonic()
        launch = _Launch(arguments)
        if number == 0 or draw.random() < WHILE_IT_PLAYS:  # else in the middle of resuming
            launch.wait()
            found.waits += [time.monotonic() - began] if number else []
        time.sleep(draw.uniform(0.0, WITHIN_S))
        acknowledged += launch.kill()
        arguments = ["resume", str(run)]
    subprocess.run([_catallaxy(), "resume", str(run)], check=True, capture_output=True)
    spent = engine.spent()
    found.again, found.answered = spent.again, spent.again_answered
    found.calls = spent.asked - spent.again
    _verify(run, whole, acknowledged, found)
    return found


def _verify(run: Path, whole: Path, acknowledged: list[str], found: Found) -> None:
    """Every episode once, none played again that was acknowledged, and the same moves."""
    found.lost = len(acknowledged) - len(set(acknowledged))
    with Reader.open(run) as reader, Reader.open(whole) as reference:
        for table, key in (
            ("episodes", "episode"),
            ("turns", "episode, seq"),
            ("seats", "episode, seat"),
            ("ledger", "ordinal, agent"),
            ("calls", "episode, seat, turn, tried, play, attempt"),
        ):
            [(twice,)] = reader.sql(
                f"SELECT count(*) FROM (SELECT {key} FROM {table} GROUP BY ALL HAVING count(*) > 1)"
            ).rows
            found.doubled += twice
        for query in (
            "SELECT episode, status, turns FROM episodes ORDER BY ALL",
            "SELECT episode, seq, seat, kind, move, messages FROM turns ORDER BY ALL",
            "SELECT ordinal, agent, amount, balance FROM ledger ORDER BY ALL",
        ):
            ours, theirs = reader.sql(query).rows, reference.sql(query).rows
            found.unequal += len(set(map(str, ours)) ^ set(map(str, theirs)))


class _Launch:
    """A driver in a process group of its own, and the episodes that it acknowledged."""

    def __init__(self, arguments: Iterable[str]) -> None:
        code = "import sys; from tests.benchmarks.kills import launch; launch(sys.argv[1:])"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._playing = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self._lines.append(line)
            self._playing.set()
        self._playing.set()

    def wait(self) -> None:
        """Until it plays, or has ended."""
        if not self._playing.wait(PATIENCE_S):
            raise RuntimeError(f"nothing was played within {PATIENCE_S} s")

    def kill(self) -> list[str]:
        """Kill it and all of its group; the episodes that it had acknowledged."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._thread.join(timeout=5)
        return [line.split()[1] for line in self._lines if line.startswith("settled ")
                and line.endswith("\n")]  # fmt: skip


def launch(arguments: list[str]) -> None:
    """Run or resume, as `catallaxy` does, and print what is acknowledged as it is."""
    command, folder, *overrides = arguments
    config, run = (composed(overrides), None) if command == "run" else reopened(Path(folder))
    built = experiment(config)
    told = replace(built, cluster=Telling(built.cluster))
    asyncio.run(conduct(told, Path(folder), _unwatched, run=run))


def _unwatched(_: Progress) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Telling:
    """A cluster that prints every episode that it reports as settled."""

    cluster: Cluster

    async def open(self, session: Session, folder: Path, recording: Recording) -> Hosting:
        return _Told(await self.cluster.open(session, folder, recording))


@dataclass(frozen=True, slots=True)
class _Told:
    hosting: Hosting

    @property
    def record(self) -> Record:
        return self.hosting.record

    async def play(self, plans: Iterable[Plan]) -> AsyncGenerator[Report, None]:
        reports = self.hosting.play(plans)
        print("playing", flush=True)
        try:
            async for report in reports:
                for outcome in report.outcomes:
                    print("settled", outcome.episode)
                sys.stdout.flush()
                yield report
        finally:
            await reports.aclose()

    async def close(self, status: str) -> None:
        await self.hosting.close(status)


def _catallaxy() -> str:
    return str(Path(sys.executable).with_name("catallaxy"))
