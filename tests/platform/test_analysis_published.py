"""The paper's results as data, and signs compared with them."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from catallaxy.platform.analysis.effects import Effects, effects
from catallaxy.platform.analysis.families import FAMILIES
from catallaxy.platform.analysis.published import (
    compare_signs,
    market_effects,
    model_effects,
    published_best_replies,
    published_equilibria,
)

TABLES = [*product(FAMILIES, ("efficiency", "fairness"))]


def effects_of(markets: pd.Series, noise: float = 0.0, variants: int = 12) -> Effects:
    """A regression on episodes whose market has exactly the effects `markets`."""
    rng = np.random.default_rng(0)
    rows = [
        {"market": market, "variant": f"{market}{number}", "value": 0.5 + effect}
        for market, effect in markets.items()
        for number in range(variants)
    ]
    frame = pd.DataFrame(rows)
    return effects(
        frame.assign(value=frame["value"] + rng.normal(0, noise, len(frame))), "value", ["market"]
    )


def published(family: str, metric: str) -> pd.Series:
    return market_effects(family, metric).set_index("level")["estimate"]


@pytest.mark.parametrize(
    ("family", "metric", "level", "percent"),
    [
        ("bargaining", "efficiency", "-/MA/inf", 2.8),
        ("bargaining", "fairness", "-/MA/12", 4.4),
        ("bargaining", "efficiency", "CI/-/12", -3.7),
        ("negotiation", "efficiency", "CI/-/inf", 17.4),
        ("negotiation", "fairness", "-/MA/10", -2.2),
        ("negotiation", "efficiency", "-/-/1", 0),
        ("persuasion", "efficiency", "CI/MA/MY", -24.7),
        ("persuasion", "fairness", "-/-/-", -13.4),
    ],
)
def test_market_effects_are_those_of_table_5(family: str, metric: str, level: str, percent: float):
    assert published(family, metric)[level] == pytest.approx(percent / 100)


def test_table_5_is_whole():
    sums = {table: 100 * published(*table).sum() for table in TABLES}
    assert sums == pytest.approx(
        {
            ("bargaining", "efficiency"): 0.1,
            ("bargaining", "fairness"): 15.6,
            ("negotiation", "efficiency"): 105.1,
            ("negotiation", "fairness"): -5.6,
            ("persuasion", "efficiency"): -92.7,
            ("persuasion", "fairness"): -93.9,
        }
    )
    halves = {table: 100 * market_effects(*table)["half"].iloc[0] for table in TABLES}
    assert list(halves.values()) == pytest.approx([0.5, 0.6, 1.7, 0.3, 2.5, 2.4])
    assert [len(published(*table)) for table in TABLES] == [8, 8, 12, 12, 8, 8]


def test_model_effects_are_those_of_table_6():
    humans = [
        (100 * row["estimate"], 100 * row["half"])
        for family in FAMILIES
        for seat in ("alice", "bob")
        for row in model_effects(family, seat).query("level == 'human'").to_dict("records")
    ]
    assert humans == [
        pytest.approx(pair)
        for pair in [(6.6, 1.1), (-17.1, 1), (-26.6, 1.1), (-14.5, 1.1), (20.5, 4.1), (54.8, 8.9)]
    ]
    bob = model_effects("persuasion", "bob").set_index("level")
    assert 100 * bob.loc["mistral-large-2411", "estimate"] == pytest.approx(28.3)
    assert 100 * bob["half"].drop("human").unique() == pytest.approx([4.2])
    alice = model_effects("negotiation", "alice").set_index("level")
    assert 100 * alice.loc[["grok-2-1212", "gpt-4o"], "half"].to_numpy() == pytest.approx(
        [0.7, 0.6]
    )


def test_table_6_is_whole():
    sums = [
        100 * model_effects(family, seat)["estimate"].sum()
        for family in FAMILIES
        for seat in ("alice", "bob")
    ]
    assert sums == pytest.approx([0.2, -14.5, 7.4, 36.1, 52.4, 255.5])
    assert len(model_effects("bargaining", "bob")) == 14


def test_the_papers_equilibria_are_between_models_of_its_table():
    models = set(model_effects("bargaining", "alice")["level"])
    found = {family: published_equilibria(family) for family in FAMILIES}
    assert found["negotiation"] == (
        ("gemini-2.0-flash", "gemini-1.5-pro"),
        ("llama-3.1-405b", "grok-2-1212"),
    )
    assert [len(each) for each in found.values()] == [1, 2, 1]
    assert {name for each in found.values() for pair in each for name in pair} <= models
    [fact] = published_best_replies()
    assert {fact["alice"], fact["bob"]} <= models


@pytest.mark.parametrize(("family", "metric"), TABLES)
def test_the_papers_own_effects_agree_with_it_whatever_the_reference(family: str, metric: str):
    found = compare_signs(effects_of(published(family, metric) - 0.1), family, metric)
    assert found.compared == found.agreeing > 15
    assert (found.share, found.absent) == (1, ())
    assert found.tau == pytest.approx(1)
    assert found.resolved == 0  # without noise there are no intervals


def test_opposite_effects_disagree():
    found = compare_signs(
        effects_of(-published("persuasion", "efficiency")), "persuasion", "efficiency"
    )
    assert found.agreeing == 0
    assert found.tau == pytest.approx(-1)
    assert found.tau_p < 0.001


def test_differences_within_the_papers_half_width_do_not_count():
    found = compare_signs(
        effects_of(published("bargaining", "efficiency")), "bargaining", "efficiency"
    )
    pairs = found.pairs.set_index(["level", "other"])
    assert len(pairs) == 28
    small = {(one, other) for one, other in pairs[~pairs["counted"]].index}
    # 2.2 against 1.6 exceeds 0.5, -0.2 against 0 does not
    assert {frozenset(pair) for pair in small} == {frozenset(("CI/-/inf", "-/MA/12"))}
    assert found.compared == 27


def test_pairs_whose_interval_excludes_0_are_resolved():
    markets = published("persuasion", "efficiency")
    found = compare_signs(effects_of(markets, noise=0.05), "persuasion", "efficiency")
    assert 0 < found.resolved < found.compared
    assert found.resolved_agreeing >= 0.9 * found.resolved
    resolved = found.pairs[found.pairs["resolved"]]
    assert ((resolved["low"] > 0) | (resolved["high"] < 0)).all()


def test_markets_that_were_not_played_are_named():
    markets = published("bargaining", "fairness").drop(["CI/-/inf", "-/-/12"])
    found = compare_signs(effects_of(markets), "bargaining", "fairness")
    assert found.absent == ("CI/-/inf", "-/-/12")
    assert len(found.pairs) == 15


def test_a_single_market_compares_nothing():
    markets = published("bargaining", "fairness")[["CI/-/inf"]]
    found = compare_signs(effects_of(markets), "bargaining", "fairness")
    assert found.compared == 0
    assert np.isnan([found.share, found.tau, found.tau_p]).all()
    assert len(found.absent) == 8


def test_what_the_tables_do_not_have_is_refused():
    with pytest.raises(ValueError, match="family must be one of bargaining, negotiation"):
        market_effects("auction", "fairness")
    with pytest.raises(ValueError, match="metric must be one of efficiency, fairness"):
        market_effects("bargaining", "self_gain_alice")
    with pytest.raises(ValueError, match="seat must be one of alice, bob"):
        model_effects("bargaining", "carol")
