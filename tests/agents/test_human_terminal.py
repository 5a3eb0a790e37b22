"""A person at a terminal: what is printed, what is read, what happens when nobody answers."""

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catallaxy.agents.base import Act, Ask
from catallaxy.agents.chat import BackendFailed
from catallaxy.agents.human import TerminalAgent
from catallaxy.agents.scripted.bargaining import FairBargainer
from catallaxy.games.glee.bargaining import Answer, Bargaining, OfferWithMessage
from catallaxy.platform.record import Episode, TurnKind
from catallaxy.platform.store.reader import Reader
from tests.agents.people import RULES, ask_of, played

OFFER = OfferWithMessage(60, 40, "take \x1b[2Jit")


class Desk:
    """The keyboard and the screen of the terminal that agents find in this process."""

    def __init__(self, keyboard: int, screen: pytest.CaptureFixture[str]) -> None:
        self._keyboard = keyboard
        self._screen = screen
        self._shown = ""

    def type(self, *lines: str) -> None:
        """Type whole lines."""
        os.write(self._keyboard, "".join(f"{line}\n" for line in lines).encode())

    @property
    def shown(self) -> str:
        """All that was printed."""
        self._shown += self._screen.readouterr().err
        return self._shown

    async def until(self, text: str) -> None:
        """Wait until `text` was printed."""
        async with asyncio.timeout(10):
            while text not in self.shown:  # noqa: ASYNC110  a screen has no event
                await asyncio.sleep(0.01)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    """A pipe for a keyboard."""
    reads, writes = os.pipe()
    with os.fdopen(reads) as stdin, os.fdopen(writes, "wb"):
        monkeypatch.setattr(sys, "stdin", stdin)
        yield Desk(writes, capsys)


@pytest.fixture
def tty(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    """A real terminal, as a person has one."""
    keyboard, terminal = pty.openpty()
    with os.fdopen(keyboard, "wb", buffering=0), os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield Desk(keyboard, capsys)


def act(ask: Any, **fields: Any) -> Act:
    return asyncio.run(TerminalAgent(**fields).act(ask))


def test_a_person_reads_the_rules_who_he_is_and_what_is_asked_then_fills_in(desk: Desk) -> None:
    desk.type("60", "40", "take it")

    done = act(ask_of())

    assert done.move == OfferWithMessage(60, 40, "take it")
    places = [
        desk.shown.index(text)
        for text in (
            "Alice, game e",
            "are to divide",
            "You are Alice.",
            "Make an offer",
            "Bob gain:",
        )
    ]
    assert places == sorted(places)
    assert "JSON" not in desk.shown


def test_nothing_that_another_player_wrote_acts_on_the_terminal(desk: Desk) -> None:
    desk.type("reject")

    act(ask_of(RULES, OFFER))

    assert "\x1b" not in desk.shown
    assert r"take \x1b[2Jit" in desk.shown


@pytest.mark.parametrize("typed", ["accept", "Accept", "a", " ACC "])
def test_a_choice_is_read_by_its_label_or_its_beginning(desk: Desk, typed: str) -> None:
    desk.type(typed)

    assert act(ask_of(RULES, OFFER)).move == Answer("accept")


def test_an_empty_line_chooses_nothing(desk: Desk) -> None:
    desk.type("")

    done = act(ask_of(RULES, OFFER))

    assert done.move is None
    assert done.trouble is not None
    assert "decision" in done.trouble


def test_a_message_is_read_in_any_script(desk: Desk) -> None:
    desk.type("60", "40", "für dich: 你好 🙂")

    assert act(ask_of()).move == OfferWithMessage(60, 40, "für dich: 你好 🙂")


def play(desk: Desk, *lines: str, rules: Bargaining = RULES, **fields: Any) -> Episode:
    desk.type(*lines)
    agents = {"alice": TerminalAgent(**fields), "bob": FairBargainer()}
    return asyncio.run(played(agents, rules))


def test_a_bad_answer_is_objected_to_and_a_good_one_counts(desk: Desk) -> None:
    episode = play(desk, "much", "40", "", "60", "60", "", "50", "50", "fair")

    kinds = [turn.kind for turn in episode.turns if turn.seat == "alice"]
    assert kinds == [TurnKind.UNREADABLE, TurnKind.ILLEGAL, TurnKind.MOVE]
    assert "must be <number>, not 'much'" in desk.shown
    assert "must add up to exactly 100" in desk.shown
    assert desk.shown.count("are to divide") == 1
    assert episode.payoffs == {"alice": 50, "bob": 50}


def test_the_end_says_how_it_ended_and_what_it_paid(desk: Desk) -> None:
    play(desk, "50", "50", "")

    assert desk.shown.endswith("- Answer: accept\n\nYou earned $50.\n")
    assert "The game is over: Agreement." in desk.shown


def test_a_person_who_is_too_slow_forfeits_like_any_player(desk: Desk) -> None:
    episode = play(desk, timeout_s=0.05)

    kinds = [turn.kind for turn in episode.turns]
    assert kinds == [TurnKind.UNREADABLE] * 3 + [TurnKind.FORFEIT]
    assert "You did not answer within 0.05 seconds." in desk.shown
    assert "The game is over: Forfeit." in desk.shown


def test_a_closed_input_is_nobody_s_bad_answer(desk: Desk) -> None:
    desk.type("60")
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())

    with pytest.raises(BackendFailed, match="nobody can answer"):
        act(ask_of())


