-- The public names. `$calls` and the like stand for where the rows come from, with `run` in front;
-- the lists of columns that a record brings with it are filled in as well.

CREATE OR REPLACE VIEW runs AS
SELECT run, name, status, make_timestamp(CAST(started * 1e6 AS BIGINT)) AS started,
  make_timestamp(CAST(ended * 1e6 AS BIGINT)) AS ended, seed, config, config_hash, version, git_sha,
  packages, host
FROM $runs;
COMMENT ON VIEW runs IS 'One row per run. Times are UTC; status is interrupted for a run that died.';

CREATE OR REPLACE VIEW variants AS
SELECT run, variant, game, wording, rules FROM $variants;
COMMENT ON VIEW variants IS 'One row per game, rules and wording that were played.';

CREATE OR REPLACE VIEW predictions AS
SELECT run, variant, seat, name, value FROM $predictions;
COMMENT ON VIEW predictions IS 'What theory expects of a variant, under the names of the metrics.';

CREATE OR REPLACE VIEW agents AS
SELECT run, agent, kind, backend, model, spec FROM $agents;
COMMENT ON VIEW agents IS 'One row per agent.';

CREATE OR REPLACE VIEW engagements AS
SELECT run, ordinal, episode, game, variant, replicate, seed, seats FROM $engagements;
COMMENT ON VIEW engagements IS 'The plan: one row per episode that is to be played.';

CREATE OR REPLACE VIEW episodes AS
SELECT e.run, e.episode, e.ordinal, e.game, e.variant, e.replicate, e.seed, e.play, e.status,
  e.fault, e.error, e.turns, e.tries, make_timestamp(CAST(e.started * 1e6 AS BIGINT)) AS started,
  make_timestamp(CAST(e.ended * 1e6 AS BIGINT)) AS ended,
  e.ended - e.started AS duration_s$rule_columns$episode_columns
FROM $episodes AS e
LEFT JOIN $variants AS v ON v.run = e.run AND v.variant = e.variant
LEFT JOIN (
  SELECT run, episode$episode_metrics FROM $metrics WHERE seat = '' GROUP BY run, episode
) AS m ON m.run = e.run AND m.episode = e.episode;
COMMENT ON VIEW episodes IS 'One row per episode, with the parameters of its rules and its metrics as columns. Times are UTC, duration_s is seconds.';

CREATE OR REPLACE VIEW seats AS
SELECT e.run, e.episode, e.ordinal, e.game, e.variant, e.replicate, e.status, s.seat, s.place,
  s.agent, s.payoff$seat_columns
FROM $seatings AS s
JOIN $episodes AS e ON e.run = s.run AND e.episode = s.episode
LEFT JOIN (
  SELECT run, episode, seat$seat_metrics FROM $metrics WHERE seat <> ''
  GROUP BY run, episode, seat
) AS m ON m.run = s.run AND m.episode = s.episode AND m.seat = s.seat;
COMMENT ON VIEW seats IS 'One row per episode and seat: agent, payoff in the unit of the game, and the seat''s metrics as columns.';

CREATE OR REPLACE VIEW turns AS
SELECT t.run, t.episode, t.seq, t.turn, t.seat, s.agent, t.tried, t.kind, t.move_type, t.move,
  t.trouble, t.messages, t.reasoning
FROM $turns AS t
LEFT JOIN $seatings AS s ON s.run = t.run AND s.episode = t.episode AND s.seat = t.seat;
COMMENT ON VIEW turns IS 'One row per try of a seat at a turn of the game.';

CREATE OR REPLACE VIEW messages AS
SELECT run, hash, role, content FROM $messages;
COMMENT ON VIEW messages IS 'Every text of a run once.';

CREATE OR REPLACE VIEW transcript AS
WITH lines AS (
  SELECT t.run, t.episode, t.seq, unnest(range(len(t.messages))) AS line, t.turn, t.seat, t.agent,
    unnest(t.messages) AS hash
  FROM turns AS t
)
SELECT l.run, l.episode, l.seq, l.line, l.turn, l.seat, l.agent, m.role, m.content
FROM lines AS l JOIN $messages AS m ON m.run = l.run AND m.hash = l.hash
UNION ALL
SELECT t.run, t.episode, t.seq, 0 AS line, t.turn, t.seat, t.agent, t.kind AS role,
  coalesce(CAST(t.move AS VARCHAR), t.trouble) AS content
FROM turns AS t WHERE coalesce(len(t.messages), 0) = 0
ORDER BY run, episode, seq, line;
COMMENT ON VIEW transcript IS 'What was said, in reading order. A try without messages (a scripted or human agent''s) is one line whose role is its kind and whose content is its move.';

CREATE OR REPLACE VIEW calls AS
SELECT c.run, c.episode, c.seat, g.seats[c.seat] AS agent, c.turn, c.tried, c.play, c.attempt,
  c.backend, c.gen_ai_provider_name, c.gen_ai_request_model, c.gen_ai_request_temperature,
  c.gen_ai_request_top_p, c.gen_ai_request_max_tokens, c.gen_ai_request_seed,
  c.gen_ai_response_model, c.gen_ai_response_id, c.gen_ai_response_finish_reasons,
  c.gen_ai_usage_input_tokens, c.gen_ai_usage_output_tokens,
  c.gen_ai_usage_cache_read_input_tokens, c.gen_ai_usage_reasoning_output_tokens,
  c.prompt_hash, c.prompt_messages, c.new_messages, c.output_message, c.reasoning,
  make_timestamp(CAST(c.started * 1e6 AS BIGINT)) AS started, c.latency_s, c.cost_usd,
  c.error_type, c.error, c.reused
FROM $calls AS c
LEFT JOIN $engagements AS g ON g.run = c.run AND g.episode = c.episode;
COMMENT ON VIEW calls IS 'One row per request to a model, failed ones and those of unsettled episodes too. Tokens, seconds, US dollars; started is UTC.';

CREATE OR REPLACE VIEW metrics AS
SELECT run, episode, seat, name, value FROM $metrics;
COMMENT ON VIEW metrics IS 'The literature''s measures, one row each; seat is empty when it is about the whole episode.';

CREATE OR REPLACE VIEW ledger AS
SELECT run, ordinal, episode, agent, amount, balance FROM $ledger;
COMMENT ON VIEW ledger IS 'Changes of the agents'' balances, in the order of settlement.';
