"""A model as a player in other programs: the protocol, who may ask, and whole games over HTTP."""

import asyncio
import json
import logging
import re
import shlex
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import catallaxy
from catallaxy.platform.errors import ConfigError, NotReady
from catallaxy.platform.player_server import Player, listening, player, serve

pytestmark = pytest.mark.slow

ASK = {"messages": [{"role": "system", "content": "Rules."}, {"role": "user", "content": "Well?"}]}
ACCEPT = '{"decision": "accept"}'
SAYS = ("backend=scripted", f"backend.replies=['{ACCEPT}']")
DOCS = (Path(__file__).parents[2] / "docs/http_players.md").read_text()
KEY = "canary-7c0ffee"


def answer(
    served: Player, body: Any = ASK, headers: Mapping[str, str] | None = None, path: str = "/chat"
) -> tuple[int, Any]:
    """Status and JSON of one request; `body` None asks with GET."""

    async def once() -> tuple[int, Any]:
        async with listening(served, "127.0.0.1", 0) as address, aiohttp.ClientSession() as session:
            raw = body if isinstance(body, bytes) else None
            method = "GET" if body is None else "POST"
            sent = {"data": raw} if raw is not None else {"json": body}
            more = {} if body is None else sent
            async with session.request(method, address + path, headers=headers, **more) as reply:
                return reply.status, await reply.json()

    return asyncio.run(once())


# The protocol -------------------------------------------------------------------------------------


def test_a_dialogue_is_answered_with_the_model_s_text() -> None:
    full = {**ASK, "decision": True, "game_params": {"money_to_divide": 100}, "more": 1}

    assert answer(player(SAYS)) == (200, {"response": ACCEPT})
    assert answer(player(SAYS), full) == (200, {"response": ACCEPT})


def test_the_model_reads_the_messages_as_they_are() -> None:
    echo = player(["backend=scripted", "backend.mode=echo"])

    assert answer(echo) == (200, {"response": "Well?"})


def test_an_answer_schema_constrains_the_model_unless_that_is_off() -> None:
    schema = {"type": "object", "properties": {"decision": {"enum": ["yes"]}}}
    body = {**ASK, "game_params": {"answer_schema": schema}}

    assert answer(player(["backend=scripted"]), body)[1] == {"response": '{"decision":"yes"}'}
    free = answer(player(["backend=scripted", "constrain=false"]), body)[1]["response"]
    assert "{" not in free


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "not JSON"), (b"[]", "object"), ({}, "messages"), ({"messages": []}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "wizard", "content": ""}]}, "role must be system, user, assistant"),
        ({"messages": [{"role": ["user"], "content": ""}]}, "role"),
        ({"messages": [ASK["messages"][0], {"role": "user", "content": 1}]}, "messages[1].content"),
    ],
)  # fmt: skip
def test_a_bad_request_is_told_in_one_sentence_what_is_wrong(body: Any, why: str) -> None:
    status, said = answer(player(SAYS), body)

    assert status == 400
    assert why in said["error"]
    assert "\n" not in said["error"]


def test_a_model_that_fails_is_a_502_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    broken = player(
        ["backend=scripted", "backend.fail_rate=1", "backend.limits.retries=0", "backend.model=m7"]
    )

    with caplog.at_level(logging.WARNING):
        status, said = answer(broken)

    assert status == 502
    assert said == {
        "error": "the model behind this player did not answer; the server's log says why"
    }
    assert "m7" in caplog.text


def test_health_names_the_model_and_other_paths_are_not_found() -> None:
    served = player(["backend=scripted", "backend.model=m7"])

    health = {"status": "ok", "backend": "scripted", "model": "m7"}
    assert answer(served, None, path="/health") == (200, health)
    assert answer(served, path="/else")[0] == 404
    assert answer(served, None)[0] == 405


# Who may ask --------------------------------------------------------------------------------------


def test_a_key_is_asked_for_where_one_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYER_KEY", KEY)
    served = player(SAYS, api_key_env="PLAYER_KEY")

    assert answer(served)[0] == 401
    assert answer(served, headers={"X-API-Key": KEY + "x"})[0] == 401
    assert answer(served, headers={"X-API-Key": "ключ"})[0] == 401
    assert answer(served, headers={"X-API-Key": KEY})[0] == 200
    assert answer(served, None, path="/health")[0] == 200


def test_a_web_page_of_another_site_may_not_ask() -> None:
    assert answer(player(SAYS), headers={"Origin": "https://example.org"})[0] == 403


def test_a_variable_without_a_key_is_refused_before_anything_starts() -> None:
    with pytest.raises(ConfigError, match="NO_SUCH_VARIABLE holds no key"):
        player(SAYS, api_key_env="NO_SUCH_VARIABLE")


# What is served -----------------------------------------------------------------------------------


