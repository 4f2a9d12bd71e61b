"""Identifiers in pieces: columns of which none is an identifier, and which are one together.

While the holder has the true identifiers, two ways are tried row by row: neighbouring fields joined (a name in two
columns, a telephone number in halves), and fields that stand at fixed places of an identifier whatever their own order
(sex, year, month and commune of birth in a French social security number). Of a package alone, neighbouring columns
are joined and held to check digits and shapes, and planted identifiers are sought over them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.arrow import integers
from curator.attacks._leak import Leak
from curator.attacks._spellings import folded, spellings
from curator.identifiers import valid

RUN = 5
"""Neighbouring columns that are joined at most."""

_ROWS = 120
_LEAST = 3  # different identifiers that must come out
_SHARE = 0.1  # of the rows that have all the pieces
_LETTERS = 6
_COVERED = 0.75  # of an identifier's letters, by fields joined
_STANDING = 0.6  # by fields at its places: sex and commune of birth are less of a number that says more
_PLACED = 20  # rows that show a place
_ALWAYS = 0.95
_TOLD = 0.5  # identifiers that the letters at these places tell apart
_SEEN = 50_000
_NAME, _NUMBER = 7, 10  # letters, and digits alone, of a planted identifier that chance would not make
_PART = 16
_MOSTLY = 0.9
_DISTINCT = 50
_NOT_SAID = re.compile(r"[@+:,;]")
_PLATE = re.compile(r"[A-HJ-NP-TV-Z]{2}\d{3}[A-HJ-NP-TV-Z]{2}")
_MOBILE = re.compile(r"0[67]\d{8}")
_NIR = re.compile(r"[1-478]\d{4}(?:\d{2}|2[AB])\d{8}")


def in_pieces(
    fields: Mapping[str, Sequence[Any]], identifiers: Mapping[str, Sequence[Any]], *, apart: Collection[str] = ()
) -> tuple[str, ...]:
    """Which fields are an identifier together, in a few words each, names alone.

    Args:
        fields: name -> values to be released, row by row, in the order of the columns; None where there is none.
        identifiers: name -> direct identifiers of the same rows, texts or whole numbers.
        apart: fields that are counted together as quasi-identifiers; where all the pieces are, k speaks for them.
    """
    found: dict[str, None] = {}
    for name, known in identifiers.items():
        whole = [_letters(who) for who in known]
        if not any(len(who) >= _LETTERS for who in whole):
            continue
        for pieces in (*_joined(fields, whole), *_placed(fields, whole)):
            if not set(pieces) <= set(apart):
                found[f"{', '.join(pieces)} are {name} in pieces"] = None
    return tuple(found)


def piece_leaks(table: pa.Table, canaries: Sequence[str] = ()) -> tuple[Leak, ...]:
    """Identifiers that neighbouring columns of a table make together.

    Args:
        table: to be released.
        canaries: identifiers that the holder planted.
    """
    names = [name for name in table.column_names if _joinable(table.schema.field(name).type)]
    texts = {name: _as_text(table.column(name).slice(0, _SEEN)) for name in names}
    found = [
        Leak(kind="clear-identifier", where=f"{' + '.join(run)}: {form}", count=count)
        for run in _runs([name for name in names if pc.count_distinct(texts[name]).as_py() > 1])
        for form, count in _shaped([texts[name] for name in run])
    ]
    count, where = _planted({name: _as_text(table.column(name)) for name in names}, canaries)
    return (*found, *([Leak(kind="canary", where=where, count=count)] if count else []))


def join_ways(values: Sequence[str]) -> Iterator[str]:
    """Neighbouring values as programs join them before a hash."""
    for mark in ("", " ", "-", "_", "|", ";"):
        yield mark.join(values)


def _letters(who: Any) -> str:
    """An identifier as its letters and digits; nothing for what is neither a text nor a whole number."""
    return _NOT_SAID.sub("", folded(str(who))) if isinstance(who, (str, int)) and not isinstance(who, bool) else ""


# ---- neighbouring fields joined, with the truth at hand


def _joined(fields: Mapping[str, Sequence[Any]], whole: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Runs of fields which, joined from the left or from the right, make most of an identifier."""
    names = list(fields)
    rows = [row for row, who in enumerate(whole) if len(who) >= _LETTERS][:_ROWS]
    hits: dict[tuple[str, ...], set[str]] = {}
    held: dict[tuple[str, ...], int] = {}
    for row in rows:
        cells = [_ways(fields[name][row]) for name in names]
        for start in range(len(names)):
            for run, made in _growing(names, cells, start=start, who=whole[row]):
                held[run] = held.get(run, 0) + 1
                if made:
                    hits.setdefault(run, set()).add(whole[row])
    for run, some in hits.items():
        if len(some) >= _LEAST and held[run] >= _SHARE * len(rows):
            yield run


