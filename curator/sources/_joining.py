"""Joins within one database: the tables as one, whose columns have their names in the spec.

    `(SELECT "persons"."id_usager" AS "number", "accidents"."day" FROM ... INNER JOIN ... ON ...) joined`

What is then asked of it is written as for a single table. How keys are compared is the dialect's: it takes part only
where that is proved to be how the engine compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from curator.protocols import AskedJoin, AskedJoined
from curator.sources._shape import spelt

Same = Callable[[AskedJoin, str], str]
"""The test that a key is the same on both sides of a join."""

LEFT, RIGHT = "l", "r"


def joined_from(asked: AskedJoined, *, names: Mapping[str, str], quote: Callable[[str], str], same: Same) -> str:
    """The tables of a join as one, in brackets, with a name.

    Args:
        asked: tables and keys.
        names: source -> its table, quoted.
        quote: an identifier in its quotes.
        same: the test of one key.
    """
    listed = []
    for key in asked.rows.columns:
        source = asked.tables[asked.origin[key]]
        name = spelt(source.source, key)
        column = f"{quote(source.name)}.{quote(name)}"
        listed.append(column if name == key else f"{column} AS {quote(key)}")
    tables = f"{names[asked.base.name]} AS {quote(asked.base.name)}"
    for join in asked.joins:
        on = " AND ".join(same(join, key) for key in join.on)
        tables += f" {join.kind.upper()} JOIN {names[join.asked.name]} AS {quote(join.asked.name)} ON {on}"
    return f"(SELECT {', '.join(listed) or '1 AS nothing'} FROM {tables}) joined"  # noqa: S608 (quoted identifiers)


def alone_sql(left: str, right: str, same: Sequence[str]) -> str:
    """A query of two numbers: rows of either table without partner in the other one.

    Args:
        left: the one table, quoted.
        right: the other one.
        same: tests of the keys, the tables being called `l` and `r`.
    """
    on = " AND ".join(same)
    sides = ((f"{left} {LEFT}", f"{right} {RIGHT}"), (f"{right} {RIGHT}", f"{left} {LEFT}"))
    counts = (
        f"(SELECT count(*) FROM {one} WHERE NOT EXISTS (SELECT 1 FROM {other} WHERE {on}))"  # noqa: S608 (quoted)
        for one, other in sides
    )
    return "SELECT " + ", ".join(counts)
