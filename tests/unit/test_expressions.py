"""The language as its callers meet it: what parse gives, what it refuses and with which words, how SQL is printed."""

# ruff: noqa: E501 - tables read by rows

from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys

import duckdb
import pytest

from curator.errors import CuratorError, SpecError, UsageError
from curator.expressions import ENGINES, FUNCTIONS, LOGICAL_TYPES, ExpressionRefused, parse, regex_is_safe

COLUMNS = {
    "s": "text", "t": "text", "n": "integer", "p": "decimal", "x": "float", "b": "boolean", "d": "date",
    "z": "timestamp", "Age": "integer", "AGE": "integer", "hrmn": "text", "int": "integer", "prénom": "text",
}  # fmt: skip


def test_importing_the_language_loads_no_heavy_package() -> None:
    code = (
        "import sys, curator.expressions as e; e.parse('n > 1', {'n': 'integer'}).sql('duckdb');"
        "print([m for m in ('sqlglot', 'duckdb', 'pandas', 'numpy', 'pyarrow', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_expression_tells_its_text_columns_and_type() -> None:
    expression = parse("n + 1 > 2 and s is null", COLUMNS)
    assert (expression.text, expression.columns, expression.type) == (
        "n + 1 > 2 and s is null",
        frozenset({"n", "s"}),
        "boolean",
    )


def test_an_expression_is_frozen_equal_by_content_and_survives_pickling() -> None:
    expression = parse("n = 1", COLUMNS)
    assert expression == parse("n = 1", COLUMNS)
    assert hash(expression) == hash(parse("n = 1", COLUMNS))
    assert pickle.loads(pickle.dumps(expression)).sql("duckdb") == expression.sql("duckdb")
    with pytest.raises(dataclasses.FrozenInstanceError):
        expression.text = "n = 2"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "duckdb_sql", "spark_sql", "postgres_sql"),
    [
        ("s = 'it''s'", "(\"s\" = 'it''s')", r"(`s` = 'it\'s')", "(\"s\" = 'it''s')"),
        (r"s = 'a\b'", r"""("s" = 'a\b')""", r"(`s` = 'a\\b')", r"""("s" = E'a\\b')"""),
        ("s = '${x}'", "(\"s\" = '${x}')", r"(`s` = '\u0024{x}')", "(\"s\" = '${x}')"),
        ("s < 'b'", "(\"s\" < 'b')", "(`s` < 'b')", '(("s" COLLATE "C") < (\'b\' COLLATE "C"))'),
        ("x < 1", '(CAST("x" AS DOUBLE) < CAST(1 AS DOUBLE))', "(CAST(`x` AS DOUBLE) < CAST(1 AS DOUBLE))",
         '(CAST("x" AS DOUBLE PRECISION) < CAST(1 AS DOUBLE PRECISION))'),
        ("n", 'CAST("n" AS BIGINT)', "CAST(`n` AS BIGINT)", 'CAST("n" AS BIGINT)'),
        ("matches(s, 'a.$')", r"""REGEXP_MATCHES("s", '^(?:a[^\n]\z)\z')""", r"(`s` RLIKE '^(?:a[^\\n]\\z)\\z')",
         r"""("s" ~ E'^(?:a[^\\n]$)$')"""),
    ],
)  # fmt: skip
def test_printed_sql(text: str, duckdb_sql: str, spark_sql: str, postgres_sql: str) -> None:
    expression = parse(text, COLUMNS)
    assert [expression.sql(engine) for engine in ENGINES] == [duckdb_sql, spark_sql, postgres_sql]


def test_columns_can_be_renamed_and_are_always_quoted() -> None:
    expression = parse("n > 1 and s = 'a'", COLUMNS)
    renamed = {"n": 'a"; DROP TABLE x --', "z": "unused"}
    assert expression.sql("duckdb", renamed) == '(("a""; DROP TABLE x --" > 1) AND ("s" = \'a\'))'
    assert "`a``b`" in expression.sql("spark", {"n": "a`b"})


