"""The page on real tables quotes the specs word for word, so that it cannot tell another story than they do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flows import SPECS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "real-tables.md"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXCERPTS = _FENCE.findall(PAGE.read_text(encoding="utf-8"))


def test_the_page_has_excerpts_and_nothing_that_would_have_to_run() -> None:
    assert len(EXCERPTS) >= 9
    assert {language for language, _ in EXCERPTS} == {"yaml"}


@pytest.mark.parametrize("text", [text for _, text in EXCERPTS], ids=lambda text: text.split("\n")[1].strip()[:30])
def test_every_line_of_an_excerpt_stands_in_its_spec(text: str) -> None:
    title, *lines = text.splitlines()
    spec = (SPECS / title.removeprefix("# specs/")).read_text(encoding="utf-8").splitlines()
    assert lines
    assert [line for line in lines if line not in spec] == []
