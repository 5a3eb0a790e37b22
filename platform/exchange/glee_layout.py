"""GLEE's data layout: one folder a game, read as typed values.

Layout: Shapira et al. 2024, arXiv 2410.05254, and its public data. Knows no rules, no database.
"""

import csv
import io
import json
import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catallaxy.games.base import Seat
from catallaxy.platform.exchange.disagreements import Disagrees, Kind

CONFIG, GAME = "config.json", "game.csv"
LOGS = ("log_player_1.csv", "log_player_2.csv")
PARTIAL = ".partial"
SEATS: tuple[Seat, Seat] = ("alice", "bob")
NAMES = ("Alice", "Bob")
NATURE: Seat = "nature"
NATURES = "Nature"
NONE = "None"
"""What stands in a cell of bargaining in which nothing is."""

DATE = "%Y-%m-%d %H:%M:%S"
_DIGIT_GROUPS = re.compile(r"(?<=\d),(?=\d{3})")
_PERSONAL = ("participation_fee", "qualification_id", "qualification_base")
_LONGEST_CELL = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Player:
    """One player as `config.json` describes it. `delta` is None where it stands elsewhere."""

    type: str
    model_name: str
    public_name: str
    player_id: str | None = None
    delta: float | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """What `config.json` says of one game.

    `args` are the parameters of the game under GLEE's names, `date` is in Unix seconds (the file
    has whole seconds, taken as UTC), `personal` what is about the people who were paid.
    """

    game: str
    players: tuple[Player, Player]
    args: Mapping[str, Any]
    experiment_name: str | None = None
    date: float | None = None
    commit: str | None = None
    personal: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One action in `game.csv`. `cells` has the text of every other column, as it stands."""

    seat: Seat
    round: int
    cells: Mapping[str, str]

    def said(self, column: str) -> str | None:
        """The text of a cell; None where there is no such column or nothing in it."""
        text = self.cells.get(column)
        return None if text in (None, "", NONE) else text

    def number(self, column: str) -> float | None:
        """The number in a cell, `$` and digit groups allowed. Raises Disagrees if it is none."""
        text = self.said(column)
        if text is None:
            return None
        try:
            return float(_DIGIT_GROUPS.sub("", text).replace("$", "").strip())
        except ValueError:
            raise Disagrees(Kind.BAD_ROW, f"{column} is {text!r}, not a number") from None


@dataclass(frozen=True, slots=True)
class Said:
    """One exchange with a player's model: a row of a log."""

    prompt: str
    response: str


