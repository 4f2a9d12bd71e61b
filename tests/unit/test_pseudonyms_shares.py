"""Shares: exact, stable, the same for everyone who has the token."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.errors import UsageError
from curator.pseudonyms import TokenKernel, thresholds

TOKENS = TokenKernel(bytes(range(32))).tokens(pa.array([f"{row:08d}" for row in range(50_000)]))


def token(value: int) -> bytes:
    return value.to_bytes(8, "big") + b"\xff" * 8


def by_fractions(value: int, shares: list[Fraction]) -> int:
    """The definition, in exact arithmetic: the first i with v / 2**64 < shares[0] + ... + shares[i]."""
    return next(i for i in range(len(shares)) if Fraction(value, 1 << 64) < sum(shares[: i + 1]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, (1 << 64) - 1), min_size=1, max_size=20),
    st.lists(st.integers(0, 50), min_size=1, max_size=8).filter(any),
)
def test_equal_to_the_definition(values: list[int], weights: list[int]) -> None:
    shares = [Fraction(weight, sum(weights)) for weight in weights]
    edges = [int(sum(shares[:i]) * (1 << 64)) + step for i in range(len(shares)) for step in (-1, 0, 1)]
    values = values + [edge for edge in edges if 0 <= edge < 1 << 64]
    found = thresholds(pa.array([token(value) for value in values], pa.binary(16)), shares)
    assert found.tolist() == [by_fractions(value, shares) for value in values]


def test_edges_of_one_half() -> None:
    column = pa.array([token(v) for v in (0, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)], pa.binary(16))
    assert thresholds(column, [0.5, 0.5]).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "shares",
    [
        [0.8, 0.1, 0.1],
        [Decimal("0.8"), Decimal("0.1"), Decimal("0.1")],
        [Fraction(4, 5), "1/10", "0.1"],
    ],
)
def test_shares_are_read_as_written(shares: list[float | Decimal | Fraction | str]) -> None:
    found = thresholds(TOKENS, shares)
    assert found.dtype == np.int8
    assert np.array_equal(found, thresholds(TOKENS, [0.8, 0.1, 0.1]))
    assert np.abs(np.bincount(found) / len(TOKENS) - [0.8, 0.1, 0.1]).max() < 0.01


def test_empty_shares_get_no_row() -> None:
    found = thresholds(TOKENS, [0, 0.5, 0, 0.5, 0])
    assert set(found.tolist()) == {1, 3}
    assert set(thresholds(TOKENS, [1, 0]).tolist()) == {0}
    assert set(thresholds(TOKENS, [0, 1]).tolist()) == {1}


def test_a_row_does_not_move_when_the_data_grow() -> None:
    assert np.array_equal(thresholds(TOKENS[:1000], [0.8, 0.2]), thresholds(TOKENS, [0.8, 0.2])[:1000])
    assert np.array_equal(thresholds(TOKENS[500:700], [0.8, 0.2]), thresholds(TOKENS, [0.8, 0.2])[500:700])


def test_chunks_and_nothing() -> None:
    chunks = pa.chunked_array([TOKENS[:10], TOKENS[10:10], TOKENS[10:50]])
    assert np.array_equal(thresholds(chunks, [0.5, 0.5]), thresholds(TOKENS[:50], [0.5, 0.5]))
    assert thresholds(TOKENS[:0], [1]).tolist() == []
    assert thresholds(pa.chunked_array([], pa.binary(16)), [1]).tolist() == []


@pytest.mark.parametrize(
    "shares",
    [[], [0.5], [0.5, 0.6], [1.5, -0.5], [0.333, 0.333, 0.333], ["half", "half"], ["1/0"], [float("nan"), 1],
     [float("inf")], [80, 10, 10], [Fraction(1, 128)] * 128],
    ids=str,
)  # fmt: skip
def test_shares_that_cannot_be_used(shares: list[float]) -> None:
    with pytest.raises(UsageError, match="shares-not-one"):
        thresholds(TOKENS, shares)


def test_most_shares() -> None:
    assert thresholds(TOKENS, [Fraction(1, 127)] * 127).max() == 126


def test_a_null_token_has_no_place() -> None:
    with pytest.raises(UsageError, match="token-null"):
        thresholds(pa.array([token(1), None], pa.binary(16)), [0.5, 0.5])


@pytest.mark.parametrize("column", [pa.array(["a" * 16]), pa.array([b"a" * 16]), pa.array([b"a" * 8], pa.binary(8))])
def test_only_tokens_are_taken(column: pa.Array) -> None:
    with pytest.raises(UsageError, match="token-type"):
        thresholds(column, [1])
