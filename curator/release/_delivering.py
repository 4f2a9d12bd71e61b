"""Delivering: the reviewed bytes, the terms and all evidence, in one package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from curator.agents import Directory
from curator.canonical import sha256_bytes
from curator.edges.keys import public_pem
from curator.errors import IntegrityError
from curator.evidence import Artifact, Envelope, EvidenceStore, Signer, Stage
from curator.lifecycle import APPROVE, Request, Terms, reviews_of, state_of
from curator.manifest import MANIFEST, Manifest
from curator.package_file import DATASET, HOLDER, MODEL, SUMS, TERMS, Member, in_order, sums_text, write_package
from curator.release._gating import gate
from curator.release._moves import artifacts_of, judge, read_request, sign, void
from curator.spec.model import UseCase


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A package that was written, and the statement to publish with it.

    Attributes:
        path: the `.cur` file.
        sha256: of that file.
        envelope: the `deliver` statement, which is also the package's first member.
        request: what it fulfils.
    """

    path: Path
    sha256: str
    envelope: Envelope
    request: Request


def deliver(
    asked: Envelope,
    *,
    folders: Mapping[str, Path],
    destination: Path,
    use_case: UseCase,
    evidence: EvidenceStore,
    signer: Signer,
    directory: Directory,
    now: datetime,
    canaries: Sequence[str] = (),
    earlier: Sequence[Sequence[Path]] = (),
    trained: Sequence[Path] = (),
) -> Delivery:
    """Write the package of an approved request: the reviewed bytes, the terms, and all evidence to verify them alone.

    Args:
        asked: the request.
        folders: folder of each version, by kind (`dataset`, `model`), each with its `manifest.json`.
        destination: the file to write, or a folder, where it is called `NAME-VERSION.cur`.
        use_case: the spec that the request names.
        evidence: the statements so far.
        signer: a deliverer.
        directory: the present agents; it must know the holder's key.
        now: the time, with a time zone.
        canaries: identifiers planted in the sources, which must come out nowhere.
        earlier: shards of each version that was released before under the same name.
        trained: shards of the training split of the dataset behind a model.

    Raises:
        DisclosureError: `attack-succeeded`, when an attack of the gate succeeds on the very bytes.
        NotAllowedError: `move-not-allowed` (not approved), `request-void` (a byte differs from those reviewed),
            `request-expired`, `channel-not-allowed`, `role-missing`.
        StorageError: `package-exists`, `package-unwritable`. IntegrityError: as `open_envelope`, `release-statement`,
            or `evidence-missing` when the evidence is not whole. SpecError: `release-spec`.
    """
    case = read_request(asked, use_case=use_case, directory=directory)
    manifests = _manifests(folders)
    previous = _allowed(
        case, manifests, use_case=use_case, evidence=evidence, signer=signer, directory=directory, now=now
    )
    contents = _contents(
        case.terms, folders, manifests=manifests, evidence=evidence, previous=previous, directory=directory
    )
    _as_reviewed(manifests, folders)  # the attacks are on these bytes, and the writer takes no others
    attacked = gate(contents, use_case=use_case, terms=case.terms, canaries=canaries, earlier=earlier, trained=trained)
    members = _members(contents, manifests)
    name = _file_name(manifests)
    envelope = sign(
        Stage.DELIVER, signer, now=now, subjects=[Artifact(name, sha256_bytes(_bytes(contents[SUMS])))],
        inputs=case.artifacts, previous=previous,
        facts={
            "request": case.digest, "terms": case.terms.to_json(),
            "members": [member.to_json() for member in members], "attacks": attacked.facts(),
        },
    )  # fmt: skip
    path = destination / name if destination.is_dir() else destination
    digest = _write(path, envelope=envelope, members=members, contents=contents, request=case)
    return Delivery(path=path, sha256=digest, envelope=envelope, request=case)


def _allowed(
    case: Request,
    manifests: Mapping[str, Manifest],
    *,
    use_case: UseCase,
    evidence: EvidenceStore,
    signer: Signer,
    directory: Directory,
    now: datetime,
) -> list[str]:
    """Refuse what may not be delivered now; the digests of the statements that a delivery follows."""
    known = tuple(evidence.envelopes(directory.keys()))
    judge(
        "deliver", state_of(case, known, directory=directory), signer=signer, directory=directory, use_case=use_case,
        terms=case.terms, now=now, asked=case.artifacts, present=artifacts_of(list(manifests.values())),
        requester=case.requester,
    )  # fmt: skip
    reviews = [item.digest for item in reviews_of(case, known, directory=directory)[APPROVE]]
    return [case.digest, *reviews, directory.digest]


def _manifests(folders: Mapping[str, Path]) -> dict[str, Manifest]:
    """The manifest of each folder; a folder without a sound one is not what was reviewed."""
    found = {}
    for kind, folder in sorted(folders.items()):
        try:
            found[kind] = Manifest.read(folder)
        except IntegrityError as fault:
            raise void(fault.found) from fault
        if found[kind].kind != kind:
            raise void(f"a {found[kind].kind} in the place of a {kind}")
    return found


def _as_reviewed(manifests: Mapping[str, Manifest], folders: Mapping[str, Path]) -> None:
    """Refuse files that are not, byte for byte, those that the manifests list."""
    for kind, manifest in manifests.items():
        faults = [fault for fault in manifest.differences(folders[kind]) if not fault.startswith("added")]
        if faults:
            raise void(faults[0])


def _contents(
    terms: Terms,
    folders: Mapping[str, Path],
    *,
    manifests: Mapping[str, Manifest],
    evidence: EvidenceStore,
    previous: Sequence[str],
    directory: Directory,
) -> dict[str, bytes | Path]:
    """What each member holds; data stays on disk and is read once, while the package is written."""
    contents: dict[str, bytes | Path] = {HOLDER: public_pem(directory.holder), TERMS: terms.to_bytes()}
    for envelope in evidence.closure(previous, keys=directory.keys()):
        contents[f"evidence/{envelope.digest}.json"] = envelope.data
    for kind, manifest in manifests.items():
        contents[f"{kind}/{MANIFEST}"] = manifest.to_bytes()
        contents |= {f"{kind}/{entry.path}": folders[kind] / entry.path for entry in manifest.files}
    papers = [Member.of(path, content=_bytes(data)) for path, data in contents.items() if isinstance(data, bytes)]
    contents[SUMS] = sums_text([*papers, *_listed(manifests)])
    return contents


def _members(contents: Mapping[str, bytes | Path], manifests: Mapping[str, Manifest]) -> tuple[Member, ...]:
    held = [Member.of(path, content=data) for path, data in contents.items() if isinstance(data, bytes)]
    return in_order([*held, *_listed(manifests)])


def _listed(manifests: Mapping[str, Manifest]) -> list[Member]:
    return [
        Member(path=f"{kind}/{entry.path}", sha256=entry.sha256, size=entry.size)
        for kind, manifest in manifests.items()
        for entry in manifest.files
    ]


def _bytes(content: bytes | Path) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def _file_name(manifests: Mapping[str, Manifest]) -> str:
    manifest = manifests.get(DATASET) or manifests[MODEL]
    return f"{manifest.name}-{manifest.version}.cur"


def _write(
    path: Path,
    *,
    envelope: Envelope,
    members: Sequence[Member],
    contents: Mapping[str, bytes | Path],
    request: Request,
) -> str:
    try:
        return write_package(path, envelope=envelope.data, members=members, contents=contents)
    except IntegrityError as fault:
        if fault.code != "package-source-changed":
            raise
        raise void(f"{fault.found} ({request.id})") from fault
