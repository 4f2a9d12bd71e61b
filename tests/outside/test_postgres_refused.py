"""What PostgreSQL as a source is refused for, word for word; and that no secret is in any of it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from live_world import extracted
from outside_world import spec_of
from postgres_server import PASSWORD, READER_PASSWORD, PostgresServer, postgres_server

from curator.cli import main
from curator.errors import CuratorError

READ_AS_TEXT = (
    "one of text, varchar, bpchar, name, uuid, enum, time, timetz, inet, cidr, macaddr, macaddr8, citext, char, json, "
    "jsonb, bit, varbit, interval"
)
TODO_LOGIN = "check the user in the address, and the password in `CURATOR_T_PASSWORD` or in the file that "


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATOR_T_PASSWORD", PASSWORD)


@pytest.fixture(scope="module")
def tables(postgres: PostgresServer) -> None:
    postgres.run(
        "CREATE TABLE people (id int, who text, x int, photo bytea, tags text[], extra json)",
        "INSERT INTO people VALUES (1, 'a', 1, '\\x00', '{a}', '{}'), (2, 'b', 2, NULL, NULL, NULL)",
        "CREATE VIEW slow AS SELECT id, who, (x + length(pg_sleep(1)::text)) AS x FROM people",
        "CREATE VIEW broken AS SELECT id, who, 1 / (x - 2) AS x FROM people",
        "CREATE TABLE hidden (id int, who text, x int)",
        "GRANT SELECT (id, who) ON people TO reader",
    )


def refused(folder: Path, address: str, *, table: str = "people", **columns: str) -> CuratorError:
    value = spec_of(columns or {"x": "integer"}, path=address, source={"table": table})
    with pytest.raises(CuratorError) as caught:
        extracted(folder, value)
    return caught.value


Asking = Callable[[PostgresServer], tuple[str, dict[str, Any]]]
GOLDEN: dict[str, tuple[Asking, str]] = {
    "port": (
        lambda server: ("postgresql://owner@127.0.0.1:1/accidents", {}),
        "error[database-unreachable] connect to the database of the source `t`\n"
        "  found:    no server that answers there\n"
        "  expected: a postgresql server at the host and port of its address\n"
        "  do next:  check the host, the port and the network, and whether the server runs",
    ),
    "host": (
        lambda server: ("postgresql://owner@nowhere.invalid/accidents", {}),
        "error[database-unreachable] connect to the database of the source `t`\n"
        "  found:    no server that answers there\n"
        "  expected: a postgresql server at the host and port of its address\n"
        "  do next:  check the host, the port and the network, and whether the server runs",
    ),
    "user": (
        lambda server: (server.address(user="stranger"), {}),
        "error[database-login] connect to the database of the source `t`\n"
        "  found:    the server refuses the user, or the password given for it\n"
        "  expected: a user that may connect, and its password\n"
        f"  do next:  {TODO_LOGIN}`CURATOR_T_PASSWORD_FILE` names",
    ),
    "database": (
        lambda server: (server.address("elsewhere"), {}),
        "error[database-missing] connect to the database of the source `t`\n"
        "  found:    no database `elsewhere` on the server\n"
        "  expected: the database that the address names\n"
        "  do next:  correct what follows the host in the address",
    ),
    "secret": (
        lambda server: (f"postgresql://owner:{PASSWORD}@127.0.0.1/accidents", {}),
        "",
    ),
    "table": (
        lambda server: (server.address("postgres"), {}),
        "error[source-table-missing] read the table `people` of the source `t`\n"
        "  found:    no such table among none at all\n"
        "  expected: the table that the spec names\n"
        "  do next:  correct `table` in the source, or ask the holder what changed",
    ),
    "column": (
        lambda server: (server.address(), {"y": "integer"}),
        "error[source-column-missing] read the declared columns of the source `t`\n"
        "  found:    no column `y` among id, who, x, photo, tags, extra\n"
        "  expected: every declared column in the source\n"
        "  do next:  correct the name in the spec (`column:` gives the source's spelling), "
        "or ask the holder what changed",
    ),
    "type": (
        lambda server: (server.address(), {"x": "date"}),
        "error[source-column-type] read `x` of the source `t` as date\n"
        "  found:    a column of type int4\n"
        "  expected: one of date, text, varchar, bpchar\n"
        "  do next:  declare it as integer or decimal or float or boolean in the spec, "
        "or ask the holder why the column changed",
    ),
    "bytea": (
        lambda server: (server.address(), {"photo": "text"}),
        "error[source-column-type] read `photo` of the source `t` as text\n"
        "  found:    a column of type bytea\n"
        f"  expected: {READ_AS_TEXT}\n"
        "  do next:  no declared type reads this one: name as `table` a view that turns it into text, numbers or dates "
        "(`encode(photo, 'hex')`)",
    ),
    "array": (
        lambda server: (server.address(), {"tags": "text"}),
        "error[source-column-type] read `tags` of the source `t` as text\n"
        "  found:    a column of type _text\n"
        f"  expected: {READ_AS_TEXT}\n"
        "  do next:  no declared type reads this one: name as `table` a view that turns it into text, numbers or dates "
        "(`array_to_string(tags, ';')`)",
    ),
    "timeout": (
        lambda server: (server.address(options="?statement_timeout=200"), {"table": "slow", "x": "integer"}),
        "error[database-timeout] read the source `t`\n"
        "  found:    the server cancelled the reading: it took longer than a statement may, or somebody cancelled it\n"
        "  expected: time enough for one pass over the rows\n"
        "  do next:  ask for fewer rows with `where`, for an index, or for a longer limit of this user",
    ),
    "division": (
        lambda server: (server.address(), {"table": "broken", "x": "integer"}),
        "error[database-fault] read the source `t`\n"
        "  found:    the database refuses, with the state 22012 (its text is withheld: it may quote a cell)\n"
        "  expected: a table that can be read with the declared columns and types\n"
        "  do next:  look the state up in the manual of the database; its own log has the text",
    ),
    "option": (
        lambda server: (server.address(options="?passfile=/etc/passwd"), {}),
        "",
    ),
}


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("case", GOLDEN)
def test_the_refusal_word_for_word(postgres: PostgresServer, tmp_path: Path, case: str) -> None:
    asking, wanted = GOLDEN[case]
    address, parts = asking(postgres)
    error = refused(tmp_path, address, **parts)
    if wanted:
        assert str(error) == wanted
    else:
        assert error.code in ("address-secret", "spec-invalid")
    assert PASSWORD not in str(error)


@pytest.mark.usefixtures("tables")
def test_a_user_reads_what_it_was_granted_and_no_more(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURATOR_T_PASSWORD", READER_PASSWORD)
    address = postgres.address(user="reader")
    column = refused(tmp_path, address)
    assert (column.code, column.asked) == ("database-denied", "read the column `x` of the source `t`")
    table = refused(tmp_path, address, table="hidden")
    assert (table.code, table.asked) == ("database-denied", "read the table `hidden` of the source `t`")
    value = spec_of({}, path=address, source={"table": "people"})
    assert [row["who"] for row in extracted(tmp_path, value)] == ["a", "b"]


def test_no_password_at_all(postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CURATOR_T_PASSWORD")
    error = refused(tmp_path, postgres.address())
    assert (error.code, error.found) == (
        "database-login",
        "the server refuses the user: no password was given",
    )


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("mode", "text", "found"),
    [
        (0o600, f"{PASSWORD}\n", None),
        (0o400, PASSWORD, None),
        (0o640, f"{PASSWORD}\n", "a file that others may use (mode 0640)"),
        (0o604, f"{PASSWORD}\n", "a file that others may use (mode 0604)"),
        (0o600, "", "a file that does not hold one password on one line"),
        (0o600, f"{PASSWORD}\nmore\n", "a file that does not hold one password on one line"),
        (None, "", "no file that can be read (FileNotFoundError)"),
    ],
)
def test_a_password_from_a_file_of_its_owner_alone(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    mode: int | None, text: str, found: str | None,
) -> None:  # fmt: skip
    monkeypatch.delenv("CURATOR_T_PASSWORD")
    path = tmp_path / "password"
    if mode is not None:
        path.write_text(text)
        path.chmod(mode)
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD_FILE", str(path))
    if found is None:
        value = spec_of({}, path=postgres.address(), source={"table": "people"})
        assert len(extracted(tmp_path / "run", value)) == 2
    else:
        error = refused(tmp_path / "run", postgres.address())
        assert (error.code, error.found) == ("password-file", found)
        assert PASSWORD not in str(error)


@pytest.fixture
def mortal() -> Iterator[PostgresServer]:
    """A server of its own, to be killed."""
    with postgres_server() as server:
        yield server


def test_a_server_that_dies_while_it_is_read(mortal: PostgresServer, tmp_path: Path) -> None:
    mortal.run(
        "CREATE TABLE held AS SELECT i AS id, repeat('p', 200) AS who, i AS x FROM generate_series(1, 200000) i",
        # the last row waits for the end of the server, however busy the machine
        "CREATE VIEW people AS SELECT id, who,"
        " CASE WHEN id = 200000 THEN x + length(pg_sleep(600)::text) ELSE x END AS x FROM held",
    )

    def kill() -> None:
        while '"public"."people"' not in mortal.log.read_text(errors="replace"):
            time.sleep(0.01)
        os.kill(mortal.process.pid, signal.SIGQUIT)  # "immediate": as a crash of the server

    killer = threading.Thread(target=kill)
    killer.start()
    error = refused(tmp_path, mortal.address())
    killer.join()
    assert str(error) == (
        "error[database-lost] read the source `t` to its end\n"
        "  found:    the connection ended before the rows did; nothing of it was kept\n"
        "  expected: a server and a network that last as long as the reading\n"
        "  do next:  run the same command again once the server is back"
    )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("tables")
def test_the_secret_is_nowhere(postgres: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Plan, run, evidence, every file of the capital, and the statement log."""
    spec = tmp_path / "outside.yaml"
    value = spec_of({"x": "integer"}, path="people.csv", source={"table": "people"})
    spec.write_text(json.dumps(value))
    source = f"t={postgres.address()}"
    assert main(["plan", str(spec), "--source", source]) == 0
    planned = capsys.readouterr().out
    assert 'SELECT "id", "who", "x" FROM "people"' in planned
    capital = str(tmp_path / "capital")
    assert main(["init", capital, "--holder", "Agency"]) == 0
    assert main(["--capital", capital, "curate", str(spec), "--source", source]) == 0
    said = planned + "".join(capsys.readouterr())
    assert PASSWORD not in said
    for path in Path(capital).rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes()
    assert PASSWORD not in postgres.log.read_text()
