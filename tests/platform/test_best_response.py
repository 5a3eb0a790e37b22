"""The best responses to players whose rules are known: closed forms, brute force, real play."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from random import Random
from statistics import fmean, stdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catallaxy.agents.base import Act, Agent, Ask
from catallaxy.agents.chat_agent import ChatAgent
from catallaxy.agents.scripted.bargaining import (
    ConcessionBargainer,
    EquilibriumBargainer,
    FairBargainer,
    GreedyBargainer,
    RandomBargainer,
)
from catallaxy.agents.scripted.medley import Medley
from catallaxy.agents.scripted.negotiation import (
    ConcessionNegotiator,
    EquilibriumNegotiator,
    FairNegotiator,
    GreedyNegotiator,
    RandomNegotiator,
)
from catallaxy.agents.scripted.persuasion import (
    CommitmentPersuader,
    EquilibriumPersuader,
    FairPersuader,
    GreedyPersuader,
    RandomPersuader,
)
from catallaxy.agents.wording import Wording
from catallaxy.games.glee.bargaining import Bargaining
from catallaxy.games.glee.compat import GleeCompat
from catallaxy.games.glee.negotiation import Negotiation
from catallaxy.games.glee.persuasion import Persuasion, PersuasionState, PersuasionView
from catallaxy.games.glee.persuasion_moves import Purchase, Recommendation
from catallaxy.platform.analysis.best_response.asking import NoBestResponse, Policy
from catallaxy.platform.analysis.best_response.solve import best_response
from catallaxy.platform.backends.scripted import Scripted
from catallaxy.platform.episode import Table
from catallaxy.platform.record import Engagement, EpisodeStatus

pytestmark = pytest.mark.slow

NO_WORDS = Wording(name="none", system="", asks={})
DELTAS = (0.8, 0.9, 0.95, 1.0)
VALUES = (0.8, 1.0, 1.2, 1.5)
COMPETITION = GleeCompat(
    counteroffer="with_rejection",
    outside_option="walk_away",
    bargaining_walk_away=True,
    quality_feedback="after_purchase",
)


def earned(rules: Any, seat: str, player: Agent, opponent: Agent, seed: int = 0) -> float:
    """What `seat` gains in one real game."""
    other = "bob" if seat == "alice" else "alice"
    agents = {seat: player, other: opponent}
    names = {each: each for each in ("alice", "bob")}
    plan = Engagement(0, f"e{seed}", "game", "v", rules, names, seed)
    episode = asyncio.run(Table().play(plan, NO_WORDS, agents))
    assert episode.status is EpisodeStatus.SETTLED, episode.error
    return episode.metrics[f"self_gain_paper@{seat}"]


def value(rules: Any, seat: str, opponent: Agent) -> float:
    """An exact best response's."""
    found = best_response(rules, seat, opponent)
    assert found.error == 0
    return found.value


# Bargaining -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("delta_a", "delta_b"), list(product(DELTAS, DELTAS)))
@pytest.mark.parametrize(
    ("rounds", "horizon"),
    [(1, "stated"), (2, "stated"), (3, "stated"), (12, "stated"), (99, "hidden")],
)
def test_equilibrium_bargainers_have_nothing_to_regret(
    delta_a: float, delta_b: float, rounds: int, horizon: Any
) -> None:
    rules = Bargaining(delta_a=delta_a, delta_b=delta_b, max_rounds=rounds, horizon=horizon)
    player = EquilibriumBargainer()

    for seat in rules.seats:
        missed = value(rules, seat, player) - earned(rules, seat, player, player)
        assert missed == pytest.approx(0, abs=2 * player.unit / rules.pie)
        assert missed > -1e-9


