"""The one SELECT by which PostgreSQL counts the classes of a population that stands in it whole.

A row too many would be counted here, where a condition that is left to the server may let rows through. So it is asked
only where all that conditions and formulas look at is the same value on both sides: texts in a database in UTF-8, whole
numbers, truths, days and moments, each a null where the engine reads none.
"""

from __future__ import annotations

from collections.abc import Sequence

from curator.errors import CuratorError
from curator.expressions import Expression, quote_name
from curator.protocols import Asked, AskedClasses
from curator.sources._postgres_sql import Table, bounds_sql, maps_cases, same_value, share_sql


def classes_sql(asked: AskedClasses, rows: Asked, *, table: Table) -> str | None:
    """The statement; None where the server might count otherwise, or draws no rows itself.

    Args:
        asked: what is counted.
        rows: its rows, those of joined tables with their names in the spec.
        table: where they are, joined tables as one.
    """
    looked_at = [*rows.where, *asked.formulas]
    values = {key: same_value(key, rows, table=table) for key in rows.columns if _needed(key, looked_at)}
    known = [f"{value} AS {quote_name(key, 'postgres')}" for key, value in values.items() if value is not None]
    printed = _printed(looked_at, table)
    if len(known) < len(values) or printed is None or share_sql(rows, table) is None:
        return None
    where, formulas = printed[: len(rows.where)], printed[len(rows.where) :]
    inner = f"SELECT {', '.join(known) or '1 AS nothing'} FROM {table.name}{bounds_sql(rows, table)}"  # noqa: S608 (quoted, checked conditions)
    met = f" WHERE {' AND '.join(where)}" if where else ""
    return asked.statement(formulas, rows=f"({inner}) t{met}", dialect="postgres")


def _needed(key: str, looked_at: Sequence[Expression]) -> bool:
    return any(key in one.columns for one in looked_at)


def _printed(expressions: Sequence[Expression], table: Table) -> list[str] | None:
    """Each in PostgreSQL's SQL, in brackets where needed; None when it would not take one."""
    try:
        printed = [one.sql("postgres") for one in expressions]
    except CuratorError:  # a name, or nested formulas, that PostgreSQL would not take
        return None
    return printed if all(maps_cases(sql, table) for sql in printed) else None
