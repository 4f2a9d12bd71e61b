"""The SQL that reads one cell as its declared type: null when it cannot be, and never a guess.

Guards are full matches, because an engine's own cast takes more than a person would (`0x1F`, `1e3`, `-3.7` as an
integer), and what it makes of a text is asked again: a number must be finite, a year must have four digits.
"""

from __future__ import annotations

import re

from curator.spec.model import Column, LogicalType, Source
from curator.sqltext import literal

_ISO_MOMENT = "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"  # ISO 8601, no zone
_SQL_TYPES = {
    LogicalType.text: "VARCHAR", LogicalType.free_text: "VARCHAR", LogicalType.integer: "BIGINT",
    LogicalType.decimal: "DECIMAL(18, 6)", LogicalType.float: "DOUBLE", LogicalType.boolean: "BOOLEAN",
    LogicalType.date: "DATE", LogicalType.timestamp: "TIMESTAMP",
}  # fmt: skip
_ONE_WIDTH = {  # of the types that not every engine has: unsigned numbers, moments of another precision
    "UTINYINT": "SMALLINT", "USMALLINT": "INTEGER", "UINTEGER": "BIGINT",
    "TIMESTAMP_S": "TIMESTAMP", "TIMESTAMP_MS": "TIMESTAMP",
}  # fmt: skip
_TRUE, _FALSE = ("true", "t", "1"), ("false", "f", "0")
_WORDED = ("VARCHAR", "ENUM", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
WIDE = ("UBIGINT", "HUGEINT", "UHUGEINT")  # whole numbers beyond 64 bits with a sign: text holds their digits
_WIDE = {LogicalType.integer: WIDE, LogicalType.decimal: ("BIGINT", *WIDE)}  # what a declared type may not hold
_BEFORE, _BEHIND, _WHOLE_DIGITS = 12, 6, 18  # digits of a decimal around its mark, of a number that surely fits 64 bits
_WIDTHS = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3}  # digits of strftime's numbers
_ADJOINING = re.compile(r"(?:%[YymdHIMSj]){2,}")
NOTHING = "NULL"  # the type of a Parquet column that holds nulls only and has none


def physical_of(column: Column) -> str:
    """The engine's type of a declared column."""
    return _SQL_TYPES[column.type]


def stated(cell: str, source: Source) -> str:
    """A cell that is to be read as another type, null when it says nothing: blank, or a null token between spaces."""
    tokens = ", ".join(
        literal(token) for token in dict.fromkeys(("", *(token.strip() for token in source.null_tokens)))
    )
    return f"CASE WHEN trim({cell}) IN ({tokens}) THEN NULL ELSE {cell} END"


def read_as(cell: str, column: Column, *, source: Source) -> str:
    """A text cell read as its declared type, null when it cannot be."""
    text = f"trim({cell})"
    if column.type in (LogicalType.decimal, LogicalType.float):
        return _number(text, column, source=source)
    if column.type == LogicalType.integer:
        return f"CASE WHEN regexp_full_match({text}, '[-+]?[0-9]{{1,19}}') THEN TRY_CAST({text} AS BIGINT) END"
    if column.type == LogicalType.boolean:
        return _truth(text, column)
    if column.format:
        return _moment(text, column.format, kind=column.type)
    if column.type == LogicalType.date:
        iso = f"regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') AND {text} >= '0001'"
        return f"CASE WHEN {iso} THEN TRY_CAST({text} AS DATE) END"
    iso = f"regexp_full_match({text}, '{_ISO_MOMENT}') AND {text} >= '0001'"  # most programs know no year 0
    # 24:00 is the midnight at the end of a day (ISO 8601:2004, 4.2.3); of the last day, that of a year of five digits.
    return f"CASE WHEN {iso} THEN NULLIF(TRY_CAST({text} AS TIMESTAMP), TIMESTAMP '10000-01-01 00:00:00') END"


def _truth(text: str, column: Column) -> str:
    """A word for true or false, in any letter case: those that the column declares, else those that exports write."""
    true, false = (
        ", ".join(f"lower({literal(word)})" for word in words)
        for words in (column.true or _TRUE, column.false or _FALSE)
    )
    return f"CASE WHEN lower({text}) IN ({true}) THEN true WHEN lower({text}) IN ({false}) THEN false END"


def worded(column: Column, physical: str) -> bool:
    """Whether typed cells are read by their words: texts and whole numbers, where words for true and false are said."""
    read = physical.startswith(_WORDED) and not physical.endswith("]")
    return column.type == LogicalType.boolean and bool(column.true) and read


def _number(text: str, column: Column, *, source: Source) -> str:
    mark = "," if source.decimal == "," else "."
    number = f"replace({text}, ',', '.')" if mark == "," else text
    if column.type == LogicalType.decimal:
        # No digit that counts may lie beyond the eighteenth: it would be rounded away in both of the two casts.
        exponents = f"{_digits(mark, 18)}([eE][+]?[0-9]{{1,3}})?|{_digits(mark, 9)}[eE]-0?[0-9]"
        guard = f"regexp_full_match({text}, '{exponents}')"
        exact, full = f"TRY_CAST({number} AS DECIMAL(18, 6))", f"TRY_CAST({number} AS DECIMAL(38, 18))"
        return f"CASE WHEN {guard} AND {exact} = {full} THEN {exact} END"  # a seventh digit would be rounded away
    pattern = f"[-+]?([0-9]+([{mark}][0-9]*)?|[{mark}][0-9]+)([eE][-+]?[0-9]{{1,3}})?"
    guard = f"regexp_full_match({text}, '{pattern}')"
    value = f"TRY_CAST({number} AS DOUBLE)"  # 1e999 becomes infinite without an error
    return f"CASE WHEN {guard} AND isfinite({value}) THEN {value} END"


