"""The pages tell the truth: links lead somewhere, the map is the tree, queries and commands work.

Also that the worked examples of `docs/adding.md` play, as they stand there.
"""

import re
import shlex
import shutil
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import catallaxy
from catallaxy.platform import compose
from catallaxy.platform.experiment import experiment
from catallaxy.platform.launch import command
from tests.toys import GRID, SMALL

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
README = (ROOT / "README.md").read_text()
ADDING = (ROOT / "docs/adding.md").read_text()

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def commands(verb: str) -> list[str]:
    """The command lines of all pages that begin with `catallaxy VERB`, comments left out."""
    found = {
        line.strip()
        for page in PAGES
        for block in re.findall(r"^```\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
        for line in block.splitlines()
        if line.startswith(f"catallaxy {verb} ")
    }
    return sorted(found)


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`conf/` with the YAMLs of `docs/adding.md` beside ours."""
    folder = tmp_path / "conf"
    shutil.copytree(ROOT / "conf", folder)
    for path, code in examples().items():
        if path.startswith("conf/"):
            (tmp_path / path).write_text(code)
    monkeypatch.setattr(compose, "CONF", folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("line", commands("run"))
def test_every_launch_composes(line: str, conf: Path) -> None:
    words = shlex.split(line, comments=True)[2:]
    sweep = "-m" in words
    overrides = [word for word in words if word != "-m" and not word.startswith("[GROUP")]
    if "|" in overrides:
        return  # the general form
    for job in compose.jobs(overrides)[:1] if sweep else [overrides]:
        assert compose.composed(job)["agent"]


@pytest.mark.slow
def test_a_launch_of_the_readme_that_needs_no_server_builds() -> None:
    lines = [line for line in commands("run") if "backend=scripted" in line and line in README]

    assert len(lines) >= 8
    for line in lines:
        words = shlex.split(line, comments=True)[2:]
        overrides = [word for word in words if word != "-m"]
        job = compose.jobs(overrides)[0] if "-m" in words else overrides
        assert experiment(compose.composed(job)).design()


def test_every_decision_is_half_a_page_under_its_number() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))

    for number, page in enumerate(decisions, 1):
        title = page.read_text().splitlines()[0]
        assert page.name.startswith(f"{number:03d}-")
        assert title.startswith(f"# {number:03d} ")
        assert len(page.read_text().split()) <= 300


def test_an_entry_of_the_changelog_has_at_most_25_words() -> None:
    entries = re.findall(r"^- (.+(?:\n  .+)*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert entries
    assert [entry for entry in entries if len(entry.split()) > 25] == []


# The map.


def mapped() -> set[str]:
    """The source files that the map names, from the root."""
    return set(re.findall(r"^\| `(\S+\.py)` \|", (ROOT / "docs/map.md").read_text(), re.MULTILINE))


def test_every_file_and_folder_of_the_readmes_map_exists() -> None:
    (block,) = re.findall(r"^## The map\n\n```\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    folder, named = "", []
    for line in block.splitlines():
        name = re.split(r"  +", line.strip())[0]
        if not line.startswith(" "):
            folder = name
            named.append(name)
        else:
            named += [f"{folder}{part}" for part in re.findall(r"[\w.]+(?:\.py|\.yaml|/)", name)]

    assert [name for name in named if not (ROOT / name).exists() and name != "runs/"] == []


def test_the_map_names_files_that_exist() -> None:
    assert [name for name in sorted(mapped()) if not (ROOT / name).is_file()] == []


def test_every_source_file_is_on_the_map() -> None:
    sources = {
        path.relative_to(ROOT).as_posix()
        for folder in ("games", "agents", "platform")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "__init__.py"
    }

    assert sorted(sources - mapped()) == []


def test_every_folder_of_conf_is_on_the_map() -> None:
    folders = {path.name for path in (ROOT / "conf").iterdir() if path.is_dir()}

    assert sorted(name for name in folders if f" {name}/" not in README) == []


# Queries, commands that look, Python.


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with one in it."""
    runs = tmp_path_factory.mktemp("readme") / "runs"
    catallaxy.run(*SMALL, runs=runs).close()
    return runs


@pytest.mark.parametrize("query", re.findall(r"```sql\n(.*?)```", README, re.DOTALL))
def test_every_query_of_the_readme_finds_something(query: str, played: Path) -> None:
    with catallaxy.open_runs(played) as record:
        answer = record.sql(query)

    assert len(answer) > 0
    assert not answer.isna().all(axis=None)


LOOKING = [line for verb in ("ls", "show", "sql", "report") for line in commands(verb)]


@pytest.mark.parametrize("line", [each for each in LOOKING if "QUERY" not in each])
def test_every_command_that_looks_works(
    line: str, played: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (day,) = [path.name for path in played.iterdir()]
    line = re.sub(r"runs/\d{4}-\d\d-\d\d", f"runs/{day}", line).replace("last 17", "last 7")
    shutil.copytree(played, tmp_path / "runs")
    monkeypatch.chdir(tmp_path)

    assert command(shlex.split(line, comments=True)[1:]) == 0


def test_the_readme_s_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)

    exec(code.replace('"backend=scripted"', ", ".join(map(repr, SMALL[1:]))), {})


ANALYSIS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/analysis.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run whose statistics can be told."""
    folder = tmp_path_factory.mktemp("studied")
    catallaxy.run(*GRID, runs=folder / "runs").close()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("code", ANALYSIS)
def test_the_python_of_the_page_about_analysis_runs(
    code: str, studied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(studied)

    exec(code, {})


# The worked examples of docs/adding.md.


def examples() -> dict[str, str]:
    """The files of the page, by path: a bold path, then its block."""
    return dict(re.findall(r"^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```", ADDING, re.DOTALL | re.M))


@pytest.fixture
def added(tmp_path: Path, conf: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The examples in place: importable under their names, their YAMLs composable."""
    for path, code in examples().items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code)
        if file.suffix == ".py" and not path.startswith("tests/"):
            name = "catallaxy." + path.removesuffix(".py").replace("/", ".")
            spec = spec_from_file_location(name, file)
            assert spec is not None
            assert spec.loader is not None
            module = module_from_spec(spec)
            monkeypatch.setitem(sys.modules, name, module)
            spec.loader.exec_module(module)
    return tmp_path


