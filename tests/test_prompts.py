"""Every prompt of every kind of dialogue, as plain text: a diff is a change of treatment.

`CATALLAXY_UPDATE_SNAPSHOTS=1 pytest tests/test_prompts.py` writes them anew; review the diff.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from catallaxy.agents.base import Ask, trouble
from catallaxy.agents.chat import CallKey, Message, Reply, Sampling, Schema
from catallaxy.agents.chat_agent import ChatAgent
from catallaxy.agents.wording import Wording
from catallaxy.games.base import Game, IllegalMove
from catallaxy.games.glee.bargaining import Bargaining
from catallaxy.games.glee.compat import GleeCompat
from catallaxy.platform.compose import composed
from catallaxy.platform.config import build

SNAPSHOTS = Path(__file__).parent / "snapshots/prompts"
TRIES = 3


@dataclass(frozen=True)
class Says:
    """A model with one answer."""

    text: str

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        return Reply(self.text)


@cache
def composed_wording(game: str, name: str) -> Wording:
    """A wording of a game as its yaml has it."""
    overrides = ["~experiment", "backend=scripted", f"game={game}", f"game/wording={name}"]
    return build(composed(overrides)["game"]["wording"], at="wording", expected=Wording)


def wording_of(game: str, name: str = "plain", **terms: str) -> Wording:
    """The same with other `terms`."""
    wording = composed_wording(game, name)
    return replace(wording, terms={**wording.terms, **terms})


def dialogues(
    rules: Game[Any, Any, Any], wording: Wording, replies: Sequence[str], **agent: Any
) -> str:
    """Both seats' dialogues, in full, when the seats in turn answer with `replies`."""
    state, objection, tries_left = rules.start(Random(0)), None, TRIES
    said: dict[str, tuple[Message, ...]] = dict.fromkeys(rules.seats, ())
    for text in replies:
        (seat,) = rules.to_move(state)
        due = rules.move_type(state, seat)
        key = CallKey("e", seat, 0, 0)
        view = rules.view(state, seat)
        ask = Ask(seat, view, due, said[seat], wording, 0, key, objection, tries_left)
        act = asyncio.run(ChatAgent(Says(text), **agent).act(ask))
        said[seat] += act.messages
        objection = act.trouble
        try:
            if act.move is not None:
                rules.check(state, seat, act.move)
        except IllegalMove as refused:
            objection = trouble(refused)
        tries_left = TRIES if objection is None else tries_left - 1
        if objection is None:
            state = rules.step(state, {seat: act.move})
    return "\n".join(f"########## {seat}\n\n{_written(said[seat])}" for seat in rules.seats)


def _written(messages: Sequence[Message]) -> str:
    return "".join(f"---------- {m.role}\n{m.content}\n\n" for m in messages)


def hold(name: str, text: str) -> None:
    """Compare `text` with the snapshot of that name, or write it where that is asked for."""
    file = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("CATALLAXY_UPDATE_SNAPSHOTS") == "1":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.exists(), f"no snapshot {file.name}: run with CATALLAXY_UPDATE_SNAPSHOTS=1"
    assert text == file.read_text(encoding="utf-8")


def offer(alice: float, message: str | None = None) -> str:
    gains = {"alice_gain": alice, "bob_gain": 10_000 - alice}
    return json.dumps(gains if message is None else {**gains, "message": message})


ACCEPT, REJECT = '{"decision": "accept"}', '{"decision": "reject"}'
SILENT = (offer(6000), REJECT, offer(3000), REJECT, offer(5500.5), ACCEPT)
TALKING = (
    offer(6000, "A fair start, isn't it?"), REJECT, offer(3000, ""), REJECT,
    offer(5500.5, "My last word: {\"take\": \"it\"}"), ACCEPT,
)  # fmt: skip
RULES = Bargaining(delta_a=0.9, delta_b=0.8, max_rounds=12)


