"""The record of a run into GLEE's layout: every settled game that the layout can hold.

Knows the reader's views. What it leaves out it counts, with the reason.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from random import Random
from string import ascii_uppercase, digits
from typing import Any

from catallaxy.agents.moves import adapter
from catallaxy.games.base import IllegalMove, Seat
from catallaxy.platform.errors import StoreError
from catallaxy.platform.exchange.disagreements import Disagrees, NoPlace
from catallaxy.platform.exchange.glee_families import FAMILIES
from catallaxy.platform.exchange.glee_layout import (
    NAMES,
    NATURE,
    NONE,
    SEATS,
    Config,
    GleeGame,
    Player,
    Row,
    Said,
)
from catallaxy.platform.exchange.glee_people import OURS, player_of
from catallaxy.platform.exchange.glee_terms import TOLD_UP_TO, Family, built
from catallaxy.platform.exchange.glee_writing import write_game
from catallaxy.platform.exchange.recorded import Recorded, Source, ended, recorded, source
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.store.rows import AgentRow

_ID_LETTERS = ascii_uppercase + digits
_IMPORTED = re.compile(r"[a-z]+-([A-Za-z0-9]{16})")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class Contradicted(Exception):
    """The record of an episode does not fit its own rules."""


@dataclass(slots=True)
class Exported:
    """What became of the episodes of a run: written, by family; skipped, by reason; lost, by what.

    `lost` counts written games by what of them the layout does not hold; `broken` are episodes
    whose record contradicts their rules, with the reason.
    """

    written: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    broken: dict[str, str] = field(default_factory=dict)


def export_glee(run: Path, folder: Path) -> Exported:
    """Write the settled games of `run` under `folder`, the same ones always in the same places.

    Raises StoreError if the record cannot be read or the folder cannot be written.
    """
    exported = Exported()
    with Reader.open(run) as reader:
        common = source(reader)
        for found in recorded(reader, list(_wanted(reader, exported))):
            try:
                _export(found, common, folder, exported)
            except NoPlace as error:
                exported.skipped[str(error)] += 1
            except Contradicted as error:
                exported.broken[found.episode] = str(error)
            except OSError as error:
                raise StoreError(f"{folder} cannot be written: {error.strerror}") from error
    return exported


def _wanted(reader: Reader, exported: Exported) -> Iterator[str]:
    """The settled episodes of GLEE's games; the others are counted."""
    for each in ended(reader):
        if each.game not in FAMILIES:
            exported.skipped[f"{each.game} is none of GLEE's games"] += 1
        elif each.status != "settled":
            exported.skipped[f"not settled but {each.status}"] += 1
        else:
            yield each.episode


def _export(found: Recorded, common: Source, folder: Path, exported: Exported) -> None:
    family = FAMILIES[found.game]
    try:
        rules = built(family.kind, found.rules)
    except Disagrees as error:
        raise Contradicted(str(error)) from error
    family.fits(rules)
    if any(each.kind == "forfeit" for each in found.tries):
        raise NoPlace("a player forfeited")
    rows = tuple(_as_stored(row, rules) for row in _rows(found, family, rules))
    game = GleeGame(
        id=game_id(common.run, found.episode),
        config=_config(found, common, family, rules),
        rows=rows,
        logs=(_log(found, SEATS[0]), _log(found, SEATS[1])),
    )
    write_game(folder, game, family.columns, blank=NONE, blank_in=family.none_in)
    exported.written[found.game] += 1
    exported.lost.update(_lost(found, rules))


def _rows(found: Recorded, family: Family, rules: Any) -> Iterator[Row]:
    """The rows of the game, as it is played again."""
    drawn = [each.move or {} for each in found.tries if each.seat == NATURE]
    nature = [
        Row(NATURE, number, {name: str(value) for name, value in move.items()})
        for number, move in enumerate(drawn, 1)
    ]
    state = family.opening(rules, nature) if nature else rules.start(Random(found.seed))
    for each in found.tries:
        if each.kind != "move" or each.seat == NATURE:
            continue
        try:
            move = adapter(rules.move_type(state, each.seat)).validate_python(each.move)
            rules.check(state, each.seat, move)
        except (IllegalMove, ValueError) as error:
            raise Contradicted(f"try {each.seq} of {each.seat}: {error}") from error
        yield from family.rows(rules, state, each.seat, move)
        state = rules.step(state, {each.seat: move})
    if rules.to_move(state):
        raise Contradicted("its moves do not lead to an end")


def _as_stored(row: Row, rules: Any) -> Row:
    """With `numeric_strings_to_float`, a message that looks like a number as GLEE stores it."""
    text = row.cells.get("message", "")
    if not rules.compat.numeric_strings_to_float or not _NUMBER.fullmatch(text.strip()):
        return row
    return replace(row, cells={**row.cells, "message": repr(float(text))})


def game_id(run: str, episode: str) -> str:
    """16 letters and digits, the same for the same episode; an imported game keeps its own."""
    if own := _IMPORTED.fullmatch(episode):
        return own[1]
    number = int.from_bytes(blake2b(f"{run}\x1f{episode}".encode(), digest_size=16).digest(), "big")
    letters = ""
    for _ in range(16):
        number, at = divmod(number, len(_ID_LETTERS))
        letters += _ID_LETTERS[at]
    return letters


def _config(found: Recorded, common: Source, family: Family, rules: Any) -> Config:
    first, second = (
        _player(common.agents[found.seats[seat]], name)
        for seat, name in zip(SEATS, NAMES, strict=True)
    )
    return Config(
        game=found.game,
        players=(first, second),
        args=family.game_args(rules),
        experiment_name=f"{OURS} {common.name}",
        date=found.date,
        commit=common.commit,
    )


def _player(agent: AgentRow, name: str) -> Player:
    return replace(player_of(agent), public_name=name)


def _log(found: Recorded, seat: Seat) -> tuple[Said, ...] | None:
    """What the seat's model was asked and answered, bad tries included."""
    log = []
    for each in found.tries:
        if each.seat != seat:
            continue
        prompt: list[str] = []
        for role, text in each.said:
            if role == "assistant":
                log.append(Said("\n\n".join(prompt), text))
                prompt = []
            else:
                prompt.append(text)
        if prompt:
            log.append(Said("\n\n".join(prompt), ""))
    return tuple(log) or None


def _lost(found: Recorded, rules: Any) -> Iterator[str]:
    """What of a game its files do not say."""
    if any(each.kind in ("illegal", "unreadable") for each in found.tries):
        yield "which tries were refused, and why"
    if getattr(rules, "offer_form", "division") == "claim":
        yield "that offers were claims"
    if _told_otherwise(rules):
        yield "that the number of rounds was told otherwise than in GLEE"
    if rules.compat.quality_feedback != "every_round" and hasattr(rules, "buyer"):
        yield "that buyers learned the quality after a purchase only"


def _told_otherwise(rules: Any) -> bool:
    if rules.compat.horizon_text == "official" and not hasattr(rules, "total_rounds"):
        return False
    rounds = getattr(rules, "max_rounds", 1)
    return rules.horizon != ("stated" if rounds <= TOLD_UP_TO else "hidden")
