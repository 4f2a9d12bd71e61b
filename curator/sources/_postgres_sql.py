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

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from curator.errors import CuratorError
from curator.expressions import Expression, Range, calls_of, compares_only, quote_name, ranges, sees_nulls
from curator.protocols import Asked, AskedJoin, AskedJoined
from curator.sources._joining import KeyTest, alone_sql, joined_from
from curator.sources._shape import spelt
from curator.spec.model import Column, LogicalType, Source

_TEXTS = ("text", "varchar")
_AS_TEXT = (
    "bpchar", "name", "uuid", "enum", "time", "timetz", "inet", "cidr", "macaddr", "macaddr8", "citext", "char",
    "json", "jsonb", "bit", "varbit", "interval",
)  # fmt: skip
_WHOLE = ("int2", "int4", "int8")

FITTING: dict[str, tuple[str, ...]] = {
    "text": (*_TEXTS, *_AS_TEXT),
    "free_text": (*_TEXTS, "bpchar", "citext", "json", "jsonb"),
    "integer": (*_WHOLE, "numeric", *_TEXTS, "bpchar"),
    "decimal": ("numeric", *_WHOLE, *_TEXTS, "bpchar"),
    "float": ("float8", "float4", "numeric", *_WHOLE, *_TEXTS, "bpchar"),
    "boolean": ("bool", *_TEXTS, "bpchar", "enum", "char", "bit", *_WHOLE),
    "date": ("date", *_TEXTS, "bpchar"),
    "timestamp": ("timestamp", "timestamptz", "date", *_TEXTS, "bpchar"),
}
"""Logical type -> types of PostgreSQL that hold it; what they hold as text is read by the rules of text files."""

TURNED: dict[str, str] = {
    "bytea": "encode({}, 'hex')", "money": "CAST({} AS numeric)", "oid": "CAST({} AS bigint)",
    "_": "array_to_string({}, ';')", "xml": "CAST({} AS text)", "hstore": "CAST({} AS text)",
    "point": "{}[0], {}[1]", "geometry": "ST_X({}), ST_Y({})", "geography": "ST_AsText({})",
}  # fmt: skip
"""Type that nothing reads (`_` for any array) -> SQL of a view that turns a column of it into one that is read."""

