"""Balances, changed only by settled episodes, in the order of the design. Knows no database."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from catallaxy.platform.record import Outcome


@dataclass(frozen=True, slots=True)
class Posting:
    """One payoff on one agent's account; `balance` is the account after it."""

    ordinal: int
    episode: str
    agent: str
    amount: float
    balance: float


@dataclass(slots=True)
class Ledger:
    """Settles outcomes once each, in ordinal order, whatever the order in which they arrive.

    An episode that failed pays nobody and does not hold up the others.
    """

    balances: dict[str, float] = field(default_factory=dict)
    settled: int = 0
    _waiting: dict[int, Outcome] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> list[Posting]:
        """The postings that `outcome` releases: none while an earlier episode is still out."""
        self._waiting[outcome.ordinal] = outcome
        return list(self._release())

    def _release(self) -> Iterator[Posting]:
        while (outcome := self._waiting.pop(self.settled, None)) is not None:
            for seat, amount in outcome.payoffs.items():
                agent = outcome.seats[seat]
                self.balances[agent] = self.balances.get(agent, 0.0) + amount
                yield Posting(outcome.ordinal, outcome.episode, agent, amount, self.balances[agent])
            self.settled += 1
