"""A dataset that follows its source comes out the same whichever engine reads it, day after day."""

from __future__ import annotations

from pathlib import Path

import pytest
from capital_world import empty_capital, write_spec
from live_world import shards
from refresh_world import Row, lay, lay_feed, spec

from curator.capital import Capital, RunOptions

ROWS = 400


def rows() -> list[Row]:
    return [(n, f"person {n % 90}", f"ward {n % 3}", n % 50) for n in range(ROWS)]


@pytest.mark.parametrize("feed", ["append", "changes"])
def test_both_engines_follow_alike(feed: str, tmp_path: Path, spark: None) -> None:
    changed, gone, new = (7, "person 7", "ward 2", 49), rows()[11], (ROWS, "new", "ward 1", 3)
    moved = (8, "somebody else", "ward 0", 3)
    days = {
        "append": ([*rows(), new], []),
        "changes": (
            [changed, moved, new, *(row for row in rows() if row[0] not in (7, 8, 11))],
            [("U", 1, moved), ("u", 2, changed), ("D", 3, gone), ("I", 4, new), ("D", 5, new), ("insert", 6, new)],
        ),
    }
    path = write_spec(tmp_path, spec(feed))
    capitals: dict[str, Capital] = {name: empty_capital(tmp_path / name) for name in ("duckdb", "spark")}
    lay(tmp_path, rows())
    lay_feed(tmp_path, [])
    for name, capital in capitals.items():
        capital.refresh(path, RunOptions(engine=name))
    after, told = days[feed]
    lay(tmp_path, after)
    lay_feed(tmp_path, told)
    found = {name: capital.refresh(path, RunOptions(engine=name)) for name, capital in capitals.items()}
    assert found["spark"].feed == found["duckdb"].feed == feed
    facts = [one.changes.facts() for one in found.values() if one.changes is not None]
    assert (
        facts[0]
        == facts[1]
        == dict(zip(("added", "changed", "vanished"), (1, 0, 0) if feed == "append" else (1, 2, 1), strict=True))
    )
    versions = [one.version for one in found.values() if one.version is not None]
    assert len(versions) == 2
    assert shards(versions[0]) == shards(versions[1])
    assert versions[0].manifest.about["row_digest"] == versions[1].manifest.about["row_digest"]
    whole = empty_capital(tmp_path / "whole").curate(write_spec(tmp_path, spec(), name="whole.yaml"))
    assert versions[0].manifest.about["row_digest"] == whole.manifest.about["row_digest"]
    assert all(capital.verify() == () for capital in capitals.values())
