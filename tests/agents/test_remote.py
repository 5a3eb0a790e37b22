"""A player behind HTTP: what it is sent, what becomes of its answers, and whose fault what is."""

import asyncio
import json
import pickle
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from catallaxy.agents.base import Act, Agent, Ask, Connected
from catallaxy.agents.chat import BackendFailed, CallKey, Message
from catallaxy.agents.game_params import game_params, jsonable
from catallaxy.agents.remote import LARGEST_ANSWER, SILENCE, RemotePlayer, is_answer
from catallaxy.games.base import Remark
from catallaxy.games.glee.bargaining import Answer, Bargaining, Offer, OfferWithMessage
from catallaxy.games.glee.negotiation import Negotiation
from catallaxy.games.glee.negotiation_moves import SellerAnswer
from catallaxy.games.glee.persuasion import Persuasion
from catallaxy.games.glee.persuasion_moves import PurchaseWithMessage
from catallaxy.platform.compose import composed
from catallaxy.platform.config import build
from catallaxy.platform.episode import Table
from catallaxy.platform.record import Engagement, Episode, EpisodeStatus, TurnKind
from tests.test_prompts import composed_wording

OFFER = '{"alice_gain": 6000, "bob_gain": 4000}'
ACCEPT = '{"decision": "accept"}'
RULES = Bargaining(delta_a=0.9, delta_b=0.8, complete_information=False)

Said = Callable[[], Awaitable[web.Response]]


@dataclass
class Foreign:
    """A foreign agent's server: says what it is told to, the last thing again and again."""

    says: tuple[web.Response | Said | str, ...]
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def chat(self, request: web.Request) -> web.Response:
        self.asked.append(json.loads(await request.read()))
        self.headers.append(dict(request.headers))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        said = self.says[min(len(self.asked), len(self.says)) - 1]
        try:
            if isinstance(said, str):
                return web.json_response({"response": said})
            if isinstance(said, web.Response):
                return web.Response(body=said.body, status=said.status, headers=said.headers)
            return await said()
        finally:
            self.at_once -= 1


@asynccontextmanager
async def foreign(*says: web.Response | Said | str) -> AsyncGenerator[Foreign]:
    agent = Foreign(says)
    app = web.Application()
    app.router.add_post("/chat", agent.chat)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    agent.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield agent
    finally:
        await runner.cleanup()


async def never() -> web.Response:
    await asyncio.sleep(60)
    raise TimeoutError


async def slowly() -> web.Response:
    await asyncio.sleep(0.05)
    return web.json_response({"response": OFFER})


def status(code: int, text: str = "", **headers: str) -> web.Response:
    return web.Response(status=code, text=text, headers=headers)


def opening(rules: Bargaining = RULES, seat: str = "alice", dialogue: Any = ()) -> Ask:
    state = rules.start(Random(0))
    if seat == "bob":
        state = rules.step(state, {"alice": Offer(6000, 4000)})
    words, key = composed_wording("bargaining", "plain"), CallKey("e", seat, 0, 0)
    return Ask(seat, rules.view(state, seat), rules.move_type(state, seat), dialogue, words, 0, key)


def player_at(url: str, how: Mapping[str, Any]) -> RemotePlayer:
    fields: dict[str, Any] = {"backoff_s": 0, **how}
    return RemotePlayer(url, **fields)


def told(
    *says: web.Response | Said | str, ask: Ask | None = None, **how: Any
) -> tuple[Act, Foreign]:
    """What a player makes of one question, and the server that it asked."""

    async def once() -> tuple[Act, Foreign]:
        async with foreign(*says) as agent:
            return await player_at(agent.url, how).act(ask or opening()), agent

    return asyncio.run(once())


def fault(*says: web.Response | Said | str, **how: Any) -> tuple[BackendFailed, Foreign]:
    async def once() -> tuple[BackendFailed, Foreign]:
        async with foreign(*says) as agent:
            with pytest.raises(BackendFailed) as caught:
                await player_at(agent.url, how).act(opening())
            return caught.value, agent

    return asyncio.run(once())


# What is asked ----------------------------------------------------------------------------------


