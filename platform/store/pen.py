"""The one thread that writes: a queue in, transactions out, and the parts for live readers.

A transaction takes everything that waits, after 4000 rows or 100 ms, whichever comes first.
"""

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import duckdb

from catallaxy.platform.errors import StoreError
from catallaxy.platform.store.duck import one_line
from catallaxy.platform.store.parts import Parts
from catallaxy.platform.store.tables import Tables

BATCH_ROWS = 4000  # a transaction costs about 5 ms, whatever is in it
BATCH_S = 0.1
AT_ONCE = math.inf  # rows: more than any batch
ROTATE_SHARE = 0.05  # of the writer's time
ROTATE_GROWTH = 0.02  # of the run's age: an hour's run leaves a few hundred parts

_Wrote = TypeVar("_Wrote")

# A row or a value that DuckDB refuses; anything else that it raises means a broken file or disk.
_REFUSED = (
    duckdb.ConstraintException,
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.InvalidTypeException,
    duckdb.OutOfRangeException,
    duckdb.TypeMismatchException,
)
_MISUSED = (StoreError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError)


@dataclass(slots=True)
class _Entry(Generic[_Wrote]):
    """Something to write, and who waits for it."""

    write: Callable[[Tables], _Wrote]
    done: Future[_Wrote] = field(default_factory=Future)

    def __post_init__(self) -> None:
        self.done.set_running_or_notify_cancel()  # a waiter that gives up cancels nothing


class Pen:
    """Writes what it is given, in order, in few transactions. `parts` None lays out nothing."""

    def __init__(
        self, tables: Tables, parts: Parts | None, folder: Path | None, rotate_s: float
    ) -> None:
        self._tables = tables
        self._parts = parts
        self._folder = folder
        self._rotate_s = rotate_s
        self._waiting: list[_Entry[Any]] = []
        self._rotations: list[_Entry[None]] = []
        self._rows = 0.0
        self._restart = False
        self._stopping = False
        self._changed = threading.Condition()
        self._broken: StoreError | None = None
        self._opened = time.monotonic()
        self._next_rotation = self._opened + rotate_s
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise the StoreError that stopped the writing, if one did."""
        if self._broken is not None:
            raise self._broken

    def write(self, write: Callable[[Tables], _Wrote], rows: float) -> Future[_Wrote]:
        """Do `write`, which gathers about so many rows; resolves when they are durable."""
        entry = _Entry(write)
        with self._changed:
            self.check()
            if self._stopping:
                raise StoreError("The record is closed.")
            self._waiting.append(entry)
            self._rows += rows
            if len(self._waiting) == 1 or self._rows >= BATCH_ROWS:
                self._changed.notify()
        return entry.done

    def rotate(self) -> Future[None]:
        """Lay out what is durable, now."""
        entry = _Entry(lambda tables: None)
        with self._changed:
            self.check()
            self._rotations.append(entry)
            self._changed.notify()
        return entry.done

    def rotate_soon(self) -> None:
        """Lay out the transaction that is being written as soon as it is durable."""
        self._next_rotation = 0.0

    def restart_parts(self) -> None:
        """Lay out everything from the start: rows changed that were laid out before."""
        self._restart = True

    def stop(self) -> None:
        """Write what waits, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    # The thread.

    def _work(self) -> None:
        try:
            while self._waiting or not self._stopping:
                entries = self._take()
                if entries:
                    self._commit(entries)
                if self._broken is not None:
                    return
                self._rotate_if_due()
        finally:
            self._give_up()

    def _take(self) -> list[_Entry[Any]]:
        """Everything that waits, once it is 4000 rows or the first of it has waited 100 ms."""
        with self._changed:
            while not (self._waiting or self._stopping or self._rotations):
                if not self._changed.wait(self._idle_s()):
                    return []
            until = time.monotonic() + BATCH_S
            while self._waiting and self._rows < BATCH_ROWS and not self._stopping:
                if not self._changed.wait(until - time.monotonic()):
                    break
            entries, self._waiting, self._rows = self._waiting, [], 0.0
            return entries

    def _idle_s(self) -> float | None:
        if self._parts is None:
            return None
        return max(0.0, self._next_rotation - time.monotonic())

    def _commit(self, entries: list[_Entry[Any]]) -> None:
        """Write `entries` in one transaction; if one is refused, each in its own."""
        try:
            written = [entry.write(self._tables) for entry in entries]
            self._tables.commit()
        except (*_REFUSED, *_MISUSED) as error:
            self._tables.undo()
            self._refuse(entries, error)
        except BaseException as error:  # noqa: BLE001  whatever it is, nobody may be left waiting
            self._break(error)
            for entry in entries:
                entry.done.set_exception(self._broken)
        else:
            for entry, value in zip(entries, written, strict=True):
                entry.done.set_result(value)

    def _refuse(self, entries: list[_Entry[Any]], error: Exception) -> None:
        if isinstance(error, duckdb.ConstraintException) and not self._tables.careful:
            self._tables.careful = True
            self._commit(entries)
        elif len(entries) == 1:
            entries[0].done.set_exception(_refusal(error))
        else:
            for entry in entries:
                if self._broken is None:
                    self._commit([entry])
                else:
                    entry.done.set_exception(self._broken)

    def _rotate_if_due(self) -> None:
        asked, self._rotations = self._rotations, []
        started = time.monotonic()
        if self._parts is not None and (asked or self._restart or started >= self._next_rotation):
            try:
                self._rotate(self._parts)
            except (duckdb.Error, OSError) as error:
                self._break(error)
            ended = time.monotonic()
            self._next_rotation = ended + max(
                self._rotate_s,
                (ended - started) / ROTATE_SHARE,
                (ended - self._opened) * ROTATE_GROWTH,
            )
        for entry in asked:
            if self._broken is None:
                entry.done.set_result(None)
            else:
                entry.done.set_exception(self._broken)

    def _rotate(self, parts: Parts) -> None:
        if self._restart:
            self._restart = False
            parts.restart(self._tables.batch, self._tables.touched)
        else:
            parts.rotate(self._tables.batch, self._tables.touched)

    def _break(self, error: BaseException) -> None:
        self._broken = StoreError(
            f"The record in {self._folder} cannot be written any more: {one_line(error)}. "
            "What was settled is intact: make room and resume the run."
        )

    def _give_up(self) -> None:
        """Nobody waits for a thread that has ended."""
        with self._changed:
            left = [*self._waiting, *self._rotations]
            self._waiting, self._rotations = [], []
            if not self._stopping and self._broken is None:
                self._broken = StoreError(f"The writer of {self._folder} died; see the log.")
        for entry in left:
            entry.done.set_exception(self._broken or StoreError("The record is closed."))


def _refusal(error: Exception) -> StoreError:
    if isinstance(error, StoreError):
        return error
    refused = StoreError(f"The record refused a row: {one_line(error)}")
    refused.__cause__ = error
    return refused
