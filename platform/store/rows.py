"""What a record holds, as rows: the values that a run brings, and the rows of what was played.

Knows no database. A row ends without its `batch`; the tables add it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Protocol, TypeAlias

from catallaxy.platform.record import Call, Engagement, Episode, Turn
from catallaxy.platform.store.prompts import Prompt
from catallaxy.platform.store.text import as_json, optional, storable

Row: TypeAlias = tuple[Any, ...]

TIMING_COLUMNS = frozenset({"started", "ended", "duration_s", "latency_s", "changed", "batch"})
"""Columns that differ between two runs of the same seed: when and how long, never what."""


@dataclass(frozen=True, slots=True)
class Run:
    """One launch. `config` is resolved and without secrets; `started` is in Unix seconds."""

    id: str
    name: str
    seed: int
    config: Mapping[str, Any] = field(default_factory=dict)
    config_hash: str = ""
    version: str = ""
    git_sha: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    host: Mapping[str, Any] = field(default_factory=dict)
    started: float = 0.0


@dataclass(frozen=True, slots=True)
class VariantRow:
    """A game, its rules and its wording. `predictions` are keyed like metrics: `name@seat`."""

    variant: str
    game: str
    wording: str
    rules: Mapping[str, Any] = field(default_factory=dict)
    predictions: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent in the registry. `spec` is its configuration, without secrets."""

    agent: str
    kind: str
    backend: str = ""
    model: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)


class LedgerEntry(Protocol):
    """One change of one agent's balance, in the unit of the game."""

    @property
    def ordinal(self) -> int: ...
    @property
    def episode(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def amount(self) -> float: ...
    @property
    def balance(self) -> float: ...


def variant_of(engagement: Engagement) -> VariantRow:
    """What an engagement says of its variant, where nobody declared it."""
    rules = engagement.rules
    named = {f.name: getattr(rules, f.name) for f in fields(rules)} if is_dataclass(rules) else {}
    return VariantRow(engagement.variant, engagement.game, "", named)


def variant_row(variant: VariantRow) -> Row:
    """The row of `variants`."""
    return (variant.variant, variant.game, variant.wording, as_json(variant.rules))


def agent_row(agent: AgentRow) -> Row:
    """The row of `agents`."""
    return (agent.agent, agent.kind, agent.backend or "", agent.model or "", as_json(agent.spec))


def engagement_row(engagement: Engagement) -> Row:
    """The row of `engagements`."""
    e = engagement
    return (e.ordinal, e.id, e.game, e.variant, e.replicate, e.seed, dict(e.seats))


def ledger_row(entry: LedgerEntry) -> Row:
    """The row of `ledger`."""
    return (entry.ordinal, entry.episode, entry.agent, entry.amount, entry.balance)


def measures(of: str, values: Mapping[str, float]) -> Iterator[Row]:
    """Rows of `metrics` or `predictions` of one episode or variant: `name@seat` is a seat's."""
    for key, value in values.items():
        name, _, seat = key.partition("@")
        yield (of, seat, name, float(value))


def episode_row(episode: Episode) -> Row:
    """The row of `episodes`."""
    plan = episode.engagement
    return (
        plan.id,
        plan.ordinal,
        plan.game,
        plan.variant,
        plan.replicate,
        plan.seed,
        episode.play,
        episode.status.value,
        optional(episode.fault),
        optional(episode.error),
        len({turn.turn for turn in episode.turns}),
        len(episode.turns),
        episode.started,
        episode.ended,
    )


def seating_rows(episode: Episode) -> Iterator[Row]:
    """The rows of `seatings`, in the order of the table."""
    payoffs = episode.payoffs
    for place, (seat, agent) in enumerate(episode.engagement.seats.items()):
        payoff = float(payoffs[seat]) if seat in payoffs else None
        yield (episode.engagement.id, seat, place, agent, payoff)


def turn_row(episode: str, turn: Turn) -> Row:
    """The row of `turns`."""
    return (
        episode,
        turn.seq,
        turn.turn,
        turn.seat,
        turn.tried,
        turn.kind.value,
        turn.move_type,
        None if turn.move is None else as_json(turn.move),
        optional(turn.trouble),
        [message.hash for message in turn.messages],
        storable(turn.reasoning),
    )


def call_row(call: Call, prompt: Prompt, output: str | None) -> Row:
    """The row of `calls`; `output` is the hash of the reply."""
    key, drawn, reply = call.key, call.sampling, call.reply
    if reply is None:
        answer: Sequence[Any] = (None,) * 7
        reasoning = None
    else:
        usage = reply.usage
        answer = (
            storable(reply.model),
            storable(reply.id),
            storable(reply.finish),
            usage.input,
            usage.output,
            usage.cached,
            usage.reasoning,
        )
        reasoning = storable(reply.reasoning)
    return (
        key.episode,
        key.seat,
        key.turn,
        key.tried,
        key.play,
        call.attempt,
        call.backend,
        call.provider,
        call.model,
        drawn.temperature,
        drawn.top_p,
        drawn.max_tokens,
        drawn.seed,
        *answer,
        prompt.hash,
        prompt.length,
        prompt.new,
        output,
        reasoning,
        call.started,
        call.ended - call.started,
        call.cost,
        optional(call.error_type),
        optional(call.error),
        call.reused,
    )


def run_row(run: Run, status: str, started: float) -> Row:
    """The row of `runs`, while it goes on."""
    return (
        run.id,
        run.name,
        status,
        started,
        None,
        run.seed,
        as_json(run.config),
        run.config_hash,
        run.version,
        run.git_sha,
        as_json(run.packages),
        as_json(run.host),
    )
