"""Dates and times of day read from text by fixed layouts, decided by a pattern before any engine converts.

Engines accept different impossible dates (31 April, month first, 24:00). So the pattern alone decides: it knows the
length of every month and the leap years of the Gregorian calendar (ISO 8601-1:2019, 4.2.1: 1583 to 9999; a year is
leap when divisible by 4, but a century only when divisible by 400). What passes converts alike everywhere.
"""

from __future__ import annotations

import re

from curator.expressions._dialects import Engine

_YEAR = "(?:158[3-9]|159[0-9]|1[6-9][0-9]{2}|[2-9][0-9]{3})"
_LEAP_YEAR = (
    "(?:15(?:8[48]|9[26])|(?:1[6-9]|[2-9][0-9])(?:0[48]|[2468][048]|[13579][26])|(?:16|[2468][048]|[3579][26])00)"
)
_DAY_TO_28, _DAY_TO_30, _DAY_TO_31 = "(?:0[1-9]|1[0-9]|2[0-8])", "(?:0[1-9]|[12][0-9]|30)", "(?:0[1-9]|[12][0-9]|3[01])"
_SHAPES = (
    {"Y": _YEAR, "m": "(?:0[13578]|1[02])", "d": _DAY_TO_31},
    {"Y": _YEAR, "m": "(?:0[469]|11)", "d": _DAY_TO_30},
    {"Y": _YEAR, "m": "02", "d": _DAY_TO_28},
    {"Y": _LEAP_YEAR, "m": "02", "d": "29"},
)
_FORMAT = re.compile(r"%([Ymd])([-/._ ]?)%([Ymd])([-/._ ]?)%([Ymd])")
_WORDS: dict[Engine, dict[str, str]] = {
    "duckdb": {"Y": "%Y", "m": "%m", "d": "%d"},
    "spark": {"Y": "yyyy", "m": "MM", "d": "dd"},
    "postgres": {"Y": "YYYY", "m": "MM", "d": "DD"},
}

#: Layouts of a time of day and the pattern of each; 24:00 is the end of the day, 1440 (ISO 8601:2004, 4.2.3).
TIME_LAYOUTS: dict[str, str] = {
    "H:MM": "(?:[01]?[0-9]|2[0-3]):[0-5][0-9]|24:00",
    "HHMM": "(?:[01][0-9]|2[0-3])[0-5][0-9]|2400",
    "HMM": "[0-5]?[0-9]|(?:[01]?[0-9]|2[0-3])[0-5][0-9]|2400",
}


def format_fault(text: str) -> str | None:
    """Why a date format is refused, or None.

    Args:
        text: the format, such as `%d/%m/%Y`.
    """
    match = _FORMAT.fullmatch(text)
    if match is None or {match[1], match[3], match[5]} != {"Y", "m", "d"}:
        return "%Y, %m and %d once each, in any order, joined by nothing or by one of - / . _ and space"
    return None


def date_pattern(text: str) -> str:
    """The pattern that exactly the existing dates of a format match.

    Args:
        text: a format for which `format_fault` is None.
    """
    first, mark_1, second, mark_2, third = _pieces(text)
    one, two = (re.sub(r"([.])", r"[\1]", mark) for mark in (mark_1, mark_2))
    return "|".join(shape[first] + one + shape[second] + two + shape[third] for shape in _SHAPES)


def engine_format(text: str, engine: Engine) -> str:
    """The same format in the words of an engine.

    Args:
        text: a format for which `format_fault` is None.
        engine: who reads it.
    """
    first, mark_1, second, mark_2, third = _pieces(text)
    words = _WORDS[engine]
    return words[first] + mark_1 + words[second] + mark_2 + words[third]


def _pieces(text: str) -> tuple[str, ...]:
    match = _FORMAT.fullmatch(text)
    if match is None:
        raise ValueError("a date format must be checked by format_fault first")
    return match.groups()
