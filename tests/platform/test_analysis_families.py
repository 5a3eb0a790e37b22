"""GLEE's regressions, family by family: factors, levels, references, measures."""

from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest

from catallaxy.games.glee.compat import GleeCompat
from catallaxy.platform.analysis.effects import CLASSICAL
from catallaxy.platform.analysis.families import (
    BARGAINING,
    FAMILIES,
    INFERENCES,
    METRICS,
    NEGOTIATION,
    PERSUASION,
    Family,
    analyse,
    factors_of,
    prepared,
    seated,
)
from catallaxy.platform.store.reader import Reader
from tests.platform import glee_samples as samples
from tests.platform.sample_run import sample

pytestmark = pytest.mark.slow

SHARE = {"fairness": 1, "efficiency": 1 / 2, "self_gain_alice": 1 / 4, "self_gain_bob": 1 / 5}

every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))


@every_family
def test_noise_free_additive_effects_come_back_against_the_papers_references(family: Family):
    known = samples.FAMILIES[family.name]
    found = analyse(samples.episodes(family.name), family)
    assert list(found.effects) == list(METRICS)
    assert len(found.table) == 4 * sum(len(levels) for levels in known.values())
    names = found.table[["metric", "factor", "level"]].itertuples(index=False, name=None)
    expected = [SHARE[metric] * known[factor][level] for metric, factor, level in names]
    assert found.table["estimate"].to_numpy() == pytest.approx(expected, abs=1e-9)
    base = found.table[found.table["reference"]].set_index("factor")["level"].to_dict()
    assert base == samples.reference(known)


@pytest.mark.parametrize(
    ("last", "horizon", "market"),
    [
        (99, "hidden", "CI/MA/inf"),
        (21, "hidden", "CI/MA/inf"),
        (20, "stated", "CI/MA/20"),
        (1, "stated", "CI/MA/1"),
        (12, "hidden", "CI/MA/12 hidden"),
        (30, "stated", "CI/MA/30 stated"),
    ],
)
def test_a_market_names_what_the_players_are_told(last: int, horizon: str, market: str):
    frame = samples.episodes("bargaining").assign(
        complete_information=True, messages_allowed=True, max_rounds=last, horizon=horizon
    )
    assert set(prepared(frame, BARGAINING)["market"]) == {market}


def test_without_a_horizon_more_than_20_rounds_are_inf():
    frame = samples.episodes("negotiation").drop(columns="horizon").assign(max_rounds=30)
    assert set(prepared(frame, NEGOTIATION)["market"]) == {"CI/-/inf", "-/MA/inf"}


def test_one_third_is_one_level_however_it_is_stored():
    frame = samples.episodes("persuasion")
    frame.loc[frame.index[::2], "p"] = frame["p"].replace(1 / 3, 0.333333333)
    assert sorted(set(prepared(frame, PERSUASION)["p"])) == ["0.5", "0.8", "1/3"]


def test_fairness_and_efficiency_are_clipped_and_gains_are_not():
    frame = samples.episodes("negotiation").assign(
        fairness=-3.8, efficiency=1.2, self_gain_alice=-0.4
    )
    ready = prepared(frame, NEGOTIATION)
    assert (set(ready["fairness"]), set(ready["efficiency"])) == ({0.0}, {1.0})
    assert set(ready["self_gain_alice"]) == {-0.4}


def test_an_episode_that_misses_one_measure_counts_for_none():
    frame = samples.episodes("persuasion")
    frame.loc[:4, "efficiency"] = np.nan
    found = analyse(frame, PERSUASION)
    assert (found.n, found.dropped) == (len(frame) - 5, 5)


def test_a_measure_that_no_episode_has_is_left_out():
    frame = samples.episodes("bargaining").assign(fairness=np.nan)
    found = analyse(frame, BARGAINING)
    assert list(found.effects) == ["efficiency", "self_gain_alice", "self_gain_bob"]
    assert found.dropped == 0


def test_what_the_paper_holds_fixed_is_a_factor_where_it_varies():
    frame = samples.episodes("bargaining")
    twice = pd.concat([frame.assign(wording="plain"), frame.assign(wording="terse")])
    assert "wording" not in factors_of(
        prepared(frame.assign(wording="plain"), BARGAINING), BARGAINING
    )
    rows = analyse(twice, BARGAINING).table.query("factor == 'wording'")
    assert rows["estimate"].to_numpy() == pytest.approx(np.zeros(8), abs=1e-9)
    assert analyse(twice, BARGAINING, without=["wording"]).table.query("factor == 'wording'").empty


