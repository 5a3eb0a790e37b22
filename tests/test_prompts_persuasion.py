"""Every prompt of every kind of persuasion, as plain text: a diff is a change of treatment.

`CATALLAXY_UPDATE_SNAPSHOTS=1 pytest tests/test_prompts_persuasion.py` writes them anew.
"""

import asyncio
import json
from dataclasses import replace

import pytest

from catallaxy.agents.chat import Message
from catallaxy.agents.chat_agent import ChatAgent
from catallaxy.agents.wording import Wording
from catallaxy.games.glee.compat import GleeCompat
from catallaxy.games.glee.persuasion import Persuasion
from catallaxy.platform.backends.scripted import Scripted
from catallaxy.platform.episode import Table
from tests.test_prompts import SNAPSHOTS, dialogues, hold, wording_of
from tests.toys import engagement

YES, NO = '{"decision": "yes"}', '{"decision": "no"}'
RULES = Persuasion(total_rounds=3)
TALKS = replace(RULES, message_type="text")
DECISIONS = (YES, YES, NO, NO, YES, YES)


def says(message: str) -> str:
    return json.dumps({"message": message})


SENTENCES = (
    says('You\'ll love "this" one.'),
    YES,
    says(""),
    NO,
    says("High quality, I swear."),
    NO,
)


def told(rules: Persuasion, wording: Wording, replies: tuple[str, ...]) -> str:
    """What was said at a table, in full, one dialogue after another: a new buyer begins his own."""
    agent = ChatAgent(Scripted(replies=replies))
    agents = dict.fromkeys(rules.seats, agent)
    episode = asyncio.run(Table().play(engagement(rules), wording, agents))
    assert episode.error is None
    parts: dict[str, list[str]] = {seat: [] for seat in rules.seats}
    for turn in episode.turns:
        if turn.messages[0].role == "system":
            parts[turn.seat].append(f"########## {turn.seat}\n\n")
        parts[turn.seat][-1] += "".join(map(written, turn.messages))
    return "\n".join(text for seat in rules.seats for text in parts[seat])


def written(message: Message) -> str:
    return f"---------- {message.role}\n{message.content}\n\n"


@pytest.mark.parametrize("knows", [True, False], ids=["complete", "incomplete"])
@pytest.mark.parametrize("kind", ["binary", "text"])
@pytest.mark.parametrize("buyer", ["long_living", "myopic"])
def test_the_words_under_each_information_structure(knows: bool, kind: str, buyer: str) -> None:
    rules = replace(
        RULES, seller_knows_values=knows, buyer_knows_p=knows, message_type=kind, buyer=buyer
    )

    text = told(rules, wording_of("persuasion"), SENTENCES if kind == "text" else DECISIONS)

    hold(f"persuasion_{'complete' if knows else 'incomplete'}_{kind}_{buyer}", text)


@pytest.mark.parametrize("name", ["plain", "paper", "terse", "german"])
@pytest.mark.parametrize("knows", ["values", "chance"])
def test_the_words_where_each_side_knows_one_thing_only(name: str, knows: str) -> None:
    values = knows == "values"
    rules = replace(
        RULES, seller_knows_values=values, buyer_knows_p=not values, buyer="myopic", total_rounds=1
    )

    text = told(rules, wording_of("persuasion", name), DECISIONS[:2])

    hold(f"persuasion_both_know_{knows}_{name}", text)


@pytest.mark.parametrize("name", ["paper", "terse", "objective", "german"])
@pytest.mark.parametrize("buyer", ["long_living", "myopic"])
def test_the_words_of_the_other_wordings(name: str, buyer: str) -> None:
    rules = replace(RULES, buyer=buyer, p=1 / 3)
    if buyer == "myopic":
        rules = replace(rules, message_type="text", seller_knows_values=False, buyer_knows_p=False)
    replies = DECISIONS if buyer == "long_living" else SENTENCES

    hold(f"persuasion_{name}_{buyer}", told(rules, wording_of("persuasion", name), replies))


def test_the_words_where_quality_is_learned_by_buying_only() -> None:
    rules = replace(RULES, compat=GleeCompat(quality_feedback="after_purchase"))

    hold("persuasion_after_purchase", told(rules, wording_of("persuasion"), DECISIONS))


def test_the_words_under_the_code_s_statistics() -> None:
    rules = replace(RULES, buyer="myopic", compat=GleeCompat(myopic_stats="code"))

    hold("persuasion_code_statistics", told(rules, wording_of("persuasion"), DECISIONS))


def test_the_words_of_a_buyer_who_writes_and_of_a_hidden_number_of_rounds() -> None:
    rules = replace(RULES, horizon="hidden", allow_buyer_message=True)
    buys = json.dumps({"decision": "yes", "message": "Last chance."})
    passes = json.dumps({"decision": "no", "message": ""})

    text = told(rules, wording_of("persuasion"), (YES, buys, YES, passes, NO, passes))

    hold("persuasion_buyer_writes_hidden", text)


def test_the_words_of_a_single_round() -> None:
    rules = replace(RULES, total_rounds=1)

    hold("persuasion_single_round", told(rules, wording_of("persuasion"), DECISIONS[:2]))


@pytest.mark.parametrize("name", ["plain", "german"])
def test_the_words_of_objections(name: str) -> None:
    rules = replace(TALKS, max_message_chars=20)
    replies = (says("x" * 21), NO, says("Good."), "I buy it!", '{"decision": "maybe"}')

    hold(f"persuasion_objections_{name}", dialogues(rules, wording_of("persuasion", name), replies))


def test_the_words_that_ask_for_private_thinking_a_persona_and_an_objective() -> None:
    wording = wording_of("persuasion", objective="Get as much money as you can.")
    thinking = '{"reasoning": "Nobody checks.", '
    replies = (YES.replace("{", thinking, 1), NO.replace("{", thinking, 1))

    text = dialogues(RULES, wording, replies, scratchpad=True, persona="You are very patient.")

    hold("persuasion_scratchpad_persona_objective", text)


def test_every_snapshot_belongs_to_a_dialogue() -> None:
    names = {file.stem for file in SNAPSHOTS.glob("persuasion_*.txt")}

    assert len(names) == 8 + 8 + 8 + 4 + 2 + 1
