"""One timer for many requests: who is late is cancelled, and nobody else."""

import asyncio

import pytest

from catallaxy.platform.backends.deadlines import Deadlines
from tests.platform.loopback import run_fast


async def timed(deadlines: Deadlines, seconds: float) -> str:
    wait = deadlines.begin()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if not wait.over():
            raise
        return "late"
    finally:
        deadlines.end(wait)
    return "in time"


def test_requests_that_take_too_long_are_late_and_the_others_are_not() -> None:
    async def main() -> list[str]:
        deadlines = Deadlines(10)

        async def later(start: float, seconds: float) -> str:
            await asyncio.sleep(start)
            return await timed(deadlines, seconds)

        plans = [(0, 5), (0, 11), (3, 9), (3, 60), (20, 1), (25, 12)]
        found = await asyncio.gather(*(later(*plan) for plan in plans))
        assert not deadlines._waits
        return found

    assert run_fast(main()) == ["in time", "late", "in time", "late", "in time", "late"]


def test_a_task_that_was_late_once_goes_on_undisturbed() -> None:
    async def main() -> tuple[str, str, int]:
        deadlines = Deadlines(1)
        first = await timed(deadlines, 5)
        second = await timed(deadlines, 0.5)
        task = asyncio.current_task()
        return first, second, task.cancelling() if task else -1

    assert run_fast(main()) == ("late", "in time", 0)


def test_somebody_elses_cancellation_is_not_taken_for_lateness() -> None:
    async def main() -> None:
        deadlines = Deadlines(10)
        task = asyncio.create_task(timed(deadlines, 60))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_fast(main())


def test_a_request_that_swallows_the_cancellation_leaves_no_trace() -> None:
    async def main() -> int:
        deadlines = Deadlines(1)
        wait = deadlines.begin()
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)
        finally:
            deadlines.end(wait)
        await asyncio.sleep(1)
        task = asyncio.current_task()
        return task.cancelling() if task else -1

    assert run_fast(main()) == 0
