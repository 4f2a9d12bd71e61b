"""Joins within one database: the tables as one, whose columns have their names in the spec.

    `(SELECT "persons"."id_usager" AS "number", "accidents"."day" FROM ... INNER JOIN ... ON ...) joined`

What is then asked of it is written as for a single table. How keys are compared is the dialect's: it takes part only
where that is proved to be how the engine compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from curator.protocols import AskedJoin, AskedJoined
from curator.sources._shape import spelt

LEFT, RIGHT = "l", "r"


@dataclass(frozen=True, kw_only=True)
class KeyTest:
    """That a key is the same on both sides of a join.

    Attributes:
        same: that the cells are equal.
        left: that the cell of the left side is one which the engine reads; empty where it reads every one.
        right: the same of the right side; of equal cells, one of both is enough.
    """

    same: str
    left: str = ""
    right: str = ""

    @property
    def whole(self) -> str:
        """Both together."""
        return f"{self.same} AND {self.left}" if self.left else self.same


Same = Callable[[AskedJoin, str], KeyTest | None]
"""The test of a key of a join; None where the database might decide otherwise than the engine."""


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
        tests = [same(join, key) for key in join.on]
        on = " AND ".join("false" if test is None else test.whole for test in tests)
        tables += f" {join.kind.upper()} JOIN {names[join.asked.name]} AS {quote(join.asked.name)} ON {on}"
    return f"(SELECT {', '.join(listed) or '1 AS nothing'} FROM {tables}) joined"  # noqa: S608 (quoted identifiers)


def alone_sql(left: str, right: str, *, keys: Sequence[KeyTest]) -> str:
    """A query of two numbers: rows of either table without partner in the other one.

    What is asked of a single cell is asked of the inner table, which a server may then hash once.

    Args:
        left: the one table, quoted.
        right: the other one.
        keys: tests of the keys, the tables being called `l` and `r`.
    """
    same = [key.same for key in keys]
    there = (
        [*same, *(key.right for key in keys if key.right)],
        [*same, *(key.left for key in keys if key.left)],
    )
    sides = ((f"{left} {LEFT}", f"{right} {RIGHT}"), (f"{right} {RIGHT}", f"{left} {LEFT}"))
    counts = (
        f"(SELECT count(*) FROM {one} WHERE NOT EXISTS (SELECT 1 FROM {other} WHERE {' AND '.join(on)}))"  # noqa: S608
        for (one, other), on in zip(sides, there, strict=True)
    )
    return "SELECT " + ", ".join(counts)
