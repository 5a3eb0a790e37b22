"""The rules, measures and theory of persuasion."""

import itertools
from collections.abc import Sequence
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from catallaxy.agents.moves import read
from catallaxy.games.base import Game, IllegalMove, Predicted, Succeeded
from catallaxy.games.glee.compat import GleeCompat
from catallaxy.games.glee.persuasion import (
    Ended,
    Forfeit,
    Move,
    Persuasion,
    PersuasionState,
    PersuasionView,
    Purchase,
    PurchaseWithMessage,
    Quality,
    Recommendation,
    Round,
    SellerMessage,
    Statistics,
)
from catallaxy.games.glee.persuasion_theory import lie_probability, rational, worth_buying
from catallaxy.platform.compose import composed
from catallaxy.platform.experiment import experiment
from catallaxy.platform.market.house import plain_rules

CONF = Path(__file__).parents[2] / "conf"
HIGH: Quality = "high"
LOW: Quality = "low"
SAY, WARN = Recommendation("yes"), Recommendation("no")
BUY, PASS = Purchase("yes"), Purchase("no")

BENCHMARKS = [
    # p, v, babbling: seller, buyer; q; commitment: seller, buyer, fairness; truthful: seller, buyer
    ("1/3", 1.20, 0.0, 0.0, 0.1, 0.4, 0.0, 0.9, 0.333333, 0.066667),
    ("1/3", 1.25, 0.0, 0.0, 0.125, 0.416667, 0.0, 0.875, 0.333333, 0.083333),
    ("1/3", 2.00, 0.0, 0.0, 0.5, 0.666667, 0.0, 0.5, 0.333333, 0.333333),
    ("1/3", 3.00, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.333333, 0.666667),
    ("1/3", 4.00, 1.0, 0.333333, 1.0, 1.0, 0.333333, 0.0, 0.333333, 1.0),
    ("0.5", 1.20, 0.0, 0.0, 0.2, 0.6, 0.0, 0.8, 0.5, 0.1),
    ("0.5", 1.25, 0.0, 0.0, 0.25, 0.625, 0.0, 0.75, 0.5, 0.125),
    ("0.5", 2.00, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.5, 0.5),
    ("0.5", 3.00, 1.0, 0.5, 1.0, 1.0, 0.5, 0.0, 0.5, 1.0),
    ("0.5", 4.00, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.5, 1.5),
    ("0.8", 1.20, 0.0, 0.0, 0.8, 0.96, 0.0, 0.2, 0.8, 0.16),
    ("0.8", 1.25, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.8, 0.2),
    ("0.8", 2.00, 1.0, 0.6, 1.0, 1.0, 0.6, 0.0, 0.8, 0.8),
    ("0.8", 3.00, 1.0, 1.4, 1.0, 1.0, 1.4, 0.0, 0.8, 1.6),
    ("0.8", 4.00, 1.0, 2.2, 1.0, 1.0, 2.2, 0.0, 0.8, 2.4),
]


def six(value: float) -> object:
    """Equal to six decimals, as the vectors are printed."""
    return pytest.approx(value, abs=5e-7)


def begun(rules: Persuasion, qualities: Sequence[Quality]) -> PersuasionState:
    """An opening state in which nature drew `qualities`."""
    assert len(qualities) == rules.total_rounds
    return replace(rules.start(Random(0)), qualities=tuple(qualities))


def play(rules: Persuasion, state: PersuasionState, *moves: Move) -> PersuasionState:
    for move in moves:
        (seat,) = rules.to_move(state)
        rules.check(state, seat, move)
        state = rules.step(state, {seat: move})
    return state


def sold(rules: Persuasion, fates: Sequence[tuple[Quality, bool]]) -> PersuasionState:
    """A whole game: the quality of every product, and whether it was bought."""
    rules = replace(rules, total_rounds=len(fates))
    moves = [move for _, bought in fates for move in (SAY, BUY if bought else PASS)]
    return play(rules, begun(rules, [quality for quality, _ in fates]), *moves)


