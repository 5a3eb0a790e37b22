"""Text and JSON that DuckDB takes as it stands, whatever a model wrote. Knows no table."""

import json
from collections.abc import Mapping
from typing import Any

import orjson

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def storable(text: str) -> str:
    """`text`; a lone surrogate, which UTF-8 cannot carry, becomes the six letters \\udXXX."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def optional(text: str | None) -> str | None:
    """`storable`, for what may be missing."""
    return None if text is None else storable(text)


def as_json(value: Any) -> str:
    """JSON text of plain values and dataclasses; what JSON does not know is written as its text."""
    try:
        return orjson.dumps(value, default=_plain, option=_OPTIONS).decode()
    except TypeError:  # whole numbers beyond 64 bits, lone surrogates
        return json.dumps(_deeply_storable(value), default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if isinstance(value, int):
        return str(value)
    return storable(str(value))


def _deeply_storable(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case Mapping():
            return {storable(str(key)): _deeply_storable(each) for key, each in value.items()}
        case list() | tuple():
            return [_deeply_storable(each) for each in value]
        case _:
            return value
