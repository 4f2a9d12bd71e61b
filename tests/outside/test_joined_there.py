"""Joins that a database makes itself: the same rows and the same counts as joins made here, by one statement."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet
import pytest
from capital_world import curate, empty_capital, write_spec
from live_world import TABLES, evidence_text, shards, uncounted_spec
from mariadb_server import PASSWORD as MARIADB_PASSWORD
from mariadb_server import MariadbServer
from outside_world import spec_of
from postgres_server import PASSWORD as POSTGRES_PASSWORD
from postgres_server import PostgresServer

from curator.addresses import place_of
from curator.cli import main
from curator.engines import open_engine
from curator.extraction import extract
from curator.records import DatasetVersion
from curator.spec import parse_use_case

ELSEWHERE = "?connect_timeout=11"  # another address of the same server: its tables are read apart


@pytest.fixture(autouse=True)
def passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", POSTGRES_PASSWORD)


@pytest.fixture(scope="module")
def base(postgres: PostgresServer, demo_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration tables in the server, and the same as CSV in a folder."""
    folder = tmp_path_factory.mktemp("csv")
    for name in TABLES:
        table = parquet.read_table(demo_base / f"{name}.parquet")
        postgres.load(name, table)
        csv.write_csv(table, folder / f"{name}.csv")
    return folder


def apart(server: PostgresServer | MariadbServer) -> dict[str, str]:
    """The tables of one server, each by an address of its own, so that none is joined there."""
    return {name: server.address(options=f"?connect_timeout={10 + n}") for n, name in enumerate(TABLES)}


def counted_spec(**extract_parts: Any) -> dict[str, Any]:
    value = uncounted_spec(**extract_parts)
    for join in value["extract"]["join"]:
        join["orphans"] = "report"
    return value


def test_one_statement_and_the_same_bytes(postgres: PostgresServer, base: Path, tmp_path: Path) -> None:
    value = counted_spec(
        where="role in (1, 2, 3) and light >= 1 and nir <> '' and (year(birth_date) < 1990 or light = 1)",
        sample={"by": ["nir"], "fraction": 0.7, "seed": 5},
    )
    before = len(postgres.statements())
    there = curate(
        empty_capital(tmp_path / "there"), base, spec=value, sources=dict.fromkeys(TABLES, postgres.address())
    )
    asked = [line for line in postgres.statements()[before:] if '"public"."persons"' in line and "count(" not in line]
    here = curate(empty_capital(tmp_path / "here"), base, spec=value, sources=apart(postgres))
    files = curate(
        empty_capital(tmp_path / "csv"), base, spec=value, sources={name: base / f"{name}.csv" for name in TABLES}
    )
    assert sum(files.manifest.rows.values()) > 100
    assert shards(there) == shards(here) == shards(files)
    assert quality(there) == quality(here)
    assert len(asked) == 1
    (statement,) = asked
    assert statement.startswith(
        'COPY (SELECT "person_id", "num_acc", "num_veh", "role", "severity", "sex", "birth_date", "nir", '
        '"licence_number", "safety", "trip", "seat"'
    )
    assert "narrative" not in statement
    assert '"make"' not in statement
    assert " OR " in statement  # a condition over two tables
    assert "md5('5:' || CAST(\"nir\" AS text))" in statement


def quality(version: DatasetVersion) -> bytes:
    return (version.folder / "quality.json").read_bytes()