def refusal(rules: Persuasion, state: PersuasionState, seat: str, move: Move) -> str:
    with pytest.raises(IllegalMove) as caught:
        rules.check(state, seat, move)
    return str(caught.value)


FOUR = [(HIGH, True), (HIGH, False), (LOW, True), (LOW, False)]
"""One product of every kind and fate."""

fates = st.lists(st.tuples(st.sampled_from([HIGH, LOW]), st.booleans()), min_size=1, max_size=20)


# Nature -----------------------------------------------------------------------------------------


def test_it_is_a_game_with_a_prediction_and_successive_players() -> None:
    game: Game[PersuasionState, PersuasionView, Move] = Persuasion()

    assert game.seats == ("alice", "bob")
    assert isinstance(game, Predicted)
    assert isinstance(game, Succeeded)


def test_nature_draws_every_quality_at_the_start() -> None:
    rules = Persuasion(total_rounds=4000, p=0.8)

    qualities = rules.start(Random(1)).qualities

    assert len(qualities) == 4000
    assert qualities.count(HIGH) / 4000 == pytest.approx(0.8, abs=0.02)
    assert qualities == rules.start(Random(1)).qualities
    assert qualities != rules.start(Random(2)).qualities


@given(seed=st.integers(0, 10**6), p=st.floats(0, 1), more=st.floats(0, 1))
def test_one_seed_is_the_same_luck_at_every_p_and_length(seed: int, p: float, more: float) -> None:
    lower, higher = sorted((p, more))
    few = Persuasion(p=lower, total_rounds=5).start(Random(seed)).qualities
    many = Persuasion(p=higher).start(Random(seed)).qualities

    assert Persuasion(p=lower).start(Random(seed)).qualities[:5] == few
    assert all(late == HIGH for early, late in zip(few, many, strict=False) if early == HIGH)


@pytest.mark.parametrize(("p", "quality"), [(0, LOW), (1, HIGH)])
def test_at_the_ends_of_the_range_there_is_one_quality(p: float, quality: Quality) -> None:
    assert set(Persuasion(p=p).start(Random(3)).qualities) == {quality}


# Turns ------------------------------------------------------------------------------------------


def test_in_every_round_alice_speaks_and_then_bob_decides() -> None:
    rules = Persuasion(total_rounds=2)
    state = rules.start(Random(0))

    assert rules.to_move(state) == ("alice",)
    assert rules.to_move(play(rules, state, SAY)) == ("bob",)
    assert rules.to_move(play(rules, state, SAY, BUY)) == ("alice",)
    assert rules.to_move(play(rules, state, SAY, BUY, WARN, PASS)) == ()


def test_the_game_ends_after_the_last_round_with_everything_on_record() -> None:
    rules = Persuasion(total_rounds=2)
    state = play(rules, begun(rules, [HIGH, LOW]), SAY, BUY, WARN, PASS)

    assert (state.round, state.ended, state.pitch) == (2, Ended.PLAYED, None)
    assert state.history == (
        Round(1, HIGH, "yes", "", True, ""),
        Round(2, LOW, "no", "", False, ""),
    )


def test_the_move_that_is_due_follows_from_who_speaks_and_how() -> None:
    binary, text = Persuasion(), Persuasion(message_type="text")
    answers = Persuasion(allow_buyer_message=True)

    assert binary.move_type(binary.start(Random(0)), "alice") is Recommendation
    assert text.move_type(text.start(Random(0)), "alice") is SellerMessage
    assert binary.move_type(play(binary, binary.start(Random(0)), SAY), "bob") is Purchase
    opened = play(answers, answers.start(Random(0)), SAY)
    assert answers.move_type(opened, "bob") is PurchaseWithMessage


def test_what_is_said_is_on_record() -> None:
    rules = Persuasion(total_rounds=1, message_type="text", allow_buyer_message=True)
    said = (SellerMessage("Fine."), PurchaseWithMessage("no", "Too dear."))

    (only,) = play(rules, begun(rules, [LOW]), *said).history

    assert only == Round(1, LOW, None, "Fine.", False, "Too dear.")


