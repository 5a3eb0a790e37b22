"""Where a published game and our rules part: in which way, and where. Knows no layout, no game."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

EXAMPLES = 3


class Kind(StrEnum):
    """In which way a game cannot be what its files say, or not be played by our rules."""

    MISSING_FILE = "missing file"
    UNREADABLE_FILE = "unreadable file"
    UNKNOWN_GAME = "unknown game"
    BAD_PARAMETERS = "bad parameters"
    BAD_ROW = "bad row"
    UNKNOWN_PLAYER = "unknown player"
    WRONG_PLAYER = "wrong player"
    WRONG_ROUND = "wrong round"
    UNKNOWN_DECISION = "unknown decision"
    UNEXPECTED_MESSAGE = "unexpected message"
    WRONG_QUALITY = "wrong quality"
    WRONG_WORTH = "wrong worth"
    ILLEGAL_MOVE = "illegal move"
    AFTER_THE_END = "rows after the end"
    NOT_OVER = "not over"
    CORRUPT = "corrupt by GLEE's count"
    OTHER_CONTENT = "same id, other content"
    UNKNOWN_PARAMETER = "unknown parameter"
    LOG_ASIDE = "log set aside"

    @property
    def harmless(self) -> bool:
        """Whether the game counts all the same."""
        return self in (Kind.UNKNOWN_PARAMETER, Kind.LOG_ASIDE)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing that does not fit, in a sentence."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.text}"


class Disagrees(Exception):
    """Raised where a game cannot be gone on with."""

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.disagreement = Disagreement(kind, text)


class NoPlace(Exception):
    """Raised where a layout has no place for a game; the text says why, for games in the plural."""


@dataclass(slots=True)
class Tally:
    """Games per kind of disagreement, and the first few of each: where, and what."""

    games: Counter[Kind] = field(default_factory=Counter)
    examples: dict[Kind, list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, game: str, found: Iterable[Disagreement]) -> None:
        """Count one game's disagreements, each kind once."""
        for kind, each in {each.kind: each for each in reversed(tuple(found))}.items():
            self.games[kind] += 1
            shown = self.examples.setdefault(kind, [])
            if len(shown) < EXAMPLES:
                shown.append((game, each.text))
