"""Random expressions over random cells have one value on every engine, or are refused by some as too large."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from postgres_server import PostgresServer
from random_expressions import COLUMNS, expression, table

from curator.expressions import Engine, Expression, ExpressionRefused, parse

KINDS = ("text", "integer", "decimal", "float", "boolean", "date", "timestamp")
TOO_LARGE = ("overflow", "out of range", "underflow")


def drawn(draw: random.Random, count: int) -> list[Expression]:
    found: list[Expression] = []
    while len(found) < count:
        try:
            one = parse(expression(draw, draw.choice(KINDS), depth=draw.randint(1, 3)), COLUMNS)
            for engine in ("duckdb", "spark", "postgres"):
                one.sql(engine)
        except ExpressionRefused:  # two literals that say nothing, or a text too long
            continue
        found.append(one)
    return found


def plain(value: Any, kind: str) -> Any:
    """A value in a comparable form; PostgreSQL gives texts."""
    if value is None:
        return None
    if kind == "float":
        return "nan" if math.isnan(float(value)) else float(value) + 0.0
    if kind == "decimal":
        return Decimal(value)
    if kind == "boolean":
        return value in (True, "true")
    if kind == "timestamp":
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if kind == "date":
        return value if isinstance(value, date) else date.fromisoformat(value)
    return int(value) if kind == "integer" else value


class DuckDB:
    dialect: Engine = "duckdb"

    def __init__(self, rows: Any) -> None:
        self._base = duckdb.connect()
        self._base.execute("SET TimeZone = 'UTC'")
        self._base.register("arrived", rows)
        self._base.execute("CREATE TABLE rows AS SELECT * FROM arrived")

    def columns(self, sql: Sequence[str]) -> list[tuple[Any, ...]]:
        return list(zip(*self._base.execute(f"SELECT {', '.join(sql)} FROM rows ORDER BY row").fetchall(), strict=True))


class Spark:
    dialect: Engine = "spark"

    def __init__(self, rows: Any) -> None:
        from pyspark.sql import SparkSession

        self._session = SparkSession.getActiveSession()
        kinds = {
            name: f"CAST({name} AS TIMESTAMP_NTZ) AS {name}" for name, kind in COLUMNS.items() if kind == "timestamp"
        }
        frame = self._session.createDataFrame(rows)
        frame.selectExpr("row", *(kinds.get(name, name) for name in COLUMNS)).createOrReplaceTempView("rows")

    def columns(self, sql: Sequence[str]) -> list[tuple[Any, ...]]:
        named = ", ".join(f"{one} AS v{place}" for place, one in enumerate(sql))
        found = self._session.sql(f"SELECT row, {named} FROM rows").toArrow().sort_by("row")
        return [tuple(column.to_pylist()) for column in found.columns[1:]]


class Postgres:
    dialect: Engine = "postgres"

    def __init__(self, rows: Any, server: PostgresServer) -> None:
        server.load("random_rows", rows)
        self._base = server.connect()

    def columns(self, sql: Sequence[str]) -> list[tuple[Any, ...]]:
        texts = ", ".join(f"CAST({one} AS TEXT)" for one in sql)
        with self._base.cursor() as cursor:
            cursor.execute(f"SELECT {texts} FROM random_rows ORDER BY row")
            return list(zip(*cursor.fetchall(), strict=True))


def values(engine: Any, expressions: Sequence[Expression]) -> list[list[Any] | None]:
    """The values of each expression; None where the engine refuses it, which one number too large is enough for."""
    try:
        found = engine.columns([one.sql(engine.dialect) for one in expressions])
    except Exception as refused:
        if len(expressions) == 1 and any(word in str(refused).lower() for word in TOO_LARGE):
            return [None]
        if len(expressions) == 1:
            raise
        half = len(expressions) // 2
        return values(engine, expressions[:half]) + values(engine, expressions[half:])
    return [[plain(value, one.type) for value in column] for one, column in zip(expressions, found, strict=True)]


@pytest.mark.parametrize("other", ["spark", "postgres"])
@pytest.mark.parametrize("start", [0, pytest.param(1_000, marks=pytest.mark.sweep)])
def test_every_expression_has_one_value(other: str, start: int, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("spark") if other == "spark" else request.getfixturevalue("postgres")
    for seed in range(start, start + (40 if start else 1)):
        draw = random.Random(seed)
        rows, expressions = table(draw, 60), drawn(draw, 80)
        first = values(DuckDB(rows), expressions)
        second = values(Spark(rows) if other == "spark" else Postgres(rows, server), expressions)
        for one, left, right in zip(expressions, first, second, strict=True):
            if left is not None and right is not None:
                unlike = [number for number, pair in enumerate(zip(left, right, strict=True)) if pair[0] != pair[1]]
                cells = [(left[number], right[number], rows.slice(number, 1).to_pylist()) for number in unlike[:1]]
                assert not unlike, (seed, one.text, cells)
