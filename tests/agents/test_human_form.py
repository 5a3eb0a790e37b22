"""What a person is shown and asked to fill in, and what becomes of the answer."""

from dataclasses import dataclass, replace
from typing import Literal

import orjson
import pytest

from catallaxy.agents.base import Ask
from catallaxy.agents.chat import Message
from catallaxy.agents.moves import plain, read
from catallaxy.agents.people.form import Field, Option, form, in_json
from catallaxy.agents.people.told import TOO_LATE, Told, answer
from catallaxy.agents.wording import Wording
from catallaxy.games.base import Remark
from catallaxy.games.glee.bargaining import Bargaining, OfferWithMessage
from catallaxy.games.glee.compat import GleeCompat
from catallaxy.games.glee.negotiation import Negotiation
from catallaxy.games.glee.negotiation_moves import Price, PriceWithMessage
from catallaxy.games.glee.persuasion import Persuasion
from catallaxy.games.glee.persuasion_moves import Recommendation, SellerMessage
from tests.agents.people import RULES, ask_of, words_of

OFFER = OfferWithMessage(60, 40, "take it")


@dataclass(frozen=True, slots=True)
class Everything:
    """A move with a field of every kind."""

    keep: float
    rounds: int
    sure: bool
    mood: Literal["calm", "angry"]
    level: Literal[1, 2]
    words: str
    price: float | None
    names: list[str]


EVERYTHING = Wording(name="w", system="Rules.", asks={"Everything": "Fill it in. {{ shape }}"})


def everything() -> Ask:
    return replace(ask_of(words=EVERYTHING), move_type=Everything)


# The form.


def test_a_form_has_a_field_for_every_field_of_the_move() -> None:
    fields = form(everything())

    kinds = [(field.name, field.kind, field.optional) for field in fields]
    assert kinds == [
        ("keep", "number", False),
        ("rounds", "number", False),
        ("sure", "choice", False),
        ("mood", "choice", False),
        ("level", "choice", False),
        ("words", "text", False),
        ("price", "number", True),
        ("names", "json", False),
    ]


def test_a_choice_offers_what_the_move_allows() -> None:
    options = {field.name: field.options for field in form(everything())}

    assert options["mood"] == (Option("calm", "Calm"), Option("angry", "Angry"))
    assert [option.key for option in options["sure"]] == ["true", "false"]
    assert [option.key for option in options["level"]] == ["1", "2"]


def test_labels_use_the_names_of_the_wording_and_mark_one_s_own() -> None:
    words = replace(words_of(), names={"alice": "Anna", "bob": "Ben"})

    labels = [field.label for field in form(ask_of(words=words))]

    assert labels == ["Anna gain (you)", "Ben gain", "Message"]


def test_labels_speak_the_wording_s_language_where_its_phrases_do() -> None:
    words = replace(words_of(), phrases={"Accept": "Annehmen", "Decision": "Antwort"})

    (field,) = form(ask_of(RULES, OFFER, words=words))

    assert field.label == "Antwort"
    assert [option.label for option in field.options] == ["Annehmen", "Reject"]


def test_a_text_is_as_long_as_the_game_allows() -> None:
    message = form(ask_of(replace(RULES, max_message_chars=77)))[-1]

    assert (message.kind, message.longest) == ("text", 77)


# The answer.


def test_what_was_typed_becomes_the_json_that_a_model_would_have_said() -> None:
    typed = {
        "keep": "$1,250.50",
        "rounds": " 3 ",
        "sure": "true",
        "mood": "calm",
        "level": "2",
        "words": "  as typed ",
        "price": "",
        "names": '["a", "b"]',
    }

    said = in_json(form(everything()), typed)

    move = Everything(1250.5, 3, True, "calm", 2, "  as typed ", None, ["a", "b"])
    assert orjson.loads(said) == plain(move)
    assert read(said, Everything).move == move


@pytest.mark.parametrize(
    "typed", ["abc", "", "12,5", "1/3", "nan", "inf", "1e999", "0x10", "１２,x"]
)
def test_what_is_no_number_stays_as_it_was_typed(typed: str) -> None:
    said = in_json((Field("keep", "Keep", "number"),), {"keep": typed})

    assert orjson.loads(said) == {"keep": typed}


@pytest.mark.parametrize(
    ("typed", "number"), [("7", 7), ("-2.50", -2.5), (".5", 0.5), ("1,000,000", 1e6), ("+3", 3)]
)
def test_a_number_is_read_as_people_write_it(typed: str, number: float) -> None:
    said = in_json((Field("keep", "Keep", "number"),), {"keep": typed})

    assert orjson.loads(said) == {"keep": number}


def test_a_readable_answer_is_a_move_and_recorded_as_json() -> None:
    ask = ask_of()
    told = Told.of(ask, "")

    act = answer(ask, told, {"alice_gain": "60", "bob_gain": "40", "message": "take it"}, None)

    assert act.move == OFFER
    said = Message("assistant", '{"alice_gain":60,"bob_gain":40,"message":"take it"}')
    assert act.messages == (*told.messages, said)


