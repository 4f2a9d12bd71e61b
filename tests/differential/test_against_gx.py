"""Great Expectations is the contract: on hostile tables, curator's counts and verdicts are GX's own.

curator's side runs for real: the compiled formulas, the uniqueness queries and the figures are evaluated by DuckDB.
GX's side is GX on pandas. Where the two must differ, a test below pins the difference and
docs/decisions/0007-quality.md says why.
"""

# ruff: noqa: E501 (tables of cases read better one case a line)

from __future__ import annotations

import datetime
import json
import math
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from curator.edges.expectations import run_gx, suite_json
from curator.errors import UsageError
from curator.expressions import parse
from curator.spec import UseCase, scope_of
from curator.spec.expectations import EXPECTATIONS
from curator.spec.model import Expectation
from curator.suite import (
    Counts,
    Suite,
    UniqueRule,
    compile_suite,
    exact_rules,
    figure_sql,
    moments,
    results,
    unique_sql,
)

D, M = datetime.date, datetime.datetime
NAN = math.nan

SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("other", pa.string()),
        ("day", pa.string()),
        ("age", pa.int64()),
        ("score", pa.int64()),
        ("size", pa.float64()),
        ("height", pa.float64()),
        ("price", pa.decimal128(10, 2)),
        ("born", pa.date32()),
        ("died", pa.date32()),
        ("seen", pa.timestamp("us")),
        ("kept", pa.bool_()),
    ]
)
TYPES = {
    "name": "text", "other": "text", "day": "text", "age": "integer", "score": "integer", "size": "float",
    "height": "float", "price": "decimal", "born": "date", "died": "date", "seen": "timestamp", "kept": "boolean",
}  # fmt: skip

ROWS: list[tuple[Any, ...]] = [
    ("a", "a", "2013-01-31", 1, 1, 1.5, 1.5, Decimal("0.25"), D(2013, 1, 1), D(2014, 1, 1), M(2013, 1, 1, 5), True),
    ("é", "e\u0301", "2013-02-29", 2, 3, -0.0, 0.0, Decimal("-1.50"), D(2014, 1, 1), D(2014, 1, 1), M(2014, 1, 1), False),
    ("", "", "2012-2-29", -5, -5, NAN, NAN, Decimal("3.00"), D(1999, 12, 31), D(1999, 12, 30), M(1999, 12, 31, 23, 59), None),
    (None, "x", None, None, 4, None, 2.0, None, None, D(2000, 1, 1), None, True),
    ("x", None, "31/12/2013", 7, None, 3.0, None, Decimal("3.00"), D(2000, 1, 1), None, M(2013, 1, 1, 5, 0, 1), True),
    (None, None, "", None, None, None, None, None, None, None, None, None),
    ("l'été", "L'ÉTÉ", " 2013-01-01", 7, 8, 1e15, -1e15, Decimal("99999999.99"), D(2013, 1, 1), D(2013, 1, 1), M(2013, 1, 1, 5), False),
    ("AB-123-CD", "\U0001f46e\u200d\u2642\ufe0f", "0000-01-01", 104, 0, math.inf, 5.0, Decimal("0.00"), D(1909, 5, 1), D(2013, 5, 1), M(2013, 1, 1), True),
    ("12\n", "12", "2013-12-1", 0, 0, 0.1, 0.1, Decimal("0.10"), D(2013, 12, 1), D(2013, 12, 1), M(2013, 6, 1, 12), True),
    (" ", "\u00a0", "2013-1- 9", 30, 29, 2.5, 2.4, Decimal("2.50"), D(2020, 2, 29), D(2021, 2, 28), M(2020, 2, 29), False),
]  # fmt: skip


