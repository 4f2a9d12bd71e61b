"""Text columns as byte matrices: one row per value, zero bytes are nothing and vanish on the way to Arrow.

A matrix of width w holds values of up to w UTF-8 bytes; parts are set side by side and optional parts are zeroed, so
one compression at the end gives values of any length without a Python object per row.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curator.demo._mixing import Mask, Numbers

Text: TypeAlias = npt.NDArray[np.uint8]


def matrix(values: Sequence[str]) -> Text:
    """The values as rows of one byte matrix, padded with zeros to the longest."""
    encoded = [value.encode() for value in values]
    width = max(1, *(len(value) for value in encoded))
    return np.frombuffer(b"".join(value.ljust(width, b"\0") for value in encoded), dtype=np.uint8).reshape(-1, width)


def constant(value: str, rows: int) -> Text:
    """The same value on every row."""
    return np.broadcast_to(np.frombuffer(value.encode(), dtype=np.uint8), (rows, len(value.encode())))


def digits(numbers: Numbers, width: int) -> Text:
    """Decimal digits, zero-padded to `width`; higher digits are dropped."""
    rest = numbers.astype(np.uint64) if width > 9 else numbers.astype(np.uint32)
    out = np.empty((len(rest), width), dtype=np.uint8)
    for column in range(width - 1, -1, -1):
        quotient = rest // 10
        out[:, column] = rest - quotient * 10
        rest = quotient
    out += 48
    return out


def plain_number(numbers: Numbers, width: int) -> Text:
    """Decimal digits without leading zeros (0 gives "0"), at most `width` of them."""
    out = digits(numbers, width)
    started = np.zeros(len(numbers), dtype=bool)
    for column in range(width - 1):
        started |= out[:, column] != 48
        out[~started, column] = 0
    return out


def letters(numbers: Numbers, alphabet: str) -> Text:
    """One letter a row: the letter of `alphabet` at each position."""
    return np.frombuffer(alphabet.encode(), dtype=np.uint8)[numbers][:, None]


def join(parts: Sequence[Text | str]) -> Text:
    """Parts side by side; a `str` is repeated on every row."""
    rows = next(len(part) for part in parts if not isinstance(part, str))
    return np.concatenate([constant(part, rows) if isinstance(part, str) else part for part in parts], axis=1)


def only(text: Text | str, where: Mask) -> Text:
    """The text where the mask holds, nothing elsewhere."""
    full = constant(text, len(where)) if isinstance(text, str) else text
    return full * where[:, None]


def blank(text: Text, where: Mask) -> Text:
    """The text with the rows of the mask emptied, in place."""
    text[where] = 0
    return text


def choose(where: Mask, yes: Text | str, *, no: Text) -> Text:
    """`yes` where the mask holds, `no` elsewhere."""
    return join([only(yes, where), only(no, ~where)])


def upper(text: Text, where: Mask) -> Text:
    """Capital letters, in place, on the rows of the mask: ASCII and the accented letters U+00E0 to U+00FE."""
    rows = text[where]
    rows[(rows >= 97) & (rows <= 122)] -= 32
    accented = np.zeros(rows.shape, dtype=bool)
    accented[:, 1:] = (rows[:, :-1] == 0xC3) & (rows[:, 1:] >= 0xA0) & (rows[:, 1:] != 0xB7)
    rows[accented] -= 32
    text[where] = rows
    return text


def to_arrow(text: Text, *, nulls: Mask | None = None) -> pa.StringArray:
    """A string array of the rows; an empty row is an empty string, not a null.

    Where `nulls` holds the value is null, and the row of `text` is blanked in place.
    """
    rows = len(text)
    if nulls is not None:
        text[nulls] = 0
    offsets = np.zeros(rows + 1, dtype=np.int32)
    np.cumsum(np.add.reduce((text != 0).view(np.uint8), axis=1, dtype=np.uint16), out=offsets[1:])
    data = text.tobytes().translate(None, b"\0")  # several times faster than a boolean index
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data), validity(nulls))


def validity(nulls: Mask | None) -> pa.Buffer | None:
    """Arrow's validity bitmap of a null mask."""
    if nulls is None:
        return None
    return pa.py_buffer(np.packbits(~nulls, bitorder="little"))


def to_column(values: npt.NDArray[np.generic], kind: pa.DataType, *, nulls: Mask | None = None) -> pa.Array:
    """A fixed-width Arrow array over numpy values of the same byte width, without a copy."""
    buffers = [validity(nulls), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(kind, len(values), buffers)


class Vocabulary:
    """A short list of texts, each in several spellings, from which whole columns are taken as dictionary arrays.

    Args:
        values: the texts.
        spellings: functions from a text to one of its spellings; the first is the plain one.
    """

    def __init__(self, values: Sequence[str], spellings: Sequence[Callable[[str], str]] = (str,)) -> None:
        written = [spell(value) for value in values for spell in spellings]
        unique = {value: index for index, value in enumerate(dict.fromkeys(written))}
        self.kinds = len(spellings)
        self.texts = matrix(list(unique))
        self._index = np.array([unique[value] for value in written], dtype=np.int32)
        self._unique = unique
        self._dictionary = to_arrow(self.texts)

    def find(self, positions: Numbers, spelling: Numbers | int = 0) -> npt.NDArray[np.int32]:
        """Entry numbers of the texts at `positions`, each in the given spelling."""
        return np.take(self._index, positions * self.kinds + spelling)

    def entry(self, text: str) -> int:
        """Entry number of one text that is in the vocabulary."""
        return self._unique[text]

    def column(self, entries: npt.NDArray[np.int32], *, nulls: Mask | None = None) -> pa.DictionaryArray:
        """The entries as a dictionary array of strings."""
        indices = to_column(entries.astype(np.int32, copy=False), pa.int32(), nulls=nulls)
        return pa.DictionaryArray.from_arrays(indices, self._dictionary)

    def bytes(self, entries: npt.NDArray[np.int32]) -> Text:
        """The entries as rows of a byte matrix."""
        return np.take(self.texts, entries, axis=0)


def without_accents(text: str) -> str:
    """The text without its accents (NFKD, combining marks dropped)."""
    return "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))


def decomposed(text: str) -> str:
    """The text with accents as combining marks (NFD)."""
    return unicodedata.normalize("NFD", text)


def address_form(text: str) -> str:
    """The text as it stands in an e-mail address: lower case, ASCII letters only."""
    return "".join(letter for letter in without_accents(text).lower() if "a" <= letter <= "z")
