"""Words as data: from a view to the messages that a model reads. Knows no game, no model.

A wording is written in YAML beside its game. Its texts are Jinja templates over `view`, `seat`,
`names`, `terms`, `persona`, `shape` (the JSON that is expected) and `last`. What comes first in a
dialogue is equal for every seat of a variant and nothing that was said ever changes, so that model
servers can reuse what they have read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jinja2 import Environment, StrictUndefined, TemplateError, nodes
from jinja2.exceptions import SecurityError

from catallaxy.agents.base import Ask
from catallaxy.agents.chat import Message
from catallaxy.agents.moves import shape
from catallaxy.games.base import Remark


def money(amount: float) -> str:
    """An amount as people write it: `$1,250`, `-$33.50`, at most two decimals."""
    text = f"{abs(amount):,.2f}".removesuffix(".00")
    return f"-${text}" if amount < 0 else f"${text}"


def number(amount: float) -> str:
    """A plain number without needless decimals: `5`, `0.25`, `12.5`."""
    return f"{amount:.6f}".rstrip("0").rstrip(".")


_UNSAFE = frozenset({"format", "format_map", "mro"})


class _Environment(Environment):
    """Templates over plain data, as fast as Jinja's own and as closed as its sandbox.

    What a template may name is checked once, when it is compiled (`_Text`); here only names
    that are computed while it is rendered.
    """

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A field or an item under a computed name."""
        if type(obj) is dict and argument in obj:
            return obj[argument]
        if isinstance(argument, str) and (argument.startswith("_") or argument in _UNSAFE):
            raise SecurityError(f"{argument!r} is no name that a wording may use")
        return super().getitem(obj, argument)


_ENVIRONMENT = _Environment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)
_FILTERS = (
    "abs capitalize default first int join last length list lower max min replace round sort sum "
    "title trim upper"
)
_ENVIRONMENT.filters = {
    "money": money,
    "number": number,
    **{name: _ENVIRONMENT.filters[name] for name in _FILTERS.split()},
}


class _Text:
    """A compiled template, rendered in one context that is kept: a new one costs as much again.

    Not for several threads at once; a run renders on one event loop.
    """

    def __init__(self, text: str) -> None:
        for node in _ENVIRONMENT.parse(text).find_all(nodes.Getattr):
            if node.attr.startswith("_") or node.attr in _UNSAFE:
                raise SecurityError(f"{node.attr!r} is no name that a wording may use")
        template = _ENVIRONMENT.from_string(text)
        self._write = template.root_render_func
        self._context = template.new_context()
        self._globals = dict(template.globals)

    def render(self, facts: Mapping[str, Any]) -> str:
        """The text with `facts` in its places."""
        context = self._context
        context.parent = {**self._globals, **facts}
        context.vars.clear()
        context.exported_vars.clear()
        return "".join(self._write(context)).strip()


@dataclass(frozen=True)
class Wording:
    """Every word that a model reads in one game.

    `system` must use public facts only (it is the shared start of every dialogue), `briefing` is
    told to a seat once, in private, `asks` has one text per move type (by its class name),
    `objection` reads a refused try back, `scratchpad` is added where private thinking is wanted.
    `phrases` has the sentences of objections in this wording's language, by the English template
    (`games/base.py`, `Remark`). Raises ValueError when a text is not a valid template.
    """

    name: str
    system: str
    asks: Mapping[str, str]
    briefing: str = ""
    objection: str = "{{ objection }}"
    scratchpad: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=dict)
    phrases: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"

    def __post_init__(self) -> None:
        try:
            self._templates  # noqa: B018  compiled early, so that a bad text stops before a run
        except TemplateError as error:
            raise ValueError(f"wording {self.name!r}: {error}") from error

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_templates"}

    @cached_property
    def _templates(self) -> Mapping[str, _Text]:
        texts = {
            "system": self.system,
            "briefing": self.briefing,
            "objection": self.objection,
            "scratchpad": self.scratchpad,
            **{f"ask {name}": text for name, text in self.asks.items()},
        }
        return {name: _Text(text) for name, text in texts.items()}

    def messages(self, ask: Ask, *, persona: str, scratchpad: bool) -> tuple[Message, ...]:
        """What is new for this seat since `ask.dialogue`: one user message, before it the rules.

        Raises ValueError when a text asks for something that the view does not have.
        """
        try:
            if ask.objection is not None:
                return (Message("user", self._objection(ask, scratchpad)),)
            if ask.dialogue:
                return (Message("user", self._ask(ask, scratchpad)),)
            told = self._render("briefing", ask, persona=persona, shape="")
            system = self._render("system", ask, persona="", shape="")
            user = "\n\n".join(part for part in (told, self._ask(ask, scratchpad)) if part)
            return (Message("system", system), Message("user", user))
        except (TemplateError, TypeError, ArithmeticError, LookupError) as error:
            raise ValueError(f"wording {self.name!r} does not fit the game: {error}") from error

    def _ask(self, ask: Ask, scratchpad: bool) -> str:
        name = ask.move_type.__name__
        if f"ask {name}" not in self._templates:
            raise ValueError(f"wording {self.name!r} has no text under asks for {name!r}")
        expected = shape(ask.move_type, scratchpad=scratchpad)
        text = self._render(f"ask {name}", ask, persona="", shape=expected)
        if not scratchpad:
            return text
        return f"{text}\n{self._render('scratchpad', ask, persona='', shape=expected)}"

    def _objection(self, ask: Ask, scratchpad: bool) -> str:
        expected = shape(ask.move_type, scratchpad=scratchpad)
        return self._render("objection", ask, persona="", shape=expected)

    def _said(self, remark: str | None) -> str | None:
        if remark is None:
            return None
        if not isinstance(remark, Remark):
            return self.phrases.get(remark, remark)
        facts = {k: self._said(v) if isinstance(v, str) else v for k, v in remark.facts.items()}
        return self.phrases.get(remark.template, remark.template).format(**facts)

    def _render(self, name: str, ask: Ask, **more: str) -> str:
        facts = {
            "view": ask.view,
            "seat": ask.seat,
            "names": self.names,
            "terms": self.terms,
            "objection": self._said(ask.objection),
            "tries_left": ask.tries_left,
            **more,
        }
        return self._templates[name].render(facts)
