"""The report: one page, safe, the same for the same record."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from catallaxy.platform.errors import StoreError
from catallaxy.platform.store.writer import Store
from catallaxy.platform.view.report import write_report
from tests.platform.sample_run import hostile, sample, write

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("runs") / "sample")


@pytest.fixture(scope="module")
def page(recorded: Path) -> str:
    return write_report(recorded).read_text()


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(hostile(tmp_path_factory.mktemp("runs") / "hostile")).read_text()


class Tags(HTMLParser):
    """Every tag of a page, and every id."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "srcset") and not (value or "").startswith(
                "#"
            ):
                self.loads.append(f"{tag} {name}={value}")


def test_the_page_has_tables_figures_dialogues_and_configuration(page: str):
    for words in ("talker vs fair", "theory", "What their models cost", "The first agreement"):
        assert words in page
    assert "connection refused" in page
    assert "c0ffee123456" in page
    assert Tags(page).tags.count("svg") == 3 + 4 + 4  # of any game; effects; pairs


def test_the_page_loads_nothing_and_runs_nothing(page: str):
    tags = Tags(page)
    assert tags.loads == []
    assert not {"script", "img", "iframe", "link", "object", "base"} & set(tags.tags)
    assert "default-src 'none'" in page
    assert "url(http" not in page


def test_ids_are_unique(page: str):
    ids = Tags(page).ids
    assert len(ids) == len(set(ids))


def test_figures_take_their_colours_from_the_page(page: str):
    svgs = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert "var(--c0)" in svgs
    assert not re.findall(r"#[0-9a-f]{6}\b(?=[;\"])", svgs)


def test_the_same_record_gives_the_same_page(recorded: Path, page: str, tmp_path: Path):
    assert write_report(recorded, tmp_path / "again.html").read_text() == page


def test_hostile_text_is_shown_and_not_obeyed(evil: str):
    tags = Tags(evil)
    assert not {"script", "img", "b-evil"} & set(tags.tags)
    assert tags.loads == []
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in evil
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", evil)
    assert "{{ 7 * 7 }}" in evil


def test_a_huge_reply_is_cut_with_a_note(evil: str):
    assert len(evil) < 500_000
    assert "[10,000,000 characters; the first 1,500 are shown]" in evil


def test_a_run_without_episodes_has_a_page_too(tmp_path: Path):
    page = write_report(write(tmp_path / "run", [], [])).read_text()
    assert "No episode has ended." in page


def test_a_page_that_cannot_be_written_is_said_so(recorded: Path, tmp_path: Path):
    with pytest.raises(StoreError, match="cannot be written"):
        write_report(recorded, tmp_path / "missing" / "report.html")


def test_a_store_without_a_run_is_said_so(tmp_path: Path):
    Store(tmp_path / "run").close()
    with pytest.raises(StoreError):
        write_report(tmp_path / "run")


def test_without_matplotlib_one_line_says_what_to_install(recorded: Path):
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from pathlib import Path\n"
        "from catallaxy.platform.errors import NotReady\n"
        "from catallaxy.platform.view.report import write_report\n"
        "try: write_report(Path(sys.argv[1]))\n"
        "except NotReady as error: print(error)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(recorded)], capture_output=True, text=True, check=True
    )
    assert "pip install catallaxy[view]" in told.stdout
