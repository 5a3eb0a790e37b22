"""The scripted negotiators, alone and against each other."""

import asyncio
from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from catallaxy.agents.base import Agent, Ask
from catallaxy.agents.chat import CallKey
from catallaxy.agents.scripted import negotiation as negotiators
from catallaxy.agents.scripted.negotiation import (
    ConcessionNegotiator,
    EquilibriumNegotiator,
    FairNegotiator,
    GreedyNegotiator,
    RandomNegotiator,
)
from catallaxy.agents.wording import Wording
from catallaxy.games.glee.compat import GleeCompat
from catallaxy.games.glee.negotiation import (
    BuyerAnswer,
    Ended,
    Negotiation,
    NegotiationState,
    Price,
    PriceWithMessage,
    SellerAnswer,
)
from catallaxy.games.glee.negotiation_moves import Move, WalkAwayCounter
from catallaxy.platform.compose import composed
from catallaxy.platform.config import build
from catallaxy.platform.experiment import experiment

CONF = Path(__file__).parents[2] / "conf"
NO_WORDS = Wording(name="none", system="", asks={})
VALUES = (0.8, 1.0, 1.2, 1.5)
TEN = Negotiation(0.8, 1.2, max_rounds=10)
"""Values $8,000 and $12,000, ten rounds that the players are told: Bob proposes last."""
OPEN = replace(TEN, max_rounds=30, horizon="hidden")
PRIVATE = replace(OPEN, complete_information=False)
SURPLUS, NO_SURPLUS = TEN, replace(TEN, seller_value=1.5)

COMPATS = [
    replace(
        GleeCompat(),
        john_tokens=tokens,
        negotiation_validation=validation,
        outside_option=outside,
        counteroffer=counter,
        horizon_text=horizon,
    )
    for tokens, validation, outside, counter, horizon in product(
        ("own", "official"),
        ("checked", "official"),
        ("john", "walk_away"),
        ("own_move", "with_rejection"),
        ("explicit", "official"),
    )
]


def move_of(agent: Agent, rules: Negotiation, state: NegotiationState, seed: int = 0) -> Move:
    (seat,) = rules.to_move(state)
    due = rules.move_type(state, seat)
    ask = Ask(seat, rules.view(state, seat), due, (), NO_WORDS, seed, CallKey("e", seat, 0, 0))
    act = asyncio.run(agent.act(ask))
    assert act.move is not None
    assert act.messages == ()
    rules.check(state, seat, act.move)
    return act.move


def after(rules: Negotiation, *prices: float) -> NegotiationState:
    """The last of `prices` is open, all before it were rejected."""
    state = rules.start(Random(0))
    for price in prices:
        state = rejected(rules, state)
        state = rules.step(state, {rules.to_move(state)[0]: Price(price)})
    return state


def rejected(rules: Negotiation, state: NegotiationState) -> NegotiationState:
    if state.offer is None:
        return state
    (seat,) = rules.to_move(state)
    kind: Any = rules.move_type(state, seat)
    return rules.step(state, {seat: kind("reject")})


def asked_at(rules: Negotiation, round_: int) -> NegotiationState:
    """Round `round_`, whose price is to be named."""
    return rejected(rules, after(rules, *[1.0] * (round_ - 1)))


def play(rules: Negotiation, agents: Mapping[str, Agent], seed: int = 0) -> NegotiationState:
    state, rng = rules.start(Random(0)), Random(seed)
    while turn := rules.to_move(state):
        move = move_of(agents[turn[0]], rules, state, rng.getrandbits(31))
        state = rules.step(state, {turn[0]: move})
    return state


def self_play(rules: Negotiation, agent: Agent) -> NegotiationState:
    return play(rules, {"alice": agent, "bob": agent})


# Equilibrium ------------------------------------------------------------------------------------

GRID = [
    engagement.rules
    for engagement in experiment(
        composed(["experiment=glee_negotiation", "backend=scripted"])
    ).design()
]
SOLVED = [rules for rules in GRID if rules.complete_information or rules.max_rounds == 1]


