"""The report's figures as inline SVG. Needs matplotlib; knows no database.

Colours are CSS variables of the page (`--ink`, `--muted`, `--rule`, `--c0` to `--c5`), so that one
figure is legible in light and dark. Series differ by marker as well as by colour.
"""

import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from catallaxy.platform.view.visible import one_line

SERIES = 6
MOST_ROWS = 24
_WIDTH_IN = 4.8
_INK, _MUTED, _RULE = "#010101", "#020202", "#030303"
_COLOURS = [f"#0500{number:02d}" for number in range(SERIES)]
_MARKERS = "os^Dvp"
_VARIABLES = {
    _INK: "var(--ink)",
    _MUTED: "var(--muted)",
    _RULE: "var(--rule)",
    **{colour: f"var(--c{number})" for number, colour in enumerate(_COLOURS)},
}
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "catallaxy",
    "text.parse_math": False,
    "font.size": 9,
    "axes.edgecolor": _RULE,
    "axes.labelcolor": _MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _RULE,
    "grid.linewidth": 0.5,
    "text.color": _INK,
    "xtick.color": _RULE,
    "ytick.color": _RULE,
    "xtick.labelcolor": _MUTED,
    "ytick.labelcolor": _MUTED,
    "legend.frameon": False,
    "legend.labelcolor": _INK,
    "legend.fontsize": 8.5,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
}


def offers_by_round(offers: pd.DataFrame, name: str) -> str:
    """What proposers ask for themselves, by round and agent, with intervals."""
    with mpl.rc_context(_STYLE):
        figure, axes = _blank(3.2)
        for number, (agent, group) in enumerate(offers.groupby("agent", sort=True)):
            if number == SERIES:
                break
            axes.errorbar(
                group["round"],
                group["mean"],
                yerr=group["half"].fillna(0).clip(upper=1),
                label=one_line(str(agent), 28),
                color=_COLOURS[number],
                marker=_MARKERS[number],
                elinewidth=0.9,
            )
        _by_round(axes, "share asked for oneself", last=offers["round"].max())
        _legend(figure, axes)
        return _svg(figure, name, "The share that proposers ask for themselves, by round")


def agreement_by_round(shares: pd.DataFrame, name: str) -> str:
    """The share of episodes that have agreed by each round: a line per `who`, and all (empty)."""
    with mpl.rc_context(_STYLE):
        figure, axes = _blank(3.2)
        parts = shares.loc[shares["who"] != ""].groupby("who", sort=False)
        for number, (who, group) in enumerate(parts):
            if number == SERIES:
                break
            axes.plot(
                group["round"],
                group["share"],
                label=one_line(str(who), 28),
                color=_COLOURS[number],
                marker=_MARKERS[number],
            )
        if len(parts) > 1:
            whole = shares.loc[shares["who"] == ""]
            axes.plot(whole["round"], whole["share"], label="all", color=_INK, linewidth=2.6)
        _by_round(axes, "share that has agreed", last=shares["round"].max())
        _legend(figure, axes)
        return _svg(figure, name, "The share of episodes that have agreed, by round")


def gains(measures: pd.DataFrame, metric: str, name: str) -> str:
    """One metric of every seat, pairing by pairing: mean, interval, and theory's mark."""
    found = measures.loc[(measures["name"] == metric) & (measures["seat"] != "")]
    pairings = list(dict.fromkeys(found["pairing"]))[:MOST_ROWS]
    seats = list(dict.fromkeys(found["seat"]))[:SERIES]
    with mpl.rc_context(_STYLE):
        figure, axes = _blank(0.9 + 0.5 * len(pairings))
        for row, pairing in enumerate(pairings):
            axes.text(
                0.0,
                row - 0.27,
                one_line(pairing, 56),
                transform=axes.get_yaxis_transform(),
                fontsize=8.5,
                va="center",
            )
        for number, seat in enumerate(seats):
            _seat_points(axes, found.loc[found["seat"] == seat], pairings, seats, number)
        axes.set_ylim(len(pairings) - 0.4, -0.6)
        axes.set_yticks([])
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"{one_line(metric)}: mean, 95 % interval")
        _legend(figure, axes)
        return _svg(figure, name, f"{metric} of every pair of agents, beside theory")


def _seat_points(
    axes: Axes, found: pd.DataFrame, pairings: Sequence[str], seats: Sequence[str], number: int
) -> None:
    """One seat's points: a row per pairing, the seats of a row a little apart."""
    step = 0.34 / max(len(seats), 2)
    rows = [pairings.index(p) + step * number for p in found["pairing"] if p in pairings]
    shown = found.head(len(rows))
    axes.errorbar(
        shown["mean"],
        rows,
        xerr=shown["half"].fillna(0),
        label=one_line(seats[number], 28),
        color=_COLOURS[number],
        marker=_MARKERS[number],
        linestyle="",
        elinewidth=1.3,
    )
    axes.plot(
        shown["predicted"],
        rows,
        label="theory" if number == len(seats) - 1 and shown["predicted"].notna().any() else None,
        color=_INK,
        marker="|",
        markersize=9,
        markeredgewidth=1.8,
        linestyle="",
    )


def _blank(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH_IN, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    return figure, axes


def _by_round(axes: Axes, label: str, last: int) -> None:
    axes.set_xlabel("round")
    axes.set_ylabel(label)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlim(0.7, max(last, 2) + 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    shown = [(h, t) for h, t in zip(handles, labels, strict=True) if t]
    shown.sort(key=lambda each: each[1] in ("theory", "all"))
    if shown:
        columns = 2 if max(len(text) for _, text in shown) > 14 else 3
        figure.legend(*zip(*shown, strict=True), loc="outside upper left", ncols=columns)


def _svg(figure: Figure, name: str, says: str) -> str:
    """The figure as one `svg` element whose ids begin with `name`; the same for the same figure."""
    out = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the page's font has it
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'(href="|url\()#', rf"\1#{name}-", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    svg = re.sub(r'(<svg [^>]*?)\bheight="[^"]*"([^>]*?)\bwidth="[^"]*"', r"\1\2", svg, count=1)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{_attribute(says)}" ', 1)


def _attribute(text: str) -> str:
    return one_line(text).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
