"""Opening a package: papers first, in memory; then the data, in a private folder; then the name."""

from __future__ import annotations

import base64
import binascii
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from curator.agents import Directory
from curator.canonical import sha256_bytes
from curator.edges.keys import parse_public, public_pem, read_public
from curator.errors import IntegrityError, NotAllowedError, StorageError
from curator.evidence import Envelope, Stage, open_envelope, peek_envelope
from curator.lifecycle import Request, Terms, check_delivery
from curator.manifest import MANIFEST, Manifest
from curator.package_file import (
    DATASET,
    ENVELOPE,
    HOLDER,
    LIMITS,
    MODEL,
    SUMS,
    TERMS,
    Limits,
    Member,
    PackageReader,
    read_list,
    sums_text,
)
from curator.receiving._models import check_model
from curator.receiving._package import Package, Papers
from curator.receiving._tables import check_shards

_KEY_BYTES = 32
_AGENTS_BYTES = 2 << 20
_AGENTS = b'"predicateType":"urn:curator:evidence:agents:1"'
_PAYLOAD = re.compile(rb'\{"payload":"([A-Za-z0-9+/]+={0,2})"')
_MANIFEST_BYTES = 64 << 20


def open_package(
    file: str | Path, *, trust: Path | str | bytes, into: Path | str | None = None, today: date | None = None,
    limits: Limits = LIMITS,
) -> Package:  # fmt: skip
    """Verify a package completely, then give access to it.

    Args:
        file: the `.cur` file.
        trust: the holder's public key: a PEM file, PEM bytes or the raw 32 bytes. Get it by another way than the
            package; it is the only thing believed beforehand.
        into: a folder to make, which must not exist; without it the data stands in a temporary folder, removed when
            the package is closed.
        today: the date to judge by; the machine's, in UTC, when None.
        limits: how much to accept.

    Raises:
        IntegrityError: any byte, name, signature, link or digest that is not as it must be; see the codes
            `package-not-package`, `package-size`, `package-list`, `package-layout`, `package-member-changed`,
            `package-holder`, `package-papers`, `package-manifest`, `package-table`, `package-model`,
            `release-statement`, `release-evidence`, `review-mismatch`, `signer-unknown`, `signature-invalid`,
            `statement-invalid`, `agents-invalid`, `agents-forked`.
        NotAllowedError: `release-expired`, `own-request`, `role-missing`, `agent-unknown`, `move-not-allowed`.
        StorageError: `package-absent`, `folder-exists`, `package-unwritable`, `no-space`.
        SecretError: `key-missing` or `key-malformed`, for `trust`.
    """
    holder = _holder_key(trust)
    with PackageReader(Path(file), limits=limits) as reader:
        papers, members = _verify(reader, holder=holder, limits=limits)
        _check_day(papers.request.terms, today or datetime.now(UTC).date())
        return _unpack(reader, papers, members=members, into=None if into is None else Path(into))


def _holder_key(trust: Path | str | bytes) -> bytes:
    if isinstance(trust, bytes):
        return trust if len(trust) == _KEY_BYTES else parse_public(trust)
    return read_public(Path(trust))


def _verify(reader: PackageReader, *, holder: bytes, limits: Limits) -> tuple[Papers, tuple[Member, ...]]:
    """Everything that can be known before the data is read; nothing is written. Claims are read first to be checked."""
    claimed = peek_envelope(reader.envelope).statement
    if claimed.stage is not Stage.DELIVER:
        raise _bad_papers(f"a `{claimed.stage}` statement in the place of a delivery")
    members = read_list(claimed.facts.get("members"), limits=limits)
    contents = reader.papers(members)
    _check_holder(contents[HOLDER], holder)
    files = {Path(path).stem: data for path, data in contents.items() if path.startswith("evidence/")}
    if any(sha256_bytes(data) != digest for digest, data in files.items()):
        raise _bad_papers("evidence under a name that is not its SHA-256")
    directory = Directory.from_envelopes(_agents(files.values()), holder)
    keys = directory.keys()
    delivery = open_envelope(reader.envelope, keys)
    evidence = {digest: open_envelope(data, keys) for digest, data in files.items()}
    request = check_delivery(delivery, evidence, directory=directory)
    _check_texts(contents, members, delivery=delivery, terms=request.terms)
    _check_versions(members, request)
    return Papers(delivery=delivery, request=request, evidence=evidence), members


def _agents(files: Iterable[bytes]) -> list[Envelope]:
    """The `agents` statements, unverified, which are needed first to know the keys.

    They are told apart without parsing, and are few: whoever has no key cannot make the reader parse much. All other
    statements are parsed only once their signatures hold.
    """
    found = [data for data in files if _AGENTS in _payload(data)]
    if sum(map(len, found)) > _AGENTS_BYTES:
        raise _bad_papers(f"more than {_AGENTS_BYTES:,} bytes that say who the agents are")
    return [peek_envelope(data) for data in found]


def _payload(data: bytes) -> bytes:
    """The payload of an envelope in its one canonical spelling; empty when it has another one."""
    match = _PAYLOAD.match(data)
    try:
        return base64.b64decode(match[1], validate=True) if match else b""
    except binascii.Error:
        return b""


def _check_holder(content: bytes, holder: bytes) -> None:
    if content != public_pem(holder):
        raise IntegrityError(
            "package-holder",
            asked="open a package",
            found="a package of another holder than the one whose key you trust",
            expected="the same public key in the package and in your hands",
            todo="check whose key you gave; if it is the right one, do not use the package and tell the holder",
        )


