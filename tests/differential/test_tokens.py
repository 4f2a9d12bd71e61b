"""A million random values, each token compared with the public library's: AES-CMAC, AES-SIV both ways, HMAC-SHA256."""

from __future__ import annotations

import hmac
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.cmac import CMAC

from curator.pseudonyms import HmacKernel, SivKernel, TokenKernel

ROWS = 1_000_000
KEY = bytes(range(32, 64))


@cache
def column(rows: int, *, seed: int) -> pa.Array:
    """Random bytes, every seventh value null: 0 to 60 of them, as many of each length on average, one in 50 to 300."""
    random = np.random.default_rng(seed)
    lengths = np.where(random.random(rows) < 0.02, random.integers(0, 301, rows), random.integers(0, 61, rows))
    ends = np.zeros(rows + 1, np.int32)
    np.cumsum(lengths, out=ends[1:])
    data = random.bytes(int(ends[-1]))
    valid = np.packbits(np.arange(rows) % 7 != 0, bitorder="little")
    return pa.Array.from_buffers(pa.binary(), rows, [pa.py_buffer(valid), pa.py_buffer(ends), pa.py_buffer(data)])


def cmac(value: bytes) -> bytes:
    message = CMAC(algorithms.AES(KEY))
    message.update(value)
    return message.finalize()


def test_cmac_equals_the_library_on_a_million_values() -> None:
    values = column(ROWS, seed=1)
    expected = [None if value is None else cmac(value) for value in values.to_pylist()]
    assert TokenKernel(KEY).tokens(values).to_pylist() == expected


@pytest.mark.parametrize("header", [(), (b"person",)], ids=["bare", "header"])
def test_siv_equals_the_library_on_a_million_values(header: tuple[bytes, ...]) -> None:
    values, kernel, library = column(ROWS, seed=2), SivKernel(KEY + KEY[::-1], header), AESSIV(KEY + KEY[::-1])
    tokens = kernel.seal(values)
    parts = list(header)
    expected = [None if value is None else library.encrypt(value, parts) for value in values.to_pylist()]
    assert tokens.to_pylist() == expected
    assert kernel.open(tokens).equals(values)


def test_padded_siv_opens_a_million_values() -> None:
    values, kernel = column(ROWS, seed=3), SivKernel(KEY + KEY[::-1], padded=True)
    tokens = kernel.seal(values)
    tokens.validate(full=True)
    assert kernel.open(tokens).equals(values)


def test_text_of_many_scripts() -> None:
    random = np.random.default_rng(5)
    letters = random.choice(list("aéßЖ漢字😀 -'\u0301"), (50_000, 40))
    lengths = random.integers(0, 41, len(letters)).tolist()
    words = ["".join(row[:length]) for row, length in zip(letters.tolist(), lengths, strict=True)]
    values, kernel, library = pa.array(words), SivKernel(KEY + KEY[::-1]), AESSIV(KEY + KEY[::-1])
    assert TokenKernel(KEY).tokens(values).to_pylist() == [cmac(word.encode()) for word in words]
    tokens = kernel.seal(values)
    assert tokens.to_pylist() == [library.encrypt(word.encode(), None) for word in words]
    assert kernel.open(tokens).cast(pa.string()).to_pylist() == words


def test_hmac_equals_the_library_on_many_values() -> None:
    values = column(ROWS // 4, seed=4)
    digests = (None if value is None else hmac.digest(KEY, value, "sha256")[:16] for value in values.to_pylist())
    assert HmacKernel(KEY).tokens(values).to_pylist() == list(digests)
