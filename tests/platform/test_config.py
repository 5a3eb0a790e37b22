"""Field by field, each wrong one in a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import pytest

from catallaxy.agents.chat import ChatModel
from catallaxy.platform.config import build
from catallaxy.platform.errors import ConfigError

HERE = f"{__name__}.Kettle"


@dataclass(frozen=True)
class Lid:
    closed: bool = True


@dataclass(frozen=True)
class Kettle:
    litres: float
    cups: int = 4
    colour: Literal["red", "blue"] = "red"
    label: str | None = None
    share: Fraction = Fraction(1, 2)
    lid: Lid = field(default_factory=Lid)
    marks: Sequence[float] = ()
    names: Mapping[str, int] = field(default_factory=dict)
    model: ChatModel | None = None

    def __post_init__(self) -> None:
        if self.litres <= 0:
            raise ValueError(f"litres: give more than 0; you gave {self.litres!r}.")


def kettle(**fields: Any) -> Kettle:
    return build({"_target_": HERE, "litres": 1, **fields}, at="kitchen.kettle")


def test_values_become_what_their_annotations_say() -> None:
    built = kettle(share="1/3", marks=[1, 2.5], names={"a": 1}, lid={"closed": False}, label="x")

    assert built.litres == 1.0
    assert built.share == Fraction(1, 3)
    assert built.marks == (1.0, 2.5)
    assert built.lid == Lid(closed=False)


def test_a_number_may_be_written_as_a_fraction() -> None:
    assert build({"_target_": HERE, "litres": "1/3"}, at="k").litres == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"cups": 2.5}, "kitchen.kettle.cups must be a whole number, not 2.5."),
        ({"cups": True}, "kitchen.kettle.cups must be a whole number, not True."),
        ({"cups": "4"}, "kitchen.kettle.cups must be a whole number, not '4'."),
        ({"litres": "much"}, "kitchen.kettle.litres must be a number, not 'much'."),
        ({"litres": "???"}, "kitchen.kettle.litres must be given."),
        ({"litres": -1}, "kitchen.kettle: litres: give more than 0; you gave -1.0."),
        (
            {"colour": "bleu"},
            "kitchen.kettle.colour='bleu' is not allowed. Did you mean 'blue'? Allowed: red, blue.",
        ),
        ({"label": 3}, "kitchen.kettle.label must be text, not 3."),
        (
            {"share": "1/0"},
            "kitchen.kettle.share must be a number or a fraction such as 1/3, not '1/0'.",
        ),
        ({"lid": {"closed": "yes"}}, "kitchen.kettle.lid.closed must be true or false, not 'yes'."),
        ({"marks": "1"}, "kitchen.kettle.marks must be a list, not '1'."),
        ({"marks": [1, "b"]}, "kitchen.kettle.marks[1] must be a number, not 'b'."),
        ({"names": {"a": "b"}}, "kitchen.kettle.names.a must be a whole number, not 'b'."),
        (
            {"cup": 3},
            "kitchen.kettle.cup: 'cup' is not known. Did you mean 'cups'? Allowed: "
            "colour, cups, label, lid, litres, marks, model, names, share.",
        ),
    ],
)
def test_a_wrong_field_is_one_sentence(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        kettle(**fields)

    assert str(refused.value) == sentence


@pytest.mark.parametrize("target", ["os.system", "no.such.Thing", "catallaxy", "builtins.int"])
def test_only_dataclasses_are_ever_made(target: str) -> None:
    with pytest.raises(ConfigError, match=r"kitchen\._target_: "):
        build({"_target_": target}, at="kitchen")


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ConfigError, match=r"kitchen\.litres is missing; Kettle needs it"):
        build({"_target_": HERE}, at="kitchen")
