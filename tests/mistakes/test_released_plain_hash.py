"""Mistake 1: a plain or publicly salted hash of an identifier leaves, and whoever lists the identifiers reads it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from mistakes_world import delivered, made, plain_spec, rewritten, with_column, with_fields

from curator.attacks import dictionary_hits, prefixes
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


def test_it_is_refused_when_the_version_is_made(demo_base: Path, tmp_path: Path) -> None:
    """While the identifiers are at hand, they are tried: no luck is needed."""
    base = hashed_phones(demo_base, tmp_path / "base")
    with pytest.raises(DisclosureError) as refused:
        made(tmp_path / "capital", base, contact_spec())
    assert refused.value.code == "plain-hash"
    assert "sha256 with a public salt in contact" in refused.value.found
    assert not list((tmp_path / "capital" / "datasets").glob("*/*"))


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
