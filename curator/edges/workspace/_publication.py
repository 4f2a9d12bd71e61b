"""Publishing: data folders, pointers, committed files, branch and tag appear together or not at all.

Everything that can be prepared is prepared out of sight: Git objects that nothing names, files in a private folder.
Then the journal entry is written, the files are renamed into place, and **one reference transaction moves the branch
and creates the tag: before it nothing is published, after it everything is**. `settle` ends an attempt either way by
looking at those two references only; the same function runs after success, after an error, and in the next process
after a crash.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from curator.edges import store
from curator.edges.durable import (
    disk_errors,
    make_folders,
    move,
    remove_tree,
    sync_folder,
    sync_tree,
    write_synced,
)
from curator.edges.git import Git, Standing
from curator.edges.workspace import _refusals as refuse
from curator.edges.workspace._journal import Entry, Journal
from curator.edges.workspace._layout import COMMITTED, PRIVATE, with_lines
from curator.errors import StorageError
from curator.manifest import MANIFEST, Manifest

_INDEX_WAIT_SECONDS = 5.0
_STALE_SECONDS = 1.0
_POLL_SECONDS = 0.02
_FOREVER = tuple(f"{folder}/" for folder in COMMITTED)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What one publication works on: the repository, the journal and the private temporary folder."""

    git: Git
    journal: Journal
    root: Path
    scratch: Path


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be published; see `Workspace.publish`."""

    folders: Mapping[str, Path]
    files: Mapping[str, bytes]
    message: str
    tag: str
    tag_message: str


def publish(parts: Parts, request: Request) -> str:
    """Publish under the caller's lock; returns the commit.

    Raises:
        StorageError, IntegrityError, UsageError: see `Workspace.publish`; the workspace is as before.
    """
    refuse.elsewhere(parts.root / PRIVATE / "tmp", request.folders.values())
    manifests = {place: _staged_manifest(place, folder) for place, folder in request.folders.items()}
    refuse.bad_paths(parts.root, request.files)
    refuse.taken(parts.git, parts.root, places=request.folders, tag=request.tag)
    files = dict(request.files) | _pointer_files(parts.root, manifests)
    standing = refuse.unclean(parts.git, {*COMMITTED, *request.files})
    needed = sum(len(data) for data in files.values())
    with disk_errors(parts.root, asked="publish", needed=needed):
        for folder in request.folders.values():
            sync_tree(folder)
        staged = _stage(parts, files)
        entry = _prepare(parts, request, manifests=manifests, staged=staged, standing=standing)
        _carry_out(parts, entry, manifests=manifests, staged=staged)
    return entry.commit


def _carry_out(parts: Parts, entry: Entry, *, manifests: Mapping[str, Manifest], staged: Mapping[str, Path]) -> None:
    """Write the entry down, do what it says, end it. An error after the publication itself is no error any more."""
    published = False
    try:
        try:
            parts.journal.write(entry)
            _place(parts, entry, manifests=manifests, staged=staged)
            _switch(parts.git, entry)
        finally:
            published = _settle_twice(parts, entry)
    except (StorageError, OSError):
        if not published:
            raise


def _settle_twice(parts: Parts, entry: Entry) -> bool:
    """Settle, and once more after a fault that may have passed; the next opening tries again after that."""
    try:
        return settle(parts, entry)
    except (StorageError, OSError):
        return settle(parts, entry)


def settle(parts: Parts, entry: Entry) -> bool:
    """End one attempt: finish it when its branch or tag is published, undo it otherwise; returns which.

    May be repeated: a settlement that is itself cut short is completed by the next one. Raises OSError, StorageError.
    """
    _clear_stale_locks(parts.git, entry)
    tagged = bool(entry.tag) and parts.git.resolve(f"refs/tags/{entry.tag}") == entry.tag_object
    # Either one tells that it is published, since a crash may separate the two.
    published = tagged or parts.git.contains(ancestor=entry.commit, tip=entry.branch)
    if published:
        _finish(parts.git, entry, tagged=tagged)
    else:
        _undo(parts, entry)
    store.Cache(parts.root).tidy(entry.objects)
    _release_index(parts.git, entry)
    parts.journal.drop(entry)
    return published


# ---- before anything is visible


def _staged_manifest(place: str, folder: Path) -> Manifest:
    """The manifest of a staged folder, after checks that need no hashing: place, names, sizes."""
    match = refuse.bad_place(place)
    manifest = Manifest.read(folder)
    if (f"{manifest.kind}s", manifest.name, manifest.version) != match.group("folder", "name", "version"):
        raise refuse.staged_differs(place, "a manifest of another kind, name or version")
    sizes = {MANIFEST: (folder / MANIFEST).stat().st_size} | {entry.path: entry.size for entry in manifest.files}
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    if set(present) != set(sizes):
        raise refuse.staged_differs(place, "files that its manifest does not list, or listed files that are absent")
    if any(path.is_symlink() or path.stat().st_size != sizes[name] for name, path in present.items()):
        raise refuse.staged_differs(place, "a link, or a file whose size is not the one in its manifest")
    store.entries(manifest)
    return manifest


def _pointer_files(root: Path, manifests: Mapping[str, Manifest]) -> dict[str, bytes]:
    """The `.dvc` pointer and the ignore line of each data folder, as `dvc add` would leave them."""
    files: dict[str, bytes] = {}
    ignored: dict[str, str] = {}
    for place, manifest in manifests.items():
        parent, name = place.rsplit("/", 1)
        files[f"{place}.dvc"] = store.pointer_text(manifest, name)
        ignored[parent] = ignored.get(parent, "") + f"/{name}\n"
    return files | {
        f"{parent}/.gitignore": with_lines(root / parent / ".gitignore", ignored[parent]) for parent in ignored
    }


def _stage(parts: Parts, files: Mapping[str, bytes]) -> dict[str, Path]:
    """Write the files' bytes out of sight, durably: final path to staged file, sorted by path."""
    staged = {}
    for number, (path, data) in enumerate(sorted(files.items())):
        staged[path] = parts.scratch / f"{number}"
        write_synced(staged[path], data)
    sync_folder(parts.scratch)
    return staged


