"""The SQL that takes in rows handed over as Arrow batches, cell by cell under the rules of files (`_cells.py`).

A database knows values that no file could hold: numbers that are not finite, days beyond the year 9999 or before the
year 1 (where infinite days also land, since drivers let them overflow). They become null like any unreadable cell, and
their text stays reachable, so that the row can be rejected with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curator.engines._cells import may_exceed, physical_of, read_as, stated, typed, within, worded
from curator.engines._columns import require_type
from curator.engines._readers import cell_of
from curator.spec.model import Column, LogicalType, Source
from curator.sqltext import quoted

if TYPE_CHECKING:
    import pyarrow as pa

    from curator.files import Place

_PROSE = (LogicalType.text, LogicalType.free_text)
_FIRST, _LAST = "'0001-01-01'", "'9999-12-31'"


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """A source whose rows were taken in; see `curator.protocols.BoundSource`.

    It cannot change any more, so its fingerprint is empty; whoever read it knows what to tell of it.
    """

    relation: str
    estimated_rows: int
    raw_columns: Mapping[str, str] = field(default_factory=dict)
    unread: Sequence[str] = ()
    fingerprint: tuple[int, int] = (0, 0)
    places: Sequence[Place] = ()

    def unchanged(self) -> None:
        """Nothing can change what was taken in."""

    def facts(self) -> dict[str, Any]:
        """Nothing beyond what the reader of the source tells."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Taking:
    """How the rows of one source are taken in.

    Attributes:
        selected: the expressions over the batches, one a column to keep.
        shown: the expressions over what was kept, one a column of the relation.
        raw: column -> SQL of its unreadable text.
    """

    selected: tuple[str, ...]
    shown: tuple[str, ...]
    raw: Mapping[str, str]


def taking(name: str, source: Source, *, physical: Mapping[str, str]) -> Taking:
    """The expressions for a source whose batches have these columns and types.

    Raises:
        SourceError: `source-column-type`, when a type does not hold the declared one.
    """
    selected: list[str] = []
    shown: list[str] = []
    raw: dict[str, str] = {}
    for key, column in source.columns.items():
        if key not in physical:
            shown.append(f"CAST(NULL AS {physical_of(column)}) AS {quoted(key)}")
            continue
        cell = _cell(name, key, source=source, physical=physical[key])
        selected.append(f"{cell.kept} AS {quoted(key)}")
        shown.append(f"{cell.shown or quoted(key)} AS {quoted(key)}")
        if cell.unread is not None:
            raw[key] = quoted(f"raw {key}")
            if cell.shown is None:
                selected.append(f"{cell.unread} AS {raw[key]}")
            shown.append(f"{cell.unread if cell.shown else raw[key]} AS {raw[key]}")
    return Taking(selected=tuple(selected) or ("1 AS nothing",), shown=tuple(shown), raw=raw)


@dataclass(frozen=True, kw_only=True)
class _Cell:
    """How a cell is kept and read.

    Attributes:
        kept: SQL of what is kept of it.
        unread: SQL of the text of one without value; None where every cell has one.
        shown: SQL of its value, where the cell is kept as it is; its value and text are told when they are asked for:
            to look whether a number is finite costs less than to keep a second column, of texts.
    """

    kept: str
    unread: str | None = None
    shown: str | None = None


def _cell(name: str, key: str, *, source: Source, physical: str) -> _Cell:
    column = source.columns[key]
    if physical == "VARCHAR" or worded(column, physical):
        cell = cell_of(
            quoted(key) if physical == "VARCHAR" else f"CAST({quoted(key)} AS VARCHAR)", source, apply_nulls=True
        )
        if column.type in _PROSE:
            return _Cell(kept=cell)
        cell = stated(cell, source)
        return _Cell(kept=read_as(cell, column, source=source), unread=cell)
    require_type(name, key, column=column, physical=physical)
    found = next(_checked(quoted(key), column, physical=physical), None)
    if found is None:
        return _Cell(kept=f"CAST({typed(quoted(key), column, physical=physical)} AS {physical_of(column)})")
    value, sound = found
    unread = f"CASE WHEN NOT ({sound}) THEN CAST({quoted(key)} AS VARCHAR) END"
    return _Cell(kept=quoted(key), unread=unread, shown=f"CASE WHEN {sound} THEN {value} END")


def _checked(cell: str, column: Column, *, physical: str) -> Iterator[tuple[str, str]]:
    """The value, and whether it is one that a file could hold; nothing for types whose every value is."""
    value = typed(cell, column, physical=physical)
    if column.type == LogicalType.float and physical in ("FLOAT", "DOUBLE"):
        yield value, f"isfinite({value})"
    elif may_exceed(column, physical):
        yield within(cell, column, physical=physical)
    elif column.type in (LogicalType.date, LogicalType.timestamp):
        value = f"CAST({value} AS {physical_of(column)})"
        yield value, f"{value} >= DATE {_FIRST} AND {value} < DATE {_LAST} + 1"


def remembering(batches: Iterator[pa.RecordBatch], faults: list[Exception]) -> Iterator[pa.RecordBatch]:
    """The same batches; what stops them is kept, for an engine would hand on no more than its text."""
    try:
        yield from batches
    except Exception as fault:
        faults.append(fault)
        raise
