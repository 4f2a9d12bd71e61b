"""PostgreSQL as others keep it: odd names, every kind of table, types without end, users with less than all rights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from live_world import extracted
from outside_world import spec_of
from postgres_server import PASSWORD, READER_PASSWORD, PostgresServer

from curator.addresses import address_of
from curator.errors import CuratorError
from curator.protocols import Asked
from curator.sources.postgres import PostgresSource
from curator.spec.model import Source
from curator.sqltext import quoted

CANARY = "canary cell"


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", PASSWORD)


def rows_of(folder: Path, address: str, columns: dict[str, Any], *, table: str, **parts: Any) -> list[dict[str, Any]]:
    return extracted(folder, spec_of(columns, path=address, source={"table": table}, **parts))


def refused(folder: Path, address: str, columns: dict[str, Any], *, table: str) -> CuratorError:
    with pytest.raises(CuratorError) as caught:
        rows_of(folder, address, columns, table=table)
    assert CANARY not in str(caught.value)
    return caught.value


NAMES: dict[str, tuple[str | None, str, str]] = {
    "mixed case": (None, "MiXed", "X"), "a schema": ("Odd one", "t", "x"),
    "quotes": (None, 'q"; DROP TABLE q;--', 'a"b'),
    "a point": (None, "a.b", "c.d"), "reserved": (None, "select", "user"), "unicode": (None, "données Ω", "âge €"),
    "percent": (None, "%s{}$1", "%(x)s"), "63 bytes": (None, "é" * 31, "x" * 63),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMES)
def test_any_name_of_a_table_and_a_column(postgres: PostgresServer, tmp_path: Path, case: str) -> None:
    schema, table, column = NAMES[case]
    if schema is not None:
        postgres.run(f"CREATE SCHEMA {quoted(schema)}")
    made = ".".join(quoted(part) for part in (schema, table) if part is not None)
    postgres.run(
        f"CREATE TABLE {made} (id int, who text, {quoted(column)} int)",
        f"INSERT INTO {made} VALUES (1, 'p', 5), (2, 'q', 7)",
    )
    columns = {"y": {"type": "integer", "column": column}}
    called = table if schema is None else f"{schema}.{table}"
    rows = rows_of(tmp_path, postgres.address(), columns, table=called, extract={"where": "y + 1 > 6"})
    assert [row["y"] for row in rows] == [7]
    postgres.run(f"DROP TABLE {made}")


KINDS = {
    "view": "CREATE VIEW k AS SELECT * FROM plain",
    "materialised view": "CREATE MATERIALIZED VIEW k AS SELECT * FROM plain",
    "partitions": "CREATE TABLE k (id int, who text, x int) PARTITION BY RANGE (id)",
    "generated column": "CREATE TABLE k (id int, who text, x int GENERATED ALWAYS AS (id * 5) STORED)",
    "no rows": "CREATE TABLE k (id int, who text, x int)",
    "inheritance": "CREATE TABLE k () INHERITS (plain)",
    "unlogged": "CREATE UNLOGGED TABLE k AS SELECT * FROM plain",
    "dropped column": "CREATE TABLE k AS SELECT 9 AS gone, * FROM plain",
}


@pytest.mark.parametrize("case", KINDS)
def test_every_kind_of_table(postgres: PostgresServer, tmp_path: Path, case: str) -> None:
    postgres.run(
        "DROP TABLE IF EXISTS plain CASCADE", "CREATE TABLE plain AS SELECT 1 AS id, 'p' AS who, 5 AS x", KINDS[case]
    )
    more = {
        "partitions": ["CREATE TABLE k1 PARTITION OF k FOR VALUES FROM (0) TO (2)",
                       "CREATE TABLE k2 PARTITION OF k DEFAULT", "INSERT INTO k VALUES (1, 'p', 5)"],
        "generated column": ["INSERT INTO k VALUES (1, 'p')"],
        "inheritance": ["INSERT INTO k VALUES (1, 'p', 5)"],
        "dropped column": ["ALTER TABLE k DROP COLUMN gone"],
    }  # fmt: skip
    postgres.run(*more.get(case, []))
    try:
        rows = rows_of(tmp_path, postgres.address(), {"x": "integer"}, table="k")
        assert [(row["id"], row["who"], row["x"]) for row in rows] == ([] if case == "no rows" else [(1, "p", 5)])
    finally:
        what = {"view": "VIEW", "materialised view": "MATERIALIZED VIEW"}.get(case, "TABLE")
        postgres.run(f"DROP {what} k CASCADE")


def test_a_materialised_view_that_was_never_filled(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.run("CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS id, 'p' AS who WITH NO DATA")
    error = refused(tmp_path, postgres.address(), {}, table="unfilled")
    assert (error.code, error.found) == ("database-fault", "a materialised view that was never filled")


WORDS = {"type": "boolean", "true": ["O", "oui", 1], "false": ["N", "non", 2]}

# Type there, a value, the declared type, and what is read of it.
TYPES: dict[str, tuple[str, str, Any, Any]] = {
    "enum": ("mood", "'ok'", "text", "ok"),
    "domain": ("positive", "5", "integer", 5),
    "domain of domains": ("deep", "'2020-02-29'", "date", "2020-02-29"),
    "domain of an enum": ("moody", "'sad'", "text", "sad"),
    "json": ("json", "'{\"a\" : 1}'", "text", '{"a" : 1}'),
    "jsonb": ("jsonb", "'{\"a\":1}'", "text", '{"a": 1}'),
    "uuid": ("uuid", "'6BA7B810-9DAD-11D1-80B4-00C04FD430C8'", "text", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    "inet": ("inet", "'10.0.0.1/8'", "text", "10.0.0.1/8"),
    "inet of one address": ("inet", "'10.0.0.1'", "text", "10.0.0.1"),
    "inet of the sixth version": ("inet", "'::1'", "text", "::1"),
    "cidr": ("cidr", "'10.1.0.0/16'", "text", "10.1.0.0/16"),
    "interval": ("interval", "'1 mon -1 day 02:00'", "text", "1 mon -1 days +02:00:00"),
    "bits": ("bit(3)", "'101'", "text", "101"),
    "one letter": ('"char"', "'c'", "text", "c"),
    "padded": ("char(5)", "'ab'", "text", "ab"),
    "numeric without scale": ("numeric", "12.5", "decimal", "12.500000"),
    "numeric NaN": ("numeric", "'NaN'", "decimal", None),
    "numeric infinite": ("numeric", "'Infinity'", "float", None),
    "numeric of many digits": ("numeric", "1234567890123456789012345678901234567890.5", "decimal", None),
    "numeric as integer": ("numeric(10,0)", "12", "integer", 12),
    "numeric with a point as integer": ("numeric", "12.5", "integer", None),
    "real": ("real", "0.1", "float", 0.1),
    "24:00": ("time", "'24:00'", "text", "24:00:00"),
    "time with zone": ("timetz", "'12:00+02'", "text", "12:00:00+02"),
    "whole seconds": ("timestamp(0)", "'2020-01-01 12:00'", "timestamp", "2020-01-01 12:00:00"),
    "a day as a moment": ("date", "'2020-01-01'", "timestamp", "2020-01-01 00:00:00"),
    "a day as text": ("text", "'31/12/2020'", "date", None),
    "serial": ("bigserial", "9223372036854775807", "integer", 9223372036854775807),
    "boolean": ("boolean", "'yes'", "boolean", True),
    "boolean with words": ("boolean", "'no'", WORDS, False),
    "boolean as a letter": ("text", "'t'", "boolean", True),
    "truth in words": ("varchar(3)", "'Non'", WORDS, False),
    "truth in padded words": ("char(3)", "'o'", WORDS, True),
    "truth in one letter": ('"char"', "'N'", WORDS, False),
    "truth in an enum": ("answer", "'oui'", WORDS, True),
    "truth in a number": ("smallint", "2", WORDS, False),
    "a number that is no truth": ("smallint", "3", WORDS, None),
}  # fmt: skip
UNREAD = {
    "bytea": ("bytea", "'\\x00'", "`encode(c, 'hex')`"), "money": ("money", "'12.34'", "`CAST(c AS numeric)`"),
    "array": ("int[]", "'{1,2}'", "`array_to_string(c, ';')`"), "point": ("point", "'(1,2)'", "`c[0], c[1]`"),
    "composite": ("pair", "ROW(1, 2)", "numbers or dates"), "range": ("int4range", "'[1,5)'", "numbers or dates"),
    "oid": ("oid", "5", "`CAST(c AS bigint)`"), "search": ("tsvector", "'a b'", "numbers or dates"),
}  # fmt: skip


@pytest.fixture(scope="module")
def types(postgres: PostgresServer) -> None:
    postgres.run(
        "CREATE TYPE mood AS ENUM ('sad', 'ok')", "CREATE TYPE answer AS ENUM ('oui', 'non')",
        "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
        "CREATE DOMAIN d1 AS date", "CREATE DOMAIN d2 AS d1", "CREATE DOMAIN deep AS d2", "CREATE DOMAIN moody AS mood",
        "CREATE TYPE pair AS (a int, b int)",
    )  # fmt: skip


@pytest.mark.usefixtures("types")
@pytest.mark.parametrize("case", TYPES)
def test_a_value_of_each_type(postgres: PostgresServer, tmp_path: Path, case: str) -> None:
    kind, cell, declared, wanted = TYPES[case]
    postgres.run("DROP TABLE IF EXISTS typed", f"CREATE TABLE typed (id int, who text, c {kind})",
                 f"INSERT INTO typed VALUES (1, 'p', {cell})")  # fmt: skip
    (row,) = rows_of(tmp_path, postgres.address(), {"c": declared}, table="typed")
    assert (row["c"] if row["c"] is None or isinstance(wanted, (int, float)) else str(row["c"])) == wanted


@pytest.mark.usefixtures("types")
@pytest.mark.parametrize("case", UNREAD)
def test_a_type_that_nothing_reads_says_which_view_would(postgres: PostgresServer, tmp_path: Path, case: str) -> None:
    kind, cell, way = UNREAD[case]
    postgres.run("DROP TABLE IF EXISTS typed", f"CREATE TABLE typed (id int, who text, c {kind})",
                 f"INSERT INTO typed VALUES (1, 'p', {cell})")  # fmt: skip
    error = refused(tmp_path, postgres.address(), {"c": "text"}, table="typed")
    assert error.code == "source-column-type"
    assert "`c`" in error.asked
    assert way in error.todo


def test_a_thousand_columns(postgres: PostgresServer, tmp_path: Path) -> None:
    columns = ", ".join(f"c{number} int" for number in range(1_000))
    postgres.run(
        f"CREATE TABLE wide (id int, who text, {columns})", "INSERT INTO wide (id, who, c7) VALUES (1, 'p', 3)"
    )
    (row,) = rows_of(tmp_path / "all", postgres.address(), {f"c{n}": "integer" for n in range(1_000)}, table="wide")
    assert (row["c7"], row["c999"]) == (3, None)
    before = len(postgres.statements())
    rows_of(tmp_path / "one", postgres.address(), {"c7": "integer"}, table="wide")
    assert any('SELECT "id", "who", "c7" FROM' in line for line in postgres.statements()[before:])


# ---- users


def test_row_security_is_told_in_the_evidence(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user whom row security shows some rows reads those; the snapshot says that there are others."""
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", READER_PASSWORD)
    postgres.run(
        "CREATE TABLE secured AS SELECT i AS id, 'p' AS who FROM generate_series(1, 10) i",
        "ALTER TABLE secured ENABLE ROW LEVEL SECURITY", "CREATE POLICY few ON secured FOR SELECT USING (id <= 3)",
        "GRANT SELECT ON secured TO reader",
    )  # fmt: skip
    address = postgres.address(user="reader")
    assert len(rows_of(tmp_path, address, {}, table="secured")) == 3
    with_policy = PostgresSource(address_of(address, source="t"), source="t")
    try:
        source = Source.model_validate_json('{"path": "x", "table": "secured", "columns": {"id": "integer"}}')
        list(with_policy.table(Asked(name="t", source=source, columns=("id",))).batches())
        assert with_policy.snapshot()["row_security"] == "secured"
    finally:
        with_policy.close()


