"""Rows of tables without a key: `row_key: [whole_row]` names each by all its cells, and counts those that are equal.

The rules here say where that cannot be; `curator.sampling` writes the SQL.
"""

from __future__ import annotations

from collections.abc import Iterator

from curator.spec.model import UseCase
from curator.spec.scope import WHOLE_ROW, PathKey, Scope, Trouble, try_parse

_KEY: PathKey = ("extract", "row_key")


def whole_row_troubles(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    """What cannot be where rows are named by all their cells."""
    if not scope.whole:
        return
    if len(spec.extract.row_key) > 1:
        yield Trouble(_KEY, f"`{WHOLE_ROW}` beside other columns", f"`[{WHOLE_ROW}]` alone: it holds them all")
    if all(scope.types[name] == "float" for name in scope.whole):
        found = f"`{WHOLE_ROW}` of a table of floats"
        yield Trouble(_KEY, found, "a column with exact values (text, integer, decimal, date) in the base source")
    if spec.refresh is not None and spec.refresh.feed != "full":
        found = f"`feed: {spec.refresh.feed}` of rows without a key: equal rows cannot be told apart from run to run"
        yield Trouble(("refresh", "feed"), found, "`feed: full`, or a key")
    for name, field in spec.fields.items():
        formula, _ = try_parse(field.value, scope.types, path=()) if field.value else (None, [])
        read = {field.from_ or name, *(field.by or ())} if field.value is None else set()
        if WHOLE_ROW in read | (formula.columns if formula else frozenset()):
            yield Trouble(("fields", name), f"`{WHOLE_ROW}`, which holds every cell of the row", "a column")
    if spec.extract.where is not None:
        condition, _ = try_parse(spec.extract.where, scope.types, path=())
        if condition is not None and WHOLE_ROW in condition.columns:
            yield Trouble(("extract", "where"), f"`{WHOLE_ROW}` in a condition", "columns of the source")