def test_the_grid_s_solved_games_are_half_of_it_and_the_single_rounds() -> None:
    assert (len(GRID), len(SOLVED)) == (576, 288 + 96)


@pytest.mark.parametrize("pair", list(product(VALUES, VALUES)))
def test_equilibrium_play_is_what_is_predicted_wherever_the_game_is_solved(
    pair: tuple[float, float],
) -> None:
    for rules in SOLVED:
        if (rules.seller_value, rules.buyer_value) == pair:
            found = rules.metrics(self_play(rules, EquilibriumNegotiator()))
            predicted = rules.prediction()

            assert set(predicted) <= set(found)
            for name, value in predicted.items():
                assert found[name] == pytest.approx(value, abs=0.01 / rules.price_scale), rules


@pytest.mark.parametrize("compat", COMPATS)
def test_equilibrium_play_is_what_is_predicted_in_the_words_of_every_variant(
    compat: GleeCompat,
) -> None:
    for rules in (SURPLUS, NO_SURPLUS, OPEN, replace(TEN, max_rounds=1)):
        other = replace(rules, compat=compat)

        found = other.metrics(self_play(other, EquilibriumNegotiator()))

        for name, value in other.prediction().items():
            assert found[name] == pytest.approx(value, abs=1e-6), (name, other)


def test_who_proposes_last_takes_the_surplus_in_every_round() -> None:
    agent = EquilibriumNegotiator()

    assert move_of(agent, TEN, after(TEN)) == Price(8000)
    assert move_of(agent, TEN, asked_at(TEN, 2)) == Price(8000)
    assert move_of(agent, replace(TEN, max_rounds=9), after(TEN)) == Price(12_000)


def test_the_responder_accepts_at_indifference_and_not_a_cent_below() -> None:
    agent = EquilibriumNegotiator()

    assert move_of(agent, OPEN, after(OPEN, 10_000)) == BuyerAnswer("accept")
    assert move_of(agent, OPEN, after(OPEN, 10_000.01)) == BuyerAnswer("reject")
    assert move_of(agent, TEN, after(TEN, 8000)) == BuyerAnswer("accept")
    assert move_of(agent, TEN, after(TEN, 8000.01)) == BuyerAnswer("reject")


def test_where_nothing_can_be_expected_it_deals_with_john() -> None:
    agent = EquilibriumNegotiator()

    assert move_of(agent, NO_SURPLUS, after(NO_SURPLUS, 13_000)) == BuyerAnswer("buy_from_john")
    opened = after(NO_SURPLUS, 13_000, 11_000)
    assert move_of(agent, NO_SURPLUS, opened) == SellerAnswer("sell_to_john")
    assert move_of(agent, NO_SURPLUS, after(NO_SURPLUS, 12_000)) == BuyerAnswer("accept")


def test_an_untold_value_is_believed_to_be_one_of_the_grid_s_or_what_is_configured() -> None:
    once = replace(PRIVATE, max_rounds=1, horizon="stated")

    assert move_of(EquilibriumNegotiator(), once, after(once)) == Price(12_000)
    believer = EquilibriumNegotiator(belief=(0.9, 1.3))
    assert move_of(believer, once, after(once)) == Price(13_000)
    assert move_of(believer, PRIVATE, after(PRIVATE)) == Price(9500)  # (8,000 + 11,000) / 2
    desperate = EquilibriumNegotiator(belief=(0.5,))
    assert move_of(desperate, once, after(once)) == Price(8000)


def test_the_last_proposer_posts_a_price_and_accepts_what_it_expects_from_it() -> None:
    rules = replace(TEN, complete_information=False)
    agent = EquilibriumNegotiator()

    assert move_of(agent, rules, asked_at(rules, 2)) == Price(10_000)
    least = 12_000 - 2000 * 0.5  # two in four sellers would take that bid
    assert move_of(agent, rules, after(rules, least)) == BuyerAnswer("accept")
    assert move_of(agent, rules, after(rules, least + 1)) == BuyerAnswer("reject")


# Others -----------------------------------------------------------------------------------------