def _digits(mark: str, most: int) -> str:
    """The pattern of a number with at most so many digits behind its mark, zeros at the end apart."""
    return f"[-+]?([0-9]{{1,18}}([{mark}][0-9]{{0,{most}}}0*)?|[{mark}][0-9]{{1,{most}}}0*)"


def _moment(text: str, layout: str, *, kind: LogicalType) -> str:
    """A date or timestamp of a given layout, in UTC when the layout has a zone.

    The engine's `%Y` takes one to four digits, so that `3/2/24` would fall into the year 24: only years of four digits
    are taken. `%y` keeps its own rule (POSIX: 69 to 99 are of the 20th century). A `Z` is a zone too, where the zone
    ends the layout (RFC 3339, 5.6, and Python's own `%z`): the engine's takes an offset only. Where numbers follow one
    another without a sign between them, each has all its digits: of `2024112` nobody knows the day.
    """
    if layout.endswith("%z") and not layout.endswith("%%z"):
        text = f"regexp_replace({text}, '[Zz]$', '+00:00')"
    parsed = f"CAST(try_strptime({text}, {literal(layout)}) AS {_SQL_TYPES[kind]})"
    guards = [f"year({parsed}) BETWEEN 1000 AND 9999"] if "%Y" in layout else []
    if _ADJOINING.search(layout):
        guards.append(f"regexp_full_match({text}, {literal(_full_width(layout))})")
    return f"CASE WHEN {' AND '.join(guards)} THEN {parsed} END" if guards else parsed


def _full_width(layout: str) -> str:
    """The pattern of texts whose adjoining numbers have all their digits; the rest of a text is not looked at."""
    digits = _ADJOINING.sub(lambda run: f"[0-9]{{{sum(_WIDTHS[sign] for sign in run[0][1::2])}}}", layout)
    parts = re.split(r"(\[0-9\]\{[0-9]+\})", digits)
    return "".join(part if place % 2 else ".*" * bool(part) for place, part in enumerate(parts))


def may_exceed(column: Column, physical: str) -> bool:
    """Whether a typed column may hold numbers that its declared type does not: too large, or of too many digits."""
    if physical in _WIDE.get(column.type, ()):
        return True
    sized = re.fullmatch(r"DECIMAL\(([0-9]+), ?([0-9]+)\)", physical)
    if sized is None:
        return False
    before, behind = int(sized[1]) - int(sized[2]), int(sized[2])
    if column.type == LogicalType.integer:
        return before > _WHOLE_DIGITS
    return column.type == LogicalType.decimal and (before > _BEFORE or behind > _BEHIND)


def within(cell: str, column: Column, *, physical: str) -> tuple[str, str]:
    """A number as its declared type, and whether it is still the same there; for columns that `may_exceed`."""
    value = f"TRY_CAST({cell} AS {_SQL_TYPES[column.type]})"
    return value, f"coalesce(TRY_CAST({value} AS {physical}) = {cell}, {cell} IS NULL)"


def typed(cell: str, column: Column, *, physical: str) -> str:
    """A typed cell widened to the logical type's own width."""
    if physical == NOTHING:
        return f"CAST({cell} AS {_SQL_TYPES[column.type]})"
    if column.type == LogicalType.float:
        # A Parquet file's minimum and maximum leave NaN out. DuckDB 2.0 believes them: `isnan` would find none, and a
        # filter would skip its rows. Behind a CASE it looks at the cells.
        return f"CASE WHEN {cell} IS NOT NULL THEN CAST({cell} AS DOUBLE) END"
    if column.type == LogicalType.decimal or (column.type == LogicalType.integer and physical.startswith("DECIMAL")):
        return f"CAST({cell} AS {_SQL_TYPES[column.type]})"
    if column.type == LogicalType.text and physical.startswith(("ENUM", "UUID", "TIME", *WIDE)):
        return f"CAST({cell} AS VARCHAR)"
    if physical == "TIMESTAMP_NS":
        return _whole_microseconds(cell, "TIMESTAMP", finer=physical)
    if physical == "TIMESTAMPTZ_NS":
        return f"timezone('UTC', {_whole_microseconds(cell, 'TIMESTAMP WITH TIME ZONE', finer=physical)})"
    if physical in _ONE_WIDTH:
        return f"CAST({cell} AS {_ONE_WIDTH[physical]})"
    if column.type == LogicalType.timestamp and physical == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('UTC', {cell})"
    if column.type == LogicalType.timestamp and physical == "DATE":
        return f"CAST({cell} AS TIMESTAMP)"
    return cell


def _whole_microseconds(cell: str, kind: str, *, finer: str) -> str:
    """A moment in nanoseconds cut to microseconds, since the engine's cast rounds: 31 December would become 1 January.

    The cast is asked whether it came out later; near the end of the finer type it cannot say, and is left as it is.
    """
    cast = f"CAST({cell} AS {kind})"
    return f"CASE WHEN TRY_CAST({cast} AS {finer}) > {cell} THEN {cast} - INTERVAL 1 MICROSECOND ELSE {cast} END"
