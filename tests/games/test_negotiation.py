"""The rules, measures and theory of negotiation."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from catallaxy.agents.moves import plain, read
from catallaxy.games.base import Game, IllegalMove, Predicted
from catallaxy.games.glee.compat import GleeCompat
from catallaxy.games.glee.negotiation import (
    BuyerAnswer,
    Ended,
    Negotiation,
    NegotiationState,
    NegotiationView,
    Price,
    PriceWithMessage,
    SellerAnswer,
)
from catallaxy.games.glee.negotiation_moves import (
    BuyerCounter,
    BuyerCounterWithMessage,
    Move,
    OfficialBuyerAnswer,
    OfficialSellerAnswer,
    SellerCounter,
    WalkAwayAnswer,
    WalkAwayCounter,
    WalkAwayCounterWithMessage,
)
from catallaxy.games.glee.negotiation_theory import (
    PRIOR,
    Posted,
    agreed_price,
    posted_ask,
    posted_bid,
    posted_outcome,
)
from catallaxy.platform.compose import composed
from catallaxy.platform.experiment import experiment

CONF = Path(__file__).parents[2] / "conf"
VALUES = (0.8, 1.0, 1.2, 1.5)
PAIRS = list(itertools.product(VALUES, VALUES))
TEN = Negotiation(0.8, 1.2, max_rounds=10)
"""Values $8,000 and $12,000, ten rounds that the players are told."""

COMPETITION = GleeCompat(outside_option="walk_away", counteroffer="with_rejection")


def said(rules: Negotiation, state: NegotiationState, word: str, **more: object) -> Move:
    """The answer that is due, as a model would say it."""
    (seat,) = rules.to_move(state)
    return read(json.dumps({"decision": word, **more}), rules.move_type(state, seat)).move


def play(rules: Negotiation, *actions: float | str | Move) -> NegotiationState:
    """A number names a price, a word answers one."""
    state = rules.start(Random(0))
    for action in actions:
        (seat,) = rules.to_move(state)
        move: object = action
        if isinstance(action, str):
            move = said(rules, state, action)
        elif isinstance(action, (int, float)):
            move = PriceWithMessage(action, "") if rules.messages_allowed else Price(action)
        rules.check(state, seat, move)  # ty: ignore[invalid-argument-type]  a move by now
        state = rules.step(state, {seat: move})  # ty: ignore[invalid-argument-type]
    return state


def traded(seller_value: float, buyer_value: float, price: float) -> Mapping[str, float]:
    """The measures of a trade at `price`, in units of M."""
    rules = Negotiation(seller_value, buyer_value)
    return rules.metrics(play(rules, price * rules.price_scale, "accept"))


def refusal(rules: Negotiation, state: NegotiationState, move: Move, seat: str = "") -> str:
    with pytest.raises(IllegalMove) as caught:
        rules.check(state, seat or rules.to_move(state)[0], move)
    return str(caught.value)


def view_at(rules: Negotiation, round_: int, seat: str) -> NegotiationView:
    """What `seat` sees when the price of `round_` is to be named."""
    return rules.view(play(rules, *[9000, "reject"] * (round_ - 1)), seat)


# Turns ------------------------------------------------------------------------------------------


def test_it_is_a_game_with_a_prediction() -> None:
    game: Game[NegotiationState, NegotiationView, Move] = Negotiation()

    assert game.seats == ("alice", "bob")
    assert isinstance(game, Predicted)


def test_the_seller_proposes_in_odd_rounds_and_the_buyer_in_even_ones() -> None:
    turns = ["alice", "bob", "bob", "alice", "alice", "bob"]

    for passed, seat in enumerate(turns):
        state = play(TEN, *[9000, "reject", 9000, "reject", 9000][:passed])
        assert TEN.to_move(state) == (seat,)


def test_the_move_that_is_due_follows_from_the_open_offer_the_seat_and_messages() -> None:
    talking = replace(TEN, messages_allowed=True)

    assert TEN.move_type(play(TEN), "alice") is Price
    assert talking.move_type(play(talking), "alice") is PriceWithMessage
    assert TEN.move_type(play(TEN, 9000), "bob") is BuyerAnswer
    assert TEN.move_type(play(TEN, 9000, "reject", 9000), "alice") is SellerAnswer


def test_an_accepted_price_is_a_trade() -> None:
    state = play(TEN, 13_000, "reject", 9000, "accept")

    assert TEN.to_move(state) == ()
    assert (state.ended, state.round) == (Ended.AGREEMENT, 2)
    assert [p.answer for p in state.history] == ["reject", "accept"]
    assert TEN.payoffs(state) == {"alice": 1000, "bob": 3000}


def test_a_trade_may_be_at_a_loss() -> None:
    assert TEN.payoffs(play(TEN, 5000, "accept")) == {"alice": -3000, "bob": 7000}


@pytest.mark.parametrize("rounds", [1, 2, 10])
def test_a_rejection_in_the_last_round_ends_the_game_without_a_trade(rounds: int) -> None:
    rules = replace(TEN, max_rounds=rounds)
    state = play(rules, *[9000, "reject"] * rounds)

    assert (state.round, state.ended, state.offer) == (rounds, Ended.NO_AGREEMENT, None)
    assert rules.payoffs(state) == {"alice": 0, "bob": 0}


def test_either_may_deal_with_john_when_answering_and_nobody_gains() -> None:
    buyer = play(TEN, 9000, "buy_from_john")
    seller = play(TEN, 9000, "reject", 9000, "sell_to_john")

    for state in (buyer, seller):
        assert (state.ended, state.history[-1].answer) == (Ended.OUTSIDE_OPTION, "john")
        assert TEN.to_move(state) == ()
        assert TEN.payoffs(state) == {"alice": 0, "bob": 0}
        assert TEN.metrics(state)["agreement"] == 0


def test_john_cannot_be_chosen_when_a_price_is_due() -> None:
    assert "Price is due" in refusal(TEN, play(TEN), SellerAnswer("sell_to_john"))
    assert "Price is due" in refusal(TEN, play(TEN, 9000, "reject"), BuyerAnswer("buy_from_john"))


def test_who_forfeits_is_on_record_and_nobody_gains() -> None:
    for state, seat in ((play(TEN), "alice"), (play(TEN, 9000), "bob")):
        forfeited = TEN.forfeit(state, seat)

        assert (forfeited.ended, forfeited.forfeited_by) == (Ended.FORFEIT, seat)
        assert TEN.to_move(forfeited) == ()
        assert TEN.payoffs(forfeited) == {"alice": 0, "bob": 0}
        assert "price" not in TEN.metrics(forfeited)


def test_a_game_that_is_not_over_has_no_payoffs_and_no_measures() -> None:
    for asked in (TEN.payoffs, TEN.metrics):
        with pytest.raises(ValueError, match="not over"):
            asked(play(TEN, 9000))


def test_a_message_goes_with_a_price() -> None:
    rules = replace(TEN, messages_allowed=True)
    state = play(rules, PriceWithMessage(9000, "hello"), "reject", PriceWithMessage(8500, ""))

    assert [p.message for p in state.history] == ["hello"]
    assert state.offer is not None
    assert (state.offer.proposer, state.offer.message) == ("bob", "")


# Legal moves ------------------------------------------------------------------------------------


@pytest.mark.parametrize("price", [-0.01, float("nan"), float("inf"), float("-inf")])
def test_a_price_below_0_or_without_a_value_is_refused_with_what_is_allowed(price: float) -> None:
    told = refusal(TEN, play(TEN), Price(price))

    assert told.startswith("product_price must be a number of at least 0; you gave ")


@given(price=st.floats(0, 1e12))
def test_every_price_from_0_is_legal(price: float) -> None:
    TEN.check(play(TEN), "alice", Price(price))


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ('{"product_price": "9000"}', 9000),
        ('{"product_price": "$9,000.50"}', 9000.5),
        ('{"product_price": $9,000}', 9000),
        ('I ask for this: {"product_price": 1,000,000}', 1_000_000),
    ],
)
def test_a_price_may_be_a_numeric_string_with_a_dollar_sign(text: str, price: float) -> None:
    assert read(text, Price).move == Price(price)


def test_a_message_over_the_limit_is_refused() -> None:
    rules = replace(TEN, messages_allowed=True, max_message_chars=5)

    rules.check(play(rules), "alice", PriceWithMessage(9000, "abcde"))
    told = refusal(rules, play(rules), PriceWithMessage(9000, "abcdef"))

    assert told == "A message has at most 5 characters; yours has 6."


def test_moves_out_of_turn_of_another_kind_or_unknown_words_are_refused() -> None:
    open_offer = play(TEN, 9000)

    assert refusal(TEN, play(TEN), Price(9000), "bob") == "It is not your turn."
    assert "BuyerAnswer is due" in refusal(TEN, open_offer, Price(9000))
    assert "BuyerAnswer is due" in refusal(TEN, open_offer, SellerAnswer("accept"))
    maybe = BuyerAnswer("maybe")  # ty: ignore[invalid-argument-type]  what a bad player says
    told = refusal(TEN, open_offer, maybe)
    assert told == "Say accept, reject or buy_from_john; you said 'maybe'."


@pytest.mark.parametrize(
    ("kind", "word", "meant"),
    [
        (SellerAnswer, "AcceptOffer", "accept"),
        (SellerAnswer, "rejectoffer", "reject"),
        (SellerAnswer, "SellToJhon", "sell_to_john"),
        (SellerAnswer, "DealWithJhon", "sell_to_john"),
        (BuyerAnswer, "BuyFromJhon", "buy_from_john"),
        (BuyerAnswer, "DealWithJhon", "buy_from_john"),
    ],
)
def test_glee_s_tokens_are_read_as_ours(kind: type[Move], word: str, meant: str) -> None:
    assert plain(read(json.dumps({"decision": word}), kind).move) == {"decision": meant}


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (SellerAnswer, "BuyFromJhon"), (SellerAnswer, "buy_from_john"),
        (BuyerAnswer, "SellToJhon"), (BuyerAnswer, "sell_to_john"), (BuyerAnswer, "walk_away"),
        (OfficialSellerAnswer, "BuyFromJhon"), (OfficialBuyerAnswer, "SellToJhon"),
    ],
)  # fmt: skip
def test_the_other_role_s_words_are_not_read(kind: type[Move], word: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        read(json.dumps({"decision": word}), kind)


# Parameters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seller_value", 0), ("seller_value", float("nan")), ("buyer_value", -1),
        ("buyer_value", float("inf")), ("price_scale", 0), ("max_rounds", 0),
        ("horizon", "known"), ("max_message_chars", -1),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: .*{value!r}\.$"):
        replace(Negotiation(), **{name: value})


def test_values_in_dollars_are_decimal_not_binary_products() -> None:
    rules = Negotiation(1.1, 1.1, 100)
    assert 1.1 * 100 != 110

    assert view_at(rules, 1, "alice").value == 110
    assert rules.payoffs(play(rules, 110, "accept")) == {"alice": 0, "bob": 0}
    assert rules.metrics(play(rules, 110, "accept"))["efficiency"] == 1


def test_the_paper_s_grid_has_576_games() -> None:
    built = experiment(composed(["experiment=glee_negotiation", "backend=scripted"]))

    games = {engagement.rules for engagement in built.design()}

    assert len(games) == 576
    horizons = {(g.max_rounds, g.horizon) for g in games}
    assert horizons == {(1, "stated"), (10, "stated"), (30, "hidden")}
    assert {(g.seller_value, g.buyer_value) for g in games} == set(PAIRS)
    assert {g.price_scale for g in games} == {100, 10_000, 1_000_000}


def test_the_yaml_names_every_field_and_agrees_with_the_dataclass() -> None:
    rules = yaml.safe_load((CONF / "game/negotiation.yaml").read_text())["rules"]

    assert rules.pop("_target_") == "catallaxy.games.glee.negotiation.Negotiation"
    assert rules.pop("compat") == "${compat.glee}"
    assert {*rules, "compat"} == {f.name for f in fields(Negotiation)}
    assert Negotiation(**rules) == Negotiation()


@pytest.mark.parametrize(
    ("rounds", "horizon", "kind"),
    [(1, "stated", "single"), (10, "stated", "stated"), (30, "hidden", "hidden")],
)
def test_the_kind_of_horizon_says_what_the_players_know(
    rounds: int, horizon: str, kind: str
) -> None:
    rules = replace(TEN, max_rounds=rounds, horizon=horizon)
    seen = view_at(rules, 1, "bob")

    assert rules.horizon_kind == kind
    known = None if kind == "hidden" else rounds
    assert (seen.rounds_told, seen.rounds_known) == (known, known)


# Measures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seller_value", "buyer_value", "surplus", "fairness"),
    [
        (0.8, 1.0, 0.2, 0.96), (0.8, 1.2, 0.4, 0.84), (0.8, 1.5, 0.7, 0.51),
        (1.0, 1.2, 0.2, 0.96), (1.0, 1.5, 0.5, 0.75), (1.2, 1.5, 0.3, 0.91),
    ],
)  # fmt: skip
def test_the_measures_of_trades_at_either_value_and_at_the_midpoint(
    seller_value: float, buyer_value: float, surplus: float, fairness: float
) -> None:
    at_buyer = traded(seller_value, buyer_value, buyer_value)
    at_seller = traded(seller_value, buyer_value, seller_value)
    between = traded(seller_value, buyer_value, (seller_value + buyer_value) / 2)

    for variant in ("", "_paper", "_official_code"):
        assert at_buyer[f"self_gain{variant}@alice"] == pytest.approx(surplus, abs=5e-7)
        assert at_buyer[f"self_gain{variant}@bob"] == pytest.approx(0, abs=5e-7)
        assert at_seller[f"self_gain{variant}@bob"] == pytest.approx(surplus, abs=5e-7)
        for found, even in ((at_buyer, fairness), (at_seller, fairness), (between, 1)):
            assert found[f"efficiency{variant}"] == 1
            assert found[f"fairness{variant}"] == pytest.approx(even, abs=5e-7)


def test_of_the_16_pairs_of_values_6_have_a_surplus_4_none_and_6_a_negative_one() -> None:
    signs = [(buyer > seller) - (buyer < seller) for seller, buyer in PAIRS]

    assert (signs.count(1), signs.count(0), signs.count(-1)) == (6, 4, 6)


@pytest.mark.parametrize(("seller_value", "buyer_value"), PAIRS)
def test_no_trade_is_fair_and_efficient_only_where_the_seller_values_it_as_much(
    seller_value: float, buyer_value: float
) -> None:
    rules = Negotiation(seller_value, buyer_value)

    found = rules.metrics(play(rules, 10_000, "reject"))

    assert (found["self_gain@alice"], found["self_gain@bob"], found["fairness"]) == (0, 0, 1)
    assert found["efficiency"] == (1 if seller_value >= buyer_value else 0)
    assert (found["agreement"], "price" in found) == (0, False)


def test_a_trade_at_a_loss_is_inefficient() -> None:
    found = traded(1.2, 0.8, 0.8)

    assert found["self_gain@alice"] == pytest.approx(-0.4, abs=5e-7)
    assert found["self_gain@bob"] == pytest.approx(0, abs=5e-7)
    assert found["efficiency"] == 0
    assert found["fairness"] == pytest.approx(0.84, abs=5e-7)
    assert (found["agreement"], found["price"], found["rounds"]) == (1, 0.8, 1)


def test_fairness_is_not_clipped() -> None:
    assert traded(1.0, 1.2, 0.005)["fairness"] == pytest.approx(-3.7961, abs=5e-5)


@given(
    values=st.sampled_from(PAIRS),
    price=st.integers(0, 3_000_000),
    scale=st.sampled_from([100, 10_000, 1_000_000]),
)
def test_the_gains_of_any_trade_add_up_to_the_surplus(
    values: tuple[float, float], price: int, scale: int
) -> None:
    rules = Negotiation(*values, scale)
    end = play(rules, price * scale / 1_000_000, "accept")

    found, paid = rules.metrics(end), rules.payoffs(end)

    gains = [found["self_gain@alice"], found["self_gain@bob"]]
    assert sum(gains) == pytest.approx(values[1] - values[0])
    assert list(paid.values()) == pytest.approx([gain * scale for gain in gains])


@given(values=st.sampled_from(PAIRS), off=st.integers(0, 800))
def test_fairness_is_symmetric_around_the_midpoint(values: tuple[float, float], off: int) -> None:
    middle = sum(values) / 2

    above, below = traded(*values, middle + off / 1000), traded(*values, middle - off / 1000)

    assert above["fairness"] == pytest.approx(below["fairness"])


@pytest.mark.parametrize(
    ("values", "price", "paper", "code"),
    [
        ((0.8, 1.2), 1.0, 1, 1),
        ((0.8, 1.2), 1.3, 0, 1),
        ((0.8, 1.2), 0.7, 0, 1),
        ((0.8, 1.2), None, 0, 0),
        ((1.2, 0.8), 1.0, 0, 0),
        ((1.2, 0.8), None, 1, 1),
        ((1.0, 1.0), 1.0, 1, 1),
        ((1.0, 1.0), 1.1, 0, 1),
        ((1.0, 1.0), None, 1, 1),
    ],
)
def test_the_paper_asks_for_a_price_between_the_values_the_code_for_a_trade(
    values: tuple[float, float], price: float | None, paper: float, code: float
) -> None:
    rules = Negotiation(*values)
    end = play(rules, *([10_000, "reject"] if price is None else [price * 10_000, "accept"]))

    for compat in (GleeCompat(negotiation_efficiency="official_code"), GleeCompat("official_code")):
        official = replace(rules, compat=compat).metrics(end)
        assert (official["efficiency"], official["efficiency_paper"]) == (code, paper)
    found = rules.metrics(end)
    assert (found["efficiency"], found["efficiency_official_code"]) == (paper, code)


# Theory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last_round", "price"), [(1, 1.2), (9, 1.2), (2, 0.8), (10, 0.8), (None, 1.0)]
)
def test_who_proposes_last_takes_the_surplus_and_without_an_end_the_midpoint_is_agreed(
    last_round: int | None, price: float
) -> None:
    rules = replace(TEN, max_rounds=last_round or 30, horizon="stated" if last_round else "hidden")

    assert agreed_price(0.8, 1.2, last_round) == pytest.approx(price)
    found = rules.prediction()
    assert found["price"] == pytest.approx(price)
    assert found["self_gain@alice"] == pytest.approx(price - 0.8)
    assert found["self_gain@bob"] == pytest.approx(1.2 - price)
    assert (found["efficiency"], found["agreement"], found["rounds"]) == (1, 1, 1)


@pytest.mark.parametrize("rounds", [1, 10, 30])
def test_without_a_surplus_no_trade_is_predicted(rounds: int) -> None:
    rules = Negotiation(1.2, 1.0, max_rounds=rounds)

    found = dict(rules.prediction())

    assert found.pop("rounds", None) == (1 if rounds == 1 else None)
    assert found == {
        "self_gain@alice": 0, "self_gain@bob": 0, "efficiency": 1, "fairness": 1, "agreement": 0,
    }  # fmt: skip


def test_where_both_values_are_equal_a_trade_makes_no_difference_and_is_not_predicted() -> None:
    found = Negotiation(1.2, 1.2, max_rounds=10).prediction()

    assert found == {"self_gain@alice": 0, "self_gain@bob": 0, "efficiency": 1, "fairness": 1}


@pytest.mark.parametrize(
    ("seller_value", "price", "gain"), [(0.8, 1.2, 0.2), (1.0, 1.5, 0.125), (1.2, 1.5, 0.075)]
)
def test_the_seller_s_best_posted_price_against_the_grid_s_values(
    seller_value: float, price: float, gain: float
) -> None:
    posted = posted_ask(seller_value)

    assert posted is not None
    assert (posted.price, posted.expected_gain) == (price, pytest.approx(gain, abs=5e-7))


def test_a_seller_of_the_highest_value_expects_to_gain_from_no_price() -> None:
    assert posted_ask(1.5) is None
    assert posted_outcome(1.5, 1.2) is None
    assert posted_outcome(1.5, 1.5) == 1.5


def test_the_prior_can_be_chosen_and_weighted_by_repeating_values() -> None:
    assert posted_ask(0.0, (1.0, 2.0)) == Posted(1.0, 1.0)
    assert posted_ask(0.0, (1.0, 2.0, 2.0, 2.0)) == Posted(2.0, 1.5)


@given(value=st.floats(0.1, 2), prior=st.lists(st.floats(0.1, 2), min_size=1, max_size=5))
def test_no_other_price_gains_the_seller_more_and_the_buyer_s_bid_is_the_mirror(
    value: float, prior: list[float]
) -> None:
    posted, bid = posted_ask(value, prior), posted_bid(-value, [-v for v in prior])

    best = posted.expected_gain if posted else 0.0
    for price in prior:
        assert (price - value) * sum(v >= price for v in prior) / len(prior) <= best + 1e-9
    assert bid == (None if posted is None else Posted(-posted.price, posted.expected_gain))


@pytest.mark.parametrize(
    ("seller_value", "buyer_value", "alice", "bob", "efficiency"),
    [
        (0.8, 0.8, 0.0, 0.0, 1), (0.8, 1.0, 0.0, 0.0, 0), (0.8, 1.2, 0.4, 0.0, 1),
        (0.8, 1.5, 0.4, 0.3, 1), (1.0, 1.2, 0.0, 0.0, 0), (1.0, 1.5, 0.5, 0.0, 1),
        (1.2, 1.5, 0.3, 0.0, 1), (1.5, 1.5, 0.0, 0.0, 1), (1.5, 0.8, 0.0, 0.0, 1),
    ],
)  # fmt: skip
def test_a_single_round_with_private_values_is_predicted_at_the_posted_price(
    seller_value: float, buyer_value: float, alice: float, bob: float, efficiency: float
) -> None:
    found = Negotiation(seller_value, buyer_value, complete_information=False).prediction()

    assert found["self_gain@alice"] == pytest.approx(alice)
    assert found["self_gain@bob"] == pytest.approx(bob)
    assert found["efficiency"] == efficiency


@pytest.mark.parametrize("seller_value", VALUES)
def test_the_predictions_of_a_single_round_average_to_the_expected_gain(
    seller_value: float,
) -> None:
    posted = posted_ask(seller_value)
    gains = [
        Negotiation(seller_value, buyer, complete_information=False).prediction()["self_gain@alice"]
        for buyer in PRIOR
    ]

    assert sum(gains) / 4 == pytest.approx(posted.expected_gain if posted else 0.0)


@given(
    values=st.sampled_from(PAIRS),
    horizon=st.sampled_from([(2, "stated"), (10, "stated"), (30, "hidden"), (1, "hidden")]),
)
def test_more_rounds_with_private_values_have_the_complete_information_benchmark(
    values: tuple[float, float], horizon: tuple[int, str]
) -> None:
    rules = replace(Negotiation(*values), max_rounds=horizon[0], horizon=horizon[1])

    assert replace(rules, complete_information=False).prediction() == rules.prediction()


@given(
    values=st.sampled_from(PAIRS),
    rounds=st.integers(1, 30),
    told=st.sampled_from(["stated", "hidden"]),
    complete=st.booleans(),
    metrics=st.sampled_from(["paper", "official_code"]),
)
def test_every_configuration_predicts_the_gains_and_measures_of_an_outcome(
    values: tuple[float, float], rounds: int, told: str, complete: bool, metrics: str
) -> None:
    rules = replace(
        Negotiation(*values, max_rounds=rounds),
        horizon=told,
        complete_information=complete,
        compat=replace(GleeCompat(), metrics=metrics),
    )
    found = rules.prediction()
    action = [found["price"] * 10_000, "accept"] if "price" in found else [50_000, "buy_from_john"]

    measured = rules.metrics(play(rules, *action))

    assert {name: measured[name] for name in found if name != "rounds"} == pytest.approx(
        {name: value for name, value in found.items() if name != "rounds"}
    )
    assert measured["distance_to_theory@alice"] == pytest.approx(0)
    assert measured["distance_to_theory@bob"] == pytest.approx(0)


def test_the_distance_to_theory_is_the_gain_missed() -> None:
    found = TEN.metrics(play(TEN, 10_000, "accept"))

    assert found["distance_to_theory@alice"] == pytest.approx(0.2)
    assert found["distance_to_theory@bob"] == pytest.approx(-0.2)


# What a seat sees -------------------------------------------------------------------------------


def test_under_complete_information_both_values_are_seen_in_dollars() -> None:
    seller, buyer = view_at(TEN, 1, "alice"), view_at(TEN, 1, "bob")

    assert (seller.role, seller.value, seller.other_value) == ("seller", 8000, 12_000)
    assert (buyer.role, buyer.value, buyer.other_value) == ("buyer", 12_000, 8000)
    for seen in (seller, buyer):
        assert (seen.seller_value, seen.buyer_value) == (8000, 12_000)


def test_under_incomplete_information_only_the_own_value_is_seen() -> None:
    rules = replace(TEN, complete_information=False)
    seller, buyer = view_at(rules, 1, "alice"), view_at(rules, 1, "bob")

    assert (seller.seller_value, seller.buyer_value, seller.other_value) == (8000, None, None)
    assert (buyer.seller_value, buyer.buyer_value, buyer.other_value) == (None, 12_000, None)


def test_a_view_has_the_prices_messages_and_answers_so_far() -> None:
    rules = replace(TEN, messages_allowed=True)
    state = play(rules, PriceWithMessage(9500, "hello"), "reject", PriceWithMessage(9000, "no"))

    seen = rules.view(state, "alice")

    (first,) = seen.history
    assert (first.proposer, first.price, first.message, first.answer) == (
        "alice", 9500, "hello", "reject",
    )  # fmt: skip
    assert seen.offer is not None
    assert (seen.offer.proposer, seen.offer.price, seen.offer.answer) == ("bob", 9000, None)


def test_the_last_round_shows_only_where_the_number_of_rounds_is_told() -> None:
    hidden = replace(TEN, horizon="hidden", max_rounds=3)
    stated = replace(hidden, horizon="stated")

    assert [view_at(stated, at, "bob").last_round for at in (1, 2, 3)] == [False, False, True]
    assert [view_at(hidden, at, "bob").last_round for at in (1, 2, 3)] == [False, False, False]


# Compat switches --------------------------------------------------------------------------------


@pytest.mark.parametrize(("rounds", "told"), [(1, None), (2, 2), (20, 20), (21, None), (30, None)])
@pytest.mark.parametrize("horizon", ["stated", "hidden"])
def test_compat_horizon_text_tells_2_to_20_rounds_whatever_the_horizon(
    rounds: int, told: int | None, horizon: str
) -> None:
    rules = replace(
        TEN, max_rounds=rounds, horizon=horizon, compat=GleeCompat(horizon_text="official")
    )

    assert view_at(rules, 1, "bob").rounds_told == told
    assert rules.rounds_known == (1 if rounds == 1 else told)
    assert view_at(replace(rules, compat=GleeCompat()), 1, "bob").rounds_told == (
        rounds if horizon == "stated" else None
    )


def test_compat_horizon_text_shows_the_last_round_even_of_a_hidden_number() -> None:
    rules = replace(TEN, max_rounds=30, horizon="hidden")
    official = replace(rules, compat=GleeCompat(horizon_text="official"))

    assert view_at(official, 30, "alice").last_round
    assert not view_at(official, 29, "alice").last_round
    assert not view_at(rules, 30, "alice").last_round


def test_compat_john_tokens_makes_the_moves_glee_s_own_words() -> None:
    rules = replace(TEN, compat=GleeCompat(john_tokens="official"))
    opened = play(rules, 9000)

    assert rules.move_type(opened, "bob") is OfficialBuyerAnswer
    assert said(rules, opened, "reject") == OfficialBuyerAnswer("RejectOffer")
    assert said(rules, opened, "DealWithJhon") == OfficialBuyerAnswer("BuyFromJhon")
    countered = play(rules, 9000, "RejectOffer", 9000)
    assert said(rules, countered, "sell_to_john") == OfficialSellerAnswer("SellToJhon")
    assert play(rules, 9000, "AcceptOffer").ended is Ended.AGREEMENT
    assert play(rules, 9000, "BuyFromJhon").history[-1].answer == "john"
    assert TEN.move_type(opened, "bob") is BuyerAnswer


@pytest.mark.parametrize("tokens", ["own", "official"])
@pytest.mark.parametrize("word", ["SellToJhon", "BuyFromJhon", "DealWithJhon"])
def test_compat_negotiation_validation_lets_either_side_say_any_token(
    tokens: str, word: str
) -> None:
    compat = replace(GleeCompat(), negotiation_validation="official", john_tokens=tokens)
    rules = replace(TEN, compat=compat)

    for moves in ((9000, word), (9000, "reject", 9000, word)):
        state = play(rules, *moves)
        assert (state.ended, state.history[-1].answer) == (Ended.OUTSIDE_OPTION, "john")


@pytest.mark.parametrize("tokens", ["own", "official"])
def test_compat_negotiation_validation_takes_a_typed_token_of_the_other_role(tokens: str) -> None:
    compat = replace(GleeCompat(), negotiation_validation="official", john_tokens=tokens)
    rules = replace(TEN, compat=compat)
    strict = replace(rules, compat=replace(compat, negotiation_validation="checked"))
    opened = play(rules, 9000)

    kinds: list[Any] = [each.move_type(opened, "bob") for each in (rules, strict)]
    allowed, refused = (kind("SellToJhon") for kind in kinds)

    assert play(rules, 9000, allowed).ended is Ended.OUTSIDE_OPTION
    assert "you said 'SellToJhon'" in refusal(strict, opened, refused)


def test_compat_negotiation_validation_lets_prices_be_negative_but_not_without_a_value() -> None:
    rules = replace(TEN, compat=GleeCompat(negotiation_validation="official"))

    assert rules.payoffs(play(rules, -50, "accept")) == {"alice": -8050, "bob": 12_050}
    assert "at least 0" in refusal(TEN, play(TEN), Price(-50))
    told = refusal(rules, play(rules), Price(float("inf")))
    assert told == "product_price must be a number; you gave inf."


def test_compat_outside_option_walk_away_has_no_john() -> None:
    rules = replace(TEN, compat=GleeCompat(outside_option="walk_away"))
    opened = play(rules, 9000)

    assert rules.move_type(opened, "bob") is WalkAwayAnswer
    assert said(rules, opened, "walkaway") == WalkAwayAnswer("walk_away")
    state = play(rules, 9000, "walk_away")
    assert (state.ended, state.history[-1].answer) == (Ended.OUTSIDE_OPTION, "walk_away")
    assert rules.payoffs(state) == {"alice": 0, "bob": 0}
    with pytest.raises(ValueError, match="walk_away"):
        said(rules, opened, "buy_from_john")


@pytest.mark.parametrize(
    ("outside", "seller", "buyer"),
    [("john", SellerCounter, BuyerCounter), ("walk_away", WalkAwayCounter, WalkAwayCounter)],
)
def test_compat_counteroffer_with_rejection_names_the_next_price_in_the_same_move(
    outside: str, seller: type[Move], buyer: type[Move]
) -> None:
    compat = replace(GleeCompat(), counteroffer="with_rejection", outside_option=outside)
    rules = replace(TEN, compat=compat)
    opened = play(rules, 11_000)
    assert rules.move_type(opened, "bob") is buyer

    countered = play(rules, 11_000, said(rules, opened, "reject", product_price="$9,000"))

    assert (countered.round, rules.to_move(countered)) == (2, ("alice",))
    assert countered.offer is not None
    assert (countered.offer.round, countered.offer.proposer, countered.offer.price) == (
        2, "bob", 9000,
    )  # fmt: skip
    assert rules.move_type(countered, "alice") is seller
    state = rules.step(countered, {"alice": said(rules, countered, "accept", product_price=None)})
    assert rules.payoffs(state) == {"alice": 1000, "bob": 3000}


def test_a_rejection_without_its_counteroffer_is_refused_and_the_price_is_checked() -> None:
    rules = replace(TEN, compat=COMPETITION)
    opened = play(rules, 11_000)

    told = refusal(rules, opened, WalkAwayCounter("reject"))
    assert told == "Who rejects an offer must name a price: product_price is missing."
    told = refusal(rules, opened, WalkAwayCounter("reject", -1))
    assert told == "product_price must be a number of at least 0; you gave -1."


def test_a_price_beside_an_acceptance_does_not_count() -> None:
    rules = replace(TEN, compat=COMPETITION)

    state = play(rules, 11_000, WalkAwayCounter("accept", -5))

    assert (state.ended, state.history[-1].price) == (Ended.AGREEMENT, 11_000)


def test_a_counteroffer_with_a_rejection_carries_its_message() -> None:
    rules = replace(TEN, messages_allowed=True, max_message_chars=5, compat=COMPETITION)

    state = play(rules, 11_000, WalkAwayCounterWithMessage("reject", 9000, "hello"))

    assert state.offer is not None
    assert state.offer.message == "hello"
    opened = play(rules, 11_000)
    long = WalkAwayCounterWithMessage("reject", 9000, "hello!")
    assert refusal(rules, opened, long) == "A message has at most 5 characters; yours has 6."
    silent = WalkAwayCounterWithMessage("reject", 9000, None)
    assert play(rules, 11_000, silent).offer == replace(state.offer, message="")
    with_john = replace(rules, compat=GleeCompat(counteroffer="with_rejection"))
    assert with_john.move_type(opened, "bob") is BuyerCounterWithMessage


def test_in_a_last_round_that_is_told_a_rejection_names_no_price() -> None:
    rules = replace(TEN, max_rounds=2, compat=COMPETITION)
    last = play(rules, 11_000, WalkAwayCounter("reject", 9000))

    assert rules.move_type(last, "alice") is WalkAwayAnswer
    assert play(replace(rules, max_rounds=1), 9000, "reject").ended is Ended.NO_AGREEMENT


def test_in_a_hidden_last_round_a_rejection_names_a_price_that_nobody_hears() -> None:
    rules = replace(TEN, max_rounds=2, horizon="hidden", compat=COMPETITION)
    counter = WalkAwayCounter("reject", 9000)

    state = play(rules, 11_000, counter, counter)

    assert (state.round, state.ended, state.offer) == (2, Ended.NO_AGREEMENT, None)
    assert [p.price for p in state.history] == [11_000, 9000]


def test_an_answer_that_no_offer_came_before_is_a_bug() -> None:
    with pytest.raises(ValueError, match="`check` was not asked"):
        TEN.step(play(TEN), {"alice": SellerAnswer("accept")})
