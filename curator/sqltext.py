"""The few spellings of SQL that every engine shares: quoted identifiers, escaped literals, keys as one text."""

from __future__ import annotations

from collections.abc import Iterable

TEXT = "STRING"
"""The type of a text without limit, as both DuckDB and Spark know it (Spark's VARCHAR wants a length)."""


def quoted(name: str) -> str:
    """An identifier in double quotes (SQL-92, 5.2)."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text literal in single quotes (SQL-92, 5.3)."""
    return "'" + text.replace("'", "''") + "'"


def text_key(columns: Iterable[str]) -> str:
    """Several columns as one text: each part prefixed by its length, so that no two keys are spelt alike.

    Null when any part is null: a key with a hole names nothing.
    """
    names = list(columns)
    texts = [f"CAST({quoted(name)} AS {TEXT})" for name in names]
    if len(texts) == 1:
        return texts[0]
    return "(" + " || ".join(f"CAST(length({text}) AS {TEXT}) || ':' || {text}" for text in texts) + ")"
