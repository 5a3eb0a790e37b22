"""What GLEE regresses on what, family by family. Knows no database; the statistics are elsewhere.

A frame has one row per settled episode: the rules' parameters under their own names (`delta_a`,
`max_rounds` ...), `wording`, `variant`, the agent or model at each seat (`alice`, `bob`) and the
measures `fairness`, `efficiency`, `self_gain_alice`, `self_gain_bob`. Source: Shapira et al. 2024,
arXiv 2410.05254, section 3 and appendix C.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from types import MappingProxyType

import pandas as pd

from catallaxy.platform.analysis.design import label
from catallaxy.platform.analysis.effects import (
    CLASSICAL,
    ROBUST,
    Effects,
    Inference,
    adjusted,
    effects_on,
)

METRICS = ("fairness", "efficiency", "self_gain_alice", "self_gain_bob")
SEATS = ("alice", "bob")
MARKET = "market"
REFERENCE_MODEL = "gemini-1.5-flash"

INFERENCES: Mapping[str, Inference] = MappingProxyType({"robust": ROBUST, "classical": CLASSICAL})
"""What the compat switch `inference` stands for."""

_SHARES = ("fairness", "efficiency")
_LONGEST = 20  # beyond, no player is told the number of rounds
_NOTHING: Mapping[str, object] = MappingProxyType({})
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Family:
    """One family of games: `parameters` are factors by themselves, `merged` are those of `market`.

    `optional` ones are factors where they vary; the paper holds them fixed. `told` names a market:
    information, messages, and the horizon or the buyer, `-` for what there is not.
    """

    name: str
    parameters: tuple[str, ...]
    merged: tuple[str, ...]
    optional: tuple[str, ...]
    reference: Mapping[str, str]
    told: Callable[[pd.DataFrame], list[str | None]]


@dataclass(frozen=True, slots=True)
class Analysis:
    """The effects of all factors on all measures of one family.

    `table` is that of `Effects` with `metric` in front, its `p_adjusted` corrected over the whole
    table; `effects` has the regressions by measure.
    """

    family: Family
    table: pd.DataFrame
    effects: Mapping[str, Effects]
    notes: tuple[str, ...]
    n: int
    dropped: int


def seated(
    episodes: pd.DataFrame,
    seats: pd.DataFrame,
    variants: pd.DataFrame | None = None,
    names: Mapping[str, str] = _NO_NAMES,
) -> pd.DataFrame:
    """The frame of the analysis from the views `episodes`, `seats` and `variants` of a record.

    One row per settled episode, the agent at each seat in the seat's column, under its name in
    `names` where there is one (its model, say), `self_gain` of a seat as `self_gain_<seat>`, and
    the `wording` if `variants` are given.
    """
    key = ["run", "episode"]
    found = episodes.loc[episodes["status"] == "settled"]
    for seat in SEATS:
        own = seats.loc[seats["seat"] == seat, [*key, "agent", "self_gain"]]
        own = own.assign(agent=own["agent"].map(lambda agent: names.get(agent, agent)))
        own = own.rename(columns={"agent": seat, "self_gain": f"self_gain_{seat}"})
        found = found.merge(own, on=key, how="inner", validate="one_to_one")
    if variants is None:
        return found
    words = variants[["run", "variant", "wording"]]
    return found.merge(words, on=["run", "variant"], how="left", validate="many_to_one")


def analyse(
    frame: pd.DataFrame,
    family: Family,
    *,
    reference: Mapping[str, object] = _NOTHING,
    without: Sequence[str] = (),
    inference: Inference = ROBUST,
) -> Analysis:
    """GLEE's regressions, one per measure, over the episodes of `family` that miss no measure.

    `reference` overrides the paper's reference levels (for `alice` and `bob`: gemini-1.5-flash, or
    the most frequent model), `without` leaves factors out. A measure that no episode has is left
    out. Raises ValueError if columns are missing or no episode is left.
    """
    ready = prepared(frame, family)
    metrics = measured(ready, family)
    factors = [name for name in factors_of(ready, family) if name not in without]
    found = effects_on(
        metrics, ready, factors, references(ready, family) | dict(reference), inference
    )
    table = pd.concat(
        [each.table.assign(metric=name) for name, each in found.items()], ignore_index=True
    )
    table.insert(0, "metric", table.pop("metric"))
    table["p_adjusted"] = adjusted(table["p"].to_numpy(), inference.correction)
    first = found[metrics[0]]
    return Analysis(family, table, found, _notes(found), first.n, first.dropped)


def prepared(frame: pd.DataFrame, family: Family) -> pd.DataFrame:
    """The episodes of `family`, with `market`, labels for p, and shares clipped to [0, 1].

    Episodes of other games are left out where the frame says what was played. Raises ValueError
    for missing columns.
    """
    ready = frame.loc[frame["game"] == family.name] if "game" in frame else frame
    asked = (*family.parameters, *family.merged, *SEATS)
    missing = [name for name in asked if name not in ready.columns]
    if missing:
        raise ValueError(f"{family.name}: the frame has no column {', '.join(map(repr, missing))}")
    if ready.empty:
        raise ValueError(f"{family.name}: the frame has no episode of it")
    changed = {name: ready[name].astype(float).clip(0, 1) for name in _SHARES if name in ready}
    if "p" in family.parameters:
        changed["p"] = ready["p"].map(_probability)
    return ready.assign(**changed, **{MARKET: family.told(ready)})


def measured(ready: pd.DataFrame, family: Family) -> list[str]:
    """The measures that some episode has. Raises ValueError if there are none."""
    found = [name for name in METRICS if name in ready and ready[name].notna().any()]
    if not found:
        raise ValueError(f"no episode of {family.name} has any of {', '.join(METRICS)}")
    return found


def factors_of(ready: pd.DataFrame, family: Family) -> list[str]:
    """The factors of a prepared frame: parameters, market, both seats, and what else varies."""
    varied = [
        name
        for name in (*family.optional, "wording")
        if name in ready and ready[name].nunique(dropna=False) > 1
    ]
    return [*family.parameters, MARKET, *SEATS, *varied]


def references(ready: pd.DataFrame, family: Family) -> dict[str, object]:
    """The paper's reference levels; its reference model only at seats where it sits."""
    seated = {seat: REFERENCE_MODEL for seat in SEATS if (ready[seat] == REFERENCE_MODEL).any()}
    return {**family.reference, **seated}


