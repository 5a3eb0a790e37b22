"""Answers that were once given, found again by question. Knows no database and no model."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, TypeAlias

from catallaxy.agents.chat import CallKey, Message, Reply, Sampling

Scope: TypeAlias = Literal["per_call", "shared"]

_Place: TypeAlias = tuple[str, str, int, int]

DIFF_LINES = 60
_COMPARED_LINES = 2_000  # difflib is quadratic


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call that was answered: the question as it was asked, and the reply."""

    key: CallKey
    model: str
    prompt: tuple[Message, ...]
    sampling: Sampling
    reply: Reply


def question(
    model: str, messages: Sequence[Message], sampling: Sampling, *, scope: Scope = "per_call"
) -> str:
    """The hash of what was asked: model, messages and sampling; the seed only `per_call`."""
    drawn = [_real(sampling.temperature), _real(sampling.top_p), sampling.max_tokens]
    if scope == "per_call":
        drawn.append(sampling.seed)
    hashed = blake2b(f"{model}\0{drawn!r}".encode("utf-8", "surrogatepass"), digest_size=16)
    hashed.update("".join([message.hash for message in messages]).encode())
    return hashed.hexdigest()


class Cassette:
    """An index over recorded calls.

    `per_call` answers the same question only at the same place of the same episode, so that equal
    prompts are not collapsed into one draw. `shared` answers an equal question anywhere, whatever
    its seed: it saves money and costs independence. There, an empty or cut-off reply is left out,
    since one accident would be repeated everywhere; `per_call` keeps what an agent was given, or a
    finished run could not be played again to the same end. `own` marks the run's own record.
    """

    def __init__(
        self, calls: Iterable[RecordedCall], *, scope: Scope = "per_call", own: bool = False
    ) -> None:
        self.scope: Scope = scope
        self.own = own
        self._models: dict[str, None] = {}
        self._episodes: dict[str, dict[_Place, list[RecordedCall]]] = {}
        self._answers: dict[object, RecordedCall] = {}
        self.extend(calls)

    def __len__(self) -> int:
        return len(self._answers)

    def extend(self, calls: Iterable[RecordedCall]) -> None:
        """Answer from `calls` too."""
        for call in calls:
            self._add(call)

    def forget(self, episode: str) -> None:
        """Answer nothing of `episode` any more: it is settled, and its prompts take memory."""
        for calls in self._episodes.pop(episode, {}).values():
            for call in calls:
                key = self._key(call.model, call.prompt, call.sampling, call.key)
                if self._answers.get(key) is call:
                    del self._answers[key]

    def find(
        self, model: str | None, messages: Sequence[Message], sampling: Sampling
    ) -> Reply | None:
        """The recorded reply to this very question, or None. No model given: whichever it was."""
        models = self._models if model is None else (model,)
        if self.scope == "per_call" and not self._here(sampling.call):
            return None
        for asked in models:
            found = self._answers.get(self._key(asked, messages, sampling, sampling.call))
            if found is not None:
                return found.reply
        return None

    def explain(self, model: str | None, messages: Sequence[Message], sampling: Sampling) -> str:
        """Why `find` found nothing: what was recorded instead, and how it differs."""
        if not self._episodes:
            return "Nothing is recorded."
        key = sampling.call
        here = self._here(key)
        if here:
            return "\n".join(_differences(here[-1], model, messages, sampling))
        nearest = self._nearest(key, messages)
        place = "a call outside any episode" if key is None else _words(key)
        return "\n".join(
            [
                f"{place} was not recorded; the nearest that was is {_words(nearest.key)}.",
                *_diff(nearest.prompt, messages),
            ]
        )

    def _here(self, key: CallKey | None) -> Sequence[RecordedCall]:
        if key is None:
            return ()
        return self._episodes.get(key.episode, {}).get(_place(key), ())

    def _add(self, call: RecordedCall) -> None:
        if self.scope == "shared" and not _sound(call.reply):
            return
        self._models[call.model] = None
        places = self._episodes.setdefault(call.key.episode, {})
        places.setdefault(_place(call.key), []).append(call)
        key = self._key(call.model, call.prompt, call.sampling, call.key)
        earlier = self._answers.get(key)
        # played twice: the later play is the one that counted
        if earlier is None or earlier.key.play <= call.key.play:
            self._answers[key] = call

    def _key(
        self, model: str, messages: Sequence[Message], sampling: Sampling, key: CallKey | None
    ) -> object:
        asked = question(model, messages, sampling, scope=self.scope)
        return asked if self.scope == "shared" or key is None else (_place(key), asked)

    def _nearest(self, key: CallKey | None, messages: Sequence[Message]) -> RecordedCall:
        def distance(call: RecordedCall) -> tuple[int, ...]:
            together = _common(call.prompt, messages)
            if key is None:
                return (-together,)
            other = call.key
            return (
                other.seat != key.seat,
                other.episode != key.episode,
                abs(other.turn - key.turn),
                -together,
                abs(other.tried - key.tried),
            )

        everywhere = (
            call
            for places in self._episodes.values()
            for calls in places.values()
            for call in calls
        )
        return min(everywhere, key=distance)


def _sound(reply: Reply) -> bool:
    return bool(reply.text.strip()) and reply.finish != "length"


def _real(value: float | None) -> float | None:
    return None if value is None else float(value)


def _place(key: CallKey) -> _Place:
    return (key.episode, key.seat, key.turn, key.tried)


def _words(key: CallKey) -> str:
    return f"episode {key.episode!r}, seat {key.seat!r}, turn {key.turn}, try {key.tried}"


def _common(one: Sequence[Message], other: Sequence[Message]) -> int:
    same = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        same += 1
    return same


def _differences(
    call: RecordedCall, model: str | None, messages: Sequence[Message], sampling: Sampling
) -> Iterator[str]:
    yield f"{_words(call.key)} was recorded, but asked something else:"
    if model is not None and model != call.model:
        yield f"model: recorded {call.model!r}, asked {model!r}"
    for name in ("temperature", "top_p", "max_tokens", "seed"):
        recorded, asked = getattr(call.sampling, name), getattr(sampling, name)
        if recorded != asked:
            yield f"{name}: recorded {recorded!r}, asked {asked!r}"
    yield from _diff(call.prompt, messages)


def _diff(recorded: Sequence[Message], asked: Sequence[Message]) -> list[str]:
    lines = list(
        difflib.unified_diff(
            _lines(recorded), _lines(asked), "recorded prompt", "asked prompt", lineterm="", n=1
        )
    )
    if len(lines) > DIFF_LINES:
        return [*lines[:DIFF_LINES], f"... and {len(lines) - DIFF_LINES} more lines"]
    return lines


def _lines(messages: Sequence[Message]) -> list[str]:
    lines: list[str] = []
    for message in messages:
        lines += [f"[{message.role}]", *message.content.splitlines()]
    return lines[:_COMPARED_LINES]