@pytest.mark.parametrize("name", ["", "a\x00", "a\nb", "a\u202eb", "a" * 300, "\ud800"])
def test_an_identifier_that_cannot_be_quoted_safely_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse("n > 1", COLUMNS).sql("duckdb", {"n": name})
    assert caught.value.code == "expression-rename"


def test_engine_limits_on_identifiers() -> None:
    with pytest.raises(UsageError):
        parse("n > 1", COLUMNS).sql("spark", {"n": "${env:HOME}"})
    with pytest.raises(UsageError):
        parse("n > 1", COLUMNS).sql("postgres", {"n": "é" * 32})
    assert parse("n > 1", COLUMNS).sql("duckdb", {"n": "${env:HOME}"}) == '("${env:HOME}" > 1)'


def test_another_engine_is_a_usage_error() -> None:
    with pytest.raises(UsageError) as caught:
        parse("n > 1", COLUMNS).sql("sqlite")  # type: ignore[arg-type]
    assert caught.value.code == "expression-engine"


def test_words_of_other_languages_are_plain_column_names() -> None:
    names = [
        "int",
        "long",
        "date",
        "time",
        "interval",
        "select",
        "group",
        "order",
        "user",
        "table",
        "values",
        "left",
        "prénom",
        "column_1",
    ]
    for name in names:
        sql = parse(f"{name} = 1", {name: "integer"}).sql("duckdb")
        found = duckdb.connect().execute(f'SELECT {sql} FROM (SELECT 1 AS "{name}")')
        assert found.fetchall() == [(True,)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("n + 1", "integer"), ("n + 0.5", "decimal"), ("n + x", "float"), ("p * x", "float"), ("-p", "decimal"),
        ("s || 'a'", "text"), ("NOT b", "boolean"), ("case when b then n end", "integer"),
        ("case when b then null else d end", "date"), ("coalesce(null, z)", "timestamp"), ("greatest(n, 0.5)", "decimal"),
        ("LENGTH(s)", "integer"), ("ratio(n, 2)", "float"), ("null is not distinct from b or b", "?"),
    ],
)  # fmt: skip
def test_types_are_inferred(text: str, kind: str) -> None:
    if kind == "?":
        with pytest.raises(ExpressionRefused):
            parse(text, COLUMNS)
    else:
        assert parse(text, COLUMNS).type == kind


