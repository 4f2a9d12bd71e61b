"""From a spec's expectations to rules; every expectation that cannot be compiled is reported at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from curator.errors import CuratorError, Fault, SpecError
from curator.expressions import parse
from curator.spec.expectations import EXPECTATIONS
from curator.spec.model import Expectation, UseCase
from curator.spec.scope import Scope
from curator.suite._formulas import LIST_DEFAULT, PAIR_DEFAULT, fails, ignored, null
from curator.suite._literals import UnwritableError, ordinal
from curator.suite._rules import FigureKind, FigureRule, RowRule, Rule, Suite, TableRule, UniqueRule
from curator.suite._types import TYPE_NAMES
from curator.suite._words import REASONS, short_name

NULL_RULES = ("expect_column_values_to_not_be_null", "expect_column_values_to_be_null")
"""The expectations about nulls look at every row and report no missing one."""

_FIGURES: dict[str, FigureKind] = {
    "expect_column_mean_to_be_between": "mean",
    "expect_column_median_to_be_between": "median",
    "expect_column_sum_to_be_between": "sum",
    "expect_column_min_to_be_between": "min",
    "expect_column_max_to_be_between": "max",
    "expect_column_stdev_to_be_between": "stdev",
    "expect_column_quantile_values_to_be_between": "quantile",
    "expect_column_unique_value_count_to_be_between": "distinct",
    "expect_column_proportion_of_unique_values_to_be_between": "proportion",
    "expect_column_proportion_of_non_null_values_to_be_between": "filled",
}


@dataclass(frozen=True, kw_only=True)
class _Item:
    """An expectation on its way to a rule: its future id and place, and the types of the columns."""

    id: str
    index: int
    expectation: Expectation
    types: Mapping[str, str]


def compile_suite(spec: UseCase, scope: Scope) -> Suite:
    """The rules of a spec.

    Args:
        spec: a checked use case.
        scope: the names in force after extraction.

    Returns:
        One rule per expectation, in order.

    Raises:
        SpecError: `expectation-invalid`, with one fault per expectation whose arguments do not fit its column or
            cannot be written as a formula.
    """
    types = scope.expression_types()
    rules: list[Rule] = []
    faults: list[Fault] = []
    for index, expectation in enumerate(spec.quality.expectations):
        try:
            rules.append(_rule(expectation, index=index, types=types))
        except (UnwritableError, CuratorError) as refused:
            faults.append(_fault(spec, index, words=(refused.found, refused.expected)))
    if faults:
        raise _refusal(spec, faults)
    return _suite(spec.ref, rules)


def _suite(name: str, rules: list[Rule]) -> Suite:
    return Suite(
        name=name,
        rows=tuple(rule for rule in rules if isinstance(rule, RowRule)),
        uniques=tuple(rule for rule in rules if isinstance(rule, UniqueRule)),
        figures=tuple(rule for rule in rules if isinstance(rule, FigureRule)),
        tables=tuple(rule for rule in rules if isinstance(rule, TableRule)),
        reasons={rule.id: _reason(rule.expectation) for rule in rules},
    )


def _refusal(spec: UseCase, faults: list[Fault]) -> SpecError:
    return SpecError(
        "expectation-invalid",
        asked=f"compile the quality rules of {spec.ref}",
        found=f"{len(faults)} expectation{'s' if len(faults) > 1 else ''} that cannot run",
        expected="arguments that fit the type of their column",
        todo="correct each place below; docs/reference/quality.md shows every expectation",
        faults=faults,
    )


def _fault(spec: UseCase, index: int, *, words: tuple[str, str]) -> Fault:
    name = spec.quality.expectations[index].type
    return Fault(file=f"{spec.ref}: quality.expectations[{index}] {name}", found=words[0], expected=words[1])


def _rule(expectation: Expectation, *, index: int, types: Mapping[str, str]) -> Rule:
    known = EXPECTATIONS.get(expectation.type)
    if known is None:
        raise UnwritableError(f"`{expectation.type}`", expected="an expectation of docs/reference/quality.md")
    lacking = [name for name in known.required if name not in expectation.kwargs]
    if lacking:
        raise UnwritableError(f"no `{lacking[0]}`", expected=", ".join(known.required))
    for column in columns_of(expectation):
        if column not in types:
            raise UnwritableError("a column that is not declared", expected="a column of the sources or a derived one")
    name = f"e{index + 1:02d}-{short_name(expectation)}"
    return _BUILDERS[known.scope](_Item(id=name, index=index, expectation=expectation, types=types))


def columns_of(expectation: Expectation) -> tuple[str, ...]:
    """The columns an expectation names, in the order of its arguments."""
    given = expectation.kwargs
    if "column_list" in given:
        named = given["column_list"]
        return tuple(named) if isinstance(named, list) else (named,)
    return tuple(given[name] for name in ("column", "column_A", "column_B") if name in given)


def _row(item: _Item) -> RowRule:
    expectation = item.expectation
    failing = fails(expectation.type, expectation.kwargs, types=item.types)
    missing = _missing(expectation, item.types)
    for formula in filter(None, (failing, missing)):
        parse(formula, item.types)
    return RowRule(id=item.id, index=item.index, expectation=expectation, fails=failing, missing=missing)


def _missing(expectation: Expectation, types: Mapping[str, str]) -> str | None:
    if expectation.type in NULL_RULES:
        return None
    columns = columns_of(expectation)
    if "column" in expectation.kwargs:
        return null(columns[0], types)
    default = PAIR_DEFAULT if "column_A" in expectation.kwargs else LIST_DEFAULT
    return ignored(columns, types, ignore=expectation.kwargs.get("ignore_row_if", default))


def _unique(item: _Item) -> UniqueRule:
    expectation, columns = item.expectation, columns_of(item.expectation)
    if not columns or len(set(columns)) != len(columns):
        raise UnwritableError("no column, or one twice", expected="a list of different columns")
    missing = _missing(expectation, item.types)
    return UniqueRule(
        id=item.id, index=item.index, expectation=expectation, columns=columns,
        types=tuple(item.types[column] for column in columns), missing=missing,
    )  # fmt: skip


def _figure(item: _Item) -> FigureRule:
    expectation, given = item.expectation, item.expectation.kwargs
    figure, kind = _FIGURES[expectation.type], item.types[given["column"]]
    arguments: dict[str, Any] = {}
    if figure == "quantile":
        arguments["quantiles"] = _quantiles(given["quantile_ranges"])
    else:
        counted = figure in ("distinct", "proportion", "filled")
        _bounds(given, kind="float" if counted else kind)
    return FigureRule(
        id=item.id, index=item.index, expectation=expectation, figure=figure, column=given["column"], type=kind,
        arguments=arguments,
    )  # fmt: skip


def _bounds(given: Mapping[str, Any], *, kind: str) -> None:
    low, high = given.get("min_value"), given.get("max_value")
    for bound in (low, high):
        if bound is not None:
            _fitting(bound, kind)
    if low is not None and high is not None and ordinal(low, kind) > ordinal(high, kind):
        raise UnwritableError("`min_value` above `max_value`", expected="the smaller bound first")


def _fitting(bound: Any, kind: str) -> None:
    if kind in ("date", "timestamp"):
        if not isinstance(bound, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?", bound, re.ASCII):
            raise UnwritableError("a bound that is no date", expected="a date as 2015-12-31, between quotes")
    elif isinstance(bound, bool) or not isinstance(bound, (int, float)):
        raise UnwritableError("a bound that is no number", expected="a number")


def _quantiles(ranges: Any) -> tuple[float, ...]:
    quantiles = ranges.get("quantiles") if isinstance(ranges, dict) else None
    values = ranges.get("value_ranges") if isinstance(ranges, dict) else None
    if not isinstance(quantiles, list) or not isinstance(values, list) or len(quantiles) != len(values):
        raise UnwritableError("`quantile_ranges` of another shape", expected="`quantiles` and as many `value_ranges`")
    for quantile in quantiles:
        if isinstance(quantile, bool) or not isinstance(quantile, (int, float)) or not 0 <= quantile <= 1:
            raise UnwritableError("a quantile outside 0 to 1", expected="shares from 0 to 1")
    for pair in values:
        if not isinstance(pair, list) or len(pair) != 2:
            raise UnwritableError("a range that is no pair", expected="[lowest, highest], null for no bound")
        for bound in pair:
            if bound is not None:
                _fitting(bound, "float")
    return tuple(float(quantile) for quantile in quantiles)


def _table(item: _Item) -> TableRule:
    given = item.expectation.kwargs
    rule = TableRule(id=item.id, index=item.index, expectation=item.expectation, kind="row_count")
    if item.expectation.type == "expect_column_to_exist":  # an unknown column is refused before this
        return replace(rule, kind="column_exists", holds=True)
    if item.expectation.type == "expect_column_values_to_be_of_type":
        kind = item.types[given["column"]]
        return replace(rule, kind="column_type", holds=kind in _wanted_types(given["type_"]), observed=kind)
    for bound in ("value", "min_value", "max_value"):
        value = given.get(bound)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise UnwritableError(f"`{bound}` that is not a whole number", expected="a number of rows")
    _bounds(given, kind="integer")
    return rule


def _wanted_types(name: Any) -> frozenset[str]:
    wanted = TYPE_NAMES.get(str(name).lower())
    if wanted is None:
        raise UnwritableError("an unknown `type_`", expected=", ".join(sorted(TYPE_NAMES)))
    return wanted


def _reason(expectation: Expectation) -> str:
    columns = ", ".join(columns_of(expectation)) or "table"
    return f"{columns}: {REASONS.get(expectation.type, 'not as expected')}"


_BUILDERS: dict[str, Callable[[_Item], Rule]] = {"row": _row, "unique": _unique, "aggregate": _figure, "table": _table}
"""Scope of an expectation -> builder of its rule."""
