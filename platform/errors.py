"""What can go wrong, in one tree, and whose fault it is. Knows nothing else."""

import asyncio
from enum import StrEnum

from catallaxy.agents.chat import BackendFailed


class CatallaxyError(Exception):
    """Something a person must do something about. The text is one sentence that says what."""


class ConfigError(CatallaxyError):
    """A wrong key or value in the configuration; nothing was started."""


class NotReady(CatallaxyError):
    """A server, model, key or package that a run needs is missing; no episode was started."""


class StoreError(CatallaxyError):
    """The record cannot be read or written."""


class Stopped(CatallaxyError):
    """The run was stopped on purpose: a budget is spent, or a person said so."""


class Fault(StrEnum):
    """Why an episode failed. An unreadable reply or an illegal move is never one of these."""

    BACKEND = "backend"
    GAME = "game"
    AGENT = "agent"
    WORKER = "worker"


def blame(error: BaseException) -> Fault:
    """Whose fault `error` is, seen from the table."""
    if isinstance(error, (BackendFailed, asyncio.TimeoutError)):
        return Fault.BACKEND
    if isinstance(error, GameBroke):
        return Fault.GAME
    return Fault.AGENT


class GameBroke(Exception):
    """A game's own method raised: a bug in the rules, not a bad move."""
