"""DVC's files, compared with what the real program writes, and its cache as we fill it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.edges import store
from curator.errors import IntegrityError
from curator.manifest import MANIFEST, FileEntry, Manifest

PARTS = {"train/part-0.parquet": b"a" * 4000, "test/part-0.parquet": b"b", "card é ü.md": b"", "z/twin": b"b"}


def dvc(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", *arguments]
    environment = os.environ | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(root.parent / "site")}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def stage(folder: Path, parts: dict[str, bytes]) -> Manifest:
    entries = []
    for path, data in sorted(parts.items()):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        entries.append(FileEntry(path=path, sha256=sha256, md5=md5(data), size=len(data)))
    manifest = Manifest(kind="dataset", name="x", version="1.0.0", files=tuple(entries))
    (folder / MANIFEST).write_bytes(manifest.to_bytes())
    return manifest


@pytest.fixture
def cache(tmp_path: Path) -> store.Cache:
    (tmp_path / "w" / ".dvc").mkdir(parents=True)
    return store.Cache(tmp_path / "w")


def objects(cache: store.Cache) -> dict[str, bytes]:
    return {
        path.relative_to(cache.folder).as_posix().replace("/", ""): path.read_bytes()
        for path in cache.folder.rglob("*")
        if path.is_file()
    }


def test_pointer_and_objects_are_those_of_dvc_add(tmp_path: Path, cache: store.Cache) -> None:
    """The differential test: `dvc add` on one copy, adoption on another."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    dvc(theirs, "init", "--no-scm", "-q")
    manifest = stage(theirs / "1.0.0", PARTS)
    dvc(theirs, "add", "-q", "1.0.0")
    stage(tmp_path / "w" / "1.0.0", PARTS)
    cache.adopt(manifest, tmp_path / "w" / "1.0.0")
    assert store.pointer_text(manifest, "1.0.0") == (theirs / "1.0.0.dvc").read_bytes()
    assert objects(cache) == objects(store.Cache(theirs))
    assert set(objects(cache)) == set(store.object_names(manifest))


def test_adopted_files_are_read_only_links(tmp_path: Path, cache: store.Cache) -> None:
    manifest = stage(tmp_path / "d", PARTS)
    cache.adopt(manifest, tmp_path / "d")
    for entry in store.entries(manifest):
        assert (tmp_path / "d" / entry.path).samefile(cache.path(entry.md5))
        assert cache.path(entry.md5).stat().st_mode & 0o777 == 0o444
    assert cache.faults(manifest, tmp_path / "d") == []
    assert cache.absent(store.object_names(manifest)) == []


def test_adoption_twice_shares_what_is_equal(tmp_path: Path, cache: store.Cache) -> None:
    manifest = stage(tmp_path / "d", PARTS)
    cache.adopt(manifest, tmp_path / "d")
    stage(tmp_path / "e", PARTS)
    cache.adopt(manifest, tmp_path / "e")
    path = "train/part-0.parquet"
    assert (tmp_path / "e" / path).samefile(tmp_path / "d" / path)
    assert not list(tmp_path.rglob("*.curator"))


