"""LangChain at the edge, in both directions."""

import asyncio
import pickle
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from catallaxy.agents.chat import BackendFailed, Reply, Usage
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.backends.langchain import LangChain
from catallaxy.platform.backends.langchain_model import CatallaxyChatModel
from catallaxy.platform.backends.scripted import Scripted
from tests.platform.loopback import ASKED, SCHEMA, sampling

CANARY = "canary-4815162342"


class RateLimitError(Exception):
    """What providers' packages raise."""

    status_code = 429


class Fake(BaseChatModel):
    """Says what it was given, with usage; fails on demand."""

    fails: str = ""
    api_key: str = ""

    @property
    def _llm_type(self) -> str:
        return "fake"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if self.fails == "limit":
            raise RateLimitError(f"slow down, {self.api_key}")
        if self.fails == "connection":
            raise ConnectionResetError("gone")
        if self.fails == "bug":
            raise ValueError("a bug")
        said = AIMessage(
            content=" / ".join(f"{m.type}:{m.text}" for m in messages) + f" {sorted(kwargs)}",
            usage_metadata={
                "input_tokens": 30,
                "output_tokens": 9,
                "total_tokens": 39,
                "input_token_details": {"cache_read": 20},
                "output_token_details": {"reasoning": 4},
            },
            response_metadata={"finish_reason": "length", "model_name": "fake-1"},
        )
        return ChatResult(generations=[ChatGeneration(message=said)])


def fake(**more: Any) -> LangChain:
    usual: dict[str, Any] = {"class_path": f"{__name__}.Fake", "model": "fake"}
    return LangChain(**usual | more)


def ask(backend: LangChain) -> Reply:
    return asyncio.run(backend.reply(ASKED, SCHEMA, sampling()))


def test_messages_usage_and_finish_are_translated() -> None:
    reply = ask(fake())
    assert reply.text.startswith("system:You divide $100. / human:Your offer?")
    assert reply.usage == Usage(30, 9, 20, 4)
    assert (reply.finish, reply.model) == ("length", "fake-1")


def test_only_the_choices_that_the_class_takes_are_sent() -> None:
    assert ask(fake()).text.endswith("['max_tokens', 'temperature']")
    assert ask(fake(sends=())).text.endswith("[]")
    text = ask(fake(sends=("seed",), structured="response_format")).text
    assert text.endswith("['response_format', 'seed']")


@pytest.mark.parametrize(("fails", "transient"), [("limit", 1), ("connection", 1), ("bug", 0)])
def test_errors_of_any_library_become_backend_failed(fails: str, transient: int) -> None:
    with pytest.raises(BackendFailed, match="Fake") as caught:
        ask(fake(arguments={"fails": fails}))
    assert caught.value.transient == bool(transient)


def test_a_key_comes_from_the_environment_and_is_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ValueError, match="secrets"):
        fake(arguments={"api_key": CANARY})
    backend = fake(arguments={"fails": "limit"}, secrets={"api_key": "FAKE_KEY"})
    with pytest.raises(BackendFailed, match="set the environment variable FAKE_KEY"):
        ask(backend)
    monkeypatch.setenv("FAKE_KEY", CANARY)
    with pytest.raises(BackendFailed, match="slow down") as caught:
        ask(backend)
    assert CANARY not in str(caught.value)
    assert CANARY.encode() not in pickle.dumps(Gate("g", backend))


def test_a_package_that_is_missing_is_named() -> None:
    with pytest.raises(BackendFailed, match=r"install the package that has nowhere\.Model"):
        ask(LangChain(class_path="nowhere.Model", model="m"))


def test_our_model_serves_as_theirs() -> None:
    model = CatallaxyChatModel(chat_model=Gate("s", Scripted(mode="echo")))
    asked = [SystemMessage("rules"), HumanMessage("hello STOP there")]
    said = asyncio.run(model.ainvoke(asked, stop=[" STOP"]))
    assert said.text == "hello"
    assert said.usage_metadata is not None
    assert said.usage_metadata["input_tokens"] == 5
    assert model.invoke("hi").text == "hi"


def test_our_model_takes_a_schema_and_refuses_tools() -> None:
    model = CatallaxyChatModel(chat_model=Scripted(mode="random"))
    format_ = {"type": "json_schema", "json_schema": {"name": "move", "schema": SCHEMA}}
    assert "keep" in asyncio.run(model.ainvoke("offer", response_format=format_, seed=3)).text
    with pytest.raises(ValueError, match="tools"):
        asyncio.run(model.ainvoke("offer", tools=[]))
