"""Equilibria of games whose equilibria are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from catallaxy.platform.analysis.equilibria import Equilibrium, equilibria, pure_equilibria

shapes = st.tuples(st.integers(1, 4), st.integers(1, 4))


def mixed(rows: list[list[float]], columns: list[list[float]]) -> list[Equilibrium]:
    return [one for one in equilibria(np.array(rows), np.array(columns)).found if not one.pure]


def regret(one: Equilibrium, rows: np.ndarray, columns: np.ndarray) -> float:
    x, y = np.array(one.rows), np.array(one.columns)
    return max((rows @ y).max() - x @ rows @ y, (x @ columns).max() - x @ columns @ y)


def test_the_prisoners_dilemma_has_one_pure_equilibrium():
    rows = np.array([[3.0, 0], [5, 1]])
    found = equilibria(rows, rows.T)
    assert found.found == (Equilibrium((0, 1), (0, 1), 1, 1),)
    assert (found.complete, found.degenerate) == (True, False)


def test_matching_pennies_is_played_at_random():
    [only] = mixed([[1, -1], [-1, 1]], [[-1, 1], [1, -1]])
    assert only.rows == pytest.approx((0.5, 0.5))
    assert only.columns == pytest.approx((0.5, 0.5))
    assert (only.row_payoff, only.column_payoff) == pytest.approx((0, 0))


def test_the_battle_of_the_sexes_has_two_pure_and_one_mixed_equilibrium():
    rows, columns = np.array([[2.0, 0], [0, 1]]), np.array([[1.0, 0], [0, 2]])
    assert pure_equilibria(rows, columns) == [(0, 0), (1, 1)]
    [only] = mixed(rows.tolist(), columns.tolist())
    assert (only.rows, only.columns) == (
        pytest.approx((2 / 3, 1 / 3)),
        pytest.approx((1 / 3, 2 / 3)),
    )
    assert (only.row_payoff, only.column_payoff) == pytest.approx((2 / 3, 2 / 3))


def test_rock_paper_scissors_with_a_useless_fourth_move_is_a_third_each():
    rows = np.array([[0.0, -1, 1, 2], [1, 0, -1, 2], [-1, 1, 0, 2], [-2, -2, -2, -1]])
    found = equilibria(rows, -rows)
    [only] = found.found
    assert only.rows == pytest.approx((1 / 3, 1 / 3, 1 / 3, 0))
    assert (found.complete, found.degenerate) == (True, False)


def test_a_game_that_is_not_square():
    # von Stengel's 3 x 2 example: one pure and two mixed equilibria
    rows, columns = np.array([[3.0, 3], [2, 5], [0, 6]]), np.array([[3.0, 2], [2, 6], [3, 1]])
    found = equilibria(rows, columns).found
    assert [(one.rows, one.columns) for one in found if one.pure] == [((1, 0, 0), (1, 0))]
    played = sorted(one.rows for one in found if not one.pure)
    assert played[0] == pytest.approx((0, 1 / 3, 2 / 3))
    assert played[1] == pytest.approx((4 / 5, 1 / 5, 0))


def test_ties_are_equilibria_and_are_said_to_be_degenerate():
    found = equilibria(np.zeros((2, 3)), np.zeros((2, 3)))
    assert len(found.found) == 6
    assert all(one.pure for one in found.found)
    assert (found.complete, found.degenerate) == (True, True)


def test_rounding_does_not_break_a_tie():
    rows = np.array([[0.1 + 0.2, 0.0], [0.3, 0.0]])
    assert pure_equilibria(rows, rows) == [(0, 0), (1, 0)]


@settings(max_examples=40, deadline=None)
@given(st.data(), shapes)
def test_what_is_found_is_an_equilibrium_and_there_always_is_one(data: st.DataObject, shape):
    payoffs = arrays(float, shape, elements=st.integers(-3, 3).map(float))
    rows, columns = data.draw(payoffs), data.draw(payoffs)
    found = equilibria(rows, columns)
    assert found.complete
    assert found.found
    assert max(regret(one, rows, columns) for one in found.found) < 1e-5
    assert sum(one.pure for one in found.found) == len(pure_equilibria(rows, columns))


@pytest.mark.parametrize("seed", range(6))
def test_generic_games_have_an_odd_number_of_equilibria(seed: int):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 6, size=2))
    found = equilibria(rng.normal(size=shape), rng.normal(size=shape))
    assert len(found.found) % 2 == 1
    assert not found.degenerate


def test_a_large_game_has_all_pure_and_small_mixed_equilibria_and_says_so():
    rng = np.random.default_rng(5)
    rows, columns = rng.normal(size=(13, 13)), rng.normal(size=(13, 13))
    found = equilibria(rows, columns)
    assert not found.complete
    assert sum(one.pure for one in found.found) == len(pure_equilibria(rows, columns))
    assert any(not one.pure for one in found.found)
    assert max(regret(one, rows, columns) for one in found.found) < 1e-5


def test_dominated_strategies_make_a_large_game_small():
    rng = np.random.default_rng(0)
    rows, columns = rng.normal(size=(13, 13)), rng.normal(size=(13, 13))
    rows[4] += 10
    found = equilibria(rows, columns)
    assert found.complete
    assert [(one.rows[4], one.columns[int(columns[4].argmax())]) for one in found.found] == [(1, 1)]


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (np.zeros((2, 2)), np.zeros((2, 3))),
        (np.zeros((0, 0)), np.zeros((0, 0))),
        (np.array([[np.nan]]), np.array([[1.0]])),
    ],
)
def test_payoffs_must_be_finite_and_of_one_shape(rows: np.ndarray, columns: np.ndarray):
    with pytest.raises(ValueError, match="payoff"):
        equilibria(rows, columns)