def test_the_whole_dialogue_is_posted_and_what_was_said_is_added_to_it() -> None:
    earlier = (Message("system", "rules"), Message("user", "?"), Message("assistant", "no"))

    act, agent = told(OFFER, ask=replace(opening(), dialogue=earlier, objection="Once more."))

    (body,) = agent.asked
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert "Once more." in body["messages"][-1]["content"]
    assert [message.role for message in act.messages] == ["user", "assistant"]
    assert act.messages[-1].content == OFFER


def test_the_answer_is_read_as_a_model_s_would_be() -> None:
    act, _ = told('Fair: {"alice_gain": $6,000, "bob_gain": "4000", "reasoning": "half"}')

    assert act.move == Offer(6000, 4000)
    assert act.reasoning == "half"
    assert (act.trouble, act.reply) == (None, None)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(Answer, True), (SellerAnswer, True), (PurchaseWithMessage, False), (OfferWithMessage, False)],
)
def test_an_answer_is_a_move_that_only_chooses_among_words(kind: type, expected: bool) -> None:
    assert is_answer(kind) is expected


def test_decision_tells_whether_an_answer_is_due_unless_it_is_always_false() -> None:
    answer = opening(seat="bob")

    assert [told(OFFER)[1].asked[0]["decision"]] == [False]
    assert told(ACCEPT, ask=answer)[1].asked[0]["decision"] is True
    assert told(ACCEPT, ask=answer, decision="false")[1].asked[0]["decision"] is False


def test_the_compat_preset_chooses_how_decision_is_sent() -> None:
    for preset, expected in (("corrected", "filled"), ("official", "false")):
        config = composed(
            ["~experiment", "backend=scripted", f"compat/glee={preset}", "+agent@agent.bob=http"]
        )
        player = build(config["agent"]["bob"], at="agent.bob", expected=RemotePlayer)
        assert player.decision == expected


def test_the_yaml_agrees_with_the_dataclass() -> None:
    config = composed(["~experiment", "backend=scripted", "+agent@agent.bob=http"])
    player = build(config["agent"]["bob"], at="agent.bob", expected=RemotePlayer)

    assert player == RemotePlayer(player.url)


# What the player is told of the game --------------------------------------------------------------


def test_parameters_have_glee_s_names_and_leave_out_what_the_seat_is_not_told() -> None:
    params = game_params(opening())

    assert {k: v for k, v in params.items() if k not in ("rules", "view", "answer_schema")} == {
        "money_to_divide": 10_000,
        "complete_information": False,
        "messages_allowed": False,
        "delta_1": 0.9,
    }
    known = game_params(opening(replace(RULES, complete_information=True, horizon="stated")))
    assert (known["delta_1"], known["delta_2"], known["max_rounds"]) == (0.9, 0.8, 99)


def test_parameters_of_negotiation_are_values_in_units_of_the_price_scale() -> None:
    rules = Negotiation(1.2, 1.5, max_rounds=10, complete_information=False)
    view = rules.view(rules.start(Random(0)), "alice")
    ask = replace(opening(), view=view, wording=composed_wording("negotiation", "plain"))
    ask = replace(ask, move_type=rules.move_type(rules.start(Random(0)), "alice"))

    params = game_params(ask)

    assert (params["seller_value"], params["product_price_order"]) == (1.2, 10_000)
    assert "buyer_value" not in params
    assert params["max_rounds"] == 10


def test_parameters_of_persuasion_have_no_quality_for_the_buyer() -> None:
    rules = Persuasion(p=1 / 3, v=3, buyer="myopic", seller_knows_values=False)
    state = rules.start(Random(0))
    due, words = rules.move_type(state, "alice"), composed_wording("persuasion", "plain")
    seller = replace(opening(), view=rules.view(state, "alice"), wording=words, move_type=due)
    buyer = replace(seller, view=rules.view(state, "bob"), seat="bob")

    assert not {"v", "c"} & set(game_params(seller))
    assert game_params(seller)["view"]["quality"] in ("high", "low")
    params = game_params(buyer)
    assert (params["v"], params["c"], params["is_myopic"]) == (3, 0, True)
    assert params["view"]["quality"] is None


def test_the_rules_are_what_is_told_once_without_the_question() -> None:
    rules = game_params(opening())["rules"]
    later = opening(seat="bob", dialogue=(Message("user", "earlier"),))

    assert rules.startswith("Alice and Bob are to divide $10,000")
    assert rules.endswith("You do not know how inflation affects Bob.")
    assert "You are Bob." in game_params(later)["rules"]
    assert "offers: you get" not in game_params(later)["rules"]


