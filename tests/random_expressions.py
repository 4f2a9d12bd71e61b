"""Random expressions of curator's language, and rows of nasty cells to evaluate them over.

Column names say their type: s, t text; n, m integer; p, q decimal; x, y float; b, c boolean; d, e date; z, w timestamp.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

COLUMNS = {
    **dict.fromkeys("st", "text"), **dict.fromkeys("nm", "integer"), **dict.fromkeys("pq", "decimal"),
    **dict.fromkeys("xy", "float"), **dict.fromkeys("bc", "boolean"), **dict.fromkeys("de", "date"),
    **dict.fromkeys("zw", "timestamp"),
}  # fmt: skip
ARROW = {
    "text": pa.string(), "integer": pa.int64(), "decimal": pa.decimal128(18, 6), "float": pa.float64(),
    "boolean": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us"),
}  # fmt: skip
_DAYS = [date.fromisoformat(text) for text in (
    "0001-01-01", "0100-03-01", "1582-10-04", "1582-10-15", "1899-12-31", "1900-02-28", "1970-01-01", "2000-02-29",
    "2004-02-29", "2013-02-28", "2020-12-31", "2024-03-31", "9999-12-30", "9999-12-31",
)]  # fmt: skip
_TIMES = (0, 5_400_000_001, 9_000_000_000, 86_399_999_999)
CELLS: dict[str, list[Any]] = {
    "text": ["", " ", "a", "A", "\u00c9", "E\u0301", "\U0001f46e", "\u00a0x\u202f", "a\nb", "\n", "\r", "12", "-3",
             "007", "1e3", "1.5", "-0.0", "999999999999999999", "ab", "abc", "a'b", "\\", "%_", "$1", "2020-02-29",
             "29/02/2012", "31/04/2020", "20130219", "8:30", "830", "2400", "24:00", "0830", "\u00e9", "\x85",
             "\u2028", "NA", "z", "Z", "\U0010ffff", "\ue000", "aaab", "123456789012345.123456789012345", "-"],
    "integer": [0, 1, -1, 2, 5, 7, -7, 99, 1440, 1441, 830, 2400, 2**31, -(2**31), 2**53 + 1, 10**6, 1_000_001],
    "decimal": [Decimal(text) for text in ("0", "1", "-1", "0.5", "-2.5", "0.000001", "-0.000001", "123456.654321",
                                           "999999999999.999999", "-999999999999.999999", "3.000000", "0.1")],
    "float": [0.0, -0.0, 1.0, -1.5, 0.1, 2.5, 1e-7, 1e15, 9e15, 9.1e15, 1e30, 37.9, float("nan"), float("inf"),
              float("-inf"), 2.0**53, 1 / 3],
    "boolean": [True, False],
    "date": _DAYS,
    "timestamp": [datetime(day.year, day.month, day.day) + timedelta(microseconds=time)
                  for day in _DAYS for time in _TIMES],
}  # fmt: skip
_TYPED = {kind: [name for name, found in COLUMNS.items() if found == kind] for kind in CELLS}
_WORDS = {
    "old": ["a", "-", ".", "\u00e9", "\\"], "new": ["", "$1", "b", "\\"], "part": ["a", "_", "", "%", "\\"],
    "one": ["0", " ", "\u00e9"], "format": ["%d/%m/%Y", "%Y-%m-%d", "%Y%m%d", "%m.%d.%Y", "%d %m_%Y"],
    "layout": ["H:MM", "HHMM", "HMM"],
    "zone": ["Europe/Paris", "America/New_York", "UTC", "Asia/Kolkata", "Pacific/Apia"],
    "plain": ["[0-9]+", "a", "^a", "a$", ".", "[^a]", "a?b", "a*", ".*", "[a-z]{2,3}", "^[A-Z]+", "\\.", "^$"],
    "pattern": ["a|b", "(a|b)?c", "(a|ab)(c)?", "[0-9]+", ".", "[^a]", "a$", "\u00e9+", "[ \u00a0]+", "^$"],
}  # fmt: skip
_NUMBERS, _ORDERED = ("integer", "decimal", "float"), ("text", "integer", "decimal", "float", "date", "timestamp")
# A word with an upper case first letter is an expression of that type (Number: of any number, Same: of the type asked
# for, Moment: a date or a timestamp), with a lower case one a literal of those above; a digit sign a small number.
_SAME = ["case when Boolean then Same else Same end", "case Integer when 1 then Same when Integer then null end",
         "case Text when 'a' then Same else Same end", "coalesce(Same, Same)", "nullif(Same, Same)"]  # fmt: skip
_MOST = ["greatest(Same, Same)", "least(Same, Same)"]
_FORMS: dict[str, list[str]] = {
    "text": ["lower(Text)", "upper(Text)", "trim(Text)", "substr(Text, #, #)", "replace(Text, old, new)",
             "lpad(Text, #, one)", "remove(Text, plain)", "extract_text(Text, plain)", "to_text(Integer)",
             "(Text || Text)"],
    "integer": ["(Integer + Integer)", "(Integer - Integer)", "(Integer * 2)", "(-Integer)", "length(Text)",
                "to_int(Text)", "abs(Integer)", "floor(Number)", "band(Number, #)", "whole_div(Integer, Integer)",
                "mod(Integer, Integer)", "minutes_of_day(Text, layout)", "year(Moment)", "month(Moment)", "day(Moment)",
                "weekday(Moment)", "hour(Timestamp)", "minute(Timestamp)", "days_between(Date, Date)",
                "age_years(Date, Date)"],
    "decimal": ["(Decimal + Decimal)", "(Decimal - Integer)", "(Decimal * 0.5)", "(Decimal * Integer)", "abs(Decimal)",
                "(-Decimal)", "greatest(Integer, Decimal)", "coalesce(Integer, Decimal)"],
    "float": ["(Float + Number)", "(Float * Number)", "ratio(Number, Number)", "to_float(Text)", "abs(Float)",
              "(-Float)", "least(Float, Number)"],
    "boolean": ["(Boolean and Boolean)", "(Boolean or Boolean)", "(not Boolean)", "(Boolean is not true)",
                "(Boolean is false)", "(Number = Number)", "(Number < Number)", "(Text in ('a', '12', ''))",
                "(Integer not in (1, 7, -7))", "(Decimal in (1, 0.5))", "(Float in (1, 0.5))",
                "starts_with(Text, part)", "contains(Text, part)", "matches(Text, pattern)", "finds(Text, pattern)",
                "in_share(Text, 'salt', 0.3333)", "(Text is null)",
                *(f"({kind} {test} {kind})" for kind in map(str.title, _ORDERED)
                  for test in ("=", "<>", "<", ">=", "is distinct from")),
                *(f"({kind} between {kind} and {kind})" for kind in map(str.title, _ORDERED))],
    "date": ["parse_date(Text, format)", "month_start(Moment)", "year_start(Moment)", "date_of(Timestamp)",
             "add_days(Date, Integer)"],
    "timestamp": ["timestamp_of(Date, Integer)", "local_time(Timestamp, zone)"],
}  # fmt: skip


def table(draw: random.Random, rows: int) -> pa.Table:
    """Rows of cells of every type, numbered."""
    columns = [
        pa.array([None if draw.random() < 0.12 else draw.choice(CELLS[kind]) for _ in range(rows)], ARROW[kind])
        for kind in COLUMNS.values()
    ]
    return pa.table([pa.array(range(rows), pa.int64()), *columns], names=["row", *COLUMNS])


def expression(draw: random.Random, kind: str, *, depth: int) -> str:
    """An expression of a type, of at most so many operations inside each other."""
    if depth <= 0 or draw.random() < 0.12:
        return draw.choice(_TYPED[kind])
    forms = _FORMS[kind] * 3 + _SAME + (_MOST if kind in _ORDERED[1:] else [])
    parts = draw.choice(forms).replace("(", "( ").replace(")", " )").replace(",", " ,").replace("-", "- ").split(" ")
    return " ".join(_part(draw, part, kind, depth=depth - 1) for part in parts)


def _part(draw: random.Random, part: str, kind: str, *, depth: int) -> str:
    if part == "#":
        return str(draw.randint(1, 5))
    if part in _WORDS:
        return "'" + draw.choice(_WORDS[part]).replace("'", "''") + "'"
    wanted = {"Same": (kind,), "Number": _NUMBERS, "Moment": ("date", "timestamp")}.get(part, (part.lower(),))
    known = part[:1].isupper() and set(wanted) <= set(CELLS)
    return expression(draw, draw.choice(wanted), depth=depth) if known else part
