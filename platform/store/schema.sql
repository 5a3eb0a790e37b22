-- The tables of one run's record, at version 1. Text is stored once, by hash; times are Unix seconds.
-- `batch` is the number of the transaction that stored a row: what is newer than a batch is what a
-- live reader has not seen yet. Only tables whose rows could arrive twice carry a primary key; the
-- rest is written in one transaction with the row of its episode.

CREATE SCHEMA IF NOT EXISTS record;

CREATE TABLE record.schema_version (version INTEGER, catallaxy VARCHAR, changed DOUBLE);
COMMENT ON TABLE record.schema_version IS 'One row per schema that this file had; the highest is the one it has.';
COMMENT ON COLUMN record.schema_version.version IS 'Version of the schema, from 1.';
COMMENT ON COLUMN record.schema_version.catallaxy IS 'Version of catallaxy that brought the file to this schema.';
COMMENT ON COLUMN record.schema_version.changed IS 'When, in Unix seconds.';

CREATE TABLE record.runs (
  run VARCHAR PRIMARY KEY, name VARCHAR, status VARCHAR, started DOUBLE, ended DOUBLE, seed BIGINT,
  config JSON, config_hash VARCHAR, version VARCHAR, git_sha VARCHAR, packages JSON, host JSON,
  batch BIGINT
);
COMMENT ON TABLE record.runs IS 'One row: the launch that this file records.';
COMMENT ON COLUMN record.runs.run IS 'Id of the run.';
COMMENT ON COLUMN record.runs.name IS 'Name that the person gave it.';
COMMENT ON COLUMN record.runs.status IS 'running, finished, stopped (on purpose, can be resumed) or failed.';
COMMENT ON COLUMN record.runs.started IS 'First launch, in Unix seconds.';
COMMENT ON COLUMN record.runs.ended IS 'Last end, in Unix seconds; null while it runs.';
COMMENT ON COLUMN record.runs.seed IS 'Seed from which every other seed of the run is derived.';
COMMENT ON COLUMN record.runs.config IS 'The resolved configuration.';
COMMENT ON COLUMN record.runs.config_hash IS 'Hash of the configuration; a run is resumed with the same one only.';
COMMENT ON COLUMN record.runs.version IS 'Version of catallaxy.';
COMMENT ON COLUMN record.runs.git_sha IS 'Commit of the code, empty where it is not known.';
COMMENT ON COLUMN record.runs.packages IS 'Versions of the packages that matter, by name.';
COMMENT ON COLUMN record.runs.host IS 'What is known about the machine.';
COMMENT ON COLUMN record.runs.batch IS 'Number of the transaction that stored the row.';

CREATE TABLE record.variants (
  variant VARCHAR PRIMARY KEY, game VARCHAR, wording VARCHAR, rules JSON, batch BIGINT
);
COMMENT ON TABLE record.variants IS 'One row per game, rules and wording that were played.';
COMMENT ON COLUMN record.variants.variant IS 'Hash of game, rules and wording.';
COMMENT ON COLUMN record.variants.game IS 'Name of the game in the catalogue.';
COMMENT ON COLUMN record.variants.wording IS 'Name of the words that the models read.';
COMMENT ON COLUMN record.variants.rules IS 'The parameters of the rules, by name.';
COMMENT ON COLUMN record.variants.batch IS 'Number of the transaction that stored the row.';

CREATE TABLE record.predictions (
  variant VARCHAR, seat VARCHAR, name VARCHAR, value DOUBLE, batch BIGINT
);
COMMENT ON TABLE record.predictions IS 'What theory expects of a variant, under the names of the metrics.';
COMMENT ON COLUMN record.predictions.variant IS 'The variant.';
COMMENT ON COLUMN record.predictions.seat IS 'The seat it speaks of; empty when it is about the whole episode.';
COMMENT ON COLUMN record.predictions.name IS 'Name of the metric.';
COMMENT ON COLUMN record.predictions.value IS 'Predicted value, in the unit of the metric.';
COMMENT ON COLUMN record.predictions.batch IS 'Number of the transaction that stored the row.';

