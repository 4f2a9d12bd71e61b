"""Identifiers in another dress: a field that is, row by row, what anybody can make of the same row's identifier.

While the holder has both, no dictionary is needed: reversed, turned by thirteen letters, in hexadecimal or base64,
as a number, as a number or a day moved by a constant, the field follows its identifier from row to row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from curator.attacks._spellings import codings, folded, spellings

_ROWS = 120  # rows compared for writings
_LEAST = 3  # rows in which one must be found
_LETTERS = 6
_MOVED = 0.95  # rows that must lie on one line
_DISTINCT = 20
_NOT_DIGIT = re.compile(r"\D")


def disguised(fields: Mapping[str, Sequence[Any]], identifiers: Mapping[str, Sequence[Any]]) -> tuple[str, ...]:
    """Which fields are public transforms of an identifier, in a few words each, names alone.

    Args:
        fields: name -> values to be released, row by row; None where there is none.
        identifiers: name -> direct identifiers of the same rows.
    """
    found = []
    for field, values in fields.items():
        for name, known in identifiers.items():
            pairs = [(value, who) for value, who in zip(values, known, strict=True) if value is not None and who]
            if _written(pairs[:_ROWS]):
                found.append(f"{field} is a writing of {name}")
            elif _moved(pairs):
                found.append(f"{field} is {name} moved by a constant")
    return tuple(found)


def _written(pairs: Sequence[tuple[Any, Any]]) -> bool:
    """Whether values are, or hold, writings of the identifiers beside them."""
    hits = set()
    for value, who in pairs:
        if isinstance(value, (date, bool)) or len(str(who)) < _LETTERS:
            continue
        number = isinstance(value, (int, float))
        if _of_number(value, str(who)) if number else _of_text(str(value), str(who)):
            hits.add(str(who))
    return len(hits) >= _LEAST


def _of_text(value: str, who: str) -> bool:
    text = folded(value)
    ways = {folded(way.decode("utf-8", "ignore")) for form in spellings(who)[:4] for way in codings(form)}
    if text in ways:
        return True
    inside = any(letter.isdigit() or letter == "@" for letter in who)
    return inside and any(len(way) > _LETTERS and way in text for way in ways)


def _of_number(value: int | float, who: str) -> bool:
    """Whether a number has the digits of an identifier, wherever its point stands."""
    digits = _NOT_DIGIT.sub("", who).strip("0")
    own = _NOT_DIGIT.sub("", format(Decimal(repr(value)), "f")).strip("0")
    return len(digits) >= _LETTERS and own in (digits, digits[::-1])


def _moved(pairs: Sequence[tuple[Any, Any]]) -> bool:
    """Whether value = a * identifier + b for nearly all rows, with many identifiers."""
    points = [(Fraction(x), Fraction(y)) for x, y in ((_number(who), _number(value)) for value, who in pairs)
              if x is not None and y is not None]  # fmt: skip
    if len({x for x, _ in points}) < _DISTINCT or len({y for _, y in points}) < _DISTINCT:
        return False
    (x0, y0), *rest = points
    for x1, y1 in (point for point in rest[:3] if point[0] != x0 and point[1] != y0):
        on_line = sum((y - y0) * (x1 - x0) == (y1 - y0) * (x - x0) for x, y in points)
        if on_line >= _MOVED * len(points):
            return True
    return False


def _number(value: Any) -> float | int | None:
    """A number, a day or a moment as a number; a text by its digits when it has six or more and few other letters."""
    if isinstance(value, bool):
        return None
    if isinstance(value, datetime):
        return value.toordinal() * 86_400 + value.hour * 3_600 + value.minute * 60 + value.second
    if isinstance(value, date):
        return value.toordinal()
    if isinstance(value, float):
        return value if abs(value) < 1e300 else None
    if isinstance(value, int):
        return value
    digits = _NOT_DIGIT.sub("", str(value))
    return int(digits) if len(digits) >= _LETTERS and len(digits) * 2 > len(str(value)) else None