def test_a_myopic_buyer_is_somebody_else_in_every_round() -> None:
    myopic, same = Persuasion(buyer="myopic"), Persuasion()
    state = play(myopic, myopic.start(Random(0)), SAY, BUY, SAY)

    assert [myopic.holder(state, seat) for seat in ("alice", "bob")] == [0, 2]
    assert [same.holder(state, seat) for seat in ("alice", "bob")] == [0, 0]


# Legal moves ------------------------------------------------------------------------------------


def test_moves_out_of_turn_of_another_kind_or_unknown_words_are_refused() -> None:
    rules = Persuasion()
    state = rules.start(Random(0))

    assert refusal(rules, state, "bob", BUY) == "It is not your turn."
    assert refusal(rules, state, "alice", BUY) == "Now a Recommendation is due, not a Purchase."
    maybe = Purchase("maybe")  # ty: ignore[invalid-argument-type]  what a bad player says
    said = refusal(rules, play(rules, state, SAY), "bob", maybe)
    assert said == "Say yes or no; you said 'maybe'."


def test_a_message_over_the_limit_is_refused() -> None:
    rules = Persuasion(message_type="text", allow_buyer_message=True, max_message_chars=5)
    state = play(rules, rules.start(Random(0)), SellerMessage("abcde"))

    said = refusal(rules, rules.start(Random(0)), "alice", SellerMessage("abcdef"))
    answered = refusal(rules, state, "bob", PurchaseWithMessage("yes", "abcdef"))

    assert said == answered == "A message has at most 5 characters; yours has 6."


@pytest.mark.parametrize("word", ["yes", "Yes", "buy", "ja"])
def test_other_words_for_a_decision_are_read(word: str) -> None:
    assert read(f'{{"decision": "{word}"}}', Purchase).move == BUY


# Forfeits ---------------------------------------------------------------------------------------


def test_by_default_a_silent_seller_does_not_recommend_and_the_game_goes_on() -> None:
    binary, text = Persuasion(), Persuasion(message_type="text")

    silent = binary.forfeit(binary.start(Random(0)), "alice")
    mute = text.forfeit(text.start(Random(0)), "alice")

    assert silent.pitch is not None
    assert mute.pitch is not None
    assert (silent.pitch.recommendation, mute.pitch.recommendation) == ("no", None)
    assert (mute.pitch.message, binary.to_move(silent)) == ("", ("bob",))
    assert silent.forfeits == (Forfeit(1, "alice"),)


def test_by_default_a_silent_buyer_does_not_buy_and_the_game_goes_on() -> None:
    rules = Persuasion(total_rounds=1)
    state = rules.forfeit(play(rules, begun(rules, [HIGH]), SAY), "bob")

    assert (state.ended, state.history[-1].bought) == (Ended.PLAYED, False)
    found = rules.metrics(state)
    assert (found["forfeits@alice"], found["forfeits@bob"], found["sold"]) == (0, 1, 0)


def test_a_forfeit_is_remembered_to_the_end() -> None:
    rules = Persuasion(total_rounds=2)
    state = rules.forfeit(begun(rules, [HIGH, HIGH]), "alice")

    state = play(rules, state, PASS, SAY, BUY)

    assert rules.metrics(state)["forfeits@alice"] == 1


@pytest.mark.parametrize("seat", ["alice", "bob"])
def test_a_forfeit_may_end_the_game_and_later_rounds_are_not_played(seat: str) -> None:
    rules = Persuasion(total_rounds=4, forfeit_as="end", product_price=100, v=2)
    state = play(rules, begun(rules, [HIGH, LOW, HIGH, LOW]), SAY, BUY, SAY, PASS)

    state = rules.forfeit(state if seat == "alice" else play(rules, state, SAY), seat)

    assert (rules.to_move(state), state.ended) == ((), Ended.FORFEIT)
    assert rules.payoffs(state) == {"alice": 100, "bob": 100}
    found = rules.metrics(state)
    assert (found["rounds"], found["self_gain@alice"]) == (2, 0.25)  # of four rounds' worth
    assert (found["efficiency"], found["fairness"]) == (1, 1)  # of the two that were decided


