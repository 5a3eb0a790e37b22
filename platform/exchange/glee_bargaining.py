"""GLEE's bargaining as ours: parameters, rows and moves. Knows no folder and no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from catallaxy.games.base import Seat
from catallaxy.games.glee.bargaining import Bargaining, BargainingState
from catallaxy.games.glee.bargaining_moves import Answer, Offer, OfferWithMessage
from catallaxy.platform.exchange.disagreements import Disagrees, Kind, NoPlace
from catallaxy.platform.exchange.glee_cells import (
    amount,
    decision,
    message,
    money,
    no_message,
    refuse,
)
from catallaxy.platform.exchange.glee_layout import Config, Row
from catallaxy.platform.exchange.glee_terms import Arguments, Terms, with_horizon


@dataclass(frozen=True, slots=True)
class BargainingFamily:
    """Alternating offers. What was claimed is written as a division."""

    game: ClassVar[str] = "bargaining"
    kind: ClassVar[type[Any]] = Bargaining
    columns: ClassVar[tuple[str, ...]] = (
        "alice_gain", "bob_gain", "message", "player", "round", "decision",
    )  # fmt: skip
    none_in: ClassVar[tuple[str, ...]] = ("message", "decision")
    known: ClassVar[Mapping[str, str]] = {
        "pie": "money_to_divide",
        "delta_a": "delta_1",
        "delta_b": "delta_2",
        "max_rounds": "max_rounds",
        "complete_information": "complete_information",
        "messages_allowed": "messages_allowed",
        "show_inflation_update": "show_inflation_update",
    }

    def arguments(self, config: Config) -> Arguments:
        """Both places of delta: `game_args.delta_i`, or `player_i_args.delta` as it once was."""
        usual: dict[str, Any] = {"show_inflation_update": True}
        for number, player in enumerate(config.players, 1):
            name, delta = f"delta_{number}", player.delta
            if delta is None:
                continue
            usual[name] = delta
            if config.args.get(name, delta) != delta:
                both = f"{name} is {config.args[name]!r} and player_{number}_args.delta {delta!r}"
                raise Disagrees(Kind.BAD_PARAMETERS, both)
        return Arguments(config.args, self.known, usual)

    def rules(self, config: Config, terms: Terms) -> Bargaining:
        """Our rules with those parameters. Raises Disagrees."""
        return with_horizon(Bargaining, self.arguments(config), terms)

    def game_args(self, rules: Bargaining) -> dict[str, Any]:
        """The parameters of `rules` under GLEE's names."""
        return {theirs: getattr(rules, ours) for ours, theirs in self.known.items()}

    def removed(self, rows: Sequence[Row], *, people: bool) -> str | None:
        """GLEE's analysis removes none of these."""
        return None

    def opening(self, rules: Bargaining, rows: Sequence[Row]) -> BargainingState:
        """Nature has no part in this game."""
        return rules.start(Random(0))

    def drawn(self, rules: Bargaining, state: BargainingState, row: Row) -> Mapping[str, Any]:
        """Nature has no part in this game."""
        raise Disagrees(Kind.UNKNOWN_PLAYER, "nature has no part in bargaining")

    def move(self, rules: Bargaining, state: BargainingState, seat: Seat, row: Row) -> Any:
        """An offer, or the answer to one."""
        if state.offer is not None:
            refuse(row, ("alice_gain", "bob_gain"))
            no_message(row)
            return Answer(decision(row, {"accept": "accept", "reject": "reject"}))
        refuse(row, ("decision",))
        gains = amount(row, "alice_gain"), amount(row, "bob_gain")
        if rules.messages_allowed:
            return OfferWithMessage(*gains, message(row))
        no_message(row)
        return Offer(*gains)

    def rows(
        self, rules: Bargaining, before: BargainingState, seat: Seat, move: Any
    ) -> tuple[Row, ...]:
        """One row: a proposal or an answer."""
        offer = rules.step(before, {seat: move}).offer
        if offer is None:
            return (Row(seat, before.round, {"decision": move.decision}),)
        if offer.alice_gain + offer.bob_gain != rules.pie:
            raise NoPlace("an offer adds up in decimals, but not in GLEE's binary sum")
        cells = {"alice_gain": money(offer.alice_gain), "bob_gain": money(offer.bob_gain)}
        if rules.messages_allowed:
            cells["message"] = offer.message
        return (Row(seat, before.round, cells),)

    def fits(self, rules: Bargaining) -> None:
        """GLEE's players cannot walk away."""
        if rules.compat.bargaining_walk_away:
            raise NoPlace("players may walk away (compat bargaining_walk_away)")
