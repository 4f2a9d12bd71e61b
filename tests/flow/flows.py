"""A capital to curate real tables in, and what the reports beside a version say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curator.capital import Capital, RunOptions
from curator.records import DatasetVersion

SPECS = Path(__file__).resolve().parents[2] / "specs"


class Flow:
    """A capital and the reports of what was made in it."""

    def __init__(self, root: Path) -> None:
        self.capital = Capital.create(root, holder="Observatory", root_secret=bytes(range(64)))

    def curate(self, spec: Path | str, *, data: Path, sources: Mapping[str, Path] | None = None) -> DatasetVersion:
        path = spec if isinstance(spec, Path) else SPECS / f"{spec}.yaml"
        return self.capital.curate(path, RunOptions(data=data, sources=sources or {}))

    def facts(self, version: DatasetVersion, stage: str) -> dict[str, Any]:
        """What the signed statement of one stage says."""
        steps = [step for step in self.capital.trace(version.ref) if step.stage == stage]
        assert len(steps) == 1
        envelopes = {envelope.digest: envelope for envelope in self.capital.evidence.unverified()}
        return dict(envelopes[steps[0].digest].statement.facts)


def quality(version: DatasetVersion) -> dict[str, Any]:
    """The validation result beside the shards."""
    return json.loads((version.folder / "quality.json").read_text(encoding="utf-8"))


def disclosure(version: DatasetVersion) -> dict[str, Any]:
    """The disclosure report beside the shards."""
    return json.loads((version.folder / "disclosure.json").read_text(encoding="utf-8"))


def failing(version: DatasetVersion) -> dict[str, int]:
    """`type column` (and `mostly` where it has one) -> rows that fail it, where any does."""
    found = {}
    for result in quality(version)["results"]:
        kwargs = result["expectation_config"]["kwargs"]
        kind = result["expectation_config"]["type"].removeprefix("expect_").removeprefix("column_")
        column = kwargs.get("column") or kwargs.get("column_A") or ""
        if result["result"].get("unexpected_count"):
            name = f"{kind} {column}" + (" mostly" if "mostly" in kwargs else "")
            assert name not in found
            found[name] = result["result"]["unexpected_count"]
    return found


def rows(version: DatasetVersion) -> list[dict[str, Any]]:
    """Every row of every split, with its split under `.split`."""
    return [
        {**row, ".split": split} for split in version.splits for row in version.table(split).to_pylist()
    ]  # fmt: skip
