"""One self-contained HTML page about a run. Needs matplotlib for its figures.

The page is the same for the same record. No script, nothing from elsewhere, and whatever a model
wrote is shown as text.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from catallaxy.platform.errors import NotReady, StoreError
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.view import tables
from catallaxy.platform.view.numbers import (
    chance,
    fine,
    percent,
    plain,
    points,
    seconds,
    short,
    times,
)
from catallaxy.platform.view.overview import Overview, overview
from catallaxy.platform.view.playback import Playback, playback
from catallaxy.platform.view.progress import clock
from catallaxy.platform.view.sections import Sections, sections
from catallaxy.platform.view.visible import clipped, fields, one_line, visible

LONGEST = 1500
MOST_PAIRINGS = 100
MOST_MEASURES = 1000
MOST_TRIES = 60
_MOST_LINES = 6
_TEMPLATES = Path(__file__).resolve().with_name("templates")


@dataclass(frozen=True, slots=True)
class Sample:
    """One episode to read, and why it was chosen."""

    why: str
    play: Playback


@dataclass(frozen=True, slots=True)
class Chapter:
    """What one game's episodes showed: its tables and its figures."""

    game: str
    columns: list[tuple[str, str]]
    counts: list[dict[str, Any]]
    cells: dict[tuple[str, str, str], dict[str, Any]]
    measures: list[dict[str, Any]]
    figures: list[tuple[Markup, str]]
    left_out: int
    partly_predicted: bool
    statistics: Sections | None


def write_report(folder: Path, output: Path | None = None) -> Path:
    """Write the page about the run in `folder`; returns its path, `report.html` there by default.

    Raises NotReady without matplotlib, StoreError when the record or the page gets in the way.
    """
    path = folder / "report.html" if output is None else output
    with Reader.open(folder) as reader:
        page = render(reader)
    try:
        path.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    return path


def render(reader: Reader) -> str:
    """The page about the one run that `reader` has open."""
    stands = overview(reader)
    if stands is None:
        raise StoreError("Nothing is on record yet; ask again when the run has begun.")
    plays = tables.plays(reader)
    agents = tables.agents(reader)
    return _page().render(
        stands=stands,
        took=None if stands.seconds is None else clock(stands.seconds),
        tiles=list(_tiles(stands, plays, agents)),
        chapters=list(_chapters(reader, plays)),
        agents=_records(agents),
        failures=_records(tables.failures(reader)),
        model_errors=_records(tables.model_errors(reader)),
        samples=list(_samples(reader, plays)),
        config=json.dumps(stands.config, indent=2, ensure_ascii=False),
        few=MOST_TRIES,
        longest=LONGEST,
        most_measures=MOST_MEASURES,
        most_pairings=MOST_PAIRINGS,
        fields=fields,
        plain_names=tables.plain_names,
    )


def _page() -> Any:
    env = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(
        chance=chance,
        clipped=clipped,
        fine=fine,
        line=one_line,
        percent=percent,
        plain=plain,
        points=points,
        seconds=seconds,
        short=short,
        times=times,
    )
    return env.get_template("report.html")


