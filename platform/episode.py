"""Play one game to its end. Knows no Ray, no database, no prompt."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Literal

from catallaxy.agents.base import Act, Agent, Ask, Attends, End, Words, trouble
from catallaxy.agents.chat import CallKey, Message
from catallaxy.agents.moves import plain
from catallaxy.games.base import Game, IllegalMove, Seat, Succeeded
from catallaxy.platform.errors import Fault, GameBroke, blame
from catallaxy.platform.record import Engagement, Episode, EpisodeStatus, Turn, TurnKind
from catallaxy.platform.seeds import derive

log = logging.getLogger(__name__)


class Crashed(Exception):
    """A player ran out of tries under `retry: official`, which has no forfeit."""


@dataclass(frozen=True, slots=True)
class Table:
    """Seats agents at a game and plays one episode.

    `tries` is how often a seat may try one move (or, with `tries_per: game`, how many bad tries it
    has in the whole game); then the game's forfeit applies. `retry: official` is GLEE's original
    behaviour: the same conversation is asked again without a word, and a game whose player runs
    out of tries is marked crashed and left out of the metrics.
    """

    tries: int = 5
    tries_per: Literal["move", "game"] = "move"
    retry: Literal["corrected", "official"] = "corrected"

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise ValueError(f"tries must be at least 1, not {self.tries}")

    async def play(
        self, engagement: Engagement, words: Words, agents: Mapping[Seat, Agent], play: int = 1
    ) -> Episode:
        """One episode, from start to payoffs; a fault ends it as data, never as an exception."""
        sitting = _Sitting(self, engagement, words, agents, play)
        episode = await sitting.played()
        sitting.tell(episode.payoffs)
        return episode


@dataclass(slots=True)
class _Sitting:
    """The mutable half of one episode: the state, the dialogues and the turns so far."""

    table: Table
    engagement: Engagement
    words: Words
    agents: Mapping[Seat, Agent]
    number: int
    state: Any = None
    turns: list[Turn] = field(default_factory=list)
    dialogues: dict[tuple[Seat, int], tuple[Message, ...]] = field(default_factory=dict)
    bad_tries: dict[Seat, int] = field(default_factory=dict)
    holder_of: Callable[[Any, Seat], int] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.game, Succeeded):
            self.holder_of = self.game.holder

    @property
    def game(self) -> Game[Any, Any, Any]:
        return self.engagement.rules

    async def play(self) -> None:
        self.state = _sound(self.game.start, Random(self.engagement.seed))
        turn = 0
        while seats := _sound(self.game.to_move, self.state):
            if len(seats) == 1:
                tries = [await self._tries(seats[0], turn)]
            else:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self._tries(seat, turn)) for seat in seats]
                tries = [task.result() for task in tasks]
            self._advance(tries)
            turn += 1

    def _advance(self, tries: "list[_Tries]") -> None:
        for each in tries:
            self._keep(each)
            if each.move is None:
                self.state = _sound(self.game.forfeit, self.state, each.seat)
        moves = {each.seat: each.move for each in tries if each.move is not None}
        if len(moves) < len(tries):  # a forfeit may have ended the game, or freed other seats
            waiting = _sound(self.game.to_move, self.state)
            moves = {seat: move for seat, move in moves.items() if seat in waiting}
        if moves:
            self.state = _sound(self.game.step, self.state, moves)

    def _keep(self, tries: "_Tries") -> None:
        self.dialogues[tries.seat, tries.holder] = tries.dialogue
        if tries.first != len(self.turns):  # others moved at the same time
            tries.turns = [
                replace(turn, seq=seq) for seq, turn in enumerate(tries.turns, len(self.turns))
            ]
        self.turns += tries.turns

    async def _tries(self, seat: Seat, turn: int) -> "_Tries":
        move_type = _sound(self.game.move_type, self.state, seat)
        view = _sound(self.game.view, self.state, seat)
        holder = self._holder(seat)
        tries = _Tries(seat, holder, len(self.turns), self.dialogues.get((seat, holder), ()))
        while (left := self._left(seat, len(tries.turns))) > 0:
            tried = len(tries.turns)
            ask = Ask(
                seat=seat,
                view=view,
                move_type=move_type,
                dialogue=tries.dialogue,
                wording=self.words,
                seed=derive(self.engagement.seed, self.engagement.id, seat, turn, tried),
                call=CallKey(self.engagement.id, seat, turn, tried, self.number),
                objection=tries.objection,
                tries_left=left,
            )
            act = await self.agents[seat].act(ask)
            kind, trouble = self._judge(seat, move_type, act)
            tries.add(self.table, ask, act, kind, trouble)
            if kind is TurnKind.MOVE:
                return tries
            self.bad_tries[seat] = self.bad_tries.get(seat, 0) + 1
        if self.table.retry == "official":
            self._keep(tries)
            raise Crashed(f"{seat} gave no usable answer in {self.table.tries} tries")
        tries.forfeit(turn, move_type)
        return tries

    def _holder(self, seat: Seat) -> int:
        if self.holder_of is None:
            return 0
        return _sound(self.holder_of, self.state, seat)

    def _left(self, seat: Seat, tried: int) -> int:
        used = tried if self.table.tries_per == "move" else self.bad_tries.get(seat, 0)
        return self.table.tries - used

    def _judge(self, seat: Seat, move_type: type[Any], act: Act) -> tuple[TurnKind, str | None]:
        if act.move is None:
            return TurnKind.UNREADABLE, act.trouble or "There was no move in your answer."
        if not isinstance(act.move, move_type):
            got = type(act.move).__name__
            raise TypeError(f"the agent at {seat!r} answered {got}, not {move_type.__name__}")
        try:
            self.game.check(self.state, seat, act.move)
        except IllegalMove as refusal:
            return TurnKind.ILLEGAL, trouble(refusal)
        except Exception as error:
            raise GameBroke(f"check: {error!r}") from error
        return TurnKind.MOVE, None

    async def played(self) -> Episode:
        """The episode, however it ended."""
        started = time.time()
        try:
            await self.play()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            text = "CancelledError: what an agent waited for was cancelled"
            return self.failed(EpisodeStatus.FAILED, Fault.AGENT.value, text, started)
        except Exception as error:  # noqa: BLE001  the one place where faults become data
            first = _first(error)
            if isinstance(first, Crashed):
                return self.failed(EpisodeStatus.CRASHED, "player", str(first), started)
            text = f"{type(first).__name__}: {first}"
            return self.failed(EpisodeStatus.FAILED, blame(first).value, text, started)
        return self.settled(started)

    def tell(self, payoffs: Mapping[Seat, float]) -> None:
        """Tell those who attend how it ended; what they make of it changes nothing."""
        for seat, agent in self.agents.items():
            if isinstance(agent, Attends) and self.state is not None:
                try:
                    view = self.game.view(self.state, seat)
                    agent.end(End(self.engagement.id, self.number, seat, view, payoffs.get(seat)))
                except Exception:
                    log.exception("%s could not be told the end of %s", seat, self.engagement.id)

    def settled(self, started: float) -> Episode:
        try:
            payoffs = self.game.payoffs(self.state)
            metrics = self.game.metrics(self.state)
        except Exception as error:  # noqa: BLE001  a bug in the rules is data too
            text = f"payoffs: {error!r}"
            return self.failed(EpisodeStatus.FAILED, blame(GameBroke()).value, text, started)
        return Episode(
            engagement=self.engagement,
            play=self.number,
            status=EpisodeStatus.SETTLED,
            turns=tuple(self.turns),
            payoffs=payoffs,
            metrics=metrics,
            started=started,
            ended=time.time(),
        )

    def failed(self, status: EpisodeStatus, fault: str, error: str, started: float) -> Episode:
        return Episode(
            engagement=self.engagement,
            play=self.number,
            status=status,
            turns=tuple(self.turns),
            fault=fault,
            error=" ".join(error.split())[:2000],
            started=started,
            ended=time.time(),
        )


@dataclass(slots=True)
class _Tries:
    """What one seat tried at one turn; `first` is the number of its first try.

    `holder` is the number of the person on the seat.
    """

    seat: Seat
    holder: int
    first: int
    dialogue: tuple[Message, ...]
    turns: list[Turn] = field(default_factory=list)
    move: Any = None
    objection: str | None = None

    def add(self, table: Table, ask: Ask, act: Act, kind: TurnKind, trouble: str | None) -> None:
        self.turns.append(
            Turn(
                seq=self.first + len(self.turns),
                turn=ask.call.turn,
                seat=self.seat,
                tried=ask.call.tried,
                kind=kind,
                move_type=ask.move_type.__name__,
                move=None if act.move is None else plain(act.move),
                trouble=trouble,
                messages=act.messages,
                reasoning=act.reasoning,
            )
        )
        if kind is TurnKind.MOVE:
            self.move = act.move
        if kind is TurnKind.MOVE or table.retry == "corrected":
            self.dialogue = (*self.dialogue, *act.messages)
            self.objection = trouble

    def forfeit(self, turn: int, move_type: type[Any]) -> None:
        tried, kind = len(self.turns), TurnKind.FORFEIT
        forfeit = Turn(self.first + tried, turn, self.seat, tried, kind, move_type.__name__, None)
        self.turns.append(forfeit)


def _sound(method: Any, *args: Any) -> Any:
    """The method's answer; a bug in the rules is raised as the game's fault."""
    try:
        return method(*args)
    except Exception as error:
        raise GameBroke(f"{method.__name__}: {error!r}") from error


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
