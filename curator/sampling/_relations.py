"""The relations between the sources and the sample, as SQL built from a checked spec.

    sources ─► chosen (`where` of a source) ─► joined ─► events ─► population (derived, window, `where`) ─► sample

Only the last step looks at the sampling words: the population is what the sample stands for.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from curator.expressions import Engine as Dialect
from curator.expressions import parse
from curator.sampling._draw import drawn_sql
from curator.sampling._events import brought_sql, event_sql
from curator.sampling._parts import Extracting
from curator.spec import Scope, UseCase
from curator.spec.scope import WHOLE_ROW, source_types
from curator.sqltext import TEXT, literal, quoted

POPULATION = "population"
"""The relation that holds the rows a sample is drawn from, every name of the scope a column of it."""

EQUALS = ".number among equals"
_JOINED, _CELLS = "joined", ".cells"


def relations(parts: Extracting) -> Iterator[tuple[str, str]]:
    """Name and SQL of each relation before the sample, each defined in terms of those before it."""
    joined = joined_sql(parts)
    tables = parts.use_case.extract.event_tables()
    if tables:
        yield _JOINED, joined
        for index, table in enumerate(tables):
            yield event_sql(index, table, parts=parts, joined=_JOINED)
        joined = brought_sql(parts, joined=_JOINED)
    yield POPULATION, _population_sql(parts, joined)


def sample_sql(parts: Extracting) -> str:
    """The rows drawn from the population."""
    return drawn_sql(parts.use_case, parts.scope, dialect=parts.dialect, population=POPULATION)


def chosen_sql(use_case: UseCase, source: str, *, dialect: Dialect, relation: str) -> str | None:
    """The rows of a source that its own `where` lets through; None when it has none."""
    where = use_case.sources[source].where
    if where is None:
        return None
    condition = parse(where, source_types(use_case, source)).sql(dialect)
    return f"SELECT * FROM {quoted(relation)} t WHERE ({condition})"  # noqa: S608 (built from a checked spec)


def whole_row_sql(scope: Scope, relation: str) -> str:
    """The rows of the base with `whole_row`: all cells as one text, and a number among the rows that are equal in them.

    Floats are spelt otherwise on each engine (but for zeros), so they only order equal texts. Rows equal in all cells
    are alike whichever comes first, so any order of theirs gives the same rows.
    """
    exact = [name for name in scope.whole if scope.types[name] != "float"]
    texts = [f"CAST({quoted(name)} AS {TEXT})" for name in exact]
    spelt = [f"CAST(length({text}) AS {TEXT}) || ':' || {text}" for text in texts]
    cells = [f"CASE WHEN {text} IS NULL THEN '-' ELSE {cell} END" for text, cell in zip(texts, spelt, strict=True)]
    floats = [quoted(name) for name in scope.whole if scope.types[name] == "float"]
    ranks = [f"{one} IS NULL, {one}, CASE WHEN {one} = 0 THEN CAST({one} AS {TEXT}) END" for one in floats]  # -0.0, 0.0
    order = ", ".join([quoted(_CELLS), *ranks])
    number = f"row_number() OVER (PARTITION BY {quoted(_CELLS)} ORDER BY {order})"
    inner = f"SELECT *, {' || '.join(cells)} AS {quoted(_CELLS)} FROM {quoted(relation)}"  # noqa: S608 (quoted)
    numbered = f"SELECT *, {number} AS {quoted(EQUALS)} FROM ({inner}) t"  # noqa: S608 (likewise)
    named = f"{quoted(_CELLS)} || '#' || CAST({quoted(EQUALS)} AS {TEXT})"
    return f"SELECT *, {named} AS {quoted(WHOLE_ROW)} FROM ({numbered}) t"  # noqa: S608 (likewise)


def joined_sql(parts: Extracting) -> str:
    """Every column of the base and of the joined tables, with the texts of cells that may be unreadable."""
    use_case, scope = parts.use_case, parts.scope
    selected = []
    for name, source in scope.origin.items():
        held = quoted(parts.held_by(source))
        selected.append(f"{held}.{quoted(name)}")
        if name in parts.raw.get(source, {}):
            selected.append(f"{held}.{parts.raw[source][name]}")
    base = use_case.extract.from_
    if scope.whole:
        selected.append(f"{quoted(base)}.{quoted(WHOLE_ROW)}")
    tables = f"{quoted(parts.tables[base])} AS {quoted(base)}"
    for join in use_case.extract.join:
        if join.source in parts.merged:
            continue
        on = " AND ".join(
            f"{quoted(parts.held_by(scope.origin[key]))}.{quoted(key)} = {quoted(join.source)}.{quoted(key)}"
            for key in join.on
        )
        tables += f" {join.kind.upper()} JOIN {quoted(parts.tables[join.source])} AS {quoted(join.source)} ON {on}"
    return f"SELECT {', '.join(selected)} FROM {tables}"  # noqa: S608 (built from a checked spec)


def _population_sql(parts: Extracting, joined: str) -> str:
    """One nested query per derived column (each may use those before it); then the window and the filter."""
    use_case, scope, sql = parts.use_case, parts.scope, joined
    for name, expression in scope.derived.items():
        sql = f"SELECT *, {expression.sql(parts.dialect)} AS {quoted(name)} FROM ({sql}) t"  # noqa: S608
    conditions = list(_window_conditions(use_case))
    if use_case.extract.where is not None:
        conditions.append(parse(use_case.extract.where, scope.expression_types()).sql(parts.dialect))
    where = " WHERE " + " AND ".join(f"({condition})" for condition in conditions) if conditions else ""
    return f"SELECT * FROM ({sql}) t{where}"  # noqa: S608 (built from a checked spec)


def _window_conditions(use_case: UseCase) -> Iterator[str]:
    """The window as plain comparisons, so that a source can apply them: days for dates, moments for timestamps."""
    window = use_case.extract.window
    if window is None:
        return
    if window.since is not None:
        yield f"{quoted(window.column)} >= CAST({literal(window.since)} AS DATE)"
    last = datetime.date.fromisoformat(window.until) if window.until is not None else None
    if last == datetime.date.max:  # the calendar has no day after it: every date that is one
        yield f"{quoted(window.column)} IS NOT NULL"
    elif last is not None:
        after = last + datetime.timedelta(days=1)
        yield f"{quoted(window.column)} < CAST({literal(after.isoformat())} AS DATE)"
