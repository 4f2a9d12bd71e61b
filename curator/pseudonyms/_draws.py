"""Keyed draws: numbers that look random, and are the same wherever the same token comes up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curator.errors import UsageError
from curator.pseudonyms._cmac import TOKEN_BYTES

_SPACE = float(1 << 53)


def draws(tokens: pa.Array) -> npt.NDArray[np.float64]:
    """Two uniform numbers in [0, 1) for each token, from the 53 first bits of each of its halves.

    Use tokens under a key of this usage alone, not those that are given away: else the draw could be read from them.

    Args:
        tokens: fixed-size binary of 16 bytes; what is drawn under a null has no meaning.

    Returns:
        (n, 2) floats.

    Raises:
        UsageError: `token-type` for another type.
    """
    if tokens.type != pa.binary(TOKEN_BYTES):
        raise UsageError(
            "token-type",
            asked="draw numbers from tokens",
            found=f"a column of type {tokens.type}",
            expected=f"tokens: fixed-size binary of {TOKEN_BYTES} bytes",
            todo="make the tokens with curator.pseudonyms.TokenKernel",
        )
    if not len(tokens):
        return np.empty((0, 2), np.float64)
    words = np.frombuffer(tokens.buffers()[1], ">u8")[2 * tokens.offset : 2 * (tokens.offset + len(tokens))]
    numbers: npt.NDArray[np.float64] = (words.astype(np.uint64) >> np.uint64(11)).reshape(-1, 2) / _SPACE
    return numbers
