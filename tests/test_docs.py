"""The pages tell the truth: links resolve, maps match, queries run, the worked examples play."""

import re
import shutil
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

import catallaxy
from catallaxy.platform import compose
from catallaxy.platform.launch import _parser
from catallaxy.platform.market.marketplace import Budget
from catallaxy.platform.store.reader import Reader

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
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


@every_page
def test_every_decision_is_half_a_page(page: Path) -> None:
    if page.parent.name == "decisions":
        assert re.match(r"\d{3}-[a-z-]+\.md", page.name)
        assert len(page.read_text().split()) <= 330


@every_page
def test_every_command_of_a_page_exists(page: Path) -> None:
    known = set(re.findall(r"^  +(\w+) ", _parser().format_help(), re.MULTILINE))
    used = set(re.findall(r"^(?:\$ )?catallaxy ([a-z]+)", page.read_text(), re.MULTILINE))

    assert used <= known


def runs_of(page: Path) -> list[str]:
    """The launches of a page, continued lines joined."""
    text = re.sub(r" *\\\n *", " ", page.read_text())
    found = re.findall(r"^catallaxy run ([^-#\n][^#\n]*)", text, re.MULTILINE)
    found += [
        line[3:] for line in re.findall(r"^catallaxy run (-m [^#\n]+)", text, re.MULTILINE)
    ]
    return [each for each in found if "experiment=ultimatum" not in each]


LAUNCHES = sorted({(page.name, each.strip()) for page in PAGES for each in runs_of(page)})


@pytest.mark.parametrize(("page", "launch"), LAUNCHES)
def test_every_launch_of_a_page_composes(page: str, launch: str) -> None:
    for job in compose.jobs(shlex.split(launch)):
        compose.composed(job)
