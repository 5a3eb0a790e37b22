"""One person's place at a page: the games that wait, and the one that is seen. Knows no HTTP.

A page shows one game at a time, the oldest first, until it is over or the person turns to another.
The clock of a question runs from when it is first shown, and not before somebody has come.
"""

import asyncio
import contextlib
import secrets
from typing import TypeAlias

from catallaxy.agents.base import Ask, End
from catallaxy.agents.people.ending import Ending
from catallaxy.agents.people.form import Typed
from catallaxy.agents.people.sitting import Entry, Sitting
from catallaxy.agents.people.told import Told
from catallaxy.agents.visible import visible
from catallaxy.games.base import Seat

_PATIENCE_S = 3.0  # how long the end of a game waits for a page to fetch it
_GONE_S = 60.0  # a page that has not asked for so long is not there any more

_Game: TypeAlias = tuple[str, int]  # episode, play


class Chair:
    """The place of one person, or of several who share a page. `token` opens it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.token = secrets.token_urlsafe(12)
        self.version = 0
        self._games: dict[_Game, dict[Seat, Sitting]] = {}  # the seat that was asked last is last
        self._begun = 0
        self._here: _Game | None = None
        self._changed = asyncio.Event()
        self._fetched = asyncio.Event()
        self._fetched_at: float | None = None

    async def answer(self, ask: Ask, told: Told, limit_s: float | None) -> Typed | None:
        """Put a question and wait for the answer; None if it does not come in time."""
        game = (ask.call.episode, ask.call.play)
        if game not in self._games:
            self._begun += 1
        sittings = self._games.setdefault(game, {})
        sitting = sittings.pop(ask.seat, None) or Sitting(self._begun, ask)
        sittings[ask.seat] = sitting
        question = sitting.put(ask, told, limit_s)
        self._here = self._here or game
        self._touch()
        try:
            return await question.answer
        finally:
            if sitting.question is question:
                sitting.question = None
            self._touch()

    def end(self, end: End, currency: str) -> None:
        """Show how a game ended."""
        game = (end.episode, end.play)
        sitting = self._games.get(game, {}).get(end.seat)
        if sitting is None:
            return
        sitting.ending = Ending.of(end, sitting.ask, currency)
        self._touch()

    async def farewell(self) -> None:
        """Wait a moment for a page that is there to fetch how the game that it shows ended."""
        if self._here is not None and self._over(self._here) and self._present():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._fetched.wait(), _PATIENCE_S)

    def submit(self, question: str, typed: Typed) -> bool:
        """Give the answer to the question of that id; False if it is not open (any more)."""
        for sitting in self._sittings():
            if sitting.question is not None and sitting.question.id == question:
                sitting.take(typed)
                self._touch()
                return True
        return False

    def turn(self) -> None:
        """Show the oldest of the games that wait, if there is one."""
        waiting = self._waiting()
        if not waiting:
            return
        if self._here is not None and self._over(self._here):
            del self._games[self._here]
        self._here = waiting[0]
        self._touch()

    async def state(self, after: int, patience_s: float) -> Entry:
        """What is to be seen, as soon as it is newer than version `after`, or after a while."""
        self._fetched_at = asyncio.get_running_loop().time()
        self._start_clock()
        if after == self.version:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), patience_s)
        self._fetched.set()
        self._fetched_at = asyncio.get_running_loop().time()
        return self._shown()

    def _shown(self) -> Entry:
        here = self._games.get(self._here, {}) if self._here else {}
        sitting = self._sitting_of(here)
        endings = [(each.who, each.ending) for each in here.values() if each.ending is not None]
        return {
            "version": self.version,
            "name": self.name,
            "waiting": len(self._waiting()),
            "shared": len(here) > 1,
            "game": None if sitting is None else sitting.shown(),
            "endings": [_shown_ending(who, ending) for who, ending in endings],
        }

    @staticmethod
    def _sitting_of(here: dict[Seat, Sitting]) -> Sitting | None:
        for sitting in here.values():
            if sitting.question is not None:
                return sitting
        return next(reversed(here.values()), None)

    def _sittings(self) -> list[Sitting]:
        return [sitting for sittings in self._games.values() for sitting in sittings.values()]

    def _waiting(self) -> list[_Game]:
        """The games that are not shown in which something is asked or was not yet seen to end."""
        return [
            game
            for game, sittings in self._games.items()
            if game != self._here and any(s.question or s.ending for s in sittings.values())
        ]

    def _over(self, game: _Game) -> bool:
        return any(sitting.ending is not None for sitting in self._games[game].values())

    def _present(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._fetched_at is not None and now - self._fetched_at < _GONE_S

    def _start_clock(self) -> None:
        if self._here is None or self._fetched_at is None:
            return
        sitting = self._sitting_of(self._games[self._here])
        if sitting is not None and sitting.question is not None:
            sitting.question.start_clock()

    def _touch(self) -> None:
        self._start_clock()
        self.version += 1
        self._fetched.clear()
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _shown_ending(who: str, ending: Ending) -> Entry:
    return {
        "who": visible(who),
        "outcome": visible(ending.outcome),
        "last": [[visible(label), visible(value)] for label, value in ending.last],
        "earned": ending.earned,
    }
