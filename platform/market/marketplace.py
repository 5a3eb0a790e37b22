"""The orchestrator: engagements, episodes, settlement, next engagements. Knows no Ray, no DuckDB.

Every experiment is this loop with another matchmaker.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from catallaxy.games.base import Predicted
from catallaxy.platform.host import Hosting, Plan, Report, Spent
from catallaxy.platform.market.house import House, Matchmaker, Standings, plain_rules
from catallaxy.platform.market.ledger import Ledger
from catallaxy.platform.record import Engagement, EpisodeStatus, Outcome, Past
from catallaxy.platform.store.rows import VariantRow


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may spend; null is no limit. A run whose budget is spent can be resumed."""

    calls: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    minutes: float | None = None

    def spent_by(self, spent: Spent, minutes: float) -> str | None:
        """Which budget is spent, in words; None while there is some left."""
        used = {
            "calls": spent.calls,
            "tokens": spent.input_tokens + spent.output_tokens,
            "cost_usd": spent.cost,
            "minutes": minutes,
        }
        for name, value in used.items():
            limit = getattr(self, name)
            if limit is not None and value >= limit:
                return f"budget.{name}={limit} is spent"
        return None


class RunStatus(StrEnum):
    """How a run stands; `stopped` and `running` (after a crash) can be resumed."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(slots=True)
class Progress:
    """What a person who watches sees. Counts of this launch and, in `done`, of earlier ones."""

    planned: int = 0
    done: int = 0
    settled: int = 0
    failed: int = 0
    crashed: int = 0
    turns: int = 0
    forfeits: int = 0
    bad_tries: int = 0
    again: int = 0
    spent: Spent = field(default_factory=Spent)
    began: float = field(default_factory=time.monotonic)
    why_stopped: str | None = None
    last_error: str | None = None

    @property
    def minutes(self) -> float:
        """Wall time since this launch began."""
        return (time.monotonic() - self.began) / 60

    def add(self, report: Report) -> None:
        """Count what a host reported."""
        self.spent.plus(report.spent)
        self.turns += report.turns
        self.again += report.again
        for outcome in report.outcomes:
            self.done += 1
            self.forfeits += outcome.forfeits
            self.bad_tries += outcome.bad_tries
            self.settled += outcome.status is EpisodeStatus.SETTLED
            self.failed += outcome.status is EpisodeStatus.FAILED
            self.crashed += outcome.status is EpisodeStatus.CRASHED
            self.last_error = outcome.error or self.last_error


@dataclass(slots=True)
class Marketplace:
    """Plays a run to its end, to a spent budget, or until `stop` is set."""

    house: House
    matchmaker: Matchmaker
    hosting: Hosting
    budget: Budget
    stop: asyncio.Event
    watch: Callable[[Progress], None]
    past: Past = field(default_factory=Past)
    opening: Sequence[Engagement] = ()  # the first answer of the matchmaker, where it is known
    ledger: Ledger = field(default_factory=Ledger)
    progress: Progress = field(default_factory=Progress)

    async def run(self) -> RunStatus:
        """The loop. Returns FINISHED, or STOPPED with the reason in `progress.why_stopped`."""
        standings = Standings()
        engagements = self.opening or list(self.matchmaker.next(self.house, standings))
        while engagements:
            await self.hosting.record.declare([self._row(e) for e in variants(engagements)])
            await self.hosting.record.plan(engagements)
            self.progress.planned += len(engagements)
            await self._settle(self._of_the_past(engagements))
            await self._play(engagements)
            if self.progress.why_stopped:
                return RunStatus.STOPPED
            standings = Standings(
                issued=standings.issued + len(engagements),
                settled=self.ledger.settled,
                balances=dict(self.ledger.balances),
            )
            engagements = list(self.matchmaker.next(self.house, standings))
        return RunStatus.FINISHED

    def _row(self, engagement: Engagement) -> VariantRow:
        rules = engagement.rules
        return VariantRow(
            variant=engagement.variant,
            game=engagement.game,
            wording=engagement.wording,
            rules=plain_rules(rules),
            predictions=rules.prediction() if isinstance(rules, Predicted) else {},
        )

    def _of_the_past(self, engagements: Sequence[Engagement]) -> list[Outcome]:
        known = [self.past.outcomes[e.id] for e in engagements if e.id in self.past.outcomes]
        self.progress.done += len(known)
        return known

    async def _play(self, engagements: Sequence[Engagement]) -> None:
        missing = [e for e in engagements if e.id not in self.past.outcomes]
        begun = [e.id for e in missing if e.id in self.past.plays]
        recorded = await self.hosting.record.recorded(begun) if begun else {}
        plans = [
            Plan(e, self.past.plays.get(e.id, 0) + 1, tuple(recorded.get(e.id, ())))
            for e in missing
        ]
        reports = self.hosting.play(plans)
        try:
            async for report in reports:
                self.progress.add(report)
                await self._settle(report.outcomes)
                self.progress.why_stopped = self._why_stop()
                self.watch(self.progress)
                if self.progress.why_stopped:
                    return
        finally:
            await reports.aclose()

    def _why_stop(self) -> str | None:
        if self.stop.is_set():
            return "stopped by hand"
        if self.progress.done >= self.progress.planned:
            return None
        return self.budget.spent_by(self.progress.spent, self.progress.minutes)

    async def _settle(self, outcomes: Sequence[Outcome]) -> None:
        postings = [posting for outcome in outcomes for posting in self.ledger.add(outcome)]
        if postings:
            await self.hosting.record.settle(postings)


def variants(engagements: Sequence[Engagement]) -> Iterator[Engagement]:
    """One engagement of each variant, in order of first appearance."""
    seen: set[str] = set()
    for engagement in engagements:
        if engagement.variant not in seen:
            seen.add(engagement.variant)
            yield engagement
