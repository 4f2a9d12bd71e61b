"""A digest of rows that does not ask for their order: equal rows give equal digests, whoever wrote them, however.

The SHA-256 of a file proves its bytes. Two engines, two orders of rows or two writers give other bytes of the same
rows; this digest tells that the rows are the same. It adds up, so that parts (batches, shards, splits) are digested
where they are. It is public and not cryptographic: it shows that two datasets are equal, not that nobody forged one.

The scheme `curator-rows-1`, all numbers modulo 2**64:

    cell   number (any width), boolean, date (days), moment (microseconds): its value
           float: the bits of the double, -0 as 0, every NaN alike
           16 bytes, decimal: low word + GOLD * high word (little-endian)
           text and other bytes: first 8 bytes (big-endian) of AES-256-CMAC under SHA-256("curator-rows-1")
           null: NULL
    row    r = sum over columns of cell * weight, the weight being the first 8 bytes (big-endian), made odd, of
           SHA-256("curator-rows-1" + NUL + kind + NUL + name of the column)
    rows   sum of mix(r) and sum of mix(r + GOLD), as 16 hexadecimal digits each; mix is the last step of MurmurHash3

So neither the order of columns nor the width of a number counts, but their names and kinds do. Two datasets that differ
by accident have the same digest with a probability of about 2**-64.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.arrow import integers, without_chunks
from curator.pseudonyms import TokenKernel

SCHEME = "curator-rows-1"
_GOLD = np.uint64(0x9E3779B97F4A7C15)
_NULL = np.uint64(0x6A09E667F3BCC908)
_NAN = np.uint64(0x7FF8000000000000)
_MIX = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))  # Appleby, MurmurHash3, fmix64
_SHIFT = np.uint64(33)
_SLICE = 1 << 15  # rows whose columns stay in the cache
_PROBED = 1_024
_MODULUS = 1 << 64

_Codes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class RowDigest:
    """The digest of some rows; digests of parts add up to that of the whole.

    Attributes:
        first, second: the two sums, from 0 to 2**64 - 1.
    """

    first: int = 0
    second: int = 0

    def __add__(self, other: RowDigest) -> RowDigest:
        return RowDigest((self.first + other.first) % _MODULUS, (self.second + other.second) % _MODULUS)

    def __str__(self) -> str:
        return f"{self.first:016x}{self.second:016x}"

    @classmethod
    def parse(cls, text: str) -> RowDigest:
        """The digest that `str` gives. Raises ValueError."""
        return cls(int(text[:16], 16), int(text[16:], 16))


def digest_rows(rows: pa.Table | pa.RecordBatch) -> RowDigest:
    """The digest of rows.

    Args:
        rows: columns of numbers, booleans, dates, timestamps, decimals, texts or bytes; nulls anywhere.

    Raises:
        TypeError: a column of another type.
    """
    total = RowDigest()
    batches = rows.to_batches(max_chunksize=_SLICE) if isinstance(rows, pa.Table) else [rows]
    for batch in batches:
        for start in range(0, len(batch), _SLICE):
            total += _digest(batch.slice(start, _SLICE))
    return total


def digest_file(path: Path) -> RowDigest:
    """The digest of the rows of a Parquet file, read a batch at a time. Raises ArrowException and OSError."""
    with parquet.ParquetFile(path) as file:
        return sum((digest_rows(batch) for batch in file.iter_batches(_SLICE)), RowDigest())


def _digest(batch: pa.RecordBatch) -> RowDigest:
    codes = row_codes(batch)
    return RowDigest(_mixed(codes), _mixed(codes + _GOLD))


def row_codes(batch: pa.RecordBatch) -> _Codes:
    """The code of each row, as in the scheme above, before it is mixed. Raises TypeError likewise."""
    codes = np.zeros(len(batch), np.uint64)
    for field, column in zip(batch.schema, batch.columns, strict=True):
        weight = _weight(_kind(field.type), field.name)
        codes += _cells(without_chunks(column)) * weight
    return codes


def _mixed(codes: _Codes) -> int:
    """The sum of the mixed codes."""
    mixed = codes ^ (codes >> _SHIFT)
    for factor in _MIX:
        mixed *= factor
        mixed ^= mixed >> _SHIFT
    return int(np.add.reduce(mixed))


@cache
def _weight(kind: str, name: str) -> np.uint64:
    digest = hashlib.sha256("\0".join((SCHEME, kind, name)).encode()).digest()
    return np.uint64(int.from_bytes(digest[:8], "big") | 1)


@cache
def _kernel() -> TokenKernel:
    return TokenKernel(hashlib.sha256(SCHEME.encode()).digest())


def _kind(type_: pa.DataType) -> str:
    """What the values are, whatever their width."""
    kinds = pa.types
    if kinds.is_dictionary(type_):
        return _kind(type_.value_type)
    if kinds.is_decimal(type_):
        return f"decimal {type_.scale}"
    for name, tests in (
        ("number", (kinds.is_integer,)),
        ("boolean", (kinds.is_boolean,)),
        ("date", (kinds.is_date32,)),
        ("moment", (kinds.is_timestamp,)),
        ("float", (kinds.is_floating,)),
        ("text", (kinds.is_string, kinds.is_large_string, kinds.is_string_view, kinds.is_null)),
        ("bytes", (kinds.is_binary, kinds.is_large_binary, kinds.is_fixed_size_binary)),
    ):
        if any(test(type_) for test in tests):
            return name
    raise TypeError(f"no row digest over a column of type {type_}")


def _cells(column: pa.Array) -> _Codes:
    """One code per cell."""
    if pa.types.is_null(column.type):
        return np.full(len(column), _NULL)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    codes = _values(column)
    if column.null_count:
        valid = integers(pc.cast(column.is_valid(), pa.uint8())).view(np.bool_)
        codes = np.where(valid, codes, _NULL)
    return codes


def _values(column: pa.Array) -> _Codes:
    """The code of each value; what stands under a null is undefined."""
    kinds, type_ = pa.types, column.type
    if kinds.is_integer(type_):
        return integers(column).astype(np.int64).view(np.uint64)
    if kinds.is_boolean(type_):
        return integers(pc.cast(column, pa.uint8())).astype(np.uint64)
    if kinds.is_date32(type_):
        return integers(column.view(pa.int32())).astype(np.int64).view(np.uint64)
    if kinds.is_timestamp(type_):
        micro = column.cast(pa.timestamp("us", type_.tz), safe=False)
        return integers(micro.view(pa.int64())).view(np.uint64)
    if kinds.is_floating(type_):
        return _floats(column.cast(pa.float64()))
    if kinds.is_decimal128(type_) or (kinds.is_fixed_size_binary(type_) and type_.byte_width == 16):
        return _words(column)
    return _texts(column)


def _floats(column: pa.Array) -> _Codes:
    if not len(column):
        return np.empty(0, np.uint64)
    values = np.frombuffer(column.buffers()[1], np.float64)[column.offset : column.offset + len(column)]
    codes = (values + 0.0).view(np.uint64)  # -0.0 + 0.0 is 0.0
    return np.where(np.isnan(values), _NAN, codes)


def _words(column: pa.Array) -> _Codes:
    if not len(column):
        return np.empty(0, np.uint64)
    words = np.frombuffer(column.buffers()[1], "<u8")[2 * column.offset : 2 * (column.offset + len(column))]
    codes: _Codes = words[::2] + words[1::2] * _GOLD
    return codes


def _texts(column: pa.Array) -> _Codes:
    probe = column.slice(0, _PROBED)
    if 2 * len(probe.unique()) > len(probe):
        return _hashed(column)
    encoded = pc.dictionary_encode(column)
    known = np.append(_hashed(encoded.dictionary), _NULL)
    places = integers(encoded.indices)
    if encoded.indices.null_count:
        places = np.where(integers(pc.cast(encoded.indices.is_valid(), pa.uint8())) == 1, places, len(known) - 1)
    codes: _Codes = known[places]
    return codes


def _hashed(column: pa.Array) -> _Codes:
    if not len(column):
        return np.empty(0, np.uint64)
    tokens = _kernel().tokens(column)
    words = np.frombuffer(tokens.buffers()[1], ">u8")[2 * tokens.offset : 2 * (tokens.offset + len(tokens))]
    return words[::2].astype(np.uint64)
