"""The steps of a draw, one nested query each: every option ranks by a hash of its own and keeps the lowest.

    population ─► per_entity ─► fraction, at_least ─► quotas ─► strata ─► negatives ─► max_rows

Rows of equal hash, the peers of a rank, are the rows of one key: they are kept or left out together, whatever order the
engine reads them in. Where a number is the most there may be, a rank counts the rows up to and including the peers
(`RANGE`): the keys whose rows still fit whole are kept. Where it is the least there must be (`at_least`, the share of a
stratum), it is the first place among the peers (SQL's `rank`): keys are kept until there are enough rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from curator.expressions import Engine as Dialect
from curator.expressions import parse
from curator.sampling._keys import below_sql, draw_sql, ratio, row_sql
from curator.spec import Scope, UseCase
from curator.spec.model import Negatives, Quotas, Sample, Strata
from curator.sqltext import TEXT, literal, quoted

_UP_TO_HERE = "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: columns that it computes over what is left, then what it keeps.

    Attributes:
        name: the option.
        columns: name of a helper column -> SQL.
        keep: condition over them.
    """

    name: str
    columns: dict[str, str]
    keep: str


def drawn_sql(use_case: UseCase, scope: Scope, *, dialect: Dialect, population: str) -> str:
    """The sampled rows of a relation; helper columns, whose names begin with a point, stay in it.

    Args:
        use_case: a checked spec.
        scope: its names.
        dialect: of the engine that will run it.
        population: name of the relation to draw from.
    """
    sample, row_key = use_case.extract.sample, use_case.extract.row_key
    sql = f"SELECT * FROM {quoted(population)}"  # noqa: S608 (quoted identifiers)
    if sample is None:
        return sql
    if not sample.ranked:
        chosen = sample.fraction is not None and sample.fraction < 1
        share = below_sql(draw_sql(sample, row_key), sample.fraction or 1.0)
        return f"{sql} t WHERE ({share})" if chosen else sql
    for step in steps(use_case, scope, dialect=dialect):
        columns = ", ".join(["*", *(f"{column} AS {quoted(name)}" for name, column in step.columns.items())])
        sql = f"SELECT * FROM (SELECT {columns} FROM ({sql}) t) t WHERE {step.keep}"  # noqa: S608 (likewise)
    return sql


def answers_sql(use_case: UseCase, scope: Scope, *, dialect: Dialect, relation: str) -> str | None:
    """A query for the positive and the negative rows of a relation, in this order; None without `negatives`."""
    negatives = use_case.extract.sample.negatives if use_case.extract.sample else None
    if negatives is None:
        return None
    positive = parse(negatives.positive, scope.expression_types()).sql(dialect)
    sums = ", ".join(f"sum(CASE WHEN {answer} THEN 1 ELSE 0 END)" for answer in (positive, f"NOT ({positive})"))
    return f"SELECT {sums} FROM {quoted(relation)}"  # noqa: S608 (built from a checked spec)


def steps(use_case: UseCase, scope: Scope, *, dialect: Dialect) -> Iterator[Step]:
    """The steps that the spec asks for, in their order."""
    sample, row_key = use_case.extract.sample, use_case.extract.row_key
    if sample is None:
        return
    if sample.per_entity is not None:
        order = row_sql(sample, row_key, step="per_entity")
        yield _cap(sample.per_entity, use_case.extract.entity, order=order)
    if sample.fraction is not None and sample.fraction < 1:
        yield _share(sample, sample.fraction, order=draw_sql(sample, row_key))
    if sample.quotas is not None:
        yield _quotas(sample.quotas, order=draw_sql(sample, row_key, step="quotas"))
    if sample.strata is not None:
        yield _strata(sample.strata, order=draw_sql(sample, row_key, step="strata"))
    if sample.negatives is not None:
        positive = parse(sample.negatives.positive, scope.expression_types()).sql(dialect)
        yield _negatives(sample.negatives, positive, order=draw_sql(sample, row_key, step="negatives"))
    if sample.max_rows is not None:
        order = ", ".join([*_whole_first(sample), draw_sql(sample, row_key, step="max_rows")])
        columns = {".last": _up_to("count(*)", (), order=order)}
        yield Step(name="max_rows", columns=columns, keep=f"{quoted('.last')} <= {sample.max_rows}")


