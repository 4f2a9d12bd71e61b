"""The manifest: which bytes a dataset version, a model version or a package consists of.

A manifest lists every file of a folder but itself, sorted by path, with its SHA-256 and size. Its canonical bytes are
stored as `manifest.json` in that folder; **the SHA-256 of those bytes is the identity of the version**. DVC's MD5 is
kept beside each SHA-256 only so that a DVC pointer can be checked against the manifest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from curator.canonical import canonical_json, sha256_bytes, sha256_file
from curator.errors import IntegrityError

MANIFEST = "manifest.json"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True, order=True)
class FileEntry:
    """One file of a version.

    Attributes:
        path: POSIX path inside the folder; never absolute, never with `..`.
        sha256: lower-case hexadecimal.
        md5: DVC's name of the same bytes; empty where DVC plays no part (packages).
        size: bytes.
        split: the split a data shard belongs to; empty for other files.
        rows: rows of a data shard; 0 for other files.
    """

    path: str
    sha256: str
    md5: str = ""
    size: int
    split: str = ""
    rows: int = 0

    def __post_init__(self) -> None:
        pure = PurePosixPath(self.path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts or str(pure) != self.path or "\\" in self.path:
            raise _bad_manifest("a path that leaves its folder")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The files of one version and what they are.

    Attributes:
        kind: `dataset`, `model` or `package`.
        name, version: as in `name@version`.
        files: sorted by path, without the manifest itself.
        about: further JSON facts (schema, spec digest, order, writer, trained_on ...); keys are documented by the
        writer.
    """

    kind: str
    name: str
    version: str
    files: tuple[FileEntry, ...]
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        paths = [entry.path for entry in self.files]
        if paths != sorted(set(paths)) or MANIFEST in paths:
            raise _bad_manifest("files that are not sorted, listed twice, or the manifest itself")

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes: the identity of the version."""
        return sha256_bytes(self.to_bytes())

    @property
    def ref(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"

    @property
    def rows(self) -> dict[str, int]:
        """Rows per split, in the order train, validation, test, then others by name."""
        counts: dict[str, int] = {}
        for entry in self.files:
            if entry.split:
                counts[entry.split] = counts.get(entry.split, 0) + entry.rows
        order = {"train": 0, "validation": 1, "test": 2}
        return dict(sorted(counts.items(), key=lambda item: (order.get(item[0], 3), item[0])))

    def shards(self, split: str) -> tuple[str, ...]:
        """Paths of one split's shards, in row order."""
        return tuple(entry.path for entry in self.files if entry.split == split)

    def to_bytes(self) -> bytes:
        """Canonical JSON (RFC 8785)."""
        return self._bytes

    @cached_property
    def _bytes(self) -> bytes:
        return canonical_json(
            {
                "format": "curator/manifest/1",
                "kind": self.kind,
                "name": self.name,
                "version": self.version,
                "files": [vars(entry) for entry in self.files],
                "about": dict(self.about),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read a manifest. Raises IntegrityError when the bytes are not one, or not canonical."""
        try:
            raw = json.loads(data)
            if raw.pop("format") != "curator/manifest/1":
                raise _bad_manifest("another format")
            entries = tuple(FileEntry(**entry) for entry in raw.pop("files"))
            manifest = cls(files=entries, **raw)
            _check_types(manifest)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as fault:
            raise _bad_manifest("bytes that are not a manifest") from fault
        if manifest.to_bytes() != data:
            raise _bad_manifest("a manifest that is not in canonical form")
        return manifest

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a version's folder. Raises IntegrityError when there is none."""
        path = folder / MANIFEST
        if not path.is_file():
            raise _bad_manifest(f"no {path.name} in {folder.name}")
        return cls.from_bytes(path.read_bytes())

    def differences(self, folder: Path) -> list[str]:
        """What is wrong in `folder`, one sentence a file: changed, missing or added; empty when all is well.

        Reads every byte. Links are reported as changed, since a version holds regular files only.
        """
        faults = []
        known = {entry.path for entry in self.files} | {MANIFEST}
        for entry in self.files:
            path = folder / entry.path
            if not path.is_file():
                faults.append(f"missing: {entry.path}")
            elif path.is_symlink() or path.stat().st_size != entry.size or sha256_file(path) != entry.sha256:
                faults.append(f"changed: {entry.path}")
        if (folder / MANIFEST).is_symlink():
            faults.append(f"changed: {MANIFEST}")
        present = {
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
        }
        return faults + [f"added: {name}" for name in sorted(present - known)]


def _check_types(manifest: Manifest) -> None:
    """Refuse a manifest read from bytes whose values are of other kinds than declared. Raises IntegrityError."""
    texts = [manifest.kind, manifest.name, manifest.version]
    counts: list[object] = []
    for entry in manifest.files:
        texts += [entry.path, entry.md5, entry.split]
        counts += [entry.size, entry.rows]
        if not isinstance(entry.sha256, str) or not _SHA256.fullmatch(entry.sha256):
            raise _bad_manifest("a file whose SHA-256 is none")
    if not all(isinstance(text, str) for text in texts) or not isinstance(manifest.about, dict):
        raise _bad_manifest("a value of another kind than a manifest has")
    if any(isinstance(count, bool) or not isinstance(count, int) or count < 0 for count in counts):
        raise _bad_manifest("a size or a number of rows that is none")


def _bad_manifest(found: str) -> IntegrityError:
    return IntegrityError(
        "manifest-invalid",
        asked="read the manifest of a version",
        found=found,
        expected="a canonical curator/manifest/1 file listing each file once",
        todo="run `curator verify` to see what else changed, then restore it from a copy or with `dvc pull`",
    )