def _notes(found: Mapping[str, Effects]) -> tuple[str, ...]:
    """Every note once; one that does not hold for all measures says which it holds for."""
    of: dict[str, list[str]] = {}
    for metric, each in found.items():
        for note in each.notes:
            of.setdefault(note, []).append(metric)
    return tuple(
        note if len(metrics) == len(found) else f"{', '.join(metrics)}: {note}"
        for note, metrics in of.items()
    )


def _probability(value: object) -> str | None:
    """One third is stored with nine digits in GLEE's files and as a float in ours."""
    if pd.isna(value):
        return None
    return "1/3" if isclose(float(str(value)), 1 / 3, abs_tol=1e-6) else label(value)


def _rounds_told(frame: pd.DataFrame) -> list[str | None]:
    """Markets of bargaining and negotiation: `CI/MA/12`, `-/-/inf`.

    As in the paper more than 20 rounds are `inf`. A number that is hidden although it is small, or
    told although it is large, is a market of its own.
    """
    horizon = frame["horizon"] if "horizon" in frame else [None] * len(frame)
    columns = (frame["complete_information"], frame["messages_allowed"], frame["max_rounds"])
    return [
        _joined(informed, "CI", talks, "MA", None if pd.isna(last) else _horizon(int(last), kind))
        for informed, talks, last, kind in zip(*columns, horizon, strict=True)
    ]


def _horizon(last: int, kind: object) -> str:
    usual = "hidden" if last > _LONGEST else "stated"
    named = "inf" if last > _LONGEST else str(last)
    return named if pd.isna(kind) or kind == usual else f"{last} {kind}"


def _buyer_told(frame: pd.DataFrame) -> list[str | None]:
    """Markets of persuasion: `CI/MA/MY`, `-/-/-`: information, text messages, myopic buyers."""
    columns = (frame["seller_knows_values"], frame["message_type"], frame["buyer"])
    return [
        _joined(
            informed,
            "CI",
            None if pd.isna(kind) else kind == "text",
            "MA",
            None if pd.isna(buyer) else ("MY" if buyer == "myopic" else "-"),
        )
        for informed, kind, buyer in zip(*columns, strict=True)
    ]


def _joined(first: object, one: str, second: object, two: str, last: str | None) -> str | None:
    if pd.isna(first) or pd.isna(second) or last is None:
        return None
    return "/".join((one if first else "-", two if second else "-", last))


_ROUNDS = ("complete_information", "messages_allowed", "max_rounds")

BARGAINING = Family(
    name="bargaining",
    parameters=("delta_a", "delta_b", "pie"),
    merged=_ROUNDS,
    optional=("offer_form", "show_inflation_update"),
    reference=MappingProxyType(
        {"delta_a": "0.9", "delta_b": "0.9", "pie": "10000", MARKET: "CI/-/inf"}
    ),
    told=_rounds_told,
)

NEGOTIATION = Family(
    name="negotiation",
    parameters=("seller_value", "buyer_value", "price_scale"),
    merged=_ROUNDS,
    optional=(),
    reference=MappingProxyType(
        {"seller_value": "1", "buyer_value": "1", "price_scale": "10000", MARKET: "CI/-/1"}
    ),
    told=_rounds_told,
)

PERSUASION = Family(
    name="persuasion",
    parameters=("p", "v", "product_price"),
    merged=("seller_knows_values", "message_type", "buyer"),
    optional=("total_rounds", "horizon", "c", "buyer_knows_p", "allow_buyer_message"),
    reference=MappingProxyType(
        {"p": "0.5", "v": "1.25", "product_price": "10000", MARKET: "CI/-/-"}
    ),
    told=_buyer_told,
)

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {family.name: family for family in (BARGAINING, NEGOTIATION, PERSUASION)}
)
