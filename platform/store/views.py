"""The public views over a record, with the rules' parameters and the metrics found as columns."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from string import Template

import duckdb

from catallaxy.platform.store.duck import identifier, literal, rows
from catallaxy.platform.store.schema import TABLES

_TEMPLATE = Template(Path(__file__).resolve().with_name("views.sql").read_text())

_EPISODE = {"run", "episode", "ordinal", "game", "variant", "replicate", "status"}
EPISODE_COLUMNS = frozenset(
    _EPISODE
    | {"seed", "play", "fault", "error", "turns", "tries", "started", "ended", "duration_s"}
)
SEAT_COLUMNS = frozenset(_EPISODE | {"seat", "place", "agent", "payoff"})

_TYPES = {  # what a parameter is as a column, by the JSON types that it was seen with
    frozenset({"BOOLEAN"}): "BOOLEAN",
    frozenset({"UBIGINT"}): "BIGINT",
    frozenset({"BIGINT"}): "BIGINT",
    frozenset({"BIGINT", "UBIGINT"}): "BIGINT",
}
_NUMBERS = frozenset({"UBIGINT", "BIGINT", "DOUBLE"})


def create(connection: duckdb.DuckDBPyConnection, source: Callable[[str], str]) -> None:
    """(Re)create every public view; `source` gives a table's rows, with `run` first, as SQL."""
    rules = _rules(connection, source)
    whole, seats = _metrics(connection, source)
    taken: set[str] = set(EPISODE_COLUMNS)
    metric_columns = _titled(whole, taken, "metrics_")
    rule_columns = _titled([name for name, _ in rules], taken, "rules_")
    seat_columns = _titled(seats, set(SEAT_COLUMNS), "metrics_")
    sql = _TEMPLATE.substitute(
        {table: source(table) for table in TABLES},
        rule_columns=_listed(
            f"try_cast(v.rules ->> {literal(name)} AS {kind}) AS {identifier(title)}"
            for (name, kind), title in zip(rules, rule_columns, strict=True)
        ),
        episode_columns=_listed(f"m.{identifier(title)}" for title in metric_columns),
        episode_metrics=_pivoted(whole, metric_columns),
        seat_columns=_listed(f"m.{identifier(title)}" for title in seat_columns),
        seat_metrics=_pivoted(seats, seat_columns),
    )
    connection.execute(sql).fetchall()


def in_file(table: str) -> str:
    """Where a view inside a store's own file reads: the table, beside the run's id."""
    if table == "runs":
        return "record.runs"
    return f"(SELECT r.run, t.* EXCLUDE (batch) FROM record.{table} t CROSS JOIN record.runs r)"  # noqa: S608 - our names


def _metrics(
    connection: duckdb.DuckDBPyConnection, source: Callable[[str], str]
) -> tuple[list[str], list[str]]:
    """The names of the metrics of episodes, and of those of seats."""
    metrics = source("metrics")
    found = rows(connection, f"SELECT DISTINCT seat = '', name FROM {metrics} ORDER BY name")  # noqa: S608 - our names
    return [name for whole, name in found if whole], [name for whole, name in found if not whole]


def _rules(
    connection: duckdb.DuckDBPyConnection, source: Callable[[str], str]
) -> list[tuple[str, str]]:
    """The parameters of all rules, each with the SQL type that holds all its values."""
    found = rows(
        connection,
        f"""SELECT key, list(DISTINCT kind) FROM (
              SELECT key, json_type(rules -> key) AS kind
              FROM (SELECT rules, unnest(json_keys(rules)) AS key FROM {source("variants")})
            ) WHERE kind <> 'NULL' GROUP BY key ORDER BY key""",  # noqa: S608 - our names
    )
    return [(key, _type(frozenset(kinds))) for key, kinds in found]


def _type(kinds: frozenset[str]) -> str:
    return _TYPES.get(kinds, "DOUBLE" if kinds <= _NUMBERS else "VARCHAR")


def _titled(names: Sequence[str], taken: set[str], prefix: str) -> list[str]:
    """A free column name for each of `names`: itself, or with `prefix` where it is taken."""
    titles = []
    for name in names:
        title = name
        while title.casefold() in taken:
            title = prefix + title
        taken.add(title.casefold())
        titles.append(title)
    return titles


def _pivoted(names: Iterable[str], titles: Iterable[str]) -> str:
    return _listed(
        f"max(value) FILTER (WHERE name = {literal(name)}) AS {identifier(title)}"
        for name, title in zip(names, titles, strict=True)
    )


def _listed(columns: Iterable[str]) -> str:
    return "".join(f",\n  {column}" for column in columns)
