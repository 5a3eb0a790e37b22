"""Endpoint and OpenAI on a loopback server: the wire format, every kind of failure, and no key."""

import asyncio
import pickle
import socket
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeAlias

import openai  # noqa: F401  the first import takes longer than the time-out of these tests
import pytest
from aiohttp import web

from catallaxy.agents.chat import BackendFailed, Message, Reply, Usage
from catallaxy.platform.backends.endpoint import Endpoint
from catallaxy.platform.backends.failures import hide, retry_after
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.backends.limits import Limits
from catallaxy.platform.backends.openai import OpenAI
from catallaxy.platform.errors import NotReady
from tests.platform.loopback import (
    ASKED,
    SCHEMA,
    Answer,
    Server,
    completion,
    sampling,
    says,
    serving,
)

CANARY = "sk-canary-4815162342-never-shown"
KEY = "CATALLAXY_TEST_KEY"
QUICK = Limits(timeout_s=2, retries=2, backoff_s=0.001, backoff_max_s=0.002)
USUAL: dict[str, Any] = {"model": "m", "api_key_env": KEY, "limits": QUICK}

Client: TypeAlias = Callable[..., Endpoint | OpenAI]


def endpoint(url: str, **more: Any) -> Endpoint:
    fields: dict[str, Any] = USUAL | {"base_url": url} | more
    return Endpoint(**fields)


def hosted(url: str, **more: Any) -> OpenAI:
    fields: dict[str, Any] = USUAL | {"base_url": url} | more
    return OpenAI(**fields)


both = pytest.mark.parametrize("client", [endpoint, hosted])


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, CANARY)


async def ask(backend: Endpoint | OpenAI) -> Reply:
    try:
        return await backend.reply(ASKED, SCHEMA, sampling())
    finally:
        await backend.close()


def outcome(client: Client, *answers: Answer, **more: Any) -> tuple[Reply | BackendFailed, Server]:
    async def main() -> tuple[Reply | BackendFailed, Server]:
        async with serving(*answers) as server:
            try:
                return await ask(client(server.url, **more)), server
            except BackendFailed as error:
                return error, server

    return asyncio.run(main())


def failure(client: Client, *answers: Answer, **more: Any) -> BackendFailed:
    found, _ = outcome(client, *answers, **more)
    assert isinstance(found, BackendFailed)
    return found


def success(client: Client, *answers: Answer, **more: Any) -> tuple[Reply, Server]:
    found, server = outcome(client, *answers, **more)
    assert isinstance(found, Reply), found
    return found, server


@both
def test_a_reply_is_read_whole(client: Client) -> None:
    reply, _ = success(client, lambda _: says(completion('{"keep": 5}')))
    assert reply == Reply('{"keep": 5}', Usage(12, 5, 8, 2), "stop", "served", "chatcmpl-1")


@both
def test_a_request_carries_what_was_chosen_and_nothing_else(client: Client) -> None:
    _, server = success(client, lambda _: says(completion("x")), extra={"priority": 3})
    most = "max_tokens" if client is endpoint else "max_completion_tokens"
    assert server.bodies == [
        {
            "model": "m",
            "messages": [{"role": m.role, "content": m.content} for m in ASKED],
            "temperature": 0.7,
            "top_p": 0.9,
            most: 50,
            "seed": 7,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "move", "schema": SCHEMA, "strict": True},
            },
            "priority": 3,
        }
    ]
    assert server.headers[0]["Authorization"] == f"Bearer {CANARY}"


@both
def test_structure_and_seed_can_be_left_out(client: Client) -> None:
    answer = lambda _: says(completion("x"))  # noqa: E731
    _, server = success(client, answer, structured="none", send_seed=False)
    assert not {"response_format", "seed"} & set(server.bodies[0])
    _, server = success(client, answer, structured="json_object", max_tokens_field="max_tokens")
    assert server.bodies[0]["response_format"] == {"type": "json_object"}
    assert server.bodies[0]["max_tokens"] == 50


