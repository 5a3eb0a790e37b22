"""Our ChatModel as a langchain-core chat model, for chains and agents written with LangChain.

The other direction, a LangChain model as a backend, is `langchain.py`.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult

from catallaxy.agents.chat import ChatModel, Message, Reply, Role, Sampling, Schema

_SAMPLING = ("temperature", "top_p", "max_tokens", "seed", "call")


class CatallaxyChatModel(BaseChatModel):
    """Wraps any ChatModel, usually a Gate.

    Options of a call: `temperature`, `top_p`, `max_tokens`, `seed`, `call` (a CallKey) and
    `response_format`. Others are refused, tools among them.
    """

    chat_model: Any  # a ChatModel; pydantic cannot check a protocol with a method

    @property
    def _llm_type(self) -> str:
        return "catallaxy"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        # a thread of its own: the caller's may have a running loop
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(lambda: asyncio.run(self._once(messages, stop, kwargs))).result()

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await _answer(self.chat_model, messages, stop, kwargs)

    async def _once(
        self, messages: list[BaseMessage], stop: list[str] | None, options: dict[str, Any]
    ) -> ChatResult:
        try:
            return await _answer(self.chat_model, messages, stop, options)
        finally:
            # this loop ends here, and with it what was opened on it
            close = getattr(self.chat_model, "close", None)
            if close is not None:
                await close()


async def _answer(
    model: ChatModel,
    messages: list[BaseMessage],
    stop: list[str] | None,
    options: dict[str, Any],
) -> ChatResult:
    unknown = set(options) - {*_SAMPLING, "response_format"}
    if unknown:
        raise ValueError(
            f"CatallaxyChatModel does not know the option(s) {sorted(unknown)}; "
            f"it knows {[*_SAMPLING, 'response_format']}."
        )
    sampling = Sampling(**{name: options[name] for name in _SAMPLING if name in options})
    asked = [_ours(message) for message in messages]
    reply = await model.reply(asked, _schema(options.get("response_format")), sampling)
    return ChatResult(generations=[ChatGeneration(message=_theirs(reply, stop or []))])


def _schema(response_format: Any) -> Schema | None:
    if response_format is None:
        return None
    return response_format["json_schema"]["schema"]


def _ours(message: BaseMessage) -> Message:
    role: Role = "user"
    if isinstance(message, SystemMessage):
        role = "system"
    elif isinstance(message, AIMessage):
        role = "assistant"
    return Message(role, str(message.text))


def _theirs(reply: Reply, stop: list[str]) -> AIMessage:
    text = reply.text
    for word in stop:
        text = text.split(word, 1)[0]
    usage = reply.usage
    return AIMessage(
        content=text,
        id=reply.id or None,
        additional_kwargs={"reasoning_content": reply.reasoning} if reply.reasoning else {},
        response_metadata={"finish_reason": reply.finish, "model_name": reply.model},
        usage_metadata=UsageMetadata(
            input_tokens=usage.input,
            output_tokens=usage.output,
            total_tokens=usage.input + usage.output,
            input_token_details={"cache_read": usage.cached},
            output_token_details={"reasoning": usage.reasoning},
        ),
    )
