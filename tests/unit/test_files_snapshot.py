"""Files that change while they are read: every run is consistent, or refused."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from capital_world import empty_capital, write_spec

from curator.capital import Capital, RunOptions
from curator.errors import SourceError
from curator.files import LocalPlace, SourceDigests, files_of

SPEC: dict[str, Any] = {
    "curator": 1, "name": "rows", "version": "1.0.0", "title": "Rows?",
    "owner": {"organisation": "O", "contact": "o@example.org"}, "purpose": {"statement": "Test."},
    "law": {"regime": "gdpr", "basis": "public-task", "text": "-", "dpia": "-", "ai_act": "minimal",
            "retention_days": 1},
    "sources": {"t": {"path": "rows-*.csv", "columns": {"id": "integer", "x": "integer"}}},
    "extract": {"from": "t", "row_key": ["id"], "entity": ["id"]},
    "fields": {"id": {"meaning": "Number."}, "x": {"meaning": "Its double."}},
    "quality": {"expectations": [{"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}}]},
    "splits": {"by": "entity", "shares": {"train": 1.0}},
}  # fmt: skip

WRITER = """
import os, sys, time
folder, pause, stop = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
began, number, file = time.monotonic(), 100, 0
while time.monotonic() - began < stop:
    rows = "".join(f"{n},{2 * n}\\n" for n in range(number, number + 20))
    number += 20
    if (number // 20) % 4 == 0:  # now and then a new file
        file += 1
        with open(f"{folder}/new", "w") as stream:
            stream.write("id,x\\n" + rows)
        os.rename(f"{folder}/new", f"{folder}/rows-{file:03d}.csv")
    else:
        with open(f"{folder}/rows-000.csv", "a") as stream:
            stream.write(rows)
    time.sleep(pause * (1 + number % 7))
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    (tmp_path / "rows-000.csv").write_text("id,x\n" + "".join(f"{n},{2 * n}\n" for n in range(100)))
    command = [sys.executable, "-c", WRITER, str(tmp_path), "0.1", "3600"]
    with subprocess.Popen(command) as process:
        yield process
        process.kill()


def test_twenty_runs_over_a_growing_source_are_consistent_or_refused(
    writer: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    capital = empty_capital(tmp_path / "capital")
    outcomes = []
    for run in range(20):
        path = write_spec(tmp_path, {**SPEC, "version": f"1.0.{run}"})
        try:
            version = capital.curate(path, RunOptions(threads=1))
        except SourceError as refused:
            outcomes.append(refused.code)
            continue
        table = version.table("train")
        ids = sorted(table.column("id").to_pylist())
        assert ids == list(range(len(ids))), "every row up to a moment, and none after it"
        pairs = zip(table.column("id").to_pylist(), table.column("x").to_pylist(), strict=True)
        assert all(x == 2 * number for number, x in pairs)
        outcomes.append("consistent")
    assert len(outcomes) == 20
    assert writer.poll() is None, "the writer wrote all the while"
    assert set(outcomes) <= {"consistent", "source-changed"}, "which of the two is the writer's luck"


def test_a_source_that_grows_between_first_and_last_read_is_refused(tmp_path: Path) -> None:
    rows = tmp_path / "rows-000.csv"
    rows.write_text("id,x\n" + "".join(f"{n},{2 * n}\n" for n in range(100)))
    capital = empty_capital(tmp_path / "capital")
    stages = []

    def grow(stage: str, done: int, total: int) -> None:
        if not stages:
            with rows.open("a") as stream:
                stream.write("100,200\n")
        stages.append(stage)

    with pytest.raises(SourceError, match="source-changed"):
        capital.curate(write_spec(tmp_path, SPEC), RunOptions(threads=1, progress=grow))
    assert stages, "the file grew while the run read it"
    assert capital.datasets() == (), "nothing was published"


@pytest.mark.parametrize("change", ["grow", "same size", "dressed as before", "vanish", "appear", "replace"])
def test_every_change_is_noticed(change: str, tmp_path: Path) -> None:
    old, new = tmp_path / "a.csv", tmp_path / "b.csv"
    old.write_text("id\n1\n")
    snapshot, _ = files_of("t", tmp_path / "*.csv")
    snapshot.unchanged()
    was = old.stat()
    if change == "vanish":
        old.rename(tmp_path / "a.old")
    elif change == "appear":
        new.write_text("id\n2\n")
    elif change == "replace":
        (tmp_path / "other").write_text("id\n2\n")
        os.utime(tmp_path / "other", ns=(was.st_atime_ns, was.st_mtime_ns))
        (tmp_path / "other").rename(old)
    else:
        old.write_text("id\n1\n2\n" if change == "grow" else "id\n2\n")
        if change == "dressed as before":
            os.utime(old, ns=(was.st_atime_ns, was.st_mtime_ns))
    with pytest.raises(SourceError, match="source-changed"):
        snapshot.unchanged()


def test_a_file_written_a_moment_ago_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("id\n")
    written, waited = (tmp_path / "a.csv").stat().st_mtime_ns, []
    monkeypatch.setattr("curator.files._snapshot.time.sleep", waited.append)
    monkeypatch.setattr("curator.files._snapshot.time.time_ns", lambda: written + 1_000 + 10**9 * len(waited))
    files_of("t", tmp_path / "a.csv")
    assert waited == [0.02], "once, for longer than a tick"
    monkeypatch.setattr("curator.files._snapshot.time.time_ns", lambda: written + 1_000)
    files_of("t", tmp_path / "a.csv")
    assert len(waited) < 10, "not for ever"


def test_a_digest_that_changes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id\n1\n")
    with SourceDigests(bytes(32)) as digests:
        digests.begin("t", [LocalPlace(path)])
        digests.keyed()
        digests.settle()
        path.write_text("id\n2\n")
        with pytest.raises(SourceError, match="other bytes"):
            digests.settle()


def test_no_plain_digest_of_a_source_is_kept(tmp_path: Path) -> None:
    (tmp_path / "rows-000.csv").write_text("id,x\n1,2\n")
    (tmp_path / "rows-001.csv").write_text("id,x\n2,4\n")
    capital = empty_capital(tmp_path / "capital")
    capital.curate(write_spec(tmp_path, SPEC))
    note = capital.workspace.private / "holder" / "sources" / "rows@1.0.0.json"
    told = json.loads(note.read_text())
    assert [entry["file"] for entry in told["t"]] == ["rows-000.csv", "rows-001.csv"]
    assert note.stat().st_mode & 0o777 == 0o600
    published = b"".join(path.read_bytes() for path in (capital.workspace.root / "evidence").rglob("*.json"))
    for entry in told["t"]:
        plain = hashlib.sha256((tmp_path / entry["file"]).read_bytes()).hexdigest()
        assert plain not in note.read_text()
        assert plain.encode() not in published
        assert entry["keyed"] != plain
        assert entry["file"].encode() in published_text(capital)


def published_text(capital: Capital) -> bytes:
    return b"".join(envelope.payload for envelope in capital.evidence.unverified() if hasattr(envelope, "payload")) or (
        b"".join(json.dumps(envelope.statement.facts).encode() for envelope in capital.evidence.unverified())
    )
