"""The holder's own copy of what a version stands for: with classes, whose names are values of the source.

The version itself has figures by dimension only, for a dimension may be a column that is not written.
"""

from __future__ import annotations

import json
from pathlib import Path

from curator.representation import RepresentationReport

_FOLDER = "holder/representation"


def keep_report(private: Path, ref: str, *, report: RepresentationReport | None) -> None:
    """Keep the report of a version, readable by the holder alone (mode 0600)."""
    if report is None:
        return
    folder = private / _FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{ref}.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(report.to_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def kept_report(private: Path, ref: str) -> RepresentationReport | None:
    """The report of a version; None when none was kept."""
    path = private / _FOLDER / f"{ref}.json"
    if not path.is_file():
        return None
    return RepresentationReport.from_json(json.loads(path.read_text(encoding="utf-8")))
