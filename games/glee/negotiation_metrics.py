"""GLEE's measures of one negotiation. Knows no moves and no money: prices in units of M only.

Definitions: Shapira et al. 2024, arXiv 2410.05254. The paper and its code part over efficiency.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What both players gained in units of M, whether that was efficient, and how even it was."""

    seller: float
    buyer: float
    efficiency: float
    fairness: float


def fairness(price: float | None, seller_value: float, buyer_value: float) -> float:
    """1 - 4 (price - midpoint of the values)^2: 1 at the midpoint and without a trade.

    Unbounded below. The paper clips it to [0, 1] in its regressions, not before.
    """
    if price is None:
        return 1.0
    off = price - (seller_value + buyer_value) / 2
    return 1 - 4 * off * off


def paper_efficiency(price: float | None, seller_value: float, buyer_value: float) -> float:
    """1 for a trade at a price between the values, and for none where no price gains anything."""
    if price is None:
        return float(seller_value >= buyer_value)
    return float(seller_value <= price <= buyer_value)


def code_efficiency(price: float | None, seller_value: float, buyer_value: float) -> float:
    """1 for any trade where the buyer values the product more, for none where the seller does.

    Always 1 where both value it alike.
    """
    if seller_value == buyer_value:
        return 1.0
    return float((price is not None) == (buyer_value > seller_value))


def paper_outcome(price: float | None, seller_value: float, buyer_value: float) -> Outcome:
    """The paper's measures; all three numbers in units of M, `price` None without a trade."""
    return Outcome(
        seller=0.0 if price is None else price - seller_value,
        buyer=0.0 if price is None else buyer_value - price,
        efficiency=paper_efficiency(price, seller_value, buyer_value),
        fairness=fairness(price, seller_value, buyer_value),
    )


def code_outcome(price: float | None, seller_value: float, buyer_value: float) -> Outcome:
    """The official code's measures: gains and fairness are the paper's."""
    paper = paper_outcome(price, seller_value, buyer_value)
    efficiency = code_efficiency(price, seller_value, buyer_value)
    return Outcome(paper.seller, paper.buyer, efficiency, paper.fairness)


def named(variant: str, outcome: Outcome) -> dict[str, float]:
    """The measures under the names of the record, `variant` (such as `_paper`) before the seat."""
    return {
        f"self_gain{variant}@alice": outcome.seller,
        f"self_gain{variant}@bob": outcome.buyer,
        f"efficiency{variant}": outcome.efficiency,
        f"fairness{variant}": outcome.fairness,
    }
