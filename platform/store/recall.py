"""What a record remembers, as values again: outcomes, plays, answered calls, dialogues.

Works over the public views, inside the writer or in a reader. Knows no connection: `read` asks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

from catallaxy.agents.chat import CallKey, Message, Reply, Sampling, Usage
from catallaxy.platform.backends.cassette import RecordedCall
from catallaxy.platform.errors import StoreError
from catallaxy.platform.record import EpisodeStatus, Outcome
from catallaxy.platform.store.prompts import Prompt, Rebuilt

Parameters: TypeAlias = Sequence[object] | Mapping[str, object]
Read: TypeAlias = Callable[[str, Parameters], list[tuple[Any, ...]]]

CHUNK_EPISODES = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript. `role` is a message's, or the kind of a try without messages."""

    seq: int
    turn: int
    seat: str
    agent: str
    role: str
    content: str


_OUTCOMES = """
SELECT e.ordinal, e.episode, e.status, s.seats, s.payoffs, e.turns, e.error, t.forfeits, t.bad
FROM episodes e
LEFT JOIN (
  SELECT run, episode,
    map_from_entries(list((seat, agent) ORDER BY place)) AS seats,
    map_from_entries(list((seat, payoff) ORDER BY place) FILTER (WHERE payoff IS NOT NULL))
      AS payoffs
  FROM seats GROUP BY run, episode
) s USING (run, episode)
LEFT JOIN (
  SELECT run, episode, count(*) FILTER (WHERE kind = 'forfeit') AS forfeits,
    count(*) FILTER (WHERE kind IN ('unreadable', 'illegal')) AS bad
  FROM turns GROUP BY run, episode
) t USING (run, episode)
WHERE ($run IS NULL OR e.run = $run)
  AND ($episodes IS NULL OR list_contains($episodes, e.episode))
  AND e.status <> 'failed'
ORDER BY e.ordinal
"""

_PLAYS = """
SELECT episode, max(play) FROM (
  SELECT run, episode, play FROM episodes UNION ALL SELECT run, episode, play FROM calls
) WHERE ($run IS NULL OR run = $run) GROUP BY episode
"""

_ASKED = """
SELECT DISTINCT episode FROM calls
WHERE ($run IS NULL OR run = $run) AND output_message IS NOT NULL ORDER BY episode
"""

_CALLS = """
SELECT run, episode, seat, turn, tried, play, gen_ai_request_model, gen_ai_request_temperature,
  gen_ai_request_top_p, gen_ai_request_max_tokens, gen_ai_request_seed, gen_ai_response_model,
  gen_ai_response_id, gen_ai_response_finish_reasons, gen_ai_usage_input_tokens,
  gen_ai_usage_output_tokens, gen_ai_usage_cache_read_input_tokens,
  gen_ai_usage_reasoning_output_tokens, prompt_hash, prompt_messages, new_messages, output_message,
  reasoning
FROM calls
WHERE ($run IS NULL OR run = $run) AND episode IN (SELECT unnest($episodes))
  AND output_message IS NOT NULL
ORDER BY run, episode, seat, play, turn, tried, attempt
"""

_TEXTS = """
SELECT run, hash, role, content FROM messages
WHERE ($run IS NULL OR run = $run) AND hash IN (
  SELECT unnest(list_append(new_messages, output_message)) FROM calls
  WHERE ($run IS NULL OR run = $run) AND episode IN (SELECT unnest($episodes))
)
"""

_LINES = """
SELECT seq, turn, seat, agent, role, content FROM transcript
WHERE ($run IS NULL OR run = $run) AND episode = $episode ORDER BY run, seq, line
"""


def outcomes(
    read: Read, episodes: Sequence[str] | None = None, run: str | None = None
) -> dict[str, Outcome]:
    """Final outcomes by episode, in the order of the design."""
    wanted = None if episodes is None else list(episodes)
    found = read(_OUTCOMES, {"run": run, "episodes": wanted})
    return {
        episode: Outcome(
            ordinal=ordinal,
            episode=episode,
            status=EpisodeStatus(status),
            seats=seats or {},
            payoffs=payoffs or {},
            turns=turns,
            forfeits=forfeits or 0,
            bad_tries=bad or 0,
            error=error,
        )
        for ordinal, episode, status, seats, payoffs, turns, error, forfeits, bad in found
    }


def plays(read: Read, run: str | None = None) -> dict[str, int]:
    """How often every episode was begun that left a trace."""
    return dict(read(_PLAYS, {"run": run}))


def calls_by_episode(
    read: Read, episodes: Sequence[str], run: str | None = None
) -> dict[str, tuple[RecordedCall, ...]]:
    """The answered calls of `episodes`; those without any are left out."""
    found: dict[str, list[RecordedCall]] = {}
    for call in calls(read, episodes, run):
        found.setdefault(call.key.episode, []).append(call)
    return {episode: tuple(answered) for episode, answered in found.items()}


def calls(
    read: Read, episodes: Sequence[str] | None = None, run: str | None = None
) -> Iterator[RecordedCall]:
    """Answered calls with their whole prompts, by episode, seat, play, turn and try."""
    if episodes is None:
        episodes = [episode for (episode,) in read(_ASKED, {"run": run})]
    for start in range(0, len(episodes), CHUNK_EPISODES):
        yield from _calls(read, list(episodes[start : start + CHUNK_EPISODES]), run)


def dialogue(read: Read, episode: str, run: str | None = None) -> tuple[Line, ...]:
    """The transcript of one episode, all seats, in reading order."""
    return tuple(Line(*row) for row in read(_LINES, {"run": run, "episode": episode}))


def _calls(read: Read, episodes: list[str], run: str | None) -> Iterator[RecordedCall]:
    asked = {"run": run, "episodes": episodes}
    rows = read(_CALLS, asked)
    texts = {(of, key): Message(role, content) for of, key, role, content in read(_TEXTS, asked)}
    for _, dialogue_rows in groupby(rows, key=lambda row: row[:3]):
        rebuilt = Rebuilt()
        for row in dialogue_rows:
            yield _call(row, rebuilt, texts)


def _call(
    row: tuple[Any, ...], rebuilt: Rebuilt, texts: Mapping[tuple[str, str], Message]
) -> RecordedCall:
    run, episode, seat, turn, tried, play, model, temperature, top_p, most, seed, *answer = row
    named, number, finish, read, written, cached, reasoned, hashed, length, new, output, why = (
        answer
    )
    key = CallKey(episode, seat, turn, tried, play)
    try:
        hashes = rebuilt.whole(Prompt(hashed, length, new), output)
        prompt = tuple(texts[run, each] for each in hashes)
        text = texts[run, output].content
    except LookupError as error:
        raise StoreError(f"Run {run}: the prompt of {key} is not whole in the record.") from error
    return RecordedCall(
        key=key,
        model=model,
        prompt=prompt,
        sampling=Sampling(temperature, top_p, most, seed, call=key),
        reply=Reply(text, Usage(read, written, cached, reasoned), finish, named, number, why or ""),
    )
