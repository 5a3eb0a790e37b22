"""CPU per turn inline: an instant model, wording, validation, rules, durable record.

A long run less a short one, so that starting up and closing an empty record do not count. The model
answers from constants, so that what is measured is the platform; with the scripted backend, which
draws its answers, the figure is for information.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from catallaxy.agents.chat import Message, Reply, Sampling, Schema, Usage
from catallaxy.platform.backends.base import Backend
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.backends.limits import FREE, Limits, Prices
from tests.benchmarks.measure import PAIRS, Figure, Size, interleaved
from tests.benchmarks.runs import SCRIPTED, built, playing, run_folder, through

CLAIMS = (*SCRIPTED, "game.rules.offer_form=claim")  # a legal offer that is one constant
LONG_GAMES = (*CLAIMS, "market.factors.horizon=[{max_rounds:99,horizon:hidden}]")
FEW = ("market.factors.delta_a=[0.8]", "market.factors.delta_b=[0.8]", "market.factors.pie=[100]")
FLOOR, AIM = 150, 40

_USED = Usage(300, 10)
CLAIM = Reply('{"claim": 50}', _USED)
CLAIM_AND_TALK = Reply('{"claim": 50, "message": "Half of it is fair."}', _USED)
ACCEPT = Reply('{"decision": "accept"}', _USED)
REJECT = Reply('{"decision": "reject"}', _USED)


@dataclass(frozen=True, kw_only=True)
class Instant(Backend):
    """Asks for 50 dollars, and accepts about `accepts` in 100 offers."""

    provider: ClassVar[str] = "instant"

    accepts: int
    model: str = "instant"
    limits: Limits = field(default_factory=lambda: Limits(concurrency=256))
    prices: Prices = FREE

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        asked = schema["properties"] if schema else {}
        if "claim" in asked:
            return CLAIM_AND_TALK if "message" in asked else CLAIM
        return ACCEPT if (sampling.seed or 0) % 100 < self.accepts else REJECT


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of this process, and turns."""

    cpu: float
    turns: int
    episodes: int


def figures(size: Size) -> Iterator[Figure]:
    """Long games, where turns are what costs, and GLEE's own mix of games."""
    pairs = 2 if size is Size.QUICK else PAIRS
    few, many = (1, 6) if size is Size.QUICK else (2, 10)
    rejects, hesitates = Gate("instant", Instant(accepts=5)), Gate("instant", Instant(accepts=50))
    yield _figure("CPU per turn, long games", LONG_GAMES, rejects, few, pairs, floor=FLOOR)
    yield _figure("CPU per turn, GLEE's mix", CLAIMS, hesitates, many, pairs, floor=FLOOR)
    yield _figure("CPU per turn, mix, scripted backend", SCRIPTED, None, many, pairs, floor=None)


def _figure(
    measure: str,
    overrides: tuple[str, ...],
    gate: Gate | None,
    replicates: int,
    pairs: int,
    *,
    floor: float | None,
) -> Figure:
    def long(number: int) -> Spent:
        return _spent(gate, *overrides, f"market.replicates={replicates}", f"seed={number}")

    def short(number: int) -> Spent:
        return _spent(gate, *overrides, *FEW, f"seed={number}")

    arms = interleaved(long, short, pairs=pairs)
    values = []
    for one, other in zip(arms.first, arms.second, strict=True):
        cpu = one.found.cpu - other.found.cpu
        values.append(1e6 * cpu / (one.found.turns - other.found.turns))
    last = arms.first[-1].found
    return Figure(
        measure=measure,
        values=values,
        unit="µs",
        floor=floor,
        aim=None if floor is None else AIM,
        foreign=arms.foreign,
        details=(
            f"{last.turns} turns in {last.episodes} episodes, "
            f"{last.turns / last.episodes:.1f} each; {arms.cpu('long run', 'short run')}"
        ),
    )


def _spent(gate: Gate | None, *overrides: str) -> Spent:
    made = built(*overrides)
    if gate is not None:
        made = through(made, gate)
    with run_folder() as folder:
        began = time.process_time()
        run = asyncio.run(playing(folder, made))
        cpu = time.process_time() - began
    return Spent(cpu, run.turns, run.progress.settled)
