"""Play a game of GLEE's again, move by move, by our rules. Knows no database.

Whatever our rules or the files themselves contradict is a disagreement: collected, never skipped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catallaxy.agents.chat import Message
from catallaxy.agents.moves import plain, read
from catallaxy.games.base import IllegalMove, Seat
from catallaxy.platform.exchange.disagreements import Disagreement, Disagrees, Kind
from catallaxy.platform.exchange.glee_families import FAMILIES
from catallaxy.platform.exchange.glee_layout import (
    NATURE,
    SEATS,
    Config,
    GleeGame,
    Row,
    Said,
    read_config,
    read_log,
    read_rows,
)
from catallaxy.platform.exchange.glee_people import is_person, without_names
from catallaxy.platform.exchange.glee_terms import Family, Terms
from catallaxy.platform.record import Turn, TurnKind


@dataclass(frozen=True, slots=True)
class Replayed:
    """One game of GLEE's as our rules see it.

    `config` and `rules` are None where they could not be read; `payoffs` (dollars) and `metrics`
    are empty unless the game is `sound`: nothing but harmless disagreements.
    """

    id: str
    game: str
    config: Config | None = None
    rules: Any = None
    turns: tuple[Turn, ...] = ()
    payoffs: Mapping[Seat, float] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether the game was played to its end as its files say."""
        return all(each.kind.harmless for each in self.disagreements)


def replay(folder: Path, terms: Terms, *, keep_personal: bool = False) -> Replayed:
    """Read the game in `folder` and play it again. Never raises for what the files hold."""
    playing = _Playing(folder, terms, keep_personal)
    try:
        playing.play()
    except Disagrees as error:
        playing.disagreements.append(error.disagreement)
    return playing.replayed()


