"""Sellers and buyers of persuasion that follow a rule instead of asking a model.

Each sits at either seat. Know no other player's secrets, only their own view.

A seller that has to write says one of two sentences. A buyer that has to read takes any text for a
recommendation unless it is empty or one of its words warns (`WARNINGS`); it does not understand
more than that.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from catallaxy.agents.base import Act, Ask
from catallaxy.games.glee.persuasion import (
    Move,
    PersuasionView,
    Purchase,
    PurchaseWithMessage,
    Recommendation,
    Seen,
    SellerMessage,
)
from catallaxy.games.glee.persuasion_theory import lie_probability, worth_buying

# fmt: off
WARNINGS = frozenset({
    "low", "poor", "bad", "inferior", "worthless", "avoid", "skip", "pass", "no", "not", "never",
    "cannot", "don't", "can't", "won't", "wouldn't", "isn't",
    "nein", "nicht", "kein", "keine", "keinen", "niedrige", "niedriger", "schlecht", "schlechte",
})
# fmt: on
_WORD = re.compile(r"[\w']+")
_PRAISE, _WARNING = "I recommend this product.", "I do not recommend this product."


def recommends(message: str) -> bool:
    """Whether a text counts as a recommendation: it says something, and no word of it warns."""
    words = _WORD.findall(message.casefold().replace("’", "'"))
    return bool(words) and WARNINGS.isdisjoint(words)


class _Persuader:
    """What all share: they know this game only."""

    __slots__ = ()

    def plays(self, view: Any) -> bool:
        """Whether the view is one of this game."""
        return isinstance(view, PersuasionView)


@dataclass(frozen=True, slots=True)
class EquilibriumPersuader(_Persuader):
    """Babbling, the equilibrium: recommends everything, and does not listen.

    Buys if a product is worth its price on average. Takes the chance of high quality to be
    `belief_p` where it is not told.
    """

    belief_p: float = 0.5

    async def act(self, ask: Ask) -> Act:
        """Recommend, or buy by the odds alone."""
        view: PersuasionView = ask.view
        if view.role == "seller":
            return Act(_pitch(ask, recommend=True))
        p = self.belief_p if view.p is None else view.p
        return Act(_decision(ask, buy=_pays(view, p)))


@dataclass(frozen=True, slots=True)
class CommitmentPersuader(_Persuader):
    """Recommends every high product and some low ones, as a seller would who can bind itself.

    A low product with probability (1 - `margin`) q, q = `lie_probability`; a margin above 0 leaves
    the buyer something. Takes v and c to be `belief_v`, `belief_c` (units of the price) where they
    are not told. As a buyer it buys what is recommended. Luck comes from the ask's own seed.
    """

    margin: float = 0.0
    belief_v: float = 1.25
    belief_c: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.margin <= 1:
            raise ValueError(f"margin: give a share from 0 to 1; you gave {self.margin!r}.")
        if not (self.belief_v >= 1 >= self.belief_c >= 0):
            raise ValueError(
                f"belief_v, belief_c: give v >= 1 and c from 0 to 1; you gave {self.belief_v!r}, "
                f"{self.belief_c!r}."
            )

    async def act(self, ask: Ask) -> Act:
        """Recommend by the rule, or follow the recommendation."""
        view: PersuasionView = ask.view
        if view.role == "buyer":
            return Act(_decision(ask, buy=_recommended(view.pitch)))
        lies = Random(ask.seed).random() < (1 - self.margin) * self._lie_probability(view)
        return Act(_pitch(ask, recommend=view.quality == "high" or lies))

    def _lie_probability(self, view: PersuasionView) -> float:
        v, c = self.belief_v, self.belief_c
        if view.high_worth is not None and view.low_worth is not None:
            v, c = view.high_worth / view.price, view.low_worth / view.price
        return 0.0 if view.p is None else float(lie_probability(view.p, v, c))


@dataclass(frozen=True, slots=True)
class FairPersuader(_Persuader):
    """Recommends what is of high quality and nothing else; buys by its experience of the seller.

    That experience is the share of high quality among the products that were recommended,
    and among those that were not: Bernoulli, each with a Beta prior. The prior weighs as much as
    `weight` products, and its mean is what Bayes' rule says of a seller who is believed to speak
    the truth but for a share `doubt` of the products of either quality. Qualities that it has not
    learned do not count. A buyer who is told statistics only takes what was sold for what was
    recommended. Where the chance of high quality is not told, it is taken to be `belief_p`.
    """

    doubt: float = 0.05
    weight: float = 2.0
    belief_p: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.doubt <= 0.5:
            raise ValueError(f"doubt: give a share from 0 to 0.5; you gave {self.doubt!r}.")
        if not self.weight > 0:
            raise ValueError(f"weight: give a number above 0; you gave {self.weight!r}.")

    async def act(self, ask: Ask) -> Act:
        """Tell the truth, or hold the seller's record against it."""
        view: PersuasionView = ask.view
        if view.role == "seller":
            return Act(_pitch(ask, recommend=view.quality == "high"))
        return Act(_decision(ask, buy=_pays(view, self._chance(view))))

    def _chance(self, view: PersuasionView) -> float:
        """The posterior mean chance that the product on offer is of high quality."""
        recommended = _recommended(view.pitch)
        high, seen = _record(view, recommended)
        return (self.weight * self._prior(view, recommended) + high) / (self.weight + seen)

    def _prior(self, view: PersuasionView, recommended: bool) -> float:
        p = self.belief_p if view.p is None else view.p
        truth, lie = (1 - self.doubt, self.doubt) if recommended else (self.doubt, 1 - self.doubt)
        said = p * truth + (1 - p) * lie
        return p * truth / said if said else p  # nobody would have said this: nothing is learned


