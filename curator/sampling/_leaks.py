"""No feature newer than its cut-off: what the spec shows is refused there, the rest is asked of the data here.

A spec with a label is a promise about time. The check looks at every date that a feature is made from, whether a column
or read from text; at the time when each row became known (`known_at`, or the time of events that are joined as they
are), that of rows which only lead to others by a join too; and at the newest event of each history. A feature that
tells the label in every row is the label under another name. Aggregate queries answer it; only counts leave the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from curator.errors import QualityError
from curator.expressions import Expression, calls_of, parse
from curator.sampling._events import newest_columns
from curator.sampling._parts import Extracting
from curator.spec import Scope, UseCase
from curator.spec.model import Label
from curator.sqltext import quoted

Rows = Callable[[str], list[tuple[Any, ...]]]
"""Runs a query and gives its rows."""

_TIMES = ("date", "timestamp")
_FEW, _ENOUGH = 20, 30
"""A feature of so many classes at most, where each value of the label has so many rows at least, does not tell the
label of every row by chance."""


def feature_bases(use_case: UseCase, scope: Scope) -> dict[str, frozenset[str]]:
    """Field that may be learned from -> the names, none of them derived, that it is made from.

    The model's features; without a model every written field but tokens and what is made from the label, its target.
    """
    model, label, kept = use_case.model, use_case.extract.label, use_case.kept()
    if model is not None:
        return {
            name: scope.made_from(kept[name], name) for name in (*model.features, *model.text_features) if name in kept
        }
    bases = {name: scope.made_from(field, name) for name, field in kept.items() if field.protect != "token"}
    return {name: found for name, found in bases.items() if label is None or label.name not in found}


def refuse_leaks(parts: Extracting, *, rows: Rows, relation: str) -> dict[str, int]:
    """Ask the data whether anything is newer than the cut-off it must not pass, or is the label itself.

    Args:
        parts: what the extraction was written from.
        rows: runs a query and gives its rows.
        relation: the sample.

    Returns:
        How many times of each row were compared with its cut-off, and how many rows have no cut-off: nothing can be
        compared there, and their label is null. Empty when the spec looks at no events.

    Raises:
        QualityError: `feature-leak`, naming each column that is newer than the cut-off and in how many rows; or each
            feature that alone tells the label of every row.
    """
    use_case = parts.use_case
    if not use_case.extract.event_tables():
        return {}
    compared = list(_compared(parts))
    conditions = [*(condition for _, condition in compared), f"{quoted(_cut(use_case))} IS NULL"]
    selected = ", ".join(f"sum(CASE WHEN {condition} THEN 1 ELSE 0 END)" for condition in conditions)
    *counts, without = rows(f"SELECT {selected} FROM {quoted(relation)}")[0]  # noqa: S608 (built from a checked spec)
    late = [f"{name} in {int(count):,} rows" for (name, _), count in zip(compared, counts, strict=True) if count]
    if late:
        raise QualityError(
            "feature-leak",
            asked=f"make the features of {use_case.ref}",
            found="; ".join(late)[:1500] + f" newer than the cut-off (`{_cut(use_case)}`)",
            expected="no feature made from what nobody knew at the cut-off",
            todo="drop the field, take an earlier column, or bring events in with a history that ends at the cut-off",
        )
    _refuse_copies(parts, rows=rows, relation=relation)
    return {"times compared with the cut-off": len(compared)} | (
        {"rows without cut-off": int(without)} if without else {}
    )


def _cut(use_case: UseCase) -> str:
    label = use_case.extract.label
    return label.after if label else use_case.extract.history[0].until


# ---- times -----------------------------------------------------------------------------------------------------------


def _compared(parts: Extracting) -> Iterator[tuple[str, str]]:
    """What is compared, and the condition of a row in which it is too new."""
    use_case, scope = parts.use_case, parts.scope
    for table, column in newest_columns(use_case.extract.event_tables()):
        sign = ">=" if table.strictly else ">"
        yield f"the history of `{table.events}`", f"{quoted(column)} {sign} {quoted(table.until)}"
    label = use_case.extract.label
    if label is None:
        return
    for name in sorted(time_columns(use_case, scope) - {label.after}):
        yield f"`{name}`", _newer(quoted(name), label, kind=scope.types[name], scope=scope)
    for call in _dates_made(use_case, scope):
        read = ", ".join(f"`{name}`" for name in sorted(call.columns))
        yield f"the {call.type} read from {read}", _newer(call.sql(parts.dialect), label, kind=call.type, scope=scope)


def time_columns(use_case: UseCase, scope: Scope) -> set[str]:
    """The dates and timestamps that must not pass the cut-off: those of features, and of rows they come from."""
    bases = _led_to_by(set[str]().union(*feature_bases(use_case, scope).values()), use_case, scope=scope)
    found = {name for name in bases if scope.types[name] in _TIMES}
    events = {table.events: table.at for table in use_case.extract.event_tables()}
    for source in {scope.origin[name] for name in bases if name in scope.origin}:
        known = use_case.sources[source].known_at or events.get(source)
        if known is not None and scope.origin.get(known) == source:
            found.add(known)
    return found


def _led_to_by(names: set[str], use_case: UseCase, *, scope: Scope) -> set[str]:
    """Names with the keys that lead to their rows: of the join that brought their table, of the events they tell of."""
    keys = {join.source: join.on for join in use_case.extract.join}
    told = {name: table.on for table in use_case.extract.history for name in table.columns}
    found: set[str] = set()
    while names - found:
        name = (names - found).pop()
        found.add(name)
        names = names | set(told.get(name) or keys.get(scope.origin.get(name, ""), ()))
    return found


def _dates_made(use_case: UseCase, scope: Scope) -> Iterator[Expression]:
    """Days and moments that the formulas of features read from text or put together; no column holds them."""
    for _, formula in _formulas(use_case, scope):
        yield from calls_of(formula, "parse_date")
        for moment in calls_of(formula, "timestamp_of"):
            if len(moment.columns) > 1:  # a day with its time; a day at a fixed time is compared as the day it is
                yield moment


def _formulas(use_case: UseCase, scope: Scope) -> Iterator[tuple[str, Expression]]:
    """The formulas that features are made by: fields of their own, and the derived columns on the way."""
    kept, types, waiting = use_case.kept(), scope.expression_types(), set[str]()
    for name in feature_bases(use_case, scope):
        field = kept[name]
        if field.protect != "generalise":
            waiting.add(field.from_ or name)
            continue
        formula = parse(field.value or "", types)
        waiting |= formula.columns
        yield name, formula
    for name in reversed(list(scope.derived)):  # each may use those before it
        if name in waiting:
            waiting |= scope.derived[name].columns
            yield name, scope.derived[name]


def _newer(made: str, label: Label, *, kind: str, scope: Scope) -> str:
    """Compared by the day when one of the two is a date: nothing finer is known of it."""
    cut = quoted(label.after)
    if kind != scope.types[label.after]:
        made, cut = f"CAST({made} AS DATE)", f"CAST({cut} AS DATE)"
    return f"{made} > {cut}"


# ---- the label under another name ------------------------------------------------------------------------------------


def _refuse_copies(parts: Extracting, *, rows: Rows, relation: str) -> None:
    """Refuse features of few classes each of which has one value of the label only."""
    label = parts.use_case.extract.label
    if label is None:
        return
    features = _classes(parts)
    known = f"FROM {quoted(relation)} WHERE {quoted(label.name)} IS NOT NULL"
    is_true = f"CASE WHEN {quoted(label.name)} THEN 1 ELSE 0 END"
    sizes = "".join(f", approx_count_distinct({sql})" for sql in features.values())
    total, true, *classes = rows(f"SELECT count(*), sum({is_true}){sizes} {known}")[0]
    if min(true or 0, total - (true or 0)) < _ENOUGH:
        return
    few = [name for name, count in zip(features, classes, strict=True) if count <= 2 * _FEW]
    one = "SELECT {} AS place, count(*) AS classes, max(most - least) AS apart FROM ({}) t"
    parted = (
        "SELECT class, max(told) AS most, min(told) AS least FROM (SELECT {} AS class, {} AS told {}) t GROUP BY class"
    )
    asked = (one.format(n, parted.format(features[name], is_true, known)) for n, name in enumerate(few))
    found = rows(" UNION ALL ".join(asked)) if few else []
    same = sorted(few[int(place)] for place, count, apart in found if not apart and count <= _FEW)
    if same:
        raise QualityError(
            "feature-leak",
            asked=f"make the features of {parts.use_case.ref}",
            found=", ".join(f"`{name}`" for name in same)[:1500] + f" tells `{label.name}` in all {int(total):,} rows",
            expected="features that were known before the label was",
            todo="drop the field: it is the label under another name, or was filled in with it",
        )


def _classes(parts: Extracting) -> dict[str, str]:
    """Feature, or column that features are made from -> SQL of its value."""
    use_case, scope = parts.use_case, parts.scope
    names = set[str]().union(*feature_bases(use_case, scope).values())
    columns = {name: quoted(name) for name in sorted(names) if name in scope.origin}
    return columns | {name: formula.sql(parts.dialect) for name, formula in _formulas(use_case, scope)}
