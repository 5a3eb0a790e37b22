"""The statistics of one GLEE game as a page shows them. Knows no HTML.

Every section is there or has its sentence in `missing`; none is a table without numbers.
"""

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from markupsafe import Markup

from catallaxy.platform.errors import CatallaxyError
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.view import statistics
from catallaxy.platform.view.frames import episodes_frame
from catallaxy.platform.view.origins import SEATS, Origins, origins
from catallaxy.platform.view.standings import (
    RankingFound,
    TheoryFound,
    ranking_found,
    theory_found,
)
from catallaxy.platform.view.statistics import CannotTell

if TYPE_CHECKING:
    from catallaxy.platform.view.findings_effects import EffectsFound, PairsFound
    from catallaxy.platform.view.findings_meta import MetaFound, SignsFound
    from catallaxy.platform.view.study import Study

Found = TypeVar("Found")
_COLUMNS = {f"{column}_{seat}" for column in ("agent", "self_gain") for seat in SEATS}


@dataclass(slots=True)
class Sections:
    """What the page says about one game; None where it cannot.

    `missing` has the titles of what it cannot say, by the sentence why.
    """

    origins: Origins
    effects: "EffectsFound | None" = None
    pairs: "PairsFound | None" = None
    meta: "MetaFound | None" = None
    signs: "SignsFound | None" = None
    theory: TheoryFound | None = None
    ranking: RankingFound | None = None
    effect_figures: list[Markup] = field(default_factory=list)
    pair_figures: list[Markup] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=dict)

    def attempt(self, title: str, find: Callable[[], Found]) -> Found | None:
        """What `find` finds; None, with its sentence in `missing`, where the record is silent."""
        try:
            return find()
        except (CannotTell, CatallaxyError) as error:
            self.tell(title, str(error))
            return None

    def tell(self, title: str, why: str) -> None:
        """Say why something is missing."""
        self.missing.setdefault(why.rstrip("."), []).append(title)


def sections(reader: Reader, game: str, name: str) -> Sections | None:
    """The statistics of `game`, ids of figures beginning with `name`; None if it is not GLEE's."""
    if game not in statistics.GLEE:
        return None
    frame = episodes_frame(reader, game)
    if not _COLUMNS.issubset(frame.columns):
        return None
    found = Sections(origins(reader, game, frame))
    study = found.attempt(
        "effects, pairs, meta-game, the paper's signs", lambda: statistics.study(reader, game)
    )
    if study is not None:
        gc.freeze()  # statsmodels collects garbage whenever it corrects after Holm
        try:
            _regress(study, found, name)
        finally:
            gc.unfreeze()
    found.theory = found.attempt("theory", lambda: theory_found(reader, game, frame))
    found.ranking = found.attempt("ranking", lambda: ranking_found(frame))
    return found


def _regress(study: "Study", found: Sections, name: str) -> None:
    """Everything that needs a regression, and its figures."""
    from catallaxy.platform.view import figures_effects as figures  # noqa: PLC0415 - extras
    from catallaxy.platform.view import findings_effects, findings_meta  # noqa: PLC0415 - extras

    analysis = found.attempt("effects", study.effects)
    if analysis is None:
        return
    found.effects = found.attempt(
        "effects", lambda: findings_effects.effects_found(study, analysis)
    )
    found.pairs = found.attempt("pairs", lambda: findings_effects.pairs_found(study, study.pairs()))
    found.meta = found.attempt("meta-game", lambda: findings_meta.meta_found(study))
    if found.effects is None:
        found.tell("the paper's signs", "there are no effects to compare with the paper's")
    else:
        found.signs = found.attempt(
            "the paper's signs", lambda: findings_meta.signs_found(study, analysis.effects)
        )
    tables = found.effects.tables if found.effects else {}
    found.effect_figures = [
        Markup(figures.level_effects(table, metric, f"{name}-e{number}"))  # our own, texts escaped
        for number, (metric, table) in enumerate(tables.items())
    ]
    matrices = found.pairs.matrices if found.pairs else {}
    found.pair_figures = [
        Markup(figures.pair_map(matrix, metric, f"{name}-p{number}"))
        for number, (metric, matrix) in enumerate(matrices.items())
    ]