@dataclass(frozen=True, slots=True)
class GreedyPersuader(_Persuader):
    """Recommends everything; buys everything, or nothing, whatever is said."""

    buys: Literal["everything", "nothing"] = "everything"

    async def act(self, ask: Ask) -> Act:
        """Recommend, or decide without looking."""
        if ask.view.role == "seller":
            return Act(_pitch(ask, recommend=True))
        return Act(_decision(ask, buy=self.buys == "everything"))


@dataclass(frozen=True, slots=True)
class RandomPersuader(_Persuader):
    """Recommends and buys by chance. The same seed gives the same move."""

    recommend_probability: float = 0.5
    buy_probability: float = 0.5

    async def act(self, ask: Ask) -> Act:
        """Draw a move from the ask's own seed."""
        drawn = Random(ask.seed).random()
        if ask.view.role == "seller":
            return Act(_pitch(ask, recommend=drawn < self.recommend_probability))
        return Act(_decision(ask, buy=drawn < self.buy_probability))


def _pitch(ask: Ask, *, recommend: bool) -> Move:
    if ask.move_type is Recommendation:
        return Recommendation("yes" if recommend else "no")
    said = _PRAISE if recommend else _WARNING
    fits = len(said) <= ask.view.max_message_chars
    return SellerMessage(said if fits else "")  # saying nothing does not recommend


def _decision(ask: Ask, *, buy: bool) -> Move:
    if ask.move_type is PurchaseWithMessage:
        return PurchaseWithMessage("yes" if buy else "no", "")
    return Purchase("yes" if buy else "no")


def _recommended(pitch: Seen | None) -> bool:
    """Whether the seller recommends; a text is read by its words."""
    if pitch is None:
        raise ValueError("the seller has not spoken yet")
    if pitch.recommendation is None:
        return recommends(pitch.message)
    return pitch.recommendation == "yes"


def _record(view: PersuasionView, recommended: bool) -> tuple[int, int]:
    """How many products of high quality, and how many of known quality, came with such words."""
    told = view.statistics
    if told is not None:
        return (told.high_sold, told.sold) if recommended else (0, 0)
    alike = [past.quality for past in _known(view.history) if _recommended(past) == recommended]
    return alike.count("high"), len(alike)


def _known(history: Iterable[Seen]) -> Iterable[Seen]:
    return (past for past in history if past.quality is not None)


def _pays(view: PersuasionView, chance: float) -> bool:
    """Whether a product of high quality with this chance is worth its price on average."""
    if view.high_worth is None or view.low_worth is None:
        raise ValueError("a buyer knows what products are worth")
    v, c = view.high_worth / view.price, view.low_worth / view.price
    return worth_buying(chance, v, c)