@pytest.mark.parametrize("share", [0.5, 0.6])
def test_a_fair_bargainer_leaves_the_rest_and_its_tolerance_at_once(share: float) -> None:
    strict, lenient = FairBargainer(share), FairBargainer(share, tolerance=0.1)

    assert value(Bargaining(), "alice", strict) == pytest.approx(1 - share, abs=1e-6)
    assert value(Bargaining(), "bob", strict) == pytest.approx(1 - share, abs=1e-6)
    assert value(Bargaining(), "alice", lenient) == pytest.approx(1.1 - share, abs=1e-6)
    patient = value(Bargaining(delta_b=0.95), "bob", lenient)
    assert patient == pytest.approx(max(1 - share, 0.95 * (1.1 - share)), abs=1e-6)


@pytest.mark.parametrize(("rounds", "last"), [(1, "alice"), (4, "bob"), (5, "alice")])
def test_a_greedy_bargainer_leaves_all_but_a_unit_to_who_offers_in_a_known_last_round(
    rounds: int, last: str
) -> None:
    rules = Bargaining(max_rounds=rounds, horizon="stated")
    first = "bob" if last == "alice" else "alice"

    assert value(rules, last, GreedyBargainer()) == pytest.approx(
        0.9 ** (rounds - 1) * (1 - 0.01 / rules.pie)
    )
    assert value(rules, first, GreedyBargainer()) == 0
    assert value(replace(rules, horizon="hidden"), last, GreedyBargainer()) == 0


@pytest.mark.parametrize("seat", ["alice", "bob"])
@pytest.mark.parametrize("delta", DELTAS)
def test_waiting_for_a_concession_is_weighed_against_what_it_costs(seat: str, delta: float) -> None:
    rules = Bargaining(delta_a=delta, delta_b=delta)
    player = ConcessionBargainer(start=0.9, floor=0.1, beta=0.5, deadline=9)

    def demand(at: int) -> float:
        return 0.1 + 0.8 * (1 - min((at - 1) / 8, 1) ** 2)

    proposes = [(t % 2 == 1) == (seat == "alice") for t in range(1, 100)]
    asked = [demand(t + 1) if mine else demand(t) for t, mine in enumerate(proposes, 1)]
    best = max(delta**t * (1 - each) for t, each in enumerate(asked))

    assert value(rules, seat, player) == pytest.approx(best, abs=2e-6)


def test_the_response_knows_the_delta_and_the_last_round_that_it_is_not_told() -> None:
    rules = Bargaining(delta_b=0.8, max_rounds=3, complete_information=False)
    believer = EquilibriumBargainer(belief_delta=0.95)  # its own 0.9: it asks for 0.34 of the pie

    found = value(rules, "bob", believer)

    assert found > value(replace(rules, complete_information=True), "bob", EquilibriumBargainer())


@pytest.mark.parametrize("pie", [0.3, 1, 99.99, 1_000_000])
@pytest.mark.parametrize("form", ["division", "claim"])
@pytest.mark.parametrize("messages", [False, True])
def test_any_pie_and_any_form_of_an_offer_will_do(pie: float, form: Any, messages: bool) -> None:
    rules = Bargaining(pie, offer_form=form, messages_allowed=messages, compat=COMPETITION)
    fine = FairBargainer(unit=pie / 1e6)

    assert value(rules, "alice", fine) == pytest.approx(0.5, abs=1e-3)
    assert value(rules, "bob", fine) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("chance", [0.3, 0.7])
def test_luck_is_averaged_and_its_error_told(chance: float) -> None:
    rules = Bargaining(max_rounds=1, horizon="stated")
    player = RandomBargainer(accept_probability=chance)

    demands = best_response(rules, "alice", player)
    takes = best_response(rules, "bob", player)

    assert abs(demands.value - chance) < 3 * demands.error < 0.06
    assert abs(takes.value - 0.5) < 3 * takes.error < 0.06


def test_against_luck_the_response_waits_for_a_better_draw() -> None:
    rules = Bargaining(delta_a=1, delta_b=1, max_rounds=4, horizon="stated")
    at_last = 0.5  # all of the pie in round 4, accepted or not
    third = (1 + at_last**2) / 2  # what a uniform offer and the chance to refuse it are worth
    second = (1 + third) / 2
    first = (1 + second**2) / 2

    found = best_response(rules, "bob", RandomBargainer())

    assert abs(found.value - first) < 3 * found.error < 0.06