def test_a_game_that_ends_before_any_decision_has_no_shares() -> None:
    rules = Persuasion(forfeit_as="end")
    found = rules.metrics(rules.forfeit(rules.start(Random(0)), "alice"))

    assert (found["self_gain@alice"], found["self_gain@bob"], found["rounds"]) == (0, 0, 0)
    assert not {"efficiency", "fairness"} & set(found)


# Payoffs and measures ---------------------------------------------------------------------------


def test_payoffs_are_dollars_over_all_rounds() -> None:
    rules = Persuasion(v=3, product_price=100)

    assert rules.payoffs(sold(rules, FOUR)) == {"alice": 200, "bob": 100}
    assert replace(rules, c=0.5).payoffs(sold(rules, FOUR)) == {"alice": 200, "bob": 150}


@pytest.mark.parametrize("price", [100, 10_000, 1_000_000])
def test_payoffs_are_free_of_binary_noise(price: float) -> None:
    rules = Persuasion(v=1.2, product_price=price, total_rounds=3)

    assert rules.payoffs(sold(rules, [(HIGH, True)] * 3))["bob"] == 0.6 * price


def test_a_game_that_is_not_over_has_no_payoffs() -> None:
    rules = Persuasion()
    with pytest.raises(ValueError, match="not over"):
        rules.payoffs(rules.start(Random(0)))


def test_the_measures_of_a_game_with_one_product_of_every_kind_and_fate() -> None:
    rules = Persuasion(v=3, total_rounds=4)

    found = rules.metrics(sold(rules, FOUR))

    assert found["self_gain@alice"] == 0.5
    assert found["self_gain@bob"] == 0.25
    assert (found["efficiency"], found["fairness"]) == (0.5, 0.5)
    counted = ("rounds", "sold", "high_rounds", "high_sold", "low_sold", "low_refused")
    assert [found[name] for name in counted] == [4, 2, 2, 1, 1, 1]


@given(fates=fates, v=st.sampled_from([1, 1.2, 1.25, 2, 3, 4]), c=st.sampled_from([0, 0.5, 1]))
def test_the_measures_are_the_paper_s(
    fates: list[tuple[Quality, bool]], v: float, c: float
) -> None:
    rules = Persuasion(v=v, c=c, total_rounds=len(fates))
    total, n = len(fates), sum(quality == HIGH for quality, _ in fates)
    k, lost, r = (fates.count(fate) for fate in ((HIGH, True), (LOW, True), (LOW, False)))

    found = rules.metrics(sold(rules, fates))

    assert found["self_gain@alice"] == pytest.approx((k + lost) / total)
    assert found["self_gain@bob"] == pytest.approx((k * (v - 1) + lost * (c - 1)) / total)
    assert found.get("efficiency") == (None if n == 0 else pytest.approx(k / n))
    assert found.get("fairness") == (None if n == total else pytest.approx(r / (total - n)))


@given(fates=fates)
def test_alice_s_gain_follows_from_efficiency_and_fairness(
    fates: list[tuple[Quality, bool]],
) -> None:
    rules = Persuasion(total_rounds=len(fates))
    found = rules.metrics(sold(rules, fates))
    total, n = len(fates), found["high_rounds"]

    efficiency, fairness = found.get("efficiency", 0.0), found.get("fairness", 0.0)

    sales = efficiency * n + (1 - fairness) * (total - n)
    assert found["self_gain@alice"] == pytest.approx(sales / total)


@given(fates=fates, v=st.sampled_from([1.2, 1.25, 2, 3, 4]))
def test_payoffs_are_gains_times_price_times_rounds(
    fates: list[tuple[Quality, bool]], v: float
) -> None:
    rules = Persuasion(v=v, total_rounds=len(fates))
    state = sold(rules, fates)

    found, paid = rules.metrics(state), rules.payoffs(state)

    for seat in rules.seats:
        assert found[f"self_gain@{seat}"] * 10_000 * len(fates) == pytest.approx(paid[seat])


