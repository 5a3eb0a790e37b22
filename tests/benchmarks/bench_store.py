"""What the record costs. Run by hand: python tests/benchmarks/bench_store.py [seconds]"""

import asyncio
import gc
import sys
import tempfile
import time
from pathlib import Path

from catallaxy.agents.chat import CallKey, Message, Reply, Sampling, Usage
from catallaxy.platform.record import Call, Engagement, Episode, EpisodeStatus, Turn, TurnKind
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.store.rows import Run
from catallaxy.platform.store.writer import Store

TURNS = 20
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0


def episode(ordinal: int) -> tuple[Episode, list[Call]]:
    """20 turns of two models; a turn is a row of `turns`, one of `calls` and two texts, 1 KB."""
    name = f"e{ordinal:06d}"
    dialogues: dict[str, tuple[Message, ...]] = {"alice": (), "bob": ()}
    turns, calls = [], []
    for turn in range(TURNS):
        seat = ("alice", "bob")[turn % 2]
        said = Message("user", f"{name} turn {turn}: " + "the other player offers " * 28)
        prompt = (*dialogues[seat], said)
        reply = Reply(f"{name} {turn}: " + "because it is fair " * 12, Usage(900, 60, 700))
        answer = Message("assistant", reply.text)
        dialogues[seat] = (*prompt, answer)
        for message in dialogues[seat]:
            _ = message.hash  # the table has them already
        calls.append(
            Call(
                CallKey(name, seat, turn, 0), 0, "local", "llama_cpp", "smol",
                Sampling(0.7, max_tokens=80, seed=turn), prompt, reply, started=1.0, ended=1.5,
            )
        )  # fmt: skip
        move = {"keep": 50, "message": "a deal?"}
        turns.append(
            Turn(turn, turn, seat, 0, TurnKind.MOVE, "Offer", move, messages=(said, answer))
        )
    plan = Engagement(ordinal, name, "bargaining", "v1", None, {"alice": "a", "bob": "b"}, ordinal)
    payoffs = {"alice": 60.0, "bob": 40.0}
    metrics = {"efficiency": 1.0, "share@alice": 0.6}
    settled = EpisodeStatus.SETTLED
    return Episode(plan, 1, settled, tuple(turns), payoffs, metrics), calls


def opened(folder: Path, name: str = "bench") -> Store:
    store = Store(folder)
    store.begin(Run(name, name, 0)).result()
    return store


def sustained(root: Path) -> None:
    """As fast as it goes, calls one by one, at most 200 episodes waiting."""
    played = [episode(ordinal) for ordinal in range(int(SECONDS * 600))]
    gc.freeze()  # the episodes are the bench's, not the record's
    store = opened(root / "sustained")
    wall, cpu = time.perf_counter(), time.process_time()
    waiting = []
    for settled, calls in played:
        for call in calls:
            store.record([call])
        waiting.append(store.append([settled]))
        if len(waiting) == 200:
            waiting[0].result()
            waiting = waiting[100:]
    store.flush()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    turns = len(played) * TURNS
    print(f"sustained: {cpu / turns * 1e6:.0f} CPU us per turn, {turns / wall:.0f} turns/s")
    print(f"sustained: {4 * turns / wall:.0f} durable rows/s, of which half carry the text")
    store.close()


async def paced(root: Path, rate: int) -> None:
    """`rate` turns a second beside an event loop; what its neighbours feel."""
    played = [episode(ordinal) for ordinal in range(max(1, int(SECONDS * rate / TURNS)))]
    gc.freeze()
    store = opened(root / f"paced{rate}")
    delays: list[float] = []
    durable: list[float] = []

    async def neighbour() -> None:
        while True:
            asleep = time.perf_counter()
            await asyncio.sleep(0.002)
            delays.append(time.perf_counter() - asleep - 0.002)

    beside = asyncio.create_task(neighbour())
    cpu, start = time.process_time(), time.perf_counter()
    for number, (settled, calls) in enumerate(played):
        await asyncio.sleep(max(0.0, start + number * TURNS / rate - time.perf_counter()))
        for call in calls:
            store.record([call])
        told = time.perf_counter()
        store.append([settled]).add_done_callback(
            lambda _, told=told: durable.append(time.perf_counter() - told)
        )
    await asyncio.to_thread(store.flush)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - start
    beside.cancel()
    await asyncio.to_thread(store.close)
    print(
        f"{rate} turns/s: {cpu / wall:.3f} cores; event loop late p50 {_ms(delays, 0.5)}, "
        f"p99 {_ms(delays, 0.99)}; durable after p50 {_ms(durable, 0.5)}, p99 {_ms(durable, 0.99)}"
    )


def _ms(seconds: list[float], quantile: float) -> str:
    ordered = sorted(seconds)
    return f"{ordered[int(quantile * (len(ordered) - 1))] * 1e3:.2f} ms"


def many(root: Path) -> None:
    """60 runs of 100 episodes as one database."""
    played = [episode(ordinal) for ordinal in range(100)]
    for number in range(60):
        store = opened(root / "many" / f"{number:02d}", f"r{number:02d}")
        store.append([settled for settled, _ in played])
        store.close()
    wall = time.perf_counter()
    with Reader.open(root / "many") as reader:
        print(f"60 runs: opened in {(time.perf_counter() - wall) * 1e3:.0f} ms")
        wall = time.perf_counter()
        reader.sql("SELECT run, avg(efficiency) FROM episodes GROUP BY run")
        print(f"60 runs: a mean per run in {(time.perf_counter() - wall) * 1e3:.0f} ms")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sustained(Path(folder))
        for turns_per_second in (20, 100, 1000, 4000):
            asyncio.run(paced(Path(folder), turns_per_second))
        many(Path(folder))
