"""What a publication refuses before it changes anything, and the errors that say so."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

from curator.edges.git import Git, Standing
from curator.edges.workspace._layout import DATA_PATH
from curator.errors import IntegrityError, StorageError, UsageError

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@+-]*")
_USUAL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*@\d+\.\d+\.\d+")  # what Git need not be asked of
_CLOSED = {".git", ".dvc", ".curator"}


def closed(private: Path) -> None:
    """Refuse a workspace whose private folder is closed to this user. Raises StorageError `workspace-closed`."""
    if os.path.lexists(private) and not os.access(private, os.R_OK | os.X_OK):
        raise StorageError(
            "workspace-closed",
            asked="open a workspace",
            found="a private folder (`.curator`) that is closed to this user",
            expected="the user who holds the workspace, or a copy of it without the private folder",
            todo="act as that user; to audit, ask them for a clone (`git clone`) and the data folders, which is enough",
        )


def bad_paths(root: Path, paths: Iterable[str]) -> None:
    """Refuse paths that leave the workspace or enter a private folder. Raises UsageError `path-invalid`."""
    home = root.resolve()
    for path in paths:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts or str(pure) != path or "\n" in path:
            raise bad_path("a path that leaves the workspace")
        if pure.parts[0] in _CLOSED or DATA_PATH.fullmatch("/".join(pure.parts[:3])):
            raise bad_path("a path inside a private folder or a data folder")
        if not (root / path).parent.resolve().is_relative_to(home) or (root / path).is_symlink():
            raise bad_path("a path that goes through a link")


def taken(git: Git, root: Path, *, places: Iterable[str], tag: str) -> None:
    """Refuse places, pointers and tags that exist. Raises StorageError `version-exists`, UsageError `tag-invalid`."""
    for place in places:
        bad_paths(root, [f"{place}.dvc"])
        found = [kind for kind, path in (("folder", place), ("pointer", f"{place}.dvc")) if (root / path).exists()]
        if found or git.files("HEAD", under=[f"{place}.dvc"]):
            kind = found[0] if found else "committed pointer"
            raise _version_exists(place, found=kind, free=_next_free(git, root, place=place))
    if (
        tag
        and not _USUAL.fullmatch(tag)
        and not (_TAG.fullmatch(tag) and git.ask("check-ref-format", f"refs/tags/{tag}"))
    ):
        raise _tag_invalid()
    if tag and git.resolve(f"refs/tags/{tag}"):
        free = next((_next_free(git, root, place=place) for place in places), "a version that does not exist")
        raise _version_exists(tag, found="tag", free=free)


def unclean(git: Git, paths: Collection[str]) -> Standing:
    """Refuse tracked files that differ from the last commit; returns where HEAD stands.

    Raises StorageError `workspace-dirty`, `git-detached`.
    """
    standing = git.standing(sorted(paths))
    changed = [*standing.unclean]
    if (git.folder / "MERGE_HEAD").exists():
        changed.insert(0, "a merge that is not concluded")
    if changed:
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        raise StorageError(
            "workspace-dirty",
            asked="publish",
            found="changed but not committed: " + ", ".join(changed[:5]) + more,
            expected="committed files of the workspace as they were committed",
            todo="look at `git status`, then `git restore --staged --worktree FILE`, or commit what you meant",
        )
    return standing


def path_taken(paths: Iterable[str]) -> None:
    """Refuse files that stand there with other bytes and may not be replaced. Raises StorageError `path-taken`."""
    for path in sorted(paths):
        raise StorageError(
            "path-taken",
            asked="publish a file that is written once",
            found=f"other bytes in {path}",
            expected="a new name, or the bytes that stand there",
            todo="give the spec a new version, or set aside the file that is not committed",
        )


def elsewhere(tmp: Path, folders: Iterable[Path]) -> None:
    """Refuse folders staged outside the workspace's own temporary folder. Raises UsageError `path-invalid`."""
    if not all(folder.is_dir() and not folder.is_symlink() and tmp in folder.parents for folder in folders):
        raise bad_path("a staged folder that is absent or not in a scratch folder of this workspace")


def bad_place(place: str) -> re.Match[str]:
    """Refuse a data folder that is not datasets/NAME/VERSION or models/NAME/VERSION: UsageError `path-invalid`."""
    match = DATA_PATH.fullmatch(place)
    if match is None:
        raise bad_path("a data folder elsewhere than datasets/NAME/VERSION or models/NAME/VERSION")
    return match


def bad_path(found: str) -> UsageError:
    """The error of a path that may not be published."""
    return UsageError(
        "path-invalid",
        asked="publish files and data folders",
        found=found,
        expected="POSIX paths inside the workspace; data in datasets/NAME/VERSION or models/NAME/VERSION",
        todo="correct the name or the version: names in lower case, versions as 1.2.0",
    )


def staged_differs(place: str, found: str) -> IntegrityError:
    """The error of a staged folder that is not what its manifest says."""
    return IntegrityError(
        "staged-differs",
        asked=f"publish {place}",
        found=found,
        expected="a folder that holds the files of its manifest and nothing else",
        todo="run the command again from the start; if it happens again, look for another process writing there",
    )


def git_busy() -> StorageError:
    """The error of an index that another Git command holds."""
    return StorageError(
        "git-busy",
        asked="publish",
        found="another Git command is working here (.git/index.lock exists)",
        expected="no other Git command while the branch moves",
        todo="end a running `git commit`, or remove .git/index.lock if no Git runs; then run the command again",
    )


def _version_exists(what: str, *, found: str, free: str) -> StorageError:
    return StorageError(
        "version-exists",
        asked=f"publish {what}",
        found=f"a {found} of that version; versions never change",
        expected=f"a version that does not exist yet; the next free one is {free}",
        todo=f"set the version to {free} and run the command again",
    )


def _tag_invalid() -> UsageError:
    return UsageError(
        "tag-invalid",
        asked="create the tag of a publication",
        found="a name that Git does not take as a tag",
        expected="a name such as road-accidents@1.2.0",
        todo="use letters, digits, `.`, `-`, `_`, `@` and `/`",
    )


def _next_free(git: Git, root: Path, *, place: str) -> str:
    """The first free patch version after the ones that exist with the same major and minor number."""
    match = DATA_PATH.fullmatch(place)
    if match is None:
        return "the next patch version"
    parent = f"{match['folder']}/{match['name']}"
    names = [path.removeprefix(f"{parent}/") for path in git.files("HEAD", under=[f"{parent}/"])]
    names += [path.name for path in (root / parent).iterdir()] if (root / parent).is_dir() else []
    names += [tag.rpartition("@")[2] for tag in git.tags() if tag.startswith(f"{match['name']}@")]
    series = match["version"].split("-")[0].rsplit(".", 1)[0]
    pattern = re.compile(rf"{re.escape(series)}\.(\d+)(?:-[0-9A-Za-z.-]+?)?(?:\.dvc)?")
    patches = [int(found[1]) for name in names if (found := pattern.fullmatch(name))]
    return f"{series}.{max(patches, default=-1) + 1}"
