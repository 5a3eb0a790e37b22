"""Balanced fractions of a grid: who plays what how often."""

from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catallaxy.platform.analysis.balance import Balance, Cell, balance
from catallaxy.platform.compose import composed
from catallaxy.platform.errors import ConfigError
from catallaxy.platform.experiment import experiment
from catallaxy.platform.record import Engagement

pytestmark = pytest.mark.slow

BASE = (
    "~experiment",
    "backend=scripted",
    "market=fraction",
    "+factors/glee@market.factors=bargaining",
    "+agent@agent.a=chat",
    "+agent@agent.b=fair_bargainer",
    "+agent@agent.c=greedy_bargainer",
)


def design(*more: str) -> list[Engagement]:
    return experiment(composed([*BASE, *more])).design()


def pair(engagement: Engagement) -> tuple[str, ...]:
    return tuple(engagement.seats.values())


def spread(counts: Counter[Any]) -> int:
    return max(counts.values()) - min(counts.values())


def levels_by_pair(found: list[Engagement]) -> dict[tuple[Any, ...], Counter[Any]]:
    """Per pair and rule, how often each of its values was given out."""
    counts: dict[tuple[Any, ...], Counter[Any]] = defaultdict(Counter)
    for each in found:
        for rule in ("delta_a", "delta_b", "pie", "max_rounds", "complete_information"):
            counts[pair(each), rule][getattr(each.rules, rule)] += 1
    return counts


@pytest.mark.parametrize("share", [0.02, 0.05, 0.25, 1.0, 1.5])
def test_every_pair_and_every_configuration_is_played_equally_often(share: float) -> None:
    found = design(f"market.share={share}")

    assert len(found) == 9 * round(share * 384)
    assert spread(Counter(map(pair, found))) == 0
    used = Counter(each.variant for each in found)
    assert max(used.values()) - (min(used.values()) if len(used) == 384 else 0) <= 1


@pytest.mark.parametrize("share", [0.05, 0.1])
def test_within_a_pair_the_levels_of_every_factor_are_even(share: float) -> None:
    for (_, rule), counts in levels_by_pair(design(f"market.share={share}")).items():
        assert spread(counts) <= 2, (rule, counts)


def test_no_pair_plays_a_configuration_twice_before_it_played_all() -> None:
    cells = Counter((each.variant, pair(each)) for each in design("market.share=1.5"))

    assert set(cells.values()) == {1, 2}


def test_a_cell_that_is_played_again_meets_another_nature() -> None:
    seeds: dict[Any, set[int]] = defaultdict(set)
    for each in design("market.share=2"):
        seeds[each.variant, pair(each)].add(each.seed)

    assert {len(of_cell) for of_cell in seeds.values()} == {2}


def test_all_pairs_meet_the_same_nature_in_a_configuration() -> None:
    seeds: dict[Any, set[int]] = defaultdict(set)
    for each in design("market.share=1"):
        seeds[each.variant, each.replicate].add(each.seed)

    assert {len(of_cell) for of_cell in seeds.values()} == {1}


def test_a_design_that_is_cut_short_is_still_nearly_balanced() -> None:
    first_half = design("market.share=0.2")[: 9 * 38]

    assert spread(Counter(map(pair, first_half))) == 0
    assert max(spread(counts) for counts in levels_by_pair(first_half).values()) <= 3


def test_the_same_seed_is_the_same_design_and_another_seed_another() -> None:
    assert design("seed=5") == design("seed=5")
    assert [e.variant for e in design("seed=5")] != [e.variant for e in design("seed=6")]


def test_episodes_per_pair_can_be_given_by_number_or_by_game() -> None:
    for number in ("7", "{bargaining: 7}"):
        found = design("market.share=null", f"market.per_seating={number}")
        assert set(Counter(map(pair, found)).values()) == {7}


def test_quotas_give_every_agent_as_many_episodes_at_every_seat_and_draw_the_rest() -> None:
    found = design("market.draw=quotas", "market.share=null", "market.per_seating=40")

    for seat in ("alice", "bob"):
        assert set(Counter(each.seats[seat] for each in found).values()) == {3 * 40}
    assert spread(Counter(map(pair, found))) > 0
    assert len({each.id for each in found}) == len(found)


def test_wordings_can_be_a_factor_like_any_rule() -> None:
    found = design("+market.factors.wording=[plain,terse]", "market.share=0.1")

    assert spread(Counter(each.wording for each in found)) <= 9
    assert len({each.variant for each in found if each.wording == "terse"}) > 100


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("market.share=0",), "share must be above 0"),
        (("market.share=null",), "give either share or per_seating"),
        (("market.per_seating=3",), "give either share or per_seating"),
        (("market.share=null", "market.per_seating=0"), "at least 1"),
        (("market.share=null", "market.per_seating={barganing: 3}"), "Did you mean 'bargaining'?"),
        (("+market.factors.wording=[plian]",), "Did you mean 'plain'?"),
        (("+market.factors_of.barganing={pie: [1]}",), "Did you mean 'bargaining'?"),
        (("market.draw=quotas", "market.seating=ordered_pairs"), "needs market.seating=with_self"),
        (("game/wording=trese",), "Did you mean 'terse'?"),
    ],
)
def test_a_design_that_cannot_be_is_refused_in_one_sentence(
    more: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        design(*more)

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def balance_of(found: list[Engagement]) -> Balance:
    cells = [
        Cell(e.game, e.variant, {"pie": e.rules.pie, "delta": e.rules.delta_a}, "-".join(pair(e)))
        for e in found
    ]
    [only] = balance(cells)
    return only


def test_the_balance_of_a_balanced_design_is_reported() -> None:
    found = balance_of(design("market.share=0.25"))

    assert (found.episodes, found.cells, found.seatings) == (864, 864, 9)
    assert found.per_seating == (96, 96)
    assert found.per_configuration == (2, 3)
    assert {f.name: f.levels for f in found.factors} == {"pie": 3, "delta": 4}
    assert all(f.association < 0.02 and f.most - f.fewest <= 2 for f in found.factors)
    assert str(found).startswith("bargaining: 864 episodes in 864 cells; each of 384")


def test_a_factor_that_tells_the_seating_has_association_1() -> None:
    cells = [Cell("g", level, {"f": level}, level) for level in "aabbbccc"]

    [found] = balance(cells)

    assert found.factors[0].association == pytest.approx(1.0)
    assert (found.per_configuration, found.per_seating) == ((2, 3), (2, 3))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("pq")), min_size=1, max_size=40))
def test_association_is_scipys_cramers_v(rows: list[tuple[str, str]]) -> None:
    from scipy.stats.contingency import association, crosstab

    [found] = balance([Cell("g", level, {"f": level}, seating) for level, seating in rows])
    table = crosstab([level for level, _ in rows], [seating for _, seating in rows]).count

    for factor in found.factors:
        wanted = association(table) if min(table.shape) > 1 else 0.0
        assert factor.association == pytest.approx(wanted, abs=1e-12)
