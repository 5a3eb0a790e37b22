"""How one run stands: what it is, what was planned, done and spent. Knows no terminal, no HTML."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from catallaxy.platform.store.reader import Reader


@dataclass(frozen=True, slots=True)
class Overview:
    """One run. Times are UTC; `cost_usd` is None where no price is known; `ended` while it runs."""

    run: str
    name: str
    status: str
    started: datetime | None
    ended: datetime | None
    seed: int
    config: Mapping[str, Any]
    config_hash: str
    version: str
    games: tuple[str, ...]
    models: tuple[str, ...]
    planned: int
    settled: int
    failed: int
    crashed: int
    calls: int
    tokens: int
    cost_usd: float | None

    @property
    def done(self) -> int:
        """Episodes that ended, however they did."""
        return self.settled + self.failed + self.crashed

    @property
    def seconds(self) -> float | None:
        """Wall time between the first start and the last end."""
        if self.started is None or self.ended is None:
            return None
        return (self.ended - self.started).total_seconds()


_OVERVIEW = """
SELECT r.run, r.name, r.status, r.started, r.ended, r.seed, CAST(r.config AS VARCHAR) AS config,
  r.config_hash, r.version,
  (SELECT list(DISTINCT game ORDER BY game) FROM engagements) AS games,
  (SELECT list(DISTINCT model ORDER BY model) FROM agents WHERE model <> '') AS models,
  (SELECT count(*) FROM engagements) AS planned,
  (SELECT count(*) FROM episodes WHERE status = 'settled') AS settled,
  (SELECT count(*) FROM episodes WHERE status = 'failed') AS failed,
  (SELECT count(*) FROM episodes WHERE status = 'crashed') AS crashed,
  c.calls, c.tokens, c.cost_usd
FROM runs AS r CROSS JOIN (
  SELECT count(*) AS calls, sum(cost_usd) AS cost_usd,
    coalesce(sum(gen_ai_usage_input_tokens + gen_ai_usage_output_tokens), 0) AS tokens
  FROM calls WHERE error_type IS NULL AND NOT reused
) AS c
"""


def overview(reader: Reader) -> Overview | None:
    """How the run that `reader` has open stands; None if nothing was recorded yet."""
    rows = reader.sql(_OVERVIEW).rows
    if not rows:
        return None
    (run, name, status, started, ended, seed, config, *texts) = rows[0]
    config_hash, version, games, models, *numbers = texts
    planned, settled, failed, crashed, calls, tokens, cost = numbers
    return Overview(
        run=run,
        name=name,
        status=status,
        started=started,
        ended=None if pd.isna(ended) else ended,
        seed=seed,
        config=json.loads(config or "{}"),
        config_hash=config_hash or "",
        version=version or "",
        games=tuple(games or ()),
        models=tuple(models or ()),
        planned=planned,
        settled=settled,
        failed=failed,
        crashed=crashed,
        calls=calls,
        tokens=int(tokens),
        cost_usd=cost,
    )
