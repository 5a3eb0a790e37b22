"""GLEE's games into the record of a run: a new one, or one that is finished.

Knows the store's writer, no SQL that changes anything.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from catallaxy.agents.wording import Wording
from catallaxy.games.base import Predicted, Seat
from catallaxy.platform.compose import digest
from catallaxy.platform.errors import ConfigError
from catallaxy.platform.exchange.disagreements import Disagreement, Kind, Tally
from catallaxy.platform.exchange.glee_layout import SEATS, Found, find_games
from catallaxy.platform.exchange.glee_people import KIND, agent_of
from catallaxy.platform.exchange.glee_replay import Replayed, replay
from catallaxy.platform.exchange.glee_terms import Compat, Terms
from catallaxy.platform.exchange.known import IMPORTED, Known
from catallaxy.platform.market.house import Offered, plain_rules
from catallaxy.platform.record import Engagement, Episode, EpisodeStatus
from catallaxy.platform.seeds import derive
from catallaxy.platform.store.rows import AgentRow, Run, VariantRow
from catallaxy.platform.store.writer import Store

WORDING = Wording("imported", "", {})
"""What the players of imported games read is not known to us."""
FAULT = "import"
Watch: TypeAlias = Callable[[int, int], None]

AT_ONCE = 250  # games in memory
_LONGEST = 2000
_STAMP = re.compile(r"^\d\d-\d\d-\d\d_")
_UNKNOWN = AgentRow("unknown", KIND)


def unwatched(done: int, games: int) -> None:
    """Nobody watches."""


@dataclass(slots=True)
class Imported:
    """What became of the games of a folder, by family; `partial` were never finished."""

    stored: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    disagreeing: Counter[str] = field(default_factory=Counter)
    partial: int = 0
    tally: Tally = field(default_factory=Tally)

    @property
    def games(self) -> int:
        """All games that were looked at."""
        return self.stored.total() + self.known.total()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is imported on which terms."""

    folder: Path
    compat: Compat = "official"
    keep_personal: bool = False


def games_in(folder: Path) -> Found:
    """The games under a folder. Raises ConfigError if there are none."""
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder.")
    found = find_games(folder)
    if not found.games:
        raise ConfigError(
            f"{folder} holds no games; GLEE's have a folder each, with config.json in it."
        )
    return found


def import_glee(
    wish: Wish, found: Found, folder: Path, run: str, watch: Watch = unwatched
) -> Imported:
    """Play every game of `found` again and append it to the record in `folder`.

    `run` is the id of a record that is new. Games that the record has already are played again
    too, but not stored twice. `watch` is told how many games are done, and of how many.
    Raises ConfigError where the run is not one to append to, StoreError where the record cannot be
    written.
    """
    known = Known.of(folder)
    store = Store(folder)
    status = known.status or "failed"
    try:
        if known.status is None:
            store.begin(_new_run(wish, folder, run)).result()
        imported = Imported(partial=found.partial)
        terms = Terms.of(wish.compat)
        replays = (replay(game, terms, keep_personal=wish.keep_personal) for game in found.games)
        for batch in _batches(zip(found.games, replays, strict=True)):
            _store(batch, wish, store, known, imported)
            watch(imported.games, len(found.games))
        status = known.status or "finished"
    finally:
        store.close(status)
    return imported


def _batches(
    replays: Iterable[tuple[Path, Replayed]],
) -> Iterator[list[tuple[Path, Replayed]]]:
    left = iter(replays)
    while batch := list(islice(left, AT_ONCE)):
        yield batch


def _new_run(wish: Wish, folder: Path, run: str) -> Run:
    name = _STAMP.sub("", folder.name)
    config: Mapping[str, Any] = {
        "name": name,
        "seed": 0,
        IMPORTED: {
            "layout": "glee",
            "folder": str(wish.folder),
            "compat": wish.compat,
            "keep_personal": wish.keep_personal,
        },
    }
    hashed, ours = digest(config), version("catallaxy")
    return Run(run, name, 0, config, hashed, ours, started=time.time())


