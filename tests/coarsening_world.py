"""A register of visits by people of whom some come often, and what is said of a version made of it."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

PEOPLE, ROWS = 600, 1_500
JOBS = ["clerk"] * 5 + ["baker"] * 3 + ["mason"] * 2


def spec(**disclosure: Any) -> dict[str, Any]:
    """A register of visits: some people come often."""
    search = {"fields": {"age": {"bands": [5, 10, 20]}, "town": {"prefix": [2, 1]}, "job": {"file": "jobs.csv"}}}
    return {
        "curator": 1, "name": "visits", "version": "1.0.0", "title": "Visits?",
        "owner": {"organisation": "O", "contact": "o@example.org"}, "purpose": {"statement": "Test."},
        "law": {"regime": "gdpr", "basis": "public-task", "text": "-", "dpia": "-", "ai_act": "minimal",
                "retention_days": 1},
        "sources": {"t": {"path": "visits.parquet", "columns": {
            "visit": "integer", "person": "text", "age": "integer", "town": "text", "job": "text", "late": "text"}}},
        "extract": {"from": "t", "row_key": ["visit"], "entity": ["person"]},
        "fields": {
            "person": {"meaning": "Who.", "identifier": "direct", "protect": "token", "form": "raw"},
            "age": {"meaning": "Age.", "identifier": "quasi"},
            "town": {"meaning": "Town.", "identifier": "quasi"},
            "job": {"meaning": "Occupation.", "identifier": "quasi"},
            "late": {"meaning": "Late.", "identifier": "sensitive"},
        },
        "disclosure": {"k": 5, "suppress": 0.05, "search": search, **disclosure},
        "splits": {"by": "entity", "shares": {"train": 0.7, "test": 0.3}},
    }  # fmt: skip


def lay(folder: Path, *, rows: int = ROWS, jobs: list[str] | None = None) -> None:
    """Person p visits with the age, town and job of p; every third visit is one of the first fifty people."""
    names, pool = ("visit", "person", "age", "town", "job", "late"), jobs or JOBS
    held = []
    for n in range(rows):
        p = n * 7919 % 50 if n % 3 == 0 else n * 104_729 % PEOPLE
        town = f"{p * 13 % 30:02d}{p % 10}"
        held.append((n, f"person {p}", 18 + p * 31 % 60, town, pool[p % len(pool)], "ny"[n % 2]))
    columns = dict(zip(names, map(list, zip(*held, strict=True)), strict=True))
    pq.write_table(pa.table(columns), folder / "visits.parquet")
    lines = "clerk;office\nteacher;office\nbaker;trade\nmason;trade\n"
    (folder / "jobs.csv").write_text(lines, encoding="utf-8")


def told(version: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((version.folder / "disclosure.json").read_text(encoding="utf-8"))
    return found


def people_by_class(version: Any, quasi: tuple[str, ...] = ("age", "town", "job")) -> dict[Any, set[bytes]]:
    """Counted in plain Python on the files."""
    found: dict[Any, set[bytes]] = defaultdict(set)
    for path in sorted(version.folder.rglob("*.parquet")):
        for row in pq.ParquetFile(path).read().to_pylist():
            found[tuple(row[name] for name in quasi)].add(row["person"])
    return found
