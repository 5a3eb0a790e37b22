"""GLEE's negotiation as ours: parameters, rows and moves. Knows no folder and no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, get_args, get_type_hints

from catallaxy.games.base import Seat
from catallaxy.games.glee.negotiation import Negotiation, NegotiationState
from catallaxy.games.glee.negotiation_moves import (
    Price,
    PriceWithMessage,
    Role,
    answer_type,
    meaning,
)
from catallaxy.platform.exchange.disagreements import Disagrees, Kind, NoPlace
from catallaxy.platform.exchange.glee_cells import (
    amount,
    decision,
    message,
    money,
    no_message,
    refuse,
)
from catallaxy.platform.exchange.glee_layout import SEATS, Config, Row
from catallaxy.platform.exchange.glee_terms import Arguments, Terms, with_horizon

_TOKENS = {"accept": "AcceptOffer", "reject": "RejectOffer"}
_JOHN = {"alice": "SellToJhon", "bob": "BuyFromJhon"}


@dataclass(frozen=True, slots=True)
class NegotiationFamily:
    """The price of one product, with John as the way out."""

    game: ClassVar[str] = "negotiation"
    kind: ClassVar[type[Any]] = Negotiation
    columns: ClassVar[tuple[str, ...]] = (
        "message", "product_price", "player", "round", "decision",
    )  # fmt: skip
    none_in: ClassVar[tuple[str, ...]] = ()
    known: ClassVar[Mapping[str, str]] = {
        "seller_value": "seller_value",
        "buyer_value": "buyer_value",
        "price_scale": "product_price_order",
        "max_rounds": "max_rounds",
        "messages_allowed": "messages_allowed",
        "complete_information": "complete_information",
    }

    def arguments(self, config: Config) -> Arguments:
        """The parameters that `config.json` gives."""
        return Arguments(config.args, self.known, {})

    def rules(self, config: Config, terms: Terms) -> Negotiation:
        """Our rules with those parameters. Raises Disagrees."""
        return with_horizon(Negotiation, self.arguments(config), terms)

    def game_args(self, rules: Negotiation) -> dict[str, Any]:
        """The parameters of `rules` under GLEE's names."""
        return {theirs: getattr(rules, ours) for ours, theirs in self.known.items()}

    def removed(self, rows: Sequence[Row], *, people: bool) -> str | None:
        """More messages than decisions, or between models more decisions than rounds."""
        messages = sum(row.said("message") is not None for row in rows)
        decisions = sum(row.said("decision") is not None for row in rows)
        rounds = max((row.round for row in rows), default=0)
        if messages > max(decisions, 1):
            return f"{messages} messages, {decisions} decisions"
        if decisions > rounds and not people:
            return f"{decisions} decisions in {rounds} rounds"
        return None

    def opening(self, rules: Negotiation, rows: Sequence[Row]) -> NegotiationState:
        """Nature has no part in this game."""
        return rules.start(Random(0))

    def drawn(self, rules: Negotiation, state: NegotiationState, row: Row) -> Mapping[str, Any]:
        """Nature has no part in this game."""
        raise Disagrees(Kind.UNKNOWN_PLAYER, "nature has no part in negotiation")

    def move(self, rules: Negotiation, state: NegotiationState, seat: Seat, row: Row) -> Any:
        """A price, or the answer to one; John's tokens are read as the rules' validation has it."""
        if state.offer is not None:
            refuse(row, ("product_price",))
            no_message(row)
            role: Role = "seller" if seat == SEATS[0] else "buyer"
            due = answer_type(role, rules.compat)
            own = get_args(get_type_hints(due)["decision"])
            words = {word: word for word in own} | dict(due.ALIASES["decision"])
            return due(decision(row, words))
        refuse(row, ("decision",))
        price = amount(row, "product_price")
        if rules.messages_allowed:
            return PriceWithMessage(price, message(row))
        no_message(row)
        return Price(price)

    def rows(
        self, rules: Negotiation, before: NegotiationState, seat: Seat, move: Any
    ) -> tuple[Row, ...]:
        """One row: a price or an answer, in GLEE's own tokens."""
        if isinstance(move, (Price, PriceWithMessage)):
            cells = {"product_price": money(move.product_price)}
            if isinstance(move, PriceWithMessage):
                cells["message"] = move.message
            return (Row(seat, before.round, cells),)
        said = meaning(move.decision)
        token = _JOHN[seat] if said == "outside" else _TOKENS[str(said)]
        return (Row(seat, before.round, {"decision": token}),)

    def fits(self, rules: Negotiation) -> None:
        """GLEE has John, and a counteroffer is a move of its own."""
        if rules.compat.outside_option != "john":
            raise NoPlace("there is no John (compat outside_option)")
        if rules.compat.counteroffer != "own_move":
            raise NoPlace("a rejection carries the next price (compat counteroffer)")
