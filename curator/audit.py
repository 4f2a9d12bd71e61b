"""Audit: walk a lineage back to its sources, and find every byte that is not as the evidence says.

Nothing here needs a key but the holder's public one, or a network. A file is known by its digest alone: a shard, a
model or a card found anywhere leads back to the version it belongs to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from curator.agents import Directory, Role
from curator.canonical import sha256_bytes, sha256_file
from curator.edges.keys import read_public
from curator.edges.workspace import Workspace
from curator.errors import CuratorError, IntegrityError, UsageError
from curator.evidence import MAKING, Envelope, EvidenceStore, Stage
from curator.lifecycle import Request, check_delivery, check_review
from curator.lineage import Step, newest_first
from curator.manifest import MANIFEST, Manifest
from curator.package_file import PackageReader
from curator.policy import check_author
from curator.receiving import open_package
from curator.rowdigest import SCHEME, RowDigest, digest_file

__all__ = ["Finding", "Step", "find_faults", "trace"]

_REF = re.compile(r"[a-z][a-z0-9-]*(@[0-9]+\.[0-9]+\.[0-9]+)?")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is not as the evidence says: a sentence that names the file."""

    what: str

    def __str__(self) -> str:
        return self.what


def trace(what: str | Path, *, workspace: Workspace, evidence: EvidenceStore, directory: Directory) -> tuple[Step, ...]:
    """The steps that led to something, newest first, each signature verified, each signer entitled at that time.

    Args:
        what: `name@version`, a SHA-256, or a file (a shard, a model, a manifest, a package ...).
        workspace: of the capital.
        evidence: its statements.
        directory: its agents.

    Raises:
        UsageError: nothing here knows it.
        IntegrityError: a statement on the way is missing, changed or signed by a stranger.
        NotAllowedError: `role-missing` or `agent-unknown`, when a signer on the way was not entitled at that time.
    """
    starts = _starts(what, workspace, evidence=evidence)
    if not starts:
        raise UsageError(
            "trace-unknown",
            asked=f"trace {Path(what).name if isinstance(what, Path) else what}",
            found="nothing made here has these bytes or this name",
            expected="name@version, a SHA-256, or an unchanged file of a version",
            todo="list the versions with `curator list`; a changed file has no lineage: run `curator verify`",
        )
    made = [envelope for envelope in starts if envelope.statement.stage in MAKING]
    starts = tuple(made) or starts  # who asked for it or judged it later did not lead to it
    keys = directory.keys()
    envelopes = evidence.closure([envelope.digest for envelope in starts], keys=keys)
    for envelope in envelopes:
        check_author(envelope.statement, directory)
    return newest_first(envelopes)


def find_faults(workspace: Workspace, *, evidence: EvidenceStore, holder: Path) -> tuple[Finding, ...]:
    """Everything that is not as the evidence says; reads every byte of data, models, pointers, statements and packages.

    Args:
        workspace: of the capital.
        evidence: its statements.
        holder: the holder's public key file, the one thing trusted.
    """
    found = [*workspace.faults(), *_other_rows(workspace)]
    try:
        key = read_public(holder)
        directory = Directory.from_envelopes(evidence.unverified(), key)
    except CuratorError as fault:
        what = holder.name if fault.code == "signer-unknown" else fault.asked.removeprefix("read ")
        found.append(f"{what}: {fault.found}")
        return tuple(sorted({Finding(text) for text in found}))
    found += evidence.faults(directory.keys())
    if not found or evidence_reads(evidence):
        found += [
            *_strangers(evidence, directory),
            *_unlawful(evidence, directory),
            *_backwards(evidence),
            *_unproved(workspace, evidence),
            *_packages(workspace, evidence, holder=key),
        ]
    return tuple(sorted({Finding(text) for text in found}))


def evidence_reads(evidence: EvidenceStore) -> bool:
    """Whether every statement can at least be read."""
    try:
        evidence.unverified()
    except IntegrityError:
        return False
    return True


def _starts(what: str | Path, workspace: Workspace, *, evidence: EvidenceStore) -> tuple[Envelope, ...]:
    text = str(what)
    if isinstance(what, str) and _DIGEST.fullmatch(text):
        return evidence.about(text)
    if isinstance(what, str) and _REF.fullmatch(text) and not Path(text).is_file():
        return tuple(_of_reference(text, workspace, evidence=evidence))
    path = Path(what)
    if not path.is_file():
        return ()
    if path.suffix == ".cur":
        return (evidence.read(_delivery(path)),)
    return evidence.about(sha256_file(path))


def _delivery(package: Path) -> str:
    """Digest of the statement that delivered a package: its first member."""
    with PackageReader(package) as reader:
        return sha256_bytes(reader.envelope)


