"""What the writer promises: whole, once, durable, and a sentence when it cannot be."""

import asyncio
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catallaxy.agents.chat import Message
from catallaxy.platform.errors import StoreError
from catallaxy.platform.record import EpisodeStatus, Turn, TurnKind
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.store.writer import Store
from tests.platform.store_samples import (
    AGENTS,
    VARIANT,
    Posting,
    call,
    engagement,
    failed,
    fill,
    played,
    run,
)


@pytest.fixture
def store():
    store = Store(None)
    store.begin(run(), AGENTS, (VARIANT,)).result()
    yield store
    store.close()


def count(store: Store, view: str) -> int:
    return store.read(f"SELECT count(*) FROM {view}")[0][0]


def test_an_episode_is_stored_whole_and_once(store):
    episode, _ = played(0)
    assert store.append([episode]).result() == {"e0000"}
    assert store.append([episode, episode]).result() == frozenset()
    assert [count(store, v) for v in ("episodes", "seats", "turns", "metrics")] == [1, 2, 4, 3]


def test_a_failed_episode_is_replaced_when_it_is_played_again(store):
    assert store.append([failed(0)]).result() == {"e0000"}
    assert store.append([failed(0)]).result() == frozenset()
    episode, _ = played(0, play=2)
    assert store.append([episode]).result() == {"e0000"}
    assert store.append([failed(0, play=3)]).result() == frozenset()
    assert store.read("SELECT status, play, turns, error FROM episodes") == [
        ("settled", 2, 4, None)
    ]
    assert count(store, "turns") == 4


def test_a_failure_and_its_repair_may_arrive_in_one_transaction(store):
    first = store.append([failed(0)])
    second = store.append([played(0, play=2)[0]])
    assert (first.result(), second.result()) == ({"e0000"}, {"e0000"})
    assert store.read("SELECT status, tries FROM episodes") == [("settled", 4)]
    assert count(store, "turns") == 4


def test_a_crashed_episode_is_final(store):
    crashed = replace(failed(0), status=EpisodeStatus.CRASHED)
    store.append([crashed]).result()
    assert store.append([played(0, play=2)[0]]).result() == frozenset()


def test_calls_are_durable_without_their_episode(store):
    _, calls = played(0)
    store.record(calls).result()
    assert (count(store, "calls"), count(store, "episodes")) == (2, 0)
    assert store.plays() == {"e0000": 1}


def test_a_call_that_is_recorded_twice_is_stored_once(store):
    _, calls = played(0)
    store.record(calls[:1]).result()
    repeated, other = store.record(calls), store.record(played(1)[1])
    assert (repeated.result(), other.result()) == (None, None)
    assert count(store, "calls") == 4
    assert len(store.recorded(["e0000"])["e0000"]) == 2


def test_text_is_stored_once(store):
    for ordinal in range(3):
        episode, calls = played(ordinal)
        store.record(calls)
        store.append([episode])
    store.flush()
    assert count(store, "messages") == 1 + 3 * 4
    assert count(store, "(SELECT DISTINCT hash FROM messages)") == 1 + 3 * 4


def test_a_call_keeps_only_what_is_new_of_its_prompt(store):
    _, calls = played(0, turns=6)
    store.record(calls).result()
    kept = store.read("SELECT prompt_messages, len(new_messages) FROM calls ORDER BY turn")
    assert kept == [(2, 2), (4, 1), (6, 1)]


def test_whole_prompts_come_back(store):
    _, calls = played(0, turns=8)
    store.record(calls).result()
    back = store.recorded(["e0000"])["e0000"]
    assert [each.prompt for each in back] == [each.prompt for each in calls]
    assert [each.reply for each in back] == [each.reply for each in calls]
    assert [each.sampling for each in back] == [
        replace(each.sampling, call=each.key) for each in calls
    ]


def test_prompts_that_do_not_continue_a_dialogue_come_back_too(store):
    _, calls = played(0, turns=6)
    rewritten = (Message("assistant", "a summary, not a reply"), Message("user", "go on"))
    odd = call("e0000", 7, rewritten, "yes")
    again = [replace(c, key=replace(c.key, play=2)) for c in calls]
    everything = [calls[0], again[0], *calls[1:], odd, *again[1:]]
    for each in everything:
        store.record([each])
    store.flush()
    back = {(c.key.play, c.key.turn): c.prompt for c in store.recorded(["e0000"])["e0000"]}
    assert back == {(c.key.play, c.key.turn): c.prompt for c in everything}


def test_a_failed_call_is_a_row_and_no_recorded_answer(store):
    _, calls = played(0)
    broken = replace(calls[0], reply=None, error_type="BackendFailed", error="no server")
    store.record([broken, replace(calls[0], attempt=1)]).result()
    assert store.read("SELECT attempt, error FROM calls ORDER BY attempt") == [
        (0, "no server"),
        (1, None),
    ]
    assert len(store.recorded(["e0000"])["e0000"]) == 1


