"""The holder's own notes about sources, in the private place that nobody else reads.

Plain digests of raw files, and for datasets that follow their source the index of their rows and the last watermark.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curator.rowindex import RowIndex
from curator.versioning import Following

_FOLDER = "holder/sources"
_ROWS = "holder/rows"


def keep_digests(private: Path, ref: str, *, told: Mapping[str, Any]) -> None:
    """Note which files a version was made from (readable by the holder alone, mode 0600)."""
    if told:
        _note(private / _FOLDER, f"{ref}.json", told)


def kept_digests(private: Path, ref: str) -> dict[str, Any]:
    """The files that a version was made from; empty when no note was taken."""
    return _noted(private / _FOLDER / f"{ref}.json")


def keep_index(
    private: Path, ref: str, *, following: Following | None, told: Mapping[str, Any], previous: str | None
) -> None:
    """Note which rows a version was made from, and where its source stood, for the next refresh."""
    if following is None:
        return
    folder = private / _ROWS
    earlier = _noted(folder / f"{previous}.json").get("rows", []) if following.before is not None else []
    _note(folder, f"{ref}.json", {**told, "rows": [*earlier, f"{ref}.npy"]})
    following.index.save(folder / f"{ref}.npy")


def kept_index(private: Path, ref: str) -> tuple[RowIndex | None, dict[str, Any]]:
    """The rows of a version and where its source stood; None and nothing when no note was taken."""
    folder = private / _ROWS
    noted = _noted(folder / f"{ref}.json")
    return RowIndex.load([folder / name for name in noted.get("rows", [])]), noted


def _note(folder: Path, name: str, told: Mapping[str, Any]) -> None:
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
