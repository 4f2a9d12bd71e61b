"""A dataset that follows its source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from capital_world import empty_capital, write_spec

from curator.capital import Capital, RunOptions
from curator.cli import main
from curator.errors import CuratorError, DisclosureError
from curator.evidence import Stage
from curator.records import DatasetVersion

ROWS = 3_000


def spec(feed: str = "full", **changes: Any) -> dict[str, Any]:
    value: dict[str, Any] = {
        "curator": 1, "name": "visits", "version": "1.0.0", "title": "Visits?",
        "owner": {"organisation": "O", "contact": "o@example.org"}, "purpose": {"statement": "Test."},
        "law": {"regime": "gdpr", "basis": "public-task", "text": "-", "dpia": "-", "ai_act": "minimal",
                "retention_days": 1},
        "sources": {"t": {"path": "visits.parquet", "columns": {
            "visit": "integer", "person": "text", "ward": "text", "cost": "integer"}}},
        "extract": {"from": "t", "row_key": ["visit"], "entity": ["person"]},
        "fields": {
            "person": {"meaning": "Who.", "identifier": "direct", "protect": "token", "form": "raw"},
            "ward": {"meaning": "Ward.", "identifier": "quasi"},
            "cost": {"meaning": "Cost."},
        },
        "quality": {"expectations": [
            {"type": "expect_column_values_to_be_between", "kwargs": {"column": "cost", "min_value": 0}}],
            "max_rejected": 0.5},
        "disclosure": {"k": 5, "suppress": 0.2},
        "splits": {"by": "entity", "shares": {"train": 0.7, "test": 0.3}},
        "refresh": {"feed": feed, **({"watermark": "visit"} if feed == "append" else {})},
    }  # fmt: skip
    return {**value, **changes}


Row = tuple[int, str, str, int]


def rows(start: int = 0, count: int = ROWS) -> list[Row]:
    return [(n, f"person {n * 7919 % 1000}", f"ward {n % 20}", n % 100) for n in range(start, start + count)]


def lay(folder: Path, held: list[Row]) -> None:
    names = ("visit", "person", "ward", "cost")
    columns = dict(zip(names, map(list, zip(*held, strict=True)), strict=True))
    pq.write_table(pa.table(columns), folder / "visits.parquet")


@pytest.fixture
def capital(tmp_path: Path) -> Capital:
    lay(tmp_path, rows())
    return empty_capital(tmp_path / "capital")


def persons(version: DatasetVersion) -> dict[str, set[bytes]]:
    return {split: set(version.table(split).column("person").to_pylist()) for split in version.splits}


def total(version: DatasetVersion) -> int:
    return sum(version.manifest.rows.values())


@pytest.mark.parametrize("feed", ["full", "append"])
def test_nothing_new_makes_no_version(feed: str, capital: Capital, tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec(feed))
    first = capital.refresh(path)
    assert first.version is not None
    assert (first.version.ref, first.previous) == ("visits@1.0.0", None)
    again = capital.refresh(path)
    assert (again.version, again.feed, again.changes and again.changes.facts()) == (
        None, "none", {"added": 0, "changed": 0, "vanished": 0},
    )  # fmt: skip
    lay(tmp_path, rows()[::-1])  # other bytes, the same rows
    again = capital.refresh(path)
    assert (again.version, again.feed) == (None, feed)
    assert capital.datasets() == ("visits@1.0.0",)
    assert capital.verify() == ()


def test_a_full_refresh_tells_what_changed_and_splits_stay(capital: Capital, tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec())
    before = capital.refresh(path).version
    assert before is not None
    kept = rows()[100:]  # the first hundred were erased
    changed = [(n, person, ward, cost + 1 if n % 50 == 0 else cost) for n, person, ward, cost in kept]
    lay(tmp_path, changed + rows(ROWS, 30))
    found = capital.refresh(path)
    assert found.version is not None
    assert found.changes is not None
    assert found.version.ref == "visits@1.0.1"
    assert found.changes.facts() == {
        "added": 30,
        "changed": len([n for n in range(100, ROWS) if n % 50 == 0]),
        "vanished": 100,
    }
    assert total(found.version) == total(before) - 70
    old, new = persons(before), persons(found.version)
    assert not old["train"] & new["test"], "splits stay put"
    assert not old["test"] & new["train"], "splits stay put"
    commit = next(
        envelope.statement for envelope in capital.evidence.about(found.version.digest)
        if envelope.statement.stage is Stage.COMMIT
    )  # fmt: skip
    assert commit.facts["refresh"]["previous"] == {"ref": "visits@1.0.0", "digest": before.digest}
    assert commit.facts["refresh"]["rows"] == found.changes.facts()
    assert before.digest in {artifact.digest for artifact in commit.inputs}
    assert capital.verify() == ()
    assert any("visits@1.0.0" in step.made for step in capital.trace(found.version.ref))


def test_an_appending_refresh_adopts_shards_and_adds_new_ones(capital: Capital, tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec("append"))
    before = capital.refresh(path).version
    assert before is not None
    lay(tmp_path, rows(count=ROWS + 60))
    found = capital.refresh(path)
    assert found.version is not None
    assert found.feed == "append"
    assert found.changes is not None
    assert found.changes.facts() == {"added": 60, "changed": 0, "vanished": 0}
    old = {entry.path: entry for entry in before.manifest.files if entry.split}
    new = {entry.path: entry for entry in found.version.manifest.files if entry.split}
    assert old.items() <= new.items()
    assert all((before.folder / name).samefile(found.version.folder / name) for name in old)
    assert total(found.version) == total(before) + 60

    whole = empty_capital(tmp_path / "whole").curate(write_spec(tmp_path, spec(), name="whole.yaml"))
    assert whole.manifest.about["row_digest"] == found.version.manifest.about["row_digest"], "the rows of a full run"
    assert json.loads((found.version.folder / "disclosure.json").read_text())["rows"] == ROWS + 60
    assert capital.verify() == ()

    lay(tmp_path, rows(count=ROWS + 90))
    third = capital.refresh(path).version
    assert third is not None
    assert (third.ref, total(third)) == ("visits@1.0.2", ROWS + 90)
    assert old.keys() < {entry.path for entry in third.manifest.files}


def test_a_class_too_rare_among_all_rows_is_left_out(capital: Capital, tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec("append"))
    capital.refresh(path)
    new = [(ROWS + n, "somebody", "ward 3" if n else "ward nobody has", 1) for n in range(20)]
    lay(tmp_path, rows() + new)
    found = capital.refresh(path).version
    assert found is not None
    assert total(found) == ROWS + 19, "one row would have been alone in its ward"
    assert json.loads((found.folder / "disclosure.json").read_text())["k"] >= 5


def test_what_an_appending_feed_cannot_decide_is_compared_in_full(capital: Capital, tmp_path: Path) -> None:
    value = spec("append")
    value["sources"]["t"]["columns"]["seen"] = "timestamp"
    value["refresh"]["watermark"] = "seen"
    path = write_spec(tmp_path, value)

    def with_times(held: list[Row], late: set[int]) -> None:
        lay(tmp_path, held)
        table = pq.read_table(tmp_path / "visits.parquet")
        times = [1_700_000_000_000_000 + n * 60_000_000 + (10**12 if n in late else 0) for n, *_ in held]
        table = table.append_column("seen", pa.array(times, pa.timestamp("us")))
        pq.write_table(table, tmp_path / "visits.parquet")

    with_times(rows(), set())
    first = capital.refresh(path)
    assert first.version is not None
    with_times(rows(count=ROWS + 10), set())
    grown = capital.refresh(path)
    assert (grown.feed, grown.changes and grown.changes.added) == ("append", 10)
    held = [(n, p, w, cost + 1 if n == 5 else cost) for n, p, w, cost in rows(count=ROWS + 10)]
    with_times(held, {5})
    found = capital.refresh(path)
    assert found.feed == "full"
    assert found.changes is not None
    assert found.changes.facts() == {"added": 0, "changed": 1, "vanished": 0}


def test_vanished_rows_leave_when_all_are_compared(capital: Capital, tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec("append"))
    capital.refresh(path)
    lay(tmp_path, rows()[:-200])
    assert capital.refresh(path).version is None, "an appending feed looks at what came"
    found = capital.refresh(path, full=True)
    assert found.version is not None
    assert found.changes is not None
    assert found.changes.facts() == {"added": 0, "changed": 0, "vanished": 200}
    assert total(found.version) == ROWS - 200


def test_a_changed_spec_is_a_change(capital: Capital, tmp_path: Path) -> None:
    capital.refresh(write_spec(tmp_path, spec("append")))
    found = capital.refresh(write_spec(tmp_path, spec("append", title="Visits again?")))
    assert found.version is not None
    assert found.feed == "full"
    assert found.version.manifest.about["refresh"]["line"] == "visits@1.0.0"


def test_tokens_for_another_recipient_are_never_added_to_these(capital: Capital, tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec("append"))
    before = capital.refresh(path).version
    lay(tmp_path, rows(count=ROWS + 10))
    found = capital.refresh(path, RunOptions(recipient="another"))
    assert before is not None
    assert found.version is not None
    assert (found.feed, found.changes) == ("full", None)
    assert not persons(before)["train"] & persons(found.version)["train"]


def test_limits_that_cannot_be_kept_refuse_the_refresh(capital: Capital, tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec("append", disclosure={"k": 5, "suppress": 0}))
    capital.refresh(path)
    lay(tmp_path, [*rows(), (ROWS, "a", "alone", 1)])
    with pytest.raises(DisclosureError):
        capital.refresh(path)
    assert capital.datasets() == ("visits@1.0.0",)


def test_a_watermark_is_never_published(capital: Capital, tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec("append"))
    capital.refresh(path)
    lay(tmp_path, [*rows(), (987_654_321, "a", "ward 1", 1)])
    capital.refresh(path)
    lay(tmp_path, [*rows(), (987_654_321, "a", "ward 1", 1), (987_654_399, "b", "ward 1", 1)])
    assert capital.refresh(path).version is not None
    private = capital.workspace.private
    for file in capital.workspace.root.rglob("*"):
        if file.is_file() and private not in file.parents:
            assert b"987654321" not in file.read_bytes()
    assert all(file.stat().st_mode & 0o077 == 0 for file in (private / "holder" / "rows").iterdir())


def test_motor_policies_of_two_years(shared_data: Path, tmp_path: Path) -> None:
    pyreadr = pytest.importorskip("pyreadr")
    folder = shared_data / "motor-fr-pg17"
    names = {"year0": "pg17trainpol", "year1": "pg17testyear1"}
    for year, name in names.items():
        file = next(path for path in folder.iterdir() if path.name.startswith(name))
        frame = next(iter(pyreadr.read_r(str(file)).values()))
        columns = {column: [str(cell) for cell in frame[column]] for column in ("id_policy", "id_client", "vh_age")}
        columns |= {column: [int(cell) for cell in frame[column]] for column in ("vh_din", "drv_age1")}
        pq.write_table(pa.table(columns), tmp_path / f"{year}.parquet")
    value = spec()
    value["sources"] = {
        "t": {
            "path": "year0.parquet",
            "columns": {
                "id_policy": "text",
                "id_client": "text",
                "vh_age": "text",
                "vh_din": "integer",
                "drv_age1": "integer",
            },
        }
    }
    value["extract"] = {"from": "t", "row_key": ["id_policy"], "entity": ["id_client"]}
    value["fields"] = {
        "client": {"from": "id_client", "meaning": "Who.", "identifier": "direct", "protect": "token", "form": "raw"},
        "age": {"value": "band(drv_age1, 10)", "meaning": "Age.", "identifier": "quasi", "protect": "generalise"},
        "power": {"from": "vh_din", "meaning": "Power."},
    }  # fmt: skip
    value["quality"] = {}
    path = write_spec(tmp_path, value)
    capital = empty_capital(tmp_path / "capital")
    before = capital.refresh(path).version
    found = capital.refresh(path, RunOptions(sources={"t": tmp_path / "year1.parquet"}))
    assert before is not None
    assert found.version is not None
    assert found.changes is not None
    assert found.changes.added == found.changes.vanished == 0
    assert found.changes.changed > 1_000
    old = {split: set(before.table(split).column("client").to_pylist()) for split in before.splits}
    new = {split: set(found.version.table(split).column("client").to_pylist()) for split in found.version.splits}
    assert len(old["train"] & new["train"]) > 50_000
    assert not old["train"] & new["test"], "every entity keeps its split"
    assert not old["test"] & new["train"], "every entity keeps its split"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ({"feed": "append"}, "the column that grows"),
        ({"feed": "append", "watermark": "absent"}, "a column of the base source"),
        ({"feed": "append", "watermark": "ward"}, "a number, a date or a moment"),
        ({"feed": "full", "watermark": "visit"}, "no watermark"),
    ],
)
def test_a_spec_that_cannot_be_followed(words: dict[str, str], hint: str, capital: Capital, tmp_path: Path) -> None:
    with pytest.raises(CuratorError) as caught:
        capital.refresh(write_spec(tmp_path, spec(refresh=words)))
    assert hint in str(caught.value)


def test_the_command(capital: Capital, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, spec("append"))
    words = ["--capital", str(capital.workspace.root), "refresh", str(path)]
    assert main(words) == 0
    lay(tmp_path, rows(count=ROWS + 5))
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["changed"], told["version"]["ref"], told["rows"]["added"]) == (True, "visits@1.0.1", 5)
    assert main(words) == 0
    assert "nothing changed" in capsys.readouterr().out