# Negotiation ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seller", "buyer"), list(product(VALUES, VALUES)))
@pytest.mark.parametrize(("rounds", "horizon"), [(1, "stated"), (10, "stated"), (30, "hidden")])
def test_equilibrium_negotiators_have_nothing_to_regret(
    seller: float, buyer: float, rounds: int, horizon: Any
) -> None:
    rules = Negotiation(seller, buyer, max_rounds=rounds, horizon=horizon)
    player = EquilibriumNegotiator()

    for seat in rules.seats:
        missed = value(rules, seat, player) - earned(rules, seat, player, player)
        assert missed == pytest.approx(0, abs=2 * player.unit / rules.price_scale)


@pytest.mark.parametrize(("buyer", "gain"), [(1.0, 0.0), (1.2, 0.0), (1.5, 0.3)])
def test_a_posted_price_is_taken_or_left(buyer: float, gain: float) -> None:
    rules = Negotiation(0.8, buyer, complete_information=False)

    assert value(rules, "bob", EquilibriumNegotiator()) == pytest.approx(gain)
    assert value(rules, "alice", EquilibriumNegotiator()) == pytest.approx(buyer - 0.8)


def test_a_fair_negotiator_halves_what_it_knows_and_else_wants_its_margin() -> None:
    told, untold = Negotiation(0.8, 1.2), Negotiation(0.8, 1.2, complete_information=False)

    assert value(told, "alice", FairNegotiator()) == pytest.approx(0.2)
    assert value(told, "bob", FairNegotiator()) == pytest.approx(0.2)
    assert value(untold, "alice", FairNegotiator()) == pytest.approx(1.2 * 0.9 - 0.8)
    assert value(untold, "bob", FairNegotiator()) == pytest.approx(1.2 - 0.8 * 1.1)


def test_without_a_price_for_both_the_best_is_not_to_trade() -> None:
    rules = Negotiation(1.5, 0.8, max_rounds=10)

    for player in (EquilibriumNegotiator(), FairNegotiator(), ConcessionNegotiator()):
        assert value(rules, "alice", player) == 0
        assert value(rules, "bob", player) == 0


def test_waiting_costs_nothing_so_a_concession_is_waited_for() -> None:
    rules = Negotiation(0.8, 1.2, max_rounds=10)

    assert value(rules, "alice", ConcessionNegotiator(floor=0.25)) == pytest.approx(0.3)
    assert value(rules, "bob", ConcessionNegotiator(floor=0.25)) == pytest.approx(0.3)


@pytest.mark.parametrize("seat", ["alice", "bob"])
@pytest.mark.parametrize("complete", [True, False])
def test_a_counteroffer_with_the_rejection_changes_nothing(seat: str, complete: bool) -> None:
    rules = Negotiation(0.8, 1.2, max_rounds=7, complete_information=complete)
    rides = replace(rules, compat=COMPETITION, messages_allowed=True)

    for player in (EquilibriumNegotiator(), FairNegotiator(), ConcessionNegotiator(deadline=5)):
        assert value(rides, seat, player) == value(rules, seat, player)


def test_who_accepts_any_price_leaves_no_best_one() -> None:
    free = GleeCompat(negotiation_validation="official")

    with pytest.raises(NoBestResponse, match="no best claim"):
        best_response(Negotiation(), "alice", RandomNegotiator())
    with pytest.raises(NoBestResponse, match="no best claim"):
        best_response(Negotiation(max_rounds=2, compat=free), "bob", RandomNegotiator())


def test_a_price_of_nothing_is_the_best_for_a_buyer_before_a_coin() -> None:
    rules = Negotiation(1.0, 1.2, max_rounds=2)
    player = RandomNegotiator(accept_probability=0.4, outside_probability=0.1)
    later = 0.4 * 1.2
    least = (2.0 - (1.2 - later)) / 2.0  # chance that a price up to 2 gains less than waiting
    first = least * later + (1 - least) * (1.2 + later) / 2

    found = best_response(rules, "bob", player)

    assert abs(found.value - first) < 3 * found.error < 0.1


