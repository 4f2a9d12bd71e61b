"""A dataset that follows a live database: only rows past the watermark travel, and late rows are not lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest
import refresh_world
from capital_world import empty_capital, write_spec
from mariadb_server import PASSWORD as MARIADB_PASSWORD
from mariadb_server import MariadbServer
from postgres_server import PASSWORD as POSTGRES_PASSWORD
from postgres_server import PostgresServer
from refresh_world import Row

from curator.capital import Capital, RunOptions
from curator.capital._refresh import Refreshed
from curator.cli import main
from curator.errors import QualityError, SourceError
from curator.records import DatasetVersion

ROWS = 3_000
KINDS = {"integer": "BIGINT", "timestamp": "TIMESTAMP(6)", "date": "DATE"}


class Server(Protocol):
    def address(self) -> str: ...
    def run(self, *statements: str) -> None: ...
    def statements(self) -> list[str]: ...


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Server:
    found: PostgresServer | MariadbServer = request.getfixturevalue(request.param)
    monkeypatch.setenv(
        "CURATOR_SOURCE_PASSWORD", POSTGRES_PASSWORD if request.param == "postgres" else MARIADB_PASSWORD
    )
    return found  # type: ignore[return-value]


def rows(count: int = ROWS) -> list[Row]:
    return [(n, f"person {n % 700}", f"ward {n % 3}", n % 50) for n in range(count)]


def cell(value: object) -> str:
    return "NULL" if value is None else str(value) if isinstance(value, int) else "'" + str(value) + "'"


def inserted(table: str, held: Sequence[Sequence[object]]) -> list[str]:
    blocks = [held[first : first + 1_000] for first in range(0, len(held), 1_000)]
    return [
        f"INSERT INTO {table} VALUES " + ", ".join("(" + ", ".join(map(cell, row)) + ")" for row in block)
        for block in blocks
    ]


def laid(server: Server, held: Sequence[Row], *, kind: str = "integer") -> None:
    """The base table, its index by row key, and a feed without any change."""
    columns = "visit BIGINT PRIMARY KEY, person VARCHAR(40), ward VARCHAR(20), cost BIGINT"
    server.run(
        "DROP TABLE IF EXISTS visits",
        "DROP TABLE IF EXISTS visit_changes",
        f"CREATE TABLE visits ({columns}, secret VARCHAR(20) DEFAULT 'CANARY-secret')",
        f"CREATE TABLE visit_changes ({columns.replace(' PRIMARY KEY', '')}, op VARCHAR(9), at {KINDS[kind]} NULL, "
        "secret VARCHAR(20) DEFAULT 'CANARY-secret')",
        *inserted("visits (visit, person, ward, cost)", held),
    )


def told(server: Server, *changes: tuple[str, object, Row]) -> None:
    """Add changes to the feed, and make them in the base table."""
    server.run(*inserted(
        "visit_changes (visit, person, ward, cost, op, at)", [(*row, op, at) for op, at, row in changes]
    ))  # fmt: skip
    for op, _, row in changes:
        server.run(f"DELETE FROM visits WHERE visit = {row[0]}")
        if not op.lower().startswith("d"):
            server.run(*inserted("visits (visit, person, ward, cost)", [row]))


def spec(server: Server, feed: str, *, kind: str = "integer", **words: Any) -> dict[str, Any]:
    value = refresh_world.spec(feed)
    value["sources"]["t"] |= {"path": server.address(), "table": "visits"}
    if feed == "changes":
        value["refresh"]["changes"] = {
            "path": server.address(), "table": "visit_changes", "columns": {"op": "text", "at": kind},
        }  # fmt: skip
    value["refresh"] |= words
    return value


def whole(folder: Path, server: Server) -> DatasetVersion:
    """What a run over the whole base table makes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return empty_capital(folder / "capital").curate(write_spec(folder, spec(server, "full")))


def same_as_whole(capital: Capital, folder: Path, server: Server) -> bool:
    found, wanted = capital.dataset("visits").manifest, whole(folder, server).manifest
    return found.about["row_digest"] == wanted.about["row_digest"] and found.rows == wanted.rows


def facts(found: Refreshed) -> tuple[str, tuple[int, ...]]:
    assert found.changes is not None
    return found.feed, tuple(found.changes.facts().values())


