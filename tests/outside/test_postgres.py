"""PostgreSQL as a source, against a real server: what is asked of it, what leaves it, and what it may not change."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pyarrow.csv as csv
import pyarrow.parquet as parquet
import pytest
from capital_world import curate, empty_capital, spec_value, write_spec
from live_world import TABLES, evidence_text, extracted, shards, uncounted_spec
from outside_world import curated, spec_of
from postgres_server import PASSWORD, PostgresServer

from curator.capital import Capital, RunOptions


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", PASSWORD)
    return PASSWORD


@pytest.fixture(scope="module")
def base(postgres: PostgresServer, demo_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration tables in the server, and the same as CSV in a folder."""
    folder = tmp_path_factory.mktemp("csv")
    for name in TABLES:
        table = parquet.read_table(demo_base / f"{name}.parquet")
        postgres.load(name, table)
        csv.write_csv(table, folder / f"{name}.csv")
    return folder


@pytest.fixture
def capital(tmp_path: Path) -> Capital:
    return empty_capital(tmp_path / "capital")


def test_csv_and_postgresql_give_the_same_bytes(
    postgres: PostgresServer, base: Path, tmp_path: Path, password: str
) -> None:
    value = uncounted_spec(where="role in (1, 2, 3) and year(date_of(occurred_at)) >= 2013 and light >= 1")
    files = curate(
        empty_capital(tmp_path / "csv"), base, spec=value, sources={name: base / f"{name}.csv" for name in TABLES}
    )
    asked = curate(empty_capital(tmp_path / "pg"), base, spec=value, sources=dict.fromkeys(TABLES, postgres.address()))
    assert files.manifest.rows == asked.manifest.rows
    assert sum(files.manifest.rows.values()) > 500
    assert shards(files) == shards(asked)


def test_the_server_is_asked_once_a_table_for_the_needed_columns_and_rows(
    postgres: PostgresServer, base: Path, capital: Capital, password: str
) -> None:
    """Tables of several addresses, so that none is joined there; `test_joined_there.py` has the others."""
    before = len(postgres.statements())
    value = uncounted_spec(where="role in (1, 2, 3) and light >= 1")
    places = {name: postgres.address(options=f"?connect_timeout={20 + n}") for n, name in enumerate(TABLES)}
    curate(capital, base, spec=value, sources=places)
    asked = [line for line in postgres.statements()[before:] if any(f'"public"."{name}"' in line for name in TABLES)]
    assert len(asked) == 3
    persons, vehicles, accidents = asked
    assert persons == (
        'COPY (SELECT "person_id", "num_acc", "num_veh", "role", "severity", "sex", "birth_date", "nir", '
        '"licence_number", "safety", "trip", "seat" FROM "public"."persons" WHERE ("role" IN (1, 2, 3))) '
        "TO STDOUT (FORMAT binary)"
    )
    assert "make" not in vehicles
    assert "WHERE" not in vehicles
    assert "narrative" not in accidents
    assert accidents.endswith('WHERE ("light" >= 1)) TO STDOUT (FORMAT binary)')