def test_the_fair_negotiator_names_the_midpoint_and_refuses_less_than_its_tolerance() -> None:
    fair, lenient = FairNegotiator(), FairNegotiator(tolerance=0.1)

    assert move_of(fair, OPEN, after(OPEN)) == Price(10_000)
    assert move_of(fair, OPEN, after(OPEN, 10_000)) == BuyerAnswer("accept")
    assert move_of(fair, OPEN, after(OPEN, 10_001)) == BuyerAnswer("reject")
    assert move_of(lenient, OPEN, after(OPEN, 11_200)) == BuyerAnswer("accept")
    assert move_of(lenient, OPEN, after(OPEN, 11_201)) == BuyerAnswer("reject")


def test_the_fair_negotiator_adds_a_margin_where_the_other_s_value_is_not_told() -> None:
    fair = FairNegotiator(margin=0.1)

    assert move_of(fair, PRIVATE, after(PRIVATE)) == Price(8800)
    assert move_of(fair, PRIVATE, asked_at(PRIVATE, 2)) == Price(10_800)
    assert move_of(fair, PRIVATE, after(PRIVATE, 10_800)) == BuyerAnswer("accept")
    assert move_of(fair, PRIVATE, after(PRIVATE, 10_801)) == BuyerAnswer("reject")
    assert self_play(PRIVATE, fair).ended is Ended.AGREEMENT


def test_the_greedy_negotiator_wants_all_of_the_surplus() -> None:
    greedy = GreedyNegotiator()

    assert move_of(greedy, OPEN, after(OPEN)) == Price(12_000)
    assert move_of(greedy, OPEN, asked_at(OPEN, 2)) == Price(8000)
    assert move_of(greedy, OPEN, after(OPEN, 8000)) == BuyerAnswer("accept")
    assert move_of(greedy, OPEN, after(OPEN, 8001)) == BuyerAnswer("reject")
    assert self_play(OPEN, greedy).ended is Ended.NO_AGREEMENT


def test_the_greedy_negotiator_does_not_know_where_to_stop_where_no_value_is_told() -> None:
    greedy = GreedyNegotiator(factor=3)

    assert move_of(greedy, PRIVATE, after(PRIVATE)) == Price(24_000)
    assert move_of(greedy, PRIVATE, asked_at(PRIVATE, 2)) == Price(4000)
    assert move_of(greedy, PRIVATE, after(PRIVATE, 4000)) == BuyerAnswer("accept")
    assert move_of(greedy, PRIVATE, after(PRIVATE, 4001)) == BuyerAnswer("reject")


def test_the_greedy_negotiator_takes_any_gain_in_a_last_round_that_it_knows() -> None:
    stated, hidden = replace(TEN, max_rounds=1), replace(OPEN, max_rounds=1)

    assert move_of(GreedyNegotiator(), stated, after(stated, 11_999.99)) == BuyerAnswer("accept")
    assert move_of(GreedyNegotiator(), stated, after(stated, 12_000)) == BuyerAnswer("reject")
    assert move_of(GreedyNegotiator(), hidden, after(hidden, 11_999.99)) == BuyerAnswer("reject")


def test_a_random_negotiator_repeats_itself_only_for_the_same_seed() -> None:
    agent = RandomNegotiator()

    prices = [move_of(agent, TEN, after(TEN), seed) for seed in range(30)]

    assert prices == [move_of(agent, TEN, after(TEN), seed) for seed in range(30)]
    assert len(set(prices)) > 25
    named = [price.product_price for price in prices if isinstance(price, Price)]
    assert all(0 <= price <= 16_000 and price % 1 == 0 for price in named)
    assert max(named) > 8000


@pytest.mark.parametrize(("accept", "outside"), [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (0.4, 0.1)])
def test_a_random_negotiator_answers_with_the_configured_probabilities(
    accept: float, outside: float
) -> None:
    agent = RandomNegotiator(accept_probability=accept, outside_probability=outside)
    state = after(TEN, 9000)

    answers = [move_of(agent, TEN, state, seed) for seed in range(400)]

    assert abs(answers.count(BuyerAnswer("accept")) - 400 * accept) < 40
    assert abs(answers.count(BuyerAnswer("buy_from_john")) - 400 * outside) < 40
    assert answers.count(BuyerAnswer("reject")) > 0 or accept + outside == 1


