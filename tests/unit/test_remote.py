"""A version goes to a DVC remote on S3 while it is made, whole or not at all, and is read back from there."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import test_files_s3
from capital_world import empty_capital, write_spec
from s3_server import ACCESS
from test_files_snapshot import SPEC

from curator.capital import Capital, RunOptions
from curator.cli import main
from curator.edges import remote as remotes
from curator.edges.remote import Remote
from curator.edges.uploads import Uploads
from curator.errors import IntegrityError, SecretError, StorageError, UsageError
from curator.files import ObjectStore, Upload
from curator.manifest import MANIFEST, FileEntry, Manifest

pytest.importorskip("s3fs")
pytest.importorskip("moto.server")

ROWS = 4_000
WHO = ("-c", "user.name=tester", "-c", "user.email=tester@localhost")
endpoint, store = test_files_s3.endpoint, test_files_s3.store  # fixtures


def dvc(root: Path, *words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "dvc", *words], cwd=root, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def capital(store: Any, tmp_path: Path) -> Capital:
    """A capital with a remote `team` in the store, and a spec beside it."""
    (tmp_path / "rows-1.csv").write_text("id,x\n" + "".join(f"{n},{n}\n" for n in range(ROWS)))
    write_spec(tmp_path, SPEC)
    capital = empty_capital(tmp_path / "capital")
    name_remote(capital.workspace.root, f"s3://{store.bucket}/some/capital")
    return capital


def name_remote(root: Path, url: str, more: str = "") -> None:
    with (root / ".dvc" / "config").open("a") as file:
        file.write(f"['remote \"team\"']\n    url = {url}\n    verify = true\n{more}")
    subprocess.run(["git", "-C", str(root), *WHO, "commit", "-qam", "Name the remote"], check=True)


def spec_of(capital: Capital) -> Path:
    return capital.workspace.root.parent / "spec.yaml"


def listed(store: Any) -> list[str]:
    store.invalidate_cache()
    return sorted(store.find(store.bucket))


def uploads(store: Any) -> list[Any]:
    return store.call_s3("list_multipart_uploads", Bucket=store.bucket).get("Uploads", [])  # type: ignore[no-any-return]


@pytest.mark.parametrize("small", [True, False], ids=["at once", "in parts"])
def test_what_curate_sends_a_plain_dvc_pulls(
    capital: Capital,
    store: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    small: bool,
) -> None:
    if not small:
        monkeypatch.setattr(remotes, "_SMALL", 0)
        monkeypatch.setattr(remotes, "_LATE", 0)
    version = capital.curate(spec_of(capital), RunOptions(to="team"))
    root = capital.workspace.root
    names = [path.relative_to(root / ".dvc" / "cache").as_posix() for path in (root / ".dvc" / "cache").rglob("??/*")]
    assert listed(store) == sorted(f"{store.bucket}/some/capital/{name}" for name in names), "DVC's own layout"
    assert uploads(store) == []
    assert capital.verify(remote="team") == ()
    if small:
        shutil.rmtree(root / ".dvc" / "cache")
        shutil.rmtree(version.folder)
        dvc(root, "pull", "-r", "team", "datasets/rows/1.0.0.dvc")
        assert capital.verify() == ()


def test_rows_are_read_from_the_store_alone(capital: Capital) -> None:
    version = capital.curate(spec_of(capital), RunOptions(to="team"))
    here = {split: version.table(split) for split in version.splits}
    shutil.rmtree(version.folder)
    shutil.rmtree(capital.workspace.root / ".dvc" / "cache")
    stored = capital.dataset("rows", remote="team")
    assert stored.manifest == version.manifest
    for split, table in here.items():
        assert stored.table(split).equals(table)
        assert stored.load(split).num_rows == len(table)
        assert [row["id"] for row in stored.load(split, streaming=True)] == table["id"].to_pylist()


POINTS = ("upload_part 2", "complete_multipart_upload 2", "put_object .dir")


def test_nothing_of_a_killed_run_is_in_the_store(capital: Capital, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it sends, between two objects that appear, and before the version is named; then left alone."""
    monkeypatch.setattr(remotes, "_SMALL", 2_000)
    root, run = capital.workspace.root, Path(__file__).with_name("remote_run.py")
    foreign = begun(store, "some/capital/files/md5/ab/cdef")
    environment = {**os.environ, "PYTHONPATH": str(run.parents[2])}
    for point in POINTS:
        command = [sys.executable, str(run), str(root), *point.split()]
        done = subprocess.run(command, check=False, capture_output=True, env=environment)
        assert done.returncode == -9, (point, done.stderr)
        seen = listed(store)
        assert not [name for name in seen if name.endswith(".dir")], "no version is named there"
        assert bool(seen) == (point != POINTS[0]), "nothing appears before the run is through"
        assert Capital.open(root).datasets() == ()
        assert (len(uploads(store)) > 1) == (point != POINTS[2]), "parts that nobody sees, and somebody pays for"
    Capital.open(root).curate(spec_of(capital), RunOptions(to="team"))
    assert Capital.open(root).verify(remote="team") == ()
    assert [upload["UploadId"] for upload in uploads(store)] == [foreign], "ours are ended, those of others are not"
    assert list((root / ".curator" / "uploads").iterdir()) == []


