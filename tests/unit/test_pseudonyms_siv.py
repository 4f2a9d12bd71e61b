"""AES-SIV: the vectors of RFC 5297, and equal to the public library value by value, both ways."""

import pickle

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.errors import IntegrityError, SecretError, UsageError
from curator.pseudonyms import KeyContext, SivKernel, derive_key, derive_siv_key

KEY = bytes(range(64))
LIBRARY = AESSIV(KEY)
TYPES = [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()]
HEADERS = [[], [b""], [b"curator", b"x" * 45]]


def padded(value: bytes) -> bytes:
    """ISO/IEC 7816-4."""
    return value + b"\x80" + bytes(-(len(value) + 1) % 16)


# RFC 5297, appendix A: deterministic authenticated encryption, and nonce-based with two headers and a nonce.
VECTORS = [
    (
        "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        ["101112131415161718191a1b1c1d1e1f2021222324252627"],
        "112233445566778899aabbccddee",
        "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c",
    ),
    (
        "7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f",
        [
            "00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100",
            "102030405060708090a0",
            "09f911029d74e35bd84156c5635688c0",
        ],
        "7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d414553",
        "7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c"
        "485b62a3fd5c0d",
    ),
]


@pytest.mark.parametrize(("key", "headers", "value", "token"), VECTORS)
def test_published_vectors(key: str, headers: list[str], value: str, token: str) -> None:
    kernel = SivKernel(bytes.fromhex(key), [bytes.fromhex(header) for header in headers])
    column = pa.array([bytes.fromhex(value)])
    assert kernel.seal(column).to_pylist() == [bytes.fromhex(token)]
    assert kernel.open(pa.array([bytes.fromhex(token)])).to_pylist() == column.to_pylist()


@pytest.mark.parametrize("headers", HEADERS, ids=len)
def test_every_length_in_one_column(headers: list[bytes]) -> None:
    lengths = np.random.default_rng(5).permutation(np.r_[0:300, 0:300, [1000, 5000]]).tolist()
    values = [np.random.default_rng(length).bytes(length) for length in lengths]
    kernel = SivKernel(KEY, headers)
    tokens = kernel.seal(pa.array(values, pa.binary()))
    assert tokens.to_pylist() == [LIBRARY.encrypt(value, headers) for value in values]
    assert kernel.open(tokens).to_pylist() == values


@pytest.mark.parametrize("pad", [False, True])
@pytest.mark.parametrize("length", [*range(0, 35), 47, 48, 49, 63, 64, 65, 79, 80, 128, 254, 255, 256, 257, 1000])
def test_columns_of_one_length(length: int, pad: bool) -> None:
    values = [np.random.default_rng(row).bytes(length) for row in range(40)]
    kernel = SivKernel(KEY, padded=pad)
    tokens = kernel.seal(pa.array(values, pa.binary()))
    assert tokens.to_pylist() == [LIBRARY.encrypt(padded(value) if pad else value, None) for value in values]
    assert kernel.open(tokens).to_pylist() == values


@pytest.mark.parametrize("pad", [False, True])
@pytest.mark.parametrize("last", [b"", b"x", b"x" * 16, b"x" * 70, b"x" * 300])
def test_short_values_among_long_ones(last: bytes, pad: bool) -> None:
    values = [b"a" * length for long in (17, 64, 65, 130, 255) for length in (0, 1, 15, long, 2, 0, long, long, 3)]
    kernel = SivKernel(KEY, padded=pad)
    tokens = kernel.seal(pa.array([*values, last]))
    assert tokens.to_pylist() == [LIBRARY.encrypt(padded(value) if pad else value, None) for value in [*values, last]]
    assert kernel.open(tokens).to_pylist() == [*values, last]


def test_the_empty_value_is_a_value_like_another() -> None:
    kernel = SivKernel(KEY)
    tokens = kernel.seal(pa.array([b"", None, b"a"]))
    assert tokens.to_pylist() == [LIBRARY.encrypt(b"", None), None, LIBRARY.encrypt(b"a", None)]
    assert kernel.open(tokens).to_pylist() == [b"", None, b"a"]


@pytest.mark.parametrize("kind", TYPES, ids=str)
@settings(max_examples=20, deadline=None)
@given(values=st.lists(st.none() | st.text(max_size=70), max_size=50), cut=st.integers(0, 50), pad=st.booleans())
def test_equal_to_the_library_on_any_text(kind: pa.DataType, values: list[str | None], cut: int, pad: bool) -> None:
    column = pa.array(values, pa.string()).cast(kind)
    kernel = SivKernel(KEY, padded=pad)
    octets = [None if value is None else value.encode() for value in values]
    expected = [None if value is None else LIBRARY.encrypt(padded(value) if pad else value, None) for value in octets]
    assert kernel.seal(column).to_pylist() == expected
    assert kernel.seal(column.slice(cut)).to_pylist() == expected[cut:]
    assert kernel.open(kernel.seal(column).slice(cut)).to_pylist() == octets[cut:]