def test_the_reference_model_is_gemini_or_the_most_frequent_one():
    frame = samples.episodes("bargaining")
    frame = frame[(frame["bob"] != "gemini-1.5-flash") & ~frame["delta_a"].eq(0.8)]
    frame = frame.drop(frame.index[frame["bob"] == "o3-mini"][:5])
    table = analyse(frame, BARGAINING).table.query("reference")
    base = table.set_index(["metric", "factor"])["level"]
    assert base["fairness", "alice"] == "gemini-1.5-flash"
    assert base["fairness", "bob"] == "llama-3.1-405b"


def test_a_reference_can_be_chosen():
    found = analyse(samples.episodes("bargaining"), BARGAINING, reference={"delta_a": 0.8})
    row = found.table.query("metric == 'fairness' and factor == 'delta_a' and level == '1'").iloc[0]
    assert row["estimate"] == pytest.approx(0.09, abs=1e-9)


def test_p_values_are_corrected_over_the_whole_table():
    rng = np.random.default_rng(0)
    frame = samples.episodes("bargaining")
    for name in METRICS:
        frame[name] = rng.uniform(size=len(frame))
    found = analyse(frame, BARGAINING)
    tested = found.table.dropna(subset="p")
    smallest = tested.loc[tested["p"].idxmin()]
    assert len(tested) == 4 * 11
    assert smallest["p_adjusted"] == pytest.approx(min(1, 44 * smallest["p"]))
    alone = found.effects["fairness"].table.dropna(subset="p")
    assert alone["p_adjusted"].min() == pytest.approx(min(1, 11 * alone["p"].min()))


def test_classical_inference_needs_no_variant():
    frame = samples.episodes("bargaining").drop(columns="variant")
    frame["fairness"] += np.random.default_rng(0).normal(0, 0.01, len(frame))
    table = analyse(frame, BARGAINING, inference=CLASSICAL).table
    assert table.query("metric == 'fairness' and not reference")["se"].notna().all()


def test_every_value_of_the_compat_switch_has_its_inference():
    assert set(get_args(get_type_hints(GleeCompat)["inference"])) == set(INFERENCES)
    assert INFERENCES["classical"] == CLASSICAL


def test_a_note_that_holds_for_all_measures_is_said_once():
    frame = samples.episodes("bargaining").assign(pie=10000, efficiency=1.0)
    notes = analyse(frame, BARGAINING).notes
    assert notes.count("pie is always '10000' and was left out.") == 1
    assert "efficiency: The outcome is the same in every episode: no intervals." in notes


def test_episodes_of_other_games_are_left_out():
    both = pd.concat([samples.episodes("bargaining"), samples.episodes("negotiation")])
    assert analyse(both, BARGAINING).n == len(samples.episodes("bargaining"))


def test_what_a_frame_lacks_is_named():
    frame = samples.episodes("bargaining")
    with pytest.raises(ValueError, match="bargaining: the frame has no column 'pie', 'alice'"):
        analyse(frame.drop(columns=["pie", "alice"]), BARGAINING)
    with pytest.raises(ValueError, match="negotiation: the frame has no episode of it"):
        analyse(
            samples.episodes("negotiation").assign(game="bargaining"),
            NEGOTIATION,
        )
    with pytest.raises(ValueError, match="no episode of bargaining has any of fairness"):
        analyse(frame.drop(columns=list(METRICS)), BARGAINING)


def test_a_record_becomes_the_frame_of_the_analysis(tmp_path: Path):
    with Reader.open(sample(tmp_path / "run")) as reader:
        episodes, seats, variants = (
            reader.sql(f"SELECT * FROM {view}").df() for view in ("episodes", "seats", "variants")
        )
    frame = seated(episodes, seats, variants, {"talker": "Talker-0.6B"})
    settled = episodes["status"] == "settled"
    assert len(frame) == settled.sum() > 100
    assert "Talker-0.6B" in set(frame["alice"]) and "talker" not in set(frame["alice"])
    found = analyse(frame, BARGAINING)
    assert found.n == len(frame)
    assert set(found.table["factor"]) == {"delta_a", "delta_b", "market", "alice", "bob"}
    gains = found.effects["self_gain_alice"]
    assert gains.mean == pytest.approx(seats.loc[seats["seat"] == "alice", "self_gain"].mean())
