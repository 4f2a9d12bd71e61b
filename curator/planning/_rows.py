"""The part of the plan that tells how rows are chosen: windows, events, samples, and the columns they need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from curator.expressions import parse
from curator.sampling import feature_bases
from curator.spec import Scope, UseCase
from curator.spec.model import History, Sample
from curator.spec.scope import WHOLE_ROW, nameless, source_types


def row_needs(use_case: UseCase, scope: Scope) -> Iterator[tuple[str, Iterable[str]]]:
    """Each use that choosing rows makes of the names in force."""
    extract = use_case.extract
    if extract.window is not None:
        yield "window", [extract.window.column]
    for table in extract.event_tables():
        yield _called(table), (*table.on, table.until if isinstance(table, History) else table.after)
    if extract.sample is not None:
        yield "sample", sorted(_sampled_by(extract.sample, use_case, scope=scope))
    if use_case.representation is not None:
        for name, formula in use_case.representation.dimensions.items():
            yield f"compared {name}", sorted(parse(formula, scope.expression_types()).columns)


def _sampled_by(sample: Sample, use_case: UseCase, *, scope: Scope) -> set[str]:
    names = set(sample.by)
    names |= set(use_case.extract.entity) if sample.per_entity is not None else set()
    names |= set(sample.at_least.by) if sample.at_least else set()
    names |= set(sample.strata.by) if sample.strata else set()
    names |= {sample.quotas.by} if sample.quotas else set()
    if sample.negatives is not None:
        names |= set(sample.negatives.within) | parse(sample.negatives.positive, scope.expression_types()).columns
    return names


def source_needs(use_case: UseCase) -> dict[tuple[str, str], list[str]]:
    """(source, column) -> uses of it that never reach the joined rows: filters of the source, events."""
    uses: dict[tuple[str, str], list[str]] = {}
    for source, names, why in _source_uses(use_case):
        for name in dict.fromkeys(names):
            uses.setdefault((source, name), []).append(why)
    return uses


def _source_uses(use_case: UseCase) -> Iterator[tuple[str, Iterable[str], str]]:
    """Each use: source, its columns, what for."""
    for name, source in use_case.sources.items():
        if source.where is not None:
            yield name, sorted(parse(source.where, source_types(use_case, name)).columns), "filter"
        if source.known_at is not None:
            yield name, [source.known_at], "known at"
    for table in use_case.extract.event_tables():
        names = [*table.on, table.at]
        if isinstance(table, History):
            names += [measure.of for measure in table.columns.values() if measure.of is not None]
        if table.where is not None:
            names += sorted(parse(table.where, source_types(use_case, table.events)).columns)
        yield table.events, names, _called(table)


def row_notes(use_case: UseCase, scope: Scope) -> Iterator[str]:
    """What a spec may say of its rows, and a reader should still weigh."""
    sample, label = use_case.extract.sample, use_case.extract.label
    if nameless(use_case):
        yield "Rows without a key are named by all their cells: one whose cell is corrected becomes another row."
        if WHOLE_ROW in use_case.extract.entity:
            yield "Each row counts as somebody of its own: rows of one person hide nobody from another."
    if label is not None and label.observed_until is None:
        yield f"Nobody said until when `{label.events}` is known (`observed_until`): rows near the end count as false."
    if label is not None:
        told = {use_case.extract.from_, *(table.events for table in use_case.extract.event_tables())}
        bare = [join.source for join in use_case.extract.join if use_case.sources[join.source].known_at is None]
        untimed = [source for source in bare if source not in told]
        if untimed:
            yield f"Nothing says when rows of {', '.join(untimed)} became known (`known_at`): no check compares them."
        yield from _named_by_key(use_case, scope)
    if sample is None:
        return
    if sample.quotas is not None or sample.strata is not None:
        yield "Rows of one sampling key that fall into different classes or strata are drawn apart."
    if sample.quotas or sample.negatives or sample.at_least or (sample.strata and sample.strata.rows is not None):
        yield "Classes have quotas: shares in the sample are not those of the source."


def _named_by_key(use_case: UseCase, scope: Scope) -> Iterator[str]:
    keys = {*use_case.extract.row_key, *use_case.extract.entity}
    told = [name for name, bases in feature_bases(use_case, scope).items() if bases & keys]
    if told:
        yield f"{', '.join(told)}: made from a key, whose values may follow time or name somebody; no check sees it."


def stated(words: dict[str, Any] | None) -> dict[str, Any] | None:
    """The words that the spec states: nulls and empty lists say nothing."""
    if words is None:
        return None
    return {
        name: stated(value) if isinstance(value, dict) else value
        for name, value in words.items()
        if value not in (None, [])
    }


def _called(table: Any) -> str:
    return f"history {table.events}" if isinstance(table, History) else f"label {table.name}"