def _check_texts(contents: Mapping[str, bytes], members: Sequence[Member], *, delivery: Envelope, terms: Terms) -> None:
    """The papers for people and foreign tools say what the signed statement says."""
    if contents[TERMS] != terms.to_bytes():
        raise _bad_papers(f"{TERMS} that is not what was signed")
    if contents[SUMS] != sums_text(members):
        raise _bad_papers(f"{SUMS} that is not what was signed")
    if [subject.digest for subject in delivery.statement.subjects] != [sha256_bytes(contents[SUMS])]:
        raise _bad_papers(f"a delivery whose subject is not its {SUMS}")


def _check_versions(members: Sequence[Member], request: Request) -> None:
    """The payload's manifests are the versions that were asked for and reviewed, no more and no fewer."""
    kinds = {member.path.split("/")[0] for member in members if not member.is_paper}
    manifests = {member.path: member for member in members if member.path in {f"{kind}/{MANIFEST}" for kind in kinds}}
    if len(manifests) != len(kinds):
        raise _bad_manifest(f"a folder without {MANIFEST}")
    if sorted(member.sha256 for member in manifests.values()) != sorted(item.digest for item in request.artifacts):
        raise _bad_manifest("other versions than those that were reviewed")
    if any(member.size > _MANIFEST_BYTES for member in manifests.values()):
        raise _bad_manifest(f"a manifest of more than {_MANIFEST_BYTES:,} bytes")


def _check_day(terms: Terms, today: date) -> None:
    if today > terms.until:
        raise NotAllowedError(
            "release-expired",
            asked="open a package",
            found=f"a release that ended on {terms.until.isoformat()}",
            expected="a day up to and including that one",
            todo="ask the holder for a new release, and delete what you no longer may use",
        )


def _unpack(reader: PackageReader, papers: Papers, *, members: Sequence[Member], into: Path | None) -> Package:
    """Data into a private folder, inspected there, then renamed; on any error nothing is left on disk."""
    partial = _private_folder(reader.name, into=into, needed=sum(member.size for member in members))
    try:
        reader.unpack(partial)
        manifests = {kind: _read_manifest(partial / kind, kind, members=members) for kind in _kinds(members)}
        _check_names(manifests, papers.request)
        if DATASET in manifests:
            check_shards(partial / DATASET, manifests[DATASET])
        for member in members:
            if member.path.endswith(".onnx"):
                check_model((partial / member.path).read_bytes())
        folder = _publish(partial, into) if into else partial
    except OSError as fault:
        shutil.rmtree(partial, ignore_errors=True)
        raise _unwritable(reader.name, fault) from fault
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Package(folder, papers=papers, manifests=manifests, temporary=into is None)


def _kinds(members: Sequence[Member]) -> tuple[str, ...]:
    present = {member.path.split("/")[0] for member in members}
    return tuple(kind for kind in (DATASET, MODEL) if kind in present)


def _private_folder(name: str, *, into: Path | None, needed: int) -> Path:
    if into is not None and (into.exists() or into.is_symlink()):
        raise StorageError(
            "folder-exists",
            asked=f"unpack {name} into {into.name}",
            found="a file or folder of that name",
            expected="a folder that does not exist yet",
            todo="choose another folder, or remove that one",
        )
    try:
        partial = Path(tempfile.mkdtemp(prefix=".curator-", dir=into.parent if into else None))
        free = shutil.disk_usage(partial).free
    except OSError as fault:
        raise _unwritable(name, fault) from fault
    if free < needed:
        partial.rmdir()
        raise StorageError(
            "no-space",
            asked=f"unpack {name}",
            found=f"{free:,} bytes free",
            expected=f"at least {needed:,} bytes",
            todo="free some room, or unpack into a folder on another disk",
        )
    return partial


def _publish(partial: Path, into: Path) -> Path:
    partial.rename(into)
    return into


def _read_manifest(folder: Path, kind: str, *, members: Sequence[Member]) -> Manifest:
    manifest = Manifest.read(folder)
    listed = {(member.path, member.sha256, member.size) for member in members if member.path.startswith(f"{kind}/")}
    named = {(f"{kind}/{entry.path}", entry.sha256, entry.size) for entry in manifest.files}
    own = {member for member in listed if member[0] == f"{kind}/{MANIFEST}"}
    if manifest.kind != kind or listed - own != named:
        raise _bad_manifest("files that are not exactly those of the version's manifest")
    return manifest


def _check_names(manifests: Mapping[str, Manifest], request: Request) -> None:
    found = sorted((manifest.ref, manifest.digest) for manifest in manifests.values())
    if found != sorted((artifact.name, artifact.digest) for artifact in request.artifacts):
        raise _bad_manifest("a version under another name than the reviewed one")


def _bad_papers(found: str) -> IntegrityError:
    return IntegrityError(
        "package-papers",
        asked="open a package",
        found=found,
        expected=f"{ENVELOPE}, {SUMS}, {HOLDER}, {TERMS} and evidence that say the same thing",
        todo="do not use the package; tell its sender",
    )


def _bad_manifest(found: str) -> IntegrityError:
    return IntegrityError(
        "package-manifest",
        asked="open a package",
        found=found,
        expected="exactly the files of the versions that were asked for and reviewed",
        todo="do not use the package; tell its sender",
    )


def _unwritable(name: str, fault: OSError) -> StorageError:
    return StorageError(
        "package-unwritable",
        asked=f"unpack {name}",
        found=fault.strerror or "the disk refused",
        expected="a folder with room and the right to write",
        todo="choose another folder; nothing was left behind",
    )
