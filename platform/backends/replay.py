"""A run that was recorded, played again without any model. Knows no database.

The launcher reads the recorded calls and hands them to `load`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from catallaxy.agents.chat import BackendFailed, Message, Reply, Sampling, Schema
from catallaxy.platform.backends.base import Backend
from catallaxy.platform.backends.cassette import Cassette, RecordedCall, Scope
from catallaxy.platform.backends.limits import FREE, Limits, Prices


@dataclass(frozen=True, kw_only=True)
class Replay(Backend):
    """Answers as `run` (its folder) was answered, and fails where that run was asked otherwise.

    An empty `model` takes the answer of whichever model was asked. What was loaded does not
    travel: every process loads for itself.
    """

    provider: ClassVar[str] = "replay"
    reused: ClassVar[bool] = True

    run: str
    scope: Scope = "per_call"
    model: str = ""
    limits: Limits = field(default_factory=lambda: Limits(concurrency=256))
    prices: Prices = FREE

    @property
    def address(self) -> str:
        return f"replay of {self.run}"

    def load(self, calls: Iterable[RecordedCall]) -> None:
        """Answer from `calls` from now on."""
        self._loaded["calls"] = Cassette(calls, scope=self.scope)

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        cassette = self._loaded.get("calls")
        if cassette is None:
            raise BackendFailed(f"{self.address}: nothing was loaded in this process")
        found = cassette.find(self.model or None, messages, sampling)
        if found is None:
            why = cassette.explain(self.model or None, messages, sampling)
            raise BackendFailed(f"{self.address}: {why}")
        return found

    @cached_property
    def _loaded(self) -> dict[str, Cassette]:
        return {}
