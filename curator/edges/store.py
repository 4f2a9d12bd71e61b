"""What DVC keeps, written and read here and nowhere else: pointers, cache objects, configuration (DVC 3, `files/md5`).

DVC carries the bytes between machines; it is not evidence. Its own `dvc add` rewrites a pointer in place and flushes
nothing, so a crash can leave an empty pointer that `dvc checkout` obeys by deleting the data. Here files whose MD5 the
manifest already holds are *adopted*: a hard link into the cache, one small `.dir` object, and a pointer equal to
DVC's byte for byte, which the workspace then writes atomically. DVC itself is not imported: the format is three lines
of JSON and six of YAML, and the tests compare both with the real program.
"""

from __future__ import annotations

import configparser
import errno
import filecmp
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from curator.edges.durable import FROZEN_MODE, sync_file, sync_folder, write_synced
from curator.errors import IntegrityError
from curator.manifest import MANIFEST, FileEntry, Manifest

CONFIG = """\
# Nothing is sent to DVC's makers; files come out of the cache as read-only hard links where reflinks do not exist.
# For each remote, add `verify = true`: without it DVC accepts what a remote returns without reading it again.
[core]
    analytics = false
    check_update = false
[cache]
    dir = cache
    type = "reflink,hardlink,copy"
"""
IGNORE = "# What DVC must never look into: keys, rejected rows, temporary files.\n/.curator/\n"
INNER_GITIGNORE = "/config.local\n/tmp\n/cache\n"

_PART = ".curator"
_NO_LINK = (errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
_POINTER = re.compile(
    rb"outs:\n- md5: (?P<oid>[0-9a-f]{32}\.dir)\n  size: (?P<size>\d+)\n  nfiles: (?P<files>\d+)\n"
    rb"  hash: md5\n  path: (?P<path>[^\n]+)\n"
)


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """What a `.dvc` file of one folder says.

    Attributes:
        oid: name of the folder's `.dir` object.
        size: bytes of all files.
        files: number of files.
        path: name of the folder, beside the pointer.
    """

    oid: str
    size: int
    files: int
    path: str

    def to_bytes(self) -> bytes:
        """The `.dvc` file, byte for byte as `dvc add` writes it."""
        return (
            f"outs:\n- md5: {self.oid}\n  size: {self.size}\n  nfiles: {self.files}\n  hash: md5\n  path: {self.path}\n"
        ).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Pointer:
        """Read a pointer. Raises IntegrityError `pointer-invalid` for anything `dvc add` would not have written."""
        match = _POINTER.fullmatch(data)
        if match is None:
            raise IntegrityError(
                "pointer-invalid",
                asked="read a DVC pointer",
                found="an empty file" if not data else f"{len(data)} bytes that are not the pointer of one folder",
                expected="the five lines that `dvc add FOLDER` writes",
                todo="restore it with `git checkout -- FILE` before any dvc command, which might delete the data",
            )
        return cls(
            oid=match["oid"].decode(),
            size=int(match["size"]),
            files=int(match["files"]),
            path=match["path"].decode(errors="replace"),
        )


def entries(manifest: Manifest) -> tuple[FileEntry, ...]:
    """Every file that DVC tracks for a version: those of the manifest and the manifest itself, sorted by path.

    Raises:
        IntegrityError: `manifest-without-md5` when an entry has no MD5 to adopt it by.
    """
    if any(not entry.md5 for entry in manifest.files):
        raise IntegrityError(
            "manifest-without-md5",
            asked=f"adopt the files of {manifest.ref} into the DVC cache",
            found="a file whose manifest entry has no MD5",
            expected="an MD5 beside each SHA-256, computed while the file was written",
            todo="write the version again with curator's own writers, which hash while writing",
        )
    data = manifest.to_bytes()
    own = FileEntry(path=MANIFEST, sha256=hashlib.sha256(data).hexdigest(), md5=_md5(data), size=len(data))
    return tuple(sorted((*manifest.files, own), key=lambda entry: entry.path))


def folder_object(manifest: Manifest) -> bytes:
    """DVC's `.dir` object: the JSON list of files and MD5s, sorted by path, as `dvc_data`'s tree writes it."""
    listed = [{"md5": entry.md5, "relpath": entry.path} for entry in entries(manifest)]
    return json.dumps(listed, sort_keys=True).encode()


def pointer_of(manifest: Manifest, folder: str) -> Pointer:
    """The pointer of a version.

    Args:
        manifest: the version's manifest; every entry has an MD5.
        folder: the folder's last name, beside which the pointer stands.
    """
    files = entries(manifest)
    oid = f"{_md5(folder_object(manifest))}.dir"
    return Pointer(oid=oid, size=sum(entry.size for entry in files), files=len(files), path=folder)


def pointer_text(manifest: Manifest, folder: str) -> bytes:
    """Bytes of the pointer, equal to those of `dvc add FOLDER`."""
    return pointer_of(manifest, folder).to_bytes()


def object_names(manifest: Manifest) -> tuple[str, ...]:
    """Names of every cache object of a version: its files' MD5s, then its `.dir` object."""
    return (*sorted({entry.md5 for entry in entries(manifest)}), pointer_of(manifest, manifest.version).oid)


class Cache:
    """The DVC cache of a workspace.

    Attributes:
        folder: where the objects stand (`.dvc/cache/files/md5`, or below the `cache.dir` that `.dvc/config` or
            `.dvc/config.local` names, relative to `.dvc`).
    """

    def __init__(self, root: Path) -> None:
        """The cache of the workspace in `root`."""
        self.folder = _cache_folder(root / ".dvc") / "files" / "md5"

    def path(self, name: str) -> Path:
        """Where the object of that name stands or would stand."""
        return self.folder / name[:2] / name[2:]

    def absent(self, names: Iterable[str]) -> list[str]:
        """The names that have no object."""
        return [name for name in names if not self.path(name).exists()]

    def adopt(self, manifest: Manifest, folder: Path) -> None:
        """Link a version's files into the cache without reading them, then write its `.dir` object, durably.

        Files become read-only (0444), as DVC expects of cache objects. A file that the cache already holds becomes a
        link to the held object after a comparison byte by byte; a held object that differs is replaced.

        Args:
            manifest: what the folder holds, with MD5s.
            folder: the folder, its files flushed to the disk.

        Raises:
            OSError: the system refuses; what was adopted so far may be taken away with `remove`.
        """
        self._make_folder()
        touched = {self.folder}
        for entry in entries(manifest):
            target = self._place(entry.md5)
            touched.add(target.parent)
            _adopt_file(folder / entry.path, target)
        target = self._place(pointer_of(manifest, manifest.version).oid)
        data = folder_object(manifest)
        if not target.exists() or target.read_bytes() != data:
            _part(target).unlink(missing_ok=True)
            write_synced(_part(target), data, mode=FROZEN_MODE)
            _part(target).rename(target)
        for parent in sorted(touched | {target.parent}):
            sync_folder(parent)

    def tidy(self, names: Iterable[str]) -> None:
        """Remove half-written copies that a crash may have left beside these objects."""
        for name in names:
            _part(self.path(name)).unlink(missing_ok=True)

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects that no published version uses; absent ones are passed over. Raises OSError."""
        for name in names:
            path = self.path(name)
            path.unlink(missing_ok=True)
            if path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()

    def faults(self, manifest: Manifest, folder: Path) -> list[str]:
        """What is wrong with a version's objects, one sentence each.

        An object that is the same file (device and inode) as the one in the version's folder is not read here: it is
        checked with the folder. Every other object is hashed again.
        """
        names = object_names(manifest)
        if len(self.absent(names)) == len(names):
            return ["none of its files is in DVC's cache, as in a copy made without it; `dvc commit` brings them back"]
        found = []
        for entry in entries(manifest):
            fault = _object_fault(self.path(entry.md5), entry, twin=folder / entry.path)
            if fault:
                found.append(f"cache object of {entry.path} {fault}")
        tree = self.path(pointer_of(manifest, manifest.version).oid)
        if not tree.is_file():
            found.append("cache object of the folder itself is missing")
        elif tree.read_bytes() != folder_object(manifest):
            found.append("cache object of the folder itself was changed")
        return found

    def _make_folder(self) -> None:
        """Create the cache's folder durably where it is absent."""
        for folder in reversed([self.folder, *self.folder.parents]):
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)
                sync_folder(folder.parent)

    def _place(self, name: str) -> Path:
        path = self.path(name)
        path.parent.mkdir(exist_ok=True)
        return path