@dataclass(frozen=True, slots=True)
class GleeGame:
    """One game as its folder has it; a log is None where there is no file."""

    id: str
    config: Config
    rows: tuple[Row, ...]
    logs: tuple[tuple[Said, ...] | None, tuple[Said, ...] | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Found:
    """The folders of the games under a root, and how many games were never finished."""

    games: tuple[Path, ...]
    partial: int


def find_games(root: Path) -> Found:
    """Every folder that holds a file of a game, whatever is above it, in a fixed order."""
    games, partial = [], 0
    for path, folders, files in os.walk(root):
        unfinished = [name for name in folders if name.endswith(PARTIAL)]
        partial += len(unfinished) if CONFIG not in files else 0
        folders[:] = sorted(
            name for name in folders if name not in unfinished and not name.startswith(".")
        )
        if {CONFIG, GAME, *LOGS} & set(files):
            games.append(Path(path))
    return Found(tuple(games), partial)


def read_config(folder: Path) -> Config:
    """The configuration of the game in `folder`. Raises Disagrees."""
    try:
        raw = json.loads(_text(folder / CONFIG))
    except (ValueError, RecursionError) as error:
        raise Disagrees(Kind.UNREADABLE_FILE, f"{CONFIG}: {error}") from error
    if not isinstance(raw, Mapping):
        raise Disagrees(Kind.UNREADABLE_FILE, f"{CONFIG} holds no mapping")
    args = raw.get("game_args")
    if not isinstance(args, Mapping):
        raise Disagrees(Kind.BAD_PARAMETERS, "game_args is missing")
    return Config(
        game=_word(raw.get("game_type")).lower(),
        players=(_player(raw, 0), _player(raw, 1)),
        args=args,
        experiment_name=_word(raw.get("experiment_name")) or None,
        date=_seconds(raw.get("date")),
        commit=_word(raw.get("commit")) or None,
        personal={name: raw[name] for name in _PERSONAL if name in raw},
    )


def _player(raw: Mapping[str, Any], place: int) -> Player:
    args = raw.get(f"player_{place + 1}_args")
    args = args if isinstance(args, Mapping) else {}
    delta = args.get("delta")
    if delta is not None and (isinstance(delta, bool) or not isinstance(delta, (int, float))):
        raise Disagrees(Kind.BAD_PARAMETERS, f"player_{place + 1}_args.delta is {delta!r}")
    return Player(
        type=_word(raw.get(f"player_{place + 1}_type")),
        model_name=_word(args.get("model_name")),
        public_name=_word(args.get("public_name")) or NAMES[place],
        player_id=_word(args.get("player_id")) or None,
        delta=delta,
    )


def _word(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _seconds(date: Any) -> float | None:
    try:
        return datetime.strptime(_word(date), DATE).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def read_rows(folder: Path, config: Config) -> tuple[Row, ...]:
    """The actions of the game in `folder`, in the order of play. Raises Disagrees."""
    public = {p.public_name: seat for p, seat in zip(config.players, SEATS, strict=True)}
    seats = {**dict(zip(NAMES, SEATS, strict=True)), **public, NATURES: NATURE}
    renamed = {gain_of(name): f"{seat}_gain" for name, seat in public.items()}
    return tuple(
        _row(number, {renamed.get(name, name): cell for name, cell in cells.items()}, seats)
        for number, cells in enumerate(_table(folder / GAME), 1)
    )


def gain_of(name: str) -> str:
    """The column, and the key in prompts, of what a player of this name would get."""
    return f"{name.lower().replace(' ', '_')}_gain"


def _row(number: int, cells: dict[str, str], seats: Mapping[str, Seat]) -> Row:
    player, at = cells.pop("player", None), cells.pop("round", None)
    if player is None or player not in seats:
        raise Disagrees(Kind.UNKNOWN_PLAYER, f"row {number}: not Alice, Bob or Nature")
    try:
        now = float(at or "")
        if now != int(now):
            raise ValueError
    except (ValueError, OverflowError):
        raise Disagrees(Kind.BAD_ROW, f"row {number}: round is {at!r}") from None
    return Row(seats[player], int(now), cells)


def read_log(folder: Path, place: int) -> tuple[Said, ...] | None:
    """What the player at `place` (0 or 1) and its model said; None without a file."""
    path = folder / LOGS[place]
    if not path.exists():
        return None
    return tuple(Said(cells.get("prompt", ""), cells.get("response", "")) for cells in _table(path))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise Disagrees(Kind.MISSING_FILE, path.name) from None
    except OSError as error:
        raise Disagrees(Kind.UNREADABLE_FILE, f"{path.name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Disagrees(Kind.UNREADABLE_FILE, f"{path.name}: {error}") from error


def _table(path: Path) -> list[dict[str, str]]:
    """The rows of a csv file; a cell that a row lacks is no key."""
    with _long_cells():
        try:
            read = list(csv.DictReader(io.StringIO(_text(path), newline=""), strict=True))
        except csv.Error as error:
            raise Disagrees(Kind.UNREADABLE_FILE, f"{path.name}: {error}") from error
    for number, cells in enumerate(read, 1):
        if None in cells:
            raise Disagrees(
                Kind.BAD_ROW, f"{path.name}, row {number}: more cells than there are columns"
            )
    return [{name: cell for name, cell in cells.items() if cell is not None} for cells in read]


@contextmanager
def _long_cells() -> Generator[None]:
    """Let the csv module read cells of any length: prompts are long."""
    usual = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(usual)
