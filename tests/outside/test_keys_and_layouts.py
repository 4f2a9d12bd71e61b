"""Entities of several columns, and layouts of dates that could not be what was meant."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from outside_world import TOKEN, curated, spec_of

from curator.errors import DisclosureError, SpecError


def test_no_entity_of_two_columns_crosses_splits_also_where_one_is_unknown(tmp_path: Path) -> None:
    rows = [f"{place},F{place % 40},{'' if place % 3 else f'G{place % 2}'}" for place in range(1_200)]
    (tmp_path / "table.csv").write_text("\n".join(["id,who,given", *rows]) + "\n")
    spec = spec_of({"given": "text"}, extract={"entity": ["who", "given"]})
    spec["fields"] = {"who": TOKEN, "given": TOKEN}
    splits = defaultdict(set)
    for row in curated(tmp_path, spec).to_pylist():
        splits[row["who"], row["given"]].add(row["split"])
    assert sum(given is None for _, given in splits) == 40
    assert {len(found) for found in splits.values()} == {1}


def test_rows_about_nobody_known_are_not_one_entity(tmp_path: Path) -> None:
    rows = [f"{place},," for place in range(200)]
    (tmp_path / "table.csv").write_text("\n".join(["id,who,given", *rows]) + "\n")
    spec = spec_of({"given": "text"}, extract={"entity": ["who", "given"]})
    spec["fields"] = {"who": TOKEN, "given": TOKEN}
    assert set(curated(tmp_path, spec)["split"].to_pylist()) == {"train", "test"}


@pytest.mark.parametrize(
    ("layout", "found"),
    [
        ("%Q nonsense", "`%Q`"),
        ("%d/%m/%Y %", "`%`"),
        ("%-Y-%e", "`%-Y`, `%e`"),
        ("%d/%m", "a layout without a year"),
        ("%%Y", "a layout without a year"),
    ],
)
def test_a_layout_that_no_engine_reads_is_a_fault_of_the_spec(tmp_path: Path, layout: str, found: str) -> None:
    with pytest.raises(SpecError) as caught:
        curated(tmp_path, spec_of({"x": {"type": "date", "format": layout}}))
    assert [fault.found for fault in caught.value.faults] == [found]


def test_a_limit_that_no_row_reaches_is_not_a_matter_of_suppression(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("\n".join(["id,who,age", *(f"{i},p{i},{i % 9}" for i in range(90))]) + "\n")
    spec = spec_of({"age": "integer"}, disclosure={"k": 11, "suppress": 1.0})
    spec["fields"]["age"] = {"meaning": "An age.", "identifier": "quasi"}
    with pytest.raises(DisclosureError) as caught:
        curated(tmp_path, spec)
    assert caught.value.found == "90 of 90 rows (100.00%) in 9 classes below the limits"
    assert caught.value.expected == "a row that is left once those below the limits are suppressed"
