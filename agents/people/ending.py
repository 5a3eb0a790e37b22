"""What a person is told when a game is over. Knows no game: only what views have in common."""

from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

from catallaxy.agents.base import Ask, End
from catallaxy.agents.people.form import label_of, names_of, said
from catallaxy.agents.visible import readable


@dataclass(frozen=True, slots=True)
class Ending:
    """How a game ended, what happened last (labels and values), and what the seat earned."""

    outcome: str
    last: tuple[tuple[str, str], ...]
    earned: str

    @classmethod
    def of(cls, end: End, ask: Ask, currency: str) -> "Ending":
        """The ending as the seat of `ask` sees it.

        A view that has them says how the game `ended` and what its `history` is.
        """
        how = getattr(end.view, "ended", None)
        outcome = label_of(str(how.value), ask) if isinstance(how, Enum) else ""
        history = getattr(end.view, "history", None)
        last = history[-1] if isinstance(history, tuple) and history else None
        return cls(outcome, _facts(last, ask), _earned(end.payoff, currency))


def _facts(value: Any, ask: Ask) -> tuple[tuple[str, str], ...]:
    if not is_dataclass(value) or isinstance(value, type):
        return ()
    found = ((f.name, getattr(value, f.name)) for f in fields(value))
    return tuple((label_of(k, ask), _fact(v, ask)) for k, v in found if v not in (None, ""))


def _fact(value: Any, ask: Ask) -> str:
    match value:
        case bool():
            return said("yes" if value else "no", ask)
        case str():
            return names_of(ask).get(value, value)
        case _:
            return readable(value)


def _earned(payoff: float | None, currency: str) -> str:
    if payoff is None:
        return "This game could not be played to its end. It counts for nobody."
    amount = f"{currency}{abs(payoff):,.2f}".removesuffix(".00")
    return f"You lost {amount}." if payoff < 0 else f"You earned {amount}."
