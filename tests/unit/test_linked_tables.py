"""Tables of one purpose are drawn, split and made joinable together; those of other purposes share nothing."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from capital_world import empty_capital, write_spec

from curator.capital import Capital

CRASHES, PEOPLE = 400, 900


def spec(name: str, *, purpose: str | None, **parts: Any) -> dict[str, Any]:
    """A use case over one of two tables."""
    return {
        "curator": 1, "name": name, "version": "1.0.0", "title": "Linked",
        "owner": {"organisation": "O", "contact": "o@example.org"},
        "purpose": {"statement": "Know crashes.", **({"name": purpose} if purpose else {})},
        "law": {"regime": "gdpr", "basis": "public-task", "text": "-", "dpia": "-", "ai_act": "minimal",
                "retention_days": 1},
        "splits": {"by": "entity", "shares": {"train": 0.6, "test": 0.4}},
        "disclosure": {"k": 1}, **parts,
    }  # fmt: skip


def specs(purpose: str | None) -> list[dict[str, Any]]:
    """Crashes, and the people in them: drawn and split by the crash."""
    key = {"meaning": "Crash.", "identifier": "direct", "protect": "token", "form": "raw", "domain": "crash"}
    moved = {"meaning": "Day.", "identifier": "none", "because": "-", "protect": "shift", "days": 9, "by": ["crash"]}
    crashes = spec(
        "crashes", purpose=purpose, fields={"crash": key, "day": moved},
        sources={"c": {"path": "crashes.csv", "columns": {"crash": "text", "day": "date"}}},
        extract={"from": "c", "row_key": ["crash"], "entity": ["crash"], "sample": {"by": ["crash"], "fraction": 0.5}},
    )  # fmt: skip
    people = spec(
        "people", purpose=purpose, fields={"crash": {**key, "from": "crash_no"}, "seat": {"meaning": "Seat."}},
        sources={"p": {"path": "people.csv", "columns": {"id": "integer", "crash_no": "text", "seat": "text"}}},
        extract={"from": "p", "row_key": ["id"], "entity": ["crash_no"],
                 "sample": {"by": ["crash_no"], "fraction": 0.5}},
    )  # fmt: skip
    return [crashes, people]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    first = datetime.date(2026, 1, 1)
    days = [f"A{n},{first + datetime.timedelta(days=n % 90)}" for n in range(CRASHES)]
    (tmp_path / "crashes.csv").write_text("crash,day\n" + "\n".join(days) + "\n")
    rows = [f"{n},A{n * 7 % CRASHES},{'MF'[n % 2]}" for n in range(PEOPLE)]
    (tmp_path / "people.csv").write_text("id,crash_no,seat\n" + "\n".join(rows) + "\n")
    return tmp_path


def curated(capital: Capital, folder: Path, purpose: str | None) -> list[dict[str, set[bytes]]]:
    """The tokens of crashes in each split, of both tables."""
    found = []
    for one in specs(purpose):
        version = capital.curate(write_spec(folder, one))
        found.append({split: set(version.table(split, ["crash"])["crash"].to_pylist()) for split in version.splits})
    return found


def test_tables_of_one_purpose_hold_the_same_crashes_in_the_same_splits(tables: Path) -> None:
    crashes, people = curated(empty_capital(tables / "capital"), tables, "crash-research")
    for split in ("train", "test"):
        assert people[split]
        assert people[split] <= crashes[split], "every crash of a person was brought along, into the same split"
    drawn = len(crashes["train"] | crashes["test"])
    assert 150 < drawn < 250
    assert len(people["train"] | people["test"]) == drawn, "each crash has people here"


def test_tables_of_two_purposes_share_no_token(tables: Path) -> None:
    crashes, people = curated(empty_capital(tables / "capital"), tables, None)
    assert not (crashes["train"] | crashes["test"]) & (people["train"] | people["test"])
