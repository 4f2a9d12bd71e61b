"""Every behaviour of the table, on every engine at hand: equal values and equal types.

DuckDB always runs, PostgreSQL where its wheel is installed, Spark where pyspark and Java are. A new engine is one class
with a `run` method and one line in ENGINES.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import duckdb
import pyarrow as pa
import pytest
from expression_table import COLUMNS, TABLE, Behaviour
from postgres_server import PASSWORD, PostgresServer, binaries

from curator.expressions import FUNCTIONS, parse

NAMES = "stnmpqxybcdez"


class DuckDB:
    """In this process."""

    TYPES: ClassVar = {
        "text": "VARCHAR", "integer": "INTEGER", "decimal": "DECIMAL(18,4)", "float": "DOUBLE", "boolean": "BOOLEAN",
        "date": "DATE", "timestamp": "TIMESTAMP",
    }  # fmt: skip
    FOUND: ClassVar = {**TYPES, "integer": "BIGINT"}

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'America/New_York'")  # no result may depend on it

    def run(self, behaviour: Behaviour) -> tuple[list[Any], set[str]]:
        """Values in row order, and the names of the types found."""
        columns = "".join(f', "{name}" {_column_type(behaviour, name, self.TYPES)}' for name in behaviour.columns)
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE rows (row INTEGER{columns})")
        marks = ", ".join("?" * (1 + len(behaviour.columns)))
        for number, row in enumerate(behaviour.rows):
            self._connection.execute(f"INSERT INTO rows VALUES ({marks})", [number, *row[:-1]])
        sql = parse(behaviour.text, COLUMNS).sql("duckdb")
        found = self._connection.execute(f"SELECT v, typeof(v) FROM (SELECT row, {sql} AS v FROM rows) ORDER BY row")
        pairs = found.fetchall()
        return [value for value, _ in pairs], {kind for _, kind in pairs}


def _column_type(behaviour: Behaviour, name: str, types: dict[str, str]) -> str:
    """Integers as 32 bits wherever the inputs fit, so that widening is really tested."""
    kind = types[COLUMNS[name]]
    column = behaviour.columns.index(name)
    wide = any(isinstance(row[column], int) and abs(row[column]) >= 2**31 for row in behaviour.rows)
    return "BIGINT" if kind in ("INTEGER", "INT") and wide else kind


class Postgres:
    """Through psql; values travel in as hexadecimal text and out as JSON, so quoting is not what we test with."""

    TYPES: ClassVar = {
        "text": "TEXT", "integer": "INTEGER", "decimal": "NUMERIC(18,4)", "float": "DOUBLE PRECISION",
        "boolean": "BOOLEAN", "date": "DATE", "timestamp": "TIMESTAMP",
    }  # fmt: skip
    FOUND: ClassVar = {
        "text": "text", "integer": "bigint", "decimal": "numeric", "float": "double precision", "boolean": "boolean",
        "date": "date", "timestamp": "timestamp without time zone",
    }  # fmt: skip

    def __init__(self, server: PostgresServer) -> None:
        self._psql = str(binaries() / "psql")
        self._conninfo = f"host=127.0.0.1 port={server.port} user=owner dbname=accidents"
        self._environment = {**os.environ, "PGPASSWORD": PASSWORD}

    def run(self, behaviour: Behaviour) -> tuple[list[Any], set[str]]:
        """Values in row order, and the names of the types found."""
        rows = " UNION ALL ".join(
            "SELECT " + ", ".join([f"{number} AS row", *self._cells(behaviour, row)])
            for number, row in enumerate(behaviour.rows)
        )
        sql = parse(behaviour.text, COLUMNS).sql("postgres")
        query = (
            f"SET TimeZone = 'America/New_York'; SELECT json_build_array(CAST(v AS TEXT), CAST(pg_typeof(v) AS TEXT)) "
            f"FROM (SELECT row, {sql} AS v FROM ({rows}) AS r) AS t ORDER BY row"
        )
        command = [self._psql, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self._conninfo, "-f", "-"]
        done = subprocess.run(
            command, input=query, capture_output=True, text=True, timeout=600, check=False, env=self._environment
        )
        assert done.returncode == 0, done.stderr
        pairs = [json.loads(line) for line in done.stdout.splitlines()]
        read = _READERS[behaviour.type]
        return [None if value is None else read(value) for value, _ in pairs], {kind for _, kind in pairs}

    def _cells(self, behaviour: Behaviour, row: tuple[Any, ...]) -> list[str]:
        pairs = zip(behaviour.columns, row[:-1], strict=True)
        return [
            f'CAST({_cell(value)} AS {_column_type(behaviour, name, self.TYPES)}) AS "{name}"' for name, value in pairs
        ]


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    # convert_from takes the collation of its second argument, a name: "C"
    return f"""(convert_from('\\x{str(value).encode().hex()}', 'UTF8') COLLATE "default")"""


_READERS: dict[str, Callable[[str], Any]] = {
    "text": str, "integer": int, "decimal": Decimal, "float": float, "boolean": lambda text: text == "true",
    "date": date.fromisoformat, "timestamp": datetime.fromisoformat,
}  # fmt: skip


class Spark:
    """A local session in ANSI mode."""

    TYPES: ClassVar = {
        "text": "STRING", "integer": "INT", "decimal": "DECIMAL(18,4)", "float": "DOUBLE", "boolean": "BOOLEAN",
        "date": "DATE", "timestamp": "TIMESTAMP_NTZ",
    }  # fmt: skip
    FOUND: ClassVar = {
        "text": "string", "integer": "bigint", "decimal": "decimal", "float": "double", "boolean": "boolean",
        "date": "date", "timestamp": "timestamp_ntz",
    }  # fmt: skip
    ARROW: ClassVar = {
        "text": pa.string(), "integer": pa.int32(), "decimal": pa.decimal128(18, 4), "float": pa.float64(),
        "boolean": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us"),
    }  # fmt: skip

    def __init__(self) -> None:
        from pyspark.sql import SparkSession

        self._session = SparkSession.getActiveSession().newSession()
        self._session.conf.set("spark.sql.session.timeZone", "America/New_York")  # no result may depend on it
        folding = "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation"
        self._session.conf.set("spark.sql.optimizer.excludedRules", folding)  # else nothing would run as in a job

    def run(self, behaviour: Behaviour) -> tuple[list[Any], set[str]]:
        """Values in row order, and the names of the types found."""
        kinds = {name: self.ARROW[COLUMNS[name]] for name in behaviour.columns}
        wide = {name for name in kinds if _column_type(behaviour, name, self.TYPES) == "BIGINT"}
        kinds |= dict.fromkeys(wide, pa.int64())
        cells = zip(*(row[:-1] for row in behaviour.rows), strict=True)
        arrays = [pa.array(column, kind) for column, kind in zip(cells, kinds.values(), strict=True)]
        numbers = pa.array(range(len(behaviour.rows)), pa.int32())
        table = pa.table([numbers, *arrays], names=["row", *kinds])
        self._session.createDataFrame(table).createOrReplaceTempView("rows")
        sql = parse(behaviour.text, COLUMNS).sql("spark")
        frame = self._session.sql(f"SELECT row, {sql} AS v FROM rows")
        found = sorted(frame.collect(), key=lambda row: row.row)
        return [row.v for row in found], {frame.schema["v"].dataType.simpleString()}


ENGINES: dict[str, Callable[..., Any]] = {"duckdb": DuckDB, "postgres": Postgres, "spark": Spark}


@pytest.fixture(scope="module", params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Any:
    if request.param == "spark":
        request.getfixturevalue("spark")
    if request.param == "postgres":
        return Postgres(request.getfixturevalue("postgres"))
    return ENGINES[request.param]()


def equal(found: Any, wanted: Any) -> bool:
    """Equal values of equal types; floats to the last bit, NaN equal to itself."""
    if isinstance(found, float) and isinstance(wanted, float) and math.isnan(wanted):
        return math.isnan(found)
    return type(found) is type(wanted) and bool(found == wanted)


@pytest.mark.parametrize("behaviour", TABLE, ids=[behaviour.text for behaviour in TABLE])
def test_behaviour(engine: Any, behaviour: Behaviour) -> None:
    expression = parse(behaviour.text, COLUMNS)
    values, types = engine.run(behaviour)
    assert expression.type == behaviour.type
    assert expression.columns == frozenset(behaviour.columns)
    wrong = [(row, value) for row, value in zip(behaviour.rows, values, strict=True) if not equal(value, row[-1])]
    assert wrong == []
    assert {kind.split("(")[0] for kind in types} == {engine.FOUND[behaviour.type].split("(")[0]}


def test_every_function_has_a_behaviour() -> None:
    words = " ".join(behaviour.text for behaviour in TABLE)
    assert [name for name in FUNCTIONS if f"{name}(" not in words] == []


def test_every_column_of_the_table_is_used() -> None:
    assert set(NAMES) == set(COLUMNS)
