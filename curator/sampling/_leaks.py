"""No feature newer than its cut-off: what the spec shows is refused there, the rest is asked of the data here.

A spec with a label is a promise about time. The check looks at every date that a feature is made from, at the time
when each row became known (`known_at`, or the time of events that are joined as they are), and at the newest event of
each history. One aggregate query answers it; only counts leave the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from curator.errors import QualityError
from curator.sampling._events import newest_columns
from curator.spec import Scope, UseCase
from curator.spec.model import Label
from curator.sqltext import quoted

_TIMES = ("date", "timestamp")


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


def refuse_leaks(
    use_case: UseCase, scope: Scope, *, rows: Callable[[str], list[tuple[Any, ...]]], relation: str
) -> int:
    """Ask the data whether anything is newer than the cut-off it must not pass.

    Args:
        use_case: a checked spec.
        scope: its names.
        rows: runs a query and gives its rows.
        relation: the sample.

    Returns:
        How many times of each row were compared with its cut-off; 0 when the spec looks at no events.

    Raises:
        QualityError: `feature-leak`, naming each column that is newer than the cut-off and in how many rows.
    """
    compared = list(_compared(use_case, scope))
    if not compared:
        return 0
    selected = ", ".join(f"sum(CASE WHEN {condition} THEN 1 ELSE 0 END)" for _, condition in compared)
    counts = rows(f"SELECT {selected} FROM {quoted(relation)}")[0]  # noqa: S608 (built from a checked spec)
    late = [f"{name} in {int(count):,} rows" for (name, _), count in zip(compared, counts, strict=True) if count]
    if late:
        raise QualityError(
            "feature-leak",
            asked=f"make the features of {use_case.ref}",
            found="; ".join(late)[:1500] + f" newer than the cut-off (`{_cut(use_case)}`)",
            expected="no feature made from what nobody knew at the cut-off",
            todo="drop the field, take an earlier column, or bring events in with a history that ends at the cut-off",
        )
    return len(compared)


def _cut(use_case: UseCase) -> str:
    label = use_case.extract.label
    return label.after if label else use_case.extract.history[0].until


def _compared(use_case: UseCase, scope: Scope) -> Iterator[tuple[str, str]]:
    """What is compared, and the condition of a row in which it is too new."""
    for table, column in newest_columns(use_case.extract.event_tables()):
        sign = ">=" if table.strictly else ">"
        yield f"the history of `{table.events}`", f"{quoted(column)} {sign} {quoted(table.until)}"
    label = use_case.extract.label
    if label is None:
        return
    for name in sorted(time_columns(use_case, scope) - {label.after}):
        yield f"`{name}`", _newer(name, label, scope=scope)


def time_columns(use_case: UseCase, scope: Scope) -> set[str]:
    """The dates and timestamps that must not pass the cut-off: those of features, and of rows they come from."""
    bases = set[str]().union(*feature_bases(use_case, scope).values())
    found = {name for name in bases if scope.types[name] in _TIMES and name in scope.origin}
    events = {table.events: table.at for table in use_case.extract.event_tables()}
    for source in {scope.origin[name] for name in bases if name in scope.origin}:
        known = use_case.sources[source].known_at or events.get(source)
        if known is not None and scope.origin.get(known) == source:
            found.add(known)
    return found


def _newer(name: str, label: Label, *, scope: Scope) -> str:
    """Compared by the day when one of the two is a date: nothing finer is known of it."""
    left, right = quoted(name), quoted(label.after)
    if scope.types[name] != scope.types[label.after]:
        left, right = f"CAST({left} AS DATE)", f"CAST({right} AS DATE)"
    return f"{left} > {right}"
