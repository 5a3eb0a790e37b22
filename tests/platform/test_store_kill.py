"""A writer that is killed at any moment: everything it acknowledged is there, once and whole."""

import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from catallaxy.platform.store.reader import Reader
from catallaxy.platform.store.writer import Store
from tests.platform.store_samples import AGENTS, VARIANT, played, run

pytestmark = pytest.mark.process

WRITER = """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from tests.platform.store_samples import AGENTS, VARIANT, played, run
    from catallaxy.platform.store.writer import Store

    store = Store(Path(sys.argv[1]), wait_s=10, rotate_s=0.05)
    store.begin(run(), AGENTS, (VARIANT,)).result()
    done = set(store.outcomes())
    waiting = []
    for ordinal in range(100_000):
        if f"e{ordinal:04d}" in done:
            continue
        episode, calls = played(ordinal, turns=6)
        store.record(calls).add_done_callback(
            lambda _, ordinal=ordinal: print("calls", ordinal, flush=True)
        )
        store.append([episode]).add_done_callback(
            lambda _, ordinal=ordinal: print("episode", ordinal, flush=True)
        )
        if ordinal % 20 == 0:
            store.flush()
"""


def killed(folder: Path, after_s: float) -> dict[str, set[str]]:
    """What a writer acknowledged before SIGKILL, `after_s` seconds after its first word."""
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), folder, Path(__file__).parent],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(after_s)
    writer.send_signal(signal.SIGKILL)
    told = [first, *writer.communicate()[0].splitlines()]
    acknowledged: dict[str, set[str]] = {"calls": set(), "episode": set()}
    for line in told:
        kind, _, ordinal = line.strip().partition(" ")
        if kind in acknowledged and ordinal.isdigit():
            acknowledged[kind].add(f"e{int(ordinal):04d}")
    return acknowledged


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path, seed):
    settled, called = set(), set()
    for _ in range(2):
        acknowledged = killed(tmp_path, random.Random(seed).uniform(0.05, 0.6))
        assert acknowledged["episode"], "the writer acknowledged nothing: this proves nothing"
        settled |= acknowledged["episode"] - {max(acknowledged["episode"])}  # a cut-off last line
        called |= acknowledged["calls"] - {max(acknowledged["calls"])}
        with Reader.open(tmp_path) as reader:
            assert settled <= set(reader.settled())
            assert called <= {call.key.episode for call in reader.recorded_calls()}
            assert reader.sql("SELECT count(*), count(DISTINCT episode) FROM episodes").rows[0] == (
                len(reader.settled()),
                len(reader.settled()),
            )
            torn = (
                "SELECT e.episode FROM episodes e LEFT JOIN turns t USING (run, episode) "
                "GROUP BY ALL HAVING count(t.seq) <> 6"
            )
            assert reader.sql(torn).rows == []
            assert reader.sql("SELECT count(*) - count(DISTINCT hash) FROM messages").rows == [(0,)]


def test_a_killed_run_goes_on(tmp_path):
    killed(tmp_path, 0.2)
    with Reader.open(tmp_path) as reader:
        before = set(reader.settled())
    store = Store(tmp_path, wait_s=10)
    store.begin(run(), AGENTS, (VARIANT,)).result()
    episodes = [played(ordinal, turns=6)[0] for ordinal in range(len(before) + 40)]
    new = store.append(episodes).result()
    assert new == {episode.engagement.id for episode in episodes} - before
    store.close("finished")
    assert not (tmp_path / "parts").exists()
    with Reader.open(tmp_path) as reader:
        assert reader.sql("SELECT status FROM runs").rows == [("finished",)]
