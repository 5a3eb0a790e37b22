"""Export followed by import is the identity on everything that GLEE's layout can hold."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catallaxy
from catallaxy.agents.base import Act, Ask
from catallaxy.games.glee.bargaining import Bargaining
from catallaxy.games.glee.bargaining_moves import Answer, OfferWithMessage
from catallaxy.games.glee.persuasion import Persuasion
from catallaxy.platform.errors import StoreError
from catallaxy.platform.exchange.glee_export import Exported, export_glee, game_id
from catallaxy.platform.exchange.glee_import import Wish, games_in, import_glee
from catallaxy.platform.exchange.glee_layout import find_games
from catallaxy.platform.launch import command
from catallaxy.platform.record import Engagement
from catallaxy.platform.store.reader import Reader
from tests.platform.sample_run import Broken, play, write
from tests.toys import SMALL

pytestmark = pytest.mark.slow

SCRIPTED = (
    "experiment=glee",
    "~agent@agent.model",
    "+agent@agent.greedy=greedy_glee",
    "+agent@agent.random=random_glee",
    "market.share=null",
    "market.per_seating={bargaining: 12, negotiation: 12, persuasion: 8}",
)
"""512 games of the three families, every pair of four rules that need no model."""

TALK = (
    "experiment=glee",
    "backend=scripted",
    "backend.error_rate=0.3",
    "table.tries=20",
    "market.share=null",
    "market.per_seating={bargaining: 4, negotiation: 4, persuasion: 2}",
    "~agent@agent.equilibrium",
)
"""Games of a chat agent, whose model is unreadable at times, with itself and with a rule."""

SOME_PERSUASION = {
    "p": 0.5,
    "v": 2,
    "product_price": 100,
    "seller_knows_values": "true",
    "message_type": "binary",
}
NOT_HELD = frozenset({"compat", "max_message_chars"})


_ENDS = """
SELECT move ->> 'decision', count(*) FROM turns
WHERE kind = 'move' AND move_type LIKE '%Answer' GROUP BY ALL
"""


class Round:
    """A run, the folder it was exported to, and the run that was imported from there."""

    def __init__(self, root: Path, design: tuple[str, ...], compat: str = "corrected") -> None:
        with catallaxy.run(*design, runs=root / "runs") as record:
            self.run = record.folders[0]
        self.games, self.back = root / "games", root / "back"
        self.exported: Exported = export_glee(self.run, self.games)
        wish = Wish(self.games, compat)  # ty: ignore[invalid-argument-type]  one of the two
        self.imported = import_glee(wish, games_in(self.games), self.back, "back")


def episodes(folder: Path, *, ours: bool) -> dict[str, dict[str, Any]]:
    """What a record says of every game, by the id that it has in the layout."""
    with Reader.open(folder) as reader:
        run = reader.runs[0].run
        found: dict[str, dict[str, Any]] = {}
        for episode, game, rules, seed, started, status in reader.sql(
            "SELECT episode, e.game, CAST(v.rules AS VARCHAR), seed, "
            "CAST(date_trunc('second', started) AS VARCHAR), status "
            "FROM episodes e JOIN variants v USING (variant)"
        ).rows:
            held = {k: v for k, v in json.loads(rules).items() if k not in NOT_HELD}
            found[episode] = {
                "game": game,
                "rules": held,
                "started": started,
                "status": status,
                "qualities": qualities(held, seed) if ours and game == "persuasion" else [],
                "turns": [],
                "seats": [],
                "metrics": {},
            }
        for episode, seat, move_type, move in reader.sql(
            "SELECT episode, seat, move_type, CAST(move AS VARCHAR) FROM turns "
            "WHERE kind = 'move' ORDER BY episode, seq"
        ).rows:
            if seat == "nature":
                found[episode]["qualities"].append(json.loads(move)["round_quality"])
            else:
                found[episode]["turns"].append((seat, move_type, json.loads(move)))
        for episode, *seated in reader.sql(
            "SELECT s.episode, s.seat, s.agent, a.model, s.payoff FROM seats s "
            "JOIN agents a USING (agent) ORDER BY s.episode, s.place"
        ).rows:
            found[episode]["seats"].append(seated)
        for episode, seat, name, value in reader.sql(
            "SELECT episode, seat, name, value FROM metrics"
        ).rows:
            found[episode]["metrics"][name, seat] = value
    return {game_id(run, episode): each for episode, each in found.items()}


def qualities(rules: Mapping[str, Any], seed: int) -> list[str]:
    """Nature's draws, as the file has them."""
    drawn = Persuasion(**rules).start(Random(seed)).qualities
    return [f"{quality}-quality" for quality in drawn]


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Round:
    return Round(tmp_path_factory.mktemp("scripted"), SCRIPTED)


