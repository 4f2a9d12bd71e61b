"""Rules of the words that choose rows: filters, windows, events and samples. Pure; every rule yields troubles.

What a spec shows of a leak is refused here: a feature made from the label, a history that ends at another moment than
the label begins, the label's own events joined as they are. What only the data show, `curator.sampling` asks of them.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from fractions import Fraction

from curator.spec.model import History, Label, Measure, Representation, Sample, UseCase
from curator.spec.nearest import nearest
from curator.spec.scope import PathKey, Scope, Trouble, source_types, try_parse

_TIMES = ("date", "timestamp")
_EXACT = ("text", "integer", "decimal", "boolean", "date", "timestamp")
_EARLIER = "what was known at the cut-off: a label tells what comes after it"


def row_troubles(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    """Everything wrong with the words that choose rows."""
    yield from _sources(spec)
    yield from _window(spec, scope)
    for index, history in enumerate(spec.extract.history):
        yield from _history(spec, scope, history=history, path=("extract", "history", index))
    if spec.extract.label is not None:
        yield from _label(spec, scope, label=spec.extract.label)
    if spec.extract.sample is not None:
        yield from _sample(spec.extract.sample, scope)
    if spec.representation is not None:
        yield from _representation(spec, scope, part=spec.representation)


# ---- filters ---------------------------------------------------------------------------------------------------------


def _sources(spec: UseCase) -> Iterator[Trouble]:
    for name, source in spec.sources.items():
        if source.where is not None:
            yield from _condition(source.where, source_types(spec, name), path=("sources", name, "where"))
        if source.known_at is not None:
            yield from _time(source.known_at, source_types(spec, name), path=("sources", name, "known_at"))


def _window(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    window, path = spec.extract.window, ("extract", "window")
    if window is None:
        return
    columns = {name: scope.types[name] for name in scope.origin}
    yield from _time(window.column, columns, path=(*path, "column"))
    if window.since is None and window.until is None:
        yield Trouble(path, "a window without `since` and `until`", "one of them at least, as 2019-01-01")
    days = [_day(text) for text in (window.since, window.until) if text is not None]
    if None in days:
        yield Trouble(path, "a bound that is no date", "dates as 2019-01-31")
    elif len(days) == 2 and str(window.since) > str(window.until):
        yield Trouble(path, "a window that ends before it begins", "`since` no later than `until`")


def _condition(formula: str, types: dict[str, str], *, path: PathKey) -> Iterator[Trouble]:
    expression, troubles = try_parse(formula, types, path=path)
    yield from troubles
    if expression is not None and expression.type != "boolean":
        yield Trouble(path, f"a formula of type {expression.type}", "a condition (true or false)")


def _time(name: str, types: dict[str, str], *, path: PathKey) -> Iterator[Trouble]:
    if name not in types:
        yield Trouble(path, f"`{name}`, which is no column here", nearest(name, types))
    elif types[name] not in _TIMES:
        yield Trouble(path, f"`{name}` of type {types[name]}", "a date or timestamp column")


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


# ---- events ----------------------------------------------------------------------------------------------------------


def _history(spec: UseCase, scope: Scope, *, history: History, path: PathKey) -> Iterator[Trouble]:
    yield from _events(spec, scope, table=history, path=path)
    types, label = source_types(spec, history.events), spec.extract.label
    for name, measure in history.columns.items():
        yield from _measure(measure, types, path=(*path, "columns", name))
    known = spec.sources[history.events].known_at if history.events in spec.sources else None
    if known is not None and history.at != known:
        expected = f"`{known}`, when its rows become known (`known_at`)"
        yield Trouble((*path, "at"), f"`{history.at}`", expected)
    if label is not None and history.until != label.after:
        yield Trouble((*path, "until"), f"`{history.until}`, not the label's cut-off", f"`{label.after}`: {_EARLIER}")


def _measure(measure: Measure, types: dict[str, str], *, path: PathKey) -> Iterator[Trouble]:
    alone = measure.measure in ("count", "days_since")
    if alone and measure.of is not None:
        yield Trouble(path, f"`{measure.measure}` of `{measure.of}`", f"`{measure.measure}` without `of`")
    elif not alone and measure.of is None:
        yield Trouble(path, f"`{measure.measure}` without `of`", "`of`: a column of the events")
    elif measure.of is not None and measure.of not in types:
        yield Trouble(path, f"`{measure.of}`, no column of the events", nearest(measure.of, types))
    elif measure.measure in ("sum", "mean") and types[measure.of or ""] not in ("integer", "decimal"):
        yield Trouble(
            path,
            f"`{measure.measure}` of a column of type {types[measure.of or '']}",
            "an integer or decimal column: a sum of floats depends on their order",
        )
    elif measure.measure in ("min", "max") and types[measure.of or ""] == "boolean":
        yield Trouble(path, f"`{measure.measure}` of a boolean", "an ordered column")


def _label(spec: UseCase, scope: Scope, *, label: Label) -> Iterator[Trouble]:
    path: PathKey = ("extract", "label")
    yield from _events(spec, scope, table=label, path=path)
    if label.observed_until is not None and _day(label.observed_until) is None:
        yield Trouble((*path, "observed_until"), "a day that does not exist", "a date as 2019-12-31")
    joined = {join.source for join in spec.extract.join}
    for name, place in _features(spec, scope, label=label):
        bases = scope.made_from(spec.fields[name], name)
        if label.name in bases:
            yield Trouble(place, f"`{name}`, made from the label `{label.name}`", _EARLIER)
        elif label.events in joined and any(scope.origin.get(base) == label.events for base in bases):
            yield Trouble(
                place,
                f"`{name}`, a column of `{label.events}`, whose events make the label",
                "a history of these events: it ends at the cut-off",
            )


def _features(spec: UseCase, scope: Scope, *, label: Label) -> Iterator[tuple[str, PathKey]]:
    """What may be learned from: the model's features; without one every written field but tokens and the label."""
    kept = spec.kept()
    if spec.model is not None:
        for name in (*spec.model.features, *spec.model.text_features):
            if name in kept:
                yield name, ("model", "features")
        return
    for name, field in kept.items():
        if field.protect != "token" and label.name not in scope.made_from(field, name):
            yield name, ("fields", name)


