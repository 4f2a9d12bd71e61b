"""The page of the ten mistakes names tests that exist, and for each mistake one that goes red."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "explanation" / "ten-mistakes.md"
ROW = re.compile(r"^\| (\d+)\. .*$", re.MULTILINE)
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_the_page_and_the_files_agree() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [match[0] for match in ROW.finditer(page)]
    assert [int(ROW.match(row)[1]) for row in rows] == list(range(1, 11))  # type: ignore[index]
    for row in rows:
        _, _, holds, without = row.strip("| ").split(" | ")
        assert NAMED.search(holds), row
        assert all(name.startswith("test_it_goes_red") for _, name in NAMED.findall(without)), row
        assert NAMED.search(without), row
    named = set(NAMED.findall(page))
    for file, name in named:
        assert f"def {name}(" in (HERE / file).read_text(encoding="utf-8"), (file, name)
    red = {
        (path.name, name)
        for path in HERE.glob("test_*.py")
        for name in re.findall(r"^def (test_it_goes_red\w*)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert red <= named
