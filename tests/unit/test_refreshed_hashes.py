"""A source that begins to send hashes: the rows that came are those that are tried, however few they are."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from capital_world import empty_capital, write_spec
from refresh_world import Row, lay, lay_feed, spec

from curator.errors import DisclosureError

ROWS: list[Row] = [(n, f"person {n % 600}", "ward", n % 9) for n in range(4_000)]
FIELDS: dict[str, Any] = {
    "person": {"meaning": "Who.", "identifier": "direct", "protect": "token", "form": "raw"},
    "ward": {"meaning": "Ward.", "identifier": "none", "because": "A place."},
    "cost": {"meaning": "Cost."},
}


def hashed(way: str, number: int) -> Row:
    person = f"somebody {number}"
    told = {"alone": person, "salted": f"visits{person}", "in capitals": person.upper()}[way]
    return 4_000 + number, person, hashlib.sha256(told.encode()).hexdigest(), 1


@pytest.mark.parametrize("way", ["alone", "salted", "in capitals"])
@pytest.mark.parametrize("feed", ["full", "append", "changes"])
def test_a_hash_that_only_new_rows_have_is_found(feed: str, way: str, tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec(feed, fields=FIELDS, disclosure={"k": 1}))
    lay(tmp_path, ROWS)
    lay_feed(tmp_path, [])
    capital = empty_capital(tmp_path / "capital")
    capital.refresh(path)
    came = [hashed(way, number) for number in range(20)]
    lay(tmp_path, [*ROWS, *came])
    lay_feed(tmp_path, [("I", place, row) for place, row in enumerate(came, start=1)])
    with pytest.raises(DisclosureError) as refused:
        capital.refresh(path)
    assert refused.value.code == "plain-hash"
    assert "in ward" in refused.value.found
    assert capital.datasets() == ("visits@1.0.0",)
