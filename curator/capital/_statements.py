"""What a run says of itself: one signed statement a stage, sources -> sample -> checked -> protected -> version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from curator.canonical import canonical_json, sha256_json
from curator.capital._parts import Recorder, code_facts
from curator.evidence import Artifact, Stage
from curator.manifest import Manifest
from curator.records import DatasetVersion
from curator.representation import RepresentationReport
from curator.samples import (
    ProtectedSample,
    Written,
)
from curator.spec import UseCase

if TYPE_CHECKING:
    pass


def statements(
    recorder: Recorder,
    protected: ProtectedSample,
    *,
    written: Written,
    manifest: Manifest,
    sources: tuple[Artifact, ...],
    use_case: UseCase,
    representation: RepresentationReport | None = None,
    before: DatasetVersion | None = None,
) -> list[Any]:
    """One statement a stage, each following the one before: sources -> sample -> checked -> protected -> version."""
    sample = protected.checked.sample
    spec = Artifact(f"use case {use_case.ref}", use_case.digest)
    engine = sample.engine.describe()
    stands_for = {"representation": representation.facts()} if representation else {}
    disclosure = written.disclosure.facts() if written.disclosure else None
    shielded = {**protected.facts(), "disclosure": disclosure, **_identifiers(written)}
    steps = [
        (Stage.EXTRACT, "sample", {**sample.facts(), "engine": engine, "rows": written.quality.rows}, (*sources, spec)),
        (Stage.CHECK, "checked sample", {**written.quality.facts(), **stands_for}, (spec,)),
        (Stage.PROTECT, "protected sample", shielded, (spec,)),
    ]
    envelopes: list[Any] = []
    inputs: tuple[Artifact, ...] = ()
    for stage, name, facts, read in steps:
        facts = {**facts, "use_case": use_case.ref, "code": code_facts()}  # so that no two versions share a digest
        made = Artifact(f"{name} of {use_case.ref}", sha256_json(_plain(facts)))
        follows = [envelopes[-1].digest] if envelopes else []
        envelopes.append(
            recorder.record(stage, subjects=(made,), inputs=(*inputs, *read), previous=follows, facts=_plain(facts))
        )
        inputs = (made,)
    committed: dict[str, Any] = {
        "rows": manifest.rows,
        "files": len(manifest.files),
        "order": written.order,
        "code": code_facts(),
    }
    if before is not None:
        committed["refresh"] = dict(manifest.about["refresh"])
        inputs = (*inputs, Artifact(before.ref, before.digest))
    subjects = (Artifact(manifest.ref, manifest.digest), *_files(manifest))
    envelopes.append(
        recorder.record(
            Stage.COMMIT, subjects=subjects, inputs=(*inputs, spec), previous=[envelopes[-1].digest], facts=committed
        )
    )
    return envelopes


def _identifiers(written: Written) -> dict[str, Any]:
    """How many identifiers each token field had, how likely its tokens are to collide, and what could not be moved."""
    told: dict[str, Any] = {"identifiers": {name: count.facts() for name, count in written.identifiers.items()}}
    return {**told, "unmoved": dict(written.unmoved)} if written.unmoved else told


def _files(manifest: Manifest) -> tuple[Artifact, ...]:
    """Every file as a subject, so that a trace can start from any of them alone."""
    unique = {entry.sha256: Artifact(f"{manifest.ref}/{entry.path}", entry.sha256) for entry in manifest.files}
    return tuple(sorted(unique.values()))


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(canonical_json(facts))
    return plain
