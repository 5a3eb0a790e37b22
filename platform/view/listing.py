"""The runs of a folder, one line each, whether they go on, have ended or are broken."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from catallaxy.platform.errors import StoreError
from catallaxy.platform.store.reader import Reader, find_runs
from catallaxy.platform.view.overview import Overview, overview
from catallaxy.platform.view.progress import clock
from catallaxy.platform.view.visible import one_line

PLAIN_WIDTH = 500  # lines are not wrapped where programs read them
_TITLES = ("run", "status", "episodes", "failed", "started", "took", "models", "cost")
_STYLES = {"running": "cyan", "finished": "green", "stopped": "yellow", "interrupted": "yellow"}


def print_runs(folder: Path) -> int:
    """Print the runs at and under `folder`, newest last. Returns the exit code."""
    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else PLAIN_WIDTH, highlight=False)
    if not folder.is_dir():
        raise StoreError(
            f"{folder} is not a folder; runs are kept in runs/ unless you say otherwise."
        )
    found = find_runs(folder)
    if not found:
        console.print(Text(f"No runs in {folder}: start one with catallaxy run."))
        return 0
    grid = Grid(box=box.SIMPLE_HEAD if terminal else None, pad_edge=False)
    for title in _TITLES:
        left = title in ("run", "status", "started", "models")
        grid.add_column(
            title, justify="left" if left else "right", overflow="fold", no_wrap=title == "run"
        )
    for run in found:
        grid.add_row(*_line(run))
    console.print(grid)
    return 0


def _line(run: Path) -> list[Text]:
    name = Text(one_line(str(run)))
    try:
        with Reader.open(run) as reader:
            stands = overview(reader)
    except StoreError as error:
        return [name, Text("unreadable", "red"), *([Text()] * 4), Text(one_line(str(error), 200))]
    if stands is None:
        return [name, Text("empty", "yellow")]
    return [
        name,
        Text(stands.status, _STYLES.get(stands.status, "red")),
        Text(f"{stands.done:,}/{stands.planned:,}"),
        Text(f"{stands.failed:,}" if stands.failed else ""),
        Text(f"{stands.started:%Y-%m-%d %H:%M} UTC" if stands.started else ""),
        Text(_took(stands)),
        Text(one_line(", ".join(stands.models), 60)),
        Text("" if stands.cost_usd is None else f"${stands.cost_usd:,.4f}"),
    ]


def _took(stands: Overview) -> str:
    if stands.started is None or stands.status == "interrupted":
        return ""
    ended = stands.ended or datetime.now(UTC).replace(tzinfo=None)
    return clock((ended - stands.started).total_seconds())
