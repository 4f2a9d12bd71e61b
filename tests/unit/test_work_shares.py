"""The files that share a Spark are those that ask for it."""

from __future__ import annotations

import re
from pathlib import Path

from work_shares import SPARK

ROOT = Path(__file__).resolve().parents[2]
ASKS = re.compile(r"\bspark: None|\bengine_name: str|getfixturevalue\(\"spark\"\)")


def test_the_files_that_share_a_spark_are_those_that_ask_for_it() -> None:
    asking = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if path != Path(__file__) and ASKS.search(path.read_text(encoding="utf-8"))
    }
    assert asking == set(SPARK)