# Persuasion -------------------------------------------------------------------------------------

CELLS = [(p, v) for p in (1 / 3, 0.5, 0.8) for v in (1.2, 1.25, 2, 3, 4)]


@pytest.mark.parametrize("kind", ["binary", "text"])
@pytest.mark.parametrize("buyer", ["long_living", "myopic"])
def test_who_buys_all_or_follows_is_sold_everything_and_who_buys_nothing_nothing(
    kind: Any, buyer: Any
) -> None:
    rules = Persuasion(message_type=kind, buyer=buyer)

    assert value(rules, "alice", GreedyPersuader()) == 1
    assert value(rules, "alice", CommitmentPersuader()) == 1
    assert value(rules, "alice", GreedyPersuader(buys="nothing")) == 0


@pytest.mark.parametrize(("p", "v"), CELLS)
def test_the_gains_of_the_best_buyer_are_those_of_theory(p: float, v: float) -> None:
    rules = Persuasion(p, v)
    blind = max(p * v - 1, 0)

    assert value(rules, "bob", FairPersuader()) == pytest.approx(p * (v - 1))
    assert value(rules, "bob", EquilibriumPersuader()) == pytest.approx(blind)
    bound = best_response(rules, "bob", CommitmentPersuader())
    assert bound.value == pytest.approx(blind, abs=3 * bound.error + 1e-9)
    assert bound.error < 0.01


def test_a_seller_that_leaves_a_margin_is_worth_listening_to() -> None:
    rules = Persuasion(p=0.5, v=1.5)

    found = best_response(rules, "bob", CommitmentPersuader(margin=0.4))

    assert abs(found.value - 0.4 * 0.25) < 3 * found.error < 0.03


def test_chance_recommendations_tell_nothing_and_chance_purchases_are_counted() -> None:
    ignored = best_response(Persuasion(p=0.8, v=2), "bob", RandomPersuader())
    counted = best_response(Persuasion(), "alice", RandomPersuader(buy_probability=0.3))

    assert abs(ignored.value - 0.6) < 3 * ignored.error < 0.06
    assert abs(counted.value - 0.3) < 3 * counted.error < 0.06


VARIANTS = {
    "long_living": Persuasion(),
    "after_purchase": Persuasion(compat=GleeCompat(quality_feedback="after_purchase")),
    "myopic": Persuasion(buyer="myopic"),
    "counts_only": Persuasion(buyer="myopic", compat=GleeCompat(myopic_stats="code")),
    "text": Persuasion(message_type="text"),
}


def searched(rules: Persuasion, buyer: Agent) -> float:
    """The most a seller sells per round, over everything that may have happened."""
    policy, said = Policy(rules, "bob", buyer), ("yes", "no")

    @cache
    def ahead(state: PersuasionState) -> float:
        if state.ended is not None:
            return 0.0
        found = 0.0
        for quality, chance in (("high", rules.p), ("low", 1 - rules.p)):
            drawn = list(state.qualities)
            drawn[state.round - 1] = quality
            here = replace(state, qualities=tuple(drawn))
            found += chance * max(_sold(here, Recommendation(word)) for word in said)
        return found

    def _sold(state: PersuasionState, signal: Recommendation) -> float:
        heard = rules.step(state, {"alice": signal})
        bought = policy.move(heard, 0)
        return (bought == Purchase("yes")) + ahead(rules.step(heard, {"bob": bought}))

    return ahead(rules.start(Random(0))) / rules.total_rounds


