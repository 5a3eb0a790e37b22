"""The scripted sellers and buyers, alone and against each other."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from random import Random
from statistics import fmean

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from catallaxy.agents.base import Agent, Ask
from catallaxy.agents.chat import CallKey
from catallaxy.agents.scripted import persuasion as persuaders
from catallaxy.agents.scripted.persuasion import (
    CommitmentPersuader,
    EquilibriumPersuader,
    FairPersuader,
    GreedyPersuader,
    RandomPersuader,
    recommends,
)
from catallaxy.agents.wording import Wording
from catallaxy.games.glee.compat import GleeCompat
from catallaxy.games.glee.persuasion import (
    Ended,
    Move,
    Persuasion,
    PersuasionState,
    Purchase,
    PurchaseWithMessage,
    Quality,
    Recommendation,
    SellerMessage,
)

pytestmark = pytest.mark.slow

CONF = Path(__file__).parents[2] / "conf"
NO_WORDS = Wording(name="none", system="", asks={})
SAY, WARN = Recommendation("yes"), Recommendation("no")
BUY, PASS = Purchase("yes"), Purchase("no")
GRID = [(p, v) for p in (1 / 3, 0.5, 0.8) for v in (1.2, 1.25, 2.0, 3.0, 4.0)]

every_configuration = pytest.mark.parametrize(("p", "v"), GRID)
every_setting = pytest.mark.parametrize(
    ("message_type", "buyer"),
    [(kind, buyer) for kind in ("binary", "text") for buyer in ("long_living", "myopic")],
)


def ask_of(rules: Persuasion, state: PersuasionState, seed: int = 0) -> Ask:
    (seat,) = rules.to_move(state)
    due = rules.move_type(state, seat)
    return Ask(seat, rules.view(state, seat), due, (), NO_WORDS, seed, CallKey("e", seat, 0, 0))


def move_of(agent: Agent, rules: Persuasion, state: PersuasionState, seed: int = 0) -> Move:
    act = asyncio.run(agent.act(ask_of(rules, state, seed)))
    assert act.move is not None
    assert act.messages == ()
    rules.check(state, rules.to_move(state)[0], act.move)
    return act.move


def after(
    rules: Persuasion, qualities: Sequence[Quality], *moves: Move
) -> tuple[Persuasion, PersuasionState]:
    """The game and where it stands when nature drew `qualities` and `moves` were made."""
    rules = replace(rules, total_rounds=len(qualities))
    state = replace(rules.start(Random(0)), qualities=tuple(qualities))
    for move in moves:
        state = rules.step(state, {rules.to_move(state)[0]: move})
    return rules, state


def play(rules: Persuasion, seller: Agent, buyer: Agent, seed: int = 0) -> PersuasionState:
    async def played() -> PersuasionState:
        state, rng = rules.start(Random(seed)), Random(-seed - 1)
        agents = {"alice": seller, "bob": buyer}
        while turn := rules.to_move(state):
            act = await agents[turn[0]].act(ask_of(rules, state, rng.getrandbits(31)))
            assert act.move is not None
            rules.check(state, turn[0], act.move)
            state = rules.step(state, {turn[0]: act.move})
        return state

    return asyncio.run(played())


def measured(
    rules: Persuasion, seller: Agent, buyer: Agent, games: int = 40
) -> Mapping[str, float]:
    """The mean of every measure over games of as many seeds, where it is defined."""
    found = [rules.metrics(play(rules, seller, buyer, seed)) for seed in range(games)]
    names = {name for each in found for name in each}
    return {name: fmean(each[name] for each in found if name in each) for name in names}


# Against the benchmarks -------------------------------------------------------------------------


@every_setting
@every_configuration
def test_the_equilibrium_sells_everything_or_nothing_as_predicted(
    p: float, v: float, message_type: str, buyer: str
) -> None:
    rules = replace(Persuasion(p=p, v=v), message_type=message_type, buyer=buyer)
    found = rules.metrics(play(rules, EquilibriumPersuader(), EquilibriumPersuader()))

    assert found["distance_to_theory@alice"] == 0
    for name in ("efficiency", "fairness"):
        assert found.get(name, rules.prediction()[name]) == rules.prediction()[name]


@every_configuration
def test_the_equilibrium_pays_the_buyer_on_average_what_is_predicted(p: float, v: float) -> None:
    rules = Persuasion(p=p, v=v)

    found = measured(rules, EquilibriumPersuader(), EquilibriumPersuader())

    luck = found["high_rounds"] / rules.total_rounds - p
    sold = rules.prediction()["efficiency"]
    assert found["distance_to_theory@bob"] == pytest.approx(sold * v * luck)
    assert abs(luck) < 0.06


@every_setting
@every_configuration
def test_the_truth_is_believed_and_sells_all_high_products_and_no_low_one(
    p: float, v: float, message_type: str, buyer: str
) -> None:
    rules = replace(Persuasion(p=p, v=v), message_type=message_type, buyer=buyer)
    for seed in range(4):
        found = rules.metrics(play(rules, FairPersuader(), FairPersuader(), seed))

        assert (found.get("efficiency", 1), found.get("fairness", 1)) == (1, 1)
        high = found["high_rounds"] / rules.total_rounds
        assert found["self_gain@alice"] == pytest.approx(high)
        assert found["self_gain@bob"] == pytest.approx(high * (v - 1))


@every_configuration
def test_a_committed_seller_earns_on_average_what_the_benchmark_says(p: float, v: float) -> None:
    rules = Persuasion(p=p, v=v)
    agent = CommitmentPersuader()

    found = measured(rules, agent, agent)
    benchmark = rules.prediction()

    assert found["efficiency"] == 1
    assert found["fairness"] == pytest.approx(benchmark["fairness_commitment"], abs=0.08)
    for seat in rules.seats:
        assert found[f"distance_to_commitment@{seat}"] == pytest.approx(0, abs=0.08 * v)


@pytest.mark.parametrize(("p", "v"), [(1 / 3, 2.0), (0.5, 1.25), (0.8, 1.2)])
def test_a_learning_buyer_comes_to_follow_a_seller_who_lies_less_than_she_could(
    p: float, v: float
) -> None:
    rules, margin = Persuasion(p=p, v=v, total_rounds=300), 0.5
    seller = CommitmentPersuader(margin=margin)

    late = [
        r for seed in range(3) for r in play(rules, seller, FairPersuader(), seed).history[150:]
    ]

    followed = [r.bought == (r.recommendation == "yes") for r in late]
    assert fmean(followed) > 0.97
    truthful, best = (
        rules.prediction()[f"self_gain_{each}@alice"] for each in ("truthful", "commitment")
    )
    expected = margin * truthful + (1 - margin) * best
    assert fmean(r.bought is True for r in late) == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize(
    ("p", "v", "sold"),
    [
        (1 / 3, 1.2, False),
        (1 / 3, 2.0, False),
        (0.5, 1.25, False),
        (0.5, 3.0, True),
        (0.8, 4.0, True),
    ],
)
def test_a_learning_buyer_ends_up_at_the_odds_with_a_seller_who_recommends_everything(
    p: float, v: float, sold: bool
) -> None:
    rules = Persuasion(p=p, v=v, total_rounds=100)
    state = play(rules, GreedyPersuader(), FairPersuader(), seed=2)

    late = {past.bought for past in state.history[60:]}

    assert state.history[0].bought is True  # believed at first
    assert late == {sold} == {rules.prediction()["efficiency"] == 1}


# Each rule --------------------------------------------------------------------------------------


def test_the_equilibrium_buyer_buys_by_the_odds_whatever_is_said() -> None:
    for said in (SAY, WARN):
        for v, due in ((1.99, PASS), (2.0, BUY)):
            rules, state = after(Persuasion(v=v), ["low"], said)
            assert move_of(EquilibriumPersuader(), rules, state) == due


def test_an_untold_chance_is_believed_to_be_what_is_configured() -> None:
    rules, state = after(Persuasion(p=0.1, v=2.0, buyer_knows_p=False), ["low"], SAY)

    assert move_of(EquilibriumPersuader(), rules, state) == BUY
    assert move_of(EquilibriumPersuader(belief_p=0.4), rules, state) == PASS


@pytest.mark.parametrize(("v", "q"), [(1.25, 0.25), (1.5, 0.5), (2.0, 1.0)])
def test_a_committed_seller_recommends_high_products_and_the_due_share_of_low_ones(
    v: float, q: float
) -> None:
    high, low = after(Persuasion(v=v), ["high"]), after(Persuasion(v=v), ["low"])
    agent = CommitmentPersuader()

    lies = [move_of(agent, *low, seed) for seed in range(400)]

    assert {move_of(agent, *high, seed) for seed in range(20)} == {SAY}
    assert lies.count(SAY) / 400 == pytest.approx(q, abs=0.06)
    assert lies == [move_of(agent, *low, seed) for seed in range(400)]


def test_a_margin_is_the_share_of_lies_that_it_does_without() -> None:
    low = after(Persuasion(v=2.0), ["low"])

    honest = {move_of(CommitmentPersuader(margin=1), *low, seed) for seed in range(50)}
    half = [move_of(CommitmentPersuader(margin=0.5), *low, seed) for seed in range(400)]

    assert honest == {WARN}
    assert half.count(SAY) / 400 == pytest.approx(0.5, abs=0.06)


def test_a_committed_seller_who_is_not_told_the_values_goes_by_her_belief() -> None:
    low = after(Persuasion(v=4.0, seller_knows_values=False), ["low"])

    lies = [move_of(CommitmentPersuader(), *low, seed) for seed in range(400)]
    bold = {move_of(CommitmentPersuader(belief_v=2.0), *low, seed) for seed in range(50)}

    assert lies.count(SAY) / 400 == pytest.approx(0.25, abs=0.06)
    assert bold == {SAY}


@pytest.mark.parametrize(("said", "done"), [(SAY, BUY), (WARN, PASS)])
def test_a_buyer_who_trusts_commitment_follows(said: Move, done: Move) -> None:
    assert move_of(CommitmentPersuader(), *after(Persuasion(), ["low"], said)) == done


def test_the_learning_buyer_decides_by_the_posterior_mean() -> None:
    # prior mean 0.95 of weight 2; then one high and one low product that were recommended
    chance = (0.95 * 2 + 1) / (2 + 2)
    moves = (SAY, BUY, SAY, PASS, SAY)

    for v, due in ((1.001 / chance, BUY), (0.999 / chance, PASS)):
        rules, state = after(Persuasion(p=0.5, v=v), ["high", "low", "low"], *moves)
        assert move_of(FairPersuader(), rules, state) == due


def test_the_learning_buyer_keeps_separate_accounts_of_recommendations_and_warnings() -> None:
    rules, state = after(
        Persuasion(v=1.2), ["low", "low", "high"], WARN, PASS, WARN, PASS, SAY
    )  # low products were warned of: no reason to doubt praise

    assert move_of(FairPersuader(), rules, state) == BUY
    rules, state = after(Persuasion(v=1.5), ["high"] * 8, *(WARN, PASS) * 7, WARN)
    assert move_of(FairPersuader(), rules, state) == BUY  # whose warnings have meant high quality


def test_the_learning_buyer_counts_only_qualities_that_it_has_learned() -> None:
    lied = (SAY, PASS, SAY, PASS, SAY)
    rules = Persuasion(v=1.25)
    blind = replace(rules, compat=GleeCompat(quality_feedback="after_purchase"))

    assert move_of(FairPersuader(), *after(rules, ["low", "low", "low"], *lied)) == PASS
    assert move_of(FairPersuader(), *after(blind, ["low", "low", "low"], *lied)) == BUY


@pytest.mark.parametrize("stats", ["paper", "code"])
def test_a_new_learning_buyer_takes_what_was_sold_for_what_was_recommended(stats: str) -> None:
    rules = Persuasion(v=1.25, buyer="myopic")
    rules = replace(rules, compat=replace(GleeCompat(), myopic_stats=stats))
    twice = (SAY, BUY, SAY, BUY, SAY)

    assert move_of(FairPersuader(), *after(rules, ["low", "low", "low"], *twice)) == PASS
    assert move_of(FairPersuader(), *after(rules, ["high", "high", "low"], *twice)) == BUY


def test_the_learning_buyer_keeps_to_the_odds_where_words_are_impossible() -> None:
    rules, state = after(Persuasion(p=1.0, v=1.0), ["high"], WARN)

    assert move_of(FairPersuader(doubt=0.0), rules, state) == BUY


@pytest.mark.parametrize(("buys", "due"), [("everything", BUY), ("nothing", PASS)])
def test_the_greedy_persuader_does_not_look(buys: str, due: Move) -> None:
    agent = replace(GreedyPersuader(), buys=buys)

    for quality, said in (("high", SAY), ("low", WARN)):
        assert move_of(agent, *after(Persuasion(), [quality])) == SAY
        assert move_of(agent, *after(Persuasion(), [quality], said)) == due


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
def test_a_random_persuader_says_yes_with_the_configured_probabilities(chance: float) -> None:
    agent = RandomPersuader(recommend_probability=chance, buy_probability=1 - chance)
    opening, pitched = after(Persuasion(), ["low"]), after(Persuasion(), ["low"], SAY)

    said = [move_of(agent, *opening, seed) for seed in range(400)]
    done = [move_of(agent, *pitched, seed) for seed in range(400)]

    assert said.count(SAY) / 400 == pytest.approx(chance, abs=0.07)
    assert done.count(BUY) / 400 == pytest.approx(1 - chance, abs=0.07)
    assert said == [move_of(agent, *opening, seed) for seed in range(400)]


@pytest.mark.parametrize(
    ("agent", "wrong", "named"),
    [
        (CommitmentPersuader, {"margin": 1.1}, "margin"),
        (CommitmentPersuader, {"belief_v": 0.9}, "belief_v"),
        (CommitmentPersuader, {"belief_c": -1}, "belief_c"),
        (FairPersuader, {"doubt": 0.6}, "doubt"),
        (FairPersuader, {"weight": 0}, "weight"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(
    agent: type, wrong: Mapping[str, float], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        agent(**wrong)


# Words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "recommended"),
    [
        ("I recommend this product.", True),
        ("High quality, worth every cent!", True),
        ("Hello.", True),
        ("Yesterday was allowed.", True),  # parts of words do not count
        ("", False),
        (" ...", False),
        ("I do NOT recommend it.", False),
        ("Don’t buy this one.", False),
        ("It is of low quality.", False),
        ("Lieber nicht.", False),
        ("Not to be missed!", False),  # read wrongly: the rule is no more than its words
    ],
)
def test_a_text_recommends_unless_it_is_empty_or_a_word_of_it_warns(
    said: str, recommended: bool
) -> None:
    assert recommends(said) is recommended


def test_what_a_scripted_seller_writes_is_read_as_it_is_meant() -> None:
    rules = Persuasion(message_type="text")
    for quality in ("high", "low"):
        said = move_of(FairPersuader(), *after(rules, [quality]))
        assert isinstance(said, SellerMessage)
        assert recommends(said.message) is (quality == "high")


def test_a_seller_whose_sentence_is_too_long_for_the_rules_says_nothing() -> None:
    rules = Persuasion(message_type="text", max_message_chars=10)

    assert move_of(GreedyPersuader(), *after(rules, ["high"])) == SellerMessage("")


def test_a_scripted_buyer_who_may_write_writes_nothing() -> None:
    rules = Persuasion(allow_buyer_message=True)

    assert move_of(GreedyPersuader(), *after(rules, ["low"], SAY)) == PurchaseWithMessage("yes", "")


# All --------------------------------------------------------------------------------------------

EVERYONE = (
    EquilibriumPersuader(),
    CommitmentPersuader(),
    FairPersuader(),
    GreedyPersuader(),
    GreedyPersuader("nothing"),
    RandomPersuader(),
)


@given(
    rules=st.builds(
        Persuasion,
        p=st.sampled_from([0, 1 / 3, 0.8, 1]),
        v=st.sampled_from([1, 1.2, 4]),
        c=st.sampled_from([0, 0.5, 1]),
        total_rounds=st.integers(1, 6),
        horizon=st.sampled_from(["stated", "hidden"]),
        seller_knows_values=st.booleans(),
        buyer_knows_p=st.booleans(),
        message_type=st.sampled_from(["binary", "text"]),
        buyer=st.sampled_from(["long_living", "myopic"]),
        allow_buyer_message=st.booleans(),
        max_message_chars=st.sampled_from([0, 25, 2000]),
        compat=st.builds(
            GleeCompat,
            myopic_stats=st.sampled_from(["paper", "code"]),
            quality_feedback=st.sampled_from(["every_round", "after_purchase"]),
        ),
    ),
    agents=st.tuples(st.sampled_from(EVERYONE), st.sampled_from(EVERYONE)),
    seed=st.integers(0, 99),
)
def test_every_persuader_makes_legal_moves_at_either_seat(
    rules: Persuasion, agents: tuple[Agent, Agent], seed: int
) -> None:
    end = play(rules, *agents, seed)

    assert (end.ended, len(end.history)) == (Ended.PLAYED, rules.total_rounds)


@pytest.mark.parametrize("name", ["equilibrium", "commitment", "fair", "greedy", "random"])
def test_a_persuader_s_yaml_names_every_field_and_agrees_with_the_dataclass(name: str) -> None:
    choices = yaml.safe_load((CONF / f"agent/{name}_persuader.yaml").read_text())
    module, _, kind = choices.pop("_target_").rpartition(".")

    assert module == persuaders.__name__
    persuader = getattr(persuaders, kind)
    assert set(choices) == {f.name for f in fields(persuader)}
    assert persuader(**choices) == persuader()
