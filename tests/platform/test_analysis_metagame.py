"""The game of choosing a model, from episodes."""

import numpy as np
import pandas as pd
import pytest

from catallaxy.platform.analysis.families import BARGAINING
from catallaxy.platform.analysis.metagame import family_metagame, metagame
from tests.platform import glee_samples as samples

Cells = dict[tuple[str, str], tuple[float, float]]

DILEMMA: Cells = {
    ("kind", "kind"): (0.3, 0.3),
    ("kind", "hard"): (0.0, 0.5),
    ("hard", "kind"): (0.5, 0.0),
    ("hard", "hard"): (0.1, 0.1),
}
PENNIES: Cells = {
    ("a", "a"): (1, 0),
    ("a", "b"): (0, 1),
    ("b", "a"): (0, 1),
    ("b", "b"): (1, 0),
}


def played(cells: Cells, noise: float = 0.0, variants: int = 10) -> pd.DataFrame:
    """Every pair in every configuration; odd ones are worth 0.2 more to both."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "alice": alice,
            "bob": bob,
            "variant": f"v{number}",
            "rich": number % 2,
            "self_gain_alice": one + 0.2 * (number % 2) + rng.normal(0, noise),
            "self_gain_bob": other + 0.2 * (number % 2) + rng.normal(0, noise),
        }
        for (alice, bob), (one, other) in cells.items()
        for number in range(variants)
    ]
    return pd.DataFrame(rows)


def test_a_dilemma_between_models_has_one_equilibrium_with_its_gains():
    found = metagame(played(DILEMMA), replications=50)
    [only] = found.equilibria
    assert (only.alice, only.bob, only.pure) == ({"hard": 1.0}, {"hard": 1.0}, True)
    assert (only.alice_gain, only.bob_gain) == pytest.approx((0.2, 0.2))
    assert found.alice_gains.loc["hard", "kind"] == pytest.approx(0.6)
    assert (found.complete, found.degenerate, found.missing) == (True, False, ())


def test_a_mixed_equilibrium_has_probabilities_by_model():
    [only] = metagame(played(PENNIES), replications=10).equilibria
    assert only.alice == pytest.approx({"a": 0.5, "b": 0.5})
    assert only.bob == pytest.approx({"a": 0.5, "b": 0.5})
    assert not only.pure


def test_an_equilibrium_without_noise_outlives_every_resample():
    survival = metagame(played(DILEMMA), replications=50).survival
    assert survival.to_dict("records") == [
        {"alice": "hard", "bob": "hard", "share": 1.0, "observed": True}
    ]


def test_a_noisy_equilibrium_outlives_some_resamples():
    found = metagame(played(DILEMMA, noise=0.5), ["rich"], replications=200)
    share = found.survival.set_index(["alice", "bob"])["share"]
    assert found.resamples == 200
    assert 0.2 < share["hard", "hard"] < 1
    assert len(share) > 1
    assert found.survival["observed"].sum() == sum(one.pure for one in found.equilibria)


def test_resampling_is_the_same_for_the_same_seed():
    frame = played(DILEMMA, noise=0.5)
    once, again = (metagame(frame, replications=30, seed=4).survival for _ in range(2))
    pd.testing.assert_frame_equal(once, again)


def test_while_pairs_are_missing_no_equilibrium_is_claimed():
    cells = {pair: gains for pair, gains in DILEMMA.items() if pair != ("kind", "hard")}
    found = metagame(played(cells))
    assert found.missing == (("kind", "hard"),)
    assert (found.equilibria, found.resamples, len(found.survival)) == ((), 0, 0)
    assert found.notes == (
        "No equilibrium is claimed while pairs (Alice - Bob) are missing: kind - hard.",
    )


def test_pairs_that_met_richer_configurations_gain_no_advantage_from_it():
    frame = played(DILEMMA, variants=40)
    tough = (frame["alice"] == "hard") & (frame["rich"] == 1) & (frame["variant"] != "v1")
    frame = frame[~(tough & (frame["bob"] == "hard"))]
    raw, fair = metagame(frame, replications=5), metagame(frame, ["rich"], replications=5)
    assert raw.alice_gains.loc["hard", "hard"] == pytest.approx(0.1, abs=0.02)
    gap = fair.alice_gains.loc["hard", "hard"] - fair.alice_gains.loc["kind", "hard"]
    assert gap == pytest.approx(0.1)


def test_the_adjusted_gains_average_to_the_mean_over_all_episodes():
    frame = samples.clustered(samples.EFFECTS, seed=3)
    frame = frame.assign(self_gain_alice=frame["value"], self_gain_bob=1 - frame["value"])
    found = metagame(frame, ["delta_a", "market"], replications=2)
    n = frame.groupby(["alice", "bob"]).size().unstack()
    assert (n * found.alice_gains).sum(axis=None) / len(frame) == pytest.approx(
        frame["value"].mean()
    )
    assert (found.alice_gains + found.bob_gains).to_numpy() == pytest.approx(np.ones((3, 3)))


def test_resamples_that_lack_a_pair_are_left_out_and_counted():
    frame = played(DILEMMA)
    rare = (frame["alice"] == "kind") & (frame["bob"] == "hard") & (frame["variant"] != "v3")
    found = metagame(frame[~rare], replications=100)
    assert 40 < found.resamples < 85  # (9/10)^10 = 0.35 of the resamples miss v3
    assert found.notes == (
        f"{100 - found.resamples} resamples lack a pair of models and were left out.",
    )


def test_a_family_s_game_is_adjusted_for_its_parameters_and_market():
    found = family_metagame(samples.episodes("bargaining"), BARGAINING, replications=3)
    # gains rise with both models' effects, so each side picks its own best
    [only] = found.equilibria
    assert (only.alice, only.bob) == ({"gemini-1.5-flash": 1.0}, {"llama-3.1-405b": 1.0})