@given(
    secret=st.sampled_from([0.5, 0.8, 0.95, 1.0]),
    seat=st.sampled_from(["alice", "bob"]),
    horizon=st.integers(21, 99),
)
def test_nothing_that_is_sent_depends_on_what_the_seat_may_not_know(
    secret: float, seat: str, horizon: int
) -> None:
    mine = {"delta_a" if seat == "alice" else "delta_b": 0.9}
    its = "delta_b" if seat == "alice" else "delta_a"
    usual = replace(RULES, **mine, **{its: 0.7}, max_rounds=50)
    other = replace(usual, **{its: secret}, max_rounds=horizon)

    assert game_params(opening(usual, seat)) == game_params(opening(other, seat))


def test_parameters_are_json_whatever_a_view_holds() -> None:
    odd = {"a": float("nan"), "b": (1, Answer("accept")), "c": Remark("{x}!", x=1), 2: {3}}

    assert jsonable(odd) == {"a": None, "b": [1, {"decision": "accept"}], "c": "1!", "2": "{3}"}
    assert type(jsonable(odd)["c"]) is str


# Bad answers are the player's ---------------------------------------------------------------------


def test_an_unreadable_answer_is_an_objection() -> None:
    act, _ = told("I would rather not say.")

    assert act.move is None
    assert act.trouble == "There was no JSON object in your answer."
    assert act.messages[-1].content == "I would rather not say."


def test_an_answer_that_comes_too_late_is_the_player_s_fault() -> None:
    act, _ = told(never, timeout_s=0.1)

    assert act.move is None
    assert act.trouble == "You did not answer within 0.1 seconds."
    assert isinstance(act.trouble, Remark)
    assert act.messages[-1] == Message("assistant", SILENCE)


@pytest.mark.parametrize(
    "body", ["", "no JSON", "[]", '"text"', "{}", '{"response": {"decision": "accept"}}', "\xff"]
)
def test_an_answer_of_another_form_is_told_which_one_is_due(body: str) -> None:
    act, _ = told(web.Response(text=body))

    assert act.move is None
    assert act.trouble == 'Your answer was no JSON object with a text under "response".'
    assert act.messages[-1].content == (body or SILENCE)


def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    act, _ = told(web.json_response({"response": "x" * LARGEST_ANSWER}))

    assert act.trouble == f"Your answer is larger than {LARGEST_ANSWER} bytes."
    assert act.messages[-1] == Message("assistant", SILENCE)


def played(agents: Mapping[str, Agent], rules: Any = RULES, tries: int = 3) -> Awaitable[Episode]:
    seats = {seat: seat for seat in rules.seats}
    plan = Engagement(0, "e", "bargaining", "v", rules, seats, 1)
    return Table(tries=tries).play(plan, composed_wording("bargaining", "plain"), agents)


def test_a_bad_answer_is_read_back_and_tried_again_then_the_game_is_forfeited() -> None:
    async def play() -> tuple[Episode, Foreign]:
        async with foreign(never, "no", "[]") as agent:
            player = RemotePlayer(agent.url, timeout_s=0.1)
            return await played({"alice": player, "bob": player}), agent

    episode, agent = asyncio.run(play())

    assert episode.status is EpisodeStatus.SETTLED
    assert [turn.kind for turn in episode.turns] == [TurnKind.UNREADABLE] * 3 + [TurnKind.FORFEIT]
    last = agent.asked[1]["messages"][-1]["content"]
    assert last.startswith("Your answer does not count. You did not answer within 0.1 seconds.")
    assert [m["role"] for m in agent.asked[1]["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
    ]


# The rest is not ----------------------------------------------------------------------------------


def test_a_server_that_fails_is_asked_again_and_nobody_is_blamed() -> None:
    act, agent = told(status(502), status(503), status(429), OFFER, retries=3)

    assert act.move == Offer(6000, 4000)
    assert len(agent.asked) == 4
    assert len(act.messages) == 3


def test_a_server_that_keeps_failing_fails_the_episode_not_the_player() -> None:
    async def play() -> Episode:
        async with foreign(status(500, "Traceback")) as agent:
            player = RemotePlayer(agent.url, retries=1, backoff_s=0)
            return await played({"alice": player, "bob": player})

    episode = asyncio.run(play())

    assert (episode.status, episode.fault) == (EpisodeStatus.FAILED, "backend")
    assert "HTTP 500; Traceback" in str(episode.error)
    assert episode.turns == ()


def test_nobody_at_the_address_is_a_failure_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    player = RemotePlayer(f"http://127.0.0.1:{port}", retries=1, backoff_s=0)

    with pytest.raises(BackendFailed, match="is the player's server running") as caught:
        asyncio.run(player.act(opening()))

    assert caught.value.transient


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (400, "HTTP 400"), (401, "api_key_env"), (403, "api_key_file"), (404, "no /chat"),
        (302, "redirects"),
    ],
)  # fmt: skip
def test_a_refusal_is_not_repeated_and_says_what_to_change(code: int, remedy: str) -> None:
    error, agent = fault(status(code, Location="http://127.0.0.1:1/"))

    assert remedy in str(error)
    assert not error.transient
    assert len(agent.asked) == 1


