"""What a person is shown: what a model reads, in the terms of a form instead of JSON.

Knows no terminal and no page.
"""

import re
import secrets
from dataclasses import dataclass, fields, make_dataclass, replace
from functools import lru_cache
from typing import Any, get_type_hints

from catallaxy.agents.base import Act, Ask, trouble
from catallaxy.agents.chat import Message
from catallaxy.agents.moves import read
from catallaxy.agents.people.form import Typed, form, in_json, label_of
from catallaxy.games.base import Remark

TOO_LATE = "You did not answer within {seconds:.15g} seconds."

_MARK = f"form_{secrets.token_hex(8)}"  # nobody who is quoted in a text can know it
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[。！？]")


@dataclass(frozen=True, slots=True)
class Told:
    """What is new for a person.

    `rules` and `briefing` are empty but at the start of a dialogue; `messages` are what is
    recorded.
    """

    rules: str
    briefing: str
    text: str
    messages: tuple[Message, ...]

    @classmethod
    def of(cls, ask: Ask, persona: str) -> "Told":
        """What is new for this seat."""
        marked = replace(ask, move_type=_marked(ask.move_type))
        messages = tuple(
            Message(message.role, _for_a_form(message.content, ask))
            for message in ask.wording.messages(marked, persona=persona, scratchpad=False)
        )
        text = messages[-1].content
        if len(messages) == 1:
            return cls("", "", text, messages)
        later = replace(marked, dialogue=messages[:1])  # as if the briefing had been told
        (asked,) = ask.wording.messages(later, persona="", scratchpad=False)
        question = _for_a_form(asked.content, ask)
        briefing = text.removesuffix(question).strip() if text.endswith(question) else ""
        return cls(messages[0].content, briefing, question if briefing else text, messages)


@lru_cache(maxsize=256)
def _marked(move_type: type[Any]) -> type[Any]:
    """The move type with one field more, by which its JSON is found in the words around it.

    Wordings may change that JSON (translate it, say), and a player may write some like it.
    """
    hints = get_type_hints(move_type)
    every = [(_MARK, str), *((each.name, hints[each.name]) for each in fields(move_type))]
    return make_dataclass(move_type.__name__, every)


def _for_a_form(text: str, ask: Ask) -> str:
    """`text` without the sentences in which the expected JSON stands.

    An objection names fields by their labels.
    """
    lines = [_without_json(line) if _MARK in line else line for line in text.splitlines()]
    text = "\n".join(line for line in lines if line is not None).strip()
    if ask.objection is None:
        return text
    for name in (each.name for each in form(ask) if "_" in each.name):  # a word may mean more
        label = label_of(name, ask)
        text = re.sub(rf"\b{re.escape(name)}\b", lambda _, label=label: label, text)
    return text


def _without_json(line: str) -> str | None:
    """The sentences of `line` but the one with the marked JSON; None if there is no other."""
    begin = line.rfind("{", 0, line.index(_MARK))
    depth = 0
    for end in range(begin, len(line)):
        depth += {"{": 1, "}": -1}.get(line[end], 0)
        if depth == 0:
            break
    before, after = line[:begin], line[end + 1 :]
    kept = max((stop.end() for stop in _SENTENCE_END.finditer(before)), default=0)
    stop = _SENTENCE_END.search(after)
    return f"{before[:kept]}{after[stop.end() :] if stop else ''}".strip() or None


def answer(ask: Ask, told: Told, typed: Typed | None, limit_s: float | None) -> Act:
    """What a person's answer is to the table; None is no answer within `limit_s` seconds."""
    if typed is None:
        return Act(None, told.messages, trouble=Remark(TOO_LATE, seconds=limit_s))
    text = in_json(form(ask), typed)
    messages = (*told.messages, Message("assistant", text))
    try:
        return Act(read(text, ask.move_type).move, messages)
    except ValueError as error:
        return Act(None, messages, trouble=trouble(error))
