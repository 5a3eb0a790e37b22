"""Every wording of every game: it fits its game, and a translation leaves nothing in English."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from string import Formatter

import pytest

from catallaxy.platform.compose import CONF, composed
from tests.test_prompts import composed_wording

ROOT = Path(__file__).parents[1]
SAYS = {"IllegalMove", "Remark"}  # the calls whose first argument is said to a player
WORDINGS = sorted(
    (path.parent.name, path.stem) for path in (CONF / "game/wording").glob("*/*.yaml")
)

every_wording = pytest.mark.parametrize(("game", "name"), WORDINGS)


def source(module: str) -> Path:
    """The file of a module of ours."""
    return Path(str(import_module(module).__file__))


def rules_modules(game: str) -> list[Path]:
    """The file of a game's rules, and of all that it imports from `games/`."""
    config = composed(["~experiment", f"game={game}", "backend=scripted"])
    waiting, found = [config["game"]["rules"]["_target_"].rpartition(".")[0]], {}
    while waiting:
        module = waiting.pop()
        if module not in found and module != "catallaxy.games.base":
            found[module] = source(module)
            waiting += imported(found[module])
    return list(found.values())


def imported(file: Path) -> list[str]:
    return [
        node.module
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("catallaxy.games.")
        if node.module is not None
    ]


def sayings(file: Path) -> Iterator[ast.expr]:
    """What stands in `file` as the first argument of a call that is said to a player."""
    tree = ast.parse(file.read_text())
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYS:
            said = node.args[0]
            yield constants.get(said.id, said) if isinstance(said, ast.Name) else said


def templates(file: Path) -> set[str]:
    return {
        said.value
        for said in sayings(file)
        if isinstance(said, ast.Constant) and isinstance(said.value, str)
    }


@cache
def needed(game: str) -> set[str]:
    """Every sentence that a player of `game` may have to read, as an English template."""
    files = [*(ROOT / "agents").rglob("*.py"), *rules_modules(game)]
    return {text for file in files for text in templates(file)}


def fields_in(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def test_the_templates_of_bargaining_and_of_reading_are_found() -> None:
    found = needed("bargaining")

    assert "A message has at most {most} characters; yours has {got}." in found
    assert "There was no JSON object in your answer." in found
    assert len(found) >= 14


@pytest.mark.parametrize("game", sorted({game for game, _ in WORDINGS}))
def test_what_a_game_objects_is_a_template_and_its_facts(game: str) -> None:
    computed = [
        f"{file.name}:{said.lineno}: {ast.unparse(said)}"
        for file in rules_modules(game)
        for said in sayings(file)
        if not isinstance(said, ast.Constant)
        and not (isinstance(said, ast.Call) and ast.unparse(said.func) in SAYS)
    ]

    assert computed == []


@every_wording
def test_a_wording_in_another_language_translates_every_objection(game: str, name: str) -> None:
    wording = composed_wording(game, name)
    if wording.language != "en":
        assert sorted(needed(game) - set(wording.phrases)) == []


@every_wording
def test_a_translation_tells_the_facts_of_its_template(game: str, name: str) -> None:
    wording = composed_wording(game, name)
    sentences = {text for text in wording.phrases if "{" in text or text.endswith(".")}

    assert sorted(sentences - needed(game)) == []  # the rest are labels of forms
    for template, translation in wording.phrases.items():
        assert fields_in(translation) == fields_in(template), template


@every_wording
def test_a_wording_has_its_name_and_a_text_for_whatever_plain_has(game: str, name: str) -> None:
    plain, wording = composed_wording(game, "plain"), composed_wording(game, name)

    assert wording.name == name
    for part in ("names", "asks", "terms"):
        assert set(getattr(wording, part)) == set(getattr(plain, part))
    assert all((wording.system, wording.briefing, wording.objection, wording.scratchpad))
