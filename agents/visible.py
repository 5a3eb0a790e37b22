"""Text from anybody, made safe to show. Knows no terminal and no HTML, which quote in their way."""

import json
import re
from typing import Any

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, terminal escapes among them
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # unseen, or reordering
    "\ud800-\udfff\U000e0000-\U000e007f]"  # halves of characters, tags
)


def visible(text: str) -> str:
    r"""`text` with every character that acts or hides written as an escape, such as `\x1b`."""
    return _UNSAFE.sub(_escape, text.replace("\r\n", "\n"))


def readable(value: Any) -> str:
    """A value of a move as a person reads it: texts as they are, the rest as JSON; not yet safe."""
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