CREATE TABLE record.agents (
  agent VARCHAR PRIMARY KEY, kind VARCHAR, backend VARCHAR, model VARCHAR, spec JSON, batch BIGINT
);
COMMENT ON TABLE record.agents IS 'One row per agent in the registry.';
COMMENT ON COLUMN record.agents.agent IS 'Name of the agent.';
COMMENT ON COLUMN record.agents.kind IS 'Kind of agent: the name of its class (ChatAgent, FairBargainer, PageAgent ...), or imported.';
COMMENT ON COLUMN record.agents.backend IS 'Name of the backend in the configuration; empty for agents without a model.';
COMMENT ON COLUMN record.agents.model IS 'Name of the model; empty for agents without one.';
COMMENT ON COLUMN record.agents.spec IS 'The agent''s whole configuration.';
COMMENT ON COLUMN record.agents.batch IS 'Number of the transaction that stored the row.';

CREATE TABLE record.engagements (
  ordinal BIGINT, episode VARCHAR PRIMARY KEY, game VARCHAR, variant VARCHAR, replicate BIGINT,
  seed BIGINT, seats MAP(VARCHAR, VARCHAR), batch BIGINT
);
COMMENT ON TABLE record.engagements IS 'The plan: one row per episode that is to be played, known before it is.';
COMMENT ON COLUMN record.engagements.ordinal IS 'Place in the run''s design; settlement goes in this order.';
COMMENT ON COLUMN record.engagements.episode IS 'Id of the episode.';
COMMENT ON COLUMN record.engagements.game IS 'Name of the game in the catalogue.';
COMMENT ON COLUMN record.engagements.variant IS 'Hash of game, rules and wording.';
COMMENT ON COLUMN record.engagements.replicate IS 'Number of the repetition of the same design cell, from 0.';
COMMENT ON COLUMN record.engagements.seed IS 'Nature''s seed.';
COMMENT ON COLUMN record.engagements.seats IS 'Agent by seat, in the order of the table.';
COMMENT ON COLUMN record.engagements.batch IS 'Number of the transaction that stored the row.';

CREATE TABLE record.episodes (
  episode VARCHAR PRIMARY KEY, ordinal BIGINT, game VARCHAR, variant VARCHAR, replicate BIGINT,
  seed BIGINT, play INTEGER, status VARCHAR, fault VARCHAR, error VARCHAR, turns INTEGER,
  tries INTEGER, started DOUBLE, ended DOUBLE, batch BIGINT
);
COMMENT ON TABLE record.episodes IS 'One row per episode that ended: settled, or failed by a fault of the machinery.';
COMMENT ON COLUMN record.episodes.episode IS 'Id of the episode, unique in the run.';
COMMENT ON COLUMN record.episodes.ordinal IS 'Place in the run''s design.';
COMMENT ON COLUMN record.episodes.game IS 'Name of the game in the catalogue.';
COMMENT ON COLUMN record.episodes.variant IS 'Hash of game, rules and wording.';
COMMENT ON COLUMN record.episodes.replicate IS 'Number of the repetition of the same design cell, from 0.';
COMMENT ON COLUMN record.episodes.seed IS 'Nature''s seed.';
COMMENT ON COLUMN record.episodes.play IS 'How often the episode was begun, from 1.';
COMMENT ON COLUMN record.episodes.status IS 'settled, failed (resume plays it again) or crashed (by a player, final).';
COMMENT ON COLUMN record.episodes.fault IS 'Whose fault a failure was: backend, game, agent, worker, or import where an imported game disagrees with the rules.';
COMMENT ON COLUMN record.episodes.error IS 'What failed, in a sentence.';
COMMENT ON COLUMN record.episodes.turns IS 'Turns of the game that were played.';
COMMENT ON COLUMN record.episodes.tries IS 'Tries of all seats, refused ones counted.';
COMMENT ON COLUMN record.episodes.started IS 'Start of this play, in Unix seconds.';
COMMENT ON COLUMN record.episodes.ended IS 'End of this play, in Unix seconds.';
COMMENT ON COLUMN record.episodes.batch IS 'Number of the transaction that stored the row.';

CREATE TABLE record.seatings (
  episode VARCHAR, seat VARCHAR, place INTEGER, agent VARCHAR, payoff DOUBLE, batch BIGINT
);
COMMENT ON TABLE record.seatings IS 'One row per episode and seat: who sat there and what it earned.';
COMMENT ON COLUMN record.seatings.episode IS 'Id of the episode.';
COMMENT ON COLUMN record.seatings.seat IS 'The seat.';
COMMENT ON COLUMN record.seatings.place IS 'Place of the seat at the table, from 0.';
COMMENT ON COLUMN record.seatings.agent IS 'Name of the agent.';
COMMENT ON COLUMN record.seatings.payoff IS 'What the seat earned, in the unit of the game (dollars, points); null if failed.';
COMMENT ON COLUMN record.seatings.batch IS 'Number of the transaction that stored the row.';

