"""The grid, the ledger and the marketplace: designs, settlement, budgets, resume."""

import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from catallaxy.platform.compose import composed
from catallaxy.platform.errors import ConfigError
from catallaxy.platform.experiment import Result, conduct, experiment
from catallaxy.platform.host import Spent
from catallaxy.platform.market.ledger import Ledger
from catallaxy.platform.market.marketplace import Budget, Progress, RunStatus
from catallaxy.platform.record import Engagement, EpisodeStatus, Outcome
from catallaxy.platform.store.compare import differences
from catallaxy.platform.store.reader import Reader
from tests.toys import played_in, small

POOL = (
    "experiment=quickstart",
    "backend=scripted",
    "market.pairs=[]",
    "~market.factors.messages_allowed",
)


def design(*overrides: str) -> list[Engagement]:
    return experiment(composed(overrides)).design()


def nobody(_: Progress) -> None:
    """Watches nothing."""


def played(folder: Path, *overrides: str, watch: Any = nobody) -> Result:
    return asyncio.run(conduct(experiment(small(*overrides)), folder, watch))


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with Reader.open(folder) as reader:
        return reader.sql(query).rows


def test_the_paper_grid_has_384_configurations_each_once() -> None:
    engagements = design("experiment=glee_bargaining", "backend=scripted")

    assert len(engagements) == len({e.variant for e in engagements}) == 384
    assert [e.ordinal for e in engagements] == list(range(384))


@pytest.mark.parametrize(("seating", "pairs"), [("ordered_pairs", 12), ("with_self", 16)])
def test_every_pair_meets_every_variant_equally_often(seating: str, pairs: int) -> None:
    engagements = design(
        *POOL,
        f"market.seating={seating}",
        "+market.factors={delta_a: [0.8, 0.9], complete_information: [true, false]}",
        "market.replicates=3",
    )
    cells = Counter((e.variant, tuple(e.seats.values())) for e in engagements)

    assert len(cells) == 4 * pairs
    assert set(cells.values()) == {3}


def test_nature_is_shared_by_all_pairs_of_a_variant_and_replicate_only() -> None:
    engagements = design(*POOL, "market.seating=ordered_pairs", "market.replicates=2")
    seeds = {(e.variant, e.replicate): e.seed for e in engagements}

    assert all(e.seed == seeds[e.variant, e.replicate] for e in engagements)
    assert len(set(seeds.values())) == len(seeds) == 2