def test_without_products_of_a_quality_its_share_is_missing() -> None:
    rules = Persuasion(total_rounds=2)

    high = rules.metrics(sold(rules, [(HIGH, True)] * 2))
    low = rules.metrics(sold(rules, [(LOW, True)] * 2))

    for variant in ("", "_paper", "_official_code"):
        assert f"fairness{variant}" not in high
        assert f"efficiency{variant}" not in low
    assert (high["efficiency"], low["fairness"]) == (1, 0)


def test_compat_official_code_charges_the_buyer_for_low_products_that_he_refused() -> None:
    rules = Persuasion(v=1.25, total_rounds=4)
    careful = sold(rules, [(HIGH, True), (LOW, False), (LOW, False), (LOW, False)])

    paper = rules.metrics(careful)
    code = replace(rules, compat=GleeCompat(persuasion_buyer_gain="official_code")).metrics(careful)

    assert paper["self_gain@bob"] == 0.25 / 4
    assert code["self_gain@bob"] == (0.25 - 3) / 4
    assert code["self_gain@bob"] - paper["self_gain@bob"] == (4 - 1 - 2 * 3) / 4  # (T - n - 2r) / T
    short = replace(rules, compat=GleeCompat(metrics="official_code")).metrics(careful)
    assert short["self_gain@bob"] == code["self_gain@bob"]


@given(fates=fates)
def test_both_conventions_are_always_on_record(fates: list[tuple[Quality, bool]]) -> None:
    rules = Persuasion(total_rounds=len(fates))
    state = sold(rules, fates)
    official = replace(rules, compat=GleeCompat(metrics="official_code"))

    for game, now in ((rules, "_paper"), (official, "_official_code")):
        found = game.metrics(state)
        for name in ("self_gain{}@alice", "self_gain{}@bob", "efficiency{}", "fairness{}"):
            assert found.get(name.format("")) == found.get(name.format(now))
    assert {**rules.metrics(state), **official.metrics(state)}.keys() == rules.metrics(state).keys()


# Theory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", BENCHMARKS, ids=lambda row: f"{row[0]}-{row[1]}")
@pytest.mark.parametrize("rounds", [1, 20])
def test_the_prediction_is_babbling_and_the_benchmarks_stand_beside_it(
    row: tuple[str, *tuple[float, ...]], rounds: int
) -> None:
    p, v, seller, buyer, q, committed, followed, fairness, told, believed = row

    found = Persuasion(p=float(Fraction(p)), v=v, total_rounds=rounds).prediction()

    assert (found["self_gain@alice"], found["self_gain@bob"]) == (six(seller), six(buyer))
    assert (found["efficiency"], found["fairness"]) == ((1, 0) if seller else (0, 1))
    assert float(lie_probability(float(Fraction(p)), v, 0)) == six(q)
    assert found["self_gain_commitment@alice"] == six(committed)
    assert found["self_gain_commitment@bob"] == six(followed)
    assert found["efficiency_commitment"] == 1
    assert found["fairness_commitment"] == six(fairness)
    assert found["self_gain_truthful@alice"] == six(told)
    assert found["self_gain_truthful@bob"] == six(believed)
    assert (found["efficiency_truthful"], found["fairness_truthful"]) == (1, 1)


@pytest.mark.parametrize("p", [1 / 3, 0.333333333, 0.33333333])
def test_a_third_as_it_is_stored_is_exactly_a_third(p: float) -> None:
    assert rational(p) == Fraction(1, 3)
    assert worth_buying(p, 3, 0)
    assert not worth_buying(p, 2.999, 0)
    assert Persuasion(p=p, v=3).prediction() == Persuasion(p=1 / 3, v=3).prediction()


@pytest.mark.parametrize("number", [0.3333, 0.12345, 0.1, 1e-9, 123456.789, 0.0])
def test_any_other_number_is_what_was_written(number: float) -> None:
    assert abs(rational(number) - Fraction(repr(number))) < Fraction(1, 10**8)
    if number not in (1e-9, 0.0):
        assert rational(number) == Fraction(repr(number))


