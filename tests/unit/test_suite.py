"""The compiled suite: what each expectation becomes, what is refused, and GX's arithmetic on counts."""

# ruff: noqa: E501 (tables of cases read better one case a line)

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from curator.errors import SpecError, UsageError
from curator.expressions import parse
from curator.spec import UseCase, scope_of
from curator.spec.expectations import EXPECTATIONS
from curator.spec.model import Expectation
from curator.suite import Counts, FigureRule, RowRule, Suite, compile_suite, figure_sql, results, unique_sql, verdict

TYPES = {
    "plate": "text", "note": "free_text", "age": "integer", "size": "float", "height": "float", "price": "decimal",
    "born": "date", "seen": "timestamp", "kept": "boolean",
}  # fmt: skip
C = "expect_column_values_to_"


def use_case(*expectations: tuple[str, dict[str, Any]]) -> UseCase:
    text = "Only for this test"
    spec = {
        "curator": 1, "name": "small", "version": "1.0.0", "title": text,
        "owner": {"organisation": text, "contact": text}, "purpose": {"statement": text},
        "law": {"regime": "gdpr", "basis": "public-task", "text": text, "dpia": text, "ai_act": "minimal", "retention_days": 1},
        "sources": {"rows": {"path": "rows.parquet", "columns": TYPES}},
        "extract": {"from": "rows", "row_key": ["age"], "entity": ["age"]},
        "fields": {"age": {"meaning": text}},
        "quality": {"expectations": [{"type": name, "kwargs": given, "on_failure": "warn"} for name, given in expectations]},
        "splits": {"by": "entity", "shares": {"train": 1.0}},
    }  # fmt: skip
    return UseCase.model_validate_json(json.dumps(spec))


def compiled(*expectations: tuple[str, dict[str, Any]]) -> Suite:
    spec = use_case(*expectations)
    return compile_suite(spec, scope_of(spec))


FORMULAS: list[tuple[str, dict[str, Any], str, str | None]] = [
    (C + "not_be_null", {"column": "age"}, "age is null", None),
    (C + "be_null", {"column": "age"}, "age is not null", None),
    (C + "not_be_null", {"column": "size"}, "(size is null or (size > 0 and -size > 0))", None),
    (C + "be_in_set", {"column": "plate", "value_set": ["a", None, "l'eau"]}, "plate is not null and plate not in ('a', 'l''eau')", "plate is null"),
    (C + "be_in_set", {"column": "age", "value_set": []}, "age is not null and true", "age is null"),
    (C + "not_be_in_set", {"column": "kept", "value_set": [False]}, "kept is not null and kept in (false)", "kept is null"),
    (C + "be_between", {"column": "age", "min_value": -1, "max_value": 2.5, "strict_max": True}, "age is not null and (age < (-1) or age >= 2.5)", "age is null"),
    (C + "be_between", {"column": "born", "min_value": "1900-01-01"}, "born is not null and (born < parse_date('1900-01-01', '%Y-%m-%d'))", "born is null"),
    (C + "be_between", {"column": "seen", "max_value": "2013-01-01 05:30"}, "seen is not null and (seen > timestamp_of(parse_date('2013-01-01', '%Y-%m-%d'), 330))", "seen is null"),
    (C + "match_regex", {"column": "note", "regex": "^a"}, "note is not null and not finds(note, '^a')", "note is null"),
    ("expect_column_value_lengths_to_equal", {"column": "plate", "value": 9}, "plate is not null and length(plate) <> 9", "plate is null"),
    ("expect_column_pair_values_to_be_equal", {"column_A": "plate", "column_B": "note"}, "not (plate is null and note is null) and ((plate = note) is not true)", "(plate is null and note is null)"),
    ("expect_column_pair_values_to_be_equal", {"column_A": "plate", "column_B": "note", "ignore_row_if": "neither"}, "((plate = note) is not true)", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "fails", "missing"), FORMULAS)
def test_a_row_expectation_becomes_a_formula(name: str, given: dict[str, Any], fails: str, missing: str | None) -> None:
    (rule,) = compiled((name, given)).rows
    assert (rule.fails, rule.missing) == (fails, missing)