def _prepare(
    parts: Parts,
    request: Request,
    *,
    manifests: Mapping[str, Manifest],
    staged: Mapping[str, Path],
    standing: Standing,
) -> Entry:
    """Write the Git objects, which nothing names yet, and the journal entry of the attempt."""
    git, root = parts.git, parts.root
    branch, old = standing.branch, standing.commit
    committed = git.files(old, under=staged) if staged else {}
    blobs = dict(zip(staged, git.store_files(staged.values()) if staged else [], strict=True))
    present = {path for path in blobs if (root / path).exists()}
    differs = {path for path in present if git.blob_name((root / path).read_bytes()) != blobs[path]}
    refuse.path_taken(path for path in differs if path not in committed or _is_written_once(path))
    commit = git.store_commit(parent=old, blobs=blobs, message=request.message, index=parts.scratch / "index")
    tag_object = git.store_tag(request.tag, commit, message=request.tag_message) if request.tag else ""
    with disk_errors(root, asked="publish"):
        git.sync_objects(new=commit, old=old)
    names = {name for manifest in manifests.values() for name in store.object_names(manifest)}
    return Entry(
        id=parts.journal.new_id(),
        branch=branch,
        old=old,
        commit=commit,
        tag=request.tag,
        tag_object=tag_object,
        folders={place: folder.relative_to(root).as_posix() for place, folder in request.folders.items()},
        objects=store.Cache(root).absent(sorted(names)),
        blobs=blobs,
        created=[path for path in blobs if path not in present],
        replaced={path: committed[path] for path in sorted(differs)},
        made=_absent_folders(root, [*blobs, *request.folders]),
    )


def _is_written_once(path: str) -> bool:
    return path.startswith(_FOREVER) and not path.endswith("/.gitignore")


def _absent_folders(root: Path, paths: Iterable[str]) -> list[str]:
    parents = {str(parent) for path in paths for parent in PurePosixPath(path).parents if str(parent) != "."}
    return sorted(name for name in parents if not (root / name).exists())


# ---- the visible part


def _place(parts: Parts, entry: Entry, *, manifests: Mapping[str, Manifest], staged: Mapping[str, Path]) -> None:
    """Put everything where it belongs. What follows is undone by `settle` unless `_switch` succeeds."""
    _hold_index(parts.git, entry)
    cache = store.Cache(parts.root)
    make_folders(parts.root, entry.made)
    placed = sorted((*entry.created, *entry.replaced), key=lambda path: (not path.endswith("/.gitignore"), path))
    ignored = [path for path in placed if path.endswith("/.gitignore")]
    for path in ignored:  # before the data, or a `git add .` in this moment would take the data
        move(staged[path], parts.root / path)
    for place, manifest in manifests.items():
        cache.adopt(manifest, parts.root / entry.folders[place])
        move(parts.root / entry.folders[place], parts.root / place)
    for path in placed[len(ignored) :]:
        move(staged[path], parts.root / path)


def _switch(git: Git, entry: Entry) -> None:
    """The publication itself: the branch and the tag in one reference transaction."""
    updates = {entry.branch: (entry.commit, entry.old)}
    if entry.tag:
        updates[f"refs/tags/{entry.tag}"] = (entry.tag_object, "")
    git.move_refs(updates, reason="curator: publish")


# ---- afterwards


def _finish(git: Git, entry: Entry, *, tagged: bool) -> None:
    """Complete the two references, make them durable, and tell the user's index about the new files."""
    tag = f"refs/tags/{entry.tag}"
    missing: dict[str, tuple[str, str]] = {}
    if git.resolve(entry.branch) == entry.old:
        missing[entry.branch] = (entry.commit, entry.old)
    if entry.tag and not tagged and not git.resolve(tag):
        missing[tag] = (entry.tag_object, "")
    if missing:
        git.move_refs(missing, reason="curator: finish a publication")
    git.sync_refs([entry.branch, *([tag] if entry.tag else [])])
    if git.contains(ancestor=entry.commit, tip="HEAD"):  # otherwise the index belongs to another branch by now
        _update_index(git, entry)


