"""What `curator verify` finds wrong in the workspace itself: pointers, cache, committed files, history, tags.

It also names what must never be in Git: the private folder (keys, rejected rows), and the data themselves.

Nothing is believed because an index or a file time says so: committed files are hashed again as Git would, cache
objects and data files against the manifest. History counts too: a file of evidence is never changed or deleted by any
commit.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from curator.edges import store
from curator.edges.git import Git
from curator.edges.workspace._journal import Journal
from curator.edges.workspace._layout import COMMITTED, DATA_PATH, FOLDERS, PRIVATE, SETTINGS
from curator.errors import IntegrityError, StorageError
from curator.manifest import Manifest

_POINTER_ENDING = ".dvc"
_VERSION_TAG = re.compile(r"(?P<name>[^@/]+)@(?P<version>[^@/]+)")
_RULES = (".gitignore", ".gitattributes", ".dvcignore", ".dvc/config", ".dvc/.gitignore")
_WATCHED = (*COMMITTED, SETTINGS, "holder.pub", *_RULES)


def find_faults(git: Git, root: Path, *, data: bool) -> list[str]:
    """Every fault, one sentence each, naming the file; see `Workspace.faults`."""
    head = git.files("HEAD", under=_WATCHED)
    pointers = [path for path in head if path.endswith(_POINTER_ENDING)]
    found = [*_files(git, root, head=head), *_staged(git), *_stray(root, head)]
    for path in pointers:
        found += _version(git, root, path=path, data=data)
    found += [*_history(git), *_exposed(git), *_tags(git), *_objects(git)]
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
    """Evidence and pointers that no commit holds, data folders that no pointer names."""
    for path in sorted((root / "evidence").rglob("*")):
        name = path.relative_to(root).as_posix()
        if not path.is_dir() and name not in head:
            yield f"{name}: evidence that no commit holds"
    for folder in ("datasets", "models"):
        for path in sorted((root / folder).glob("*/*")):
            name = path.relative_to(root).as_posix()
            if name.endswith(_POINTER_ENDING) and name not in head:
                yield f"{name}: a pointer that no commit holds"
            if path.is_dir() and f"{name}{_POINTER_ENDING}" not in head:
                yield f"{name}: a data folder without a committed pointer on this branch"


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


def _history(git: Git) -> Iterator[str]:
    """Commits that HEAD reaches and that changed or deleted evidence; merges are compared with each parent."""
    options = ("--full-history", "-m", "--no-renames", "--diff-filter=DMT", "--name-status", "--format=%x01%H", "-z")
    listed = os.fsdecode(git.run("log", *options, "HEAD", "--", "evidence"))
    words = {"D": "deleted", "M": "changed", "T": "replaced by a link or folder"}
    told = set()
    for block in listed.split("\x01")[1:]:
        fields = [field.strip("\n") for field in block.split("\0")]
        commit, rest = fields[0], [field for field in fields[1:] if field]
        for state, path in zip(rest[::2], rest[1::2], strict=False):
            if (commit, path) not in told:
                told.add((commit, path))
                yield f"{path}: evidence {words.get(state, 'changed')} by commit {commit[:12]}"


def _exposed(git: Git) -> Iterator[str]:
    """Files that Git holds and must not: private ones, ever and on any branch; data beside its pointer, now."""
    ever = git.run("log", "--all", "--full-history", "-m", "--format=", "--name-only", "-z", "--", PRIVATE)
    for name in _names(ever + git.run("ls-files", "-z", "--", PRIVATE)):
        yield f"{name}: a private file that Git holds; whoever has a copy of the repository has it"
    for name in _names(git.run("ls-files", "-z", "--", *FOLDERS.values())):
        if not name.endswith((_POINTER_ENDING, "/.gitignore")):
            yield f"{name}: data that Git holds, where only pointers belong"


def _names(listed: bytes) -> list[str]:
    """Names that Git ended with NUL, each once, sorted."""
    return sorted({os.fsdecode(raw).strip("\n") for raw in listed.split(b"\0")} - {""})


def _tags(git: Git) -> Iterator[str]:
    """Tags against what they say: their own name, and the commit that published the version they name."""
    shape = "--format=%(refname:lstrip=2)%00%(objecttype)%00%(tag)%00%(*objecttype)"
    rows = [line.split("\0") for line in os.fsdecode(git.run("for-each-ref", shape, "refs/tags")).splitlines()]
    for name, kind, inner, target in rows:
        match = _VERSION_TAG.fullmatch(name)
        if kind == "tag" and inner != name:
            yield f"tag {name}: is the tag object of {inner}"
        elif match and (kind != "tag" or target != "commit"):
            yield f"tag {name}: is not an annotated tag of a commit"
        elif match and not _publishes(git, name, name=match["name"], version=match["version"]):
            yield f"tag {name}: its commit is not the one that published this version"


def _publishes(git: Git, tag: str, *, name: str, version: str) -> bool:
    """Whether the tagged commit adds the version's pointer, which its parent does not have."""
    paths = [f"{folder}/{name}/{version}{_POINTER_ENDING}" for folder in ("datasets", "models")]
    now = set(git.files(f"refs/tags/{tag}", under=paths))
    parent = git.resolve(f"refs/tags/{tag}^1")
    return bool(now - set(git.files(parent, under=paths) if parent else ()))


def _objects(git: Git) -> Iterator[str]:
    """Git's own objects: damaged, missing, or not what their name says."""
    try:
        git.run("fsck", "--full", "--no-dangling", "--no-progress", "--no-reflogs")
    except StorageError as fault:
        if fault.code != "git-failed":
            raise
        yield f".git: {fault.found}"


def _damaged(root: Path) -> list[str]:
    folder = root / PRIVATE / "journal"
    return Journal(folder).damaged() if folder.is_dir() else []
