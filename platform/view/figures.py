"""The report's figures of any game. Needs matplotlib; knows no database.

Series differ by marker as well as by colour.
"""

from collections.abc import Sequence

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from catallaxy.platform.view.drawing import COLOURS, INK, SERIES, STYLE, blank, legend, svg
from catallaxy.platform.view.visible import one_line

MOST_ROWS = 24
_REACHED = 20  # a round is shown if at least one in so many episodes reaches it
_MARKERS = "os^Dvp"


def offers_by_round(offers: pd.DataFrame, name: str) -> str:
    """What proposers ask for themselves, by round and agent, with intervals.

    Rounds that few episodes reach are left out.
    """
    reached = offers.groupby("round")["n"].sum()
    offers = offers[offers["round"].map(reached) >= reached.max() / _REACHED]
    with mpl.rc_context(STYLE):
        figure, axes = blank(3.2)
        for number, (agent, group) in enumerate(offers.groupby("agent", sort=True)):
            if number == SERIES:
                break
            axes.errorbar(
                group["round"],
                group["mean"],
                yerr=group["half"].fillna(0).clip(upper=1),
                label=one_line(str(agent), 28),
                color=COLOURS[number],
                marker=_MARKERS[number],
                elinewidth=0.9,
            )
        _by_round(axes, "share asked for oneself", last=offers["round"].max())
        legend(figure, axes)
        return svg(figure, name, "The share that proposers ask for themselves, by round")


def agreement_by_round(shares: pd.DataFrame, name: str) -> str:
    """The share of episodes that have agreed by each round: a line per `who`, and all (empty).

    Rounds after the last agreement are left out.
    """
    gained = shares.groupby("who", sort=False)["share"].diff() > 0
    shares = (
        shares[shares["round"] <= shares.loc[gained, "round"].max() + 1] if gained.any() else shares
    )
    with mpl.rc_context(STYLE):
        figure, axes = blank(3.2)
        parts = shares.loc[shares["who"] != ""].groupby("who", sort=False)
        for number, (who, group) in enumerate(parts):
            if number == SERIES:
                break
            axes.plot(
                group["round"],
                group["share"],
                label=one_line(str(who), 28),
                color=COLOURS[number],
                marker=_MARKERS[number],
            )
        if len(parts) > 1:
            whole = shares.loc[shares["who"] == ""]
            axes.plot(whole["round"], whole["share"], label="all", color=INK, linewidth=2.6)
        _by_round(axes, "share that has agreed", last=shares["round"].max())
        legend(figure, axes)
        return svg(figure, name, "The share of episodes that have agreed, by round")


def gains(measures: pd.DataFrame, metric: str, name: str) -> str:
    """One metric of every seat, pairing by pairing: mean, interval, and theory's mark."""
    found = measures.loc[(measures["name"] == metric) & (measures["seat"] != "")]
    pairings = list(dict.fromkeys(found["pairing"]))[:MOST_ROWS]
    seats = list(dict.fromkeys(found["seat"]))[:SERIES]
    with mpl.rc_context(STYLE):
        figure, axes = blank(0.9 + 0.5 * len(pairings))
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
        legend(figure, axes)
        return svg(figure, name, f"{metric} of every pair of agents, beside theory")


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
        color=COLOURS[number],
        marker=_MARKERS[number],
        linestyle="",
        elinewidth=1.3,
    )
    axes.plot(
        shown["predicted"],
        rows,
        label="theory" if number == len(seats) - 1 and shown["predicted"].notna().any() else None,
        color=INK,
        marker="|",
        markersize=9,
        markeredgewidth=1.8,
        linestyle="",
    )


def _by_round(axes: Axes, label: str, last: int) -> None:
    axes.set_xlabel("round")
    axes.set_ylabel(label)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlim(0.7, max(last, 2) + 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