def test_the_command_line_chooses_backend_and_sampling() -> None:
    served = player(["backend=scripted", "temperature=0.2", "top_p=0.5", "max_tokens=77"])

    drawn = (served.sampling.temperature, served.sampling.top_p, served.sampling.max_tokens)
    assert drawn == (0.2, 0.5, 77)
    assert served.gate.name == "scripted"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("backend=scriptd", "Did you mean 'scripted'?"),
        ("backend.mod=echo", "Did you mean 'mode'?"),
        ("temperature=warm", "must be a number"),
        ("temperature=-1", "give 0 or more"),
        ("game=bargaining", "Allowed: backend, constrain, max_tokens, temperature, top_p."),
        ("agent.player.persona=x", "Allowed: backend, constrain"),
    ],
)
def test_a_wrong_choice_is_one_sentence(wrong: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        player(["backend=scripted", wrong])

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_address_that_is_taken_and_a_model_that_is_not_there_stop_before_serving() -> None:
    async def taken() -> None:
        async with listening(player(SAYS), "127.0.0.1", 0) as address:
            port = int(address.rpartition(":")[2])
            await serve(player(SAYS), host="127.0.0.1", port=port, ready=print)

    with pytest.raises(NotReady, match="cannot be listened at"):
        asyncio.run(taken())
    gone = player(["backend=scripted", "backend.fail_rate=1", "backend.limits.retries=0"])
    with pytest.raises(NotReady, match="backend 'scripted'"):
        asyncio.run(serve(gone, host="127.0.0.1", port=0, ready=print))


# Both sides together ------------------------------------------------------------------------------


@contextmanager
def served_in_a_thread(served: Player) -> Generator[str]:
    """The address of a server on an event loop of its own, as another program would be."""
    ready, address, held = threading.Event(), [], []

    def told(at: str) -> None:
        address.append(at)
        ready.set()

    async def running() -> None:
        held.extend((asyncio.get_running_loop(), asyncio.current_task()))
        await serve(served, host="127.0.0.1", port=0, ready=told, check=False)

    def run() -> None:
        try:
            asyncio.run(running())
        except asyncio.CancelledError:
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    try:
        yield address[0]
    finally:
        held[0].call_soon_threadsafe(held[1].cancel)
        thread.join(10)


@pytest.mark.parametrize("game", ["bargaining", "negotiation", "persuasion"])
def test_our_player_at_both_seats_plays_whole_games_against_our_server(
    game: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYER_KEY", KEY)
    design = ("~experiment", f"game={game}", "backend=scripted", "market.replicates=3", "seed=5")

    with served_in_a_thread(player(["backend=scripted"], api_key_env="PLAYER_KEY")) as url:
        seats = [
            each
            for seat in ("alice", "bob")
            for each in (
                f"+agent@agent.{seat}=http",
                f"agent.{seat}.url={url}",
                f"agent.{seat}.api_key_env=PLAYER_KEY",
            )
        ]
        with catallaxy.run(*design, *seats, "market.seating=by_seat", runs=tmp_path) as record:
            episodes, turns, runs = record.episodes(), record.turns(), record.runs()
            said = record.transcript(episodes["episode"][0])

    assert list(episodes["status"]) == ["settled"] * 3
    assert set(turns["kind"]) == {"move"}
    assert {"system", "user", "assistant"} <= set(said["role"])
    assert KEY not in runs.to_csv()
    assert not [
        path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()
    ]


def test_a_player_that_is_not_there_is_told_before_the_first_episode(tmp_path: Path) -> None:
    seats = ("agent@agent.bob=http", "agent.bob.url=http://127.0.0.1:9")

    with pytest.raises(NotReady, match=r"agent\.bob: http://127\.0\.0\.1:9: .*is url right"):
        catallaxy.run("experiment=glee_bargaining", "backend=scripted", *seats, runs=tmp_path)


# The page about it, and the command ---------------------------------------------------------------


def test_the_example_of_a_foreign_agent_plays_its_halves(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    names: dict[str, Any] = {"__name__": "example"}
    exec(code, names)
    (line,) = re.findall(r"^catallaxy run (.*)$", DOCS, re.MULTILINE)

    with ThreadingHTTPServer(("127.0.0.1", 0), names["Half"]) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        words = shlex.split(line.replace("8771", str(server.server_port)))
        halves = (*words, "market.factors.pie=[100]", "market.factors.delta_a=[0.9]")
        try:
            with catallaxy.run(*halves, "backend.limits.retries=0", runs=tmp_path) as record:
                turns = record.turns()
        finally:
            server.shutdown()
            thread.join()

    his = turns[turns["seat"] == "bob"]
    assert set(his["kind"]) == {"move"}
    offers = [json.loads(move) for move in his["move"] if "gain" in move]
    assert all(offer["alice_gain"] == offer["bob_gain"] == 50 for offer in offers)


@pytest.mark.parametrize("line", re.findall(r"^catallaxy serve-player (.*)$", DOCS, re.MULTILINE))
def test_every_command_of_the_page_makes_a_player(line: str) -> None:
    overrides = [word for word in shlex.split(line) if re.match(r"[a-z_.]+=", word)]

    assert player(overrides).gate.name in line


@pytest.mark.process
def test_the_command_serves_until_ctrl_c_and_leaves_quietly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "catallaxy.platform.launch", "serve-player"]
    process = subprocess.Popen(
        [*command, "backend=scripted", "--port", "0", "backend.model=m7"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    (address,) = re.findall(r"^m7 plays at (\S+); Ctrl-C stops it$", said, re.MULTILINE)
    with urllib.request.urlopen(f"{address}/health", timeout=10) as reply:
        assert json.loads(reply.read())["model"] == "m7"
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=20)

    assert (process.returncode, rest) == (0, "")


@pytest.mark.process
def test_a_command_that_cannot_work_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "catallaxy.platform.launch", "serve-player"]
    wrong = [*command, "backend=scripted", "--api-key-env", "NO_SUCH_VARIABLE"]

    done = subprocess.run(wrong, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == (
        "catallaxy: --api-key-env: the environment variable NO_SUCH_VARIABLE holds no key.\n"
    )
