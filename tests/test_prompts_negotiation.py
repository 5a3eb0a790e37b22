"""Every prompt of every kind of negotiation, as plain text: a diff is a change of treatment.

`CATALLAXY_UPDATE_SNAPSHOTS=1 pytest tests/test_prompts_negotiation.py` writes them anew; review the
diff.
"""

import json
from dataclasses import replace

import pytest

from catallaxy.games.glee.compat import GleeCompat
from catallaxy.games.glee.negotiation import Negotiation
from tests.test_prompts import SNAPSHOTS, dialogues, hold, wording_of

pytestmark = pytest.mark.slow


def price(amount: float, message: str | None = None) -> str:
    named = {"product_price": amount}
    return json.dumps(named if message is None else {**named, "message": message})


def answer(word: str, **more: object) -> str:
    return json.dumps({"decision": word, **more})


ACCEPT, REJECT = answer("accept"), answer("reject")
SILENT = (price(11_500), REJECT, price(9000), REJECT, price(10_250.5), answer("buy_from_john"))
TALKING = (
    price(11_500, "It is as good as new."), REJECT, price(9000, ""), REJECT,
    price(10_250.5, "My last word: {\"take\": \"it\"}"), ACCEPT,
)  # fmt: skip
RULES = Negotiation(0.8, 1.2, max_rounds=10)
HORIZONS = {
    "single": {"max_rounds": 1, "horizon": "stated"},
    "stated": {"max_rounds": 10, "horizon": "stated"},
    "hidden": {"max_rounds": 30, "horizon": "hidden"},
}


@pytest.mark.parametrize("complete", [True, False], ids=["complete", "incomplete"])
@pytest.mark.parametrize("messages", [False, True], ids=["silent", "messages"])
@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_words_of_negotiation_under_each_information_structure(
    complete: bool, messages: bool, horizon: str
) -> None:
    rules = replace(
        RULES, complete_information=complete, messages_allowed=messages, **HORIZONS[horizon]
    )
    replies = TALKING if messages else SILENT

    text = dialogues(rules, wording_of("negotiation"), replies[: 2 if horizon == "single" else 6])

    about = ("complete" if complete else "incomplete", "messages" if messages else "silent")
    hold(f"negotiation_{'_'.join(about)}_{horizon}", text)


def test_the_words_of_a_last_round() -> None:
    rules = replace(RULES, max_rounds=2, complete_information=False)

    hold("negotiation_last_round", dialogues(rules, wording_of("negotiation"), SILENT[:4]))


def test_the_words_of_objections() -> None:
    replies = (
        price(-5), '{"price": 9000}', price(11_500), "I accept!", answer("sell_to_john"),
        REJECT, '{"product_price": "a lot"}', price(9000), '{"decision": ', REJECT,
    )  # fmt: skip

    hold("negotiation_objections", dialogues(RULES, wording_of("negotiation"), replies))


def test_the_words_that_ask_for_private_thinking_a_persona_and_no_aim() -> None:
    wording = wording_of("negotiation", seller_objective="", buyer_objective="")
    thinking = '{"reasoning": "He is in a hurry.", '
    replies = (price(11_500).replace("{", thinking, 1), "no", REJECT.replace("{", thinking, 1))

    text = dialogues(RULES, wording, replies, scratchpad=True, persona="You are very patient.")

    hold("negotiation_scratchpad_persona_no_aim", text)


OFFICIAL = GleeCompat(
    horizon_text="official", john_tokens="official", negotiation_validation="official"
)
COMPETITION = GleeCompat(outside_option="walk_away", counteroffer="with_rejection")


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_words_under_the_official_switches(horizon: str) -> None:
    rules = replace(RULES, compat=OFFICIAL, **HORIZONS[horizon])
    reject = answer("RejectOffer")
    replies = (price(11_500), reject, price(-9000), "maybe", reject, price(10_000))

    text = dialogues(rules, wording_of("negotiation"), replies[: 2 if horizon == "single" else 6])

    hold(f"negotiation_official_{horizon}", text)


STUMBLING = (
    price(-1, ""), "Let us trade!", price(11_500, "Hello!"), '{"decision": "perhaps"}', "{", REJECT,
    price(9000, "x" * 41), *TALKING[2:4], price(10_250.5, "My last word."), ACCEPT,
)  # fmt: skip


@pytest.mark.parametrize("name", ["german", "objective", "paper", "terse"])
def test_the_words_of_negotiation_in_every_other_wording(name: str) -> None:
    rules = replace(RULES, max_rounds=3, messages_allowed=True, max_message_chars=40)

    hold(
        f"negotiation_wording_{name}", dialogues(rules, wording_of("negotiation", name), STUMBLING)
    )


@pytest.mark.parametrize("name", ["german", "paper", "terse"])
def test_the_words_of_a_single_round_with_private_values(name: str) -> None:
    rules = replace(RULES, max_rounds=1, complete_information=False)

    text = dialogues(rules, wording_of("negotiation", name), SILENT[:2])

    hold(f"negotiation_single_{name}", text)


COUNTERING = (
    price(11_500, "Hello!"), REJECT, answer("reject", product_price=9000, message="Too much."),
    answer("reject", product_price=10_250.5, message=""), answer("walk_away"),
)  # fmt: skip


@pytest.mark.parametrize("name", ["german", "paper", "plain", "terse"])
def test_the_words_of_the_competition(name: str) -> None:
    rules = replace(RULES, max_rounds=3, messages_allowed=True, compat=COMPETITION)

    text = dialogues(rules, wording_of("negotiation", name), COUNTERING)

    hold(f"negotiation_competition_{name}", text)


def test_the_words_of_a_silent_counteroffer_with_a_rejection_and_john() -> None:
    rules = replace(
        RULES, complete_information=False, compat=GleeCompat(counteroffer="with_rejection")
    )
    countering = answer("reject", product_price=9000)

    text = dialogues(
        rules, wording_of("negotiation"), (price(11_500), countering, answer("accept"))
    )

    hold("negotiation_with_rejection_and_john", text)


def test_every_snapshot_belongs_to_a_dialogue() -> None:
    names = {file.stem for file in SNAPSHOTS.glob("negotiation_*.txt")}

    assert len(names) == 12 + 3 + 3 + 4 + 3 + 4 + 1
