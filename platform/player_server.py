"""A model as a player behind HTTP, in the protocol of GLEE's HTTP player: `catallaxy serve-player`.

`POST /chat` with `messages`; the answer is `{"response": TEXT}`. Knows no game: a text is asked,
a text is answered. Described in docs/http_players.md.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, get_args

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from catallaxy.agents.chat import BackendFailed, Message, Role, Sampling, Schema
from catallaxy.agents.chat_agent import ChatAgent
from catallaxy.platform.backends.failures import key_in
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.compose import composed
from catallaxy.platform.config import build, known
from catallaxy.platform.errors import ConfigError, NotReady

log = logging.getLogger(__name__)

LARGEST_REQUEST = 16_000_000  # bytes
_ROLES = get_args(Role)
_SHORT = ("temperature", "top_p", "max_tokens", "constrain")  # fields of the agent `player`
_FAREWELL_S = 2.0  # what is being answered when the server stops has so long to be done


@dataclass(frozen=True, slots=True)
class Player:
    """What answers: a model, how its replies are drawn, and who may ask.

    `key` is what a question must bring as `X-API-Key`, None if anybody may ask. `constrain` passes
    on the JSON schema of the answer where the question has one.
    """

    gate: Gate
    sampling: Sampling
    constrain: bool = True
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What one request asks. `schema` is what the answer must keep to, if the asker says so."""

    messages: tuple[Message, ...]
    schema: Schema | None


class BadRequest(ValueError):
    """A request that is none of this protocol; the text says what is wrong with it."""


def player(overrides: Sequence[str], *, api_key_env: str | None = None) -> Player:
    """The player of a command line: `backend=NAME`, `backend.FIELD=VALUE`, `temperature=VALUE` ...

    Raises ConfigError with one sentence.
    """
    for override in overrides:
        name = override.partition("=")[0]
        known(name.partition(".")[0], ("backend", *_SHORT), at=name)
    spelled = [f"agent.player.{o}" if o.partition("=")[0] in _SHORT else o for o in overrides]
    config = composed(["~experiment", "+agent@agent.player=chat", *spelled])
    fields = dict(config["agent"]["player"])
    name = fields.pop("backend")
    gate = Gate(name, build(config["backends"][name], at=f"backend {name!r}"))
    agent = build({**fields, "model": gate}, at="agent.player", expected=ChatAgent)
    key = key_in(api_key_env)
    if api_key_env and key is None:
        raise ConfigError(f"--api-key-env: the environment variable {api_key_env} holds no key.")
    sampling = Sampling(agent.temperature, agent.top_p, agent.max_tokens)
    return Player(gate, sampling, agent.constrain, key)


async def serve(
    served: Player, *, host: str, port: int, ready: Callable[[str], None], check: bool = True
) -> None:
    """Answer until cancelled. `ready` is called with the address once it is open.

    `check` asks the model one question first. Raises NotReady if model or address are not there.
    """
    try:
        if check:
            await served.gate.check()
        async with listening(served, host, port) as address:
            ready(address)
            await asyncio.Event().wait()
    finally:
        await served.gate.close()


@asynccontextmanager
async def listening(served: Player, host: str, port: int) -> AsyncGenerator[str]:
    """A server for `served` as long as the context lasts; its address. Port 0 is any free one.

    Raises NotReady if the address is taken.
    """
    runner = web.AppRunner(
        application(served),
        access_log=None,
        handler_cancellation=True,  # who no longer waits need not be paid for
        shutdown_timeout=_FAREWELL_S,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise NotReady(f"{host}:{port} cannot be listened at ({why}); take another") from error
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def application(served: Player) -> web.Application:
    """The server without an address."""

    async def chat(request: web.Request) -> web.Response:
        _allow(request, served.key)
        question = read_question(await request.read())
        started = time.monotonic()
        schema = question.schema if served.constrain else None
        reply = await served.gate.reply(question.messages, schema, served.sampling)
        took, length = time.monotonic() - started, len(question.messages)
        log.info("%s: a dialogue of %d, answered in %.1f s", request.remote, length, took)
        return _json({"response": reply.text})

    async def health(request: web.Request) -> web.Response:
        model = served.gate.backend.model
        return _json({"status": "ok", "backend": served.gate.name, "model": model})

    app = web.Application(middlewares=[_in_words], client_max_size=LARGEST_REQUEST)
    app.router.add_post("/chat", chat)
    app.router.add_get("/health", health)
    return app


def read_question(body: bytes) -> Question:
    """The question in the body of a request. Raises BadRequest."""
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    if not isinstance(asked, dict):
        raise BadRequest('the body must be a JSON object with "messages"')
    messages = asked.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest('"messages" must be a list of at least one message')
    params = asked.get("game_params")
    schema = params.get("answer_schema") if isinstance(params, dict) else None
    read = tuple(_message(number, each) for number, each in enumerate(messages))
    return Question(read, schema if isinstance(schema, dict) else None)


def _message(number: int, given: Any) -> Message:
    if not isinstance(given, dict):
        raise BadRequest(f"messages[{number}] must be an object with role and content")
    role, content = given.get("role"), given.get("content")
    if role not in _ROLES:
        raise BadRequest(f"messages[{number}].role must be {', '.join(_ROLES)}, not {role!r:.40}")
    if not isinstance(content, str):
        raise BadRequest(f"messages[{number}].content must be text")
    return Message(role, content)


def _allow(request: web.Request, key: str | None) -> None:
    if "Origin" in request.headers:  # a web page in somebody's browser must not spend our money
        raise web.HTTPForbidden(text="web pages may not ask")
    given = request.headers.get("X-API-Key", "")
    if key is not None and not secrets.compare_digest(
        given.encode("utf-8", "replace"), key.encode()
    ):
        raise web.HTTPUnauthorized(text="X-API-Key is missing or wrong")


@web.middleware
async def _in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong is a status and one sentence in JSON."""
    try:
        return await handler(request)
    except BadRequest as error:
        status, said = 400, str(error)
    except BackendFailed as error:
        log.warning("%s", error)
        status, said = 502, "the model behind this player did not answer; the server's log says why"
    except web.HTTPException as error:
        status, said = error.status, error.text or error.reason
    return _json({"error": " ".join(said.split())}, status)


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(body), status=status, content_type="application/json", charset="utf-8"
    )
