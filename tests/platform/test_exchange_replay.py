"""Every published game is played again by our rules; what does not fit is said, never swallowed."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from catallaxy.games.glee.compat import GleeCompat
from catallaxy.platform.exchange.disagreements import Kind
from catallaxy.platform.exchange.glee_replay import Replayed, replay
from catallaxy.platform.exchange.glee_terms import Terms
from tests.platform.glee_files import (
    BARGAINING_ARGS,
    BARGAINING_ROWS,
    GPT,
    GROK,
    NEGOTIATION_ARGS,
    NEGOTIATION_ROWS,
    PERSON,
    PERSUASION_ROWS,
    RIVAL,
    bargaining,
    config,
    negotiation,
    persuasion,
    with_row,
    written,
)

CONF = Path(__file__).parents[2] / "conf"
OFFICIAL, CORRECTED = Terms.of("official"), Terms.of("corrected")
HEAD = {
    "bargaining": BARGAINING_ROWS[0],
    "negotiation": NEGOTIATION_ROWS[0],
    "persuasion": PERSUASION_ROWS[0],
}
WRITERS = {"bargaining": bargaining, "negotiation": negotiation, "persuasion": persuasion}


def kinds(found: Replayed) -> list[Kind]:
    return [each.kind for each in found.disagreements]


def moves(found: Replayed) -> list[tuple[str, dict[str, Any]]]:
    return [(turn.seat, dict(turn.move or {})) for turn in found.turns]


# Games that fit.


def test_a_game_of_bargaining_has_our_moves_payoffs_and_measures(tmp_path: Path) -> None:
    found = replay(bargaining(tmp_path), OFFICIAL)

    assert found.sound
    assert moves(found) == [
        ("alice", {"alice_gain": 6000, "bob_gain": 4000}),
        ("bob", {"decision": "reject"}),
        ("bob", {"alice_gain": 4500, "bob_gain": 5500}),
        ("alice", {"decision": "accept"}),
    ]
    assert found.payoffs == pytest.approx({"alice": 4050, "bob": 4400})
    assert found.metrics["fairness"] == pytest.approx(0.99)


def test_a_game_of_negotiation_has_our_moves_payoffs_and_measures(tmp_path: Path) -> None:
    found = replay(negotiation(tmp_path), OFFICIAL)

    assert found.sound
    assert moves(found) == [
        ("alice", {"product_price": 11500}),
        ("bob", {"decision": "reject"}),
        ("bob", {"product_price": 10500}),
        ("alice", {"decision": "accept"}),
    ]
    assert found.payoffs == pytest.approx({"alice": 500, "bob": 1500})
    assert found.metrics["price"] == 1.05


def test_a_game_of_persuasion_has_the_file_s_qualities(tmp_path: Path) -> None:
    found = replay(persuasion(tmp_path), OFFICIAL)

    assert found.sound
    assert moves(found)[0] == (
        "nature", {"round_quality": "high-quality", "product_worth": 40000},
    )  # fmt: skip
    assert [turn.turn for turn in found.turns] == [0, 0, 1, 2, 2, 3]
    assert found.payoffs == {"alice": 10000, "bob": 30000}
    assert (found.metrics["efficiency"], found.metrics["fairness"]) == (1, 1)
    assert found.metrics["self_gain@bob"] == 1.5


def test_both_places_of_delta_lead_to_the_same_rules(tmp_path: Path) -> None:
    players = ({**PERSON, "delta": 0.9}, {**RIVAL, "delta": 0.8})
    old = written(
        tmp_path / "old",
        "bargaining",
        config("bargaining", BARGAINING_ARGS, players),
        BARGAINING_ROWS,
    )

    assert replay(old, OFFICIAL).rules == replay(bargaining(tmp_path), OFFICIAL).rules


def test_two_deltas_that_contradict_each_other_are_bad_parameters(tmp_path: Path) -> None:
    players = ({**PERSON, "delta": 0.9}, RIVAL)
    args = {**BARGAINING_ARGS, "delta_1": 0.8, "delta_2": 0.8}
    folder = written(tmp_path, "bargaining", config("bargaining", args, players), BARGAINING_ROWS)

    assert kinds(replay(folder, OFFICIAL)) == [Kind.BAD_PARAMETERS]


def test_rounds_are_told_up_to_20_as_in_glee(tmp_path: Path) -> None:
    told = replay(bargaining(tmp_path, max_rounds=20), OFFICIAL).rules
    hidden = replay(bargaining(tmp_path / "more", max_rounds=99), OFFICIAL).rules

    assert (told.horizon, told.rounds_told) == ("stated", 20)
    assert (hidden.horizon, hidden.rounds_told) == ("hidden", None)


@pytest.mark.parametrize("stored", [0.333333333, "1/3"])
def test_a_third_is_exactly_a_third(tmp_path: Path, stored: object) -> None:
    assert replay(persuasion(tmp_path, p=stored), OFFICIAL).rules.p == 1 / 3


def test_whole_numbers_may_be_written_as_floats(tmp_path: Path) -> None:
    assert replay(bargaining(tmp_path, max_rounds=12.0), OFFICIAL).rules.max_rounds == 12


@pytest.mark.parametrize(
    ("token", "seat", "ours"),
    [
        ("SellToJhon", "Alice", "sell_to_john"),
        ("DealWithJhon", "Alice", "sell_to_john"),
        ("BuyFromJhon", "Alice", "sell_to_john"),
        ("BuyFromJhon", "Bob", "buy_from_john"),
    ],
)
def test_any_token_for_john_ends_a_game_by_glee_s_validation(
    tmp_path: Path, token: str, seat: str, ours: str
) -> None:
    rows = NEGOTIATION_ROWS[:2] if seat == "Bob" else NEGOTIATION_ROWS[:4]
    number = 1 if seat == "Bob" else 2

    found = replay(negotiation(tmp_path, (*rows, f",,{seat},{number},{token}")), OFFICIAL)

    assert found.sound
    assert moves(found)[-1][1] == {"decision": ours}
    assert found.payoffs == {"alice": 0, "bob": 0}


def test_corrected_validation_takes_each_role_s_own_tokens_only(tmp_path: Path) -> None:
    rows = (*NEGOTIATION_ROWS[:2], ",,Bob,1,SellToJhon")

    assert kinds(replay(negotiation(tmp_path, rows), CORRECTED)) == [Kind.UNKNOWN_DECISION]


def test_amounts_out_of_bounds_are_legal_as_glee_played_and_illegal_as_we_do(
    tmp_path: Path,
) -> None:
    rows = (HEAD["bargaining"], "11000.0,-1000.0,None,Alice,1,None", ",,None,Bob,1,accept")
    folder = bargaining(tmp_path, rows)

    assert replay(folder, OFFICIAL).sound
    assert kinds(replay(folder, CORRECTED)) == [Kind.ILLEGAL_MOVE]


def test_a_number_that_was_a_message_is_kept_as_it_is_stored(tmp_path: Path) -> None:
    rows = (HEAD["bargaining"], "6000.0,4000.0,1000.0,Alice,1,None", ",,None,Bob,1,accept")

    found = replay(bargaining(tmp_path, rows, messages_allowed=True), OFFICIAL)

    assert moves(found)[0][1]["message"] == "1000.0"


def test_the_word_none_is_a_message_where_one_is_due(tmp_path: Path) -> None:
    rows = (HEAD["bargaining"], "6000.0,4000.0,None,Alice,1,None", ",,None,Bob,1,accept")

    found = replay(bargaining(tmp_path, rows, messages_allowed=True), OFFICIAL)

    assert moves(found)[0][1]["message"] == "None"


def test_messages_have_no_limit_in_glee_and_ours_in_our_rules(tmp_path: Path) -> None:
    said = "x" * 2001
    rows = (HEAD["bargaining"], f"6000.0,4000.0,{said},Alice,1,None", ",,None,Bob,1,accept")
    folder = bargaining(tmp_path, rows, messages_allowed=True)

    assert replay(folder, OFFICIAL).sound
    assert kinds(replay(folder, CORRECTED)) == [Kind.ILLEGAL_MOVE]


def test_sellers_and_buyers_of_persuasion_may_write(tmp_path: Path) -> None:
    rows = (
        HEAD["persuasion"],
        "high-quality,40000.0,Nature,1,,",
        ',,Alice,1,"Buy it, Bob.",',
        ",,Bob,1,Why not,yes",
    )
    changed = {"total_rounds": 1, "seller_message_type": "text", "allow_buyer_message": True}

    found = replay(persuasion(tmp_path, rows, **changed), OFFICIAL)

    assert moves(found)[1:] == [
        ("alice", {"message": "Buy it, Bob."}),
        ("bob", {"decision": "yes", "message": "Why not"}),
    ]


# Games that do not.

BARGAINING_FAULTS = [
    (1, "6000.0,4000.0,None,Bob,1,None", Kind.WRONG_PLAYER),
    (1, "6000.0,4000.0,None,Alice,2,None", Kind.WRONG_ROUND),
    (1, "6000.0,,None,Alice,1,None", Kind.BAD_ROW),
    (1, "6000.0,much,None,Alice,1,None", Kind.BAD_ROW),
    (1, "6000.0,4001.0,None,Alice,1,None", Kind.ILLEGAL_MOVE),
    (1, "nan,4000.0,None,Alice,1,None", Kind.ILLEGAL_MOVE),
    (1, "1e999,-1e999,None,Alice,1,None", Kind.ILLEGAL_MOVE),
    (1, "6000.0,4000.0,Hello,Alice,1,None", Kind.UNEXPECTED_MESSAGE),
    (1, "6000.0,4000.0,None,Alice,1,accept", Kind.WRONG_PLAYER),
    (2, ",,None,Bob,1,maybe", Kind.UNKNOWN_DECISION),
    (2, ",,None,Bob,1,None", Kind.UNKNOWN_DECISION),
    (2, ",,Hello,Bob,1,reject", Kind.UNEXPECTED_MESSAGE),
    (2, "1.0,2.0,None,Bob,1,None", Kind.WRONG_PLAYER),
    (2, ",,None,Bob,1,accept", Kind.AFTER_THE_END),
    (4, ",,None,Alice,2,reject", Kind.NOT_OVER),
    (1, "6000.0,4000.0,None,Nature,1,None", Kind.UNKNOWN_PLAYER),
]


@pytest.mark.parametrize(("number", "line", "kind"), BARGAINING_FAULTS)
def test_a_fault_in_bargaining_is_said(tmp_path: Path, number: int, line: str, kind: Kind) -> None:
    found = replay(bargaining(tmp_path, with_row(BARGAINING_ROWS, number, line)), OFFICIAL)

    assert kinds(found) == [kind]
    assert not found.sound
    assert found.payoffs == found.metrics == {}


PERSUASION_FAULTS = [
    (1, "high-quality,35000.0,Nature,1,,", Kind.WRONG_WORTH),
    (4, "low-quality,40000.0,Nature,2,,", Kind.WRONG_WORTH),
    (1, "medium-quality,40000.0,Nature,1,,", Kind.WRONG_QUALITY),
    (1, ",40000.0,Nature,1,,", Kind.WRONG_QUALITY),
    (4, "low-quality,0,Nature,1,,", Kind.WRONG_QUALITY),
    (2, ",,Alice,1,,perhaps", Kind.UNKNOWN_DECISION),
    (2, ",,Alice,1,Buy!,yes", Kind.UNEXPECTED_MESSAGE),
    (3, ",,Alice,1,,yes", Kind.WRONG_PLAYER),
    (6, ",,Bob,2,,", Kind.UNKNOWN_DECISION),
]


@pytest.mark.parametrize(("number", "line", "kind"), PERSUASION_FAULTS)
def test_a_fault_in_persuasion_is_said(tmp_path: Path, number: int, line: str, kind: Kind) -> None:
    found = replay(persuasion(tmp_path, with_row(PERSUASION_ROWS, number, line)), OFFICIAL)

    assert kinds(found) == [kind]


def test_a_round_without_a_quality_is_said(tmp_path: Path) -> None:
    rows = (*PERSUASION_ROWS[:4], *PERSUASION_ROWS[5:])

    assert kinds(replay(persuasion(tmp_path, rows), OFFICIAL)) == [Kind.WRONG_QUALITY]


def test_nature_that_draws_out_of_turn_is_said(tmp_path: Path) -> None:
    rows = (HEAD["persuasion"], PERSUASION_ROWS[2], PERSUASION_ROWS[1], *PERSUASION_ROWS[3:])

    assert kinds(replay(persuasion(tmp_path, rows), OFFICIAL)) == [Kind.WRONG_PLAYER]


def test_a_game_that_breaks_off_is_not_over(tmp_path: Path) -> None:
    for game, write in WRITERS.items():
        rows = {"bargaining": BARGAINING_ROWS, "negotiation": NEGOTIATION_ROWS}
        folder = write(tmp_path, rows.get(game, PERSUASION_ROWS)[:-1])

        assert kinds(replay(folder, OFFICIAL)) == [Kind.NOT_OVER]


def test_a_game_without_rows_is_not_over(tmp_path: Path) -> None:
    assert kinds(replay(negotiation(tmp_path, (HEAD["negotiation"],)), OFFICIAL)) == [Kind.NOT_OVER]


def test_what_glee_removes_as_corrupt_is_called_so(tmp_path: Path) -> None:
    talk = ("Mine.,11500.0,Alice,1,", "Mine!,11500.0,Alice,1,", ",,Bob,1,AcceptOffer")
    twice = (",11500.0,Alice,1,", ",,Bob,1,AcceptOffer", ",,Bob,1,AcceptOffer")
    models = config("negotiation", NEGOTIATION_ARGS, (GPT, GROK))

    talked = negotiation(tmp_path / "talk", (HEAD["negotiation"], *talk), messages_allowed=True)
    decided = written(tmp_path / "twice", "negotiation", models, (HEAD["negotiation"], *twice))
    by_people = negotiation(tmp_path / "people", (HEAD["negotiation"], *twice))

    assert kinds(replay(talked, OFFICIAL)) == [Kind.CORRUPT, Kind.WRONG_PLAYER]
    assert kinds(replay(decided, OFFICIAL)) == [Kind.CORRUPT, Kind.AFTER_THE_END]
    assert kinds(replay(by_people, OFFICIAL)) == [Kind.AFTER_THE_END]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"max_rounds": 0}, "max_rounds"),
        ({"max_rounds": "many"}, "max_rounds"),
        ({"delta_1": 1.5}, "delta_a"),
        ({"complete_information": "yes"}, "complete_information"),
    ],
)
def test_parameters_that_no_game_can_have_are_said(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    (found,) = replay(bargaining(tmp_path, **changed), OFFICIAL).disagreements

    assert found.kind is Kind.BAD_PARAMETERS
    assert said in found.text


def test_a_missing_parameter_is_said_by_glee_s_name(tmp_path: Path) -> None:
    settings = config("bargaining", BARGAINING_ARGS)

    (found,) = replay(
        written(tmp_path, "bargaining", settings, BARGAINING_ROWS), OFFICIAL
    ).disagreements

    assert found.text == "game_args lacks delta_1, delta_2"


def test_a_parameter_that_we_do_not_know_is_harmless(tmp_path: Path) -> None:
    found = replay(bargaining(tmp_path, mood="good"), OFFICIAL)

    assert kinds(found) == [Kind.UNKNOWN_PARAMETER]
    assert found.sound


def test_a_game_that_is_none_of_glee_s_is_unknown(tmp_path: Path) -> None:
    folder = written(tmp_path, "bargaining", config("poker", {}), BARGAINING_ROWS)

    found = replay(folder, OFFICIAL)

    assert kinds(found) == [Kind.UNKNOWN_GAME]
    assert found.game == "bargaining"


def test_a_game_without_a_readable_configuration_is_known_by_its_folder(tmp_path: Path) -> None:
    folder = persuasion(tmp_path)
    (folder / "config.json").write_text("{")

    found = replay(folder, OFFICIAL)

    assert (found.game, found.rules, kinds(found)) == ("persuasion", None, [Kind.UNREADABLE_FILE])


cells = st.sampled_from(
    ["", "None", "1", "0.0", "-5", "1e999", "nan", "Alice", "Bob", "Nature", "2"]
)
cells |= st.sampled_from(["accept", "AcceptOffer", "RejectOffer", "yes", "high-quality", '"', "x"])


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is written again and again."""
    return tmp_path_factory.mktemp("scratch")