def begun(store: Any, key: str) -> str:
    """An upload of somebody else to the same place."""
    return str(store.call_s3("create_multipart_upload", Bucket=store.bucket, Key=key)["UploadId"])


def test_uploads_of_a_run_that_lives_are_left_to_it(capital: Capital, store: Any, tmp_path: Path) -> None:
    objects = Remote.of(capital.workspace.root, "team")._objects
    elsewhere = ObjectStore(store.bucket, prefix="other/", refusal=lambda found: StorageError(
        "remote-refused", asked="test", found=found, expected="-", todo="-"))  # fmt: skip
    runs = [Uploads(tmp_path / "notes", objects) for _ in range(2)]
    for run in runs:
        run.begin()
        run.note(Upload("some/capital/x", begun(store, "some/capital/x")))
    assert runs[0].sweep() == 0
    runs[1].end(settled=False)  # as if it had died: nobody holds its notes
    assert Uploads(tmp_path / "notes", elsewhere).sweep() == 0, "another place of another prefix"
    assert runs[0].sweep() == 1
    assert len(uploads(store)) == 1
    runs[0].end(settled=False)
    with next((tmp_path / "notes").iterdir()).open("a") as notes:
        notes.write('{"key": "some/cap')  # a line cut short
    store.call_s3("abort_multipart_upload", Bucket=store.bucket, **{
        name: uploads(store)[0][name] for name in ("Key", "UploadId")})  # fmt: skip
    assert Uploads(tmp_path / "notes", objects).sweep() == 1, "gone already"
    assert list((tmp_path / "notes").iterdir()) == []