# Logical type -> types under which the server computes what the engine would, or the engine knows less.
_ALIKE: dict[str, tuple[str, ...]] = {
    "text": (*_TEXTS, *_AS_TEXT), "free_text": (*_TEXTS, "bpchar"), "integer": _WHOLE,
    "decimal": (*_WHOLE, "numeric"), "float": (*_WHOLE, "float8", "float4"), "boolean": ("bool",), "date": ("date",),
    "timestamp": ("timestamp", "timestamptz"),
}  # fmt: skip
# Logical type of a watermark -> types under which its order is the server's.
_GROWING: dict[str, tuple[str, ...]] = {
    "integer": (*_WHOLE, "numeric"), "date": ("date",), "timestamp": ("timestamp", "timestamptz"),
}  # fmt: skip
_MIXED = {  # such a type -> a hash of a value, the same in every session
    "numeric": "hash_numeric_extended({}, 0)", "date": "timestamp_hash_extended({}, 0)",
    "timestamp": "timestamp_hash_extended({}, 0)", "timestamptz": "timestamp_hash_extended({} AT TIME ZONE 'UTC', 0)",
}  # fmt: skip
# Type -> when the engine reads a value of it (of `numeric`, when it may).
_OF_CASE = ("lower", "upper")  # of a few signs (`ﬁ`, `ŉ`) every engine makes others
_READABLE = {
    "date": "{0} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'",
    "timestamp": "{0} >= TIMESTAMP '0001-01-01 00:00:00' AND {0} < TIMESTAMP '10000-01-01 00:00:00'",
    "timestamptz": "{0} >= TIMESTAMP '0001-01-01 00:00:00' AND {0} < TIMESTAMP '10000-01-01 00:00:00'",
    "float8": "{0} > '-Infinity' AND {0} < 'Infinity'",
    "float4": "{0} > '-Infinity' AND {0} < 'Infinity'",
    "numeric": "abs({0}) < 1000000000000",
}
# Type -> midnight of a day; every other type takes the day.
_DAYS = {"timestamp": "TIMESTAMP '{} 00:00:00'", "timestamptz": "TIMESTAMP WITH TIME ZONE '{} 00:00:00+00'"}
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
        collations: column -> number of its collation.
        utf8: whether the database's encoding is UTF-8.
        icu: whether the collation that lower and upper case need is there.
        denied: columns that the user may not read.
    """

    name: str
    types: Mapping[str, str]
    odd: frozenset[str] = frozenset()
    collations: Mapping[str, int] = field(default_factory=dict)
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
    return "text" if column.spelt else _NATURAL[column.type]


def select_sql(asked: Asked, table: Table) -> str:
    """The statement.

    Args:
        asked: columns and conditions.
        table: where they are.
    """
    values = {key: _value(asked.source, key, table=table) for key in asked.columns}
    conditions = [one for one in asked.where if _left_to_server(one, asked.source, table=table)]
    plain = _plain_bounds(conditions, asked.source, table=table)
    others = [one for one in conditions if _bounds(one) is None]
    guarded = _guarded(others, asked, table=table)
    changed = {key for key in values if values[key] != _quoted(spelt(asked.source, key))}
    nested = bool(guarded) or any(condition.columns & changed for condition in others)
    names = {key: key if nested else spelt(asked.source, key) for key in asked.columns}
    printed = [_printed(condition, names, guarded=guarded) for condition in others]
    printed = [sql for sql in printed if maps_cases(sql, table)]
    share = share_sql(asked, table, nested=nested)
    printed += [share] if share else []
    listed = ", ".join(_named(value, key) for key, value in values.items()) or "1 AS nothing"
    if not nested:
        return f"SELECT {listed} FROM {table.name}{_where([*plain, *printed])}"  # noqa: S608 (quoted, checked conditions)
    extra = "".join(f", {value} AS {_quoted(name)}" for name, value in guarded.values())
    keys = ", ".join(_quoted(key) for key in values)
    inner = f"SELECT {listed}{extra} FROM {table.name}{_where(plain)}"  # noqa: S608 (likewise)
    return f"SELECT {keys} FROM ({inner}) t{_where(printed)}"  # noqa: S608 (likewise)


def same_value(key: str, asked: Asked, *, table: Table) -> str | None:
    """A column as the engine reads it, null where it reads none; None where both may see different values."""
    name = spelt(asked.source, key)
    kind, column = table.types.get(name), asked.source.columns[key]
    if column.type in (LogicalType.decimal, LogicalType.float) or kind not in _ALIKE[column.type]:
        return None
    if not _exact(column, name, source=asked.source, table=table):
        return None
    value = _value(asked.source, key, table=table)
    if column.type in (LogicalType.text, LogicalType.free_text):
        return f'{value} COLLATE "C"' if _texts_alike(name, table) else None
    return f"CASE WHEN {_READABLE[kind].format(value)} THEN {value} END" if kind in _READABLE else value


def bounds_sql(asked: Asked, table: Table) -> str:
    """`WHERE` with the conditions that are plain bounds of columns, which an index can answer; empty without one."""
    return _where(_plain_bounds(asked.where, asked.source, table=table))


def maps_cases(sql: str, table: Table) -> bool:
    """Whether the collation that lower and upper case need is there, if they are in a condition."""
    return table.icu or "und-x-icu" not in sql


def _plain_bounds(conditions: Sequence[Expression], source: Source, *, table: Table) -> list[str]:
    return [sql for sql in (_bounded(one, source, table=table) for one in conditions) if sql is not None]


def highest_sql(key: str, asked: Asked, *, table: Table) -> str | None:
    """A query of the highest value of a column that the engine reads; None for a type whose order is another."""
    name = spelt(asked.source, key)
    kind, column = table.types[name], _quoted(name)
    if kind not in _GROWING.get(asked.source.columns[key].type, ()):
        return None
    where = f" WHERE {_READABLE[kind].format(column)}" if kind in _READABLE else ""
    most = f"max({column}) AT TIME ZONE 'UTC'" if kind == "timestamptz" else f"max({column})"
    return f"SELECT CAST({most} AS text) FROM {table.name}{where}"  # noqa: S608 (quoted identifiers)


def earlier_sql(key: str, asked: Asked, *, table: Table, floor: int | datetime.date) -> str | None:
    """A query of a figure of the rows below a value, or without one; None for a type whose order is another.

    Their number times 2**64, and the sum of a hash of the column: rows that are as many and not the same differ.
    """
    name = spelt(asked.source, key)
    kind, column = table.types[name], _quoted(name)
    if kind not in _GROWING.get(asked.source.columns[key].type, ()):
        return None
    if isinstance(floor, datetime.datetime):
        bound = f"TIMESTAMP WITH TIME ZONE '{floor}+00'" if kind == "timestamptz" else f"TIMESTAMP '{floor}'"
    else:
        bound = f"DATE '{floor}'" if isinstance(floor, datetime.date) else str(floor)
    mixed = _MIXED.get(kind, "hashint8extended({}, 0)").format(column)
    figure = f"count(*) * {1 << 64} + coalesce(sum({mixed}), 0)"
    parts = (f"(SELECT {figure} FROM {table.name} WHERE {column} {test})" for test in (f"< {bound}", "IS NULL"))  # noqa: S608
    return f"SELECT CAST({' + '.join(parts)} AS text)"


def _where(conditions: Sequence[str]) -> str:
    return " WHERE " + " AND ".join(conditions) if conditions else ""


def _quoted(name: str) -> str:
    return quote_name(name, "postgres")


def _printed(condition: Expression, names: Mapping[str, str], *, guarded: Mapping[str, tuple[str, str]]) -> str:
    """A condition in PostgreSQL's SQL."""
    if compares_only(condition):
        return condition.sql("postgres", names)
    return condition.sql("postgres", {**names, **{key: name for key, (name, _) in guarded.items()}})


