"""Who writes a run's record: one process, held by the operating system until it ends or dies.

DuckDB locks its file too, but only against other processes, and says nothing to a reader who
wants to know whether a run is alive.
"""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeAlias

from catallaxy.platform.errors import StoreError

FILE = "store.lock"
POLL_S = 0.05

Purpose: TypeAlias = Literal["write", "read"]


class FolderLock:
    """The lock on one run folder: one writer, or many readers."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it back. Twice does no harm."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):  # a reader's may not be written, and has no name
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> "FolderLock":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def for_writing(folder: Path, *, wait_s: float = 0.0) -> FolderLock:
    """Become the writer; wait at most `wait_s` seconds for another one to end."""
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o644)
    last = time.monotonic() + wait_s
    while not _taken(descriptor, fcntl.LOCK_EX):
        if time.monotonic() >= last:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise StoreError(f"{folder} is in use by {holder}; wait until it has ended, or end it.")
        time.sleep(POLL_S)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return FolderLock(descriptor)


def for_reading(folder: Path) -> FolderLock | None:
    """Keep writers out while reading; None when one is at work."""
    try:
        descriptor = os.open(folder / FILE, os.O_RDONLY)
    except FileNotFoundError:
        return FolderLock(None)
    if _taken(descriptor, fcntl.LOCK_SH):
        return FolderLock(descriptor)
    os.close(descriptor)
    return None


def _taken(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    """The writer by its number; readers leave no name, and a dead writer's does not count."""
    text = os.pread(descriptor, 20, 0)
    if text.isdigit() and Path(f"/proc/{int(text)}").exists():
        return f"process {int(text)}"
    return "a reader"