@pytest.fixture(scope="module")
def talked(tmp_path_factory: pytest.TempPathFactory) -> Round:
    return Round(tmp_path_factory.mktemp("talked"), TALK)


def test_500_games_come_back_as_they_were(scripted: Round) -> None:
    before = episodes(scripted.run, ours=True)
    after = episodes(scripted.back, ours=False)

    assert len(before) == 512
    assert {each["game"] for each in before.values()} == {"bargaining", "negotiation", "persuasion"}
    assert set(after) == set(before)
    for game, each in before.items():
        assert after[game] == each


def test_500_games_agree_with_the_rules_by_which_they_were_played(scripted: Round) -> None:
    assert scripted.exported.written.total() == 512
    assert scripted.exported.skipped == scripted.exported.lost == {}
    assert scripted.exported.broken == {}
    assert scripted.imported.stored.total() == 512
    assert not scripted.imported.tally.games


def test_500_games_agree_with_glee_s_rules_too(scripted: Round, tmp_path: Path) -> None:
    done = import_glee(
        Wish(scripted.games), games_in(scripted.games), tmp_path / "official", "official"
    )

    assert done.stored.total() == 512
    assert not done.tally.games


def test_what_was_imported_is_exported_to_the_same_files(scripted: Round, tmp_path: Path) -> None:
    export_glee(scripted.back, tmp_path / "again")

    for folder in find_games(scripted.games).games:
        again = tmp_path / "again" / folder.relative_to(scripted.games)
        assert (again / "game.csv").read_bytes() == (folder / "game.csv").read_bytes()


def test_an_export_is_the_same_files_every_time(scripted: Round, tmp_path: Path) -> None:
    export_glee(scripted.run, tmp_path / "again")

    for folder in find_games(scripted.games).games:
        for file in folder.iterdir():
            again = tmp_path / "again" / file.relative_to(scripted.games)
            assert again.read_bytes() == file.read_bytes()


# Models.


def test_dialogues_come_back_with_their_prompts_and_every_answer(talked: Round) -> None:
    query = (
        "SELECT episode, seat, list(content ORDER BY seq, line) FROM transcript "
        "WHERE role = 'assistant' GROUP BY ALL"
    )
    with Reader.open(talked.run) as reader:
        run = reader.runs[0].run
        before = {(game_id(run, e), seat): said for e, seat, said in reader.sql(query).rows}
        refused = reader.sql("SELECT count(*) FROM turns WHERE kind = 'unreadable'").rows[0][0]
    with Reader.open(talked.back) as reader:
        after = {(game_id("back", e), seat): said for e, seat, said in reader.sql(query).rows}

    assert refused > 10
    assert after == before


def test_a_log_has_the_rules_in_its_first_prompt(talked: Round) -> None:
    for log in talked.games.rglob("log_player_1.csv"):
        with log.open(newline="") as file:
            first = next(csv.DictReader(file))
        assert "Alice" in first["prompt"]
        assert "Answer only with JSON" in first["prompt"]


def test_what_the_files_do_not_say_is_counted(talked: Round) -> None:
    (lost,) = talked.exported.lost

    assert lost == "which tries were refused, and why"


