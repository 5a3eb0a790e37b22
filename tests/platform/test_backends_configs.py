"""Every backend: its YAML builds, says every field, has the class's defaults; and it travels."""

import pickle
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.config import build

FOLDER = Path(__file__).resolve().parents[2] / "conf" / "backend"
MISSING_VALUE = "???"
FILES = sorted(FOLDER.glob("*.yaml"))
every = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def spec(file: Path) -> dict[str, Any]:
    loaded = OmegaConf.to_container(OmegaConf.load(file), throw_on_missing=False)
    assert isinstance(loaded, dict)
    return {str(key): value for key, value in loaded.items()}


def built(file: Path) -> Any:
    given = {key: "x" if value == MISSING_VALUE else value for key, value in spec(file).items()}
    return build(given, at=file.stem)


@every
def test_it_builds_and_travels(file: Path) -> None:
    gate = pickle.loads(pickle.dumps(Gate(file.stem, built(file))))
    assert gate.backend == built(file)
    assert gate.backend.provider
    assert gate.backend.address


@every
def test_it_starts_with_its_command_and_explains_every_field(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert lines[0].startswith("# catallaxy run ")
    for line in lines[3:]:
        assert " # " in line, f"{file.name}: no comment in {line!r}"


@every
def test_it_says_every_field_with_the_default_of_the_class(file: Path) -> None:
    given = spec(file)
    given.pop("_target_")
    made = built(file)
    assert sorted(given) == sorted(field.name for field in fields(made))
    for field in fields(made):
        default = field.default if field.default is not MISSING else MISSING
        if field.default_factory is not MISSING:
            default = field.default_factory()
        value = given[field.name]
        if default is MISSING:
            assert value == MISSING_VALUE
        else:
            assert _plain(value) == _plain(default), field.name


def _plain(value: Any) -> Any:
    value = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    return list(value) if isinstance(value, tuple) else value