def test_one_dialogue_has_one_session_id() -> None:
    async def main() -> list[str]:
        async with serving(lambda _: says(completion("x"))) as server:
            backend = endpoint(server.url)
            for episode, turn in (("e1", 0), ("e1", 4), ("e12", 0)):
                await backend.reply(ASKED, None, sampling(episode=episode, turn=turn))
            await backend.close()
            return [headers["X-Session-ID"] for headers in server.headers]

    first, later, other = asyncio.run(main())
    assert first == later != other


@both
@pytest.mark.parametrize(
    ("status", "transient", "words"),
    [
        (400, False, "too long for the model's context"),
        (401, False, f"set {KEY} to a valid key"),
        (403, False, "may not use this model"),
        (404, False, "check base_url and model"),
        (408, True, ""),
        (409, True, ""),
        (429, True, ""),
        (500, True, "EngineCore"),
        (503, True, ""),
    ],
)
def test_a_status_says_whether_asking_again_helps(
    client: Client, status: int, transient: bool, words: str
) -> None:
    error = failure(client, lambda _: says({"error": {"message": "EngineCore died"}}, status))
    assert error.transient is transient
    assert f"HTTP {status}" in str(error)
    assert "127.0.0.1" in str(error)
    assert "(m)" in str(error)
    assert words in str(error)


@both
def test_a_spent_quota_is_not_waited_for(client: Client) -> None:
    body = {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}}
    error = failure(client, lambda _: says(body, 429, {"Retry-After": "1"}))
    assert not error.transient
    assert "add credit" in str(error)


@both
@pytest.mark.parametrize("wish", ["7", "date"])
def test_retry_after_is_seconds_or_a_date(client: Client, wish: str) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=8), usegmt=True)
    said = later if wish == "date" else wish
    error = failure(client, lambda _: says({}, 429, {"Retry-After": said}))
    assert error.retry_after == pytest.approx(7, abs=1.5)


def test_a_retry_after_that_nobody_understands_is_ignored() -> None:
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"Retry-After-Ms": "250", "Retry-After": "9"}) == 0.25
    assert retry_after({"Retry-After": "-3"}) == 0.0


@both
@pytest.mark.parametrize(
    "body",
    [
        b"<html>Bad gateway</html>",
        b"",
        b'{"choices": [',
        b"[]",
        b"null",
        b'{"choices": []}',
        b'{"error": {"message": "overloaded"}}',
        b'{"choices": [{"message": {"content": 5}}]}',
        b"\xff\xfe\x00",
    ],
)
def test_a_body_that_is_no_completion_may_pass(client: Client, body: bytes) -> None:
    error = failure(client, lambda _: says(body))
    assert error.transient


@both
def test_hostile_text_is_only_text(client: Client) -> None:
    text = "\x00\x1b[31m'; DROP TABLE calls; --<script>" + "ü😀" * 10
    reply, _ = success(client, lambda _: says(completion(text)))
    assert reply.text == text


@both
def test_ten_megabytes_are_only_text(client: Client) -> None:
    text = "x" * 10_000_000
    reply, _ = success(client, lambda _: says(completion(text)))
    assert len(reply.text) == len(text)


def test_a_body_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catallaxy.platform.backends.endpoint.LARGEST_BODY", 1000)
    assert "larger than 1000 bytes" in str(failure(endpoint, lambda _: says(b"x" * 2000)))


@both
def test_missing_parts_of_an_answer_are_empty(client: Client) -> None:
    bare = {"choices": [{"message": {"content": None, "refusal": "I cannot."}}], "usage": None}
    reply, _ = success(client, lambda _: says(bare))
    assert reply == Reply("I cannot.", finish="")
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    thought = completion(parts)
    thought["choices"][0]["message"]["reasoning_content"] = "hm"
    reply, _ = success(client, lambda _: says(thought))
    assert (reply.text, reply.reasoning) == ("ab", "hm")


