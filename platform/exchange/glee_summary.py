"""What an import or an export came to, in words and small tables. Knows no files."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Grid
from rich.text import Text

from catallaxy.platform.exchange.disagreements import Tally
from catallaxy.platform.exchange.glee_export import Exported
from catallaxy.platform.exchange.glee_import import Imported, Watch
from catallaxy.platform.view.visible import one_line

WIDTH = 100
FINE, SOME_FAILED = 0, 1
_MOST_BROKEN = 12


@contextmanager
def watching(console: Console) -> Generator[Watch]:
    """A bar that moves while games are read, where somebody sits at a terminal."""
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("playing again", total=None)
        yield lambda done, games: progress.update(task, completed=done, total=games)


def print_imported(imported: Imported, folder: Path, console: Console) -> int:
    """Print what was imported, and every kind of disagreement. Returns the exit code: 1 if any."""
    grid = _grid("", "games", "new", "there already", "disagree")
    for game in sorted({*imported.stored, *imported.known}):
        new, known = imported.stored[game], imported.known[game]
        cells = (new + known, new, known, imported.disagreeing[game])
        grid.add_row(Text(one_line(game)), *(f"{cell:,}" for cell in cells))
    _put(console, grid)
    if imported.partial:
        _say(console, f"{imported.partial:,} games were never finished (.partial) and left out.")
    _print_tally(imported.tally, console)
    disagreeing = imported.disagreeing.total()
    if disagreeing:
        _say(
            console, f"{disagreeing:,} of {imported.games:,} games disagree with our rules.", "red"
        )
    else:
        _say(console, f"All {imported.games:,} games agree with our rules, move by move.", "green")
    _say(console, f"The record is in {one_line(str(folder))}")
    return SOME_FAILED if disagreeing else FINE


def _print_tally(tally: Tally, console: Console) -> None:
    for kind, games in tally.games.most_common():
        aside = ", harmless" if kind.harmless else ""
        _say(console, f"{kind.value}{aside}: {games:,} game{'' if games == 1 else 's'}", "bold")
        for game, text in tally.examples[kind]:
            _say(console, f"  {one_line(game)}: {one_line(text, 300)}")


def print_exported(exported: Exported, folder: Path, console: Console) -> int:
    """Print what was written, skipped and lost. Returns the exit code: 1 for a broken record."""
    for game, games in sorted(exported.written.items()):
        _say(console, f"{games:,} games of {game} written", "green")
    _print_counts(exported.skipped, "skipped", console)
    _print_counts(exported.lost, "written without saying", console)
    for episode, why in list(exported.broken.items())[:_MOST_BROKEN]:
        _say(console, f"{episode} contradicts its rules: {one_line(why, 300)}", "red")
    if len(exported.broken) > _MOST_BROKEN:
        _say(console, f"... and {len(exported.broken) - _MOST_BROKEN:,} more", "red")
    if exported.written:
        _say(console, f"The games are in {one_line(str(folder))}")
    else:
        _say(console, "Nothing was written.", "yellow")
    return SOME_FAILED if exported.broken else FINE


def _print_counts(counts: Mapping[str, int], what: str, console: Console) -> None:
    for why, games in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        _say(
            console, f"{games:,} {what}{':' if what == 'skipped' else ''} {one_line(why)}", "yellow"
        )


def _grid(*titles: str) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, title in enumerate(titles):
        grid.add_column(title, justify="right" if number else "left")
    return grid


def _put(console: Console, grid: Grid) -> None:
    if not console.is_terminal:
        grid.box = None
    console.print(grid, width=min(console.width, WIDTH))
    console.print()


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style), soft_wrap=True)
