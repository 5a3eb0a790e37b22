"""What a run found, as data frames: queries over the public views. Knows no terminal and no HTML.

Works for every game: what it measures is whatever names its metrics have.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import pandas as pd

from catallaxy.platform.analysis.intervals import mean
from catallaxy.platform.store.reader import Reader

PREFERRED = ("self_gain", "efficiency", "fairness", "agreement", "rounds")
"""Metrics to show first, where a game has them."""
HEADLINES = 6
FEW_SEATS = 4
"""Up to so many seats a table speaks of seats; above, of agents."""

_PLAYS = """
SELECT e.episode, e.ordinal, e.game, e.variant, e.status, e.turns,
  coalesce(t.forfeits, 0) AS forfeits, d.value AS deal, s.seats, s.agents
FROM episodes AS e
LEFT JOIN (
  SELECT run, episode, list(seat ORDER BY place) AS seats, list(agent ORDER BY place) AS agents
  FROM seats GROUP BY run, episode
) AS s ON s.run = e.run AND s.episode = e.episode
LEFT JOIN (
  SELECT run, episode, count(*) AS forfeits FROM turns WHERE kind = 'forfeit' GROUP BY run, episode
) AS t ON t.run = e.run AND t.episode = e.episode
LEFT JOIN metrics AS d
  ON d.run = e.run AND d.episode = e.episode AND d.seat = '' AND d.name = 'agreement'
