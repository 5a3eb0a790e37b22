"""The meta-game of one GLEE game, and its markets beside the paper's. Needs `catallaxy[analysis]`.

What a record does not allow raises CannotTell, with one sentence why. Knows no HTML.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from catallaxy.platform.analysis.effects import Effects
from catallaxy.platform.analysis.equilibria import TIE
from catallaxy.platform.analysis.families import MARKET
from catallaxy.platform.analysis.intervals import FEWEST_CLUSTERS
from catallaxy.platform.analysis.metagame import MetaEquilibrium, MetaGame
from catallaxy.platform.analysis.published import (
    SignComparison,
    market_effects,
    published_equilibria,
)
from catallaxy.platform.view.findings_effects import POINTS, too_few
from catallaxy.platform.view.statistics import CannotTell
from catallaxy.platform.view.study import Study

MOST_PLAYERS = 14
"""A side, in the meta-game: mixed equilibria of more take long to find."""
_RESAMPLES = 200
_SURVIVORS = 6
_RARE = 0.02


@dataclass(frozen=True, slots=True)
class Gains:
    """What both seats expect of a pair, and whether each one's model is its best reply."""

    alice: float
    bob: float
    alice_best: bool
    bob_best: bool


@dataclass(frozen=True, slots=True)
class MetaFound:
    """The bimatrix, a row per model of Alice's, and sentences about its equilibria."""

    across: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Gains | None, ...]], ...]
    equilibria: tuple[MetaEquilibrium, ...]
    survivors: tuple[Mapping[str, object], ...]
    resamples: int
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignsFound:
    """The markets beside the paper's, both relative to the mean of the common ones, in points."""

    measures: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[float, float] | None, ...]], ...]
    sentences: tuple[str, ...]


def meta_found(study: Study) -> MetaFound:
    """The meta-game. Raises CannotTell if there is nothing to choose, or too much is missing."""
    sides = study.ready["alice"].nunique(), study.ready["bob"].nunique()
    if max(sides) < 2:
        raise CannotTell("one player at each seat only: there is nothing to choose.")
    if max(sides) > MOST_PLAYERS:
        raise CannotTell(f"more than {MOST_PLAYERS} players at a seat; ask from Python.")
    played = study.ready.groupby(["alice", "bob"]).ngroups
    if 2 * played < sides[0] * sides[1]:
        raise CannotTell(f"{played} of {sides[0] * sides[1]} pairs of players met.")
    if study.ready["variant"].nunique() < FEWEST_CLUSTERS:
        raise CannotTell(too_few(study))
    game = study.metagame(_RESAMPLES)
    sure = game.resamples >= _RESAMPLES / 2
    survival = game.survival.head(_SURVIVORS if sure else 0)
    rows = _bimatrix(game)
    return MetaFound(
        tuple(map(str, game.alice_gains.columns)),
        tuple(zip(map(str, game.alice_gains.index), rows, strict=True)),
        game.equilibria,
        tuple(survival[survival["observed"] | (survival["share"] >= _RARE)].to_dict("records")),
        game.resamples,
        tuple(_about(game)),
    )


def signs_found(study: Study, effects: Mapping[str, Effects]) -> SignsFound:
    """The markets beside table 5. Raises CannotTell if fewer than two are in both."""
    signs = {name: each for name, each in study.signs(effects).items() if len(each.pairs)}
    if not signs:
        raise CannotTell("fewer than two of the paper's markets were played.")
    family = study.family.name
    columns = {name: _beside(effects[name], each, family) for name, each in signs.items()}
    markets = list(dict.fromkeys(level for each in columns.values() for level in each))
    known = " and ".join(f"Alice {alice}, Bob {bob}" for alice, bob in published_equilibria(family))
    return SignsFound(
        tuple(signs),
        tuple((m, tuple(each.get(m) for each in columns.values())) for m in markets),
        (
            *(_compared(each) for each in signs.values()),
            f"For orientation: the pure equilibria of the paper's own meta-game are {known}.",
        ),
    )


def _bimatrix(game: MetaGame) -> list[tuple[Gains | None, ...]]:
    """Cells in rows; a best reply is known where no reply is missing."""
    alice, bob = game.alice_gains.to_numpy(), game.bob_gains.to_numpy()
    alice_best = alice >= alice.max(axis=0, keepdims=True) - TIE
    bob_best = bob >= bob.max(axis=1, keepdims=True) - TIE
    return [
        tuple(
            None
            if np.isnan(alice[row, column])
            else Gains(
                float(alice[row, column]),
                float(bob[row, column]),
                bool(alice_best[row, column]),
                bool(bob_best[row, column]),
            )
            for column in range(alice.shape[1])
        )
        for row in range(alice.shape[0])
    ]


def _about(game: MetaGame) -> Iterable[str]:
    """What must be said about the equilibria, those that there are and those that are not."""
    if game.missing:
        yield (
            f"No equilibrium is claimed: {len(game.missing)} of {game.alice_gains.size} pairs are "
            "missing. A best reply is marked where all replies are known."
        )
        return
    if not any(each.pure for each in game.equilibria):
        yield "No pair of single players is an equilibrium."
    if not game.complete:
        yield "Not all mixtures were searched: there may be more mixed equilibria."
    if game.degenerate:
        yield "Some players tie: there may be a continuum of equilibria between those listed."
    if game.resamples < _RESAMPLES / 2:
        yield "How sure that is cannot be told: most resamples of configurations lack a pair."


def _beside(effects: Effects, signs: SignComparison, family: str) -> dict[str, tuple[float, float]]:
    """The paper's effect and ours of every common market, less the mean of either."""
    paper = market_effects(family, signs.metric).set_index("level")["estimate"]
    ours = effects.table[effects.table["factor"] == MARKET].set_index("level")["estimate"]
    common = [m for m in paper.index if m in ours.index and not np.isnan(ours[m])]
    shown = pd.DataFrame({"paper": paper[common], "ours": ours[common]})
    shown = (shown - shown.mean()) * POINTS
    return {str(m): (float(row["paper"]), float(row["ours"])) for m, row in shown.iterrows()}


def _compared(signs: SignComparison) -> str:
    told = (
        f"{signs.metric}: {signs.agreeing} of {signs.compared} differences between two markets "
        "that are clear in the paper have its sign here"
    )
    if signs.resolved:
        verb = "is" if signs.resolved == 1 else "are"
        told += (
            f"; {signs.resolved} {verb} clear here as well, {signs.resolved_agreeing} with its sign"
        )
    if not np.isnan(signs.tau):
        told += f". Kendall's rank correlation {signs.tau:+.2f}, p {signs.tau_p:.2f}"
    return f"{told}."