def _adopt_file(source: Path, target: Path) -> None:
    source.chmod(FROZEN_MODE)
    try:
        os.link(source, target)
    except FileExistsError:
        _reconcile(source, target)
    except OSError as fault:
        if fault.errno not in _NO_LINK:
            raise
        _copy(source, target)


def _reconcile(source: Path, target: Path) -> None:
    """The cache has an object of that name: share it when it is equal, replace it when it rotted."""
    if source.samefile(target):
        return
    if filecmp.cmp(source, target, shallow=False):
        _replace_by_link(target, source, fallback=False)
    else:
        _replace_by_link(source, target, fallback=True)


def _replace_by_link(kept: Path, replaced: Path, *, fallback: bool) -> None:
    part = _part(replaced)
    part.unlink(missing_ok=True)
    try:
        os.link(kept, part)
    except OSError as fault:
        if fault.errno not in _NO_LINK:
            raise
        if fallback:
            _copy(kept, replaced)
        return
    part.rename(replaced)


def _copy(source: Path, target: Path) -> None:
    part = _part(target)
    part.unlink(missing_ok=True)
    shutil.copyfile(source, part)
    part.chmod(FROZEN_MODE)
    sync_file(part)
    part.rename(target)


def _part(path: Path) -> Path:
    return path.with_name(path.name + _PART)


def _object_fault(path: Path, entry: FileEntry, *, twin: Path) -> str:
    if not path.is_file():
        return "is missing"
    if path.stat().st_size != entry.size:
        return "has another size"
    if twin.is_file() and twin.samefile(path):
        return ""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))
    return "" if digest.hexdigest() == entry.md5 else "was changed"


def _cache_folder(dvc: Path) -> Path:
    """`cache.dir` of the repository's own configuration; the local file wins over the committed one (dvc config)."""
    place = Path("cache")
    for name in ("config", "config.local"):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string((dvc / name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, configparser.Error):
            continue
        place = Path(parser.get("cache", "dir", fallback=str(place)).strip("'\""))
    return dvc / place


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