def _growing(
    names: Sequence[str], cells: Sequence[tuple[str, ...]], *, start: int, who: str
) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Runs from one field on whose joined cells stand in an identifier, and whether they make most of it."""
    made = {way for way in cells[start] if way in who}
    for stop in range(start + 1, min(start + RUN, len(names))):
        made = {joined for one in made for way in cells[stop] for joined in (one + way, way + one) if joined in who}
        if not made:
            return
        longest = max(map(len, made))
        yield tuple(names[start : stop + 1]), longest >= max(_LETTERS, _COVERED * len(who))


def _ways(value: Any) -> tuple[str, ...]:
    """A cell as a piece could be spelt: a number with zeros before it, a year by its last digits, parts of a day."""
    if value is None or isinstance(value, (bool, float, bytes)):
        return ()
    if isinstance(value, date):
        year, month, day = f"{value.year:04d}", f"{value.month:02d}", f"{value.day:02d}"
        return (
            year + month + day,
            day + month + year,
            year[2:] + month + day,
            day + month + year[2:],
            year[2:] + month,
        )
    text = _letters(str(value))
    found = [text] if text else []
    if text.isdigit():
        found += [text.zfill(width) for width in (2, 3) if len(text) < width]
        found += [text[2:]] if len(text) == 4 else []
    return tuple(found)


# ---- fields at fixed places, with the truth at hand


def _placed(fields: Mapping[str, Sequence[Any]], whole: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Fields that stand at fixed places of an identifier and together tell most identifiers apart."""
    lengths = [len(who) for who in whole if who]
    usual = max(set(lengths), key=lengths.count)
    rows = [row for row, who in enumerate(whole) if len(who) == usual]
    if usual < _LETTERS or len({whole[row] for row in rows}) < _PLACED:
        return
    tiles = {name: _tile([fields[name][row] for row in rows], [whole[row] for row in rows]) for name in fields}
    pieces = {name: places for name, places in tiles.items() if places}
    covered = sorted(set[int]().union(*pieces.values()))
    if len(pieces) < 2 or len(covered) < max(_LETTERS, _STANDING * usual):
        return
    people = {whole[row] for row in rows}
    seen = ["".join(who[place] for place in covered) for who in people]
    if sum(seen.count(one) == 1 for one in seen) >= _TOLD * len(people):
        yield tuple(pieces)


def _tile(values: Sequence[Any], whole: Sequence[str]) -> set[int]:
    """The places of an identifier where a field always stands, spelt in one way; none of a field that never changes."""
    cells = [(_ways(value), who) for value, who in zip(values, whole, strict=True)]
    cells = [(ways, who) for ways, who in cells if ways]
    if len(cells) < _PLACED or len({ways for ways, _ in cells}) < 2:
        return set()
    best: set[int] = set()
    for length in {len(way) for ways, _ in cells for way in ways}:
        for place in range(len(cells[0][1]) - length + 1):
            standing = sum(who[place : place + length] in ways for ways, who in cells)
            if standing >= _ALWAYS * len(cells) and length > len(best):
                best = set(range(place, place + length))
    return best


# ---- a package alone


def _joinable(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
        or pa.types.is_dictionary(kind) or pa.types.is_date(kind)
    )  # fmt: skip


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string())