CREATE TABLE record.turns (
  episode VARCHAR, seq INTEGER, turn INTEGER, seat VARCHAR, tried INTEGER, kind VARCHAR,
  move_type VARCHAR, move JSON, trouble VARCHAR, messages VARCHAR[], reasoning VARCHAR, batch BIGINT
);
COMMENT ON TABLE record.turns IS 'One row per try of a seat at a turn of the game.';
COMMENT ON COLUMN record.turns.episode IS 'Id of the episode.';
COMMENT ON COLUMN record.turns.seq IS 'Number of the try in the episode, from 0; the reading order.';
COMMENT ON COLUMN record.turns.turn IS 'Number of the turn of the game, from 0.';
COMMENT ON COLUMN record.turns.seat IS 'The seat that moved; nature where an imported game brings its own draws.';
COMMENT ON COLUMN record.turns.tried IS 'Number of the try of this seat at this turn, from 0.';
COMMENT ON COLUMN record.turns.kind IS 'move, unreadable, illegal or forfeit.';
COMMENT ON COLUMN record.turns.move_type IS 'Name of the move''s type.';
COMMENT ON COLUMN record.turns.move IS 'The move, by field; null when there was none.';
COMMENT ON COLUMN record.turns.trouble IS 'Why the try was refused, as it was read back to the player.';
COMMENT ON COLUMN record.turns.messages IS 'Hashes of the messages that were appended to the seat''s dialogue.';
COMMENT ON COLUMN record.turns.reasoning IS 'Private reasoning, shown to nobody.';
COMMENT ON COLUMN record.turns.batch IS 'Number of the transaction that stored the row.';

CREATE TABLE record.messages (hash VARCHAR, role VARCHAR, content VARCHAR, batch BIGINT);
COMMENT ON TABLE record.messages IS 'Every text once.';
COMMENT ON COLUMN record.messages.hash IS '32 hex digits over role and content.';
COMMENT ON COLUMN record.messages.role IS 'system, user or assistant.';
COMMENT ON COLUMN record.messages.content IS 'The text as it was sent or came back; a lone surrogate is written as \udXXX.';
COMMENT ON COLUMN record.messages.batch IS 'Number of the transaction that stored the row.';