def test_the_ledger_books_an_ordinal_once_and_can_be_emptied(store):
    posting = Posting(0, "e0000", "haiku", 60.0, 60.0)
    store.settle([posting, replace(posting, agent="grim")]).result()
    store.settle([posting]).result()
    assert count(store, "ledger") == 2
    store.resettle()
    store.settle([posting]).result()
    assert count(store, "ledger") == 1


def test_plans_are_idempotent_and_bring_their_variant(store):
    store.plan([engagement(0), engagement(1)]).result()
    store.plan([engagement(1), replace(engagement(2), variant="v2")]).result()
    assert count(store, "engagements") == 3
    assert store.read("SELECT rules->>'pie' FROM variants WHERE variant = 'v2'") == [("100",)]


def test_outcomes_are_what_settlement_needs(store):
    episode, _ = played(2)
    unreadable = Turn(4, 2, "bob", 0, TurnKind.UNREADABLE, "Offer", None, "not JSON")
    forfeit = Turn(5, 2, "bob", 1, TurnKind.FORFEIT, "Offer", None)
    episode = replace(episode, turns=(*episode.turns, unreadable, forfeit))
    store.append([episode, failed(3)]).result()
    outcome = store.outcomes()["e0002"]
    assert list(store.outcomes(["e0003"])) == []
    assert (outcome.seats, outcome.payoffs) == (
        {"alice": "haiku", "bob": "grim"},
        {"alice": 60.0, "bob": 42.0},
    )
    assert (outcome.turns, outcome.forfeits, outcome.bad_tries) == (4, 1, 1)


def test_a_refused_row_fails_alone(store):
    good, bad = played(0)[0], played(1)[0]
    bad = replace(bad, metrics={"efficiency": "much"})
    futures = [store.append([good]), store.append([bad]), store.append([played(2)[0]])]
    assert (futures[0].result(), futures[2].result()) == ({"e0000"}, {"e0002"})
    with pytest.raises(StoreError, match="refused a row"):
        futures[1].result()
    assert count(store, "episodes") == 2


def test_reading_in_the_writer_cannot_write(store):
    with pytest.raises(StoreError, match="read-only"):
        store.read("DELETE FROM record.runs")
    with pytest.raises(StoreError, match="read-only"):
        store.read(
            "WITH x AS (INSERT INTO record.messages VALUES ('a', 'b', 'c', 1) RETURNING *) FROM x"
        )
    assert count(store, "runs") == 1


def test_a_waiter_that_gives_up_does_not_stop_the_writer(store):
    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(store.append([played(0)[0]])), 0.001)

    asyncio.run(give_up())
    store.flush()
    assert count(store, "episodes") == 1


