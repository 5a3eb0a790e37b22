"""Text from models, made safe to show. Knows no terminal and no HTML, which quote in their way."""

import json
import re
from collections.abc import Mapping
from typing import Any

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, terminal escapes among them
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # unseen, or reordering
    "\ud800-\udfff\U000e0000-\U000e007f]"  # halves of characters, tags
)


def visible(text: str) -> str:
    r"""`text` with every character that acts or hides written as an escape, such as `\x1b`."""
    return _UNSAFE.sub(_escape, text.replace("\r\n", "\n"))


def one_line(text: str, longest: int | None = None) -> str:
    """`visible` on one line, cut after `longest` characters."""
    flat = " ".join(visible(text).split())
    return flat if longest is None or len(flat) <= longest else f"{flat[: longest - 1]}…"


def clipped(text: str, longest: int | None = None, length: int | None = None) -> str:
    """`visible` for the first `longest` characters, with a note where some are missing.

    `length` is the length of the whole text, where `text` is only its beginning.
    """
    whole = len(text) if length is None else length
    if longest is None or whole <= longest:
        return visible(text)
    return f"{visible(text[:longest])}… [{whole:,} characters; the first {longest:,} are shown]"


def fields(move: Mapping[str, Any], longest: int | None = None) -> list[tuple[str, str]]:
    """A move's fields as a person reads them: texts as they are, the rest as JSON."""
    return [(one_line(name, 80), clipped(_plain(value), longest)) for name, value in move.items()]


def _plain(value: Any) -> str:
    match value:
        case str():
            return value
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            return f"{value:,.10g}" if abs(value) < 1e15 else str(value)
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
