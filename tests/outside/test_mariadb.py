"""MariaDB as a source, against a real server: it feeds columns and bounds of numbers and days, nothing over texts."""

from __future__ import annotations

import threading
from pathlib import Path

import pyarrow.csv as csv
import pyarrow.parquet as parquet
import pytest
from capital_world import curate, empty_capital
from live_world import TABLES, evidence_text, extracted, shards, uncounted_spec
from mariadb_server import MYSQLD, PASSWORD, MariadbServer
from outside_world import spec_of

from curator.errors import SourceError


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", PASSWORD)


@pytest.fixture(scope="module")
def base(mariadb: MariadbServer, demo_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration tables in the server, and the same as CSV in a folder."""
    folder = tmp_path_factory.mktemp("csv")
    for name in TABLES:
        table = parquet.read_table(demo_base / f"{name}.parquet")
        mariadb.load(name, table)
        csv.write_csv(table, folder / f"{name}.csv")
    return folder


def test_csv_and_mariadb_give_the_same_bytes(mariadb: MariadbServer, base: Path, tmp_path: Path) -> None:
    value = uncounted_spec(where="role in (1, 2, 3) and year(birth_date) < 2000 and nir <> '' and light >= 1")
    files = {name: base / f"{name}.csv" for name in TABLES}
    read = curate(empty_capital(tmp_path / "csv"), base, spec=value, sources=files)
    before = len(mariadb.statements())
    capital = empty_capital(tmp_path / "my")
    asked = curate(capital, base, spec=value, sources=dict.fromkeys(TABLES, mariadb.address()))
    assert sum(read.manifest.rows.values()) > 500
    assert shards(read) == shards(asked)
    persons, vehicles, accidents = (
        next(line for line in mariadb.statements()[before:] if f"FROM `{name}`" in line) for name in TABLES
    )
    assert persons == (
        "SELECT `person_id`, `num_acc`, `num_veh`, `role`, `severity`, `sex`, `birth_date`, `nir`, `licence_number`, "
        "`safety`, `trip`, `seat` FROM `persons` WHERE `role` IN (1, 2, 3) AND `birth_date` < DATE '2000-01-01'"
    )
    assert "WHERE" not in vehicles
    assert accidents.endswith("WHERE `light` >= 1")
    said = evidence_text(capital)
    assert "source persons: accidents persons" in said
    assert not [word for word in (PASSWORD, "127.0.0.1", f":{mariadb.port}") if word in said]


HOSTILE = {
    "d": ("date", ["2020-02-29", None, "1850-02-28", None]),
    "f": ("float", ["1e+308", "-0.0" if MYSQLD else "0.0", "5e-324", None]),
    "r": ("float", ["0.10000000149011612", "16777216.0", None, None]),
    "t": ("text", ["24:00:00", "-838:59:59", None, "00:00:01"]),
    "n": ("decimal", ["1.500000", None, "999999999999.000000", None]),
    "u": ("integer", [None, "7", "999999999999999999", None]),
    "s": ("text", ["Été", "ete", "a ", "a"]),
    "b": ("boolean", ["True", "False", None, None]),
}


@pytest.fixture(scope="module")
def hostile(mariadb: MariadbServer) -> None:
    mariadb.run(
        "SET SESSION sql_mode = ''",
        "CREATE TABLE hostile (id int, who varchar(9), d date, f double, r float, t time, n decimal(30, 12), "
        "u bigint unsigned, s varchar(20), b tinyint(1))",
        """INSERT INTO hostile VALUES
        (1, 'a', '2020-02-29', 1e308, 0.1, '24:00:00', 1.5, 18446744073709551615, 'Été', 1),
        (2, 'b', '0000-00-00', '-0.0', 16777217, '-900:00:00', 0.1234567, 7, 'ete', 0),
        (3, 'c', '1850-02-28', 5e-324, NULL, NULL, 999999999999, 999999999999999999, 'a ', 2),
        (4, 'd', NULL, NULL, NULL, '00:00:01', 1e17, NULL, 'a', NULL)""",
    )


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("column", HOSTILE)
def test_each_value_is_read_as_a_file_would_be(mariadb: MariadbServer, tmp_path: Path, column: str) -> None:
    kind, wanted = HOSTILE[column]
    value = spec_of({column: kind}, path=mariadb.address(), source={"table": "hostile"})
    rows = extracted(tmp_path, value)
    assert [None if row[column] is None else str(row[column]) for row in rows] == wanted


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("s = 'ete'", [2]), ("s <> 'a'", [1, 2, 3]), ("s is null", []), ("d is null", [2, 4]), ("u is null", [1, 4]),
        ("u > 5", [2, 3]), ("d >= parse_date('1800-01-01', '%Y-%m-%d')", [1, 3]), ("year(d) = 2020", [1]),
        ("id between 2 and 3", [2, 3]), ("not (id = 1)", [2, 3, 4]), ("id is not null and -2 < id", [1, 2, 3, 4]),
        ("d < parse_date('2000-01-01', '%Y-%m-%d')", [3]), ("n > 1", [1, 3]),
    ],
)  # fmt: skip
def test_a_condition_keeps_the_rows_it_would_keep_of_a_file(
    mariadb: MariadbServer, tmp_path: Path, condition: str, rows: list[int]
) -> None:
    columns = {name: kind for name, (kind, _) in HOSTILE.items()}
    value = spec_of(columns, path=mariadb.address(), source={"table": "hostile"}, extract={"where": condition})
    assert [row["id"] for row in extracted(tmp_path, value)] == rows


def test_tables_are_of_one_moment_while_others_commit(mariadb: MariadbServer, tmp_path: Path) -> None:
    """A writer changes two tables alike; each of twenty readings must see them alike."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
    mariadb.run(
        "SET SESSION max_recursive_iterations = 3000",
        f"CREATE TABLE left_side AS {numbers} SELECT i AS id, concat('p', i) AS who, 0 AS round FROM n",
        f"CREATE TABLE right_side AS {numbers} SELECT i AS id, 0 AS round_there FROM n",
    )
    stop = threading.Event()

    def write() -> None:
        number = 0
        with mariadb.connect() as connection, connection.cursor() as cursor:
            while not stop.is_set():
                number += 1
                cursor.execute("BEGIN")
                cursor.execute(f"UPDATE left_side SET round = {number} WHERE id % 50 = 0")
                cursor.execute(f"UPDATE right_side SET round_there = {number} WHERE id % 50 = 0")
                cursor.execute(f"INSERT INTO left_side VALUES ({2000 + number}, 'new', {number})")
                cursor.execute(f"INSERT INTO right_side VALUES ({2000 + number}, {number})")
                cursor.execute("COMMIT")

    value = spec_of({"round": "integer"}, path=mariadb.address(), source={"table": "left_side"})
    columns = {"id": "integer", "round_there": "integer"}
    value["sources"]["r"] = {"path": mariadb.address(), "table": "right_side", "columns": columns}
    value["extract"] |= {"join": [{"source": "r", "on": ["id"], "orphans": "stop"}]}
    value["extract"]["derive"] = {"apart": "round <> round_there"}
    value["fields"]["apart"] = {"meaning": "Whether the tables disagree.", "identifier": "none", "because": "invented"}
    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    try:
        for number in range(20):
            rows = extracted(tmp_path / str(number), value, "id, round, apart")
            seen.add(max(row["round"] for row in rows))
            assert not any(row["apart"] for row in rows)
    finally:
        stop.set()
        writer.join()
    assert len(seen) > 5  # the writer did write meanwhile


def refusal(folder: Path, address: str, *, table: str = "persons", **columns: str) -> SourceError:
    value = spec_of(columns, path=address, source={"table": table})
    value["fields"] |= {"id": {"meaning": "A number.", "identifier": "none", "because": "invented"}}
    with pytest.raises(SourceError) as caught:
        extracted(folder, value)
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_refusals_say_what_stands_in_the_way(
    mariadb: MariadbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mariadb.run(
        "CREATE OR REPLACE TABLE steady (id int, who varchar(9), x blob)",
        "CREATE OR REPLACE TABLE loose (id int, who varchar(9)) ENGINE = MyISAM",
    )
    found = {
        "table": refusal(tmp_path, mariadb.address(), table="nowhere").code,
        "engine": refusal(tmp_path, mariadb.address(), table="loose").code,
        "type": refusal(tmp_path, mariadb.address(), table="steady", x="text").found,
        "port": refusal(tmp_path, "mariadb://reader@127.0.0.1:1/accidents").code,
        "database": refusal(tmp_path, mariadb.address("elsewhere")).code,
        "option": refusal(tmp_path, mariadb.address(options="?sslmode=on")).found,
    }
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", "wrong-canary-word")
    found["password"] = refusal(tmp_path, mariadb.address()).code
    assert found == {
        "table": "source-table-missing",
        "engine": "database-snapshot",
        "type": "a column of type blob",
        "port": "database-unreachable",
        "database": "database-denied",  # a user is not told which databases there are
        "option": "the option `sslmode`",
        "password": "database-login",
    }
