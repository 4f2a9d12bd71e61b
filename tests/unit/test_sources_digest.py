"""The digest of what a live source handed over: the same however the rows are cut, another for any other cell."""

from __future__ import annotations

import datetime
import decimal
import hashlib
import hmac
import json
import struct
from itertools import pairwise

import pyarrow as pa
import pytest

from curator.errors import SecretError
from curator.sources._digest import RowsDigest

KEY = b"k" * 32
DAY = datetime.date(2024, 2, 29)
COLUMNS: dict[str, pa.Array] = {
    "whole": pa.array([1, None, -3, 4, 5], pa.int32()),
    "text": pa.array(["é", None, "", "deux", "cinq"]),
    "long": pa.array([None, "b", "c", "", "e"], pa.large_string()),
    "real": pa.array([0.5, float("nan"), None, -0.0, 1e308]),
    "truth": pa.array([True, None, False, True, False]),
    "day": pa.array([DAY, None, *(DAY + datetime.timedelta(n) for n in range(1, 4))]),
    "moment": pa.array([None, 1, 2, 3, 4], pa.timestamp("us")),
    "exact": pa.array([decimal.Decimal("1.25"), None, None, decimal.Decimal("-2.50"), None], pa.decimal128(18, 2)),
    "bytes": pa.array([b"\0", b"", None, b"12", b"3"], pa.binary()),
    "fixed": pa.array([b"ab", None, b"cd", b"ef", b"gh"], pa.binary(2)),
    "nothing": pa.nulls(5, pa.string()),
}
ROWS = pa.record_batch(COLUMNS)


def digest(*batches: pa.RecordBatch, key: bytes = KEY) -> str:
    taken = RowsDigest(key, batches[0].schema)
    for batch in batches:
        taken.add(batch)
    return taken.hexdigest()


@pytest.mark.parametrize("cuts", [(1,), (2, 2), (0, 3, 3), (1, 2, 3, 4), (5,)])
def test_it_does_not_tell_batches_apart(cuts: tuple[int, ...]) -> None:
    ends = (0, *cuts, len(ROWS))
    parts = [ROWS.slice(start, end - start) for start, end in pairwise(ends)]
    assert digest(*parts) == digest(ROWS)


def test_what_stands_beneath_a_null_does_not_count() -> None:
    hidden = pa.Array.from_buffers(pa.int32(), 3, [pa.py_buffer(b"\x05"), pa.py_buffer(struct.pack("<3i", 1, 99, 3))])
    assert hidden.to_pylist() == [1, None, 3]
    assert digest(pa.record_batch({"n": hidden})) == digest(pa.record_batch({"n": pa.array([1, None, 3], pa.int32())}))


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "nothing"])
def test_every_cell_and_every_null_counts(name: str) -> None:
    place = ROWS.schema.get_field_index(name)
    seen = {digest(ROWS)}
    orders = [[1, 0, 2, 3, 4], [0, 1, 2, 3, 3], [2, 1, 2, 3, 4]]
    changed = [ROWS.column(place).take(pa.array(order)) for order in orders]
    changed.append(pa.nulls(5, ROWS.column(place).type))
    for column in changed:
        seen.add(digest(ROWS.set_column(place, name, column)))
    assert len(seen) == 1 + len(changed)


def test_bounds_between_texts_names_types_rows_and_the_key_count() -> None:
    def of(values: list[str | None], name: str = "t", kind: pa.DataType | None = None) -> str:
        return digest(pa.record_batch({name: pa.array(values, kind or pa.string())}))

    seen = [of(["ab", "c"]), of(["a", "bc"]), of(["abc", ""]), of(["abc"]), of(["abc", None]), of(["abc"], "u"),
            of(["abc"], kind=pa.large_string()), of([]), of([None]), of([None, None])]  # fmt: skip
    assert len(set(seen)) == len(seen)
    assert digest(ROWS, key=b"l" * 32) != digest(ROWS)
    with pytest.raises(SecretError):
        RowsDigest(b"short", ROWS.schema)


def test_it_is_the_one_that_the_module_states() -> None:
    rows = pa.record_batch({"n": pa.array([7, None], pa.int64()), "t": pa.array([None, "ab"])})
    hashed = [hashlib.sha256(part).digest() for part in (
        struct.pack("<Q", 1), struct.pack("<q", 7), b"", struct.pack("<Q", 0), b"ab", struct.pack("<i", 2),
    )]  # fmt: skip
    text = json.dumps([["n", "int64"], ["t", "string"]]).encode() + struct.pack("<Q", 2) + b"".join(hashed)
    assert digest(rows) == hmac.new(KEY, text, "sha256").hexdigest()


def test_cells_of_any_other_type_are_hashed_too() -> None:
    lists = [pa.record_batch({"l": pa.array(values)}) for values in ([[1, 2], None], [[1], [2]])]
    assert len({digest(rows) for rows in lists}) == 2
