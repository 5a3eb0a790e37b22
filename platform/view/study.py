"""The statistics of GLEE's games, asked of the record of one of them. Needs `catallaxy[analysis]`.

Knows which of its factors a record can tell apart; what is regressed on what is in `analysis`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import cast, get_args

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from catallaxy.platform.analysis.design import designed, label
from catallaxy.platform.analysis.effects import (
    CLASSICAL,
    ROBUST,
    Correction,
    Effects,
    Inference,
    Method,
)
from catallaxy.platform.analysis.families import (
    FAMILIES,
    MARKET,
    SEATS,
    Analysis,
    Family,
    analyse,
    factors_of,
    prepared,
    references,
)
from catallaxy.platform.analysis.metagame import MetaGame, family_metagame
from catallaxy.platform.analysis.pairs import PAIR, PairEffects, family_pairs
from catallaxy.platform.analysis.published import SignComparison, compare_signs
from catallaxy.platform.errors import ConfigError

WORDING = "wording"
_COMPARED = ("efficiency", "fairness")
_NOTHING: Mapping[str, object] = MappingProxyType({})
_LEFT_OUT = (
    "The wording is not a factor: the design cannot tell what it changes from what the players and "
    "the rules do."
)


@dataclass(frozen=True)
class Study:
    """The settled episodes of one game of GLEE's, a row each, and how uncertainty is judged.

    `frame` is that of `episodes_frame`; `inference` is what the configuration asks for.
    """

    frame: pd.DataFrame
    family: Family
    inference: Inference = ROBUST

    @staticmethod
    def of(frame: pd.DataFrame, game: str, *, classical: bool) -> "Study":
        """The study of `game`, one of GLEE's."""
        return Study(frame, FAMILIES[game], CLASSICAL if classical else ROBUST)

    @cached_property
    def ready(self) -> pd.DataFrame:
        """The frame with `market`. Raises ConfigError for missing columns."""
        try:
            return prepared(self.frame, self.family)
        except ValueError as error:
            raise ConfigError(str(error)) from error

    def effects(
        self,
        *,
        reference: Mapping[str, object] = _NOTHING,
        inference: Inference | None = None,
    ) -> Analysis:
        """The effects of all factors on all measures. Raises ConfigError if nothing can be said."""
        chosen = inference or self.inference
        try:
            return analyse(
                self.frame,
                self.family,
                reference={**self._references(), **reference},
                without=self._without(SEATS),
                inference=chosen,
            )
        except ValueError as error:
            raise ConfigError(str(error)) from error

    def effects_frame(
        self, metric: str | None, reference: Mapping[str, object], inference: Inference
    ) -> pd.DataFrame:
        """The table of `effects`, of one metric or of all; `notes`, `n`, `dropped` in its attrs.

        Raises ConfigError for a metric, a factor or a level that is not there.
        """
        found = self.effects(reference=reference, inference=inference)
        levels = found.table.groupby("factor")["level"].unique()
        for factor, level in reference.items():
            known = levels[_one_of("a factor of reference", factor, list(levels.index))]
            _one_of(f"reference {factor}", label(level), list(known))
        table = found.table
        if metric is not None:
            table = table[table["metric"] == _one_of("metric", metric, list(found.effects))]
        table = table.reset_index(drop=True)
        notes = (*found.notes, *self.notes)
        table.attrs.update(notes=notes, n=found.n, dropped=found.dropped)
        return table

    def pairs_frame(self, metric: str) -> pd.DataFrame:
        """The table of `pairs` for one metric; `mean` and `notes` in its attrs."""
        every = self.pairs()
        found = every[_one_of("metric", metric, list(every))]
        found.table.attrs.update(mean=found.mean, notes=found.notes)
        return found.table

    def judged(self, method: str | None, correction: str | None) -> Inference:
        """Inference by these names; where they are None as the configuration asks for it."""
        if method is None:
            chosen = self.inference
        else:
            known = _one_of("method", method, get_args(Method))
            chosen = CLASSICAL if known == "classical" else Inference(method=cast("Method", known))
        if correction is None:
            return chosen
        asked = _one_of("correction", correction, get_args(Correction))
        return replace(chosen, correction=cast("Correction", asked))

    def pairs(self, inference: Inference | None = None) -> dict[str, PairEffects]:
        """The effects of the ordered pairs on all measures.

        Pairs of one configuration only are left out: they have no interval, nor would any other
        pair, since all are compared with the mean of all.
        """
        chosen = inference or self.inference
        try:
            found = family_pairs(
                self.frame[~self.lone], self.family, without=self._without([PAIR]), inference=chosen
            )
        except ValueError as error:
            raise ConfigError(str(error)) from error
        left = self.frame[self.lone].groupby(list(SEATS)).ngroups
        if not left:
            return found
        note = f"Left out: {left} pair{'s' if left > 1 else ''} with one configuration only."
        return {name: replace(each, notes=(*each.notes, note)) for name, each in found.items()}

    @cached_property
    def lone(self) -> pd.Series:
        """Which episodes are of a pair that played one configuration, while others played more."""
        played = self.frame.groupby(list(SEATS))["variant"].transform("nunique")
        return (played == 1) & (played.max() > 1)

    def metagame(self, replications: int = 500) -> MetaGame:
        """The game of picking a model for either seat."""
        try:
            return family_metagame(
                self.frame, self.family, without=self._without([PAIR]), replications=replications
            )
        except ValueError as error:
            raise ConfigError(str(error)) from error

    def compared(self) -> dict[str, SignComparison]:
        """`signs` of the effects. Raises ConfigError where fewer than two markets were played."""
        found = self.signs(self.effects().effects)
        if not found:
            raise ConfigError(f"fewer than two markets of {self.family.name} were played")
        return found

    def signs(self, effects: Mapping[str, Effects]) -> dict[str, SignComparison]:
        """The differences between markets beside the paper's, for the measures that it reports."""
        return {
            metric: compare_signs(effects[metric], self.family.name, metric)
            for metric in _COMPARED
            if metric in effects and effects[metric].fit.design.of(MARKET)
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out of the factors, and why."""
        return (_LEFT_OUT,) if self._without(SEATS) else ()

    def _references(self) -> dict[str, object]:
        """Reference players that most others can be compared with.

        Players are comparable if a chain of games connects them. Where the paper's reference model
        or the most frequent player is not in the largest such group, the group's most frequent is.
        """
        names = {seat: pd.factorize(self.ready[seat]) for seat in SEATS}
        (alice, alices), (bob, bobs) = names.values()
        links = coo_array((np.ones(len(alice)), (alice, bob + len(alices))))
        links.resize((len(alices) + len(bobs),) * 2)
        group = connected_components(links, directed=False)[1][alice]
        largest = self.ready[group == np.bincount(group).argmax()]
        usual = references(self.ready, self.family)
        found: dict[str, object] = {}
        for seat in SEATS:
            default = usual.get(seat, self.ready[seat].mode().iloc[0])
            if default not in set(largest[seat]):
                found[seat] = largest[seat].mode().iloc[0]
        return found

    def _without(self, players: Sequence[str]) -> tuple[str, ...]:
        """The wording, where the design cannot tell it apart from the `players` columns."""
        every = factors_of(self.ready, self.family)
        if WORDING not in every:
            return ()
        others = [name for name in every if name not in (*SEATS, WORDING)]
        met = self.ready[list(SEATS)].astype(str).agg("\n".join, axis=1)
        rows = self.ready.assign(**{PAIR: met}).dropna(subset=[*others, *SEATS, WORDING])
        if rows.empty:
            return ()
        design = designed(rows, [*others, *players, WORDING], {})
        known = design.identified(design.against_reference(design.of(WORDING)))
        return () if known.all() else (WORDING,)


def _one_of(what: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise ConfigError(f"{what} must be one of {', '.join(known)}, not {value!r}")
    return value
