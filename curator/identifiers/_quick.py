"""The usual shapes of the most frequent identifiers, tested on whole columns of bytes.

A regular expression costs some 100 ns for each value; a value of the usual length can be told well made by a few
operations on all rows at once. What is not accepted here is not wrong: it is then held to the whole pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache

import numpy as np

from curator.identifiers._column import Column, Mask, Octets

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SIV_LETTERS = "ABCDEFGHJKLMNPQRSTVWXYZ"  # no I, O, U
_ZERO = np.uint8(48)


def accepted(column: Column, form: str) -> Mask:
    """Which values surely have the shape of their form; false where only the whole pattern can tell."""
    found = np.zeros(len(column.ends) - 1, np.bool_)
    lengths = column.lengths
    for width, accepts in _ACCEPTS.get(form, {}).items():
        rows = lengths == width
        if rows.all():
            found |= accepts(column.matrix(column.ends[:-1], width=width))
        elif rows.any():
            found[rows] = accepts(column.matrix(column.ends[:-1][rows], width=width))
    return found


def _digits(cells: Octets, places: range) -> Mask:
    """Whether all these places hold digits."""
    holds = np.ones(len(cells), np.bool_)
    for place in places:
        holds &= (cells[:, place] - _ZERO) <= 9
    return holds


def _some(cells: Octets, places: range) -> Mask:
    """Whether one of these places holds another byte than zero."""
    found = np.zeros(len(cells), np.bool_)
    for place in places:
        found |= cells[:, place] != _ZERO
    return found


def _pair(cells: Octets, place: int, *, table: Mask) -> Mask:
    """Whether the two bytes from a place on are in a table by their number, the first byte counting 256."""
    chosen: Mask = table[cells[:, place].astype(np.uint16) << 8 | cells[:, place + 1]]
    return chosen


def _nir(cells: Octets) -> Mask:
    """A number of somebody registered for good, as in `_valid._NIR`; the key of 15 characters is tested elsewhere."""
    holds = (cells[:, 0] - np.uint8(49)) <= 3
    holds &= _digits(cells, range(1, 3)) & _pair(cells, 3, table=_months()) & _pair(cells, 5, table=_departments())
    holds &= _digits(cells, range(7, cells.shape[1])) & _some(cells, range(10, 13))
    return holds


def _siv(cells: Octets) -> Mask:
    holds = _pair(cells, 0, table=_siv_pairs()) & _pair(cells, 5, table=_siv_pairs())
    return holds & _digits(cells, range(2, 5)) & _some(cells, range(2, 5))


def _licence_of_2013(cells: Octets) -> Mask:
    return _pair(cells, 2, table=_letter_pairs()) & _digits(cells, range(2)) & _digits(cells, range(4, 9))


def _all_digits(cells: Octets) -> Mask:
    return _digits(cells, range(cells.shape[1]))


def _french_phone(cells: Octets) -> Mask:
    holds = _digits(cells, range(3, 12))
    for place, byte in enumerate(b"+33"):
        holds &= cells[:, place] == byte
    holds &= cells[:, 3] != _ZERO
    return holds


@cache
def _months() -> Mask:
    numbers = [*range(1, 13), *range(20, 43), *range(50, 100)]
    return _table(f"{number:02d}" for number in numbers)


@cache
def _departments() -> Mask:
    return _table([*(f"{number:02d}" for number in range(1, 100)), "2A", "2B"])


@cache
def _letter_pairs() -> Mask:
    return _table(first + second for first in _LETTERS for second in _LETTERS)


@cache
def _siv_pairs() -> Mask:
    return _table(first + second for first in _SIV_LETTERS for second in _SIV_LETTERS if first + second != "SS")


def _table(pairs: Iterable[str]) -> Mask:
    table = np.zeros(1 << 16, np.bool_)
    table[[ord(pair[0]) << 8 | ord(pair[1]) for pair in pairs]] = True
    return table


_ACCEPTS: Mapping[str, Mapping[int, Callable[[Octets], Mask]]] = {
    "nir": {13: _nir, 15: _nir},
    "plate": {7: _siv},
    "licence": {12: _all_digits, 9: _licence_of_2013},
    "phone": {12: _french_phone},
    "siren": {9: _all_digits},
    "siret": {14: _all_digits},
}
