"""Prompts as lists of hashes: only what an earlier call of the dialogue did not record is kept.

A dialogue grows at its end, so storing every prompt whole would cost the square of its length. A
prompt that does not continue what was recorded is kept whole. Knows no database.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from catallaxy.agents.chat import Message

DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as its row keeps it: `new` is its end, or all of it when it has `length` hashes."""

    hash: str
    length: int
    new: list[str]


def chain(hashes: Iterable[str]) -> str:
    """The hash of a list of messages: 32 hex digits over theirs."""
    return blake2b("".join(hashes).encode(), digest_size=DIGEST_BYTES).hexdigest()


@dataclass(frozen=True, slots=True)
class _Head:
    """The last recorded call of a dialogue: its prompt, its reply's hash, the hash over both."""

    prompt: tuple[Message, ...]
    output: str
    running: Any  # hashlib has no type for it


class Dialogues:
    """What the last recorded call of every open dialogue knows: its prompt and its reply."""

    def __init__(self) -> None:
        self._heads: dict[tuple[str, str], _Head] = {}

    def prompt(
        self, dialogue: tuple[str, str], messages: Sequence[Message], output: str | None
    ) -> Prompt:
        """The next prompt of `dialogue`, answered by the message whose hash is `output`."""
        whole = tuple(messages)
        head = self._heads.get(dialogue)
        if head is not None and _continues(whole, head):
            begin, running = len(head.prompt) + 1, head.running.copy()
        else:
            begin, running = 0, blake2b(digest_size=DIGEST_BYTES)
        new = [message.hash for message in whole[begin:]]
        running.update("".join(new).encode())
        found = Prompt(running.hexdigest(), len(whole), new)
        if output is not None:
            running.update(output.encode())
            self._heads[dialogue] = _Head(whole, output, running)
        return found

    def close(self, episode: str, seats: Iterable[str]) -> None:
        """Forget an episode's dialogues: it ended."""
        for seat in seats:
            self._heads.pop((episode, seat), None)

    def forget(self) -> None:
        """Trust nothing: what was recorded last is not sure. The next prompts are kept whole."""
        self._heads.clear()


class Rebuilt:
    """The prompts of one dialogue again, from its rows in the order of (play, turn, tried)."""

    def __init__(self) -> None:
        self._known: dict[int, list[list[str]]] = {}

    def whole(self, prompt: Prompt, output: str | None) -> list[str]:
        """The hashes of the whole prompt. Raises LookupError when its beginning is not there."""
        hashes = self._whole(prompt)
        if output is not None:
            dialogue = [*hashes, output]
            self._known.setdefault(len(dialogue), []).append(dialogue)
        return hashes

    def _whole(self, prompt: Prompt) -> list[str]:
        if len(prompt.new) == prompt.length:
            return prompt.new
        for head in reversed(self._known.get(prompt.length - len(prompt.new), [])):
            hashes = [*head, *prompt.new]
            if chain(hashes) == prompt.hash:
                return hashes
        raise LookupError(prompt.hash)


def _continues(messages: tuple[Message, ...], head: _Head) -> bool:
    """Whether a prompt is an earlier one, its reply, and more. Messages are mostly identical."""
    known = len(head.prompt)
    return (
        len(messages) > known
        and messages[:known] == head.prompt
        and messages[known].hash == head.output
    )
