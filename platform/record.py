"""What is kept of a run: engagements, episodes, turns, calls. Values only; knows no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from catallaxy.agents.chat import CallKey, Message, Reply, Sampling
from catallaxy.games.base import Seat


@dataclass(frozen=True, slots=True)
class Engagement:
    """The plan of one episode, known before it is played.

    `ordinal` is its place in the run's design (settlement goes in this order), `id` is unique in
    the run, `game` the name in the catalogue, `rules` the game's value, `variant` the hash of game,
    rules and wording, `seed` nature's seed (shared by all pairs that meet the same nature),
    `wording` the name of the words.
    """

    ordinal: int
    id: str
    game: str
    variant: str
    rules: Any
    seats: Mapping[Seat, str]
    seed: int
    replicate: int = 0
    wording: str = "plain"


class TurnKind(StrEnum):
    """What became of one try."""

    MOVE = "move"
    UNREADABLE = "unreadable"
    ILLEGAL = "illegal"
    FORFEIT = "forfeit"


@dataclass(frozen=True, slots=True)
class Turn:
    """One try of one seat at one turn of the game.

    `seq` counts the tries of the episode from 0, `turn` the turns of the game from 0, `tried` the
    tries of this seat at this turn from 0. `move` is JSON-ready, None when there was none;
    `trouble` is the objection that was read back. `messages` were appended to the seat's dialogue.
    """

    seq: int
    turn: int
    seat: Seat
    tried: int
    kind: TurnKind
    move_type: str
    move: Mapping[str, Any] | None
    trouble: str | None = None
    messages: tuple[Message, ...] = ()
    reasoning: str = ""


class EpisodeStatus(StrEnum):
    """How an episode ended."""

    SETTLED = "settled"
    FAILED = "failed"  # by infrastructure or a bug: resume plays it again
    CRASHED = "crashed"  # by a player, under `retry: official`: final, without metrics


@dataclass(frozen=True, slots=True)
class Episode:
    """One play of a game, from start to payoffs, or to the fault that ended it.

    `play` is 1, and more after each time that it had to be played again. Times are Unix seconds.
    """

    engagement: Engagement
    play: int
    status: EpisodeStatus
    turns: tuple[Turn, ...]
    payoffs: Mapping[Seat, float] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    fault: str | None = None
    error: str | None = None
    started: float = 0.0
    ended: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a model, recorded when it returned; a retried request is a row of its own.

    `prompt` is the whole list of messages; `backend` is the name in the configuration; `cost` is
    in US dollars, None where no price is known; `reused` marks an answer taken from an earlier
    record. Times are Unix seconds.
    """

    key: CallKey
    attempt: int
    backend: str
    provider: str
    model: str
    sampling: Sampling
    prompt: tuple[Message, ...]
    reply: Reply | None
    error_type: str | None = None
    error: str | None = None
    cost: float | None = None
    started: float = 0.0
    ended: float = 0.0
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier launches of a run left: final outcomes, and how often every episode began."""

    outcomes: "Mapping[str, Outcome]" = field(default_factory=dict)
    plays: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What settlement and progress need of an episode that is durably recorded."""

    ordinal: int
    episode: str
    status: EpisodeStatus
    seats: Mapping[Seat, str]
    payoffs: Mapping[Seat, float]
    turns: int
    forfeits: int
    bad_tries: int
    error: str | None = None

    @staticmethod
    def of(episode: Episode) -> "Outcome":
        """The outcome of an episode that has just been played."""
        kinds = [turn.kind for turn in episode.turns]
        return Outcome(
            ordinal=episode.engagement.ordinal,
            episode=episode.engagement.id,
            status=episode.status,
            seats=episode.engagement.seats,
            payoffs=episode.payoffs,
            turns=len({turn.turn for turn in episode.turns}),
            forfeits=kinds.count(TurnKind.FORFEIT),
            bad_tries=kinds.count(TurnKind.UNREADABLE) + kinds.count(TurnKind.ILLEGAL),
            error=episode.error,
        )
