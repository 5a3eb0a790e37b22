"""The model that is none: seeded, valid, independent of the order in which it is asked."""

import asyncio
import pickle
import random
from typing import Any

import orjson
import pytest

from catallaxy.agents.chat import BackendFailed, CallKey, Message, Reply, Sampling
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.backends.scripted import GARBAGE, Scripted, largest_sum
from tests.platform.loopback import ASKED, run_fast, sampling

OFFER = {
    "type": "object",
    "properties": {
        "alice_gain": {"type": "number"},
        "bob_gain": {"type": "number"},
        "message": {"type": "string"},
    },
}
DECISION = {"type": "object", "properties": {"decision": {"enum": ["accept", "reject"]}}}
RULES = (Message("system", "You and Bob divide $10,000; a round costs $5."), Message("user", "?"))


def said(backend: Scripted, schema: Any, seed: int, prompt: Any = RULES) -> Any:
    reply = run_fast(backend.reply(prompt, schema, sampling(seed)))
    return orjson.loads(reply.text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Alice and Bob divide $10,000, not $33.50.", 10_000),
        ("Sie teilen 10 000 Dollar, nicht 33,50 Dollar.", 10_000),
        ("Sie teilen 1.000.000,50 $ in 12 Runden.", 1_000_000.5),
        ("Price 1 $5.25, price 2 $100", 100),
        ("There is no sum in 12 rounds.", None),
    ],
)
def test_sums_of_money_are_found_as_they_are_written(text: str, found: float | None) -> None:
    assert largest_sum(text) == found


def test_split_shares_the_largest_sum_in_whole_dollars() -> None:
    offers = [said(Scripted(), OFFER, seed) for seed in range(200)]
    assert all(offer["alice_gain"] + offer["bob_gain"] == 10_000 for offer in offers)
    assert all(isinstance(offer["alice_gain"], int) for offer in offers)
    assert len({offer["alice_gain"] for offer in offers}) > 150


def test_split_accepts_with_its_probability() -> None:
    backend = Scripted(accept_probability=0.8)
    yes = sum(said(backend, DECISION, seed)["decision"] == "accept" for seed in range(1000))
    assert 750 < yes < 850


def test_every_kind_of_schema_gets_a_valid_instance() -> None:
    schema = {
        "type": "object",
        "properties": {
            "price": {"type": "number", "minimum": 3, "maximum": 9},
            "share": {"type": "number", "minimum": 0, "maximum": 1},
            "count": {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 3},
            "either": {"anyOf": [{"type": "null"}, {"const": "x"}]},
            "yes": {"type": "boolean"},
            "goods": {"type": "array", "items": {"$ref": "#/$defs/good"}, "maxItems": 2},
            "pair": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]},
            "note": {"type": "string", "maxLength": 5},
        },
        "$defs": {"good": {"enum": ["apple", "pear"]}},
    }
    for seed in range(100):
        move = said(Scripted(mode="random"), schema, seed)
        assert list(move) == list(schema["properties"])
        assert 3 <= move["price"] <= 9
        assert 0 <= move["share"] <= 1
        assert move["count"] in (1, 2)
        assert move["either"] in (None, "x")
        assert set(move["goods"]) <= {"apple", "pear"}
        assert 1 <= len(move["goods"]) <= 2
        assert len(move["note"]) <= 5


def test_numbers_lie_in_the_range_that_was_chosen() -> None:
    backend = Scripted(mode="random", numbers=(5.0, 6.0))
    schema = {"type": "object", "properties": {"keep": {"type": "number"}}}
    assert all(5 <= said(backend, schema, seed)["keep"] <= 6 for seed in range(50))


def test_a_schema_that_cannot_be_drawn_from_says_so() -> None:
    with pytest.raises(BackendFailed, match="no answer can be drawn"):
        run_fast(Scripted().reply(RULES, {"not": {}}, sampling()))


async def ask_all(backend: Scripted, order: list[int]) -> dict[int, Reply]:
    gate = Gate("scripted", backend)

    async def one(i: int) -> tuple[int, Reply]:
        call = CallKey(f"e{i % 10}", "alice", i // 10, 0)
        prompt = (*RULES, Message("user", f"round {i // 10}"))
        return i, await gate.reply(prompt, OFFER, Sampling(seed=i, call=call))

    return dict(await asyncio.gather(*(one(i) for i in order)))


def test_answers_do_not_depend_on_the_order_of_questions() -> None:
    backend = Scripted(error_rate=0.2, fail_rate=0.3, latency_s=0.5, latency_sigma=0.6)
    order = list(range(200))
    first = run_fast(ask_all(backend, order))
    random.Random(3).shuffle(order)
    assert run_fast(ask_all(pickle.loads(pickle.dumps(backend)), order)) == first


def test_error_rate_is_the_share_of_garbage() -> None:
    backend = Scripted(error_rate=0.3)
    texts = [run_fast(backend.reply(RULES, OFFER, sampling(seed))).text for seed in range(500)]
    assert 110 < sum(text in GARBAGE for text in texts) < 190


def test_a_question_that_failed_is_answered_the_second_time() -> None:
    backend = Scripted(fail_rate=1.0)
    with pytest.raises(BackendFailed, match="on purpose") as caught:
        run_fast(backend.reply(RULES, OFFER, sampling()))
    assert caught.value.transient
    assert run_fast(backend.reply(RULES, OFFER, sampling())).text


def test_latency_has_the_mean_that_was_asked_for() -> None:
    backend = Scripted(latency_s=2.0, latency_sigma=0.6)

    async def main() -> float:
        loop = asyncio.get_running_loop()
        for seed in range(2000):
            await backend.reply(RULES, DECISION, sampling(seed))
        return loop.time() / 2000

    assert run_fast(main()) == pytest.approx(2.0, rel=0.05)


def test_replies_are_said_in_turn_and_may_be_templates() -> None:
    backend = Scripted(replies=("one", "{{ seat }} at turn {{ turn }}: {{ last }}"))
    texts = [run_fast(backend.reply(ASKED, None, sampling(turn=t))).text for t in range(3)]
    assert texts == ["one", "alice at turn 1: Your offer?", "one"]


def test_echo_and_garbage_and_tokens() -> None:
    assert run_fast(Scripted(mode="echo").reply(ASKED, None, sampling())).text == "Your offer?"
    reply = run_fast(Scripted(mode="garbage").reply(ASKED, OFFER, sampling()))
    assert reply.text in GARBAGE
    assert reply.usage.input == len("You divide $100.Your offer?") // 4


def test_shares_outside_zero_and_one_are_refused() -> None:
    with pytest.raises(ValueError, match="error_rate"):
        Scripted(error_rate=1.5)
