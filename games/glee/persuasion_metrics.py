"""GLEE's measures of one persuasion game. Knows no moves and no money: numbers of products only.

Definitions: Shapira et al. 2024, arXiv 2410.05254. The paper and its code part in what the buyer
gains.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from catallaxy.games.glee.compat import Metrics
from catallaxy.games.glee.persuasion_theory import Sales

Number: TypeAlias = int | Fraction


@dataclass(frozen=True, slots=True)
class Tally:
    """Products by quality and fate, counted, or expected where theory speaks.

    `total` is the number of rounds of the game, `rounds` how many of them were decided (fewer only
    if the game ended early).
    """

    total: int
    rounds: int
    high_rounds: Number
    high_sold: Number
    low_sold: Number

    @property
    def sold(self) -> Number:
        """Products sold, of whatever quality."""
        return self.high_sold + self.low_sold

    @property
    def low_rounds(self) -> Number:
        """Rounds with a product of low quality."""
        return self.rounds - self.high_rounds

    @property
    def low_refused(self) -> Number:
        """Products of low quality that the buyer did not buy."""
        return self.low_rounds - self.low_sold


@dataclass(frozen=True, slots=True)
class Outcome:
    """Gains per round in units of the price; the other two are None where they are undefined."""

    alice: float
    bob: float
    efficiency: float | None
    fairness: float | None


def expected(sales: Sales, p: Fraction, rounds: int) -> Tally:
    """What `rounds` rounds yield on average where products are sold with the chances `sales`."""
    high = p * rounds
    return Tally(rounds, rounds, high, high * sales.high, (rounds - high) * sales.low)


def outcome(tally: Tally, v: Fraction, c: Fraction, formula: Metrics) -> Outcome:
    """The measures by the paper's or the official code's formula.

    Alice: products sold / T. Bob: [k (v - 1) + l (c - 1)] / T for k high and l low products that he
    bought; the code takes the low ones that he did not buy for l. Efficiency: the share of high
    products that was sold; fairness: the share of low ones that was not. T is `tally.total`: rounds
    that were not played earn nothing.
    """
    low = tally.low_refused if formula == "official_code" else tally.low_sold
    return Outcome(
        alice=float(Fraction(tally.sold) / tally.total),
        bob=float((tally.high_sold * (v - 1) + low * (c - 1)) / tally.total),
        efficiency=_share(tally.high_sold, tally.high_rounds),
        fairness=_share(tally.low_refused, tally.low_rounds),
    )


def _share(part: Number, whole: Number) -> float | None:
    return float(Fraction(part) / whole) if whole else None


def named(variant: str, found: Outcome) -> dict[str, float]:
    """The measures under the names of the record, `variant` (such as `_paper`) before the seat.

    What is undefined is left out.
    """
    shares = {f"efficiency{variant}": found.efficiency, f"fairness{variant}": found.fairness}
    return {
        f"self_gain{variant}@alice": found.alice,
        f"self_gain{variant}@bob": found.bob,
        **{name: share for name, share in shares.items() if share is not None},
    }


def counts(tally: Tally) -> dict[str, float]:
    """The numbers of rounds and products under the names of the record."""
    return {
        "rounds": float(tally.rounds),
        "sold": float(tally.sold),
        "high_rounds": float(tally.high_rounds),
        "high_sold": float(tally.high_sold),
        "low_sold": float(tally.low_sold),
        "low_refused": float(tally.low_refused),
    }