@pytest.mark.parametrize("name", ["long_living", "after_purchase", "myopic", "counts_only"])
@pytest.mark.parametrize("weight", [0.5, 2.0])
@pytest.mark.parametrize("v", [1.25, 2, 3])
def test_the_best_seller_to_a_buyer_who_learns_sells_what_an_exhaustive_search_finds(
    name: str, weight: float, v: float
) -> None:
    rules = replace(VARIANTS[name], v=v, total_rounds=4)
    buyer = FairPersuader(weight=weight)

    assert value(rules, "alice", buyer) == pytest.approx(searched(rules, buyer), abs=1e-12)


def test_a_seller_who_says_it_in_a_sentence_sells_as_much() -> None:
    spoken, shown = VARIANTS["text"], VARIANTS["long_living"]
    wordless = replace(spoken, max_message_chars=3)  # nothing fits, and silence does not recommend

    assert value(spoken, "alice", FairPersuader()) == value(shown, "alice", FairPersuader())
    assert value(wordless, "alice", FairPersuader()) < 0.1


@dataclass(frozen=True, slots=True)
class Tired:
    """A seller who tells the truth until it has sold two products, and a lie afterwards."""

    async def act(self, ask: Ask) -> Act:
        view: PersuasionView = ask.view
        sold = sum(past.bought is True for past in view.history)
        good = view.quality == "high"
        return Act(Recommendation("yes" if good == (sold < 2) else "no"))


@dataclass(frozen=True, slots=True)
class Last:
    """A buyer who follows the seller in the last round only."""

    async def act(self, ask: Ask) -> Act:
        view: PersuasionView = ask.view
        follows = view.round == view.rounds_told and view.pitch is not None
        said = view.pitch.recommendation if follows and view.pitch is not None else "no"
        return Act(Purchase(said or "no"))


@dataclass(frozen=True, slots=True)
class Chained:
    """A buyer who buys if the round before last had a product of high quality."""

    async def act(self, ask: Ask) -> Act:
        past = ask.view.history
        return Act(Purchase("yes" if len(past) > 1 and past[-2].quality == "high" else "no"))


def test_a_player_may_care_for_the_round_or_for_what_was_sold() -> None:
    rules = Persuasion(p=0.5, v=2)

    assert value(rules, "alice", Last()) == pytest.approx(1 / 20)
    assert value(rules, "bob", Tired()) == pytest.approx(0.5)  # a known liar is as good as truth


def test_a_player_who_makes_more_of_the_past_than_a_count_has_no_best_response() -> None:
    with pytest.raises(NoBestResponse, match="more of the past"):
        best_response(Persuasion(), "alice", Chained())


