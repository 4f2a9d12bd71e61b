"""Whether a table is as its source declares it: the same refusals as for files, from the database's own catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from curator.errors import SourceError
from curator.protocols import Asked
from curator.spec.model import Source


def spelt(source: Source, key: str) -> str:
    """What the table calls a column of the spec."""
    return source.columns[key].column or key


def plain_watermark(text: str, kind: str) -> str:
    """A highest value as Python writes it, of the text that a database gives: a number, a day, a moment."""
    if kind == "integer":
        return str(int(Decimal(text)))
    return str(datetime.fromisoformat(text)) if kind == "timestamp" else text


def require_columns(asked: Asked, present: Iterable[str], *, hidden: str = "") -> tuple[str, ...]:
    """The columns that the spec does not declare.

    Args:
        asked: what is asked of the source.
        present: the columns of the table.
        hidden: what to say besides of a missing one, where the database does not show all.

    Raises:
        SourceError: `source-column-missing`, and `source-column-extra` for a source declared strict.
    """
    names, source = list(present), asked.source
    declared = {spelt(source, key) for key in source.columns}
    missing = sorted({spelt(source, key) for key in asked.columns} - set(names))
    if missing:
        raise SourceError(
            "source-column-missing",
            asked=f"read the declared columns of the source `{asked.name}`",
            found=f"no column {', '.join(f'`{name}`' for name in missing)} among {', '.join(names)}"[:600],
            expected="every declared column in the source",
            todo="correct the name in the spec (`column:` gives the source's spelling), or ask the holder what changed"
            + hidden,
        )
    extra = tuple(name for name in names if name not in declared)
    if source.strict and extra:
        raise SourceError(
            "source-column-extra",
            asked=f"read the source `{asked.name}`, declared strict",
            found=f"columns that the spec does not declare: {', '.join(extra)}"[:600],
            expected="only declared columns",
            todo="declare them, or leave `strict` out: an undeclared column is never read",
        )
    return extra


def require_type(
    asked: Asked, key: str, *, found: str, fitting: Mapping[str, Iterable[str]], turned: Mapping[str, str] | None = None
) -> None:
    """Refuse a column whose type in the database does not hold the declared one.

    Args:
        asked: what is asked of the source.
        key: the column, by its name in the spec.
        found: its type in the database.
        fitting: logical type -> types of the database that hold it.
        turned: type of the database that nothing reads -> SQL that turns a column `{}` of it into one that is read.

    Raises:
        SourceError: `source-column-type`.
    """
    declared = asked.source.columns[key].type
    if found in fitting[declared]:
        return
    others = [kind for kind, types in fitting.items() if found in types]
    way = (turned or {}).get("_" if found.startswith("_") else found)
    view = "name as `table` a view that turns it into text, numbers or dates"
    view += f" (`{way.replace('{}', spelt(asked.source, key))}`)" if way else ""
    raise SourceError(
        "source-column-type",
        asked=f"read `{key}` of the source `{asked.name}` as {declared}",
        found=f"a column of type {found}",
        expected=f"one of {', '.join(fitting[declared])}",
        todo=f"declare it as {' or '.join(others)} in the spec, or ask the holder why the column changed"
        if others
        else f"no declared type reads this one: {view}",
    )
