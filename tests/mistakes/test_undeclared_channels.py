"""Mistake 6: somebody is found by what nobody declared: another column, a name of a file, a card, a log."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from capital_world import published
from mistakes.red import goes_red
from mistakes_world import delivered, made, plain_spec, rewritten, with_column, with_fields

from curator.attacks import _gate, canary_leaks
from curator.capital import Capital
from curator.cli import main
from curator.edges.parquet import _shard as writing
from curator.errors import DisclosureError
from curator.receiving import open_package
from curator.risk import _combinations

CANARIES = {
    "last_name": "GARGOUÏLLE-ZÉPHYRIN", "first_names": "Quetzalcóatl", "phone": "06 98 76 54 32",
    "email": "gargouille.z@canari.example", "nir": "1 84 12 76 451 089 46", "licence_number": "841276451089",
    "birth_place": "ZZCANARI", "city": "Canariville-sur-Mer",
}  # fmt: skip
NARRATIVE = "Le sieur GARGOUÏLLE-ZÉPHYRIN Quetzalcóatl, joignable au 06 98 76 54 32, a perdu le contrôle."
PLATE = "ZQ-987-ZQ"


@pytest.fixture(scope="module")
def planted(demo_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base with one invented person in forty of its rows, under every identifier that it has."""

    def persons(table):  # type: ignore[no-untyped-def]
        for name, value in CANARIES.items():
            values = table.column(name).to_pylist()
            table = with_column(table, name, [value if n % 50 == 7 else old for n, old in enumerate(values)])
        return table

    def accidents(table):  # type: ignore[no-untyped-def]
        values = table.column("narrative").to_pylist()
        return with_column(table, "narrative", [NARRATIVE if n % 20 == 3 else old for n, old in enumerate(values)])

    def vehicles(table):  # type: ignore[no-untyped-def]
        values = table.column("plate").to_pylist()
        return with_column(table, "plate", [PLATE if n % 20 == 3 else old for n, old in enumerate(values)])

    folder = tmp_path_factory.mktemp("planted") / "tables"
    return rewritten(demo_base, folder, persons=persons, accidents=accidents, vehicles=vehicles)


@pytest.fixture(scope="module")
def needles() -> list[str]:
    return [*CANARIES.values(), PLATE, NARRATIVE]


def test_a_planted_person_comes_out_nowhere(
    planted: Path, needles: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """In no published file, no member of the package, no name, no line printed: values, metadata, cards, evidence."""
    capital, version = made(tmp_path / "capital", planted, plain_spec())
    listed = tmp_path / "canaries.txt"
    listed.write_text("\n".join(needles), encoding="utf-8")
    package = delivered(capital, [version.ref], canaries=listed)
    root = capital.workspace.root
    main(["--capital", str(root), "risk", version.ref])
    main(["--capital", str(root), "trace", version.ref])
    contents: dict[str, bytes | Path] = {str(path.relative_to(root)): path for path in published(root)}
    printed = capfd.readouterr()
    contents |= {package.name: package, "printed": (printed.out + printed.err).encode()}
    assert len(contents) > 10
    assert canary_leaks(contents, needles) == ()
    attacks = json.loads(_deliver_facts(capital))["attacks"]
    assert attacks["canaries"] == len(needles)
    assert attacks["passed"]


def stays(field: str, planted: Path, needles: list[str], folder: Path) -> None:
    """A field of towns, in some of which nobody but the planted person lives, is refused at the door."""
    spec = with_fields(
        plain_spec(), town={"from": field, "meaning": "Where.", "identifier": "none", "because": "Trial."}
    )
    spec["sources"]["persons"]["columns"][field] = "text"
    capital, version = made(folder / "capital", planted, spec)
    listed = folder / "canaries.txt"
    listed.write_text("\n".join(needles), encoding="utf-8")
    with pytest.raises(DisclosureError) as refused:
        delivered(capital, [version.ref], canaries=listed)
    assert refused.value.code == "attack-succeeded"
    assert "town" in refused.value.found
    assert not any(needle in str(refused.value) for needle in needles)


@pytest.mark.parametrize("field", ["city", "birth_place"])
def test_a_field_that_brings_it_out_does_not_leave(
    field: str, planted: Path, needles: list[str], tmp_path: Path
) -> None:
    stays(field, planted, needles, tmp_path)


def test_it_goes_red_when_nobody_looks_for_it(
    planted: Path, needles: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the search the package leaves, and a plain search of its bytes finds the planted person."""
    monkeypatch.setattr(_gate, "canary_leaks", lambda *arguments: ())
    goes_red(lambda: stays("birth_place", planted, needles, tmp_path))
    [package] = (tmp_path / "capital" / "releases").glob("*.cur")
    with open_package(package, trust=Capital.open(tmp_path / "capital").holder_key()) as opened:
        assert CANARIES["birth_place"] in opened.table("train", columns=["town"]).column("town").to_pylist()


def column_is_named(whole: Capital) -> None:
    """`hour` and `vehicle_age` are declared as no identifier, and single people out beside those that are."""
    answer = whole.risk(whole.datasets()[0])
    exposure = answer.report.exposure
    assert exposure is not None
    assert {"hour", "vehicle_age"} <= set(exposure.undeclared)
    assert exposure.beside["hour"] > 0.1
    assert exposure.tried == exposure.possible


def test_a_column_that_nobody_declared_is_named(whole: Capital) -> None:
    column_is_named(whole)


def test_it_goes_red_when_only_declared_columns_are_looked_at(whole: Capital, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it nobody is told, and one more column than was declared leaves many people alone."""
    monkeypatch.setattr(_combinations, "_undeclared", lambda found, declared: ())
    goes_red(lambda: column_is_named(whole))
    version = whole.dataset(whole.datasets()[0])
    rows = [tuple(row.values()) for row in version.table("train", ["age_band", "sex", "zone", "hour"]).to_pylist()]
    assert sum(rows.count(row) == 1 for row in set(rows)) > len(rows) / 50


def no_statistics(whole: Capital, ref: str) -> None:
    version = whole.dataset(ref)
    for entry in version.manifest.files:
        if entry.split:
            metadata = parquet.read_metadata(version.folder / entry.path)
            columns = [metadata.row_group(0).column(n) for n in range(metadata.num_columns)]
            assert not any(column.is_stats_set for column in columns)


def test_no_statistics_in_what_is_written(whole: Capital) -> None:
    no_statistics(whole, whole.datasets()[0])


def test_it_goes_red_with_statistics(demo_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With them the youngest, the oldest and the first plate stand in the footer; the gate sees it at the door."""
    writer = writing.parquet.ParquetWriter
    monkeypatch.setattr(
        writing.parquet, "ParquetWriter", lambda *given, **named: writer(*given, **{**named, "write_statistics": True})
    )
    capital, version = made(tmp_path / "capital", demo_base, plain_spec())
    goes_red(lambda: no_statistics(capital, version.ref))
    shard = next(version.folder.glob("data/train/*.parquet"))
    group = parquet.read_metadata(shard).row_group(0)
    assert any(group.column(place).statistics.has_min_max for place in range(group.num_columns))
    with pytest.raises(DisclosureError, match="attack-succeeded"):
        delivered(capital, [version.ref])


def _deliver_facts(capital: Capital) -> str:
    found = [item.statement for item in capital.evidence.envelopes(capital.directory().keys())]
    facts = [statement.facts for statement in found if statement.stage == "deliver"]
    return json.dumps(facts[-1], default=dict)
