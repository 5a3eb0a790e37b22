"""Effects of factors on an outcome: exact where there is no noise, silent where there is no way."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catallaxy.platform.analysis.effects import (
    CLASSICAL,
    ROBUST,
    Effects,
    Inference,
    adjusted,
    effects,
    effects_on,
)
from tests.platform.glee_samples import EFFECTS, additive, clustered, reference

pytestmark = pytest.mark.slow

BOOTSTRAP = Inference(method="bootstrap", replications=199)
every_method = pytest.mark.parametrize("inference", [ROBUST, CLASSICAL, BOOTSTRAP])


def found(frame: pd.DataFrame, inference: Inference = ROBUST) -> Effects:
    return effects(frame, "value", list(EFFECTS), reference(EFFECTS), inference)


def table(of: Effects) -> pd.DataFrame:
    return of.table.set_index(["factor", "level"])


def generated(of: Effects) -> list[float]:
    return [
        EFFECTS[factor][level]
        for factor, level in zip(of.table["factor"], of.table["level"], strict=True)
    ]


@every_method
def test_noise_free_additive_effects_come_back_exactly(inference: Inference):
    of = found(additive(EFFECTS), inference)
    assert of.table["estimate"].to_numpy() == pytest.approx(generated(of), abs=1e-9)
    assert len(of.table) == 12
    assert of.notes == (
        "The factors explain every episode exactly: there is no noise to judge by.",
    )
    assert of.table[["se", "low", "high", "p", "p_adjusted"]].isna().all(axis=None)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**20), size=st.integers(20, 60))
def test_noise_free_effects_come_back_from_any_part_of_the_grid(seed: int, size: int):
    of = found(additive(EFFECTS).sample(size, random_state=seed))
    known = of.table["estimate"].notna().to_numpy()
    base = {row.factor: row.level for row in of.table[of.table["reference"]].itertuples()}
    expected = [
        EFFECTS[factor][level] - EFFECTS[factor][base[factor]]
        for factor, level in zip(of.table["factor"], of.table["level"], strict=True)
    ]
    assert of.table["estimate"].to_numpy()[known] == pytest.approx(np.array(expected)[known])


def test_classical_intervals_are_the_papers():
    frame = clustered(EFFECTS, seed=1)
    of = found(frame, CLASSICAL)
    fit = of.fit.results
    matrix = of.fit.design.matrix
    scale = float(fit.resid @ fit.resid) / (len(frame) - matrix.shape[1])
    se = np.sqrt(np.diag(scale * np.linalg.inv(matrix.T @ matrix)))[1:]
    rows = of.table[~of.table["reference"]]
    assert rows["se"].to_numpy() == pytest.approx(se)
    assert (rows["high"] - rows["low"]).to_numpy() / 2 == pytest.approx(1.96 * se, rel=1e-4)
    assert rows["p_adjusted"].tolist() == rows["p"].tolist()
    assert of.clusters is None


def test_the_reference_level_has_effect_0_and_no_interval():
    rows = table(found(clustered(EFFECTS, seed=2)))
    base = rows.loc[("market", "CI/-/inf")]
    assert (base["estimate"], base["reference"]) == (0, True)
    assert base[["se", "low", "high", "p"]].isna().all()


def test_intervals_hold_their_estimate_and_agree_with_their_p():
    rows = table(found(clustered(EFFECTS, seed=3))).query("not reference")
    assert ((rows["low"] < rows["estimate"]) & (rows["estimate"] < rows["high"])).all()
    excluded = (rows["low"] > 0) | (rows["high"] < 0)
    assert (excluded == (rows["p"] < 0.05)).all()


def test_level_counts_are_episodes():
    frame = clustered(EFFECTS, seed=4)
    rows = table(found(frame))
    assert rows.loc[("alice", "o3-mini"), "n_level"] == (frame["alice"] == "o3-mini").sum()


def test_differences_do_not_depend_on_the_reference():
    frame = clustered(EFFECTS, seed=5)
    one = found(frame).differences("market").set_index(["level", "other"])
    other = effects(frame, "value", list(EFFECTS), {"market": "CI/-/12"}).differences("market")
    assert len(one) == 3
    assert other.set_index(["level", "other"]).to_numpy() == pytest.approx(one.to_numpy())


def test_a_difference_from_the_reference_is_the_effect():
    of = found(clustered(EFFECTS, seed=6))
    pair = of.differences("delta_a").query("level == '0.8' and other == '0.9'").iloc[0]
    own = table(of).loc[("delta_a", "0.8")]
    for column in ("estimate", "se", "low", "high", "p"):
        assert pair[column] == pytest.approx(own[column])


def test_the_bootstrap_is_the_same_for_the_same_seed_only():
    frame = clustered(EFFECTS, seed=7)
    once, again = found(frame, BOOTSTRAP).table, found(frame, BOOTSTRAP).table
    pd.testing.assert_frame_equal(once, again)
    other = found(frame, replace(BOOTSTRAP, seed=1)).table
    assert not np.allclose(once["high"].dropna(), other["high"].dropna())


def test_rows_that_miss_something_are_dropped_and_counted():
    frame = clustered(EFFECTS, seed=8)
    frame.loc[0, "value"] = np.nan
    frame.loc[1, "alice"] = None
    frame.loc[2, "value"] = np.inf
    frame.loc[3, "variant"] = None
    of = found(frame)
    assert (of.n, of.dropped) == (len(frame) - 4, 4)
    assert "4 episodes miss a value that is needed and were left out." in of.notes


def test_several_outcomes_are_fitted_on_the_same_rows():
    frame = clustered(EFFECTS, seed=8).assign(other=1.0)
    frame.loc[:9, "other"] = np.nan
    both = effects_on(["value", "other"], frame, list(EFFECTS))
    assert [each.n for each in both.values()] == [230, 230]


def test_what_cannot_be_told_apart_has_no_estimate_and_is_named():
    frame = clustered(EFFECTS, seed=9).assign(wording="plain")
    frame.loc[frame["alice"] == "o3-mini", "wording"] = "paper"
    base = {"alice": "gemini-1.5-flash", "wording": "plain"}
    of = effects(frame, "value", ["market", "alice", "wording"], base)
    rows = table(of)
    assert rows.loc[[("alice", "o3-mini"), ("wording", "paper")], "estimate"].isna().all()
    assert rows.loc[("alice", "llama-3.1-405b"), ["estimate", "se"]].notna().all()
    assert "Not told apart by the design: alice 'o3-mini', wording 'paper'." in of.notes


def test_a_level_that_one_cluster_has_alone_gets_no_interval():
    frame = clustered(EFFECTS, seed=10)
    frame.loc[frame["variant"] == "v007", "market"] = "CI/MA/1"
    of = found(frame)
    row = table(of).loc[("market", "CI/MA/1")]
    assert np.isfinite(row["estimate"])
    assert row[["se", "low", "high", "p"]].isna().all()
    assert any("depends on one variant: market 'CI/MA/1'." in note for note in of.notes)


def test_few_degrees_of_freedom_are_said():
    frame = clustered(EFFECTS, seed=11)
    frame.loc[frame["variant"].isin(["v007", "v008"]), "market"] = "CI/MA/1"
    of = found(frame)
    assert table(of).loc[("market", "CI/MA/1"), "freedom"] < 4
    assert any(note.endswith("degrees of freedom: market 'CI/MA/1'.") for note in of.notes)


@pytest.mark.parametrize("inference", [ROBUST, BOOTSTRAP])
def test_fewer_than_five_clusters_give_no_interval(inference: Inference):
    of = found(clustered(EFFECTS, seed=12, clusters=4, size=40), inference)
    assert of.table["se"].isna().all()
    assert "4 distinct values of variant: intervals need at least 5 clusters." in of.notes


def test_an_outcome_without_spread_gives_no_interval():
    of = found(clustered(EFFECTS, seed=13).assign(value=1.0))
    assert (of.table["estimate"].abs() < 1e-12).all()
    assert of.table["p"].isna().all()
    assert "The outcome is the same in every episode: no intervals." in of.notes


def test_a_saturated_regression_gives_no_interval():
    frame = pd.DataFrame({"a": list("xyz"), "value": [1.0, 2.0, 4.0], "variant": list("123")})
    of = effects(frame, "value", ["a"], {"a": "x"})
    assert of.table["estimate"].tolist() == pytest.approx([0, 1, 3])
    assert "3 episodes for 3 coefficients: no intervals." in of.notes


def test_p_values_are_corrected_as_the_textbook_does():
    p = np.array([0.01, 0.04, np.nan, 0.03])
    assert adjusted(p, "holm") == pytest.approx([0.03, 0.06, np.nan, 0.06], nan_ok=True)
    assert adjusted(p, "bonferroni") == pytest.approx([0.03, 0.12, np.nan, 0.09], nan_ok=True)
    assert adjusted(p, "fdr_bh") == pytest.approx([0.03, 0.04, np.nan, 0.04], nan_ok=True)
    assert adjusted(p, "none") == pytest.approx(p, nan_ok=True)


def test_columns_that_do_not_exist_are_named():
    with pytest.raises(ValueError, match="no column 'valeu', 'allice'"):
        effects(clustered(EFFECTS, seed=0), "valeu", ["market", "allice"])


def test_no_episode_is_an_error():
    frame = clustered(EFFECTS, seed=0).assign(value=np.nan)
    with pytest.raises(ValueError, match="no episode has all of value, market, variant"):
        effects(frame, "value", ["market"])


@pytest.mark.parametrize("wrong", [{"level": 1.0}, {"level": 95}, {"replications": 0}])
def test_an_impossible_inference_is_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match="must be"):
        Inference(**wrong)  # ty: ignore[invalid-argument-type] - that is the test


def test_the_command_line_does_not_load_the_statistics():
    code = "import sys, catallaxy.platform.launch, catallaxy; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"statsmodels", "nashpy", "scipy"} & set(done.stdout.split())