def test_questions_under_way_are_bounded() -> None:
    async def many() -> Foreign:
        async with foreign(slowly) as agent:
            player = RemotePlayer(agent.url, concurrency=2)
            await asyncio.gather(*(player.act(opening()) for _ in range(6)))
            return agent

    assert asyncio.run(many()).most_at_once == 2


def test_who_waits_for_a_place_does_not_run_out_of_time() -> None:
    async def many() -> list[Act]:
        async with foreign(slowly) as agent:
            player = RemotePlayer(agent.url, concurrency=1, timeout_s=0.6)
            return await asyncio.gather(*(player.act(opening()) for _ in range(15)))

    assert [act.move for act in asyncio.run(many())] == [Offer(6000, 4000)] * 15


# Keys and addresses -------------------------------------------------------------------------------

SECRET = "canary-7c0ffee"


def test_the_key_of_the_environment_is_sent_as_x_api_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREIGN_KEY", f" {SECRET}\n")

    assert told(OFFER, api_key_env="FOREIGN_KEY")[1].headers[0]["X-API-Key"] == SECRET
    assert "X-API-Key" not in told(OFFER)[1].headers[0]


def test_the_key_of_a_local_file_is_sent_as_x_api_key(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{SECRET}\n")

    assert told(OFFER, api_key_file=str(file))[1].headers[0]["X-API-Key"] == SECRET


def test_a_key_never_gets_into_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREIGN_KEY", SECRET)

    error, _ = fault(status(401, f"{SECRET} is no key of ours"), api_key_env="FOREIGN_KEY")

    assert "[hidden] is no key of ours" in str(error)
    assert SECRET not in str(error)


@pytest.mark.parametrize(
    "how", [{"api_key_env": "NO_SUCH_VARIABLE"}, {"api_key_file": "no/such/file"}]
)
def test_a_key_that_is_not_there_is_told_before_anything_is_asked(how: dict[str, str]) -> None:
    error, agent = fault(OFFER, **how)

    assert "API key" in str(error)
    assert next(iter(how.values())) in str(error)
    assert agent.asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "127.0.0.1:80"}, {"url": "ftp://127.0.0.1"}, {"url": f"http://me:{SECRET}@host"},
        {"url": f"http://host?key={SECRET}"}, {"timeout_s": 0}, {"retries": -1},
        {"concurrency": 0}, {"api_key_env": "A", "api_key_file": "b"},
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused_without_saying_a_secret(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))) as caught:
        player_at(wrong.pop("url", "http://127.0.0.1:1"), wrong)

    assert SECRET not in str(caught.value)


# Before and after a run ---------------------------------------------------------------------------


def test_a_check_passes_where_anything_answers_and_fails_where_nothing_does() -> None:
    async def check() -> RemotePlayer:
        async with foreign(OFFER) as agent:  # it has no /health, like GLEE's players
            player = RemotePlayer(agent.url)
            await player.check()
        return player

    player = asyncio.run(check())

    assert isinstance(player, Connected)
    with pytest.raises(BackendFailed, match="is url right"):
        asyncio.run(player.check())


def test_a_player_travels_as_its_fields_after_it_was_used() -> None:
    async def use() -> RemotePlayer:
        async with foreign(OFFER) as agent:
            player = RemotePlayer(agent.url)
            await player.act(opening())
            await player.close()
        return player

    player = asyncio.run(use())

    assert pickle.loads(pickle.dumps(player)) == player
