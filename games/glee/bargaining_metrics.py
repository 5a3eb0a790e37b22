"""GLEE's measures of one bargaining game. Knows no moves and no money: shares and gains only.

Definitions: Shapira et al. 2024, arXiv 2410.05254. The paper and its code part where there is no
agreement.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """Both players' discounted gains in units of the pie, and how even the division was."""

    alice: float
    bob: float
    fairness: float

    @property
    def efficiency(self) -> float:
        """The sum of both gains: after an agreement below 1 only through delay."""
        return self.alice + self.bob


def fairness(share: float) -> float:
    """1 - 4 (share - 1/2)^2: 1 at an equal split, 0 where one side gets all."""
    return 1 - 4 * (share - 0.5) ** 2


def paper_outcome(share: float | None, kept_a: float, kept_b: float) -> Outcome:
    """The paper's measures: no agreement (`share` None) means gains 0 and fairness 1.

    `share` is Alice's fraction of the undiscounted pie; `kept_a`, `kept_b` is the fraction of its
    value that the pie kept until the end, delta^(rounds - 1).
    """
    if share is None:
        return Outcome(0.0, 0.0, 1.0)
    return Outcome(kept_a * share, kept_b * (1 - share), fairness(share))


def code_outcome(share: float | None, kept_a: float, kept_b: float) -> Outcome:
    """The official code's measures: no agreement counts as if Alice got nothing and Bob all."""
    return paper_outcome(0.0 if share is None else share, kept_a, kept_b)


def named(variant: str, outcome: Outcome) -> dict[str, float]:
    """The measures under the names of the record, `variant` (such as `_paper`) before the seat."""
    return {
        f"self_gain{variant}@alice": outcome.alice,
        f"self_gain{variant}@bob": outcome.bob,
        f"efficiency{variant}": outcome.efficiency,
        f"fairness{variant}": outcome.fairness,
    }