def table_of(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [[] for _ in SCHEMA]
    arrays = [pa.array(list(values), type=kind) for values, kind in zip(columns, SCHEMA.types, strict=True)]
    return pa.table(arrays, schema=SCHEMA)


_FULL = [row for row in ROWS if None not in row and math.isfinite(row[5])]
TABLES: dict[str, pa.Table] = {
    "mixed": table_of(ROWS),
    "duplicates": table_of(ROWS + ROWS[:7] + ROWS[3:6]),
    "no nulls": table_of(_FULL),
    "all null": table_of([ROWS[5]] * 4),
    "one row": table_of(ROWS[:1]),
    "no row": table_of([]),
    "equal rows": table_of([ROWS[0]] * 5),
    "even": table_of(ROWS[:4]),
    "nineteen in twenty": table_of([ROWS[0]] * 19 + [ROWS[2]]),
}

C = "expect_column_values_to_"
CASES: list[tuple[str, dict[str, Any]]] = [
    *((C + "not_be_null", {"column": name}) for name in TYPES),
    (C + "not_be_null", {"column": "age", "mostly": 0.8}),
    (C + "not_be_null", {"column": "size", "mostly": 0.7}),
    (C + "be_null", {"column": "size"}),
    (C + "be_null", {"column": "name", "mostly": 0.25}),
    (C + "be_in_set", {"column": "name", "value_set": ["a", "l'été", "", "é"]}),
    (C + "be_in_set", {"column": "name", "value_set": []}),
    (C + "be_in_set", {"column": "name", "value_set": ["a", None]}),
    (C + "be_in_set", {"column": "age", "value_set": [1, 2, 7, -5], "mostly": 0.5}),
    (C + "be_in_set", {"column": "size", "value_set": [1.5, 0, 0.1, -2.25]}),
    (C + "be_in_set", {"column": "born", "value_set": ["2013-01-01", "1999-12-31"]}),
    (C + "be_in_set", {"column": "seen", "value_set": ["2013-01-01T05:00:00", "2014-01-01"]}),
    (C + "be_in_set", {"column": "kept", "value_set": [True]}),
    (C + "not_be_in_set", {"column": "other", "value_set": ["x", "e\u0301"]}),
    (C + "not_be_in_set", {"column": "name", "value_set": []}),
    (C + "not_be_in_set", {"column": "age", "value_set": [104], "mostly": 0.9}),
    (C + "not_be_in_set", {"column": "born", "value_set": ["2013-01-01"]}),
    (C + "not_be_in_set", {"column": "kept", "value_set": [False]}),
    (C + "match_regex", {"column": "name", "regex": "^[a-zé']+$"}),
    (C + "match_regex", {"column": "name", "regex": "[0-9]"}),
    (C + "match_regex", {"column": "name", "regex": "^[A-Z]{2}-[0-9]{3}-[A-Z]{2}$", "mostly": 0.1}),
    (C + "match_regex", {"column": "other", "regex": "^.$"}),
    (C + "not_match_regex", {"column": "name", "regex": "^ *$"}),
    (C + "not_match_regex", {"column": "other", "regex": "'|2"}),
    (C + "match_regex_list", {"column": "name", "regex_list": ["^[0-9]", "^a"]}),
    (C + "match_regex_list", {"column": "name", "regex_list": ["^[0-9]", "4$"], "match_on": "all", "mostly": 0.1}),
    (C + "not_match_regex_list", {"column": "name", "regex_list": ["^[0-9]", "^a"]}),
    (C + "be_between", {"column": "age", "min_value": 0, "max_value": 104}),
    (C + "be_between", {"column": "age", "min_value": 0, "max_value": 104, "strict_min": True, "strict_max": True}),
    (C + "be_between", {"column": "age", "min_value": 7, "max_value": 7}),
    (C + "be_between", {"column": "age", "min_value": 7, "max_value": 7, "strict_min": True}),
    (C + "be_between", {"column": "age", "max_value": 7.5, "mostly": 0.95}),
    (C + "be_between", {"column": "size", "min_value": 0}),
    (C + "be_between", {"column": "size", "min_value": 0.1, "max_value": 1e15}),
    (C + "be_between", {"column": "size", "max_value": -0.5, "strict_max": True}),
    (C + "be_between", {"column": "price", "min_value": 0, "max_value": 3}),
    (C + "be_between", {"column": "price", "min_value": -1.5, "strict_min": True, "mostly": 0.75}),
    (C + "be_between", {"column": "born", "min_value": "2000-01-01"}),
    (C + "be_between", {"column": "born", "min_value": "2013-01-01", "max_value": "2013-01-01"}),
    (C + "be_between", {"column": "seen", "min_value": "2013-01-01", "max_value": "2013-01-01 05:00"}),
    (C + "be_between", {"column": "seen", "min_value": "2013-01-01T05:00:00", "strict_min": True}),
    ("expect_column_value_lengths_to_be_between", {"column": "other", "min_value": 1, "max_value": 2}),
    ("expect_column_value_lengths_to_be_between", {"column": "name", "max_value": 1, "strict_max": True}),
    (
        "expect_column_value_lengths_to_be_between",
        {"column": "name", "min_value": 1, "strict_min": True, "mostly": 0.5},
    ),
    ("expect_column_value_lengths_to_equal", {"column": "other", "value": 1}),
    ("expect_column_value_lengths_to_equal", {"column": "name", "value": 0, "mostly": 0.125}),
    (C + "match_strftime_format", {"column": "day", "strftime_format": "%Y-%m-%d"}),
    (C + "match_strftime_format", {"column": "day", "strftime_format": "%d/%m/%Y", "mostly": 0.1}),
    *(
        ("expect_column_pair_values_a_to_be_greater_than_b", pair | more)
        for pair in (
            {"column_A": "age", "column_B": "score"},
            {"column_A": "size", "column_B": "height"},
            {"column_A": "died", "column_B": "born"},
            {"column_A": "size", "column_B": "age"},
        )
        for more in (
            {},
            {"or_equal": True},
            {"or_equal": True, "ignore_row_if": "either_value_is_missing"},
            {"ignore_row_if": "neither", "mostly": 0.25},
        )
    ),
    *(
        ("expect_column_pair_values_to_be_equal", pair | more)
        for pair in (
            {"column_A": "name", "column_B": "other"},
            {"column_A": "born", "column_B": "died"},
            {"column_A": "size", "column_B": "height"},
        )
        for more in ({}, {"ignore_row_if": "either_value_is_missing", "mostly": 0.5}, {"ignore_row_if": "neither"})
    ),
    *(
        ("expect_select_column_values_to_be_unique_within_record", {"column_list": columns} | more)
        for columns in (["name", "other"], ["age", "score", "size"], ["born", "died"])
        for more in ({}, {"ignore_row_if": "any_value_is_missing"}, {"ignore_row_if": "never", "mostly": 0.5})
    ),
    *((C + "be_unique", {"column": name}) for name in ("name", "age", "size", "born", "seen", "kept", "price")),
    (C + "be_unique", {"column": "name", "mostly": 0.3}),
    *(
        ("expect_compound_columns_to_be_unique", {"column_list": columns} | more)
        for columns in (["name", "age"], ["size", "born"], ["name", "other", "seen"])
        for more in ({}, {"ignore_row_if": "any_value_is_missing"}, {"ignore_row_if": "never", "mostly": 0.5})
    ),
    *(
        (f"expect_column_{figure}_to_be_between", {"column": column, "min_value": 0, "max_value": 50})
        for figure in ("mean", "median", "sum", "min", "max", "stdev")
        for column in ("age", "size", "price")
    ),
    ("expect_column_mean_to_be_between", {"column": "age", "min_value": 1, "strict_min": True}),
    ("expect_column_median_to_be_between", {"column": "score", "max_value": 1, "strict_max": True}),
    ("expect_column_min_to_be_between", {"column": "age", "min_value": -5, "strict_min": True}),
    ("expect_column_max_to_be_between", {"column": "age", "max_value": 104}),
    ("expect_column_min_to_be_between", {"column": "born", "min_value": "1909-05-01"}),
    ("expect_column_max_to_be_between", {"column": "seen", "max_value": "2020-02-29", "strict_max": True}),
    *(
        (
            "expect_column_quantile_values_to_be_between",
            {
                "column": column,
                "quantile_ranges": {
                    "quantiles": [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1],
                    "value_ranges": [[None, 0], [0, 1], [1, 1], [1.49999, 7], [None, None], [7, None], [104, 104.001]],
                },
            },
        )
        for column in ("age", "size", "price")
    ),
    *(
        ("expect_column_unique_value_count_to_be_between", {"column": column, "min_value": 1, "max_value": 7})
        for column in ("name", "age", "size", "born")
    ),
    ("expect_column_unique_value_count_to_be_between", {"column": "kept", "max_value": 2, "strict_max": True}),
    ("expect_column_proportion_of_unique_values_to_be_between", {"column": "age", "min_value": 0.9}),
    ("expect_column_proportion_of_unique_values_to_be_between", {"column": "name", "max_value": 1, "strict_max": True}),
    ("expect_column_proportion_of_non_null_values_to_be_between", {"column": "size", "min_value": 0.75}),
    ("expect_column_proportion_of_non_null_values_to_be_between", {"column": "name", "max_value": 0.8}),
    ("expect_table_row_count_to_be_between", {"min_value": 1, "max_value": 10}),
    ("expect_table_row_count_to_be_between", {"max_value": 4}),
    ("expect_table_row_count_to_equal", {"value": 10}),
    ("expect_column_to_exist", {"column": "age"}),
    (C + "be_of_type", {"column": "name", "type_": "str"}),
    (C + "be_of_type", {"column": "size", "type_": "float64"}),
    (C + "be_of_type", {"column": "size", "type_": "int64"}),
]


def use_case(expectations: list[dict[str, Any]]) -> UseCase:
    text = "Only for this test"
    return UseCase.model_validate_json(
        json.dumps(
            {
                "curator": 1, "name": "hostile", "version": "1.0.0", "title": text,
                "owner": {"organisation": text, "contact": text}, "purpose": {"statement": text},
                "law": {"regime": "gdpr", "basis": "public-task", "text": text, "dpia": text, "ai_act": "minimal", "retention_days": 1},
                "sources": {"rows": {"path": "rows.parquet", "columns": TYPES}},
                "extract": {"from": "rows", "row_key": ["age"], "entity": ["age"]},
                "fields": {"age": {"meaning": text}},
                "quality": {"expectations": expectations},
                "splits": {"by": "entity", "shares": {"train": 1.0}},
            }
        )
    )  # fmt: skip


def count(suite: Suite, table: pa.Table) -> Counts:
    """One pass by DuckDB, formulas summed as printed: a null or a wrong type would show."""
    formulas = [(rule.id, rule.fails) for rule in suite.rows]
    formulas += [(f"missing {rule.id}", rule.missing) for rule in suite.rows if rule.missing]
    columns = [f"count(*) FILTER ({parse(formula, TYPES).sql('duckdb')})" for _, formula in formulas]
    columns += [f"count(*) FILTER (({parse(formula, TYPES).sql('duckdb')}) IS NULL)" for _, formula in formulas]
    exact = {
        rule.id: moments(table[rule.column], squares=True).figure(rule.figure) for rule in exact_rules(suite.figures)
    }
    rest = [rule for rule in suite.figures if rule.id not in exact]
    columns += [figure_sql(rule, "duckdb", column_sql=f'"{rule.column}"') for rule in rest]
    columns.append("count(*)")
    with duckdb.connect() as base:
        base.register("rows", table)
        row = base.execute(f"SELECT {', '.join(columns)} FROM rows").fetchone()
        assert row is not None
        assert set(row[len(formulas) : 2 * len(formulas)]) <= {0}, "a formula is null somewhere"
        counted = dict(zip((name for name, _ in formulas), row, strict=False))
        figures = {rule.id: value for rule, value in zip(rest, row[2 * len(formulas) : -1], strict=True)} | exact
        for rule in suite.uniques:
            counted[rule.id], counted[f"missing {rule.id}"] = duplicates(base, rule)
    missing = {name.removeprefix("missing "): n for name, n in counted.items() if name.startswith("missing ")}
    return Counts(rows=table.num_rows, unexpected=counted, missing=missing, figures=figures)


def duplicates(base: duckdb.DuckDBPyConnection, rule: UniqueRule) -> tuple[int, int]:
    left_out = parse(rule.missing, TYPES).sql("duckdb") if rule.missing else None
    quoted = tuple(f'"{column}"' for column in rule.columns)
    row = base.execute(unique_sql(rule, relation="rows", columns=quoted, missing=left_out)).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def spec_of(cases: list[tuple[str, dict[str, Any]]]) -> UseCase:
    on = {"row": "reject", "unique": "reject", "aggregate": "warn", "table": "stop"}
    return use_case(
        [{"type": name, "kwargs": given, "on_failure": on[EXPECTATIONS[name].scope]} for name, given in cases]
    )


def both(cases: list[tuple[str, dict[str, Any]]], table: pa.Table) -> tuple[list[Any], list[Any]]:
    spec = spec_of(cases)
    suite = compile_suite(spec, scope_of(spec))
    return results(suite, count(suite, table))["results"], run_gx(table, spec)["results"]


def difference(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    """What differs between two results, or None. Figures may differ by the order of a floating sum."""
    if theirs["exception_info"]["raised_exception"]:
        return "GX could not evaluate it"
    if ours["success"] != theirs["success"]:
        return f"verdict: ours {ours}, GX's {theirs}"
    if ours["expectation_config"]["type"] == C + "be_of_type":
        return None  # each names the type in its own words
    for name in ours["result"].keys() | theirs["result"].keys():
        one, other = ours["result"].get(name, "absent"), theirs["result"].get(name, "absent")
        if not same(one, other):
            return f"{name}: ours {one}, GX's {other}"
    return None


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) or isinstance(other, float):
        return None not in (one, other) and (one == other or math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-9))
    if isinstance(one, str) and isinstance(other, str):
        return one == other or M.fromisoformat(one) == M.fromisoformat(other)
    return type(one) is type(other) and one == other


