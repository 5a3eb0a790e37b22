"""The figures of GLEE's statistics: effects of levels, and maps of pairs. Needs matplotlib.

Effects come as shares and are drawn in percentage points. What is clear is told apart by filled
markers as well as by colour; what is below and above 0 by numbers as well as by shade.
"""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from catallaxy.platform.view.drawing import (
    COLOURS,
    MUTED,
    RULE,
    STEPS,
    STYLE,
    WIDTH_IN,
    blank,
    shade,
    svg,
)
from catallaxy.platform.view.visible import one_line

CLEAR = 0.05
"""Adjusted p values below this count as clear."""
NUMBERED = 12
"""Up to so many models a side the cells of a map have room for numbers."""
_POINTS = 100
_ROW_IN = 0.19
_LONGEST = 24
_ROOM = 44  # letters of all columns' names side by side


def level_effects(table: pd.DataFrame, metric: str, name: str) -> str:
    """The effects of all levels on one measure, a row each under the name of its factor.

    `table` has the rows of `Effects.table`. The axis holds every estimate; an interval much wider
    than the others leaves it.
    """
    rows = _rows(table)
    with mpl.rc_context(STYLE):
        figure, axes = blank(0.85 + _ROW_IN * len(rows))
        axes.axvline(0, color=MUTED, linewidth=0.9)
        for place, (factor, level) in enumerate(rows):
            if level is None:
                _heading(axes, factor, place)
        shown = table.assign(place=[n for n, (_, level) in enumerate(rows) if level is not None])
        for clear, levels in shown[~shown["reference"]].groupby(shown["p_adjusted"] < CLEAR):
            _estimates(axes, levels, clear=bool(clear))
        limit = _limit(table)
        axes.set_xlim(-limit, limit)
        axes.set_ylim(len(rows) - 0.4, -0.7)
        axes.set_yticks(range(len(rows)), [_tick(level) for _, level in rows])
        axes.tick_params(axis="y", length=0, labelsize=8)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_title(metric, loc="left", fontsize=9.5, fontweight="bold")
        axes.set_xlabel("percentage points against the reference")
        return svg(figure, name, f"Effects of the levels of all factors on {metric}")


def pair_map(effects: pd.DataFrame, metric: str, name: str) -> str:
    """What every ordered pair adds to the mean outcome: Alice's models down, Bob's across.

    `effects` is a matrix of shares; cells without a number stay empty.
    """
    down, across = effects.shape
    height = down * min(0.42, max(0.24, 3.0 / down))
    limit = float(np.nanmax(np.abs(effects.to_numpy()), initial=0.0))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 1.45 + height), layout="constrained")
        figure.patch.set_alpha(0)
        axes, scale = figure.subplots(2, 1, height_ratios=[height, 0.12])
        for (row, column), value in np.ndenumerate(effects.to_numpy(dtype=float)):
            _cell(axes, (column, row), value, limit)
        if max(down, across) <= NUMBERED:
            _numbers(axes, effects * _POINTS)
        _bare(axes)
        axes.set_xlim(-0.5, across - 0.5)
        axes.set_ylim(down - 0.5, -0.5)
        _models(axes, effects)
        axes.set_title(metric, loc="left", fontsize=9.5, fontweight="bold")
        _scale(scale, limit)
        return svg(figure, name, f"{metric} of every ordered pair, relative to the mean")


def _rows(table: pd.DataFrame) -> list[tuple[str, pd.Series | None]]:
    """A row for the name of every factor, then one for each of its levels."""
    rows: list[tuple[str, pd.Series | None]] = []
    for factor, levels in table.groupby("factor", sort=False):
        rows.append((str(factor), None))
        rows += [(str(factor), level) for _, level in levels.iterrows()]
    return rows


def _heading(axes: Axes, factor: str, place: int) -> None:
    axes.axhline(place - 0.5, color=RULE, linewidth=0.5)
    axes.text(
        0.0,
        place,
        one_line(factor, 40),
        transform=axes.get_yaxis_transform(),
        fontsize=8.5,
        fontweight="bold",
        va="center",
    )


def _tick(level: pd.Series | None) -> str:
    if level is None:
        return ""
    shown = one_line(str(level["level"]), _LONGEST)
    return f"{shown} (ref.)" if level["reference"] else shown


def _estimates(axes: Axes, levels: pd.DataFrame, *, clear: bool) -> None:
    half = (levels["high"] - levels["low"]) / 2
    axes.errorbar(
        levels["estimate"] * _POINTS,
        levels["place"],
        xerr=half.fillna(0) * _POINTS,
        color=COLOURS[0],
        marker="o",
        markerfacecolor=COLOURS[0] if clear else "none",
        elinewidth=1.8 if clear else 0.9,
        linestyle="",
    )


def _limit(table: pd.DataFrame) -> float:
    """Half the width of the axis: all estimates, and the intervals unless some are very wide."""
    ends = np.abs(table[["low", "high"]].to_numpy(dtype=float))
    known = ends[np.isfinite(ends)]
    usual = min(known.max(), 3 * np.quantile(known, 0.9)) if known.size else 0.0
    most = np.nanmax(np.abs(table["estimate"].to_numpy(dtype=float)), initial=0.0)
    return 1.06 * _POINTS * max(usual, most) or 1.0


def _cell(axes: Axes, middle: tuple[int, int], value: float, limit: float) -> None:
    """A shaded cell; a dash on paper where there is no value."""
    corner = (middle[0] - 0.5, middle[1] - 0.5)
    known = not np.isnan(value)
    colour = shade(value, limit) if known else "none"
    axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor=RULE, linewidth=0.5))
    if not known:
        axes.text(*middle, "–", ha="center", va="center", fontsize=7, color=MUTED)


def _numbers(axes: Axes, points: pd.DataFrame) -> None:
    size = 8.5 if points.shape[1] <= 6 else 6.5
    digits = 1 if points.shape[1] <= 8 else 0
    for row, column in np.argwhere(points.notna().to_numpy()):
        shown = f"{points.iat[row, column]:+.{digits}f}"
        axes.text(column, row, shown, ha="center", va="center", fontsize=size)


def _models(axes: Axes, effects: pd.DataFrame) -> None:
    down, across = (
        [one_line(str(n), _LONGEST) for n in s] for s in (effects.index, effects.columns)
    )
    axes.set_yticks(range(len(down)), down)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xticks(range(len(across)), across)
    if len(across) * max(map(len, across)) > _ROOM:
        for text in axes.get_xticklabels():
            text.set(rotation=50, ha="left", rotation_mode="anchor")
    axes.tick_params(length=0, labelsize=8)
    axes.set_ylabel("Alice")
    axes.set_xlabel("Bob")


def _scale(axes: Axes, limit: float) -> None:
    """The legend of the shades."""
    width = 2 * limit * _POINTS / (2 * STEPS + 1)
    for step in range(-STEPS, STEPS + 1):
        left = (step - 0.5) * width
        colour = shade(step, STEPS)
        axes.add_patch(Rectangle((left, 0), width, 1, facecolor=colour, edgecolor="none"))
    ends = limit * _POINTS or 1.0
    axes.set_xlim(-ends, ends)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    _bare(axes)
    axes.tick_params(labelsize=8)
    axes.set_xlabel("percentage points above or below the mean")


def _bare(axes: Axes) -> None:
    axes.patch.set_alpha(0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
