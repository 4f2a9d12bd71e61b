"""The population as one database may see it whole: all its rows, every condition before the draw, each dimension.

It is asked only where nothing else of the spec looks at rows that the draw leaves out, so that, its classes being
counted there, the threshold of the sample may be left to the database too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from curator.expressions import Expression, calls_of, conjuncts, in_terms_of, parse
from curator.planning._asked import measured
from curator.planning._together import Together
from curator.protocols import Asked, AskedJoined
from curator.spec import Scope, UseCase
from curator.spec.scope import source_types

_TYPES = ("text", "integer", "boolean", "date")  # whose text a database writes as the engines do
_FAR = ("add_days", "local_time")  # may give a day that no file could hold, which each writes otherwise


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A population that one database can see whole.

    Attributes:
        rows: its rows, with every condition on them; the threshold of the sample among what may be left there.
        formulas: of the dimensions, over declared columns.
    """

    rows: Asked | AskedJoined
    formulas: tuple[Expression, ...]


def whole(
    use_case: UseCase, scope: Scope, *, wanted: Mapping[str, Asked], joining: Together
) -> Whole | None:  # fmt: skip
    """What a database is to be asked of the population as a whole; pure, reads nothing.

    Args:
        use_case: a checked spec.
        scope: its names.
        wanted: what each source would be asked alone.
        joining: which tables the database joins to the base.

    Returns:
        None where no population is measured, or part of it is decided elsewhere.
    """
    part, base = use_case.representation, wanted[use_case.extract.from_]
    if part is None or not _drawn_row_by_row(use_case, scope):
        return None
    if any(join.source not in joining.merged for join in use_case.extract.join):
        return None
    rows = measured(joining.asked.rows if joining.asked else base)
    if len(rows.where) != _conditions(use_case, (base.name, *joining.merged), scope=scope):
        return None
    named = [in_terms_of(parse(text, scope.expression_types()), scope.derived) for text in part.dimensions.values()]
    formulas = tuple(one for one in named if one is not None and _spelt_alike(one))
    if len(formulas) != len(named):
        return None
    return Whole(rows=replace(joining.asked, rows=rows) if joining.asked else rows, formulas=formulas)


def _drawn_row_by_row(use_case: UseCase, scope: Scope) -> bool:
    """Whether a threshold alone draws, and nothing else is counted or looked for among the rows that it leaves out."""
    sample, refresh = use_case.extract.sample, use_case.refresh
    if sample is None or sample.ranked or scope.whole or use_case.extract.event_tables():
        return False
    return refresh is None or (refresh.watermark is None and refresh.feed == "full")


def _conditions(use_case: UseCase, sources: tuple[str, ...], *, scope: Scope) -> int:
    """How many conditions stand before the draw; a database that is asked as many decides them all."""
    window, where, types = use_case.extract.window, use_case.extract.where, scope.expression_types()
    own = [(use_case.sources[name].where, name) for name in sources]
    count = sum(len(conjuncts(parse(text, source_types(use_case, name)))) for text, name in own if text is not None)
    count += len(conjuncts(parse(where, types))) if where is not None else 0
    return count + (sum(bound is not None for bound in (window.since, window.until)) if window is not None else 0)


def _spelt_alike(formula: Expression) -> bool:
    return formula.type in _TYPES and not (formula.type == "date" and any(calls_of(formula, name) for name in _FAR))