def differences(cases: list[tuple[str, dict[str, Any]]], table: pa.Table) -> list[str]:
    found = []
    for (name, kwargs), ours, theirs in zip(cases, *both(cases, table), strict=True):
        if apart := difference(ours, theirs):
            found.append(f"{name} {kwargs}: {apart}")
    return found


def test_every_expectation_has_a_case() -> None:
    assert {name for name, _ in CASES} == set(EXPECTATIONS)


@pytest.mark.parametrize("name", TABLES)
def test_counts_and_verdicts_are_those_of_great_expectations(name: str) -> None:
    assert differences(CASES, TABLES[name]) == []


def texts() -> st.SearchStrategy[str | None]:
    hostile = st.sampled_from(
        ["", "a", "A", " ", "é", "e\u0301", "\n", "a\nb", "12", "2013-02-29", "0", "\U0001f46e", "ß", "x"]
    )
    other = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=3)
    return st.none() | (hostile | other).filter(lambda text: not text.endswith("\n"))  # `$` differs there: pinned below


WHOLE = st.none() | st.integers(-6, 8)
REAL = st.none() | st.sampled_from([0.0, -0.0, 0.1, 1.5, -1.5, NAN, math.inf, -math.inf, 7.0]) | st.floats(width=32)
DAYS = (
    st.none()
    | st.dates(D(1999, 12, 30), D(2000, 1, 2))
    | st.sampled_from([D(2013, 1, 1), D(2999, 12, 31), D(1600, 2, 29)])
)
LAYOUT = st.from_regex(
    r"[0-3]?[0-9]/[01]?[0-9]/[12][09][01][0-9]|[12][09][01][0-9]-[01]?[0-9]-[ 0-3]?[0-9]", fullmatch=True
)
RANDOM_ROW = st.tuples(
    texts(), texts(), st.none() | LAYOUT, WHOLE, WHOLE, REAL, REAL,
    st.none() | st.decimals(-5, 5, places=2), DAYS, DAYS,
    st.none() | st.datetimes(M(2013, 1, 1), M(2013, 1, 2)) | st.just(M(2013, 1, 1, 5)), st.none() | st.booleans(),
)  # fmt: skip


