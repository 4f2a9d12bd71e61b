"""Properties over random expressions: what is accepted runs, what is not is refused, brackets mean what they did."""

# ruff: noqa: E501 - tables read by rows

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.errors import SpecError
from curator.expressions import ENGINES, FUNCTIONS, parse, regex_is_safe
from curator.expressions._regex import has_choice, portable

COLUMNS = {
    "s": "text", "t": "text", "n": "integer", "m": "integer", "p": "decimal", "x": "float", "b": "boolean", "c": "boolean",
    "d": "date", "z": "timestamp",
}  # fmt: skip
TYPES = {"text": "VARCHAR", "integer": "SMALLINT", "decimal": "DECIMAL(6,2)", "float": "REAL", "boolean": "BOOLEAN",
         "date": "DATE", "timestamp": "TIMESTAMP"}  # fmt: skip
FOUND = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
#: A literal that each restricted parameter accepts.
LITERALS = {
    "start": "2", "count": "3", "old": "'a'", "new": "'it''s'", "width": "4", "fill": "'0'", "part": "'é'", "pattern": "'[0-9]+'",
    "salt": "'salt'", "share": "0.25", "step": "5", "format": "'%d/%m/%Y'", "layout": "'HMM'", "zone": "'Europe/Paris'",
}  # fmt: skip
CHEAP = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@pytest.fixture(scope="module")
def base() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    columns = ", ".join(f'"{name}" {TYPES[kind]}' for name, kind in COLUMNS.items())
    connection.execute(f"CREATE TABLE rows ({columns})")
    connection.execute(
        "INSERT INTO rows VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),"
        "('', '12', 0, -1, 0.5, -0.0, true, false, '2012-02-29', '2013-03-31 01:00:00'),"
        "('é''x', '29/02/2012', 7, 2, -1.25, 2.5, false, NULL, '1900-01-01', '1999-12-31 23:59:59')"
    )
    return connection


@st.composite
def expressions(draw: st.DrawFn, kind: str, depth: int = 3) -> str:
    """A random well-typed text of the wanted type."""
    leaves = [name for name, other in COLUMNS.items() if other == kind] + CONSTANTS.get(kind, [])
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(leaves))
    make = draw(st.sampled_from(FORMS[kind]))
    return make(lambda wanted: draw(expressions(wanted, depth - 1)))


CONSTANTS = {"text": ["'a'", "''", "'it''s'"], "integer": ["0", "12"], "decimal": ["0.5"], "boolean": ["true", "false"]}


def calls(kind: str) -> list:
    """A maker per function that can give this type."""

    def maker(function):
        def make(draw):
            arguments = []
            for parameter in function.parameters:
                wanted = kind if function.returns is None and kind in parameter.types else parameter.types[0]
                arguments.append(LITERALS[parameter.name] if parameter.literal else draw(wanted))
            return f"{function.name}({', '.join(arguments)})"

        return make

    return [
        maker(function)
        for function in FUNCTIONS.values()
        if function.returns == kind or (function.returns is None and kind in function.parameters[0].types)
    ]


def form(template: str):
    """A maker from a template such as `({integer} + {integer})`."""
    return lambda draw: re.sub(r"\{(\w+)\}", lambda match: draw(match[1]), template)


CASES = ["case when {boolean} then {K} else {K} end", "case {integer} when {integer} then {K} when 3 then null end"]
TEMPLATES = {
    "boolean": [
        "({boolean} and {boolean} or {boolean})", "not {boolean}", "(({integer} < {integer}))", "({text} >= {text})",
        "({float} <> {integer})", "({text} in ({text}, {text}))", "({date} between {date} and {date})", "({text} is null)",
        "({boolean} is not true)", "({decimal} is not distinct from {float})", "({timestamp} not in ({timestamp}))",
    ],
    "text": ["({text} || {text})"],
    "integer": ["({integer} + {integer})", "({integer} - {integer} - {integer})", "- {integer}"],
    "decimal": ["({decimal} + {integer})"],
    "float": ["({float} * {decimal})", "({integer} - {float})"],
    "date": [], "timestamp": [],
}  # fmt: skip
FORMS = {
    kind: [form(text.replace("{K}", "{" + kind + "}")) for text in CASES + texts] + calls(kind)
    for kind, texts in TEMPLATES.items()
}


@CHEAP
@given(data=st.data(), kind=st.sampled_from(list(FORMS)))
def test_an_accepted_expression_runs_with_the_promised_type(base: duckdb.DuckDBPyConnection, data, kind) -> None:
    text = data.draw(expressions(kind))
    if len(text) > 2_000:
        return
    expression = parse(text, COLUMNS)
    assert expression.type == kind
    found = base.execute(f"DESCRIBE SELECT {expression.sql('duckdb')} AS v FROM rows").fetchall()
    assert found[0][1].split("(")[0] == FOUND.get(kind, "DECIMAL")
    for engine in ENGINES:
        assert balanced(expression.sql(engine))


def balanced(sql: str) -> bool:
    bare = re.sub(r"'(?:[^'\\]|''|\\.)*'", "", sql)
    return bare.count("(") == bare.count(")") and "'" not in bare and ";" not in bare and "--" not in bare


