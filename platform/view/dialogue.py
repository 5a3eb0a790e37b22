"""One episode in a terminal, as a person would read it. Knows no game.

What models wrote is shown as text: nothing in it can act on the terminal or its markup.
"""

import sys
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from catallaxy.platform.store.reader import Reader
from catallaxy.platform.view import tables
from catallaxy.platform.view.numbers import plain
from catallaxy.platform.view.playback import Playback, Sitter, Try, find_episode, playback
from catallaxy.platform.view.visible import clipped, fields, one_line

WIDTH = 100
LONGEST = 2000
EXCERPT = 300
_FEW = 4


def print_dialogue(folder: Path, episode: str | None, *, private: bool) -> int:
    """Print one episode, or without one the list of all. Returns the exit code."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    with Reader.open(folder) as reader:
        if episode is None:
            _print_list(reader, console)
        else:
            shown = playback(reader, find_episode(reader, episode))
            _print_episode(shown, console, private=private)
    return 0


_LIST = """
SELECT e.ordinal, e.episode, e.status, e.turns, e.error, list(s.seat ORDER BY s.place),
  list(s.agent ORDER BY s.place), list(s.payoff ORDER BY s.place)
FROM episodes AS e LEFT JOIN seats AS s ON s.run = e.run AND s.episode = e.episode
GROUP BY ALL ORDER BY e.ordinal
"""


def _print_list(reader: Reader, console: Console) -> None:
    rows = reader.sql(_LIST).rows
    grid = Grid(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for title, justify in (("#", "right"), ("episode", "left"), ("agents", "left")):
        grid.add_column(title, justify=justify, no_wrap=title != "agents")
    grid.add_column("turns", justify="right")
    grid.add_column("outcome", overflow="fold")
    for ordinal, episode, status, turns, error, seats, agents, payoffs in rows:
        if status == "settled":
            pairs = list(zip(seats, payoffs, strict=True))
            outcome = ", ".join(f"{seat} {plain(payoff)}" for seat, payoff in pairs[:_FEW])
            outcome += f" and {len(pairs) - _FEW} more" if len(pairs) > _FEW else ""
        else:
            outcome = f"{status}: {one_line(error or '', 80)}"
        playing = ", ".join(agents[:_FEW]) + (" …" if len(agents) > _FEW else "")
        cells = (str(ordinal), episode, one_line(playing), str(turns), one_line(outcome))
        grid.add_row(*(Text(cell) for cell in cells))
    console.print(grid)
    if not rows:
        console.print("No episode has ended yet.")


def _print_episode(shown: Playback, console: Console, *, private: bool) -> None:
    ended = f"{shown.status}, {shown.turns} turn{'' if shown.turns == 1 else 's'}"
    console.print(Text(f"Episode {shown.ordinal} · {shown.episode}", "bold"))
    console.print(Text(f"{one_line(shown.game)}, {ended}"))
    for sitter in shown.sitters:
        console.print(Text(f"  {who(sitter)}"))
    names = {
        s.seat: s.seat if s.seat == s.agent else f"{s.seat} ({s.agent})" for s in shown.sitters
    }
    for (turn, seat), tries in groupby(shown.tries, key=lambda each: (each.turn, each.seat)):
        console.print()
        console.print(Text(f"Turn {turn + 1} · {one_line(names.get(seat, seat))}", "bold cyan"))
        for each in tries:
            if private:
                _print_private(each, console)
            _print_try(each, console, longest=None if private else LONGEST, private=private)
    console.print()
    _print_outcome(shown, console)


def who(sitter: Sitter) -> str:
    """A seat, its agent and the agent's model."""
    model = f", {sitter.model}" if sitter.model else ""
    return one_line(f"{sitter.seat}: {sitter.agent}{model}")


def _print_try(each: Try, console: Console, *, longest: int | None, private: bool) -> None:
    if each.kind == "forfeit":
        _put(console, "Forfeits: no tries are left.", "bold red")
        return
    if each.kind != "move":
        _put(console, f"✗ {each.kind}: {clipped(each.trouble or '', longest)}", "red")
        if each.answer is not None and not private:
            _put(
                console, f"said: {clipped(each.answer.text, EXCERPT, each.answer.length)}", "dim", 4
            )
    for name, value in fields(each.move or {}, longest):
        _put(console, f"{name}: {value}", "" if each.kind == "move" else "dim", 2)


def _print_private(each: Try, console: Console) -> None:
    for said in each.said:
        _put(console, f"[{said.role}]", "dim", 4)
        _put(console, clipped(said.text, len(said.text), said.length), "dim", 6)
    if each.reasoning:
        _put(console, "[private reasoning]", "dim magenta", 4)
        _put(console, clipped(each.reasoning), "dim magenta", 6)


def _print_outcome(shown: Playback, console: Console) -> None:
    if shown.status != "settled":
        fault = f" ({shown.fault})" if shown.fault else ""
        why = clipped(shown.error or "no reason on record", LONGEST)
        console.print(Text(f"Outcome: {shown.status}{fault}: {why}", "bold red"))
        return
    console.print(Text("Outcome", "bold"))
    for sitter in shown.sitters:
        earned = f"{one_line(sitter.seat)}: payoff {plain(sitter.payoff)}"
        _put(console, f"{earned}{_listed(sitter.metrics)}")
    if shown.metrics:
        _put(console, _listed(shown.metrics).removeprefix(", "))


def _listed(metrics: Mapping[str, float]) -> str:
    """The metrics in words, but for those that repeat another one under another convention."""
    return "".join(f", {one_line(n)} {plain(metrics[n])}" for n in tables.plain_names(metrics))


def _put(console: Console, text: str, style: str = "", indent: int = 2) -> None:
    console.print(Padding(Text(text, style), (0, 0, 0, indent), expand=False))
