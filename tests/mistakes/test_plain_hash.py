"""Mistake: a plain or publicly salted hash of an identifier whose space can be listed.

The attacker lists identifiers and every public way to hash them, and looks each up in the released column. Here the
list holds the true ones, so a single hit means that the whole space, some hundred million plates, falls in a minute.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from capital_world import curate, empty_capital, spec_value
from mistakes.red import goes_red

from curator.errors import DisclosureError
from curator.identifiers import canonical
from curator.pseudonyms import HmacKernel, SivKernel, TokenKernel

HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")
SALTS = (b"", b"road-accidents", b"internal", b"Road safety observatory", b"salt", b"1")


@pytest.fixture(params=["cmac", "hmac-sha256", "siv"])
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def spellings(values: list[str]) -> Iterator[bytes]:
    for value in values:
        yield from {value.encode(), value.lower().encode(), value.replace("-", "").replace(" ", "").encode()}


def guesses(values: list[str]) -> Iterator[bytes]:
    """Every public transform of every spelling, whole and cut to 16 bytes, as bytes and as text."""
    for value in spellings(values):
        yield value
        yield zlib.crc32(value).to_bytes(16, "big")
        for name in HASHES:
            for salt in SALTS:
                for text in (salt + value, value + salt):
                    digest = hashlib.new(name, text).digest()
                    yield from (digest, digest[:16], digest.hex().encode(), base64.b64encode(digest))


def attack(folder: Path, base: Path, method: str) -> None:
    """Release plates and look every guess up."""
    value = spec_value(disclosure={"k": 1, "suppress": 0.5})
    value["fields"]["vehicle_plate"]["method"] = method
    version = curate(empty_capital(folder / "capital"), base, spec=value)
    released = set()
    for split in version.splits:
        released |= set(version.table(split, ["vehicle_plate"])["vehicle_plate"].drop_null().to_pylist())
    plates = parquet.read_table(base / "vehicles.parquet")["plate"].cast(pa.string()).combine_chunks()
    known = [*plates.drop_null().to_pylist()[:300], *canonical(plates, "plate").drop_null().to_pylist()[:300]]
    assert released
    hits = sum(guess in released for guess in guesses(known))
    assert hits == 0, f"{hits} identifiers recovered by public hashes"


def test_no_public_hash_recovers_an_identifier(tmp_path: Path, demo_base: Path, method: str) -> None:
    attack(tmp_path, demo_base, method)


def unkeyed(self: object, array: pa.Array) -> pa.Array:
    texts = array.cast(pa.binary()).to_pylist()
    return pa.array([None if text is None else hashlib.sha256(text).digest()[:16] for text in texts], pa.binary(16))


def test_it_goes_red_without_the_key(
    tmp_path: Path, demo_base: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenKernel, "tokens", unkeyed)
    monkeypatch.setattr(HmacKernel, "tokens", unkeyed)
    monkeypatch.setattr(SivKernel, "seal", unkeyed)
    goes_red(lambda: attack(tmp_path, demo_base, method), refused=(DisclosureError,))
