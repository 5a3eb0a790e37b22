"""The record of one run, written by one thread: what is acknowledged is on the disk.

A transaction takes everything that waits, after 4000 rows or 100 ms, whichever comes first, and
never splits an episode. Knows no game, no model and no Ray.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import duckdb

from catallaxy.platform.backends.cassette import RecordedCall
from catallaxy.platform.errors import StoreError
from catallaxy.platform.record import Call, Engagement, Episode, Outcome
from catallaxy.platform.store import lock, recall, views
from catallaxy.platform.store.duck import locked_by, one_line, unreadable
from catallaxy.platform.store.lock import FolderLock
from catallaxy.platform.store.parts import Parts
from catallaxy.platform.store.recall import Parameters
from catallaxy.platform.store.rows import AgentRow, LedgerEntry, Run, VariantRow
from catallaxy.platform.store.schema import CURRENT, Schema
from catallaxy.platform.store.tables import Tables

FILE = "store.duckdb"
BATCH_ROWS = 4000  # a transaction costs about 5 ms, whatever is in it
BATCH_S = 0.1
ROTATE_SHARE = 0.05  # of the writer's time
ROTATE_GROWTH = 0.02  # of the run's age: an hour's run leaves a few hundred parts
CHECKPOINT = "64MB"  # a checkpoint is the only pause that a turn could notice
POLL_S = 0.05

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
_MISUSED = (StoreError, TypeError, ValueError, AttributeError, LookupError)


@dataclass(slots=True)
class _Entry(Generic[_Wrote]):
    """Something to write, how many rows it is, and who waits for it."""

    write: Callable[[Tables], _Wrote]
    size: float
    done: Future[_Wrote] = field(default_factory=Future)


class Store:
    """The one writer of a run's record.

    `folder` None keeps the record in memory. Methods that return a future return at once, and the
    future resolves when the rows are durable; every other method waits. `wait_s` is how long to
    wait for another writer to end, `rotate_s` how often a live run is laid out for readers.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        wait_s: float = 0.0,
        rotate_s: float = 2.0,
        schema: Schema = CURRENT,
    ) -> None:
        self.folder = folder
        self._lock = self._own(folder, wait_s)
        try:
            self._connection = _connect(folder, wait_s)
            migrated = _prepare(self._connection, schema, folder)
            self._tables = Tables(self._connection)
            self._parts = Parts(folder, self._connection) if folder else None
        except BaseException:
            self._lock.release()
            raise
        self._reading = threading.Lock()
        self._reader = self._connection.cursor()
        self._waiting: list[_Entry[Any]] = []
        self._rows = 0.0
        self._changed = threading.Condition()
        self._broken: StoreError | None = None
        self._closing = False
        self._closed = False
        self._rotations: list[Future[None]] = []
        self._restart = migrated
        self._rotate_s = rotate_s
        self._opened = time.monotonic()
        self._next_rotation = self._opened + rotate_s
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    # What a run tells its record.

    def begin(
        self,
        run: Run,
        agents: Sequence[AgentRow] = (),
        variants: Sequence[VariantRow] = (),
    ) -> Future[None]:
        """The run starts, or goes on. Fails with StoreError on another run's record."""
        begun = self._submit(lambda tables: tables.begin(run, agents, variants), math.inf)
        begun.add_done_callback(lambda _: self._hurry_rotation())
        return begun

    def declare(
        self, agents: Sequence[AgentRow] = (), variants: Sequence[VariantRow] = ()
    ) -> Future[None]:
        """Agents and variants that were not known when the run began; before they are planned."""
        rows = len(agents) + len(variants)
        return self._submit(lambda tables: tables.declare(agents, variants), rows)

    def plan(self, engagements: Sequence[Engagement]) -> Future[None]:
        """What is going to be played; engagements that are known already are ignored."""
        return self._submit(lambda tables: tables.plan(engagements), len(engagements))

    def record(self, calls: Sequence[Call]) -> Future[None]:
        """Calls as they returned; one that is recorded already is ignored."""
        return self._submit(lambda tables: tables.record(calls), len(calls))

    def append(self, episodes: Sequence[Episode]) -> Future[frozenset[str]]:
        """Episodes that ended, each whole. Resolves to the ids that are newly stored.

        An episode that is settled (or crashed) already is ignored; one that failed is replaced
        when it was played again.
        """
        size = sum(2 + len(episode.turns) + len(episode.metrics) for episode in episodes)
        return self._submit(lambda tables: tables.append(episodes), size)

    def settle(self, entries: Sequence[LedgerEntry]) -> Future[None]:
        """Entries of the ledger, all of one episode together; booked ordinals are ignored."""
        return self._submit(lambda tables: tables.settle(entries), len(entries))

    def resettle(self) -> Future[None]:
        """Empty the ledger, before it is settled again from the start."""
        emptied = self._submit(Tables.resettle, math.inf)
        self._restart = True
        return emptied

    def flush(self) -> None:
        """Wait until everything that was handed in is durable. Raises StoreError if it is not."""
        self._submit(lambda tables: None, math.inf).result()

    def rotate(self) -> None:
        """Lay out everything that is durable for readers, now."""
        self.flush()
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()
        with self._changed:
            self._rotations.append(done)
            self._changed.notify()
        done.result()

    def close(self, status: str = "finished") -> None:
        """Write what waits, note how the run ended, let go of the file. Twice does no harm."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._broken is None:
                self._submit(lambda tables: tables.end(status), math.inf).result()
                views.create(self._reader, views.in_file)
        finally:
            with self._changed:
                self._closing = True
                self._changed.notify()
            self._thread.join()
            self._reader.close()
            self._connection.close()
            if self._parts is not None and self._broken is None:
                self._parts.remove()
            self._lock.release()

    # What the record tells the run.

    def read(self, sql: str, params: Parameters = ()) -> list[tuple[Any, ...]]:
        """The rows of a query over the views and tables, as far as they are durable."""
        with self._reading:
            self._check()
            try:
                self._reader.execute("BEGIN TRANSACTION READ ONLY").fetchall()
                return self._reader.execute(sql, params).fetchall()
            except duckdb.Error as error:
                raise StoreError(one_line(error)) from error
            finally:
                self._reader.execute("ROLLBACK").fetchall()

    def outcomes(self, episodes: Sequence[str] | None = None) -> Mapping[str, Outcome]:
        """The final outcomes of `episodes` (None: all): settled and crashed ones."""
        return recall.outcomes(self.read, episodes)

    def plays(self) -> Mapping[str, int]:
        """How often every episode was begun that left a trace, settled or not."""
        return recall.plays(self.read)

    def recorded(self, episodes: Sequence[str]) -> Mapping[str, tuple[RecordedCall, ...]]:
        """The answered calls of `episodes`, settled or not."""
        return recall.calls_by_episode(self.read, episodes)

    # The writer's thread.

    def _submit(self, write: Callable[[Tables], _Wrote], size: float) -> Future[_Wrote]:
        entry = _Entry(write, size)
        entry.done.set_running_or_notify_cancel()  # a waiter that gives up cancels nothing
        with self._changed:
            self._check()
            if self._closing:
                raise StoreError("The record is closed.")
            self._waiting.append(entry)
            self._rows += size
            if len(self._waiting) == 1 or self._rows >= BATCH_ROWS:
                self._changed.notify()
        return entry.done

    def _check(self) -> None:
        if self._broken is not None:
            raise self._broken

    def _work(self) -> None:
        try:
            while not self._closing or self._waiting:
                entries = self._take()
                if entries:
                    self._write(entries)
                if self._broken is not None:
                    return
                self._rotate_if_due()
        finally:
            self._give_up()

    def _take(self) -> list[_Entry[Any]]:
        """Everything that waits, once it is 4000 rows or the first of it has waited 100 ms."""
        with self._changed:
            while not (self._waiting or self._closing or self._rotations):
                if not self._changed.wait(self._idle_s()):
                    return []
            until = time.monotonic() + BATCH_S
            while self._waiting and self._rows < BATCH_ROWS and not self._closing:
                if not self._changed.wait(until - time.monotonic()):
                    break
            entries, self._waiting, self._rows = self._waiting, [], 0.0
            return entries

    def _idle_s(self) -> float | None:
        if self._parts is None:
            return None
        return max(0.0, self._next_rotation - time.monotonic())

    def _write(self, entries: list[_Entry[Any]]) -> None:
        """Write `entries` in one transaction; if one is refused, each in its own."""
        try:
            written = [entry.write(self._tables) for entry in entries]
            self._tables.commit()
        except (*_REFUSED, *_MISUSED) as error:
            self._tables.undo()
            self._refuse(entries, error)
        except duckdb.Error as error:
            self._broken = self._stopped(error)
            for entry in entries:
                entry.done.set_exception(self._broken)
        else:
            for entry, value in zip(entries, written, strict=True):
                entry.done.set_result(value)

    def _refuse(self, entries: list[_Entry[Any]], error: Exception) -> None:
        if isinstance(error, duckdb.ConstraintException) and not self._tables.careful:
            self._tables.careful = True
            self._write(entries)
        elif len(entries) == 1:
            refused = error if isinstance(error, StoreError) else _refusal(error)
            entries[0].done.set_exception(refused)
        else:
            for position, entry in enumerate(entries):
                if self._broken is not None:
                    for rest in entries[position:]:
                        rest.done.set_exception(self._broken)
                    return
                self._write([entry])

    def _rotate_if_due(self) -> None:
        asked, self._rotations = self._rotations, []
        now = time.monotonic()
        if self._parts is not None and (asked or self._restart or now >= self._next_rotation):
            try:
                self._rotate(self._parts)
            except (duckdb.Error, OSError) as error:
                self._broken = self._stopped(error)
                for done in asked:
                    done.set_exception(self._broken)
                return
            ended = time.monotonic()
            self._next_rotation = ended + max(
                self._rotate_s,
                (ended - now) / ROTATE_SHARE,
                (ended - self._opened) * ROTATE_GROWTH,
            )
        for done in asked:
            done.set_result(None)

    def _rotate(self, parts: Parts) -> None:
        if self._restart:
            self._restart = False
            parts.restart(self._tables.batch, self._tables.touched)
        else:
            parts.rotate(self._tables.batch, self._tables.touched)

    def _hurry_rotation(self) -> None:
        self._next_rotation = 0.0

    def _stopped(self, error: BaseException) -> StoreError:
        return StoreError(
            f"The record in {self.folder} cannot be written any more: {one_line(error)}. "
            "What was settled is intact: make room and resume the run."
        )

    def _give_up(self) -> None:
        """Nobody waits for a writer that has ended."""
        with self._changed:
            left, self._waiting = self._waiting, []
            asked, self._rotations = self._rotations, []
            if not self._closing and self._broken is None:
                self._broken = StoreError(f"The writer of {self.folder} died; see the log.")
        reason = self._broken or StoreError("The record is closed.")
        for done in [*(entry.done for entry in left), *asked]:
            done.set_exception(reason)

    @staticmethod
    def _own(folder: Path | None, wait_s: float) -> FolderLock:
        if folder is None:
            return FolderLock(None)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return lock.for_writing(folder, wait_s=wait_s)
        except OSError as error:
            raise StoreError(f"{folder} cannot be written: {error.strerror}") from error


def _connect(folder: Path | None, wait_s: float) -> duckdb.DuckDBPyConnection:
    """Open the file; another program that has it open may need `wait_s` seconds to end."""
    path = str(folder / FILE) if folder else ":memory:"
    last = time.monotonic() + wait_s
    while True:
        try:
            return duckdb.connect(path, config={"threads": 1, "checkpoint_threshold": CHECKPOINT})
        except duckdb.Error as error:
            holder = locked_by(error)
            if holder is None:
                raise unreadable(path, error) from error
            if time.monotonic() >= last:
                raise StoreError(
                    f"{path} is in use by {holder}; wait until it has ended, or end it."
                ) from error
        time.sleep(POLL_S)


def _prepare(connection: duckdb.DuckDBPyConnection, schema: Schema, folder: Path | None) -> bool:
    """Bring the schema up to date and (re)create the views; whether an old store changed."""
    try:
        migrated = schema.prepare(connection)
        views.create(connection, views.in_file)
    except StoreError:
        connection.close()
        raise
    except duckdb.Error as error:
        connection.close()
        raise unreadable(folder, error) from error
    return migrated


def _refusal(error: Exception) -> StoreError:
    refused = StoreError(f"The record refused a row: {one_line(error)}")
    refused.__cause__ = error
    return refused
