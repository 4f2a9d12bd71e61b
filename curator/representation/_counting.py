"""The counts as SQL, for whoever holds the rows: an engine, or the database that the population stands in.

    rows ─► coded (one text a dimension) ─► grouped (every class in one pass) ─► pooled (no class below the floor)

Each value is coded as one text whose first letter says what it is: a value, a null, an empty text (or one of
spaces only, as `trim` of the formulas sees them), a text that means unknown. So an empty text is found where a null
check would see nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from curator.expressions import Engine as Dialect
from curator.expressions import parse, quote_text
from curator.spec.model import LogicalType, Representation
from curator.sqltext import TEXT, quoted

MISSING = "neu"
"""The first letters of codes of values that are missing: null, empty, unknown."""

_CLASS, _VALUE, _TIMES, _GONE = ".class {}", ".value {}", ".times", "gone {} {}"
_PLACE, _CODE, _ROWS = "place", "code", "rows"
_POOLED = "*"


def class_columns(part: Representation) -> dict[str, LogicalType]:
    """The columns of `classes_sql`, with their types.

    Place of the dimension, class as coded (`*` for those that are too small to be told), rows, and rows by what is
    missing in them: one column for each dimension and state, dimensions first.
    """
    whole = LogicalType.integer
    return {_PLACE: whole, _CODE: LogicalType.text, _ROWS: whole, **dict.fromkeys(_gone(part), whole)}


def classes_sql(part: Representation, values: Sequence[str], *, rows: str, dialect: Dialect) -> str:
    """The classes of a population; those below the floor are pooled, so that none of them leaves.

    Args:
        part: what is compared.
        values: SQL of each dimension's value, in their order.
        rows: what stands after `FROM`.
        dialect: who reads it; PostgreSQL holds texts apart byte by byte, whatever their collation.
    """
    gone = _gone(part)
    grouped = _grouped(_coded(part, values, rows=rows, dialect=dialect), len(values), gone=gone)
    code = f"CASE WHEN p.{quoted(_ROWS)} >= {part.smallest_cell} THEN p.{quoted(_CODE)} ELSE '{_POOLED}' END"
    told = f"SELECT {', '.join(_named(('p', name) for name in (_PLACE, _ROWS, *gone)))}, {code} AS {quoted(_CODE)}"
    totals = ", ".join(f"CAST(sum(t.{quoted(name)}) AS BIGINT) AS {quoted(name)}" for name in (_ROWS, *gone))
    group = ", ".join(_named(("t", name) for name in (_PLACE, _CODE)))
    return f"SELECT {group}, {totals} FROM ({told} FROM ({grouped}) p) t GROUP BY {group}"  # noqa: S608 (built from a checked spec)


def compared_sql(part: Representation, values: Sequence[str], *, rows: str, classes: str, dialect: Dialect) -> str:
    """Place, class, rows, rows kept, rows by what is missing: the classes of a population, and what is kept of each.

    Args:
        part: what is compared.
        values: SQL of each dimension's value, in their order.
        rows: what stands after `FROM`, of the rows kept.
        classes: the relation that holds what `classes_sql` gave.
        dialect: who reads it.
    """
    place, code, count = quoted(_PLACE), quoted(_CODE), quoted(_ROWS)
    grouped = _grouped(_coded(part, values, rows=rows, dialect=dialect), len(values))
    same = f"p.{place} = k.{place} AND p.{code} = k.{code}"
    known = f"SELECT k.{place}, coalesce(p.{code}, '{_POOLED}') AS {code}, k.{count}"
    known += f" FROM ({grouped}) k LEFT JOIN {quoted(classes)} p ON {same}"
    kept = f"SELECT {place}, {code}, sum({count}) AS {count} FROM ({known}) t GROUP BY {place}, {code}"  # noqa: S608 (likewise)
    gone = "".join(f", p.{quoted(name)}" for name in _gone(part))
    told = f"p.{place}, p.{code}, p.{count}, coalesce(k.{count}, 0){gone}"
    return f"SELECT {told} FROM {quoted(classes)} p LEFT JOIN ({kept}) k ON {same}"  # noqa: S608 (likewise)


def _named(names: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"{table}.{quoted(name)}" for table, name in names)


def _gone(part: Representation) -> list[str]:
    return [_GONE.format(place, letter) for place in range(len(part.dimensions)) for letter in MISSING]


def _coded(part: Representation, values: Sequence[str], *, rows: str, dialect: Dialect) -> str:
    """Each row as the coded class of each dimension; in PostgreSQL equal rows once, with their number.

    It goes through the rows again for every dimension, and adds every sum each time: over rows grouped first, that took
    a quarter of the time.
    """
    names = [quoted(_VALUE.format(place)) for place in range(len(values))]
    named = ", ".join(f"{_text(value, dialect)} AS {name}" for name, value in zip(names, values, strict=True))
    once = dialect == "postgres"
    times, group = ("count(*)", f" GROUP BY {', '.join(names)}") if once else ("1", "")
    classes = ", ".join(
        f"{_code(_VALUE.format(place), part.unknown, dialect=dialect)} AS {quoted(_CLASS.format(place))}"
        for place in range(len(values))
    )
    inner = f"SELECT {named}, {times} AS {quoted(_TIMES)} FROM {rows}{group}"  # noqa: S608 (built from a checked spec)
    return f"SELECT {classes}, {quoted(_TIMES)} FROM ({inner}) t"  # noqa: S608 (likewise)


def _text(value: str, dialect: Dialect) -> str:
    return f'CAST({value} AS text) COLLATE "C"' if dialect == "postgres" else f"CAST({value} AS {TEXT})"


def _code(name: str, unknown: Sequence[str], *, dialect: Dialect) -> str:
    value, blank = quoted(name), parse("trim(cell) = ''", {"cell": "text"}).sql(dialect, rename={"cell": name})
    texts = ", ".join(quote_text(text, dialect) for text in unknown)
    said = f"WHEN {value} IN ({texts}) THEN 'u' || {value} " if texts else ""
    return f"CASE WHEN {value} IS NULL THEN 'n' WHEN {blank} THEN 'e' {said}ELSE 'v' || {value} END"


def _grouped(coded: str, dimensions: int, *, gone: Sequence[str] = ()) -> str:
    """Counts of every class of every dimension in one pass."""
    names = [quoted(_CLASS.format(place)) for place in range(dimensions)]
    which = " ".join(f"WHEN {name} IS NOT NULL THEN {place}" for place, name in enumerate(names))
    flags = [
        f"CASE WHEN substr({name}, 1, 1) = '{letter}' THEN {quoted(_TIMES)} ELSE 0 END"
        for name in names
        for letter in MISSING
    ]
    flagged = "".join(f", {flag} AS {quoted(name)}" for flag, name in zip(flags, gone, strict=False))
    sums = "".join(f", sum({quoted(name)}) AS {quoted(name)}" for name in gone)
    code = f"coalesce({', '.join(names)}, '') AS {quoted(_CODE)}"
    columns = f"CASE {which} END AS {quoted(_PLACE)}, {code}, sum({quoted(_TIMES)}) AS {quoted(_ROWS)}{sums}"
    sets = ", ".join(f"({name})" for name in names)
    return f"SELECT {columns} FROM (SELECT *{flagged} FROM ({coded}) t) t GROUP BY GROUPING SETS ({sets})"  # noqa: S608 (likewise)
