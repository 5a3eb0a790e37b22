"""The OpenAI chat completions format: a request body out, a Reply in. Knows no connection."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from catallaxy.agents.chat import BackendFailed, Message, Reply, Sampling, Schema, Usage
from catallaxy.platform.backends.failures import excerpt

Structured: TypeAlias = Literal["json_schema", "json_object", "none"]
MaxTokensField: TypeAlias = Literal["max_tokens", "max_completion_tokens"]


MOST_TOKENS = 2**53


def request(
    model: str,
    messages: Sequence[Message],
    sampling: Sampling,
    *,
    max_tokens_field: MaxTokensField,
    send_seed: bool,
) -> dict[str, Any]:
    """The body of one request, without what nobody chose."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": m.role, "content": m.content} for m in messages],
    }
    if sampling.temperature is not None:
        body["temperature"] = sampling.temperature
    if sampling.top_p is not None:
        body["top_p"] = sampling.top_p
    if sampling.max_tokens is not None:
        body[max_tokens_field] = sampling.max_tokens
    if send_seed and sampling.seed is not None:
        body["seed"] = sampling.seed
    return body


def response_format(schema: Schema | None, structured: Structured) -> dict[str, Any]:
    """The part of a body that holds a reply to `schema`; nothing where nothing is asked."""
    if schema is None or structured == "none":
        return {}
    if structured == "json_object":
        return {"response_format": {"type": "json_object"}}
    named = {"name": "move", "schema": schema, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def reply_in(body: Any, where: str) -> Reply:
    """The reply in a server's decoded answer. Raises BackendFailed when there is none in it."""
    try:
        choice = body["choices"][0]
        message = choice["message"]
        text = _text(message.get("content")) or message.get("refusal") or ""
        return Reply(
            text=whole(str(text)),
            usage=_usage(body.get("usage") or {}),
            finish=choice.get("finish_reason") or "",
            model=body.get("model") or "",
            id=body.get("id") or "",
            reasoning=whole(
                _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
            ),
        )
    except (TypeError, KeyError, IndexError, AttributeError, ValueError, OverflowError) as error:
        raise BackendFailed(
            f"{where}: the answer is no chat completion: {excerpt(repr(body)[:2000])}",
            transient=True,
        ) from error


def whole(text: str) -> str:
    """`text` without half characters (lone surrogates), which no file or database takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _text(content: Any) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content)


def _usage(usage: Mapping[str, Any]) -> Usage:
    read = usage.get("prompt_tokens_details") or {}
    written = usage.get("completion_tokens_details") or {}
    return Usage(
        input=tokens(usage.get("prompt_tokens")),
        output=tokens(usage.get("completion_tokens")),
        cached=tokens(read.get("cached_tokens")),
        reasoning=tokens(written.get("reasoning_tokens")),
    )


def tokens(count: Any) -> int:
    """A count of tokens as a server gave it, held to what a record can keep."""
    return min(max(int(count or 0), 0), MOST_TOKENS)
