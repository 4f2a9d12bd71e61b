"""The reference page: every function is on it, word for word, and every example gives what it says."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from curator.expressions import FUNCTIONS, Function, parse
from curator.expressions._lexer import MAX_LENGTH, MAX_NESTING

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "expressions.md"


def section(function: Function) -> str:
    """What the page must say of a function."""
    return (
        f"### {function.name}\n\n`{function.signature}`\n\n{function.meaning} Nulls: {function.nulls}.\n\n"
        f"`{function.example}` gives `{function.example_result}`.\n"
    )


def shown(value: Any) -> str:
    """A value as the page writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return (
        value.isoformat(" ")
        if isinstance(value, datetime)
        else value.isoformat()
        if isinstance(value, date)
        else str(value)
    )


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_the_page_describes_the_function_as_the_table_does(function: Function) -> None:
    assert section(function) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_the_example_gives_its_result(function: Function) -> None:
    sql = parse(function.example, {}).sql("duckdb")
    assert shown(duckdb.connect().execute(f"SELECT {sql}").fetchall()[0][0]) == function.example_result


def test_the_page_names_no_other_function() -> None:
    assert set(re.findall(r"^### (\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) == set(FUNCTIONS)


def test_the_page_states_the_limits_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"{MAX_LENGTH:,} characters" in page
    assert f"{MAX_NESTING} levels" in page


def test_the_first_example_of_the_page_is_an_expression() -> None:
    text = re.search(r"^condition: (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert text is not None
    columns = {"birth_date": "date", "occurred_at": "timestamp", "department": "text"}
    assert parse(text[1], columns).type == "boolean"
