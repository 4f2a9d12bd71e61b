"""Small typed tables under the SQL of the extraction, on DuckDB alone: without files, so that many can be drawn."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from curator.sampling import Extracting, chosen_sql, refuse_leaks, relations, sample_sql
from curator.spec import UseCase, parse_use_case, scope_of
from curator.sqltext import quoted

HEAD: dict[str, Any] = {
    "curator": 1, "name": "drawn", "version": "1.0.0", "title": "x", "owner": {"organisation": "x", "contact": "x"},
    "purpose": {"statement": "x"},
    "law": {"regime": "gdpr", "basis": "public-task", "text": "x", "dpia": "x", "ai_act": "minimal",
            "retention_days": 1},
    "sources": {"t": {"path": "t.csv", "columns": {"id": "integer", "who": "text", "place": "text", "ill": "boolean"}}},
    "extract": {"from": "t", "row_key": ["id"], "entity": ["who"]},
    "fields": {"id": {"meaning": "x", "identifier": "none"}},
    "splits": {"by": "entity", "shares": {"train": 1}},
}  # fmt: skip
TYPES = {"integer": pa.int64(), "text": pa.string(), "boolean": pa.bool_(), "date": pa.date32(), "float": pa.float64(),
         "timestamp": pa.timestamp("us"), "decimal": pa.decimal128(18, 6)}  # fmt: skip

Row = Sequence[Any]


def spec_of(extract: Mapping[str, Any] | None = None, **changes: Any) -> UseCase:
    """The spec above with parts of `extract` set, and whole other parts replaced."""
    value = copy.deepcopy(HEAD) | changes
    value["extract"] = {**value["extract"], **(extract or {})}
    return parse_use_case(json.dumps(value, ensure_ascii=False))


def connected(use_case: UseCase, tables: Mapping[str, Iterable[Row]], *, threads: int = 1) -> Any:
    """A database with the tables, each named as an engine names its sources."""
    connection = duckdb.connect(config={"threads": threads})
    for name, rows in tables.items():
        columns = use_case.sources[name].columns
        schema = pa.schema([(column, TYPES[str(declared.type)]) for column, declared in columns.items()])
        cells = [list(cells) for cells in zip(*rows, strict=True)] or [[] for _ in columns]
        arrays = [pa.array(cell, field.type) for cell, field in zip(cells, schema, strict=True)]
        connection.register("given", pa.table(arrays, schema=schema))
        connection.execute(f"CREATE TABLE {quoted('source ' + name)} AS SELECT * FROM given")
        connection.unregister("given")
    return connection


def drawn(use_case: UseCase, tables: Mapping[str, Iterable[Row]], columns: str, *, threads: int = 1) -> list[Any]:
    """Rows of the sample, sorted; `feature-leak` is raised as the extraction raises it."""
    with connected(use_case, tables, threads=threads) as connection:
        return drawn_in(connection, use_case, columns)


def drawn_in(connection: Any, use_case: UseCase, columns: str) -> list[Any]:
    """The same in a database that is at hand."""
    names = {name: "source " + name for name in use_case.sources}
    for source, relation in list(names.items()):
        sql = chosen_sql(use_case, source, dialect="duckdb", relation=relation)
        if sql is not None:
            names[source] = "chosen " + source
            connection.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(names[source])} AS {sql}")
    parts = Extracting(use_case=use_case, scope=scope_of(use_case), dialect="duckdb", tables=names)
    for name, sql in relations(parts):
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {sql}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE sample AS {sample_sql(parts)}")
    refuse_leaks(parts, rows=lambda sql: connection.execute(sql).fetchall(), relation="sample")
    found = connection.execute(f"SELECT {columns} FROM sample").fetchall()
    return sorted(found, key=lambda row: tuple((cell is None, cell if cell is not None else 0) for cell in row))


def hashed(*parts: Any, seed: int = 0, row: Any = "", step: str = "") -> str:
    """The hash of a key in plain Python: as the SQL spells it, or the row's own key where a part is null."""
    if any(part is None for part in parts):
        parts = (row if row is not None else "",)
    texts = [str(part) for part in parts]
    key = texts[0] if len(texts) == 1 else "".join(f"{len(text)}:{text}" for text in texts)
    return hashlib.md5(":".join([str(seed), *filter(None, [step]), key]).encode()).hexdigest()
