"""Versions of the schema: an old record is migrated or read, a newer one is refused in words."""

import duckdb
import pytest

from catallaxy.platform.errors import StoreError
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.store.schema import CURRENT, Schema
from catallaxy.platform.store.writer import Store
from tests.platform.store_samples import finished

STEP = CURRENT.version + 1
ADDED = "ALTER TABLE record.episodes ADD COLUMN mood VARCHAR DEFAULT 'calm';"
NEXT = Schema(
    CURRENT.sql.replace(
        "CREATE TABLE record.episodes (", "CREATE TABLE record.episodes (mood VARCHAR,"
    ),
    {**CURRENT.steps, STEP: ADDED},
)


def version(folder) -> int:
    with duckdb.connect(folder / "store.duckdb", read_only=True) as connection:
        [(found,)] = connection.execute("SELECT max(version) FROM record.schema_version").fetchall()
    return found


def test_a_new_store_has_the_newest_version(tmp_path):
    assert version(finished(tmp_path, 1)) == CURRENT.version


def test_an_old_store_is_migrated_when_it_is_opened_for_writing(tmp_path):
    finished(tmp_path, 2)
    Store(tmp_path, schema=NEXT).close()
    assert version(tmp_path) == STEP
    with duckdb.connect(tmp_path / "store.duckdb", read_only=True) as connection:
        moods = connection.execute("SELECT episode, mood FROM record.episodes").fetchall()
    assert sorted(moods) == [("e0000", "calm"), ("e0001", "calm")]


def test_an_old_store_is_read_as_it_is(tmp_path):
    finished(tmp_path, 1)
    with Reader.open(tmp_path, schema=NEXT) as reader:
        assert reader.sql("SELECT episode, mood FROM record.episodes").rows == [("e0000", None)]
        assert len(reader.settled()) == 1
    assert version(tmp_path) == CURRENT.version


def test_a_newer_store_says_which_catallaxy_reads_it(tmp_path):
    finished(tmp_path, 1)
    Store(tmp_path, schema=NEXT).close()
    for attempt in (Store, Reader.open):
        with pytest.raises(StoreError, match=r"schema version 2.*use catallaxy \S+ or newer"):
            attempt(tmp_path)


def test_a_migration_that_fails_changes_nothing(tmp_path):
    finished(tmp_path, 1)
    broken = Schema(CURRENT.sql, {STEP: ADDED + "ALTER TABLE record.nothing ADD COLUMN x INT;"})
    with pytest.raises(StoreError, match="cannot be migrated to schema version 2"):
        Store(tmp_path, schema=broken)
    assert version(tmp_path) == CURRENT.version
    Store(tmp_path).close()


def test_a_strange_file_is_not_taken_for_a_record(tmp_path):
    duckdb.connect(tmp_path / "store.duckdb").close()
    with pytest.raises(StoreError, match="not a record of catallaxy"):
        Reader.open(tmp_path)


def test_the_file_itself_has_the_public_views(tmp_path):
    finished(tmp_path, 2)
    with duckdb.connect(tmp_path / "store.duckdb", read_only=True) as connection:
        found = connection.execute(
            "SELECT run, pie, avg(efficiency) FROM episodes GROUP BY ALL"
        ).fetchall()
    assert found == [("r1", 100, 0.55)]
