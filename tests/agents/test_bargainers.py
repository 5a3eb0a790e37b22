"""The scripted bargainers, alone and against each other."""

import asyncio
from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import product
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from catallaxy.agents.base import Agent, Ask
from catallaxy.agents.chat import CallKey
from catallaxy.agents.scripted import bargaining as bargainers
from catallaxy.agents.scripted.bargaining import (
    ConcessionBargainer,
    EquilibriumBargainer,
    FairBargainer,
    GreedyBargainer,
    RandomBargainer,
)
from catallaxy.agents.wording import Wording
from catallaxy.games.glee.bargaining import (
    Answer,
    Bargaining,
    BargainingState,
    Ended,
    Move,
    Offer,
    OfferWithMessage,
)
from catallaxy.games.glee.compat import GleeCompat

CONF = Path(__file__).parents[2] / "conf"
NO_WORDS = Wording(name="none", system="", asks={})
DELTAS = (0.8, 0.9, 0.95, 1.0)
NO, YES = Answer("reject"), Answer("accept")
LAST = Bargaining(pie=100, max_rounds=3, horizon="stated")


def move_of(agent: Agent, rules: Bargaining, state: BargainingState, seed: int = 0) -> Move:
    (seat,) = rules.to_move(state)
    due = rules.move_type(state, seat)
    ask = Ask(seat, rules.view(state, seat), due, (), NO_WORDS, seed, CallKey("e", seat, 0, 0))
    act = asyncio.run(agent.act(ask))
    assert act.move is not None
    assert act.messages == ()
    rules.check(state, seat, act.move)
    return act.move


def after(rules: Bargaining, *moves: Move) -> BargainingState:
    state = rules.start(Random(0))
    for move in moves:
        state = rules.step(state, {rules.to_move(state)[0]: move})
    return state


def play(rules: Bargaining, agents: Mapping[str, Agent], seed: int = 0) -> BargainingState:
    state, rng = rules.start(Random(0)), Random(seed)
    while turn := rules.to_move(state):
        move = move_of(agents[turn[0]], rules, state, rng.getrandbits(31))
        state = rules.step(state, {turn[0]: move})
    return state


def self_play(rules: Bargaining, agent: Agent) -> Mapping[str, float]:
    return rules.metrics(play(rules, {"alice": agent, "bob": agent}))


# Equilibrium ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("delta_a", "delta_b"), list(product(DELTAS, DELTAS)))
def test_equilibrium_play_without_a_known_end_agrees_at_once_as_predicted(
    delta_a: float, delta_b: float
) -> None:
    rules = Bargaining(delta_a=delta_a, delta_b=delta_b)

    found = self_play(rules, EquilibriumBargainer())

    assert (found["agreement"], found["rounds"]) == (1, 1)
    expected = rules.prediction().get("alice_share", 0.5)  # undefined: an equal split
    assert found["alice_share"] == pytest.approx(expected, abs=0.01 / rules.pie)


