"""Mistake 8: two releases that differ by one person; whoever has both subtracts them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from capital_world import copy_capital, curate, few_guesses
from mistakes.red import goes_red
from mistakes_world import delivered, made, plain_spec

from curator.attacks import _gate, differing
from curator.capital import Capital
from curator.errors import DisclosureError

TOKENS = ("person", "driver_licence", "vehicle_plate")


def coarse(**changes: object) -> dict[str, object]:
    """Large classes, so that one row more or less suppresses nothing."""
    spec = plain_spec(**changes)
    return {**spec, "fields": {name: f for name, f in spec["fields"].items() if name not in ("age_band", "zone")}}


@pytest.fixture(scope="module")
def once(demo_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Capital]:
    """A capital with one delivered package; what is delivered later is compared with it."""
    capital, version = made(tmp_path_factory.mktemp("once") / "capital", demo_base, coarse())
    with few_guesses():
        delivered(capital, [version.ref])
        yield capital


@pytest.fixture
def first(once: Capital, tmp_path: Path) -> Capital:
    return copy_capital(once, tmp_path / "capital")


def written_people(base: Path) -> list[int]:
    persons = parquet.read_table(base / "persons.parquet", columns=["person_id", "role", "sex", "severity"]).to_pylist()
    whole = [
        row for row in persons if row["role"] in (1, 2) and row["sex"] in (1, 2) and row["severity"] in (1, 2, 3, 4)
    ]
    return [row["person_id"] for row in whole]


def without(people: list[int]) -> str:
    return f"role in (1, 2, 3) and not (person_id in ({', '.join(map(str, people))}))"


def one_person_less(first: Capital, demo_base: Path) -> None:
    spec = coarse(version="1.0.1")
    spec["extract"] = {**spec["extract"], "where": without(written_people(demo_base)[200:203])}
    version = curate(first, demo_base, spec=spec)
    lost = sum(first.dataset("road-accidents@1.0.0").manifest.rows.values()) - sum(version.manifest.rows.values())
    assert 0 < lost < 5
    with pytest.raises(DisclosureError) as refused:
        delivered(first, [version.ref])
    assert refused.value.code == "attack-succeeded"
    assert "differencing in rows that only it has" in refused.value.found


def test_one_person_less_is_refused(first: Capital, demo_base: Path) -> None:
    one_person_less(first, demo_base)


def test_it_goes_red_without_the_comparison(first: Capital, demo_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the second package leaves, and a subtraction leaves a few people's rows and nobody else's."""
    monkeypatch.setattr(_gate, "difference_leaks", lambda *arguments, **named: ())
    goes_red(lambda: one_person_less(first, demo_base))
    assert len(list((first.workspace.root / "releases").glob("*.cur"))) == 2
    before, after = (first.dataset(f"road-accidents@{version}") for version in ("1.0.0", "1.0.1"))
    names = [name for name in after.table("train").column_names if name not in TOKENS]
    more = [differing(before.table(split, names), after.table(split, names), columns=names) for split in after.splits]
    assert 0 < sum(gone for gone, _ in more) < 5
    assert sum(new for _, new in more) == 0


def test_the_same_rows_and_many_others_may_leave(first: Capital, demo_base: Path) -> None:
    same = curate(first, demo_base, spec=coarse(version="1.0.1"))
    assert delivered(first, [same.ref]).is_file()
    spec = coarse(version="1.1.0")
    spec["extract"] = {**spec["extract"], "where": without(written_people(demo_base)[:400])}
    fewer = curate(first, demo_base, spec=spec)
    assert delivered(first, [fewer.ref]).is_file()
