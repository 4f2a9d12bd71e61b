"""HMAC-SHA256 tokens: RFC 4231's vectors, cut to 16 bytes, equal to the standard library's; and the collision bound."""

import hmac
import pickle

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.errors import SecretError, UsageError
from curator.pseudonyms import HmacKernel, collision_bound
from curator.pseudonyms import _hmac as room

KEY = bytes(range(32))


def by_library(value: bytes | str | None) -> bytes | None:
    octets = value.encode() if isinstance(value, str) else value
    return None if octets is None else hmac.digest(KEY, octets, "sha256")[:16]


# RFC 4231, test cases 1 to 4: keys shorter than 32 bytes, which RFC 2104 fills with zeros (case 5 is the truncation).
VECTORS = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c7"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a7"),
    (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a"),
    (b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
]


@pytest.mark.parametrize(("key", "value", "token"), VECTORS)
def test_published_vectors(key: bytes, value: bytes, token: str) -> None:
    kernel = HmacKernel(key.ljust(32, b"\0"))
    assert kernel.tokens(pa.array([value])).to_pylist() == [bytes.fromhex(token)]


@settings(max_examples=50, deadline=None)
@given(values=st.lists(st.none() | st.text(max_size=90), max_size=40), cut=st.integers(0, 40))
def test_equal_to_the_library_on_any_text(values: list[str | None], cut: int) -> None:
    column = pa.array(values, pa.string())
    assert HmacKernel(KEY).tokens(column).to_pylist() == [by_library(value) for value in values]
    assert HmacKernel(KEY).tokens(column.slice(cut)).to_pylist() == [by_library(value) for value in values[cut:]]


def test_a_column_that_repeats_is_treated_once_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bytes] = []
    digest = room._digest
    monkeypatch.setattr(room, "_digest", lambda *parts, value: calls.append(value) or digest(*parts, value=value))
    values = ["a", "b", None] * 500
    assert HmacKernel(KEY).tokens(pa.array(values)).to_pylist() == [by_library(value) for value in values]
    assert len(calls) == 2


def test_shapes_of_columns() -> None:
    kernel, column = HmacKernel(KEY), pa.array(["a", None, "é"])
    expected = [by_library(value) for value in ("a", None, "é")]
    assert kernel.tokens(pa.chunked_array([column[:1], column[1:]])).to_pylist() == expected
    assert kernel.tokens(column.dictionary_encode()).to_pylist() == expected
    assert kernel.tokens(pa.nulls(2)).to_pylist() == [None, None]
    assert kernel.tokens(pa.array([], pa.string())).type == pa.binary(16)
    kernel.tokens(column).validate(full=True)
    assert pickle.loads(pickle.dumps(kernel)).tokens(column).to_pylist() == expected


def test_refusals() -> None:
    with pytest.raises(UsageError, match="token-type"):
        HmacKernel(KEY).tokens(pa.array([1.0]))
    with pytest.raises(SecretError, match="key-length-wrong"):
        HmacKernel(bytes(31))


def test_the_collision_bound_is_the_birthday_bound() -> None:
    assert collision_bound(0) == collision_bound(1) == 0
    assert collision_bound(2) == 2.0**-128
    assert collision_bound(10**7) == pytest.approx(1.47e-25, rel=0.01)
    assert collision_bound(10**9, bits=96) < 1e-11
    assert collision_bound(2**80) == 1.0
    with pytest.raises(UsageError, match="token-too-short"):
        collision_bound(10, bits=64)
