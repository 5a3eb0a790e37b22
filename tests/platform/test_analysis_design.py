"""Designs of dummies: what they leave out, and what they cannot tell apart."""

import numpy as np
import pandas as pd
import pytest

from catallaxy.platform.analysis.design import Design, designed, label


def design(factors: dict[str, list[object]], **reference: object) -> Design:
    return designed(pd.DataFrame(factors), list(factors), reference)


def known(found: Design) -> dict[str, bool]:
    contrasts = found.against_reference(found.levels)
    names = [f"{level.factor}={level.name}" for level in found.levels]
    return dict(zip(names, found.identified(contrasts).tolist(), strict=True))


def test_every_level_but_the_reference_has_a_column():
    found = design({"a": ["x", "y", "z", "y"]}, a="x")
    assert found.matrix.tolist() == [[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 0]]
    assert [(each.name, each.n, each.reference) for each in found.levels] == [
        ("x", 1, True),
        ("y", 2, False),
        ("z", 1, False),
    ]


def test_levels_are_numbers_in_order_however_they_are_stored():
    found = design({"a": [10, 9.0, np.float64(0.9), 10.0]})
    assert [level.name for level in found.levels] == ["0.9", "9", "10"]


@pytest.mark.parametrize(
    ("value", "name"), [(0.1 + 0.2, "0.3"), (1_000_000, "1000000"), (np.True_, "true"), ("a", "a")]
)
def test_a_level_is_named_as_a_reader_writes_it(value: object, name: str):
    assert label(value) == name


def test_categories_keep_their_order():
    column = pd.Categorical(["low", "high"], ["low", "middle", "high"])
    found = designed(pd.DataFrame({"a": column}), ["a"], {})
    assert [level.name for level in found.levels] == ["low", "high"]


def test_a_missing_reference_gives_way_to_the_most_frequent_level_and_says_so():
    found = design({"a": ["x", "y", "y"]}, a="w")
    assert [level.name for level in found.levels if level.reference] == ["y"]
    assert found.notes == ("a is never 'w': the reference level is 'y', the most frequent one.",)


def test_a_constant_factor_is_left_out_and_said():
    found = design({"a": ["x", "x"], "b": [True, False]})
    assert found.of("a") == ()
    assert found.notes == ("a is always 'x' and was left out.",)


def test_levels_that_always_occur_together_are_not_identified():
    found = design({"a": ["x", "x", "y", "y"], "b": ["u", "u", "w", "w"], "c": ["1", "2"] * 2})
    assert known(found) == {
        "a=x": True,  # a reference level has no coefficient to identify
        "a=y": False,
        "b=u": True,
        "b=w": False,
        "c=1": True,
        "c=2": True,
    }
    assert found.confounded() == ("Not told apart by the design: a 'y', b 'w'.",)


def test_what_is_not_confounded_stays_identified():
    # only the models of the last two rows have other words
    found = design(
        {
            "alice": ["g", "g", "h", "h", "q", "q"],
            "market": ["m", "n", "m", "n", "m", "n"],
            "wording": ["paper"] * 4 + ["plain"] * 2,
        },
        alice="g",
    )
    assert known(found) == {
        "alice=g": True,
        "alice=h": True,
        "alice=q": False,
        "market=m": True,
        "market=n": True,
        "wording=paper": True,
        "wording=plain": False,
    }


def test_the_kept_columns_span_the_design():
    rng = np.random.default_rng(0)
    drawn = {name: list(rng.integers(3, size=40)) for name in "abc"}
    drawn["d"] = [a + 3 * b for a, b in zip(drawn["a"], drawn["b"], strict=True)]
    found = design(drawn)
    assert len(found.kept) == np.linalg.matrix_rank(found.matrix) < found.matrix.shape[1]
    assert np.allclose(found.matrix @ found.blind, 0)
    assert found.blind.shape[1] == found.matrix.shape[1] - len(found.kept)


def test_a_design_needs_rows():
    with pytest.raises(ValueError, match="at least one row"):
        design({"a": []})
