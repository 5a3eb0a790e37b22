"""What a reader sees: one run or many, finished or going on, and sentences for what it cannot."""

import json
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from catallaxy.platform.errors import StoreError
from catallaxy.platform.store.reader import Reader, find_run, find_runs
from catallaxy.platform.store.writer import Store
from tests.platform.store_samples import AGENTS, VARIANT, failed, fill, finished, played, run

HERE = str(Path(__file__).parents[2])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("runs") / "2026-11-22" / "101500_one", planned=5)


@pytest.fixture(scope="module")
def reader(folder):
    with Reader.open(folder) as opened:
        yield opened


def test_an_episode_has_its_rules_and_metrics_as_columns(reader):
    found = reader.sql(
        "SELECT run, episode, pie, delta_a, rules_seed, seed, efficiency, duration_s, turns "
        "FROM episodes ORDER BY ordinal"
    )
    assert found.rows[1] == ("r1", "e0001", 100, 0.9, "nature", 11, 0.6, 2.5, 4)


def test_a_seat_has_its_payoff_and_metrics(reader):
    found = reader.sql("SELECT seat, agent, payoff, share FROM seats WHERE episode = 'e0002'")
    assert found.rows == [("alice", "haiku", 60.0, 0.6), ("bob", "grim", 42.0, 0.4)]


def test_the_transcript_is_read_in_order_with_the_moves_of_scripted_agents(reader):
    lines = reader.dialogue("e0000")
    assert [(line.seq, line.seat, line.role, line.content) for line in lines] == [
        (0, "alice", "system", "You divide a pie."),
        (0, "alice", "user", "e0000: turn 0. offer?"),
        (0, "alice", "assistant", "e0000: I offer 0."),
        (1, "bob", "move", '{"keep":51}'),
        (2, "alice", "user", "e0000: turn 2. offer?"),
        (2, "alice", "assistant", "e0000: I offer 2."),
        (3, "bob", "move", '{"keep":53}'),
    ]


def test_calls_name_their_agent_and_speak_opentelemetry(reader):
    found = reader.sql(
        "SELECT agent, sum(gen_ai_usage_input_tokens), sum(cost_usd), max(latency_s) "
        "FROM calls GROUP BY agent"
    )
    assert found.rows == [("haiku", 180, 1.5, 0.5)]


def test_predictions_stand_beside_metrics(reader):
    found = reader.sql(
        "SELECT name, seat, round(avg(m.value), 2), any_value(p.value) FROM metrics m "
        "JOIN episodes e USING (run, episode) JOIN predictions p USING (run, variant, seat, name) "
        "GROUP BY ALL ORDER BY ALL"
    )
    assert found.rows == [("efficiency", "", 0.6, 1.0), ("share", "alice", 0.6, 0.53)]


def test_every_view_has_the_run_first_and_a_comment(reader):
    views = reader.sql("SELECT name FROM (SHOW TABLES)").rows
    assert len(views) == 13
    for (view,) in views:
        assert reader.sql(f"SELECT * FROM {view} LIMIT 0").columns[0] == "run"
    bare = "SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL AND "
    assert reader.sql(bare + "schema_name = 'main'").rows == []


def test_every_table_and_column_has_a_comment(reader):
    bare = "FROM duckdb_{}() WHERE schema_name = 'record' AND database_name = 'run_0' AND "
    assert reader.sql("SELECT * " + bare.format("columns") + "comment IS NULL").rows == []
    assert reader.sql("SELECT * " + bare.format("tables") + "comment IS NULL").rows == []


def test_what_resume_needs(reader):
    assert list(reader.settled()) == ["e0000", "e0001", "e0002"]
    assert reader.episodes_missing() == ("e0003", "e0004")
    assert reader.config() == {"game": {"pie": 100}}
    assert reader.config_hash() == "c1"
    assert reader.plays() == {"e0000": 1, "e0001": 1, "e0002": 1}


def test_recorded_calls_bring_whole_prompts(reader):
    expected = [call for ordinal in range(3) for call in played(ordinal)[1]]
    found = list(reader.recorded_calls())
    assert [call.prompt for call in found] == [call.prompt for call in expected]
    assert [call.key for call in found] == [call.key for call in expected]
    only = list(reader.recorded_calls("r1", ["e0001"]))
    assert {call.key.episode for call in only} == {"e0001"}