def test_rows_without_partner_are_counted_by_the_server_over_whole_tables(
    postgres: PostgresServer, base: Path, capital: Capital, password: str, tmp_path: Path
) -> None:
    """Two numbers travel, the same as from files; then the server may leave rows behind."""
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS lonely")
        cursor.execute("CREATE TABLE lonely AS SELECT * FROM accidents WHERE light <> 1")
        cursor.execute("INSERT INTO lonely (num_acc, light) VALUES ('nobody', 2), (NULL, 2)")
        cursor.execute("SELECT * FROM lonely")
        csv.write_csv(cursor.fetch_arrow_table(), tmp_path / "lonely.csv")
    value = uncounted_spec(where="role in (1, 2, 3) and light >= 1")
    for join in value["extract"]["join"]:
        join["orphans"] = "report"
    value["sources"]["accidents"]["table"] = "lonely"
    path = write_spec(tmp_path, value)
    files = {**{name: base / f"{name}.csv" for name in TABLES}, "accidents": tmp_path / "lonely.csv"}
    read = capital.preview(path, until="extract", options=RunOptions(sources=files)).extraction
    before = len(postgres.statements())
    places = dict.fromkeys(TABLES, postgres.address())
    asked = capital.preview(path, until="extract", options=RunOptions(sources=places)).extraction
    assert (asked["orphans"], asked["rows"]) == (read["orphans"], read["rows"])
    assert read["orphans"]["accidents"]["left"] > 100
    assert read["orphans"]["accidents"]["right"] >= 2
    joined = [line for line in postgres.statements()[before:] if "INNER JOIN" in line]
    assert len(joined) == 1
    assert '("role" IN (1, 2, 3)) AND ("light" >= 1)' in joined[0]


def test_rows_without_partner_in_another_place_are_counted_by_the_engine(
    postgres: PostgresServer, base: Path, capital: Capital, password: str, tmp_path: Path
) -> None:
    before = len(postgres.statements())
    places = {"persons": postgres.address(), "vehicles": base / "vehicles.csv", "accidents": base / "accidents.csv"}
    path = write_spec(tmp_path, spec_value())
    read = capital.preview(path, until="extract", options=RunOptions(data=base, sources=places)).extraction
    assert set(read["orphans"]) == {"vehicles", "accidents"}
    asked = [line for line in postgres.statements()[before:] if '"public"."persons"' in line]
    assert len(asked) == 1
    assert "WHERE" not in asked[0]


def test_the_evidence_names_the_snapshot_and_a_keyed_digest(
    postgres: PostgresServer, base: Path, capital: Capital, password: str
) -> None:
    curate(capital, base, spec=uncounted_spec(), sources=dict.fromkeys(TABLES, postgres.address()))
    said = evidence_text(capital)
    assert '"isolation":"repeatable read, read only"' in said
    assert "source persons: accidents persons" in said
    assert PASSWORD not in said
    assert "127.0.0.1" not in said
    assert f":{postgres.port}" not in said


# ---- a database that changes while it is read


def test_tables_are_of_one_moment_while_others_commit(postgres: PostgresServer, tmp_path: Path, password: str) -> None:
    """A writer moves rows between two tables that always hold as many; twenty readings must each see them so."""
    postgres.run(
        "DROP TABLE IF EXISTS left_side, right_side",
        "CREATE TABLE left_side AS SELECT i AS id, 'p' || i AS who, 0 AS round FROM generate_series(1, 20000) i",
        "CREATE TABLE right_side AS SELECT i AS id, 0 AS round_there FROM generate_series(1, 20000) i",
    )
    stop = threading.Event()
    rounds = [0]

    def write() -> None:
        with postgres.connect() as connection, connection.cursor() as cursor:
            while not stop.is_set():
                rounds[0] += 1
                cursor.execute("BEGIN")
                cursor.execute(f"UPDATE left_side SET round = {rounds[0]} WHERE id % 50 = 0")
                cursor.execute(f"UPDATE right_side SET round_there = {rounds[0]} WHERE id % 50 = 0")
                cursor.execute(f"INSERT INTO left_side VALUES ({20000 + rounds[0]}, 'new', {rounds[0]})")
                cursor.execute(f"INSERT INTO right_side VALUES ({20000 + rounds[0]}, {rounds[0]})")
                cursor.execute("COMMIT")

    value = spec_of({"round": "integer"}, path=postgres.address(), source={"table": "left_side"})
    value["sources"]["r"] = {
        "path": postgres.address(), "table": "right_side", "columns": {"id": "integer", "round_there": "integer"},
    }  # fmt: skip
    value["extract"] |= {
        "join": [{"source": "r", "on": ["id"], "orphans": "stop"}],
        "derive": {"apart": "round <> round_there"},
    }
    value["fields"]["apart"] = {"meaning": "Whether the tables disagree.", "identifier": "none", "because": "invented"}
    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = []
        for number in range(20):
            rows = extracted(tmp_path / str(number), value, "id, round, apart")
            seen.append(max(row["round"] for row in rows))
            assert not any(row["apart"] for row in rows)
    finally:
        stop.set()
        writer.join()
    assert len(set(seen)) > 5  # the writer did write meanwhile


