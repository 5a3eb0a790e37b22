"""Which of GLEE's published behaviours a game reproduces. Knows no rules, only the choices."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Metrics: TypeAlias = Literal["paper", "official_code"]


@dataclass(frozen=True, slots=True)
class GleeCompat:
    """Switches between corrected rules (the defaults) and those of GLEE's own code.

    `metrics="official_code"` is the short form that sets every switch about metrics to the code's
    formula; `metrics="paper"` leaves each of them as it stands.
    """

    metrics: Metrics = "paper"
    bargaining_no_deal: Metrics = "paper"
    reminder_scope: Literal["own", "both_losses"] = "own"
    reminder_recipients: Literal["both", "responder"] = "both"
    inflation_paragraph: Literal["always", "official"] = "always"
    horizon_text: Literal["explicit", "official"] = "explicit"
    bargaining_bounds: Literal["checked", "none"] = "checked"

    @property
    def no_deal_metrics(self) -> Metrics:
        """The formula in force for bargaining that ends without an agreement."""
        return "official_code" if self.metrics == "official_code" else self.bargaining_no_deal
