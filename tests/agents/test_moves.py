"""From what a model wrote to a move: what is forgiven, what is not, and in which words."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any, ClassVar, Literal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallaxy.agents.moves import MISSING, MUST_BE, plain, read, schema, shape
from catallaxy.games.base import Remark


@dataclass(frozen=True, slots=True)
class Split:
    mine: float
    yours: float


@dataclass(frozen=True, slots=True)
class Note:
    amount: float
    message: str


@dataclass(frozen=True, slots=True)
class Choice:
    decision: Literal["accept", "reject"]


def trouble(text: str, move_type: type[Any], **how: Any) -> str:
    with pytest.raises(ValueError) as caught:
        read(text, move_type, **how)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        '{"mine": 6000, "yours": 4000}',
        '  {"mine": 6000.0, "yours": 4e3}\n',
        'Here you are:\n```json\n{"mine": 6000, "yours": 4000}\n```\nDeal?',
        'I keep {most of it}. {"mine": 6000, "yours": 4000}',
        '{"mine": 6,000, "yours": 4,000}',
        '{"mine": $6,000, "yours": $4,000}',
        '{"mine": "$6,000", "yours": "4000"}',
        '{"mine": "6,000.00", "yours": " 4000 "}',
        '{"mine": 6000, "yours": 4000, "comment": "extra keys do no harm"}',
        '{"mine": 6000, "yours": 4000} or rather {"mine": 1, "yours": 9999}',
    ],
)
def test_numbers_are_read_as_people_and_models_write_them(text: str) -> None:
    assert read(text, Split).move == Split(6000, 4000)


def test_large_amounts_may_have_several_digit_groups() -> None:
    assert read('{"mine": 1,234,567.5, "yours": 0}', Split).move == Split(1_234_567.5, 0)


def test_braces_quotes_and_digit_groups_inside_a_message_stay_as_they_are() -> None:
    said = 'a } brace, a { brace, \\"$1,000\\" and a \\\\'

    found = read(f'Well: {{"amount": 1,000, "message": "{said}"}} so.', Note).move

    assert found == Note(1000, 'a } brace, a { brace, "$1,000" and a \\')


def test_a_message_that_looks_like_a_number_stays_a_string() -> None:
    assert read('{"amount": 1, "message": "1000"}', Note).move == Note(1, "1000")


def test_a_number_in_place_of_a_message_is_no_message() -> None:
    said = trouble('{"amount": 1, "message": 1000}', Note)

    assert said == '"message" must be "<text>", not \'1000\'.'


@pytest.mark.parametrize("word", ["accept", "Accept", "ACCEPT", " accept "])
def test_a_choice_is_read_in_any_case(word: str) -> None:
    assert read(f'{{"decision": "{word}"}}', Choice).move == Choice("accept")


def test_a_word_that_is_no_choice_is_named_with_what_is_allowed() -> None:
    said = trouble('{"decision": "maybe"}', Choice)

    assert said == '"decision" must be "accept" or "reject", not \'maybe\'.'


def test_a_missing_value_is_named_with_what_is_expected() -> None:
    assert trouble('{"mine": 1}', Split) == '"yours" is missing (expected: <number>).'
    assert "is missing" in trouble("{}", Choice)


@pytest.mark.parametrize("value", ["lots", "", "1 or 2", "0x10"])
def test_a_word_in_place_of_a_number_is_named(value: str) -> None:
    assert '"mine" must be <number>' in trouble(f'{{"mine": "{value}", "yours": 1}}', Split)


@pytest.mark.parametrize(
    "text", ['{"mine": 6000, "you', '```json\n{"mine": 6000,\n"yours": 4000', "{", "{{}"]
)
def test_json_that_was_cut_off_is_called_so(text: str) -> None:
    assert "cut off" in trouble(text, Split)


@pytest.mark.parametrize("text", ["", "   ", "I accept.", "[1, 2]", "null", "}", "\0"])
def test_a_text_without_an_object_is_called_so(text: str) -> None:
    assert trouble(text, Choice) == "There was no JSON object in your answer."


@pytest.mark.parametrize("text", ["{decision: accept}", '{"decision": }', "{'decision': 'accept'}"])
def test_what_is_not_json_is_called_so(text: str) -> None:
    assert trouble(text, Choice) == "What stands between the braces is not valid JSON."


def test_not_a_number_is_left_to_the_rules() -> None:
    found = read('{"mine": "nan", "yours": "inf"}', Split).move

    assert isnan(found.mine)
    assert found.yours == float("inf")
    assert "not valid JSON" in trouble('{"mine": NaN, "yours": 1}', Split)


def test_an_escaped_nul_is_text_like_any_other() -> None:
    assert read('{"amount": 1, "message": "a\\u0000b"}', Note).move.message == "a\0b"


def test_a_huge_text_around_a_move_is_read() -> None:
    noise = "blah " * 50_000

    assert read(f'{noise}{{"mine": 1, "yours": 2}}{noise}', Split).move == Split(1, 2)


def test_a_huge_wrong_value_is_quoted_in_short() -> None:
    assert len(trouble('{"decision": "' + "x" * 100_000 + '"}', Choice)) < 200


def test_the_first_greedy_brace_of_the_official_code_breaks_on_a_brace_in_a_message() -> None:
    text = '{"amount": 1, "message": "a } brace"}'

    assert read(text, Note).move == Note(1, "a } brace")
    assert "not valid JSON" in trouble(text, Note, extraction="non_greedy")
    whole = read('so {"amount": 1, "message": "b"}', Note, extraction="non_greedy")
    assert whole.move == Note(1, "b")


def test_private_reasoning_is_kept_apart_from_the_move() -> None:
    found = read('{"reasoning": "he is {weak}", "decision": "reject"}', Choice)

    assert (found.move, found.reasoning) == (Choice("reject"), "he is {weak}")


@given(st.text())
def test_any_text_is_a_move_or_trouble_in_words(text: str) -> None:
    for move_type in (Split, Note, Choice):
        try:
            read(text, move_type)
        except ValueError as error:
            assert str(error)


@given(amount=st.floats(allow_nan=False, allow_infinity=False), message=st.text())
def test_what_is_written_as_json_is_read_back(amount: float, message: str) -> None:
    move = Note(amount, message.encode("utf-8", "ignore").decode())

    assert read(orjson.dumps(plain(move)).decode(), Note).move == move


def test_the_shape_is_the_json_as_a_player_reads_it() -> None:
    assert shape(Split) == '{"mine": <number>, "yours": <number>}'
    assert shape(Note) == '{"amount": <number>, "message": "<text>"}'
    assert shape(Choice) == '{"decision": "accept" or "reject"}'
    assert shape(Choice, scratchpad=True).startswith('{"reasoning": "<text>", ')


def test_the_schema_allows_the_move_and_nothing_else() -> None:
    form = schema(Choice)

    assert form["properties"] == {"decision": {"enum": ["accept", "reject"], "type": "string"}}
    assert form["required"] == ["decision"]
    assert form["additionalProperties"] is False
    assert list(schema(Choice, scratchpad=True)["properties"]) == ["reasoning", "decision"]


@dataclass(frozen=True, slots=True)
class Reply:
    ALIASES: ClassVar[Mapping[str, Mapping[str, str]]] = {"decision": {"AcceptOffer": "accept"}}

    decision: Literal["accept", "reject"]


@pytest.mark.parametrize("word", ["accept", "AcceptOffer", " acceptoffer "])
def test_a_literal_is_read_under_its_other_names(word: str) -> None:
    assert read(f'{{"decision": "{word}"}}', Reply).move == Reply("accept")
    assert shape(Reply) == '{"decision": "accept" or "reject"}'


def test_complaints_about_an_answer_carry_what_a_translation_needs() -> None:
    with pytest.raises(ValueError, match="is missing") as refused:
        read('{"mine": "much"}', Split)

    said = refused.value.args[0]
    assert isinstance(said, Remark)
    assert [part.template for part in said.facts.values()] == [MUST_BE, MISSING]
    assert said.count(";") == 1
