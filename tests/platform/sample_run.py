"""A small run as the platform would record it: real rules, real table, real store, no model."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import permutations
from pathlib import Path

import yaml

from catallaxy.agents.base import Act, Agent, Ask
from catallaxy.agents.chat import BackendFailed
from catallaxy.agents.chat_agent import ChatAgent
from catallaxy.agents.scripted.bargaining import (
    ConcessionBargainer,
    EquilibriumBargainer,
    FairBargainer,
)
from catallaxy.agents.wording import Wording
from catallaxy.games.glee.bargaining import Bargaining
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.backends.scripted import Scripted
from catallaxy.platform.episode import Table
from catallaxy.platform.market.house import episode_id
from catallaxy.platform.record import Call, Engagement, Episode
from catallaxy.platform.store.rows import AgentRow, Run, VariantRow
from catallaxy.platform.store.writer import Store

_CONF = Path(__file__).parents[2] / "conf"
_WORDING = yaml.safe_load((_CONF / "game/wording/bargaining/plain.yaml").read_text())
WORDS = Wording(**{name: text for name, text in _WORDING.items() if name != "_target_"})
STARTED = 1_780_000_000.0

HOSTILE = (
    "<script>alert('x')</script><img src=http://evil.example/x.png> \x00 \x1b[31mred\x1b[0m "
    "[bold]markup[/bold] \u202egnp.exe {{ 7 * 7 }} ${HOME} '; DROP TABLE episodes; --"
)

VARIANTS = {
    f"v{number:011d}": Bargaining(
        pie=1000,
        delta_a=delta_a,
        delta_b=delta_b,
        max_rounds=6,
        horizon="stated",
        messages_allowed=number % 2 == 1,
    )
    for number, (delta_a, delta_b) in enumerate(
        [(0.8, 0.8), (0.8, 0.95), (0.9, 0.9), (0.95, 0.8), (0.95, 0.95), (0.9, 0.8)]
    )
}


class Broken:
    """An agent whose server is gone."""

    async def act(self, ask: Ask) -> Act:
        raise BackendFailed("http://127.0.0.1:9 (tiny): connection refused")


def talker(calls: list[Call], model: Scripted) -> ChatAgent:
    """A chat agent on a scripted model; its calls are appended to `calls`."""
    gate = Gate("scripted", model)
    gate.sink = calls.append
    return ChatAgent(gate, scratchpad=True)


def say(calls: list[Call], text: str) -> ChatAgent:
    """A chat agent that always says `text`."""
    return talker(calls, Scripted(replies=("{% raw %}" + text + "{% endraw %}",)))


def players(calls: list[Call]) -> dict[str, Agent]:
    """Three rules and a model that is unreadable at times."""
    return {
        "talker": talker(calls, Scripted(model="Talker-0.6B", error_rate=0.4, fail_rate=0.05)),
        "fair": FairBargainer(tolerance=0.05),
        "equilibrium": EquilibriumBargainer(),
        "concession": ConcessionBargainer(deadline=6),
    }


def engagements(pairs: Sequence[tuple[str, str]], replicates: int = 1) -> list[Engagement]:
    """Every variant for every pair."""
    planned = []
    for replicate in range(replicates):
        for variant, rules in VARIANTS.items():
            for alice, bob in pairs:
                seats = {"alice": alice, "bob": bob}
                ordinal = len(planned)
                planned.append(
                    Engagement(
                        ordinal=ordinal,
                        id=episode_id(ordinal, variant, seats, replicate),
                        game="bargaining",
                        variant=variant,
                        rules=rules,
                        seats=seats,
                        seed=ordinal,
                        replicate=replicate,
                    )
                )
    return planned


def play(
    planned: Sequence[Engagement], agents: Mapping[str, Agent], tries: int = 2
) -> list[Episode]:
    """The episodes, one after the other, on a clock that does not depend on the day."""

    async def all_of_them() -> list[Episode]:
        table = Table(tries=tries)
        return [
            await table.play(each, WORDS, {s: agents[a] for s, a in each.seats.items()})
            for each in planned
        ]

    return [
        replace(episode, started=STARTED + number, ended=STARTED + number + 0.5)
        for number, episode in enumerate(asyncio.run(all_of_them()))
    ]


def write(
    folder: Path,
    planned: Sequence[Engagement],
    episodes: Sequence[Episode],
    calls: Sequence[Call] = (),
    *,
    models: dict[str, str] | None = None,
    status: str = "finished",
) -> Path:
    """A run folder with these episodes on record."""
    names = dict.fromkeys(name for each in planned for name in each.seats.values())
    models = models or {}
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(folder)
    store.begin(
        Run(
            id="2026-05-28/20-26-40_sample",
            name="sample",
            seed=7,
            config={"name": "sample", "seed": 7, "game": {"name": "bargaining"}},
            config_hash="c0ffee123456",
            version="0.1.0",
            started=STARTED,
        ),
        [
            AgentRow(n, "ChatAgent" if n in models else "Rule", "scripted", models.get(n, ""))
            for n in names
        ],
        [
            VariantRow(variant, "bargaining", "plain", asdict(rules), rules.prediction())
            for variant, rules in VARIANTS.items()
        ],
    )
    store.plan(planned)
    store.record(calls)
    store.append(episodes)
    store.close(status)
    return folder


def sample(folder: Path) -> Path:
    """A run with models, rules, bad tries, forfeits, and a server that failed once."""
    calls: list[Call] = []
    agents = {**players(calls), "broken": Broken()}
    pairs = [*permutations(("talker", "fair", "equilibrium", "concession"), 2)]
    planned = engagements(pairs, replicates=2)
    planned[5] = replace(planned[5], seats={"alice": "broken", "bob": "fair"})
    episodes = play(planned, agents)
    timed = [
        replace(call, started=STARTED + n, ended=STARTED + n + 0.2 + n % 7 / 10, cost=1e-5)
        for n, call in enumerate(calls)
    ]
    return write(folder, planned, episodes, timed, models={"talker": "Talker-0.6B"})


def hostile(folder: Path) -> Path:
    """A run in which a model writes what it should not, everywhere that it can."""
    calls: list[Call] = []
    offer = {"alice_gain": 500, "bob_gain": 500, "message": HOSTILE}
    agents = {
        "evil": say(calls, json.dumps(offer)),
        "huge": say(calls, "x" * 10_000_000),
        "fair": FairBargainer(),
    }
    pairs = [("evil", "fair"), ("huge", "fair"), ("fair", "huge")]
    planned = [each for each in engagements(pairs) if each.rules.messages_allowed][:3]
    planned = [replace(each, ordinal=number) for number, each in enumerate(planned)]
    episodes = play(planned, agents, tries=1)
    models = {"evil": f"<b>evil</b>{HOSTILE}", "huge": "huge"}
    return write(folder, planned, episodes, calls, models=models)
