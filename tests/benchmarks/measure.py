"""How this folder measures: interleaved arms, CPU of a whole process tree, one line a figure."""

import os
import resource
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from statistics import fmean, median
from typing import Generic, TypeVar

T = TypeVar("T")

PAIRS = 5
BUSY = 0.20  # share of the machine that others may use; above it nothing is judged
_TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")
_CPUS = os.cpu_count() or 1


class Size(StrEnum):
    """How long is measured."""

    QUICK = "quick"
    USUAL = "usual"
    FULL = "full"


class Verdict(StrEnum):
    """What a figure says about its floor."""

    OK = "ok"
    BELOW = "below floor"
    BUSY = "no verdict (busy machine)"
    NONE = "for information"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: the median of `values` against a floor and an aim.

    An aim above its floor means that more is better; else less is better. `foreign` is the share
    of the machine that other programs used, None where that cannot change the figure.
    """

    measure: str
    values: Sequence[float]
    unit: str = ""
    floor: float | None = None
    aim: float | None = None
    foreign: float | None = None
    details: str = ""

    @property
    def verdict(self) -> Verdict:
        """Whether the floor is kept."""
        if self.floor is None:
            return Verdict.NONE
        if self.foreign is not None and self.foreign > BUSY:
            return Verdict.BUSY
        middle = median(self.values)
        more = self.aim is not None and self.aim > self.floor
        return (
            Verdict.OK
            if (middle >= self.floor if more else middle <= self.floor)
            else (Verdict.BELOW)
        )

    def __str__(self) -> str:
        spread = f"[{_short(min(self.values))}..{_short(max(self.values))}]"
        parts = [f"{self.measure:<46} {_short(median(self.values)):>8} {self.unit:<7}{spread:<20}"]
        if self.floor is not None:
            parts.append(f"floor {_short(self.floor):<7}")
        if self.aim is not None:
            parts.append(f"aim {_short(self.aim):<7}")
        parts.append(str(self.verdict))
        details = [self.details] if self.details else []
        if self.foreign is not None:
            details.append(f"foreign {self.foreign:.0%}")
        return "  ".join(parts) + (f"  ({'; '.join(details)})" if details else "")


@dataclass(slots=True)
class Cost:
    """What something took: wall and CPU seconds, this process and all that it started."""

    wall: float = 0.0
    cpu: float = 0.0
    others: float = 0.0  # CPU seconds of all other processes of the machine

    @property
    def foreign(self) -> float:
        """The share of the machine that others used meanwhile."""
        return self.others / (self.wall * _CPUS) if self.wall else 0.0


@contextmanager
def metered() -> Generator[Cost]:
    """The cost of the block; it is filled in at its end."""
    cost = Cost()
    wall, before = time.perf_counter(), _Usage.now()
    try:
        yield cost
    finally:
        cost.wall = time.perf_counter() - wall
        after = _Usage.now()
        cost.cpu, cost.others = after.since(before), after.others_since(before)


@dataclass(frozen=True, slots=True)
class Pass(Generic[T]):
    """One pass of one arm: what it found, and what that took."""

    found: T
    cost: Cost


@dataclass(slots=True)
class Arms(Generic[T]):
    """Two arms, pass by pass."""

    first: list[Pass[T]] = field(default_factory=list)
    second: list[Pass[T]] = field(default_factory=list)

    def ratios(self, value: Callable[[T], float]) -> list[float]:
        """First over second, pair by pair."""
        pairs = zip(self.first, self.second, strict=True)
        return [value(one.found) / value(other.found) for one, other in pairs]

    @property
    def foreign(self) -> float:
        """The mean share of others."""
        return fmean(each.cost.foreign for each in [*self.first, *self.second])

    def cpu(self, first: str, second: str) -> str:
        """The CPU seconds of both arms, in words."""
        means = [fmean(each.cost.cpu for each in arm) for arm in (self.first, self.second)]
        return f"CPU s a pass: {first} {means[0]:.2f}, {second} {means[1]:.2f}"


def interleaved(
    first: Callable[[int], T], second: Callable[[int], T], *, pairs: int = PAIRS
) -> Arms[T]:
    """A-B-A-B; pass 0 of each warms up and is discarded. An arm is told the number of its pass."""
    arms: Arms[T] = Arms()
    for number in range(pairs + 1):
        for arm, passes in ((first, arms.first), (second, arms.second)):
            with metered() as cost:
                found = arm(number)
            if number:
                passes.append(Pass(found, cost))
    return arms


@dataclass(frozen=True, slots=True)
class _Usage:
    """CPU seconds of every process, each with its children that ended, by process.

    /proc/stat would count all at once, but by sampling: what wakes with the clock's tick, as timers
    do, counts many times too much there.
    """

    own: float
    reaped: float
    below: dict[int, float]  # what this process started, directly or not
    others: dict[int, float]
    children: frozenset[int]

    @classmethod
    def now(cls) -> "_Usage":
        reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
        stats = {int(path.name): _stat(path) for path in Path("/proc").glob("[0-9]*")}
        used = {pid: sum(map(int, stat[11:15])) * _TICK_S for pid, stat in stats.items() if stat}
        parents = {pid: int(stat[1]) for pid, stat in stats.items() if stat}
        below: dict[int, float] = {}
        front = [os.getpid()]
        while front:
            parent = front.pop()
            started = [pid for pid, above in parents.items() if above == parent]
            below.update({pid: used[pid] for pid in started})
            front += started
        ours = {os.getpid(), *below}
        return cls(
            own=time.process_time(),
            reaped=reaped.ru_utime + reaped.ru_stime,
            below=below,
            others={pid: cpu for pid, cpu in used.items() if pid not in ours},
            children=frozenset(pid for pid in below if parents[pid] == os.getpid()),
        )

    def since(self, before: "_Usage") -> float:
        """What we used meanwhile; of a grandchild that ended in between only what is known."""
        gone = sum(before.below[pid] for pid in before.children - self.below.keys())
        reaped = max(0.0, self.reaped - before.reaped - gone)
        living = sum(max(0.0, cpu - before.below.get(pid, 0.0)) for pid, cpu in self.below.items())
        return self.own - before.own + reaped + living

    def others_since(self, before: "_Usage") -> float:
        """What everybody else used meanwhile."""
        # what ended is in its parent's account by now, so only the sums can be compared
        return max(0.0, sum(self.others.values()) - sum(before.others.values()))


def _stat(process: Path) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty if there is no such process."""
    try:
        text = (process / "stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _short(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 0.1 else f"{value:.3f}".rstrip("0").rstrip(".")
