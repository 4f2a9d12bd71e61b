"""The journal: what a publication is about to do, written down before it does it, so that any later process can end it.

One JSON file an attempt in `.curator/journal/`, written atomically and durably *before* the first visible change and
removed *after* the last one. An entry that is present therefore means: look at the branch and the tag, then finish or
undo.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from curator.canonical import canonical_json
from curator.edges.durable import sync_folder, write_synced

_ENDING = ".json"
_DAMAGED = ".damaged"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One publication, before and after. Paths are relative to the workspace, POSIX; object names are Git's.

    Attributes:
        id: name of the journal file.
        branch, old, commit: the branch that moves, from where, to where.
        tag, tag_object: short name and object of the tag; empty without a tag.
        folders: final place of each data folder, to the place it is staged at.
        objects: DVC cache objects that did not exist before.
        blobs: every committed file of this publication, to its blob.
        created: those of `blobs` that no file stood for before.
        replaced: those of `blobs` that replace a committed file, to the blob it had.
        made: folders that did not exist before, parents first.
    """

    id: str
    branch: str
    old: str
    commit: str
    tag: str = ""
    tag_object: str = ""
    folders: dict[str, str] = field(default_factory=dict)
    objects: list[str] = field(default_factory=list)
    blobs: dict[str, str] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    replaced: dict[str, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    @classmethod
    def from_bytes(cls, data: bytes) -> Entry | None:
        """Read an entry; None when the bytes are not one."""
        try:
            raw = json.loads(data)
            entry = cls(**raw)
        except (ValueError, TypeError, RecursionError):
            return None
        wanted = {item.name: item.type for item in fields(cls)}
        kinds = {"str": str, "list[str]": list, "dict[str, str]": dict}
        whole = all(isinstance(getattr(entry, name), kinds[str(kind)]) for name, kind in wanted.items())
        return entry if whole else None


class Journal:
    """The entries of one workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def new_id() -> str:
        """A name for an entry, also used in the names of the files it owns."""
        return secrets.token_hex(8)

    def write(self, entry: Entry) -> None:
        """Write an entry durably. Raises OSError."""
        part = self.folder / f"{entry.id}.part"
        try:
            write_synced(part, canonical_json(vars(entry)), mode=0o600)
            part.rename(self._path(entry))
        except OSError:
            part.unlink(missing_ok=True)
            raise
        sync_folder(self.folder)

    def drop(self, entry: Entry) -> None:
        """Remove an entry durably. Raises OSError."""
        self._path(entry).unlink(missing_ok=True)
        sync_folder(self.folder)

    def busy(self) -> bool:
        """Whether anything is written here that may need an end."""
        return any(path.suffix != _DAMAGED for path in self.folder.iterdir())

    def entries(self) -> Iterator[Entry]:
        """The entries, oldest name first; what cannot be read is set aside under the ending `.damaged`."""
        for path in sorted(self.folder.iterdir()):
            if path.suffix == ".part":
                path.unlink(missing_ok=True)  # never became an entry: nothing was changed yet
            if path.suffix != _ENDING:
                continue
            entry = Entry.from_bytes(path.read_bytes())
            if entry is not None and entry.id == path.stem:
                yield entry
            else:
                path.replace(path.with_suffix(_DAMAGED))
                sync_folder(self.folder)

    def damaged(self) -> list[str]:
        """Names of the entries that could not be read."""
        return sorted(path.name for path in self.folder.iterdir() if path.suffix == _DAMAGED)

    def _path(self, entry: Entry) -> Path:
        return self.folder / f"{entry.id}{_ENDING}"
