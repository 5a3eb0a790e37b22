"""One value per running event loop: a connection or a semaphore belongs to the loop it met first.

Knows nothing of what it keeps.
"""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Makes its value on first use in a loop, and forgets those of loops that were closed."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: dict[asyncio.AbstractEventLoop, T] = {}

    def get(self) -> T:
        """The running loop's value."""
        loop = asyncio.get_running_loop()
        found = self._values.get(loop)
        if found is None:
            for closed in [other for other in self._values if other.is_closed()]:
                del self._values[closed]
            found = self._values[loop] = self._make()
        return found

    def take(self) -> T | None:
        """The running loop's value, which is no longer kept; None if there was none."""
        return self._values.pop(asyncio.get_running_loop(), None)
