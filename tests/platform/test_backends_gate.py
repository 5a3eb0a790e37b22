"""What all backends share: limits, time-outs, retries, accounts, the record of every attempt."""

import asyncio
import logging
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from catallaxy.agents.chat import BackendFailed, Message, Reply, Sampling, Schema, Usage
from catallaxy.platform.backends.base import Backend
from catallaxy.platform.backends.cassette import Cassette, RecordedCall
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.backends.limits import Limits, Prices
from catallaxy.platform.errors import NotReady
from catallaxy.platform.record import Call
from tests.platform.loopback import ASKED, SCHEMA, busiest, run_fast, sampling

USAGE = Usage(input=1000, output=500, cached=400)
PRICES = Prices(2.0, 0.5, 10.0, "2026-11-22")
QUICK = Limits(retries=3, backoff_s=1.0, backoff_max_s=8.0, timeout_s=10.0)


@dataclass(frozen=True, kw_only=True)
class Moody(Backend):
    """Fails as it is told to, in turn, and then answers; remembers when it was asked."""

    provider: ClassVar[str] = "moody"
    model: str = "mood-1"
    failures: tuple[BackendFailed, ...] = ()
    takes_s: float = 0.0
    says: str = "fine"
    claims: bool = False
    limits: Limits = QUICK
    prices: Prices = PRICES
    times: list[float] = field(default_factory=list)
    busy: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def constrains(self) -> bool:
        return self.claims

    async def reply(
        self, messages: Sequence[Message], schema: Schema | None, sampling: Sampling
    ) -> Reply:
        self.times.append(asyncio.get_running_loop().time())
        self.busy[0] += 1
        self.busy[1] = max(self.busy)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.busy[0] -= 1
        if len(self.times) <= len(self.failures):
            raise self.failures[len(self.times) - 1]
        return Reply(self.says, USAGE)


def gate(backend: Backend) -> tuple[Gate, list[Call]]:
    made, calls = Gate("mine", backend), []
    made.sink = calls.append
    return made, calls


def passing(retry_after: float | None = None) -> BackendFailed:
    return BackendFailed("busy", transient=True, retry_after=retry_after)


async def many(made: Gate, number: int, *, max_tokens: int | None = None) -> None:
    asked = Sampling(max_tokens=max_tokens)
    await asyncio.gather(*(made.reply(ASKED, None, asked) for _ in range(number)))


def test_every_attempt_is_recorded_with_its_cost() -> None:
    made, calls = gate(Moody(failures=(passing(),)))
    reply = run_fast(made.reply(ASKED, SCHEMA, sampling()))
    assert reply.text == "fine"
    assert [(c.attempt, c.error, c.error_type) for c in calls] == [
        (1, "busy", "BackendFailed"),
        (2, None, None),
    ]
    assert calls[1].cost == pytest.approx((600 * 2.0 + 400 * 0.5 + 500 * 10.0) / 1e6)
    assert (calls[1].backend, calls[1].provider, calls[1].model) == ("mine", "moody", "mood-1")
    assert calls[1].key == sampling().call


def test_an_unknown_price_makes_no_cost() -> None:
    made, calls = gate(Moody(prices=Prices(1.0, None, None)))
    run_fast(made.reply(ASKED, None, sampling()))
    assert calls[0].cost is None


def test_a_failure_that_stays_is_not_retried() -> None:
    backend = Moody(failures=(BackendFailed("no such model"),))
    with pytest.raises(BackendFailed, match="no such model"):
        run_fast(gate(backend)[0].reply(ASKED, None, sampling()))
    assert len(backend.times) == 1


def test_after_the_last_retry_the_error_names_model_and_cause() -> None:
    backend = Moody(failures=(passing(),) * 9)
    with pytest.raises(BackendFailed, match=r"mood-1.*busy.*gave up after 4 attempts"):
        run_fast(gate(backend)[0].reply(ASKED, None, sampling()))
    assert len(backend.times) == 4


def test_pauses_grow_and_are_bounded() -> None:
    backend = Moody(failures=(passing(),) * 3)
    run_fast(gate(backend)[0].reply(ASKED, None, sampling()))
    pauses = [after - at for at, after in zip(backend.times, backend.times[1:], strict=False)]
    assert all(pause <= ceiling for pause, ceiling in zip(pauses, (1, 2, 4), strict=True))


def test_retry_after_is_honoured_by_everybody() -> None:
    backend = Moody(failures=(passing(7.0),), limits=Limits(concurrency=1, backoff_s=0.5))
    run_fast(many(gate(backend)[0], 3))
    assert all(at >= 7.0 for at in backend.times[1:])


def test_a_wish_to_wait_for_hours_ends_the_episode() -> None:
    backend = Moody(failures=(passing(7200.0),))
    with pytest.raises(BackendFailed, match="asks to wait 7200 s"):
        run_fast(gate(backend)[0].reply(ASKED, None, sampling()))


def test_a_time_out_is_a_transient_failure_on_record() -> None:
    made, calls = gate(Moody(takes_s=60.0))
    with pytest.raises(BackendFailed, match="no answer within 10 s"):
        run_fast(made.reply(ASKED, None, sampling()))
    assert [call.error_type for call in calls] == ["TimeoutError"] * 4


