"""Imported games in a record: a new one or a finished run's; once; and with what disagrees."""

import shutil
from pathlib import Path

import duckdb
import pytest

import catallaxy
from catallaxy.platform.errors import ConfigError, StoreError
from catallaxy.platform.exchange.disagreements import Kind
from catallaxy.platform.exchange.glee_import import Imported, Wish, games_in, import_glee
from catallaxy.platform.experiment import experiment
from catallaxy.platform.launch import command
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.store.writer import Store
from catallaxy.platform.view.report import write_report
from tests.platform.glee_files import (
    BARGAINING_ARGS,
    BARGAINING_ROWS,
    GPT,
    GROK,
    bargaining,
    config,
    negotiation,
    persuasion,
    with_row,
    written,
)
from tests.toys import SMALL, small

pytestmark = pytest.mark.slow


@pytest.fixture
def games(tmp_path: Path) -> Path:
    """A sound game of each family between a person and a model."""
    root = tmp_path / "games"
    bargaining(root)
    negotiation(root)
    persuasion(root)
    return root


@pytest.fixture(scope="module")
def eight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of eight episodes."""
    runs = tmp_path_factory.mktemp("eight")
    with catallaxy.run(*SMALL, runs=runs) as record:
        return record.folders[0]


@pytest.fixture
def finished(eight: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(eight, tmp_path / "finished"))


def into(folder: Path, games: Path) -> Imported:
    return import_glee(Wish(games), games_in(games), folder, "imported")


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with Reader.open(folder) as reader:
        return reader.sql(query).rows


def broken(root: Path) -> Path:
    """A game in which Bob answers what nobody can."""
    return bargaining(root, with_row(BARGAINING_ROWS, 2, ",,None,Bob,1,maybe"))


# A new record.


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of seven games: one of each family with a person, three of models, a broken one."""
    root = tmp_path_factory.mktemp("published")
    games = root / "games"
    bargaining(games)
    negotiation(games)
    persuasion(games)
    args = {**BARGAINING_ARGS, "delta_1": 1, "delta_2": 1}
    settings = config("bargaining", args, (GPT, GROK), date="2024-05-06 07:08:09")
    for letter in "abc":
        written(games, "bargaining", settings, BARGAINING_ROWS, id_=letter * 16)
    broken(games / "more").rename(games / "more/feedfeedfeedfeed")
    into(root / "run", games)
    return root / "run"


def test_published_games_land_in_the_same_views_as_ours(published: Path) -> None:
    assert rows(
        published,
        "SELECT e.game, e.status, s.payoff FROM episodes e JOIN seats s USING (episode) "
        "WHERE s.seat = 'bob' AND s.agent = 'gemini-1.5-flash' ORDER BY e.game, e.status DESC",
    ) == [
        ("bargaining", "settled", pytest.approx(4400)),
        ("bargaining", "failed", None),
        ("negotiation", "settled", 1500),
        ("persuasion", "settled", 30000),
    ]


def test_rules_measures_and_predictions_are_columns(published: Path) -> None:
    ((pie, rounds, fairness, wording),) = rows(
        published,
        "SELECT e.pie, e.max_rounds, e.fairness, v.wording FROM episodes e "
        "JOIN variants v USING (variant) WHERE e.episode = 'bargaining-0a1b2c3d4e5f6a7b'",
    )
    predicted = rows(
        published,
        "SELECT value FROM predictions JOIN variants USING (variant) "
        "WHERE game = 'bargaining' AND name = 'alice_share' AND rules->>'delta_a' = '0.9'",
    )

    assert (pie, rounds, fairness) == (10000, 12, pytest.approx(0.99))
    assert wording == "imported"
    assert predicted == [(pytest.approx(0.614776, abs=1e-6),)]


def test_an_imported_game_is_known_by_its_family_and_its_id(published: Path) -> None:
    assert rows(published, "SELECT episode FROM engagements ORDER BY ordinal") == [
        ("bargaining-0a1b2c3d4e5f6a7b",),
        *(((f"bargaining-{letter * 16}"),) for letter in "abc"),
        ("bargaining-feedfeedfeedfeed",),
        ("negotiation-0a1b2c3d4e5f6a7b",),
        ("persuasion-0a1b2c3d4e5f6a7b",),
    ]


def test_a_date_is_when_a_game_was_played(published: Path) -> None:
    ((started,),) = rows(published, "SELECT started FROM episodes WHERE episode LIKE '%-aaaa%'")

    assert str(started) == "2024-05-06 07:08:09"


