"""Intervals cover what generated the data as often as they say: over many simulated experiments.

Every replication goes through `effects`, as a user's data do. 40 configurations of 6 episodes; what
the episodes of a configuration share has the same variance as what is an episode's own.
"""

import gc
from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd
import pytest

from catallaxy.platform.analysis.effects import Inference, effects
from tests.platform.glee_samples import EFFECTS, Known, clustered, reference

pytestmark = pytest.mark.slow

OF_CONFIGURATION = ["delta_a", "market"]
OF_EPISODE = ["alice", "bob"]


@pytest.fixture(autouse=True, scope="module")
def _frozen() -> Iterator[None]:
    """Holm's correction in statsmodels collects garbage, which takes longer than all the rest."""
    gc.freeze()
    yield
    gc.unfreeze()


def replications(
    known: Known, inference: Inference, times: int, clusters: int = 40
) -> pd.DataFrame:
    """The tables of `times` experiments, with the column `true`."""
    tables = []
    for seed in range(times):
        frame = clustered(known, seed, clusters=clusters)
        found = effects(frame, "value", list(known), reference(known), inference).table
        found = found[~found["reference"]]
        true = [known[f][each] for f, each in zip(found["factor"], found["level"], strict=True)]
        tables.append(found.assign(true=true, experiment=seed))
    return pd.concat(tables, ignore_index=True)


def covered(tables: pd.DataFrame) -> pd.Series:
    return (tables["low"] <= tables["true"]) & (tables["true"] <= tables["high"])


@cache
def by_clusters() -> pd.DataFrame:
    return replications(EFFECTS, Inference(), times=500)


def test_clustered_intervals_cover_at_95_percent_over_500_replications():
    tables = by_clusters()
    hits = covered(tables)
    assert tables["low"].notna().all()
    assert 0.93 <= hits.mean() <= 0.97
    by_factor = hits.groupby(tables["factor"]).mean()
    assert len(by_factor) == 4
    assert by_factor.between(0.93, 0.97).all(), by_factor
    each = hits.groupby([tables["factor"], tables["level"]]).mean()
    assert len(each) == 8
    assert each.between(0.93, 0.97).all(), each


def test_estimates_are_unbiased_and_their_standard_errors_true():
    groups = by_clusters().groupby(["factor", "level"])
    spread = groups["estimate"].std()
    error = groups["estimate"].mean() - groups["true"].first()
    assert (error.abs() < 4 * spread / np.sqrt(500)).all()
    assert np.sqrt((by_clusters()["se"] ** 2).groupby(groups.ngroup()).mean()).to_numpy() == (
        pytest.approx(spread.to_numpy(), rel=0.1)
    )


def test_classical_intervals_miss_what_configurations_share():
    tables = replications(EFFECTS, Inference(method="classical"), times=100)
    hits = covered(tables)
    assert hits[tables["factor"].isin(OF_CONFIGURATION)].mean() < 0.8
    assert 0.9 < hits[tables["factor"].isin(OF_EPISODE)].mean() < 0.98


def test_bootstrap_intervals_cover():
    inference = Inference(method="bootstrap", replications=199)
    hits = covered(replications(EFFECTS, inference, times=100))
    assert 0.91 < hits.mean() < 0.98


def test_cr2_covers_where_cr1_with_its_usual_quantile_does_not():
    # 12 configurations; CR1 takes the quantile of 11 degrees of freedom
    from scipy.special import stdtrit

    hits: dict[str, list[bool]] = {"cr1": [], "cr2": []}
    known = {"delta_a": EFFECTS["delta_a"], "market": EFFECTS["market"]}
    for seed in range(150):
        of = effects(clustered(known, seed, clusters=12), "value", list(known), reference(known))
        rows = of.table[of.table["se"].notna()]
        levels = [level for level in of.fit.design.levels if not level.reference]
        contrasts = of.fit.design.against_reference(levels)
        geometry = of.fit.clustered
        assert geometry is not None
        cr1 = pd.Series(
            geometry.cr1(of.fit.results.resid, contrasts[:, of.fit.design.kept]),
            index=pd.MultiIndex.from_tuples([(level.factor, level.name) for level in levels]),
        )
        for row in rows.itertuples():
            true = known[row.factor][row.level]
            error = abs(row.estimate - true)
            hits["cr2"].append(row.low <= true <= row.high)
            hits["cr1"].append(error <= stdtrit(11, 0.975) * cr1[row.factor, row.level])
    assert np.mean(hits["cr1"]) < 0.9 < 0.92 < np.mean(hits["cr2"]) < 0.98


def test_holm_keeps_the_error_rate_of_a_whole_table():
    nothing = {factor: dict.fromkeys(levels, 0.0) for factor, levels in EFFECTS.items()}
    tables = replications(nothing, Inference(), times=200)
    any_found = tables.groupby("experiment")[["p", "p_adjusted"]].min() < 0.05
    assert any_found["p_adjusted"].mean() <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 200)
    assert any_found["p"].mean() > 0.2
