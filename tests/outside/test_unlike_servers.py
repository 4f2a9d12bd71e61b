"""What stands at an address and is not what it says: no answer, another server's, options that say nothing."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from live_world import extracted
from mariadb_server import MariadbServer
from outside_world import spec_of

from curator.errors import SourceError

PASSWORD = "canary-poor"


def refused(folder: Path, address: str, table: str = "people", **columns: str) -> SourceError:
    value = spec_of(columns or {"x": "integer"}, path=address, source={"table": table})
    with pytest.raises(SourceError) as caught:
        extracted(folder, value)
    assert PASSWORD not in str(caught.value)
    return caught.value


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", PASSWORD)


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\xff\xff\x00nonsense"])
def test_what_does_not_answer_as_mariadb(tmp_path: Path, greeting: bytes) -> None:
    """A server that waits for its client to speak first, as PostgreSQL does, would else be waited for without end."""
    pytest.importorskip("pymysql")
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(greeting)
                ended.wait()

        answering = threading.Thread(target=answer)
        answering.start()
        try:
            error = refused(tmp_path, f"mariadb://poor@127.0.0.1:{listening.getsockname()[1]}/base?connect_timeout=1")
        finally:
            ended.set()
            answering.join()
    assert error.code == "database-unreachable"
    assert error.found == "something that does not answer as a server of this kind, or not in time"


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
def test_an_option_that_is_no_number(tmp_path: Path, scheme: str) -> None:
    pytest.importorskip({"postgresql": "adbc_driver_postgresql", "mariadb": "pymysql"}[scheme])
    error = refused(tmp_path, f"{scheme}://poor@127.0.0.1:1/base?connect_timeout=soon")
    assert (error.code, error.expected) == ("address-invalid", "a whole number of seconds")
    assert "soon" not in str(error)


def test_what_mariadb_does_not_show_is_said(mariadb: MariadbServer, tmp_path: Path) -> None:
    mariadb.run(
        "CREATE OR REPLACE TABLE shown (id int, who varchar(9), x int)",
        "CREATE OR REPLACE TABLE hidden (id int, who varchar(9), x int)",
        f"CREATE OR REPLACE USER 'poor'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
        "GRANT SELECT (id, who) ON accidents.shown TO 'poor'@'127.0.0.1'",
    )
    table = refused(tmp_path, mariadb.address(user="poor"), table="hidden")
    assert table.code == "source-table-missing"
    assert table.todo.endswith("(a table that the user of the address may not read does not show)")
    column = refused(tmp_path, mariadb.address(user="poor"), table="shown")
    assert column.code == "source-column-missing"
    assert column.todo.endswith("(a column that the user of the address may not read does not show)")
    database = refused(tmp_path, mariadb.address("elsewhere", user="poor"))
    assert (database.code, database.asked) == (
        "database-denied", "read the database `elsewhere`, if there is one of that name, of the source `t`",
    )  # fmt: skip
