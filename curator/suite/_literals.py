"""Arguments of an expectation, written as literals of the expression language; what cannot be written is refused."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Any

NUMBERS = ("integer", "decimal", "float")
TEXTS = ("text", "free_text")

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:00)?", re.ASCII)
_DAY = "%Y-%m-%d"


class UnwritableError(ValueError):
    """An argument that does not fit its column.

    Attributes:
        found: what was given, without showing it at length.
        expected: what fits.
    """

    def __init__(self, found: str, *, expected: str) -> None:
        self.found, self.expected = found, expected
        super().__init__(found)


def literal(value: Any, kind: str) -> str:
    """A value as a literal of the language, of the type of the column it is compared with.

    Args:
        value: a JSON scalar of the spec.
        kind: logical type of the column.

    Raises:
        UnwritableError: another type, or a number or moment beyond what a literal holds (18 digits and 15 decimals;
            years 1583 to 9999; timestamps to the minute).
    """
    if kind in NUMBERS:
        return number(value)
    if kind in TEXTS:
        return text(value)
    if kind == "boolean":
        if not isinstance(value, bool):
            raise UnwritableError(_kind(value), expected="true or false")
        return "true" if value else "false"
    return _moment(value) if kind == "timestamp" else _date(value)


def number(value: Any) -> str:
    """A number as plain digits, in brackets when negative."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UnwritableError(_kind(value), expected="a number")
    plain = format(Decimal(repr(value)), "f") if value == value and abs(value) < 1e18 else ""
    if plain.endswith(".0"):
        plain = plain[:-2]
    digits, _, decimals = plain.removeprefix("-").partition(".")
    if not plain or len(digits) > 18 or len(decimals) > 15:
        raise UnwritableError("a number too large or too fine", expected="at most 18 digits, then at most 15 decimals")
    return f"({plain})" if plain.startswith("-") else plain


def text(value: Any) -> str:
    """A text between single quotes."""
    if not isinstance(value, str):
        raise UnwritableError(_kind(value), expected="a text (in YAML, between quotes)")
    return "'" + value.replace("'", "''") + "'"


def ordinal(value: Any, kind: str) -> Any:
    """A value in the order of its type, to compare two bounds."""
    return value if kind in NUMBERS else str(value).replace(" ", "T").ljust(16, "0")


def _date(value: Any) -> str:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise UnwritableError(_kind(value), expected="a date as 2015-12-31, between quotes")
    try:
        day = datetime.date.fromisoformat(value)
    except ValueError:
        raise UnwritableError("a day that does not exist", expected="a date as 2015-12-31") from None
    if day.year < 1583:
        raise UnwritableError("a day before 1583", expected="a day of the Gregorian calendar, 1583 or later")
    return f"parse_date('{value}', '{_DAY}')"


def _moment(value: Any) -> str:
    if isinstance(value, str) and _DATE.fullmatch(value):
        return f"timestamp_of({_date(value)}, 0)"
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise UnwritableError(_kind(value), expected="a moment to the minute, as 2015-12-31 23:59, between quotes")
    day, hour, minute = _date(value[:10]), int(value[11:13]), int(value[14:16])
    if hour > 23 or minute > 59:
        raise UnwritableError("a time that does not exist", expected="00:00 to 23:59")
    return f"timestamp_of({day}, {hour * 60 + minute})"


def _kind(value: Any) -> str:
    names = {"NoneType": "nothing", "bool": "true or false", "int": "a number", "float": "a number", "str": "a text"}
    return names.get(type(value).__name__, "a list or a mapping")
