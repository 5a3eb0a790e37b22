"""What a failed request means: can asking again help, when, and what a person should do.

Knows no client. No secret gets through its words.
"""

import os
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from catallaxy.agents.chat import BackendFailed

TRANSIENT = frozenset({408, 409, 425, 429})
EXCERPT = 400  # characters of a server's words in an error
HIDDEN = "[hidden]"

# "insufficient_quota" comes as 429, but no patience helps
_SPENT = re.compile(r"insufficient_quota|billing_hard_limit|exceeded your current quota", re.I)
_SECRETS = re.compile(
    r"(?i:\bbearer\s+)[\w.~+/=-]{6,}"  # a header
    r"|\b(?:sk|pk|rk|gsk|hf|xai|key)[-_][\w*.-]{6,}"  # what providers call their keys
    r"|(?<=://)[^/\s@]+@"  # user and password in an address
    r"|(?i:(?<=api_key=)|(?<=api-key=)|(?<=[?&]key=)|(?<=token=))[^&\s\"']+"
)


class Refused(BackendFailed):
    """A server answered with an HTTP status that is not success."""

    def __init__(
        self, text: str, *, status: int, transient: bool, retry_after: float | None = None
    ) -> None:
        super().__init__(text, transient=transient, retry_after=retry_after)
        self.status = status


def refused(
    where: str, status: int, said: str, headers: Mapping[str, str], *, key_env: str | None
) -> Refused:
    """The failure behind an HTTP status; `said` is the server's own words."""
    spent = status == 429 and _SPENT.search(said) is not None
    transient = (status in TRANSIENT or status >= 500) and not spent
    words = [f"{where}: HTTP {status}", excerpt(said, secrets=(key_in(key_env),))]
    words.append("add credit or take another model" if spent else _remedy(status, key_env))
    return Refused(
        "; ".join(word for word in words if word),
        status=status,
        transient=transient,
        retry_after=retry_after(headers) if transient else None,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How long the server asks us to wait, in seconds: a number or an HTTP date; None if unsaid."""
    lower = {name.lower(): value for name, value in headers.items()}
    milliseconds = _number(lower.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    said = lower.get("retry-after")
    seconds = _number(said)
    if said is None or seconds is not None:
        return seconds
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def excerpt(text: str, *, secrets: Iterable[str | None] = ()) -> str:
    """The first words of `text` on one line, without secrets or control characters."""
    cut = text[: 4 * EXCERPT]
    plain = "".join(char if char.isprintable() else " " for char in cut)
    hidden = hide(" ".join(plain.split()), secrets)
    return hidden if len(hidden) <= EXCERPT else hidden[:EXCERPT] + " ..."


def hide(text: str, secrets: Iterable[str | None] = ()) -> str:
    """`text` without `secrets`, and without anything that looks like one."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    return _SECRETS.sub(HIDDEN, text)


def without_secret(base_url: str) -> None:
    """Raises ValueError if a key or a password stands in the address itself."""
    if hide(base_url) != base_url:
        raise ValueError(
            f"base_url {hide(base_url)!r} holds a secret: put it in an environment variable, and "
            "that variable's name in api_key_env."
        )


def key_in(key_env: str | None) -> str | None:
    """The API key that the environment variable `key_env` holds, None if there is none."""
    return (os.environ.get(key_env) or "").strip() or None if key_env else None


def error_type(error: BackendFailed) -> str:
    """A short, stable name of what happened, as OpenTelemetry's `error.type` wants it."""
    if isinstance(error, Refused):
        return str(error.status)
    cause = error.__cause__
    return type(cause).__name__ if cause is not None else "BackendFailed"


def _number(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text is not None else None
    except ValueError:
        return None


def _remedy(status: int, key_env: str | None) -> str:
    key = f"set {key_env} to a valid key" if key_env else "name its key's variable in api_key_env"
    return {
        400: "the request itself is refused: too long for the model's context, or a field of it "
        "is not known there",
        401: key,
        403: f"this key may not use this model: {key}",
        404: "check base_url and model: one of them is not there",
        413: "the prompt is too long",
        422: "the request itself is refused",
    }.get(status, "")
