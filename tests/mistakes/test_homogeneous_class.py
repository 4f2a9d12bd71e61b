"""Mistake 7: a class of five people who all have the same secret: k = 5, l = 1, and the secret is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mistakes.red import goes_red
from mistakes_world import made, plain_spec, rewritten, with_column

from curator import versioning
from curator.anonymity import ClassCounter
from curator.capital import Capital
from curator.errors import DisclosureError


@pytest.fixture
def alike(demo_base: Path, tmp_path: Path) -> Path:
    """All women hurt badly, all men unhurt."""

    def persons(table):  # type: ignore[no-untyped-def]
        sexes = table.column("sex").to_pylist()
        return with_column(table, "severity", [2 if sex == 2 else 1 for sex in sexes])

    return rewritten(demo_base, tmp_path / "alike", persons=persons)


def coarse(**disclosure: object) -> dict[str, object]:
    """Quasi-identifiers whose classes are large, so that only diversity can fail."""
    spec = plain_spec(disclosure={"k": 5, "suppress": 0.2, **disclosure})
    fields = {name: field for name, field in spec["fields"].items() if name not in ("age_band", "zone")}
    return {**spec, "fields": fields}


def refused_outright(folder: Path, alike: Path) -> None:
    with pytest.raises(DisclosureError) as refused:
        made(folder / "capital", alike, coarse(l={"column": "severe", "value": 2}))
    assert refused.value.code == "too-rare"
    assert "l >= 2" in refused.value.asked


def test_it_is_refused(alike: Path, tmp_path: Path) -> None:
    refused_outright(tmp_path, alike)


def test_it_goes_red_when_diversity_is_not_counted(
    alike: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the version stands, and whoever is placed in a class is told: the sex alone gives the injury."""
    failing = ClassCounter.failing
    monkeypatch.setattr(
        ClassCounter, "failing", lambda self, limits, **named: failing(self, replace(limits, l=None), **named)
    )
    goes_red(lambda: refused_outright(tmp_path, alike), refused=())
    monkeypatch.setattr(versioning, "require", lambda *arguments: None)
    capital, version = made(tmp_path / "blind", alike, coarse(l={"column": "severe", "value": 2}))
    rows = version.table("train", ["sex", "severe"]).to_pylist()
    assert len({(row["sex"], row["severe"]) for row in rows}) == len({row["sex"] for row in rows})
    assert Capital.open(capital.workspace.root).datasets() == (version.ref,)


def test_and_told_where_no_limit_was_declared(alike: Path, tmp_path: Path) -> None:
    capital, version = made(tmp_path / "capital", alike, coarse())
    measures = capital.risk(version.ref).report.measures
    assert measures is not None
    assert measures.k >= 5
    spread = measures.diversity[0]
    assert (spread.field, spread.l, spread.told) == ("severe", 1, measures.rows)