@pytest.mark.parametrize(
    ("p", "v", "c", "sold_high", "sold_low"),
    [
        (0.5, 1.5, 0.5, 1, 1),  # 0.75 + 0.25: a tie
        (0.5, 1.4, 0.5, 0, 0),
        (0.0, 4.0, 0.9, 0, 0),
        (1.0, 1.0, 0.0, 1, 1),  # always high, worth its price
    ],
)
def test_low_products_that_are_worth_something_count(
    p: float, v: float, c: float, sold_high: float, sold_low: float
) -> None:
    found = Persuasion(p=p, v=v, c=c, total_rounds=1).prediction()

    assert (found["high_sold"], found["low_sold"]) == (p * sold_high, (1 - p) * sold_low)


@given(
    p=st.fractions(0, 1, max_denominator=50).map(float),
    v=st.fractions(1, 5, max_denominator=50).map(float),
    c=st.fractions(0, 1, max_denominator=50).map(float),
)
def test_the_three_benchmarks_are_in_order(p: float, v: float, c: float) -> None:
    found = Persuasion(p=p, v=v, c=c).prediction()
    seller = [found[f"self_gain{each}@alice"] for each in ("_commitment", "", "_truthful")]
    buyer = [found[f"self_gain{each}@bob"] for each in ("_truthful", "_commitment", "")]

    assert seller[0] >= max(seller[1:]) - 1e-12
    assert buyer == pytest.approx(sorted(buyer, reverse=True))
    assert buyer[-1] >= 0
    assert 0 <= lie_probability(p, v, c) <= 1


def test_what_is_undefined_is_not_predicted() -> None:
    assert "efficiency" not in Persuasion(p=0).prediction()
    assert "fairness_truthful" not in Persuasion(p=1).prediction()


def test_predictions_and_measures_share_their_names() -> None:
    rules = Persuasion(total_rounds=4, v=3)
    found = rules.metrics(sold(rules, FOUR))

    names = set(rules.prediction())
    benchmarks = {name for name in names if "_commitment" in name or "_truthful" in name}

    assert names - benchmarks <= set(found)
    assert len(benchmarks) == 8


def test_the_prediction_follows_the_formula_in_force() -> None:
    rules = Persuasion(p=0.5, v=1.25, compat=GleeCompat(metrics="official_code"))

    assert rules.prediction()["self_gain@bob"] == -0.5  # nothing is bought: low ones are charged
    assert rules.prediction()["self_gain_truthful@bob"] == 0.5 * 0.25 - 0.5


def test_distances_are_gains_less_those_of_each_benchmark() -> None:
    rules = Persuasion(p=0.5, v=1.25, total_rounds=4)
    found = rules.metrics(sold(rules, FOUR))

    assert found["distance_to_theory@alice"] == 0.5
    assert found["distance_to_theory@bob"] == (0.25 - 1) / 4
    assert found["distance_to_commitment@alice"] == 0.5 - 0.625
    assert found["distance_to_truthful@bob"] == (0.25 - 1) / 4 - 0.125


