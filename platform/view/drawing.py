"""How figures become inline SVG that suits the page. Needs matplotlib; knows no numbers.

Colours are CSS variables of the page (`--ink`, `--muted`, `--rule`, `--c0` to `--c5`, and `--low`,
`--high` for shades), so that one figure is legible in light and dark.
"""

import io
import re
import warnings
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from catallaxy.platform.view.visible import one_line

SERIES = 6
STEPS = 10
"""Shades on either side of 0."""
WIDTH_IN = 4.8
INK, MUTED, RULE = "#010101", "#020202", "#030303"
COLOURS = [f"#0500{number:02d}" for number in range(SERIES)]
_SHADES = {step: f"#0600{step + STEPS:02d}" for step in range(-STEPS, STEPS + 1)}
_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    **{colour: f"var(--c{number})" for number, colour in enumerate(COLOURS)},
    **{
        colour: f"color-mix(in srgb, var(--{'high' if step > 0 else 'low'}) "
        f"{100 * abs(step) // STEPS}%, var(--paper))"
        for step, colour in _SHADES.items()
    },
}
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "catallaxy",
    "text.parse_math": False,
    "font.size": 9,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "text.color": INK,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "legend.fontsize": 8.5,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
}


def shade(value: float, limit: float) -> str:
    """The colour of `value` between -`limit` and `limit`; 0 is the paper's colour."""
    share = value / limit if limit > 0 else 0.0
    return _SHADES[round(max(-1.0, min(1.0, share)) * STEPS)]


def blank(height: float) -> tuple[Figure, Axes]:
    """An empty figure of the page's width, `height` inches high, with one pair of axes."""
    figure = Figure(figsize=(WIDTH_IN, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    return figure, axes


def legend(figure: Figure, axes: Axes) -> None:
    """A legend above the axes, `theory` and `all` last."""
    handles, labels = axes.get_legend_handles_labels()
    shown = [(h, t) for h, t in zip(handles, labels, strict=True) if t]
    shown.sort(key=lambda each: each[1] in ("theory", "all"))
    if shown:
        columns = 2 if max(len(text) for _, text in shown) > 14 else 3
        figure.legend(*zip(*shown, strict=True), loc="outside upper left", ncols=columns)


def svg(figure: Figure, name: str, says: str) -> str:
    """The figure as one `svg` element whose ids begin with `name`; the same for the same figure."""
    out = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the page's font has it
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{name}-", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    text = re.sub(r'(<svg [^>]*?)\bheight="[^"]*"([^>]*?)\bwidth="[^"]*"', r"\1\2", text, count=1)
    return text.replace("<svg ", f'<svg role="img" aria-label="{_attribute(says)}" ', 1)


def _attribute(text: str) -> str:
    return one_line(text).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