def test_a_failed_episode_is_missing(tmp_path):
    store = Store(tmp_path)
    fill(store, 1, planned=2)
    store.append([failed(1)])
    store.close("stopped")
    with Reader.open(tmp_path) as reader:
        assert reader.episodes_missing() == ("e0001",)
        assert list(reader.settled()) == ["e0000"]


def test_several_runs_are_one_database(tmp_path):
    finished(tmp_path / "2026-11-21" / "1_a", 1, name="a")
    finished(tmp_path / "2026-11-22" / "1_b", 2, name="b")
    store = Store(tmp_path / "2026-11-22" / "2_c")
    fill(store, 1, name="c")
    episode, _ = played(1)
    object.__setattr__(episode, "metrics", {"regret": 4.0})
    store.append([episode])
    store.close()
    with Reader.open(tmp_path) as reader:
        assert [each.run for each in reader.runs] == ["a", "b", "c"]
        found = reader.sql(
            "SELECT run, count(*), count(regret), count(efficiency) FROM episodes GROUP BY run "
            "ORDER BY run"
        )
    assert found.rows == [("a", 1, 0, 1), ("b", 2, 0, 2), ("c", 2, 1, 1)]


def test_two_copies_of_a_run_are_told_apart(tmp_path):
    for name in ("one", "two"):
        finished(tmp_path / name, 1)
    with Reader.open(tmp_path / "one", tmp_path / "two") as reader:
        assert reader.sql("SELECT count(DISTINCT run) FROM episodes").rows == [(2,)]
        with pytest.raises(StoreError, match="Which run"):
            reader.settled()


def test_a_run_that_never_played_has_empty_views(tmp_path):
    Store(tmp_path).close()
    with Reader.open(tmp_path) as reader:
        assert reader.sql("SELECT * FROM episodes").rows == []
        assert "ordinal" in reader.sql("SELECT * FROM transcript JOIN episodes USING (run)").columns


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT * FROM episode", "no view 'episode'.*did you mean 'episodes'"),
        ("SELECT eficiency FROM episodes", "did you mean 'efficiency'"),
        ("DELETE FROM turns", "DELETE is refused; write a SELECT"),
        ("DROP VIEW turns", "DROP is refused"),
        ("ATTACH 'x.db'", "ATTACH is refused"),
        ("SET threads = 4", "SET is refused"),
        ("COPY turns TO 'x.csv'", "COPY is refused"),
        ("SELECT 1; SELECT 2", "One query at a time"),
        ("", "One query at a time"),
        ("SELEC 1", "syntax error at or near"),
        ("SELECT * FROM read_text('/etc/passwd')", "disabled by configuration"),
        ("SELECT * FROM '/etc/passwd'", "no view"),
        ("SELECT CAST('x' AS INTEGER)", "Could not convert"),
        (
            "WITH x AS (INSERT INTO run_0.record.ledger VALUES (1,'','',1,1,1) RETURNING *) FROM x",
            "read-only",
        ),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(reader, query, sentence):
    with pytest.raises(StoreError, match=sentence) as caught:
        reader.sql(query)
    assert "\n" not in str(caught.value)


def test_a_pivot_and_an_explanation_are_readings(reader):
    assert reader.sql("PIVOT metrics ON name USING avg(value) GROUP BY seat").rows
    assert reader.sql("EXPLAIN SELECT 1").rows


def test_results_come_as_table_csv_json_frame_and_parquet(reader, tmp_path):
    result = reader.sql("SELECT episode, efficiency, fault FROM episodes ORDER BY 1 LIMIT 2")
    assert result.to("table").splitlines()[2] == "e0000           0.5"
    assert result.to("csv") == "episode,efficiency,fault\ne0000,0.5,\ne0001,0.6,\n"
    assert json.loads(result.to("json"))[1] == {
        "episode": "e0001",
        "efficiency": 0.6,
        "fault": None,
    }
    assert list(result.df()["efficiency"]) == [0.5, 0.6]
    with pytest.raises(StoreError, match="give a file"):
        result.to("parquet")
    result.write("parquet", tmp_path / "out.parquet")
    assert (tmp_path / "out.parquet").read_bytes()[:4] == b"PAR1"


