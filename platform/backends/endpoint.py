"""A thin client of the OpenAI wire format, for engines of our own. Knows no retries, no limits.

A hosted provider's own client costs 3 to 17 ms of CPU a call; this one about a tenth of one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any

import aiohttp
import orjson

from catallaxy.agents.chat import BackendFailed, Message, Reply, Sampling, Schema
from catallaxy.platform.backends.base import Backend
from catallaxy.platform.backends.failures import hide, key_in, refused, without_secret
from catallaxy.platform.backends.limits import FREE, Limits, Prices
from catallaxy.platform.backends.loops import PerLoop
from catallaxy.platform.backends.wire import (
    MaxTokensField,
    Structured,
    reply_in,
    request,
    response_format,
)

LARGEST_BODY = 64 * 1024 * 1024
KEEP_ALIVE_S = 4.0  # less than the 5 s after which uvicorn, and so vLLM, closes an idle connection


@dataclass(frozen=True, kw_only=True)
class Endpoint(Backend):
    """Any server that speaks `POST {base_url}/chat/completions`.

    `api_key_env` names the environment variable with the key, read anew for every call. `extra`
    is added to every request body. `provider` is what the record calls the server.
    """

    base_url: str
    model: str
    api_key_env: str | None = None
    structured: Structured = "json_schema"
    extra: Mapping[str, Any] = field(default_factory=dict)
    send_seed: bool = True
    max_tokens_field: MaxTokensField = "max_tokens"
    provider: str = "openai_compatible"  # ty: ignore[incompatible-attribute-override]  # a choice
    limits: Limits = field(default_factory=Limits)
    prices: Prices = FREE

    def __post_init__(self) -> None:
        without_secret(self.base_url)

    @property
    def address(self) -> str:
        return hide(self.base_url)

    @property
    def constrains(self) -> bool:
        return self.structured == "json_schema"

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        body = {
            **request(
                self.model,
                messages,
                sampling,
                max_tokens_field=self.max_tokens_field,
                send_seed=self.send_seed,
            ),
            **response_format(schema, self.structured),
            **self.extra,
        }
        try:
            content = orjson.dumps(body)
        except TypeError as error:
            raise BackendFailed(f"{self.where}: this cannot be sent as JSON: {error}") from error
        try:
            async with self._sessions.get().post(
                self._url, data=content, headers=self._headers(sampling), allow_redirects=False
            ) as response:
                answer = await self._read(response)
                if response.status != 200:
                    said = answer.decode("utf-8", "replace")
                    raise refused(
                        self.where,
                        response.status,
                        said,
                        response.headers,
                        key_env=self.api_key_env,
                    )
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
            raise self._unreachable(error) from error
        return self._understand(answer)

    async def close(self) -> None:
        session = self._sessions.take()
        if session is not None:
            await session.close()

    @cached_property
    def _sessions(self) -> PerLoop[aiohttp.ClientSession]:
        return PerLoop(
            lambda: aiohttp.ClientSession(
                # the gate bounds how many are in flight and how long each may take
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        )

    @cached_property
    def _url(self) -> str:
        return f"{self.base_url.rstrip('/')}/chat/completions"

    def _headers(self, sampling: Sampling) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        key = key_in(self.api_key_env)
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        if sampling.call is not None:
            # hashed: a router may compare session ids by prefix, and a header holds no umlaut
            session = blake2b(sampling.call.dialogue.encode(), digest_size=16).hexdigest()
            headers["X-Session-ID"] = session
        return headers

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > LARGEST_BODY:
                raise BackendFailed(f"{self.where}: the answer is larger than {LARGEST_BODY} bytes")
        return bytes(content)

    def _understand(self, answer: bytes) -> Reply:
        try:
            body = orjson.loads(answer)
        except orjson.JSONDecodeError as error:
            raise BackendFailed(
                f"{self.where}: the answer is not JSON: {answer[:80]!r}", transient=True
            ) from error
        return reply_in(body, self.where)

    def _unreachable(self, error: Exception) -> BackendFailed:
        return BackendFailed(
            f"{self.where}: {type(error).__name__}: {hide(str(error))}; "
            "is the server running, and is base_url right?",
            transient=not isinstance(error, aiohttp.InvalidURL),
        )