ORDER BY e.ordinal
"""
_VALUES = """
WITH found AS (
  SELECT run, episode, seat, name, value FROM metrics
  UNION ALL
  SELECT run, episode, seat, 'payoff', payoff FROM seats WHERE payoff IS NOT NULL
)
SELECT f.episode, f.seat, f.name, f.value
FROM found AS f
JOIN episodes AS e ON e.run = f.run AND e.episode = f.episode
LEFT JOIN seats AS s ON s.run = f.run AND s.episode = f.episode AND s.seat = f.seat
ORDER BY e.ordinal, s.place NULLS FIRST, f.name
"""


def plays(reader: Reader) -> pd.DataFrame:
    """One row per episode that ended: `pairing` names the agents in the order of their seats.

    `deal` is 1 after an agreement, 0 without, null in games that know none.
    """
    found = reader.sql(_PLAYS).df()
    found["pairing"] = [pairing(agents) for agents in found["agents"]]
    return found


def pairing(agents: Sequence[str]) -> str:
    """The agents of one table in words: `gpt vs fair`; a full table by its counts."""
    if len(agents) <= FEW_SEATS:
        return " vs ".join(agents)
    return ", ".join(f"{count} × {agent}" for agent, count in Counter(agents).most_common())


def counts(plays: pd.DataFrame) -> pd.DataFrame:
    """Per game and pairing, how its episodes ended; `no_deal` is null in games without deals."""
    ends = plays.assign(
        settled=plays["status"] == "settled",
        failed=plays["status"] == "failed",
        crashed=plays["status"] == "crashed",
        forfeited=plays["forfeits"] > 0,
        no_deal=(1 - plays["deal"]).astype(float),
    )
    names = ["settled", "failed", "crashed", "forfeited"]
    by = ends.groupby(["game", "pairing"], sort=True)
    found = by[names].sum()
    found.insert(0, "episodes", by["episode"].count())
    found["no_deal"] = by["no_deal"].sum(min_count=1)
    return found.reset_index()


def measures(reader: Reader, plays: pd.DataFrame) -> pd.DataFrame:
    """Per game, pairing, seat and metric: mean over settled episodes, interval, and theory.

    Columns game, pairing, seat (empty when it is about the whole episode; at tables of more than
    four the agent's name), name, mean, half (of the 95 % interval, null without one), n, clusters,
    predicted (the mean of what theory expects of the same episodes) and predicted_n (the number of
    those for which it expects something).
    """
    settled = plays.loc[plays["status"] == "settled"]
    values = _values(reader).merge(
        settled[["episode", "ordinal", "game", "variant", "pairing"]], on="episode"
    )
    theory = reader.sql("SELECT variant, seat, name, value AS predicted FROM predictions").df()
    values = values.merge(theory.drop_duplicates(), on=["variant", "seat", "name"], how="left")
    values = _by_agent(values, reader, settled)
    rows = [
        _measure(cast("tuple[str, ...]", key), group)  # grouped by several columns
        for key, group in values.groupby(["game", "pairing", "seat", "name"], sort=False)
    ]
    found = pd.DataFrame(rows, columns=list(_MEASURE_COLUMNS))
    return found.sort_values(["game", "pairing"], kind="stable", ignore_index=True)


_MEASURE_COLUMNS = (
    "game",
    "pairing",
    "seat",
    "name",
    "mean",
    "half",
    "n",
    "clusters",
    "predicted",
    "predicted_n",
)


def _values(reader: Reader) -> pd.DataFrame:
    found = reader.sql(_VALUES).df()
    return found.loc[found["value"].abs() < float("inf")]  # drops NaN too


def _measure(key: tuple[str, ...], group: pd.DataFrame) -> tuple[object, ...]:
    known = group["predicted"].dropna()
    found = mean(group["value"].to_numpy(), group["variant"].tolist())
    predicted = float(known.mean()) if len(known) else None
    return (*key, found.value, found.half, found.n, found.clusters, predicted, len(known))


def _by_agent(values: pd.DataFrame, reader: Reader, settled: pd.DataFrame) -> pd.DataFrame:
    """At full tables, one value per episode and agent in place of one per seat."""
    full = settled.loc[settled["seats"].map(len) > FEW_SEATS, "episode"]
    if full.empty:
        return values
    who = reader.sql("SELECT episode, seat, agent FROM seats").df()
    crowded = values["episode"].isin(full) & (values["seat"] != "")
    seated = values.loc[crowded].merge(who, on=["episode", "seat"])
    keys = ["episode", "ordinal", "game", "variant", "pairing", "agent", "name"]
    means = seated.groupby(keys, sort=False, as_index=False)[["value", "predicted"]].mean()
    return pd.concat([values.loc[~crowded], means.rename(columns={"agent": "seat"})])


def plain_names(names: Iterable[str]) -> list[str]:
    """The metrics but for repetitions of one under another convention, `<metric>_<convention>`."""
    known = list(names)
    return [n for n in known if not any(n.startswith(f"{other}_") for other in known)]


def headlines(measures: pd.DataFrame) -> list[tuple[str, str]]:
    """The few (metric, seat) columns to show of one game: the preferred ones, or what there is."""
    names = set(measures["name"])
    chosen = [name for name in PREFERRED if name in names]
    if "self_gain" not in chosen and "payoff" in names:
        chosen.insert(0, "payoff")
    if len(chosen) < HEADLINES // 2:
        chosen += sorted(set(plain_names(names)) - set(chosen) - {"payoff"})
    columns = []
    for name in chosen:
        seats = measures.loc[measures["name"] == name, "seat"]
        columns += [(name, seat) for seat in dict.fromkeys(seats)]
    return columns[:HEADLINES]


_OFFERS = """
SELECT t.episode, e.game, e.variant, t.seat, t.agent, CAST(t.move AS VARCHAR) AS move,
  try_cast(v.rules ->> 'pie' AS DOUBLE) AS pie
FROM turns AS t
JOIN episodes AS e ON e.run = t.run AND e.episode = t.episode
LEFT JOIN variants AS v ON v.run = e.run AND v.variant = e.variant
WHERE t.kind = 'move' AND e.status = 'settled'
  AND regexp_matches(CAST(t.move AS VARCHAR), '_gain"|"claim"')
ORDER BY e.ordinal, t.seq
"""


def offers_by_round(reader: Reader) -> pd.DataFrame:
    """Per game, agent and round, the share that proposers asked for themselves.

    For games whose moves name what each seat gets as `<seat>_gain`, or their own `claim` on the
    rules' `pie`; the n-th such move of an episode is round n. Columns game, agent, round, mean,
    half, n.
    """
    found = reader.sql(_OFFERS).df()
    asked = zip(found["move"], found["seat"], found["pie"], strict=True)
    found["share"] = [_share(json.loads(move), seat, pie) for move, seat, pie in asked]
    found = found.dropna(subset="share")
    found["round"] = found.groupby("episode").cumcount() + 1
    rows = []
    for key, group in found.groupby(["game", "agent", "round"], sort=True):
        asked = mean(group["share"].to_numpy(), group["variant"].tolist())
        names = cast("tuple[Any, ...]", key)  # grouped by several columns
        rows.append((*names, asked.value, asked.half, asked.n))
    return pd.DataFrame(rows, columns=["game", "agent", "round", "mean", "half", "n"])


def _share(move: Mapping[str, Any], seat: str, pie: float) -> float | None:
    """What the seat asks for itself, as a share; None where the move does not say."""
    gains = [value for name, value in move.items() if name.endswith("_gain")]
    own, whole = move.get(f"{seat}_gain"), 0.0
    if own is None:
        own, whole = move.get("claim"), pie
    elif all(isinstance(gain, (int, float)) for gain in gains):
        whole = sum(gains)
    return own / whole if isinstance(own, (int, float)) and whole > 0 else None


def agreement_by_round(reader: Reader, plays: pd.DataFrame, most: int) -> pd.DataFrame:
    """Per game, the share of settled episodes with an agreement by each round.

    Columns game, who, round, share, n. `who` is a pairing, or an agent where there are more than
    `most` pairings; empty for all episodes. Empty for games without `agreement` and `rounds`.
    """
    rounds = reader.sql("SELECT episode, value AS rounds FROM metrics WHERE name = 'rounds'").df()
    ended = plays.loc[(plays["status"] == "settled") & plays["deal"].notna()]
    ended = ended.merge(rounds.drop_duplicates("episode"), on="episode")
    rows = []
    for game, of_game in ended.groupby("game", sort=False):
        if of_game["pairing"].nunique() > most:
            parts = of_game.explode("agents").drop_duplicates(["episode", "agents"])
            groups = list(parts.groupby("agents", sort=True))
        else:
            groups = list(of_game.groupby("pairing", sort=True))
        for who, group in [*groups, ("", of_game)]:
            for now in range(1, int(of_game["rounds"].max()) + 1):
                agreed = (group["deal"] > 0) & (group["rounds"] <= now)
                rows.append((game, who, now, agreed.mean(), len(group)))
    return pd.DataFrame(rows, columns=["game", "who", "round", "share", "n"])


_AGENTS = """
WITH asked AS (
  SELECT agent,
    count(*) FILTER (WHERE error_type IS NULL AND NOT reused) AS calls,
    count(*) FILTER (WHERE error_type IS NULL AND reused) AS reused,
    count(*) FILTER (WHERE error_type IS NOT NULL) AS model_errors,
    CAST(sum(gen_ai_usage_input_tokens) FILTER (WHERE NOT reused) AS BIGINT) AS tokens_in,
    CAST(sum(gen_ai_usage_cache_read_input_tokens) FILTER (WHERE NOT reused) AS BIGINT) AS cached,
    CAST(sum(gen_ai_usage_output_tokens) FILTER (WHERE NOT reused) AS BIGINT) AS tokens_out,
    sum(cost_usd) FILTER (WHERE NOT reused) AS cost_usd,
    quantile_cont(latency_s, 0.5) FILTER (WHERE error_type IS NULL AND NOT reused) AS p50_s,
    quantile_cont(latency_s, 0.95) FILTER (WHERE error_type IS NULL AND NOT reused) AS p95_s
  FROM calls GROUP BY agent
), played AS (
  SELECT agent, count(*) FILTER (WHERE kind <> 'forfeit') AS tries,
    count(*) FILTER (WHERE kind = 'unreadable') AS unreadable,
    count(*) FILTER (WHERE kind = 'illegal') AS illegal,
    count(*) FILTER (WHERE kind = 'forfeit') AS forfeits
  FROM turns GROUP BY agent
), seated AS (
  SELECT agent, count(DISTINCT episode) AS episodes FROM seats GROUP BY agent
)
SELECT a.agent, a.kind, a.model, a.backend, coalesce(s.episodes, 0) AS episodes,
  coalesce(p.tries, 0) AS tries, coalesce(p.unreadable, 0) AS unreadable,
  coalesce(p.illegal, 0) AS illegal, coalesce(p.forfeits, 0) AS forfeits,
  coalesce(c.calls, 0) AS calls, coalesce(c.reused, 0) AS reused,
  coalesce(c.model_errors, 0) AS model_errors, coalesce(c.tokens_in, 0) AS tokens_in,
  coalesce(c.cached, 0) AS cached, coalesce(c.tokens_out, 0) AS tokens_out, c.cost_usd, c.p50_s,
  c.p95_s
FROM agents AS a
LEFT JOIN asked AS c ON c.agent = a.agent
LEFT JOIN played AS p ON p.agent = a.agent
LEFT JOIN seated AS s ON s.agent = a.agent
ORDER BY a.agent
"""
_FAILURES = """
SELECT status, fault, left(error, 300) AS error, count(*) AS episodes,
  min_by(episode, ordinal) AS first
FROM episodes WHERE status <> 'settled' GROUP BY ALL ORDER BY episodes DESC, first, error
"""
_MODEL_ERRORS = """
SELECT agent, error_type, count(*) AS calls,
  left(min_by(error, (episode, turn, attempt)), 300) AS example
FROM calls WHERE error_type IS NOT NULL
GROUP BY agent, error_type ORDER BY calls DESC, agent, error_type
"""


def agents(reader: Reader) -> pd.DataFrame:
    """One row per agent: what it did, what its model cost, and its trouble.

    Calls, tokens and seconds are of requests that the model answered in this run; `reused` answers
    came from an earlier record, `model_errors` are requests without an answer. `cost_usd` is null
    where no price is known.
    """
    return reader.sql(_AGENTS).df()


def failures(reader: Reader) -> pd.DataFrame:
    """Episodes that did not settle, by status, fault and error, with the first of each kind."""
    return reader.sql(_FAILURES).df()


def model_errors(reader: Reader) -> pd.DataFrame:
    """Requests that no model answered, by agent and type of error, with an example of each."""
    return reader.sql(_MODEL_ERRORS).df()
