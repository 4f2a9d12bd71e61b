"""The holder's own notes about sources, in the private place that nobody else reads.

Keyed digests of raw files, and for datasets that follow their source the index of their rows, the rows left out until
others join them, and the last watermark.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from curator.classbook import ClassBook
from curator.edges.keys import SealedWriter, open_sealed
from curator.errors import CuratorError
from curator.following import Following, notes_differ
from curator.manifest import FileEntry
from curator.rowindex import RowIndex

_FOLDER = "holder/sources"
_ROWS = "holder/rows"
_HELD = ".held.arrow.sealed"


def keep_digests(private: Path, ref: str, *, told: Mapping[str, Any]) -> None:
    """Note which files a version was made from (readable by the holder alone, mode 0600)."""
    if told:
        _note(private / _FOLDER, f"{ref}.json", told=told)


def kept_digests(private: Path, ref: str) -> dict[str, Any]:
    """The files that a version was made from; empty when no note was taken."""
    return _noted(private / _FOLDER / f"{ref}.json")


def keep_index(
    private: Path, ref: str, *, following: Following | None, told: Mapping[str, Any], previous: str | None, key: bytes,
    files: Sequence[FileEntry] = (),
) -> None:  # fmt: skip
    """Note which rows a version was made from, which were held back, and where its source stood, for the next refresh.

    Args:
        private: the workspace's private place.
        ref: of the version.
        following: what the run found out; nothing is noted without.
        told: for whom tokens were made, and the watermark.
        previous: the version whose parts the index adds to.
        key: 32 bytes that the rows held back and the classes are sealed under.
        files: the shards of the version.
    """
    if following is None:
        return
    folder = private / _ROWS
    earlier = _noted(folder / f"{previous}.json").get("rows", []) if following.feed != "whole" else []
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = following.index.save(folder / f"{ref}.npy")
    held = folder / f"{ref}{_HELD}"
    held.unlink(missing_ok=True)  # of a run of this version that was cut short
    if following.held is not None:
        with SealedWriter(held, key) as sealed, pa.ipc.new_stream(sealed, following.held.schema) as stream:
            stream.write_table(following.held)
    if following.book is not None:
        added = len(following.book.pairs) > 1
        parts = _noted(folder / f"{previous}.json").get("book", {}).get("pairs", []) if added else []
        book = following.book.save(folder / ref, key=key, files=files)
        told = {**told, "book": {**book, "pairs": [*parts, ref]}}
    counts = {"live": following.rows, "held": following.held is not None}
    _note(folder, f"{ref}.json", told={**told, **counts, "rows": [*earlier, part]})


def kept_index(private: Path, ref: str) -> tuple[RowIndex | None, dict[str, Any]]:
    """The rows of a version and where its source stood; None and nothing when no note was taken."""
    folder = private / _ROWS
    noted = _noted(folder / f"{ref}.json")
    return RowIndex.load(folder, noted.get("rows", [])), noted


def kept_held(private: Path, ref: str, *, key: bytes) -> pa.Table:
    """The rows that a version held back. Raises IntegrityError `refresh-index` when they cannot be read."""
    try:
        with open_sealed(private / _ROWS / f"{ref}{_HELD}", key) as source, pa.ipc.open_stream(source) as stream:
            return stream.read_all()
    except (OSError, pa.ArrowException, CuratorError) as fault:
        raise notes_differ() from fault


def kept_book(private: Path, ref: str, *, key: bytes, files: Sequence[FileEntry]) -> ClassBook | None:
    """What is known of the classes of a version's shards; None when nothing is, or not of these."""
    told = _noted(private / _ROWS / f"{ref}.json").get("book", {})
    return ClassBook.load(private / _ROWS, told, key=key, files=files) if told else None


def forget_held(private: Path, ref: str) -> None:
    """Remove the rows that a version held back, once another one follows it: nobody asks for them any more."""
    (private / _ROWS / f"{ref}{_HELD}").unlink(missing_ok=True)


def _note(folder: Path, name: str, *, told: Mapping[str, Any]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _noted(path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told
