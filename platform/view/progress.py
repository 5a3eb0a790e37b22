"""What a person sees while a run goes on: a live panel, or plain lines without a terminal."""

import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.table import Table as Grid

from catallaxy.platform.market.marketplace import Progress

PLAIN_EVERY_S = 10.0


def pace(progress: Progress) -> str:
    """Episodes, turns, calls and tokens per second, and when it will be done."""
    seconds = max(progress.minutes * 60, 1e-6)
    spent = progress.spent
    parts = [f"{progress.turns / seconds:,.1f} turns/s"]
    if spent.calls:
        tokens = spent.input_tokens + spent.output_tokens
        parts.append(f"{spent.calls / seconds:,.1f} calls/s")
        parts.append(f"{tokens / seconds:,.0f} tokens/s")
    return ", ".join(parts)


def eta(progress: Progress) -> str:
    """The time that is left at the pace so far, as h:mm:ss; `?` before the first episode."""
    played = progress.settled + progress.failed + progress.crashed
    left = progress.planned - progress.done
    if not played:
        return "?"
    return clock(left * progress.minutes * 60 / played)


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss or m:ss."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def troubles(progress: Progress) -> str:
    """Bad tries, forfeits, failures and retries, as far as there were any."""
    counts = {
        "bad tries": progress.bad_tries,
        "forfeits": progress.forfeits,
        "failed": progress.failed,
        "crashed": progress.crashed,
        "model errors retried": progress.spent.errors,
        "begun again": progress.again,
        "answers from the record": progress.spent.reused,
    }
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "none"


@dataclass(slots=True)
class Watcher:
    """Shows progress on `console`; call it with every report, and `close` it at the end.

    A `silent` one shows nothing: an agent talks with a person at that terminal.
    """

    console: Console
    silent: bool = False
    _live: Live | None = None
    _printed: float = field(default=0.0)
    _said: str = field(default="")

    def __call__(self, progress: Progress) -> None:
        """Show how things stand now."""
        if self.silent:
            return
        if self.console.is_terminal:
            self._panel(progress)
        elif time.monotonic() - self._printed >= PLAIN_EVERY_S or self._over(progress):
            self._line(progress)

    def close(self) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    @staticmethod
    def _over(progress: Progress) -> bool:
        return progress.done >= progress.planned

    def _line(self, progress: Progress) -> None:
        self._printed = time.monotonic()
        done = f"{progress.done}/{progress.planned} episodes"
        if done == self._said and self._over(progress):
            return
        self._said = done
        self.console.print(
            f"{done}, {pace(progress)}, trouble: {troubles(progress)}, "
            f"{clock(progress.minutes * 60)} gone, ETA {eta(progress)}",
            highlight=False,
            soft_wrap=True,
        )

    def _panel(self, progress: Progress) -> None:
        if self._live is None:
            self._live = Live(console=self.console, refresh_per_second=4, transient=True)
            self._live.start()
        self._live.update(_grid(progress))


def _grid(progress: Progress) -> Grid:
    share = progress.done / progress.planned if progress.planned else 0.0
    bar = "█" * round(30 * share) + "░" * (30 - round(30 * share))
    spent = progress.spent
    grid = Grid.grid(padding=(0, 2))
    grid.add_row("episodes", f"{bar} {progress.done:,} of {progress.planned:,}")
    grid.add_row("pace", pace(progress))
    if spent.calls:
        cost = f", ${spent.cost:,.4f}" if spent.cost else ""
        grid.add_row(
            "models",
            f"{spent.calls:,} calls, {spent.input_tokens:,} tokens in "
            f"({spent.cached_tokens:,} cached), {spent.output_tokens:,} out{cost}",
        )
    grid.add_row("trouble", troubles(progress))
    grid.add_row("time", f"{clock(progress.minutes * 60)} gone, {eta(progress)} to go")
    return grid
