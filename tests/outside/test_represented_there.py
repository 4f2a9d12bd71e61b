"""A population that one PostgreSQL holds whole is counted there, with the figures that counting it here gives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from live_world import evidence_text
from mariadb_server import PASSWORD as MARIADB_PASSWORD
from mariadb_server import MariadbServer
from outside_world import CAPITALS, curated, spec_of
from postgres_server import PASSWORD as POSTGRES_PASSWORD
from postgres_server import PostgresServer

from curator.addresses import place_of
from curator.cli import main
from curator.engines import open_engine
from curator.errors import QualityError
from curator.extraction import _asked_classes, extract
from curator.planning import Together, asked
from curator.protocols import Asked
from curator.quality import check
from curator.representation import RepresentationReport, measure
from curator.sources._postgres_classes import classes_sql
from curator.sources._postgres_sql import planned_table
from curator.sources.postgres import PostgresSource
from curator.spec import parse_use_case, scope_of

COLUMNS = {"place": "text", "age": "integer", "ill": "boolean", "day": "date", "k": "integer", "size": "decimal"}
DIMENSIONS = {
    "place": "place", "age": "band(age, 10)", "ill": "ill", "month": "month_start(day)", "folded": "lower(trim(place))",
    "old": "year(day) < 1990 or age > 50",
}  # fmt: skip
PLACES = (
    "'', ' ', E'\\u00a0', E'\\t\\n', '?', 'n/a', 'Été', 'été', E'e\\u0301', 'A', 'a', 'a ', NULL, '*', 'v', "
    "'it''s', E'\\\\', 'ß'"
)


@pytest.fixture(autouse=True)
def passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", POSTGRES_PASSWORD)


@pytest.fixture(scope="module")
def tables(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tables in the server, and the same in Parquet files, which tell an empty text from a null."""
    postgres.run(
        "DROP TABLE IF EXISTS stops, kinds",
        f"""CREATE TABLE stops AS SELECT i AS id, 'p' || i % 900 AS who,
        (ARRAY[{PLACES}])[CASE WHEN i % 40 = 0 THEN 1 + (i / 40) % 18 ELSE 1 + (i * i) % 12 END] AS place,
        nullif(i % 97, 3) AS age, nullif(i % 3, 0) = 1 AS ill,
        CASE WHEN i % 211 <> 3 THEN DATE '1985-01-01' + i % 4000 END AS day, i % 11 AS k,
        CAST(i % 7 AS numeric(9, 2)) / 2 AS size
        FROM generate_series(1, 4000) i""",
        "CREATE TABLE kinds AS SELECT i AS k, CASE i % 4 WHEN 0 THEN '' WHEN 1 THEN 'rare' || i ELSE 'usual' END "
        "AS kind FROM generate_series(0, 8) i",
    )
    folder = tmp_path_factory.mktemp("tables")
    with postgres.connect() as connection, connection.cursor() as cursor:
        for name in ("stops", "kinds"):
            finite = (
                ", CASE WHEN isfinite(day) AND day > '0001-01-01' THEN day END AS day, CAST(size AS float8) AS size"
            )
            listed = f"id, who, place, age, ill, k{finite}" if name == "stops" else "*"
            cursor.execute(f"SELECT {listed} FROM {name}")
            table = cursor.fetch_arrow_table()
            if name == "stops":
                size = table["size"].cast(pa.decimal128(18, 6))
                table = table.set_column(table.schema.get_field_index("size"), "size", size)
            parquet.write_table(table, folder / f"{name}.parquet")
    return folder


def spec(path: str, *, joined: str | None = None, **parts: Any) -> dict[str, Any]:
    """A spec over `stops`, with `kinds` brought to it where a join is named."""
    extract = {"sample": {"by": ["id"], "fraction": 0.3, "seed": 7}, **parts.pop("extract", {})}
    represented = {"dimensions": DIMENSIONS, "unknown": ["?", "n/a"], **parts.pop("representation", {})}
    source = {"table": "stops", **parts.pop("source", {})}
    value = spec_of(COLUMNS, path=path, source=source, extract=extract, representation=represented, **parts)
    if joined is not None:
        value["sources"]["r"] = {"path": path, "table": "kinds", "columns": {"k": "integer", "kind": "text"}}
        value["extract"]["join"] = [{"source": "r", "on": ["k"], "kind": joined, "orphans": "report"}]
        value["representation"]["dimensions"] = {**represented["dimensions"], "kind": "kind", "both": "place || kind"}
    return value


