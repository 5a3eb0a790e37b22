"""Any langchain-core chat model as a backend. Nothing of LangChain goes further in than this file.

Its calls cost 0.2 to 0.6 ms of CPU more than a client of the wire format.
"""

import importlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from catallaxy.agents.chat import BackendFailed, Message, Reply, Sampling, Schema, Usage
from catallaxy.platform.backends.base import Backend
from catallaxy.platform.backends.failures import TRANSIENT, Refused, excerpt, retry_after
from catallaxy.platform.backends.limits import Limits, Prices
from catallaxy.platform.backends.wire import response_format, tokens, whole

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage

_KEY = re.compile(r"api_?key|secret|password|access_?token|credential", re.I)
_PASSING = re.compile(
    r"ratelimit|timeout|connect|overloaded|unavailable|internalserver|exhausted|throttl", re.I
)


@dataclass(frozen=True, kw_only=True)
class LangChain(Backend):
    """A chat model named by its class path, such as `langchain_anthropic.ChatAnthropic`.

    `arguments` are the class's own; a key is never one of them: `secrets` maps an argument to the
    environment variable that holds it. `sends` are the sampling choices that the class takes.
    """

    provider: ClassVar[str] = "langchain"

    class_path: str
    model: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    structured: Literal["response_format", "none"] = "none"
    sends: tuple[Literal["temperature", "top_p", "max_tokens", "seed"], ...] = (
        "temperature",
        "max_tokens",
    )
    limits: Limits = field(default_factory=Limits)
    prices: Prices = field(default_factory=Prices)

    def __post_init__(self) -> None:
        named = [name for name in self.arguments if _KEY.search(name)]
        if named:
            raise ValueError(
                f"arguments must not hold a key ({', '.join(named)}): put it in an environment "
                f"variable, and that variable's name under secrets."
            )

    @property
    def address(self) -> str:
        return self.class_path

    @property
    def constrains(self) -> bool:
        return self.structured == "response_format"

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        chosen = ((name, getattr(sampling, name)) for name in self.sends)
        options: dict[str, Any] = {name: value for name, value in chosen if value is not None}
        if self.structured == "response_format":
            options |= response_format(schema, "json_schema")
        model = self._chat_model.bind(**options) if options else self._chat_model
        try:
            said = await model.ainvoke([_theirs(message) for message in messages])
        except Exception as error:
            raise self._failed(error) from error
        return _ours(said)

    @cached_property
    def _chat_model(self) -> "BaseChatModel":
        module, _, name = self.class_path.rpartition(".")
        secrets = self._keys()
        try:
            # a class of the user's choosing, 0.6 s and more to import: not before it is asked
            found = getattr(importlib.import_module(module), name)
            return found(**self.arguments, **secrets)
        except ModuleNotFoundError as error:
            raise BackendFailed(
                f"{self.where}: {error}; install the package that has {self.class_path}"
            ) from error
        except Exception as error:  # noqa: BLE001 - the same: its constructor is not ours
            raise self._failed(error) from None

    def _keys(self) -> dict[str, str]:
        missing = [name for name in self.secrets.values() if not os.environ.get(name)]
        if missing:
            raise BackendFailed(
                f"{self.where}: no API key; set the environment variable {', '.join(missing)}"
            )
        return {argument: os.environ[name] for argument, name in self.secrets.items()}

    def _failed(self, error: Exception) -> BackendFailed:
        keys = [os.environ.get(name) for name in self.secrets.values()]
        kind = type(error).__name__
        words = f"{self.where}: {kind}: {excerpt(str(error), secrets=keys)}"
        response = getattr(error, "response", None)
        status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
        if isinstance(status, int):
            headers = getattr(response, "headers", None) or {}
            transient = status in TRANSIENT or status >= 500
            return Refused(
                words,
                status=status,
                transient=transient,
                retry_after=retry_after(headers) if transient else None,
            )
        passing = isinstance(error, (ConnectionError, TimeoutError)) or _PASSING.search(kind)
        return BackendFailed(words, transient=bool(passing))


def _theirs(message: Message) -> "BaseMessage":
    # by now the user's class has imported it
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage  # noqa: PLC0415

    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return kinds[message.role](content=message.content)


def _ours(said: "AIMessage") -> Reply:
    usage: Mapping[str, Any] = said.usage_metadata or {}
    meta = said.response_metadata
    return Reply(
        text=whole(str(said.text)),
        usage=Usage(
            input=tokens(usage.get("input_tokens")),
            output=tokens(usage.get("output_tokens")),
            cached=tokens((usage.get("input_token_details") or {}).get("cache_read")),
            reasoning=tokens((usage.get("output_token_details") or {}).get("reasoning")),
        ),
        finish=str(meta.get("finish_reason") or meta.get("stop_reason") or "stop"),
        model=str(meta.get("model_name") or meta.get("model") or ""),
        id=str(said.id or ""),
        reasoning=whole(str(said.additional_kwargs.get("reasoning_content") or "")),
    )