def splits(version: DatasetVersion) -> dict[str, str]:
    import pyarrow.parquet as parquet

    files = [(path.parent.name, path) for path in sorted((version.folder / "data").rglob("*.parquet"))]
    return {
        person: split
        for split, path in files
        for person in map(repr, parquet.read_table(path, columns=["person"]).column(0).to_pylist())
    }


def reading(server: Server, before: int, table: str) -> list[str]:
    """The statements since then that let rows of a table leave the server."""
    asked = [line for line in server.statements()[before:] if f"{table}" in line and "SELECT" in line]
    counted = ("count(", "COUNT(", "max(", "MAX(", "pg_catalog", "information_schema")
    return [line for line in asked if not any(word in line for word in counted)]


FIRST: dict[str, list[object]] = {
    "integer": [5, 6, 7, 8, 9],
    "timestamp": [f"2026-03-01 08:0{n}:0{n}.25" for n in range(5)],
    "date": [f"2026-03-0{n}" for n in range(1, 6)],
}
FLOORS = {
    ("postgres", "integer"): '"at" >= 9', ("mariadb", "integer"): "`at` >= 9",
    ("postgres", "timestamp"): "\"at\" >= TIMESTAMP '2026-03-01 00:00:00'",
    ("mariadb", "timestamp"): "`at` >= DATE '2026-03-01'",
    ("postgres", "date"): "\"at\" >= DATE '2026-03-05'", ("mariadb", "date"): "`at` >= DATE '2026-03-05'",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_changes_of_a_live_database(server: Server, tmp_path: Path, kind: str) -> None:
    laid(server, rows(), kind=kind)
    places = FIRST[kind]
    told(server, *(("I", place, (ROWS + n, f"new {n}", "ward 1", 1)) for n, place in enumerate(places)))
    capital = empty_capital(tmp_path / "capital")
    path = write_spec(tmp_path, spec(server, "changes", kind=kind))
    before = len(server.statements())
    first = capital.refresh(path).version
    assert first is not None
    assert reading(server, before, "visit_changes") == [], "how far it reaches is all that leaves it at first"
    changed, gone, came = (7, "person 7", "ward 2", 49), rows()[11], (ROWS + 9, "somebody", "ward 1", 3)
    last = {"integer": [10, 11, 12], "timestamp": ["2026-03-02 00:00:01"] * 3, "date": ["2026-03-07"] * 3}[kind]
    told(server, ("U", last[0], changed), ("D", last[1], gone), ("insert", last[2], came))
    before = len(server.statements())
    found = capital.refresh(path)
    asked = server.statements()[before:]
    assert facts(found) == ("changes", (1, 1, 1))
    assert same_as_whole(capital, tmp_path / "whole", server)
    (statement,) = reading(server, before, "visit_changes")
    name = "postgres" if "COPY" in statement else "mariadb"
    assert FLOORS[name, kind] in statement
    assert "secret" not in statement
    assert not [line for line in asked[: asked.index(statement)] if "FROM" in line and "visits" in line]
    assert found.version is not None
    now, then = splits(found.version), splits(first)
    assert {person: now[person] for person in now.keys() & then.keys()} == {
        person: then[person] for person in now.keys() & then.keys()
    }
    assert capital.refresh(path).version is None
    assert capital.verify() == ()


def test_erased_rows_leave_by_the_feed(server: Server, tmp_path: Path) -> None:
    laid(server, rows())
    told(server, ("U", 1, rows()[0]))
    capital = empty_capital(tmp_path / "capital")
    path = write_spec(tmp_path, spec(server, "changes"))
    capital.refresh(path)
    gone = [row for row in rows() if row[1] == "person 5"]
    told(server, *(("D", 2 + n, (row[0], None, None, None)) for n, row in enumerate(gone)))  # type: ignore[misc]
    found = capital.refresh(path)
    assert facts(found) == ("changes", (0, 0, len(gone)))
    assert same_as_whole(capital, tmp_path / "whole", server)


@pytest.mark.parametrize("feed", ["changes", "append"])
def test_a_row_committed_late_below_the_watermark_is_not_lost(server: Server, tmp_path: Path, feed: str) -> None:
    """The transaction that took number 10 commits after the one that took 11, and after a refresh."""
    laid(server, rows())
    told(server, ("I", 9, (ROWS + 1, "early", "ward 1", 1)), ("I", 11, (ROWS + 11, "later", "ward 1", 1)))
    capital = empty_capital(tmp_path / "capital")
    path = write_spec(tmp_path, spec(server, feed))
    capital.refresh(path)
    told(server, ("I", 10, (ROWS + 10, "late", "ward 1", 1)), ("I", 12, (ROWS + 12, "last", "ward 1", 1)))
    found = capital.refresh(path)
    assert facts(found) == ("full", (2, 0, 0)), "what came late is found by a comparison of all rows"
    assert same_as_whole(capital, tmp_path / "whole", server)
    told(server, ("I", 13, (ROWS + 13, "next", "ward 1", 1)))
    assert facts(capital.refresh(path)) == (feed, (1, 0, 0))
    assert same_as_whole(capital, tmp_path / "whole", server)


@pytest.mark.parametrize(
    ("feed", "kind"), [("changes", "integer"), ("changes", "timestamp"), ("changes", "date"), ("append", "integer")]
)
def test_a_late_row_is_seen_though_another_was_erased(server: Server, tmp_path: Path, feed: str, kind: str) -> None:
    """As many rows stand below the watermark as before, and they are others."""
    laid(server, rows(), kind=kind)
    at = FIRST[kind]
    told(server, ("I", at[0], (ROWS + 1, "early", "ward 1", 1)), ("I", at[4], (ROWS + 11, "later", "ward 1", 1)))
    capital = empty_capital(tmp_path / "capital")
    path = write_spec(tmp_path, spec(server, feed, kind=kind) if feed == "changes" else spec(server, feed))
    capital.refresh(path)
    assert capital.refresh(path).version is None
    told(server, ("I", at[2], (ROWS + 10, "late", "ward 1", 1)))
    server.run(f"DELETE FROM visit_changes WHERE at = {cell(at[0])}")
    if feed == "append":
        server.run("DELETE FROM visits WHERE visit = 77")
    assert facts(capital.refresh(path)) == ("full", (1, 0, 1 if feed == "append" else 0))
    assert same_as_whole(capital, tmp_path / "whole", server)


@pytest.mark.parametrize("feed", ["changes", "append"])
def test_with_an_overlap_late_rows_are_read_without_comparing_all(server: Server, tmp_path: Path, feed: str) -> None:
    laid(server, rows())
    told(server, ("I", 9, (ROWS + 1, "early", "ward 1", 1)), ("I", 11, (ROWS + 11, "later", "ward 1", 1)))
    capital = empty_capital(tmp_path / "capital")
    path = write_spec(tmp_path, spec(server, feed, overlap=5))
    capital.refresh(path)
    told(server, ("I", 10, (ROWS + 10, "late", "ward 1", 1)))
    assert facts(capital.refresh(path)) == (feed, (1, 0, 0))
    assert same_as_whole(capital, tmp_path / "whole", server)


def test_an_older_change_that_comes_late_does_not_win(server: Server, tmp_path: Path) -> None:
    laid(server, rows())
    told(server, ("U", 11, (7, "person 7", "ward 1", 2)))
    capital = empty_capital(tmp_path / "capital")
    path = write_spec(tmp_path, spec(server, "changes", overlap=5))
    capital.refresh(path)
    server.run(*inserted("visit_changes (visit, person, ward, cost, op, at)", [(7, "person 7", "ward 1", 9, "U", 10)]))
    assert capital.refresh(path).version is None
    assert same_as_whole(capital, tmp_path / "whole", server)


def test_a_feed_that_is_emptied_of_what_was_read(server: Server, tmp_path: Path) -> None:
    laid(server, rows())
    told(server, ("U", 3, (7, "person 7", "ward 1", 2)), ("U", 4, (8, "person 8", "ward 2", 2)))
    capital = empty_capital(tmp_path / "capital")
    path = write_spec(tmp_path, spec(server, "changes"))
    capital.refresh(path)
    server.run("DELETE FROM visit_changes")
    told(server, ("D", 5, rows()[9]))
    assert facts(capital.refresh(path)) == ("changes", (0, 0, 1))
    told(server, ("D", 6, rows()[10]), ("D", 7, rows()[12]))
    assert facts(capital.refresh(path)) == ("changes", (0, 0, 2))
    server.run("DELETE FROM visit_changes WHERE at = 5")
    told(server, ("D", 8, rows()[13]))
    assert facts(capital.refresh(path)) == ("full", (0, 0, 1)), "one of two that were read is left: nobody can tell"
    assert same_as_whole(capital, tmp_path / "whole", server)


def test_new_rows_of_a_live_table(server: Server, tmp_path: Path) -> None:
    laid(server, rows())
    capital = empty_capital(tmp_path / "capital")
    path = write_spec(tmp_path, spec(server, "append"))
    capital.refresh(path)
    assert capital.refresh(path).version is None
    server.run(*inserted("visits (visit, person, ward, cost)", rows(ROWS + 50)[ROWS:]))
    before = len(server.statements())
    assert facts(capital.refresh(path)) == ("append", (50, 0, 0))
    (statement,) = reading(server, before, "visits")
    assert f">= {ROWS}" in statement
    assert same_as_whole(capital, tmp_path / "whole", server)
    server.run("DELETE FROM visits WHERE visit = 77")
    assert facts(capital.refresh(path)) == ("full", (0, 0, 1)), "an erased row is missed among those counted"
    assert same_as_whole(capital, tmp_path / "whole", server)


def test_a_feed_of_the_same_moment_as_the_tables_beside_it(server: Server, tmp_path: Path) -> None:
    """A row and its partner that come together: the feed and the joined table are of one transaction."""
    laid(server, rows())
    told(server, ("U", 1, rows()[0]))
    server.run("DROP TABLE IF EXISTS wards", "CREATE TABLE wards (ward VARCHAR(20), beds BIGINT)")
    server.run(*inserted("wards (ward, beds)", [(f"ward {n}", n) for n in range(3)]))
    value = spec(server, "changes")
    value["sources"]["wards"] = {"path": server.address(), "columns": {"ward": "text", "beds": "integer"}}
    value["extract"]["join"] = [{"source": "wards", "on": ["ward"], "orphans": "ignore"}]
    value["fields"]["beds"] = {"meaning": "Beds."}
    capital = empty_capital(tmp_path / "capital")
    path = write_spec(tmp_path, value)
    capital.refresh(path)
    server.run(*inserted("wards (ward, beds)", [("ward 9", 9)]))
    told(server, *(("I", 2 + n, (ROWS + n, f"new {n}", "ward 9", 1)) for n in range(9)))
    before = len(server.statements())
    assert facts(capital.refresh(path)) == ("changes", (9, 0, 0))
    assert len([line for line in server.statements()[before:] if "REPEATABLE READ" in line]) == 1
    value["extract"]["join"][0]["orphans"] = "stop"
    stopping = write_spec(tmp_path, {**value, "name": "stopping"}, name="stopping.yaml")
    capital.refresh(stopping)
    told(server, ("D", 90, rows()[3]))
    assert facts(capital.refresh(stopping)) == ("full", (0, 0, 1)), "partners are counted over whole tables"


def test_what_a_live_feed_refuses(server: Server, tmp_path: Path) -> None:
    laid(server, rows())
    told(server, ("U", 1, rows()[0]))
    capital = empty_capital(tmp_path / "capital")
    path = write_spec(tmp_path, spec(server, "changes"))
    capital.refresh(path)
    server.run(*inserted("visit_changes (visit, op, at)", [(7, "CANARY", 2)]))
    with pytest.raises(QualityError) as odd:
        capital.refresh(path)
    assert odd.value.code == "refresh-operation"
    assert "CANARY" not in str(odd.value)
    server.run("DELETE FROM visit_changes WHERE at = 2")
    server.run("ALTER TABLE visits DROP COLUMN cost", "ALTER TABLE visits ADD COLUMN cost DATE")
    with pytest.raises(SourceError) as retyped:
        capital.refresh(path, full=True)
    assert retyped.value.code == "source-column-type"
    assert retyped.value.todo.endswith("or ask the holder why the column changed")
    server.run("DROP TABLE visit_changes")
    with pytest.raises(SourceError) as missing:
        capital.refresh(path)
    assert missing.value.code == "source-table-missing"


def test_the_command_on_either_engine(
    server: Server, engine_name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    laid(server, rows())
    told(server, ("U", 1, rows()[0]))
    capital = empty_capital(tmp_path / "capital")
    path = write_spec(tmp_path, spec(server, "changes"))
    options = RunOptions(engine=engine_name)
    assert capital.refresh(path, options).version is not None
    told(server, ("U", 2, (7, "person 7", "ward 2", 49)), ("D", 3, rows()[11]), ("I", 4, (ROWS, "new", "ward 1", 3)))
    capsys.readouterr()
    words = ["--capital", str(tmp_path / "capital"), "--json", "refresh", str(path), "--engine", engine_name]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["feed"], said["rows"]) == ("changes", {"added": 1, "changed": 1, "vanished": 1})
    assert same_as_whole(capital, tmp_path / "whole", server)