CREATE TABLE record.calls (
  episode VARCHAR, seat VARCHAR, turn INTEGER, tried INTEGER, play INTEGER, attempt INTEGER,
  backend VARCHAR, gen_ai_provider_name VARCHAR, gen_ai_request_model VARCHAR,
  gen_ai_request_temperature DOUBLE, gen_ai_request_top_p DOUBLE,
  gen_ai_request_max_tokens BIGINT, gen_ai_request_seed BIGINT,
  gen_ai_response_model VARCHAR, gen_ai_response_id VARCHAR,
  gen_ai_response_finish_reasons VARCHAR,
  gen_ai_usage_input_tokens BIGINT, gen_ai_usage_output_tokens BIGINT,
  gen_ai_usage_cache_read_input_tokens BIGINT, gen_ai_usage_reasoning_output_tokens BIGINT,
  prompt_hash VARCHAR, prompt_messages INTEGER, new_messages VARCHAR[], output_message VARCHAR,
  reasoning VARCHAR, started DOUBLE, latency_s DOUBLE, cost_usd DOUBLE,
  error_type VARCHAR, error VARCHAR, reused BOOLEAN, batch BIGINT,
  PRIMARY KEY (episode, seat, turn, tried, play, attempt)
);
COMMENT ON TABLE record.calls IS 'One row per request to a model, stored when it returned; columns gen_ai_* are OpenTelemetry''s, with underscores for dots.';
COMMENT ON COLUMN record.calls.episode IS 'Id of the episode.';
COMMENT ON COLUMN record.calls.seat IS 'The seat that asked.';
COMMENT ON COLUMN record.calls.turn IS 'Number of the turn of the game, from 0.';
COMMENT ON COLUMN record.calls.tried IS 'Number of the try of this seat at this turn, from 0.';
COMMENT ON COLUMN record.calls.play IS 'How often the episode had been begun, from 1.';
COMMENT ON COLUMN record.calls.attempt IS 'Number of the request for this try; more than one after server trouble.';
COMMENT ON COLUMN record.calls.backend IS 'Name of the backend in the configuration.';
COMMENT ON COLUMN record.calls.gen_ai_provider_name IS 'Who serves the model.';
COMMENT ON COLUMN record.calls.gen_ai_request_model IS 'Model that was asked for.';
COMMENT ON COLUMN record.calls.gen_ai_request_temperature IS 'Temperature; null leaves it to the server.';
COMMENT ON COLUMN record.calls.gen_ai_request_top_p IS 'Nucleus share, 0 to 1; null leaves it to the server.';
COMMENT ON COLUMN record.calls.gen_ai_request_max_tokens IS 'Most tokens of the reply; null leaves it to the server.';
COMMENT ON COLUMN record.calls.gen_ai_request_seed IS 'Seed of the sampling; null leaves it to the server.';
COMMENT ON COLUMN record.calls.gen_ai_response_model IS 'Name that the server gave its model; null without a reply.';
COMMENT ON COLUMN record.calls.gen_ai_response_id IS 'The server''s id of the reply; null without a reply.';
COMMENT ON COLUMN record.calls.gen_ai_response_finish_reasons IS 'Why the reply ended (stop, length ...): one choice, one reason.';
COMMENT ON COLUMN record.calls.gen_ai_usage_input_tokens IS 'Tokens of the prompt, cached ones counted.';
COMMENT ON COLUMN record.calls.gen_ai_usage_output_tokens IS 'Tokens of the reply, reasoning counted.';
COMMENT ON COLUMN record.calls.gen_ai_usage_cache_read_input_tokens IS 'Tokens of the prompt that the server had already read.';
COMMENT ON COLUMN record.calls.gen_ai_usage_reasoning_output_tokens IS 'Tokens of the reply that were reasoning.';
COMMENT ON COLUMN record.calls.prompt_hash IS 'Hash over the hashes of the whole prompt''s messages.';
COMMENT ON COLUMN record.calls.prompt_messages IS 'Messages in the whole prompt.';
COMMENT ON COLUMN record.calls.new_messages IS 'Hashes of the prompt''s messages after what an earlier call of this dialogue recorded; the whole prompt if they are prompt_messages many.';
COMMENT ON COLUMN record.calls.output_message IS 'Hash of the reply as an assistant''s message; null without a reply.';
COMMENT ON COLUMN record.calls.reasoning IS 'Private thinking that the server returned beside the text.';
COMMENT ON COLUMN record.calls.started IS 'Start of the request, in Unix seconds.';
COMMENT ON COLUMN record.calls.latency_s IS 'Seconds from request to reply.';
COMMENT ON COLUMN record.calls.cost_usd IS 'US dollars; null where no price is known.';
COMMENT ON COLUMN record.calls.error_type IS 'Type of the error; null when a reply came.';
COMMENT ON COLUMN record.calls.error IS 'The error in a sentence; null when a reply came.';
COMMENT ON COLUMN record.calls.reused IS 'Whether the reply was taken from an earlier record and nobody was asked.';
COMMENT ON COLUMN record.calls.batch IS 'Number of the transaction that stored the row.';

CREATE TABLE record.metrics (
  episode VARCHAR, seat VARCHAR, name VARCHAR, value DOUBLE, batch BIGINT
);
COMMENT ON TABLE record.metrics IS 'The literature''s measures, one row each.';
COMMENT ON COLUMN record.metrics.episode IS 'Id of the episode.';
COMMENT ON COLUMN record.metrics.seat IS 'The seat it belongs to; empty when it is about the whole episode.';
COMMENT ON COLUMN record.metrics.name IS 'Name of the metric.';
COMMENT ON COLUMN record.metrics.value IS 'Value, in the unit of the metric.';
COMMENT ON COLUMN record.metrics.batch IS 'Number of the transaction that stored the row.';

CREATE TABLE record.ledger (
  ordinal BIGINT, episode VARCHAR, agent VARCHAR, amount DOUBLE, balance DOUBLE, batch BIGINT
);
COMMENT ON TABLE record.ledger IS 'Changes of the agents'' balances, in the order of settlement.';
COMMENT ON COLUMN record.ledger.ordinal IS 'Place of the episode in the run''s design.';
COMMENT ON COLUMN record.ledger.episode IS 'The settled episode.';
COMMENT ON COLUMN record.ledger.agent IS 'Name of the agent.';
COMMENT ON COLUMN record.ledger.amount IS 'What was booked, in the unit of the game.';
COMMENT ON COLUMN record.ledger.balance IS 'The agent''s balance afterwards.';
COMMENT ON COLUMN record.ledger.batch IS 'Number of the transaction that stored the row.';
