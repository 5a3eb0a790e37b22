"""DuckDB's errors in one line, and the few words of SQL that are put together here."""

import re

import duckdb

from catallaxy.platform.errors import StoreError

_HOLDER = re.compile(r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")
LONGEST = 400


def one_line(error: BaseException) -> str:
    """What DuckDB said, without the picture of the query."""
    text = str(error).split("\n\nLINE ")[0].split("\nLINE ")[0]
    text = re.sub(r"^(\w+ )*Error: ", "", text)
    return " ".join(text.split())[:LONGEST]


def locked_by(error: BaseException) -> str | None:
    """Who holds the lock that `error` speaks of, or None if it is another error."""
    found = _HOLDER.search(str(error))
    if found:
        return f"process {found['pid']} ({found['program']})"
    if "Could not set lock" in str(error) or "Unique file handle conflict" in str(error):
        return "another connection"
    return None


def identifier(name: str) -> str:
    """`name` as a name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as a text in SQL, for statements that take no parameters."""
    return "'" + text.replace("'", "''") + "'"


def unreadable(path: object, error: BaseException) -> StoreError:
    """The sentence for a file that DuckDB does not open."""
    return StoreError(f"{path} cannot be opened: {one_line(error)}")


def rows(connection: duckdb.DuckDBPyConnection, sql: str, *parameters: object) -> list[tuple]:
    """All rows at once: in DuckDB 2.0 an open result owns its connection."""
    return connection.execute(sql, list(parameters)).fetchall()