def test_a_model_and_its_agent_keep_their_names(talked: Round) -> None:
    with Reader.open(talked.back) as reader:
        agents = reader.sql("SELECT agent, model, kind FROM agents ORDER BY agent").rows

    assert agents == [("fair", "", "imported"), ("model", "scripted", "imported")]


# Texts.


@dataclass(frozen=True, slots=True)
class Says:
    """Offers half of 100 with a text of its own for every episode; takes any offer."""

    texts: Mapping[str, str]

    async def act(self, ask: Ask) -> Act:
        if ask.move_type is Answer:
            return Act(Answer("accept"))
        return Act(OfferWithMessage(50, 50, self.texts[ask.call.episode]))


@settings(max_examples=3, deadline=None)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=30, max_size=30))
def test_any_message_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    root = tmp_path_factory.mktemp("texts")
    texts += ["\0", '"', "None", "", "\r\n", "a,b", "x" * 5000]
    rules = Bargaining(pie=100, messages_allowed=True, max_message_chars=10_000)
    seats = {"alice": "says", "bob": "says"}
    planned = [
        Engagement(number, f"e{number}", "bargaining", "talking", rules, seats, 0, number)
        for number in range(len(texts))
    ]
    said = {each.id: text for each, text in zip(planned, texts, strict=True)}
    run = write(root / "run", planned, play(planned, {"says": Says(said)}))

    export_glee(run, root / "games")
    import_glee(Wish(root / "games"), games_in(root / "games"), root / "back", "back")

    with Reader.open(run) as reader:
        name = reader.runs[0].run
    before = {game_id(name, episode): text for episode, text in said.items()}
    with Reader.open(root / "back") as reader:
        found = reader.sql("SELECT episode, CAST(move AS VARCHAR) FROM turns WHERE seq = 0").rows
    assert {game_id("back", e): json.loads(move)["message"] for e, move in found} == before


# What the layout says in another way, or not at all.


def small_export(root: Path, *more: str) -> tuple[Exported, Path]:
    with catallaxy.run(*SMALL, *more, runs=root / "runs") as record:
        run = record.folders[0]
    return export_glee(run, root / "games"), root / "games"


FAIR = ("agent@agent.alice=fair_bargainer", "agent@agent.bob=fair_bargainer")


def test_a_claim_is_written_as_a_division(tmp_path: Path) -> None:
    done, games = small_export(tmp_path, *FAIR, "game.rules.offer_form=claim")

    assert done.lost == {"that offers were claims": 8}
    for file in games.rglob("game.csv"):
        assert file.read_text().splitlines()[1].startswith("50.0,50.0,")


def test_john_s_official_tokens_are_written_and_ours_are_read(tmp_path: Path) -> None:
    design = (
        "experiment=glee_negotiation",
        "backend=scripted",
        "compat.glee=official",
        "table.tries=20",
        "market.factors.seller_value=[1]",
        "market.factors.price_scale=[100]",
    )
    played = Round(tmp_path, design, "official")

    with Reader.open(played.run) as reader:
        before = dict(reader.sql(_ENDS).rows)
    with Reader.open(played.back) as reader:
        after = dict(reader.sql(_ENDS).rows)

    assert set(before) == {"AcceptOffer", "RejectOffer", "SellToJhon", "BuyFromJhon"}
    assert after == {
        "accept": before["AcceptOffer"],
        "reject": before["RejectOffer"],
        "sell_to_john": before["SellToJhon"],
        "buy_from_john": before["BuyFromJhon"],
    }
    assert not played.imported.tally.games


def test_a_horizon_that_is_told_otherwise_is_counted(tmp_path: Path) -> None:
    horizon = "market.factors.horizon=[{max_rounds: 6, horizon: hidden}]"

    done, _ = small_export(tmp_path, *FAIR, horizon)

    assert done.written.total() == 4
    assert done.lost == {"that the number of rounds was told otherwise than in GLEE": 4}


