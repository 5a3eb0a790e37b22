"""What one seat of a bargaining game can learn about the other's private loss: nothing."""

from dataclasses import replace
from pathlib import Path
from random import Random

import yaml
from hypothesis import given
from hypothesis import strategies as st

from catallaxy.agents.base import Ask
from catallaxy.agents.chat import CallKey, Message
from catallaxy.agents.wording import Wording
from catallaxy.games.glee.bargaining import Answer, Bargaining, Move, Offer, OfferWithMessage
from catallaxy.games.glee.compat import GleeCompat

CONF = Path(__file__).parents[2] / "conf"
WORDING = yaml.safe_load((CONF / "game/bargaining.yaml").read_text())["wording"]
WORDS = Wording(**{name: text for name, text in WORDING.items() if name != "_target_"})

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
)


def with_other_delta(rules: Bargaining, seat: str, delta: float) -> Bargaining:
    return replace(rules, **{"delta_b" if seat == "alice" else "delta_a": delta})


def told(rules: Bargaining, seat: str, luck: int) -> list[object]:
    """Every view and every text that `seat` gets in a random play, reproducible from `luck`."""
    rng, state, found = Random(luck), rules.start(Random(0)), []
    dialogue: tuple[Message, ...] = ()
    while turn := rules.to_move(state):
        found.append(rules.view(state, seat))
        if turn == (seat,):
            due = rules.move_type(state, seat)
            ask = Ask(
                seat, rules.view(state, seat), due, dialogue, WORDS, 0, CallKey("e", seat, 0, 0)
            )
            said = WORDS.messages(ask, persona="", scratchpad=False)
            again = WORDS.messages(replace(ask, objection="no"), persona="", scratchpad=True)
            dialogue = (*dialogue, *said)
            found += [*said, *again]
        move = drawn(rules, rng, answer=state.offer is not None)
        rules.check(state, turn[0], move)
        state = rules.step(state, {turn[0]: move})
    return [*found, rules.view(state, seat)]


def drawn(rules: Bargaining, rng: Random, *, answer: bool) -> Move:
    if answer:
        return Answer("accept" if rng.random() < 0.2 else "reject")
    alice = rng.randint(0, int(rules.pie))
    if rules.messages_allowed:
        return OfferWithMessage(alice, rules.pie - alice, f"take it ({rng.random()})")
    return Offer(alice, rules.pie - alice)


@given(rules=games, seat=st.sampled_from(["alice", "bob"]), delta=deltas, luck=st.integers(0, 999))
def test_nothing_a_seat_sees_or_reads_depends_on_the_other_s_private_delta(
    rules: Bargaining, seat: str, delta: float, luck: int
) -> None:
    assert told(rules, seat, luck) == told(with_other_delta(rules, seat, delta), seat, luck)


@given(rules=games, seat=st.sampled_from(["alice", "bob"]), luck=st.integers(0, 999))
def test_nothing_tells_a_hidden_number_of_rounds(rules: Bargaining, seat: str, luck: int) -> None:
    hidden = replace(rules, horizon="hidden", max_rounds=8)
    longer = replace(hidden, max_rounds=9)

    before_the_end = told(hidden, seat, luck)[:-1]

    assert told(longer, seat, luck)[: len(before_the_end)] == before_the_end


@given(rules=games, luck=st.integers(0, 999))
def test_the_shared_start_of_a_dialogue_is_the_same_for_both_seats(
    rules: Bargaining, luck: int
) -> None:
    for complete in (True, False):
        told_all = replace(rules, complete_information=complete)
        starts = {
            item.content
            for seat in ("alice", "bob")
            for item in told(told_all, seat, luck)
            if isinstance(item, Message) and item.role == "system"
        }
        assert len(starts) == 1


def rejected(rules: Bargaining, seat: str) -> str:
    """All that `seat` reads while every offer is rejected."""
    state, dialogue = rules.start(Random(0)), []
    while turn := rules.to_move(state):
        if turn == (seat,):
            ask = Ask(
                seat,
                rules.view(state, seat),
                rules.move_type(state, seat),
                tuple(dialogue),
                WORDS,
                0,
                CallKey("e", seat, 0, 0),
            )
            dialogue += WORDS.messages(ask, persona="", scratchpad=False)
        move = Offer(50, 50) if state.offer is None else Answer("reject")
        state = rules.step(state, {turn[0]: move})
    return "\n".join(message.content for message in dialogue)


SECRET = Bargaining(pie=100, delta_a=1, delta_b=1, max_rounds=3, complete_information=False)


def test_compat_reminder_scope_both_losses_leaks_the_other_s_loss() -> None:
    corrected = replace(SECRET, delta_b=0.8)
    leaking = replace(corrected, compat=GleeCompat(reminder_scope="both_losses"))

    assert "20 percent" not in rejected(corrected, "alice")
    assert "To Bob it is worth 20 percent less" in rejected(leaking, "alice")


def test_compat_inflation_paragraph_official_leaks_whether_the_other_loses_anything() -> None:
    official = replace(SECRET, compat=GleeCompat(inflation_paragraph="official"))
    somebody_loses = replace(official, delta_b=0.8)

    assert "inflation" in rejected(SECRET, "alice")
    assert "inflation" not in rejected(official, "alice")
    assert "inflation" in rejected(somebody_loses, "alice")
