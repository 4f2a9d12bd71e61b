"""The share that a database applies itself lets exactly the drawn keys through, and those without a key."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from sampling_world import TYPES, connected, spec_of

from curator.sampling import pushed_share
from curator.spec import scope_of
from curator.sqltext import quoted

if TYPE_CHECKING:
    from postgres_server import PostgresServer

COLUMNS = {"id": "integer", "who": "text", "day": "date"}
HOSTILE = [
    "", " ", "a ", "A", "a", "Été", "E\u0301te\u0301", "o'", '"', "\\", "\\x41", "👮", "%s", "$1", "0012", "\u00a0",
    "ß",
]  # fmt: skip
SOURCES: dict[str, Any] = {"t": {"path": "t.csv", "columns": COLUMNS}}


@pytest.fixture(scope="module")
def rows() -> list[tuple[Any, ...]]:
    chance = random.Random(4)
    keys = [None, *HOSTILE, *(f"p{number}" for number in range(400))]
    days = [None, *(date(1899, 12, 1) + timedelta(days=97 * number) for number in range(500))]
    return [(number - 500, chance.choice(keys), chance.choice(days)) for number in range(3_000)]


@pytest.mark.parametrize("by", [["who"], ["id"], ["day"], ["who", "id"], ["day", "who"]])
def test_postgresql_draws_what_the_engine_draws(
    postgres: PostgresServer, rows: list[tuple[Any, ...]], by: list[str]
) -> None:
    spec = spec_of({"sample": {"fraction": 0.3, "by": by, "seed": 2}}, sources=SOURCES)
    condition = pushed_share(spec, scope_of(spec), source="t")
    in_database = pushed_share(
        spec, scope_of(spec), source="t", columns={name: f"CAST({quoted(name)} AS text)" for name in by}
    )
    assert condition is not None
    assert in_database is not None
    cells = [
        pa.array(list(column), TYPES[kind])
        for column, kind in zip(zip(*rows, strict=True), COLUMNS.values(), strict=True)
    ]
    postgres.load("drawn", pa.table(cells, names=list(COLUMNS)))
    wanted = in_database.replace("AS STRING", "AS text")
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM drawn WHERE {wanted}")
        found = {row[0] for row in cursor.fetchall()}
    with connected(spec, {"t": rows}) as engine:
        kept = {row[0] for row in engine.execute(f'SELECT id FROM "source t" WHERE {condition}').fetchall()}
    assert found == kept
    assert 600 < len(found) < 1_500