def test_games_by_the_competition_s_rules_have_no_place(tmp_path: Path) -> None:
    done, games = small_export(tmp_path, *FAIR, "compat.glee=competition")

    assert not games.exists()
    assert done.skipped == {"players may walk away (compat bargaining_walk_away)": 8}


def test_a_game_with_a_forfeit_has_no_place(tmp_path: Path) -> None:
    done, _ = small_export(tmp_path, "backend.error_rate=1", "table.tries=1")

    assert done.skipped == {"a player forfeited": 8}


def test_what_buyers_were_told_of_qualities_is_counted(tmp_path: Path) -> None:
    design = (
        "experiment=glee_persuasion",
        "agent@agent.alice=fair_persuader",
        "agent@agent.bob=fair_persuader",
        "compat.glee.quality_feedback=after_purchase",
        "game.rules.total_rounds=2",
        *(f"market.factors.{name}=[{level}]" for name, level in SOME_PERSUASION.items()),
    )

    done = Round(tmp_path, design).exported

    assert done.written.total() == 2
    assert done.lost == {"that buyers learned the quality after a purchase only": 2}


def few(root: Path) -> tuple[Path, str]:
    """A run of two sound episodes, one that failed, and one of another game; the first's id."""
    rules = Bargaining(pie=100, messages_allowed=True)
    agents = {"says": Says({"e0": "Hi", "e1": "Hi", "e3": "Hi"}), "broken": Broken()}
    planned = [
        Engagement(
            number,
            f"e{number}",
            "auction" if number == 3 else "bargaining",
            "talking",
            rules,
            {"alice": "broken" if number == 2 else "says", "bob": "says"},
            0,
        )
        for number in range(4)
    ]
    return write(root / "run", planned, play(planned, agents)), "e0"


def test_only_settled_games_of_glee_s_are_written(tmp_path: Path) -> None:
    run, _ = few(tmp_path)

    done = export_glee(run, tmp_path / "games")

    assert done.written == {"bargaining": 2}
    assert done.skipped == {"auction is none of GLEE's games": 1, "not settled but failed": 1}


def test_a_record_that_contradicts_its_rules_is_said_and_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, episode = few(tmp_path)
    with duckdb.connect(str(run / "store.duckdb")) as record:
        record.execute(
            'UPDATE record.turns SET move = \'{"decision": "maybe"}\' '
            "WHERE episode = ? AND move_type = 'Answer'",
            [episode],
        )

    code = command(["export", "glee", str(run), str(tmp_path / "games")])

    assert code == 1
    assert "e0 contradicts its rules" in capsys.readouterr().out
    assert len(find_games(tmp_path / "games").games) == 1


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    run, _ = few(tmp_path)
    (tmp_path / "games").write_text("in the way")

    with pytest.raises(StoreError, match="games cannot be written"):
        export_glee(run, tmp_path / "games")


def test_messages_that_look_like_numbers_become_floats_by_glee_s_switch(tmp_path: Path) -> None:
    reply = '{{"{\\"alice_gain\\": 50, \\"bob_gain\\": 50, \\"message\\": \\"1000\\"}"}}'
    talk = ("agent@agent.bob=fair_bargainer", f"backend.replies=['{reply}']")
    switch = "compat.glee.numeric_strings_to_float="

    small_export(tmp_path / "as_said", *talk, f"{switch}false")
    small_export(tmp_path / "as_glee", *talk, f"{switch}true")

    assert messages(tmp_path / "as_said") == {"None", "1000"}
    assert messages(tmp_path / "as_glee") == {"None", "1000.0"}


def messages(root: Path) -> set[str]:
    """Every message that stands in a file."""
    found = set()
    for file in root.rglob("game.csv"):
        with file.open(newline="") as lines:
            found |= {row["message"] for row in csv.DictReader(lines)}
    return found


# The command line.


def test_export_says_what_it_wrote_and_where(
    scripted: Round, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = command(["export", "glee", str(scripted.run), str(tmp_path / "games")])

    said = capsys.readouterr().out
    assert code == 0
    assert "192 games of bargaining written" in said
    assert "128 games of persuasion written" in said
