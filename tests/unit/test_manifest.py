"""A manifest is canonical or refused; its digest is the version; whatever differs in its folder is told by file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.canonical import canonical_json, sha256_bytes
from curator.errors import IntegrityError
from curator.manifest import FileEntry, Manifest

FILES = {"data/a.parquet": b"rows", "README.md": b"card", "é.txt": b""}


def manifest(**changes: Any) -> Manifest:
    entries = [FileEntry(path=path, sha256=sha256_bytes(data), size=len(data)) for path, data in FILES.items()]
    return Manifest(**{"kind": "dataset", "name": "n", "version": "1.0.0", "files": tuple(sorted(entries)), **changes})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, data in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / "manifest.json").write_bytes(manifest().to_bytes())
    return tmp_path


def test_it_comes_back_the_same(folder: Path) -> None:
    assert Manifest.read(folder) == manifest()
    assert manifest().digest == sha256_bytes((folder / "manifest.json").read_bytes())
    assert manifest().ref == "n@1.0.0"
    assert manifest().differences(folder) == []


@pytest.mark.parametrize("path", ["", ".", "/a", "../a", "a/../b", "a//b", "./a", "a/", "a\\b", "..", "/"])
def test_a_path_stays_in_its_folder(path: str) -> None:
    with pytest.raises(IntegrityError):
        FileEntry(path=path, sha256="0" * 64, size=0)


def test_files_are_sorted_and_once_and_not_the_manifest() -> None:
    entries = manifest().files
    for bad in (entries[::-1], (*entries, entries[-1]), (FileEntry(path="manifest.json", sha256="0" * 64, size=1),)):
        with pytest.raises(IntegrityError):
            manifest(files=bad)


def test_every_difference_is_told(folder: Path) -> None:
    (folder / "data/a.parquet").write_bytes(b"rowz")
    (folder / "README.md").unlink()
    (folder / "extra").write_bytes(b"")
    (folder / "é.txt").unlink()
    (folder / "é.txt").symlink_to("/dev/null")
    assert sorted(manifest().differences(folder)) == [
        "added: extra", "changed: data/a.parquet", "missing: README.md", "missing: é.txt",
    ]  # fmt: skip


def test_a_link_to_the_same_bytes_is_a_change(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "card"
    outside.write_bytes(FILES["README.md"])
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to(outside)
    assert manifest().differences(folder) == ["changed: README.md"]


def good() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(manifest().to_bytes())
    return value


HOSTILE: dict[str, bytes] = {
    "nothing": b"", "no JSON": b"{", "a list": b"[]", "a number": b"1", "null": b"null", "no UTF-8": b"\xff",
    "spaces": json.dumps(good()).encode(), "deep": b"[" * 100_000,
    "another format": canonical_json({**good(), "format": "curator/manifest/2"}),
    "more keys": canonical_json({**good(), "more": 1}),
    "fewer keys": canonical_json({key: value for key, value in good().items() if key != "files"}),
    "files no list": canonical_json({**good(), "files": 3}),
    "a file no mapping": canonical_json({**good(), "files": ["a"]}),
    "a file with more": canonical_json({**good(), "files": [{**good()["files"][0], "more": 1}]}),
    "a path no text": canonical_json({**good(), "files": [{**good()["files"][0], "path": 3}]}),
    "a path that climbs": canonical_json({**good(), "files": [{**good()["files"][0], "path": "../x"}]}),
    "about no mapping": canonical_json({**good(), "about": [1]}),
    "a name no text": canonical_json({**good(), "name": ["x"]}),
    "a size no number": canonical_json({**good(), "files": [{**good()["files"][0], "size": "4"}]}),
    "a negative size": canonical_json({**good(), "files": [{**good()["files"][0], "size": -4}]}),
    "rows no number": canonical_json({**good(), "files": [{**good()["files"][0], "rows": "4"}]}),
    "a digest no text": canonical_json({**good(), "files": [{**good()["files"][0], "sha256": 4}]}),
    "a key twice": manifest().to_bytes().replace(b'"name":"n"', b'"name":"m","name":"n"'),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_anything_else_is_refused_in_words(name: str) -> None:
    with pytest.raises(IntegrityError) as refused:
        Manifest.from_bytes(HOSTILE[name])
    assert refused.value.code == "manifest-invalid"


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        Manifest.from_bytes(data)