# All --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mirror:
    """Offers what it was last offered, accepts a half: a player with a memory."""

    async def act(self, ask: Ask) -> Act:
        view = ask.view
        if view.offer is not None:
            gain = view.offer.alice_gain if view.seat == "alice" else view.offer.bob_gain
            return Act(ask.move_type("accept" if gain >= view.pie / 2 else "reject"))
        mine = [past for past in view.history if past.proposer != view.seat]
        last = mine[-1] if mine else None
        alice = last.bob_gain if last else view.pie / 2
        return Act(ask.move_type(alice, view.pie - alice))


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Asks somebody else."""

    async def act(self, ask: Ask) -> Act:
        await asyncio.sleep(0)
        return Act(None)


@dataclass(frozen=True, slots=True)
class Silent:
    """Has nothing to say."""

    async def act(self, ask: Ask) -> Act:
        return Act(None)


@pytest.mark.parametrize(
    ("player", "reason"),
    [
        (Mirror(), "earlier offers"),
        (Elsewhere(), "asks somebody else"),
        (Silent(), "illegal move"),
        (ChatAgent(Scripted()), "asks a model"),
    ],
)
def test_a_player_that_no_search_can_judge_is_left_out_with_a_reason(
    player: Agent, reason: str
) -> None:
    with pytest.raises(NoBestResponse, match=reason):
        best_response(Bargaining(), "alice", player)


def test_other_games_have_no_search_yet() -> None:
    with pytest.raises(NoBestResponse, match="dict"):
        best_response({}, "alice", FairBargainer())


def test_a_medley_is_judged_by_its_player_of_the_game() -> None:
    players: Mapping[str, Agent] = {
        "bargaining": FairBargainer(),
        "negotiation": FairNegotiator(),
        "persuasion": FairPersuader(),
    }

    for rules, name in ((Bargaining(), "bargaining"), (Negotiation(0.8, 1.2), "negotiation")):
        assert value(rules, "alice", Medley(players)) == value(rules, "alice", players[name])
    assert value(Persuasion(), "bob", Medley(players)) == pytest.approx(0.125)


BARGAINERS = (
    EquilibriumBargainer(),
    FairBargainer(),
    FairBargainer(share=0.6, tolerance=0.2),
    GreedyBargainer(),
    ConcessionBargainer(),
    ConcessionBargainer(beta=0.3, deadline=5),
)
NEGOTIATORS = (
    EquilibriumNegotiator(),
    FairNegotiator(),
    GreedyNegotiator(),
    ConcessionNegotiator(),
    ConcessionNegotiator(beta=3, deadline=4),
)
HORIZONS = [(1, "stated"), (3, "stated"), (10, "stated"), (7, "hidden")]


@settings(max_examples=60, deadline=None)
@given(
    deltas=st.tuples(st.sampled_from(DELTAS), st.sampled_from(DELTAS)),
    horizon=st.sampled_from(HORIZONS),
    complete=st.booleans(),
    opponent=st.sampled_from(BARGAINERS),
    player=st.sampled_from((*BARGAINERS, RandomBargainer(unit=0.01))),
    seat=st.sampled_from(["alice", "bob"]),
    seed=st.integers(0, 999),
)
def test_no_bargainer_earns_more_than_the_best_response(
    deltas: tuple[float, float],
    horizon: tuple[int, Any],
    complete: bool,
    opponent: Agent,
    player: Agent,
    seat: str,
    seed: int,
) -> None:
    rules = Bargaining(1000, *deltas, *horizon, complete_information=complete)

    assert earned(rules, seat, player, opponent, seed) <= value(rules, seat, opponent) + 1e-9


@settings(max_examples=60, deadline=None)
@given(
    values=st.tuples(st.sampled_from(VALUES), st.sampled_from(VALUES)),
    horizon=st.sampled_from(HORIZONS),
    complete=st.booleans(),
    compat=st.sampled_from([GleeCompat(), COMPETITION]),
    opponent=st.sampled_from(NEGOTIATORS),
    player=st.sampled_from((*NEGOTIATORS, RandomNegotiator(outside_probability=0))),
    seat=st.sampled_from(["alice", "bob"]),
    seed=st.integers(0, 999),
)
def test_no_negotiator_earns_more_than_the_best_response(
    values: tuple[float, float],
    horizon: tuple[int, Any],
    complete: bool,
    compat: GleeCompat,
    opponent: Agent,
    player: Agent,
    seat: str,
    seed: int,
) -> None:
    rules = Negotiation(*values, 1000, *horizon, complete_information=complete, compat=compat)

    assert earned(rules, seat, player, opponent, seed) <= value(rules, seat, opponent) + 1e-9


PERSUADERS = (
    EquilibriumPersuader(),
    FairPersuader(),
    CommitmentPersuader(),
    GreedyPersuader(),
    GreedyPersuader(buys="nothing"),
    RandomPersuader(),
)


@pytest.mark.parametrize("opponent", PERSUADERS, ids=repr)
@pytest.mark.parametrize("seat", ["alice", "bob"])
@pytest.mark.parametrize("name", ["long_living", "myopic"])
def test_no_persuader_earns_more_than_the_best_response_on_average(
    opponent: Agent, seat: str, name: str
) -> None:
    rules = replace(VARIANTS[name], v=2)
    best = best_response(rules, seat, opponent)

    for player in PERSUADERS:
        gains = [earned(rules, seat, player, opponent, seed) for seed in range(12)]
        luck = stdev(gains) / len(gains) ** 0.5
        assert fmean(gains) <= best.value + 3 * (luck + best.error) + 1e-9
