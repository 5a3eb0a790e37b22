"""Hosted providers, through the `openai` package. Knows no retries and no limits: a gate has them.

Engines of our own are reached by `endpoint.py`, whose calls cost a tenth as much CPU.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from catallaxy.agents.chat import BackendFailed, Message, Reply, Sampling, Schema
from catallaxy.platform.backends.base import Backend
from catallaxy.platform.backends.failures import excerpt, hide, key_in, refused, without_secret
from catallaxy.platform.backends.limits import Limits, Prices
from catallaxy.platform.backends.loops import PerLoop
from catallaxy.platform.backends.wire import (
    MaxTokensField,
    Structured,
    reply_in,
    request,
    response_format,
)

if TYPE_CHECKING:
    from types import ModuleType

    from openai import AsyncOpenAI


@dataclass(frozen=True, kw_only=True)
class OpenAI(Backend):
    """OpenAI, or a provider that speaks its format at `base_url`.

    `api_key_env` names the environment variable with the key. `max_tokens_field` is what the model
    wants its limit to be called; newer ones refuse `max_tokens`. `extra` is added to every body.
    """

    provider: ClassVar[str] = "openai"

    model: str = "gpt-4o-mini"
    base_url: str = "https://api.openai.com/v1"
    api_key_env: str = "OPENAI_API_KEY"
    structured: Structured = "json_schema"
    max_tokens_field: MaxTokensField = "max_completion_tokens"
    send_seed: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    prices: Prices = field(default_factory=Prices)

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
        key = key_in(self.api_key_env)
        if key is None:
            raise BackendFailed(
                f"{self.where}: no API key; set the environment variable {self.api_key_env}"
            )
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
        library = self._library
        try:
            # a plain body: `chat.completions.create` walks every message, 150 µs each
            answer = await self._clients.get().post(
                "/chat/completions",
                cast_to=object,
                body=body,
                options={"headers": {"Authorization": f"Bearer {key}"}},
            )
        except library.APIStatusError as error:
            said = error.response.text
            raise refused(
                self.where,
                error.status_code,
                said,
                error.response.headers,
                key_env=self.api_key_env,
            ) from None
        except library.APIConnectionError as error:
            cause = error.__cause__ or error
            raise self._failed(f"{type(cause).__name__}: {cause}", transient=True) from error
        except (library.OpenAIError, ValueError, TypeError) as error:
            transient = isinstance(error, (library.APIError, ValueError))
            raise self._failed(f"{type(error).__name__}: {error}", transient=transient) from error
        return reply_in(answer, self.where)

    async def close(self) -> None:
        client = self._clients.take()
        if client is not None:
            await client.close()

    @cached_property
    def _library(self) -> "ModuleType":
        # 0.6 s to import: only a run that asks a hosted provider pays for it
        import openai  # noqa: PLC0415

        return openai

    @cached_property
    def _clients(self) -> "PerLoop[AsyncOpenAI]":
        return PerLoop(
            lambda: self._library.AsyncOpenAI(
                api_key="set per request",  # so that no object of ours ever holds the key
                base_url=self.base_url,
                max_retries=0,
                timeout=self.limits.timeout_s + 5.0,  # the gate's own comes first
            )
        )

    def _failed(self, words: str, *, transient: bool) -> BackendFailed:
        secrets = (key_in(self.api_key_env),)
        return BackendFailed(
            f"{self.where}: {excerpt(words, secrets=secrets)}", transient=transient
        )
