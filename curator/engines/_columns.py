"""Whether the columns that were found are those that the spec declares, and of types that hold them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from curator.engines._cells import NOTHING, WIDE, worded
from curator.errors import SourceError
from curator.files import FileReading, plain_name
from curator.spec.model import Column, LogicalType

_WITH_WORDS = Column(type=LogicalType.boolean, true=("1",), false=("0",))
_WHOLE = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
)  # fmt: skip

# Physical types that hold a logical type without loss; of numbers, a value that does not fit sets its row apart.
_COMPATIBLE: dict[LogicalType, tuple[str, ...]] = {
    LogicalType.text: ("VARCHAR", "ENUM", "UUID", "TIME", *WIDE),
    LogicalType.free_text: ("VARCHAR",),
    LogicalType.integer: _WHOLE,
    LogicalType.decimal: ("DECIMAL", *_WHOLE),
    LogicalType.float: ("FLOAT", "DOUBLE", "DECIMAL", *_WHOLE),
    LogicalType.boolean: ("BOOLEAN",),
    LogicalType.date: ("DATE",),
    LogicalType.timestamp: ("TIMESTAMP", "DATE"),
}


def require_columns(name: str, reading: FileReading, *, present: Sequence[str]) -> None:
    """Refuse a file without a declared column, or with another one when it is strict. Raises SourceError."""
    declared = reading.needed()
    missing = sorted(declared - set(present))
    if missing:
        # Names of columns may be shown only when they are names: a file without header would show its first row.
        known = declared & set(present)
        found = f"no column {', '.join(f'`{column}`' for column in missing)}"
        columns = f"{len(present)} column" + ("s" if len(present) != 1 else "")
        hint = f" among {_listed(present)}" if known else f" in {columns}, none of which is declared"
        raise SourceError(
            "source-column-missing",
            asked=f"read the declared columns of the source `{name}`",
            found=(found + hint)[:600],
            expected="every declared column in the source",
            todo=_other_spelling(present, missing) or _within(present, missing) or _other_names(present, declared),
        )
    extra = [column for column in present if not {column, "*"} & (declared | reading.extra)]
    if reading.source.strict and extra:
        raise SourceError(
            "source-column-extra",
            asked=f"read the source `{name}`, declared strict",
            found=f"columns that the spec does not declare: {', '.join(extra)}"[:600],
            expected="only declared columns",
            todo="declare them, or leave `strict` out: an undeclared column is never read",
        )


def _listed(present: Sequence[str]) -> str:
    """The names that may be shown; those called by place (`.3`) are counted."""
    named = [column for column in present if not column.startswith(".")]
    rest = len(present) - len(named)
    return ", ".join(named) + (f" and {rest} more, which the spec does not declare" if rest else "")


def _within(present: Sequence[str], missing: Sequence[str]) -> str:
    """What to do about a dotted name in JSON, which means a value within an object; empty where none is missing."""
    dotted = [column for column in missing if "." in column.strip(".")]
    if not dotted or not any(column.startswith(".") for column in present):
        return ""
    name = dotted[0]
    path = "".join(f"[{json.dumps(part)}]?" for part in name.split("."))
    return f"bring the values within objects out first: `jq -c '.[{json.dumps(name)}] = .{path}' IN > OUT.jsonl`"


def _other_spelling(present: Sequence[str], missing: Sequence[str]) -> str:
    """What to do about names that differ in letter case, spaces, accents' form or invisible signs; empty when none do.

    Such names look alike on a screen, so what differs is written as an escape.
    """
    alike = {plain_name(column): column for column in present}
    found = [(column, alike[plain_name(column)]) for column in missing if plain_name(column) in alike]
    if not found:
        return ""
    spelt = ", ".join(f"`column: {json.dumps(other)}` for `{column}`" for column, other in found)
    return f"write the name as the source does: {spelt}"


def _other_names(present: Sequence[str], declared: set[str]) -> str:
    if declared & set(present):
        return "correct the name in the spec (`column:` is the source's own spelling), or ask the holder what changed"
    if present and all(column.startswith(".") for column in present):  # keys of JSON that nothing declares
        return (
            "correct the names; a JSON source is a list of objects, or one object a line: when the rows lie deeper, "
            "bring them out first (`jq -c '.KEY[]' IN > OUT.jsonl`)"
        )
    other = _other_separator(present, declared)
    return other or (
        "correct the names, or `separator`, `encoding` and `column:` in the source; of a file without a line of names, "
        "give them under `header`"
    )


def _other_separator(present: Sequence[str], declared: set[str]) -> str:
    """What to do about a header that another separator would cut into declared columns; empty when none would."""
    for separator, spelt in {";": ";", "\t": "\\t", "|": "|", ",": ","}.items():
        if len(present) == 1 and declared & set(present[0].split(separator)):
            return f'state `separator: "{spelt}"` in the source'
    return ""


def require_table(name: str, table: str, *, present: Sequence[str]) -> None:
    """Refuse a database without the table. Raises SourceError, which lists the tables there are."""
    if table not in present:
        raise SourceError(
            "source-table-missing",
            asked=f"read the table `{table}` of the source `{name}`",
            found=f"no such table among {', '.join(sorted(present)) or 'none at all'}"[:600],
            expected="the table that the spec names",
            todo="correct `table` in the source, or ask the holder what changed",
        )


def require_type(name: str, key: str, *, column: Column, physical: str) -> None:
    """Refuse a column whose type does not hold the declared one without loss. Raises SourceError."""
    if physical == NOTHING or _holds(physical, column.type):
        return
    fitting = [kind for kind in _COMPATIBLE if _holds(physical, kind)]
    words = "say what stands for `true` and `false` in the column, or " if worded(_WITH_WORDS, physical) else ""
    words = words if column.type == LogicalType.boolean else ""
    raise SourceError(
        "source-column-type",
        asked=f"read `{key}` of the source `{name}` as {column.type}",
        found=f"a column of type {physical}",
        expected=f"one of {', '.join(_COMPATIBLE[column.type])}",
        todo=f"{words}declare it as {' or '.join(fitting)} in the spec, or ask the holder why the column changed"
        if fitting
        else "no declared type reads this one: ask the holder for a text, a 64-bit number, a date or a timestamp",
    )


def _holds(physical: str, kind: LogicalType) -> bool:
    """Whether every value of an engine's type is one of a logical type."""
    if kind == LogicalType.integer and re.fullmatch(r"DECIMAL\([0-9]+,0\)", physical):
        return True
    return physical.startswith(_COMPATIBLE[kind]) and not physical.endswith("]")