def test_an_unreadable_answer_is_trouble_in_words_and_recorded_too() -> None:
    ask = ask_of()

    act = answer(
        ask, Told.of(ask, ""), {"alice_gain": "half", "bob_gain": "40", "message": ""}, None
    )

    assert act.move is None
    assert act.trouble == "\"alice_gain\" must be <number>, not 'half'."
    assert act.messages[-1].content.startswith('{"alice_gain":"half"')


def test_no_answer_in_time_is_trouble_that_can_be_translated() -> None:
    ask = ask_of()
    told = Told.of(ask, "")

    act = answer(ask, told, None, 90)

    assert (act.move, act.messages) == (None, told.messages)
    assert act.trouble == "You did not answer within 90 seconds."
    assert isinstance(act.trouble, Remark)
    assert act.trouble.template == TOO_LATE


# What is shown.


def test_a_person_is_told_the_rules_then_in_private_who_he_is_then_what_is_asked() -> None:
    told = Told.of(ask_of(), "You are patient.")

    assert told.rules.startswith("Alice and Bob are to divide $100")
    assert told.briefing == "You are Alice. The other player is Bob.\nYou are patient."
    assert told.text.startswith("Round 1.\nMake an offer")
    assert [message.role for message in told.messages] == ["system", "user"]
    assert told.messages[1].content == f"{told.briefing}\n\n{told.text}"


def test_later_a_person_is_told_what_is_new() -> None:
    first = Told.of(ask_of(), "")

    told = Told.of(ask_of(dialogue=first.messages), "")

    assert (told.rules, told.briefing, told.text) == ("", "", first.text)
    assert told.messages == (Message("user", first.text),)


GAMES = {
    "bargaining": (Bargaining(messages_allowed=True), OfferWithMessage(6e3, 4e3, "x")),
    "negotiation": (
        Negotiation(max_rounds=10, messages_allowed=True),
        PriceWithMessage(9e3, "x"),
    ),
    "persuasion": (Persuasion(message_type="text"), SellerMessage("x")),
}


@pytest.mark.parametrize("wording", ["plain", "paper", "terse", "german"])
@pytest.mark.parametrize("game", GAMES)
def test_nobody_asks_a_person_for_json_in_any_game_and_wording(game: str, wording: str) -> None:
    rules, move = GAMES[game]
    words = words_of(game, wording)
    before = (Message("user", ""),)

    for moves in ((), (move,)):
        asked = Told.of(ask_of(rules, *moves, words=words), "")
        again = Told.of(ask_of(rules, *moves, words=words, dialogue=before, objection="No."), "")

        assert asked.text
        assert "No." in again.text
        for told in (asked, again):
            shown = f"{told.rules} {told.briefing} {told.text}"
            assert "JSON" not in shown
            assert "{" not in shown


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("Do you accept? Answer only with JSON: {{ shape }}", "Do you accept?"),
        ("Do you accept? Answer with {{ shape }}. Be quick.", "Do you accept? Be quick."),
        ("Do you?\n{{ shape }}", "Do you?"),
        ("Say {{ shape | replace('accept', 'nimm') }} now\nDo you accept?", "Do you accept?"),
        ("你接受吗？只用JSON回答：{{ shape }}", "你接受吗？"),
        ("Do you accept $1.5?", "Do you accept $1.5?"),
    ],
)
def test_only_the_sentence_with_the_json_is_left_out(asked: str, shown: str) -> None:
    words = Wording(name="w", system="Rules.", asks={"Answer": asked})

    assert Told.of(ask_of(RULES, OFFER, words=words), "").text == shown


def test_json_that_the_other_player_wrote_stays() -> None:
    tricky = OfferWithMessage(60, 40, 'Answer only with JSON: {"decision": "accept" or "reject"}')

    assert tricky.message in Told.of(ask_of(RULES, tricky), "").text


def test_an_objection_names_the_fields_as_the_form_does() -> None:
    ask = ask_of(objection="alice_gain and bob_gain are too much", dialogue=(Message("user", ""),))

    assert "Alice gain and Bob gain are too much" in Told.of(ask, "").text


def test_a_form_also_asks_for_a_counteroffer_that_may_stay_empty() -> None:
    rules = Negotiation(max_rounds=4, compat=GleeCompat(counteroffer="with_rejection"))
    ask = ask_of(rules, Price(9e3), words=words_of("negotiation"))

    fields = {field.name: field.optional for field in form(ask)}
    act = answer(ask, Told.of(ask, ""), {"decision": "accept", "product_price": ""}, None)

    assert fields == {"decision": False, "product_price": True}
    assert act.move is not None
    assert act.move.product_price is None


def test_a_recommendation_is_one_choice() -> None:
    ask = ask_of(Persuasion(), words=words_of("persuasion"))

    act = answer(ask, Told.of(ask, ""), {"decision": "yes"}, None)

    assert [option.key for option in form(ask)[0].options] == ["yes", "no"]
    assert act.move == Recommendation("yes")
