"""One play of a game: tries, objections, forfeits, faults."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pytest

from catallaxy.agents.base import Act, Agent, Ask, End
from catallaxy.agents.chat import BackendFailed, Message
from catallaxy.platform.episode import Table
from catallaxy.platform.record import Episode, EpisodeStatus, Outcome, TurnKind
from tests.toys import WORDS, Pennies, Says, Throw, engagement

HEADS, TAILS = Throw("heads"), Throw("tails")
FOOT = Throw(cast("Any", "foot"))  # what no check of types would let through


def play(rules: Any, agents: Mapping[str, Agent], table: Table | None = None) -> Episode:
    return asyncio.run((table or Table()).play(engagement(rules), WORDS, agents))


def kinds(episode: Episode) -> list[str]:
    return [turn.kind.value for turn in episode.turns]


def test_simultaneous_moves_are_one_turn_in_the_order_of_the_seats() -> None:
    episode = play(Pennies(2), {"even": Says([HEADS]), "odd": Says([TAILS])})

    assert episode.status is EpisodeStatus.SETTLED
    assert [(t.seq, t.turn, t.seat) for t in episode.turns] == [
        (0, 0, "even"),
        (1, 0, "odd"),
        (2, 1, "even"),
        (3, 1, "odd"),
    ]
    assert episode.payoffs == {"even": 0.0, "odd": 2.0}


def test_an_unreadable_answer_and_an_illegal_move_are_the_same_case_and_are_retried() -> None:
    episode = play(Pennies(), {"even": Says(["what?", FOOT, HEADS]), "odd": Says([HEADS])})

    assert kinds(episode) == ["unreadable", "illegal", "move", "move"]
    assert [t.trouble for t in episode.turns] == ["what?", "Show heads or tails.", None, None]
    assert [t.tried for t in episode.turns] == [0, 1, 2, 0]


@dataclass
class Listens:
    """Remembers what it was asked; bad until the `good`-th try."""

    good: int
    asks: list[Ask]

    async def act(self, ask: Ask) -> Act:
        self.asks.append(ask)
        said = (Message("user", "?"), Message("assistant", "!"))
        if len(self.asks) < self.good:
            return Act(None, said, trouble=f"bad {len(self.asks)}")
        return Act(HEADS, said)


def test_the_objection_and_the_tries_left_are_read_back() -> None:
    listener = Listens(3, [])

    play(Pennies(), {"even": listener, "odd": Says([HEADS])}, Table(tries=4))

    assert [(a.objection, a.tries_left) for a in listener.asks] == [
        (None, 4),
        ("bad 1", 3),
        ("bad 2", 2),
    ]
    assert [len(a.dialogue) for a in listener.asks] == [0, 2, 4]
    assert len({a.seed for a in listener.asks}) == 3


def test_the_dialogue_is_only_ever_appended_to() -> None:
    listener = Listens(2, [])

    play(Pennies(3), {"even": listener, "odd": Says([HEADS])})

    for earlier, later in zip(listener.asks, listener.asks[1:], strict=False):
        assert later.dialogue[: len(earlier.dialogue)] == earlier.dialogue


def test_after_the_last_bad_try_the_games_forfeit_applies_and_the_others_play_on() -> None:
    episode = play(Pennies(2), {"even": Says([FOOT]), "odd": Says([TAILS])}, Table(tries=2))

    assert kinds(episode) == ["illegal", "illegal", "forfeit", "move", "move"]
    assert episode.status is EpisodeStatus.SETTLED
    assert Outcome.of(episode).forfeits == 1
    assert Outcome.of(episode).bad_tries == 2


def test_when_everybody_forfeits_at_once_the_game_ends() -> None:
    episode = play(Pennies(2), {"even": Says([FOOT]), "odd": Says(["?"])}, Table(tries=1))

    assert kinds(episode) == ["illegal", "forfeit", "unreadable", "forfeit"]
    assert episode.status is EpisodeStatus.SETTLED


def test_an_allowance_per_game_is_spent_over_all_moves() -> None:
    table = Table(tries=2, tries_per="game")
    episode = play(
        Pennies(2), {"even": Says([FOOT, HEADS, FOOT, HEADS]), "odd": Says([TAILS])}, table
    )

    assert [t.kind for t in episode.turns if t.seat == "even"] == [
        TurnKind.ILLEGAL,
        TurnKind.MOVE,
        TurnKind.ILLEGAL,
        TurnKind.FORFEIT,
    ]


def test_official_retry_repeats_the_same_conversation_and_then_the_game_is_crashed() -> None:
    listener = Listens(99, [])
    episode = play(
        Pennies(), {"even": listener, "odd": Says([HEADS])}, Table(tries=7, retry="official")
    )

    assert len(listener.asks) == 7
    assert {(a.objection, a.dialogue) for a in listener.asks} == {(None, ())}
    assert episode.status is EpisodeStatus.CRASHED
    assert episode.metrics == {}
    assert "no usable answer in 7 tries" in str(episode.error)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (BackendFailed("the server is gone"), "backend"),
        (RuntimeError("a bug in an agent"), "agent"),
    ],
)
def test_a_fault_ends_the_episode_as_data_with_its_reason(error: Exception, fault: str) -> None:
    episode = play(Pennies(2), {"even": Says([error]), "odd": Says([HEADS])})

    assert episode.status is EpisodeStatus.FAILED
    assert episode.fault == fault
    assert str(error) in str(episode.error)


def test_a_cancellation_that_nobody_asked_for_is_the_agents_fault() -> None:
    stray = asyncio.CancelledError()

    episode = play(Pennies(), {"even": Says([stray]), "odd": Says([HEADS])})

    assert (episode.status, episode.fault) == (EpisodeStatus.FAILED, "agent")


@dataclass(frozen=True, slots=True)
class Broken(Pennies):
    """A game with a bug."""

    def step(self, state: Any, moves: Mapping[str, Throw]) -> Any:
        raise ZeroDivisionError("a bug in the rules")


def test_a_bug_in_the_rules_is_the_games_fault() -> None:
    episode = play(Broken(), {"even": Says([HEADS]), "odd": Says([HEADS])})

    assert (episode.status, episode.fault) == (EpisodeStatus.FAILED, "game")
    assert "a bug in the rules" in str(episode.error)


def test_an_agent_that_answers_with_another_kind_of_move_is_at_fault() -> None:
    episode = play(Pennies(), {"even": Says([object()]), "odd": Says([HEADS])})

    assert (episode.status, episode.fault) == (EpisodeStatus.FAILED, "agent")


def test_a_table_needs_at_least_one_try() -> None:
    with pytest.raises(ValueError, match="tries must be at least 1"):
        Table(tries=0)


@dataclass(frozen=True, slots=True)
class Relay(Pennies):
    """Pennies with another person at `odd` every round."""

    def holder(self, state: Any, seat: str) -> int:
        return len(state[0]) if seat == "odd" else 0


def test_a_new_person_at_a_seat_has_heard_nothing_of_the_last_ones_dialogue() -> None:
    stays, changes = Listens(1, []), Listens(1, [])

    play(Relay(3), {"even": stays, "odd": changes})

    assert [len(ask.dialogue) for ask in stays.asks] == [0, 2, 4]
    assert [len(ask.dialogue) for ask in changes.asks] == [0, 0, 0]


@dataclass
class Attentive(Says):
    """Takes note of the end, and may stumble over it."""

    told: list[End]
    stumbles: bool = False

    def end(self, end: End) -> None:
        self.told.append(end)
        if self.stumbles:
            raise ValueError("I did not want to know")


def test_who_attends_is_told_the_end_once_with_its_own_view_and_payoff() -> None:
    agent = Attentive([HEADS], [])

    play(Pennies(), {"even": agent, "odd": Says([HEADS])})

    (end,) = agent.told
    assert (end.seat, end.payoff, end.view, end.episode) == (
        "even",
        1.0,
        {"seat": "even", "round": 1},
        "000000-test",
    )


def test_whoever_stumbles_over_the_end_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    episode = play(Pennies(), {"even": Attentive([HEADS], [], stumbles=True), "odd": Says([TAILS])})

    assert episode.status is EpisodeStatus.SETTLED
    assert "could not be told the end" in caplog.text


def test_an_episode_that_failed_ends_without_a_payoff() -> None:
    agent = Attentive([HEADS], [])

    episode = play(Pennies(), {"even": agent, "odd": Says([BackendFailed("gone")])})

    assert episode.status is EpisodeStatus.FAILED
    assert [end.payoff for end in agent.told] == [None]
