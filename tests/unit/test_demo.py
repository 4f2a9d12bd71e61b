"""The demonstration base: rows that repeat, counts that are true, identifiers that obey their rules."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from curator.demo import RATES, TABLES, Truth, _generate, generate
from curator.errors import StorageError, UsageError
from curator.identifiers import canonical, nir_key, valid, vin_check

ROWS = 70_000  # two chunks


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return generate(tmp_path_factory.mktemp("dirty"), persons=ROWS)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return generate(tmp_path_factory.mktemp("clean"), persons=20_000, dirt=False)


@pytest.fixture(scope="module")
def sql(dirty: Truth) -> duckdb.DuckDBPyConnection:
    return opened(dirty.folder)


def opened(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for name in TABLES:
        connection.read_parquet(str(folder / f"{name}.parquet")).create_view(name)
    for name in ("identifiers", "entities"):
        connection.read_parquet(str(folder / "truth" / f"{name}.parquet")).create_view(name)
    return connection


def one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def rows_of(folder: Path, name: str) -> list[dict[str, object]]:
    rows = pq.read_table(folder / f"{name}.parquet").to_pylist()
    return sorted(rows, key=lambda row: json.dumps(row, default=str))


def digest(folder: Path) -> str:
    rows = {name: rows_of(folder, name) for name in TABLES}
    return hashlib.sha256(json.dumps(rows, default=str, ensure_ascii=False).encode()).hexdigest()


# --- what a seed promises


def test_the_same_call_gives_the_same_rows_and_another_seed_others(tmp_path: Path) -> None:
    first, again, other = (
        digest(generate(tmp_path / name, persons=800, seed=seed).folder)
        for name, seed in (("first", 7), ("again", 7), ("other", 8))
    )
    assert first == again
    assert first != other


def test_rows_do_not_follow_library_versions(tmp_path: Path) -> None:
    """When this digest changes, the rows of a published seed have changed: raise RECIPE and write the new one here."""
    truth = generate(tmp_path, persons=2_000)
    assert (truth.parameters["recipe"], digest(tmp_path)) == (1, GOLDEN)


def test_rows_do_not_follow_the_size_of_a_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = generate(tmp_path / "whole", persons=1_500)
    monkeypatch.setattr(_generate, "CHUNK", 100)
    pieces = generate(tmp_path / "pieces", persons=1_500)
    assert digest(whole.folder) == digest(pieces.folder)
    assert whole.to_json() == pieces.to_json()


@pytest.mark.parametrize("persons", [1, 2, 3, 17, 1000])
def test_any_size_is_exact_and_whole(tmp_path: Path, persons: int) -> None:
    truth = generate(tmp_path, persons=persons, dirt=False)
    sql = opened(tmp_path)
    assert truth.rows["persons"] == one(sql, "SELECT count(*) FROM persons") == persons
    assert one(sql, "SELECT count(*) FROM persons ANTI JOIN vehicles USING (num_acc, num_veh)") == 0
    assert one(sql, "SELECT count(*) FROM accidents ANTI JOIN persons USING (num_acc)") == 0


def test_csv_holds_the_same_rows(tmp_path: Path) -> None:
    """A null is an empty field, an empty string a quoted one."""
    generate(tmp_path / "parquet", persons=1_000)
    generate(tmp_path / "csv", persons=1_000, format="csv")
    for name in TABLES:
        expected = pq.read_table(tmp_path / "parquet" / f"{name}.parquet")
        read = pyarrow.csv.read_csv(
            tmp_path / "csv" / f"{name}.csv",
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=expected.schema, strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )
        assert read.to_pylist() == expected.to_pylist()


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    generate(tmp_path, persons=60_000, truth_identifiers=False, progress=lambda *call: calls.append(call))
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)
    assert calls[-1] == ("persons", 60_000, 60_000)
    assert sorted(path.name for path in (tmp_path / "truth").iterdir()) == ["truth.json"]


def test_memory_is_flat_and_pandas_stays_out(tmp_path: Path) -> None:
    code = (
        "import re, sys; from pathlib import Path; from curator.demo import generate\n"
        # getrusage would begin at the peak of the process that started this one
        "peak = lambda: int(re.search(r'VmHWM:\\s*(\\d+)', Path('/proc/self/status').read_text())[1]) // 1024\n"
        "generate(Path(sys.argv[1], 'a'), persons=120_000); small = peak()\n"
        "generate(Path(sys.argv[1], 'b'), persons=300_000)\n"
        "print(small, peak(), 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    small, large, pandas = done.stdout.split()
    assert int(large) - int(small) < 60, "megabytes: 2.5 times the rows"
    assert int(large) < 500
    assert pandas == "False"


# --- what is refused


@pytest.mark.parametrize("persons", [0, -1, 100_000_001])
def test_a_size_out_of_range_is_refused(tmp_path: Path, persons: int) -> None:
    with pytest.raises(UsageError) as raised:
        generate(tmp_path, persons=persons)
    assert raised.value.code == "demo-size-invalid"
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        generate(tmp_path, persons=10, format="xlsx")  # type: ignore[arg-type]
    assert raised.value.code == "demo-format-unknown"


def test_an_earlier_base_is_never_overwritten(tmp_path: Path) -> None:
    generate(tmp_path, persons=10)
    before = digest(tmp_path)
    with pytest.raises(StorageError) as raised:
        generate(tmp_path, persons=20, seed=9)
    assert raised.value.code == "demo-folder-used"
    assert digest(tmp_path) == before


def test_a_run_that_fails_leaves_no_table(tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path, persons=100, progress=stop)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


# --- what is counted

FAULTS = {
    "accidents.time_text.midnight_as_24": "SELECT count(*) FROM accidents WHERE time_text = '24:00'",
    "accidents.com.unknown_code": "SELECT count(*) FROM accidents WHERE com LIKE '__999'",
    "accidents.com.placeholder": "SELECT count(*) FROM accidents WHERE com = 'INCONNU'",
    "accidents.position.zero": "SELECT count(*) FROM accidents WHERE lat = 0 AND lon = 0",
    "vehicles.plate.empty": "SELECT count(*) FROM vehicles WHERE plate = ''",
    "vehicles.plate.placeholder": "SELECT count(*) FROM vehicles WHERE plate = 'INCONNU'",
    "vehicles.plate.wrong_shape": r"""SELECT count(*) FROM vehicles WHERE plate NOT IN ('', 'INCONNU') AND NOT
        regexp_full_match(upper(plate), '[A-Z]{2}[ -]?\d{3}[ -]?[A-Z]{2}|\d{4}[ -]?[A-Z]{2}[ -]?\d{2,3}')""",
    "vehicles.row.orphan": "SELECT count(*) FROM vehicles ANTI JOIN accidents USING (num_acc)",
    "persons.row.duplicate": """SELECT count(*) - count(DISTINCT (num_acc, num_veh, last_name, first_names, nir, email,
        phone, birth_date, seat, role, address)) FROM persons""",
    "persons.num_veh.orphan": "SELECT count(*) FROM persons ANTI JOIN vehicles USING (num_acc, num_veh)",
    "persons.severity.null": "SELECT count(*) FROM persons WHERE severity IS NULL",
    "persons.sex.outside_codes": "SELECT count(*) FROM persons WHERE sex NOT IN (1, 2)",
    "persons.last_name.placeholder": "SELECT count(*) FROM persons WHERE last_name = 'INCONNU'",
    "persons.last_name.empty": "SELECT count(*) FROM persons WHERE last_name = ''",
    "persons.birth_date.null": "SELECT count(*) FROM persons WHERE birth_date IS NULL",
    "persons.birth_date.impossible": "SELECT count(*) FROM persons WHERE birth_date < DATE '1885-01-01'",
    "persons.birth_date.after_accident": """SELECT count(*) FROM persons JOIN accidents USING (num_acc)
        WHERE birth_date > occurred_at""",
    "persons.nir.null": "SELECT count(*) FROM persons WHERE nir IS NULL",
    "persons.nir.empty": "SELECT count(*) FROM persons WHERE nir = ''",
    "persons.phone.placeholder": "SELECT count(*) FROM persons WHERE phone = 'INCONNU'",
    "persons.phone.all_zero": "SELECT count(*) FROM persons WHERE phone = '0000000000'",
    "persons.phone.empty": "SELECT count(*) FROM persons WHERE phone = ''",
    "persons.email.empty": "SELECT count(*) FROM persons WHERE email = ''",
    "persons.email.no_at_sign": "SELECT count(*) FROM persons WHERE email <> '' AND NOT contains(email, '@')",
    "persons.address.empty": "SELECT count(*) FROM persons WHERE address = ''",
}  # fmt: skip
BY_KERNEL = {"persons.nir.bad_key", "vehicles.vin.bad_check_digit"}


def test_every_fault_has_its_count_checked(dirty: Truth) -> None:
    listed = {f"{column}.{kind}" for column, kinds in RATES.items() for kind in kinds}
    assert set(dirty.faults) == listed == FAULTS.keys() | BY_KERNEL


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_faults_in_the_files_are_those_of_the_truth(dirty: Truth, sql: duckdb.DuckDBPyConnection, fault: str) -> None:
    assert dirty.faults[fault] == one(sql, FAULTS[fault])
    assert dirty.faults[fault] > 0


def test_bad_check_digits_are_those_of_the_truth(dirty: Truth, sql: duckdb.DuckDBPyConnection) -> None:
    nirs = pa.array([row[0] for row in sql.execute("SELECT nir FROM persons WHERE nir <> ''").fetchall()])
    vins = [row[0] for row in sql.execute("SELECT vin FROM vehicles WHERE vin IS NOT NULL").fetchall()]
    assert dirty.faults["persons.nir.bad_key"] == valid(nirs, "nir").to_pylist().count(False) > 0
    assert dirty.faults["vehicles.vin.bad_check_digit"] == sum(vin_check(vin) != vin[8] for vin in vins) > 0


def test_rates_are_about_those_announced(dirty: Truth) -> None:
    size = {"accidents": dirty.rows["accidents"], "vehicles": dirty.rows["vehicles"], "persons": dirty.rows["persons"]}
    for column, kinds in RATES.items():
        for kind, share in kinds.items():
            if column == "persons.row":
                share *= 10 / 17  # drawn for accidents
            expected = share * size[column.split(".")[0]]
            assert abs(dirty.faults[f"{column}.{kind}"] - expected) < 5 * expected**0.5 + 0.1 * expected, (column, kind)


def test_a_clean_base_has_no_fault(clean: Truth) -> None:
    assert set(clean.faults.values()) == {0}
    sql = opened(clean.folder)
    for fault, query in FAULTS.items():
        assert one(sql, query) == 0, fault


def test_missing_values_are_counted(dirty: Truth, sql: duckdb.DuckDBPyConnection) -> None:
    for name, count in dirty.natural.items():
        table, column = name.split(".")
        assert one(sql, f"SELECT count(*) FROM {table} WHERE {column} IS NULL") == count > 0, name


def test_true_extremes_are_there(dirty: Truth, sql: duckdb.DuckDBPyConnection) -> None:
    ages = "SELECT date_diff('day', birth_date, occurred_at::DATE) AS days FROM persons JOIN accidents USING (num_acc)"
    old = one(sql, f"SELECT count(*) FROM ({ages}) WHERE days BETWEEN 36525 AND 130 * 365")
    assert dirty.extremes["persons.hundred_years_or_more"] == old > 0
    assert one(sql, f"SELECT max(days) // 365.2425 FROM ({ages}) WHERE days < 130 * 365") >= 104


@pytest.mark.parametrize("seed", range(5))
def test_even_a_small_base_has_somebody_aged_104(tmp_path: Path, seed: int) -> None:
    generate(tmp_path, persons=50, seed=seed, dirt=False)
    years = "date_diff('year', birth_date, occurred_at)"
    assert one(opened(tmp_path), f"SELECT max({years}) FROM persons JOIN accidents USING (num_acc)") >= 104


def test_the_truth_file_is_the_truth(dirty: Truth) -> None:
    assert json.loads((dirty.folder / "truth" / "truth.json").read_text(encoding="utf-8")) == dirty.to_json()
    assert dirty.parameters == {"recipe": 1, "persons": ROWS, "seed": 7, "dirt": True}


# --- what identifiers obey


@pytest.mark.parametrize(
    ("table", "column", "form"),
    [
        ("persons", "nir", "nir"),
        ("persons", "phone", "phone"),
        ("persons", "email", "email"),
        ("persons", "licence_number", "licence"),
        ("vehicles", "plate", "plate"),
        ("vehicles", "vin", "vin"),
    ],
)
def test_every_identifier_of_a_clean_base_is_valid(clean: Truth, table: str, column: str, form: str) -> None:
    values = pq.read_table(clean.folder / f"{table}.parquet")[column].drop_null()
    good = valid(values, form).to_pylist()
    assert [value for value, fine in zip(values.to_pylist(), good, strict=True) if not fine] == []
    assert len(good) > 0


def test_a_nir_says_sex_birth_and_place(clean: Truth) -> None:
    columns = ["nir", "sex", "birth_date", "birth_place"]
    rows = pq.read_table(clean.folder / "persons.parquet", columns=columns).to_pylist()
    seen = set()
    for row in rows:
        nir = "".join(sign for sign in row["nir"].upper() if sign.isalnum())
        assert nir[:10] == f"{row['sex']}{row['birth_date']:%y%m}{row['birth_place']}"
        assert nir[13:] == nir_key(nir[:13])
        seen.add(nir[5:7])
    assert {"2A", "2B", "97", "99", "75"} <= seen


def test_one_human_being_keeps_identity_but_not_spelling(sql: duckdb.DuckDBPyConnection) -> None:
    rows = sql.execute("SELECT entity, nir FROM persons JOIN entities USING (person_id)").fetchall()
    plains = canonical(pa.array([row[1] for row in rows], pa.string()), "nir").to_pylist()
    faces: dict[object, set[object]] = {}
    spelled: dict[object, set[object]] = {}
    for (entity, nir), plain in zip(rows, plains, strict=True):
        if plain is not None:
            faces.setdefault(entity, set()).add(plain)
            spelled.setdefault(entity, set()).add(nir)
    assert all(len(numbers) == 1 for numbers in faces.values())
    assert sum(len(numbers) > 1 for numbers in spelled.values()) > 1_000
    shared = len(faces) - len({next(iter(numbers)) for numbers in faces.values()})
    assert shared < 40, "people whose drawn order number makes them share a NIR"


def test_seven_people_stand_behind_ten_rows(sql: duckdb.DuckDBPyConnection) -> None:
    share = one(sql, "SELECT count(DISTINCT entity) FROM entities") / ROWS
    assert 0.68 < share < 0.74


def test_nobody_meets_themselves_but_in_a_duplicated_row(dirty: Truth, sql: duckdb.DuckDBPyConnection) -> None:
    twice = one(
        sql,
        "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) n FROM persons JOIN entities USING (person_id)"
        " GROUP BY num_acc, entity HAVING count(*) > 1)",
    )
    assert twice == dirty.faults["persons.row.duplicate"]


def test_returning_people_grow_older(sql: duckdb.DuckDBPyConnection) -> None:
    born = "SELECT entity, count(DISTINCT birth_date) n FROM persons JOIN entities USING (person_id)"
    shown = "birth_date BETWEEN DATE '1885-01-01' AND DATE '2014-12-31'"
    assert one(sql, f"SELECT max(n) FROM ({born} WHERE {shown} AND role = 1 GROUP BY entity)") == 1


def test_drivers_are_of_age(clean: Truth) -> None:
    query = (
        "SELECT min(date_diff('day', birth_date, occurred_at::DATE)) FROM persons JOIN accidents USING (num_acc)"
        " WHERE role = 1"
    )
    assert one(opened(clean.folder), query) >= 18 * 365


def test_a_plate_belongs_to_one_vehicle_of_one_driver(clean: Truth) -> None:
    sql = opened(clean.folder)
    rows = sql.execute(
        "SELECT v.plate, v.vin, e.entity FROM vehicles v JOIN persons p USING (num_acc, num_veh) JOIN entities e"
        " USING (person_id) WHERE p.role = 1 AND v.plate IS NOT NULL AND v.vin IS NOT NULL"
        " AND NOT regexp_matches(v.plate, '^[0-9]')"
    ).fetchall()
    plates = canonical(pa.array([row[0] for row in rows]), "plate").to_pylist()
    vin_of: dict[object, set[object]] = {}
    owner_of: dict[object, set[object]] = {}
    for plate, (_, vin, entity) in zip(plates, rows, strict=True):
        vin_of.setdefault(plate, set()).add(vin)
        owner_of.setdefault(plate, set()).add(entity)
    assert {len(found) for found in vin_of.values()} == {1}
    assert {len(found) for found in owner_of.values()} == {1}
    assert len(rows) > len(vin_of), "some vehicles come back"


# --- what a leak test needs


def test_every_identifying_cell_is_listed_and_nothing_else(sql: duckdb.DuckDBPyConnection) -> None:
    cells = {
        "persons": ("last_name", "married_name", "first_names", "nir", "phone", "email", "address", "licence_number"),
        "vehicles": ("plate", "vin"),
        "accidents": ("agent_number", "report_number"),
    }
    for table, columns in cells.items():
        for column in columns:
            listed = f"SELECT value FROM identifiers WHERE \"table\" = '{table}' AND \"column\" = '{column}'"
            written = f"SELECT {column} FROM {table} WHERE {column} NOT IN ('', 'INCONNU', '0000000000')"
            assert one(sql, f"SELECT count(*) FROM (({listed}) EXCEPT ALL ({written}))") == 0, column
            assert one(sql, f"SELECT count(*) FROM (({written}) EXCEPT ALL ({listed}))") == 0, column


def test_listed_identifiers_of_persons_stand_on_the_row_named(sql: duckdb.DuckDBPyConnection) -> None:
    wrong = (
        "SELECT count(*) FROM identifiers i JOIN persons p USING (person_id) WHERE i.kind = 'nir' AND i.value <> p.nir"
    )
    assert one(sql, wrong) == 0


def test_narratives_say_what_is_listed(sql: duckdb.DuckDBPyConnection) -> None:
    listed = "FROM identifiers i JOIN accidents a USING (num_acc) WHERE i.\"column\" = 'narrative'"
    assert one(sql, f"SELECT count(*) {listed}") > ROWS // 2
    assert one(sql, f"SELECT count(*) {listed} AND NOT contains(a.narrative, i.value)") == 0
    assert one(sql, f"SELECT count(DISTINCT i.kind) {listed}") == 4
    shouted = "SELECT count(*) FROM accidents WHERE narrative = upper(narrative)"
    assert 0.10 < one(sql, shouted) / one(sql, "SELECT count(*) FROM accidents") < 0.18
    assert one(sql, "SELECT count(*) FROM accidents WHERE contains(narrative, '  ')") == 0


def test_narratives_hold_no_identifier_that_is_not_listed(sql: duckdb.DuckDBPyConnection) -> None:
    digits = r"regexp_extract_all(narrative, '(?:\+33|0)[ .]?[67](?:[ .]?\d\d){4}')"
    found = one(sql, f"SELECT sum(len({digits})) FROM accidents WHERE NOT contains(narrative, '0033')")
    listed = (
        "SELECT count(*) FROM identifiers JOIN accidents USING (num_acc)"
        " WHERE \"column\" = 'narrative' AND kind = 'phone' AND NOT contains(narrative, '0033')"
    )
    assert found == one(sql, listed)


# --- what a model can learn


def test_severity_has_published_like_proportions(sql: duckdb.DuckDBPyConnection) -> None:
    expected = {1: 0.41, 2: 0.027, 3: 0.195, 4: 0.365}
    for code, share in expected.items():
        found = one(sql, f"SELECT count(*) FROM persons WHERE severity = {code}") / ROWS
        assert abs(found - share) < 0.04 + 0.05 * share, (code, found)


def test_severity_depends_on_what_happened(sql: duckdb.DuckDBPyConnection) -> None:
    rows = sql.execute(
        "SELECT (severity IN (2, 3))::INT8, role, v.category, road_category, light, built_up, obstacle, safety::INT8,"
        " (year(occurred_at) - year(birth_date)) // 8 FROM persons p"
        " JOIN accidents a USING (num_acc) JOIN vehicles v USING (num_acc, num_veh) WHERE severity IS NOT NULL"
        " AND birth_date IS NOT NULL ORDER BY person_id"
    ).fetchall()
    table = np.clip(np.array(rows), 0, 99)
    half = len(table) // 2
    assert 0.70 < area_under_curve(table[half:, 0], naive_bayes(table[:half], table[half:])) < 0.80


def naive_bayes(known: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Sum of the log odds of each feature, smoothed: the plainest model that can learn anything."""
    score = np.zeros(len(asked))
    for column in range(1, known.shape[1]):
        hits, all_ = (np.bincount(known[rows, column], minlength=100) for rows in (known[:, 0] == 1, slice(None)))
        odds = np.log((hits + 5) / (all_ - hits + 20))
        score += odds[asked[:, column]]
    return score


