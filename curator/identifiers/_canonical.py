"""Canonical spellings, column by column: each form is a short chain of operations on the bytes of a whole column."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import UsageError
from curator.identifiers._column import Column, Mask, Octets, from_arrow, from_texts, to_arrow, too_long
from curator.identifiers._declared import DeclaredForm, spelt
from curator.identifiers._fold import fold
from curator.identifiers._forms import require_form
from curator.identifiers._phone import to_e164
from curator.identifiers._placeholders import unknown

_CONTROLS = bytes([*range(32), 127])
_BLANKS = b"\t\n\v\f\r"
_SEPARATORS = b" .-_/\\,;:'\"`()[]|"
_LOWER, _UPPER = bytes(range(97, 123)), bytes(range(65, 91))

_CODE_DROPS = _CONTROLS + _SEPARATORS
_TEXT_DROPS = bytes(set(_CONTROLS) - set(_BLANKS))
_TO_UPPER = bytes.maketrans(_LOWER, _UPPER)
_TO_LOWER = bytes.maketrans(_UPPER, _LOWER)
_SAME = bytes(range(256))
_NOT_WORD = bytes(byte for byte in range(128) if not chr(byte).isalnum() and byte not in _TEXT_DROPS)
_TO_WORDS = bytes.maketrans(_LOWER + _NOT_WORD, _UPPER + b" " * len(_NOT_WORD))

_NIR, _NIR_KEYED = 13, 15
_NIR_LETTER = 6  # place of the A or B of Corsica, counted from 0


def canonical(array: pa.Array | pa.ChunkedArray, form: str | DeclaredForm) -> pa.Array:
    """Bring each value to the canonical spelling of its form; apply it before tokens, joins and sampling.

    Canonical is not valid: a value that its form does not explain is only cleaned, so that two different values stay
    different. Applying it twice changes nothing more. Both Unicode forms (NFC, NFD) of a text give one spelling, as do
    no-break spaces, typographic dashes and apostrophes, full-width and Arabic digits.

    Args:
        array: text (string, large_string or string_view), a dictionary of text, or the null type.
        form: a name in FORMS, which says what is kept and by which rule; or a form that a spec declares.

    Returns:
        A string array of the same length. Null where the value is null, empty once cleaned, or a placeholder
        (`PLACEHOLDERS`, only zeros, only X, only punctuation): unknown people must not become one person. `raw` only
        nulls the empty text.

    Raises:
        SpecError: `identifier-form-unknown`.
        UsageError: `identifier-type` for a column that is not text; `column-too-long` past 2 GiB in one array.
    """
    if isinstance(form, DeclaredForm):
        return each_chunk(array, lambda chunk: declared(chunk, form)[0])
    require_form(form)
    return each_chunk(array, partial(_canonical, form=form))


def each_chunk(array: pa.Array | pa.ChunkedArray, work: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Run a function on the string arrays that make a column; distinct values of a dictionary are treated once."""
    if isinstance(array, pa.ChunkedArray):
        parts = [each_chunk(chunk, work) for chunk in array.chunks]
        return pa.concat_arrays(parts) if parts else work(pa.nulls(0, pa.string()))
    if pa.types.is_dictionary(array.type):
        return each_chunk(array.dictionary, work).take(array.indices)
    return work(_text(array))


def cleaned(array: pa.Array, form: str) -> Column:
    """The values as written, cleaned, before any part is dropped or rewritten (the key of a NIR is still there)."""
    return _CLEANERS[form](from_arrow(array))


def declared(array: pa.Array, form: DeclaredForm) -> tuple[pa.Array, pa.BooleanArray]:
    """Values under a declared form, and which of them are well made; null in both where nothing is known."""
    words = [word for word in form.words.unknown if word]
    before = _known(array, form.cleaned_as)
    if words:
        named = _known(to_arrow(from_texts([word.encode() for word in words])), form.cleaned_as).drop_null()
        before = pc.if_else(pc.is_in(before, named), pa.scalar(None, pa.string()), before)
    values, sound = spelt(before, form)
    return values, pc.if_else(values.is_valid(), sound, pa.scalar(None, pa.bool_()))


def _known(array: pa.Array, form: str) -> pa.Array:
    """Cleaned values, null where they are empty or a placeholder."""
    column = cleaned(array, form)
    return to_arrow(column.without(column.lengths == 0 if form == "raw" else unknown(column, form)))


def _canonical(array: pa.Array, *, form: str) -> pa.Array:
    return to_arrow(finished(cleaned(array, form), form))


