"""Two records of one run are equal but for when, how long and where."""

from dataclasses import replace

from catallaxy.platform.store.compare import differences
from catallaxy.platform.store.writer import Store
from tests.platform.store_samples import AGENTS, VARIANT, Posting, engagement, finished, played, run


def test_equal_runs_in_another_order_of_completion_are_equal(tmp_path):
    one = finished(tmp_path / "one", 3, name="one")
    store = Store(tmp_path / "two")
    store.begin(run("two", "c2"), AGENTS, (VARIANT,)).result()
    store.plan([engagement(ordinal) for ordinal in range(3)])
    for ordinal in (2, 0, 1):
        episode, calls = played(ordinal)
        store.append([replace(episode, started=99.0, ended=100.0)])
        store.record([replace(call, started=99.0, ended=99.1) for call in calls]).result()
    store.settle([Posting(n, f"e{n:04d}", "haiku", 60.0, 60.0 * (n + 1)) for n in range(3)])
    store.close("finished")
    assert differences(one, tmp_path / "two") == []


def test_a_different_move_is_named(tmp_path):
    one = finished(tmp_path / "one", 1)
    store = Store(tmp_path / "two")
    store.begin(run(), AGENTS, (VARIANT,)).result()
    store.plan([engagement(0)])
    episode, calls = played(0)
    turns = (replace(episode.turns[0], move={"keep": 1}), *episode.turns[1:])
    store.record(calls)
    store.append([replace(episode, turns=turns)])
    store.close("finished")
    lines = differences(one, tmp_path / "two")
    assert [line.split(":")[0] for line in lines] == ["turns", "turns", "ledger"]
    assert "move='{\"keep\":50}'" in lines[0]
    assert "move='{\"keep\":1}'" in lines[1]
