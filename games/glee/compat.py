"""Which of GLEE's published behaviours a game reproduces. Knows no rules, only the choices."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Metrics: TypeAlias = Literal["paper", "official_code"]


@dataclass(frozen=True, slots=True)
class GleeCompat:
    """Switches between corrected rules (the defaults), GLEE's own code, and its competition.

    `metrics="official_code"` is the short form that sets every switch about metrics to the code's
    formula; `metrics="paper"` leaves each of them as it stands. The last three are read by the
    exporter, by HTTP players and by the analysis.
    """

    metrics: Metrics = "paper"
    bargaining_no_deal: Metrics = "paper"
    negotiation_efficiency: Metrics = "paper"
    persuasion_buyer_gain: Metrics = "paper"
    reminder_scope: Literal["own", "both_losses"] = "own"
    reminder_recipients: Literal["both", "responder"] = "both"
    inflation_paragraph: Literal["always", "official"] = "always"
    horizon_text: Literal["explicit", "official"] = "explicit"
    bargaining_bounds: Literal["checked", "none"] = "checked"
    negotiation_validation: Literal["checked", "official"] = "checked"
    john_tokens: Literal["own", "official"] = "own"
    myopic_stats: Literal["paper", "code"] = "paper"
    quality_feedback: Literal["every_round", "after_purchase"] = "every_round"
    outside_option: Literal["john", "walk_away"] = "john"
    bargaining_walk_away: bool = False
    counteroffer: Literal["own_move", "with_rejection"] = "own_move"
    numeric_strings_to_float: bool = False
    http_decision: Literal["filled", "false"] = "filled"
    inference: Literal["robust", "classical"] = "robust"

    @property
    def no_deal_metrics(self) -> Metrics:
        """The formula in force for bargaining that ends without an agreement."""
        return self._in_force(self.bargaining_no_deal)

    @property
    def efficiency_metrics(self) -> Metrics:
        """The formula in force for the efficiency of a negotiation."""
        return self._in_force(self.negotiation_efficiency)

    @property
    def buyer_gain_metrics(self) -> Metrics:
        """The formula in force for what a buyer gains in persuasion."""
        return self._in_force(self.persuasion_buyer_gain)

    def _in_force(self, switch: Metrics) -> Metrics:
        return "official_code" if self.metrics == "official_code" else switch