# ---- values that a file could not hold


HOSTILE = """
INSERT INTO hostile VALUES
(1, 'a', 'NaN', 'infinity', 'infinity', '-infinity', 'NaN', 'Infinity', '24:00', 'ab', 'x'),
(2, 'b', 1e30, '1850-02-28', '1850-01-01 12:00', '1850-01-01 12:00+02', '-0.0', 1, '23:59:59', 'é', '12'),
(3, 'c', 12.50, '0044-03-15 BC', '9999-12-31 23:59:59.999999', '2020-06-01 12:00:00+02', 1e308, 0.1, NULL, NULL, ' 7 '),
(4, 'd', 0.1234567, '1583-01-01', '0001-01-01', '294276-01-01', 5e-324, 16777217, '00:00', '', NULL)
"""


@pytest.fixture(scope="module")
def hostile(postgres: PostgresServer) -> None:
    postgres.run(
        "CREATE TABLE hostile (id int, who text, n numeric, d date, ts timestamp, tz timestamptz, f float8, r real, "
        "t time, c char(4), w varchar(10))",
        HOSTILE,
    )


CELLS = {
    "n": ("decimal", [None, None, "12.500000", None]),
    "d": ("date", [None, "1850-02-28", None, "1583-01-01"]),
    "ts": ("timestamp", [None, "1850-01-01 12:00:00", "9999-12-31 23:59:59.999999", "0001-01-01 00:00:00"]),
    "tz": ("timestamp", [None, "1850-01-01 10:00:00", "2020-06-01 10:00:00", None]),
    "f": ("float", [None, "-0.0", "1e+308", "5e-324"]),
    "r": ("float", [None, "1.0", "0.1", "16777216.0"]),
    "t": ("text", ["24:00:00", "23:59:59", None, "00:00:00"]),
    "c": ("text", ["ab", "é", None, ""]),
    "w": ("integer", [None, "12", "7", None]),
}


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("column", CELLS)
def test_each_value_is_read_as_a_file_would_be(
    postgres: PostgresServer, tmp_path: Path, password: str, column: str
) -> None:
    kind, wanted = CELLS[column]
    value = spec_of({column: kind}, path=postgres.address(), source={"table": "hostile"})
    value["quality"] = {"max_rejected": 1.0}
    rows = {row["id"]: row for row in extracted(tmp_path, value, f'id, "{column}"')}
    assert [None if rows[i][column] is None else str(rows[i][column]) for i in range(1, 5)] == wanted


@pytest.mark.usefixtures("hostile")
def test_a_row_with_an_unreadable_value_is_set_apart(postgres: PostgresServer, tmp_path: Path, password: str) -> None:
    spec = spec_of({"f": "float"}, path=postgres.address(), source={"table": "hostile"})
    assert sorted(curated(tmp_path, spec)["f"].to_pylist()) == [-0.0, 5e-324, 1e308]