def test_ids_and_seeds_depend_on_the_seed_and_the_design_only() -> None:
    same = design("experiment=glee_bargaining", "backend=local")
    again = design("experiment=glee_bargaining", "backend=scripted")
    other = design("experiment=glee_bargaining", "backend=scripted", "seed=2")

    assert [(e.id, e.seed) for e in same] == [(e.id, e.seed) for e in again]
    assert {e.seed for e in same}.isdisjoint({e.seed for e in other})
    assert len({e.id for e in same}) == 384


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["market.seating=by_seat"], "agent.alice (market.seating is by_seat): 'alice'"),
        (["market.pairs=[[smol]]"], "must name one agent per seat"),
        (["market.pairs=[[smol, fare]]"], "Did you mean 'fair'?"),
        ([], "the design has no engagements"),
    ],
)
def test_a_design_that_cannot_be_seated_says_why(overrides: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        experiment(composed([*POOL, *overrides]))

    assert said in str(refused.value)


def outcome(ordinal: int, status: EpisodeStatus = EpisodeStatus.SETTLED) -> Outcome:
    paid = {"alice": 2.0 + ordinal, "bob": 1.0} if status is EpisodeStatus.SETTLED else {}
    seats = {"alice": "x", "bob": "y"}
    return Outcome(ordinal, f"e{ordinal}", status, seats, paid, 1, 0, 0)


def test_settlement_goes_in_the_order_of_the_design_whoever_finishes_first() -> None:
    outcomes = [outcome(n) for n in range(50)]
    shuffled = outcomes.copy()
    Random(1).shuffle(shuffled)
    in_order, out_of_order = Ledger(), Ledger()

    one = [p for o in outcomes for p in in_order.add(o)]
    other = [p for o in shuffled for p in out_of_order.add(o)]

    assert one == other
    assert out_of_order.balances == {"x": sum(2.0 + n for n in range(50)), "y": 50.0}


def test_a_failed_episode_pays_nobody_and_holds_nobody_up() -> None:
    ledger = Ledger()

    assert ledger.add(outcome(1)) == []
    assert [p.ordinal for p in ledger.add(outcome(0, EpisodeStatus.FAILED))] == [1, 1]


def test_an_agent_that_plays_itself_earns_both_payoffs() -> None:
    ledger = Ledger()
    alone = {"alice": "x", "bob": "x"}

    ledger.add(Outcome(0, "e", EpisodeStatus.SETTLED, alone, {"alice": 2.0, "bob": 3.0}, 1, 0, 0))

    assert ledger.balances == {"x": 5.0}


@pytest.mark.slow
def test_two_runs_of_one_seed_give_equal_stores_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert played(tmp_path / name, f"seed={seed}").status is RunStatus.FINISHED

    assert differences(tmp_path / "a", tmp_path / "b") == []
    assert differences(tmp_path / "a", tmp_path / "c") != []


@pytest.mark.slow
def test_results_do_not_depend_on_how_many_episodes_are_in_flight(tmp_path: Path) -> None:
    slow = ["backend.latency_s=0.01", "backend.latency_sigma=1"]
    played(tmp_path / "one", "cluster.in_flight=1", *slow)
    played(tmp_path / "many", "cluster.in_flight=8", *slow)

    found = differences(tmp_path / "one", tmp_path / "many")

    assert [line for line in found if "config" not in line] == []


@pytest.mark.slow
def test_a_spent_budget_stops_the_run_and_resume_plays_exactly_the_rest(tmp_path: Path) -> None:
    whole = played(tmp_path / "whole", "market.replicates=10", "cluster.in_flight=2")
    slow = ["cluster.in_flight=2", "backend.latency_s=0.01"]
    config = small("market.replicates=10", "budget.calls=60", *slow)
    built = experiment(config)
    part = asyncio.run(conduct(built, tmp_path / "part", nobody))
    assert part.status is RunStatus.STOPPED
    assert part.progress.why_stopped == "budget.calls=60 is spent"
    assert 0 < part.progress.settled < whole.progress.settled == 80

    launches = 1
    while part.status is RunStatus.STOPPED:
        part = asyncio.run(conduct(built, tmp_path / "part", nobody))
        launches += 1

    assert 3 < launches < 20
    assert played_in(tmp_path / "whole") == played_in(tmp_path / "part")
    assert rows(tmp_path / "part", "select count(*), count(distinct episode) from episodes") == [
        (80, 80)
    ]


def test_episodes_that_failed_are_rows_and_are_played_again_on_resume(tmp_path: Path) -> None:
    built = experiment(small("backend.fail_rate=1", "backend.limits.retries=0", "check=false"))
    first = asyncio.run(conduct(built, tmp_path, nobody))
    assert first.progress.failed == 8
    assert rows(tmp_path, "select distinct status, fault from episodes") == [("failed", "backend")]

    # the second attempt of every call succeeds, as after an outage
    again = asyncio.run(conduct(built, tmp_path, nobody))

    assert again.progress.settled + again.progress.failed == 8
    assert rows(tmp_path, "select max(play) from episodes") == [(2,)]


def test_budgets_name_the_one_that_is_spent() -> None:
    spent = Spent(calls=5, input_tokens=70, output_tokens=30, cost=0.5)

    assert Budget().spent_by(spent, 1e9) is None
    assert Budget(tokens=100).spent_by(spent, 0) == "budget.tokens=100 is spent"
    assert Budget(cost_usd=0.4).spent_by(spent, 0) == "budget.cost_usd=0.4 is spent"
    assert Budget(minutes=1).spent_by(spent, 2) == "budget.minutes=1 is spent"
    assert Budget(calls=6).spent_by(spent, 0) is None
