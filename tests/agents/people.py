"""Asks, tables and a person at the page that tests of people share."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import lru_cache
from random import Random
from typing import Any

import aiohttp

from catallaxy.agents.base import Act, Agent, Ask
from catallaxy.agents.chat import CallKey, Message
from catallaxy.agents.human import PageAgent
from catallaxy.agents.people.chair import Chair
from catallaxy.agents.people.page import page_of
from catallaxy.agents.wording import Wording
from catallaxy.games.glee.bargaining import Bargaining
from catallaxy.platform.compose import composed
from catallaxy.platform.config import build
from catallaxy.platform.episode import Table
from catallaxy.platform.record import Engagement, Episode

RULES = Bargaining(pie=100, messages_allowed=True, max_rounds=4)


@lru_cache(maxsize=16)
def words_of(game: str = "bargaining", name: str = "plain") -> Wording:
    """A wording as it is composed."""
    given = ["~experiment", f"game={game}", f"game/wording={name}"]
    return build(composed(given)["game"]["wording"], at="wording", expected=Wording)


WORDS = words_of()


def ask_of(
    rules: Any = RULES,
    *moves: Any,
    words: Any = WORDS,
    dialogue: tuple[Message, ...] = (),
    objection: str | None = None,
    episode: str = "e",
    tried: int = 0,
) -> Ask:
    """What the seat that is to move is asked after `moves`."""
    state = rules.start(Random(0))
    for move in moves:
        state = rules.step(state, {rules.to_move(state)[0]: move})
    (seat,) = rules.to_move(state)
    return Ask(
        seat=seat,
        view=rules.view(state, seat),
        move_type=rules.move_type(state, seat),
        dialogue=dialogue,
        wording=words,
        seed=1,
        call=CallKey(episode, seat, len(moves), tried),
        objection=objection,
        tries_left=3 - tried,
    )


async def played(
    agents: Mapping[str, Agent], rules: Any = RULES, words: Wording = WORDS, episode: str = "e"
) -> Episode:
    """One episode of those agents at a table with three tries."""
    engagement = Engagement(
        ordinal=0,
        id=episode,
        game="bargaining",
        variant="v",
        rules=rules,
        seats={seat: seat for seat in rules.seats},
        seed=1,
    )
    return await Table(tries=3).play(engagement, words, agents)


YOU = PageAgent(port=0)
FAIR = {"alice_gain": "50", "bob_gain": "50", "message": "fair"}


class Person:
    """Somebody with the address of a page, who speaks to the server as the page does."""

    def __init__(self, session: aiohttp.ClientSession, chair: Chair, address: str) -> None:
        self.session = session
        self.address, _, self.token = address.partition("#")
        self.chair = chair
        self.version: int | str = ""

    async def send(
        self, method: str, what: str = "", *, token: str | None = None, **given: Any
    ) -> tuple[int, Any]:
        """The status and the JSON of one request."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        headers |= given.pop("headers", {})
        url = f"{self.address}{what}"
        async with self.session.request(method, url, headers=headers, **given) as answer:
            body = await answer.read()
            json = answer.content_type == "application/json"
            return answer.status, await answer.json() if json else body.decode()

    async def news(self) -> dict[str, Any]:
        """What the page shows next."""
        _, seen = await self.send("GET", f"/state?after={self.version}")
        self.version = seen["version"]
        return seen

    async def until(self, wanted: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """What the page shows when it is as wanted."""
        async with asyncio.timeout(10):
            while not wanted(seen := await self.news()):
                pass
        return seen

    async def asked(self) -> dict[str, Any]:
        """The next state with a question."""
        return await self.until(lambda seen: seen["game"] and seen["game"]["question"])

    async def answer(self, question: str, fields: dict[str, str]) -> int:
        """Send an answer; the status."""
        body = {"question": question, "fields": fields}
        return (await self.send("POST", "/answer", json=body))[0]

    async def reply(self, **fields: str) -> dict[str, Any]:
        """Answer the next question; the state in which it was shown."""
        seen = await self.asked()
        assert await self.answer(seen["game"]["question"]["id"], fields) == 204
        return seen


@contextlib.asynccontextmanager
async def person(agent: PageAgent = YOU) -> AsyncGenerator[Person]:
    """The person of `agent`, with the page open."""
    page = page_of(asyncio.get_running_loop(), agent.host, agent.port)
    chair = await page.chair(agent.name)
    async with aiohttp.ClientSession() as session:
        yield Person(session, chair, page.address(chair))


def with_person(scene: Callable[[Person], Awaitable[Any]], agent: PageAgent = YOU) -> Any:
    async def run() -> Any:
        async with person(agent) as somebody:
            return await scene(somebody)

    return asyncio.run(run())


def asking(agent: PageAgent, ask: Ask) -> asyncio.Task[Act]:
    return asyncio.create_task(agent.act(ask))
