"""The tables of one open record: rows are gathered, then written whole in one transaction.

Knows no queue and no thread: one caller at a time.
"""

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import duckdb

from catallaxy.agents.chat import Message
from catallaxy.platform.errors import StoreError
from catallaxy.platform.record import Call, Engagement, Episode, EpisodeStatus
from catallaxy.platform.store import rows as r
from catallaxy.platform.store.duck import rows
from catallaxy.platform.store.prompts import Dialogues
from catallaxy.platform.store.rows import AgentRow, LedgerEntry, Row, Run, VariantRow
from catallaxy.platform.store.schema import TABLES
from catallaxy.platform.store.text import storable

APPENDED = tuple(table for table in TABLES if table != "runs")
_OF_AN_EPISODE = ("episodes", "seatings", "turns", "metrics")

STARTED = 25  # the column of a row of calls
CHUNK_ROWS = 64  # the appender holds Python's lock for about 10 µs a row
BREATH_S = 20e-6  # long enough for another thread to take the lock


class Tables:
    """Appenders over one connection, and what is known of the rows that are stored already."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._appenders = {name: connection.appender(f"record.{name}") for name in APPENDED}
        self._added = 0
        self.careful = False  # look every call up before it is added: one came twice
        self._dialogues = Dialogues()
        self._stored_texts: set[str] | None = None
        self._episodes = {
            episode: (EpisodeStatus(status), play)
            for episode, status, play in self._read(
                "SELECT episode, status, play FROM record.episodes"
            )
        }
        self._known: dict[str, set[Any]] = {
            "engagements": self._column("SELECT episode FROM record.engagements"),
            "variants": self._column("SELECT variant FROM record.variants"),
            "agents": self._column("SELECT agent FROM record.agents"),
            "ledger": self._column("SELECT DISTINCT ordinal FROM record.ledger"),
        }
        found = [self._read(f"SELECT max(batch) FROM record.{name}")[0][0] for name in APPENDED]  # noqa: S608 - our names
        self.batch: int = max((batch for batch in found if batch is not None), default=0)
        self.touched: dict[str, int] = {
            name: batch for name, batch in zip(APPENDED, found, strict=True) if batch is not None
        }
        self._clear()

    # Gathering: what the next `commit` will write.

    def begin(self, run: Run, agents: Sequence[AgentRow], variants: Sequence[VariantRow]) -> None:
        """The run starts, or goes on after a stop."""
        found = self._read("SELECT run, config_hash, started FROM record.runs")
        if found and (found[0][0], found[0][1]) != (run.id, run.config_hash):
            raise StoreError(
                f"This record belongs to run {found[0][0]!r} with configuration "
                f"{found[0][1]!r}, not to {run.id!r} with {run.config_hash!r}; "
                "resume a run with its own configuration, or start another."
            )
        self._run = r.run_row(run, "running", found[0][2] if found else run.started or time.time())
        self.declare(agents, variants)

    def declare(self, agents: Sequence[AgentRow], variants: Sequence[VariantRow]) -> None:
        """Agents and variants; those that are known already are kept as they are."""
        for agent in agents:
            if self._is_new("agents", agent.agent):
                self._add("agents", r.agent_row(agent))
        for variant in variants:
            if self._is_new("variants", variant.variant):
                self._add("variants", r.variant_row(variant))
                for row in r.measures(variant.variant, variant.predictions):
                    self._add("predictions", row)

    def plan(self, engagements: Iterable[Engagement]) -> None:
        """Engagements, and their variants; those that are known already are kept as they are."""
        for engagement in engagements:
            if self._is_new("engagements", engagement.id):
                self._add("engagements", r.engagement_row(engagement))
            if self._is_new("variants", engagement.variant):
                self._add("variants", r.variant_row(r.variant_of(engagement)))

    def record(self, calls: Iterable[Call]) -> None:
        """Calls as they returned; one that is stored already is ignored."""
        for call in calls:
            if self.careful:
                attempts = self._attempts(call)
                if attempts.get(call.attempt, call.started) != call.started:
                    # an agent that asks twice in one act: another call, not the same again
                    call = replace(call, attempt=max(attempts) + 1)
                elif call.attempt in attempts:
                    continue
            output = None
            if call.reply is not None:
                output = self._text(Message("assistant", call.reply.text))
            key = call.key
            prompt = self._dialogues.prompt((key.episode, key.seat), call.prompt, output)
            for message in call.prompt[len(call.prompt) - len(prompt.new) :]:
                self._text(message)
            self._add("calls", r.call_row(call, prompt, output))

    def append(self, episodes: Iterable[Episode]) -> frozenset[str]:
        """Episodes that ended; returns the ids that are new or replace a failure."""
        taken = set()
        for episode in episodes:
            name = episode.engagement.id
            if self._counts(episode):
                self._ended[name] = episode
                taken.add(name)
        return frozenset(taken)

    def settle(self, entries: Iterable[LedgerEntry]) -> None:
        """Entries of the ledger; those of an ordinal that was booked before are ignored."""
        booked = set() if self._emptied else self._known["ledger"]
        for entry in entries:
            if entry.ordinal not in booked:
                self._new.setdefault("ledger", set()).add(entry.ordinal)
                self._add("ledger", r.ledger_row(entry))

    def resettle(self) -> None:
        """Empty the ledger, before it is settled again from the start."""
        self._rows.pop("ledger", None)
        self._new.pop("ledger", None)
        self._emptied = True

    def end(self, status: str) -> None:
        """The run ends."""
        self._status = status

    # Writing.

    def commit(self) -> None:
        """Write everything gathered in one transaction. Raises duckdb.Error; then `undo`."""
        batch = self.batch + 1
        self._unfold()
        self._connection.begin()
        self._replace(batch)
        for name, gathered in self._rows.items():
            appender = self._appenders[name]
            for start in range(0, len(gathered), CHUNK_ROWS):
                appender.append_rows(
                    [(*row, batch) for row in gathered[start : start + CHUNK_ROWS]]
                )
                time.sleep(BREATH_S)
            appender.flush()
        self._connection.commit()
        self._remember(batch)

    def undo(self) -> None:
        """Drop everything gathered, after a `commit` that failed."""
        with contextlib.suppress(duckdb.TransactionException):  # it may have failed before it began
            self._connection.rollback()
        for appender in self._appenders.values():
            appender.clear()
        self._dialogues.forget()
        self._clear()

    def _clear(self) -> None:
        self._rows: defaultdict[str, list[Row]] = defaultdict(list)
        self._new: dict[str, set[Any]] = {}
        self._texts: set[str] = set()
        self._ended: dict[str, Episode] = {}
        self._run: Row | None = None
        self._status: str | None = None
        self._emptied = False

    def _remember(self, batch: int) -> None:
        """What was written is stored now."""
        self.batch = batch
        self.touched.update(dict.fromkeys(self._rows, batch))
        if self._emptied:
            self._known["ledger"] = set()
        for name, keys in self._new.items():
            self._known[name] |= keys
        if self._texts:
            self._texts_stored().update(self._texts)
        for name, episode in self._ended.items():
            self._episodes[name] = (episode.status, episode.play)
            self._dialogues.close(name, episode.engagement.seats)
        self._clear()

    def _unfold(self) -> None:
        """The rows of the episodes that ended."""
        for name, episode in self._ended.items():
            self._add("episodes", r.episode_row(episode))
            for row in r.seating_rows(episode):
                self._add("seatings", row)
            self._rows["metrics"].extend(r.measures(name, episode.metrics))
            for turn in episode.turns:
                for message in turn.messages:
                    self._text(message)
                self._add("turns", r.turn_row(name, turn))

    def _replace(self, batch: int) -> None:
        """What is not only appended: failures played again, the run's one row, the ledger."""
        again = [name for name in self._ended if name in self._episodes]
        if again:
            for table in _OF_AN_EPISODE:
                self._read(f"DELETE FROM record.{table} WHERE episode IN (SELECT unnest(?))", again)  # noqa: S608 - our names
        if self._emptied:
            self._read("DELETE FROM record.ledger")
        if self._run is not None:
            self._read("DELETE FROM record.runs")
            marks = ", ".join("?" * (len(self._run) + 1))
            self._read(f"INSERT INTO record.runs VALUES ({marks})", *self._run, batch)  # noqa: S608 - parameters only
            self.touched["runs"] = batch
        if self._status is not None:
            self._read(
                "UPDATE record.runs SET status = ?, ended = ?, batch = ?",
                self._status,
                time.time(),
                batch,
            )

    # What is known.

    def _counts(self, episode: Episode) -> bool:
        """Whether `episode` is new, or is better than a failure that is stored."""
        name = episode.engagement.id
        earlier = self._ended.get(name)
        known = (earlier.status, earlier.play) if earlier else self._episodes.get(name)
        if known is None:
            return True
        status, play = known
        if status is not EpisodeStatus.FAILED:
            return False
        return episode.status is not EpisodeStatus.FAILED or episode.play > play

    def _is_new(self, table: str, key: str) -> bool:
        fresh = self._new.setdefault(table, set())
        if key in fresh or key in self._known[table]:
            return False
        fresh.add(key)
        return True

    def _text(self, message: Message) -> str:
        key = message.hash
        if key not in self._texts and key not in self._texts_stored():
            self._texts.add(key)
            self._add("messages", (key, message.role, storable(message.content)))
        return key

    def _texts_stored(self) -> set[str]:
        if self._stored_texts is None:
            self._stored_texts = self._column("SELECT hash FROM record.messages")
        return self._stored_texts

    def _attempts(self, call: Call) -> dict[int, float]:
        """When the attempts at this question were begun, as far as they are known."""
        key = (call.key.episode, call.key.seat, call.key.turn, call.key.tried, call.key.play)
        found = self._read(
            "SELECT attempt, started FROM record.calls WHERE episode = ? AND seat = ? "
            "AND turn = ? AND tried = ? AND play = ?",
            *key,
        )
        gathered = self._rows.get("calls", ())
        attempts = {row[5]: row[STARTED] for row in gathered if row[:5] == key}
        return attempts | dict(found)

    def _add(self, table: str, row: Row) -> None:
        self._rows[table].append(row)
        self._added += 1
        if self._added % CHUNK_ROWS == 0:
            time.sleep(BREATH_S)

    def _read(self, sql: str, *parameters: object) -> list[tuple]:
        return rows(self._connection, sql, *parameters)

    def _column(self, sql: str) -> set[Any]:
        return {value for (value,) in self._read(sql)}
