"""The public interface: run, resume, open, from a script and from a running loop."""

import asyncio
from pathlib import Path

import pytest

import catallaxy
from catallaxy.platform.market.marketplace import Progress
from tests.toys import GRID, SMALL, played_in

pytestmark = pytest.mark.slow


@pytest.mark.slow
def test_a_run_that_was_stopped_is_resumed_to_the_same_end(tmp_path: Path) -> None:
    slow = (*SMALL, "market.replicates=5", "backend.latency_s=0.02", "cluster.in_flight=2")
    with catallaxy.run(*slow, runs=tmp_path / "whole") as whole:
        (reference,) = whole.folders
    with catallaxy.run(*slow, "budget.calls=30", runs=tmp_path / "part") as part:
        (folder,) = part.folders
        assert 0 < len(part.episodes()) < 40

    for _ in range(20):
        with catallaxy.resume(folder) as resumed:
            episodes, status = resumed.episodes(), resumed.runs()["status"][0]
        if status == "finished":  # the last episode may be on record before the ledger has it
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


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 144 episodes among three scripted players."""
    with catallaxy.run(*GRID, runs=tmp_path_factory.mktemp("grid")) as record:
        return record.folders[0]


def test_the_frame_of_a_game_has_its_players_and_measures_by_seat(grid: Path) -> None:
    with catallaxy.open_runs(grid) as record:
        frame = record.frame("bargaining")
        gains = record.seats().groupby("seat")["self_gain"].mean()

    assert len(frame) == 144
    assert set(frame["alice"]) == set(frame["agent_bob"]) == {"concession", "equilibrium", "fair"}
    for seat in ("alice", "bob"):
        assert frame[f"self_gain_{seat}"].mean() == pytest.approx(gains[seat])


@pytest.mark.slow
def test_effects_are_a_frame_with_the_reference_levels_that_were_asked_for(grid: Path) -> None:
    with catallaxy.open_runs(grid) as record:
        every = record.effects("bargaining")
        fairness = record.effects("bargaining", "fairness")
        other = record.effects("bargaining", "fairness", reference={"alice": "fair"})

    assert set(every["metric"]) == {"fairness", "efficiency", "self_gain_alice", "self_gain_bob"}
    assert set(fairness["metric"]) == {"fairness"}
    known = fairness.set_index(["factor", "level"])["estimate"]
    again = other.set_index(["factor", "level"])["estimate"]
    assert again["alice", "concession"] == pytest.approx(
        known["alice", "concession"] - known["alice", "fair"]
    )
    assert fairness.attrs["n"] == 144
    assert "pie is always '100' and was left out." in fairness.attrs["notes"]


@pytest.mark.slow
def test_the_method_and_the_correction_can_be_chosen(grid: Path) -> None:
    with catallaxy.open_runs(grid) as record:
        robust = record.effects("bargaining", "efficiency")
        classical = record.effects("bargaining", "efficiency", method="classical")
        bootstrap = record.effects("bargaining", "efficiency", method="bootstrap")
        raw = record.effects("bargaining", "efficiency", correction="none")

    for other in (classical, bootstrap, raw):
        assert other["estimate"].tolist() == pytest.approx(robust["estimate"].tolist())
    known = robust["p"].notna()
    assert (robust["p_adjusted"] >= robust["p"])[known].all()
    assert raw["p_adjusted"][known].tolist() == raw["p"][known].tolist()
    assert classical["p_adjusted"][known].tolist() == classical["p"][known].tolist()
    assert not (bootstrap["low"] - robust["low"])[known].abs().lt(1e-9).all()


@pytest.mark.slow
def test_pairs_meta_game_paper_regret_and_percentiles_are_there(grid: Path) -> None:
    with catallaxy.open_runs(grid) as record:
        pairs = record.pairs("bargaining", "efficiency")
        game = record.metagame("bargaining")
        signs = record.compare_with_paper("bargaining")
        regret = record.regret()
        ranking = record.percentiles("bargaining")

    assert len(pairs) == game.alice_gains.size == 9
    assert (pairs["n"] * pairs["estimate"]).sum() == pytest.approx(0)
    assert game.equilibria
    assert set(signs) == {"efficiency", "fairness"}
    assert signs["fairness"].compared <= len(signs["fairness"].pairs) == 28
    assert len(regret) == 18
    assert (regret["regret"] > -0.01).all()
    assert ranking["percentile"].is_monotonic_decreasing
    assert ranking.attrs["alone"] == 0


@pytest.mark.slow
def test_what_statistics_cannot_say_is_one_sentence(grid: Path) -> None:
    with catallaxy.open_runs(grid) as record:
        for ask, why in (
            (lambda: record.frame("tax"), "the record has those of: bargaining"),
            (lambda: record.effects("tax"), "not for 'tax'"),
            (lambda: record.effects("persuasion"), "no settled episode of 'persuasion'"),
            (lambda: record.effects("bargaining", "happiness"), "must be one of fairness"),
            (lambda: record.effects("bargaining", reference={"alice": "me"}), "not 'me'"),
            (lambda: record.effects("bargaining", reference={"delta": 1}), "not 'delta'"),
            (lambda: record.pairs("bargaining", "happiness"), "must be one of fairness"),
        ):
            with pytest.raises(catallaxy.CatallaxyError, match=why):
                ask()
