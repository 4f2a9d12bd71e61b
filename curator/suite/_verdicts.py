"""Verdicts and results, with Great Expectations' own arithmetic and JSON, without any value of a row.

Source of each rule: Great Expectations 1.24, `expectations/expectation.py` (`_mostly_success`, `_format_map_output`,
`_validate_metric_value_between`) and the quantile expectation's comparison with a relative tolerance of 1e-4.
"""

from __future__ import annotations

import datetime
import math
from typing import Any

from curator.suite._compile import NULL_RULES
from curator.suite._rules import Counts, FigureRule, FigureValue, RowRule, Rule, Suite, TableRule, UniqueRule

_RELATIVE, _ABSOLUTE = 1.0e-4, 1.0e-8


def verdict(rule: Rule, counts: Counts) -> bool:
    """Whether an expectation is met, as GX would say.

    Args:
        rule: a compiled rule.
        counts: what the pass counted.

    Returns:
        For rows: true when no row is looked at, else whether (looked at - unexpected) / looked at >= `mostly`, in
        double precision. For a figure: false when there is none, else whether it is inside its bounds.
    """
    if isinstance(rule, (RowRule, UniqueRule)):
        return _mostly(rule, counts)
    if isinstance(rule, FigureRule):
        return _figure_holds(rule, counts.figures.get(rule.id))
    if rule.holds is not None:
        return rule.holds
    given = rule.expectation.kwargs
    return counts.rows == given["value"] if "value" in given else _inside(counts.rows, given)


def results(suite: Suite, counts: Counts, *, observed: bool = True) -> dict[str, Any]:
    """The results in the shape of GX's `ExpectationSuiteValidationResult.to_json_dict()`, without any raw value.

    A minimum, a maximum, a median or a quantile is the value of some row: `observed=False` leaves these figures out
    of a report that goes to people who may not see the rows.

    Args:
        suite: the compiled suite.
        counts: what the pass counted.
        observed: whether figures are shown.

    Returns:
        JSON: success, results, suite_name, suite_parameters, statistics, meta, id.
    """
    rows = [_result(rule, counts, observed=observed) for rule in suite.rules]
    met = sum(row["success"] for row in rows)
    return {
        "success": met == len(rows),
        "results": rows,
        "suite_name": suite.name,
        "suite_parameters": {},
        "statistics": {
            "evaluated_expectations": len(rows),
            "successful_expectations": met,
            "unsuccessful_expectations": len(rows) - met,
            "success_percent": met / len(rows) * 100 if rows else None,
        },
        "meta": {"rows": counts.rows, "rejected_rows": counts.rejected},
        "id": None,
    }


def configuration(rule: Rule) -> dict[str, Any]:
    """The expectation as GX writes it in a suite: type, kwargs, meta, severity."""
    return {
        "type": rule.expectation.type,
        "kwargs": dict(rule.expectation.kwargs),
        "meta": {"rule": rule.id, "on_failure": rule.expectation.on_failure, "because": rule.expectation.because},
        "severity": {"stop": "critical", "reject": "warning", "warn": "info"}[rule.expectation.on_failure],
    }


def _result(rule: Rule, counts: Counts, *, observed: bool) -> dict[str, Any]:
    return {
        "success": verdict(rule, counts),
        "expectation_config": configuration(rule),
        "result": _details(rule, counts, observed=observed),
        "meta": {},
        "exception_info": {"raised_exception": False, "exception_traceback": None, "exception_message": None},
    }


def _details(rule: Rule, counts: Counts, *, observed: bool) -> dict[str, Any]:
    if isinstance(rule, (RowRule, UniqueRule)):
        return _map_details(rule, counts)
    if isinstance(rule, TableRule):
        value: Any = counts.rows if rule.kind == "row_count" else rule.observed
        return {} if rule.kind == "column_exists" else {"observed_value": value}
    if not observed and rule.figure in ("min", "max", "median", "quantile"):
        return {}
    figure = counts.figures.get(rule.id)
    if rule.figure == "quantile":
        values = _listed(rule, figure)
        shown = {"quantiles": list(rule.arguments["quantiles"]), "values": [_shown(value) for value in values]}
        return {"observed_value": shown, "details": {"success_details": _ranges_hold(rule, values)}}
    return {"observed_value": _shown(figure)}


def _shown(figure: Any) -> Any:
    """A figure as JSON can hold it: infinities and NaN as null."""
    return None if isinstance(figure, float) and not math.isfinite(figure) else figure


def _map_details(rule: RowRule | UniqueRule, counts: Counts) -> dict[str, Any]:
    rows, unexpected = counts.rows, counts.unexpected.get(rule.id, 0)
    missing = _missing(rule, counts)
    looked_at = rows - missing
    of_all = unexpected / rows * 100 if rows else None
    of_looked_at = unexpected / looked_at * 100 if looked_at else None
    details = {"element_count": rows, "unexpected_count": unexpected, "unexpected_percent": of_looked_at}
    if rule.expectation.type in NULL_RULES:
        return details
    return details | {
        "missing_count": missing,
        "missing_percent": missing / rows * 100 if rows else None,
        "unexpected_percent_total": of_all,
        "unexpected_percent_nonmissing": of_looked_at,
    }


def _missing(rule: RowRule | UniqueRule, counts: Counts) -> int:
    return 0 if rule.missing is None else counts.missing.get(rule.id, 0)


def _mostly(rule: RowRule | UniqueRule, counts: Counts) -> bool:
    looked_at = counts.rows - _missing(rule, counts)
    if looked_at == 0:
        return True
    mostly = rule.expectation.kwargs.get("mostly", 1.0)
    return bool((float(looked_at) - float(counts.unexpected.get(rule.id, 0))) / float(looked_at) >= mostly)


def _figure_holds(rule: FigureRule, figure: FigureValue) -> bool:
    if rule.figure == "quantile":
        return all(_ranges_hold(rule, _listed(rule, figure)))
    if figure is None or figure != figure:  # NaN: no figure
        return False
    value = _moment(figure) if rule.type in ("date", "timestamp") and isinstance(figure, str) else figure
    return _inside(value, rule.expectation.kwargs)


def _inside(value: Any, given: dict[str, Any]) -> bool:
    low, high = given.get("min_value"), given.get("max_value")
    if isinstance(value, datetime.datetime):
        low, high = (None if bound is None else _moment(bound) for bound in (low, high))
    above = low is None or (value > low if given.get("strict_min") else value >= low)
    below = high is None or (value < high if given.get("strict_max") else value <= high)
    return bool(above and below)


def _moment(value: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(value)


def _listed(rule: FigureRule, figure: FigureValue) -> list[Any]:
    return list(figure) if isinstance(figure, list) else [None] * len(rule.arguments["quantiles"])


def _ranges_hold(rule: FigureRule, values: list[Any]) -> list[bool]:
    ranges = rule.expectation.kwargs["quantile_ranges"]["value_ranges"]
    return [_in_range(value, low, high=high) for value, (low, high) in zip(values, ranges, strict=True)]


def _in_range(value: float | None, low: float | None, *, high: float | None) -> bool:
    if value is None or value != value:
        return False
    near = any(bound is not None and _near(value, bound) for bound in (low, high))
    return near or ((low is None or low <= value) and (high is None or value <= high))


def _near(value: float, bound: float) -> bool:
    """`numpy.isclose`: |a - b| <= atol + rtol * |b|."""
    return abs(value - bound) <= _ABSOLUTE + _RELATIVE * abs(bound)
