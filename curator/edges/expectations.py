"""Great Expectations itself: the suite it can load, and its own verdict on a bounded table.

curator counts in the engine and only speaks GX's language (see `curator.suite`). This file is where the two meet: a
suite that any GX user can open, and a run of GX on pandas that the differential tests compare with, and that an
auditor may ask for on an expectation curator does not compile. GX results quote unexpected values and exceptions may
too, so what leaves here is rebuilt from an allow-list: counts, shares and figures.
"""

from __future__ import annotations

import datetime
import functools
import itertools
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from curator.errors import UsageError
from curator.spec.expectations import EXPECTATIONS
from curator.spec.model import Expectation, UseCase

if TYPE_CHECKING:
    import pandas as pd

ROW_LIMIT = 200_000
"""Most rows handed to GX: it holds the table in memory and walks some columns value by value."""

_COUNTS = (
    "element_count",
    "unexpected_count",
    "unexpected_percent",
    "missing_count",
    "missing_percent",
    "unexpected_percent_total",
    "unexpected_percent_nonmissing",
)
_SEVERITY = {"stop": "critical", "reject": "warning", "warn": "info"}
_WITHHELD = "withheld: the message of an exception may quote a value"
_runs = itertools.count(1)


def suite_json(spec: UseCase) -> dict[str, Any]:
    """The quality rules of a spec as the JSON of a GX suite.

    Args:
        spec: a use case.

    Returns:
        What `great_expectations.ExpectationSuite(**suite)` loads: name, expectations, meta. `on_failure` becomes the
        severity (stop: critical, reject: warning, warn: info) and stays, with `because`, in each expectation's meta.
    """
    return {
        "name": spec.ref,
        "expectations": [_configuration(expectation) for expectation in spec.quality.expectations],
        "meta": {"use_case": spec.ref, "spec_sha256": spec.digest, "max_rejected": spec.quality.max_rejected},
    }


def run_gx(
    table: pa.Table, spec: UseCase, *, expectations: Iterable[Expectation] | None = None, limit: int = ROW_LIMIT
) -> dict[str, Any]:
    """GX's own results on pandas, without any value of a row.

    Nothing is written, sent or shown: the context is ephemeral, analytics and progress bars are off. So that GX sees
    what curator sees, dates and timestamps are handed over as timestamps (with the bounds and sets compared with
    them), decimals as doubles; integers with nulls become doubles, as pandas makes them (exact up to 2**53).

    Args:
        table: the rows, few.
        spec: names the run and, by default, gives the expectations.
        expectations: others to run instead, of any GX type.
        limit: most rows accepted.

    Returns:
        JSON like `curator.suite.results`: success, results, suite_name, suite_parameters, statistics, meta, id.
        An expectation that GX could not evaluate has `raised_exception` true and no detail.

    Raises:
        UsageError: `gx-too-many-rows` when the table is longer than `limit`.
    """
    if table.num_rows > limit:
        raise UsageError(
            "gx-too-many-rows",
            asked="run Great Expectations itself",
            found=f"{table.num_rows} rows",
            expected=f"at most {limit} rows: it works in memory",
            todo="check the whole table with `curator` itself, or hand over a sample of it",
        )
    asked = tuple(spec.quality.expectations if expectations is None else expectations)
    moments = frozenset(field.name for field in table.schema if pa.types.is_temporal(field.type))
    configurations = [_for_pandas(_configuration(expectation), moments) for expectation in asked]
    found = _validate(_frame(table), configurations, name=spec.ref)
    results = [_masked(one, expectation) for one, expectation in zip(found["results"], asked, strict=True)]
    return {
        "success": bool(found["success"]),
        "results": results,
        "suite_name": spec.ref,
        "suite_parameters": {},
        "statistics": dict(found["statistics"]),
        "meta": {"great_expectations_version": found["meta"]["great_expectations_version"], "rows": table.num_rows},
        "id": None,
    }


def _configuration(expectation: Expectation) -> dict[str, Any]:
    return {
        "type": expectation.type,
        "kwargs": dict(expectation.kwargs),
        "meta": {"on_failure": expectation.on_failure, "because": expectation.because},
        "severity": _SEVERITY[expectation.on_failure],
    }