def test_the_example_s_own_tests_pass(added: Path) -> None:
    names: dict[str, object] = {}
    exec((added / "tests/games/test_ultimatum.py").read_text(), names)
    tests = [value for name, value in names.items() if name.startswith("test_")]

    assert len(tests) >= 4
    for test in tests:
        assert callable(test)
        test()


def test_the_example_of_a_game_and_of_an_experiment_plays(added: Path) -> None:
    with catallaxy.run("experiment=ultimatum", "backend=scripted", runs=added) as record:
        episodes, prompts = record.episodes(), record.sql("select content from messages")

    assert list(episodes["status"]) == ["settled"] * 6
    assert {"pie", "offer", "agreement"} <= set(episodes.columns)
    assert any('{"keep": <number>}' in text for text in prompts["content"])


def test_the_example_of_an_agent_takes_no_less_than_its_share(added: Path) -> None:
    chosen = ("agent@agent.responder=inequity", "agent.responder.share=0.4")
    design = ("backend=scripted", "market.replicates=8")
    with catallaxy.run("experiment=ultimatum", *design, *chosen, runs=added) as record:
        episodes = record.episodes()

    taken = episodes["agreement"] == 1
    assert set(taken) == {True, False}
    assert (episodes.loc[taken, "offer"] >= 0.4).all()
    assert (episodes.loc[~taken, "offer"] < 0.4).all()


@pytest.mark.slow
def test_the_example_of_a_matchmaker_lets_the_richest_lead(added: Path) -> None:
    with catallaxy.run("experiment=hill", "backend=scripted", runs=added) as record:
        seats, ledger = record.seats(), record.sql("select * from ledger")
    leaders = seats.loc[seats["seat"] == "proposer"].sort_values("ordinal")

    assert len(leaders) == 6
    for first in (0, 2, 4):
        before = ledger.loc[ledger["ordinal"] < first].groupby("agent")["amount"].sum()
        richest = "meek" if before.empty else before.idxmax()
        assert set(leaders["agent"].iloc[first : first + 2]) == {richest}