@both
def test_a_server_that_is_not_there_is_transient_and_named(client: Client) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(BackendFailed, match=r"127\.0\.0\.1.*\(m\)") as caught:
            asyncio.run(ask(client(url)))
    assert caught.value.transient


@both
def test_a_connection_cut_in_the_middle_is_transient(client: Client) -> None:
    async def cut(_: dict[str, Any]) -> web.StreamResponse:
        raise asyncio.CancelledError

    assert failure(client, cut).transient


@both
def test_the_gate_times_out_retries_and_recovers(client: Client) -> None:
    async def slow(_: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(10)
        return says({})

    async def main() -> list[str | None]:
        busy, fine = says({}, 503), completion("x")
        async with serving(slow, lambda _: busy, lambda _: says(fine)) as server:
            gate, calls = Gate("g", client(server.url)), []
            gate.sink = calls.append
            await gate.reply(ASKED, SCHEMA, sampling())
            await gate.close()
            return [call.error_type for call in calls]

    assert asyncio.run(main()) == ["TimeoutError", "503", None]


@both
def test_check_names_address_model_and_remedy(client: Client) -> None:
    async def main() -> str:
        async with serving(lambda _: says({"error": "no"}, 404)) as server:
            gate = Gate("g", client(server.url))
            try:
                with pytest.raises(NotReady) as caught:
                    await gate.check()
            finally:
                await gate.close()
            return str(caught.value)

    text = asyncio.run(main())
    for part in ("'g'", "127.0.0.1", "(m)", "check base_url and model"):
        assert part in text
    assert "\n" not in text


def leaks(error: BaseException) -> bool:
    return CANARY in "".join(traceback.format_exception(error)) or CANARY in repr(vars(error))


@both
@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_no_error_shows_the_key_even_if_the_server_repeats_it(client: Client, status: int) -> None:
    said = {"error": {"message": f"Incorrect API key provided: {CANARY}. Bearer {CANARY}"}}
    error = failure(client, lambda _: says(said, status))
    assert not leaks(error)


@both
def test_no_repr_or_pickle_holds_the_key(client: Client) -> None:
    async def main() -> None:
        async with serving(lambda _: says(completion("x"))) as server:
            gate = Gate("g", client(server.url))
            await gate.reply(ASKED, None, sampling())
            packed = pickle.dumps(gate)
            assert CANARY not in repr(gate)
            assert CANARY.encode() not in packed
            there = pickle.loads(packed)
            assert there.backend == gate.backend
            await there.reply(ASKED, None, sampling())
            await there.close()
            await gate.close()

    asyncio.run(main())


@both
def test_a_key_in_the_address_is_refused(client: Client) -> None:
    with pytest.raises(ValueError, match="api_key_env") as caught:
        client("http://me:hunter2@host/v1")
    assert "hunter2" not in str(caught.value)


def test_secrets_are_hidden_wherever_they_stand() -> None:
    for text in (f"key {CANARY}", "Bearer abcdef123456", "http://me:pw@host/", "?api_key=abc"):
        assert "[hidden]" in hide(text)
    assert hide("ask-me task-12345678 at $100") == "ask-me task-12345678 at $100"


def test_without_a_key_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY)
    error = failure(hosted, lambda _: says(completion("x")))
    assert f"set the environment variable {KEY}" in str(error)
    assert not error.transient
    _, server = success(endpoint, lambda _: says(completion("x")))
    assert "Authorization" not in server.headers[0]


def test_half_a_character_in_a_prompt_is_a_failure_in_words() -> None:
    async def main() -> None:
        async with serving(lambda _: says(completion("x"))) as server:
            await endpoint(server.url).reply((Message("user", "\ud800"),), None, sampling())

    with pytest.raises(BackendFailed, match="cannot be sent"):
        asyncio.run(main())


def test_our_module_named_openai_does_not_hide_the_library() -> None:
    asyncio.run(OpenAI(model="m").close())
    assert OpenAI(model="m")._library.__name__ == "openai"
    assert hasattr(sys.modules["openai"], "AsyncOpenAI")