def rows_of(
    folder: Path, value: dict[str, Any], engine_name: str = "duckdb"
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Extracted rows, and the rows without partner of each join."""
    use_case = parse_use_case(json.dumps(value), file="spec.yaml")
    folder.mkdir(exist_ok=True)
    engine = open_engine(engine_name, scratch=folder)
    try:
        places = {name: place_of(source.addresses[0], source=name) for name, source in use_case.sources.items()}
        sample = extract(use_case, engine=engine, paths=places)
        batches = list(engine.batches('SELECT id, who, k, b FROM "sample" ORDER BY id, b', rows=1000))
        return [row for batch in batches for row in batch.to_pylist()], dict(sample.orphans)
    finally:
        engine.close()


def spec_of_two(server: PostgresServer | MariadbServer, declared: str, **parts: Any) -> dict[str, Any]:
    """A table `l` and a table `r` of one server, joined by `k`."""
    value = spec_of({"k": declared}, path=server.address(), source={"table": "l"})
    value["sources"]["r"] = {
        "path": server.address(), "table": "r", "columns": {"k": declared, "b": "integer"}, **parts.pop("right", {}),
    }  # fmt: skip
    value["extract"]["join"] = [{"source": "r", "on": ["k"], "orphans": "report", **parts}]
    value["fields"]["b"] = {"meaning": "A number.", "identifier": "none", "because": "invented"}
    return value


def both(folder: Path, value: dict[str, Any]) -> tuple[Any, Any]:
    """What comes of it joined there, and joined here."""
    there = rows_of(folder / "there", value)
    value = json.loads(json.dumps(value))
    value["sources"]["r"]["path"] += ELSEWHERE
    return there, rows_of(folder / "here", value)


def joined_there(lines: list[str]) -> bool:
    return any(" joined" in line and "JOIN" in line and "count(" not in line for line in lines)


TEXTS = (
    "('a'), ('A'), ('a '), (' a'), ('é'), ('e\u0301'), ('É'), ('ß'), ('ss'), (''), (NULL), (NULL), ('b'), ('b'), ('''')"
)
UUIDS = "('6ba7b810-9dad-11d1-80b4-00c04fd430c8'), ('6BA7B810-9DAD-11D1-80B4-00C04FD430C9'), (NULL)"
NUMBERS = "(1), (2), (2), (NULL), (-32768), (32767), (0), (7)"
DAYS = "('2020-01-01'), ('2020-01-01'), ('infinity'), ('-infinity'), ('0044-03-15 BC'), ('9999-12-31'), (NULL)"
MOMENTS = (
    "('2020-01-01 12:00'), ('2020-01-01 12:00:00.123456'), ('2020-01-01 12:00:00.123'), ('infinity'), ('-infinity'), "
    "('0044-03-15 10:00 BC'), ('10000-01-01 00:00'), ('9999-12-31 23:59:59.999'), ('1899-12-31 23:00'), (NULL), (NULL)"
)
DECIMALS = "('1'), ('1.50'), ('1.5'), ('1.0000000000000000001'), ('0.1234567'), ('NaN'), ('1000000'), (NULL)"
KEYS: dict[str, tuple[str, str, str, str, bool]] = {
    "integers": ("integer", "int2", "int8", NUMBERS, True),
    "text": ("text", "text", "varchar(20)", TEXTS, True),
    "other collations": ("text", 'text COLLATE "C"', 'text COLLATE "POSIX"', TEXTS, True),
    "padded": ("text", "char(4)", "text", TEXTS, True),
    "both padded": ("text", "char(3)", "char(9)", TEXTS, True),
    "uuid": ("text", "uuid", "text", UUIDS, True),
    "days": ("date", "date", "date", DAYS, True),
    "numeric as integer": ("integer", "numeric", "int4", "(1), (2), (NULL)", False),
    "texts as integer": ("integer", "text", "int4", "(1), (2), (NULL)", False),
    "moments": ("timestamp", "timestamp", "timestamp(3)", MOMENTS, True),
    "moments and zones": ("timestamp", "timestamp", "timestamptz", MOMENTS, True),
    "moments in zones": ("timestamp", "timestamptz", "timestamptz", MOMENTS, True),
    "days as moments": ("timestamp", "date", "timestamp", "('2020-01-01'), ('infinity'), (NULL)", False),
    "decimals": ("decimal", "numeric", "numeric(30, 20)", DECIMALS, False),
    "whole decimals": ("decimal", "int8", "int8", "(1), (2000000000000), (NULL)", False),
    "floats": ("float", "float8", "float8", "('1.5'), ('NaN'), ('Infinity'), (NULL)", False),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["inner", "left"])
@pytest.mark.parametrize("case", KEYS)
def test_postgresql_joins_as_the_engine_does(postgres: PostgresServer, tmp_path: Path, case: str, kind: str) -> None:
    declared, left, right, keys, able = KEYS[case]
    cast = [f"CAST(CAST(k AS text) AS {side.split(' COLLATE')[0]})" for side in (left, right)]
    typed = f"(VALUES {keys}) v(k)"
    postgres.run(
        "DROP TABLE IF EXISTS l, r",
        f"CREATE TABLE l (id int, who text, k {left})",
        f"INSERT INTO l SELECT row_number() OVER (), 'p', {cast[0]} FROM {typed}",
        f"CREATE TABLE r (k {right}, b int)",
        f"INSERT INTO r SELECT {cast[1]}, row_number() OVER () FROM {typed}",
        "INSERT INTO l (id, who, k) SELECT 100 + id, 'q', k FROM l WHERE id = 1",
        "DELETE FROM r WHERE b = 1",
    )
    before = len(postgres.statements())
    there, here = both(tmp_path, spec_of_two(postgres, declared, kind=kind))
    assert there == here
    assert joined_there(postgres.statements()[before:]) is able
    assert there[1]["r"]["left"] >= 1


def test_null_tokens_keep_texts_apart(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.run(
        "DROP TABLE IF EXISTS l, r",
        "CREATE TABLE l AS SELECT 1 AS id, 'p' AS who, 'NA'::text AS k UNION ALL SELECT 2, 'q', 'x'",
        "CREATE TABLE r AS SELECT 'NA'::text AS k, 1 AS b UNION ALL SELECT 'x', 2",
    )
    value = spec_of_two(postgres, "text", right={"null_tokens": ["NA"]})
    value["sources"]["t"]["null_tokens"] = ["NA"]
    there, here = both(tmp_path, value)
    assert there == here
    assert [row["id"] for row in there[0]] == [2]


def test_a_left_join_keeps_nulls_that_a_condition_meets(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.run(
        "DROP TABLE IF EXISTS l, r",
        "CREATE TABLE l AS SELECT i AS id, 'p' AS who, i AS k FROM generate_series(1, 6) i",
        "CREATE TABLE r AS SELECT i AS k, CASE WHEN i % 2 = 0 THEN i END AS b FROM generate_series(1, 4) i",
    )
    before = len(postgres.statements())
    for condition, rows in (
        ("b is null", [1, 3, 5, 6]), ("b is distinct from 2", [1, 3, 4, 5, 6]), ("b > id - 1", [2, 4]),
        ("coalesce(b, 9) = 9 or id = 2", [1, 2, 3, 5, 6]), ("not (b = 2)", [4]),
    ):  # fmt: skip
        value = spec_of_two(postgres, "integer", kind="left")
        value["extract"]["where"] = condition
        there, here = both(tmp_path, value)
        assert there == here
        assert [row["id"] for row in there[0]] == rows
        assert there[1] == {"r": {"left": 2, "right": 0}}
    assert joined_there(postgres.statements()[before:])


def test_filters_of_the_sources_come_before_the_join(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.run(
        "DROP TABLE IF EXISTS l, r",
        "CREATE TABLE l AS SELECT i AS id, 'p' AS who, i AS k FROM generate_series(1, 6) i",
        "CREATE TABLE r AS SELECT i AS k, i AS b FROM generate_series(1, 4) i",
    )
    for kind, orphans, able in (("inner", "ignore", True), ("left", "ignore", False), ("inner", "report", False)):
        value = spec_of_two(postgres, "integer", kind=kind, orphans=orphans, right={"where": "b <> 2"})
        before = len(postgres.statements())
        there, here = both(tmp_path, value)
        assert there == here
        assert joined_there(postgres.statements()[before:]) is able
        assert len(there[0]) == (3 if kind == "inner" else 6)


def test_both_engines_take_joined_rows_alike(postgres: PostgresServer, tmp_path: Path, engine_name: str) -> None:
    postgres.run(
        "DROP TABLE IF EXISTS l, r",
        "CREATE TABLE l AS SELECT i AS id, 'p' || i AS who, nullif(i % 7, 3) AS k FROM generate_series(1, 60) i",
        "CREATE TABLE r AS SELECT i % 5 AS k, i AS b FROM generate_series(1, 12) i",
    )
    value = spec_of_two(postgres, "integer", kind="left")
    value["extract"]["where"] = "b is null or b > k"
    there, counts = rows_of(tmp_path, value, engine_name)
    assert counts == {"r": {"left": 25, "right": 2}}
    keys = [i % 7 for i in range(1, 61) if i % 7 != 3]
    assert len(there) == 25 + sum(key == b % 5 and b > key for key in keys for b in range(1, 13))


def test_a_third_table_elsewhere_is_joined_here(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.run(
        "DROP TABLE IF EXISTS l, r",
        "CREATE TABLE l AS SELECT i AS id, 'p' AS who, i AS k FROM generate_series(1, 6) i",
        "CREATE TABLE r AS SELECT i % 4 AS k, i AS b FROM generate_series(1, 8) i",
    )
    (tmp_path / "s.csv").write_text("b,c\n1,10\n2,20\n2,21\n9,90\n")
    value = spec_of_two(postgres, "integer", orphans="ignore")
    value["sources"]["s"] = {"path": str(tmp_path / "s.csv"), "columns": {"b": "integer", "c": "integer"}}
    for kind in ("inner", "left"):
        value["extract"]["join"] = [
            value["extract"]["join"][0],
            {"source": "s", "on": ["b"], "kind": kind, "orphans": "ignore"},
        ]
        before = len(postgres.statements())
        there, here = both(tmp_path, value)
        assert there == here
        assert joined_there(postgres.statements()[before:])
        assert len(there[0]) == (3 if kind == "inner" else 7)


def test_the_plan_says_which_join_is_made_where(
    postgres: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = counted_spec(where="role in (1, 2, 3)")
    spec = write_spec(tmp_path, value)

    def planned(places: dict[str, str]) -> Any:
        assert main(["--json", "plan", str(spec), *(f"--source={name}={place}" for name, place in places.items())]) == 0
        return json.loads(capsys.readouterr().out)

    there = planned(dict.fromkeys(TABLES, postgres.address()))
    assert {join["source"]: join["where"] for join in there["joins"]} == dict.fromkeys(
        TABLES[1:], "joined in the database"
    )
    statements = {source["name"]: source["statement"] for source in there["sources"]}
    assert "INNER JOIN" in statements["persons"]
    assert (statements["vehicles"], statements["accidents"]) == (None, None)
    here = planned(apart(postgres))
    assert {join["where"] for join in here["joins"]} == {"joined here: it is not of one database with `persons`"}


def test_the_evidence_says_what_came_joined(postgres: PostgresServer, base: Path, tmp_path: Path) -> None:
    capital = empty_capital(tmp_path / "capital")
    curate(capital, base, spec=counted_spec(), sources=dict.fromkeys(TABLES, postgres.address()))
    said = evidence_text(capital)
    assert said.count('"joined_there":["persons","vehicles","accidents"]') == 3
    assert all(f"source {name}: accidents {name}" in said for name in TABLES)


# ---- MariaDB


NUMBERED = "(1), (2), (2), (NULL), (-5), (127), (0), (7)"
ODD_DAYS = (
    "('2020-01-01'), ('0000-00-00'), (NULL), ('2021-01-01'), ('2020-02-31'), ('2020-00-10'), ('2020-05-00'), "
    "('0001-01-01'), ('0000-12-31'), ('1500-02-29'), ('1582-10-10'), ('9999-12-31'), ('2020-02-29')"
)
ODD_MOMENTS = (
    "('2020-01-01 12:00'), ('2020-01-01 12:00:00.123'), ('2020-01-01 12:00:00.123456'), ('0000-00-00 00:00:00'), "
    "('2020-02-31 10:00'), ('2020-00-10 10:00'), ('1500-02-29 10:00'), ('9999-12-31 23:59:59'), ('1999-07-01'), (NULL)"
)
MARIADB_KEYS: dict[str, tuple[str, str, str, str, bool]] = {
    "integers": ("integer", "tinyint", "bigint", NUMBERED, True),
    "beyond what is read": (
        "integer", "bigint unsigned", "bigint unsigned",
        "(1), (9223372036854775807), (9223372036854775808), (NULL), (3)", True,
    ),
    "padded with zeros": ("integer", "int(5) zerofill", "int", "(1), (2), (NULL), (3)", False),
    "text": ("text", "varchar(20)", "varchar(9)", "('x'), ('a'), ('A'), ('a '), ('é'), ('e'), ('ß'), (NULL)", False),
    "days": ("date", "date", "date", ODD_DAYS, True),
    "moments": ("timestamp", "datetime(6)", "datetime(3)", ODD_MOMENTS, True),
    "moments of two types": ("timestamp", "datetime", "timestamp NULL", ODD_MOMENTS, True),
    "decimals": ("decimal", "decimal(30,20)", "decimal(30,9)", "(1), (1.5), (0.1234567), (NULL)", False),
    "numeric as integer": ("integer", "decimal(9,2)", "int", "(1), (2), (NULL)", False),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["inner", "left"])
@pytest.mark.parametrize("case", MARIADB_KEYS)
def test_mariadb_joins_as_the_engine_does(
    mariadb: MariadbServer, tmp_path: Path, case: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", MARIADB_PASSWORD)
    declared, left, right, keys, able = MARIADB_KEYS[case]
    mariadb.run(
        "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
        "SET SESSION time_zone = '+00:00'",
        f"CREATE OR REPLACE TABLE l (id int AUTO_INCREMENT PRIMARY KEY, who varchar(9) DEFAULT 'p', k {left})",
        f"CREATE OR REPLACE TABLE r (k {right}, b int AUTO_INCREMENT PRIMARY KEY)",
        f"INSERT INTO l (k) VALUES {keys}",
        f"INSERT INTO r (k) VALUES {keys}",
        "INSERT INTO l (id, k) SELECT 100 + id, k FROM l WHERE id = 1",
        "DELETE FROM r WHERE b = 1",
    )
    before = len(mariadb.statements())
    there, here = both(tmp_path, spec_of_two(mariadb, declared, kind=kind))
    assert there == here
    assert joined_there(mariadb.statements()[before:]) is able
    assert there[1]["r"]["left"] >= 1


def test_null_tokens_keep_numbers_apart(
    mariadb: MariadbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", MARIADB_PASSWORD)
    mariadb.run(
        "CREATE OR REPLACE TABLE l AS SELECT 1 AS id, 'p' AS who, -1 AS k UNION ALL SELECT 2, 'q', 5",
        "CREATE OR REPLACE TABLE r AS SELECT -1 AS k, 1 AS b UNION ALL SELECT 5, 2",
    )
    value = spec_of_two(mariadb, "integer", right={"null_tokens": ["-1"]})
    value["sources"]["t"]["null_tokens"] = ["-1"]
    there, here = both(tmp_path, value)
    assert there == here
    assert [row["id"] for row in there[0]] == [2]


def test_mariadb_and_files_give_the_same_bytes_joined_there(
    mariadb: MariadbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers are joined there, texts here; drawn by texts kept in another character set."""
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", MARIADB_PASSWORD)
    mariadb.run(
        "SET SESSION max_recursive_iterations = 5000",
        "CREATE OR REPLACE TABLE l (id int, who varchar(30), k int) CHARACTER SET latin1",
        "CREATE OR REPLACE TABLE r (k bigint, b int)",
        "INSERT INTO l WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
        "SELECT i, concat('é', i % 700, if(i % 3 = 0, ' ', '')), i % 90 FROM n",
        "INSERT INTO r WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 80) "
        "SELECT i, nullif(i % 5, 0) FROM n",
    )
    with mariadb.connect() as connection, connection.cursor() as cursor:
        for name in ("l", "r"):
            cursor.execute(f"SELECT * FROM {name}")
            names = [column[0] for column in cursor.description]
            cells = zip(*cursor.fetchall(), strict=True)
            parquet.write_table(pa.table(dict(zip(names, map(list, cells), strict=True))), tmp_path / f"{name}.parquet")
    value = spec_of_two(mariadb, "integer", kind="left")
    value["extract"] |= {"where": "k > 3 and id < 1900", "sample": {"by": ["who"], "fraction": 0.4, "seed": 8}}
    before = len(mariadb.statements())
    there, here = both(tmp_path, value)
    assert there == here
    asked = [line for line in mariadb.statements()[before:] if "LEFT JOIN" in line]
    assert len(asked) == 1
    assert ("md5('8:' || CONVERT(`who` USING utf8mb4))" in asked[0]) is mariadb.digests
    assert "`k` > 3" in asked[0]
    for name, source in (("l", "t"), ("r", "r")):
        value["sources"][source]["path"] = str(tmp_path / f"{name}.parquet")
    assert rows_of(tmp_path / "files", value) == there
    assert 500 < len(there[0]) < 1000
