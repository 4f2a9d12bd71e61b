"""The digest of rows asks neither for their order nor for the width of a number, and sees every change of a cell."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from curator.rowdigest import RowDigest, digest_rows

GOLD, NULL, WORD = 0x9E3779B97F4A7C15, 0x6A09E667F3BCC908, (1 << 64) - 1
SCHEMA = pa.schema([
    ("number", pa.int64()), ("yes", pa.bool_()), ("day", pa.date32()), ("at", pa.timestamp("us")),
    ("share", pa.float64()), ("money", pa.decimal128(18, 2)), ("name", pa.string()), ("token", pa.binary(16)),
])  # fmt: skip
ROWS = [
    (1, True, date(1899, 12, 31), datetime(2024, 2, 29, 1, 2, 3, 4), 0.5, Decimal("12.34"), "Été", b"0" * 16),
    (-1, False, date(1970, 1, 1), datetime(1969, 1, 1), -0.0, Decimal("-0.01"), "", bytes(range(16))),
    (None,) * 8,
    (2**62, None, date(9999, 12, 31), None, float("nan"), None, "x" * 300, None),
]


def table(rows: list[tuple[Any, ...]] = ROWS) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)


def plain_cell(kind: str, value: Any) -> int:
    if value is None:
        return NULL
    if kind == "date":
        return (value - date(1970, 1, 1)).days
    if kind == "moment":
        span = value.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        return (span.days * 86_400 + span.seconds) * 10**6 + span.microseconds
    if kind == "float":
        bits = struct.pack("<d", value + 0.0) if value == value else b"\0\0\0\0\0\0\xf8\x7f"
        return int.from_bytes(bits, "little")
    if kind == "text":
        mac = CMAC(AES(hashlib.sha256(b"curator-rows-1").digest()))
        mac.update(value.encode())
        return int.from_bytes(mac.finalize()[:8], "big")
    if kind in ("bytes", "decimal 2"):
        raw = value if kind == "bytes" else int(value.scaleb(2)).to_bytes(16, "little", signed=True)
        low, high = struct.unpack("<QQ", raw)
        return low + GOLD * high
    return int(value)


def plain_digest(rows: list[tuple[Any, ...]]) -> str:
    """The scheme in plain integers."""
    kinds = ("number", "boolean", "date", "moment", "float", "decimal 2", "text", "bytes")
    sums = [0, 0]
    for row in rows:
        code = 0
        for name, kind, value in zip(SCHEMA.names, kinds, row, strict=True):
            digest = hashlib.sha256("\0".join(("curator-rows-1", kind, name)).encode()).digest()
            code += plain_cell(kind, value) * (int.from_bytes(digest[:8], "big") | 1)
        for place in (0, 1):
            mixed = (code + place * GOLD) & WORD
            mixed ^= mixed >> 33
            for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
                mixed = mixed * factor & WORD
                mixed ^= mixed >> 33
            sums[place] = (sums[place] + mixed) & WORD
    return "".join(f"{value:016x}" for value in sums)


def test_the_scheme_is_what_its_page_says() -> None:
    assert str(digest_rows(table())) == plain_digest(ROWS)


def test_neither_order_nor_batches_nor_columns_count() -> None:
    many = table(ROWS * 20_000)
    shuffled = many.take(pa.array(np.random.default_rng(3).permutation(len(many)).tolist()))
    assert digest_rows(shuffled) == digest_rows(many)
    assert digest_rows(many.select(list(reversed(SCHEMA.names)))) == digest_rows(many)
    parts = [digest_rows(batch) for batch in shuffled.to_batches(max_chunksize=777)]
    assert sum(parts, RowDigest()) == digest_rows(many)


def test_the_same_values_in_other_types_are_the_same() -> None:
    plain = pa.table({"n": pa.array([1, None, -3], pa.int64()), "s": ["a", "b", None]})
    other = pa.table({"n": pa.array([1, None, -3], pa.int8()), "s": pa.array(["a", "b", None]).dictionary_encode()})
    assert digest_rows(plain) == digest_rows(other)
    assert digest_rows(plain.slice(1)) == digest_rows(other.slice(1))
    large = pa.table({"n": plain["n"], "s": plain["s"].cast(pa.large_string())})
    assert digest_rows(plain) == digest_rows(large)


@pytest.mark.parametrize("place", range(8))
def test_every_cell_counts(place: int) -> None:
    changed = [(*row[:place], None, *row[place + 1 :]) for row in ROWS]
    for row in (0, 1):
        assert digest_rows(table([*ROWS[:row], changed[row], *ROWS[row + 1 :]])) != digest_rows(table())


def test_cells_that_change_rows_or_columns_are_seen() -> None:
    assert digest_rows(pa.table({"a": [1, 2], "b": [1, 2]})) != digest_rows(pa.table({"a": [1, 2], "b": [2, 1]}))
    assert digest_rows(pa.table({"a": [1], "b": [2]})) != digest_rows(pa.table({"a": [2], "b": [1]}))
    assert digest_rows(pa.table({"a": [1]})) != digest_rows(pa.table({"c": [1]}))
    assert digest_rows(pa.table({"a": [1]})) != digest_rows(pa.table({"a": [1, 1]}))
    assert digest_rows(pa.table({"a": ["1"]})) != digest_rows(pa.table({"a": [1]}))


def test_no_row_has_a_digest_too() -> None:
    assert str(digest_rows(table([]))) == "0" * 32


def test_a_column_without_a_rule_is_refused() -> None:
    with pytest.raises(TypeError):
        digest_rows(pa.table({"a": [[1]]}))