def _store(
    batch: Sequence[tuple[Path, Replayed]],
    wish: Wish,
    store: Store,
    known: Known,
    imported: Imported,
) -> None:
    """Append the games of a batch that are new; count all."""
    agents: dict[str, AgentRow] = {}
    variants: dict[str, VariantRow] = {}
    episodes = []
    for folder, found in batch:
        content = known.contents.setdefault(found.id, _content(found))
        found = _unless_other(found, content)
        imported.tally.add(_shown(folder, wish.folder), found.disagreements)
        imported.disagreeing[found.game] += not found.sound
        if found.id in known.episodes:
            imported.known[found.game] += 1
            continue
        known.episodes.add(found.id)
        imported.stored[found.game] += 1
        rows = known.seated(_sitters(found, wish))
        agents |= {row.agent: row for row in rows.values()}
        variant = _variant(found)
        variants[variant.variant] = variant
        episodes.append(_episode(found, variant, rows, known))
    written = (
        store.declare(list(agents.values()), list(variants.values())),
        store.plan([episode.engagement for episode in episodes]),
        store.append(episodes),
    )
    for each in written:
        each.result()


def _shown(folder: Path, root: Path) -> str:
    return folder.relative_to(root).as_posix()


def _content(found: Replayed) -> int:
    """What tells one game from another of the same id."""
    rules = (
        None if found.rules is None else tuple(sorted(map(str, plain_rules(found.rules).items())))
    )
    return hash((rules, tuple(str(turn.move) for turn in found.turns)))


def _unless_other(found: Replayed, content: int) -> Replayed:
    if content == _content(found):
        return found
    other = Disagreement(Kind.OTHER_CONTENT, f"{found.id} is not what it was elsewhere")
    return replace(found, disagreements=(*found.disagreements, other))


def _sitters(found: Replayed, wish: Wish) -> dict[Seat, AgentRow]:
    if found.config is None:
        return dict.fromkeys(SEATS, _UNKNOWN)
    return {
        seat: agent_of(player, found.config, keep_personal=wish.keep_personal)
        for seat, player in zip(SEATS, found.config.players, strict=True)
    }


def _variant(found: Replayed) -> VariantRow:
    """The rules and what theory expects of them; games without readable rules share one."""
    rules = found.rules
    if rules is None:
        return VariantRow(f"{found.game}-unread", found.game, WORDING.name)
    offered = Offered(found.game, rules, {WORDING.name: WORDING}, WORDING.name)
    return VariantRow(
        variant=offered.variant(rules),
        game=found.game,
        wording=WORDING.name,
        rules=plain_rules(rules),
        predictions=rules.prediction() if isinstance(rules, Predicted) else {},
    )


def _episode(
    found: Replayed, variant: VariantRow, agents: Mapping[Seat, AgentRow], known: Known
) -> Episode:
    seats = {seat: row.agent for seat, row in agents.items()}
    ordinal, replicate = known.place(found.id, variant.variant, seats)
    engagement = Engagement(
        ordinal=ordinal,
        id=found.id,
        game=found.game,
        variant=variant.variant,
        rules=found.rules,
        seats=seats,
        seed=derive("glee", found.id),
        replicate=replicate,
        wording=WORDING.name,
    )
    date = (None if found.config is None else found.config.date) or 0.0
    return Episode(
        engagement=engagement,
        play=1,
        status=EpisodeStatus.SETTLED if found.sound else EpisodeStatus.FAILED,
        turns=found.turns,
        payoffs=found.payoffs,
        metrics=found.metrics,
        fault=None if found.sound else FAULT,
        error=None if found.sound else _error(found),
        started=date,
        ended=date,
    )


def _error(found: Replayed) -> str:
    texts = [str(each) for each in found.disagreements if not each.kind.harmless]
    return " ".join("; ".join(texts).split())[:_LONGEST]
