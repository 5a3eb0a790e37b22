"""Small games, agents and sessions that tests of the platform share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

from catallaxy.agents.base import Act, Ask
from catallaxy.agents.wording import Wording
from catallaxy.games.base import IllegalMove, Seat
from catallaxy.platform.compose import Plain, composed
from catallaxy.platform.record import Engagement
from catallaxy.platform.store.reader import Reader

SMALL = (
    "experiment=glee_bargaining",
    "backend=scripted",
    "market.factors.pie=[100]",
    "market.factors.delta_a=[0.9]",
    "market.factors.delta_b=[0.8]",
)
"""Eight quick episodes of bargaining between two scripted language models."""

GRID = (
    "experiment=glee_bargaining",
    "backend=scripted",
    "market.seating=with_self",
    "market.factors.pie=[100]",
    "market.factors.delta_a=[0.8,0.9]",
    "market.factors.delta_b=[0.9]",
    "~agent.alice",
    "~agent.bob",
    "+agent@agent.fair=fair_bargainer",
    "+agent@agent.equilibrium=equilibrium_bargainer",
    "+agent@agent.concession=concession_bargainer",
)
"""Sixteen configurations of bargaining, each for the nine pairs of three scripted players."""


def small(*more: str) -> Plain:
    """The configuration of eight quick episodes."""
    return composed((*SMALL, *more))


@dataclass(frozen=True, slots=True)
class Throw:
    """A hand of 0 or 1."""

    hand: Literal["heads", "tails"]


@dataclass(frozen=True, slots=True)
class Pennies:
    """Matching pennies, simultaneous, `rounds` times; a seat that forfeits is out of its round."""

    rounds: int = 1
    seats: tuple[Seat, ...] = ("even", "odd")

    def start(self, rng: Random) -> tuple[tuple[Mapping[Seat, str], ...], tuple[Seat, ...]]:
        return ((), ())

    def to_move(self, state: Any) -> tuple[Seat, ...]:
        thrown, out = state
        if len(thrown) == self.rounds or len(out) == len(self.seats):
            return ()
        return tuple(seat for seat in self.seats if seat not in out)

    def view(self, state: Any, seat: Seat) -> Mapping[str, Any]:
        return {"seat": seat, "round": len(state[0])}

    def move_type(self, state: Any, seat: Seat) -> type[Throw]:
        return Throw

    def check(self, state: Any, seat: Seat, move: Throw) -> None:
        if move.hand not in ("heads", "tails"):
            raise IllegalMove("Show heads or tails.")

    def step(self, state: Any, moves: Mapping[Seat, Throw]) -> Any:
        thrown, out = state
        return ((*thrown, {seat: move.hand for seat, move in moves.items()}), out)

    def forfeit(self, state: Any, seat: Seat) -> Any:
        thrown, out = state
        return (thrown, (*out, seat))

    def payoffs(self, state: Any) -> Mapping[Seat, float]:
        won = sum(hands.get("even") == hands.get("odd") for hands in state[0])
        return {"even": float(won), "odd": float(len(state[0]) - won)}

    def metrics(self, state: Any) -> Mapping[str, float]:
        return {"rounds": float(len(state[0]))}


WORDS = Wording(name="pennies", system="Match pennies.", asks={"Throw": "Throw. {{ shape }}"})


@dataclass(slots=True)
class Says:
    """Answers with `moves` in turn; an exception among them is raised."""

    moves: list[Any]

    async def act(self, ask: Ask) -> Act:
        move = self.moves.pop(0) if len(self.moves) > 1 else self.moves[0]
        if isinstance(move, BaseException):
            raise move
        if isinstance(move, str):
            return Act(None, trouble=move)
        return Act(move)


def engagement(rules: Any, seats: Mapping[Seat, str] | None = None, ordinal: int = 0) -> Engagement:
    """An engagement at `rules`, every seat taken by an agent of its own name."""
    return Engagement(
        ordinal=ordinal,
        id=f"{ordinal:06d}-test",
        game="pennies",
        variant="v",
        rules=rules,
        seats=seats or {seat: seat for seat in rules.seats},
        seed=7,
    )


WHAT_WAS_PLAYED = (
    "select episode, seq, turn, seat, tried, kind, move, trouble, reasoning, messages from turns "
    "order by episode, seq",
    "select * exclude (run) from seats order by episode, seat",
    "select * exclude (run) from metrics order by episode, seat, name",
    "select * exclude (run) from ledger order by ordinal, agent",
    "select distinct episode, seat, turn, tried, prompt_hash, output_message from calls "
    "where error_type is null order by all",
)


def played_in(folder: Path) -> list[list[tuple[Any, ...]]]:
    """Everything that was played in a run, whenever and however often it was begun."""
    with Reader.open(folder) as reader:
        return [reader.sql(query).rows for query in WHAT_WAS_PLAYED]


def everything_in(folder: Path) -> bytes:
    """All bytes of all files of a run folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
