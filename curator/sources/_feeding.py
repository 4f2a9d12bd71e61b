"""The SELECT for databases that only feed: named columns as texts, and rows by tests that every database answers alike.

Of conditions, such a database is left only null tests and bounds of whole numbers and days; nothing over texts, whose
order and equality depend on collations, and no arithmetic. Cells come as texts and are read by the rules of text files,
so that a day `0000-00-00` or a number beyond measure becomes a row set apart instead of an error or a guess.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from curator.expressions import Expression, Range, ranges
from curator.protocols import Asked
from curator.sources._shape import spelt


@dataclass(frozen=True, kw_only=True)
class Feeding:
    """How one kind of database writes what is left to it.

    Attributes:
        quote: an identifier in its quotes.
        value: SQL of a column as it leaves the database; takes its quoted name and its type there.
        fitting: logical type -> types there that hold it.
        whole: types of whole numbers, all of which the engine reads.
        ordered: types there whose order is that of their logical type (`integer`, `date`).
        prose: types of texts.
        day: SQL of a day, `{}` standing for its ISO text.
        drawn: SQL of the text by which a key is drawn, byte for byte that of the engine; takes its quoted name and its
            type there, gives None for types that are spelt otherwise. None where the database has no MD5.
    """

    quote: Callable[[str], str]
    value: Callable[[str, str], str]
    fitting: Mapping[str, tuple[str, ...]]
    whole: tuple[str, ...]
    ordered: Mapping[str, tuple[str, ...]]
    prose: tuple[str, ...]
    day: str = "DATE '{}'"
    drawn: Callable[[str, str], str | None] | None = None


def select_sql(asked: Asked, types: Mapping[str, str], *, table: str, feeding: Feeding) -> str:
    """The statement.

    Args:
        asked: columns and conditions.
        types: column there -> its type.
        table: quoted, with its schema where it has one.
        feeding: how the database writes it.
    """
    names = [spelt(asked.source, key) for key in asked.columns]
    listed = ", ".join(feeding.value(feeding.quote(name), types[name]) for name in names) or "1"
    return f"SELECT {listed} FROM {table}{_where(asked, types, feeding=feeding)}"  # noqa: S608 (quoted identifiers, plain values)


def count_sql(asked: Asked, types: Mapping[str, str], *, table: str, feeding: Feeding) -> str:
    """A query of how many rows `select_sql` gives; arguments as there."""
    return f"SELECT count(*) FROM {table}{_where(asked, types, feeding=feeding)}"  # noqa: S608 (likewise)


def _where(asked: Asked, types: Mapping[str, str], *, feeding: Feeding) -> str:
    tests = [test for condition in asked.where for test in _tests(asked, condition, types=types, feeding=feeding)]
    tests += _share(asked, types, feeding=feeding)
    return " WHERE " + " AND ".join(tests) if tests else ""


def _share(asked: Asked, types: Mapping[str, str], *, feeding: Feeding) -> list[str]:
    """The sample's threshold, over keys that the engine reads as they are; of several columns, by the engine alone."""
    if asked.share is None or feeding.drawn is None or asked.source.null_tokens:
        return []
    texts: dict[str, str] = {}
    for key in asked.columns:
        name, declared = spelt(asked.source, key), asked.source.columns[key].type
        kind = types.get(name, "")
        if (declared == "text" and kind in feeding.prose) or (declared == "integer" and kind in feeding.whole):
            text = feeding.drawn(feeding.quote(name), kind)
            texts |= {key: text} if text is not None else {}
    share = asked.share(texts)
    return [share] if share else []


def _tests(asked: Asked, condition: Expression, *, types: Mapping[str, str], feeding: Feeding) -> Iterable[str]:
    bounds = ranges(condition) or ()
    if all(_answered(asked, bound, types=types, feeding=feeding) for bound in bounds):
        for bound in bounds:
            yield _printed(bound, feeding.quote(spelt(asked.source, bound.column)), feeding=feeding)


def _answered(asked: Asked, bound: Range, *, types: Mapping[str, str], feeding: Feeding) -> bool:
    """Whether the database answers as the engine would, or lets more rows through."""
    column = asked.source.columns[bound.column]
    kind = types.get(spelt(asked.source, bound.column))
    if not bound.operator.startswith("IS"):
        return kind in feeding.ordered.get(column.type, ())
    if kind in feeding.prose:
        return column.type in ("text", "free_text") and not asked.source.null_tokens
    return column.type == "integer" and kind in feeding.whole


def _printed(bound: Range, column: str, *, feeding: Feeding) -> str:
    values = [
        feeding.day.format(value.isoformat()) if isinstance(value, datetime.date) else str(value)
        for value in bound.values
    ]
    if bound.operator == "IN":
        return f"{column} IN ({', '.join(values)})"
    return " ".join([column, bound.operator, *values])


def text_schema(asked: Asked) -> pa.Schema:
    """Every column as text; one column of nothing when none is needed."""
    return pa.schema([pa.field(key, pa.string()) for key in asked.columns or ("nothing",)])


def text_batch(schema: pa.Schema, rows: Sequence[Sequence[object]]) -> pa.RecordBatch:
    """Rows of texts (or their UTF-8) and nulls as a batch."""
    return pa.RecordBatch.from_arrays(
        [pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)], schema=schema
    )