#: text, character of the fault (from 0), a part of what was found, a part of what was expected
REFUSED = [
    ("s + n", 2, "a text + an integer", "||"),
    ("n + s", 2, "an integer + a text", "to_int"),
    ("s = 1", 2, "a text beside an integer", "to_int"),
    ("s = d", 2, "a text beside a date", "parse_date"),
    ("d < z", 2, "a date beside a timestamp", "date_of"),
    ("n || s", 2, "an integer", "to_text"),
    ("d + 1", 2, "a date", "add_days"),
    ("d - d", 2, "a date", "days_between"),
    ("n and b", 2, "an integer", "conditions around AND"),
    ("not s", 0, "a text", "a condition after NOT"),
    ("b < b", 2, "a boolean", "order"),
    ("-s", 0, "a text", "number"),
    ("n = null", 2, "null", "IS NULL"),
    ("n in (1, null)", 2, "null", "IS NULL"),
    ("null", 0, "always null", "type"),
    ("coalesce(null, null)", 0, "always null", "type"),
    ("null is null", 5, "word null", "column"),
    ("n is true", 2, "an integer", "a condition before IS TRUE"),
    ("case when n then 1 end", 0, "an integer", "WHEN"),
    ("case when b then 1 else 'a' end", 0, "an integer beside a text", "one type"),
    ("case n when 'a' then 1 end", 0, "an integer beside a text", "one type"),
    ("case end", 5, "END", "a column"),
    ("case when b then 1", 18, "the end", "END"),
    ("lenght(s)", 0, "lenght", "did you mean length?"),
    ("lengths", 0, "lengths", "a declared column"),
    ("hrnm = '1'", 0, "hrnm", "did you mean hrmn?"),
    ("S = '1'", 0, "S", "did you mean s?"),
    ("Age > 1", 0, "2 times", "case"),
    ("length", 0, "without brackets", "length(text: text)"),
    ("length()", 0, "0 argument(s) for length", "length(text: text)"),
    ("length(s, t)", 0, "2 argument(s)", "length(text: text)"),
    ("length(n)", 0, "an integer", "text of length"),
    ("coalesce(s)", 0, "1 argument(s)", "..."),
    ("substr(s, n, 2)", 0, "computed start", "a literal"),
    ("substr(s, 0, 2)", 0, "the start", "from 1"),
    ("substr(s, -1, 2)", 0, "computed start", "a literal"),
    ("replace(s, '', 'a')", 0, "the old", "not empty"),
    ("lpad(s, 3, '00')", 0, "the fill", "one character"),
    ("lpad(s, 5000, '0')", 0, "the width", "1000"),
    ("band(n, 0)", 0, "the step", "from 1"),
    ("in_share(s, 'x', 2)", 0, "the share", "0 to 1"),
    ("in_share(s, '', 0.5)", 0, "the salt", "not empty"),
    ("parse_date(s, '%d/%m/%y')", 0, "the format", "%Y"),
    ("parse_date(s, '%d/%d/%Y')", 0, "the format", "once each"),
    ("minutes_of_day(s, 'HH:MM:SS')", 0, "the layout", "'HMM'"),
    ("local_time(z, 'Europe/Pari')", 0, "the zone", "Europe/Paris"),
    ("local_time(z, '../../etc/passwd')", 0, "the zone", "Europe/Paris"),
    ("matches(s, t)", 0, "computed pattern", "a literal"),
    ("remove(s, 'a|b')", 0, "the pattern", "twice"),
    ("cast(n)", 0, "cast", "to_int"),
    ("s like 'a%'", 2, "the name like", "starts_with"),
    ("current_date", 0, "current_date", "same result every day"),
    ("random() < 0.1", 0, "random", "in_share"),
    ("n / 2", 2, "/", "ratio"),
    ("n % 2", 2, "%", "mod"),
    ("n // 2", 2, "//", "whole_div"),
    ("n == 1", 2, "==", "a single ="),
    ("n::text", 1, "a cast", "to_text"),
    ("n = 1 = 1", 6, "=", "chain"),
    ("n = n is null", 6, "IS", "chain"),
    ("s = 'a", 4, "not closed", "closing"),
    ("n = 1 -- x", 6, "comment", "no comment"),
    ("n is 1", 5, "a number", "NULL, TRUE"),
    ("n not 1", 6, "a number", "IN or BETWEEN"),
    ("n between 1 or 2", 12, "OR", "AND between"),
    ("n in 1", 5, "a number", "( after IN"),
    ("(n = 1", 6, "the end", ") to close"),
    ("n = 1)", 5, ")", "an operator, or the end"),
    ("", 0, "the end", "a column"),
    ("   ", 3, "the end", "a column"),
    ("12345678901234567890 = n", 0, "a number too long", "18 digits"),
    ("n = 1\n", 5, "U+000A", ">-"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "offset", "found", "expected"), REFUSED, ids=[case[0] for case in REFUSED])
def test_a_refusal_names_the_place_the_fault_and_the_way_out(text: str, offset: int, found: str, expected: str) -> None:
    with pytest.raises(ExpressionRefused) as caught:
        parse(text, COLUMNS)
    fault = caught.value
    assert isinstance(fault, SpecError)
    assert fault.code == (
        "regex-refused" if "pattern" in fault.found and "computed" not in fault.found else "expression-refused"
    )
    assert (fault.offset, found in fault.found, expected in fault.expected) == (offset, True, True), fault


