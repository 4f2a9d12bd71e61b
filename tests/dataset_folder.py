"""A dataset version's folder, made by the real stages from a small base, for tests of what stands beside the shards."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator.describing import describe
from curator.engines import open_engine
from curator.extraction import extract
from curator.manifest import Manifest
from curator.protection import protect
from curator.pseudonyms import KeyContext
from curator.quality import check
from curator.samples import Written
from curator.spec import UseCase, parse_use_case
from curator.spec.reading import read_document
from curator.versioning import write_shards

SPEC = Path(__file__).resolve().parent.parent / "specs" / "road-accidents.yaml"
PERSONS = 2_000
CONTEXT = KeyContext(holder="observatory", purpose="road-accidents", recipient="internal", epoch="1")
Change = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class Made:
    """A folder and what made it."""

    folder: Path
    use_case: UseCase
    written: Written
    protection: dict[str, Any]
    manifest: Manifest

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


def use_case(change: Change | None = None) -> tuple[UseCase, bytes]:
    """The shipped spec bent to a small base, and changed; with its bytes."""
    value = copy.deepcopy(read_document(SPEC).value)
    value["disclosure"] = {"k": 3, "l": {"column": "severe", "value": 2}, "suppress": 0.5}
    if change is not None:
        change(value)
    text = json.dumps(value, ensure_ascii=False)
    return parse_use_case(text), text.encode()


def make(place: Path, base: Path, *, change: Change | None = None, order: Any = "keyed") -> Made:
    """Extract, check, protect, write and describe into `place/version`."""
    spec, data = use_case(change)
    folder, scratch = place / "version", place / "scratch"
    folder.mkdir(parents=True)
    scratch.mkdir()
    engine = open_engine("duckdb", scratch=scratch, threads=1)
    try:
        sample = extract(spec, engine=engine, paths={name: base / source.path for name, source in spec.sources.items()})
        protected = protect(check(sample), root=b"k" * 32, context=CONTEXT)
        written = write_shards(protected, folder=folder, scratch=scratch, order=order)
        manifest = describe(folder, use_case=spec, written=written, protected=protected, spec=data)
    finally:
        engine.close()
    return Made(
        folder=folder, use_case=spec, written=written, protection=protected.facts(), manifest=manifest
    )  # fmt: skip