@dataclass(slots=True)
class _Playing:
    """The mutable half of one replay."""

    folder: Path
    terms: Terms
    keep_personal: bool
    config: Config | None = None
    family: Family | None = None
    rules: Any = None
    state: Any = None
    turns: list[Turn] = field(default_factory=list)
    moves: list[tuple[Turn, Any]] = field(default_factory=list)
    disagreements: list[Disagreement] = field(default_factory=list)

    def play(self) -> None:
        config = self.config = read_config(self.folder)
        family = self.family = FAMILIES.get(config.game)
        if family is None:
            raise Disagrees(Kind.UNKNOWN_GAME, f"game_type is {config.game!r}")
        for name in family.arguments(config).unknown():
            self._note(Kind.UNKNOWN_PARAMETER, f"game_args.{name}")
        self.rules = family.rules(config, self.terms)
        game = self._read(config)
        people = any(map(is_person, config.players))
        why = family.removed(game.rows, people=people)
        if why is not None:
            self._note(Kind.CORRUPT, why)
        self.state = family.opening(self.rules, game.rows)
        for row in game.rows:
            self._take(family, row)
        if due := self.rules.to_move(self.state):
            text = f"after round {self.state.round}'s last row {' and '.join(due)} is to move"
            raise Disagrees(Kind.NOT_OVER, text)
        self._listen(game)

    def _read(self, config: Config) -> GleeGame:
        rows = read_rows(self.folder, config)
        game = GleeGame(self.folder.name, config, rows, (self._log(0), self._log(1)))
        return game if self.keep_personal else without_names(game)

    def _log(self, place: int) -> tuple[Said, ...] | None:
        try:
            return read_log(self.folder, place)
        except Disagrees as error:
            self._note(Kind.LOG_ASIDE, error.disagreement.text)
            return None

    def _note(self, kind: Kind, text: str) -> None:
        self.disagreements.append(Disagreement(kind, text))

    def _take(self, family: Family, row: Row) -> None:
        due = self.rules.to_move(self.state)
        if not due:
            raise Disagrees(Kind.AFTER_THE_END, f"{row.seat} acts in round {row.round}")
        if row.round != self.state.round:
            text = f"{row.seat} acts in round {row.round}, it is round {self.state.round}"
            raise Disagrees(Kind.WRONG_ROUND, text)
        if row.seat == NATURE:
            self._keep(NATURE, "Nature", family.drawn(self.rules, self.state, row))
            return
        if row.seat not in due:
            text = f"{row.seat} acts in round {row.round}, {' and '.join(due)} is due"
            raise Disagrees(Kind.WRONG_PLAYER, text)
        move = family.move(self.rules, self.state, row.seat, row)
        try:
            self.rules.check(self.state, row.seat, move)
        except IllegalMove as refusal:
            text = f"round {row.round}: {row.seat}: {refusal}"
            raise Disagrees(Kind.ILLEGAL_MOVE, text) from refusal
        turn = self._keep(row.seat, type(move).__name__, plain(move))
        self.moves.append((turn, move))
        self.state = self.rules.step(self.state, {row.seat: move})

    def _keep(self, seat: Seat, move_type: str, move: Mapping[str, Any]) -> Turn:
        """Nature draws in the turn of whoever moves next."""
        number = len(self.moves)
        turn = Turn(len(self.turns), number, seat, 0, TurnKind.MOVE, move_type, move)
        self.turns.append(turn)
        return turn

    def _listen(self, game: GleeGame) -> None:
        """Give every turn what was said with the player's model."""
        for seat, log in zip(SEATS, game.logs, strict=True):
            if log is None:
                continue
            moves = [(turn, move) for turn, move in self.moves if turn.seat == seat]
            parts = aligned(log, [move for _, move in moves])
            if parts is None:
                text = f"{seat}'s log has {len(log)} answers for {len(moves)} moves"
                self._note(Kind.LOG_ASIDE, text)
                continue
            for (turn, _), said in zip(moves, parts, strict=True):
                self.turns[turn.seq] = _heard(turn, said)

    def replayed(self) -> Replayed:
        config = self.config
        game = (
            config.game
            if config is not None and config.game in FAMILIES
            else _family_in(self.folder)
        )
        found = Replayed(
            id=f"{game}-{self.folder.name}",
            game=game,
            config=config,
            rules=self.rules,
            turns=tuple(self.turns),
            disagreements=tuple(self.disagreements),
        )
        if not found.sound:
            return found
        return Replayed(
            found.id,
            game,
            config,
            self.rules,
            found.turns,
            self.rules.payoffs(self.state),
            self.rules.metrics(self.state),
            found.disagreements,
        )


def _family_in(folder: Path) -> str:
    """The family by the folders above the game's, where its configuration does not say it."""
    return next((part for part in reversed(folder.parts) if part in FAMILIES), "unknown")


def aligned(log: Sequence[Said], moves: Sequence[Any]) -> list[tuple[Said, ...]] | None:
    """The exchanges that led to each move: one each, or as many as it took until the move was said.

    None where that cannot be told.
    """
    if len(log) == len(moves):
        return [(said,) for said in log]
    parts: list[tuple[Said, ...]] = []
    begin = 0
    for move in moves:
        end = next((at for at in range(begin, len(log)) if _says(log[at], move)), None)
        if end is None:
            return None
        parts.append(tuple(log[begin : end + 1]))
        begin = end + 1
    return parts if begin == len(log) else None


def _says(said: Said, move: Any) -> bool:
    try:
        return read(said.response, type(move)).move == move
    except ValueError:
        return False


def _heard(turn: Turn, said: Sequence[Said]) -> Turn:
    messages: list[Message] = []
    for each in said:
        if each.prompt:
            messages.append(Message("user", each.prompt))
        messages.append(Message("assistant", each.response))
    return Turn(
        turn.seq,
        turn.turn,
        turn.seat,
        turn.tried,
        turn.kind,
        turn.move_type,
        turn.move,
        messages=tuple(messages),
    )
