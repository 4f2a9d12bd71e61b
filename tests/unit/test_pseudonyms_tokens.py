"""Tokens: equal to the public library's AES-CMAC, value by value, on whatever Arrow array holds the values."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.errors import SecretError, UsageError
from curator.pseudonyms import TokenKernel

KEY = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
KERNEL = TokenKernel(KEY)
TYPES = [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()]


def by_library(value: bytes | str | None, *, key: bytes = KEY) -> bytes | None:
    if value is None:
        return None
    message = CMAC(algorithms.AES(key))
    message.update(value.encode() if isinstance(value, str) else value)
    return message.finalize()


def texts(lengths: np.ndarray, *, seed: int) -> list[str]:
    letters = np.random.default_rng(seed).integers(33, 127, int(lengths.sum()) + 1).astype(np.uint8).tobytes().decode()
    ends = np.cumsum(lengths)
    return [letters[end - length : end] for length, end in zip(lengths.tolist(), ends.tolist(), strict=True)]


# NIST SP 800-38B, appendix D.3 (AES-256): the message is the first bytes of this text of four blocks.
MESSAGE = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
VECTORS = [
    (0, "028962f61b7bf89efc6b551f4667d983"),
    (16, "28a7023f452e8f82bd4bf28d8c37c35c"),
    (40, "aaf3d8f1de5640c232f5b169b9c911e6"),
    (64, "e1992190549f6ed5696a2c056c315410"),
]


@pytest.mark.parametrize(("length", "token"), VECTORS)
def test_published_vectors(length: int, token: str) -> None:
    assert KERNEL.tokens(pa.array([MESSAGE[:length]])).to_pylist() == [bytes.fromhex(token)]


def test_published_vectors_in_one_column() -> None:
    column = pa.array([MESSAGE[:length] for length, _ in VECTORS])
    assert [token.hex() for token in KERNEL.tokens(column).to_pylist()] == [token for _, token in VECTORS]


@pytest.mark.parametrize("kind", TYPES, ids=str)
@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.none() | st.text(max_size=70), max_size=60), cut=st.integers(0, 60))
def test_equal_to_the_library_on_any_text(kind: pa.DataType, values: list[str | None], cut: int) -> None:
    column = pa.array(values, pa.string()).cast(kind)
    assert KERNEL.tokens(column).to_pylist() == [by_library(value) for value in values]
    assert KERNEL.tokens(column.slice(cut)).to_pylist() == [by_library(value) for value in values[cut:]]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.none() | st.binary(max_size=300), max_size=40))
def test_equal_to_the_library_on_any_bytes(values: list[bytes | None]) -> None:
    assert KERNEL.tokens(pa.array(values, pa.binary())).to_pylist() == [by_library(value) for value in values]


@pytest.mark.parametrize("length", [*range(0, 35), 47, 48, 49, 63, 64, 65, 253, 254, 255, 256, 257, 1000, 5000])
def test_columns_of_one_length(length: int) -> None:
    values = texts(np.full(40, length), seed=length)
    assert KERNEL.tokens(pa.array(values)).to_pylist() == [by_library(value) for value in values]


def test_every_length_in_one_column() -> None:
    lengths = np.random.default_rng(5).permutation(np.r_[0:600, 0:600, [4096, 9999]])
    values = texts(lengths, seed=1)
    assert KERNEL.tokens(pa.array(values)).to_pylist() == [by_library(value) for value in values]


@pytest.mark.parametrize("lengths", [(13, 14), (5, 41)], ids=["13", "5-40"])
@pytest.mark.parametrize("holes", [0, 0.3])
def test_columns_longer_than_one_pass(lengths: tuple[int, int], holes: float) -> None:
    random = np.random.default_rng(7)
    values: list[str | None] = list(texts(random.integers(*lengths, 300_000), seed=2))
    for row in np.flatnonzero(random.random(len(values)) < holes).tolist():
        values[row] = None
    tokens = KERNEL.tokens(pa.array(values, pa.string()))
    checked = [*range(0, 300_000, 997), *range(16_380, 16_390), *range(262_140, 262_150), 299_999]
    assert [tokens[row].as_py() for row in checked] == [by_library(values[row]) for row in checked]
    assert tokens.null_count == values.count(None)


@pytest.mark.parametrize("hole", [None, ""])
def test_one_length_with_holes(hole: str | None) -> None:
    values = [hole if row % 3 == 0 else f"{row:013d}" for row in range(1000)]
    assert KERNEL.tokens(pa.array(values)).to_pylist() == [by_library(value) for value in values]


def test_slices_equal_the_whole() -> None:
    values = texts(np.random.default_rng(3).integers(0, 61, 3000), seed=4)
    column = pa.array([None if row % 11 == 0 else value for row, value in enumerate(values)])
    whole = KERNEL.tokens(column).to_pylist()
    for offset, length in [(0, 0), (0, 1), (1, 7), (777, 1500), (2999, 1), (3000, 0)]:
        assert KERNEL.tokens(column.slice(offset, length)).to_pylist() == whole[offset : offset + length]


def test_chunks_dictionaries_nulls_and_nothing() -> None:
    values = ["a", None, "é", "", "a" * 40, "a"]
    expected = [by_library(value) for value in values]
    column = pa.array(values)
    assert KERNEL.tokens(pa.chunked_array([column[:2], column[2:2], column[2:]])).to_pylist() == expected
    assert KERNEL.tokens(column.dictionary_encode()).to_pylist() == expected
    assert KERNEL.tokens(pa.nulls(3)).to_pylist() == [None] * 3
    for nothing in (pa.array([], pa.string()), pa.chunked_array([], pa.string()), pa.array([], pa.large_binary())):
        tokens = KERNEL.tokens(nothing)
        assert (len(tokens), tokens.type) == (0, pa.binary(16))


def test_a_dictionary_with_a_null_value() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 0]), pa.array(["a", None]))
    assert KERNEL.tokens(column).to_pylist() == [by_library("a"), None, None, by_library("a")]


def test_nothing_of_a_hidden_value_shows_under_a_null() -> None:
    """A null may hide bytes: neither they nor their token may stay in the buffer of tokens."""
    shown = pa.array(["secret-value1", "public-value1"])
    hidden = pa.Array.from_buffers(pa.string(), 2, [pa.py_buffer(b"\x02"), *shown.buffers()[1:]])
    tokens = KERNEL.tokens(hidden)
    assert tokens.to_pylist() == [None, by_library("public-value1")]
    assert tokens.buffers()[1].to_pybytes()[:16] == bytes(16)


def test_the_result_is_well_formed() -> None:
    tokens = KERNEL.tokens(pa.array(["a", None, "b"]))
    tokens.validate(full=True)
    assert (tokens.type, tokens.null_count) == (pa.binary(16), 1)


def test_the_input_is_not_changed() -> None:
    column = pa.array(texts(np.full(100, 20), seed=9))
    before = column.to_pylist()
    KERNEL.tokens(column)
    assert column.to_pylist() == before


def test_fixed_size_binary_is_taken_as_its_bytes() -> None:
    assert KERNEL.tokens(pa.array([b"abcd", None], pa.binary(4))).to_pylist() == [by_library(b"abcd"), None]


@pytest.mark.parametrize("column", [pa.array([1]), pa.array([1.5]), pa.array([True]), pa.array([["a"]])], ids=str)
def test_other_types_are_refused(column: pa.Array) -> None:
    with pytest.raises(UsageError, match="token-type"):
        KERNEL.tokens(column)


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(31), bytes(33), bytes(64)])
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    with pytest.raises(SecretError, match="key-length-wrong"):
        TokenKernel(key)


def test_keys_give_unrelated_tokens() -> None:
    values = pa.array([f"{row:013d}" for row in range(2000)])
    other = TokenKernel(bytes(32)).tokens(values).to_pylist()
    assert not set(other) & set(KERNEL.tokens(values).to_pylist())


def test_order_of_tokens_says_nothing_about_values() -> None:
    tokens = KERNEL.tokens(pa.array([f"{row:013d}" for row in range(20_000)])).to_pylist()
    ranks = np.argsort(np.argsort(np.array([int.from_bytes(token[:8], "big") for token in tokens], np.uint64)))
    assert abs(np.corrcoef(ranks, np.arange(20_000))[0, 1]) < 0.03


def test_threads_share_one_kernel() -> None:
    columns = [pa.array(texts(np.random.default_rng(seed).integers(1, 60, 20_000), seed=seed)) for seed in range(6)]
    alone = [KERNEL.tokens(column) for column in columns]
    with ThreadPoolExecutor(4) as pool:
        assert all(left.equals(right) for left, right in zip(alone, pool.map(KERNEL.tokens, columns), strict=True))


def test_a_kernel_travels_to_another_process() -> None:
    column = pa.array(["a", "b" * 30])
    assert pickle.loads(pickle.dumps(KERNEL)).tokens(column).equals(KERNEL.tokens(column))


def test_the_key_does_not_show_in_the_representation() -> None:
    assert KEY.hex() not in repr(KERNEL)
    assert repr(KEY) not in repr(KERNEL)


def test_pandas_is_not_imported() -> None:
    program = (  # no pa.array here: it imports pandas itself
        "import sys, numpy as np, pyarrow as pa\n"
        "from curator.pseudonyms import TokenKernel, thresholds\n"
        "from curator.identifiers import FORMS, canonical, valid\n"
        "text = ['06 12 34 56 78', 'É\\u00e9', 'x' * 400, 'N/A', '\\u2019', '2840576451089']\n"
        "data = [value.encode() for value in text]\n"
        "ends = np.cumsum([0] + [len(value) for value in data], dtype=np.int32)\n"
        "values = pa.StringArray.from_buffers(len(data), pa.py_buffer(ends), pa.py_buffer(b''.join(data)))\n"
        "values = pa.concat_arrays([values, pa.nulls(2, pa.string())])\n"
        "values = pa.chunked_array([values, values.dictionary_encode().dictionary_decode()])\n"
        "for form in FORMS: canonical(values, form), valid(values, form)\n"
        "thresholds(TokenKernel(bytes(32)).tokens(values.drop_null()), [0.5, 0.5])\n"
        "print([name for name in ('pandas', 'great_expectations', 'datasets', 'duckdb') if name in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
