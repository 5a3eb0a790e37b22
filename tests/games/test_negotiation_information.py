"""What one seat of a negotiation can learn about the other's private value: nothing."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from random import Random
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from catallaxy.agents.base import Ask
from catallaxy.agents.chat import CallKey, Message
from catallaxy.agents.wording import Wording
from catallaxy.games.base import IllegalMove
from catallaxy.games.glee.compat import GleeCompat
from catallaxy.games.glee.negotiation import Negotiation, NegotiationState, Price, PriceWithMessage
from catallaxy.games.glee.negotiation_moves import COUNTERS, TALKING_COUNTERS, Move, tokens_of
from tests.test_prompts import composed_wording

CONF = Path(__file__).parents[2] / "conf"
WORDINGS = {
    name: composed_wording("negotiation", name)
    for name in ("plain", "paper", "terse", "objective", "german")
}
PLAIN = WORDINGS["plain"]


def preset(name: str) -> GleeCompat:
    switches = yaml.safe_load((CONF / f"compat/glee/{name}.yaml").read_text())
    return GleeCompat(**{key: value for key, value in switches.items() if key != "_target_"})


PRESETS = tuple(preset(name) for name in ("corrected", "official", "competition"))

values = st.sampled_from([0.3, 0.8, 1.0, 1.2, 1.5, 7.0])
wordings = st.sampled_from(sorted(WORDINGS))
compats = st.one_of(
    st.sampled_from(PRESETS),
    st.builds(
        GleeCompat,
        horizon_text=st.sampled_from(["explicit", "official"]),
        john_tokens=st.sampled_from(["own", "official"]),
        negotiation_validation=st.sampled_from(["checked", "official"]),
        outside_option=st.sampled_from(["john", "walk_away"]),
        counteroffer=st.sampled_from(["own_move", "with_rejection"]),
    ),
)
games = st.builds(
    Negotiation,
    seller_value=values,
    buyer_value=values,
    price_scale=st.sampled_from([100, 10_000]),
    max_rounds=st.integers(1, 5),
    horizon=st.sampled_from(["stated", "hidden"]),
    complete_information=st.just(False),
    messages_allowed=st.booleans(),
    compat=compats,
)
seats = st.sampled_from(["alice", "bob"])


def drawn(rules: Negotiation, state: NegotiationState, seat: str, rng: Random) -> Move:
    """A legal move, mostly one that goes on."""
    kind: Any = rules.move_type(state, seat)
    price, message = rng.randint(0, 20_000), f"take it ({rng.random()})"
    if kind is Price:
        return Price(price)
    if kind is PriceWithMessage:
        return PriceWithMessage(price, message)
    words = tokens_of(kind)
    word = rng.choice([words.accept, words.outside, *[words.reject] * 8])
    named: dict[str, Any] = {"product_price": price} if issubclass(kind, COUNTERS) else {}
    if issubclass(kind, TALKING_COUNTERS):
        named["message"] = message
    return kind(word, **named)


def told(rules: Negotiation, words: Wording, seat: str, luck: int) -> list[object]:
    """Every view, text and objection that `seat` gets in a random play, as `luck` has it."""
    rng, state, found = Random(luck), rules.start(Random(0)), []
    dialogue: tuple[Message, ...] = ()
    while turn := rules.to_move(state):
        view = rules.view(state, seat)
        found.append(view)
        if turn == (seat,):
            due = rules.move_type(state, seat)
            ask = Ask(seat, view, due, dialogue, words, 0, CallKey("e", seat, 0, 0))
            said = words.messages(ask, persona="", scratchpad=False)
            refused = refusal(rules, state, seat)
            again = replace(ask, dialogue=(*dialogue, *said), objection=refused)
            dialogue = (*dialogue, *said)
            found += [due, *said, *words.messages(again, persona="", scratchpad=True)]
        state = rules.step(state, {turn[0]: drawn(rules, state, turn[0], rng)})
    return [*found, rules.view(state, seat)]


def refusal(rules: Negotiation, state: NegotiationState, seat: str) -> str:
    try:
        rules.check(state, seat, Price(float("nan")))
    except IllegalMove as refused:
        return refused.args[0]
    raise AssertionError("a price without a value was legal")


def texts(found: Sequence[object]) -> str:
    return "\n".join(item.content for item in found if isinstance(item, Message))


@given(
    rules=games, words=wordings, seat=seats, value=st.floats(0.01, 100), luck=st.integers(0, 999)
)
@settings(deadline=None)
def test_nothing_a_seat_sees_or_reads_depends_on_the_other_s_private_value(
    rules: Negotiation, words: str, seat: str, value: float, luck: int
) -> None:
    others = "buyer_value" if seat == "alice" else "seller_value"
    changed = replace(rules, **{others: value})

    assert told(rules, WORDINGS[words], seat, luck) == told(changed, WORDINGS[words], seat, luck)


@given(rules=games, words=wordings, seat=seats, luck=st.integers(0, 999))
@settings(deadline=None)
def test_under_complete_information_both_values_are_read(
    rules: Negotiation, words: str, seat: str, luck: int
) -> None:
    complete = replace(rules, complete_information=True, seller_value=0.3, buyer_value=0.7)
    opened = replace(complete, max_rounds=4, price_scale=1000)

    read = texts(told(opened, WORDINGS[words], seat, luck))

    assert "300" in read
    assert "700" in read


@given(rules=games, words=wordings, seat=seats, luck=st.integers(0, 999))
@settings(deadline=None)
def test_nothing_tells_a_hidden_number_of_rounds(
    rules: Negotiation, words: str, seat: str, luck: int
) -> None:
    compat = replace(rules.compat, horizon_text="explicit")
    hidden = replace(rules, horizon="hidden", max_rounds=3, compat=compat)
    longer = replace(hidden, max_rounds=4)

    before_the_end = told(hidden, WORDINGS[words], seat, luck)[:-1]

    assert told(longer, WORDINGS[words], seat, luck)[: len(before_the_end)] == before_the_end


@given(rules=games, words=wordings, luck=st.integers(0, 999))
@settings(deadline=None)
def test_the_shared_start_of_a_dialogue_is_the_same_for_both_seats(
    rules: Negotiation, words: str, luck: int
) -> None:
    for complete in (True, False):
        told_all = replace(rules, complete_information=complete)
        starts = {
            item.content
            for seat in ("alice", "bob")
            for item in told(told_all, WORDINGS[words], seat, luck)
            if isinstance(item, Message) and item.role == "system"
        }
        assert len(starts) == 1


@given(rules=games, words=wordings, seat=seats, luck=st.integers(0, 999))
@settings(deadline=None)
def test_where_one_walks_away_nobody_reads_of_john_and_elsewhere_everybody_does(
    rules: Negotiation, words: str, seat: str, luck: int
) -> None:
    alone = replace(rules, compat=replace(rules.compat, outside_option="walk_away"))
    with_john = replace(rules, compat=replace(rules.compat, outside_option="john"))

    assert "john" not in texts(told(alone, WORDINGS[words], seat, luck)).lower()
    assert "John" in texts(told(with_john, WORDINGS[words], "alice", luck))


@given(rules=games, words=wordings, seat=seats, luck=st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_no_words_are_left_open_doubled_or_dangling(
    rules: Negotiation, words: str, seat: str, luck: int
) -> None:
    for complete in (True, False):
        read = texts(
            told(replace(rules, complete_information=complete), WORDINGS[words], seat, luck)
        )
        for flaw in ("{{", "%}", "None", "  ", "..", " .", ",,", "\n\n\n", " \n"):
            assert flaw not in read


def rejected(rules: Negotiation, seat: str) -> str:
    """All that `seat` reads, in plain words, while every offer is rejected."""
    state, dialogue = rules.start(Random(0)), []
    while turn := rules.to_move(state):
        due: Any = rules.move_type(state, turn[0])
        if turn == (seat,):
            view = rules.view(state, seat)
            ask = Ask(seat, view, due, tuple(dialogue), PLAIN, 0, CallKey("e", seat, 0, 0))
            dialogue += PLAIN.messages(ask, persona="", scratchpad=False)
        names = {f.name for f in fields(due)}
        given = {"product_price": 9000, "decision": "reject", "message": "no"}
        state = rules.step(state, {turn[0]: due(**{k: v for k, v in given.items() if k in names})})
    return "\n".join(message.content for message in dialogue)


SECRET = Negotiation(0.8, 1.2, max_rounds=4, complete_information=False)


def test_each_reads_its_own_value_and_not_the_other_s() -> None:
    assert "$8,000" in rejected(SECRET, "alice")
    assert "12,000" not in rejected(SECRET, "alice")
    assert "$12,000" in rejected(SECRET, "bob")
    assert "8,000" not in rejected(SECRET, "bob")


def test_the_number_of_rounds_is_read_only_where_it_is_told() -> None:
    hidden = replace(SECRET, horizon="hidden")
    single = replace(SECRET, max_rounds=1)

    assert "at most 4 rounds" in rejected(SECRET, "bob")
    assert "Round 2 of 4." in rejected(SECRET, "bob")
    for rules in (hidden, single):
        assert "at most" not in rejected(rules, "bob")
        assert "Round" not in rejected(rules, "bob")
    assert "There is one round" in rejected(single, "bob")


def test_compat_horizon_text_leaves_the_number_1_out_but_not_what_follows_from_it() -> None:
    single = replace(SECRET, max_rounds=1, compat=GleeCompat(horizon_text="official"))

    assert "one round" not in rejected(single, "bob")
    assert "If Bob rejects it, the two do not trade" in rejected(single, "bob")


def test_a_rejection_in_a_last_round_that_is_told_promises_no_counteroffer() -> None:
    hidden = replace(SECRET, max_rounds=2, horizon="hidden")
    stated = replace(hidden, horizon="stated")
    official = replace(hidden, max_rounds=22, compat=GleeCompat(horizon_text="official"))

    assert "reject: you make a counteroffer next." in rejected(hidden, "alice")
    assert "counteroffer next" not in rejected(stated, "alice")
    last = "- reject: you do not trade with Bob but sell to John for $8,000."
    assert last in rejected(stated, "alice")
    assert rejected(official, "alice").count(last) == 1


def test_an_aim_can_be_switched_off() -> None:
    silent = replace(PLAIN, terms=dict.fromkeys(PLAIN.terms, ""))

    assert "Your aim is" in texts(told(SECRET, PLAIN, "bob", 1))
    assert "aim" not in texts(told(SECRET, silent, "bob", 1))
