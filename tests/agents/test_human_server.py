"""The server of the page: whom it serves, what it refuses, when it begins and ends."""

import asyncio
import pickle
import re
from dataclasses import replace
from typing import Any

import pytest

from catallaxy.agents.chat import BackendFailed
from catallaxy.agents.human import PageAgent
from catallaxy.agents.people.page import page_of
from catallaxy.agents.scripted.bargaining import FairBargainer
from tests.agents.people import (
    FAIR,
    YOU,
    Person,
    ask_of,
    asking,
    played,
    with_person,
)

# Whom the server serves.


def test_without_the_token_there_is_nothing_to_see_and_nothing_to_do() -> None:
    async def scene(you: Person) -> None:
        task = asking(YOU, ask_of())
        question = (await you.asked())["game"]["question"]["id"]
        body = {"question": question, "fields": FAIR}
        for token in ("", "x", you.token[:-1], "ü"):
            for method, what in (("GET", "/state"), ("POST", "/answer"), ("POST", "/turn")):
                status, said = await you.send(method, what, token=token, json=body)
                assert (status, "Open the address" in said) == (403, True)
        assert not task.done()
        task.cancel()

    with_person(scene)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:1", "http://localhost", "null"]
)
def test_a_page_of_another_site_is_refused_even_with_the_token(origin: str) -> None:
    async def scene(you: Person) -> None:
        for method, what in (("GET", "/state"), ("POST", "/answer"), ("GET", "")):
            status, _ = await you.send(method, what, headers={"Origin": origin})
            assert status == 403

    with_person(scene)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example:{port}", 421),
        ("localhost.evil.example:{port}", 421),
        ("127.0.0.1", 421),
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("[::1]:{port}", 200),
    ],
)
def test_the_server_answers_to_its_own_name_only(host: str, status: int) -> None:
    async def scene(you: Person) -> None:
        (port,) = re.findall(r":(\d+)/", you.address)
        headers = {"Host": host.format(port=port)}
        assert (await you.send("GET", "", headers=headers))[0] == status

    with_person(scene)


def test_the_page_fetches_nothing_from_elsewhere_and_runs_nothing_inline() -> None:
    async def scene(you: Person) -> None:
        at = f"{you.address.partition('/play')[0]}/static"
        texts = []
        for url in (you.address, f"{at}/page.js", f"{at}/page.css"):
            async with you.session.get(url) as answer:
                texts.append(await answer.text())
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                assert "unsafe" not in answer.headers["Content-Security-Policy"]
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Cache-Control"] == "no-store"
        page, script, style = texts

        assert you.token not in page
        assert re.findall(r'(?:src|href)="([^"]*)"', page)[1:] == [
            "/static/page.css",
            "/static/page.js",
        ]
        assert not re.search(r"\son\w+=|style=|<script>", page)
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", script)
        assert "http" not in script
        assert "url(" not in style

    with_person(scene)


@pytest.mark.parametrize(
    "what", ["/static/../human.py", "/static/page.html", "/static/chair.py", "/play/nobody", "/"]
)
def test_nothing_else_is_served(what: str) -> None:
    async def scene(you: Person) -> None:
        async with you.session.get(f"{you.address.partition('/play')[0]}{what}") as answer:
            assert answer.status == 404

    with_person(scene)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"question": "e"}', 400),
        (b'{"question": "e", "fields": {"a": 1}}', 400),
        (b'{"question": "e", "fields": {"a": "\\ud800"}}', 400),
        (b'{"question": "other", "fields": {}}', 409),
        (b'{"question": "e", "fields": {"a": "' + b"x" * 300_000 + b'"}}', 413),
    ],
)
def test_what_is_no_answer_is_refused_and_changes_nothing(body: bytes, status: int) -> None:
    async def scene(you: Person) -> None:
        task = asking(YOU, ask_of())
        before = await you.asked()
        assert (await you.send("POST", "/answer", data=body))[0] == status
        you.version = ""
        assert await you.asked() == before
        task.cancel()

    with_person(scene)


# Beginning and end.


def test_the_address_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    async def scene(you: Person) -> str:
        for episode in ("a", "b"):
            asking(YOU, ask_of(episode=episode))
        await you.until(lambda seen: seen["waiting"] == 1)
        return f"{you.address}#{you.token}"

    address = with_person(scene)

    assert capsys.readouterr().err == f"To play as 'you', open {address}\n"


def test_an_address_that_is_taken_is_one_sentence_with_the_remedy() -> None:
    async def scene(you: Person) -> None:
        (port,) = re.findall(r":(\d+)/", you.address)
        with pytest.raises(BackendFailed) as refused:
            await PageAgent(port=int(port)).act(ask_of())
        assert "address already in use" in str(refused.value).lower()
        assert "agent.NAME.port=0 takes one that is free" in str(refused.value)

    with_person(scene)


def test_the_server_ends_with_its_loop_and_its_address_is_free_again() -> None:
    async def port_of(you: Person) -> int:
        return int(re.findall(r":(\d+)/", you.address)[0])

    port = with_person(port_of)

    assert with_person(port_of, PageAgent(port=port)) == port


def test_a_question_of_a_stopped_run_is_gone() -> None:
    async def scene(you: Person) -> None:
        task = asking(YOU, ask_of())
        question = (await you.asked())["game"]["question"]["id"]
        task.cancel()
        await you.until(lambda seen: seen["game"]["question"] is None)
        assert await you.answer(question, FAIR) == 409

    with_person(scene)


def test_the_end_of_a_game_does_not_wait_for_a_page_that_nobody_opened() -> None:
    async def scene() -> float:
        agents = {"alice": replace(YOU, timeout_s=None), "bob": FairBargainer()}
        page = page_of(asyncio.get_running_loop(), YOU.host, YOU.port)
        chair = await page.chair(YOU.name)
        game = asyncio.create_task(played(agents))
        while not chair.submit("e.1.alice.0.0", FAIR):  # noqa: ASYNC110  nobody listens here
            await asyncio.sleep(0.01)
        begun = asyncio.get_running_loop().time()
        await game
        return asyncio.get_running_loop().time() - begun

    assert asyncio.run(scene()) < 1


def test_an_agent_travels_as_plain_data() -> None:
    assert pickle.loads(pickle.dumps(YOU)) == YOU


@pytest.mark.parametrize(
    ("field", "value"), [("name", "a b"), ("name", "../x"), ("port", 70_000), ("timeout_s", -1)]
)
def test_a_field_that_no_page_can_have_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{field}: give"):
        PageAgent(**{field: value})