def test_time_in_our_own_queue_is_no_time_out() -> None:
    backend = Moody(takes_s=9.0, limits=Limits(concurrency=1, timeout_s=10.0))
    run_fast(many(gate(backend)[0], 5))
    assert backend.busy[1] == 1


def test_no_more_than_concurrency_in_flight() -> None:
    backend = Moody(takes_s=1.0, limits=Limits(concurrency=5))
    run_fast(many(gate(backend)[0], 50))
    assert backend.busy[1] == 5


@pytest.mark.parametrize("rate", [1, 30, 60, 600, 6000])
def test_never_more_requests_in_any_minute(rate: int) -> None:
    backend = Moody(limits=Limits(concurrency=10_000, requests_per_minute=rate))
    number = min(3 * rate + 3, 5000)
    run_fast(many(gate(backend)[0], number))
    assert busiest(backend.times, 60.0) <= rate
    assert backend.times[-1] <= 60.0 * number / rate * 1.05 + 1


def test_tokens_per_minute_hold_and_are_corrected_by_usage() -> None:
    limits = Limits(concurrency=10_000, tokens_per_minute=90_000)
    backend = Moody(limits=limits)
    run_fast(many(gate(backend)[0], 300, max_tokens=9_000))  # set aside 9,000, used 1,500
    used = [1500.0] * len(backend.times)
    assert busiest(backend.times, 60.0, used) <= 90_000 + 9_000
    assert backend.times[-1] <= 300 * 1500 / 90_000 * 60 * 1.1 + 6


def test_who_gives_up_waiting_takes_nothing() -> None:
    backend = Moody(limits=Limits(requests_per_minute=6.0))
    made, _ = gate(backend)

    async def main() -> None:
        await made.reply(ASKED, None, sampling())
        waiting = [asyncio.create_task(made.reply(ASKED, None, sampling())) for _ in range(5)]
        await asyncio.sleep(1)
        for task in waiting[:4]:
            task.cancel()
        await waiting[4]

    run_fast(main())
    assert backend.times == pytest.approx([0.0, 10.0])


def test_a_cancelled_request_frees_its_slot() -> None:
    backend = Moody(takes_s=5.0, limits=Limits(concurrency=1))
    made, calls = gate(backend)

    async def main() -> None:
        first = asyncio.create_task(made.reply(ASKED, None, sampling()))
        await asyncio.sleep(1)
        first.cancel()
        await made.reply(ASKED, None, sampling())

    run_fast(main())
    assert (len(calls), backend.busy[0]) == (1, 0)


def test_a_share_is_a_part_of_every_limit() -> None:
    made = Gate("mine", Moody(limits=Limits(8, 60.0, 6000.0)))
    made.share(4)
    assert made.limits == Limits(2, 15.0, 1500.0)
    made.share(100)
    assert made.limits.concurrency == 1


def test_one_gate_serves_one_event_loop_after_another() -> None:
    made = Gate("mine", Moody(limits=Limits(concurrency=1)))
    for _ in range(2):
        asyncio.run(many(made, 3))


def test_a_gate_travels_without_sink_cassette_and_connections() -> None:
    made, _ = gate(Moody())
    made.cassette = Cassette(())
    made.share(2)
    run_fast(made.reply(ASKED, None, sampling()))
    there = pickle.loads(pickle.dumps(made))
    assert (there.name, there.backend, there.limits) == ("mine", made.backend, made.limits)
    assert (there.sink, there.cassette) == (None, None)


def test_check_turns_a_failure_into_one_line_with_address_and_model() -> None:
    made, calls = gate(Moody(failures=(BackendFailed("refused"),)))
    with pytest.raises(NotReady, match=r"backend 'mine': in this process \(mood-1\): refused"):
        run_fast(made.check())
    assert calls == []


def test_check_warns_when_the_schema_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        run_fast(Gate("mine", Moody(claims=True, says="Sure, I am ready!")).check())
    assert "ignored it" in caplog.text
    caplog.clear()
    run_fast(Gate("mine", Moody(claims=True, says='{"ready": "yes"}')).check())
    run_fast(Gate("mine", Moody(claims=False)).check())
    assert caplog.text == ""


@pytest.mark.parametrize("own", [True, False])
def test_a_cassette_answers_first_and_is_recorded_only_from_elsewhere(own: bool) -> None:
    backend = Moody()
    made, calls = gate(backend)
    asked = sampling()
    assert asked.call is not None
    known = RecordedCall(asked.call, "mood-1", ASKED, asked, Reply("known", USAGE))
    made.cassette = Cassette([known], own=own)
    assert run_fast(made.reply(ASKED, None, asked)).text == "known"
    assert backend.times == []
    assert [(c.reused, c.cost) for c in calls] == ([] if own else [(True, 0.0)])
    assert run_fast(made.reply(ASKED, None, sampling(turn=1))).text == "fine"


@pytest.mark.parametrize(
    "wrong", [{"concurrency": 0}, {"timeout_s": 0}, {"retries": -1}, {"requests_per_minute": 0}]
)
def test_impossible_limits_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Limits(**wrong)
