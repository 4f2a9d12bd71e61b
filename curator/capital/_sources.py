"""The holder's own notes about sources: plain digests of raw files, in the private place that nobody else reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FOLDER = "holder/sources"


def keep_digests(private: Path, ref: str, *, told: Mapping[str, Any]) -> None:
    """Note which files a version was made from (readable by the holder alone, mode 0600)."""
    if not told:
        return
    folder = private / _FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{ref}.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def kept_digests(private: Path, ref: str) -> dict[str, Any]:
    """The files that a version was made from; empty when no note was taken."""
    try:
        told: dict[str, Any] = json.loads((private / _FOLDER / f"{ref}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told