@functools.cache
def _context() -> Any:
    """One ephemeral GX context for the process: made in memory, it leaves no file."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations

    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context


def _validate(frame: pd.DataFrame, configurations: list[dict[str, Any]], *, name: str) -> dict[str, Any]:
    """GX's results, in the order asked (GX groups expectations by column, so each carries its place)."""
    context, source = _context(), f"curator-{next(_runs)}"
    import great_expectations

    for place, configuration in enumerate(configurations):
        configuration["meta"]["place"] = place
    definition = context.data_sources.add_pandas(source).add_dataframe_asset("rows")
    try:
        batch = definition.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        suite = great_expectations.ExpectationSuite(name=name, expectations=configurations)
        asked = {"result_format": "BASIC", "exclude_unexpected_values": True, "return_unexpected_index_query": False}
        found: dict[str, Any] = batch.validate(suite, result_format=asked).to_json_dict()
    finally:
        context.data_sources.delete(source)
    found["results"].sort(key=lambda one: one["expectation_config"]["meta"]["place"])
    return found


def _frame(table: pa.Table) -> pd.DataFrame:
    columns = [_plain(column) for column in table.columns]
    frame: pd.DataFrame = pa.table(columns, names=table.column_names).to_pandas()
    return frame


def _plain(column: Any) -> Any:
    """A column in a type that pandas compares as curator does."""
    if pa.types.is_date(column.type):
        return column.cast(pa.timestamp("us"))
    return column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column


def _for_pandas(configuration: dict[str, Any], moments: frozenset[str]) -> dict[str, Any]:
    """Bounds and sets of a date column as datetimes: pandas compares no timestamp with a text or a date."""
    given = configuration["kwargs"]
    if given.get("column") in moments:
        given |= {name: _moment(given[name]) for name in ("min_value", "max_value") if name in given}
        if isinstance(given.get("value_set"), list):
            given["value_set"] = [_moment(value) for value in given["value_set"]]
    return configuration


def _moment(value: Any) -> Any:
    return datetime.datetime.fromisoformat(value) if isinstance(value, str) else value


def _masked(found: Mapping[str, Any], expectation: Expectation) -> dict[str, Any]:
    raised = _raised(found["exception_info"])
    return {
        "success": bool(found["success"]),
        "expectation_config": _configuration(expectation),
        "result": {} if raised else _details(found["result"], expectation),
        "meta": {},
        "exception_info": {
            "raised_exception": raised,
            "exception_traceback": None,
            "exception_message": _WITHHELD if raised else None,
        },
    }


def _raised(info: Mapping[str, Any]) -> bool:
    """GX gives one record, or one per metric that failed."""
    return bool(info["raised_exception"]) if "raised_exception" in info else bool(info)


def _details(result: Mapping[str, Any], expectation: Expectation) -> dict[str, Any]:
    details: dict[str, Any] = {name: _number(result[name]) for name in _COUNTS if name in result}
    observed = result.get("observed_value")
    known = EXPECTATIONS.get(expectation.type)
    if known is None or known.scope not in ("aggregate", "table") or "observed_value" not in result:
        return details
    if isinstance(observed, Mapping):
        values = [_number(value) for value in observed["values"]]
        details["observed_value"] = {"quantiles": list(observed["quantiles"]), "values": values}
        details["details"] = {"success_details": [bool(one) for one in result["details"]["success_details"]]}
    else:
        shown = known.scope == "table" or not isinstance(observed, str) or _is_moment(observed)
        details["observed_value"] = (observed if isinstance(observed, str) else _number(observed)) if shown else None
    return details


def _is_moment(text: str) -> bool:
    """Whether a figure is a date: any other text would be a cell."""
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _number(value: Any) -> int | float | None:
    """A plain number; NaN and infinities, which JSON has not, as None."""
    if value is None or isinstance(value, int):
        return value
    plain = float(value)
    return plain if abs(plain) < float("inf") else None
