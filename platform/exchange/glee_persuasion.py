"""GLEE's persuasion as ours: parameters, rows and moves. Knows no folder and no database.

Nature's draws are rows of the file and part of the state at the start of our game.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isclose
from typing import Any, ClassVar

from catallaxy.games.base import Seat
from catallaxy.games.glee.persuasion import Persuasion, PersuasionState, Quality
from catallaxy.games.glee.persuasion_moves import (
    Purchase,
    PurchaseWithMessage,
    Recommendation,
    SellerMessage,
)
from catallaxy.platform.exchange.disagreements import Disagrees, Kind
from catallaxy.platform.exchange.glee_cells import (
    amount,
    decision,
    message,
    money,
    no_message,
    refuse,
)
from catallaxy.platform.exchange.glee_layout import NATURE, SEATS, Config, Row
from catallaxy.platform.exchange.glee_terms import Arguments, Terms, built

_THIRD, _STORED_THIRD = Fraction(1, 3), 0.333333333


@dataclass(frozen=True, slots=True)
class PersuasionFamily:
    """Cheap talk about a product whose quality nature draws, round after round."""

    game: ClassVar[str] = "persuasion"
    kind: ClassVar[type[Any]] = Persuasion
    columns: ClassVar[tuple[str, ...]] = (
        "round_quality", "product_worth", "player", "round", "message", "decision",
    )  # fmt: skip
    none_in: ClassVar[tuple[str, ...]] = ()
    known: ClassVar[Mapping[str, str]] = {
        "p": "p",
        "v": "v",
        "c": "c",
        "product_price": "product_price",
        "seller_knows_values": "is_seller_know_cv",
        "message_type": "seller_message_type",
        "buyer": "is_myopic",
        "total_rounds": "total_rounds",
        "buyer_knows_p": "is_buyer_know_p",
        "allow_buyer_message": "allow_buyer_message",
    }

    def arguments(self, config: Config) -> Arguments:
        """The parameters that `config.json` gives."""
        usual = {"c": 0.0, "is_buyer_know_p": True, "allow_buyer_message": False}
        return Arguments(config.args, self.known, usual)

    def rules(self, config: Config, terms: Terms) -> Persuasion:
        """Our rules with those parameters; 0.333333333 is one third. Raises Disagrees."""
        fields = self.arguments(config).fields()
        if isinstance(fields["p"], float) and isclose(fields["p"], _THIRD, abs_tol=1e-8):
            fields["p"] = float(_THIRD)
        if not isinstance(fields["buyer"], bool):
            raise Disagrees(Kind.BAD_PARAMETERS, f"is_myopic is {fields['buyer']!r}")
        fields["buyer"] = "myopic" if fields["buyer"] else "long_living"
        limits = {"max_message_chars": terms.max_message_chars, "compat": terms.compat}
        return built(Persuasion, {**fields, "horizon": "stated", **limits})

    def game_args(self, rules: Persuasion) -> dict[str, Any]:
        """The parameters of `rules` under GLEE's names; one third is 0.333333333."""
        found = {theirs: getattr(rules, ours) for ours, theirs in self.known.items()}
        found["is_myopic"] = rules.buyer == "myopic"
        if isclose(rules.p, _THIRD, abs_tol=1e-8):
            found["p"] = _STORED_THIRD
        return found

    def removed(self, rows: Sequence[Row], *, people: bool) -> str | None:
        """GLEE's analysis removes none of these."""
        return None

    def opening(self, rules: Persuasion, rows: Sequence[Row]) -> PersuasionState:
        """Round 1, with the qualities that the rows have."""
        drawn: dict[int, Quality] = {}
        for row in rows:
            if row.seat != NATURE:
                continue
            if row.round in drawn:
                raise Disagrees(Kind.WRONG_QUALITY, f"round {row.round} has two qualities")
            drawn[row.round] = _quality(row)
        missing = sorted({row.round for row in rows} - {*drawn})
        if missing:
            raise Disagrees(Kind.WRONG_QUALITY, f"round {missing[0]} has no quality")
        whole = tuple(drawn.get(number, "low") for number in range(1, rules.total_rounds + 1))
        return PersuasionState(whole)

    def drawn(self, rules: Persuasion, state: PersuasionState, row: Row) -> Mapping[str, Any]:
        """The quality of this round and what it is worth."""
        if state.pitch is not None:
            raise Disagrees(Kind.WRONG_PLAYER, f"nature draws in round {row.round}, bob is due")
        quality, worth = _quality(row), amount(row, "product_worth")
        due = _worth(rules, quality)
        if not isclose(worth, due, rel_tol=1e-9, abs_tol=1e-9 * rules.product_price):
            text = f"round {row.round}: {quality} quality is worth {due:.15g}, not {worth:.15g}"
            raise Disagrees(Kind.WRONG_WORTH, text)
        return {"round_quality": f"{quality}-quality", "product_worth": worth}

    def move(self, rules: Persuasion, state: PersuasionState, seat: Seat, row: Row) -> Any:
        """What the seller says, or what the buyer does."""
        due = rules.move_type(state, seat)
        if due is SellerMessage:
            refuse(row, ("decision",))
            return SellerMessage(message(row))
        said = decision(row, {"yes": "yes", "no": "no"})
        if due is PurchaseWithMessage:
            return PurchaseWithMessage(said, message(row))
        no_message(row)
        return Recommendation(said) if due is Recommendation else Purchase(said)

    def rows(
        self, rules: Persuasion, before: PersuasionState, seat: Seat, move: Any
    ) -> tuple[Row, ...]:
        """One row of the player, before the seller's nature's."""
        cells = {}
        if not isinstance(move, SellerMessage):
            cells["decision"] = move.decision
        if isinstance(move, (SellerMessage, PurchaseWithMessage)):
            cells["message"] = move.message
        own = Row(seat, before.round, cells)
        if seat != SEATS[0]:
            return (own,)
        quality = before.qualities[before.round - 1]
        worth = {
            "round_quality": f"{quality}-quality",
            "product_worth": money(_worth(rules, quality)),
        }
        return (Row(NATURE, before.round, worth), own)

    def fits(self, rules: Persuasion) -> None:
        """Every set of parameters has its place."""


def _quality(row: Row) -> Quality:
    match row.said("round_quality"):
        case "high-quality":
            return "high"
        case "low-quality":
            return "low"
        case other:
            raise Disagrees(Kind.WRONG_QUALITY, f"round {row.round}: the quality is {other!r}")


def _worth(rules: Persuasion, quality: Quality) -> float:
    """Dollars, free of binary noise."""
    share = rules.v if quality == "high" else rules.c
    return float(Decimal(repr(float(share))) * Decimal(repr(float(rules.product_price))))
