"""Characters beyond ASCII to their plainest spelling, one character at a time, so that NFC and NFD texts agree.

The rule works on one character without its neighbours, hence on any text in any normal form. The 1,920 characters of
two UTF-8 bytes (Latin accents, combining marks, no-break space, Greek, Cyrillic, Arabic digits) are replaced in place
from a table, since what they become fits in two bytes or less; rows that hold others are treated one by one.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from functools import cache

import numpy as np

from curator.identifiers._column import Column, Mask, Octets, Places

# Letters that have no decomposition in Unicode, as ICAO Doc 9303, part 3, section 6 spells them in passports, but for
# Đ and Ð (D), which registers write so.
_LETTERS = {"Œ": "OE", "Æ": "AE", "Ø": "OE", "ẞ": "SS", "Þ": "TH", "Ð": "D", "Đ": "D", "Ł": "L", "Ħ": "H", "Ŋ": "N"}
_LETTERS |= dict.fromkeys("\u02b9\u02bb\u02bc\u02bd\u2018\u2019\u201a\u201b\u2032\u2035", "'")
_LETTERS |= {"\u2212": "-", "\u2044": "/"}
_CACHED = 1 << 14


def fold(column: Column, *, words: bool) -> Column:
    """Fold every character beyond ASCII; ASCII is left as it is.

    Args:
        column: any text.
        words: true for names, where every symbol becomes a space; false for codes, where unknown symbols stay, so that
            two different spellings never become one.

    Returns:
        The folded column. It may hold NUL bytes, which stand for characters that vanished: drop them next.
    """
    if column.data.isascii():
        return column
    first, second, hard = _pairs(words)
    rows = column.rows_of(np.flatnonzero(_hard_places(column.octets, hard)))
    if len(rows):
        folder = _folder(words)
        column = column.put(rows, [column.text(row).translate(folder).encode() for row in rows.tolist()])
    octets = column.octets.copy()
    leads = np.flatnonzero((octets >= 0xC0) & (octets < 0xE0))
    index = _pair_index(octets, leads)
    octets[leads], octets[leads + 1] = first[index], second[index]
    return replace(column, data=octets.tobytes())


def fold_character(character: str, *, words: bool) -> str:
    """What one character beyond ASCII becomes: upper case, no accent, ASCII where there is a plain spelling."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).upper())
    return "".join(_part(part, words=words) for part in plain)


def _part(part: str, *, words: bool) -> str:
    kind = unicodedata.category(part)
    if part in _LETTERS:
        return _LETTERS[part]
    if part.isascii():
        return part
    if part.isspace():
        return " "
    if kind in ("Mn", "Me", "Cf", "Cc"):
        return ""
    if kind == "Nd":
        return str(unicodedata.decimal(part))
    if kind == "Pd":
        return "-"
    return " " if words and kind[0] in "PS" else part


class _Folder(dict[int, str]):
    """Character by character, for `str.translate`; remembers the first few thousand it meets."""

    def __init__(self, *, words: bool) -> None:
        super().__init__({code: chr(code) for code in range(128)})
        self._words = words

    def __missing__(self, code: int) -> str:
        folded = fold_character(chr(code), words=self._words)
        if len(self) < _CACHED:
            self[code] = folded
        return folded


@cache
def _folder(words: bool) -> _Folder:
    return _Folder(words=words)


@cache
def _pairs(words: bool) -> tuple[Octets, Octets, Mask]:
    """For each two-byte character its two new bytes (NUL where there is none), and whether they do not suffice."""
    table = np.zeros((2048, 2), np.uint8)
    hard = np.zeros(2048, np.bool_)
    for code in range(0x80, 0x800):
        folded = fold_character(chr(code), words=words).encode()
        hard[code] = len(folded) > 2
        table[code, : len(folded)] = list(folded[:2])
    return table[:, 0], table[:, 1], hard


def _pair_index(octets: Octets, leads: Places) -> Places:
    """The code point of the two-byte character at each place (RFC 3629, section 3)."""
    codes: Places = (octets[leads].astype(np.int64) & 0x1F) << 6 | (octets[leads + 1] & 0x3F)
    return codes


def _hard_places(octets: Octets, hard: Mask) -> Mask:
    """Bytes that begin a character which the table cannot replace in place."""
    places = octets >= 0xE0
    leads = np.flatnonzero((octets >= 0xC0) & (octets < 0xE0))
    places[leads[hard[_pair_index(octets, leads)]]] = True
    return places
