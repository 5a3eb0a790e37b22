"""The versions of a store: create it, bring it up to date, or say why not."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import duckdb

from catallaxy.platform.errors import StoreError
from catallaxy.platform.store.duck import identifier, one_line, rows

_HERE = Path(__file__).resolve().parent
_NUMBERED = re.compile(r"(\d{4})_\w+\.sql")


@dataclass(frozen=True)
class Schema:
    """The newest schema as `sql`, and the `steps` to each version from the one before it."""

    sql: str
    steps: Mapping[int, str]

    @property
    def version(self) -> int:
        """The newest version. The first is 1."""
        return max(self.steps, default=1)

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Create the tables of a new store, or migrate an old one; whether an old one changed."""
        found = found_version(connection)
        if found is None:
            self._create(connection)
            return False
        self.check(found, connection)
        for step in range(found + 1, self.version + 1):
            self._take(connection, step)
        return found < self.version

    def check(self, found: int, connection: duckdb.DuckDBPyConnection, store: str = "") -> None:
        """Raise StoreError if a newer catallaxy wrote the record."""
        if found > self.version:
            table = (
                f"{identifier(store)}.record.schema_version" if store else "record.schema_version"
            )
            [(writer,)] = rows(connection, f"SELECT max_by(catallaxy, version) FROM {table}")  # noqa: S608 - a quoted name
            raise StoreError(
                f"This record has schema version {found}, newer than version {self.version} that "
                f"catallaxy {installed()} reads; use catallaxy {writer} or newer."
            )

    def _create(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.begin()
        connection.execute(self.sql).fetchall()
        self._note(connection, self.version)
        connection.commit()

    def _take(self, connection: duckdb.DuckDBPyConnection, step: int) -> None:
        connection.begin()
        try:
            connection.execute(self.steps[step])
            self._note(connection, step)
            connection.commit()
        except duckdb.Error as error:
            connection.rollback()
            raise StoreError(
                f"The record cannot be migrated to schema version {step}: {one_line(error)}"
            ) from error

    def _note(self, connection: duckdb.DuckDBPyConnection, reached: int) -> None:
        connection.execute(
            "INSERT INTO record.schema_version VALUES (?, ?, ?)",
            [reached, installed(), time.time()],
        ).fetchall()


def found_version(connection: duckdb.DuckDBPyConnection, store: str = "") -> int | None:
    """The schema version of the attached `store`, None where there is no record yet."""
    table = "record.schema_version"
    try:
        if store:
            table = f"{identifier(store)}.{table}"
        [(found,)] = rows(connection, f"SELECT max(version) FROM {table}")  # noqa: S608 - a quoted name
    except duckdb.CatalogException:
        return None
    return found


def installed() -> str:
    """The version of catallaxy that runs now."""
    try:
        return version("catallaxy")
    except PackageNotFoundError:
        return "(unpackaged)"


def _load() -> Schema:
    steps = {}
    for path in sorted((_HERE / "migrations").glob("*.sql")):
        named = _NUMBERED.fullmatch(path.name)
        if named:
            steps[int(named[1])] = path.read_text()
    return Schema((_HERE / "schema.sql").read_text(), steps)


CURRENT = _load()

TABLES = tuple(
    name
    for name in re.findall(r"CREATE TABLE record\.(\w+)", CURRENT.sql)
    if name != "schema_version"
)
"""The tables of a record that hold rows of a run."""
