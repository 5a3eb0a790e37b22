"""The record of one run, open for writing: what is acknowledged is on the disk.

An episode is written whole, in one transaction, and once; a call when it returns. Knows no game,
no model and no Ray.
"""

import atexit
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import duckdb

from catallaxy.platform.backends.cassette import RecordedCall
from catallaxy.platform.errors import StoreError
from catallaxy.platform.record import Call, Engagement, Episode, Outcome
from catallaxy.platform.store import lock, recall, views
from catallaxy.platform.store.duck import locked_by, one_line, unreadable
from catallaxy.platform.store.folders import STORE
from catallaxy.platform.store.lock import FolderLock
from catallaxy.platform.store.parts import Parts
from catallaxy.platform.store.pen import AT_ONCE, Pen
from catallaxy.platform.store.recall import Parameters
from catallaxy.platform.store.rows import AgentRow, LedgerEntry, Run, VariantRow
from catallaxy.platform.store.schema import CURRENT, Schema
from catallaxy.platform.store.tables import Tables

CHECKPOINT = "64MB"  # of the write-ahead log; four times as many checkpoints cost 10 µs a turn
POLL_S = 0.05


class Store:
    """The one writer of a run's record.

    `folder` None keeps the record in memory. A method that returns a future returns at once, and
    the future resolves when the rows are durable; every other method waits. All raise StoreError,
    or resolve to it, once the record cannot be written. `wait_s` is how long to wait for another
    writer to end, `rotate_s` how often a live run is laid out for readers, at first.
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
        self._lock = _own(folder, wait_s)
        try:
            self._connection = _connect(folder, wait_s)
            migrated = _prepare(self._connection, schema, folder)
            tables = Tables(self._connection)
            self._parts = Parts(folder, self._connection.cursor()) if folder else None
        except BaseException:
            self._lock.release()
            raise
        self._reading = threading.Lock()
        self._reader = self._connection.cursor()
        self._closed = False
        self._pen = Pen(tables, self._parts, folder, rotate_s)
        if migrated:
            self._pen.restart_parts()
        atexit.register(self.close, "failed")

    # What a run tells its record.

    def begin(
        self,
        run: Run,
        agents: Sequence[AgentRow] = (),
        variants: Sequence[VariantRow] = (),
    ) -> Future[None]:
        """The run starts, or goes on. Fails with StoreError on another run's record."""
        begun = self._pen.write(lambda tables: tables.begin(run, agents, variants), AT_ONCE)
        begun.add_done_callback(lambda _: self._pen.rotate_soon())
        return begun

    def declare(
        self, agents: Sequence[AgentRow] = (), variants: Sequence[VariantRow] = ()
    ) -> Future[None]:
        """Agents and variants that were not known when the run began; before they are planned."""
        rows = len(agents) + len(variants)
        return self._pen.write(lambda tables: tables.declare(agents, variants), rows)

    def plan(self, engagements: Sequence[Engagement]) -> Future[None]:
        """What is going to be played; engagements that are known already are ignored."""
        return self._pen.write(lambda tables: tables.plan(engagements), len(engagements))

    def record(self, calls: Sequence[Call]) -> Future[None]:
        """Calls as they returned; one that is recorded already is ignored."""
        return self._pen.write(lambda tables: tables.record(calls), 3 * len(calls))

    def append(self, episodes: Sequence[Episode]) -> Future[frozenset[str]]:
        """Episodes that ended, each whole. Resolves to the ids that are newly stored.

        An episode that is settled (or crashed) already is ignored; one that failed is replaced
        when it was played again.
        """
        size = sum(3 + len(episode.turns) + len(episode.metrics) for episode in episodes)
        return self._pen.write(lambda tables: tables.append(episodes), size)

    def settle(self, entries: Sequence[LedgerEntry]) -> Future[None]:
        """Entries of the ledger, all of one episode together; booked ordinals are ignored."""
        return self._pen.write(lambda tables: tables.settle(entries), len(entries))

    def resettle(self) -> Future[None]:
        """Empty the ledger, before it is settled again from the start."""
        emptied = self._pen.write(Tables.resettle, AT_ONCE)
        emptied.add_done_callback(lambda _: self._pen.restart_parts())
        return emptied

    def flush(self) -> None:
        """Wait until everything that was handed in is durable. Raises StoreError if it is not."""
        self._pen.write(lambda tables: None, AT_ONCE).result()

    def rotate(self) -> None:
        """Lay out everything that was handed in for readers, now."""
        self.flush()
        self._pen.rotate().result()

    def close(self, status: str = "finished") -> None:
        """Write what waits, note how the run ended, let go of the file. Twice does no harm.

        A run whose program ends without `close` is closed as failed.
        """
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        try:
            self._end(status)
        finally:
            self._pen.stop()
            self._reader.close()
            self._connection.close()
            if self._parts is not None:
                self._parts.remove()  # whoever reads now opens the file
            self._lock.release()

    # What the record tells the run.

    def read(self, sql: str, params: Parameters = ()) -> list[tuple[Any, ...]]:
        """The rows of a query over the views and tables, as far as they are durable."""
        with self._reading:
            self._pen.check()
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

    def _end(self, status: str) -> None:
        try:
            self._pen.check()
        except StoreError:
            return  # whoever had to know was told
        self._pen.write(lambda tables: tables.end(status), AT_ONCE).result()
        views.create(self._reader, views.in_file)


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
    path = str(folder / STORE) if folder else ":memory:"
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