CONDITIONS = [
    "year(d) >= 1800", "year(d) < 1900 and n > 0", "floor(f) > 1 or id = 1", "floor(n) = 12", "n + 1 > 2",
    "days_between(d, date_of(ts)) > 0", "month_start(d) is not null", "f between 0 and 2",
    "n is null", "n > 1", "d is null", "d < parse_date('1900-01-01', '%Y-%m-%d')", "not (f > 0)", "f is null",
    "coalesce(r, 1) = 1", "t = '24:00:00'", "c = 'ab'", "c is null", "w > 6", "w is null", "year(tz) >= 1000",
    "lower(c) = 'É' or id = 1", "case when f > 1 then true else false end", "tz is distinct from ts",
    "length(c) < 3 and id in (1, 3)", "c <> ''", "to_int(t) is null",
    "date_of(ts) = parse_date('1850-01-01', '%Y-%m-%d')",
    "date_of(tz) > parse_date('2020-05-31', '%Y-%m-%d')", "date_of(tz) <= parse_date('2020-06-01', '%Y-%m-%d')",
    "year(date_of(ts)) >= 9999", "year(date_of(tz)) = 1850",
    "not (date_of(ts) > parse_date('2000-01-01', '%Y-%m-%d'))",
    "date_of(tz) >= parse_date('2020-06-01', '%Y-%m-%d') and t is null and c is null",
]  # fmt: skip


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_left_to_the_server_changes_no_row(
    postgres: PostgresServer, tmp_path: Path, password: str, condition: str
) -> None:
    columns = {name: kind for name, (kind, _) in CELLS.items()}
    value = spec_of(columns, path=postgres.address(), source={"table": "hostile"})
    whole = extracted(tmp_path / "whole", value, "*")
    value["extract"]["where"] = condition
    left = extracted(tmp_path / "left", value, "*")
    here = filtered(whole, condition, columns)
    assert [row["id"] for row in left] == here


@pytest.mark.parametrize(
    "condition",
    ["upper(c) = 'ﬁN'", "upper(c) = 'STRAẞE'", "upper(c) <> 'STRASSE'", "lower(c) = 'i'", "lower(c) = 'ασ'"],
)
def test_the_case_of_letters_is_not_left_to_the_server(
    postgres: PostgresServer, tmp_path: Path, password: str, condition: str
) -> None:
    """Of a few signs it makes others than the engine, and would leave rows behind."""
    rows = ["straße", "strasse", "İ", "I", "ΑΣ", "ﬁn"]
    postgres.run(
        "DROP TABLE IF EXISTS streets", "CREATE TABLE streets (id int, who text, c text)",
        *(f"INSERT INTO streets VALUES ({place}, 'p', '{text}')" for place, text in enumerate(rows)),
    )  # fmt: skip
    value = spec_of({"c": "text"}, path=postgres.address(), source={"table": "streets"})
    value["extract"]["where"] = condition
    left = extracted(tmp_path / "left", value, "*")
    here = filtered([{"id": place, "who": "p", "c": text} for place, text in enumerate(rows)], condition, {"c": "text"})
    assert [row["id"] for row in left] == here


def filtered(rows: list[dict[str, Any]], condition: str, columns: dict[str, str]) -> list[int]:
    import duckdb
    import pyarrow as pa

    from curator.expressions import parse

    types = {"id": "integer", "who": "text", **columns}
    kinds = {
        "decimal": pa.decimal128(18, 6), "date": pa.date32(), "timestamp": pa.timestamp("us"), "float": pa.float64(),
        "text": pa.string(), "integer": pa.int64(),
    }  # fmt: skip
    arrays = {name: pa.array([row[name] for row in rows], kinds[kind]) for name, kind in types.items()}
    rows_read = pa.table(arrays)  # noqa: F841 (DuckDB reads it by name)
    sql = parse(condition, types).sql("duckdb")
    return [row[0] for row in duckdb.sql(f"SELECT id FROM rows_read WHERE {sql} ORDER BY id").fetchall()]