def test_a_conceding_negotiator_goes_from_start_to_floor_by_the_deadline() -> None:
    agent = ConcessionNegotiator(start=1.0, floor=0.1, deadline=11)

    named = [move_of(agent, OPEN, asked_at(OPEN, at)) for at in (1, 6, 11, 13)]

    # Alice may hope for 4,000 above 8,000; round 6 is Bob's, half of the way down from 12,000
    assert named == [Price(12_000), Price(9800), Price(8400), Price(8400)]


def test_a_conceding_negotiator_hopes_for_a_part_of_its_value_where_it_is_told_no_other() -> None:
    agent = ConcessionNegotiator(start=1.0, floor=0.0, deadline=3, reach=0.25)

    assert move_of(agent, PRIVATE, after(PRIVATE)) == Price(10_000)
    assert move_of(agent, PRIVATE, asked_at(PRIVATE, 2)) == Price(10_500)
    assert move_of(agent, PRIVATE, asked_at(PRIVATE, 3)) == Price(8000)


@pytest.mark.parametrize(("beta", "price"), [(0.5, 11_000), (1.0, 10_000), (2.0, 9171.57)])
def test_beta_says_whether_concessions_come_late_or_early(beta: float, price: float) -> None:
    agent = ConcessionNegotiator(start=1.0, floor=0.0, beta=beta, deadline=5)

    assert move_of(agent, OPEN, asked_at(OPEN, 3)) == Price(price)


def test_a_conceding_negotiator_accepts_what_it_would_ask_for_next() -> None:
    agent = ConcessionNegotiator(start=1.0, floor=0.0, deadline=5)

    assert move_of(agent, OPEN, after(OPEN, 9000)) == BuyerAnswer("accept")
    assert move_of(agent, OPEN, after(OPEN, 9000.01)) == BuyerAnswer("reject")


def test_a_known_last_round_brings_the_deadline_forward() -> None:
    agent = ConcessionNegotiator(floor=0.1, deadline=50)
    once, two = replace(TEN, max_rounds=1), replace(TEN, max_rounds=2)

    assert move_of(agent, once, after(once)) == Price(8400)
    assert move_of(agent, two, asked_at(two, 2)) == Price(11_600)


@pytest.mark.parametrize("agent", [FairNegotiator(), GreedyNegotiator(), ConcessionNegotiator()])
def test_where_no_price_suits_both_it_deals_with_john_but_takes_a_gain(agent: Agent) -> None:
    rules = replace(NO_SURPLUS, max_rounds=30, horizon="hidden")

    assert move_of(agent, rules, after(rules, 12_001)) == BuyerAnswer("buy_from_john")
    assert move_of(agent, rules, after(rules, 12_001, 14_999)) == SellerAnswer("sell_to_john")
    assert move_of(agent, rules, after(rules, 6000)) == BuyerAnswer("accept")
    assert self_play(rules, agent).ended is Ended.OUTSIDE_OPTION


