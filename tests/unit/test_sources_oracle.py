"""Oracle's statement, and the driver's part against a stand-in: no Oracle server was at hand."""

from __future__ import annotations

import json
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from curator.addresses import address_of
from curator.engines import open_engine
from curator.errors import SourceError
from curator.expressions import parse
from curator.protocols import Asked
from curator.sources import Snapshots, statement_of
from curator.spec.model import Source

COLUMNS = {
    "id": "integer", "nir": "text", "born": "date", "seen": "timestamp", "speed": "float", "amount": "decimal",
}  # fmt: skip
ADDRESS = address_of("oracle://reader@db.example/ORCLPDB", source="t")
TYPES = {
    "ID": "NUMBER", "NIR": "CHAR", "BORN": "DATE", "SEEN": "TIMESTAMP(6) WITH TIME ZONE", "SPEED": "BINARY_DOUBLE",
    "AMOUNT": "NUMBER", "PHOTO": "BLOB",
}  # fmt: skip


def asked(*where: str, **columns: str) -> Asked:
    declared = columns or COLUMNS
    source = Source.model_validate_json(json.dumps({"path": "x", "table": "HR.PERSONS", "columns": declared}))
    conditions = tuple(parse(text, declared) for text in where)
    return Asked(name="t", source=source, columns=tuple(declared), where=conditions)


def test_the_statement() -> None:
    conditions = ("id in (1, 2)", "year(born) >= 1990", "nir = 'x'", "amount > 2", "nir is not null", "id is null")
    assert statement_of(ADDRESS, asked(*conditions)) == (
        """SELECT TO_CHAR("ID", 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,'''), "NIR", """
        """TO_CHAR("BORN", CASE WHEN "BORN" = TRUNC("BORN") THEN 'SYYYY-MM-DD' ELSE 'SYYYY-MM-DD"T"HH24:MI:SS' END), """
        """TO_CHAR("SEEN", 'SYYYY-MM-DD"T"HH24:MI:SS.FF6'), "SPEED", """
        """TO_CHAR("AMOUNT", 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,''') FROM "HR"."PERSONS" """
        """WHERE "ID" IN (1, 2) AND "BORN" >= DATE '1990-01-01' AND "NIR" IS NOT NULL"""
    )


class Cursor:
    def __init__(self, world: Any) -> None:
        self._world, self._left = world, []

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *fault: object) -> None:
        pass

    def execute(self, statement: str, values: list[str] | None = None) -> None:
        self._world.statements.append(statement)
        if "all_tables" in statement:
            self._left = [("HR", "PERSONS"), ("READER", "OWN")]
        elif "all_tab_columns" in statement:
            self._left = list(TYPES.items())
        elif "SYSTIMESTAMP" in statement:
            self._left = [("2026-11-22T00:00:00.000000Z", "READER")]
        elif self._world.fault:
            raise self._world.fault
        else:
            self._left = [
                ("1", "a", " 1990-01-31", " 2020-01-01T10:00:00.000000", 1.5, "12.5"),
                ("2", None, " 1990-01-31T10:00:00", "-0044-03-15T00:00:00.000000", float("inf"), ".5"),
            ]

    def fetchall(self) -> list[Any]:
        return self._left

    def fetchmany(self, count: int) -> list[Any]:
        block, self._left = self._left, []
        return block


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Any:
    found = SimpleNamespace(statements=[], fault=None, given={})
    module = ModuleType("oracledb")
    module.Error = type("Error", (Exception,), {})  # type: ignore[attr-defined]
    module.defaults = SimpleNamespace(fetch_lobs=True)  # type: ignore[attr-defined]
    connection = SimpleNamespace(cursor=lambda: Cursor(found), version="23.5", close=lambda: None, call_timeout=0)

    def connect(**given: Any) -> Any:
        found.given = given
        return connection

    module.connect = connect  # type: ignore[attr-defined]
    found.Error = module.Error  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "oracledb", module)
    monkeypatch.setenv("CURATOR_T_PASSWORD", "canary")
    return found


def rows(tmp_path: Any, wanted: Asked) -> list[Any]:
    engine = open_engine("duckdb", scratch=tmp_path)
    try:
        with Snapshots(key=b"k" * 32) as snapshots:
            snapshots.adopt(wanted, ADDRESS, engine=engine)
        return engine.rows('SELECT * FROM "source t" ORDER BY 1')
    finally:
        engine.close()


def test_rows_through_the_stand_in(world: Any, tmp_path: Any) -> None:
    first, second = rows(tmp_path, asked())
    assert [str(cell) for cell in first if cell is not None][:2] == ["1", "1"]
    assert first[2] == "a"
    assert str(first[3]) == "1990-01-31"
    assert str(first[5]) == "2020-01-01 10:00:00"
    assert [cell for cell in second if cell is not None] == [
        2, "2", " 1990-01-31T10:00:00", "-0044-03-15T00:00:00.000000", "inf", second[-2], ".5",
    ]  # fmt: skip
    assert world.statements[0] == "SET TRANSACTION READ ONLY"
    assert world.given["password"] == "canary"


def test_what_the_stand_in_refuses(world: Any, tmp_path: Any) -> None:
    with pytest.raises(SourceError) as caught:
        rows(tmp_path, asked(photo="text"))
    assert (caught.value.code, caught.value.found) == ("source-column-type", "a column of type blob")
    for number, code in ((1017, "database-login"), (3113, "database-lost"), (1555, "database-fault")):
        world.fault = world.Error(SimpleNamespace(code=number, full_code=f"ORA-{number:05}"))
        with pytest.raises(SourceError) as caught:
            rows(tmp_path, asked())
        assert caught.value.code == code