@pytest.mark.parametrize("pad", [False, True])
@pytest.mark.parametrize("lengths", [(13, 14), (5, 41)], ids=["13", "5-40"])
def test_columns_longer_than_one_pass(lengths: tuple[int, int], pad: bool) -> None:
    random = np.random.default_rng(7)
    sizes = random.integers(*lengths, 70_000)
    letters = random.bytes(int(sizes.sum()))
    ends = np.cumsum(sizes)
    values: list[bytes | None] = [
        letters[end - size : end] for size, end in zip(sizes.tolist(), ends.tolist(), strict=True)
    ]
    for row in np.flatnonzero(random.random(len(values)) < 0.1).tolist():
        values[row] = None
    kernel = SivKernel(KEY, padded=pad)
    tokens = kernel.seal(pa.array(values, pa.binary()))
    tokens.validate(full=True)
    for row in [*range(0, 70_000, 397), *range(16_380, 16_390), *range(32_760, 32_775), 69_999]:
        value = values[row]
        expected = None if value is None else LIBRARY.encrypt(padded(value) if pad else value, None)
        assert tokens[row].as_py() == expected
    assert kernel.open(tokens).to_pylist() == values


def test_padding_shows_blocks_only() -> None:
    tokens = SivKernel(KEY, padded=True).seal(pa.array(["LI", "MONTMORENCY", "A" * 15, "A" * 16, ""]))
    assert [len(token) for token in tokens.to_pylist()] == [32, 32, 32, 48, 32]


def test_chunks_dictionaries_nulls_and_nothing() -> None:
    kernel = SivKernel(KEY)
    values = ["a", None, "é", "", "a" * 40, "a"]
    column = pa.array(values)
    expected = kernel.seal(column).to_pylist()
    assert kernel.seal(pa.chunked_array([column[:2], column[2:2], column[2:]])).to_pylist() == expected
    assert kernel.seal(column.dictionary_encode()).to_pylist() == expected
    assert kernel.seal(pa.nulls(3)).to_pylist() == [None] * 3
    for nothing in (pa.array([], pa.string()), pa.chunked_array([], pa.string())):
        assert (len(kernel.seal(nothing)), kernel.seal(nothing).type) == (0, pa.binary())


@pytest.mark.parametrize("pad", [False, True])
@pytest.mark.parametrize("size", [0, 5, 16, 17, 40, 300])
def test_a_changed_token_does_not_open(size: int, pad: bool) -> None:
    kernel = SivKernel(KEY, padded=pad)
    token = kernel.seal(pa.array([bytes(size)])).to_pylist()[0]
    for place in {0, len(token) // 2, len(token) - 1}:
        changed = token[:place] + bytes([token[place] ^ 1]) + token[place + 1 :]
        with pytest.raises(IntegrityError, match="token-not-authentic") as caught:
            kernel.open(pa.array([token, changed]))
        assert "1 of 2" in caught.value.found
    for cut in (token[:-1], token[:15], b"", token + b"\0"):
        with pytest.raises(IntegrityError, match="token-not-authentic"):
            kernel.open(pa.array([cut], pa.binary()))


def test_another_key_or_header_does_not_open() -> None:
    tokens = SivKernel(KEY, [b"person"]).seal(pa.array(["2840576451089"]))
    for other in (SivKernel(bytes(64), [b"person"]), SivKernel(KEY, [b"vehicle"]), SivKernel(KEY)):
        with pytest.raises(IntegrityError, match="token-not-authentic"):
            other.open(tokens)


def test_a_padding_that_is_none_does_not_open() -> None:
    unpadded = SivKernel(KEY).seal(pa.array([b"x" * 16, bytes(16)]))
    with pytest.raises(IntegrityError, match="2 of 2"):
        SivKernel(KEY, padded=True).open(unpadded)


@pytest.mark.parametrize("end", [b"\x80", b"\x80" + bytes(16), b"\x80" + bytes(20), b"\x81", b"\xff" * 16, b""])
def test_a_padding_of_another_length_does_not_open(end: bytes) -> None:
    for front in (b"", b"x" * 15, b"x" * 20, b"\xff" * 260):
        if front + end != padded(front):
            with pytest.raises(IntegrityError, match="1 of 1"):
                SivKernel(KEY, padded=True).open(SivKernel(KEY).seal(pa.array([front + end])))


def test_other_types_and_keys_are_refused() -> None:
    with pytest.raises(UsageError, match="token-type"):
        SivKernel(KEY).seal(pa.array([1]))
    for key in (b"", bytes(31), bytes(63), bytes(65)):
        with pytest.raises(SecretError, match="key-length-wrong"):
            SivKernel(key)


def test_a_kernel_travels_and_hides_its_key() -> None:
    kernel = SivKernel(KEY, [b"x"], padded=True)
    column = pa.array(["a", "b" * 30])
    assert pickle.loads(pickle.dumps(kernel)).seal(column).equals(kernel.seal(column))
    assert KEY.hex() not in repr(kernel)


def test_nothing_of_a_hidden_value_shows_under_a_null() -> None:
    shown = pa.array(["secret-value1", "public-value1"])
    hidden = pa.Array.from_buffers(pa.string(), 2, [pa.py_buffer(b"\x02"), *shown.buffers()[1:]])
    tokens = SivKernel(KEY).seal(hidden)
    assert tokens.to_pylist() == [None, LIBRARY.encrypt(b"public-value1", None)]
    assert len(tokens.buffers()[2]) == 29


def test_the_two_halves_of_a_key_are_keys_of_their_own() -> None:
    context = KeyContext(holder="h", purpose="p", recipient="r", epoch="1")
    key = derive_siv_key(bytes(32), context, domain="person")
    assert len(key) == 64
    assert key[:32] != key[32:]
    others = {derive_key(bytes(32), context, usage=usage, domain="person") for usage in ("token", "order")}
    assert not {key[:32], key[32:]} & others
