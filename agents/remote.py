"""A player behind HTTP, in the protocol of GLEE's HTTP player. Knows no game, keeps no connection.

`POST {url}/chat` with `messages`, `decision` and `game_params`; the answer is `{"response": TEXT}`.
Described in docs/http_players.md.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_origin, get_type_hints
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import aiohttp
import orjson

from catallaxy.agents.base import Act, Ask, trouble
from catallaxy.agents.chat import BackendFailed, Message
from catallaxy.agents.game_params import game_params
from catallaxy.agents.moves import Extraction, read
from catallaxy.games.base import Remark

LARGEST_ANSWER = 1_000_000  # bytes
TOO_LATE = "You did not answer within {seconds:.15g} seconds."
TOO_LARGE = "Your answer is larger than {most} bytes."
NO_RESPONSE = 'Your answer was no JSON object with a text under "response".'
SILENCE = "(no answer)"  # what a dialogue has where nothing came, so that its roles still alternate

_CONNECT_S = 10.0
_CHECK_S = 30.0
_BACKOFF_MAX_S = 30.0
_EXCERPT = 300  # characters of a server's words in an error
_TRANSIENT = frozenset({408, 425, 429})

Decision: TypeAlias = Literal["filled", "false"]


class BadAnswer(ValueError):
    """What the player must be told about its answer; `heard` is what came, for the record."""

    def __init__(self, remark: Remark, heard: str = SILENCE) -> None:
        super().__init__(remark)
        self.heard = heard


@dataclass(frozen=True)
class RemotePlayer:
    """A foreign agent at `url`.

    An answer that takes longer than `timeout_s`, that is too large or that cannot be read is a bad
    try of the player's. A server that cannot be reached or fails (5xx) is asked again, `retries`
    times, waiting `backoff_s` seconds, twice that, and so on up to 30; then the episode fails.
    `concurrency` bounds the questions under way. The key for `X-API-Key` is read from the
    environment variable `api_key_env` or the file `api_key_file` for every question. `decision`
    says whether that field of the protocol tells if an answer is due, or is always false, as
    GLEE's own games send it. Raises ValueError for a field that cannot be.
    """

    url: str
    timeout_s: float = 120.0
    api_key_env: str | None = None
    api_key_file: str | None = None
    decision: Decision = "filled"
    retries: int = 4
    backoff_s: float = 1.0
    concurrency: int = 8
    json_extraction: Extraction = "string_aware"

    def __post_init__(self) -> None:
        _check_url(self.url)
        if self.api_key_env and self.api_key_file:
            raise ValueError("api_key_env, api_key_file: give one of the two.")
        if not self.timeout_s > 0:
            raise ValueError(f"timeout_s: give seconds above 0; you gave {self.timeout_s!r}.")
        for name, least in (("retries", 0), ("backoff_s", 0), ("concurrency", 1)):
            if not getattr(self, name) >= least:
                raise ValueError(f"{name}: give {least} or more; you gave {getattr(self, name)!r}.")

    def __getstate__(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    async def act(self, ask: Ask) -> Act:
        """Put the whole dialogue to the player and read its move.

        Raises BackendFailed when the server cannot be reached, fails or refuses the request.
        """
        said = ask.wording.messages(ask, persona="", scratchpad=False)
        try:
            text = await self._response(self._request(ask, (*ask.dialogue, *said)))
        except BadAnswer as error:
            return Act(None, (*said, Message("assistant", error.heard)), None, trouble(error))
        added = (*said, Message("assistant", text))
        try:
            found = read(text, ask.move_type, extraction=self.json_extraction)
        except ValueError as error:
            return Act(None, added, None, trouble(error))
        return Act(found.move, added, None, None, found.reasoning)

    async def check(self) -> None:
        """See whether a server answers at all, in whatever words, and whether there is a key."""
        headers = self._headers()
        try:
            async with (
                self._session() as session,
                asyncio.timeout(min(_CHECK_S, self.timeout_s)),
                session.get(f"{self._base}/health", headers=headers, allow_redirects=False),
            ):
                pass
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is one
            raise self._unreachable(error) from error

    async def close(self) -> None:
        """Nothing is kept: every question has a connection of its own."""

    def _request(self, ask: Ask, dialogue: Sequence[Message]) -> bytes:
        body = {
            "messages": [{"role": each.role, "content": each.content} for each in dialogue],
            "decision": self.decision == "filled" and is_answer(ask.move_type),
            "game_params": game_params(ask),
        }
        return json.dumps(body).encode()  # escapes what is no UTF-8, unlike orjson

    async def _response(self, content: bytes) -> str:
        attempt = 0
        while True:
            try:
                async with self._slot():
                    return _text_in(await self._ask(content))
            except BackendFailed as error:
                if not error.transient or attempt >= self.retries:
                    raise
            await asyncio.sleep(min(_BACKOFF_MAX_S, self.backoff_s * 2.0**attempt))
            attempt += 1

    async def _ask(self, content: bytes) -> bytes:
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._post(content)
        except TimeoutError as error:
            raise BadAnswer(Remark(TOO_LATE, seconds=self.timeout_s)) from error

    async def _post(self, content: bytes) -> bytes:
        try:
            async with (
                self._session() as session,
                session.post(
                    f"{self._base}/chat",
                    data=content,
                    headers={"Content-Type": "application/json", **self._headers()},
                    allow_redirects=False,
                ) as response,
            ):
                if response.status != 200:
                    why = await response.content.read(4 * _EXCERPT)
                    raise self._refused(response.status, why)
                return await _read(response)
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
            raise self._unreachable(error) from error

    def _session(self) -> aiohttp.ClientSession:
        connect = min(_CONNECT_S, self.timeout_s / 2)  # sooner than the player's own time is up
        return aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    @property
    def _base(self) -> str:
        return self.url.rstrip("/")

    def _slot(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        return self._slots.setdefault(loop, asyncio.Semaphore(self.concurrency))

    @cached_property
    def _slots(self) -> WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]:
        return WeakKeyDictionary()

    def _headers(self) -> dict[str, str]:
        key = self._key()
        return {} if key is None else {"X-API-Key": key}

    def _key(self) -> str | None:
        if self.api_key_env:
            key, where = os.environ.get(self.api_key_env, ""), f"variable {self.api_key_env}"
        elif self.api_key_file:
            where = f"file {self.api_key_file}"
            try:
                key = Path(self.api_key_file).expanduser().read_text(encoding="utf-8")
            except (OSError, ValueError) as error:
                said = f"{self.url}: the {where} with the API key cannot be read"
                raise BackendFailed(f"{said}: {type(error).__name__}") from error
        else:
            return None
        if not (key := key.strip()).isprintable() or not key:
            raise BackendFailed(f"{self.url}: there is no API key in the {where}")
        return key

    def _refused(self, status: int, why: bytes) -> BackendFailed:
        words = [f"{self.url}: HTTP {status}", self._excerpt(why), _remedy(status)]
        transient = status in _TRANSIENT or status >= 500
        return BackendFailed("; ".join(word for word in words if word), transient=transient)

    def _unreachable(self, error: Exception) -> BackendFailed:
        known = not isinstance(error, aiohttp.InvalidURL)
        said = " ".join(str(error).split())[:_EXCERPT] or "no answer"
        return BackendFailed(
            f"{self.url}: {type(error).__name__}: {said}; "
            "is the player's server running, and is url right?",
            transient=known,
        )

    def _excerpt(self, answer: bytes) -> str:
        text = answer.decode("utf-8", "replace")
        if key := self._key():
            text = text.replace(key, "[hidden]")
        plain = "".join(char if char.isprintable() else " " for char in text)
        return " ".join(plain.split())[:_EXCERPT]


def is_answer(move_type: type[Any]) -> bool:
    """Whether a move only chooses among words, such as accept and reject."""
    hints = get_type_hints(move_type)
    kinds = [get_origin(hints[each.name]) for each in fields(move_type)]
    return bool(kinds) and all(kind is Literal for kind in kinds)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise BadAnswer(Remark(TOO_LARGE, most=LARGEST_ANSWER))
    return bytes(content)


def _text_in(answer: bytes) -> str:
    try:
        said = orjson.loads(answer)["response"]
    except (orjson.JSONDecodeError, TypeError, KeyError, IndexError):
        said = None
    if not isinstance(said, str):
        raise BadAnswer(Remark(NO_RESPONSE), answer.decode("utf-8", "replace") or SILENCE)
    return said


def _check_url(url: str) -> None:
    if set("@?#") & set(url):  # not said again: it may hold a secret
        raise ValueError(
            "url: give the address alone, without user, password, query or fragment; a key belongs "
            "in api_key_env or api_key_file."
        )
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url: give an address such as http://127.0.0.1:8770; you gave {url!r}.")


def _remedy(status: int) -> str:
    if 300 <= status < 400:
        return "it redirects elsewhere: give the address that it redirects to"
    return {
        401: "name a valid key's variable in api_key_env, or its file in api_key_file",
        403: "name a valid key's variable in api_key_env, or its file in api_key_file",
        404: "there is no /chat below this url",
        405: "this is no player's server: /chat takes no POST",
    }.get(status, "")
