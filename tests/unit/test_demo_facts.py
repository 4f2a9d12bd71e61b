"""The facts behind the demonstration base, against the official geographic code; identities beside real accidents."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv
import pytest

from curator.demo import Truth, enrich_baac
from curator.demo._names import FEMALE_NAMES, MALE_NAMES, SURNAMES
from curator.demo._places import COMMUNES, COUNTRIES
from curator.errors import SourceError, StorageError
from curator.identifiers import valid

NEW = ("vehicles_identity", "usagers", "caracteristiques_identity")


def names(text: str) -> list[str]:
    return [entry.strip().rsplit(" ", 1)[0] for entry in text.replace("\n", "").split(",")]


def test_lists_are_large_and_hold_no_name_twice() -> None:
    first, surnames = names(MALE_NAMES) + names(FEMALE_NAMES), SURNAMES.replace("\n", "").split(",")
    assert len(first) >= 250
    assert len(surnames) >= 400
    assert len(set(first)) == len(first)
    assert len(set(surnames)) == len(surnames)
    assert {"N'Diaye", "Le Goff", "Lefèvre", "Favre-Bulle", "De La Fontaine"} <= set(surnames)


def test_communes_are_those_of_the_official_code(shared_data: Path) -> None:
    with gzip.open(shared_data / "reference-fr" / "communes.json.gz") as stream:
        official = {row["code"]: row for row in json.load(stream) if row["type"] == "commune-actuelle"}
    rows = [line.split("|") for line in COMMUNES.strip().splitlines()]
    assert len({row[1] for row in rows}) == len(rows) >= 150
    for name, code, postcode, *_ in rows:
        assert official[code]["nom"] == name
        assert postcode in official[code]["codesPostaux"]
    assert {"2A", "2B", "97"} <= {row[1][:2] for row in rows}


def test_countries_are_those_of_the_official_code(shared_data: Path) -> None:
    with gzip.open(shared_data / "reference-fr" / "2016_pays_INSEE_code.csv.gz", "rt", encoding="utf-8") as stream:
        official = {row["COG"]: row["norm_name"] for row in csv.DictReader(stream)}
    assert all(line.split("|")[1] in official for line in COUNTRIES.strip().splitlines())


@pytest.fixture(scope="module")
def enriched(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return enrich_baac(shared_data / "baac-2013", tmp_path_factory.mktemp("baac"))


@pytest.fixture(scope="module")
def sql(enriched: Truth, shared_data: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for name in NEW:
        connection.read_csv(str(enriched.folder / f"{name}.csv"), all_varchar=True).create_view(name)
    for name in ("caracteristiques", "vehicules"):
        path = shared_data / "baac-2013" / f"{name}_2013.csv.gz"
        connection.register(name, as_text(path))
    connection.read_parquet(str(enriched.folder / "truth" / "identifiers.parquet")).create_view("identifiers")
    return connection


def as_text(path: Path) -> pa.Table:
    with gzip.open(path, "rt", encoding="latin-1") as stream:
        header = stream.readline().strip().split(",")
    convert = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()))
    return pyarrow.csv.read_csv(path, read_options=pyarrow.csv.ReadOptions(encoding="latin-1"), convert_options=convert)


def one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_each_real_row_has_its_identity(enriched: Truth, sql: duckdb.DuckDBPyConnection) -> None:
    assert enriched.rows["vehicles_identity"] == 98_925
    assert enriched.rows["caracteristiques_identity"] == 58_397
    assert one(sql, "SELECT count(*) FROM vehicles_identity SEMI JOIN vehicules USING (Num_Acc, num_veh)") == 98_925
    assert (
        one(sql, "SELECT count(*) FROM caracteristiques_identity SEMI JOIN caracteristiques USING (Num_Acc)") == 58_397
    )
    assert one(sql, "SELECT count(*) FROM usagers ANTI JOIN vehicules USING (Num_Acc, num_veh)") == 0
    assert one(sql, "SELECT count(*) FROM vehicules ANTI JOIN usagers USING (Num_Acc, num_veh)") == 0
    assert one(sql, "SELECT max(n) FROM (SELECT count(*) n FROM usagers GROUP BY Num_Acc, num_veh)") <= 4


def test_a_pedestrian_is_where_one_was_hit(sql: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT count(*) FROM {} JOIN vehicules v USING (Num_Acc, num_veh) WHERE catu = '3' AND obsm {} '1'"
    assert one(sql, query.format("usagers", "=")) == one(sql, "SELECT count(*) FROM vehicules WHERE obsm = '1'")
    assert one(sql, query.format("usagers", "<>")) == 0


def test_counts_of_the_truth_are_those_of_the_files(enriched: Truth, sql: duckdb.DuckDBPyConnection) -> None:
    queries = {
        "usagers.nom.placeholder": "SELECT count(*) FROM usagers WHERE nom = 'INCONNU'",
        "usagers.sexe.outside_codes": "SELECT count(*) FROM usagers WHERE sexe NOT IN ('1', '2')",
        "usagers.telephone.all_zero": "SELECT count(*) FROM usagers WHERE telephone = '0000000000'",
        "vehicles_identity.immatriculation.placeholder": (
            "SELECT count(*) FROM vehicles_identity WHERE immatriculation = 'INCONNU'"
        ),
        "usagers.date_naissance.after_accident": (
            "SELECT count(*) FROM usagers WHERE date_naissance::DATE > DATE '2013-12-31' OR (date_naissance::DATE >"
            " (SELECT make_date(2013, mois::INT, jour::INT) FROM caracteristiques c WHERE c.Num_Acc = usagers.Num_Acc))"
        ),
    }
    for fault, query in queries.items():
        assert enriched.faults[fault] == one(sql, query) > 0, fault
    values = [row[0] for row in sql.execute("SELECT nir FROM usagers WHERE nir <> ''").fetchall()]
    wrong = [good for good in valid(pa.array(values), "nir").to_pylist() if not good]
    assert enriched.faults["usagers.nir.bad_key"] == len(wrong) > 0


def test_listed_identifiers_stand_in_the_texts(sql: duckdb.DuckDBPyConnection) -> None:
    listed = (
        "FROM identifiers i JOIN caracteristiques_identity c ON i.num_acc::VARCHAR = c.Num_Acc"
        " WHERE i.\"column\" = 'main_courante'"
    )
    assert one(sql, f"SELECT count(*) {listed}") > 100_000
    assert one(sql, f"SELECT count(*) {listed} AND NOT contains(c.main_courante, i.value)") == 0
    assert (
        one(
            sql,
            'SELECT count(*) FROM identifiers WHERE "table" NOT IN'
            " ('usagers', 'vehicles_identity', 'caracteristiques_identity')",
        )
        == 0
    )


def test_severity_follows_the_real_road(sql: duckdb.DuckDBPyConnection) -> None:
    share = (
        "SELECT round(1000 * avg((grav IN ('2', '3'))::INT)) FROM usagers JOIN caracteristiques USING (Num_Acc)"
        " WHERE agg = {}"
    )
    assert one(sql, share.format("'1'")) > one(sql, share.format("'2'")) + 40


def test_the_same_seed_gives_the_same_files(enriched: Truth, shared_data: Path, tmp_path: Path) -> None:
    again = enrich_baac(shared_data / "baac-2013", tmp_path, truth_identifiers=False)
    assert again.to_json() == enriched.to_json()
    for name in NEW:
        assert (tmp_path / f"{name}.csv").read_bytes() == (enriched.folder / f"{name}.csv").read_bytes()
    with pytest.raises(StorageError) as raised:
        enrich_baac(shared_data / "baac-2013", tmp_path)
    assert raised.value.code == "demo-folder-used"


HEADERS = {
    "caracteristiques": "Num_Acc,an,mois,jour,lum,agg\n",
    "lieux": "Num_Acc,catr\n",
    "vehicules": "Num_Acc,catv,obs,obsm,num_veh\n",
}
SMALL = {
    "caracteristiques": "201300000001,13,2,19,1,2\n",
    "lieux": "201300000001,3\n",
    "vehicules": "201300000001,07,00,,A01\n201300000001,33,00,1,B02\n",
}


def put(folder: Path, rows: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in rows.items():
        (folder / f"{name}_2013.csv.gz").write_bytes(gzip.compress((HEADERS[name] + text).encode("latin-1")))
    return folder


def test_a_small_source_needs_no_shared_data(tmp_path: Path) -> None:
    truth = enrich_baac(put(tmp_path / "source", SMALL), tmp_path / "out", dirt=False)
    assert truth.rows["vehicles_identity"] == 2
    assert truth.rows["caracteristiques_identity"] == 1
    text = (tmp_path / "out" / "usagers.csv").read_text(encoding="utf-8")
    assert [line.split(",")[3] for line in text.splitlines()].count("3") == 1, "one pedestrian"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ({"lieux": SMALL["lieux"], "vehicules": SMALL["vehicules"]}, "demo-source-absent"),
        (SMALL | {"lieux": "201300000001,SECRET\n"}, "demo-source-shape"),
        (SMALL | {"vehicules": "201300000099,07,00,,A01\n"}, "demo-source-shape"),
    ],
)
def test_a_source_that_is_not_one_is_refused_without_quoting_it(
    tmp_path: Path, rows: dict[str, str], code: str
) -> None:
    with pytest.raises(SourceError) as raised:
        enrich_baac(put(tmp_path / "source", rows), tmp_path / "out")
    assert raised.value.code == code
    assert "SECRET" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