def test_a_refusal_never_repeats_a_text_literal() -> None:
    for text in ("s = 'SECRET' + 1", "matches(s, '(SECRET')", "'SECRET'", "local_time(z, 'SECRET')", "s 'SECRET'"):
        try:
            parse(text, COLUMNS)
        except CuratorError as fault:
            assert "SECRET" not in str(fault)  # noqa: PT017 - most of them raise, none may tell


def test_a_wrong_logical_type_of_a_column_is_a_spec_error() -> None:
    with pytest.raises(ExpressionRefused) as caught:
        parse("n = 1", {"n": "interger"})
    assert "did you mean integer?" in caught.value.expected


def test_limits_hold_before_any_recursion() -> None:
    deep = [
        "(" * 900 + "n" + ")" * 900, "n = 1 " + "and n = 1 " * 198, "not " * 490 + "b", "- " * 900 + "n",
        "n" + "+n" * 999, "n" + "*n" * 999, "abs(" * 400 + "n" + ")" * 400, "case when b then " * 100 + "1" + " end" * 100,
        "s" + "||s" * 600, "n in (" + "1," * 900 + "1)",
    ]  # fmt: skip
    outcomes = []
    for text in deep:
        try:
            outcomes.append(parse(text, COLUMNS).type)
        except ExpressionRefused:
            outcomes.append("refused")
    wide = ["refused", "boolean", "refused", "refused", "refused", "refused", "refused", "refused", "text", "boolean"]
    assert outcomes == wide


def test_expressions_that_would_explode_when_printed_are_refused() -> None:
    text = "d"
    for _ in range(14):
        text = f"add_days(d, age_years({text}, d))"
    with pytest.raises(ExpressionRefused) as caught:
        parse(text, COLUMNS)
    assert "beyond measure" in caught.value.found


def test_every_function_is_fully_described() -> None:
    for name, function in FUNCTIONS.items():
        assert function.name == name == name.lower()
        assert set(function.templates) == set(ENGINES)
        assert function.meaning.endswith((".", ")")), name
        assert function.nulls.startswith(("null", "a null")), name
        assert all(kind in LOGICAL_TYPES for parameter in function.parameters for kind in parameter.types)


SAFE = [
    "a", "[0-9]+", "[A-Z]{2}-[0-9]{3}", "a|b", "(a|b)?c", "^a$", "a.b", r"a\.b", r"[\]\\^-]", "[^,;]*", "é+", "[À-ÿ' -]+",
    "a{0,3}", "a{2,}", "((a|b)|c)d", "[&~]", "/:", "x{255}", r"\-",
]  # fmt: skip
UNSAFE = [
    "", "(a+)+$", "(a|a)*", "(a*)*", "(a){2}", "a++", "a+?", "a**", "a{2}{3}", "(?=a)", "(?i)a", "(?:a)", "(?P<x>a)", r"(a)\1",
    r"\d", r"\w", r"\b", r"\n", r"\x41", r"\u0041", r"\p{L}", r"\Qa\E", "[", "]", "[]", "[^]", "[a", "a]", "[[:alpha:]]", "[a-]z]",
    "[z-a]", "[A-z]", "[0-é]", "{", "}", "a{", "a{,3}", "a{3,2}", "a{256}", "a{0}", "*a", "+", "?", "|a", "a|", "a||b", "()", "(|a)",
    "a^", "$a", "a$b", "^*", "(a", "a)", "a\\", "a" * 501, "a\n", "\x00", "\u202e", "\u00a0", "a*b*c*d*e*", "a?" * 11, "(a|b)" * 11, "((((((a))))))", "(^a)",
]  # fmt: skip


@pytest.mark.parametrize("pattern", SAFE)
def test_patterns_inside_the_subset(pattern: str) -> None:
    assert regex_is_safe(pattern) is None


@pytest.mark.parametrize("pattern", UNSAFE)
def test_patterns_outside_the_subset_have_a_reason(pattern: str) -> None:
    reason = regex_is_safe(pattern)
    assert isinstance(reason, str)
    assert len(reason) > 10
