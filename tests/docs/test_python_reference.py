"""The reference of the Python names says what the code says."""

from __future__ import annotations

import re

import pytest
from python_reference import PAGE, build

import curator


def test_the_page_is_the_one_made_from_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == build(), "run `python tests/docs/python_reference.py`"


def test_every_public_name_and_method_has_a_place() -> None:
    page = PAGE.read_text(encoding="utf-8")
    titles = set(re.findall(r"^###? `([\w.]+)", page, re.MULTILINE)) | set(
        re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    )
    assert set(curator.__all__) - {"__version__"} <= titles
    methods = {name for name in vars(curator.Capital) if not name.startswith("_")}
    assert {f"Capital.{name}" for name in methods} <= titles


def test_every_entry_says_something() -> None:
    entries = re.split(r"^###? `", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert not [entry.partition("\n")[0] for entry in entries if len(entry.partition("\n")[2].strip()) < 10]


def test_defaults_and_annotations_read_as_in_the_code() -> None:
    assert "`open(root: str | Path, *, agent: str = 'holder') -> Capital`" in build()


def test_a_public_name_without_a_place_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curator, "__all__", [*curator.__all__, "novelty"])
    with pytest.raises(ValueError, match="no place"):
        build()
