"""From plain mappings to finished objects, field by field. Knows no Hydra, no game, no model.

A mapping names a dataclass (`_target_`) and its fields. Every field is checked against its
annotation; an unknown one is refused with the nearest valid name.
"""

import collections.abc
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from catallaxy.platform.errors import ConfigError

TARGET = "_target_"


def build(spec: Any, *, at: str, expected: Any = Any) -> Any:
    """The object that `spec` describes; `at` is its place in the configuration, for messages.

    Raises ConfigError: one sentence with the field, its value and what is allowed.
    """
    if isinstance(spec, Mapping) and TARGET in spec:
        return _object(_dataclass_named(spec[TARGET], at), spec, at)
    return _value(spec, expected, at)


def known(name: str, allowed: typing.Iterable[str], *, at: str) -> str:
    """`name` if it is allowed; ConfigError with the nearest allowed name otherwise."""
    options = sorted(allowed)
    if name in options:
        return name
    near = get_close_matches(name, options, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    choice = f"Allowed: {', '.join(options)}." if options else "There is none."
    raise ConfigError(f"{at}: {name!r} is not known.{hint} {choice}")


def _dataclass_named(path: Any, at: str) -> type[Any]:
    module, _, name = str(path).rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{at}._target_: {path!r} cannot be imported ({error}).") from error
    if not (isinstance(found, type) and is_dataclass(found)):
        raise ConfigError(f"{at}._target_: {path!r} is not a dataclass.")
    return found


@lru_cache(maxsize=512)
def _hints(kind: type[Any]) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _object(kind: type[Any], spec: Mapping[str, Any], at: str) -> Any:
    wanted: dict[str, Field[Any]] = {f.name: f for f in fields(kind) if f.init}
    given = {key: value for key, value in spec.items() if key != TARGET}
    for key in given:
        known(str(key), wanted, at=f"{at}.{key}" if at else str(key))
    for name, wish in wanted.items():
        if given.get(name) == "???":
            raise ConfigError(f"{at}.{name} must be given.")
        required = wish.default is MISSING and wish.default_factory is MISSING
        if name not in given and required:
            raise ConfigError(f"{at}.{name} is missing; {kind.__name__} needs it.")
    hints = _hints(kind)
    values = {key: _value(value, hints[key], f"{at}.{key}") for key, value in given.items()}
    try:
        return kind(**values)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{at}: {error}") from error


def _value(value: Any, hint: Any, at: str) -> Any:
    if isinstance(value, Mapping) and TARGET in value:
        value = build(value, at=at)
    origin = get_origin(hint)
    if hint is Any or isinstance(hint, typing.TypeVar):
        return value
    if origin is Literal:
        return _one_of(value, get_args(hint), at)
    if origin in (Union, types.UnionType):
        return _any_of(value, get_args(hint), at)
    if origin in (list, tuple, collections.abc.Sequence):
        return _sequence(value, hint, at)
    if origin in (dict, collections.abc.Mapping):
        return _mapping(value, hint, at)
    if isinstance(hint, type):
        return _plain(value, hint, at)
    return value


def _one_of(value: Any, options: tuple[Any, ...], at: str) -> Any:
    if isinstance(value, bool) and (word := str(value).lower()) in options:
        return word  # `false`, unquoted
    for option in options:
        if value == option and isinstance(value, bool) == isinstance(option, bool):
            return value
    near = get_close_matches(str(value), [str(option) for option in options], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    allowed = ", ".join(map(str, options))
    raise ConfigError(f"{at}={value!r} is not allowed.{hint} Allowed: {allowed}.")


def _any_of(value: Any, options: tuple[Any, ...], at: str) -> Any:
    if value is None and type(None) in options:
        return None
    errors = []
    for option in options:
        if option is type(None):
            continue
        try:
            return _value(value, option, at)
        except ConfigError as error:
            errors.append(error)
    raise errors[0] if len(errors) == 1 else _wrong(value, " or ".join(map(_name, options)), at)


def _sequence(value: Any, hint: Any, at: str) -> Any:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _wrong(value, "a list", at)
    inner = get_args(hint)[0] if get_args(hint) else Any
    return tuple(_value(item, inner, f"{at}[{i}]") for i, item in enumerate(value))


def _mapping(value: Any, hint: Any, at: str) -> Any:
    if not isinstance(value, Mapping):
        raise _wrong(value, "a mapping", at)
    inner = get_args(hint)[1] if get_args(hint) else Any
    return {str(key): _value(item, inner, f"{at}.{key}") for key, item in value.items()}


def _plain(value: Any, hint: type[Any], at: str) -> Any:
    if is_dataclass(hint) and isinstance(value, Mapping):
        return _object(hint, value, at)
    if issubclass(hint, Enum):
        return hint(_one_of(value, tuple(option.value for option in hint), at))
    if hint is Fraction:
        return _fraction(value, at)
    if hint is float:
        return _number(value, at)
    if getattr(hint, "_is_protocol", False):
        return value
    right = isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
    if hint in (bool, int, str) and not right:
        raise _wrong(value, _name(hint), at)
    if not isinstance(value, hint):
        raise _wrong(value, _name(hint), at)
    return value


def _number(value: Any, at: str) -> float:
    """A float; exact fractions such as "1/3" are welcome."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and "/" in value:
        return float(_fraction(value, at))
    raise _wrong(value, "a number", at)


def _fraction(value: Any, at: str) -> Fraction:
    try:
        return Fraction(str(value)) if not isinstance(value, bool) else Fraction("x")
    except (ValueError, ZeroDivisionError):
        raise _wrong(value, "a number or a fraction such as 1/3", at) from None


def _name(hint: Any) -> str:
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    return words.get(hint, "null" if hint is type(None) else getattr(hint, "__name__", str(hint)))


def _wrong(value: Any, allowed: str, at: str) -> ConfigError:
    return ConfigError(f"{at} must be {allowed}, not {value!r}.")
