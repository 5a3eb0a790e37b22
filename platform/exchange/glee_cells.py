"""What stands in the cells of one row, as the parts of a move. Knows no game."""

from collections.abc import Mapping, Sequence
from typing import Any

from catallaxy.platform.exchange.disagreements import Disagrees, Kind
from catallaxy.platform.exchange.glee_layout import Row


def decision(row: Row, words: Mapping[str, str]) -> Any:
    """Our word for the decision; `words` has ours by GLEE's. Raises Disagrees."""
    said = row.said("decision")
    if said is None or said not in words:
        text = f"round {row.round}: {row.seat} says {said!r}, not {' or '.join(words)}"
        raise Disagrees(Kind.UNKNOWN_DECISION, text)
    return words[said]


def amount(row: Row, column: str) -> float:
    """The number that must stand there. Raises Disagrees."""
    found = row.number(column)
    if found is None:
        raise Disagrees(Kind.BAD_ROW, f"round {row.round}: {row.seat}'s {column} is missing")
    return found


def message(row: Row) -> str:
    """The message as it stands: here the word None is one too."""
    return row.cells.get("message", "")


def no_message(row: Row) -> None:
    """Raise Disagrees if there is a message."""
    said = row.said("message")
    if said is not None:
        text = f"round {row.round}: {row.seat} says {said[:80]!r} where nothing can be said"
        raise Disagrees(Kind.UNEXPECTED_MESSAGE, text)


def refuse(row: Row, columns: Sequence[str]) -> None:
    """Raise Disagrees if there is something in one of the columns."""
    for column in columns:
        if row.said(column) is not None:
            text = f"round {row.round}: {row.seat} has a {column} where none is due"
            raise Disagrees(Kind.WRONG_PLAYER, text)


def money(amount: float) -> str:
    """An amount as a cell has it: the shortest text that is exactly this number."""
    return repr(float(amount))
