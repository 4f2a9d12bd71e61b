"""What `curator verify` finds wrong in Git itself: history, tags, objects, and what Git must never hold.

Evidence, the holder's key and the settings are written once: no commit changes or deletes them, and no branch is moved
back behind a commit that added evidence. How far the second can be seen offline is bounded by what Git remembers: its
other branches, its tags and its reference logs (git-reflog(1): 30 to 90 days here, and nothing in a fresh clone).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from curator.edges.git import Git
from curator.edges.workspace._layout import FOLDERS, PRIVATE, SETTINGS
from curator.errors import StorageError

_POINTER_ENDING = ".dvc"
_VERSION_TAG = re.compile(r"(?P<name>[^@/]+)@(?P<version>[^@/]+)")
_POINTER = re.compile(r"[^/]+/(?P<name>[^/]+)/(?P<version>[^/]+)\.dvc")
_ONCE = ("evidence", "holder.pub", SETTINGS)
_WORDS = {"D": "deleted", "M": "changed", "T": "replaced by a link or folder"}


def history_faults(git: Git, head: Mapping[str, str]) -> list[str]:
    """Every fault, one sentence each; `head` holds the files of the last commit."""
    shallow = git.run("rev-parse", "--is-shallow-repository").strip() == b"true"
    found = [*_rewritten(git), *_exposed(git), *_tags(git), *_objects(git)]
    if shallow:
        return [*found, _SHALLOW]
    return [*found, *_untagged(git, head), *_left(git)]


_SHALLOW = (
    ".git: a shallow clone: changes of evidence before its first commit, and tags, cannot be judged here; "
    "bring the rest with `git fetch --unshallow --tags`"
)


def _rewritten(git: Git) -> Iterator[str]:
    """Commits that HEAD reaches and that changed or deleted what is written once; merges against each parent."""
    options = ("--full-history", "-m", "--no-renames", "--diff-filter=DMT", "--name-status", "--format=%x01%H", "-z")
    listed = os.fsdecode(git.run("log", *options, "HEAD", "--", *_ONCE))
    told = set()
    for block in listed.split("\x01")[1:]:
        fields = [field.strip("\n") for field in block.split("\0")]
        commit, rest = fields[0], [field for field in fields[1:] if field]
        for state, path in zip(rest[::2], rest[1::2], strict=False):
            if (commit, path) not in told:
                told.add((commit, path))
                what = "evidence " if path.startswith("evidence/") else ""
                yield f"{path}: {what}{_WORDS.get(state, 'changed')} by commit {commit[:12]}"


def _left(git: Git) -> Iterator[str]:
    """Evidence in commits that Git still remembers and that no branch holds: a branch was moved back or dropped."""
    options = ("--full-history", "-m", "--no-renames", "--diff-filter=A", "--name-only", "--format=", "-z")
    gone = ("log", "--reflog", "--tags", *options, "--not", "HEAD", "--branches", "--remotes", "--", "evidence")
    added = _names(git.run(*gone))
    if not added:
        return
    tips = os.fsdecode(git.run("for-each-ref", "--format=%(objectname)", "refs/heads", "refs/remotes")).split()
    held = set().union(*(git.files(tip, under=["evidence"]) for tip in {"HEAD", *tips}))
    for path in added:
        if path not in held:
            yield f"{path}: evidence that a commit held and no branch holds any more; a branch was moved back"


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


def _untagged(git: Git, head: Mapping[str, str]) -> Iterator[str]:
    """Versions without their tag, and tags of versions that lead into no history that a branch has."""
    tags = set(git.tags())
    versions = {f"{match['name']}@{match['version']}" for match in map(_POINTER.fullmatch, head) if match}
    for name in sorted(versions - tags):
        yield f"tag {name}: absent, and the version is here; a clone brings tags with `git fetch --tags`"
    beside = os.fsdecode(git.run("for-each-ref", "--format=%(refname:lstrip=2)", "--no-merged=HEAD", "refs/tags"))
    for name in beside.splitlines():
        if not _VERSION_TAG.fullmatch(name):
            continue
        if name in versions:
            yield f"tag {name}: its commit is not in the history of this branch, which was written anew"
        elif not _on_a_branch(git, name):
            yield f"tag {name}: its commit is in the history of no branch; a branch was moved back or dropped"


def _on_a_branch(git: Git, tag: str) -> bool:
    """Whether some branch, of here or of a remote, holds a tag's commit."""
    held = git.run("for-each-ref", "--count=1", f"--contains=refs/tags/{tag}", "refs/heads", "refs/remotes")
    return bool(held.strip())


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