def test_a_table_shows_control_characters_and_obeys_none(reader):
    shown = reader.sql("SELECT chr(27) || '[2Jx' || chr(10) AS text").to("table")
    assert "\x1b" not in shown
    assert r"\x1b[2Jx\n" in shown


def test_runs_are_found_newest_last(folder):
    root = folder.parent.parent
    newer = finished(root / "2026-11-23" / "090000_two", 1, name="two")
    assert find_runs(root) == [folder, newer]
    assert find_run("last", root) == newer
    assert find_run("one", root) == folder
    assert find_run(folder) == folder
    with pytest.raises(StoreError, match="There is no run 'three'"):
        find_run("three", root)


def test_where_there_is_nothing_to_read(tmp_path):
    with pytest.raises(StoreError, match="holds no run"):
        Reader.open(tmp_path)
    with pytest.raises(StoreError, match="does not exist"):
        Reader.open(tmp_path / "nowhere")
    (tmp_path / "store.duckdb").write_bytes(b"not a database" * 500)
    with pytest.raises(StoreError, match="cannot be opened"):
        Reader.open(tmp_path)


def test_a_live_run_is_read_in_the_same_process(tmp_path):
    store = Store(tmp_path, rotate_s=3600)
    fill(store, 2)
    store.append([failed(2)])
    store.rotate()
    with Reader.open(tmp_path) as reader:
        assert reader.live == ("r1",)
        assert reader.sql("SELECT status, count(*) FROM episodes GROUP BY 1 ORDER BY 1").rows == [
            ("failed", 1),
            ("settled", 2),
        ]
        store.append([played(2, play=2)[0]])
        store.rotate()
        reader.refresh()
        assert reader.sql("SELECT count(*), sum(turns) FROM episodes").rows == [(3, 12)]
        assert reader.sql("SELECT count(*) FROM turns").rows == [(12,)]
        assert reader.sql("SELECT count(*) FROM transcript").rows == [(7 * 3,)]
        assert len(list(reader.recorded_calls())) == 4
        assert reader.sql("SELECT status FROM runs").rows == [("running",)]
        store.close()
        assert reader.sql("SELECT status FROM runs").rows == [("finished",)]
        assert reader.live == ()


def test_an_emptied_ledger_is_empty_for_live_readers_too(tmp_path):
    store = Store(tmp_path, rotate_s=3600)
    fill(store, 2)
    store.rotate()
    store.resettle().result()
    store.rotate()
    with Reader.open(tmp_path) as reader:
        assert reader.sql("SELECT count(*) FROM ledger").rows == [(0,)]
        assert reader.sql("SELECT count(*) FROM episodes").rows == [(2,)]
    store.close()
    assert not (tmp_path / "parts").exists()


LIVE = """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from tests.platform.store_samples import fill, played
    from catallaxy.platform.store.writer import Store

    store = Store(Path(sys.argv[1]), rotate_s=0.05)
    fill(store, 1)
    print("ready", flush=True)
    for ordinal in range(1, 100_000):
        episode, calls = played(ordinal)
        store.record(calls)
        store.append([episode]).result()
"""


def test_a_run_is_read_while_another_process_writes_it(tmp_path):
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(LIVE), tmp_path, HERE],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        seen = []
        for _ in range(5):
            with Reader.open(tmp_path) as reader:
                assert [each.live for each in reader.runs] == [True]
                [(episodes, turns)] = reader.sql("SELECT count(*), sum(turns) FROM episodes").rows
                assert reader.sql("SELECT count(*) FROM turns").rows == [(turns or 0,)]
                seen.append(episodes)
            time.sleep(0.3)
    finally:
        writer.kill()
        writer.communicate()
    assert seen == sorted(seen)
    assert seen[-1] > seen[0]
    with Reader.open(tmp_path) as reader:
        assert reader.live == ()
        assert reader.sql("SELECT status FROM runs").rows == [("interrupted",)]
        assert reader.sql("SELECT count(*) >= ? FROM episodes", [seen[-1]]).rows == [(True,)]


def test_a_reader_keeps_writers_out_with_a_sentence(tmp_path):
    finished(tmp_path, 1)
    with Reader.open(tmp_path), pytest.raises(StoreError, match="is in use by a reader"):
        Store(tmp_path)
    store = Store(tmp_path)
    store.begin(run(), AGENTS, (VARIANT,)).result()
    store.close()