def test_games_of_one_cell_are_its_repetitions(published: Path) -> None:
    assert rows(
        published,
        "SELECT replicate FROM engagements WHERE map_contains_value(seats, 'gpt-4o') "
        "ORDER BY ordinal",
    ) == [(0,), (1,), (2,)]


def test_a_report_is_written_about_imported_games(published: Path, tmp_path: Path) -> None:
    page = write_report(published, tmp_path / "report.html").read_text()

    assert "human vs gemini-1.5-flash" in page


def test_a_disagreement_is_a_failed_episode_with_its_sentence(published: Path) -> None:
    assert rows(
        published, "SELECT episode, fault, error, turns FROM episodes WHERE status = 'failed'"
    ) == [
        (
            "bargaining-feedfeedfeedfeed",
            "import",
            "unknown decision: round 1: bob says 'maybe', not accept or reject",
            1,
        )
    ]


# Once.


def test_a_game_is_stored_once_however_often_it_is_imported(tmp_path: Path, games: Path) -> None:
    into(tmp_path / "run", games)

    again = into(tmp_path / "run", games)

    assert (again.stored.total(), again.known.total()) == (0, 3)
    assert rows(tmp_path / "run", "SELECT count(*) FROM episodes") == [(3,)]
    assert rows(tmp_path / "run", "SELECT status FROM runs") == [("finished",)]


def test_a_copy_is_the_same_game_and_another_one_under_its_id_is_said(tmp_path: Path) -> None:
    bargaining(tmp_path / "games/first")
    bargaining(tmp_path / "games/copy")
    bargaining(tmp_path / "games/other", max_rounds=99)

    done = into(tmp_path / "run", tmp_path / "games")

    assert (done.stored.total(), done.known.total()) == (1, 2)
    assert dict(done.tally.games) == {Kind.OTHER_CONTENT: 1}


# What disagrees.


def test_a_game_that_cannot_be_read_is_on_record_too(tmp_path: Path, games: Path) -> None:
    (games / "bargaining/0/a/1/0a1b2c3d4e5f6a7b/config.json").write_text("{")

    into(tmp_path / "run", games)

    ((status, error, agents),) = rows(
        tmp_path / "run",
        "SELECT e.status, e.error, list(s.agent) FROM episodes e JOIN seats s USING (episode) "
        "WHERE e.game = 'bargaining' GROUP BY ALL",
    )
    assert status == "failed"
    assert str(error).startswith("unreadable file: config.json")
    assert agents == ["unknown", "unknown"]


def test_disagreements_are_counted_by_kind_with_the_first_few(tmp_path: Path) -> None:
    for letter in "abcde":
        root = tmp_path / "games" / letter
        broken(root).rename(root / (letter * 16))

    done = into(tmp_path / "run", tmp_path / "games")

    assert dict(done.tally.games) == {Kind.UNKNOWN_DECISION: 5}
    assert [game for game, _ in done.tally.examples[Kind.UNKNOWN_DECISION]] == [
        "a/aaaaaaaaaaaaaaaa",
        "b/bbbbbbbbbbbbbbbb",
        "c/cccccccccccccccc",
    ]


# Into a run that is there.


def test_a_finished_run_takes_imported_games_after_its_own(finished: Path, games: Path) -> None:
    before = rows(finished, "SELECT * FROM ledger ORDER BY ordinal, agent")

    into(finished, games)

    assert rows(finished, "SELECT ordinal FROM engagements WHERE episode LIKE '%-0a1b%'") == [
        (8,), (9,), (10,),
    ]  # fmt: skip
    assert rows(finished, "SELECT * FROM ledger ORDER BY ordinal, agent") == before
    assert rows(finished, "SELECT status FROM runs") == [("finished",)]


def test_an_imported_agent_is_not_taken_for_an_agent_of_the_run(finished: Path) -> None:
    args = {**BARGAINING_ARGS, "delta_1": 1, "delta_2": 1}
    players = ({**GPT, "model_name": "openai/alice"}, GROK)
    games = finished.parent / "games"
    written(games, "bargaining", config("bargaining", args, players), BARGAINING_ROWS)

    into(finished, games)

    assert rows(finished, "SELECT agent, kind FROM agents ORDER BY agent") == [
        ("alice", "ChatAgent"),
        ("alice (imported)", "imported"),
        ("bob", "ChatAgent"),
        ("grok-2-1212", "imported"),
    ]