def _update_index(git: Git, entry: Entry) -> None:
    """Enter the new files into the user's index and leave the user's own staged changes as they are."""
    _hold_index(git, entry)
    index, new = git.folder / "index", _own_index(git, entry)
    for path in (new, new.with_name(new.name + ".lock")):
        path.unlink(missing_ok=True)
    if index.exists():
        new.write_bytes(index.read_bytes())
    else:
        git.run("read-tree", entry.commit, index=new)
    git.add_to_index(entry.blobs, index=new)
    git.refresh_index(index=new)
    move(new, index)


def _undo(parts: Parts, entry: Entry) -> None:
    """Take back what was placed; what somebody changed or committed since is left to them."""
    root, git = parts.root, parts.git
    kept = git.files("HEAD", under=entry.blobs) if entry.blobs else {}
    ours = [
        path for path, blob in entry.blobs.items() if kept.get(path) != blob and _holds(git, root / path, blob=blob)
    ]
    for place, staged in entry.folders.items():
        if (root / place).exists() and f"{place}.dvc" not in kept:
            _take_back(root / place, root / staged)
    for path in ours:
        if path in entry.created:
            (root / path).unlink()
        elif path in entry.replaced:
            _restore(parts, root / path, data=git.run("cat-file", "blob", entry.replaced[path]))
    if not any(f"{place}.dvc" in kept for place in entry.folders):
        store.Cache(root).remove(entry.objects)
    for name in reversed(entry.made):
        if (root / name).is_dir() and not any((root / name).iterdir()):
            (root / name).rmdir()
    _sync_known(root, [*entry.folders, *entry.created, *entry.replaced])


def _take_back(place: Path, staged: Path) -> None:
    """Return a folder to where it was staged, for another try; what a dead process staged is swept later."""
    if staged.parent.is_dir() and not staged.exists():
        place.rename(staged)
    else:
        remove_tree(place)


def _holds(git: Git, path: Path, *, blob: str) -> bool:
    return path.is_file() and git.blob_name(path.read_bytes()) == blob


def _restore(parts: Parts, path: Path, *, data: bytes) -> None:
    part = parts.scratch / "restored"
    part.unlink(missing_ok=True)
    write_synced(part, data)
    move(part, path)


def _sync_known(root: Path, paths: Iterable[str]) -> None:
    for parent in sorted({(root / path).parent for path in paths}):
        if parent.is_dir():
            sync_folder(parent)
    sync_folder(root)


# ---- locks of Git


def _own_index(git: Git, entry: Entry) -> Path:
    return git.folder / f"{PRIVATE[1:]}-{entry.id}"


def _marker(git: Git, entry: Entry) -> Path:
    return git.folder / f"{PRIVATE[1:]}-{entry.id}.marker"


def _hold_index(git: Git, entry: Entry) -> None:
    """Hold `.git/index.lock`, so that no commit can be made from an index that lacks the new files.

    The lock file is a hard link to a file of ours: whoever settles the entry can tell our lock from another's.
    """
    marker, lock = _marker(git, entry), git.folder / "index.lock"
    if lock.exists() and marker.exists() and lock.samefile(marker):
        return
    if not marker.exists():
        write_synced(marker, b"")
    deadline = time.monotonic() + _INDEX_WAIT_SECONDS
    while True:
        try:
            os.link(marker, lock)
            return
        except FileExistsError:
            if time.monotonic() > deadline:
                raise refuse.git_busy() from None
            time.sleep(_POLL_SECONDS)


def _release_index(git: Git, entry: Entry) -> None:
    marker, lock = _marker(git, entry), git.folder / "index.lock"
    if marker.exists() and lock.exists() and lock.samefile(marker):
        lock.unlink()
    own = _own_index(git, entry)
    for path in (own, own.with_name(own.name + ".lock"), marker):
        path.unlink(missing_ok=True)


def _clear_stale_locks(git: Git, entry: Entry) -> None:
    """Remove the reference locks that a killed Git left for this entry's own references.

    Children of ours hold the workspace lock until they end, so none is alive here. A lock that another Git took in
    this second is told apart by not staying the same file.
    """
    names = [git.folder / "HEAD.lock", git.common / f"{entry.branch}.lock", git.common / f"refs/tags/{entry.tag}.lock"]
    seen = {path: _identity(path) for path in names if path.exists()}
    deadline = time.monotonic() + _STALE_SECONDS
    while any(_identity(path) == was for path, was in seen.items()) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    for path, was in seen.items():
        if _identity(path) == was:
            path.unlink(missing_ok=True)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def heal(parts: Parts) -> list[bool]:
    """Settle every entry that a dead process left; returns, for each, whether it turned out to be published."""
    with disk_errors(parts.root, asked="finish or undo an interrupted publication"):
        return [settle(parts, entry) for entry in list(parts.journal.entries())]
