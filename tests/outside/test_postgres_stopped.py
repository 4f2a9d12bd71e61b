"""What stops a reading of PostgreSQL midway, or changes under it: each by its own refusal, on a real server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from live_world import extracted
from outside_world import spec_of
from postgres_server import PASSWORD, READER_PASSWORD, PostgresServer

from curator.addresses import address_of
from curator.errors import CuratorError, SourceError
from curator.protocols import Asked
from curator.sources.postgres import PostgresSource
from curator.spec.model import Source

CANARY = "canary cell"
ROWS = 40_000  # more than the driver asks for at once


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", PASSWORD)


def refused(folder: Path, address: str, *, table: str) -> CuratorError:
    value = spec_of({"x": "integer"}, path=address, source={"table": table})
    with pytest.raises(CuratorError) as caught:
        extracted(folder, value)
    assert CANARY not in str(caught.value)
    return caught.value


# ---- midway


@pytest.fixture(scope="module")
def stopping(postgres: PostgresServer) -> PostgresServer:
    """Views whose last row stops the reading: by a state that is raised, or by what is done to the session."""
    postgres.run(
        "CREATE OR REPLACE FUNCTION stopped(state text) RETURNS int LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{CANARY}' USING ERRCODE = state; END $$",
    )
    return postgres


STATES = {
    "57014": "database-timeout", "55P03": "database-timeout", "25P04": "database-timeout",
    "57P01": "database-lost", "57P02": "database-lost", "08006": "database-lost",
    "40001": "database-conflict", "40P01": "database-conflict",
    "53100": "database-resources", "53200": "database-resources", "53400": "database-resources",
    "54001": "database-resources",
    "XX001": "database-damaged", "XX002": "database-damaged", "58030": "database-damaged", "58P01": "database-damaged",
    "42501": "database-denied", "42P01": "database-snapshot", "22P05": "source-encoding",
    "22012": "database-fault", "XX000": "database-fault", "P0001": "database-fault", "HV00N": "database-fault",
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_refusal(stopping: PostgresServer, tmp_path: Path, state: str) -> None:
    stopping.run(
        "DROP VIEW IF EXISTS stopping",
        f"CREATE VIEW stopping AS SELECT i AS id, repeat('p', 200) AS who, CASE WHEN i = {ROWS} "
        f"THEN stopped('{state}') ELSE i END AS x FROM generate_series(1, {ROWS}) i",
    )
    error = refused(tmp_path, stopping.address(), table="stopping")
    assert error.code == STATES[state]
    if error.code == "database-fault":
        assert f"with the state {state} " in error.found


DONE = {
    "pg_terminate_backend": "database-lost",
    "pg_cancel_backend": "database-timeout",
}


@pytest.mark.parametrize("done", DONE)
def test_a_session_that_somebody_ends(stopping: PostgresServer, tmp_path: Path, done: str) -> None:
    stopping.run(
        "DROP VIEW IF EXISTS ended",
        f"CREATE VIEW ended AS SELECT i AS id, repeat('p', 200) AS who, CASE WHEN i = {ROWS} "
        f"THEN {done}(pg_backend_pid())::int ELSE i END AS x FROM generate_series(1, 2 * {ROWS}) i",
    )
    assert refused(tmp_path, stopping.address(), table="ended").code == DONE[done]


# ---- under it


def opened(postgres: PostgresServer, table: str) -> tuple[PostgresSource, Asked]:
    text = json.dumps({"path": "x", "table": table, "columns": {"id": "integer"}})
    where = address_of(postgres.address(), source="t")
    return (
        PostgresSource(where, source="t"),
        Asked(name="t", source=Source.model_validate_json(text), columns=("id",)),
    )


ALTERED = {
    "emptied": "TRUNCATE moving",
    "emptied and filled": "TRUNCATE moving; INSERT INTO moving SELECT 1, 'p'",
    "made anew": "DROP TABLE moving; CREATE TABLE moving AS SELECT 1 AS id, 'p' AS who",
    "packed anew": "VACUUM FULL moving",  # keeps its rows, and cannot be told from the others
    "another type": "ALTER TABLE moving ALTER COLUMN id TYPE bigint",
    "renamed": "ALTER TABLE moving RENAME COLUMN id TO number",
    "gone": "DROP TABLE moving",
}
HARMLESS = {
    "rows": "INSERT INTO moving SELECT 9, 'q'", "rows taken out": "DELETE FROM moving",
    "an index": "CREATE INDEX ON moving (id)", "statistics": "ANALYZE moving",
    "a column": "ALTER TABLE moving ADD COLUMN more int DEFAULT 3",
}  # fmt: skip


# What stands above a table lets it be emptied; the rest the server refuses then, or the whole follows.
CHANGES = [
    *(("table", case) for case in (*ALTERED, *HARMLESS)),
    *(("view", case) for case in ("emptied", "emptied and filled", *HARMLESS)),
    *(("partitions", case) for case in ("emptied", "emptied and filled", "rows", "an index")),
]


@pytest.mark.parametrize(("kind", "case"), CHANGES)
def test_a_table_that_is_changed_after_the_moment(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, kind: str, case: str
) -> None:
    """A snapshot shows a table without its rows once it was emptied or rewritten; nobody may take it for empty."""
    monkeypatch.setenv("CURATOR_T_PASSWORD", PASSWORD)
    postgres.run(
        "DROP TABLE IF EXISTS moving CASCADE", "DROP TABLE IF EXISTS whole CASCADE",
        "CREATE TABLE moving AS SELECT i AS id, 'p' AS who FROM generate_series(1, 5) i",
        *{"table": [], "view": ["CREATE VIEW shown AS SELECT * FROM moving"],
          "partitions": ["CREATE TABLE whole (id int, who text) PARTITION BY RANGE (id)",
                         "ALTER TABLE whole ATTACH PARTITION moving DEFAULT"]}[kind],
    )  # fmt: skip
    source, asked = opened(postgres, {"table": "moving", "view": "shown", "partitions": "whole"}[kind])
    try:
        postgres.run(*(ALTERED | HARMLESS)[case].split("; "))
        if case in HARMLESS:
            assert sum(len(batch) for batch in source.table(asked).batches()) == 5
        else:
            with pytest.raises(SourceError) as caught:
                list(source.table(asked).batches())
            missing = case in ("made anew", "gone")
            assert caught.value.code == ("source-table-missing" if missing else "database-snapshot")
    finally:
        source.close()


# ---- before it


CLOSED = {
    "no connection left": ("limited", "accidents", "database-unreachable", "takes no more connections"),
    "a closed database": ("owner", "shut", "database-unreachable", "takes no connections now"),
    "no right to connect": ("reader", "private", "database-denied", "may not read it"),
    "no login": ("nologin", "accidents", "database-login", "refuses the user"),
    "an expired password": ("expired", "accidents", "database-login", "refuses the user"),
}


@pytest.fixture(scope="module")
def closed(postgres: PostgresServer) -> None:
    postgres.run(
        "CREATE DATABASE shut ALLOW_CONNECTIONS false", "CREATE DATABASE private",
        "REVOKE CONNECT ON DATABASE private FROM public",
        f"CREATE ROLE limited LOGIN PASSWORD '{READER_PASSWORD}' CONNECTION LIMIT 0",
        f"CREATE ROLE nologin NOLOGIN PASSWORD '{READER_PASSWORD}'",
        f"CREATE ROLE expired LOGIN PASSWORD '{READER_PASSWORD}' VALID UNTIL '2020-01-01'",
    )  # fmt: skip


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("case", CLOSED)
def test_a_server_that_answers_and_lets_nobody_in(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    user, database, code, found = CLOSED[case]
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", PASSWORD if user == "owner" else READER_PASSWORD)
    error = refused(tmp_path, postgres.address(database, user=user), table="people")
    assert (error.code, found in error.found) == (code, True)


def test_tls_where_the_server_speaks_none(postgres: PostgresServer, tmp_path: Path) -> None:
    error = refused(tmp_path, postgres.address(options="?sslmode=require"), table="people")
    assert (error.code, error.found) == (
        "database-unreachable",
        "a server that speaks no TLS, or whose certificate is not the one that `sslmode` asks for",
    )
