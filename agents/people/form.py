"""What a person is asked to fill in, and what the answer is in JSON. Knows no terminal, no page.

The fields of a form derive from the move type, its labels from the wording.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import orjson

from catallaxy.agents.base import Ask
from catallaxy.agents.moves import schema
from catallaxy.agents.visible import readable
from catallaxy.agents.wording import Wording
from catallaxy.games.base import Seat

Kind: TypeAlias = Literal["number", "choice", "text", "json"]

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_DIGIT_GROUPS = re.compile(r"(?<=\d),(?=\d{3})")


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values that a choice allows, how it is sent and how it reads."""

    value: Any  # a JSON scalar
    label: str

    @property
    def key(self) -> str:
        """The value as a page or a terminal sends it."""
        return self.value if isinstance(self.value, str) else orjson.dumps(self.value).decode()


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in. `longest` is in characters; an `optional` field may stay empty."""

    name: str
    label: str
    kind: Kind
    options: tuple[Option, ...] = ()
    longest: int | None = None
    optional: bool = False


Typed: TypeAlias = Mapping[str, str]  # field -> what was typed or chosen


def form(ask: Ask) -> tuple[Field, ...]:
    """The fields of the move that is asked for."""
    rules = schema(ask.move_type)["properties"]
    return tuple(_field(name, rule, ask) for name, rule in rules.items())


def _field(name: str, rule: Mapping[str, Any], ask: Ask) -> Field:
    own = ask.seat in name.split("_")
    label = f"{label_of(name, ask)} ({said('you', ask)})" if own else label_of(name, ask)
    some = [each for each in rule.get("anyOf", ()) if each.get("type") != "null"]
    if len(some) == 1:
        return replace(_field(name, some[0], ask), optional=True)
    if "enum" in rule or "const" in rule:
        values = rule.get("enum", [rule.get("const")])
        options = tuple(Option(value, label_of(str(value), ask)) for value in values)
        return Field(name, label, "choice", options)
    match rule.get("type"):
        case "boolean":
            yes_no = (Option(True, said("Yes", ask)), Option(False, said("No", ask)))
            return Field(name, label, "choice", yes_no)
        case "number" | "integer":
            return Field(name, label, "number")
        case "string":
            longest = rule.get("maxLength", getattr(ask.view, "max_message_chars", None))
            return Field(name, label, "text", longest=longest)
        case _:
            return Field(name, f"{label} (JSON)", "json")


def label_of(name: str, ask: Ask) -> str:
    """`bob_gain` as `Bob gain`, by the wording's names and in its language."""
    names = names_of(ask)
    parts = [names.get(part, part) for part in name.split("_")]
    text = " ".join(parts)
    return said(text[:1].upper() + text[1:], ask)


def said(text: str, ask: Ask) -> str:
    """A word of a form in the wording's language, where its `phrases` have it."""
    return ask.wording.phrases.get(text, text) if isinstance(ask.wording, Wording) else text


def name_of(seat: Seat, ask: Ask) -> str:
    """How the game calls who sits at `seat`."""
    return names_of(ask).get(seat, seat[:1].upper() + seat[1:])


def language_of(ask: Ask) -> str:
    """The language of what is shown, such as `en`."""
    return ask.wording.language if isinstance(ask.wording, Wording) else "en"


def names_of(ask: Ask) -> Mapping[Seat, str]:
    """How the wording calls the seats, as far as it names them."""
    return ask.wording.names if isinstance(ask.wording, Wording) else {}


def in_json(fields: tuple[Field, ...], typed: Typed) -> str:
    """The JSON object that a model would have answered; what is no number stays as typed."""
    values = {each.name: _value(each, typed[each.name]) for each in fields if each.name in typed}
    return orjson.dumps(values).decode()


def _value(field: Field, typed: str) -> Any:
    plain = typed.strip()
    if field.optional and not plain:
        return None
    match field.kind:
        case "number":
            return _number(plain)
        case "choice":
            return next((o.value for o in field.options if o.key == plain), plain)
        case "json":
            try:
                return orjson.loads(plain)
            except orjson.JSONDecodeError:
                return plain
        case _:
            return typed


def _number(typed: str) -> int | float | str:
    text = _DIGIT_GROUPS.sub("", typed.replace("$", "")).strip()
    if not _NUMBER.fullmatch(text):
        return typed
    number = float(text)
    if number != number or abs(number) == float("inf"):
        return typed
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def reply_of(text: str, ask: Ask) -> list[tuple[str, str]]:
    """An earlier answer in JSON as labels and values."""
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError:
        return [("", text)]
    if not isinstance(values, dict):
        return [("", text)]
    return [(label_of(name, ask), readable(value)) for name, value in values.items()]