SETTINGS = {
    "read only": ["default_transaction_read_only = on"],
    "other formats": ["DateStyle = 'German, DMY'", "IntervalStyle = 'iso_8601'", "bytea_output = 'escape'",
                      "standard_conforming_strings = off", "client_encoding = 'LATIN1'", "TimeZone = 'Asia/Tokyo'",
                      "extra_float_digits = -15", "lc_numeric = 'C'"],
    "serializable": ["default_transaction_isolation = 'serializable'", "default_transaction_deferrable = on"],
}  # fmt: skip


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_of_the_user_change_nothing(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", READER_PASSWORD)
    postgres.run(
        "DROP TABLE IF EXISTS settled",
        "CREATE TABLE settled (id int, who text, d date, z timestamptz, f float8, i interval)",
        "INSERT INTO settled VALUES (1, 'a\\b', '2020-02-01', '2020-02-01 12:00+00', 0.1, '1 day')",
        "GRANT SELECT ON settled TO reader", *(f"ALTER ROLE reader SET {setting}" for setting in SETTINGS[case]),
    )  # fmt: skip
    try:
        columns = {"d": "date", "z": "timestamp", "f": "float", "i": "text"}
        where = {"where": "who = 'a\\b' and d = parse_date('2020-02-01', '%Y-%m-%d')"}
        rows = rows_of(tmp_path, postgres.address(user="reader"), columns, table="settled", extract=where)
        assert {name: str(rows[0][name]) for name in ("who", *columns)} == {
            "who": "a\\b", "d": "2020-02-01", "z": "2020-02-01 12:00:00", "f": "0.1", "i": "1 day",
        }  # fmt: skip
    finally:
        postgres.run("ALTER ROLE reader RESET ALL")


def test_a_limit_of_the_user_is_told_as_one(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", READER_PASSWORD)
    postgres.run(
        "CREATE VIEW sleepy AS SELECT i AS id, 'p' || pg_sleep(0.1)::text AS who FROM generate_series(1, 100) i",
        "GRANT SELECT ON sleepy TO reader", "ALTER ROLE reader SET statement_timeout = '300ms'",
    )  # fmt: skip
    try:
        assert refused(tmp_path, postgres.address(user="reader"), {}, table="sleepy").code == "database-timeout"
    finally:
        postgres.run("ALTER ROLE reader RESET ALL")


def test_other_encodings_come_as_the_same_texts_or_are_refused(postgres: PostgresServer, tmp_path: Path) -> None:
    for name, encoding in (("latin", "LATIN1"), ("bytes", "SQL_ASCII")):
        postgres.run(f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    text = {"latin": "chr(233)", "bytes": "convert_from('\\xe9'::bytea, 'SQL_ASCII')"}
    for name, cell in text.items():
        postgres.run(
            "CREATE TABLE t (id int, who text, x text)", f"INSERT INTO t VALUES (1, 'p', {cell})", database=name
        )
    for where in ("x = 'é'", "x > 'e'", "length(x) = 1"):
        rows = rows_of(
            tmp_path / "latin", postgres.address("latin"), {"x": "text"}, table="t", extract={"where": where}
        )
        assert [row["x"] for row in rows] == ["é"]
    assert refused(tmp_path / "bytes", postgres.address("bytes"), {"x": "text"}, table="t").code == "source-encoding"
