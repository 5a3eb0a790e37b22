"""What a seat of a persuasion game can learn of what is not its business: nothing.

In every wording, and under every preset of compat switches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from catallaxy.agents.base import Ask
from catallaxy.agents.chat import CallKey, Message
from catallaxy.agents.wording import Wording
from catallaxy.games.glee.compat import GleeCompat
from catallaxy.games.glee.persuasion import (
    Move,
    Persuasion,
    PersuasionState,
    Purchase,
    PurchaseWithMessage,
    Quality,
    Recommendation,
    SellerMessage,
)
from catallaxy.platform.compose import CONF, composed
from catallaxy.platform.config import build
from tests.test_prompts import wording_of

WORDINGS = sorted(path.stem for path in (CONF / "game/wording/persuasion").glob("*.yaml"))
PRESETS = sorted(path.stem for path in (CONF / "compat/glee").glob("*.yaml"))
ROUNDS = 5


def preset(name: str) -> GleeCompat:
    config = composed(["~experiment", "backend=scripted", f"compat/glee={name}"])
    return build(config["compat"]["glee"], at="compat", expected=GleeCompat)


games = st.builds(
    Persuasion,
    p=st.sampled_from([1 / 3, 0.5, 0.8]),
    v=st.sampled_from([1.2, 3]),
    c=st.sampled_from([0, 0.5]),
    product_price=st.sampled_from([100, 10_000]),
    total_rounds=st.just(ROUNDS),
    horizon=st.sampled_from(["stated", "hidden"]),
    seller_knows_values=st.booleans(),
    buyer_knows_p=st.booleans(),
    message_type=st.sampled_from(["binary", "text"]),
    buyer=st.sampled_from(["long_living", "myopic"]),
    allow_buyer_message=st.booleans(),
    compat=st.sampled_from([preset(name) for name in PRESETS]),
)
words = st.sampled_from([wording_of("persuasion", name) for name in WORDINGS])
luck = st.integers(0, 999)
qualities = st.lists(st.sampled_from(["high", "low"]), min_size=ROUNDS, max_size=ROUNDS)


@dataclass(frozen=True)
class Deed:
    """What both do in a round, whatever its quality is."""

    recommends: bool
    buys: bool
    words: str

    def move(self, due: type[Move]) -> Move:
        if due is Recommendation:
            return Recommendation("yes" if self.recommends else "no")
        if due is SellerMessage:
            return SellerMessage(self.words)
        if due is PurchaseWithMessage:
            return PurchaseWithMessage("yes" if self.buys else "no", self.words)
        return Purchase("yes" if self.buys else "no")


def deeds(luck: int) -> list[Deed]:
    rng = Random(luck)
    return [
        Deed(rng.random() < 0.5, rng.random() < 0.5, rng.choice(["", f"Buy! {rng.random()}"]))
        for _ in range(ROUNDS)
    ]


Told = list[tuple[int, object]]


def told(
    rules: Persuasion, seat: str, drawn: Sequence[Quality], done: Sequence[Deed], words: Wording
) -> Told:
    """Every view and every text that `seat` gets in a game, each with the number of its round."""
    state = replace(rules.start(Random(0)), qualities=tuple(drawn))
    dialogues: dict[int, tuple[Message, ...]] = {}
    found: Told = []
    while turn := rules.to_move(state):
        found.append((state.round, rules.view(state, seat)))
        if turn == (seat,):
            found += [(state.round, text) for text in asked(rules, seat, state, dialogues, words)]
        move = done[state.round - 1].move(rules.move_type(state, turn[0]))
        rules.check(state, turn[0], move)
        state = rules.step(state, {turn[0]: move})
    return [*found, (state.round + 1, rules.view(state, seat))]


def asked(
    rules: Persuasion,
    seat: str,
    state: PersuasionState,
    dialogues: dict[int, tuple[Message, ...]],
    words: Wording,
) -> list[Message]:
    """What `seat` reads now, first and when refused; the dialogue of who sits there goes on."""
    holder = rules.holder(state, seat)
    view, due = rules.view(state, seat), rules.move_type(state, seat)
    ask = Ask(seat, view, due, dialogues.get(holder, ()), words, 0, CallKey("e", seat, 0, 0))
    said = words.messages(ask, persona="", scratchpad=False)
    again = words.messages(replace(ask, objection="no"), persona="", scratchpad=True)
    dialogues[holder] = (*ask.dialogue, *said)
    return [*said, *again]


@given(
    rules=games, words=words, luck=luck, one=qualities, other=qualities, past=st.integers(0, ROUNDS)
)
def test_a_buyer_never_sees_the_quality_of_this_or_a_later_round_before_deciding(
    rules: Persuasion,
    words: Wording,
    luck: int,
    one: list[Quality],
    other: list[Quality],
    past: int,
) -> None:
    done, other = deeds(luck), [*one[:past], *other[past:]]

    here, there = (told(rules, "bob", drawn, done, words) for drawn in (one, other))

    until = past + 1  # the round in which the qualities begin to differ
    assert [x for x in here if x[0] <= until] == [x for x in there if x[0] <= until]


@given(rules=games, words=words, luck=luck, one=qualities, other=qualities)
def test_after_purchase_a_buyer_never_sees_the_quality_of_what_he_passed_up(
    rules: Persuasion, words: Wording, luck: int, one: list[Quality], other: list[Quality]
) -> None:
    rules = replace(rules, compat=replace(rules.compat, quality_feedback="after_purchase"))
    done = deeds(luck)
    other = [a if deed.buys else b for a, b, deed in zip(one, other, done, strict=True)]

    assert told(rules, "bob", one, done, words) == told(rules, "bob", other, done, words)


@given(rules=games, words=words, luck=luck, drawn=qualities, v=st.sampled_from([1, 2.5]))
def test_a_seller_who_is_not_told_what_products_are_worth_cannot_tell(
    rules: Persuasion, words: Wording, luck: int, drawn: list[Quality], v: float
) -> None:
    rules = replace(rules, seller_knows_values=False)
    others, done = replace(rules, v=v, c=0.25), deeds(luck)

    assert told(rules, "alice", drawn, done, words) == told(others, "alice", drawn, done, words)


@given(rules=games, words=words, luck=luck, drawn=qualities, p=st.sampled_from([0, 0.25, 1]))
def test_a_buyer_who_is_not_told_the_chance_of_high_quality_cannot_tell(
    rules: Persuasion, words: Wording, luck: int, drawn: list[Quality], p: float
) -> None:
    rules = replace(rules, buyer_knows_p=False)
    others, done = replace(rules, p=p), deeds(luck)

    assert told(rules, "bob", drawn, done, words) == told(others, "bob", drawn, done, words)


@given(rules=games, words=words, luck=luck, drawn=qualities, order=st.permutations(range(4)))
def test_a_new_buyer_sees_of_the_past_only_the_statistics(
    rules: Persuasion, words: Wording, luck: int, drawn: list[Quality], order: list[int]
) -> None:
    rules, done = replace(rules, buyer="myopic"), deeds(luck)
    past = [*order, 4]  # the fifth round stays, what came before changes places
    shuffled = [replace(done[at], words=f"{at} otherwise") for at in order] + [done[4]]

    here = told(rules, "bob", drawn, done, words)
    there = told(rules, "bob", [drawn[at] for at in past], shuffled, words)

    assert [x for x in here if x[0] == ROUNDS] == [x for x in there if x[0] == ROUNDS]


@given(rules=games, words=words, luck=luck, drawn=qualities)
def test_the_code_s_statistics_do_not_tell_how_often_nobody_bought(
    rules: Persuasion, words: Wording, luck: int, drawn: list[Quality]
) -> None:
    compat = replace(rules.compat, myopic_stats="code")
    rules = replace(rules, buyer="myopic", compat=compat)
    last = deeds(luck)[-1]
    refused = Deed(recommends=True, buys=False, words="")

    here = told(rules, "bob", drawn, [refused] * 4 + [last], words)
    there = told(rules, "bob", drawn, [last, *[refused] * 4], words)

    assert [x[1] for x in here if x[0] == ROUNDS] == [x[1] for x in there if x[0] == 1]


@given(rules=games, words=words, luck=luck, drawn=qualities, seat=st.sampled_from(["alice", "bob"]))
def test_nothing_tells_a_hidden_number_of_rounds(
    rules: Persuasion, words: Wording, luck: int, drawn: list[Quality], seat: str
) -> None:
    hidden, done = replace(rules, horizon="hidden"), deeds(luck)
    longer = replace(hidden, total_rounds=ROUNDS + 1)

    here = told(hidden, seat, drawn, done, words)[:-1]
    there = told(longer, seat, [*drawn, "low"], [*done, done[0]], words)

    assert there[: len(here)] == here


@given(rules=games, words=words, luck=luck, drawn=qualities)
def test_the_shared_start_of_a_dialogue_is_the_same_for_both_seats_and_every_buyer(
    rules: Persuasion, words: Wording, luck: int, drawn: list[Quality]
) -> None:
    starts = {
        item.content
        for seat in ("alice", "bob")
        for _, item in told(rules, seat, drawn, deeds(luck), words)
        if isinstance(item, Message) and item.role == "system"
    }

    assert len(starts) == 1


def read_by(rules: Persuasion, seat: str, name: str = "plain") -> str:
    """All that `seat` reads in a game of high quality throughout."""
    items = told(rules, seat, ["high"] * ROUNDS, deeds(1), wording_of("persuasion", name))
    return "\n".join(item.content for _, item in items if isinstance(item, Message))


def test_who_is_to_know_values_and_chances_is_told_them() -> None:
    rules = Persuasion(p=1 / 3, v=1.2, total_rounds=ROUNDS)
    secret = replace(rules, seller_knows_values=False, buyer_knows_p=False)

    for name in WORDINGS:
        for seat in ("alice", "bob"):
            everything = read_by(rules, seat, name).replace(" 000", ",000").replace("33,", "33.")
            assert "33.33" in everything
            assert "12,000" in everything
        hers, his = read_by(secret, "alice", name), read_by(secret, "bob", name)
        assert ("33" in hers, "33" in his) == (True, False)
        assert ("12" in hers, "12" in his) == (False, True)


def test_compat_code_statistics_promise_a_number_of_buyers_in_the_paper_s_words_only() -> None:
    code = GleeCompat(myopic_stats="code")
    rules = Persuasion(buyer="myopic", total_rounds=ROUNDS, compat=code)

    assert "told how many buyers there were before" in read_by(rules, "alice", "paper")
    assert "Buyers before you" not in read_by(rules, "bob", "paper")
    assert "Buyers before you" in read_by(replace(rules, compat=GleeCompat()), "bob", "paper")
    assert "how many rounds there were" not in read_by(rules, "alice")
