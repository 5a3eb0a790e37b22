"""What was committed since the last time, as Parquet files that another process may read.

One folder a rotation, `parts/<generation>-<batch>/`, holding everything up to that batch; it is
renamed into place, so nobody sees half of it. A new generation starts from nothing: readers take
the newest only.
"""

import re
import shutil
from pathlib import Path

import duckdb

from catallaxy.platform.store.duck import literal

FOLDER = "parts"
_NAMED = re.compile(r"(\d{4})-(\d{12})")


class Parts:
    """The parts of one run, as its writer sees them."""

    def __init__(self, folder: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self._folder = folder / FOLDER
        self._connection = connection
        for torn in self._folder.glob("new-*"):
            shutil.rmtree(torn)
        generation, self._batch = newest(folder)[-1:][0][:2] if newest(folder) else (1, 0)
        self._generation = generation

    def rotate(self, batch: int, touched: dict[str, int]) -> None:
        """Write what the tables got after the last rotation, up to `batch`."""
        if batch <= self._batch:
            return
        making = self._folder / f"new-{batch}"
        making.mkdir(parents=True)
        for table, last in touched.items():
            if last > self._batch:
                target = literal(str(making / f"{table}.parquet"))
                self._connection.execute(
                    f"COPY (SELECT * FROM record.{table} WHERE batch > {self._batch:d} "  # noqa: S608 - our names
                    f"AND batch <= {batch:d}) TO {target} (FORMAT parquet)"
                ).fetchall()
        making.rename(self._folder / f"{self._generation:04d}-{batch:012d}")
        self._batch = batch

    def restart(self, batch: int, touched: dict[str, int]) -> None:
        """Write everything again, as a new generation, and remove the older ones."""
        self._generation += 1
        self._batch = 0
        self.rotate(batch, touched)
        for old in self._folder.glob("*"):
            if not old.name.startswith(f"{self._generation:04d}-"):
                shutil.rmtree(old)

    def remove(self) -> None:
        """The file itself can be opened from now on."""
        shutil.rmtree(self._folder, ignore_errors=True)


def newest(folder: Path) -> list[tuple[int, int, Path]]:
    """Generation, batch and folder of every part of the newest generation, oldest first."""
    found = []
    for path in (folder / FOLDER).glob("*"):
        named = _NAMED.fullmatch(path.name)
        if named:
            found.append((int(named[1]), int(named[2]), path))
    found.sort()
    return [part for part in found if part[0] == found[-1][0]]


def files(folder: Path) -> dict[str, list[Path]]:
    """The Parquet files by table, oldest first."""
    tables: dict[str, list[Path]] = {}
    for _, _, part in newest(folder):
        for path in sorted(part.glob("*.parquet")):
            tables.setdefault(path.stem, []).append(path)
    return tables
