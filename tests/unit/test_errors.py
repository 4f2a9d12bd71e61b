"""Errors: four labelled lines that cannot steer a screen, one exit code a class, the same facts as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator import errors
from curator.errors import CuratorError, Fault, SpecError, shown

CLASSES = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CuratorError)]


def error(text: str = "x") -> SpecError:
    fault = Fault(file=text, line=3, column=4, found=text, expected=text)
    return SpecError("some-code", asked=text, found=text, expected=text, todo=text, faults=[fault])


def test_it_reads_as_four_lines_and_its_places() -> None:
    assert str(error("a")) == (
        "error[some-code] a\n  found:    a\n  expected: a\n  do next:  a\n  - a:3:4: found a; expected a"
    )
    assert str(Fault(file="f", found="x", expected="y")) == "f: found x; expected y"


@given(st.text())
def test_whatever_the_text_the_lines_stay_and_nothing_steers_the_screen(text: str) -> None:
    said = str(error(text))
    assert said.count("\n") == 4
    assert all(char == "\n" or char == " " or char.isprintable() or char.isspace() for char in said)
    assert not set(said) & set("\x00\x07\x1b\r\u2028\u2029\u202e\u2066\u200b")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("é\u00a0: « ça »", "é\u00a0: « ça »"), ("a\nb", "a\\nb"), ("\x1b[2J", "\\x1b[2J"), ("a\u202eb", "a\\u202eb"),
        ("\ud800", "\\ud800"), ("日本語 ελ", "日本語 ελ"), ("x" * 3_000, "x" * 2_000 + " ..."),
    ],
)  # fmt: skip
def test_what_is_shown(text: str, seen: str) -> None:
    assert shown(text) == seen


def test_each_class_has_its_exit_code() -> None:
    codes = [kind.exit_code for kind in CLASSES]
    assert len(codes) >= 10
    assert len(set(codes)) == len(codes)
    assert all(0 < code < 126 for code in codes)


def test_json_holds_the_same() -> None:
    told = json.loads(json.dumps(error("a").to_json()))
    assert told["error"] == "some-code"
    assert told["exit_code"] == 10
    assert told["faults"] == [{"file": "a", "line": 3, "column": 4, "found": "a", "expected": "a"}]
