"""What tests of live sources share: extracted rows without a version, and the files of a version."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from capital_world import spec_value

from curator.addresses import place_of
from curator.capital import Capital
from curator.engines import open_engine
from curator.extraction import extract
from curator.records import DatasetVersion
from curator.spec import parse_use_case

TABLES = ("persons", "vehicles", "accidents")


def uncounted_spec(**extract_parts: Any) -> dict[str, Any]:
    """The shipped spec, its joins uncounted so that conditions may be left to the source."""
    value = spec_value()
    for join in value["extract"]["join"]:
        join["orphans"] = "ignore"
    value["extract"] |= extract_parts
    return value


def extracted(folder: Path, value: dict[str, Any], columns: str = "*") -> list[dict[str, Any]]:
    """Extracted rows in order of `id`, without making a version."""
    folder.mkdir(exist_ok=True)
    use_case = parse_use_case(json.dumps(value), file="spec.yaml")
    engine = open_engine("duckdb", scratch=folder)
    try:
        places = {name: place_of(source.addresses[0], source=name) for name, source in use_case.sources.items()}
        extract(use_case, engine=engine, paths=places)
        batches = list(engine.batches(f'SELECT {columns} FROM "sample" ORDER BY id', rows=1000))
    finally:
        engine.close()
    return [row for batch in batches for row in batch.to_pylist()]


def shards(version: DatasetVersion) -> dict[str, bytes]:
    """The data files of a version."""
    folder = version.folder / "data"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def evidence_text(capital: Capital) -> str:
    """Every statement of a capital, opened."""
    envelopes = [json.loads(path.read_text()) for path in (capital.workspace.root / "evidence").rglob("*.json")]
    return " ".join(base64.b64decode(envelope.get("payload", "")).decode(errors="replace") for envelope in envelopes)