def test_what_was_not_begun_when_the_run_is_through_goes_at_once(
    capital: Capital, store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sender, held until the run is through: the second shard waits, and needs one request in place of three."""
    monkeypatch.setattr(remotes, "_SMALL", 0)
    monkeypatch.setattr(remotes, "_EARLY_SENDERS", 1)
    entries = []
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode() * 100)
        digests = (
            hashlib.new(kind, name.encode() * 100, usedforsecurity=False).hexdigest() for kind in ("sha256", "md5")
        )
        sha256, md5 = digests
        entries.append(FileEntry(path=name, sha256=sha256, md5=md5, size=100))
    manifest = Manifest(kind="dataset", name="rows", version="1.0.0", files=tuple(entries))
    (tmp_path / MANIFEST).write_bytes(manifest.to_bytes())
    asked, waiting, begin = [], threading.Event(), ObjectStore.begin
    plain = ObjectStore._call
    monkeypatch.setattr(
        ObjectStore, "_call", lambda self, method, **words: asked.append(method) or plain(self, method, **words)
    )
    monkeypatch.setattr(
        ObjectStore, "begin", lambda self, *place, **how: waiting.wait(60) and begin(self, *place, **how)
    )
    with Remote.of(capital.workspace.root, "team").sending() as sending:
        for entry in entries:
            sending.take(tmp_path / entry.path, entry)
        while not sending._jobs[entries[0].md5].running():
            time.sleep(0.01)
        cancelled = sending._jobs[entries[1].md5].cancel()
        waiting.set()
        sending.finish(manifest, tmp_path)
    assert cancelled
    assert [asked.count(method) for method in ("upload_part", "complete_multipart_upload", "put_object")] == [1, 1, 3]
    assert len(listed(store)) == 4
    assert uploads(store) == []


def test_a_part_goes_with_the_md5_of_its_file(capital: Capital, store: Any, tmp_path: Path) -> None:
    """So that the store can refuse other bytes."""
    (tmp_path / "shard").write_bytes(b"x" * 100)
    seen: dict[str, Any] = {}
    objects = Remote.of(capital.workspace.root, "team")._objects
    plain = objects._call
    objects._call = lambda method, **asked: seen.update({method: asked}) or plain(method, **asked)  # type: ignore[method-assign,func-returns-value]
    digest = hashlib.md5(b"x" * 100, usedforsecurity=False)
    objects.abandon(objects.begin("x", tmp_path / "shard", md5=digest.hexdigest(), begun=lambda upload: None))
    assert base64.b64decode(seen["upload_part"]["ContentMD5"]) == digest.digest()
    assert uploads(store) == []


def test_a_run_that_is_refused_takes_back_what_it_sent(
    capital: Capital,
    store: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remotes, "_SMALL", 0)
    (tmp_path / "shard").write_bytes(b"x" * 100)
    entry = FileEntry(path="shard", sha256="0" * 64, md5="ab" * 16, size=100)
    with Remote.of(capital.workspace.root, "team").sending() as sending:
        sending.take(tmp_path / "shard", entry)
        sending._jobs[entry.md5].result()
        assert len(uploads(store)) == 1
        assert listed(store) == [], "rows that nothing has approved are not to be read"
    assert uploads(store) == []
    assert listed(store) == []


def test_a_changed_object_is_told_and_never_read(capital: Capital, store: Any) -> None:
    version = capital.curate(spec_of(capital), RunOptions(to="team"))
    shard = next(entry for entry in version.manifest.files if entry.split)
    key = f"{store.bucket}/some/capital/{remotes.object_name(shard.md5)}"
    plain = store.cat(key)
    store.pipe_file(key, plain[:-1] + b"x")
    place = "team: datasets/rows/1.0.0: remote object"
    assert [str(found) for found in capital.verify(remote="team")] == [f"{place} of {shard.path} was changed"]
    stored = capital.dataset("rows", remote="team")
    with pytest.raises(IntegrityError) as refused:
        stored.table(shard.split)
    assert refused.value.code == "remote-differs"
    store.rm(key)
    assert [str(found) for found in capital.verify(remote="team")] == [f"{place} of {shard.path} is missing"]


def test_the_command_line_sends_and_verifies(capital: Capital, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(capital.workspace.root)
    assert main(["--capital", root, "curate", str(spec_of(capital)), "--to", "team", "--quiet"]) == 0
    assert main(["--capital", root, "verify", "--remote", "team"]) == 0
    told = "".join(capsys.readouterr()) + json.dumps([env.statement.facts for env in capital.evidence.unverified()])
    assert ACCESS["AWS_SECRET_ACCESS_KEY"] not in told


def test_a_remote_that_cannot_be_used_is_told(capital: Capital, monkeypatch: pytest.MonkeyPatch) -> None:
    from curator.files import _stores

    spec, root = spec_of(capital), capital.workspace.root
    for name in ("absent", "disk"):
        with pytest.raises(UsageError, match="remote-unknown"):
            capital.curate(spec, RunOptions(to=name))
        (root / ".dvc" / "config.local").write_text("['remote \"disk\"']\n    url = /tmp/x\n")
    name = next(name for name in os.environ if name == "AWS_ACCESS_KEY_ID")
    monkeypatch.delenv(name)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    _stores._store.cache_clear()
    with pytest.raises(StorageError, match="remote-refused"):
        capital.curate(spec, RunOptions(to="team"))
    assert capital.datasets() == ()
    (root / ".dvc" / "config").write_text(
        "['remote \"team\"']\n    url = s3://bucket/x\n    secret_access_key = CANARY\n"
    )
    with pytest.raises(SecretError) as refused:
        Remote.of(root, "team")
    assert refused.value.code == "remote-secret"
    assert "CANARY" not in str(refused.value)
