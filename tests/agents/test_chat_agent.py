"""A language model at a seat: what it is asked, what is recorded, what stays private."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from catallaxy.agents.base import Act, Ask
from catallaxy.agents.chat import BackendFailed, CallKey, Message, Reply, Sampling, Schema
from catallaxy.agents.chat_agent import ChatAgent
from catallaxy.agents.wording import Wording
from catallaxy.games.glee.bargaining import (
    Answer,
    Bargaining,
    BargainingState,
    OfferWithMessage,
)

CONF = Path(__file__).parents[2] / "conf"
WORDING = yaml.safe_load((CONF / "game/wording/bargaining/plain.yaml").read_text())
WORDS = Wording(**{name: text for name, text in WORDING.items() if name != "_target_"})
RULES = Bargaining(messages_allowed=True)
OFFER = '{"alice_gain": 6000, "bob_gain": 4000, "message": "for you"}'


@dataclass
class Parrot:
    """A model that says what it was given, and remembers what it was asked."""

    says: str
    reasoning: str = ""
    asked: list[tuple[tuple[Message, ...], Schema | None, Sampling]] = field(default_factory=list)

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        self.asked.append((tuple(messages), schema, sampling))
        return Reply(self.says, reasoning=self.reasoning)


def ask_of(state: BargainingState, seat: str, dialogue: tuple[Message, ...] = ()) -> Ask:
    key = CallKey("e", seat, 0, 0)
    due = RULES.move_type(state, seat)
    return Ask(seat, RULES.view(state, seat), due, dialogue, WORDS, 7, key, tries_left=3)


def opening() -> Ask:
    return ask_of(RULES.start(Random(0)), "alice")


def act(agent: ChatAgent, ask: Ask) -> Act:
    return asyncio.run(agent.act(ask))


def test_the_rules_come_first_then_the_private_briefing_and_what_is_asked() -> None:
    model = Parrot(OFFER)

    done = act(ChatAgent(model, persona="You are patient."), opening())

    ((asked, _, _),) = model.asked
    assert [m.role for m in asked] == ["system", "user"]
    assert "You are Alice." in asked[1].content
    assert "You are patient." in asked[1].content
    assert "patient" not in asked[0].content
    assert done.messages == (*asked, Message("assistant", OFFER))
    assert done.move == OfferWithMessage(6000, 4000, "for you")


def test_a_dialogue_only_grows() -> None:
    model = Parrot(OFFER)
    first = act(ChatAgent(model), opening())

    again = replace(opening(), dialogue=first.messages)
    second = act(ChatAgent(model), again)

    assert model.asked[1][0] == (*first.messages, *second.messages[:-1])
    assert [m.role for m in second.messages] == ["user", "assistant"]


def test_the_model_gets_the_schema_the_seed_and_the_call_s_key() -> None:
    model = Parrot(OFFER)

    act(ChatAgent(model, temperature=0.5, max_tokens=64), opening())

    ((_, form, sampling),) = model.asked
    assert form is not None
    assert form["required"] == ["alice_gain", "bob_gain", "message"]
    assert sampling == Sampling(0.5, None, 64, 7, CallKey("e", "alice", 0, 0))


def test_an_unconstrained_model_gets_no_schema() -> None:
    model = Parrot(OFFER)

    act(ChatAgent(model, constrain=False), opening())

    assert model.asked[0][1] is None


def test_an_unreadable_reply_is_trouble_in_words_and_kept() -> None:
    done = act(ChatAgent(Parrot("no thanks")), opening())

    assert done.move is None
    assert done.trouble == "There was no JSON object in your answer."
    assert done.messages[-1] == Message("assistant", "no thanks")


def test_an_objection_is_read_back_with_the_reason_the_tries_left_and_the_shape() -> None:
    model = Parrot(OFFER)
    first = act(ChatAgent(model), opening())
    refused = replace(opening(), dialogue=first.messages, objection="Too much.", tries_left=1)

    act(ChatAgent(model), refused)

    said = model.asked[1][0][-1]
    assert said.role == "user"
    assert said.content == (
        "Your answer does not count. Too much.\nYou have 1 try left.\n"
        'Answer only with JSON: {"alice_gain": <number>, "bob_gain": <number>, "message": "<text>"}'
    )


def test_private_reasoning_reaches_the_record_but_never_the_other_side() -> None:
    thinks = OFFER.replace("{", '{"reasoning": "SECRET", ', 1)
    model, other = Parrot(thinks), Parrot('{"decision": "accept"}')
    start = RULES.start(Random(0))

    done = act(ChatAgent(model, scratchpad=True), ask_of(start, "alice"))
    assert done.move == OfferWithMessage(6000, 4000, "for you")
    state = RULES.step(start, {"alice": done.move})
    answered = act(ChatAgent(other), ask_of(state, "bob"))

    assert done.reasoning == "SECRET"
    assert "SECRET" not in str(state)
    assert "SECRET" not in str(other.asked)
    assert "for you" in other.asked[0][0][-1].content
    assert answered.move == Answer("accept")


def test_a_scratch_pad_is_asked_for_in_words_and_in_the_schema() -> None:
    model = Parrot(OFFER)

    act(ChatAgent(model, scratchpad=True), opening())

    ((asked, form, _),) = model.asked
    assert form is not None
    assert next(iter(form["properties"])) == "reasoning"
    assert '{"reasoning": "<text>", "alice_gain"' in asked[-1].content
    assert "Bob will not see it" in asked[-1].content


def test_the_thinking_that_a_server_returns_is_recorded_as_private() -> None:
    assert act(ChatAgent(Parrot(OFFER, reasoning="hm")), opening()).reasoning == "hm"
    assert act(ChatAgent(Parrot("?", reasoning="hm")), opening()).reasoning == "hm"


def test_the_official_extraction_stumbles_over_a_brace_in_a_message() -> None:
    braced = OFFER.replace("for you", "for } you")

    assert act(ChatAgent(Parrot(braced)), opening()).move is not None
    official = ChatAgent(Parrot(braced), json_extraction="non_greedy")
    assert act(official, opening()).move is None


def test_a_model_that_cannot_be_reached_is_not_the_player_s_fault() -> None:
    @dataclass
    class Gone:
        async def reply(
            self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
        ) -> Reply:
            raise BackendFailed("nobody there")

    with pytest.raises(BackendFailed):
        act(ChatAgent(Gone()), opening())


def long_dialogue(rounds: int) -> tuple[Message, ...]:
    """Rules, then questions and answers in turn, as many as `rounds`."""
    pairs = ((Message("user", f"ask {n}"), Message("assistant", f"say {n}")) for n in range(rounds))
    return (Message("system", "rules"), *(message for pair in pairs for message in pair))


@pytest.mark.parametrize(
    ("window", "sent"),
    [
        (None, ["rules", "ask 0", "say 0", "ask 1", "say 1", "ask 2", "say 2"]),
        (99, ["rules", "ask 0", "say 0", "ask 1", "say 1", "ask 2", "say 2"]),
        (4, ["rules", "ask 0", "say 1", "ask 2", "say 2"]),
        (3, ["rules", "ask 0", "say 2"]),
        (1, ["rules", "ask 0"]),
    ],
)
def test_a_window_sends_the_opening_and_the_latest_messages_and_keeps_all(
    window: int | None, sent: list[str]
) -> None:
    model = Parrot(OFFER)
    ask = replace(opening(), dialogue=long_dialogue(3))

    done = act(ChatAgent(model, window=window), ask)

    ((asked, _, _),) = model.asked
    assert [m.content for m in asked[:-1]] == sent
    assert [m.role for m in done.messages] == ["user", "assistant"]


def test_a_window_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="window: give 1 message or more"):
        ChatAgent(Parrot(OFFER), window=0)


@pytest.mark.parametrize(
    "sampling", [{"temperature": -0.1}, {"top_p": 0.0}, {"top_p": 1.1}, {"max_tokens": 0}]
)
def test_sampling_that_no_model_can_do_is_refused_by_name(sampling: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(sampling))}: give "):
        ChatAgent(Parrot(OFFER), **sampling)
