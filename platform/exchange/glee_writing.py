"""One game as a folder in GLEE's data layout. Knows no rules, no database."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catallaxy.games.base import Seat
from catallaxy.platform.exchange.glee_layout import (
    CONFIG,
    DATE,
    GAME,
    LOGS,
    NATURE,
    NATURES,
    SEATS,
    Config,
    GleeGame,
)


def game_folder(root: Path, game: GleeGame) -> Path:
    """Where a game lies: `<root>/<family>/<id[0]>/<id[1]>/<id[2]>/<id>`."""
    return root.joinpath(game.config.game, *game.id[:3], game.id)


def write_game(
    root: Path, game: GleeGame, columns: Sequence[str], *, blank: str, blank_in: Iterable[str]
) -> Path:
    """Write one game's folder; `blank` stands in empty cells of the columns `blank_in`.

    `config.json` comes last and at once: what has one is whole. Raises OSError.
    """
    folder = game_folder(root, game)
    folder.mkdir(parents=True, exist_ok=True)
    empty = dict.fromkeys(blank_in, blank)
    rows = [
        {**empty, **row.cells, "player": _printed(row.seat, game.config), "round": str(row.round)}
        for row in game.rows
    ]
    _write_table(folder / GAME, columns, rows)
    for name, log in zip(LOGS, game.logs, strict=True):
        if log is not None:
            said = [{"prompt": each.prompt, "response": each.response} for each in log]
            _write_table(folder / name, ("prompt", "response"), said)
    text = json.dumps(_plain(game.config), indent=4, ensure_ascii=False)
    new = folder / f"{CONFIG}.new"
    new.write_text(text, encoding="utf-8", newline="\r\n")
    new.replace(folder / CONFIG)
    return folder


def _printed(seat: Seat, config: Config) -> str:
    return NATURES if seat == NATURE else config.players[SEATS.index(seat)].public_name


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)


def _plain(config: Config) -> dict[str, Any]:
    """`config.json` as GLEE's runner writes it for two models."""
    found: dict[str, Any] = {}
    for number, player in enumerate(config.players, 1):
        found[f"player_{number}_type"] = player.type
        args: dict[str, Any] = {"public_name": player.public_name, "model_name": player.model_name}
        if player.player_id is not None:
            args["player_id"] = player.player_id
        if player.delta is not None:
            args["delta"] = player.delta
        found[f"player_{number}_args"] = args
    found["game_type"] = config.game
    found["game_args"] = dict(config.args)
    found["experiment_name"] = config.experiment_name
    date = None if config.date is None else datetime.fromtimestamp(config.date, UTC)
    found["date"] = None if date is None else date.strftime(DATE)
    found["commit"] = config.commit
    return found
