"""MariaDB as others keep it: days that are none, numbers without sign, bits, character sets, odd names, views."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live_world import extracted
from mariadb_server import MYSQLD, PASSWORD, MariadbServer, mariadb_server
from outside_world import spec_of

from curator.addresses import address_of
from curator.errors import CuratorError
from curator.sources.mariadb import MariadbSource

CANARY = "canary cell"


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", PASSWORD)


def made(server: MariadbServer, *statements: str) -> None:
    """Run statements as a careless program would: whatever is out of range is taken."""
    server.run("SET SESSION sql_mode = ''", *statements)


def rows_of(folder: Path, address: str, columns: dict[str, Any], *, table: str, **parts: Any) -> list[dict[str, Any]]:
    return extracted(folder, spec_of(columns, path=address, source={"table": table}, **parts))


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


WORDS = {"type": "boolean", "true": ["O", "oui", 1], "false": ["N", "non", 2]}
# Type there, values of two rows, the declared type, and what is read of them.
TYPES: dict[str, tuple[str, str, str, str, list[Any]]] = {
    "a day that is none": ("date", "'0000-00-00'", "'2020-02-29'", "date", [None, "2020-02-29"]),
    "half a day": ("date", "'2020-00-10'", "NULL", "date", [None, None]),
    "a moment that is none": ("datetime", "'0000-00-00 00:00:00'", "'2020-01-01'", "timestamp",
                              [None, "2020-01-01 00:00:00"]),
    "a stamp that is none": ("timestamp NULL", "'0000-00-00 00:00:00'", "'2020-01-01'", "timestamp",
                             [None, "2020-01-01 00:00:00"]),
    "microseconds": ("datetime(6)", "'2020-01-01 12:00:00.123456'", "NULL", "timestamp",
                     ["2020-01-01 12:00:00.123456", None]),
    "unsigned": ("bigint unsigned", "18446744073709551615", "5", "integer", [None, 5]),
    "bits": ("bit(8)", "255", "0", "integer", [255, 0]),
    "64 bits": ("bit(64)", "18446744073709551615", "1", "integer", [None, 1]),
    "one bit": ("bit(1)", "1", "0", "boolean", [True, False]),
    "year": ("year", "1999", "0", "integer", [1999, 0]),
    "more than a day": ("time", "'838:59:59'", "'-01:00'", "text", ["838:59:59", "-01:00:00"]),
    "enum": ("enum('a','b')", "'a'", "'z'", "text", ["a", ""]),
    "set": ("set('x','y')", "'y,x'", "''", "text", ["x,y", ""]),
    "truth in an enum": ("enum('oui','non')", "'oui'", "'non'", WORDS, [True, False]),
    "truth in a number": ("int", "2", "3", WORDS, [False, None]),
    "truth in a letter": ("char(1)", "'n'", "'x'", WORDS, [False, None]),
    "tinyint(1)": ("tinyint(1)", "1", "5", "boolean", [True, None]),
    "tinyint(1) as a number": ("tinyint(1)", "1", "5", "integer", [1, 5]),
    "zeros before": ("int(6) zerofill", "42", "1000000", "integer", [42, 1000000]),
    "latin1": ("varchar(9) CHARACTER SET latin1", "'é€'", "'ß'", "text", ["é€", "ß"]),
    "utf8mb3": ("varchar(9) CHARACTER SET utf8mb3", "'é'", "''", "text", ["é", ""]),
    "utf16": ("varchar(9) CHARACTER SET utf16", "'👮'", "NULL", "text", ["👮", None]),
    "padded": ("char(5)", "'ab'", "'  a'", "text", ["ab", "  a"]),
    "json": ("json", "'{\"a\": 1}'", "NULL", "text", ['{"a": 1}', None]),
    "decimal of many digits": ("decimal(30,10)", "12345678901234567890.5", "1.5", "decimal", [None, "1.500000"]),
    "float": ("float", "1.5", "16777217", "float", [1.5, 16777216.0]),
    "uuid": ("uuid", "'6BA7B810-9dad-11d1-80b4-00c04fd430c8'", "NULL", "text",
             ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", None]),
    "inet6": ("inet6", "'0:0::1'", "NULL", "text", ["::1", None]),
    "generated": ("int AS (id * 2) VIRTUAL", "DEFAULT", "DEFAULT", "integer", [2, 4]),
    "invisible": ("int INVISIBLE", "1", "2", "integer", [1, 2]),
}  # fmt: skip


@pytest.mark.parametrize("case", [case for case in TYPES if not MYSQLD or case not in ("uuid", "inet6")])
def test_a_value_of_each_type(mariadb: MariadbServer, tmp_path: Path, case: str) -> None:
    kind, first, second, declared, wanted = TYPES[case]
    made(
        mariadb,
        f"CREATE OR REPLACE TABLE typed (id int, who varchar(9), c {kind})",
        f"INSERT INTO typed (id, who, c) VALUES (1, 'p', {first}), (2, 'q', {second})",
    )
    cells = [row["c"] for row in rows_of(tmp_path, mariadb.address(), {"c": declared}, table="typed")]
    assert [cell if cell is None or isinstance(cell, (int, float)) else str(cell) for cell in cells] == wanted


@pytest.mark.parametrize("kind", ["blob", "varbinary(9)", "point", "geometry"])
def test_bytes_are_refused(mariadb: MariadbServer, tmp_path: Path, kind: str) -> None:
    made(mariadb, f"CREATE OR REPLACE TABLE typed (id int, who varchar(9), c {kind})")
    with pytest.raises(CuratorError) as caught:
        rows_of(tmp_path, mariadb.address(), {"c": "text"}, table="typed")
    assert caught.value.code == "source-column-type"
    assert "`c`" in caught.value.asked


MOMENTS = """
INSERT INTO moments (id, who, m) VALUES (1, 'p', '0000-00-00 00:00:00'), (2, 'p', NULL), (3, 'p', '2019-12-31 23:59:59.999999'),
(4, 'p', '2020-01-01 00:00:00'), (5, 'p', '2020-01-01 23:59:59.999999'), (6, 'p', '2020-01-02 00:00:00'),
(7, 'p', '2036-01-01 12:00:00')
"""  # noqa: E501


@pytest.mark.parametrize("kind", ["datetime(6)", "timestamp(6) NULL"])
def test_a_window_of_moments_is_left_to_the_server(mariadb: MariadbServer, tmp_path: Path, kind: str) -> None:
    made(
        mariadb,
        "SET SESSION time_zone = '+00:00'",
        f"CREATE OR REPLACE TABLE moments (id int, who varchar(9), m {kind})",
        MOMENTS,
        "SET GLOBAL time_zone = '+09:00'",
    )
    try:
        before = len(mariadb.statements())
        for window, wanted in (
            ({"since": "2020-01-01", "until": "2020-01-01"}, [4, 5]), ({"since": "2020-01-02"}, [6, 7]),
            ({"until": "2019-12-31"}, [3]),
        ):  # fmt: skip
            parts = {"extract": {"window": {"column": "m", **window}}}
            rows = rows_of(tmp_path, mariadb.address(), {"m": "timestamp"}, table="moments", **parts)
            assert [row["id"] for row in rows] == wanted
        assert any("`m` >= DATE '2020-01-01' AND `m` < DATE" in line for line in mariadb.statements()[before:])
    finally:
        made(mariadb, "SET GLOBAL time_zone = 'SYSTEM'")


@pytest.mark.parametrize("name", ["MiXed", 'a`b"c', "q; DROP TABLE q;--", "%s{}", "select", "données €", "a.b"])
def test_any_name_of_a_table_and_a_column(mariadb: MariadbServer, tmp_path: Path, name: str) -> None:
    made(
        mariadb,
        f"CREATE TABLE {quoted(name)} (id int, who text, {quoted(name)} int)",
        f"INSERT INTO {quoted(name)} VALUES (1, 'p', 5), (2, 'q', 7)",
    )
    columns = {"y": {"type": "integer", "column": name}}
    rows = rows_of(tmp_path, mariadb.address(), columns, table=name, extract={"where": "y > 6"})
    assert [row["y"] for row in rows] == [7]


def test_a_table_of_another_database_and_a_view(mariadb: MariadbServer, tmp_path: Path) -> None:
    made(
        mariadb, "CREATE DATABASE police", "GRANT SELECT ON police.* TO 'reader'@'127.0.0.1'",
        "CREATE TABLE police.cases (id int, who text, x int)", "INSERT INTO police.cases VALUES (1, 'p', 5)",
        "CREATE VIEW seen AS SELECT id, who, x + 1 AS x FROM police.cases",
    )  # fmt: skip
    assert rows_of(tmp_path, mariadb.address(), {"x": "integer"}, table="police.cases")[0]["x"] == 5
    assert rows_of(tmp_path, mariadb.address(), {"x": "integer"}, table="seen")[0]["x"] == 6


def test_partitions_and_no_rows(mariadb: MariadbServer, tmp_path: Path) -> None:
    made(
        mariadb, "CREATE TABLE parts (id int, who text, x int) PARTITION BY HASH(id) PARTITIONS 4",
        "INSERT INTO parts VALUES (1, 'p', 1), (2, 'q', 2)", "CREATE TABLE rowless (id int, who text, x int)",
    )  # fmt: skip
    found = {
        table: [row["x"] for row in rows_of(tmp_path, mariadb.address(), {"x": "integer"}, table=table)]
        for table in ("parts", "rowless")
    }
    assert found == {"parts": [1, 2], "rowless": []}


@pytest.mark.skipif(bool(MYSQLD), reason="MySQL keeps no versions of rows")
def test_versions_of_rows(mariadb: MariadbServer, tmp_path: Path) -> None:
    made(
        mariadb, "CREATE TABLE kept (id int, who text, x int) WITH SYSTEM VERSIONING",
        "INSERT INTO kept VALUES (1, 'p', 1)", "UPDATE kept SET x = 2",
    )  # fmt: skip
    assert [row["x"] for row in rows_of(tmp_path, mariadb.address(), {"x": "integer"}, table="kept")] == [2]


def test_a_thousand_columns(mariadb: MariadbServer, tmp_path: Path) -> None:
    made(
        mariadb,
        f"CREATE TABLE wide (id int, who text, {', '.join(f'c{number} int' for number in range(1_000))})",
        "INSERT INTO wide (id, who, c7) VALUES (1, 'p', 3)",
    )
    (row,) = rows_of(tmp_path, mariadb.address(), {f"c{n}": "integer" for n in range(1_000)}, table="wide")
    assert (row["c7"], row["c999"]) == (3, None)


def test_modes_of_the_server_change_nothing(mariadb: MariadbServer, tmp_path: Path) -> None:
    made(
        mariadb,
        "CREATE OR REPLACE TABLE typed (id int, who char(5), c char(5))",
        "INSERT INTO typed VALUES (1, 'p', 'ab')",
    )
    modes = "PAD_CHAR_TO_FULL_LENGTH,ANSI_QUOTES,NO_BACKSLASH_ESCAPES,HIGH_NOT_PRECEDENCE"
    modes += "" if MYSQLD else ",ORACLE"
    made(mariadb, f"SET GLOBAL sql_mode = '{modes}'")
    try:
        sample = {"sample": {"by": ["who"], "fraction": 0.99999, "seed": 1}, "where": "id > 0 and not (id = 2)"}
        (row,) = rows_of(tmp_path, mariadb.address(), {"c": "text"}, table="typed", extract=sample)
        assert (row["who"], row["c"]) == ("p", "ab")
    finally:
        made(mariadb, "SET GLOBAL sql_mode = DEFAULT")


DRAWN = [
    "a",
    "A",
    "a ",
    " a",
    "",
    "é",
    "e\u0301",
    "É",
    "ß",
    "o'",
    '"',
    "\\",
    "%s",
    "$1",
    "0012",
    "\u00a0",
    "👮",
    "x\ny",
]


@pytest.mark.parametrize("kind", ["varchar(90)", "char(90)", "text", "varchar(90) CHARACTER SET utf16"])
def test_a_sample_is_drawn_there_as_here(mariadb: MariadbServer, tmp_path: Path, kind: str) -> None:
    """Hostile texts in several character sets: those left behind are those that the engine would not draw."""
    made(mariadb, f"CREATE OR REPLACE TABLE drawn (id int, who {kind} COLLATE {COLLATIONS[kind]})")
    texts = [None, *DRAWN, *(f"p{number}" for number in range(200))]
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO drawn VALUES (%s, %s)", list(enumerate(texts)))
    whole = spec_of({}, path=mariadb.address(), source={"table": "drawn"})
    read = [row for row in extracted(tmp_path / "whole", whole) if row["who"] != ""]
    for by in ("who", "id"):
        whole["extract"]["sample"] = {"by": [by], "fraction": 0.3, "seed": 4}
        before = len(mariadb.statements())
        kept = {row["id"] for row in extracted(tmp_path / by, whole) if row["who"] != ""}
        (asked,) = [line for line in mariadb.statements()[before:] if "FROM `drawn`" in line]
        assert ("md5('4:' || " in asked) is mariadb.digests
        assert kept == {row["id"] for row in read if drawn_here(row, by)}
        assert 30 < len(kept) < 110


COLLATIONS = {
    "varchar(90)": "utf8mb4_general_ci", "char(90)": "utf8mb4_bin", "text": "utf8mb4_unicode_ci",
    "varchar(90) CHARACTER SET utf16": "utf16_general_ci",
}  # fmt: skip


def drawn_here(row: dict[str, Any], by: str) -> bool:
    """The threshold of the specification, by another MD5."""
    key = row["id"] if row[by] is None else row[by]
    digest = hashlib.md5(f"4:{key}".encode(), usedforsecurity=False).hexdigest()
    return digest[:8] < f"{round(0.3 * 2**32):08x}"


@pytest.mark.parametrize("change", ["TRUNCATE TABLE typed", "ALTER TABLE typed MODIFY c bigint"])
def test_a_table_that_is_changed_as_a_whole_since_the_moment(mariadb: MariadbServer, change: str) -> None:
    made(mariadb, "CREATE OR REPLACE TABLE typed (id int, c int)", "INSERT INTO typed VALUES (1, 1)")
    source = MariadbSource(address_of(mariadb.address(), source="t"), source="t")
    try:
        made(mariadb, change)
        with pytest.raises(CuratorError) as caught:
            list(source.rows("t", "SELECT c FROM typed"))
    finally:
        source.close()
    assert (caught.value.code, caught.value.found) == (
        "database-snapshot", "a table that was altered, emptied or made anew since that moment",
    )  # fmt: skip


def test_a_view_whose_owner_is_gone(mariadb: MariadbServer, tmp_path: Path) -> None:
    made(
        mariadb, "CREATE OR REPLACE TABLE typed (id int, who text, c int)",
        "CREATE OR REPLACE USER 'left'@'localhost' IDENTIFIED BY 'canary'",
        "CREATE DEFINER = 'left'@'localhost' VIEW orphaned AS SELECT id, who, c FROM typed",
        *([] if MYSQLD else ["DROP USER 'left'@'localhost'"]),  # MySQL keeps him, without rights
    )  # fmt: skip
    with pytest.raises(CuratorError) as caught:
        rows_of(tmp_path, mariadb.address(), {"c": "integer"}, table="orphaned")
    assert caught.value.code == "database-fault"
    assert "a view whose tables or columns are gone" in caught.value.found
    assert "canary" not in str(caught.value)


@pytest.mark.skipif(not MYSQLD, reason="MariaDB computes MD5 itself")
def test_a_mysql_that_is_given_its_md5_draws_samples(mariadb: MariadbServer, tmp_path: Path) -> None:
    """From 9.6 on it is a component: without it all rows travel, and the engine draws the same ones."""
    made(mariadb, "CREATE TABLE lots (id int, who varchar(9))")
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO lots VALUES (%s, %s)", [(number, f"é{number}") for number in range(200)])
    component = None if mariadb.digests else "file://component_classic_hashing"
    sample = {"sample": {"by": ["who"], "fraction": 0.3, "seed": 4}}
    for drawn in (False, True) if component else (True,):
        if component and drawn:
            mariadb.run(f"INSTALL COMPONENT '{component}'")
        try:
            before = len(mariadb.statements())
            kept = rows_of(tmp_path / str(drawn), mariadb.address(), {}, table="lots", extract=sample)
            (asked,) = [line for line in mariadb.statements()[before:] if "FROM `lots`" in line]
            assert ("md5('4:' || " in asked) is drawn
            assert [row["id"] for row in kept] == [n for n in range(200) if drawn_here({"who": f"é{n}"}, "who")]
        finally:
            if component and drawn:
                mariadb.run(f"UNINSTALL COMPONENT '{component}'")


@pytest.fixture
def mortal() -> Iterator[MariadbServer]:
    """A server of its own, to be killed."""
    with mariadb_server() as server:
        yield server


def test_a_server_that_dies_while_it_is_read(mariadb: MariadbServer, mortal: MariadbServer, tmp_path: Path) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
    made(
        mortal, "SET SESSION max_recursive_iterations = 300000", "CREATE TABLE people (id int, who varchar(200))",
        f"INSERT INTO people {numbers} SELECT i, repeat('{CANARY} ', 15) FROM n",
        "CREATE VIEW slowly AS SELECT id, who FROM people WHERE id < 1000 OR sleep(0.01) = 0",
    )  # fmt: skip

    def kill() -> None:
        while "FROM `slowly`" not in mortal.log.read_text(errors="replace"):
            time.sleep(0.01)
        os.kill(mortal.process.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(CuratorError) as caught:
        rows_of(tmp_path, mortal.address(), {}, table="slowly")
    killer.join()
    assert caught.value.code == "database-lost"
    assert CANARY not in str(caught.value)


def test_a_statement_that_takes_too_long(mariadb: MariadbServer, tmp_path: Path) -> None:
    made(
        mariadb,
        "CREATE OR REPLACE TABLE typed (id int, who varchar(9), c int)", "INSERT INTO typed VALUES (1, 'p', 1)",
        "CREATE VIEW sleepy AS SELECT id, who, c + sleep(5) AS c FROM typed",
    )  # fmt: skip
    address = mariadb.address(options="?statement_timeout=200")
    with pytest.raises(CuratorError) as caught:
        rows_of(tmp_path, address, {"c": "integer"}, table="sleepy")
    assert caught.value.code == "database-timeout"