def _bounds(condition: Expression) -> tuple[Range, ...] | None:
    """A condition as bounds, none of which a null meets."""
    bounds = ranges(condition)
    return None if bounds is None or any(bound.operator.startswith("IS") for bound in bounds) else bounds


def _bounded(condition: Expression, source: Source, *, table: Table) -> str | None:
    """A condition as plain bounds of columns as they are there, which an index can answer; None when it is none."""
    bounds = _bounds(condition)
    if bounds is None:
        return None
    columns = [(bound, spelt(source, bound.column)) for bound in bounds]
    return "(" + " AND ".join(_bound(bound, _quoted(name), kind=table.types[name]) for bound, name in columns) + ")"


def _bound(bound: Range, column: str, *, kind: str) -> str:
    values = [_DAYS.get(kind, "DATE '{}'").format(v) if isinstance(v, datetime.date) else str(v) for v in bound.values]
    if bound.operator == "IN":
        return f"{column} IN ({', '.join(values)})"
    return " ".join([column, bound.operator, *values])


def _guarded(conditions: Sequence[Expression], asked: Asked, *, table: Table) -> dict[str, tuple[str, str]]:
    """Column -> a name and the SQL of its value where the engine reads one, for conditions that compute with it.

    To compute with an infinite day or a number that is none is an error there, and a null here.
    """
    computing = [one for one in conditions if not compares_only(one) and _bounds(one) is None]
    found = {}
    for key in sorted({column for condition in computing for column in condition.columns}):
        kind = table.types[spelt(asked.source, key)]
        if kind in _READABLE:
            value = _value(asked.source, key, table=table)
            found[key] = (f".{key}", f"CASE WHEN {_READABLE[kind].format(value)} THEN {value} END")
    return found


def _named(value: str, key: str) -> str:
    name = _quoted(key)
    return value if value == name else f"{value} AS {name}"


def _value(source: Source, key: str, *, table: Table) -> str:
    """A column as it leaves the server: as it is, or in a form that the driver would otherwise lose or pad.

    Times of day go as text (24:00 would become 00:00), single floats by their shortest text, as any export spells them,
    fixed-width texts without their padding.
    """
    column = _quoted(spelt(source, key))
    kind = table.types[spelt(source, key)]
    if kind == "float4":
        return f"CAST(CAST({column} AS text) AS double precision)"
    if kind in _AS_TEXT:
        return _text(column, kind)
    if kind == "timestamptz":
        return f"({column} AT TIME ZONE 'UTC')"
    return column


def _left_to_server(condition: Expression, source: Source, *, table: Table) -> bool:
    if any(calls_of(condition, name) for name in _OF_CASE):
        return False
    kinds = {key: (source.columns[key], spelt(source, key)) for key in condition.columns}
    for column, name in kinds.values():
        if table.types.get(name) not in _ALIKE[column.type]:
            return False
        if column.type in ("text", "free_text") and not _texts_alike(name, table):
            return False
    known = all(_exact(column, name, source=source, table=table) for column, name in kinds.values())
    if sees_nulls(condition) and not known and _bounds(condition) is None:
        return False
    try:
        condition.sql("postgres", {key: max(f".{key}", name, key=len) for key, (_, name) in kinds.items()})
    except CuratorError:  # a name, or nested formulas, that PostgreSQL would not take
        return False
    return True


def _texts_alike(name: str, table: Table) -> bool:
    return table.utf8 and name not in table.odd


def _exact(column: Column, name: str, *, source: Source, table: Table) -> bool:
    """Whether a null there is a null here, since the engine reads every other value that the condition looks at."""
    kind = table.types[name]
    if kind in _WHOLE or kind == "bool" or (kind in _READABLE and kind != "numeric"):
        return True
    return column.type in ("text", "free_text") and not source.null_tokens


