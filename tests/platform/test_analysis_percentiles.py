"""Percentiles within a configuration and role."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallaxy.platform.analysis.percentiles import leaderboard, percentiles


def frame_of(rows: list[tuple[str, str, str, float, float]]) -> pd.DataFrame:
    names = ["variant", "alice", "bob", "self_gain_alice", "self_gain_bob"]
    return pd.DataFrame(rows, columns=names)


def test_payoffs_below_count_and_equal_ones_count_half():
    frame = frame_of([("v", "a", "z", gain, 0.5) for gain in (0.1, 0.4, 0.4, 0.9)])
    found = percentiles(frame)
    alice = found.loc[found["seat"] == "alice", "percentile"]
    assert alice.tolist() == [0.125, 0.5, 0.5, 0.875]
    assert found.loc[found["seat"] == "bob", "percentile"].tolist() == [0.5] * 4


def test_configurations_and_roles_are_judged_by_themselves():
    frame = frame_of(
        [
            ("poor", "a", "b", 0.1, 0.2),
            ("poor", "b", "a", 0.2, 0.1),
            ("rich", "a", "b", 1000.0, -5.0),
            ("rich", "b", "a", 2000.0, -9.0),
        ]
    )
    found = percentiles(frame).set_index(["within", "seat", "agent"])["percentile"].sort_index()
    assert found.loc[("poor", "alice")].to_dict() == {"a": 0.25, "b": 0.75}
    assert found.loc[("rich", "alice")].to_dict() == {"a": 0.25, "b": 0.75}
    assert found.loc[("rich", "bob")].to_dict() == {"a": 0.25, "b": 0.75}


@given(st.lists(st.tuples(st.sampled_from("uvw"), st.floats(-5, 5)), min_size=1))
def test_the_mean_percentile_of_every_configuration_and_role_is_one_half(drawn):
    frame = frame_of([(variant, "a", "b", gain, -gain) for variant, gain in drawn])
    found = percentiles(frame)
    means = found.groupby(["within", "seat"])["percentile"].mean()
    assert means.to_numpy() == pytest.approx(np.full(len(means), 0.5))
    assert found["percentile"].between(0, 1).all()


def test_the_leaderboard_is_the_mean_percentile_best_first():
    rows = [
        (f"v{i}", a, b, one, other)
        for i in range(6)
        for a, b, one, other in [("good", "bad", 0.8 + i, 0.1), ("bad", "good", 0.2 + i, 0.6)]
    ]
    found = leaderboard(frame_of(rows))
    assert found.table["agent"].tolist() == ["good", "bad"]
    assert found.table["percentile"].tolist() == [0.75, 0.25]
    assert found.table["n"].tolist() == [12, 12]
    assert found.alone == 0


def test_what_one_agent_played_alone_compares_nothing():
    frame = frame_of(
        [("v", "a", "b", 0.3, 0.2), ("v", "b", "b", 0.5, 0.3), ("w", "a", "b", 0.1, 0.9)]
    )
    found = leaderboard(frame)
    assert found.alone == 4  # Bob's two in v, and both in w
    assert found.table.set_index("agent")["n"].to_dict() == {"a": 1, "b": 1}


def test_payoffs_that_are_missing_do_not_count():
    frame = frame_of([("v", "a", "b", 0.3, np.nan), ("v", "b", "a", 0.5, 0.2)])
    assert percentiles(frame)["seat"].tolist() == ["alice", "alice", "bob"]


def test_other_seats_and_payoffs_can_be_named():
    frame = pd.DataFrame({"cell": ["x", "x"], "seller": ["a", "b"], "dollars": [3.0, 1.0]})
    found = leaderboard(frame, {"seller": "dollars"}, within="cell")
    assert found.table["agent"].tolist() == ["a", "b"]
