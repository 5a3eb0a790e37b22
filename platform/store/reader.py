"""One run or many as one database, read-only: SQL for people, values for programs.

A run that goes on is read from its parts, every other from its file. Knows no writer.
"""

import difflib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb

from catallaxy.platform.backends.cassette import RecordedCall
from catallaxy.platform.errors import StoreError
from catallaxy.platform.record import Outcome
from catallaxy.platform.store import parts, recall, views
from catallaxy.platform.store.duck import literal, one_line, rows
from catallaxy.platform.store.folders import find_run, find_runs
from catallaxy.platform.store.recall import Line, Parameters
from catallaxy.platform.store.result import Result
from catallaxy.platform.store.schema import CURRENT, TABLES, Schema
from catallaxy.platform.store.sources import Source, attach

__all__ = ["Reader", "Result", "RunFolder", "find_run", "find_runs"]

_READING = frozenset({"SELECT", "EXPLAIN", "MULTI"})  # MULTI: a PIVOT
_UNKNOWN_TABLE = re.compile(r"Table with name (\S+) does not exist")
_UNKNOWN_COLUMN = re.compile(r'(?:Referenced column|column named) "([^"]+)"')


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run that is open here. `live` while it goes on: then the newest seconds are missing."""

    run: str
    folder: Path
    live: bool


class Reader:
    """Runs as one database: every view has the column `run` first. Close it, or use `with`."""

    def __init__(self, folders: Sequence[Path], *, schema: Schema = CURRENT) -> None:
        self._folders = tuple(folders)
        self._schema = schema
        self._own = tempfile.TemporaryDirectory(prefix="catallaxy-")
        self._sources: list[Source] = []
        try:
            self._connection = self._connect()
        except BaseException:
            self._own.cleanup()
            raise

    @classmethod
    def open(cls, *paths: Path | str, schema: Schema = CURRENT) -> "Reader":
        """Open run folders, store files, or folders that hold runs. Raises StoreError."""
        folders: dict[Path, None] = {}
        for path in map(Path, paths):
            found = [path.parent] if path.is_file() else find_runs(path)
            if not found:
                missing = "does not exist" if not path.exists() else "holds no run"
                raise StoreError(f"{path} {missing}; a run is a folder with store.duckdb in it.")
            folders |= dict.fromkeys(found)
        return cls(list(folders), schema=schema)

    @property
    def runs(self) -> tuple[RunFolder, ...]:
        """What is open, in the order of the folders."""
        return tuple(RunFolder(s.run, s.folder, s.live) for s in self._sources)

    @property
    def live(self) -> tuple[str, ...]:
        """The runs that go on."""
        return tuple(source.run for source in self._sources if source.live)

    def sql(self, query: str, params: Parameters = ()) -> Result:
        """Answer one reading statement. Raises StoreError with one sentence."""
        self._allow(query)
        columns, found = self._ask(query, params)
        return Result(
            columns,
            found,
            frame=lambda: self._connection.execute(query, params).df(),
            parquet=lambda: self._export(query, params),
        )

    def refresh(self) -> None:
        """See what live runs have laid out since."""
        self._disconnect()
        self._connection = self._connect()

    def config(self, run: str | None = None) -> dict[str, Any]:
        """The resolved configuration of `run`; None means the only run that is open."""
        [(text,)] = self._read("SELECT config FROM runs WHERE run = $run", {"run": self._one(run)})
        return json.loads(text)

    def config_hash(self, run: str | None = None) -> str:
        """The hash that a resumed run must have."""
        asked = {"run": self._one(run)}
        [(found,)] = self._read("SELECT config_hash FROM runs WHERE run = $run", asked)
        return found

    def recorded_calls(
        self, run: str | None = None, episodes: Sequence[str] | None = None
    ) -> Iterator[RecordedCall]:
        """Answered calls with their whole prompts, of `run` or of all runs that are open."""
        return recall.calls(self._read, episodes, run)

    def settled(self, run: str | None = None) -> Mapping[str, Outcome]:
        """The final outcomes by episode, in the order of the design: settled and crashed ones."""
        return recall.outcomes(self._read, None, self._one(run))

    def plays(self, run: str | None = None) -> Mapping[str, int]:
        """How often every episode was begun that left a trace, settled or not."""
        return recall.plays(self._read, self._one(run))

    def episodes_missing(self, run: str | None = None) -> tuple[str, ...]:
        """What was planned and is not final, in the order of the design."""
        found = self._read(
            "SELECT g.episode FROM engagements g LEFT JOIN episodes e USING (run, episode) "
            "WHERE g.run = $run AND coalesce(e.status, 'failed') = 'failed' ORDER BY g.ordinal",
            {"run": self._one(run)},
        )
        return tuple(episode for (episode,) in found)

    def dialogue(self, episode: str, run: str | None = None) -> tuple[Line, ...]:
        """The transcript of one episode, all seats, in reading order."""
        return recall.dialogue(self._read, episode, self._one(run))

    def close(self) -> None:
        """Let go of the files. Twice does no harm."""
        self._disconnect()
        self._own.cleanup()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Opening.

    def _connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        try:
            connection.execute("SET temp_directory = ?", [self._own.name]).fetchall()
            connection.execute("ATTACH ':memory:' AS template; USE template").fetchall()
            connection.execute(self._schema.sql).fetchall()
            connection.execute("USE memory; CREATE SCHEMA record").fetchall()
            for number, folder in enumerate(self._folders):
                self._sources.append(attach(connection, folder, f"run_{number}", self._schema))
            self._name_apart()
            for table in TABLES:
                connection.execute(self._union(table)).fetchall()
            views.create(connection, lambda table: f"record.{table}")
            self._lock_down(connection)
        except duckdb.Error as error:
            self._release()
            connection.close()
            raise StoreError(f"The record cannot be read: {one_line(error)}") from error
        except BaseException:
            self._release()
            connection.close()
            raise
        return connection

    def _union(self, table: str) -> str:
        """One table over all runs; a column that an older record lacks is null."""
        run = "" if table == "runs" else "NULL::VARCHAR AS run, "
        selects = [f"SELECT {run}* FROM template.record.{table} LIMIT 0"]  # noqa: S608 - our names
        for source in self._sources:
            if table in source.tables:
                selects.append(self._select(table, source))
        united = " UNION ALL BY NAME ".join(f"({select})" for select in selects)
        return f"CREATE VIEW record.{table} AS SELECT * EXCLUDE (batch) FROM ({united})"  # noqa: S608 - our names

    @staticmethod
    def _select(table: str, source: Source) -> str:
        run = literal(source.run)
        rows_of = source.tables[table]
        if table != "runs":
            return f"SELECT {run} AS run, * FROM ({rows_of})"  # noqa: S608 - quoted
        if source.live:
            return f"SELECT * REPLACE ({run} AS run) FROM ({rows_of})"  # noqa: S608 - quoted
        died = "CASE status WHEN 'running' THEN 'interrupted' ELSE status END"
        return f"SELECT * REPLACE ({run} AS run, {died} AS status) FROM ({rows_of})"  # noqa: S608 - quoted

    def _name_apart(self) -> None:
        """Two copies of one run are told apart by their folders."""
        names = [source.run for source in self._sources]
        for number, source in enumerate(self._sources):
            if names.count(source.run) > 1:
                name = f"{source.run} ({source.folder})"
                self._sources[number] = Source(
                    name, source.folder, source.live, source.tables, source.lock
                )

    def _lock_down(self, connection: duckdb.DuckDBPyConnection) -> None:
        """From here on: these files, this temporary folder, nothing else."""
        folders = [self._own.name, *(str(s.folder / parts.FOLDER) for s in self._sources if s.live)]
        listed = ", ".join(literal(folder) for folder in folders)
        connection.execute(f"SET allowed_directories = [{listed}]").fetchall()
        connection.execute("SET enable_external_access = false").fetchall()
        connection.execute("SET lock_configuration = true").fetchall()

    def _disconnect(self) -> None:
        self._connection.close()
        self._release()

    def _release(self) -> None:
        for source in self._sources:
            source.lock.release()
        self._sources = []

    # Asking.

    def _allow(self, query: str) -> None:
        """One statement that reads, or StoreError."""
        try:
            statements = self._connection.extract_statements(query)
        except duckdb.Error as error:
            raise StoreError(one_line(error)) from error
        if len(statements) != 1:
            raise StoreError(f"One query at a time, please; these are {len(statements)}.")
        kind = statements[0].type.name
        if kind not in _READING:
            raise StoreError(f"The record can only be read: {kind} is refused; write a SELECT.")

    def _read(self, sql: str, params: Parameters) -> list[tuple[Any, ...]]:
        return self._ask(sql, params)[1]

    def _ask(self, query: str, params: Parameters) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        try:
            return self._answer(query, params)
        except duckdb.IOException as error:
            if not self.live:
                raise StoreError(one_line(error)) from error
        except duckdb.Error as error:
            raise StoreError(self._explained(error)) from error
        self.refresh()  # a live run ended, and its parts with it
        try:
            return self._answer(query, params)
        except duckdb.Error as error:
            raise StoreError(self._explained(error)) from error

    def _answer(
        self, query: str, params: Parameters
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        result = self._connection.execute(query, params)
        columns = tuple(column[0] for column in result.description or ())
        return columns, result.fetchall()

    def _export(self, query: str, params: Parameters) -> Path:
        path = Path(self._own.name) / f"{os.urandom(8).hex()}.parquet"
        try:
            self._connection.execute(
                f"COPY ({query.rstrip().rstrip(';')}) TO {literal(str(path))} (FORMAT parquet)",
                params,
            ).fetchall()
        except duckdb.Error as error:
            raise StoreError(one_line(error)) from error
        return path

    def _explained(self, error: duckdb.Error) -> str:
        """DuckDB's sentence; for an unknown name, the nearest that there is."""
        text = one_line(error)
        if table := _UNKNOWN_TABLE.search(text):
            names = self._names(
                "SELECT view_name FROM duckdb_views() WHERE database_name = 'memory' "
                "AND schema_name = 'main' AND NOT internal"
            )
            guess = _nearest(table[1], names)
            return f"There is no view {table[1]!r} among {', '.join(names)}{guess or '.'}"
        if column := _UNKNOWN_COLUMN.search(text):
            names = self._names(
                "SELECT DISTINCT column_name FROM duckdb_columns() "
                "WHERE database_name = 'memory' AND schema_name = 'main' AND NOT internal"
            )
            return text.rstrip(".") + (_nearest(column[1], names) or ".")
        return text

    def _names(self, sql: str) -> list[str]:
        return sorted(name for (name,) in rows(self._connection, sql))

    def _one(self, run: str | None) -> str:
        names = [source.run for source in self._sources]
        if run is None and len(names) == 1:
            return names[0]
        if run in names:
            return run
        raise StoreError(f"Which run? {run!r} is not among {', '.join(names[:10])}.")


def _nearest(name: str, names: Sequence[str]) -> str:
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else ""
