"""One foreign table, its spec and a capital, in as few words as a test can use."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from curator.capital import Capital, RunOptions

CAPITALS: list[Capital] = []
"""The capital that `curated` writes into, which the session's fixture makes."""

_NUMBERS = itertools.count()
TOKEN = {"meaning": "The person.", "identifier": "direct", "protect": "token", "form": "raw"}


def kept(name: str | None = None) -> dict[str, Any]:
    """A field written as it is, of a column of another name where given."""
    origin = {"from": name} if name else {}
    return {**origin, "meaning": "A value.", "identifier": "none", "because": "invented"}


def spec_of(columns: Mapping[str, Any], *, path: str = "table.csv", **parts: Any) -> dict[str, Any]:
    """A sound spec over one source `t` whose rows are named by `id` and about `who`.

    Args:
        columns: columns besides `id` and `who`; each is written as it is.
        path: of the source.
        parts: whole top-level parts to replace; `source` and `extract` are added to.
    """
    source = {"path": path, "columns": {"id": "integer", "who": "text", **columns}, **parts.pop("source", {})}
    extract = {"from": "t", "row_key": ["id"], "entity": ["who"], **parts.pop("extract", {})}
    return {
        "curator": 1, "name": "outside", "version": "1.0.0", "title": "A foreign table",
        "owner": {"organisation": "Agency", "contact": "data@agency.example"},
        "purpose": {"statement": "Try."},
        "law": {"regime": "gdpr", "basis": "public-task", "text": "GDPR art. 6(1)(e)", "dpia": "none",
                "ai_act": "minimal", "retention_days": 30},
        "sources": {"t": source}, "extract": extract,
        "fields": {"who": TOKEN, **{name: kept() for name in columns}},
        "quality": {"max_rejected": 1.0}, "disclosure": {"k": 1},
        "splits": {"by": "entity", "shares": {"train": 0.5, "test": 0.5}},
        **parts,
    }  # fmt: skip


def curated(folder: Path, spec: Mapping[str, Any]) -> pa.Table:
    """The rows of the version made of a spec, under a name of its own, with the split of each."""
    path = folder / "outside.yaml"
    named = {**spec, "name": f"outside-{next(_NUMBERS)}"}
    path.write_text(json.dumps(named, ensure_ascii=False), encoding="utf-8")
    version = CAPITALS[-1].curate(path, RunOptions(data=folder))
    shards = sorted((version.folder / "data").rglob("*.parquet"))
    tables = [parquet.read_table(shard, partitioning=None) for shard in shards]
    names = [pa.array([shard.parent.name] * len(table)) for shard, table in zip(shards, tables, strict=True)]
    return pa.concat_tables([table.append_column("split", name) for table, name in zip(tables, names, strict=True)])