OPERATORS = st.recursive(
    st.sampled_from(["b", "c", "n = 7", "n < m", "m between -1 and 1", "n not in (0, 2)", "n + m * 2 - 1 > 3", "s is null",
                     "n is distinct from m", "s || t = '12'", "- n - - 1 < m", "b is not true"]),
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("not {}".format, inner),
        st.builds("({})".format, inner),
        st.builds("case when {} then {} else {} end".format, inner, inner, inner),
        st.builds("case {} when true then 1 else 2 end = 1".format, inner),
    ),
    max_leaves=12,
)  # fmt: skip


@CHEAP
@given(text=OPERATORS)
def test_operators_bind_as_in_duckdb_itself(base: duckdb.DuckDBPyConnection, text: str) -> None:
    """A text of operators alone is SQL as well: the engine reading the source and our print must agree on every row."""
    printed = parse(text, COLUMNS).sql("duckdb")
    assert base.execute(f"SELECT ({text}) IS NOT DISTINCT FROM ({printed}) FROM rows").fetchall() == [(True,)] * 3


SEEDS = [
    "length(s) > 2 and not b", "case when n = 1 then 'a' else s || t end", "n in (1, 2, 3) or s not in ('a', 'it''s')",
    "age_years(d, date_of(z)) between 18 and 99", "matches(s, '[A-Z]{2}-[0-9]{3}') is true", "x * 2 - -p <= ratio(n, m)",
]  # fmt: skip
PIECES = st.sampled_from(
    [
        *"()',;:-+*/%.<>=!|\\\"$@[]{}?&~# \n\x00éa0",
        "''",
        "--",
        "/*",
        "not ",
        " and ",
        "null",
        "(select 1)",
        "case ",
        " end",
        "1e5",
        "::",
    ]
)


@settings(CHEAP, max_examples=300)
@given(
    seed=st.sampled_from(SEEDS), edits=st.lists(st.tuples(st.integers(0, 80), st.integers(0, 4), PIECES), max_size=4)
)
def test_mutants_are_refused_or_run(
    base: duckdb.DuckDBPyConnection, seed: str, edits: list[tuple[int, int, str]]
) -> None:
    for place, cut, piece in edits:
        seed = seed[:place] + piece + seed[place + cut :]
    accepted_expressions_can_be_prepared(base, seed)


@settings(CHEAP, max_examples=300)
@given(text=st.one_of(st.text(max_size=40), st.text(alphabet="sntmbdzx'()=<>|,-+*. 019andorti", max_size=40)))
def test_any_text_is_refused_or_runs(base: duckdb.DuckDBPyConnection, text: str) -> None:
    accepted_expressions_can_be_prepared(base, text)


def accepted_expressions_can_be_prepared(base: duckdb.DuckDBPyConnection, text: str) -> None:
    try:
        expression = parse(text, COLUMNS)
    except SpecError as fault:
        assert fault.code in ("expression-refused", "regex-refused")  # noqa: PT017 - either outcome is right
        return
    base.execute(f"DESCRIBE SELECT {expression.sql('duckdb')} AS v FROM rows")
    assert all(balanced(expression.sql(engine)) for engine in ENGINES)


PATTERNS = st.lists(
    st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "é", r"\.", "*", "+", "?", "{2}", "{1,2}", "{0,3}", "(", ")", "|", "^", "$", "[b-é]", "-"]),
    min_size=1, max_size=8,
).map("".join).filter(lambda pattern: regex_is_safe(pattern) is None)  # fmt: skip
VALUES = st.text(alphabet="abé.\n-", max_size=7)


def python_pattern(pattern: str, *, full: bool = False) -> re.Pattern[str]:
    return re.compile(portable(pattern, "spark", full=full).replace(r"\z", r"\Z"))


@CHEAP
@given(pattern=PATTERNS, value=VALUES)
def test_patterns_mean_the_same_in_duckdb_and_in_python(
    base: duckdb.DuckDBPyConnection, pattern: str, value: str
) -> None:
    """Two independent engines, one automaton and one backtracking, as witnesses of the portable spelling."""
    for name, wanted in (
        ("matches", bool(python_pattern(pattern, full=True).search(value))),
        ("finds", bool(python_pattern(pattern).search(value))),
    ):
        sql = parse(f"{name}(s, '{pattern}')", {"s": "text"}).sql("duckdb", {"s": "v"})
        assert base.execute(f"SELECT {sql} FROM (SELECT $1::VARCHAR AS v)", [value]).fetchall() == [(wanted,)]


@CHEAP
@given(pattern=PATTERNS.filter(lambda pattern: not has_choice(pattern)), value=VALUES)
def test_without_a_choice_the_first_match_is_the_longest(pattern: str, value: str) -> None:
    """So a leftmost-first engine (RE2, Java) and a leftmost-longest one (PostgreSQL) extract the same part."""
    compiled = python_pattern(pattern)
    found = compiled.search(value)
    if found is None:
        return
    ends = [end for end in range(found.start(), len(value) + 1) if compiled.fullmatch(value, found.start(), end)]
    if not pattern.endswith("$"):
        assert found.end() == max(ends)
