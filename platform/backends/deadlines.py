"""Time-outs for many requests with one timer: all wait equally long, so they end in order.

`asyncio.timeout` arms a timer for each; at thousands of calls a second that is what a call costs.
"""

import asyncio
from collections import deque
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Wait:
    """One request under way. `late` once its time was up and its task was cancelled."""

    task: "asyncio.Task[object] | None"
    until: float
    cancelling: int
    late: bool = False
    told: bool = False

    def over(self) -> bool:
        """After a cancellation: whether it was ours, and nobody else wants the task to end."""
        if not self.late or self.task is None:
            return False
        self.told = True
        return self.task.uncancel() <= self.cancelling


class Deadlines:
    """Cancels tasks of this event loop whose request takes longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waits: deque[Wait] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> Wait:
        """From now on the current task has `seconds`, until `end`."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline needs a task")
        wait = Wait(task, loop.time() + self._seconds, task.cancelling())
        self._waits.append(wait)
        if self._timer is None:
            self._timer = loop.call_at(wait.until, self._tick)
        return wait

    def end(self, wait: Wait) -> None:
        """The request is over, one way or another."""
        if wait.late and not wait.told:  # the request swallowed our cancellation, and ended well
            wait.over()
        wait.task = None
        waits = self._waits
        while waits and waits[0].task is None:
            waits.popleft()

    def close(self) -> None:
        """Disarm the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        loop, waits = asyncio.get_running_loop(), self._waits
        while waits and (waits[0].task is None or waits[0].until <= loop.time()):
            wait = waits.popleft()
            if wait.task is not None:
                wait.late = True
                wait.task.cancel()
        if waits:
            self._timer = loop.call_at(waits[0].until, self._tick)
