"""What a person reads when a launch has ended: what was found, and how it ended, in words."""

from pathlib import Path
from typing import Protocol

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from catallaxy.platform.market.marketplace import Progress, RunStatus
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.view import tables
from catallaxy.platform.view.numbers import compact, seconds, short
from catallaxy.platform.view.overview import Overview, overview
from catallaxy.platform.view.progress import clock
from catallaxy.platform.view.visible import one_line

WIDTH = 100
FINISHED, FAILED, BUDGET_SPENT, BY_HAND = 0, 1, 3, 130
_MOST_ROWS = 12


class Ended(Protocol):
    """How a launch ended, and where its record is."""

    @property
    def folder(self) -> Path: ...
    @property
    def status(self) -> RunStatus: ...
    @property
    def progress(self) -> Progress: ...


def print_summary(result: Ended, console: Console) -> int:
    """Print what a run found and how it ended.

    Returns the exit code: 0 all episodes are played, 1 some failed, 3 a budget is spent, 130
    stopped by hand.
    """
    if not console.is_terminal:
        console = Console(file=console.file, width=WIDTH)
    with Reader.open(result.folder) as reader:
        stands = overview(reader)
        if stands is not None and stands.done:
            _print_findings(reader, console)
    failed = result.progress.failed if stands is None else stands.failed
    _print_status(result, stands, failed, console)
    _print_next(result.folder, console)
    return _exit_code(result, failed)


def _exit_code(result: Ended, failed: int) -> int:
    if result.status is RunStatus.STOPPED:
        by_budget = (result.progress.why_stopped or "").startswith("budget.")
        return BUDGET_SPENT if by_budget else BY_HAND
    return FAILED if failed or result.status is RunStatus.FAILED else FINISHED


def _print_findings(reader: Reader, console: Console) -> None:
    plays = tables.plays(reader)
    counts, measures = tables.counts(plays), tables.measures(reader, plays)
    for game, of_game in counts.groupby("game", sort=False):
        found = measures.loc[measures["game"] == game]
        _put(console, _pairings(str(game), of_game, found))
    agents = tables.agents(reader)
    _put(console, _conduct(agents))
    asked = agents.loc[agents["calls"] + agents["reused"] + agents["model_errors"] > 0]
    if len(asked):
        _put(console, _models(asked))
    _print_trouble(reader, counts, console)


def _pairings(game: str, counts: pd.DataFrame, measures: pd.DataFrame) -> Grid:
    columns = tables.headlines(measures)
    grid = _grid(f"{one_line(game)}: mean over settled episodes, ± 95 % interval")
    grid.add_column("agents", overflow="fold")
    grid.add_column("n", justify="right")
    for name, seat in columns:
        header = Text(f"{one_line(name)}\n{one_line(seat)}".rstrip())
        grid.add_column(header, justify="right")
    before: list[str] = []
    notes: list[str] = []
    for _, row in counts.head(_MOST_ROWS).iterrows():
        found = measures.loc[measures["pairing"] == row["pairing"]]
        cells = [_cells(found, name, seat) for name, seat in columns]
        theory = [expected for _, expected in cells]
        if any(theory) and theory != before:
            grid.add_row(Text("theory", "dim"), "", *(Text(each, "dim") for each in theory))
            before = theory
        shown = Text(one_line(row["pairing"]))
        grid.add_row(shown, f"{row['settled']:,}", *(mean for mean, _ in cells))
    if len(counts) > _MOST_ROWS:
        notes.append(f"{len(counts) - _MOST_ROWS:,} more are in the report")
    if (measures["predicted_n"].between(1, measures["n"] - 1)).any():
        notes.append("* theory expects something of some of these episodes only")
    grid.caption = "; ".join(notes) or None
    return grid


def _cells(found: pd.DataFrame, name: str, seat: str) -> tuple[str, str]:
    """A mean with its interval, and what theory expects of the same episodes."""
    hit = found.loc[(found["name"] == name) & (found["seat"] == seat)]
    if hit.empty:
        return "–", ""
    row = hit.iloc[0]
    interval = "" if pd.isna(row["half"]) else f" ±{short(row['half'])}"
    partly = "*" if row["predicted_n"] < row["n"] else ""
    theory = "" if pd.isna(row["predicted"]) else f"{short(row['predicted'])}{partly}"
    return f"{short(row['mean'])}{interval}", theory


