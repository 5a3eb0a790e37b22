"""A real Ray: the same results as inline, hosts that die, runs that are killed."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catallaxy.platform.compose import composed
from catallaxy.platform.errors import StoreError
from catallaxy.platform.experiment import Result, conduct, experiment
from catallaxy.platform.market.marketplace import Progress, RunStatus
from catallaxy.platform.store.compare import differences
from catallaxy.platform.store.reader import Reader
from tests.toys import SMALL, played_in, small

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore"),  # Ray's own, at start and end
]

ON_RAY = ("cluster=ray", "cluster.hosts=2")
CATALLAXY = [sys.executable, "-m", "catallaxy.platform.launch"]


@pytest.fixture(scope="module")
def ray_here() -> Iterator[None]:
    """One Ray for the tests of this module that do not kill it."""
    import ray

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(address="local", num_cpus=8, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def played(folder: Path, *overrides: str, watch: Any = lambda _: None) -> Result:
    return asyncio.run(conduct(experiment(small(*overrides)), folder, watch))


def but_for_config(found: list[str]) -> list[str]:
    return [line for line in found if not line.startswith("runs")]


def test_inline_and_ray_give_equal_stores_for_200_episodes(tmp_path: Path, ray_here: None) -> None:
    many = "market.replicates=25"
    played(tmp_path / "inline", many, "backend.error_rate=0.1")
    for hosts in (1, 2):
        folder = tmp_path / f"ray{hosts}"
        result = played(
            folder, many, "backend.error_rate=0.1", "cluster=ray", f"cluster.hosts={hosts}"
        )
        assert result.progress.settled == 200
        assert but_for_config(differences(tmp_path / "inline", folder)) == []


def test_scripted_agents_without_models_give_equal_stores_too(
    tmp_path: Path, ray_here: None
) -> None:
    seats = ("agent@agent.alice=concession_bargainer", "agent@agent.bob=random_bargainer")
    played(tmp_path / "inline", *seats, "market.replicates=25")
    played(tmp_path / "ray", *seats, "market.replicates=25", *ON_RAY)

    assert but_for_config(differences(tmp_path / "inline", tmp_path / "ray")) == []


def test_glee_s_three_games_in_one_run_give_equal_stores_too(
    tmp_path: Path, ray_here: None
) -> None:
    glee = ("experiment=glee", "backend=scripted", "backend.error_rate=0.1", "market.share=0.02")
    for folder, cluster in (("inline", ()), ("ray", ON_RAY)):
        built = experiment(composed((*glee, *cluster)))
        asyncio.run(conduct(built, tmp_path / folder, lambda _: None))

    assert but_for_config(differences(tmp_path / "inline", tmp_path / "ray")) == []


def actors(kind: str) -> list[int]:
    """The processes of our own actors of a kind: other runs on this machine are not ours."""
    return [pid for pid in family(os.getpid()) if f"ray::{kind}" in _command(pid)]


def _command(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_text()
    except OSError:
        return ""


def test_a_killed_hosts_episodes_are_played_again_and_nothing_is_counted_twice(
    tmp_path: Path, ray_here: None
) -> None:
    slow = ("market.replicates=50", "backend.latency_s=0.05", "cluster.in_flight=8")
    killed: list[int] = []

    def kill_one(progress: Progress) -> None:
        if progress.settled > 60 * (len(killed) + 1) and len(killed) < 3:
            killed.append(random.choice(actors("HostActor")))
            os.kill(killed[-1], signal.SIGKILL)

    played(tmp_path / "inline", "market.replicates=50")
    result = played(tmp_path / "ray", *slow, *ON_RAY, watch=kill_one)

    assert len(killed) == 3
    assert result.status is RunStatus.FINISHED
    assert result.progress.again > 0
    assert played_in(tmp_path / "ray") == played_in(tmp_path / "inline")
    with Reader.open(tmp_path / "ray") as reader:
        [(episodes, played_again)] = reader.sql(
            "select count(*), count(*) filter (where play > 1) from episodes"
        ).rows
    assert episodes == 400
    assert 0 < played_again <= result.progress.again


def test_a_dead_store_stops_the_run_in_one_sentence_and_resume_plays_the_rest(
    tmp_path: Path, ray_here: None
) -> None:
    def kill_store(progress: Progress) -> None:
        if progress.settled > 30:
            for pid in actors("StoreActor"):
                os.kill(pid, signal.SIGKILL)

    slow = ("market.replicates=20", "backend.latency_s=0.05", "cluster.in_flight=8", *ON_RAY)
    played(tmp_path / "whole", "market.replicates=20")
    with pytest.raises(StoreError) as stopped:
        played(tmp_path / "ray", *slow, watch=kill_store)
    assert "\n" not in str(stopped.value)

    played(tmp_path / "ray", *slow)

    assert played_in(tmp_path / "ray") == played_in(tmp_path / "whole")


def test_a_replayed_run_on_ray_asks_no_model_and_ends_the_same(
    tmp_path: Path, ray_here: None
) -> None:
    played(tmp_path / "recorded", "market.replicates=5")
    played(
        tmp_path / "replayed",
        "market.replicates=5",
        "backend=replay",
        f"backend.run={tmp_path / 'recorded'}",
        *ON_RAY,
    )

    assert played_in(tmp_path / "replayed")[:4] == played_in(tmp_path / "recorded")[:4]


def test_a_cluster_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    refused = subprocess.run(
        [*CATALLAXY, "run", *SMALL, "cluster=ray", "cluster.address=127.0.0.1:1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith(
        "catallaxy: cluster.address=127.0.0.1:1: nobody answers"
    )


def test_auto_joins_the_cluster_of_this_machine_and_leaves_it_running(tmp_path: Path) -> None:
    ray = str(Path(sys.executable).with_name("ray"))
    # no `ray stop` afterwards: it would end every Ray of this machine, this process with it
    head = subprocess.Popen(
        [
            ray,
            "start",
            "--head",
            "--block",
            "--port=0",
            "--num-cpus=2",
            "--include-dashboard=false",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert head.stdout is not None
        assert any("Ray runtime started" in line for line in head.stdout)
        for _ in range(2):
            done = subprocess.run(
                [*CATALLAXY, "run", *SMALL, "cluster=ray", "cluster.address=auto"],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, done.stderr[-2000:]
    finally:
        for pid in family(head.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        head.communicate()


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def kill_9(process: subprocess.Popen[bytes], *, everything: bool) -> None:
    """Kill the driver alone, or the driver, Ray, the store and the hosts at one instant."""
    for pid in family(process.pid) if everything else [process.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


def test_20_kills_at_random_instants_lose_double_and_change_nothing(tmp_path: Path) -> None:
    """2,000 episodes on Ray; every launch but the last is killed, half of them with all of Ray.

    Every fifth kill hits the start, the others up to two seconds of play.
    """
    design = ["market.replicates=250"]
    played(tmp_path / "reference", *design)
    chance = random.Random(20)
    arguments = ["run", *SMALL, *design, *ON_RAY, "cluster.in_flight=16", "hydra.run.dir=killed"]
    arguments += ["backend.latency_s=0.25", "backend.latency_sigma=0.6", "check=false"]
    settled: list[int] = []
    for kill in range(20):
        process = _launched(tmp_path, arguments)
        if kill % 5:
            _wait_for_play(tmp_path)
            time.sleep(chance.uniform(0.1, 2))
        else:
            time.sleep(chance.uniform(0.5, 6))
        assert process.poll() is None, (tmp_path / "log").read_text()[-2000:]
        kill_9(process, everything=kill % 2 == 1)
        if (tmp_path / "killed" / "store.duckdb").exists():
            arguments = ["resume", "killed"]
            settled.append(_settled(tmp_path / "killed"))
    last = _launched(tmp_path, ["resume", "killed"])

    assert last.wait(timeout=300) == 0, (tmp_path / "log").read_text()[-2000:]
    assert settled == sorted(settled)
    assert settled[-1] < 2000
    assert len(set(settled)) > 10, "the kills did not hit the middle of the run"
    assert played_in(tmp_path / "killed") == played_in(tmp_path / "reference")
    with Reader.open(tmp_path / "killed") as reader:
        assert reader.sql("select count(*), count(distinct episode) from episodes").rows == [
            (2000, 2000)
        ]


def _launched(folder: Path, arguments: list[str]) -> subprocess.Popen[bytes]:
    with (folder / "log").open("w") as log:
        return subprocess.Popen([*CATALLAXY, *arguments], cwd=folder, stdout=log, stderr=log)


def _wait_for_play(folder: Path) -> None:
    """The first line of progress says that hosts are playing."""
    until = time.monotonic() + 90
    while "/2000 episodes" not in (folder / "log").read_text():
        assert time.monotonic() < until, (folder / "log").read_text()[-2000:]
        time.sleep(0.05)


def _settled(folder: Path) -> int:
    """How many episodes a killed run has kept; a writer may need seconds to vanish."""
    with Reader.open(folder) as reader:
        return reader.sql("select count(*) from episodes").rows[0][0]
