"""The workspace: one folder where Git holds what is believed, DVC carries the data, and versions appear whole.

`Workspace.create` makes one, `Workspace.open` opens one and ends whatever a crash interrupted; `scratch` gives a
private place to build a version in, `publish` makes it a version. No other code of curator writes in a workspace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from curator.edges.durable import disk_errors
from curator.edges.git import Git, ref_unknown
from curator.edges.workspace import _faults, _layout, _publication
from curator.edges.workspace import _refusals as refuse
from curator.edges.workspace._journal import Journal
from curator.edges.workspace._lock import FileLock, scratch_folder, sweep_scratch

__all__ = ["Workspace"]

_POINTER = re.compile(rf"[^/]+/(?P<name>[^/]+)/(?P<version>{_layout.VERSION})\.dvc")


class Workspace:
    """An open workspace.

    Attributes:
        root: its folder, absolute.
        holder: who holds the data, from `curator.yaml`.
        git: its repository.
        private: `.curator`, for this user only; `private / "keys"` and `private / "holder"` are the caller's.
    """

    def __init__(self, root: Path) -> None:
        """Use `Workspace.open` or `Workspace.create`."""
        self.root = root
        self.holder = _layout.read_holder(root)
        self.git = Git(root)
        self.private = root / _layout.PRIVATE
        with disk_errors(root, asked="open the workspace"):
            _layout.ensure_private(root)
        self._lock = FileLock(self.private / "lock")
        self._journal = Journal(self.private / "journal")

    @classmethod
    def create(cls, root: Path, *, holder: str, created: datetime | None = None) -> Workspace:
        """Make a workspace in a folder that is absent, empty, or the root of a Git repository without DVC.

        Sets up Git (branch main) and DVC (analytics and update checks off) and commits the settings. Asks nothing,
        sends nothing. A call that was cut short is completed by calling again.

        Args:
            root: the folder.
            holder: the organisation that holds the data.
            created: when, with a time zone; now when absent.

        Raises:
            StorageError: `workspace-exists`, `workspace-foreign`, `git-absent`, `no-space`, `disk-failed`.
            UsageError: `holder-invalid`.
        """
        _layout.create(root.absolute(), holder=holder, created=created)
        return cls.open(root)

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """Open a workspace and end what a crash interrupted.

        Raises:
            StorageError: `workspace-absent` when it is not one, `workspace-closed` when its private folder is another
                user's, `git-absent` when its repository or the program is
                missing, `workspace-locked` when an interrupted publication must be ended and another process is at it.
        """
        root = root.absolute()
        refuse.closed(root / _layout.PRIVATE)
        if not _layout.is_complete(root):
            raise _layout.workspace_absent(
                "a workspace whose creation was cut short" if (root / _layout.PRIVATE).is_dir() else "no curator.yaml"
            )
        workspace = cls(root)
        workspace.heal()
        return workspace

    @contextmanager
    def scratch(self, purpose: str) -> Iterator[Path]:
        """A private empty folder on the workspace's own filesystem, removed at the end, also after an error.

        A process that dies leaves it; the next `open` removes it.

        Args:
            purpose: the first part of the folder's name: lower-case letters, digits, hyphens.

        Raises:
            UsageError: `purpose-invalid`.
            StorageError: `no-space`, `disk-failed`.
        """
        with scratch_folder(self.private / "tmp", purpose) as folder:
            yield folder

    @contextmanager
    def lock(self, *, wait_seconds: float = 600.0) -> Iterator[None]:
        """Hold the workspace for this thread; may be nested in the same Workspace object.

        The kernel frees the lock when its owner dies. Git commands started meanwhile hold it too until they end.

        Raises:
            StorageError: `workspace-locked` after `wait_seconds`, naming the owner.
        """
        with self._lock.held(wait_seconds=wait_seconds):
            handle = self._lock.handle
            nested = handle in self.git.inherited
            self.git.inherited.add(handle)
            try:
                yield
            finally:
                if not nested:
                    self.git.inherited.discard(handle)

    def require_place(self, place: str) -> None:
        """Refuse a data folder's name before any work for it is done. Raises UsageError `path-invalid`."""
        refuse.bad_place(place)

    def publish(
        self,
        *,
        folders: Mapping[str, Path],
        files: Mapping[str, bytes],
        message: str,
        tag: str | None,
        tag_message: str = "",
    ) -> str:
        """Make data folders and files part of the workspace, in one commit with one tag: all of it or nothing.

        Data folders are moved, not copied, become read-only, are adopted by DVC's cache by hard link without reading
        them again, and get the pointer and the ignore line that `dvc add` would write. The reference transaction that
        moves the branch and creates the tag is the moment of publication; a crash before it leaves the old state,
        after it the new. After an error the staged folders are back where they were.

        Args:
            folders: final place (`datasets/NAME/VERSION` or `models/NAME/VERSION`) to the staged folder, which stands
                in a `scratch` of this workspace and holds a `manifest.json` with SHA-256, MD5 and size of each file.
            files: path to bytes of files to commit. Below `evidence/` and `specs/` a file is written once: the same
                bytes again are accepted, others are refused. Elsewhere a committed file is replaced.
            message: the commit's message.
            tag: the annotated tag to create; None for none.
            tag_message: its message; the tag's name when empty.

        Returns:
            The commit's object name.

        Raises:
            StorageError: `version-exists`, `path-taken`, `workspace-dirty`, `workspace-locked`, `branch-moved`,
                `git-busy`, `git-detached`, `git-failed`, `no-space`, `disk-failed`.
            IntegrityError: `staged-differs`, `manifest-invalid`, `manifest-without-md5`.
            UsageError: `path-invalid`, `tag-invalid`.
        """
        staged = {place: folder.absolute() for place, folder in folders.items()}
        request = _publication.Request(
            folders=staged, files=files, message=message, tag=tag or "", tag_message=tag_message
        )
        with self.lock(), self.scratch("publish") as scratch:
            self._settle_all(scratch)
            return _publication.publish(self._parts(scratch), request)

    def heal(self) -> None:
        """Finish or undo every publication that a dead process left, and remove its temporary folders.

        Cheap when there is nothing to do: two folders are listed, no lock is taken.

        Raises:
            StorageError: `workspace-locked`, `no-space`, `disk-failed`, `git-failed`.
        """
        if self._journal.busy():
            with self.lock(), self.scratch("heal") as scratch:
                self._settle_all(scratch)
        with disk_errors(self.root, asked="remove temporary folders of processes that ended"):
            sweep_scratch(self.private / "tmp")

    def versions(self, kind: str) -> list[tuple[str, str]]:
        """Names and versions committed on this branch, by name, then oldest version first.

        Args:
            kind: `dataset` or `model`.
        """
        under = _layout.FOLDERS[kind]
        matches = (_POINTER.fullmatch(path) for path in self.git.files("HEAD", under=[under]))
        return sorted(((match["name"], match["version"]) for match in matches if match), key=_version_order)

    def tags(self) -> dict[str, str]:
        """Every tag and the commit it leads to, sorted by name."""
        return self.git.tags()

    def commit_of(self, tag: str) -> str:
        """The commit of a tag. Raises StorageError `ref-unknown`."""
        commit = self.git.resolve(f"refs/tags/{tag}^{{commit}}") if tag in self.tags() else ""
        if not commit:
            raise ref_unknown("no such tag")
        return commit

    def read_committed(self, path: str, rev: str = "HEAD") -> bytes:
        """Bytes of a file as committed in `rev`. Raises StorageError `path-absent`, `ref-unknown`."""
        return self.git.blob(rev, path)

    def committed(self, under: str, rev: str = "HEAD") -> list[str]:
        """Paths of the files committed below a folder in `rev`, sorted. Raises StorageError."""
        return list(self.git.files(rev, under=[under]))

    def faults(self, *, data: bool = True) -> list[str]:
        """What is wrong in the workspace, one sentence each, naming the file; empty when all is well.

        Pointers against manifests, cache objects, data files (read wholly unless `data` is false), committed files
        against the work tree and the index, evidence changed or deleted by any commit, tags, Git's own objects, the
        journal.

        Raises:
            StorageError: the disk refuses.
        """
        with disk_errors(self.root, asked="verify the workspace"):
            return _faults.find_faults(self.git, self.root, data=data)

    def _parts(self, scratch: Path) -> _publication.Parts:
        return _publication.Parts(git=self.git, journal=self._journal, root=self.root, scratch=scratch)

    def _settle_all(self, scratch: Path) -> None:
        if self._journal.busy():
            _publication.heal(self._parts(scratch))


def _version_order(item: tuple[str, str]) -> tuple[str, tuple[int, ...], bool, str]:
    """Order of Semantic Versioning 2.0.0, clause 11, as far as numbers and "a pre-release comes before" go."""
    name, version = item
    numbers, _, rest = version.partition("-")
    return name, tuple(int(part) for part in numbers.split(".")), not rest, rest
