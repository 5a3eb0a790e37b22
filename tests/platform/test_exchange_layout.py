"""GLEE's folders as typed values: every quirk of the files, and exact copies."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallaxy.platform.exchange.disagreements import Disagrees, Kind
from catallaxy.platform.exchange.glee_layout import (
    Config,
    GleeGame,
    Player,
    Row,
    Said,
    find_games,
    read_config,
    read_log,
    read_rows,
)
from catallaxy.platform.exchange.glee_writing import game_folder, write_game
from tests.platform.glee_files import (
    BARGAINING_ARGS,
    BARGAINING_ROWS,
    GPT,
    GROK,
    PERSON,
    RIVAL,
    bargaining,
    config,
    folder_of,
    negotiation,
    persuasion,
    written,
)

COLUMNS = ("message", "product_price", "player", "round", "decision")
MODELS = (
    Player("litellm", "openai/gpt-4o", "Alice", "haiku"),
    Player("catallaxy", "fair", "Bob", "fair"),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def rows_of(folder: Path) -> tuple[Row, ...]:
    return read_rows(folder, read_config(folder))


def refused(folder: Path) -> Disagrees:
    with pytest.raises(Disagrees) as caught:
        rows_of(folder)
    return caught.value


def game(*rows: Row, id_: str = "ABCDEFGHIJKLMNOP", **logs: tuple[Said, ...]) -> GleeGame:
    settings = Config("negotiation", (MODELS[0], MODELS[1]), {"max_rounds": 1})
    return GleeGame(id_, settings, rows, (logs.get("alice"), logs.get("bob")))


# Finding.


def test_games_are_found_at_any_depth_and_in_a_fixed_order(tmp_path: Path) -> None:
    bargaining(tmp_path / "Data/default")
    negotiation(tmp_path / "Data/default")
    persuasion(tmp_path)

    found = find_games(tmp_path)

    assert [path.parts[-5] for path in found.games] == ["bargaining", "negotiation", "persuasion"]
    assert find_games(tmp_path / "persuasion").games == (found.games[2],)


def test_unfinished_games_are_counted_and_left_out(tmp_path: Path) -> None:
    done = bargaining(tmp_path)
    (done / ".partial").mkdir()
    (done.parent / "0a1b2c3d4e5f0000/.partial").mkdir(parents=True)
    (done.parent / "0a1b2c3d4e5f0000/.partial/config.json").write_text("{}")

    found = find_games(tmp_path)

    assert found.games == (done,)
    assert found.partial == 1


def test_a_game_that_lacks_its_configuration_is_a_game_all_the_same(tmp_path: Path) -> None:
    folder = bargaining(tmp_path)
    (folder / "config.json").unlink()

    assert find_games(tmp_path).games == (folder,)


# Reading.


def test_the_place_of_a_delta_is_the_player_s_or_the_game_s(tmp_path: Path) -> None:
    players = ({**PERSON, "delta": 0.9}, {**RIVAL, "delta": 0.95})
    old = config("bargaining", BARGAINING_ARGS, players)
    folder = written(tmp_path, "bargaining", old, BARGAINING_ROWS)

    assert [player.delta for player in read_config(folder).players] == [0.9, 0.95]


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_lines_end_as_they_like(tmp_path: Path, end: str) -> None:
    settings = config("bargaining", {**BARGAINING_ARGS, "delta_1": 1, "delta_2": 1})
    folder = written(tmp_path, "bargaining", settings, BARGAINING_ROWS, end=end)

    assert [(row.seat, row.round) for row in rows_of(folder)] == [
        ("alice", 1), ("bob", 1), ("bob", 2), ("alice", 2),
    ]  # fmt: skip


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    folder = bargaining(tmp_path)
    for name in ("config.json", "game.csv"):
        (folder / name).write_bytes(b"\xef\xbb\xbf" + (folder / name).read_bytes())

    assert read_config(folder).game == "bargaining"
    assert rows_of(folder)[0].number("alice_gain") == 6000


def test_columns_are_read_by_name(tmp_path: Path) -> None:
    lines = ("decision,round,player,message,bob_gain,alice_gain", "None,1,Alice,None,4000.0,6000.0")

    (row,) = rows_of(bargaining(tmp_path, lines))

    assert (row.number("alice_gain"), row.number("bob_gain")) == (6000, 4000)
    assert (row.said("message"), row.said("decision")) == (None, None)


def test_a_price_may_have_a_dollar_sign_and_digit_groups(tmp_path: Path) -> None:
    lines = ("message,product_price,player,round,decision", ',"$1,250.5",Alice,1,')

    (row,) = rows_of(negotiation(tmp_path, lines))

    assert row.number("product_price") == 1250.5


def test_a_worth_may_be_printed_in_several_ways(tmp_path: Path) -> None:
    head = "round_quality,product_worth,player,round,message,decision"
    lines = (head, "low-quality,0,Nature,1,,", "low-quality,0.0,Nature,2,,", "x,40000.0,Nature,3,,")

    assert [row.number("product_worth") for row in rows_of(persuasion(tmp_path, lines))] == [
        0, 0, 40000,
    ]  # fmt: skip


def test_players_are_known_by_their_public_names_and_by_alice_and_bob(tmp_path: Path) -> None:
    players = ({**GPT, "public_name": "Deep Blue"}, {**GROK, "public_name": "Bob"})
    settings = config("bargaining", {**BARGAINING_ARGS, "delta_1": 1, "delta_2": 1}, players)
    lines = (
        "deep_blue_gain,bob_gain,message,player,round,decision",
        "6000.0,4000.0,None,Deep Blue,1,None",
        ",,None,Bob,1,accept",
    )

    rows = rows_of(written(tmp_path, "bargaining", settings, lines))

    assert [row.seat for row in rows] == ["alice", "bob"]
    assert rows[0].number("alice_gain") == 6000


def test_a_date_is_seconds_and_what_is_no_date_is_none(tmp_path: Path) -> None:
    dated = config("bargaining", {}, date="2024-05-06 07:08:09")
    undated = config("bargaining", {}, date="yesterday")

    assert read_config(written(tmp_path, "bargaining", dated, ())).date == 1714979289
    assert read_config(written(tmp_path, "bargaining", undated, (), id_="f" * 16)).date is None


# What cannot be read.


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b"", b'{"game_args": ' * 99999])
def test_a_corrupt_configuration_is_an_unreadable_file(tmp_path: Path, content: bytes) -> None:
    folder = bargaining(tmp_path)
    (folder / "config.json").write_bytes(content)

    with pytest.raises(Disagrees) as caught:
        read_config(folder)

    assert caught.value.disagreement.kind is Kind.UNREADABLE_FILE


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    folder = bargaining(tmp_path)
    (folder / "game.csv").unlink()

    assert str(refused(folder).disagreement) == "missing file: game.csv"


def test_a_csv_that_stops_inside_quotes_is_an_unreadable_file(tmp_path: Path) -> None:
    lines = ("message,product_price,player,round,decision", '"so I thou')

    assert refused(negotiation(tmp_path, lines)).disagreement.kind is Kind.UNREADABLE_FILE


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (",1.0,Alice,1,,,", Kind.BAD_ROW),
        (",1.0,Alice,one,", Kind.BAD_ROW),
        (",1.0,Alice,1.5,", Kind.BAD_ROW),
        (",1.0,Alice,inf,", Kind.BAD_ROW),
        (",1.0,Carol,1,", Kind.UNKNOWN_PLAYER),
        (",1.0", Kind.UNKNOWN_PLAYER),
    ],
)
def test_a_row_that_is_none_is_refused(tmp_path: Path, line: str, kind: Kind) -> None:
    lines = ("message,product_price,player,round,decision", line)

    assert refused(negotiation(tmp_path, lines)).disagreement.kind is kind


def test_a_game_without_a_log_has_none(tmp_path: Path) -> None:
    assert read_log(bargaining(tmp_path), 0) is None


# Writing.


def test_a_game_lies_in_folders_by_its_family_and_its_first_three_letters(tmp_path: Path) -> None:
    folder = write_game(tmp_path, game(), COLUMNS, blank="", blank_in=())

    assert folder == game_folder(tmp_path, game())
    assert folder == folder_of(tmp_path, "negotiation", "ABCDEFGHIJKLMNOP")


def test_files_end_their_lines_as_glee_s_do(tmp_path: Path) -> None:
    folder = write_game(tmp_path, game(Row("bob", 1, {})), COLUMNS, blank="", blank_in=())

    assert (folder / "game.csv").read_bytes() == (
        b"message,product_price,player,round,decision\r\n,,Bob,1,\r\n"
    )
    assert b"\r\n" in (folder / "config.json").read_bytes()


def test_the_word_none_stands_in_empty_cells_where_it_is_asked_for(tmp_path: Path) -> None:
    offer = Row("alice", 1, {"product_price": "1.0"})
    folder = write_game(tmp_path, game(offer), COLUMNS, blank="None", blank_in=("decision",))

    assert (folder / "game.csv").read_text().splitlines()[1] == ",1.0,Alice,1,None"


def test_a_configuration_is_written_as_it_is_read(tmp_path: Path) -> None:
    settings = Config(
        "negotiation", (MODELS[0], MODELS[1]), {"max_rounds": 1}, "catallaxy", 1714979289.0, "abc"
    )
    written_game = GleeGame("ABCDEFGHIJKLMNOP", settings, ())

    folder = write_game(tmp_path, written_game, COLUMNS, blank="", blank_in=())

    assert read_config(folder) == settings
    assert list(json.loads((folder / "config.json").read_text()))[:2] == [
        "player_1_type",
        "player_1_args",
    ]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is written again and again."""
    return tmp_path_factory.mktemp("scratch")


@given(message=texts, prompt=texts, response=texts)
def test_any_text_is_read_as_it_was_written(
    scratch: Path, message: str, prompt: str, response: str
) -> None:
    row = Row("alice", 1, {"message": message, "product_price": "1.0"})
    original = game(row, alice=(Said(prompt, response),))

    folder = write_game(scratch, original, COLUMNS, blank="", blank_in=())

    (back,) = rows_of(folder)
    assert back.cells["message"] == message
    assert read_log(folder, 0) == original.logs[0]


@pytest.mark.parametrize(
    "text", ['"', '""', "a,b", "\r\n", "\r", "\n", "\0", "None", "ß😀", "x" * 200_000]
)
def test_texts_that_a_csv_file_could_stumble_over_are_exact(tmp_path: Path, text: str) -> None:
    row = Row("alice", 1, {"message": text})

    folder = write_game(
        tmp_path, game(row, bob=(Said(text, text),)), COLUMNS, blank="", blank_in=()
    )

    assert rows_of(folder)[0].cells["message"] == text
    assert read_log(folder, 1) == (Said(text, text),)