def _finalized(value: Any) -> Any:
    """Nothing that acts or hides gets onto the page, but for our own markup."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as plain values, None where there is nothing."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def _tiles(
    stands: Overview, plays: pd.DataFrame, agents: pd.DataFrame
) -> Iterator[tuple[str, str, str]]:
    """The key numbers: label, value, what to compare it with."""
    lost = [f"{stands.failed:,} failed"] if stands.failed else []
    lost += [f"{stands.crashed:,} crashed"] if stands.crashed else []
    yield "episodes settled", f"{stands.settled:,}", ", ".join([f"of {stands.planned:,}", *lost])
    deals = plays.loc[(plays["status"] == "settled") & plays["deal"].notna(), "deal"]
    if len(deals):
        made = int(deals.sum())
        yield "agreements", percent(made, len(deals)), f"{made:,} of {len(deals):,}"
    forfeited = int(((plays["status"] == "settled") & (plays["forfeits"] > 0)).sum())
    yield "with a forfeit", percent(forfeited, stands.settled), f"{forfeited:,} episodes"
    bad, tries = int((agents["unreadable"] + agents["illegal"]).sum()), int(agents["tries"].sum())
    yield "bad tries", percent(bad, tries), f"{bad:,} of {tries:,}"
    if stands.calls:
        yield "model calls", f"{stands.calls:,}", f"{stands.tokens:,} tokens"
        if stands.cost_usd is not None:
            yield "cost", f"${stands.cost_usd:,.4f}", "at the prices configured"


def _chapters(reader: Reader, plays: pd.DataFrame) -> Iterator[Chapter]:
    measures = tables.measures(reader, plays)
    counts = tables.counts(plays)
    offers, agreed = (
        tables.offers_by_round(reader),
        tables.agreement_by_round(reader, plays, _MOST_LINES),
    )
    for number_, game in enumerate(dict.fromkeys(plays["game"])):
        of_game = measures.loc[measures["game"] == game]
        rows = _records(counts.loc[counts["game"] == game])
        shown = _records(of_game)
        yield Chapter(
            game=game,
            columns=tables.headlines(of_game),
            counts=rows[:MOST_PAIRINGS],
            cells={(row["pairing"], row["name"], row["seat"]): row for row in shown},
            measures=shown[:MOST_MEASURES],
            figures=_figures(
                of_game,
                offers.loc[offers["game"] == game],
                agreed.loc[agreed["game"] == game],
                f"g{number_}",
            ),
            left_out=max(len(rows) - MOST_PAIRINGS, 0),
            partly_predicted=any(0 < row["predicted_n"] < row["n"] for row in shown),
            statistics=sections(reader, game, f"g{number_}"),
        )


def _figures(
    measures: pd.DataFrame, offers: pd.DataFrame, agreed: pd.DataFrame, name: str
) -> list[tuple[Markup, str]]:
    """The figures that this game allows, each with its caption."""
    figures = _drawing()
    drawn = []
    seated = [metric for metric, seat in tables.headlines(measures) if seat]
    if seated:
        metric = seated[0]
        caption = f"{metric} of each seat: mean and 95 % interval; the bar is what theory expects."
        drawn.append((figures.gains(measures, metric, f"{name}-gains"), caption))
    if len(offers):
        caption = (
            "What proposers ask for themselves, by round, while one in twenty episodes goes on."
        )
        drawn.append((figures.offers_by_round(offers, f"{name}-offers"), caption))
    if len(agreed):
        caption = "Episodes that have agreed by each round, of all that settled."
        drawn.append((figures.agreement_by_round(agreed, f"{name}-agreed"), caption))
    return [(Markup(svg), caption) for svg, caption in drawn]  # our own drawing, texts escaped


def _drawing() -> ModuleType:
    """The module that draws. Raises NotReady without matplotlib."""
    try:
        from catallaxy.platform.view import figures  # noqa: PLC0415 - matplotlib is an extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise NotReady(
            "The report's figures need matplotlib: pip install catallaxy[view]"
        ) from error
    return figures


def _samples(reader: Reader, plays: pd.DataFrame) -> Iterator[Sample]:
    """A few episodes to read, the same ones for the same record."""
    settled = plays.loc[plays["status"] == "settled"]
    by_length = settled.sort_values(["turns", "ordinal"], ascending=[False, True])
    wanted: Mapping[str, pd.DataFrame] = {
        "The first agreement": settled.loc[settled["deal"] == 1],
        "The first without agreement": settled.loc[settled["deal"] == 0],
        "The first": settled.loc[settled["deal"].isna()],
        "The longest": by_length,
        "The first with a forfeit": settled.loc[settled["forfeits"] > 0],
    }
    taken: set[str] = set()
    for why, found in wanted.items():
        left = found.loc[~found["episode"].isin(taken)]
        if len(left):
            episode = str(left.iloc[0]["episode"])
            taken.add(episode)
            yield Sample(why, playback(reader, episode, LONGEST))