def test_a_rule_is_named_after_its_place_its_test_and_its_column_never_after_a_value() -> None:
    suite = compiled(
        (C + "not_be_null", {"column": "plate"}),
        (C + "match_regex", {"column": "plate", "regex": "^SECRET$"}),
        ("expect_compound_columns_to_be_unique", {"column_list": ["plate", "age"]}),
        ("expect_column_mean_to_be_between", {"column": "age", "max_value": 715203}),
        ("expect_table_row_count_to_equal", {"value": 715203}),
    )
    assert [rule.id for rule in suite.rules] == [
        "e01-not-null-plate", "e02-match-regex-plate", "e03-unique-plate", "e04-mean-age", "e05-row-count-to-equal",
    ]  # fmt: skip
    assert suite.reasons["e02-match-regex-plate"] == "plate: does not have the expected shape"
    assert not any("SECRET" in word or "715203" in word for pair in suite.reasons.items() for word in pair)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (C + "be_between", {"column": "age"}, "neither"),
    (C + "be_between", {"column": "age", "min_value": 3, "max_value": 1}, "above"),
    (C + "be_between", {"column": "born", "min_value": "2014-01-01", "max_value": "2013-12-31"}, "above"),
    (C + "be_between", {"column": "age", "min_value": "3"}, "a text"),
    (C + "be_between", {"column": "age", "min_value": True}, "true or false"),
    (C + "be_between", {"column": "size", "min_value": 1e30}, "too large"),
    (C + "be_between", {"column": "age", "min_value": 1, "strict_min": "yes"}, "strict_min"),
    (C + "be_between", {"column": "born", "min_value": "2013-02-30"}, "does not exist"),
    (C + "be_between", {"column": "born", "min_value": "01/02/2013"}, "a text"),
    (C + "be_between", {"column": "born", "min_value": "1492-01-01"}, "1583"),
    (C + "be_between", {"column": "seen", "min_value": "2013-01-01T05:00:30"}, "a text"),
    (C + "be_between", {"column": "seen", "min_value": "2013-01-01T25:00"}, "time"),
    (C + "be_in_set", {"column": "plate", "value_set": [1]}, "a number"),
    (C + "be_in_set", {"column": "age", "value_set": "abc"}, "not a list"),
    (C + "be_in_set", {"column": "plate", "value_set": ["a\u202eb"]}, "U+202E"),
    (C + "be_in_set", {"column": "plate", "value_set": ["0123456789"] * 200}, "characters"),
    (C + "match_regex", {"column": "plate", "regex": "(a+)+$"}, "pattern"),
    (C + "match_regex_list", {"column": "plate", "regex_list": []}, "regex_list"),
    (C + "match_regex_list", {"column": "plate", "regex_list": ["a"], "match_on": "most"}, "match_on"),
    (C + "match_strftime_format", {"column": "plate", "strftime_format": "%j"}, "%j"),
    (C + "match_strftime_format", {"column": "plate", "strftime_format": "%d%d"}, "twice"),
    (C + "match_strftime_format", {"column": "plate", "strftime_format": "%H%d"}, "right after"),
    (C + "match_strftime_format", {"column": "plate", "strftime_format": ""}, "empty"),
    ("expect_column_value_lengths_to_equal", {"column": "plate", "value": 1.5}, "whole"),
    ("expect_column_pair_values_to_be_equal", {"column_A": "plate", "column_B": "age"}, "compare"),
    ("expect_column_pair_values_to_be_equal", {"column_A": "age", "column_B": "age", "ignore_row_if": "x"}, "ignore_row_if"),
    ("expect_compound_columns_to_be_unique", {"column_list": ["age", "age"]}, "twice"),
    ("expect_select_column_values_to_be_unique_within_record", {"column_list": ["age"]}, "fewer"),
    ("expect_column_mean_to_be_between", {"column": "age", "min_value": "1"}, "number"),
    ("expect_column_min_to_be_between", {"column": "born", "min_value": 1}, "date"),
    ("expect_column_quantile_values_to_be_between", {"column": "age", "quantile_ranges": {"quantiles": [2], "value_ranges": [[0, 1]]}}, "outside"),
    ("expect_column_quantile_values_to_be_between", {"column": "age", "quantile_ranges": {"quantiles": [0.5], "value_ranges": []}}, "shape"),
    ("expect_column_quantile_values_to_be_between", {"column": "age", "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[1]]}}, "pair"),
    ("expect_table_row_count_to_equal", {"value": 1.5}, "whole"),
    (C + "be_of_type", {"column": "age", "type_": "varbinary"}, "type_"),
    (C + "be_of_type", {"column": "nowhere", "type_": "int"}, "not declared"),
    ("expect_column_value_z_scores_to_be_less_than", {"column": "age", "threshold": 3}, "z_scores"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "found"), REFUSED)
def test_an_argument_that_does_not_fit_is_refused(name: str, given: dict[str, Any], found: str) -> None:
    with pytest.raises(SpecError) as refused:
        compiled((name, given))
    assert refused.value.code == "expectation-invalid"
    (fault,) = refused.value.faults
    assert found in fault.found
    assert fault.file == f"small@1.0.0: quality.expectations[0] {name}"


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SpecError) as refused:
        compiled(*((name, given) for name, given, _ in REFUSED))
    assert len(refused.value.faults) == len(REFUSED)


def row_rule(name: str = C + "be_between", *, mostly: float = 1.0, missing: str | None = "age is null") -> RowRule:
    expectation = Expectation(type=name, kwargs={"column": "age", "mostly": mostly})
    return RowRule(id="r", index=0, expectation=expectation, fails="age < 0", missing=missing)


