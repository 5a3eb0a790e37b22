"""The report in a real browser: nothing is too wide, fetched or run, and its numbers are right."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html import escape, unescape
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import catallaxy
from catallaxy.platform.exchange.glee_export import export_glee
from catallaxy.platform.exchange.glee_import import Wish, games_in, import_glee
from catallaxy.platform.view.numbers import chance, fine, points
from catallaxy.platform.view.report import write_report
from tests.chromium import Tab
from tests.chromium import chromium as driven
from tests.platform import glee_files
from tests.platform.sample_run import HOSTILE, engagements, hostile, play, players, sample, write

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
        "names": write_report(hostile_names(folder / "names")).resolve(),
    }


def hostile_names(folder: Path) -> Path:
    """A run with every statistic, whose models have names that they should not have."""
    names = {
        "talker": f"<b>talker</b>{HOSTILE}",
        "fair": "f" * 300,
        "equilibrium": "</svg><script>",
    }
    planned = engagements([(alice, bob) for alice, bob in product(names, repeat=2)])
    return write(folder, planned, play(planned, players([])), models=names)


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
@pytest.mark.parametrize(("name", "figures"), [("sample", 11), ("hostile", 3), ("names", 11)])
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


# The statistics of a mixed run: scripted players, a model, imported models and an imported person.


@dataclass(frozen=True, slots=True)
class Mixed:
    """A run and the page about it; `imported` games of each family were not played here."""

    folder: Path
    page: Path
    imported: dict[str, int]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Mixed:
    root = tmp_path_factory.mktemp("mixed")
    more = (
        "+agent@agent.gpt=chat",
        "agent.gpt.backend={use: scripted, model: gpt-4o-mini, accept_probability: 0.3}",
    )
    plan = ("experiment=glee", "backend=scripted", "~agent.fair")
    with catallaxy.run(*plan, *more, "market.share=0.02", "seed=2", runs=root) as record:
        export_glee(record.folders[0], root / "games")
    for family in (glee_files.bargaining, glee_files.negotiation, glee_files.persuasion):
        family(root / "games")
    with catallaxy.run(*plan[:2], "market.share=0.04", runs=root) as record:
        (folder,) = record.folders
    found = import_glee(Wish(root / "games"), games_in(root / "games"), folder, "mixed")
    assert found.disagreeing.total() == 0
    return Mixed(folder, write_report(folder).resolve(), dict(found.stored))


def looked(tmp_path: Path, page: Path, look: Callable[[Tab], Awaitable[Any]]) -> Any:
    """What `look` finds on the page, in a window as wide as a desk; nothing may complain."""

    async def opened() -> Any:
        async with driven(tmp_path / "profile") as browser:
            tab = await browser.tab(1200, 1000)
            await tab.open(page.as_uri())
            found = await look(tab)
            assert browser.complaints == []
            return found

    return asyncio.run(opened())


_ROWS = """[...document.querySelectorAll("section.long")].map(section => [
  section.querySelector("h2").textContent.split(":")[0],
  [...section.querySelectorAll("table.%s tbody tr")].map(row =>
    [...row.cells].map(cell => cell.innerText.replaceAll("\u00a0", " ").trim())),
])"""


def rows(tmp_path: Path, page: Path, table: str) -> dict[str, list[list[str]]]:
    """The cells of a table of the statistics, by game, also of one that is folded away."""

    async def look(tab: Tab) -> Any:
        await tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        return await tab.evaluate(_ROWS % table)

    return {game: found for game, found in looked(tmp_path, page, look) if found}


def shown(row: Any) -> list[str]:
    """An effect and its p value as the page writes them."""
    if row["estimate"] != row["estimate"]:
        return ["–", ""]
    half = (row["high"] - row["low"]) / 2
    interval = f" ± {100 * half:.1f}" if half == half else ""
    known = None if row["p_adjusted"] != row["p_adjusted"] else row["p_adjusted"]
    return [points(100 * row["estimate"]) + interval, chance(known)]


def test_the_effects_on_the_page_are_those_of_python(tmp_path: Path, mixed: Mixed) -> None:
    found = rows(tmp_path, mixed.page, "effects")
    with catallaxy.open_runs(mixed.folder) as record:
        assert set(found) == set(mixed.imported) == {"bargaining", "negotiation", "persuasion"}
        for game, lines in found.items():
            expected = []
            table = record.effects(game)
            for factor, levels in table.groupby("factor", sort=False):
                expected.append([str(factor)])
                for level, effects in levels.groupby("level", sort=False):
                    first = effects.iloc[0]
                    name = f"{level} reference" if first["reference"] else level
                    cells = [cell for _, row in effects.iterrows() for cell in shown(row)]
                    cells = [""] if first["reference"] else cells
                    expected.append([name, str(first["n_level"]), *cells])
            assert lines == expected


def test_the_pairs_and_their_maps_are_those_of_python(tmp_path: Path, mixed: Mixed) -> None:
    found = rows(tmp_path, mixed.page, "pairs")
    drawn = looked(
        tmp_path,
        mixed.page,
        lambda tab: tab.evaluate(
            "[...document.querySelectorAll('svg[aria-label*=\"ordered pair\"]')]"
            ".map(s => [...s.querySelectorAll('text')].map(t => t.textContent))"
        ),
    )
    assert set(found) == set(mixed.imported)
    with catallaxy.open_runs(mixed.folder) as record:
        for place, (game, lines) in enumerate(found.items()):
            for number, metric in enumerate(
                ("fairness", "efficiency", "self_gain_alice", "self_gain_bob")
            ):
                table = record.pairs(game, metric)
                effects = [shown(row) for _, row in table.iterrows()]
                assert [line[4 + 3 * number : 6 + 3 * number] for line in lines] == effects
                known = table["estimate"].dropna()
                texts = drawn[4 * place + number]
                assert metric in texts
                assert {f"{100 * each:+.1f}" for each in known} <= set(texts)
                size = table["alice"].nunique() * table["bob"].nunique()
                assert texts.count("–") == size - len(known)


def test_the_meta_game_on_the_page_is_that_of_python(
    tmp_path: Path, pages: dict[str, Path]
) -> None:
    found = rows(tmp_path, pages["sample"], "meta")["bargaining"]
    with catallaxy.open_runs(pages["sample"].parent) as record:
        game = record.metagame("bargaining")
    names = list(game.alice_gains.index)

    assert [line[0] for line in found] == names
    for row, column in product(range(len(names)), repeat=2):
        gains = (game.alice_gains.iat[row, column], game.bob_gains.iat[row, column])
        shown = ", ".join(map(fine, gains)) if gains[0] == gains[0] else "–"
        assert found[row][1 + column] == shown


def test_who_played_and_what_was_imported_is_counted(tmp_path: Path, mixed: Mixed) -> None:
    found = rows(tmp_path, mixed.page, "players")
    told = looked(tmp_path, mixed.page, lambda tab: tab.text())

    for game, lines in found.items():
        imported = [line for line in lines if line[1] == "imported"]
        assert sum(int(line[4]) for line in imported) == mixed.imported[game]
        assert {line[0] for line in imported} >= {"human", "gpt-4o-mini", "gemini-1.5-flash"}
        assert {line[1] for line in lines} == {"imported", "model", "scripted"}
        assert f"{mixed.imported[game]} imported and not played here" in told


@pytest.mark.parametrize("width", [400, 1200])
def test_a_page_of_statistics_fits_its_window(tmp_path: Path, mixed: Mixed, width: int) -> None:
    found = measured(tmp_path, mixed.page, width)

    assert found["wide"] == []
    assert found["scroll"] <= width
    assert found["drawn"] is True
    assert found["svgs"] == 3 * (4 + 4) + 3 + 2 + 1
    assert (found["scripts"], found["loaded"]) == (0, [])


_CONTRAST = """(() => {
  const seen = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const light = colour => {
    seen.clearRect(0, 0, 1, 1); seen.fillStyle = colour; seen.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...seen.getImageData(0, 0, 1, 1).data].map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ink = light(getComputedStyle(document.body).color);
  const shades = [...document.querySelectorAll("svg path")]
    .map(path => getComputedStyle(path).fill).filter(fill => fill.startsWith("color("));
  return [new Set(shades).size, Math.min(...shades.map(fill => {
    const [low, high] = [ink, light(fill)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }))];
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_numbers_are_legible_on_every_shade(tmp_path: Path, mixed: Mixed, scheme: str) -> None:
    async def look(tab: Tab) -> Any:
        await tab.scheme(scheme)
        return await tab.evaluate(_CONTRAST)

    shades, contrast = looked(tmp_path, mixed.page, look)

    assert shades == 21
    assert contrast >= 4.5  # WCAG's AA for small text
