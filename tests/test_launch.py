"""The command line as people use it: in a process of its own, in a folder of its own."""

import csv
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from tests.toys import SMALL, everything_in, played_in

pytestmark = pytest.mark.process

CATALLAXY = [sys.executable, "-m", "catallaxy.platform.launch"]
SLOW = ("backend.latency_s=0.1", "cluster.in_flight=4", "market.replicates=20")
CANARY = "sk-canary-5f1d0c7e"


def catallaxy(
    folder: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CATALLAXY, *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def started(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*CATALLAXY, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def run_in(folder: Path) -> Path:
    (store,) = folder.glob("runs/*/*/store.duckdb")
    return store.parent


def wait_for_episodes(folder: Path, count: int, seconds: float = 30) -> None:
    """Ask the live run, as a second terminal would, until it has settled `count` episodes."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        asked = catallaxy(folder, "sql", "select count(*) as n from episodes", "--format", "csv")
        if asked.returncode == 0 and int(asked.stdout.split()[-1]) >= count:
            return
        time.sleep(0.1)
    raise AssertionError(f"the run did not settle {count} episodes in {seconds} s")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one finished run of eight episodes."""
    folder = tmp_path_factory.mktemp("finished")
    done = catallaxy(folder, "run", *SMALL)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that `SLOW` runs must equal, however often they are interrupted."""
    folder = tmp_path_factory.mktemp("reference")
    done = catallaxy(folder, "run", *SMALL, "market.replicates=20")
    assert done.returncode == 0, done.stderr
    return run_in(folder)


def test_a_finished_run_says_what_happened_and_where(finished: Path) -> None:
    folder = run_in(finished)
    names = {path.name for path in folder.iterdir()}

    assert {"store.duckdb", ".hydra"} <= names
    assert "parts" not in names


def test_help_lists_the_commands_and_run_help_lists_the_groups(tmp_path: Path) -> None:
    commands = catallaxy(tmp_path, "--help").stdout
    groups = catallaxy(tmp_path, "run", "--help").stdout

    for name in ("run", "resume", "sql", "ls", "show", "report", "import", "export"):
        assert name in commands
    assert "backend: endpoint, langchain, local, openai, replay, scripted" in groups
    assert "cluster: inline, ray" in groups
    assert "experiment: glee, glee_bargaining, glee_negotiation, glee_persuasion" in groups
    assert "game/wording/bargaining: german, objective, paper, plain, terse" in groups


def test_cfg_job_prints_the_configuration_and_starts_nothing(tmp_path: Path) -> None:
    shown = catallaxy(tmp_path, "run", *SMALL, "--cfg", "job")

    assert shown.returncode == 0
    assert "delta_a: 0.9" in shown.stdout
    assert not list(tmp_path.glob("runs/*/*/store.duckdb"))


@pytest.mark.parametrize(
    "wrong",
    ["game.rules.delta_c=1", "backend=scripte", "seed=x", "game.rules.delta_a=2", "agent.bob=7"],
)
def test_bad_input_is_one_line_and_exit_code_2_and_nothing_is_started(
    tmp_path: Path, wrong: str
) -> None:
    refused = catallaxy(tmp_path, "run", *SMALL, wrong)

    assert refused.returncode == 2
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1
    assert refused.stderr.startswith("catallaxy: ")
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_with_one_bad_job_starts_none(tmp_path: Path) -> None:
    refused = catallaxy(tmp_path, "run", "-m", *SMALL, "seed=1,2,x")

    assert refused.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_is_one_run_per_combination_and_sql_asks_them_all(tmp_path: Path) -> None:
    swept = catallaxy(
        tmp_path, "run", "-m", *SMALL, "seed=1,2", "game.rules.max_message_chars=9,10"
    )
    counted = catallaxy(
        tmp_path, "sql", "select count(distinct run), count(*) from episodes", "--format", "csv"
    )

    assert swept.returncode == 0, swept.stderr
    assert counted.stdout.splitlines()[1] == "4,32"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            ["backend=endpoint", "backend.base_url=http://127.0.0.1:9", "backend.model=m"],
            "127.0.0.1:9",
        ),
        (["backend=openai", "backend.model=gpt"], "OPENAI_API_KEY"),
        (["backend=local", "backend.gguf=/no/such.gguf"], "/no/such.gguf"),
        (["backend=replay", "backend.run=nowhere"], "nowhere"),
    ],
)
def test_a_model_that_cannot_be_asked_is_one_line_before_the_first_episode(
    tmp_path: Path, overrides: list[str], said: str
) -> None:
    pytest.importorskip("xllamacpp")
    refused = catallaxy(tmp_path, "run", *SMALL, *overrides, OPENAI_API_KEY="")

    assert refused.returncode in (1, 2)
    last = refused.stderr.splitlines()[-1]
    assert last.startswith("catallaxy: ")
    assert said in last
    assert not list(tmp_path.glob("runs/*/*/store.duckdb"))


def test_sql_answers_as_a_table_csv_json_and_parquet(finished: Path) -> None:
    query = "select seat, count(*) as n from seats group by 1 order by 1"

    table = catallaxy(finished, "sql", query).stdout
    text = catallaxy(finished, "sql", query, "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    objects = json.loads(catallaxy(finished, "sql", query, "--format", "json").stdout)
    catallaxy(finished, "sql", query, "--format", "parquet", "--output", "seats.parquet")
    with duckdb.connect() as memory:
        parquet = memory.execute(f"from '{finished / 'seats.parquet'}'").fetchall()

    assert "alice" in table
    assert rows == [{"seat": "alice", "n": "8"}, {"seat": "bob", "n": "8"}]
    assert objects == [{"seat": "alice", "n": 8}, {"seat": "bob", "n": 8}]
    assert parquet == [("alice", 8), ("bob", 8)]


def test_sql_cannot_write_and_says_so(finished: Path) -> None:
    refused = catallaxy(finished, "sql", "drop view episodes")

    assert refused.returncode == 1
    assert "can only be read" in refused.stderr


def test_ls_show_and_report_tell_the_run(finished: Path) -> None:
    listed = catallaxy(finished, "ls")
    shown = catallaxy(finished, "show", "last", "0")
    private = catallaxy(finished, "show", "last", "0", "--private")
    report = catallaxy(finished, "report", "last")

    assert "finished" in listed.stdout
    assert "8/8" in listed.stdout
    assert "alice" in shown.stdout
    assert "are to divide" not in shown.stdout
    assert "are to divide $100 between them" in private.stdout
    page = (finished / report.stdout.strip()).read_text()
    assert page.startswith("<!doctype html>")


def test_ctrl_c_stops_cleanly_and_resume_plays_the_rest(tmp_path: Path, reference: Path) -> None:
    process = started(tmp_path, "run", *SMALL, *SLOW)
    wait_for_episodes(tmp_path, 5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert process.returncode == 130, err.decode()
    assert "catallaxy resume" in out.decode()
    assert b"Traceback" not in err
    resumed = catallaxy(tmp_path, "resume", "last")
    assert resumed.returncode == 0, resumed.stderr
    assert played_in(run_in(tmp_path)) == played_in(reference)


def test_a_kill_9_keeps_what_was_settled_and_resume_plays_the_rest(
    tmp_path: Path, reference: Path
) -> None:
    process = started(tmp_path, "run", *SMALL, *SLOW)
    wait_for_episodes(tmp_path, 5)
    process.kill()
    process.communicate()
    kept = catallaxy(tmp_path, "sql", "select count(*) as n from episodes", "--format", "csv")
    listed = catallaxy(tmp_path, "ls")

    assert int(kept.stdout.split()[-1]) >= 5
    assert "interrupted" in listed.stdout
    resumed = catallaxy(tmp_path, "resume", "last")
    assert resumed.returncode == 0, resumed.stderr
    assert played_in(run_in(tmp_path)) == played_in(reference)


def test_a_finished_run_resumes_to_itself(finished: Path) -> None:
    before = played_in(run_in(finished))
    again = catallaxy(finished, "resume", "last")

    assert again.returncode == 0
    assert played_in(run_in(finished)) == before


def test_two_programs_cannot_write_one_run(tmp_path: Path) -> None:
    process = started(tmp_path, "run", *SMALL, *SLOW, "backend.latency_s=2")
    try:
        wait_for_episodes(tmp_path, 1)
        second = catallaxy(tmp_path, "resume", "last")
        assert second.returncode == 1
        assert "in use" in second.stderr
        assert len(second.stderr.strip().splitlines()) <= 2
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def test_a_full_disk_stops_the_run_with_that_sentence_and_keeps_what_was_settled(
    tmp_path: Path,
) -> None:
    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))

    full = subprocess.run(
        [*CATALLAXY, "run", *SMALL, "market.replicates=2000"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=small_disk,
    )

    assert full.returncode == 1
    last = full.stderr.splitlines()[-1]
    assert last.startswith("catallaxy: The record in")
    assert "cannot be written any more" in last
    kept = catallaxy(tmp_path, "sql", "select count(*) as n from episodes", "--format", "csv")
    assert kept.returncode == 0, kept.stderr


def test_a_changed_configuration_is_not_resumed(tmp_path: Path) -> None:
    assert catallaxy(tmp_path, "run", *SMALL).returncode == 0
    with duckdb.connect(str(run_in(tmp_path) / "store.duckdb")) as store:
        store.execute("update record.runs set config = replace(config::varchar, '0.9', '0.7')")

    refused = catallaxy(tmp_path, "resume", "last")

    assert refused.returncode == 2
    assert "its configuration was changed" in refused.stderr


def test_no_key_ever_reaches_the_run_folder_the_log_or_the_screen(tmp_path: Path) -> None:
    asked = ["backend=endpoint", "backend.base_url=http://127.0.0.1:9", "backend.model=m"]
    said: list[subprocess.CompletedProcess[str]] = [
        catallaxy(
            tmp_path,
            "run",
            *SMALL,
            *asked,
            "backend.api_key_env=CATALLAXY_CANARY",
            *more,
            CATALLAXY_CANARY=CANARY,
        )
        for more in ([], ["check=false", "backend.limits.retries=0"])
    ]

    assert [done.returncode for done in said] == [1, 1]
    assert "8 failed" in said[1].stderr
    assert all(CANARY not in done.stdout + done.stderr for done in said)
    assert CANARY.encode() not in everything_in(tmp_path)
    assert b"127.0.0.1:9" in everything_in(tmp_path)


def test_a_recorded_run_is_replayed_without_a_model_to_the_same_end(finished: Path) -> None:
    recorded = run_in(finished)
    replayed = catallaxy(
        finished,
        "run",
        *SMALL,
        "backend=replay",
        f"backend.run={recorded}",
        "hydra.run.dir=replayed",
    )

    assert replayed.returncode == 0, replayed.stderr
    assert played_in(finished / "replayed")[:3] == played_in(recorded)[:3]


def test_a_replay_that_is_asked_something_else_fails_and_shows_the_difference(
    finished: Path,
) -> None:
    recorded = run_in(finished)
    other = ["backend=replay", f"backend.run={recorded}", "game.rules.show_inflation_update=false"]
    words = "game.wording.objection='no'"

    failed = catallaxy(
        finished, "run", *SMALL, *other, words, "agent.bob.persona=Be quick.", "hydra.run.dir=other"
    )

    assert failed.returncode == 1
    found = catallaxy(finished, "sql", "select error from episodes", "other", "--format", "csv")
    assert "was not recorded" in found.stdout or "asked something else" in found.stdout