MOMENTS = """
INSERT INTO moments SELECT row_number() OVER (), 'p', m, m, CAST(m AS timestamptz) FROM (VALUES
('infinity'::timestamp), ('-infinity'), ('0044-03-15 12:00 BC'), ('0001-01-01'), ('9999-12-31 23:59:59.999999'),
('10000-01-01'), (NULL), ('2019-12-31 23:59:59.999999'), ('2020-01-01'), ('2020-01-01 24:00'), ('2020-01-02'),
('2020-01-02 23:59:59.999999'), ('2020-01-03'), ('1969-12-31 23:59:59.5'), ('2020-03-29 01:30')) v(m)
"""
SPANS = [("2020-01-01", "2020-01-02"), ("2020-01-02", None), (None, "2020-01-01"), ("1583-01-01", "1970-01-02")]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/St_Johns"])
@pytest.mark.parametrize("kind", ["timestamp", "timestamptz"])
def test_a_window_of_moments_is_left_to_the_server(
    postgres: PostgresServer, tmp_path: Path, password: str, kind: str, zone: str
) -> None:
    """Whatever the zone of the server: moments with a zone are moments in UTC, and an index can answer."""
    postgres.run(
        "DROP TABLE IF EXISTS moments",
        f"CREATE TABLE moments (id bigint, who text, plain timestamp, m {kind}, z timestamptz)",
        f"ALTER ROLE owner SET TimeZone = '{zone}'",
    )
    postgres.run(MOMENTS, "CREATE INDEX ON moments (m)")
    value = spec_of({"m": "timestamp"}, path=postgres.address(), source={"table": "moments"})
    whole = extracted(tmp_path / "whole", value, "id, m")
    before = len(postgres.statements())
    for number, (since, until) in enumerate(SPANS):
        window = {name: day for name, day in (("since", since), ("until", until)) if day}
        value["extract"]["window"] = {"column": "m", **window}
        left = extracted(tmp_path / str(number), value, "id, m")
        first, last = since or "0001-01-01", until or "9999-12-31"
        kept = [row for row in whole if row["m"] and first <= str(row["m"])[:10] <= last]
        assert [row["id"] for row in left] == [row["id"] for row in kept]
        assert len(left) >= 1
    postgres.run("ALTER ROLE owner RESET TimeZone")
    asked = [line for line in postgres.statements()[before:] if '"public"."moments"' in line]
    bound = (
        "TIMESTAMP WITH TIME ZONE '2020-01-01 00:00:00+00'"
        if kind == "timestamptz"
        else "TIMESTAMP '2020-01-01 00:00:00'"
    )
    assert f'"m" >= {bound}' in asked[0]


def test_a_table_without_a_key_gives_the_same_rows_as_its_file(
    postgres: PostgresServer, tmp_path: Path, password: str
) -> None:
    """Equal rows stay, in whatever order the server gives them."""
    cells = ("'Nîmes', DATE '2024-01-02', 1, 48.5, true", "'Nîmes', DATE '2024-01-02', 1, 48.25, true",
             "NULL, NULL, NULL, NULL, NULL", "'a:b', DATE '2024-01-02', 2, -0.0, false")  # fmt: skip
    postgres.run(
        "CREATE TABLE keyless (place text, day date, kind int, speed float8, wet boolean)",
        *(f"INSERT INTO keyless SELECT {row} FROM generate_series(1, {n + 2})" for n, row in enumerate(cells)),
    )
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM keyless ORDER BY kind, speed")
        csv.write_csv(cursor.fetch_arrow_table(), tmp_path / "keyless.csv")
    value = spec_of(
        {"place": "text", "day": "date", "kind": "integer", "speed": "float", "wet": "boolean"}, path="keyless.csv"
    )
    source = next(iter(value["sources"].values()))
    source["columns"] = {name: kind for name, kind in source["columns"].items() if name not in ("id", "who")}
    value["extract"] |= {"row_key": ["whole_row"], "entity": ["place"]}
    value["fields"] = {name: {"meaning": "x", "identifier": "none", "because": "x"} for name in source["columns"]}
    files = curate(empty_capital(tmp_path / "csv"), tmp_path, spec=value)
    source |= {"path": postgres.address(), "table": "keyless"}
    asked = curate(empty_capital(tmp_path / "pg"), tmp_path, spec=value)
    assert sum(asked.manifest.rows.values()) == 2 + 3 + 4 + 5
    assert shards(files) == shards(asked)