def test_many_threads_may_write(store):
    def write(first: int) -> None:
        for ordinal in range(first, first + 25):
            episode, calls = played(ordinal)
            store.record(calls)
            store.append([episode])

    threads = [threading.Thread(target=write, args=(first,)) for first in range(0, 100, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.flush()
    assert (count(store, "episodes"), count(store, "calls")) == (100, 200)


def test_a_resumed_run_goes_on_where_it_was(tmp_path):
    first = Store(tmp_path)
    fill(first, 2)
    first.close("stopped")
    second = Store(tmp_path)
    second.begin(run(), AGENTS, (VARIANT,)).result()
    assert second.append([played(0)[0], played(2)[0]]).result() == {"e0002"}
    second.settle([Posting(0, "e0000", "haiku", 60.0, 60.0)]).result()
    assert second.read("SELECT count(*), count(DISTINCT hash) FROM messages") == [(13, 13)]
    assert second.read("SELECT status FROM runs") == [("running",)]
    assert second.read("SELECT count(*) FROM ledger") == [(2,)]
    second.close("finished")


def test_a_run_is_not_resumed_with_another_configuration(tmp_path):
    store = Store(tmp_path)
    fill(store, 1)
    with pytest.raises(StoreError, match="resume a run with its own configuration"):
        store.begin(run(config_hash="c2")).result()
    store.close()


def test_a_second_writer_is_told_who_writes(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(StoreError, match=r"is in use by process \d+"):
        Store(tmp_path)
    store.close()
    Store(tmp_path).close()


def test_a_second_writer_may_wait_for_a_dying_one(tmp_path):
    first = Store(tmp_path)
    threading.Timer(0.3, first.close).start()
    Store(tmp_path, wait_s=10).close()


def test_another_program_that_has_the_file_is_named(tmp_path):
    Store(tmp_path).close()
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    path = str(tmp_path / "store.duckdb")
    other = subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    with pytest.raises(StoreError, match=f"is in use by process {other.pid} .*python"):
        Store(tmp_path)
    with pytest.raises(StoreError, match=f"is in use by process {other.pid} .*python"):
        Reader.open(tmp_path)
    other.communicate("\n")
    Store(tmp_path).close()


def test_a_closed_store_says_so(tmp_path):
    store = Store(tmp_path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.append([played(0)[0]])


HOSTILE = st.text(max_size=30, alphabet=st.characters(codec=None)) | st.sampled_from(
    ["", "\0", "a\0b", "\ud800", "\udfff?", "\x1b[2J", "'; DROP TABLE x; --", "<script>", "\\ud800"]
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(HOSTILE, min_size=1, max_size=5), number=st.integers())
def test_hostile_text_comes_back_equal(store, texts, number):
    name = f"h{abs(hash((tuple(texts), number))):x}"
    messages = tuple(Message("assistant", text) for text in texts)
    move = {"say": texts[0], "n": number}
    turn = Turn(0, 0, "alice", 0, TurnKind.ILLEGAL, "Say", move, texts[-1], messages, texts[0])
    episode, _ = played(0)
    plan = replace(episode.engagement, id=name)
    store.append([replace(episode, engagement=plan, turns=(turn,), error=texts[0])])
    store.flush()

    def stored(text: str) -> str:  # a lone surrogate is written as \udXXX
        return text.encode("utf-8", "backslashreplace").decode()

    found = store.read(
        "SELECT content, trouble, reasoning, move->>'say', error FROM transcript "
        "JOIN turns USING (run, episode, seq) JOIN episodes USING (run, episode) "
        "WHERE episode = ? ORDER BY line",
        [name],
    )
    assert [row[0] for row in found] == [stored(text) for text in texts]
    assert {row[1:] for row in found} == {
        (stored(texts[-1]), stored(texts[0]), stored(texts[0]), stored(texts[0]))
    }


def test_ten_megabytes_and_whole_numbers_of_any_size_are_stored(store):
    text = "é\0" * 5_000_000
    episode, _ = played(0)
    turn = replace(episode.turns[0], messages=(Message("user", text),), move={"n": 10**40})
    store.append([replace(episode, turns=(turn,))]).result()
    [(found, number)] = store.read(
        "SELECT m.content, t.move->>'n' FROM messages m, turns t WHERE m.hash = t.messages[1]"
    )
    assert found == text
    assert number == str(10**40)


DISK_FULL = """
    import resource, sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from tests.platform.store_samples import fill, played
    from catallaxy.platform.errors import StoreError
    from catallaxy.platform.store.writer import Store

    store = Store(Path(sys.argv[1]))
    fill(store, 3)
    room = 400_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    settled = 0
    try:
        for ordinal in range(3, 3000):
            episode, calls = played(ordinal, words="x" * 5000)
            waiting = store.record(calls), store.append([episode])
            if ordinal % 10 == 0:
                [future.result() for future in waiting]
                settled = ordinal
    except StoreError as error:
        print(settled, error, sep="|")
    try:
        store.append([played(5000)[0]])
    except StoreError as error:
        print(error)
    store.close("failed")
"""


def test_a_full_disk_stops_the_run_with_a_sentence_and_keeps_what_was_settled(tmp_path):
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(DISK_FULL), tmp_path, Path(__file__).parent],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    settled, sentence = told[0].split("|")
    assert "cannot be written any more" in sentence
    assert "What was settled is intact" in sentence
    assert told[1] == sentence
    with Reader.open(tmp_path) as reader:
        kept = set(reader.settled())
    assert {f"e{ordinal:04d}" for ordinal in range(int(settled) + 1)} <= kept
    store = Store(tmp_path)
    assert store.append([played(5000)[0]]).result() == {"e5000"}
    store.close()


def test_two_different_calls_of_one_act_are_both_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.begin(run(), AGENTS, (VARIANT,)).result()
    first = call("e0000", 0, [Message("user", "?")], "an offer")
    second = replace(first, started=first.started + 1, ended=first.ended + 1)
    store.record([first]).result()
    store.record([second]).result()
    store.record([first]).result()

    assert store.read("SELECT attempt FROM record.calls ORDER BY attempt") == [
        (first.attempt,),
        (first.attempt + 1,),
    ]
    store.close()


def test_a_value_that_nobody_foresaw_leaves_nobody_waiting(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.begin(run(), AGENTS, (VARIANT,)).result()
    episode, _ = played(0)

    with pytest.raises(StoreError):
        store.append([replace(episode, payoffs={"alice": 10**400, "bob": 0.0})]).result(timeout=10)
    store.append([episode]).result(timeout=10)
    store.close()
