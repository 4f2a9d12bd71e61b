"""HMAC-SHA256 of a whole Arrow column (RFC 2104, FIPS 198-1), truncated to 16 bytes: the conservative method.

For holders whose rules name HMAC. SHA-256 has no bulk call as AES has, so values go one by one; two hash states, with
the key already in them, are copied for each, which halves the work, and a column that repeats is treated once a value.

The first 16 bytes are kept: half of the hash's output, the least that RFC 2104 (section 5) advises and 128 bits, as
many as a CMAC token has, so that the methods give one column type and one collision bound.
"""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pyarrow.compute as pc

from curator.pseudonyms._blocks import each
from curator.pseudonyms._cmac import TOKEN_BYTES
from curator.pseudonyms._keys import require_key

_BLOCK = 64  # bytes of SHA-256's block, to which RFC 2104 pads the key
_PROBED = 4_096


class HmacKernel:
    """The tokens of whole columns under one key; used as `TokenKernel` is.

    Equal, value by value, to the first 16 bytes of `hmac.digest(key, value, "sha256")`.

    Args:
        key: 32 bytes from `derive_key`.

    Raises:
        SecretError: `key-length-wrong` when the key is not 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        require_key(key, asked="make tokens")
        self._key = bytes(key)

    def tokens(self, array: pa.Array | pa.ChunkedArray) -> pa.FixedSizeBinaryArray:
        """The token of each value; null policy, types and errors as `TokenKernel.tokens`."""
        return each(array, self._tokens, kind=pa.binary(TOKEN_BYTES))

    def _tokens(self, array: pa.Array) -> pa.FixedSizeBinaryArray:
        if _repeats(array):
            encoded = pc.dictionary_encode(array)
            return self._one_by_one(encoded.dictionary).take(encoded.indices)
        return self._one_by_one(array)

    def _one_by_one(self, array: pa.Array) -> pa.FixedSizeBinaryArray:
        padded = self._key.ljust(_BLOCK, b"\0")
        inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
        values = array.to_pylist()
        tokens = b"".join(
            [bytes(TOKEN_BYTES) if value is None else _digest(inner, outer, value=value) for value in values]
        )
        valid = array.is_valid().buffers()[1] if array.null_count else None
        buffers = [valid, pa.py_buffer(tokens)]
        return pa.FixedSizeBinaryArray.from_buffers(pa.binary(TOKEN_BYTES), len(array), buffers, array.null_count)


def _digest(inner: hashlib._Hash, outer: hashlib._Hash, *, value: bytes) -> bytes:
    first, second = inner.copy(), outer.copy()
    first.update(value)
    second.update(first.digest())
    return second.digest()[:TOKEN_BYTES]


def _repeats(array: pa.Array) -> bool:
    """Whether the first values repeat enough to be treated once each."""
    probe = array.slice(0, _PROBED)
    return 2 * len(pc.unique(probe)) <= len(probe)
