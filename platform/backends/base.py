"""What every backend in this folder is: fields, an address, one way to be asked.

Knows no client, no retries, no limits: a `Gate` wraps a backend and has all that they share.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from catallaxy.agents.chat import Message, Reply, Sampling, Schema
from catallaxy.platform.backends.limits import Limits, Prices


@dataclass(frozen=True, kw_only=True)
class Backend(ABC):
    """A dataclass that reaches one model. Only its fields travel, never a connection.

    `provider` is OpenTelemetry's `gen_ai.provider.name`; `reused` says that its answers come from
    an earlier record, so that they are marked and cost nothing.
    """

    provider: ClassVar[str]
    reused: ClassVar[bool] = False

    model: str
    limits: Limits = field(default_factory=Limits)
    prices: Prices = field(default_factory=Prices)

    @property
    def address(self) -> str:
        """Where the model is, in words fit for an error."""
        return "in this process"

    @property
    def where(self) -> str:
        """Address and model: how every error of this backend begins."""
        return f"{self.address} ({self.model})"

    @property
    def constrains(self) -> bool:
        """Whether replies are held to the JSON schema while they are written."""
        return False

    @abstractmethod
    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        """Answer once, without retries. Raises BackendFailed, and nothing else."""

    def part(self, parts: int) -> "Backend":
        """This backend as one of `parts` processes should use it; limits are the gate's affair."""
        return self

    async def close(self) -> None:  # noqa: B027  most have nothing to close
        """Close what was opened on this event loop; asking again opens it again."""

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}
