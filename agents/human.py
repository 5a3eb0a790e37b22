"""A person at a seat: at a terminal, or at a local web page. Told what a model is told, in words.

What they were shown and answered (in JSON) is recorded as their dialogue; nothing else is.
"""

import asyncio
import contextlib
import re
from dataclasses import dataclass
from typing import ClassVar

from catallaxy.agents.base import Act, Ask, End
from catallaxy.agents.chat import BackendFailed
from catallaxy.agents.people.page import AddressTaken, Page, page_of
from catallaxy.agents.people.terminal import NobodyThere, Terminal, terminal_of
from catallaxy.agents.people.told import Told, answer

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


@dataclass(frozen=True, slots=True)
class TerminalAgent:
    """A person at the terminal in which the run was started; several take turns there.

    `persona` is told once, in private. No answer within `timeout_s` seconds is a bad try (None:
    there is time). `currency` stands before payoffs.
    """

    takes_terminal: ClassVar[bool] = True  # so nobody else should write there

    persona: str = ""
    timeout_s: float | None = None
    currency: str = "$"

    def __post_init__(self) -> None:
        _check_limit(self.timeout_s)

    async def act(self, ask: Ask) -> Act:
        """Ask at the terminal. Raises BackendFailed if nobody can answer there."""
        told = Told.of(ask, self.persona)
        try:
            typed = await self._terminal().ask(ask, told, self.timeout_s)
        except NobodyThere as error:
            raise BackendFailed(str(error)) from error
        return answer(ask, told, typed, self.timeout_s)

    def end(self, end: End) -> None:
        """Say how the game ended."""
        with contextlib.suppress(NobodyThere):
            self._terminal().end(end, self.currency)

    @staticmethod
    def _terminal() -> Terminal:
        return terminal_of(asyncio.get_running_loop())


@dataclass(frozen=True, slots=True)
class PageAgent:
    """A person at a local web page, at `http://host:port/play/name`; the address is printed.

    Agents of one host and port share a server, those of one `name` too share a page: one person at
    several seats, or several who hand the device on. `persona` is told once, in private. No answer
    within `timeout_s` seconds of seeing the question is a bad try (None: there is time).
    `currency` stands before payoffs. `port` 0 is any that is free.
    """

    name: str = "you"
    host: str = "127.0.0.1"
    port: int = 8765
    persona: str = ""
    timeout_s: float | None = None
    currency: str = "$"

    def __post_init__(self) -> None:
        _check_limit(self.timeout_s)
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name: give up to 40 letters, digits, _ . -; you gave {self.name!r}.")
        if not 0 <= self.port < 65_536:
            raise ValueError(f"port: give 0 to 65535; you gave {self.port!r}.")

    async def act(self, ask: Ask) -> Act:
        """Ask at the page. Raises BackendFailed if there can be none."""
        told = Told.of(ask, self.persona)
        try:
            chair = await self._page().chair(self.name)
        except AddressTaken as error:
            said = (
                f"{error}: another run has that address, or another host of this one (people play "
                "with cluster=inline or cluster.hosts=1); agent.NAME.port=0 takes one that is free"
            )
            raise BackendFailed(said) from error
        typed = await chair.answer(ask, told, self.timeout_s)
        return answer(ask, told, typed, self.timeout_s)

    def end(self, end: End) -> None:
        """Show how the game ended."""
        chair = self._page().known(self.name)
        if chair is not None:
            chair.end(end, self.currency)

    async def check(self) -> None:
        """See whether the address is free. Raises BackendFailed if it is not."""
        try:
            await self._page().try_address()
        except AddressTaken as error:
            raise BackendFailed(f"{error}; port=0 takes one that is free") from error

    async def close(self) -> None:
        """End the server; a page that is there is given a moment to fetch how games ended."""
        await self._page().close()

    def _page(self) -> Page:
        return page_of(asyncio.get_running_loop(), self.host, self.port)


def _check_limit(timeout_s: float | None) -> None:
    if timeout_s is not None and not timeout_s > 0:
        raise ValueError(f"timeout_s: give seconds above 0, or null; you gave {timeout_s!r}.")
