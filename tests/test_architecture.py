"""How the house is built: folders, imports, what belongs together, what must not be in git."""

import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import catallaxy
from catallaxy.platform import api

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("platform", "agents", "games")
GAMES = sorted((ROOT / "conf/game").glob("*.yaml"))
LOCK = ROOT / "requirements.lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

every_game = pytest.mark.parametrize("game", GAMES, ids=lambda path: path.stem)


def python(*arguments: str) -> str:
    """What a Python in a process of its own prints, started at the root."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def tracked() -> list[Path]:
    """The files in git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


# The folder that is called like a module of the standard library.


@pytest.mark.parametrize("folder", SOURCES)
def test_no_source_folder_is_a_package_at_the_root(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


@pytest.mark.parametrize("folder", SOURCES)
def test_the_import_name_leads_to_the_source_folder_by_a_relative_link(folder: str) -> None:
    link = ROOT / "src/catallaxy" / folder

    assert link.is_symlink()
    assert link.readlink() == Path("../..") / folder


def test_import_platform_at_the_root_is_the_standard_library_s() -> None:
    library = Path(python("-c", "import os; print(os.__file__)")).parent
    found = python("-c", "import platform; platform.system(); print(platform.__file__)")

    assert Path(found) == library / "platform.py"


def test_programs_that_import_platform_run_from_the_root() -> None:
    assert python("-m", "platform")
    assert "pytest" in python("-m", "pytest", "--version")


# Imports.


def test_imports_go_down_only() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_the_public_interface_is_what_it_says() -> None:
    assert list(catallaxy.__all__) == sorted(catallaxy.__all__)
    assert set(catallaxy.__all__) == set(api.__all__) == set(dir(catallaxy))
    for name in catallaxy.__all__:
        assert getattr(catallaxy, name) is getattr(api, name)
        assert getattr(catallaxy, name).__doc__


def test_import_catallaxy_loads_nothing_heavy() -> None:
    heavy = (
        "ray",
        "duckdb",
        "hydra",
        "omegaconf",
        "pydantic",
        "openai",
        "langchain_core",
        "pandas",
    )
    loaded = python("-c", "import sys, catallaxy; print(*sys.modules)").split()

    assert sorted(set(heavy) & set(loaded)) == []


def test_the_command_line_loads_nothing_heavy_before_it_knows_the_command() -> None:
    heavy = (
        "ray",
        "duckdb",
        "hydra",
        "omegaconf",
        "pydantic",
        "openai",
        "langchain_core",
        "pandas",
    )
    code = "import sys, catallaxy.platform.launch; print(*sys.modules)"

    assert sorted(set(heavy) & set(python("-c", code).split())) == []


# What belongs together.


@every_game
def test_a_game_has_rules_and_a_test(game: Path) -> None:
    spec = yaml.safe_load(game.read_text())
    module, _, name = spec["rules"]["_target_"].rpartition(".")

    assert spec["name"] == game.stem
    assert module.startswith("catallaxy.games.")
    assert isinstance(getattr(import_module(module), name), type)
    assert (ROOT / f"tests/games/test_{game.stem}.py").exists()


# What must not be in git.


def test_the_lock_has_hashes_and_no_addresses() -> None:
    text = LOCK.read_text()
    pinned = re.findall(r"^\S.*==", text, re.MULTILINE)
    blocks = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]

    assert len(pinned) == len(blocks) > 50
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in text
    assert "file:" not in text


def test_the_lock_has_everything_that_the_project_asks_for() -> None:
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["local"], *extras["view"]]
    asked += PROJECT["dependency-groups"]["dev"]
    names = {re.split(r"[<>=!\[; ]", each)[0].lower().replace("_", "-") for each in asked}
    locked = set(re.findall(r"^([\w.-]+)==", LOCK.read_text(), re.MULTILINE))

    assert sorted(names - locked) == []


def test_there_is_no_lock_that_records_addresses() -> None:
    assert not (ROOT / "uv.lock").exists()


def test_no_file_names_a_place_of_one_machine() -> None:
    home = re.compile(r"(?<![\w.])/(?:work|home|root|Users|opt|mnt)/[\w.]")
    found = []
    for path in tracked():
        if path in (LOCK, Path(__file__)):
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {hit}" for hit in home.findall(text)]

    assert found == []


def test_no_run_and_no_weights_are_in_git() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in tracked()]

    assert [name for name in names if name.startswith("runs/")] == ["runs/.gitkeep"]
    assert [name for name in names if name.endswith((".duckdb", ".gguf", ".parquet"))] == []