def _cap(rows: int, entity: Iterable[str], *, order: str) -> Step:
    rank = _up_to("count(*)", entity, order=order)
    nobody = " OR ".join(f"{quoted(name)} IS NULL" for name in entity)
    return Step(name="per_entity", columns={".cap": rank}, keep=f"({quoted('.cap')} <= {rows} OR {nobody})")


def _share(sample: Sample, fraction: float, *, order: str) -> Step:
    below = below_sql(order, fraction)
    if sample.at_least is None:
        return Step(name="fraction", columns={}, keep=below)
    rank = _from("rank()", sample.at_least.by, order=order)
    return Step(name="fraction", columns={".least": rank}, keep=f"({below} OR {_least(sample)})")


def _quotas(quotas: Quotas, *, order: str) -> Step:
    rank = quoted(".quota")
    cases = " ".join(f"WHEN {literal(name)} THEN {_within(rank, rows)}" for name, rows in quotas.rows.items())
    keep = f"CASE CAST({quoted(quotas.by)} AS {TEXT}) {cases} ELSE {_within(rank, quotas.others)} END"
    return Step(name="quotas", columns={".quota": _up_to("count(*)", [quotas.by], order=order)}, keep=keep)


def _within(rank: str, rows: int | str) -> str:
    return "true" if rows == "all" else f"{rank} <= {rows}"


def _strata(strata: Strata, *, order: str) -> Step:
    """A share rounded up: the rank r of n rows is kept when r < share * n + 1, in whole numbers."""
    if strata.fraction is None:
        columns = {".stratum": _up_to("count(*)", strata.by, order=order)}
        return Step(name="strata", columns=columns, keep=f"{quoted('.stratum')} <= {strata.rows}")
    columns = {
        ".stratum": _from("rank()", strata.by, order=order),
        ".of": f"count(*) OVER ({_partition(strata.by)})",
    }
    share = ratio(strata.fraction)
    top, bottom = share.numerator, share.denominator
    keep = f"{quoted('.stratum')} * {_big(bottom)} < {quoted('.of')} * {_big(top)} + {_big(bottom)}"
    return Step(name="strata", columns=columns, keep=keep)


def _negatives(negatives: Negatives, positive: str, *, order: str) -> Step:
    share = ratio(negatives.per_positive)
    is_positive, is_negative = (
        f"CASE WHEN {positive} THEN 1 ELSE 0 END",
        f"CASE WHEN NOT ({positive}) THEN 1 ELSE 0 END",
    )
    columns = {
        ".positives": f"sum({is_positive}) OVER ({_partition(negatives.within)})",
        ".negative": _up_to(f"sum({is_negative})", negatives.within, order=order),
    }
    top, bottom = share.numerator, share.denominator
    fits = f"{quoted('.negative')} * {_big(bottom)} <= {quoted('.positives')} * {_big(top)}"
    return Step(name="negatives", columns=columns, keep=f"(({positive}) OR (NOT ({positive}) AND {fits}))")


def _whole_first(sample: Sample) -> Iterator[str]:
    """Rows that are to be kept whole come before the others when a maximum leaves some out."""
    whole = []
    if sample.at_least is not None and sample.fraction is not None and sample.fraction < 1:
        whole.append(_least(sample))
    if sample.quotas is not None:
        named = [literal(name) for name, rows in sample.quotas.rows.items() if rows == "all"]
        if named:
            whole.append(f"CAST({quoted(sample.quotas.by)} AS {TEXT}) IN ({', '.join(named)})")
    if whole:
        yield f"CASE WHEN {' OR '.join(whole)} THEN 0 ELSE 1 END"


def _least(sample: Sample) -> str:
    return f"{quoted('.least')} <= {sample.at_least.rows if sample.at_least else 0}"


def _up_to(figure: str, by: Iterable[str], *, order: str) -> str:
    """A figure over the rows of a part up to this row's hash, rows of the same hash included."""
    return _from(figure, by, order=f"{order} {_UP_TO_HERE}")


def _from(figure: str, by: Iterable[str], *, order: str) -> str:
    return f"{figure} OVER ({' '.join(part for part in (_partition(by), 'ORDER BY ' + order) if part)})"


def _partition(by: Iterable[str]) -> str:
    names = ", ".join(quoted(name) for name in by)
    return f"PARTITION BY {names}" if names else ""


def _big(number: int) -> str:
    """A whole number of 64 bits: a product of two narrower ones would overflow on some engines."""
    return f"CAST({number} AS BIGINT)"
