"""What the terminal shows: summary, list of runs, dialogues."""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from catallaxy.platform.errors import ConfigError, StoreError
from catallaxy.platform.market.marketplace import Progress, RunStatus
from catallaxy.platform.record import Call
from catallaxy.platform.store.rows import Run
from catallaxy.platform.store.writer import Store
from catallaxy.platform.view.dialogue import print_dialogue
from catallaxy.platform.view.listing import print_runs
from catallaxy.platform.view.summary import print_summary
from catallaxy.platform.view.visible import clipped, one_line, visible
from tests.platform.sample_run import STARTED, engagements, hostile, play, players, sample, write

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Ended:
    folder: Path
    status: RunStatus
    progress: Progress


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("runs") / "sample")


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile(tmp_path_factory.mktemp("runs") / "hostile")


def summary(folder: Path, status: RunStatus, why_stopped: str | None = None) -> tuple[int, str]:
    out = io.StringIO()
    ended = Ended(folder, status, Progress(why_stopped=why_stopped))
    code = print_summary(ended, Console(file=out))
    return code, out.getvalue()


def small(folder: Path) -> Path:
    calls: list[Call] = []
    planned = engagements([("equilibrium", "fair")])
    return write(folder, planned, play(planned, players(calls)))


def test_a_finished_run_exits_0_and_says_how_to_go_on(tmp_path: Path):
    code, text = summary(small(tmp_path / "run"), RunStatus.FINISHED)
    assert code == 0
    assert "Finished: 6 of 6 episodes" in text
    assert "catallaxy report" in text
    assert "resume" not in text


def test_failed_episodes_exit_1_and_are_explained(recorded: Path):
    code, text = summary(recorded, RunStatus.FINISHED)
    assert code == 1
    assert "1 failed (backend), the first 000005" in text
    assert "connection refused" in text
    assert "catallaxy resume" in text


def test_a_run_stopped_by_hand_exits_130_and_by_a_budget_3(recorded: Path):
    by_hand = summary(recorded, RunStatus.STOPPED, why_stopped="stopped by hand")
    spent = summary(recorded, RunStatus.STOPPED, why_stopped="budget.calls=10 is spent")
    assert (by_hand[0], spent[0]) == (130, 3)
    assert "Stopped (by hand)" in by_hand[1]
    assert "Stopped (budget.calls=10 is spent)" in spent[1]


def test_the_summary_counts_forfeits_and_missing_agreements(recorded: Path):
    _, text = summary(recorded, RunStatus.FINISHED)
    assert "43 ended without agreement" in text
    assert "had a forfeit" in text
    assert "theory" in text


def test_the_tables_fit_100_columns(recorded: Path):
    _, text = summary(recorded, RunStatus.FINISHED)
    findings = text[: text.index("Of 143 settled")]
    assert max(map(len, findings.splitlines())) <= 100


def test_the_list_shows_ended_live_and_broken_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    small(tmp_path / "2026-01-01" / "ended")
    broken = tmp_path / "2026-01-02" / "broken"
    broken.mkdir(parents=True)
    (broken / "store.duckdb").write_bytes(b"no database" * 1000)
    planned = engagements([("equilibrium", "fair")])
    (tmp_path / "2026-01-03").mkdir()
    live = Store(tmp_path / "2026-01-03" / "live")
    try:
        live.begin(Run("live", "live", 1, started=STARTED))
        live.plan(planned)
        live.rotate()
        assert print_runs(tmp_path) == 0
    finally:
        live.close("stopped")
    ended_line, broken_line, live_line = capsys.readouterr().out.splitlines()[1:]
    assert "finished" in ended_line
    assert "6/6" in ended_line
    assert "unreadable" in broken_line
    assert "running" in live_line
    assert "0/6" in live_line


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path):
    with pytest.raises(StoreError, match="is not a folder"):
        print_runs(tmp_path / "nowhere")


@pytest.mark.parametrize("asked", ["0", "000000", "000000-"])
def test_an_episode_is_found_by_number_or_beginning(
    recorded: Path, asked: str, capsys: pytest.CaptureFixture[str]
):
    print_dialogue(recorded, asked, private=False)
    assert "Episode 0 · 000000-" in capsys.readouterr().out


def test_an_unknown_or_ambiguous_episode_is_said_so(recorded: Path):
    with pytest.raises(ConfigError, match="no episode 'x'"):
        print_dialogue(recorded, "x", private=False)
    with pytest.raises(ConfigError, match="could be 100 episodes"):
        print_dialogue(recorded, "0000", private=False)


def test_without_an_episode_all_are_listed(recorded: Path, capsys: pytest.CaptureFixture[str]):
    print_dialogue(recorded, None, private=False)
    out = capsys.readouterr().out
    assert "failed: BackendFailed" in out
    assert "alice 409.9, bob 590.1" in out


def test_prompts_and_reasoning_are_shown_on_request_only(
    recorded: Path, capsys: pytest.CaptureFixture[str]
):
    print_dialogue(recorded, "0", private=False)
    public = capsys.readouterr().out
    print_dialogue(recorded, "0", private=True)
    private = capsys.readouterr().out
    assert "You are Alice." not in public
    assert "You are Alice." in private
    assert "[private reasoning]" in private


def test_nothing_that_a_model_writes_acts_on_the_terminal(
    evil: Path, capsys: pytest.CaptureFixture[str]
):
    for private in (False, True):
        print_dialogue(evil, "0", private=private)
        out = capsys.readouterr().out
        assert not {"\x1b", "\x00", "\u202e"} & set(out)
        assert r"\x1b[31mred" in out
        assert "[bold]markup[/bold]" in out


def test_a_huge_reply_is_cut_in_public(evil: Path, capsys: pytest.CaptureFixture[str]):
    print_dialogue(evil, "1", private=False)
    out = capsys.readouterr().out
    assert len(out) < 5000
    assert "[10,000,000 characters; the first 300 are shown]" in " ".join(out.split())


def test_text_is_made_visible_and_stays_readable():
    assert visible("a\tb\nc\x07\x85\ud800") == "a\tb\nc\\x07\\x85\\ud800"
    assert visible("naïve – 你好 👩\u200d🔬\r\n") == "naïve – 你好 👩\u200d🔬\n"
    assert one_line("a\n\n b\x1b", 4) == "a b…"
    assert clipped("abc", 2) == "ab… [3 characters; the first 2 are shown]"
