"""A dataset that follows its source has the rows of a run over the whole source, whatever happened to it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from capital_world import empty_capital, write_spec
from refresh_world import Row, lay, lay_feed, spec

from curator.capital import Capital, Refreshed
from curator.edges.parquet import _ranges
from curator.errors import CuratorError
from curator.records import DatasetVersion

WARDS = 9
LIMITS: dict[str, dict[str, Any]] = {
    "rows": {"k": 3, "count": "rows", "suppress": 0.9},
    "people": {"k": 3, "suppress": 0.9},
    "diverse people": {"k": 2, "l": {"column": "cost", "value": 3}, "suppress": 0.9},
    "close people": {"k": 2, "t": {"column": "cost", "value": 0.45}, "suppress": 0.9},
}


def drawn(draw: random.Random, number: int) -> Row:
    """A visit of somebody, or of nobody known, to some ward."""
    person, ward = draw.randrange(25), draw.randrange(WARDS)
    return number, f"person {person}" if person else None, f"ward {ward}" if ward else None, draw.randrange(6)


def a_day(draw: random.Random, held: dict[int, Row]) -> dict[int, Row]:
    """What stands at the end of a day: some rows came, changed or left; now and then a whole ward closed."""
    after, fresh = dict(held), max(held, default=0) + 1
    for number in draw.sample(sorted(held), min(len(held), draw.randrange(8))):
        after[number] = drawn(draw, number)
    for number in draw.sample(sorted(held), min(len(held), draw.randrange(12))):
        after.pop(number, None)
    if draw.random() < 0.3:
        after = {number: row for number, row in after.items() if row[2] != "ward 3"}
    return after | {fresh + place: drawn(draw, fresh + place) for place in range(draw.randrange(1, 12))}


def told(before: dict[int, Row], after: dict[int, Row], *, at: int) -> list[tuple[str, int, Row]]:
    """The changes of a day as a feed tells them: some twice, since a row may change and then leave."""
    changes: list[tuple[str, int, Row]] = []
    for number in sorted({**before, **after}):
        if before.get(number) == after.get(number):
            continue
        if number % 3 == 0:
            changes.append(("U", at + len(changes), (number, "person 1", "ward 1", 1)))
        last = ("D", before[number]) if number not in after else ("I" if number not in before else "U", after[number])
        changes.append((last[0], at + len(changes), last[1]))
    return changes


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("feed", ["full", "changes"])
@pytest.mark.parametrize("limits", LIMITS)
def test_following_gives_the_rows_of_a_whole_run(
    limits: str, feed: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_ranges, "ROWS_PER_SHARD", 20)
    draw = random.Random(seed)
    path = write_spec(tmp_path, spec(feed, disclosure=LIMITS[limits]))
    held = {number: drawn(draw, number) for number in range(draw.randrange(60, 120))}
    seen: list[tuple[str, int, Row]] = []
    lay(tmp_path, [*held.values()])
    lay_feed(tmp_path, seen)
    capital = empty_capital(tmp_path / "capital")
    made(capital, path)
    feeds: set[str] = set()
    for _ in range(4):
        after = a_day(draw, held)
        seen += told(held, after, at=len(seen))
        held = after
        lay(tmp_path, [*held.values()])
        lay_feed(tmp_path, seen)
        found = made(capital, path)
        feeds |= {found.feed} if found else set()
    assert feed in feeds
    whole = made(empty_capital(tmp_path / "whole"), path)
    assert whole is not None
    assert whole.version is not None
    same(capital.dataset("visits"), whole.version)
    assert capital.verify() == ()


def made(capital: Capital, path: Path) -> Refreshed | None:
    """What a refresh did; None when the limits cannot be kept."""
    try:
        return capital.refresh(path)
    except CuratorError as refused:
        if refused.code not in ("too-rare", "no-rows"):
            raise
        return None


def same(version: DatasetVersion, whole: DatasetVersion) -> None:
    """The same rows in the same splits, as alike, and every file what its manifest says."""
    assert version.manifest.about["row_digest"] == whole.manifest.about["row_digest"]
    assert version.manifest.rows == whole.manifest.rows
    found, wanted = (json.loads((one.folder / "disclosure.json").read_text()) for one in (version, whole))
    assert found == wanted
    assert version.manifest.differences(version.folder) == []