def of_files(value: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same spec over files."""
    value = json.loads(json.dumps(value))
    for source in value["sources"].values():
        source["path"] = str(folder / f"{source.pop('table')}.parquet")
    return value


def report_of(folder: Path, value: dict[str, Any], engine_name: str = "duckdb") -> RepresentationReport:
    use_case = parse_use_case(json.dumps(value), file="spec.yaml")
    folder.mkdir(exist_ok=True)
    engine = open_engine(engine_name, scratch=folder)
    try:
        places = {name: place_of(source.addresses[0], source=name) for name, source in use_case.sources.items()}
        report = measure(check(extract(use_case, engine=engine, paths=places)))
    finally:
        engine.close()
    assert report is not None
    return report


def asked_of(server: PostgresServer, before: int) -> list[str]:
    """What was asked of the table, its catalogue left out."""
    return [line for line in server.statements()[before:] if '"stops"' in line and "COPY" in line]


def counted_there(lines: list[str]) -> bool:
    """Whether one statement counts and one draws, and no other looks at the table."""
    counting, drawing = ["GROUPING SETS" in line for line in lines], ["md5('" in line for line in lines]
    return counting == [True, False] and drawing == [False, True]


CASES: dict[str, dict[str, Any]] = {
    "all": {},
    "told to the last": {"representation": {"smallest_cell": 1}},
    "hardly told": {"representation": {"smallest_cell": 600}},
    "filtered": {"extract": {"where": "(age > 20 or place is null) and day >= parse_date('1990-01-01', '%Y-%m-%d')"}},
    "a null meets it": {"extract": {"where": "not (year(day) = 1990) or day is null"}},
    "a window": {"extract": {"window": {"column": "day", "since": "1988-02-01", "until": "1994-03-31"}}},
    "a filter of the source": {"source": {"where": "place <> 'A' or ill"}},
    "derived": {
        "extract": {"derive": {"older": "age + 1", "oldest": "older * 2"}, "where": "older > 30"},
        "representation": {"dimensions": {"oldest": "band(oldest, 30)", "place": "place"}},
    },
    "drawn by a text": {"extract": {"sample": {"by": ["who"], "fraction": 0.2, "seed": 2}}},
    "nothing there": {"extract": {"where": "age > 1000"}},
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_table_is_counted_there(postgres: PostgresServer, tables: Path, tmp_path: Path, case: str) -> None:
    value = spec(postgres.address(), **json.loads(json.dumps(CASES[case])))
    before = len(postgres.statements())
    there = report_of(tmp_path / "there", value)
    assert counted_there(asked_of(postgres, before))
    assert there == report_of(tmp_path / "files", of_files(value, tables))
    if case == "all":
        assert there.population == 4000
        states = {one.state for dimension in there.dimensions for one in dimension.classes}
        assert states == {"value", "unknown", "empty", "null", "pooled"}
        assert 1000 < there.kept < 1400


@pytest.mark.parametrize("kind", ["inner", "left"])
def test_joined_tables_are_counted_there(postgres: PostgresServer, tables: Path, tmp_path: Path, kind: str) -> None:
    value = spec(postgres.address(), joined=kind, extract={"where": "age > 20 or kind is null"})
    before = len(postgres.statements())
    there = report_of(tmp_path / "there", value)
    lines = [line for line in asked_of(postgres, before) if "JOIN" in line]
    assert counted_there(lines)
    assert there == report_of(tmp_path / "files", of_files(value, tables))


def test_both_engines_take_the_counts_alike(
    postgres: PostgresServer, tables: Path, tmp_path: Path, engine_name: str
) -> None:
    value = spec(postgres.address())
    assert report_of(tmp_path / "there", value, engine_name) == report_of(tmp_path / "files", of_files(value, tables))


ELSEWHERE: dict[str, dict[str, Any]] = {
    "a decimal": {"representation": {"dimensions": {"size": "size", "place": "place"}}},
    "a condition on a decimal": {"extract": {"where": "size > 1"}},
    "null tokens": {"source": {"null_tokens": ["A"]}},
    "ranked": {"extract": {"sample": {"by": ["id"], "max_rows": 500}}},
    "capped": {"extract": {"sample": {"by": ["who"], "fraction": 0.5, "per_entity": 2}, "entity": ["who"]}},
    "not drawn": {"extract": {"sample": None}},
    "drawn by two": {"extract": {"sample": {"by": ["who", "k"], "fraction": 0.5}}},
    "a constant condition": {"extract": {"where": "1 = 1 and age > 20"}},
    "far days": {"representation": {"dimensions": {"next": "add_days(day, 40)"}}},
    "an early window": {"extract": {"window": {"column": "day", "since": "1500-01-01"}}},
}  # fmt: skip


@pytest.mark.parametrize("case", ELSEWHERE)
def test_what_a_database_may_decide_otherwise_is_counted_here(
    postgres: PostgresServer, tables: Path, tmp_path: Path, case: str
) -> None:
    value = spec(postgres.address(), **json.loads(json.dumps(ELSEWHERE[case])))
    before = len(postgres.statements())
    there = report_of(tmp_path / "there", value)
    lines = asked_of(postgres, before)
    assert len(lines) == 1
    assert not any("GROUPING SETS" in line or "md5('" in line for line in lines)
    assert there == report_of(tmp_path / "files", of_files(value, tables))


ODD = {
    "padded": ("text", "char(4)", "CASE i % 3 WHEN 0 THEN '' WHEN 1 THEN 'a' ELSE 'b ' END"),
    "coloured": ("text", "colour", "CASE i % 2 WHEN 0 THEN 'red' ELSE 'green' END"),
    "number": ("text", "uuid", "md5((i % 4)::text)::uuid"),
    "posix": ("text", 'text COLLATE "POSIX"', "'x' || i % 3"),
    "plain": ("text", 'text COLLATE "C"', "CASE WHEN i % 5 > 0 THEN chr(200 + i % 4) END"),
    "day": (
        "date", "date", "CASE i % 5 WHEN 0 THEN DATE 'infinity' WHEN 1 THEN DATE '-infinity' WHEN 2 THEN "
        "DATE '0044-03-15 BC' WHEN 3 THEN DATE '0999-12-31' ELSE DATE '9999-12-31' END",
    ),
    "moment": (
        "timestamp", "timestamptz", "CASE i % 4 WHEN 0 THEN 'infinity' WHEN 1 THEN NULL ELSE "
        "TIMESTAMPTZ '2020-12-31 23:30:00.000001-05' + i % 7 * INTERVAL '7 hours' END",
    ),
    "wide": ("integer", "bigint", "CASE WHEN i % 2 = 0 THEN -9223372036854775808 ELSE 9223372036854775807 END"),
    "unhappy": ("boolean", "boolean", "CASE i % 3 WHEN 0 THEN i % 2 = 0 END"),
}  # fmt: skip
"""Column -> declared type, type there, value."""


@pytest.mark.parametrize("where", [None, "day < parse_date('9000-01-01', '%Y-%m-%d')", "moment is null or unhappy"])
def test_odd_types_are_counted_as_they_are_read(
    postgres: PostgresServer, tmp_path: Path, where: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days that no file holds are nulls in the population, though their rows are set apart when they are drawn."""
    columns = ", ".join(f"{name} {kind}" for name, (_, kind, _) in ODD.items())
    values = ", ".join(f"CAST({value} AS {kind.split(' COLLATE')[0]})" for _, kind, value in ODD.values())
    postgres.run(
        "DROP TABLE IF EXISTS stops_odd",
        "DROP TYPE IF EXISTS colour",
        "CREATE TYPE colour AS ENUM ('red', 'green')",
        f"CREATE TABLE stops_odd (id int, who text, {columns})",
        f"INSERT INTO stops_odd SELECT i, 'p', {values} FROM generate_series(1, 900) i",
    )
    formulas = {name: name for name in ODD if name != "moment"}
    formulas |= {"hour": "hour(moment)", "moved": "date_of(moment)", "both": "posix || plain", "first": "posix < plain"}
    value = spec_of(
        {name: kind for name, (kind, _, _) in ODD.items()}, path=postgres.address(), source={"table": "stops_odd"},
        extract={"sample": {"by": ["id"], "fraction": 0.4}, "where": where}, representation={"dimensions": formulas},
    )  # fmt: skip
    before = len(postgres.statements())
    there = report_of(tmp_path / "there", value)
    assert counted_there([line for line in postgres.statements()[before:] if '"stops_odd"' in line])
    monkeypatch.setattr(PostgresSource, "classes", lambda *_: None)
    before = len(postgres.statements())
    assert there == report_of(tmp_path / "here", value)
    assert not any("GROUPING SETS" in line for line in postgres.statements()[before:])
    assert there.population


def test_a_join_made_here_is_counted_here(postgres: PostgresServer, tables: Path, tmp_path: Path) -> None:
    value = spec(postgres.address(), joined="left")
    value["sources"]["r"]["path"] += "?connect_timeout=11"
    before = len(postgres.statements())
    there = report_of(tmp_path / "there", value)
    assert not any("GROUPING SETS" in line or "md5('" in line for line in asked_of(postgres, before))
    assert there == report_of(tmp_path / "files", of_files(value, tables))


def test_types_that_the_server_holds_otherwise_are_counted_here(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.run(
        "DROP TABLE IF EXISTS loose",
        "CREATE TABLE loose AS SELECT i AS id, 'p' AS who, CAST(i % 5 AS numeric) AS n FROM generate_series(1, 300) i",
    )
    value = spec_of(
        {"n": "integer"}, path=postgres.address(), source={"table": "loose"},
        extract={"sample": {"by": ["id"], "fraction": 0.5}}, representation={"dimensions": {"n": "n"}},
    )  # fmt: skip
    before = len(postgres.statements())
    report = report_of(tmp_path, value)
    assert report.population == 300
    assert not any("GROUPING SETS" in line for line in postgres.statements()[before:])


def test_the_gate_refuses_as_ever(postgres: PostgresServer, tables: Path, tmp_path: Path) -> None:
    rule = {"type": "expect_column_value_lengths_to_be_between", "kwargs": {"column": "place", "min_value": 1}}
    limits = {"limits": {"difference": 0.1, "missing": 0.05}}
    value = spec(postgres.address(), representation=limits, quality={"expectations": [rule], "max_rejected": 1.0})
    refused = []
    for folder, one in (("there", value), ("files", of_files(value, tables))):
        report = report_of(tmp_path / folder, one)
        with pytest.raises(QualityError) as fault:
            report.refuse()
        refused.append((report, str(fault.value)))
    assert refused[0] == refused[1]
    assert refused[0][0].kept < refused[0][0].drawn


def test_small_classes_do_not_leave_the_database(postgres: PostgresServer, tables: Path, tmp_path: Path) -> None:
    """The counts that travel are those of classes that may be told, and of the others together."""
    from adbc_driver_postgresql import dbapi

    before = len(postgres.statements())
    report_of(tmp_path, spec(postgres.address(), representation={"smallest_cell": 50}))
    (counting,) = (line for line in asked_of(postgres, before) if "GROUPING SETS" in line)
    query = counting.removeprefix("COPY (").rpartition(") TO STDOUT")[0]
    connection: dbapi.Connection = postgres.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall()
    assert any(code == "*" for _, code, *_ in rows)
    assert all(count >= 50 for _, code, count, *_ in rows if code != "*")


def test_a_version_has_the_rows_that_it_has_from_files(postgres: PostgresServer, tables: Path, tmp_path: Path) -> None:
    value = spec(postgres.address(), splits={"by": "entity", "shares": {"train": 1.0}})
    there, files = (curated(tmp_path, one).sort_by("age") for one in (value, of_files(value, tables)))
    assert there.num_rows == files.num_rows > 1000
    said = evidence_text(CAPITALS[-1])
    assert '"population_counted_there":true' in said
    columns = ["place", "age", "ill", "day", "k", "size", "split"]
    rows = [sorted(table.select(columns).to_pylist(), key=str) for table in (there, files)]
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    "change", [{"odd": frozenset({"place"})}, {"utf8": False}, {"icu": False}, {"types": {"id": "int8", "age": "text"}}]
)
def test_a_database_that_decides_otherwise_is_not_asked(change: dict[str, Any]) -> None:
    use_case = parse_use_case(json.dumps(spec("postgresql://reader@host/base")), file="spec.yaml")
    scope = scope_of(use_case)
    wanted = asked(use_case, scope)
    classes = _asked_classes(use_case, scope, wanted=wanted, joining=Together(asked=None, said={}))
    assert classes is not None
    assert isinstance(classes.rows, Asked)
    table = planned_table(wanted["t"])
    assert classes_sql(classes, classes.rows, table=table) is not None
    types = {**table.types, **change.get("types", {})}
    assert classes_sql(classes, classes.rows, table=replace(table, **{**change, "types": types})) is None


def test_mariadb_hands_the_population_over(
    mariadb: MariadbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", MARIADB_PASSWORD)
    mariadb.run(
        "CREATE OR REPLACE TABLE stops (id int AUTO_INCREMENT PRIMARY KEY, who varchar(9) DEFAULT 'p', n int)",
        f"INSERT INTO stops (n) VALUES {', '.join(f'({number % 4})' for number in range(400))}",
    )
    parts: dict[str, Any] = {
        "extract": {"sample": {"by": ["id"], "fraction": 0.5}}, "representation": {"dimensions": {"n": "n"}},
    }  # fmt: skip
    value = spec_of({"n": "integer"}, path=mariadb.address(), source={"table": "stops"}, **parts)
    before = len(mariadb.statements())
    there = report_of(tmp_path / "there", value)
    assert not any("md5(" in line and "`stops`" in line for line in mariadb.statements()[before:])
    cells = {"id": range(1, 401), "who": ["p"] * 400, "n": [number % 4 for number in range(400)]}
    parquet.write_table(pa.table({name: list(column) for name, column in cells.items()}), tmp_path / "stops.parquet")
    assert there == report_of(tmp_path / "files", of_files(value, tmp_path))
    assert there.population == 400


def test_the_plan_shows_both_statements(
    postgres: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(json.dumps(spec(postgres.address())), encoding="utf-8")
    assert main(["--json", "plan", str(path)]) == 0
    (source,) = json.loads(capsys.readouterr().out)["sources"]
    counting, drawing = source["statement"].split("; SELECT ")
    assert "GROUPING SETS" in counting
    assert "md5('7:'" in drawing
