"""A terminal at which one person at a time is asked. Knows no game and no agent.

Reads without a thread: a thread that waits for a line would keep a stopped run alive.
"""

import asyncio
import os
import select
import shutil
import sys
import termios
import textwrap
from functools import lru_cache
from typing import TextIO, TypeAlias

from catallaxy.agents.base import Ask, End
from catallaxy.agents.people.ending import Ending
from catallaxy.agents.people.form import Field, Typed, form, name_of
from catallaxy.agents.people.told import Told
from catallaxy.agents.visible import visible
from catallaxy.games.base import Seat

_POLL_S = 0.05
_CHUNK = 65_536
_WIDEST = 88
_NOBODY = (
    "nobody can answer here: the input is closed or no terminal (people at a terminal play with "
    "catallaxy run and cluster=inline)"
)

_Sitting: TypeAlias = tuple[str, int, Seat]  # episode, play


class NobodyThere(Exception):
    """The input was closed, and it was no person who closed it."""


class Terminal:
    """Reads lines from the file descriptor `fd`, writes to `out`. Asks one question at a time."""

    def __init__(self, fd: int, out: TextIO) -> None:
        self._fd = fd
        self._out = out
        self._read = b""
        self._turn = asyncio.Lock()
        self._asked: dict[_Sitting, Ask] = {}
        self._endings: list[tuple[_Sitting, Ask, Ending]] = []
        self._spoke: _Sitting | None = None

    async def ask(self, ask: Ask, told: Told, limit_s: float | None) -> Typed | None:
        """Show what is new, ask, wait for the answer; None if it does not come in time.

        The time of waiting for others who are asked does not count. Raises NobodyThere if the
        input is no terminal, and closed.
        """
        sitting = (ask.call.episode, ask.call.play, ask.seat)
        async with self._turn:
            self._asked[sitting] = ask
            self._open(sitting, ask)
            for text in (told.rules, told.briefing, told.text):
                self._say(text)
            try:
                async with asyncio.timeout(limit_s):
                    return await self._fill(form(ask))
            except TimeoutError:
                self._out.write("\n")
                return None
            except asyncio.CancelledError:
                self._out.write("\n")
                raise
            finally:
                self._tell_endings()

    def end(self, end: End, currency: str) -> None:
        """Say how a game ended to who was asked in it, as soon as nothing is asked."""
        sitting = (end.episode, end.play, end.seat)
        ask = self._asked.pop(sitting, None)
        if ask is None:
            return
        self._endings.append((sitting, ask, Ending.of(end, ask, currency)))
        if not self._turn.locked():
            self._tell_endings()

    def _tell_endings(self) -> None:
        for sitting, ask, ending in self._endings:
            self._open(sitting, ask)
            over = f"The game is over: {ending.outcome}." if ending.outcome else "The game is over."
            self._say(over)
            self._say("\n".join(f"- {label}: {value}" for label, value in ending.last))
            self._say(ending.earned)
        self._endings.clear()

    def _open(self, sitting: _Sitting, ask: Ask) -> None:
        """Say who is asked in which game, where that was another one before."""
        if self._spoke != sitting:
            self._spoke = sitting
            title = f"── {visible(name_of(ask.seat, ask))}, game {visible(ask.call.episode)} "
            self._out.write(f"\n{title.ljust(_width(), '─')}\n")

    def _say(self, text: str) -> None:
        """Print paragraphs, wrapped to the terminal's width; nothing in them acts on it."""
        if not text:
            return
        self._out.write("\n")
        for line in visible(text).splitlines():
            hanging = "  " if line.startswith("- ") else ""
            self._out.write(textwrap.fill(line, _width(), subsequent_indent=hanging) + "\n")
        self._out.flush()

    async def _fill(self, fields: tuple[Field, ...]) -> Typed:
        """Ask for one field after the other; nothing more once the person ends the input."""
        self._forget()
        self._out.write("\n")
        typed: dict[str, str] = {}
        for field in fields:
            self._out.write(f"  {visible(_prompt(field))}: ")
            self._out.flush()
            line = await self._line()
            if line is None:
                return typed
            typed[field.name] = _chosen(field, line)
        return typed

    async def _line(self) -> str | None:
        while b"\n" not in self._read:
            ready, _, _ = select.select([self._fd], [], [], 0)
            if not ready:
                await asyncio.sleep(_POLL_S)
                continue
            chunk = os.read(self._fd, _CHUNK)
            if not chunk and not self._read:
                return self._ended()
            self._read += chunk or b"\n"
        line, _, self._read = self._read.partition(b"\n")
        return line.decode("utf-8", "replace").rstrip("\r")

    def _ended(self) -> None:
        if not os.isatty(self._fd):
            raise NobodyThere(_NOBODY)
        self._out.write("\n")

    def _forget(self) -> None:
        """Drop what was typed before the question was put."""
        if os.isatty(self._fd):
            termios.tcflush(self._fd, termios.TCIFLUSH)
            self._read = b""


@lru_cache(maxsize=4)
def terminal_of(loop: asyncio.AbstractEventLoop) -> Terminal:
    """The terminal of this process, for all who are asked on `loop`.

    Raises NobodyThere if there is none, as in a notebook.
    """
    try:
        return Terminal(sys.stdin.fileno(), sys.stderr)
    except (AttributeError, OSError) as error:
        raise NobodyThere(_NOBODY) from error


def _width() -> int:
    return min(_WIDEST, shutil.get_terminal_size().columns)


def _prompt(field: Field) -> str:
    match field.kind:
        case "choice":
            return f"{field.label} ({' / '.join(option.label for option in field.options)})"
        case "text" if field.longest is not None:
            return f"{field.label} (one line, at most {field.longest:,} characters)"
        case _:
            return field.label


def _chosen(field: Field, line: str) -> str:
    """The option that was meant, by its label, its value or the only one that begins so."""
    if field.kind != "choice":
        return line
    meant = line.strip().casefold()
    words = {o.key: (o.label.casefold(), o.key.casefold()) for o in field.options}
    exact = [key for key, names in words.items() if meant in names]
    begun = [key for key, names in words.items() if any(n.startswith(meant) for n in names)]
    found = exact or (begun if meant else [])
    return found[0] if len(found) == 1 else line