@pytest.mark.parametrize("rot", [b"c" * 4000, b"", b"a" * 3999])
def test_a_rotten_object_is_replaced_not_reused(tmp_path: Path, cache: store.Cache, rot: bytes) -> None:
    name = md5(PARTS["train/part-0.parquet"])
    cache.path(name).parent.mkdir(parents=True)
    cache.path(name).write_bytes(rot)
    cache.path(name).chmod(0o444)
    manifest = stage(tmp_path / "d", PARTS)
    cache.adopt(manifest, tmp_path / "d")
    assert cache.path(name).read_bytes() == PARTS["train/part-0.parquet"]
    assert cache.faults(manifest, tmp_path / "d") == []


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP])
def test_files_are_copied_where_links_are_refused(
    tmp_path: Path, cache: store.Cache, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """The one place where the system's answer is replaced: two filesystems cannot be made without rights."""

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    manifest = stage(tmp_path / "d", PARTS)
    cache.adopt(manifest, tmp_path / "d")
    assert not (tmp_path / "d" / "z/twin").samefile(cache.path(md5(b"b")))
    assert cache.path(md5(b"b")).stat().st_mode & 0o777 == 0o444
    assert cache.faults(manifest, tmp_path / "d") == []


def test_a_cache_on_another_filesystem(tmp_path: Path, cache: store.Cache) -> None:
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir() or shared_memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second filesystem here")
    import tempfile

    with tempfile.TemporaryDirectory(dir=shared_memory) as elsewhere:
        (tmp_path / "w" / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {elsewhere}\n")
        other = store.Cache(tmp_path / "w")
        manifest = stage(tmp_path / "d", PARTS)
        other.adopt(manifest, tmp_path / "d")
        assert other.folder == Path(elsewhere, "files", "md5")
        assert other.faults(manifest, tmp_path / "d") == []


@pytest.mark.parametrize(
    ("config", "local", "folder"),
    [
        ("", "", ".dvc/cache"),
        (store.CONFIG, "", ".dvc/cache"),
        ("[cache]\n    dir = ../big\n", "", ".dvc/../big"),
        (store.CONFIG, "[cache]\n    dir = /srv/cache\n", "/srv/cache"),
        (store.CONFIG + "['remote \"s\"']\n    url = x\n", "[core]\n    remote = s\n", ".dvc/cache"),
    ],
)
def test_the_cache_folder_is_the_configured_one(tmp_path: Path, config: str, local: str, folder: str) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text(config)
    (tmp_path / ".dvc" / "config.local").write_text(local)
    assert store.Cache(tmp_path).folder == tmp_path / folder / "files" / "md5"


@pytest.mark.parametrize("change", ["flip", "cut", "remove", "flip folder", "remove folder"])
def test_rot_in_the_cache_is_found(tmp_path: Path, cache: store.Cache, change: str) -> None:
    manifest = stage(tmp_path / "d", PARTS)
    cache.adopt(manifest, tmp_path / "d")
    name = store.object_names(manifest)[-1] if "folder" in change else md5(PARTS["train/part-0.parquet"])
    data = bytearray(cache.path(name).read_bytes())
    cache.path(name).unlink()  # an object of its own, no longer the file in the folder
    if "flip" in change:
        data[len(data) // 2] ^= 1
    if "remove" not in change:
        cache.path(name).write_bytes(data[:-1] if change == "cut" else data)
    faults = cache.faults(manifest, tmp_path / "d")
    assert len(faults) == 1
    assert ("the folder itself" if "folder" in change else "train/part-0.parquet") in faults[0]


def test_removed_objects_leave_no_empty_folders(tmp_path: Path, cache: store.Cache) -> None:
    manifest = stage(tmp_path / "d", PARTS)
    names = cache.absent(store.object_names(manifest))
    cache.adopt(manifest, tmp_path / "d")
    cache.remove(names)
    cache.remove(names)
    assert list(cache.folder.iterdir()) == []


def test_adoption_reads_nothing_of_the_files(tmp_path: Path, cache: store.Cache) -> None:
    """1,000 files of 64 KiB, told by the bytes that the system says this process has read."""
    manifest = stage(tmp_path / "d", {f"{number:04}": os.urandom(16) * 4096 for number in range(1000)})
    before = read_by_this_process()
    cache.adopt(manifest, tmp_path / "d")
    assert read_by_this_process() - before < 1 << 20


def read_by_this_process() -> int:
    """Bytes (proc(5), `rchar` of /proc/[pid]/io)."""
    told = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(told["rchar"])


def test_nothing_of_dvc_is_imported() -> None:
    script = "import sys, curator.edges.store; sys.exit(any(name.startswith('dvc') for name in sys.modules))"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    assert subprocess.run([sys.executable, "-c", script], env=environment, check=False).returncode == 0


def test_a_manifest_without_md5_cannot_be_adopted() -> None:
    entry = FileEntry(path="a", sha256="0" * 64, size=1)
    with pytest.raises(IntegrityError) as caught:
        store.pointer_text(Manifest(kind="dataset", name="x", version="1.0.0", files=(entry,)), "1.0.0")
    assert caught.value.code == "manifest-without-md5"


@given(st.dictionaries(st.text("abcé/ .", min_size=1, max_size=8), st.binary(max_size=9), max_size=5))
@settings(max_examples=50, deadline=None)
def test_pointers_round_trip(parts: dict[str, bytes]) -> None:
    entries = []
    for path, data in sorted(parts.items()):
        try:
            entries.append(FileEntry(path=path, sha256="0" * 64, md5=md5(data), size=len(data)))
        except IntegrityError:
            continue
    manifest = Manifest(kind="dataset", name="x", version="1.0.0", files=tuple(entries))
    pointer = store.pointer_of(manifest, "1.0.0")
    assert store.Pointer.from_bytes(pointer.to_bytes()) == pointer
    assert pointer.files == len(json.loads(store.folder_object(manifest))) == len(entries) + 1


@given(st.binary(max_size=120))
@settings(max_examples=100, deadline=None)
def test_garbage_is_never_a_pointer(data: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        store.Pointer.from_bytes(data)
    assert caught.value.code == "pointer-invalid"