@settings(
    max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(st.lists(RANDOM_ROW, min_size=15, max_size=60))
def test_random_tables_too(rows: list[tuple[Any, ...]]) -> None:
    assert differences(CASES, table_of(rows)) == []


# ---- what must differ, and is pinned ------------------------------------------------------------------------------


def pinned(name: str, kwargs: dict[str, Any], column: str, values: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    blank: dict[str, Any] = dict.fromkeys(TYPES)
    table = table_of([tuple((blank | {column: value}).values()) for value in values])
    ours, theirs = both([(name, kwargs)], table)
    return ours[0], theirs[0]


def unexpected(pair: tuple[dict[str, Any], dict[str, Any]]) -> tuple[int, int]:
    return pair[0]["result"]["unexpected_count"], pair[1]["result"]["unexpected_count"]


def test_python_reads_digits_of_other_scripts_and_any_blank_as_a_date_and_curator_does_not() -> None:
    given = {"column": "day", "strftime_format": "%d %m %Y"}
    values = ["01 02 2013", "01 02 201\u0663", "01\t02 2013", "01\u00a002 2013", "01  02 2013"]
    assert unexpected(pinned(C + "match_strftime_format", given, "day", values)) == (3, 0)


def test_python_ends_a_pattern_before_a_last_line_feed_and_curator_does_not() -> None:
    given = {"column": "name", "regex": "^[0-9]{2}$"}
    assert unexpected(pinned(C + "match_regex", given, "name", ["12", "12\n"])) == (1, 0)


def test_gx_compares_a_large_integer_as_a_double_and_curator_does_not() -> None:
    given = {"column": "age", "max_value": 2**53}
    assert unexpected(pinned(C + "be_between", given, "age", [2**53 + 1, 1])) == (1, 0)
    assert unexpected(pinned(C + "be_between", given, "age", [2**53 + 1, None])) == (1, 0)


def test_pandas_calls_an_integer_column_with_nulls_a_float_and_curator_does_not() -> None:
    for values, verdicts in (([1, None], (True, False)), ([1, 2], (True, True))):
        ours, theirs = pinned(C + "be_of_type", {"column": "age", "type_": "int64"}, "age", values)
        assert (ours["success"], theirs["success"]) == verdicts


def test_pandas_wraps_a_sum_beyond_64_bits_and_curator_does_not() -> None:
    given = {"column": "age", "min_value": 0}
    ours, theirs = pinned("expect_column_sum_to_be_between", given, "age", [2**62, 2**62])
    assert ours["success"]
    assert not theirs["success"]
    assert ours["result"]["observed_value"] == 2**63


def test_a_decimal_is_exact_for_curator_and_a_double_for_pandas() -> None:
    given = {"column": "price", "max_value": 0.3}
    ours, theirs = pinned("expect_column_sum_to_be_between", given, "price", [Decimal("0.10"), Decimal("0.20")])
    assert ours["success"]
    assert not theirs["success"]


# ---- the two languages meet ---------------------------------------------------------------------------------------


def test_gx_loads_the_suite_and_the_results() -> None:
    import great_expectations as gx
    from great_expectations.core.expectation_validation_result import expectationSuiteValidationResultSchema

    spec = spec_of(CASES)
    suite = gx.ExpectationSuite(**suite_json(spec))
    assert suite.name == "hostile@1.0.0"
    assert [one.expectation_type for one in suite.expectations] == [name for name, _ in CASES]
    assert {one.severity.value for one in suite.expectations} == {"critical", "warning", "info"}

    compiled = compile_suite(spec, scope_of(spec))
    ours = results(compiled, count(compiled, TABLES["mixed"]))
    json.dumps(ours, allow_nan=False)
    loaded = expectationSuiteValidationResultSchema.load(ours)
    assert loaded.success is False
    assert loaded.statistics["evaluated_expectations"] == len(CASES)
    assert loaded.to_json_dict().keys() == ours.keys()


def test_no_result_holds_a_value_of_a_row() -> None:
    secret = "Canary-Dupont"
    rows = [(secret, secret, secret, 715203, None, 715203.5, None, None, None, None, None, None)] * 3
    spec = spec_of(CASES)
    suite = compile_suite(spec, scope_of(spec))
    table = table_of(rows)
    raising = [
        Expectation(type="expect_column_mean_to_be_between", kwargs={"column": "name", "min_value": 1}),
        Expectation(type="expect_column_distinct_values_to_be_in_set", kwargs={"column": "name", "value_set": ["a"]}),
        Expectation(type="expect_column_most_common_value_to_be_in_set", kwargs={"column": "age", "value_set": [1]}),
        Expectation(type="expect_column_max_to_be_between", kwargs={"column": "name"}),
        Expectation(type="expect_column_values_to_be_json_parseable", kwargs={"column": "name"}),
    ]
    counts = count(suite, table)
    written = [
        results(suite, counts, observed=False), run_gx(table, spec, expectations=raising),
        run_gx(table, spec_of([case for case in CASES if EXPECTATIONS[case[0]].scope != "aggregate"])),
    ]  # fmt: skip
    for report in written:
        for shown in [one["result"] | one["exception_info"] for one in report["results"]]:
            assert secret not in json.dumps(shown)
            assert "715203" not in json.dumps({key: value for key, value in shown.items() if key != "observed_value"})
    assert [one["exception_info"]["raised_exception"] for one in written[1]["results"]] == [
        True,
        False,
        False,
        False,
        False,
    ]
    assert "observed_value" not in written[1]["results"][1]["result"]


def test_gx_itself_only_runs_on_a_bounded_table() -> None:
    with pytest.raises(UsageError) as refused:
        run_gx(TABLES["mixed"], spec_of(CASES[:1]), limit=9)
    assert refused.value.code == "gx-too-many-rows"
    assert run_gx(TABLES["mixed"], spec_of(CASES[:1]), limit=10)["meta"]["rows"] == 10
