"""Cluster-robust intervals against their definitions, statsmodels, and vectors by hand."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from statsmodels.regression.linear_model import OLS

from catallaxy.platform.analysis.robust import Clustered, wild_draws


def sample(seed: int, clusters: int = 9) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A design with a constant, outcomes, and clusters of 1 to 6 rows in mixed order."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.repeat(np.arange(clusters), rng.integers(1, 7, clusters)))
    matrix = np.column_stack([np.ones(len(codes)), rng.normal(size=(len(codes), 2))])
    matrix = np.column_stack([matrix, rng.integers(2, size=clusters)[codes]])
    return matrix, rng.normal(size=len(codes)) + rng.normal(size=clusters)[codes], codes


def by_definition(
    matrix: np.ndarray, residuals: np.ndarray, codes: np.ndarray, contrast: np.ndarray
) -> tuple[float, float]:
    """CR2's standard error and Satterthwaite's degrees of freedom, from whole matrices."""
    bread = np.linalg.inv(matrix.T @ matrix)
    maker = np.eye(len(codes)) - matrix @ bread @ matrix.T
    forms = []
    for cluster in range(codes.max() + 1):
        own = codes == cluster
        adjusted = np.linalg.inv(np.real(sqrtm(maker[np.ix_(own, own)])))
        forms.append(maker[:, own] @ adjusted @ matrix[own] @ bread @ contrast)
    theta = np.array([[one @ other for other in forms] for one in forms])
    variance = sum((form @ residuals) ** 2 for form in forms)
    return float(np.sqrt(variance)), float(np.trace(theta) ** 2 / np.trace(theta @ theta))


@pytest.mark.parametrize("seed", range(5))
def test_cr2_is_what_its_definition_says(seed: int):
    matrix, outcome, codes = sample(seed)
    fit = OLS(outcome, matrix).fit()
    contrasts = np.array([[0, 1, 0, 0], [0, 0, 0, 1], [0, 1, -1, 0.5]])
    found = Clustered(matrix, codes).cr2(contrasts @ fit.params, fit.resid, contrasts, 0.95)
    expected = [by_definition(matrix, fit.resid, codes, contrast) for contrast in contrasts]
    assert found.se == pytest.approx([se for se, _ in expected])
    assert found.freedom == pytest.approx([freedom for _, freedom in expected])


def test_cr1_is_statsmodels_s():
    matrix, outcome, codes = sample(7)
    fit = OLS(outcome, matrix).fit()
    theirs = OLS(outcome, matrix).fit(cov_type="cluster", cov_kwds={"groups": codes})
    assert Clustered(matrix, codes).cr1(fit.resid, np.eye(4)) == pytest.approx(theirs.bse)


def test_clusters_of_one_row_make_cr2_the_hc2_of_statsmodels():
    matrix, outcome, _ = sample(8)
    fit = OLS(outcome, matrix).fit()
    each_its_own = Clustered(matrix, np.arange(len(outcome)))
    found = each_its_own.cr2(fit.params, fit.resid, np.eye(4), 0.95)
    assert found.se == pytest.approx(OLS(outcome, matrix).fit(cov_type="HC2").bse)


def test_two_groups_of_clusters_are_welch_s_test_of_cluster_means():
    # means 1 2 3 against 2 4 4 6: variances 1 and 8/3; se^2 = 1/3 + (8/3)/4 = 1;
    # freedom (1/3 + 1/4)^2 / (1/(9*2) + 1/(16*3)) = 49/11 = 4.454545
    means, size = np.array([1, 2, 3, 2, 4, 4, 6.0]), 2
    codes = np.repeat(np.arange(7), size)
    matrix = np.column_stack([np.ones(14), codes >= 3])
    outcome = means[codes] + np.tile([-0.5, 0.5], 7)
    fit = OLS(outcome, matrix).fit()
    contrast = np.array([[0.0, 1.0]])
    found = Clustered(matrix, codes).cr2(contrast @ fit.params, fit.resid, contrast, 0.95)
    assert (found.se[0], found.freedom[0]) == pytest.approx((1.0, 49 / 11))
    # t(0.975; 49/11) = 2.667
    assert found.half[0] == pytest.approx(2.6675, abs=1e-3)
    assert found.p[0] == pytest.approx(0.1087, abs=1e-3)


def test_a_contrast_that_one_cluster_determines_is_found():
    codes = np.repeat(np.arange(4), 3)
    matrix = np.column_stack([np.ones(12), codes == 2, np.tile([0, 1, 1], 4)])
    rests = Clustered(matrix, codes).rests_on(np.eye(3))
    assert rests.tolist() == [-1, 2, -1]


def test_wild_draws_are_signs_and_webb_s_six_points_for_few_clusters():
    assert np.unique(wild_draws(12, 500, 0)).tolist() == [-1, 1]
    six = np.sqrt([0.5, 1, 1.5])
    assert np.unique(wild_draws(11, 500, 0)) == pytest.approx([*-six[::-1], *six])


def test_the_bootstrap_t_redoes_the_regression_on_every_draw():
    matrix, outcome, codes = sample(3)
    fit, geometry = OLS(outcome, matrix).fit(), Clustered(matrix, codes)
    contrast, draws = np.array([[0, 1.0, 0, 0]]), wild_draws(9, 40, seed=1)
    found = geometry.wild(contrast @ fit.params, fit.resid, contrast, 0.9, draws)
    adjusted = adjusted_residuals(matrix, fit.resid, codes)
    t = []
    for draw in draws:
        again = OLS(matrix @ fit.params + adjusted * draw[codes], matrix).fit(
            cov_type="cluster", cov_kwds={"groups": codes}
        )
        t.append(abs(again.params[1] - fit.params[1]) / again.bse[1])
    se = geometry.cr1(fit.resid, contrast)[0]
    assert found.half[0] == pytest.approx(np.quantile(t, 0.9, method="higher") * se)
    beyond = np.sum(np.array(t) >= abs(fit.params[1]) / se)
    assert found.p[0] == pytest.approx((1 + beyond) / 41)


def adjusted_residuals(matrix: np.ndarray, residuals: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(I - H_gg)^(-1/2) times the residuals of every cluster."""
    maker = np.eye(len(codes)) - matrix @ np.linalg.inv(matrix.T @ matrix) @ matrix.T
    found = residuals.copy()
    for cluster in range(codes.max() + 1):
        own = codes == cluster
        found[own] = np.linalg.inv(np.real(sqrtm(maker[np.ix_(own, own)]))) @ residuals[own]
    return found
