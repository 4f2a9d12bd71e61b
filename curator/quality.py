"""Check: every rule is one bit of a mask that the engine computes as rows stream by; failing rows are kept apart.

Counts close: rows extracted = rows accepted + rows rejected, each rejected row counted under its first reason. Rules
that need all rows at once (uniqueness, figures of a column) are engine queries of their own, taken before the stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from curator.expressions import parse
from curator.planning import plan
from curator.samples import SAMPLE, Bit, CheckedSample, Sample
from curator.spec.model import TimeSplits
from curator.sqltext import quoted
from curator.suite import (
    FigureRule,
    MomentStep,
    Suite,
    UniqueRule,
    compile_suite,
    exact_rules,
    figure_sql,
    key_sql,
    moments_told,
)

_BATCH = 131_072  # rows whose sums are taken at a time


def check(sample: Sample) -> CheckedSample:
    """Compile the rules of a sample's use case and answer those that need all rows at once."""
    suite = compile_suite(sample.use_case, sample.scope)
    unique_bits, unique = _unique_bits(sample, suite)
    bits = [
        *_readable_bits(sample),
        *_row_key_bits(sample),
        *_split_bits(sample),
        *_row_bits(sample, suite),
        *unique_bits,
    ]
    implied = {rule.id: partial(_failing_rows, sample, rule) for rule in suite.uniques if _implied(sample, rule)}
    return CheckedSample(
        sample=sample, suite=suite, bits=tuple(bits), figures=_figures(sample, suite), unique=unique, implied=implied
    )


def _readable_bits(sample: Sample) -> Iterable[Bit]:
    """A cell of a text source that cannot be read as its declared type rejects its row, where something needs it."""
    needed = {
        column.name
        for source in plan(sample.use_case, sample.scope).sources
        for column in source.columns
        if column.used_for
    }
    for source, bound in sample.bound.items():
        for name, raw in bound.raw_columns.items():
            if sample.scope.origin.get(name) == source and name in needed:
                yield Bit(
                    name=f"unreadable-{name}",
                    sql=f"{raw} IS NOT NULL AND {quoted(name)} IS NULL",
                    rejects=True,
                    reason=f"`{name}` cannot be read as {sample.scope.types[name]}",
                )


def _row_key_bits(sample: Sample) -> Iterable[Bit]:
    nulls = " OR ".join(f"{quoted(name)} IS NULL" for name in sample.use_case.extract.row_key)
    yield Bit(name="row-key-missing", sql=f"({nulls})", rejects=True, reason="a part of the row key is missing")


def _split_bits(sample: Sample) -> Iterable[Bit]:
    """A row without the date that places it belongs to no split: guessing one could leak the future into training."""
    splits = sample.use_case.splits
    if isinstance(splits, TimeSplits):
        yield Bit(
            name="split-date-missing",
            sql=f"{quoted(splits.column)} IS NULL",
            rejects=True,
            reason=f"`{splits.column}`, which decides the split, is missing",
        )


def _row_bits(sample: Sample, suite: Suite) -> Iterable[Bit]:
    types, dialect = sample.scope.expression_types(), sample.engine.dialect
    for rule in suite.rows:
        yield Bit(
            name=rule.id,
            sql=parse(rule.fails, types).sql(dialect),
            rejects=rule.expectation.on_failure == "reject",
            reason=suite.reasons.get(rule.id, rule.id),
        )
    skipping = [*(rule.missing for rule in suite.rows), *(rule.missing for rule in suite.uniques)]
    for missing in dict.fromkeys(skipping):
        if missing is not None:
            yield Bit(name=f"missing: {missing}", sql=parse(missing, types).sql(dialect))


def _unique_bits(sample: Sample, suite: Suite) -> tuple[list[Bit], dict[str, int]]:
    """Keys that occur twice are kept as a small relation; a row whose key is among them fails, every one of them."""
    bits, counts = [], {}
    for rule in suite.uniques:
        if _implied(sample, rule):
            continue
        relation = f"duplicates {rule.index}"
        sample.engine.materialise(relation, _repeated_keys(sample, rule))
        total = f"SELECT coalesce(sum({quoted('.rows')}), 0) FROM {quoted(relation)}"  # noqa: S608 (quoted identifiers)
        counts[rule.id] = int(sample.engine.rows(total)[0][0])
        if counts[rule.id]:
            bits.append(_duplicate_bit(sample, suite, found=(rule, relation)))
    return bits, counts


