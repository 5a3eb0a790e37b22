"""What one round of persuasion yields under three kinds of play. Knows no money, no moves.

All is exact: probabilities and values are fractions. `p` is the chance of high quality, `v` and `c`
what a product of high and of low quality is worth to the buyer in units of its price. Ties are
broken for the seller: who is indifferent buys.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

_LARGEST_DENOMINATOR = 1000
_AS_WRITTEN = Fraction(1, 10**8)  # 0.333333333 is one third, 0.3333 is not


@lru_cache(maxsize=4096)
def rational(number: float) -> Fraction:
    """`number` as it was written; a simple fraction if it is one to 8 decimals: 0.333333333 is 1/3.

    Raises ValueError unless it is finite.
    """
    written = Fraction(repr(float(number)))
    simple = written.limit_denominator(_LARGEST_DENOMINATOR)
    return simple if abs(simple - written) < _AS_WRITTEN else written


@dataclass(frozen=True, slots=True)
class Sales:
    """The chance that a product is sold, if it is of high and if it is of low quality."""

    high: Fraction
    low: Fraction


@lru_cache(maxsize=4096)
def worth_buying(chance: float, v: float, c: float) -> bool:
    """Whether a product that is of high quality with this `chance` is worth its price on average.

    chance v + (1 - chance) c >= 1: what a buyer who cares for the mean asks (derived).
    """
    high = rational(chance)
    return high * rational(v) + (1 - high) * rational(c) >= 1


def lie_probability(p: float, v: float, c: float) -> Fraction:
    """q, how often a seller who can commit recommends a low product; high ones always.

    min{p (v - 1) / ((1 - p) (1 - c)), 1}: the most that leaves following the recommendation
    worthwhile (Kamenica & Gentzkow 2011; with c = 0 the form in GLEE, arXiv 2410.05254).
    """
    gain = rational(p) * (rational(v) - 1)
    loss = (1 - rational(p)) * (1 - rational(c))
    return Fraction(1) if gain >= loss else gain / loss


@lru_cache(maxsize=1024)
def babbling(p: float, v: float, c: float) -> Sales:
    """Words say nothing: every product is sold if one is worth its price on average, else none.

    The equilibrium of cheap talk (Crawford & Sobel 1982) where the seller always wants to sell, and
    of any known number of rounds by backward induction (derived).
    """
    sold = Fraction(worth_buying(p, v, c))
    return Sales(sold, sold)


@lru_cache(maxsize=1024)
def commitment(p: float, v: float, c: float) -> Sales:
    """The seller binds itself to the best rule of recommending, and the buyer follows it."""
    return Sales(Fraction(1), lie_probability(p, v, c))


@lru_cache(maxsize=1024)
def truthful(p: float, v: float, c: float) -> Sales:
    """The seller says what is, the buyer believes it and buys what is worth its price."""
    return Sales(Fraction(1), Fraction(worth_buying(0.0, v, c)))