def area_under_curve(truth: np.ndarray, score: np.ndarray) -> float:
    """Mann-Whitney: the chance that a serious case scores above another."""
    _, place, ties = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(ties) - (ties - 1) / 2)[place]
    positive = truth == 1
    count = positive.sum()
    return float((rank[positive].sum() - count * (count + 1) / 2) / (count * (len(truth) - count)))


def test_codes_stay_in_their_range(sql: duckdb.DuckDBPyConnection) -> None:
    ranges = {
        "accidents": {"light": (1, 5), "weather": (1, 9), "road_category": (1, 9), "built_up": (0, 1),
                      "collision": (1, 7), "intersection": (1, 9), "surface": (1, 9), "lanes": (1, 6)},
        "vehicles": {"obstacle": (0, 17), "moving_obstacle": (0, 9), "shock": (0, 9), "manoeuvre": (0, 25),
                     "occupants": (1, 4), "first_registered": (1990, 2024)},
        "persons": {"role": (1, 3), "severity": (1, 4), "trip": (0, 9), "seat": (0, 9), "alcohol_test": (0, 3),
                    "pedestrian_location": (0, 8), "pedestrian_action": (0, 9), "pedestrian_company": (0, 3),
                    "licence_status": (0, 6), "occupation": (1, 9), "insured": (0, 2)},
    }  # fmt: skip
    for table, columns in ranges.items():
        for column, (low, high) in columns.items():
            outside = f"SELECT count(*) FROM {table} WHERE {column} NOT BETWEEN {low} AND {high}"
            assert one(sql, outside) == 0, column
    assert one(sql, "SELECT count(*) FROM persons WHERE role <> 3 AND pedestrian_action <> 0") == 0


def test_keys_are_unique(sql: duckdb.DuckDBPyConnection) -> None:
    assert one(sql, "SELECT count(*) - count(DISTINCT num_acc) FROM accidents") == 0
    assert one(sql, "SELECT count(*) - count(DISTINCT (num_acc, num_veh)) FROM vehicles") == 0
    assert one(sql, "SELECT count(*) - count(DISTINCT person_id) FROM persons") == 0
    assert (
        one(sql, "SELECT count(*) FROM accidents WHERE NOT regexp_full_match(num_acc, '20(1[5-9]|2[0-4])[0-9]{8}')")
        == 0
    )


GOLDEN = "74c5c031e69281304fa7755941575f356befdbab984ade353e311d8d13a70a8c"
