"""A real MariaDB for tests: Debian's, in a temporary folder, on loopback, with a password; stopped by its pid.

CURATOR_TEST_MYSQLD names the program of a MySQL server to take its place; `nox -s mysql` fetches some, and runs the
tests against each. What tests say in MariaDB's words is then said in MySQL's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from held_port import held_port

PASSWORD = "canary-Zk9-mariadb"
MYSQLD = os.environ.get("CURATOR_TEST_MYSQLD")
_REPLACED = re.compile(r"CREATE OR REPLACE (TABLE|USER) (`(?:[^`]|``)+`|\S+)")
_TYPES = {
    "int64": "BIGINT", "int32": "INT", "int16": "INT", "int8": "INT", "string": "VARCHAR(500)", "large_string": "TEXT",
    "double": "DOUBLE", "bool": "BOOLEAN", "date32[day]": "DATE", "timestamp[us]": "DATETIME(6)",
    "timestamp[ms]": "DATETIME(6)", "timestamp[s]": "DATETIME",
}  # fmt: skip


@dataclass(frozen=True)
class MariadbServer:
    """A running server with the database `accidents` and the user `reader`, under its default collation."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> Path:
        """Every statement that reached the server."""
        return self.folder / "general.log"

    def address(self, database: str = "accidents", *, user: str = "reader", options: str = "") -> str:
        return f"{'mysql' if MYSQLD else 'mariadb'}://{user}@127.0.0.1:{self.port}/{database}{options}"

    def connect(self, database: str | None = "accidents") -> Any:
        import pymysql

        return pymysql.connect(
            unix_socket=str(self.folder / "socket"), user="root", database=database, autocommit=True, local_infile=True
        )

    def run(self, *statements: str, database: str | None = "accidents") -> None:
        with self.connect(database) as connection, connection.cursor() as cursor:
            for statement in statements:
                for said in _said(statement):
                    cursor.execute(said)

    def load(self, table: str, rows: pa.Table) -> None:
        """A new table of these rows, with the types of MariaDB that fit."""
        columns = ", ".join(f"`{field.name}` {_TYPES[str(field.type)]}" for field in rows.schema)
        self.run(f"CREATE OR REPLACE TABLE `{table}` ({columns}) CHARACTER SET utf8mb4")
        with self.connect() as connection, connection.cursor() as cursor:
            marks = ", ".join(["%s"] * rows.num_columns)
            for batch in rows.to_batches(max_chunksize=2_000):
                cells = zip(*(column.to_pylist() for column in batch.columns), strict=True)
                cursor.executemany(f"INSERT INTO `{table}` VALUES ({marks})", list(cells))

    @property
    def digests(self) -> bool:
        """Whether it computes MD5, which MySQL leaves to a component from 9.6 on."""
        import pymysql

        try:
            self.run("SELECT md5('')")
        except pymysql.MySQLError:
            return False
        return True

    def statements(self) -> list[str]:
        """What was executed so far, one line each."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return [line.split("Query\t", 1)[1] for line in text.splitlines() if "Query\t" in line]


def _said(statement: str) -> list[str]:
    """A statement in the words of the server."""
    if not MYSQLD:
        return [statement]
    found = _REPLACED.match(statement)
    first = [f"DROP {found[1]} IF EXISTS {found[2]}"] if found else []
    said = statement.replace("CREATE OR REPLACE TABLE", "CREATE TABLE").replace("CREATE OR REPLACE USER", "CREATE USER")
    return [*first, said.replace("max_recursive_iterations", "cte_max_recursion_depth")]


def installed() -> bool:
    return bool(MYSQLD) or bool(_program("mariadbd") and _program("mariadb-install-db"))


def _installer() -> list[str | None]:
    if MYSQLD:
        return [MYSQLD, "--no-defaults", "--initialize-insecure"]
    return [
        _program("mariadb-install-db"), "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db",
    ]  # fmt: skip


def _daemon() -> list[str | None]:
    if MYSQLD:
        return [MYSQLD, "--no-defaults", "--mysqlx=OFF", "--secure-file-priv=NULL", "--skip-log-bin"]
    return [_program("mariadbd"), "--no-defaults"]


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/usr/local/sbin")


@contextmanager
def mariadb_server(*options: str) -> Iterator[MariadbServer]:
    with held_port() as port:
        yield from _served(Path(tempfile.mkdtemp(prefix="curator-my-")), port, options=options)


def _served(folder: Path, port: int, *, options: tuple[str, ...]) -> Iterator[MariadbServer]:
    root = os.geteuid() == 0
    somebody: Any = {"user": 65534, "group": 65534, "extra_groups": []} if root else {}
    try:
        if root:
            os.chown(folder, 65534, 65534)
        quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*_installer(), f"--datadir={folder}/data"], check=True, **quiet, **somebody)
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*_daemon(), f"--datadir={folder}/data", f"--socket={folder}/socket",
                 f"--port={port}", "--bind-address=127.0.0.1", f"--pid-file={folder}/pid", "--general-log=1",
                 f"--general-log-file={folder}/general.log", "--innodb-buffer-pool-size=32M",
                 "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve", f"--tmpdir={folder}", *options],
                stdout=log, stderr=log, **somebody,
            )  # fmt: skip
        server = MariadbServer(folder, port, process)
        try:
            _wait(server)
            server.run("CREATE DATABASE accidents", database=None)
            server.run(
                f"CREATE USER 'reader'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
                "GRANT SELECT ON accidents.* TO 'reader'@'127.0.0.1'",
            )
            yield server
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: MariadbServer) -> None:
    limit = time.monotonic() + 600
    while "ready for connections" not in (server.folder / "log").read_text(errors="replace"):
        if server.process.poll() is not None or time.monotonic() > limit:
            raise RuntimeError((server.folder / "log").read_text(errors="replace")[-2000:])
        time.sleep(0.1)