@given(
    lines=st.lists(st.lists(cells, max_size=8).map(",".join), max_size=12),
    family=st.sampled_from(list(HEAD)),
)
def test_no_file_makes_a_replay_raise(scratch: Path, lines: list[str], family: str) -> None:
    folder = WRITERS[family](scratch, (HEAD[family], *lines))

    found = replay(folder, OFFICIAL)

    assert found.sound == (not found.disagreements)


# Dialogues.


def log(folder: Path, place: int, *exchanges: tuple[str, str]) -> None:
    lines = [",".join('"' + text.replace('"', '""') + '"' for text in each) for each in exchanges]
    name = f"log_player_{place}.csv"
    (folder / name).write_text("\r\n".join(("prompt,response", *lines, "")), newline="")


OFFER, ACCEPT = '{"alice_gain": 6000, "bob_gain": 4000}', '{"decision": "accept"}'


def test_a_log_with_an_answer_for_every_move_becomes_the_dialogue(tmp_path: Path) -> None:
    folder = bargaining(tmp_path)
    log(folder, 1, ("Offer something.", OFFER), ("Well?", "I take it."))

    found = replay(folder, OFFICIAL)

    assert [[(m.role, m.content) for m in turn.messages] for turn in found.turns] == [
        [("user", "Offer something."), ("assistant", OFFER)],
        [],
        [],
        [("user", "Well?"), ("assistant", "I take it.")],
    ]


