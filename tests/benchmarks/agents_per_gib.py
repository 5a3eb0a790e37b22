"""Live agents per GiB: real dialogues of about 20 messages and 8 KB, held by a real host.

Two agents an episode; one of them waits for its model, the other for its turn.
"""

import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from catallaxy.agents.chat import Message, Reply, Sampling, Schema
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.backends.limits import Limits
from catallaxy.platform.backends.scripted import Scripted
from catallaxy.platform.host import Host
from catallaxy.platform.record import Call, Episode
from tests.benchmarks.measure import Figure, Size
from tests.benchmarks.runs import ONE_VARIANT, built, plans, through

GIB = 1024**3
MESSAGES = 20
ARGUMENT = " ".join(["Consider how much we both lose by waiting."] * 10)  # makes 8 KB of dialogue


@dataclass(frozen=True, kw_only=True)
class Silent(Scripted):
    """Never accepts, and does not answer a prompt of 20 messages at all."""

    @cached_property
    def waiting(self) -> list[Sequence[Message]]:
        """The prompts that are not answered."""
        return []

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        if len(messages) >= MESSAGES:
            self.waiting.append(messages)
            await asyncio.get_running_loop().create_future()
        if schema is not None and "decision" in schema["properties"]:
            return Reply('{"decision": "reject"}')
        number = len(self.waiting) + len(messages)
        offer = {"alice_gain": number, "bob_gain": 10_000 - number, "message": ARGUMENT}
        return Reply(json.dumps(offer))


def figures(size: Size) -> Iterator[Figure]:
    """The memory of a large host less that of a small one, each in a process of its own."""
    values, details = [], ""
    small, large = 200, 1200 if size is Size.QUICK else 3000
    for _ in range(1 if size is Size.QUICK else 3):
        one, other = _measured(large), _measured(small)
        agent = (one["uss"] - other["uss"]) / (one["agents"] - other["agents"])
        values.append(GIB / agent)
        details = (
            f"{agent:,.0f} bytes each, of which {one['characters']:,.0f} characters in "
            f"{one['messages']:.1f} messages; {one['agents']:.0f} agents in one process"
        )
    return iter([Figure("live agents per GiB", values, "", 30_000, 80_000, None, details)])


def _measured(episodes: int) -> dict[str, float]:
    code = f"from tests.benchmarks.agents_per_gib import child; child({episodes})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def child(episodes: int) -> None:
    """Fill a host and print what it takes."""
    print(json.dumps(asyncio.run(_filled(episodes))))


async def _filled(episodes: int) -> dict[str, float]:
    model = Silent(limits=Limits(concurrency=10 * episodes, timeout_s=3600.0))
    made = through(
        built(
            *ONE_VARIANT,
            "market.factors.messages_allowed=[true]",
            "backend=scripted",
            f"market.replicates={episodes}",
        ),
        Gate("silent", model),
    )
    host = Host(made.session, _forget, in_flight=episodes)
    host.give(plans(made))
    del made
    while len(model.waiting) < episodes:
        await host.take()
    characters = sum(len(message.content) for prompt in model.waiting for message in prompt)
    messages = sum(map(len, model.waiting))
    model.waiting.clear()
    gc.collect()
    found = {
        "uss": float(_uss()),
        "agents": 2.0 * episodes,
        "characters": characters / episodes,
        "messages": messages / episodes,
    }
    await host.close()
    return found


async def _forget(calls: Sequence[Call], episodes: Sequence[Episode]) -> None:
    """Keep nothing."""


def _uss() -> int:
    """Bytes that only this process has."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
