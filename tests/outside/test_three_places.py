"""One spec, three places: CSV files, PostgreSQL and MariaDB give the same files, to the byte."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.csv as csv
import pyarrow.parquet as parquet
import pytest
from capital_world import empty_capital, write_spec
from live_world import TABLES, shards, uncounted_spec
from mariadb_server import PASSWORD as MARIADB_PASSWORD
from mariadb_server import MariadbServer
from postgres_server import PASSWORD as POSTGRES_PASSWORD
from postgres_server import PostgresServer

from curator.capital import Capital
from curator.cli import main


def test_the_same_bytes_from_three_places(
    postgres: PostgresServer, mariadb: MariadbServer, demo_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name in TABLES:
        table = parquet.read_table(demo_base / f"{name}.parquet")
        postgres.load(name, table)
        mariadb.load(name, table)
        csv.write_csv(table, tmp_path / f"{name}.csv")
    value = uncounted_spec(
        where="role in (1, 2, 3) and year(birth_date) >= 1930 and nir is not null",
        sample={"by": ["nir"], "fraction": 0.6, "seed": 3},
    )
    spec = write_spec(tmp_path, value)
    places = {
        "csv": {name: str(tmp_path / f"{name}.csv") for name in TABLES},
        "postgres": dict.fromkeys(TABLES, postgres.address()),
        "mariadb": dict.fromkeys(TABLES, mariadb.address()),
    }
    passwords = {"csv": "", "postgres": POSTGRES_PASSWORD, "mariadb": MARIADB_PASSWORD}
    made, before = {}, len(postgres.statements())
    for kind, given in places.items():
        monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", passwords[kind])
        folder = tmp_path / kind
        empty_capital(folder)
        sources = [word for name, place in given.items() for word in ("--source", f"{name}={place}")]
        assert main(["--capital", str(folder), "--json", "curate", str(spec), *sources]) == 0
        ref = json.loads(capsys.readouterr().out)["ref"]
        made[kind] = shards(Capital.open(folder).version(ref))
    assert sum(len(data) for data in made["csv"].values()) > 10_000
    assert made["csv"] == made["postgres"] == made["mariadb"]
    persons = next(line for line in postgres.statements()[before:] if 'FROM "public"."persons"' in line)
    assert "md5('3:' || CAST(\"nir\" AS text))" in persons
