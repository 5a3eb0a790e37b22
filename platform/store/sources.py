"""One run as a reader sees it: its file, or the parts of a run that goes on."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from catallaxy.platform.errors import StoreError
from catallaxy.platform.store import lock, parts
from catallaxy.platform.store.duck import identifier, literal, locked_by, rows, unreadable
from catallaxy.platform.store.folders import STORE
from catallaxy.platform.store.lock import FolderLock
from catallaxy.platform.store.schema import TABLES, Schema, found_version

INSTANT_S = 2.0

_KEYS = {"runs": "run", "variants": "variant", "agents": "agent", "episodes": "episode"}
_OF_AN_EPISODE = ("seatings", "turns", "metrics")


@dataclass(frozen=True)
class Source:
    """The tables of one run as SQL, by name. `live` while a writer is at work on it."""

    run: str
    folder: Path
    live: bool
    tables: dict[str, str]
    lock: FolderLock


def attach(
    connection: duckdb.DuckDBPyConnection, folder: Path, alias: str, schema: Schema
) -> Source:
    """The run in `folder`. Raises StoreError where there is nothing to read."""
    held = _held(folder)
    if held is None:
        return _of_parts(connection, folder)
    path = folder / STORE
    try:
        connection.execute(f"ATTACH {literal(str(path))} AS {alias} (READ_ONLY)").fetchall()
        found = found_version(connection, alias)
        if found is None:
            raise StoreError(f"{path} is not a record of catallaxy.")
        schema.check(found, connection, alias)
        # listing the tables of one file walks through all that are attached
        names = TABLES if found == schema.version else _found(connection, alias)
        return _of_file(connection, folder, alias, names, held)
    except duckdb.Error as error:
        held.release()
        holder = locked_by(error)
        if holder is not None and parts.newest(folder):
            return _of_parts(connection, folder)
        if holder is not None:
            raise StoreError(
                f"{path} is in use by {holder}; read it when that has ended."
            ) from error
        raise unreadable(path, error) from error
    except StoreError:
        held.release()
        raise


def _held(folder: Path) -> FolderLock | None:
    """The lock of a reader; None where a writer is at work and has laid out something to read.

    A writer that has just begun, or that is about to end, lays out nothing for an instant.
    """
    last = time.monotonic() + INSTANT_S
    while True:
        held = lock.for_reading(folder)
        if held is not None or parts.newest(folder) or time.monotonic() >= last:
            return held
        time.sleep(lock.POLL_S)


def _of_file(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    alias: str,
    names: Iterable[str],
    held: FolderLock,
) -> Source:
    tables = {name: f"SELECT * FROM {alias}.record.{identifier(name)}" for name in names}  # noqa: S608 - quoted names
    return Source(_run(connection, tables, folder), folder, False, tables, held)


def _found(connection: duckdb.DuckDBPyConnection, alias: str) -> list[str]:
    """The tables of an older record."""
    found = rows(
        connection,
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = 'record'",
        alias,
    )
    return [name for (name,) in found]


def _of_parts(connection: duckdb.DuckDBPyConnection, folder: Path) -> Source:
    tables = {name: _read(paths) for name, paths in parts.files(folder).items()}
    latest = {name: _latest(sql, _KEYS[name]) for name, sql in tables.items() if name in _KEYS}
    for name in _OF_AN_EPISODE:
        if name in tables:
            latest[name] = (
                f"SELECT * FROM ({tables[name]}) SEMI JOIN "  # noqa: S608 - our SQL
                f"({latest['episodes']}) USING (episode, batch)"
            )
    tables |= latest
    return Source(_run(connection, tables, folder), folder, True, tables, FolderLock(None))


def _read(paths: Iterable[Path]) -> str:
    listed = ", ".join(literal(str(path)) for path in paths)
    return f"SELECT * FROM read_parquet([{listed}], union_by_name = true)"  # noqa: S608 - quoted paths


def _latest(sql: str, key: str) -> str:
    """What was stored last under a key: a failure that was played again, a run that went on."""
    return (
        f"SELECT * FROM ({sql}) QUALIFY row_number() OVER "  # noqa: S608 - our SQL
        f"(PARTITION BY {key} ORDER BY batch DESC) = 1"
    )


def _run(connection: duckdb.DuckDBPyConnection, tables: dict[str, str], folder: Path) -> str:
    if "runs" not in tables:
        return folder.name
    found = rows(connection, f"SELECT run FROM ({tables['runs']})")  # noqa: S608 - our SQL
    return found[0][0] if found else folder.name
