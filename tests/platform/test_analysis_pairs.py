"""What every ordered pair of models adds to the mean outcome."""

import numpy as np
import pandas as pd
import pytest

from catallaxy.platform.analysis.families import BARGAINING
from catallaxy.platform.analysis.pairs import family_pairs, pair_effects
from tests.platform import glee_samples as samples


def frame_of(cells: dict[tuple[str, str], float], episodes: int = 12) -> pd.DataFrame:
    """Every pair over the same 12 configurations, which add what they add."""
    rows = [
        {"alice": alice, "bob": bob, "variant": f"v{number}", "easy": number % 2, "value": value}
        for (alice, bob), value in cells.items()
        for number in range(episodes)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(value=frame["value"] + 0.2 * frame["easy"])


CELLS = {("x", "x"): 0.1, ("x", "y"): 0.3, ("y", "x"): 0.4, ("y", "y"): 0.8}


def test_a_noise_free_pair_adds_its_distance_from_the_mean():
    found = pair_effects(frame_of(CELLS), ["value"], ["easy"])["value"]
    assert found.mean == pytest.approx(0.5)
    assert found.matrix().to_numpy() == pytest.approx(np.array([[-0.3, -0.1], [0.0, 0.4]]))
    assert found.matrix("n").to_numpy().tolist() == [[12, 12], [12, 12]]
    assert found.matrix("mean").loc["y", "x"] == pytest.approx(0.5)


def test_pairs_that_met_other_configurations_are_comparable():
    frame = frame_of(CELLS)
    unlucky = (frame["alice"] == "y") & (frame["easy"] == 1) & (frame["variant"] > "v1")
    found = pair_effects(frame[~unlucky], ["value"], ["easy"])["value"]
    effect = found.matrix()
    assert effect.loc["y", "y"] - effect.loc["x", "x"] == pytest.approx(0.7)
    assert found.matrix("mean").loc["y", "y"] < 0.9


def test_the_effects_of_all_episodes_cancel_out():
    frame = samples.clustered(samples.EFFECTS, seed=0)
    found = pair_effects(frame, ["value"], ["delta_a", "market"])["value"].table
    assert len(found) == 9
    assert (found["n"] * found["estimate"]).sum() == pytest.approx(0, abs=1e-9)
    assert (found["low"] < found["estimate"]).all()
    assert (found["p_adjusted"] >= found["p"]).all()


def test_pairs_that_never_met_are_blank():
    cells = {pair: value for pair, value in CELLS.items() if pair != ("y", "x")}
    found = pair_effects(frame_of(cells), ["value"])["value"].matrix()
    assert np.isnan(found.loc["y", "x"])
    assert found.notna().sum(axis=None) == 3


def test_a_single_pair_adds_nothing():
    found = pair_effects(frame_of({("x", "y"): 0.4}), ["value"], ["easy"])["value"]
    assert found.table[["alice", "bob", "n", "estimate"]].values.tolist() == [["x", "y", 12, 0.0]]
    assert "pair is always 'x - y' and was left out." in found.notes


def test_names_that_read_alike_as_pairs_stay_apart():
    cells = {("a", "b - c"): 0.1, ("a - b", "c"): 0.5}
    found = pair_effects(frame_of(cells), ["value"])["value"].table
    assert found[["alice", "bob", "estimate"]].values.tolist() == [
        ["a", "b - c", pytest.approx(-0.2)],
        ["a - b", "c", pytest.approx(0.2)],
    ]


def test_pairs_that_only_met_other_words_are_not_compared():
    frame = frame_of(CELLS).assign(wording="plain")
    frame.loc[frame["bob"] == "y", "wording"] = "terse"
    found = pair_effects(frame, ["value"], ["easy", "wording"])["value"]
    assert found.table["estimate"].isna().all()
    assert found.notes[0].startswith("Not told apart by the design: wording 'terse', pair")


def test_an_episode_without_a_model_is_dropped_and_counted():
    frame = frame_of(CELLS)
    frame.loc[0, "bob"] = None
    found = pair_effects(frame, ["value"])["value"]
    assert found.table["n"].tolist() == [11, 12, 12, 12]
    assert "1 episodes miss a value that is needed and were left out." in found.notes


def test_a_family_is_adjusted_for_its_parameters_and_market():
    found = family_pairs(samples.episodes("bargaining"), BARGAINING)
    assert list(found) == ["fairness", "efficiency", "self_gain_alice", "self_gain_bob"]
    alice, bob = samples.ALICE, samples.BOB
    middle = sum(alice.values()) / 3 + sum(bob.values()) / 3
    matrix = found["fairness"].matrix()
    for one, own in alice.items():
        for other, theirs in bob.items():
            assert matrix.loc[one, other] == pytest.approx(own + theirs - middle, abs=1e-9)


def test_a_frame_without_seats_is_refused():
    with pytest.raises(ValueError, match="no column 'bob'"):
        pair_effects(frame_of(CELLS).drop(columns="bob"), ["value"])
