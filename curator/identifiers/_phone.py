"""Telephone numbers to E.164: which leading bytes go, and which country code stands there instead.

Rules (ITU-T E.164; French numbering plan, ARCEP decision 2018-0881): 00 is the international prefix, 0 the national
one, 33 the code of metropolitan France; the overseas departments are dialled from France with 0 and have country codes
of their own, which their national number repeats (0692 12 34 56 is +262 692 12 34 56).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from curator.identifiers._column import Column, Ends, Mask, Octets, Places, Words, all_digits, eight_bytes, ends_of

_PREFIXES = (b"", b"+", b"+33", b"+262", b"+590", b"+594", b"+596")
_NONE, _PLUS, _FRANCE = 0, 1, 2
_OVERSEAS = {
    b"+262": (262, 263, 269, 639, 692, 693),
    b"+590": (590, 690, 691),
    b"+594": (594, 694),
    b"+596": (596, 696, 697),
}
_NATIONAL = 9  # digits of a French number after its prefix
_SHORTEST, _LONGEST = 7, 15  # digits of an E.164 number
_DIGIT_0, _SIGN = b"0+"


@dataclass(frozen=True, eq=False)
class _Plan:
    """For each row: how many leading bytes go, and which of the prefixes comes instead."""

    drop: Places
    prefix: Places


def to_e164(column: Column) -> Column:
    """Rewrite the numbers that are recognised; anything else is left as it is."""
    return _splice(column, _plan(column))


def _plan(column: Column) -> _Plan:
    """The usual spelling, ten digits of which the first is 0, costs half of what the others do."""
    usual = column.lengths == _NATIONAL + 1
    if 2 * int(np.count_nonzero(usual)) < len(usual):
        return _plan_of_any(column)
    cells = column.matrix(column.ends[:-1][usual], width=_NATIONAL + 1)
    prefixes = _territories()[_three_digits_after_zero(cells)]
    plan = _Plan(np.zeros(len(usual), np.int64), np.zeros(len(usual), np.int64))
    plan.drop[usual], plan.prefix[usual] = 1, prefixes
    other = np.flatnonzero(plan.prefix == _NONE)
    if len(other):
        rest = _plan_of_any(column.at(other))
        plan.drop[other], plan.prefix[other] = rest.drop, rest.prefix
    return plan


def _three_digits_after_zero(cells: Octets) -> Places:
    """Of values of ten bytes, the number of digits two to four; 0 where they are not ten digits, the first a 0."""
    first, last = eight_bytes(cells, 0), eight_bytes(cells, 2)
    holds = all_digits(first) & all_digits(last) & (cells[:, 0] == _DIGIT_0)
    digits = cells[:, 1:4].astype(np.int64) - _DIGIT_0
    return np.where(holds, digits[:, 0] * 100 + digits[:, 1] * 10 + digits[:, 2], 0)


def _plan_of_any(column: Column) -> _Plan:
    leading = column.leading()
    numeric = _numeric(column, leading)
    plan = _french(column, leading, numeric=numeric)
    digits = column.lengths - 2
    foreign = numeric & _begins(leading, b"00") & (_octet(leading, 2) != _DIGIT_0) & (plan.prefix == _NONE)
    foreign &= (digits >= _SHORTEST) & (digits <= _LONGEST)
    return _Plan(np.where(foreign, 2, plan.drop), np.where(foreign, _PLUS, plan.prefix))


def _french(column: Column, leading: Words, *, numeric: Mask) -> _Plan:
    """0X, 33, +33 and 0033, with or without the national 0 after the country code."""
    after = np.zeros(len(leading), np.int64)
    for code in (b"33", b"+33", b"0033"):
        after[_begins(leading, code)] = len(code)
    after += (after > 0) & (_octet(leading, after) == _DIGIT_0)
    after[_begins(leading, b"0") & (_octet(leading, 1) != _DIGIT_0)] = 1
    french = numeric & (after > 0) & (column.lengths - after == _NATIONAL)
    prefix = np.where(french, _territories()[_three_digits(leading, after)], _NONE)
    return _Plan(np.where(prefix == _NONE, 0, after), prefix)


def _begins(leading: Words, text: bytes) -> Mask:
    begins: Mask = leading & np.uint64((1 << 8 * len(text)) - 1) == np.uint64(int.from_bytes(text, "little"))
    return begins


def _octet(leading: Words, place: Places | int) -> Octets:
    """One of the 8 leading bytes of each row."""
    return (leading >> (np.asarray(place) * 8).astype(np.uint64)).astype(np.uint8)


def _three_digits(leading: Words, place: Places) -> Places:
    """Three digits as a number; of no meaning, but from 0 to 999, where they are not digits."""
    digits = [_octet(leading, place + step).astype(np.int64) - _DIGIT_0 for step in range(3)]
    return (digits[0] * 100 + digits[1] * 10 + digits[2]) % 1000


def _numeric(column: Column, leading: Words) -> Mask:
    """Whether a value is digits only, but for one + that may lead."""
    other = (column.octets - np.uint8(_DIGIT_0)) > 9
    signed = _begins(leading, b"+")
    if int(other.sum()) == int(signed.sum()):
        return np.ones(len(leading), np.bool_)
    numeric: Mask = column.count(other.tobytes()) == signed
    return numeric


@cache
def _territories() -> Places:
    """The prefix of each French number by its first three digits; none for those that begin with 0."""
    table = np.full(1000, _FRANCE, np.int64)
    table[:100] = _NONE
    for code, numbers in _OVERSEAS.items():
        table[list(numbers)] = _PREFIXES.index(code)
    return table


def _splice(column: Column, plan: _Plan) -> Column:
    """Drop leading bytes and write prefixes, for all rows at once."""
    if not plan.prefix.any():
        return column
    widths = np.array([len(prefix) for prefix in _PREFIXES])[plan.prefix]
    lengths = column.lengths - plan.drop
    ends = ends_of(lengths + widths)
    out = np.empty(int(ends[-1]), np.uint8)
    for number in range(1, len(_PREFIXES)):
        _write(out, ends[:-1][plan.prefix == number], text=_PREFIXES[number])
    _move(column.octets, out, lengths=lengths, source=column.ends[:-1] + plan.drop, target=ends[:-1] + widths)
    return replace(column, data=out.tobytes(), ends=ends)


def _write(out: Octets, places: Ends, *, text: bytes) -> None:
    """Write one text at some places."""
    if len(places):
        _windows(out, len(text))[places] = np.void(text)


def _move(octets: Octets, out: Octets, *, lengths: Places, source: Places, target: Places) -> None:
    """Copy one run of bytes a row: those of a French number's length at once, any other byte by byte."""
    usual = lengths == _NATIONAL
    if usual.any():
        _windows(out, _NATIONAL)[target[usual]] = _windows(octets, _NATIONAL)[source[usual]]
    other = np.flatnonzero(~usual & (lengths > 0))
    if len(other):
        counts = lengths[other]
        step = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        out[np.repeat(target[other], counts) + step] = octets[np.repeat(source[other], counts) + step]


def _windows(octets: Octets, width: int) -> npt.NDArray[np.void]:
    """A view of the `width` bytes that begin at each place."""
    return np.ndarray((len(octets) - width + 1,), f"V{width}", octets, strides=(1,))
