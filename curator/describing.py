"""What stands beside the shards of a version: card, Croissant description, reports, spec and manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pyarrow

from curator.cards import dataset_card
from curator.croissant import dataset_croissant
from curator.manifest import MANIFEST, FileEntry, Manifest
from curator.representation import RepresentationReport
from curator.samples import Written
from curator.spec import UseCase


class Protection(Protocol):
    """Whatever knows how each field was protected."""

    def facts(self) -> dict[str, Any]:
        """As `ProtectedSample.facts`."""


def describe(
    folder: Path,
    *,
    use_case: UseCase,
    written: Written,
    protected: Protection,
    spec: bytes,
    representation: RepresentationReport | None = None,
    about: Mapping[str, Any] | None = None,
    as_written: UseCase | None = None,
) -> Manifest:
    """Write the papers of a staged version and its manifest; returns the manifest.

    Args:
        folder: staged folder that holds the shards under `data`.
        use_case: the spec.
        written: what the stream wrote and found.
        protected: how each field was protected.
        spec: the spec's own bytes.
        representation: the rows kept against their population, where the spec asks for it.
        about: further facts for the manifest, of a version that follows another.
        as_written: the spec with its fields as they are written, where levels were searched; the spec when None.
    """
    stands_for = representation.facts() if representation else None
    facts, shown = protected.facts(), as_written or use_case
    disclosure = written.disclosure.facts() if written.disclosure else None
    if disclosure is not None and "coarse" in facts:
        disclosure["coarse"] = facts["coarse"]
    papers = {
        "README.md": dataset_card(shown, written=written, protection=facts, representation=stands_for).encode(),
        "croissant.json": _pretty(dataset_croissant(shown, files=written.files, schema=written.schema)),
        "quality.json": _pretty({**written.quality.results, "counts": written.quality.facts()}),
        "disclosure.json": _pretty(disclosure),
        "use-case.yaml": spec,
    }
    if representation is not None:
        papers["representation.json"] = _pretty(stands_for)
    entries = [*written.files, *(_place(folder, name, data=data) for name, data in papers.items())]
    manifest = Manifest(
        kind="dataset",
        name=use_case.name,
        version=use_case.version,
        files=tuple(sorted(entries)),
        about={
            "spec": use_case.digest,
            "schema": [{"name": name, "type": kind} for name, kind in written.schema],
            "order": written.order,
            "row_digest": written.row_digest,
            "writer": {"pyarrow": pyarrow.__version__},
            **(about or {}),
        },
    )
    (folder / MANIFEST).write_bytes(manifest.to_bytes())
    return manifest


def _place(folder: Path, name: str, *, data: bytes) -> FileEntry:
    (folder / name).write_bytes(data)
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return FileEntry(path=name, sha256=hashlib.sha256(data).hexdigest(), md5=md5, size=len(data))


def _pretty(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n").encode()