def test_a_run_with_imported_games_resumes_and_keeps_them(finished: Path, games: Path) -> None:
    broken(games / "more").rename(games / "more/feedfeedfeedfeed")
    into(finished, games)

    with catallaxy.resume(finished) as record:
        ledger, episodes = record.sql("SELECT * FROM ledger"), record.episodes()

    assert len(ledger) == 16
    assert list(episodes["status"]).count("settled") == 11
    assert list(episodes["status"]).count("failed") == 1


def test_a_run_that_goes_on_is_refused_in_one_sentence(finished: Path, games: Path) -> None:
    store = Store(finished)
    try:
        store.rotate()
        with pytest.raises((ConfigError, StoreError), match=r"goes on|in use"):
            into(finished, games)
    finally:
        store.close("finished")


def test_a_run_that_was_stopped_is_to_be_resumed_first(finished: Path, games: Path) -> None:
    Store(finished).close("stopped")

    with pytest.raises(ConfigError, match="is stopped; resume it"):
        into(finished, games)


def test_an_import_that_was_cut_off_goes_on(tmp_path: Path, games: Path) -> None:
    into(tmp_path / "run", games / "bargaining")
    Store(tmp_path / "run").close("failed")

    assert into(tmp_path / "run", games).stored.total() == 2
    assert rows(tmp_path / "run", "SELECT status FROM runs") == [("finished",)]


def test_a_game_that_was_only_planned_is_stored_in_its_place(tmp_path: Path, games: Path) -> None:
    into(tmp_path / "run", games)
    with duckdb.connect(str(tmp_path / "run/store.duckdb")) as record:
        for table in ("episodes", "seatings", "turns", "metrics"):
            record.execute(f"DELETE FROM record.{table} WHERE episode LIKE 'negotiation-%'")

    done = into(tmp_path / "run", games)

    assert done.stored == {"negotiation": 1}
    assert rows(tmp_path / "run", "SELECT ordinal, replicate FROM episodes ORDER BY 1") == [
        (0, 0), (1, 0), (2, 0),
    ]  # fmt: skip


# Nothing to import.


def test_a_folder_without_games_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no games"):
        games_in(tmp_path)
    with pytest.raises(ConfigError, match="is not a folder"):
        games_in(tmp_path / "nowhere")


# The command line.


def test_import_prints_a_table_and_says_where_the_record_is(
    tmp_path: Path, games: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    code = command(["import", "glee", str(games), "--to", "published"])

    said = capsys.readouterr().out
    assert code == 0
    assert "All 3 games agree with our rules" in said
    (store,) = tmp_path.glob("runs/*/*_published/store.duckdb")
    assert str(store.parent.relative_to(tmp_path)) in said


def test_import_to_the_same_name_finds_the_run_again(
    tmp_path: Path, games: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command(["import", "glee", str(games), "--to", "published"])
    broken(games / "more").rename(games / "more/feedfeedfeedfeed")

    code = command(["import", "glee", str(games), "--to", "published"])

    said = capsys.readouterr().out
    assert code == 1
    assert len(list(tmp_path.glob("runs/*/*"))) == 1
    assert "1 of 4 games disagree" in said
    assert "unknown decision: 1 game" in said


def test_a_run_can_be_any_folder_of_its_own(
    tmp_path: Path, games: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert command(["import", "glee", str(games), "--to", "runs/mine/first"]) == 0
    assert rows(tmp_path / "runs/mine/first", "SELECT run FROM runs") == [("mine/first",)]
    with pytest.raises(ConfigError, match="is no run"):
        command(["import", "glee", str(games), "--to", str(games)])
    with pytest.raises(ConfigError, match="--to: give a run"):
        command(["import", "glee", str(games), "--to", ""])


def test_an_imported_run_has_nothing_to_resume(
    tmp_path: Path, games: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command(["import", "glee", str(games), "--to", "published"])

    with pytest.raises(ConfigError, match="was imported, not played"):
        command(["resume", "published"])


def test_nothing_is_begun_for_a_folder_without_games(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError):
        command(["import", "glee", str(tmp_path), "--to", "published"])

    assert list(tmp_path.iterdir()) == []


def test_the_design_of_a_run_knows_nothing_of_imported_games(finished: Path, games: Path) -> None:
    into(finished, games)

    planned = {engagement.id for engagement in experiment(small()).design()}
    with Reader.open(finished) as reader:
        assert planned < set(reader.settled())
        assert reader.episodes_missing() == ()