@pytest.mark.parametrize("last_round", [1, 2, 3, 4, 10, 12, 99])
@pytest.mark.parametrize(
    ("delta_a", "delta_b"),
    [
        (0.9, 0.9), (0.8, 0.8), (0.9, 0.8), (0.8, 0.9), (0.95, 0.95), (0.95, 0.8), (1.0, 0.8),
        (0.8, 1.0), (1.0, 1.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pie", [100, 1_000_000])
def test_equilibrium_play_with_a_known_end_agrees_at_once_as_predicted(
    last_round: int, delta_a: float, delta_b: float, pie: float
) -> None:
    rules = Bargaining(pie, delta_a, delta_b, max_rounds=last_round, horizon="stated")

    found = self_play(rules, EquilibriumBargainer())

    assert (found["agreement"], found["rounds"]) == (1, 1)
    assert found["distance_to_theory@alice"] == pytest.approx(0, abs=0.01 / pie)
    assert found["distance_to_theory@bob"] == pytest.approx(0, abs=0.01 / pie)


def test_off_the_path_the_equilibrium_goes_on_by_the_parity_of_rounds() -> None:
    rules, agent = Bargaining(delta_a=0.9, delta_b=0.8), EquilibriumBargainer()
    passed = [Offer(10_000, 0), NO, Offer(0, 10_000), NO]

    first = move_of(agent, rules, after(rules))
    third = move_of(agent, rules, after(rules, *passed))
    second = move_of(agent, rules, after(rules, *passed[:2]))

    assert first == third == Offer(7142.86, 2857.14)
    assert second == Offer(6428.57, 3571.43)  # Alice gets her delta times her opening share


def test_in_the_last_round_the_proposer_takes_all_and_getting_nothing_is_accepted() -> None:
    rules, agent = LAST, EquilibriumBargainer()
    at_last = after(rules, Offer(50, 50), NO, Offer(50, 50), NO)

    assert move_of(agent, rules, at_last) == Offer(100, 0)
    assert move_of(agent, rules, rules.step(at_last, {"alice": Offer(100, 0)})) == YES


def test_the_equilibrium_responder_accepts_at_indifference_and_rejects_less() -> None:
    rules, agent = Bargaining(delta_a=0.9, delta_b=0.8), EquilibriumBargainer()

    assert move_of(agent, rules, after(rules, Offer(7142.86, 2857.14))) == YES
    assert move_of(agent, rules, after(rules, Offer(7142.88, 2857.12))) == NO


def test_an_untold_delta_is_believed_to_be_the_own_one_or_what_is_configured() -> None:
    rules = Bargaining(delta_a=0.9, delta_b=0.8, complete_information=False)

    assert move_of(EquilibriumBargainer(), rules, after(rules)) == Offer(5263.16, 4736.84)
    believer = EquilibriumBargainer(belief_delta=0.8)
    assert move_of(believer, rules, after(rules)) == Offer(7142.86, 2857.14)
    knows = Bargaining(delta_a=0.9, delta_b=0.9)
    assert move_of(believer, knows, after(knows)) == Offer(5263.16, 4736.84)


# Others -----------------------------------------------------------------------------------------


def test_the_fair_bargainer_halves_and_refuses_less_than_its_tolerance() -> None:
    rules = Bargaining()

    assert move_of(FairBargainer(), rules, after(rules)) == Offer(5000, 5000)
    assert move_of(FairBargainer(), rules, after(rules, Offer(5000, 5000))) == YES
    assert move_of(FairBargainer(), rules, after(rules, Offer(5001, 4999))) == NO
    lenient = FairBargainer(tolerance=0.1)
    assert move_of(lenient, rules, after(rules, Offer(6000, 4000))) == YES
    assert move_of(lenient, rules, after(rules, Offer(6001, 3999))) == NO


def test_the_greedy_bargainer_wants_everything() -> None:
    rules = Bargaining()

    assert move_of(GreedyBargainer(), rules, after(rules)) == Offer(10_000, 0)
    assert move_of(GreedyBargainer(), rules, after(rules, Offer(0, 10_000))) == YES
    assert move_of(GreedyBargainer(), rules, after(rules, Offer(0.01, 9999.99))) == NO


def test_the_greedy_bargainer_takes_anything_but_nothing_in_a_last_round_that_it_knows() -> None:
    stated = Bargaining(max_rounds=1, horizon="stated")
    hidden = Bargaining(max_rounds=1)

    assert move_of(GreedyBargainer(), stated, after(stated, Offer(9999.99, 0.01))) == YES
    assert move_of(GreedyBargainer(), stated, after(stated, Offer(10_000, 0))) == NO
    assert move_of(GreedyBargainer(), hidden, after(hidden, Offer(9999.99, 0.01))) == NO


def test_two_greedy_bargainers_never_agree() -> None:
    rules = Bargaining(max_rounds=5)
    greedy = GreedyBargainer()

    assert play(rules, {"alice": greedy, "bob": greedy}).ended is Ended.NO_AGREEMENT


def test_a_random_bargainer_repeats_itself_only_for_the_same_seed() -> None:
    rules, agent = Bargaining(), RandomBargainer()

    offers = [move_of(agent, rules, after(rules), seed) for seed in range(30)]

    assert offers == [move_of(agent, rules, after(rules), seed) for seed in range(30)]
    assert len(set(offers)) > 25
    assert all(isinstance(offer, Offer) and offer.alice_gain % 1 == 0 for offer in offers)


@pytest.mark.parametrize(("chance", "accepted"), [(0.0, 0), (0.5, 204), (1.0, 400)])
def test_a_random_bargainer_accepts_with_the_configured_probability(
    chance: float, accepted: int
) -> None:
    rules, agent = Bargaining(), RandomBargainer(accept_probability=chance)
    state = after(rules, Offer(5000, 5000))

    answers = [move_of(agent, rules, state, seed) for seed in range(400)]

    assert abs(answers.count(YES) - accepted) < 40


def test_a_conceding_bargainer_goes_from_start_to_floor_by_the_deadline() -> None:
    rules = Bargaining(pie=100)
    agent = ConcessionBargainer(start=0.9, floor=0.4, beta=1, deadline=11)

    def demand(round_: int) -> Move:
        return move_of(agent, rules, after(rules, *[Offer(50, 50), NO] * (round_ - 1)))

    assert demand(1) == Offer(90, 10)
    assert demand(6) == Offer(35, 65)  # Bob's turn: half of the way down
    assert demand(11) == demand(13) == Offer(40, 60)


@pytest.mark.parametrize(("beta", "demanded"), [(0.5, 77.5), (1.0, 65.0), (2.0, 54.64)])
def test_beta_says_whether_concessions_come_late_or_early(beta: float, demanded: float) -> None:
    rules = Bargaining(pie=100)
    agent = ConcessionBargainer(start=0.9, floor=0.4, beta=beta, deadline=5)
    state = after(rules, *[Offer(50, 50), NO] * 2)

    offer = move_of(agent, rules, state)

    assert isinstance(offer, Offer)
    assert offer.alice_gain == demanded


def test_a_conceding_bargainer_accepts_what_it_would_ask_for_next() -> None:
    rules = Bargaining(pie=100)
    agent = ConcessionBargainer(start=0.9, floor=0.4, beta=1, deadline=11)

    assert move_of(agent, rules, after(rules, Offer(15, 85))) == YES
    assert move_of(agent, rules, after(rules, Offer(15.01, 84.99))) == NO


def test_a_told_last_round_brings_the_deadline_forward() -> None:
    agent = ConcessionBargainer(start=0.9, floor=0.4, deadline=50)
    once = replace(LAST, max_rounds=1)

    at_last = after(LAST, Offer(50, 50), NO, Offer(50, 50), NO)

    assert move_of(agent, LAST, at_last) == Offer(40, 60)
    assert move_of(agent, once, after(once)) == Offer(40, 60)


@pytest.mark.parametrize(
    ("name", "value"), [("floor", 0.95), ("start", 1.2), ("beta", 0), ("deadline", 0)]
)
def test_a_concession_that_goes_nowhere_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        replace(ConcessionBargainer(), **{name: value})


# All --------------------------------------------------------------------------------------------

EVERYONE = (
    EquilibriumBargainer(),
    FairBargainer(share=1 / 3),
    GreedyBargainer(),
    RandomBargainer(unit=0.01),
    ConcessionBargainer(),
)


@given(
    pie=st.sampled_from([0.3, 1, 99.99, 100, 10_000, 1_000_000]),
    deltas=st.tuples(st.sampled_from(DELTAS), st.sampled_from(DELTAS)),
    agents=st.tuples(st.sampled_from(EVERYONE), st.sampled_from(EVERYONE)),
    horizon=st.sampled_from(["stated", "hidden"]),
    complete=st.booleans(),
    messages=st.booleans(),
    seed=st.integers(0, 99),
)
def test_every_bargainer_makes_legal_moves_only(
    pie: float,
    deltas: tuple[float, float],
    agents: tuple[Agent, Agent],
    horizon: str,
    complete: bool,
    messages: bool,
    seed: int,
) -> None:
    rules = replace(
        Bargaining(pie, *deltas, 6),
        horizon=horizon,
        complete_information=complete,
        messages_allowed=messages,
    )

    end = play(rules, {"alice": agents[0], "bob": agents[1]}, seed)

    assert end.ended in (Ended.AGREEMENT, Ended.NO_AGREEMENT)


@given(
    agents=st.tuples(st.sampled_from(EVERYONE), st.sampled_from(EVERYONE)), seed=st.integers(0, 99)
)
def test_a_bargainer_that_may_walk_away_plays_as_if_it_could_not(
    agents: tuple[Agent, Agent], seed: int
) -> None:
    closed = Bargaining(max_rounds=6)
    open_ = replace(closed, compat=GleeCompat(bargaining_walk_away=True))
    seated = {"alice": agents[0], "bob": agents[1]}

    assert play(open_, seated, seed) == play(closed, seated, seed)


@pytest.mark.parametrize("agent", EVERYONE)
def test_a_bargainer_says_a_sentence_where_messages_are_allowed(agent: Agent) -> None:
    rules = Bargaining(messages_allowed=True)
    silent = replace(agent, chatty=False)  # ty: ignore[invalid-argument-type]  a dataclass each

    said = move_of(agent, rules, after(rules))
    unsaid = move_of(silent, rules, after(rules))

    assert isinstance(said, OfferWithMessage)
    assert said.message.startswith("I propose $")
    assert isinstance(unsaid, OfferWithMessage)
    assert unsaid.message == ""


@pytest.mark.parametrize(
    "name",
    [
        "equilibrium_bargainer",
        "fair_bargainer",
        "greedy_bargainer",
        "random_bargainer",
        "concession_bargainer",
    ],
)
def test_a_bargainer_s_yaml_names_every_field_and_agrees_with_the_dataclass(name: str) -> None:
    choices = yaml.safe_load((CONF / f"agent/{name}.yaml").read_text())
    module, _, kind = choices.pop("_target_").rpartition(".")

    assert module == bargainers.__name__
    bargainer = getattr(bargainers, kind)
    assert set(choices) == {f.name for f in fields(bargainer)}
    assert bargainer(**choices) == bargainer()
