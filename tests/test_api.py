"""The public interface: run, resume, open, from a script and from a running loop."""

import asyncio
from pathlib import Path

import pytest

import catallaxy
from catallaxy.platform.market.marketplace import Progress
from tests.toys import SMALL, played_in


def test_a_run_that_was_stopped_is_resumed_to_the_same_end(tmp_path: Path) -> None:
    slow = (*SMALL, "market.replicates=5", "backend.latency_s=0.02", "cluster.in_flight=2")
    with catallaxy.run(*slow, runs=tmp_path / "whole") as whole:
        (reference,) = whole.folders
    with catallaxy.run(*slow, "budget.calls=30", runs=tmp_path / "part") as part:
        (folder,) = part.folders
        assert 0 < len(part.episodes()) < 40

    for _ in range(20):
        with catallaxy.resume(folder) as resumed:
            episodes = resumed.episodes()
        if len(episodes) == 40:
            break

    assert set(episodes["status"]) == {"settled"}
    assert played_in(folder) == played_in(reference)


def test_frames_say_what_happened_and_the_watcher_is_told(tmp_path: Path) -> None:
    seen: list[int] = []

    def watch(progress: Progress) -> None:
        seen.append(progress.done)

    with catallaxy.run(*SMALL, runs=tmp_path, watch=watch) as record:
        assert len(record.episodes()) == 8
        assert set(record.seats()["seat"]) == {"alice", "bob"}
        assert set(record.turns()["kind"]) == {"move"}
        assert len(record.calls()) == len(record.turns())
        assert {"self_gain", "efficiency"} <= set(record.metrics()["name"])
        assert {"self_gain", "efficiency"} <= set(record.predictions()["name"])
        assert list(record.runs()["status"]) == ["finished"]
    assert seen[-1] == 8


def test_it_plays_where_a_loop_already_runs_as_in_a_notebook(tmp_path: Path) -> None:
    async def cell() -> int:
        with catallaxy.run(*SMALL, runs=tmp_path) as record:
            return len(record.episodes())

    assert asyncio.run(cell()) == 8


def test_two_runs_share_episode_ids_so_a_transcript_asks_for_the_run(tmp_path: Path) -> None:
    for seed in (1, 1):
        catallaxy.run(*SMALL, f"seed={seed}", runs=tmp_path).close()

    with catallaxy.open_runs(tmp_path) as both:
        episode, name = both.episodes()["episode"][0], both.runs()["run"][0]
        with pytest.raises(catallaxy.CatallaxyError, match="is in 2 runs"):
            both.transcript(episode)
        assert set(both.transcript(episode, name)["run"]) == {name}


def test_bad_input_raises_one_sentence_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(catallaxy.CatallaxyError, match="Did you mean 'scripted'"):
        catallaxy.run("experiment=glee_bargaining", "backend=scripte", runs=tmp_path)

    assert list(tmp_path.iterdir()) == []