def test_where_there_is_no_terminal_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(BackendFailed, match="nobody can answer"):
        act(ask_of())


def test_end_of_input_at_a_terminal_is_a_bad_answer(tty: Desk) -> None:
    async def given_up() -> Act:
        asking = asyncio.create_task(TerminalAgent().act(ask_of()))
        await tty.until("Alice gain (you):")
        tty.type("60")
        await tty.until("Bob gain:")
        tty.type("\x04")
        return await asking

    done = asyncio.run(given_up())

    assert done.move is None
    assert done.trouble is not None
    assert done.trouble.startswith('"bob_gain" is missing')


def test_what_was_typed_before_the_question_answers_nothing(tty: Desk) -> None:
    async def hasty() -> Act:
        tty.type("accept")
        asking = asyncio.create_task(TerminalAgent().act(ask_of(RULES, OFFER)))
        await tty.until("Decision")
        await asyncio.sleep(0.2)
        assert not asking.done()
        tty.type("reject")
        return await asking

    assert asyncio.run(hasty()).move == Answer("reject")


def test_two_who_are_asked_at_once_take_turns(desk: Desk) -> None:
    desk.type("reject", "accept")

    async def both() -> list[Act]:
        asks = (ask_of(RULES, OFFER, episode=name) for name in ("first", "second"))
        return await asyncio.gather(*(TerminalAgent().act(ask) for ask in asks))

    acts = asyncio.run(both())

    assert [done.move for done in acts] == [Answer("reject"), Answer("accept")]
    assert desk.shown.index("game first") < desk.shown.index("game second")


def test_waiting_for_one_s_turn_at_the_terminal_costs_no_time(desk: Desk) -> None:
    async def both() -> Act:
        slow = asyncio.create_task(TerminalAgent().act(ask_of(RULES, OFFER, episode="slow")))
        await desk.until("Decision")
        quick = asyncio.create_task(
            TerminalAgent(timeout_s=0.3).act(ask_of(RULES, OFFER, episode="quick"))
        )
        await asyncio.sleep(0.5)
        desk.type("reject", "accept")
        await slow
        return await quick

    assert asyncio.run(both()).move == Answer("accept")


def test_an_end_waits_until_nothing_is_asked(desk: Desk) -> None:
    class Slow:
        async def act(self, ask: Ask) -> Act:
            await desk.until("Decision")
            return Act(Answer("accept"))

    async def both() -> None:
        desk.type("50", "50", "")
        first = asyncio.create_task(played({"alice": TerminalAgent(), "bob": Slow()}))
        await desk.until("Message")
        second = asyncio.create_task(TerminalAgent().act(ask_of(RULES, OFFER, episode="second")))
        await asyncio.wait_for(first, 10)
        assert "The game is over" not in desk.shown
        desk.type("reject")
        await second

    asyncio.run(both())

    assert desk.shown.endswith("You earned $50.\n")


def test_a_stopped_run_does_not_wait_for_a_line(desk: Desk) -> None:
    async def stopped() -> None:
        asking = asyncio.create_task(TerminalAgent().act(ask_of()))
        await desk.until("Alice gain")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(asyncio.wait_for(stopped(), 5))


@pytest.mark.process
def test_a_game_at_the_terminal_of_a_real_run_without_a_progress_bar_in_between(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "catallaxy.platform.launch", "run", "experiment=play"]
    done = subprocess.run(
        [*command, "agent@agent.you=terminal", "game.rules.pie=100"],
        cwd=tmp_path,
        input="60\n60\n50\n50\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (store,) = tmp_path.glob("runs/*/*/store.duckdb")

    assert done.stderr.endswith("You earned $50.\n")
    assert "episodes" not in done.stderr
    with Reader.open(store.parent) as reader:
        kinds = reader.sql("SELECT kind FROM turns WHERE agent = 'you' ORDER BY seq").rows
    assert kinds == [("illegal",), ("move",)]


def test_a_limit_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="timeout_s: give seconds above 0"):
        TerminalAgent(timeout_s=0)
