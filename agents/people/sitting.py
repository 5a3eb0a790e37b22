"""One game as a person sees it at a page: what was said, what is asked, how it ended. No HTTP."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from catallaxy.agents.base import Ask
from catallaxy.agents.people.ending import Ending
from catallaxy.agents.people.form import (
    Field,
    Typed,
    form,
    in_json,
    language_of,
    name_of,
    reply_of,
)
from catallaxy.agents.people.told import Told
from catallaxy.agents.visible import visible

Entry: TypeAlias = dict[str, Any]  # as the page gets it


@dataclass(slots=True)
class Question:
    """What is asked now. `filled` is what was typed at the last try, `deadline` in loop time."""

    id: str
    fields: tuple[Field, ...]
    limit_s: float | None
    answer: asyncio.Future[Typed | None]
    filled: Typed
    deadline: float | None = None

    def start_clock(self) -> None:
        """Let the time run, if there is a limit and it does not run yet."""
        if self.limit_s is None or self.deadline is not None:
            return
        loop = self.answer.get_loop()
        self.deadline = loop.time() + self.limit_s
        timer = loop.call_at(self.deadline, self.close, None)
        self.answer.add_done_callback(lambda _: timer.cancel())

    def close(self, typed: Typed | None) -> None:
        """Take the answer; None is none in time. What comes second does not count."""
        if not self.answer.done():
            self.answer.set_result(typed)

    def shown(self) -> Entry:
        """The question as the page gets it."""
        left = None if self.deadline is None else self.deadline - self.answer.get_loop().time()
        return {
            "id": self.id,
            "fields": [_shown(each) for each in self.fields],
            "filled": dict(self.filled),
            "seconds_left": None if left is None else max(left, 0.0),
        }


@dataclass(slots=True)
class Sitting:
    """One seat of one game as its person sees it; `log` is what was said, oldest first."""

    number: int
    ask: Ask
    rules: str = ""
    briefing: str = ""
    log: list[Entry] = field(default_factory=list)
    refusals: set[int] = field(default_factory=set)  # places of objections in the dialogue
    question: Question | None = None
    typed: Typed = field(default_factory=dict)
    ending: Ending | None = None

    @property
    def who(self) -> str:
        """How the game calls the person."""
        return name_of(self.ask.seat, self.ask)

    def put(self, ask: Ask, told: Told, limit_s: float | None) -> Question:
        """Show what is new, and ask."""
        self.ask = ask
        if not ask.dialogue:  # also when the next person takes this seat
            self.rules, self.briefing = told.rules, told.briefing
            self.refusals.clear()
        if ask.objection is not None:
            self.refusals.add(len(ask.dialogue))
        self.log = [entry for at in range(len(ask.dialogue)) for entry in self._entries(at)]
        self.log.append(_told(told.text, refused=ask.objection is not None))
        key = ask.call
        self.question = Question(
            id=f"{key.episode}.{key.play}.{key.seat}.{key.turn}.{key.tried}",
            fields=form(ask),
            limit_s=limit_s,
            answer=asyncio.get_running_loop().create_future(),
            filled=self.typed if key.tried else {},
        )
        return self.question

    def _entries(self, at: int) -> list[Entry]:
        message = self.ask.dialogue[at]
        match message.role:
            case "system":
                return []
            case "assistant":
                return [_answered(message.content, self.ask)]
            case _:
                text = message.content.removeprefix(self.briefing).strip()
                return [_told(text, refused=at in self.refusals)]

    def take(self, typed: Typed) -> None:
        """The answer to the open question; shown while the others are waited for."""
        question = self.question
        if question is None:
            return
        self.typed, self.question = typed, None
        self.log.append(_answered(in_json(question.fields, typed), self.ask))
        question.close(typed)

    def shown(self) -> Entry:
        """The game as the page gets it."""
        return {
            "number": self.number,
            "seat": self.ask.seat,
            "who": visible(self.who),
            "language": language_of(self.ask),
            "rules": visible(self.rules),
            "briefing": visible(self.briefing),
            "log": self.log,
            "question": None if self.question is None else self.question.shown(),
        }


def _told(text: str, *, refused: bool) -> Entry:
    return {"kind": "refused" if refused else "told", "text": visible(text)}


def _answered(text: str, ask: Ask) -> Entry:
    fields = [[visible(label), visible(value)] for label, value in reply_of(text, ask)]
    return {"kind": "answer", "fields": fields}


def _shown(each: Field) -> Entry:
    return {
        "name": each.name,
        "label": visible(each.label),
        "kind": each.kind,
        "options": [{"value": o.key, "label": visible(o.label)} for o in each.options],
        "longest": each.longest,
        "optional": each.optional,
    }
