"""What a query found, and how it is shown: table, CSV, JSON, Parquet. Knows no run."""

import csv
import io
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from catallaxy.platform.errors import StoreError
from catallaxy.platform.store.text import as_json

if TYPE_CHECKING:
    import pandas

Format: TypeAlias = Literal["table", "csv", "json", "parquet"]

WIDEST = 60  # characters of a cell in a table


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of a query. `frame` and `parquet` ask it again, for a data frame or into a file."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    frame: Callable[[], Any]
    parquet: Callable[[], Path]

    def df(self) -> "pandas.DataFrame":
        """A pandas data frame."""
        return self.frame()

    def to(self, form: Format) -> str:
        """The rows as text: `table` for the eye (control characters escaped), `csv`, or `json`."""
        match form:
            case "table":
                return self._table()
            case "csv":
                return self._csv()
            case "json":
                return as_json([dict(zip(self.columns, row, strict=True)) for row in self.rows])
            case _:
                raise StoreError("Parquet is not text: give a file to write it to.")

    def write(self, form: Format, path: Path | None = None) -> None:
        """Write the rows to `path`, or to standard output."""
        if path is None:
            sys.stdout.write(self.to(form).rstrip("\n") + "\n")
            return
        try:
            if form == "parquet":
                shutil.move(self.parquet(), path)
            else:
                path.write_text(self.to(form), encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error

    def _csv(self) -> str:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return out.getvalue()

    def _table(self) -> str:
        cells = [list(self.columns), *([_shown(cell) for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        right = [
            all(isinstance(cell, (int, float)) or cell is None for cell in column)
            for column in zip(*self.rows, strict=True)
        ] or [False] * len(widths)
        lines = [
            "  ".join(
                cell.rjust(width) if number else cell.ljust(width)
                for cell, width, number in zip(row, widths, right, strict=True)
            ).rstrip()
            for row in cells
        ]
        return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _shown(cell: Any) -> str:
    """One cell on one line, with nothing in it that a terminal would obey."""
    match cell:
        case None:
            return ""
        case float():
            return f"{cell:.6g}"
        case _:
            text = str(cell)
    text = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text[: WIDEST + 1]
    )
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