def _runs(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(2, RUN + 1):
        for start in range(len(names) - size + 1):
            yield tuple(names[start : start + size])


def _shaped(columns: Sequence[pa.ChunkedArray]) -> Iterator[tuple[str, int]]:
    """Forms that nearly all joined rows have: numbers with check digits, plates, mobile telephones of both kinds."""
    rows = [row for row in zip(*(column.to_pylist()[:200] for column in columns), strict=True) if all(row)]
    first = ["".join(row).upper() for row in rows]
    for form, shape in (("nir", _NIR), ("plate", _PLATE), ("phone", _MOBILE)):
        if sum(shape.fullmatch(text) is not None for text in first) < max(_MOSTLY * len(first), _LEAST):
            continue
        whole = zip(*(column.to_pylist() for column in columns), strict=True)
        texts = {"".join(row).upper() for row in whole if all(row)}
        if form == "phone" and len({text[:2] for text in texts}) < 2:
            continue
        sound = sum(map(bool, valid(pa.array(sorted(texts), pa.string()), form).to_pylist()))
        if sound >= _MOSTLY * len(texts) and (sound >= _DISTINCT or form != "plate"):
            yield form, sound


def _planted(texts: Mapping[str, pa.ChunkedArray], canaries: Sequence[str]) -> tuple[int, str]:
    """Rows in which neighbouring columns make a planted identifier, and the columns of the first run that do.

    Only rows are joined in which each two neighbours of a run stand joined in one, and which have letters enough.
    """
    sought = _Sought(_letters(way) for text in canaries for way in spellings(text.strip()))
    if not sought.whole or len(texts) < 2:
        return 0, ""
    names, parts = list(texts), [_Parts(column, sought) for column in texts.values()]
    beside = [one.beside(other, sought) for one, other in pairwise(parts)]
    rows: set[int] = set()
    where = ""
    for size in range(2, RUN + 1):
        for start in range(len(parts) - size + 1):
            run = parts[start : start + size]
            near = np.logical_and.reduce(beside[start : start + size - 1]) & (
                sum(part.sizes for part in run) >= _LETTERS
            )
            for row in np.flatnonzero(near).tolist():
                if row not in rows and sought.made_of([part.letters[part.codes[row]] for part in run]):
                    rows.add(row)
                    where = where or " + ".join(names[start : start + size])
    return len(rows), where


class _Sought:
    """Identifiers that are sought, by every part of them up to sixteen letters.

    Attributes:
        whole: each of them, as letters and digits.
    """

    def __init__(self, identifiers: Iterable[str]) -> None:
        self.whole = {text for text in identifiers if len(text) >= (_NUMBER if text.isdigit() else _NAME)}
        self._joined = "\n".join(sorted(self.whole))
        self._parts = {
            text[start:stop]
            for text in self.whole
            for start in range(len(text))
            for stop in range(start + 1, min(start + _PART, len(text)) + 1)
        }

    def holds(self, text: str) -> bool:
        """Whether a text stands in some identifier."""
        return text in self._parts if len(text) <= _PART else text in self._joined

    def made_of(self, pieces: Sequence[str]) -> bool:
        """Whether pieces, in their order, make an identifier; names also in the other order."""
        joined = "".join(pieces)
        return joined in self.whole or (not joined.isdigit() and "".join(reversed(pieces)) in self.whole)


class _Parts:
    """A column by its distinct values, and which of them stand in some identifier that is sought.

    Attributes:
        letters: distinct values as letters and digits; the last is empty, of a null.
        codes: which of them each row has.
        sizes: how many letters each row has.
    """

    def __init__(self, column: pa.ChunkedArray, sought: _Sought) -> None:
        encoded = column.combine_chunks().dictionary_encode()
        encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
        self.letters = [*map(_letters, encoded.dictionary.to_pylist()), ""]
        known = integers(pc.cast(encoded.indices.is_valid(), pa.uint8())) == 1
        self.codes = np.where(known, integers(encoded.indices), len(self.letters) - 1).astype(np.int64)
        self.sizes = np.array([len(text) for text in self.letters], np.int64)[self.codes]
        self._piece = np.array([bool(text) and sought.holds(text) for text in self.letters], np.bool_)

    def beside(self, other: _Parts, sought: _Sought) -> npt.NDArray[np.bool_]:
        """Rows whose values in two columns stand joined in some identifier, in either order."""
        both = np.flatnonzero(self._piece[self.codes] & other._piece[other.codes])
        found = np.zeros(len(self.codes), np.bool_)
        if len(both):
            width = len(other.letters)
            pairs, places = np.unique(self.codes[both] * width + other.codes[both], return_inverse=True)
            texts = [(self.letters[pair // width], other.letters[pair % width]) for pair in pairs.tolist()]
            found[both] = np.array([sought.holds(a + b) or sought.holds(b + a) for a, b in texts], np.bool_)[places]
        return found