def finished(before: Column, form: str) -> Column:
    """The canonical spelling of cleaned values."""
    column = _REWRITES[form](before) if form in _REWRITES else before
    return column.without(column.lengths == 0 if form == "raw" else unknown(column, form))


def _text(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_string(kind):
        return array
    if pa.types.is_null(kind) or pa.types.is_large_string(kind) or kind == pa.string_view():
        try:
            return array.cast(pa.string())
        except pa.ArrowInvalid as error:
            raise too_long() from error
    raise UsageError(
        "identifier-type",
        asked="bring a column to its canonical spelling",
        found=f"a column of type {kind}",
        expected="text",
        todo="read the column as text: a number has lost its leading zeros",
    )


def _codes(column: Column) -> Column:
    return fold(column, words=False).translate(_TO_UPPER, drop=_CODE_DROPS)


def _words(column: Column) -> Column:
    """Upper-case words with one space between them."""
    column = fold(column, words=True).translate(_TO_WORDS, drop=_TEXT_DROPS)
    octets, ends = column.octets, column.ends
    spaces = octets == 0x20
    before = np.ones(len(octets), np.bool_)  # the byte before is a space, or there is none in this value
    before[1:] = spaces[:-1]
    before[ends[:-1][column.lengths > 0]] = True
    extra = spaces & before
    if extra.any():
        column = column.shorten(extra, lengths=column.lengths - column.count(extra.tobytes()))
    return _cut(column, _last_bytes(column) == 0x20, count=1)


def _surnames(column: Column) -> Column:
    """Letters and digits end to end: registers join or part particles and double names at will."""
    return _words(column).translate(_SAME, drop=b" ")


def _last_bytes(column: Column) -> Octets:
    """The last byte of each value, zero for an empty one."""
    padded = np.append(column.octets, np.uint8(0))
    return np.where(column.lengths > 0, padded[column.ends[1:] - 1], np.uint8(0))


def _trimmed(column: Column, *, table: bytes, spell: Callable[[str], str]) -> Column:
    """Trim both ends; case by a table for ASCII, and by `spell` in the rows that have more."""
    if not column.data.isascii():
        rows = column.rows_of(np.flatnonzero(column.octets >= 0x80))
        column = column.put(rows, [_whole(column.text(row), spell).encode() for row in rows.tolist()])
    column = column.translate(table, drop=_TEXT_DROPS)
    return from_arrow(pc.utf8_trim_whitespace(to_arrow(column)))


def _whole(text: str, spell: Callable[[str], str]) -> str:
    """One text beyond ASCII: NFC, in one case, no-break spaces as spaces, without invisible characters."""
    seen = "".join(" " if mark.isspace() else mark for mark in text if unicodedata.category(mark) != "Cf")
    return unicodedata.normalize("NFC", spell(unicodedata.normalize("NFC", seen)))


def _same(text: str) -> str:
    return text


def _without_key(column: Column) -> Column:
    """Drop the key of the social security numbers that have one: 15 characters, digits but for Corsica's letter."""
    rows = column.lengths == _NIR_KEYED
    octets = column.matrix(column.ends[:-1][rows], width=_NIR_KEYED)
    digits = (octets - np.uint8(48)) <= 9
    letters = octets[:, _NIR_LETTER]
    digits[:, _NIR_LETTER] |= (letters == 65) | (letters == 66)
    if not digits.all():  # rare, and testing row by row costs far more than all at once
        rows[rows] = digits.all(axis=1)
    return _cut(column, rows, count=_NIR_KEYED - _NIR)


def _cut(column: Column, rows: Mask, *, count: int) -> Column:
    """Drop the last bytes of some values."""
    if not rows.any():
        return column
    ends = column.ends[1:][rows]
    gone = np.concatenate([ends - place for place in range(1, count + 1)])
    return column.shorten(gone, lengths=column.lengths - count * rows)


_CLEANERS: Mapping[str, Callable[[Column], Column]] = {
    **dict.fromkeys(("nir", "plate", "phone", "licence", "iban", "siret", "siren", "vin", "weapon"), _codes),
    "name": _words,
    "surname": _surnames,
    "email": partial(_trimmed, table=_TO_LOWER, spell=str.lower),
    "code": partial(_trimmed, table=_TO_UPPER, spell=str.upper),
    "date": partial(_trimmed, table=_SAME, spell=_same),
    "raw": lambda column: column,
}
_REWRITES: Mapping[str, Callable[[Column], Column]] = {"nir": _without_key, "phone": to_e164}
