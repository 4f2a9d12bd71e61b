"""Where things stand in a workspace, and how a new one is laid out.

curator.yaml  holder.pub  specs/  evidence/                 committed
datasets/NAME/VERSION.dvc  models/NAME/VERSION.dvc          committed pointers
datasets/NAME/VERSION/     models/NAME/VERSION/             data, ignored by Git, carried by DVC
releases/*.cur                                              packages, ignored
.curator/                                                   private (0700): keys, rejected rows, lock, journal
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import yaml

from curator.edges import store
from curator.edges.durable import PRIVATE_MODE, disk_errors, make_folders, move, remove_tree, sync_folder, write_synced
from curator.edges.git import Git, start_repository
from curator.errors import StorageError, UsageError

SETTINGS = "curator.yaml"
PRIVATE = ".curator"
FOLDERS = {"dataset": "datasets", "model": "models"}
COMMITTED = (*FOLDERS.values(), "evidence", "specs")
VERSION = r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?"
DATA_PATH = re.compile(
    rf"(?P<folder>datasets|models)/(?P<name>[a-z0-9][a-z0-9._-]*)/(?!.*\.dvc$)(?P<version>{VERSION})"
)

_BEGUN = "begun"
_OURS = "repository\n"  # what the file says when the repository was begun with the workspace
_PARTS = ("keys", "tmp", "holder", "journal")
_IGNORED = "/.curator/\n/releases/*.cur\n"
_ATTRIBUTES = (
    "# Evidence is believed by its bytes: no line ending may change; parallel branches join their ignore lists.\n"
    "/curator.yaml -text\n/holder.pub -text\n/specs/** -text\n/evidence/** -text\n"
    "/datasets/** -text\n/models/** -text\n/.dvc/** -text\n/.dvcignore -text\n/.git* -text\n"
    "/datasets/*/.gitignore merge=union\n/models/*/.gitignore merge=union\n"
)


def create(root: Path, *, holder: str, created: datetime | None = None) -> None:
    """Lay out a workspace in a folder that is absent, empty, or the root of a Git repository.

    Every step can be repeated, so a call that was cut short is completed by the next one.

    Args:
        root: the folder.
        holder: who holds the data, as it will stand in every record.
        created: when, with a time zone; now when absent.

    Raises:
        StorageError: `workspace-exists`, `workspace-foreign`, `git-absent`, `no-space`, `disk-failed`.
        UsageError: `holder-invalid`.
    """
    if not holder.strip() or not holder.isprintable():
        raise _holder_invalid()
    begun = root / PRIVATE / _BEGUN
    if not begun.exists():
        _refuse_taken(root)
    with disk_errors(root, asked="create a workspace"):
        _make_private(root)
        if begun.exists():
            _drop_unborn(root, begun)
        begun.write_text("" if (root / ".git").exists() else _OURS, encoding="ascii")
    start_repository(root)
    when = (created or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    settings = f"format: 1\nholder: {json.dumps(holder, ensure_ascii=False)}\ncreated: {when}\n"
    with disk_errors(root, asked="create a workspace"):
        _commit_files(root, _first_files(root, settings))
        begun.unlink()
        sync_folder(begun.parent)


def is_complete(root: Path) -> bool:
    """Whether `create` came to its end in this folder."""
    return (root / SETTINGS).is_file() and not (root / PRIVATE / _BEGUN).exists()


def ensure_private(root: Path) -> None:
    """Make the private folder where it is absent, as in a clone. Raises OSError."""
    if any(not (root / PRIVATE / name).is_dir() for name in _PARTS):
        _make_private(root)


def read_holder(root: Path) -> str:
    """Who holds the workspace's data. Raises StorageError `workspace-absent` when `curator.yaml` is not ours."""
    try:
        settings = yaml.safe_load((root / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as fault:
        raise workspace_absent(f"a {SETTINGS} that cannot be read") from fault
    if not isinstance(settings, dict) or settings.get("format") != 1 or not isinstance(settings.get("holder"), str):
        raise workspace_absent(f"a {SETTINGS} of another format")
    return str(settings["holder"])


def workspace_absent(found: str) -> StorageError:
    """The error of a folder that is no workspace."""
    return StorageError(
        "workspace-absent",
        asked="open a workspace",
        found=found,
        expected=f"a folder with {SETTINGS}, made by `curator init`",
        todo="run `curator init FOLDER`, or go to the folder that holds the workspace",
    )


def _make_private(root: Path) -> None:
    """`.curator` and its parts, closed to others, and ignored even if the ignore file at the top is edited."""
    root.mkdir(parents=True, exist_ok=True)
    private = root / PRIVATE
    for path in (private, *(private / name for name in _PARTS)):
        path.mkdir(mode=PRIVATE_MODE, exist_ok=True)
        path.chmod(PRIVATE_MODE)
    if not (private / ".gitignore").is_file():
        write_synced(private / ".gitignore", b"*\n", mode=0o600)


def _first_files(root: Path, settings: str) -> dict[str, bytes]:
    files = {
        SETTINGS: settings.encode(),
        ".dvc/config": store.CONFIG.encode(),
        ".dvc/.gitignore": store.INNER_GITIGNORE.encode(),
    }
    files = {name: data for name, data in files.items() if not (root / name).is_file()}
    merged = {".gitignore": _IGNORED, ".gitattributes": _ATTRIBUTES, ".dvcignore": store.IGNORE}
    return files | {name: with_lines(root / name, lines) for name, lines in merged.items()}


def with_lines(path: Path, lines: str) -> bytes:
    """A text file's bytes with these lines added at its end where they are missing; the file may be absent."""
    old = path.read_bytes() if path.is_file() else b""
    present = set(old.splitlines())
    missing = b"".join(line.encode() + b"\n" for line in lines.splitlines() if line.encode() not in present)
    separator = b"\n" if old and not old.endswith(b"\n") and missing else b""
    return old + separator + missing


def _drop_unborn(root: Path, begun: Path) -> None:
    """Remove a repository that a creation cut short began, and that has no branch yet: a killed Git leaves locks."""
    git = root / ".git"
    branches = (git / "refs/heads").is_dir() and any((git / "refs/heads").iterdir())
    if begun.read_text(encoding="ascii") == _OURS and git.is_dir() and not branches:
        remove_tree(git)


def _commit_files(root: Path, files: Mapping[str, bytes]) -> None:
    """Write files atomically and commit them, with curator.yaml, leaving other staged changes alone."""
    make_folders(root, [".dvc"])
    part = root / PRIVATE / "tmp" / "first"
    for name, data in files.items():
        part.unlink(missing_ok=True)
        write_synced(part, data)
        move(part, root / name)
    git = Git(root, born=False)
    names = sorted({*files, SETTINGS, ".dvc/config", ".dvc/.gitignore"})
    blobs = dict(zip(names, git.store_files([root / name for name in names]), strict=True))
    part.unlink(missing_ok=True)
    parent = git.resolve("HEAD")
    commit = git.store_commit(parent=parent, blobs=blobs, message="Create the workspace", index=part)
    part.unlink(missing_ok=True)
    branch = git.branch()
    git.move_refs({branch: (commit, parent)}, reason="curator: create the workspace")
    git.run("update-index", "--add", "--", *names)
    git.sync_objects(new=commit, old=parent)
    git.sync_refs([branch])


def _refuse_taken(root: Path) -> None:
    if (root / SETTINGS).exists():
        raise StorageError(
            "workspace-exists",
            asked="create a workspace",
            found=f"a {SETTINGS} in this folder",
            expected="a folder that holds no workspace yet",
            todo="use this workspace as it is, or name another folder",
        )
    if root.exists() and not root.is_dir():
        raise _foreign("a file of that name")
    others = root.is_dir() and any(path.name != PRIVATE for path in root.iterdir())
    if others and not (root / ".git").exists():
        raise _foreign("files that are not a workspace")
    if (root / ".dvc").exists():
        raise _foreign("a DVC repository with its own configuration")


def _foreign(found: str) -> StorageError:
    return StorageError(
        "workspace-foreign",
        asked="create a workspace",
        found=found,
        expected="a folder that is absent, empty, or the root of a Git repository without DVC",
        todo="name another folder, or run `git init` there first if these files may stand beside the workspace",
    )


def _holder_invalid() -> UsageError:
    return UsageError(
        "holder-invalid",
        asked="create a workspace",
        found="a holder's name that is empty or has control characters",
        expected="the name of the organisation that holds the data, on one line",
        todo='run `curator init FOLDER --holder "Ministry of ..."`',
    )
