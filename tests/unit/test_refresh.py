"""A dataset that follows its source."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from capital_world import empty_capital, write_spec
from refresh_world import Row, lay, lay_feed, spec

from curator.capital import Capital, Refreshed, RunOptions, _refresh
from curator.cli import main
from curator.disclosure import measure
from curator.edges.parquet import _ranges
from curator.engines import open_engine
from curator.errors import CuratorError, DisclosureError, QualityError
from curator.evidence import Stage
from curator.records import DatasetVersion

ROWS = 3_000


def rows(start: int = 0, count: int = ROWS) -> list[Row]:
    return [(n, f"person {n * 7919 % 1000}", f"ward {n % 20}", n % 100) for n in range(start, start + count)]


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


@pytest.mark.parametrize("feed", ["append", "changes", "full"])
def test_a_new_row_that_cannot_be_read_is_told(
    feed: str, capital: Capital, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_spec(tmp_path, spec(feed))
    words = ["--capital", str(capital.workspace.root), "refresh", str(path)]
    lay_feed(tmp_path, [])
    assert main(words) == 0
    bad = (ROWS, "person 1", "ward 1", -1)
    lay(tmp_path, [*rows(), bad])
    lay_feed(tmp_path, [("I", 1, bad)])
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["changed"], list(told["rejected"].values())) == (False, [1])
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "nothing changed" in said
    assert "of the rows read: 1 " in said


# ---- only the difference is written


Change = tuple[str, int, Row]


def shards(version: DatasetVersion) -> dict[str, Path]:
    return {entry.path: version.folder / entry.path for entry in version.manifest.files if entry.split}


def followed(tmp_path: Path, feed: str, after: list[Row], changes: list[Change]) -> tuple[Refreshed, DatasetVersion]:
    """What a refresh makes of a source that was changed, and the version before it."""
    path = write_spec(tmp_path, spec(feed))
    capital = empty_capital(tmp_path / "followed")
    lay(tmp_path, rows())
    lay_feed(tmp_path, [])
    before = capital.refresh(path).version
    assert before is not None
    lay(tmp_path, after)
    lay_feed(tmp_path, changes)
    found = capital.refresh(path)
    assert capital.verify() == ()
    return found, before


def without(*numbers: int) -> list[Row]:
    return [row for row in rows() if row[0] not in numbers]


def instead(*new: Row) -> list[Row]:
    told = {row[0]: row for row in new}
    return [told.get(row[0], row) for row in rows()]


MOVED = (7, "somebody else", "ward 3", 1)
DEARER = (7, rows()[7][1], rows()[7][2], 99)
NEWCOMER = (ROWS, "new", "ward 3", 1)
BAD = (7, "person 7", "ward 3", -1)
DAYS: dict[str, tuple[list[Row], list[Change], tuple[int, int, int], int]] = {
    "a row came": ([*rows(), NEWCOMER], [("I", 1, NEWCOMER)], (1, 0, 0), 0),
    "a row changed": (instead(DEARER), [("U", 1, DEARER)], (0, 1, 0), 1),
    "a row is of somebody else": (instead(MOVED), [("u", 1, MOVED)], (0, 1, 0), 1),
    "a row left": (without(7), [("D", 1, rows()[7])], (0, 0, 1), 1),
    "a row changed and left": (without(7), [("delete", 2, MOVED), ("update", 1, MOVED)], (0, 0, 1), 1),
    "a row left and came again": (rows(), [("D", 1, rows()[7]), ("I", 2, rows()[7])], (0, 0, 0), 0),
    "a row came and left": (rows(), [("I", 1, NEWCOMER), ("D", 2, NEWCOMER)], (0, 0, 0), 0),
    "a row became bad": (instead(BAD), [("U", 1, BAD)], (0, 0, 1), 1),
    "all of these": (
        [*without(3, 5)[1:], NEWCOMER],
        [("D", 1, rows()[0]), ("D", 2, rows()[3]), ("D", 3, rows()[5]), ("I", 4, NEWCOMER)],
        (1, 0, 3), 3,
    ),
}  # fmt: skip


@pytest.mark.parametrize("feed", ["full", "changes"])
@pytest.mark.parametrize("day", DAYS)
def test_only_shards_that_held_a_touched_row_are_written_again(
    day: str, feed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_ranges, "ROWS_PER_SHARD", 200)
    after, changes, counts, touched = DAYS[day]
    found, before = followed(tmp_path, feed, after, changes)
    assert found.changes is not None
    assert tuple(found.changes.facts().values()) == counts
    assert [sum(split[name] for split in found.changes.splits.values()) for name in found.changes.facts()] == [*counts]
    whole = empty_capital(tmp_path / "whole").curate(write_spec(tmp_path, spec(), name="whole.yaml"))
    if not any(counts):
        assert found.version is None
        assert whole.manifest.about["row_digest"] == before.manifest.about["row_digest"]
        return
    assert found.version is not None
    assert found.version.manifest.about["row_digest"] == whole.manifest.about["row_digest"]
    assert found.version.manifest.rows == whole.manifest.rows
    old, new = shards(before), shards(found.version)
    kept = [path for path in old if path in new and old[path].samefile(new[path])]
    assert found.shards["kept"] == len(kept)
    assert found.shards["rewritten"] + found.shards["gone"] == len(old) - len(kept) <= touched
    assert found.shards["kept"] > 10
    assert found.feed == ("changes" if feed == "changes" and day != "a row became bad" else "full")


def test_rows_that_were_erased_are_in_no_file_of_the_version(tmp_path: Path) -> None:
    gone = {row[1] for row in rows() if row[0] % 1000 == 1}
    after = [row for row in rows() if row[1] not in gone]
    changes = [("D", at, row) for at, row in enumerate(rows()) if row[1] in gone]
    found, before = followed(tmp_path, "changes", after, changes)
    assert found.version is not None
    tokens = persons(before)["train"] | persons(before)["test"]
    stay = persons(found.version)["train"] | persons(found.version)["test"]
    assert len(tokens - stay) == len(gone)
    held = b"".join(file.read_bytes() for file in found.version.folder.rglob("*") if file.is_file())
    assert not [token for token in tokens - stay if token in held]


@pytest.mark.parametrize("feed", ["full", "append", "changes"])
def test_rows_left_out_come_in_once_their_class_has_people_enough(feed: str, tmp_path: Path) -> None:
    few = [(ROWS + n, f"new {n}", "ward z", 1) for n in range(8)]
    path = write_spec(tmp_path, spec(feed))
    capital = empty_capital(tmp_path / "followed")
    sizes, seen = [], []
    for count in (3, 4, 8):
        seen = [("I", n, row) for n, row in enumerate(few[:count])]
        lay(tmp_path, [*rows(), *few[:count]])
        lay_feed(tmp_path, seen)
        capital.refresh(path)
        sizes.append(total(capital.dataset("visits")) - ROWS)
    assert sizes == [0, 0, 8], "k is 5 people"
    if feed == "append":
        return
    lay(tmp_path, [*rows(), *few[:3]])
    lay_feed(tmp_path, [*seen, *(("D", 8 + n, row) for n, row in enumerate(few[3:]))])
    found = capital.refresh(path)
    assert found.version is not None
    assert total(found.version) == ROWS, "three people are too few again"
    assert capital.verify() == ()


@pytest.mark.parametrize("count", ["rows", "persons"])
@pytest.mark.parametrize("limit", [{}, {"l": {"column": "cost", "value": 3}}, {"t": {"column": "cost", "value": 0.6}}])
def test_limits_from_the_book_are_those_measured_on_the_files(
    limit: dict[str, Any], count: str, tmp_path: Path
) -> None:
    draw = random.Random(3)
    held: list[Row] = []
    for n in range(1_500):
        person, ward = f"p {draw.randrange(300)}", f"ward {draw.randrange(12)}"
        held.append((n, person if n % 50 else None, ward if n % 70 else None, draw.randrange(9)))
    path = write_spec(tmp_path, spec("append", disclosure={"k": 3, "count": count, "suppress": 0.5, **limit}))
    capital = empty_capital(tmp_path / "followed")
    for rows_now in (900, 1_000, 1_200, 1_500):
        lay(tmp_path, held[:rows_now])
        found = capital.refresh(path)
        assert found.version is not None
        assert found.feed == ("full" if rows_now == 900 else "append")
        told = json.loads((found.version.folder / "disclosure.json").read_text())
        engine = open_engine("duckdb", scratch=tmp_path)
        files = [*shards(found.version).values()]
        measured = measure(engine, capital.use_case(found.version), files=files, suppressed=told["suppressed"])
        engine.close()
        assert measured is not None
        assert {name: told[name] for name in measured.facts()} == measured.facts()
        assert len(list((capital.workspace.private / "holder" / "rows").glob("*.pairs.npy"))) >= 1
    whole = empty_capital(tmp_path / "whole").curate(path)
    assert json.loads((whole.folder / "disclosure.json").read_text()) == told


@pytest.mark.parametrize(
    ("ending", "damage"),
    [
        (".npy", "cut"),
        (".places.npy", "absent"),
        (".json", "cut"),
        (".held.arrow.sealed", "cut"),
        (".held.arrow.sealed", "absent"),
        (".people.npy", "cut"),
        (".classes.arrow.sealed", "absent"),
    ],
)
def test_notes_that_were_damaged_cost_a_whole_run_and_nothing_else(ending: str, damage: str, tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec("append"))
    capital = empty_capital(tmp_path / "followed")
    alone = [(ROWS + n, f"new {n}", "ward z", 1) for n in range(6)]
    lay(tmp_path, [*rows(), *alone[:3]])
    capital.refresh(path)
    note = capital.workspace.private / "holder" / "rows" / f"visits@1.0.0{ending}"
    note.write_bytes(note.read_bytes()[:-9]) if damage == "cut" else note.unlink()
    lay(tmp_path, [*rows(), *alone])
    assert capital.refresh(path).version is not None
    whole = empty_capital(tmp_path / "whole").curate(path)
    assert capital.dataset("visits").manifest.about["row_digest"] == whole.manifest.about["row_digest"]
    assert capital.verify() == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([("?", 1, NEWCOMER)], "refresh-operation"),
        ([("I", 1, NEWCOMER), ("D", 1, NEWCOMER)], "refresh-order"),
    ],
)
def test_a_feed_that_cannot_be_followed_is_refused(changes: list[Change], code: str, tmp_path: Path) -> None:
    with pytest.raises(QualityError) as caught:
        followed(tmp_path, "changes", rows(), changes)
    assert caught.value.code == code


def test_a_feed_is_read_beyond_its_watermark(tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec("changes"))
    capital = empty_capital(tmp_path / "followed")
    lay(tmp_path, [*rows(), NEWCOMER])
    lay_feed(tmp_path, [("?", 1, NEWCOMER), ("I", 8, NEWCOMER)])
    with pytest.raises(QualityError):
        capital.refresh(path)
    lay_feed(tmp_path, [("D", 1, NEWCOMER), ("I", 8, NEWCOMER)])
    assert capital.refresh(path).version is not None
    lay_feed(tmp_path, [("?", 1, NEWCOMER), ("I", 8, NEWCOMER), ("U", 9, DEARER)])
    lay(tmp_path, [*instead(DEARER), NEWCOMER])
    found = capital.refresh(path)
    assert (found.feed, found.changes and found.changes.facts()) == (
        "changes", {"added": 0, "changed": 1, "vanished": 0},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ({"operation": None}, "`feed: changes` without `operation`"),
        ({"watermark": "op"}, "a column of type text"),
        ({"watermark": "cost"}, "a column that `refresh.changes` declares"),
        ({"delete": ["U", "D"]}, "a code that `upsert` names too"),
        ({"feed": "append", "watermark": "visit"}, "`operation` with `feed: append`"),
    ],
)
def test_a_feed_that_is_declared_wrongly(words: dict[str, Any], hint: str, capital: Capital, tmp_path: Path) -> None:
    value = spec("changes")
    value["refresh"] |= words
    with pytest.raises(CuratorError) as caught:
        capital.refresh(write_spec(tmp_path, value))
    assert hint in str(caught.value)


def test_the_command_tells_rows_by_split_and_shards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    followed(tmp_path, "changes", without(7), [("D", 1, rows()[7])])
    lay(tmp_path, without(7, 8))
    lay_feed(tmp_path, [("D", 1, rows()[7]), ("D", 2, rows()[8])])
    words = ["--capital", str(tmp_path / "followed"), "refresh", str(tmp_path / "spec.yaml"), "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == {"added": 0, "changed": 0, "vanished": 1}
    assert sum(split["vanished"] for split in told["splits"].values()) == 1
    assert told["shards"] == {"kept": 1, "rewritten": 1, "new": 0, "gone": 0}
    assert told["feed"] == "changes"


def test_a_comparison_of_all_rows_tidies_up_after_many_refreshes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_refresh, "_FRAGMENTS", 4)
    path = write_spec(tmp_path, spec("append"))
    capital = empty_capital(tmp_path / "followed")
    for more in range(6):
        lay(tmp_path, rows(count=ROWS + 40 * more))
        capital.refresh(path)
    assert len(shards(capital.dataset("visits"))) == 12, "two splits a day"
    lay(tmp_path, rows(count=ROWS + 300)[1:])
    found = capital.refresh(path, full=True)
    assert found.version is not None
    assert len(shards(found.version)) == 2
    assert found.changes is not None
    assert found.changes.facts() == {"added": 100, "changed": 0, "vanished": 1}
    lay(tmp_path, rows(count=ROWS + 340)[1:])
    assert capital.refresh(path).feed == "append"


def test_neither_curate_nor_refresh_imports_pandas(tmp_path: Path) -> None:
    """It takes as long as all that is fixed of a refresh, and Arrow brings it in unasked."""
    declared = spec("append")
    declared["sources"]["t"]["path"] = "visits.csv"
    write_spec(tmp_path, declared, name="visits.yaml")
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from capital_world import empty_capital\n"
        "folder = Path(sys.argv[1])\n"
        "capital, source = empty_capital(folder / 'capital'), folder / 'visits.csv'\n"
        "source.write_text('visit,person,ward,cost\\n' + ''.join(f'{n},p{n % 60},w,1\\n' for n in range(3_000)))\n"
        "capital.refresh(folder / 'visits.yaml')\n"
        "source.write_text(source.read_text() + ''.join(f'{n},p{n % 60},w,1\\n' for n in range(3_000, 3_100)))\n"
        "assert capital.refresh(folder / 'visits.yaml').feed == 'append'\n"
        "print('pandas' in sys.modules)\n"
    )
    tests = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"}
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, env=environment
    )
    assert ran.stdout.strip() == "False"