# Parameters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("p", -0.1), ("p", 1.1), ("p", float("nan")), ("v", 0.99), ("v", float("inf")),
        ("v", float("nan")), ("c", -0.1), ("c", 1.1), ("c", float("nan")), ("product_price", 0),
        ("product_price", float("inf")), ("total_rounds", 0), ("max_message_chars", -1),
        ("horizon", "known"), ("message_type", "both"), ("buyer", "new"), ("forfeit_as", "walk"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: .*{value!r}\.$"):
        replace(Persuasion(), **{name: value})


def test_the_yaml_names_every_field_and_agrees_with_the_dataclass() -> None:
    rules = yaml.safe_load((CONF / "game/persuasion.yaml").read_text())["rules"]

    assert rules.pop("_target_") == "catallaxy.games.glee.persuasion.Persuasion"
    assert rules.pop("compat") == "${compat.glee}"
    assert {*rules, "compat"} == {f.name for f in fields(Persuasion)}
    assert Persuasion(**rules) == Persuasion()


def test_the_paper_s_grid_has_360_configurations() -> None:
    built = experiment(composed(["experiment=glee_persuasion", "backend=scripted"]))
    designed = {each.rules for each in built.design()}

    expected = {
        Persuasion(p, v, 0, m, seller_knows_values=knows, message_type=kind, buyer=buyer)
        for p, v, m in itertools.product(
            (1 / 3, 0.5, 0.8), (1.2, 1.25, 2, 3, 4), (100, 10_000, 1_000_000)
        )
        for knows in (True, False)
        for kind in ("binary", "text")
        for buyer in ("long_living", "myopic")
    }
    assert designed == expected
    assert len(built.design()) == len(designed) == 360


def test_a_fraction_in_the_configuration_is_a_number_in_the_rules() -> None:
    third = ["~market.factors.p", "game.rules.p=1/3"]
    built = experiment(composed(["experiment=glee_persuasion", "backend=scripted", *third]))

    assert {plain_rules(each.rules)["p"] for each in built.design()} == {1 / 3}


# What is seen -----------------------------------------------------------------------------------

TWO = (HIGH, LOW, HIGH)


def views(rules: Persuasion, *moves: Move) -> tuple[PersuasionView, PersuasionView]:
    """What both seats see when nature drew `TWO` and `moves` were made."""
    rules = replace(rules, total_rounds=3)
    state = play(rules, begun(rules, TWO), *moves)
    return rules.view(state, "alice"), rules.view(state, "bob")


def test_alice_sees_the_quality_before_she_speaks_and_bob_after_he_decided() -> None:
    alice, bob = views(Persuasion(), SAY, BUY, WARN)

    assert (alice.quality, bob.quality) == (LOW, None)
    assert [past.quality for past in bob.history] == [HIGH]
    assert bob.pitch is not None
    assert (bob.pitch.recommendation, bob.pitch.quality, bob.pitch.worth) == ("no", None, None)


def test_a_long_living_buyer_learns_the_worth_of_what_he_passed_up() -> None:
    _, bob = views(Persuasion(), SAY, PASS, SAY, PASS)

    assert [(past.quality, past.worth) for past in bob.history] == [(HIGH, 12_500), (LOW, 0)]


def test_compat_after_purchase_shows_the_quality_of_what_was_bought_only() -> None:
    rules = Persuasion(compat=GleeCompat(quality_feedback="after_purchase"))
    alice, bob = views(rules, SAY, PASS, SAY, BUY)

    assert [(past.quality, past.worth) for past in bob.history] == [(None, None), (LOW, 0)]
    assert [past.quality for past in alice.history] == [HIGH, LOW]


def test_a_new_buyer_sees_statistics_in_place_of_history() -> None:
    alice, bob = views(Persuasion(buyer="myopic"), SAY, BUY, SAY, PASS)

    assert (bob.history, bob.statistics) == ((), Statistics(2, 1, 1))
    assert (bob.round, len(alice.history), alice.statistics) == (3, 2, None)


def test_compat_code_statistics_leave_out_the_number_of_rounds() -> None:
    rules = Persuasion(buyer="myopic", compat=GleeCompat(myopic_stats="code"))
    alice, bob = views(rules, SAY, PASS, SAY, BUY, SAY)

    assert bob.statistics == Statistics(None, 1, 0)
    assert bob.pitch is not None
    assert (bob.round, bob.pitch.round, alice.round) == (None, None, 3)


def test_who_knows_values_and_chances_is_as_configured() -> None:
    alice, bob = views(Persuasion(seller_knows_values=False, buyer_knows_p=False), SAY, BUY)

    assert (alice.p, alice.high_worth, alice.low_worth) == (0.5, None, None)
    assert (bob.p, bob.high_worth, bob.low_worth) == (None, 12_500, 0)
    assert alice.history[0].worth is None
    everything = views(Persuasion(), SAY, BUY)
    assert [(view.p, view.high_worth) for view in everything] == [(0.5, 12_500)] * 2


def test_the_number_of_rounds_is_told_where_it_is_stated() -> None:
    assert [view.rounds_told for view in views(Persuasion())] == [3, 3]
    assert [view.rounds_told for view in views(Persuasion(horizon="hidden"))] == [None, None]
