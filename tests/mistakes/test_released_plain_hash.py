"""Mistake 1: a plain or publicly salted hash of an identifier leaves, and whoever lists the identifiers reads it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from mistakes.red import goes_red
from mistakes_world import delivered, made, plain_spec, rewritten, with_column, with_fields

from curator import receiving
from curator.attacks import _gate, dictionary_hits, prefixes
from curator.capital import Capital, _curation
from curator.errors import DisclosureError

SALT = "road-accidents"


def hashed_phones(base: Path, target: Path) -> Path:
    """The base with a column that somebody hashed before: each row's telephone, under a salt that the package names."""

    def contact(table: pa.Table) -> pa.Table:
        phones = table.column("phone").to_pylist()
        hashes = [hashlib.sha256((SALT + phone).encode()).hexdigest() if phone else None for phone in phones]
        return with_column(table, "contact", hashes)

    return rewritten(base, target, persons=contact)


def contact_spec() -> dict[str, Any]:
    contact = {"meaning": "Contact, hashed.", "identifier": "none", "because": "Somebody hashed it."}
    spec = with_fields(plain_spec(), contact=contact)
    spec["sources"]["persons"]["columns"]["contact"] = "text"
    return spec


def refused_at_once(folder: Path, base: Path) -> None:
    with pytest.raises(DisclosureError) as refused:
        made(folder / "capital", hashed_phones(base, folder / "base"), contact_spec())
    assert refused.value.code == "plain-hash"
    assert "sha256 with a public salt in contact" in refused.value.found
    assert not list((folder / "capital" / "datasets").glob("*/*"))


def test_it_is_refused_when_the_version_is_made(demo_base: Path, tmp_path: Path) -> None:
    """While the identifiers are at hand, they are tried: no luck is needed."""
    refused_at_once(tmp_path, demo_base)


def test_it_goes_red_when_no_identifier_is_tried(
    demo_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without both protections the package leaves, and whoever lists telephones reads those of the people in it."""
    monkeypatch.setattr(_curation, "refuse_plain_hashes", lambda *arguments, **named: None)
    monkeypatch.setattr(_gate, "dictionary_hits", lambda *arguments, **named: {})
    goes_red(lambda: refused_at_once(tmp_path, demo_base))
    capital = Capital.open(tmp_path / "capital")
    package = delivered(capital, [capital.datasets()[0]])
    phones = (
        parquet.read_table(demo_base / "persons.parquet", columns=["phone"]).column("phone").drop_null().to_pylist()
    )
    with receiving.open_package(package, trust=capital.holder_key()) as opened:
        released = {"contact": prefixes(opened.table("train").column("contact"))}
    read = sum(dictionary_hits(released, phones, salts=[SALT])["contact"].values())
    assert read > 0.9 * len(released["contact"]) > 100


def test_and_again_at_the_delivery_when_a_planted_identifier_is_known(
    demo_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the first protection the second holds: one planted telephone is enough."""
    monkeypatch.setattr(_curation, "refuse_plain_hashes", lambda *arguments, **named: None)
    base = hashed_phones(demo_base, tmp_path / "base")
    capital, version = made(tmp_path / "capital", base, contact_spec())
    written = set(version.table("train").column("contact").to_pylist())
    phones = parquet.read_table(base / "persons.parquet", columns=["phone"]).column("phone").to_pylist()
    planted = tmp_path / "canaries.txt"
    known = next(phone for phone in phones if phone and hashlib.sha256((SALT + phone).encode()).hexdigest() in written)
    planted.write_text(known, encoding="utf-8")
    with pytest.raises(DisclosureError) as refused:
        delivered(capital, [version.ref], canaries=planted)
    assert refused.value.code == "attack-succeeded"
    assert "public salt) in contact" in refused.value.found
    assert not list((capital.workspace.root / "releases").glob("*.cur"))


def test_no_token_of_a_version_is_a_transform_of_any_identifier_of_its_source(whole: Capital, demo_base: Path) -> None:
    """Every true identifier of the source is tried: nothing comes out; unkeyed, every one would."""
    version = whole.dataset(whole.datasets()[0])
    persons = parquet.read_table(demo_base / "persons.parquet")
    plates = parquet.read_table(demo_base / "vehicles.parquet", columns=["plate"])
    true = [value for name in ("nir", "licence_number") for value in persons.column(name).to_pylist() if value]
    true += [value for value in plates.column("plate").to_pylist() if value]
    fields = ("person", "driver_licence", "vehicle_plate")
    tokens = {name: prefixes(version.table("train").column(name)) for name in fields}
    assert all(len(values) > 100 for values in tokens.values())
    assert dictionary_hits(tokens, true[:2_000], salts=[version.manifest.name, "internal", "curator"]) == {}
    assert dictionary_hits({"person": prefixes(_hashes(true[:50]))}, true[:50])["person"]["sha1"] == len(set(true[:50]))


def _hashes(values: list[str]) -> pa.Array:
    return pa.array([hashlib.sha1(value.encode()).hexdigest() for value in values])