def _events(spec: UseCase, scope: Scope, *, table: History | Label, path: PathKey) -> Iterator[Trouble]:
    """What histories and labels share: the source, its time, the keys, the cut-off and the condition."""
    word, cut = ("until", table.until) if isinstance(table, History) else ("after", table.after)
    if table.events not in spec.sources:
        yield Trouble((*path, "events"), f"`{table.events}`", nearest(table.events, spec.sources))
        return
    types, rows = source_types(spec, table.events), {name: scope.types[name] for name in scope.origin}
    yield from _time(table.at, types, path=(*path, "at"))
    yield from _time(cut, rows, path=(*path, word))
    if table.at in types and cut in rows and types[table.at] != rows[cut]:
        yield Trouble(
            (*path, word),
            f"`{cut}` of type {rows[cut]}, beside `{table.at}` of type {types[table.at]}",
            "the same type: within a day nobody knows which came first",
        )
    for key in table.on:
        if key not in types or key not in rows:
            side = f"`{table.events}`" if key not in types else "the rows"
            yield Trouble((*path, "on"), f"`{key}`, not a column of {side}", "a column declared on both sides")
        elif types[key] != rows[key] or types[key] == "float":
            yield Trouble((*path, "on"), f"`{key}`: {rows[key]} joined with {types[key]}", "the same exact type")
    if table.where is not None:
        yield from _condition(table.where, types, path=(*path, "where"))


# ---- samples ---------------------------------------------------------------------------------------------------------


def _sample(sample: Sample, scope: Scope) -> Iterator[Trouble]:
    path: PathKey = ("extract", "sample")
    if sample.fraction is None and not sample.ranked:
        yield Trouble(path, "a sample that leaves nothing out", "`fraction`, `max_rows`, `quotas`, `strata` ...")
    parts: dict[str, tuple[str, ...]] = {}
    if sample.at_least is not None:
        parts["at_least"] = sample.at_least.by
        if sample.fraction is None:
            yield Trouble(
                (*path, "at_least"), "`at_least` without `fraction`", "`fraction`: nothing else it guards from"
            )
    if sample.strata is not None:
        parts["strata"] = sample.strata.by
        if (sample.strata.fraction is None) == (sample.strata.rows is None):
            yield Trouble((*path, "strata"), "`fraction` and `rows`, or neither", "one of the two")
    if sample.quotas is not None:
        parts["quotas"] = (sample.quotas.by,)
        yield from _quotas(sample, scope)
    if sample.negatives is not None:
        parts["negatives"] = sample.negatives.within
        yield from _condition(sample.negatives.positive, scope.types, path=(*path, "negatives", "positive"))
    for word, names in parts.items():
        yield from _exact(names, scope, path=(*path, word))
    yield from _shares(sample, path)


def _quotas(sample: Sample, scope: Scope) -> Iterator[Trouble]:
    kind = scope.types.get(sample.quotas.by if sample.quotas else "", "")
    if kind and kind not in ("text", "integer", "boolean"):
        yield Trouble(
            ("extract", "sample", "quotas", "by"), f"a column of type {kind}", "a text, integer or boolean one"
        )


def _exact(names: Iterable[str], scope: Scope, *, path: PathKey) -> Iterator[Trouble]:
    for name in names:
        if name not in scope.types:
            yield Trouble(path, f"`{name}`, which is no column here", nearest(name, scope.types))
        elif scope.types[name] not in _EXACT:
            yield Trouble(path, f"`{name}` of type {scope.types[name]}", "a column with exact values")


def _shares(sample: Sample, path: PathKey) -> Iterator[Trouble]:
    """Shares are counted in whole numbers; their fractions must be short enough for 64 bits."""
    shares = {"strata": sample.strata.fraction if sample.strata else None}
    shares["negatives"] = sample.negatives.per_positive if sample.negatives else None
    for word, share in shares.items():
        if share is not None and Fraction(str(share)).denominator > 1_000_000:
            yield Trouble((*path, word), f"a share of {share!r}", "at most six digits after the point")


# ---- representation --------------------------------------------------------------------------------------------------


def _representation(spec: UseCase, scope: Scope, *, part: Representation) -> Iterator[Trouble]:
    for name, formula in part.dimensions.items():
        path: PathKey = ("representation", "dimensions", name)
        expression, troubles = try_parse(formula, scope.types, path=path)
        yield from troubles
        if expression is None:
            continue
        if any(scope.types[column] == "free_text" for column in expression.columns):
            yield Trouble(path, "free text", "columns with classes")
        elif expression.type == "float":
            yield Trouble(path, "a formula of type float", "classes, such as `band(column, 10)`")
    k = spec.disclosure.k if spec.disclosure else 1
    if part.smallest_cell < k:
        place: PathKey = ("representation", "smallest_cell")
        yield Trouble(place, f"{part.smallest_cell}", f"at least {k}, the dataset's own k")
