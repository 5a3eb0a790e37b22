"""Small records for the tests of the store: a bargaining episode with its calls, and whole runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from catallaxy.agents.chat import CallKey, Message, Reply, Sampling, Usage
from catallaxy.platform.record import (
    Call,
    Engagement,
    Episode,
    EpisodeStatus,
    Turn,
    TurnKind,
)
from catallaxy.platform.store.rows import AgentRow, Run, VariantRow
from catallaxy.platform.store.writer import Store

SEATS = {"alice": "haiku", "bob": "grim"}
AGENTS = (AgentRow("haiku", "chat", "local", "smol"), AgentRow("grim", "scripted"))


@dataclass(frozen=True)
class Rules:
    pie: int = 100
    delta_a: float = 0.9
    seed: str = "nature"  # clashes with a column of `episodes`


@dataclass(frozen=True)
class Posting:
    ordinal: int
    episode: str
    agent: str
    amount: float
    balance: float


VARIANT = VariantRow(
    "v1",
    "bargaining",
    "glee",
    {"pie": 100, "delta_a": 0.9, "seed": "nature"},
    {"efficiency": 1.0, "share@alice": 0.53},
)


def run(name: str = "r1", config_hash: str = "c1") -> Run:
    return Run(name, name, 7, {"game": {"pie": 100}}, config_hash, "0.1.0")


def engagement(ordinal: int = 0) -> Engagement:
    return Engagement(
        ordinal, f"e{ordinal:04d}", "bargaining", "v1", Rules(), SEATS, seed=ordinal * 11
    )


def call(
    episode: str, turn: int, prompt: Sequence[Message], text: str, *, play: int = 1, tried: int = 0
) -> Call:
    return Call(
        key=CallKey(episode, "alice", turn, tried, play),
        attempt=0,
        backend="local",
        provider="llama_cpp",
        model="smol",
        sampling=Sampling(temperature=0.7, max_tokens=80, seed=turn),
        prompt=tuple(prompt),
        reply=Reply(text, Usage(30, 6, 10, 1), "stop", "smol-135m", f"id-{episode}-{turn}"),
        cost=0.25,
        started=10.0,
        ended=10.5,
    )


def played(
    ordinal: int = 0, *, turns: int = 4, play: int = 1, words: str = "offer"
) -> tuple[Episode, list[Call]]:
    """An episode between a model (alice, even turns) and a script (bob), and alice's calls."""
    plan = engagement(ordinal)
    dialogue: tuple[Message, ...] = ()
    tries, calls = [], []
    for turn in range(turns):
        seat = "alice" if turn % 2 == 0 else "bob"
        move = {"keep": 50 + turn}
        messages: tuple[Message, ...] = ()
        if seat == "alice":
            said = (Message("user", f"{plan.id}: turn {turn}. {words}?"),)
            if not dialogue:
                said = (Message("system", "You divide a pie."), *said)
            reply = f"{plan.id}: I {words} {turn}."
            calls.append(call(plan.id, turn, (*dialogue, *said), reply, play=play))
            messages = (*said, Message("assistant", reply))
            dialogue = (*dialogue, *messages)
        tries.append(Turn(turn, turn, seat, 0, TurnKind.MOVE, "Offer", move, messages=messages))
    episode = Episode(
        plan,
        play,
        EpisodeStatus.SETTLED,
        tuple(tries),
        payoffs={"alice": 60.0, "bob": 40.0 + ordinal},
        metrics={"efficiency": 0.5 + ordinal / 10, "share@alice": 0.6, "share@bob": 0.4},
        started=10.0,
        ended=12.5,
    )
    return episode, calls


def failed(ordinal: int = 0, *, play: int = 1) -> Episode:
    """An episode that a backend ended after one turn."""
    whole, _ = played(ordinal)
    return Episode(
        whole.engagement,
        play,
        EpisodeStatus.FAILED,
        whole.turns[:1],
        fault="backend",
        error="server gone",
    )


def fill(store: Store, episodes: int = 3, *, name: str = "r1", planned: int = 0) -> None:
    """A run with `episodes` settled episodes, everything durable, not closed."""
    store.begin(run(name), AGENTS, (VARIANT,)).result()
    store.plan([engagement(ordinal) for ordinal in range(max(episodes, planned))])
    balance = 0.0
    for ordinal in range(episodes):
        episode, calls = played(ordinal)
        store.record(calls)
        store.append([episode])
        balance += 60.0
        store.settle([Posting(ordinal, episode.engagement.id, "haiku", 60.0, balance)])
    store.flush()


def finished(folder: Path, episodes: int = 3, *, name: str = "r1", planned: int = 0) -> Path:
    """The folder of a finished run."""
    store = Store(folder)
    fill(store, episodes, name=name, planned=planned)
    store.close("finished")
    return folder
