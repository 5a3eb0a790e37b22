"""Recorded answers: found by place and question; a miss says what is different."""

import asyncio
from dataclasses import replace

import pytest

from catallaxy.agents.chat import BackendFailed, CallKey, Message, Reply, Sampling
from catallaxy.platform.backends.cassette import Cassette, RecordedCall
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.backends.replay import Replay
from tests.platform.loopback import ASKED, sampling


def recorded(asked: Sampling, text: str = "known", **more: object) -> RecordedCall:
    assert asked.call is not None
    call = RecordedCall(asked.call, "m", ASKED, asked, Reply(text))
    return replace(call, **more)  # type: ignore[arg-type]


def test_the_same_question_at_the_same_place_is_found() -> None:
    cassette = Cassette([recorded(sampling())])
    again = (Message("system", "You divide $100."), Message("user", "Your offer?"))
    found = cassette.find("m", again, sampling())
    assert found is not None
    assert found.text == "known"


@pytest.mark.parametrize(
    "asked",
    [sampling(8), sampling(turn=1), sampling(tried=1), sampling(episode="e2"), Sampling(0.7)],
)
def test_another_place_or_seed_is_not_found(asked: Sampling) -> None:
    assert Cassette([recorded(sampling())]).find("m", ASKED, asked) is None


def test_another_model_prompt_or_temperature_is_not_found() -> None:
    cassette = Cassette([recorded(sampling())])
    assert cassette.find("other", ASKED, sampling()) is None
    assert cassette.find("m", ASKED[:1], sampling()) is None
    assert cassette.find("m", ASKED, replace(sampling(), temperature=0.8)) is None


def test_equal_prompts_of_two_episodes_keep_their_own_replies() -> None:
    cassette = Cassette([recorded(sampling(episode=e), text=e) for e in ("e1", "e2")])
    found = [cassette.find("m", ASKED, sampling(episode=e)) for e in ("e1", "e2")]
    assert [reply.text for reply in found if reply] == ["e1", "e2"]


def test_the_later_play_counts() -> None:
    asked = sampling()
    assert asked.call is not None
    later = recorded(asked, "second", key=replace(asked.call, play=2))
    for calls in ([recorded(asked, "first"), later], [later, recorded(asked, "first")]):
        found = Cassette(calls).find("m", ASKED, asked)
        assert found is not None
        assert found.text == "second"


def test_shared_answers_anywhere_but_never_with_an_accident() -> None:
    shared = Cassette([recorded(sampling())], scope="shared")
    assert shared.find("m", ASKED, sampling(99, episode="e9")) is not None
    empty = recorded(sampling(), text=" ")
    cut = recorded(sampling(), reply=Reply('{"a', finish="length"))
    assert len(Cassette([empty, cut], scope="shared")) == 0


def test_a_settled_episode_is_forgotten() -> None:
    cassette = Cassette(())
    cassette.extend([recorded(sampling()), recorded(sampling(episode="e2"))])
    cassette.forget("e1")
    assert cassette.find("m", ASKED, sampling()) is None
    assert cassette.find("m", ASKED, sampling(episode="e2")) is not None
    assert len(cassette) == 1


def test_a_miss_at_a_known_place_shows_the_difference() -> None:
    cassette = Cassette([recorded(sampling())])
    asked = (ASKED[0], Message("user", "Your bid?"))
    text = cassette.explain("other", asked, replace(sampling(), temperature=0.1))
    for part in ("'e1'", "recorded 'm'", "temperature: recorded 0.7", "-Your offer?", "+Your bid?"):
        assert part in text


def test_a_miss_at_an_unknown_place_names_it_and_the_nearest() -> None:
    cassette = Cassette([recorded(sampling(turn=t)) for t in (0, 3)])
    text = cassette.explain("m", ASKED, sampling(turn=4))
    assert "turn 4, try 0 was not recorded; the nearest that was is episode 'e1'" in text
    assert "turn 3" in text
    assert Cassette(()).explain("m", ASKED, sampling()) == "Nothing is recorded."


def test_replay_answers_as_the_run_was_answered_and_marks_it() -> None:
    backend = Replay(run="runs/x")
    gate, calls = Gate("replay", backend), []
    gate.sink = calls.append
    backend.load([recorded(sampling())])
    assert asyncio.run(gate.reply(ASKED, None, sampling())).text == "known"
    assert [(call.reused, call.cost, call.provider) for call in calls] == [(True, 0.0, "replay")]


def test_a_question_that_replay_does_not_know_fails_at_once_with_the_reason() -> None:
    backend = Replay(run="runs/x")
    with pytest.raises(BackendFailed, match="nothing was loaded"):
        asyncio.run(backend.reply(ASKED, None, sampling()))
    backend.load([recorded(sampling())])
    with pytest.raises(BackendFailed, match=r"runs/x.*turn 5") as caught:
        asyncio.run(backend.reply(ASKED, None, sampling(turn=5)))
    assert not caught.value.transient


def test_a_key_may_hold_any_text() -> None:
    key = CallKey("e\x00\ud800", "Zoë", 0, 0)
    asked = Sampling(call=key)
    assert Cassette([recorded(asked)]).find("m", ASKED, asked) is not None