@pytest.mark.parametrize(
    ("rows", "missing", "unexpected", "mostly", "met"),
    [
        (0, 0, 0, 1.0, True),
        (5, 5, 0, 1.0, True),
        (5, 0, 1, 1.0, False),
        (5, 0, 1, 0.8, True),
        (20, 0, 1, 0.95, True),
        (25, 5, 1, 0.95, True),
        (25, 5, 2, 0.95, False),
        (10, 0, 3, 0.7, True),
        (3, 0, 1, 2 / 3, False),  # (3 - 1) / 3 rounds below 2/3 as neither does: equal doubles pass
        (5, 0, 5, 0.0, True),
    ],
)
def test_mostly_is_a_share_of_the_rows_looked_at(
    rows: int, missing: int, unexpected: int, mostly: float, met: bool
) -> None:
    counts = Counts(rows=rows, unexpected={"r": unexpected}, missing={"r": missing})
    assert verdict(row_rule(mostly=mostly), counts) is (
        (rows - missing - unexpected) / (rows - missing) >= mostly if rows > missing else True
    )
    if mostly != 2 / 3:
        assert verdict(row_rule(mostly=mostly), counts) is met


def test_a_rule_of_the_caller_is_judged_like_any_other() -> None:
    rule = row_rule("expect_column_values_to_be_readable", missing=None)
    suite = Suite(name="own", rows=(rule,), reasons={"r": "age: cannot be read"})
    shown = results(suite, Counts(rows=4, unexpected={"r": 1}, rejected=1))
    assert shown["success"] is False
    assert shown["results"][0]["result"] == {
        "element_count": 4, "unexpected_count": 1, "unexpected_percent": 25.0, "missing_count": 0, "missing_percent": 0.0,
        "unexpected_percent_total": 25.0, "unexpected_percent_nonmissing": 25.0,
    }  # fmt: skip
    assert shown["meta"] == {"rows": 4, "rejected_rows": 1}


def test_a_suite_without_expectation_is_met() -> None:
    shown = results(compiled(), Counts(rows=3))
    assert (shown["success"], shown["results"]) == (True, [])
    assert shown["statistics"]["success_percent"] is None


def test_figures_of_single_rows_can_be_left_out() -> None:
    names = ("mean", "median", "min", "max")
    suite = compiled(*((f"expect_column_{name}_to_be_between", {"column": "age", "max_value": 90}) for name in names))
    counts = Counts(rows=3, figures={rule.id: 104 for rule in suite.figures})
    assert all(one["result"] == {"observed_value": 104} for one in results(suite, counts)["results"])
    hidden = results(suite, counts, observed=False)
    assert [one["result"] for one in hidden["results"]] == [{"observed_value": 104}, {}, {}, {}]
    assert hidden["success"] is False


@pytest.mark.parametrize("figure", [None, float("nan")])
def test_no_figure_meets_nothing(figure: float | None) -> None:
    suite = compiled(("expect_column_mean_to_be_between", {"column": "age"}))
    counts = Counts(rows=0, figures={suite.figures[0].id: figure})
    assert verdict(suite.figures[0], counts) is False
    assert results(suite, counts)["results"][0]["result"] == {"observed_value": None}


@pytest.mark.parametrize(
    ("value", "met"), [(1.0, True), (0.99995, True), (0.9, False), (2.0001, True), (2.1, False), (None, False)]
)
def test_a_quantile_may_miss_its_range_by_one_ten_thousandth(value: float | None, met: bool) -> None:
    ranges = {"quantiles": [0.5], "value_ranges": [[1, 2]]}
    suite = compiled(("expect_column_quantile_values_to_be_between", {"column": "age", "quantile_ranges": ranges}))
    rule = suite.figures[0]
    assert verdict(rule, Counts(rows=1, figures={rule.id: [value]})) is met


def test_figures_need_an_engine_with_templates() -> None:
    rule: FigureRule = compiled(("expect_column_mean_to_be_between", {"column": "age"})).figures[0]
    with pytest.raises(UsageError) as refused:
        figure_sql(rule, "postgres", column_sql='"age"')
    assert refused.value.code == "figure-engine"


def test_every_member_of_a_repeated_key_is_unexpected() -> None:
    suite = compiled(("expect_compound_columns_to_be_unique", {"column_list": ["age", "plate"]}))
    (rule,) = suite.uniques
    assert rule.missing is not None
    missing = parse(rule.missing, TYPES | {"note": "text"}).sql("duckdb")
    sql = unique_sql(rule, relation="rows", columns=('"age"', '"plate"'), missing=missing)
    with duckdb.connect() as base:
        base.execute(
            "CREATE TABLE rows AS FROM (VALUES (1, 'a'), (1, 'a'), (1, NULL), (1, NULL), (1, NULL), (2, 'a'), (NULL, NULL), (NULL, NULL)) t(age, plate)"
        )
        assert base.execute(sql).fetchone() == (5, 2)
        assert base.execute(
            unique_sql(rule, relation="rows", columns=('"age"', '"plate"'), missing=None)
        ).fetchone() == (7, 0)


def test_nothing_heavy_is_imported() -> None:
    code = "import sys, curator.suite, curator.edges.expectations; print([m for m in ('great_expectations', 'pandas', 'duckdb') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_reference_page_lists_every_expectation_with_its_arguments() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "quality.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `expect_")}
    assert set(rows) == set(EXPECTATIONS)
    for name, row in rows.items():
        assert set(re.findall(r"\w+", row.split("|")[3].replace("*", " "))) == EXPECTATIONS[name].arguments
