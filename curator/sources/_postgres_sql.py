"""The one SELECT that PostgreSQL is asked for a table: the columns that something needs, the rows that may be wanted.

A condition is left to the server only where it lets through every row that the engine would keep:

- over columns whose type there holds the declared one, so that both see the same value, or the engine sees a null (a
  number that is not finite, a day that no file could hold, a null token); in the latter case only conditions that no
  null can meet;
- over texts only in a database whose encoding is UTF-8, under a deterministic collation: otherwise order, equality and
  hashes mean something else there.

The engine applies every condition again, so that a value which PostgreSQL holds and a file could not changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from curator.errors import CuratorError
from curator.expressions import Expression, quote_name, sees_nulls
from curator.protocols import Asked
from curator.sources._shape import spelt
from curator.spec.model import Column, LogicalType, Source

_TEXTS = ("text", "varchar")
_AS_TEXT = ("bpchar", "name", "uuid", "enum", "time", "timetz", "inet", "cidr", "macaddr", "citext")
_WHOLE = ("int2", "int4", "int8")

FITTING: dict[str, tuple[str, ...]] = {
    "text": (*_TEXTS, *_AS_TEXT),
    "free_text": (*_TEXTS, "bpchar", "citext"),
    "integer": (*_WHOLE, "numeric", *_TEXTS, "bpchar"),
    "decimal": ("numeric", *_WHOLE, *_TEXTS, "bpchar"),
    "float": ("float8", "float4", "numeric", *_WHOLE, *_TEXTS, "bpchar"),
    "boolean": ("bool", *_TEXTS, "bpchar"),
    "date": ("date", *_TEXTS, "bpchar"),
    "timestamp": ("timestamp", "timestamptz", "date", *_TEXTS, "bpchar"),
}
"""Logical type -> types of PostgreSQL that hold it; what they hold as text is read by the rules of text files."""

_ALIKE: dict[str, tuple[str, ...]] = {
    "text": (*_TEXTS, *_AS_TEXT), "free_text": (*_TEXTS, "bpchar"), "integer": _WHOLE,
    "decimal": (*_WHOLE, "numeric"), "float": (*_WHOLE, "float8", "float4"), "boolean": ("bool",), "date": ("date",),
    "timestamp": ("timestamp", "timestamptz"),
}  # fmt: skip
# Logical type -> types under which the server computes what the engine would, or the engine knows less.
_NATURAL = {
    LogicalType.text: "text", LogicalType.free_text: "text", LogicalType.integer: "int8",
    LogicalType.decimal: "numeric", LogicalType.float: "float8", LogicalType.boolean: "bool",
    LogicalType.date: "date", LogicalType.timestamp: "timestamp",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as the catalogue describes it.

    Attributes:
        name: quoted, with its schema.
        types: column -> type, of a domain the type below it, `enum` for any enumeration.
        odd: columns under a collation for which different texts may be equal.
        utf8: whether the database's encoding is UTF-8.
        icu: whether the collation that lower and upper case need is there.
    """

    name: str
    types: Mapping[str, str]
    odd: frozenset[str] = frozenset()
    utf8: bool = True
    icu: bool = True
    denied: frozenset[str] = field(default_factory=frozenset)


def planned_table(asked: Asked) -> Table:
    """The table that a spec describes, for a plan that opens nothing."""
    name = ".".join(quote_name(part, "postgres") for part in (asked.source.table or asked.name).split(".", 1))
    types = {spelt(asked.source, key): _natural(column) for key, column in asked.source.columns.items()}
    return Table(name=name, types=types)


def _natural(column: Column) -> str:
    """The type that a declared column has where nothing else is known; a date with a layout is a text."""
    return "text" if column.format else _NATURAL[column.type]


def select_sql(asked: Asked, table: Table) -> str:
    """The statement.

    Args:
        asked: columns and conditions.
        table: where they are.
    """
    source = asked.source
    values = {key: _value(source, key, table) for key in asked.columns}
    conditions = [one for one in asked.where if _left_to_server(one, source, table)]
    names = {key: spelt(source, key) for key in asked.columns}
    converted = {key for key in values if values[key] != quote_name(names[key], "postgres")}
    inside = any(condition.columns & converted for condition in conditions)
    printed = [condition.sql("postgres", None if inside else names) for condition in conditions]
    printed = [sql for sql in printed if table.icu or "und-x-icu" not in sql]
    share = _share(asked, table, inside=inside)
    printed += [share] if share else []
    where = " WHERE " + " AND ".join(printed) if printed else ""
    listed = ", ".join(_named(value, key) for key, value in values.items()) or "1 AS nothing"
    if not inside:
        return f"SELECT {listed} FROM {table.name}{where}"  # noqa: S608 (quoted identifiers, checked conditions)
    keys = ", ".join(quote_name(key, "postgres") for key in values)
    return f"SELECT {keys} FROM (SELECT {listed} FROM {table.name}) t{where}"  # noqa: S608 (likewise)


def _named(value: str, key: str) -> str:
    name = quote_name(key, "postgres")
    return value if value == name else f"{value} AS {name}"


def _value(source: Source, key: str, table: Table) -> str:
    """A column as it leaves the server: as it is, or in a form that the driver would otherwise lose or pad.

    Times of day go as text (24:00 would become 00:00), single floats by their shortest text, as any export spells them,
    fixed-width texts without their padding.
    """
    column = quote_name(spelt(source, key), "postgres")
    kind = table.types[spelt(source, key)]
    if kind == "float4":
        return f"CAST(CAST({column} AS text) AS double precision)"
    if kind in _AS_TEXT:
        return f"CAST({column} AS text)"
    if kind == "timestamptz":
        return f"({column} AT TIME ZONE 'UTC')"
    return column


def _left_to_server(condition: Expression, source: Source, table: Table) -> bool:
    kinds = {key: (source.columns[key], spelt(source, key)) for key in condition.columns}
    for column, name in kinds.values():
        if table.types.get(name) not in _ALIKE[column.type]:
            return False
        if column.type in ("text", "free_text") and not _texts_alike(name, table):
            return False
    known = all(_exact(column, name, source=source, table=table) for column, name in kinds.values())
    if not known and sees_nulls(condition):
        return False
    try:
        condition.sql("postgres", {key: name for key, (_, name) in kinds.items()})
    except CuratorError:  # a name, or nested formulas, that PostgreSQL would not take
        return False
    return True


def _texts_alike(name: str, table: Table) -> bool:
    return table.utf8 and name not in table.odd


def _exact(column: Column, name: str, *, source: Source, table: Table) -> bool:
    """Whether the engine reads every value that the server holds, so that a null there is a null here."""
    kind = table.types[name]
    if kind in _WHOLE or kind == "bool":
        return True
    return column.type in ("text", "free_text") and not source.null_tokens


def _share(asked: Asked, table: Table, *, inside: bool) -> str | None:
    """The sample's threshold, over keys whose text is spelt alike: whole numbers and texts."""
    if asked.share is None or not table.utf8:
        return None
    texts = {}
    for key in asked.columns:
        name = spelt(asked.source, key)
        if table.types[name] in (*_WHOLE, *_TEXTS) and _exact(
            asked.source.columns[key], name, source=asked.source, table=table
        ):
            texts[key] = f"CAST({quote_name(key if inside else name, 'postgres')} AS text)"
    return asked.share(texts)