def test_answers_that_were_asked_for_again_belong_to_the_move_they_led_to(tmp_path: Path) -> None:
    folder = bargaining(tmp_path)
    log(folder, 1, ("Offer.", "Hm."), ("Offer.", OFFER), ("Well?", "{"), ("Well?", ACCEPT))

    found = replay(folder, OFFICIAL)

    assert [len(turn.messages) for turn in found.turns] == [4, 0, 0, 4]


def test_a_log_that_fits_no_moves_is_set_aside_and_said(tmp_path: Path) -> None:
    folder = bargaining(tmp_path)
    log(folder, 1, ("Offer.", OFFER))

    found = replay(folder, OFFICIAL)

    assert kinds(found) == [Kind.LOG_ASIDE]
    assert found.sound
    assert not any(turn.messages for turn in found.turns)


def test_an_unreadable_log_is_set_aside_and_said(tmp_path: Path) -> None:
    folder = bargaining(tmp_path)
    (folder / "log_player_2.csv").write_bytes(b"\xff")

    assert kinds(replay(folder, OFFICIAL)) == [Kind.LOG_ASIDE]


# Terms.


def test_official_terms_are_the_preset_s_rules_with_the_paper_s_measures() -> None:
    preset = yaml.safe_load((CONF / "compat/glee/official.yaml").read_text())
    ours = {
        "metrics", "bargaining_no_deal", "negotiation_efficiency", "persuasion_buyer_gain",
        "john_tokens", "numeric_strings_to_float", "http_decision", "inference",
    }  # fmt: skip
    for field in fields(GleeCompat):
        expected = getattr(GleeCompat(), field.name) if field.name in ours else preset[field.name]
        assert getattr(OFFICIAL.compat, field.name) == expected, field.name


def test_corrected_terms_are_our_defaults() -> None:
    assert CORRECTED.compat == GleeCompat()
