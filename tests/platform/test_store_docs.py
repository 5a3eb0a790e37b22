"""The page about the record tells the truth: its queries run, its columns are the columns."""

import re
from pathlib import Path

import pytest

from catallaxy.platform.store.reader import Reader
from catallaxy.platform.store.writer import Store
from tests.platform.store_samples import fill

PAGE = (Path(__file__).parents[2] / "docs" / "store.md").read_text()
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    store = Store(folder)
    fill(store, 3)
    store.close()
    with Reader.open(folder) as opened:
        yield opened


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_of_the_page_runs(reader, query):
    result = reader.sql(query)
    assert result.rows or "error IS NOT NULL" in query


def test_the_page_lists_every_column_as_it_is(reader):
    columns = reader.sql(
        "SELECT column_name, data_type, comment FROM duckdb_columns() "
        "WHERE database_name = 'run_0' AND schema_name = 'record'"
    ).rows
    assert len(columns) > 100
    missing = [row for row in columns if f"| `{row[0]}` | {row[1]} | {row[2]} |" not in PAGE]
    assert missing == []


def test_the_page_lists_every_view_as_it_is(reader):
    views = reader.sql(
        "SELECT view_name, comment FROM duckdb_views() WHERE database_name = 'memory' "
        "AND schema_name = 'main' AND NOT internal"
    ).rows
    assert [row for row in views if f"| `{row[0]}` | {row[1]} |" not in PAGE] == []
