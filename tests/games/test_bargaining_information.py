"""What one seat of a bargaining game can learn about the other's private loss: nothing.

In every wording, and under every preset of compat switches but for the leaks that are switches.
"""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallaxy.agents.base import Ask
from catallaxy.agents.chat import CallKey, Message
from catallaxy.agents.wording import Wording
from catallaxy.games.glee.bargaining import (
    Answer,
    AnswerOrWalkAway,
    Bargaining,
    Move,
    Offer,
    OfferWithMessage,
)
from catallaxy.games.glee.compat import GleeCompat
from catallaxy.platform.compose import CONF, composed
from catallaxy.platform.config import build
from tests.test_prompts import wording_of

PRESETS = sorted(path.stem for path in (CONF / "compat/glee").glob("*.yaml"))
WORDINGS = sorted(path.stem for path in (CONF / "game/wording/bargaining").glob("*.yaml"))


def preset(name: str) -> GleeCompat:
    """The switches of a preset without those that are there to leak."""
    switches = composed(["~experiment", "backend=scripted", f"compat/glee={name}"])["compat"][
        "glee"
    ]
    found = build(switches, at="compat", expected=GleeCompat)
    return replace(found, reminder_scope="own", inflation_paragraph="always")


deltas = st.sampled_from([0.5, 0.8, 0.9, 0.95, 1.0])
games = st.builds(
    Bargaining,
    pie=st.sampled_from([100, 10_000]),
    delta_a=deltas,
    delta_b=deltas,
    max_rounds=st.integers(1, 8),
    horizon=st.sampled_from(["stated", "hidden"]),
    complete_information=st.just(False),
    messages_allowed=st.booleans(),
    show_inflation_update=st.booleans(),
    compat=st.sampled_from([preset(name) for name in PRESETS]),
)
words = st.sampled_from([wording_of("bargaining", name) for name in WORDINGS])


seats = st.sampled_from(["alice", "bob"])
luck = st.integers(0, 999)


def with_other_delta(rules: Bargaining, seat: str, delta: float) -> Bargaining:
    return replace(rules, **{"delta_b" if seat == "alice" else "delta_a": delta})


def told(rules: Bargaining, seat: str, luck: int, words: Wording) -> list[object]:
    """Every view and every text that `seat` gets in a random play, reproducible from `luck`."""
    rng, state, found = Random(luck), rules.start(Random(0)), []
    dialogue: tuple[Message, ...] = ()
    while turn := rules.to_move(state):
        found.append(rules.view(state, seat))
        if turn == (seat,):
            due = rules.move_type(state, seat)
            view = rules.view(state, seat)
            ask = Ask(seat, view, due, dialogue, words, 0, CallKey("e", seat, 0, 0))
            said = words.messages(ask, persona="", scratchpad=False)
            again = words.messages(replace(ask, objection="no"), persona="", scratchpad=True)
            dialogue = (*dialogue, *said)
            found += [*said, *again]
        move = drawn(rules, rng, rules.move_type(state, turn[0]))
        rules.check(state, turn[0], move)
        state = rules.step(state, {turn[0]: move})
    return [*found, rules.view(state, seat)]


def drawn(rules: Bargaining, rng: Random, due: type[Move]) -> Move:
    if due is Answer or due is AnswerOrWalkAway:
        return due("accept" if rng.random() < 0.2 else "reject")
    alice = rng.randint(0, int(rules.pie))
    if rules.messages_allowed:
        return OfferWithMessage(alice, rules.pie - alice, f"take it ({rng.random()})")
    return Offer(alice, rules.pie - alice)


@given(rules=games, words=words, seat=seats, delta=deltas, luck=luck)
def test_nothing_a_seat_sees_or_reads_depends_on_the_other_s_private_delta(
    rules: Bargaining, words: Wording, seat: str, delta: float, luck: int
) -> None:
    other = with_other_delta(rules, seat, delta)

    assert told(rules, seat, luck, words) == told(other, seat, luck, words)


@given(rules=games, words=words, seat=seats, luck=luck)
def test_nothing_tells_a_hidden_number_of_rounds(
    rules: Bargaining, words: Wording, seat: str, luck: int
) -> None:
    compat = replace(rules.compat, horizon_text="explicit")
    hidden = replace(rules, horizon="hidden", max_rounds=8, compat=compat)
    longer = replace(hidden, max_rounds=9)

    before_the_end = told(hidden, seat, luck, words)[:-1]

    assert told(longer, seat, luck, words)[: len(before_the_end)] == before_the_end


@given(rules=games, words=words, seat=seats, luck=luck)
def test_the_official_switch_about_the_horizon_hides_more_than_20_rounds(
    rules: Bargaining, words: Wording, seat: str, luck: int
) -> None:
    compat = replace(rules.compat, horizon_text="official")
    hidden = replace(rules, max_rounds=21, compat=compat)

    assert (
        told(hidden, seat, luck, words)[:9]
        == told(replace(hidden, max_rounds=99), seat, luck, words)[:9]
    )


@given(rules=games, words=words, luck=luck)
def test_the_shared_start_of_a_dialogue_is_the_same_for_both_seats(
    rules: Bargaining, words: Wording, luck: int
) -> None:
    for complete in (True, False):
        told_all = replace(rules, complete_information=complete)
        starts = {
            item.content
            for seat in ("alice", "bob")
            for item in told(told_all, seat, luck, words)
            if isinstance(item, Message) and item.role == "system"
        }
        assert len(starts) == 1


def rejected(rules: Bargaining, seat: str, words: Wording) -> str:
    """All that `seat` reads while every offer is rejected."""
    state, dialogue = rules.start(Random(0)), []
    while turn := rules.to_move(state):
        due = rules.move_type(state, turn[0])
        if turn == (seat,):
            view, key = rules.view(state, seat), CallKey("e", seat, 0, 0)
            ask = Ask(seat, view, due, tuple(dialogue), words, 0, key)
            dialogue += words.messages(ask, persona="", scratchpad=False)
        move = Offer(50, 50) if state.offer is None else Answer("reject")
        state = rules.step(state, {turn[0]: move})
    return "\n".join(message.content for message in dialogue)


SECRET = Bargaining(pie=100, delta_a=1, delta_b=1, max_rounds=3, complete_information=False)

every_wording = pytest.mark.parametrize("name", WORDINGS)


@every_wording
def test_compat_reminder_scope_both_losses_leaks_the_other_s_loss(name: str) -> None:
    words = wording_of("bargaining", name)
    corrected = replace(SECRET, delta_b=0.77)
    leaking = replace(corrected, compat=GleeCompat(reminder_scope="both_losses"))

    assert "23" not in rejected(corrected, "alice", words)
    assert "23" in rejected(leaking, "alice", words)


@every_wording
def test_compat_inflation_paragraph_official_leaks_whether_the_other_loses_anything(
    name: str,
) -> None:
    words = wording_of("bargaining", name)
    official = replace(SECRET, compat=GleeCompat(inflation_paragraph="official"))
    somebody_loses = replace(official, delta_b=0.77)

    assert rejected(SECRET, "alice", words) == rejected(somebody_loses, "alice", words)
    assert rejected(official, "alice", words) != rejected(somebody_loses, "alice", words)