def _of_reference(text: str, workspace: Workspace, *, evidence: EvidenceStore) -> Iterator[Envelope]:
    name, _, version = text.partition("@")
    for kind in ("dataset", "model"):
        known = [number for other, number in workspace.versions(kind) if other == name]
        number = version or (known[-1] if known else "")
        if number in known:
            manifest = Manifest.read(workspace.root / f"{kind}s" / name / number)
            yield from evidence.about(manifest.digest)


def _strangers(evidence: EvidenceStore, directory: Directory) -> Iterator[str]:
    """Statements by a key that was not listed under that name, or not in a role that the stage needs, at that time."""
    for envelope in evidence.unverified():
        try:
            agent = check_author(envelope.statement, directory)
        except CuratorError as fault:
            yield f"{envelope.path}: {fault.found}"
            continue
        if envelope.statement.stage is Stage.REVEAL and agent is not None and Role.ENGINEER in agent.roles:
            yield f"{envelope.path}: {agent.name}, who was custodian and engineer at once"


def _unlawful(evidence: EvidenceStore, directory: Directory) -> Iterator[str]:
    """Reviews and deliveries that do not count, by the very rules that a receiver applies to a package."""
    known = {envelope.digest: envelope for envelope in evidence.unverified()}
    for envelope in known.values():
        statement = envelope.statement
        try:
            if statement.stage is Stage.REQUEST:
                Request.read(envelope)
            elif statement.stage is Stage.REVIEW:
                asked = known.get(str(statement.facts.get("request")))
                if asked is None:
                    yield f"{envelope.path}: a review of a request that is not here"
                else:
                    check_review(envelope, Request.read(asked), directory=directory)
            elif statement.stage is Stage.DELIVER:
                papers = {paper.digest: paper for paper in evidence.closure([envelope.digest])}
                del papers[envelope.digest]
                check_delivery(envelope, papers, directory=directory)
        except CuratorError as fault:
            yield f"{envelope.path}: {fault.found}"


def _backwards(evidence: EvidenceStore) -> Iterator[str]:
    """Statements dated before one that they follow: whoever signs never does that, however the clock goes."""
    times = {envelope.digest: envelope.statement.time for envelope in evidence.unverified()}
    for envelope in evidence.unverified():
        if any(times.get(digest, "") > envelope.statement.time for digest in envelope.statement.previous):
            yield f"{envelope.path}: dated before a statement that it follows"


def _unproved(workspace: Workspace, evidence: EvidenceStore) -> Iterator[str]:
    """Versions that no statement names, and versions that a statement names but that are gone."""
    present = set()
    for kind in ("dataset", "model"):
        for name, version in workspace.versions(kind):
            path = workspace.root / f"{kind}s" / name / version / MANIFEST
            present.add(f"{name}@{version}")
            if path.is_file() and not evidence.about(sha256_file(path)):
                yield f"{kind}s/{name}/{version}/{MANIFEST}: no statement names these bytes"
    for envelope in evidence.unverified():
        if envelope.statement.stage in (Stage.COMMIT, Stage.PACKAGE):
            for subject in envelope.statement.subjects:
                if _REF.fullmatch(subject.name) and subject.name not in present:
                    yield f"{subject.name}: a statement says it was made, and it is not here"


def _packages(workspace: Workspace, evidence: EvidenceStore, *, holder: bytes) -> Iterator[str]:
    """Packages that no statement delivered, or that no longer open with the holder's key."""
    for path in sorted((workspace.root / "releases").glob("*")):
        if path.suffix != ".cur":
            yield f"releases/{path.name}: a file that is no package"
            continue
        try:
            evidence.read(_delivery(path))
            _open(path, workspace, holder=holder)
        except CuratorError as fault:
            if fault.code != "release-expired":
                yield f"releases/{path.name}: {fault.found}"


def _open(path: Path, workspace: Workspace, *, holder: bytes) -> None:
    """Open a package beside the capital, or in the machine's temporary folder where that is read-only."""
    if not os.access(workspace.private / "tmp", os.W_OK):
        open_package(path, trust=holder).close()
        return
    with workspace.scratch("verify") as scratch:
        open_package(path, trust=holder, into=scratch / "package").close()


def _other_rows(workspace: Workspace) -> Iterator[str]:
    """Dataset versions whose shards hold other rows than their manifest says, by the digest that asks for no order."""
    for name, version in workspace.versions("dataset"):
        folder = workspace.root / "datasets" / name / version
        try:
            manifest = Manifest.read(folder)
            stated = manifest.about.get("row_digest")
            if not isinstance(stated, dict) or stated.get("scheme") != SCHEME:
                continue  # an earlier curator's, or a later one's
            files = [folder / entry.path for entry in manifest.files if entry.split]
            found = sum((digest_file(path) for path in files), RowDigest())
        except (CuratorError, pa.ArrowException, OSError, TypeError):
            continue  # absent or unreadable bytes are named by their SHA-256 already
        if str(found) != stated.get("digest"):
            yield f"datasets/{name}/{version}: other rows than its manifest states"
