"""What is settled about coarser values, and what is then written, is the same on both engines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from coarsening_world import lay, spec

from curator.coarsening import coarsen
from curator.engines import open_engine
from curator.extraction import extract
from curator.protection import protect
from curator.pseudonyms import KeyContext
from curator.quality import check
from curator.spec import parse_use_case
from curator.versioning import write_shards

CONTEXT = KeyContext(holder="h", purpose="p", recipient="r", epoch="1")


def found(engine: Any, value: dict[str, Any], *, source: Path, folder: Path) -> Any:
    """What was settled, what was measured, and the digest of the rows."""
    use_case = parse_use_case(json.dumps(value))
    checked = check(extract(use_case, engine=engine, paths={"t": source / "visits.parquet"}))
    coarse = coarsen(checked, folder=source)
    protected = protect(checked, root=bytes(range(64)), context=CONTEXT, coarse=coarse)
    for name in ("version", "scratch"):
        (folder / name).mkdir(parents=True)
    written = write_shards(protected, folder=folder / "version", scratch=folder / "scratch")
    assert written.disclosure is not None
    return coarse.told, written.disclosure.facts(), written.row_digest, written.schema


def searched() -> dict[str, Any]:
    value = spec(l={"column": "late", "value": 2}, t={"column": "late", "value": 0.4})
    rare = {"protect": "merge_rare", "fewer_than": 150, "other": "other"}
    value["fields"]["job"] |= rare
    del value["disclosure"]["search"]["fields"]["job"]
    return value


def local() -> dict[str, Any]:
    value = spec(suppress=0)
    value["disclosure"]["search"]["recoding"] = "local"
    return value


@pytest.mark.parametrize("value", [searched(), local()], ids=["searched and merged", "local"])
def test_engines_settle_and_write_alike(value: dict[str, Any], tmp_path: Path, spark: None) -> None:
    lay(tmp_path)
    seen = []
    for name in ("duckdb", "spark"):
        (tmp_path / name).mkdir()
        engine = open_engine(name, scratch=tmp_path / name, threads=1)
        try:
            seen.append(found(engine, value, source=tmp_path, folder=tmp_path / f"{name}-made"))
        finally:
            engine.close()
    assert seen[0] == seen[1]