def _conduct(agents: pd.DataFrame) -> Grid:
    grid = _grid("what the agents did")
    grid.add_column("agent", overflow="fold")
    names = ("episodes", "tries", "unreadable", "illegal", "forfeits")
    for name in names:
        grid.add_column(name, justify="right")
    for _, row in agents.head(_MOST_ROWS).iterrows():
        grid.add_row(Text(one_line(row["agent"])), *(f"{row[name]:,}" for name in names))
    return grid


def _models(agents: pd.DataFrame) -> Grid:
    grid = _grid("what their models cost")
    grid.add_column("agent", overflow="fold")
    for title in ("calls", "errors", "tokens in", "cached", "out", "p50", "p95", "cost"):
        grid.add_column(title, justify="right")
    for _, row in agents.head(_MOST_ROWS).iterrows():
        names = ("calls", "model_errors", "tokens_in", "cached", "tokens_out")
        cells = [compact(row[name]) for name in names]
        cells += [seconds(row[name]) for name in ("p50_s", "p95_s")]
        cells.append("–" if pd.isna(row["cost_usd"]) else f"${row['cost_usd']:,.4f}")
        grid.add_row(Text(one_line(row["agent"])), *cells)
    return grid


def _print_trouble(reader: Reader, counts: pd.DataFrame, console: Console) -> None:
    ends = [f"{int(counts['forfeited'].sum()):,} had a forfeit"]
    if counts["no_deal"].notna().any():
        ends.insert(0, f"{int(counts['no_deal'].sum()):,} ended without agreement")
    _say(console, f"Of {int(counts['settled'].sum()):,} settled episodes {', '.join(ends)}.")
    for _, row in tables.failures(reader).head(_MOST_ROWS).iterrows():
        fault = f" ({row['fault']})" if row["fault"] else ""
        what = f"{row['episodes']:,} {row['status']}{fault}, the first {row['first']}"
        _say(console, one_line(f"{what}: {row['error']}"), "red")
    for _, row in tables.model_errors(reader).head(_MOST_ROWS).iterrows():
        what = f"{row['agent']}: {row['calls']:,} requests failed with {row['error_type']}"
        _say(console, one_line(f"{what}, e.g. {row['example']}"), "yellow")


def _print_status(result: Ended, stands: Overview | None, failed: int, console: Console) -> None:
    folder, progress = _typed(result.folder), result.progress
    done = progress.done if stands is None else stands.done
    planned = progress.planned if stands is None else stands.planned
    told = f"{done:,} of {planned:,} episodes, {clock(progress.minutes * 60)}"
    lost = f", {failed:,} failed" if failed else ""
    if result.status is RunStatus.FINISHED:
        _say(console, f"Finished{lost}: {told}.", "bold red" if failed else "bold green")
    elif result.status is RunStatus.STOPPED:
        why = (progress.why_stopped or "stopped").removeprefix("stopped ")
        _say(console, f"Stopped ({why}){lost}: {told}.", "bold yellow")
    else:
        why = one_line(progress.last_error or "")
        _say(console, f"Failed: {told}. {why}", "bold red")
    if failed or result.status is not RunStatus.FINISHED:
        _say(console, f"  catallaxy resume {folder}   plays the rest")


def _print_next(folder: Path, console: Console) -> None:
    at = _typed(folder)
    _say(console, f"The record is in {at}")
    _say(console, f"  catallaxy report {at}   a page with tables and figures")
    _say(console, f"  catallaxy show {at}   the dialogues")
    _say(console, f'  catallaxy sql "from episodes" {at}   any question in SQL')


def _typed(folder: Path) -> str:
    """The folder as the user would type it."""
    try:
        shown = folder.resolve().relative_to(Path.cwd())
    except ValueError:
        shown = folder
    text = one_line(str(shown))
    return f"'{text}'" if " " in text else text


def _grid(title: str) -> Grid:
    return Grid(
        title=title,
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        pad_edge=False,
    )


def _put(console: Console, grid: Grid) -> None:
    grid.box = box.SIMPLE_HEAD if console.is_terminal else None
    console.print(grid, width=min(console.width, WIDTH))
    console.print()


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style), soft_wrap=True)
