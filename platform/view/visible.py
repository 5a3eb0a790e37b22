"""Text from models, made to fit the place where it is shown. Knows no terminal and no HTML."""

from collections.abc import Mapping
from typing import Any

from catallaxy.agents.visible import readable, visible

__all__ = ["clipped", "fields", "one_line", "visible"]


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
    return [(one_line(name, 80), clipped(readable(value), longest)) for name, value in move.items()]
