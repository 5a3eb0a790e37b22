"""Means and their intervals, against vectors worked out by hand."""

import pytest

from catallaxy.platform.analysis.intervals import mean


def test_a_student_interval_matches_the_textbook():
    # 1..5: mean 3, s = sqrt(2.5), t(0.975; 4) = 2.776445: 2.776445 * sqrt(2.5) / sqrt(5)
    found = mean([1, 2, 3, 4, 5])
    assert found.value == 3
    assert found.half == pytest.approx(1.963243, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((1.036757, 4.963243), abs=1e-6)
    assert found.clusters is None


def test_one_value_has_no_interval():
    found = mean([0.7])
    assert (found.value, found.n, found.half, found.low) == (0.7, 1, None, None)


def test_equal_values_have_no_interval():
    assert mean([0.1 + 0.2, 0.3, 0.3]).half is None
    assert mean([0.0, 0.0]).half is None


def test_a_cluster_interval_matches_cr1_by_hand():
    # five clusters of two: cluster sums of residuals about the mean 4.9 are -6.8, -2.8, 0.2, 2.2,
    # 7.2, squares 46.24 + 7.84 + 0.04 + 4.84 + 51.84 = 110.8; 5/4 * 110.8 / 100 = 1.385;
    # t(0.975; 4) = 2.776445 times sqrt(1.385) = 1.176860
    values = [1, 2, 3, 4, 4, 6, 5, 7, 8, 9]
    found = mean(values, list("aabbccddee"))
    assert found.value == pytest.approx(4.9)
    assert found.half == pytest.approx(2.776445 * 1.176860, abs=1e-5)
    assert found.clusters == 5


def test_clusters_of_one_value_give_students_interval():
    values = [0.2, 0.5, 0.4, 0.9, 0.3, 0.7]
    assert mean(values, range(6)).half == pytest.approx(mean(values).half)


def test_fewer_than_five_clusters_are_too_few():
    values = [1, 2, 3, 4, 5, 6, 7, 8]
    found = mean(values, list("aabbccdd"))
    assert (found.half, found.clusters) == (mean(values).half, None)


def test_no_values_have_no_mean():
    with pytest.raises(ValueError, match="at least one value"):
        mean([])
