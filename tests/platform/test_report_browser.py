"""The report in a real browser: nothing is too wide, nothing is fetched, nothing runs."""

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path

import pytest

from catallaxy.platform.view.report import write_report
from tests.platform.sample_run import hostile, sample

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
    "--enable-logging=stderr",
]

pytestmark = pytest.mark.browser

# A page around the report, as wide as a phone or a desk, that measures it from outside: the report
# itself forbids scripts.
_AROUND = """<!doctype html><body style="margin:0">
<iframe src="{page}" style="border:0;width:{width}px;height:3000px"></iframe><script>
document.querySelector("iframe").onload = event => {{
  const inside = event.target.contentDocument, root = inside.documentElement;
  const wide = [...inside.querySelectorAll("main *")].filter(e => !e.closest(".scroll, pre, svg")
    && e.getBoundingClientRect().right > {width} + 1).map(e => e.tagName + "." + e.className);
  const svgs = [...inside.querySelectorAll("figure svg")];
  document.body.dataset.found = JSON.stringify({{
    scroll: root.scrollWidth, wide, svgs: svgs.length,
    drawn: svgs.every(s => s.getBoundingClientRect().height > 100),
    scripts: inside.scripts.length, title: inside.title,
    loaded: event.target.contentWindow.performance.getEntriesByType("resource").map(e => e.name),
    ink: getComputedStyle(inside.body).color,
  }});
}};
</script></body>"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return {
        "sample": write_report(sample(folder / "sample")).resolve(),
        "hostile": write_report(hostile(folder / "hostile")).resolve(),
    }


def chromium(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    profile = tmp_path / "profile"
    return subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


def measured(tmp_path: Path, page: Path, width: int) -> dict:
    around = tmp_path / "around.html"
    around.write_text(_AROUND.format(page=escape(page.as_uri()), width=width))
    done = chromium(
        tmp_path,
        "--virtual-time-budget=10000",
        f"--window-size={max(width, 500)},3000",
        "--dump-dom",
        around.as_uri(),
    )
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert console == []
    found = re.search(r'data-found="([^"]*)"', done.stdout)
    assert found, done.stdout[-500:]
    return json.loads(unescape(found[1]))


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize(("name", "figures"), [("sample", 3), ("hostile", 3)])
def test_a_page_fits_its_window_and_fetches_nothing(
    tmp_path: Path, pages: dict[str, Path], name: str, figures: int, width: int
):
    found = measured(tmp_path, pages[name], width)
    assert found["wide"] == []
    assert found["scroll"] <= width
    assert (found["svgs"], found["drawn"]) == (figures, True)
    assert (found["scripts"], found["loaded"]) == (0, [])


@pytest.mark.parametrize("scheme", [0, 1])
def test_a_page_is_not_blank_in_dark_and_in_light(
    tmp_path: Path, pages: dict[str, Path], scheme: int
):
    image = pytest.importorskip("PIL.Image")
    shot = tmp_path / "shot.png"
    chromium(
        tmp_path,
        f"--blink-settings=preferredColorScheme={scheme}",
        "--window-size=1200,2000",
        f"--screenshot={shot}",
        pages["sample"].as_uri(),
    )
    with image.open(shot) as found:
        grey = found.convert("L")
        paper = grey.getpixel((3, 3))
        assert (paper < 64) is (scheme == 0)
        assert len(grey.getcolors()) > 50