def share_sql(asked: Asked, table: Table, *, nested: bool = False) -> str | None:
    """The sample's threshold, over keys whose text is spelt alike: whole numbers and texts."""
    if asked.share is None or not table.utf8:
        return None
    texts = {}
    for key in asked.columns:
        name = spelt(asked.source, key)
        if table.types[name] in (*_WHOLE, *_TEXTS) and _exact(
            asked.source.columns[key], name, source=asked.source, table=table
        ):
            texts[key] = f"CAST({_quoted(key if nested else name)} AS text)"
    return asked.share(texts)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of a join: what is asked of it, where it is, and what the statement calls it."""

    asked: Asked
    table: Table
    alias: str

    def kind(self, key: str) -> str | None:
        """The type of a key there; None for no such column, or one that may not be read."""
        name = spelt(self.asked.source, key)
        return None if name in self.table.denied else self.table.types.get(name)

    def column(self, key: str) -> str:
        """A key, with the side's name."""
        return f"{_quoted(self.alias)}.{_quoted(spelt(self.asked.source, key))}"


def same_key(key: str, left: Side, *, right: Side) -> KeyTest | None:
    """The test that a key is the same on both sides; None where the server might decide otherwise than the engine.

    Whole numbers as they are; days and moments where the engine reads them (of decimals it reads six digits, which the
    server does not round to); texts byte by byte, as they leave the
    server. Of texts the engine must read each as it is: no null token, a database in UTF-8.
    """
    kinds, declared = (left.kind(key), right.kind(key)), {one.asked.source.columns[key].type for one in (left, right)}
    if declared == {LogicalType.integer} and all(kind in _WHOLE for kind in kinds):
        return KeyTest(same=f"{left.column(key)} = {right.column(key)}")
    if (declared == {LogicalType.date} and kinds == ("date", "date")) or (
        declared == {LogicalType.timestamp} and all(kind in _GROWING["timestamp"] for kind in kinds)
    ):
        values = [_key_value(key, side) for side in (left, right)]
        read = [_READABLE[str(side.kind(key))].format(value) for side, value in zip((left, right), values, strict=True)]
        return KeyTest(same=f"{values[0]} = {values[1]}", left=read[0], right=read[1])
    plain = left.table.utf8 and not left.asked.source.null_tokens and not right.asked.source.null_tokens
    if declared == {LogicalType.text} and plain and all(kind in (*_TEXTS, *_AS_TEXT) for kind in kinds):
        texts = [_key_text(key, side) for side in (left, right)]
        collation = "" if _one_collation(key, left, right=right) else ' COLLATE "C"'
        return KeyTest(same=f"{texts[0]} = {texts[1]}{collation}")
    return None


def _key_value(key: str, side: Side) -> str:
    """A day or a moment as it leaves the server: with a zone, in UTC."""
    return f"({side.column(key)} AT TIME ZONE 'UTC')" if side.kind(key) == "timestamptz" else side.column(key)


def _key_text(key: str, side: Side) -> str:
    kind = side.kind(key)
    return _text(side.column(key), kind) if kind in _AS_TEXT else side.column(key)


def _text(column: str, kind: str) -> str:
    """A value as exports spell it; a cast would write the whole width of a single address (`10.0.0.1/32`)."""
    return f"abbrev({column})" if kind == "inet" else f"CAST({column} AS text)"


def _one_collation(key: str, left: Side, *, right: Side) -> bool:
    """Whether both sides are texts of one collation under which equal means the same bytes."""
    names = [(side.table, spelt(side.asked.source, key)) for side in (left, right)]
    if any(table.types[name] not in _TEXTS or name in table.odd for table, name in names):
        return False
    return len({table.collations.get(name) for table, name in names}) == 1


def partners_sql(on: Sequence[str], left: Side, *, right: Side) -> str | None:
    """A query of two numbers: rows of the left table without partner in the right one, and the other way round.

    None unless every key is compared there as the engine compares it. The sides are called `l` and `r`.
    """
    tests = [same_key(key, left, right=right) for key in on]
    known = [test for test in tests if test is not None]
    return alone_sql(left.table.name, right.table.name, keys=known) if len(known) == len(tests) else None


def joined_table(asked: AskedJoined, tables: Mapping[str, Table]) -> Table:
    """Joined tables as one, whose columns have their names in the spec.

    Args:
        asked: the tables and their keys, of which `same_key` knows each.
        tables: source -> its table.
    """
    sides = {name: Side(asked=one, table=tables[name], alias=name) for name, one in asked.tables.items()}

    def same(join: AskedJoin, key: str) -> KeyTest | None:
        return same_key(key, sides[join.on[key]], right=sides[join.asked.name])

    there = {key: (tables[source], spelt(sides[source].asked.source, key)) for key, source in asked.origin.items()}
    names = {name: table.name for name, table in tables.items()}
    return Table(
        name=joined_from(asked, names=names, quote=_quoted, same=same),
        types={key: table.types[name] for key, (table, name) in there.items() if name in table.types},
        odd=frozenset(key for key, (table, name) in there.items() if name in table.odd),
        utf8=tables[asked.base.name].utf8,
        icu=tables[asked.base.name].icu,
    )
