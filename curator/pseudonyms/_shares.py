"""Shares of rows by threshold on a token: the same row always falls on the same side, whatever else the table holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curator.errors import UsageError
from curator.pseudonyms._cmac import TOKEN_BYTES

Share: TypeAlias = "float | int | Decimal | Fraction | str"

_SPACE = 1 << 64
_MOST = 127


def thresholds(tokens: pa.Array | pa.ChunkedArray, shares: Sequence[Share]) -> npt.NDArray[np.int8]:
    """Split index of each row, from the first 8 bytes of its token read as one big-endian integer v.

    Row belongs to the first split i with v / 2**64 < shares[0] + ... + shares[i]. The comparison is exact: shares are
    read as written (0.1 is one tenth, not its nearest binary number) and v is held to the integer ceil(c * 2**64),
    which for an integer v is the same test. Tokens under a uniform key therefore fall in split i with probability
    shares[i], within 2**-64, and growing the table moves no row. Use a key of usage "split" here, not the tokens that
    are given away: else the split would be visible in the tokens.

    Args:
        tokens: fixed-size binary of 16 bytes, without nulls.
        shares: 1 to 127 shares, none negative, that sum to exactly 1; a third is `Fraction(1, 3)` or "1/3".

    Returns:
        int8 array of len(tokens), values 0..len(shares) - 1.

    Raises:
        UsageError: `token-type` for another type; `token-null` when a token is null (a row without identifier has no
            place of its own: the caller decides); `shares-not-one` when the shares cannot be used.
    """
    bounds = _bounds(shares)
    values = _leading_integers(tokens)
    index = np.zeros(len(values), np.int8)
    for bound in bounds:
        index += values >= bound
    return index


def _bounds(shares: Sequence[Share]) -> list[np.uint64]:
    """Lower bound of every split but the first; a bound of 2**64 is above every value and left out."""
    exact = _exact(shares)
    running = [sum(exact[: place + 1], Fraction(0)) for place in range(len(exact) - 1)]
    return [np.uint64(math.ceil(share * _SPACE)) for share in running if share < 1]


def _exact(shares: Sequence[Share]) -> list[Fraction]:
    try:
        exact = [Fraction(str(share)) for share in shares]
    except (ValueError, ZeroDivisionError):
        exact = []
    if not 1 <= len(exact) <= _MOST or min(exact) < 0 or sum(exact) != 1:
        raise UsageError(
            "shares-not-one",
            asked="divide rows by shares",
            found=f"{len(shares)} shares that cannot be used: {', '.join(str(share) for share in shares)[:80]}",
            expected=f"1 to {_MOST} shares from 0 to 1 that sum to exactly 1",
            todo="correct the shares, for example 0.8, 0.1, 0.1; write a third as 1/3",
        )
    return exact


def _leading_integers(tokens: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    if tokens.type != pa.binary(TOKEN_BYTES):
        raise UsageError(
            "token-type",
            asked="place rows by their tokens",
            found=f"a column of type {tokens.type}",
            expected=f"tokens: fixed-size binary of {TOKEN_BYTES} bytes",
            todo="make the tokens with curator.pseudonyms.TokenKernel",
        )
    if tokens.null_count:
        raise UsageError(
            "token-null",
            asked="place rows by their tokens",
            found=f"{tokens.null_count} of {len(tokens)} tokens are null",
            expected="a token in every row",
            todo="set aside the rows without identifier, or place them by another key column, before this step",
        )
    chunks = tokens.chunks if isinstance(tokens, pa.ChunkedArray) else [tokens]
    parts = [_first_halves(chunk) for chunk in chunks]
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def _first_halves(tokens: pa.Array) -> npt.NDArray[np.uint64]:
    if not len(tokens):
        return np.empty(0, np.uint64)
    halves = np.frombuffer(tokens.buffers()[1], ">u8")[2 * tokens.offset : 2 * (tokens.offset + len(tokens)) : 2]
    return halves.astype(np.uint64)