@pytest.mark.parametrize(
    ("agent", "name", "value"),
    [
        (EquilibriumNegotiator(), "belief", ()),
        (FairNegotiator(), "margin", 1.0),
        (GreedyNegotiator(), "factor", 1.0),
        (RandomNegotiator(), "accept_probability", 0.95),
        (RandomNegotiator(), "outside_probability", -0.1),
        (ConcessionNegotiator(), "floor", 1.1),
        (ConcessionNegotiator(), "start", 0.05),
        (ConcessionNegotiator(), "beta", 0),
        (ConcessionNegotiator(), "deadline", 0),
        (ConcessionNegotiator(), "reach", 1.0),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(
    agent: Any, name: str, value: object
) -> None:
    with pytest.raises(ValueError, match=name):
        replace(agent, **{name: value})


# All --------------------------------------------------------------------------------------------

EVERYONE = (
    EquilibriumNegotiator(),
    EquilibriumNegotiator(belief=(0.7,)),
    FairNegotiator(margin=1 / 3),
    GreedyNegotiator(),
    RandomNegotiator(unit=0.01),
    ConcessionNegotiator(),
)


@given(
    values=st.tuples(*[st.sampled_from([0.3, *VALUES, 7.0])] * 2),
    scale=st.sampled_from([0.3, 99.99, 100, 10_000, 1_000_000]),
    agents=st.tuples(st.sampled_from(EVERYONE), st.sampled_from(EVERYONE)),
    rounds=st.integers(1, 6),
    horizon=st.sampled_from(["stated", "hidden"]),
    complete=st.booleans(),
    messages=st.booleans(),
    compat=st.sampled_from(COMPATS),
    seed=st.integers(0, 99),
)
@settings(deadline=None)
def test_every_negotiator_makes_legal_moves_only_in_either_role_and_every_variant(
    values: tuple[float, float],
    scale: float,
    agents: tuple[Agent, Agent],
    rounds: int,
    horizon: str,
    complete: bool,
    messages: bool,
    compat: GleeCompat,
    seed: int,
) -> None:
    rules = replace(
        Negotiation(*values, scale, rounds),
        horizon=horizon,
        complete_information=complete,
        messages_allowed=messages,
        compat=compat,
    )

    end = play(rules, {"alice": agents[0], "bob": agents[1]}, seed)

    assert end.ended in (Ended.AGREEMENT, Ended.NO_AGREEMENT, Ended.OUTSIDE_OPTION)


@pytest.mark.parametrize("agent", EVERYONE)
def test_what_a_negotiator_does_in_the_dark_does_not_depend_on_the_other_s_value(
    agent: Agent,
) -> None:
    for prices in ((), (9000,), (9000, 7000)):
        state = after(PRIVATE, *prices)
        (seat,) = PRIVATE.to_move(state)
        others = "buyer_value" if seat == "alice" else "seller_value"

        moves = {move_of(agent, replace(PRIVATE, **{others: x}), state) for x in (0.1, 1.0, 9.0)}

        assert len(moves) == 1


@pytest.mark.parametrize("agent", EVERYONE)
def test_a_rejection_with_a_counteroffer_names_the_price_of_the_next_round(agent: Any) -> None:
    compat = GleeCompat(outside_option="walk_away", counteroffer="with_rejection")
    rules = replace(PRIVATE, compat=compat)
    state = after(rules, 90_000)
    if isinstance(agent, RandomNegotiator):
        agent = replace(agent, accept_probability=0.0, outside_probability=0.0)

    countered = move_of(agent, rules, state)

    assert isinstance(countered, WalkAwayCounter)
    assert countered.decision == "reject"
    assert move_of(agent, PRIVATE, asked_at(PRIVATE, 2)) == Price(countered.product_price or 0)


@pytest.mark.parametrize("agent", EVERYONE)
def test_a_negotiator_says_a_sentence_where_messages_are_allowed(agent: Any) -> None:
    rules = replace(TEN, messages_allowed=True, max_message_chars=30)

    said = move_of(agent, rules, after(rules))
    unsaid = move_of(replace(agent, chatty=False), rules, after(rules))

    assert isinstance(said, PriceWithMessage)
    assert said.message.startswith("I would sell at $")
    assert isinstance(unsaid, PriceWithMessage)
    assert unsaid.message == ""


def test_prices_are_rounded_to_the_unit() -> None:
    fair = FairNegotiator(unit=50)
    rules = replace(OPEN, seller_value=0.8333)

    assert move_of(fair, rules, after(rules)) == Price(10_150)


@pytest.mark.parametrize(
    "name",
    [
        "equilibrium_negotiator",
        "fair_negotiator",
        "greedy_negotiator",
        "random_negotiator",
        "concession_negotiator",
    ],
)
def test_a_negotiator_s_yaml_names_every_field_and_agrees_with_the_dataclass(name: str) -> None:
    choices = yaml.safe_load((CONF / f"agent/{name}.yaml").read_text())
    module, _, kind = choices["_target_"].rpartition(".")

    assert module == negotiators.__name__
    negotiator = getattr(negotiators, kind)
    assert {*choices} - {"_target_"} == {f.name for f in fields(negotiator)}
    assert build(choices, at=name) == negotiator()
