"""What a player whose rule is known would do in a state, asked as a table asks. Knows no game."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from catallaxy.agents.base import Agent, Ask
from catallaxy.agents.chat import CallKey, Message
from catallaxy.games.base import IllegalMove, Seat
from catallaxy.platform.seeds import derive


@dataclass(frozen=True, slots=True)
class BestResponse:
    """What a seat can earn on average against one opponent, in the unit of its `self_gain`.

    `error` is the standard error of `value`; 0 where nothing had to be drawn.
    """

    value: float
    error: float = 0.0


class NoBestResponse(ValueError):
    """Why there is no best response, or none that can be found: one sentence."""


@lru_cache(maxsize=16)
def seeds(count: int) -> tuple[int, ...]:
    """Seeds for as many draws of a player's luck; the same ones on every machine."""
    return tuple(derive("best response", number) for number in range(count))


class _NoWords:
    def messages(self, ask: Ask, *, persona: str, scratchpad: bool) -> tuple[Message, ...]:
        raise NoBestResponse("its rule is not known: it asks a model")


_NO_WORDS = _NoWords()


class _Watched(Ask):
    """An ask that notices whether its seed is looked at."""

    __slots__ = ("_drawn", "looked")

    @property
    def seed(self) -> int:
        object.__setattr__(self, "looked", True)
        return self._drawn

    @seed.setter
    def seed(self, drawn: int) -> None:
        object.__setattr__(self, "_drawn", drawn)
        object.__setattr__(self, "looked", False)


@dataclass(slots=True)
class Policy:
    """The player on `seat` as a function from states to moves.

    `lucky` says whether it ever looked at the seed of an ask, where its luck comes from.
    """

    rules: Any
    seat: Seat
    player: Agent
    lucky: bool = False

    def move(self, state: Any, seed: int) -> Any:
        """Its move in `state`. Raises NoBestResponse if it waits for others or moves illegally."""
        ask = _Watched(
            seat=self.seat,
            view=self.rules.view(state, self.seat),
            move_type=self.rules.move_type(state, self.seat),
            dialogue=(),
            wording=_NO_WORDS,
            seed=seed,
            call=CallKey("", self.seat, 0, 0),
        )
        move = _at_once(self.player, ask)
        self.lucky = self.lucky or ask.looked
        try:
            self.rules.check(state, self.seat, move)
        except IllegalMove as refusal:
            raise NoBestResponse(f"it makes an illegal move: {refusal}") from refusal
        return move

    def moves(self, state: Any, luck: Iterable[int]) -> list[Any]:
        """Its moves in `state` with different luck."""
        return [self.move(state, seed) for seed in luck]


def _at_once(player: Agent, ask: Ask) -> Any:
    """The move of a player that decides without waiting for anything."""
    deciding = player.act(ask)
    try:
        deciding.send(None)
    except StopIteration as done:
        return done.value.move
    deciding.close()
    raise NoBestResponse("its rule is not known: it asks somebody else")