def _implied(sample: Sample, rule: UniqueRule) -> bool:
    """Whether no row can fail as long as no row key repeats, so that the stream answers without a pass of its own.

    Not where a failing row must be known before it passes, nor for floats, whose NaN counts as null.
    """
    among = set(sample.use_case.extract.row_key) <= set(rule.columns)
    return among and "float" not in rule.types and rule.expectation.on_failure != "reject"


def _failing_rows(sample: Sample, rule: UniqueRule) -> int:
    """Rows whose key another row has too, by a query over all rows."""
    total = f"SELECT coalesce(sum({quoted('.rows')}), 0) FROM ({_repeated_keys(sample, rule)}) r"  # noqa: S608
    return int(sample.engine.rows(total)[0][0])


def _repeated_keys(sample: Sample, rule: UniqueRule) -> str:
    """The keys that more than one row has, and how many rows have them; parts are compared as `key_sql` says."""
    parts = key_sql(rule, tuple(quoted(name) for name in rule.columns))
    selected = ", ".join(f"{part} AS {_part(place)}" for place, part in enumerate(parts))
    keys = ", ".join(_part(place) for place in range(len(parts)))
    where = f" WHERE NOT {_looked_past(sample, rule)}" if rule.missing is not None else ""
    rows = f"SELECT {selected} FROM {quoted(SAMPLE)}{where}"  # noqa: S608 (quoted identifiers)
    counted = f"SELECT {keys}, count(*) AS {quoted('.rows')} FROM ({rows}) t"  # noqa: S608 (quoted identifiers)
    return f"{counted} GROUP BY {keys} HAVING count(*) > 1"


def _duplicate_bit(sample: Sample, suite: Suite, *, found: tuple[UniqueRule, str]) -> Bit:
    rule, relation = found
    parts = key_sql(rule, tuple(f"{quoted(SAMPLE)}.{quoted(name)}" for name in rule.columns))
    same = " AND ".join(f"d.{_part(place)} IS NOT DISTINCT FROM {part}" for place, part in enumerate(parts))
    exists = f"EXISTS (SELECT 1 FROM {quoted(relation)} d WHERE {same})"  # noqa: S608 (quoted identifiers)
    guard = f"NOT {_looked_past(sample, rule)} AND " if rule.missing is not None else ""
    rejects = rule.expectation.on_failure == "reject"
    return Bit(name=rule.id, sql=guard + exists, rejects=rejects, reason=suite.reasons.get(rule.id, rule.id))


def _part(place: int) -> str:
    return quoted(f".key {place}")


def _looked_past(sample: Sample, rule: UniqueRule) -> str:
    return f"({parse(rule.missing or 'false', sample.scope.expression_types()).sql(sample.engine.dialect)})"


def _figures(sample: Sample, suite: Suite) -> dict[str, Any]:
    """Every figure of every column: one aggregate query, and one pass for sums that no engine rounds like another."""
    exact = exact_rules(suite.figures)
    found = _exact_figures(sample, exact) if exact else {}
    rest = [rule for rule in suite.figures if rule.id not in found]
    if rest:
        selected = ", ".join(figure_sql(rule, sample.engine.dialect, column_sql=quoted(rule.column)) for rule in rest)
        row = sample.engine.rows(f"SELECT {selected} FROM {quoted(SAMPLE)}")[0]  # noqa: S608 (a checked spec)
        found |= {rule.id: value for rule, value in zip(rest, row, strict=True)}
    return {rule.id: found[rule.id] for rule in suite.figures}


def _exact_figures(sample: Sample, rules: Sequence[FigureRule]) -> dict[str, Any]:
    """Sums, means and deviations by exact addition of the columns' values, wherever the rows are."""
    columns = list(dict.fromkeys(rule.column for rule in rules))
    squared = {rule.column for rule in rules if rule.figure == "stdev"}
    step = MomentStep(squares=tuple(name in squared for name in columns))
    query = f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(SAMPLE)}"  # noqa: S608 (quoted identifiers)
    batches = (batch for (batch,) in sample.engine.mapped(query, step, rows=_BATCH) if batch is not None)
    sums = dict(zip(columns, moments_told(batches, columns=len(columns)), strict=True))
    return {rule.id: sums[rule.column].figure(rule.figure) for rule in rules}
