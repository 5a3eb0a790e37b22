"""Do two records hold the same run? All counts but when, how long and which launch it was."""

from pathlib import Path
from typing import Any

import duckdb

from catallaxy.platform.errors import StoreError
from catallaxy.platform.store.duck import identifier, literal, one_line, rows
from catallaxy.platform.store.folders import STORE
from catallaxy.platform.store.rows import TIMING_COLUMNS
from catallaxy.platform.store.schema import TABLES

LAUNCH_COLUMNS = frozenset(
    {"run", "name", "config", "config_hash", "version", "git_sha", "packages", "host"}
)
"""Columns of `runs` that say where and how a run was launched."""

SHOWN = 3  # rows of each side that a table's differences print


def differences(store_a: Path, store_b: Path) -> list[str]:
    """One line per column or row that only one of two records has; empty if they are equal.

    `store_a` and `store_b` are run folders or store files. Raises StoreError if one is not open
    to readers.
    """
    with duckdb.connect() as connection:
        try:
            for alias, path in (("a", store_a), ("b", store_b)):
                file = path / STORE if path.is_dir() else path
                connection.execute(f"ATTACH {literal(str(file))} AS {alias} (READ_ONLY)").fetchall()
            return [line for table in TABLES for line in _table(connection, table)]
        except duckdb.Error as error:
            raise StoreError(f"The records cannot be compared: {one_line(error)}") from error


def _table(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    columns = {side: _columns(connection, side, table) for side in ("a", "b")}
    lines = [f"{table}.{name}: only in a" for name in columns["a"] if name not in columns["b"]]
    lines += [f"{table}.{name}: only in b" for name in columns["b"] if name not in columns["a"]]
    left_out = TIMING_COLUMNS | (LAUNCH_COLUMNS if table == "runs" else frozenset())
    shared = [n for n in columns["a"] if n in columns["b"] and n not in left_out]
    listed = ", ".join(map(identifier, shared))
    for one, other in (("a", "b"), ("b", "a")):
        found = rows(
            connection,
            f"SELECT {listed} FROM {one}.record.{table} EXCEPT ALL "  # noqa: S608 - quoted names
            f"SELECT {listed} FROM {other}.record.{table} ORDER BY ALL",
        )
        lines += [f"{table}: only in {one}: {_row(shared, row)}" for row in found[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"{table}: only in {one}: {len(found) - SHOWN} more rows")
    return lines


def _columns(connection: duckdb.DuckDBPyConnection, side: str, table: str) -> list[str]:
    return [
        name
        for (name,) in rows(
            connection,
            "SELECT column_name FROM duckdb_columns() WHERE database_name = ? "
            "AND schema_name = 'record' AND table_name = ? ORDER BY column_index",
            side,
            table,
        )
    ]


def _row(columns: list[str], row: tuple[Any, ...]) -> str:
    return ", ".join(
        f"{name}={value!r}" for name, value in zip(columns, row, strict=True) if value is not None
    )
