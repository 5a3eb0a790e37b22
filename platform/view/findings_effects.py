"""The effects of levels and of pairs of one GLEE game as rows. Needs `catallaxy[analysis]`.

Effects are in percentage points here. What a record does not allow raises CannotTell, with one
sentence why. Knows no HTML.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from catallaxy.platform.analysis.effects import Effects, Inference
from catallaxy.platform.analysis.families import Analysis
from catallaxy.platform.analysis.intervals import FEWEST_CLUSTERS
from catallaxy.platform.analysis.pairs import PairEffects
from catallaxy.platform.view.statistics import CannotTell
from catallaxy.platform.view.study import Study

POINTS = 100
MOST_MODELS = 30
"""A side, in a map of pairs."""
_METHODS = {
    "clustered": "cluster-robust by configuration (CR2 with Satterthwaite's degrees of freedom)",
    "bootstrap": "of a wild cluster bootstrap-t by configuration",
    "classical": "classical, ± 1.96 standard errors, as in the paper",
}
_CORRECTIONS = {
    "holm": "corrected after Holm",
    "bonferroni": "corrected after Bonferroni",
    "fdr_bh": "corrected after Benjamini and Hochberg",
    "fdr_by": "corrected after Benjamini and Yekutieli",
    "none": "not corrected",
}


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect in percentage points, half of its interval, its p value; None where unknown."""

    points: float | None
    half: float | None
    p: float | None

    @staticmethod
    def of(row: Mapping[str, float]) -> "Effect":
        """From a row of a table of effects."""
        half = (row["high"] - row["low"]) / 2
        return Effect(
            _known(row["estimate"] * POINTS), _known(half * POINTS), _known(row["p_adjusted"])
        )


@dataclass(frozen=True, slots=True)
class LevelRow:
    """The effects of one level on all measures; None for the reference level."""

    level: str
    n: int
    effects: tuple[Effect, ...] | None


@dataclass(frozen=True, slots=True)
class EffectsFound:
    """Levels by factor, the measures in the order of the rows' effects, and the table behind."""

    measures: tuple[str, ...]
    factors: tuple[tuple[str, tuple[LevelRow, ...]], ...]
    method: str
    notes: tuple[str, ...]
    tables: Mapping[str, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class PairRow:
    """One ordered pair: its raw mean and its effect, measure by measure."""

    alice: str
    bob: str
    n: int
    cells: tuple[tuple[float, Effect], ...]


@dataclass(frozen=True, slots=True)
class PairsFound:
    """The pairs, and for every measure a matrix of effects (shares) to draw."""

    measures: tuple[str, ...]
    rows: tuple[PairRow, ...]
    method: str
    notes: tuple[str, ...]
    matrices: Mapping[str, pd.DataFrame]


def effects_found(study: Study, analysis: Analysis) -> EffectsFound:
    """The effects of all factors. Raises CannotTell where no interval at all is to be had."""
    _intervals_or_tell(analysis.effects.values(), study)
    table, measures = analysis.table, tuple(analysis.effects)
    factors = []
    for factor, rows in table.groupby("factor", sort=False):
        levels = []
        for level, of_level in rows.groupby("level", sort=False):
            first = of_level.iloc[0]
            found = None
            if not first["reference"]:
                by = of_level.set_index("metric").to_dict("index")
                found = tuple(Effect.of(by[name]) for name in measures)
            levels.append(LevelRow(str(level), int(first["n_level"]), found))
        factors.append((str(factor), tuple(levels)))
    compared = int(table["p_adjusted"].notna().sum())
    return EffectsFound(
        measures,
        tuple(factors),
        "Least squares on dummies, a regression for each measure, as in GLEE (Shapira et al. "
        f"2024, section 3), {_on(analysis.n, analysis.effects[measures[0]].clusters)}. "
        f"{_judged(study.inference, f'over the {compared} effects of this table')}",
        (*analysis.notes, *study.notes),
        {name: each.table for name, each in analysis.effects.items()},
    )


def pairs_found(study: Study, pairs: Mapping[str, PairEffects]) -> PairsFound:
    """The effects of the ordered pairs. Raises CannotTell for one pair, or without intervals."""
    measures = tuple(pairs)
    tables = {name: each.table for name, each in pairs.items()}
    first = tables[measures[0]]
    names = [
        (str(alice), str(bob)) for alice, bob in zip(first["alice"], first["bob"], strict=True)
    ]
    if len(first) < 2:
        raise CannotTell("one ordered pair of players only.")
    if max(first["alice"].nunique(), first["bob"].nunique()) > MOST_MODELS:
        raise CannotTell(f"more than {MOST_MODELS} players at a seat; ask from Python.")
    if all(table["low"].isna().all() for table in tables.values()):
        raise CannotTell(too_few(study))
    rows = []
    for place, (alice, bob) in enumerate(names):
        cells = [table.iloc[place] for table in tables.values()]
        found = tuple((float(cell["mean"]), Effect.of(cell)) for cell in cells)
        rows.append(PairRow(alice, bob, int(first["n"].iloc[place]), found))
    return PairsFound(
        measures,
        tuple(rows),
        "The two factors of players are replaced by one of ordered pairs; an effect is what a "
        "pair adds to the mean outcome over the configurations that were played, the other factors "
        f"being equal. {_judged(study.inference, f'over the {len(first)} pairs of a measure')}",
        _said_once({name: each.notes for name, each in pairs.items()}),
        {name: each.matrix() for name, each in pairs.items()},
    )


def too_few(study: Study) -> str:
    """Why there are no intervals."""
    played = study.ready["variant"].nunique()
    if played >= FEWEST_CLUSTERS:
        return "the episodes are too few or too much alike for intervals."
    return f"intervals need at least {FEWEST_CLUSTERS} configurations; the record has {played}."


def _intervals_or_tell(found: Iterable[Effects], study: Study) -> None:
    each = list(found)
    if each[0].table.empty:
        raise CannotTell("one configuration and one pair of players: nothing varied.")
    why = [effects.fit.silent for effects in each]
    if all(why):
        few = study.inference.method != "classical" and (each[0].clusters or 0) < FEWEST_CLUSTERS
        raise CannotTell(too_few(study) if few else " ".join(dict.fromkeys(filter(None, why))))


def _on(n: int, clusters: int | None) -> str:
    return f"on {n:,} episodes" + (f" of {clusters:,} configurations" if clusters else "")


def _judged(inference: Inference, over: str) -> str:
    corrected = _CORRECTIONS[inference.correction]
    over = "" if inference.correction == "none" else f" {over}"
    return (
        f"Intervals (95\u00a0%) are {_METHODS[inference.method]}; p values are {corrected}{over}."
    )


def _said_once(notes: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Every note once; one that does not hold for all measures says which it holds for."""
    of: dict[str, list[str]] = {}
    for name, said in notes.items():
        for note in said:
            of.setdefault(note, []).append(name)
    return tuple(
        note if len(names) == len(notes) else f"{', '.join(names)}: {note}"
        for note, names in of.items()
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
