"""What `curator verify` finds wrong in the workspace itself: pointers, cache, committed files, stray files.

Nothing is believed because an index or a file time says so: committed files are hashed again as Git would, cache
objects and data files against the manifest. History and tags are judged in `_history`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from curator.edges import store
from curator.edges.git import Git
from curator.edges.workspace._history import history_faults
from curator.edges.workspace._journal import Journal
from curator.edges.workspace._layout import COMMITTED, DATA_PATH, FOLDERS, PRIVATE, SETTINGS
from curator.errors import IntegrityError, StorageError
from curator.manifest import Manifest

_POINTER_ENDING = ".dvc"
_RULES = (".gitignore", ".gitattributes", ".dvcignore", ".dvc/config", ".dvc/.gitignore")
_WATCHED = (*COMMITTED, SETTINGS, "holder.pub", *_RULES)


def find_faults(git: Git, root: Path, *, data: bool) -> list[str]:
    """Every fault, one sentence each, naming the file; see `Workspace.faults`."""
    head = git.files("HEAD", under=_WATCHED)
    pointers = [path for path in head if path.endswith(_POINTER_ENDING)]
    found = [*_files(git, root, head=head), *_staged(git), *_stray(root, head)]
    for path in pointers:
        found += _version(git, root, path=path, data=data)
    found += history_faults(git, head)
    found += [f"{PRIVATE}/journal/{name}: a journal entry that cannot be read" for name in _damaged(root)]
    return found


def _files(git: Git, root: Path, *, head: dict[str, str]) -> Iterator[str]:
    """Committed files against the work tree, by content."""
    for path, blob in head.items():
        place = root / path
        if place.is_symlink() or not place.is_file():
            yield f"{path}: committed but missing from the work tree"
            continue
        bytes_ = place.read_bytes()
        if git.blob_name(bytes_) != blob:
            state = "empty" if not bytes_ else "changed"
            yield f"{path}: {state}, not what the last commit holds"


def _staged(git: Git) -> Iterator[str]:
    listed = git.run("diff-index", "--cached", "--name-only", "--no-renames", "-z", "HEAD", "--", *_WATCHED)
    for name in listed.split(b"\0"):
        if name:
            yield f"{os.fsdecode(name)}: staged in Git's index with other content than the last commit"


def _stray(root: Path, head: dict[str, str]) -> Iterator[str]:
    """Evidence, specs of versions and pointers that no commit holds; data folders and files of no version."""
    for path in sorted((root / "evidence").rglob("*")):
        name = path.relative_to(root).as_posix()
        if not path.is_dir() and name not in head:
            yield f"{name}: evidence that no commit holds"
    for path in sorted((root / "specs").glob("*@*")):
        name = path.relative_to(root).as_posix()
        if name not in head:
            yield f"{name}: named as the spec of a version, and no commit holds it"
    for folder in FOLDERS.values():
        for path in sorted([*(root / folder).glob("*"), *(root / folder).glob("*/*")]):
            fault = _misplaced(path, path.relative_to(root).as_posix(), head=head)
            if fault:
                yield fault


def _misplaced(path: Path, name: str, *, head: dict[str, str]) -> str:
    """What is wrong with a file or folder where only names, versions and their pointers belong; empty when nothing."""
    if name in head:
        return ""
    if path.is_dir() and not path.is_symlink():
        stray = name.count("/") == 2 and f"{name}{_POINTER_ENDING}" not in head
        return f"{name}: a data folder without a committed pointer on this branch" if stray else ""
    if f"{name}{_POINTER_ENDING}" in head:
        return ""  # a link in the place of a version: named with the version
    if name.endswith(_POINTER_ENDING):
        return f"{name}: a pointer that no commit holds"
    return f"{name}: a file of no version, where only versions and their pointers belong"


def _version(git: Git, root: Path, *, path: str, data: bool) -> Iterator[str]:
    """One pointer, its folder and its cache objects."""
    place = path.removesuffix(_POINTER_ENDING)
    try:
        committed = store.Pointer.from_bytes(git.blob("HEAD", path))
    except (IntegrityError, StorageError):
        yield f"{path}: the committed pointer itself is not one"
        return
    if (root / place).is_symlink():
        yield f"{place}: a link where the data folder should be"
    if not (root / place).is_dir():
        yield f"{place}: the data folder is not here; bring it with `dvc pull {path}` or `dvc checkout {path}`"
        return
    try:
        manifest = Manifest.read(root / place)
        wanted = store.pointer_of(manifest, place.rpartition("/")[2])
    except IntegrityError:
        yield f"{place}/manifest.json: missing or not a manifest"
        return
    if wanted != committed:
        yield f"{path}: the committed pointer names other content than the manifest of {place}"
    match = DATA_PATH.fullmatch(place)
    if match and (manifest.name, manifest.version) != match.group("name", "version"):
        yield f"{place}/manifest.json: belongs to another version"
    yield from _spec(git, root, place=place)
    yield from (f"{place}: {fault}" for fault in store.Cache(root).faults(manifest, root / place))
    if data:
        yield from (f"{place}: {fault}" for fault in manifest.differences(root / place))


def _spec(git: Git, root: Path, *, place: str) -> Iterator[str]:
    """The committed spec of a dataset version against the copy in its folder, which the manifest lists."""
    folder, name, version = place.split("/")
    made_by = root / place / "use-case.yaml"
    if folder != FOLDERS["dataset"] or not made_by.is_file():
        return
    path = f"specs/{name}@{version}.yaml"
    held = git.files("HEAD", under=[path]).get(path)
    if held is None:
        yield f"{path}: missing from the last commit, and {place} was made by it"
    elif held != git.blob_name(made_by.read_bytes()):
        yield f"{path}: not the spec that made {place}"


def _damaged(root: Path) -> list[str]:
    folder = root / PRIVATE / "journal"
    return Journal(folder).damaged() if folder.is_dir() else []