@pytest.mark.parametrize("complete", [True, False], ids=["complete", "incomplete"])
@pytest.mark.parametrize("messages", [False, True], ids=["silent", "messages"])
@pytest.mark.parametrize("horizon", ["stated", "hidden"])
def test_the_words_of_bargaining_under_each_information_structure(
    complete: bool, messages: bool, horizon: str
) -> None:
    rules = replace(
        RULES, complete_information=complete, messages_allowed=messages, horizon=horizon
    )

    text = dialogues(rules, wording_of("bargaining"), TALKING if messages else SILENT)

    about = ("complete" if complete else "incomplete", "messages" if messages else "silent")
    hold(f"bargaining_{'_'.join(about)}_{horizon}", text)


@pytest.mark.parametrize("complete", [True, False], ids=["complete", "incomplete"])
@pytest.mark.parametrize(("delta_a", "delta_b"), [(0.9, 0.9), (1.0, 0.9), (1.0, 1.0)])
def test_the_words_about_losses_that_are_equal_one_sided_or_none(
    complete: bool, delta_a: float, delta_b: float
) -> None:
    rules = replace(RULES, delta_a=delta_a, delta_b=delta_b, complete_information=complete)

    text = dialogues(rules, wording_of("bargaining"), SILENT)

    information = "complete" if complete else "incomplete"
    hold(f"bargaining_{information}_losses_{delta_a:g}_{delta_b:g}", text)


def test_the_words_of_a_single_round() -> None:
    rules = replace(RULES, max_rounds=1, horizon="stated")

    hold("bargaining_single_round", dialogues(rules, wording_of("bargaining"), SILENT[:2]))


def test_the_words_of_objections() -> None:
    replies = (offer(11_000), '{"alice_gain": 6000}', SILENT[0], "I accept!", '{"decision": 1}')

    hold("bargaining_objections", dialogues(RULES, wording_of("bargaining"), replies))


def test_the_words_that_ask_for_private_thinking_a_persona_and_an_objective() -> None:
    wording = wording_of("bargaining", objective="Get as much money as you can.")
    thinking = '{"reasoning": "He is patient.", '
    replies = (SILENT[0].replace("{", thinking, 1), "no", REJECT.replace("{", thinking, 1))

    text = dialogues(RULES, wording, replies, scratchpad=True, persona="You are very patient.")

    hold("bargaining_scratchpad_persona_objective", text)


def test_the_words_under_the_official_switches() -> None:
    official = GleeCompat(
        reminder_scope="both_losses",
        reminder_recipients="responder",
        inflation_paragraph="official",
        horizon_text="official",
    )
    rules = replace(RULES, complete_information=False, compat=official)

    hold("bargaining_official", dialogues(rules, wording_of("bargaining"), SILENT))


STUMBLING = (offer(11_000, ""), "Let us share!", offer(6000.5, "Hello!"), "{", REJECT, TALKING[2])


@pytest.mark.parametrize("name", ["german", "objective", "paper", "terse"])
def test_the_words_of_bargaining_in_every_other_wording(name: str) -> None:
    rules = replace(RULES, messages_allowed=True, horizon="stated")

    text = dialogues(rules, wording_of("bargaining", name), (*STUMBLING, REJECT, *TALKING[:2]))

    hold(f"bargaining_wording_{name}", text)


@pytest.mark.parametrize("name", ["german", "paper", "plain", "terse"])
def test_the_words_of_bargaining_where_one_may_walk_away(name: str) -> None:
    rules = replace(RULES, compat=GleeCompat(bargaining_walk_away=True), complete_information=False)
    leave = '{"decision": "walk_away"}'

    text = dialogues(rules, wording_of("bargaining", name), (*SILENT[:3], leave))

    hold(f"bargaining_walk_away_{name}", text)


def test_every_snapshot_belongs_to_a_dialogue() -> None:
    names = {file.stem for file in SNAPSHOTS.glob("bargaining_*.txt")}

    assert len(names) == 8 + 6 + 4 + 4 + 4
