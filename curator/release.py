"""Release: ask, review, deliver, recall. Nobody decides alone, and what leaves is byte for byte what was reviewed.

This verb is pure of storage: it reads the evidence it is given and returns signed statements for the workspace to
publish; only `deliver` writes a file, the package itself. Every move is judged by `curator.policy.may`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from curator.agents import Directory
from curator.canonical import sha256_bytes
from curator.edges.keys import public_pem
from curator.errors import IntegrityError, NotAllowedError, SpecError, UsageError
from curator.evidence import (
    Artifact,
    Envelope,
    EvidenceStore,
    Signer,
    Stage,
    Statement,
    format_time,
    open_envelope,
    sign_statement,
)
from curator.lifecycle import APPROVE, REFUSE, Request, Terms, bytes_digest, reviews_of, state_of
from curator.manifest import MANIFEST, Manifest
from curator.package_file import DATASET, HOLDER, MODEL, SUMS, TERMS, Member, in_order, sums_text, write_package
from curator.policy import State, check_channel, may
from curator.spec.model import ChannelTerms, UseCase

KINDS = (DATASET, MODEL)
"""What may leave; also the folder of each in a package."""


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


def request(
    manifests: Sequence[Manifest],
    *,
    use_case: UseCase,
    channel: str,
    purpose: str,
    recipient: str,
    until: date,
    signer: Signer,
    directory: Directory,
    now: datetime,
) -> Envelope:
    """Ask to release one dataset version, one model version, or one of each.

    Args:
        manifests: of the versions; the request is about exactly their bytes.
        use_case: the spec that made them; it says which channels are open, for what and how long.
        channel: `open`, `research` or `industry`.
        purpose: one of the channel's purposes.
        recipient: who will receive it.
        until: last day on which the package may be opened.
        signer: an engineer.
        directory: the present agents.
        now: the time, with a time zone.

    Raises:
        NotAllowedError: `channel-not-allowed` (closed, another purpose, police data without a legal text, a model
            where models may not go), `request-expired` (the last day is past), `release-too-long`, `role-missing`.
        SpecError: `release-spec` when a version was made by another spec.
        UsageError: `release-subjects` when there is no version, or two of one kind.
    """
    artifacts = _artifacts(manifests)
    for manifest in manifests:
        _check_spec(manifest, use_case)
    terms = _terms(use_case, manifests, channel=channel, purpose=purpose, recipient=recipient, until=until, now=now)
    _move(
        "request", State.ABSENT, signer=signer, directory=directory, use_case=use_case, terms=terms, now=now,
        asked=artifacts, present=artifacts, requester=signer.name,
    )  # fmt: skip
    facts = {"use_case": use_case.ref, "spec": use_case.digest, "terms": terms.to_json()}
    return _sign(
        Stage.REQUEST, signer, now=now, subjects=artifacts, inputs=artifacts, previous=[directory.digest], facts=facts
    )


def review(
    asked: Envelope,
    *,
    decision: str,
    reason: str,
    manifests: Sequence[Manifest],
    use_case: UseCase,
    evidence: EvidenceStore,
    signer: Signer,
    directory: Directory,
    now: datetime,
) -> Envelope:
    """Approve or refuse a request, for the very bytes that the reviewer looked at.

    Args:
        asked: the request.
        decision: `approve` or `refuse`.
        reason: why, for whoever reads the evidence later; never empty.
        manifests: of the versions as they stand now.
        use_case: the spec that the request names.
        evidence: the statements so far.
        signer: a reviewer other than the requester.
        directory: the present agents.
        now: the time, with a time zone.

    Raises:
        NotAllowedError: `own-request`, `role-missing`, `request-void` (other bytes than those asked for),
            `request-expired`, `channel-not-allowed`, `move-not-allowed` (judged already).
        UsageError: `review-decision` when there is no decision or no reason.
        SpecError: `release-spec`. IntegrityError: as `open_envelope`, or `release-statement`.
    """
    if decision not in (APPROVE, REFUSE) or not reason.strip():
        raise _no_decision()
    case = _read_request(asked, use_case=use_case, directory=directory)
    _move(
        decision, state_of(case, evidence.envelopes(directory.keys()), directory=directory), signer=signer,
        directory=directory, use_case=use_case, terms=case.terms, now=now,
        asked=case.artifacts, present=_artifacts(manifests), requester=case.requester,
    )  # fmt: skip
    facts = {"decision": decision, "reason": reason.strip(), "request": case.digest}
    previous = [case.digest, directory.digest]
    return _sign(Stage.REVIEW, signer, now=now, subjects=case.artifacts, previous=previous, facts=facts)


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

    Raises:
        NotAllowedError: `move-not-allowed` (not approved), `request-void` (a byte differs from those reviewed),
            `request-expired`, `channel-not-allowed`, `role-missing`.
        StorageError: `package-exists`, `package-unwritable`. IntegrityError: as `open_envelope`, `release-statement`,
            or `evidence-missing` when the evidence is not whole. SpecError: `release-spec`.
    """
    case = _read_request(asked, use_case=use_case, directory=directory)
    known = tuple(evidence.envelopes(directory.keys()))
    manifests = _manifests(folders)
    _move(
        "deliver", state_of(case, known, directory=directory), signer=signer, directory=directory, use_case=use_case,
        terms=case.terms, now=now, asked=case.artifacts, present=_artifacts(list(manifests.values())),
        requester=case.requester,
    )  # fmt: skip
    reviews = [item.digest for item in reviews_of(case, known, directory=directory)[APPROVE]]
    previous = [case.digest, *reviews, directory.digest]
    contents = _contents(case.terms, folders, manifests, evidence=evidence, previous=previous, directory=directory)
    members = _members(contents, manifests)
    name = _file_name(manifests)
    envelope = _sign(
        Stage.DELIVER, signer, now=now, subjects=[Artifact(name, sha256_bytes(_bytes(contents[SUMS])))],
        inputs=case.artifacts, previous=previous,
        facts={
            "request": case.digest,
            "terms": case.terms.to_json(),
            "members": [member.to_json() for member in members],
        },
    )  # fmt: skip
    path = destination / name if destination.is_dir() else destination
    digest = _write(path, envelope=envelope, members=members, contents=contents, request=case)
    return Delivery(path=path, sha256=digest, envelope=envelope, request=case)


def recall(
    delivery: Envelope, *, reason: str, evidence: EvidenceStore, signer: Signer, directory: Directory, now: datetime
) -> Envelope:
    """Declare that a delivered package must no longer be used. What was sent cannot be unsent: the recipient is told.

    Args:
        delivery: the `deliver` statement.
        reason: why; never empty.
        evidence: the statements so far.
        signer: a deliverer.
        directory: the present agents.
        now: the time, with a time zone.

    Raises:
        NotAllowedError: `role-missing`, or `move-not-allowed` when it was recalled already.
        UsageError: `review-decision` without a reason. IntegrityError: `release-statement`, or as `open_envelope`.
    """
    if not reason.strip():
        raise _no_decision()
    statement = open_envelope(delivery.data, directory.keys()).statement
    case = Request.read(evidence.read(str(statement.facts.get("request", ""))))
    state = state_of(case, evidence.envelopes(directory.keys()), directory=directory)
    may(
        "recall",
        request_state=state,
        agent=directory.agent(signer.name),
        directory=directory,
        today=now.date(),
        requester=case.requester,
    )
    facts = {"request": case.digest, "reason": reason.strip()}
    previous = [delivery.digest, directory.digest]
    return _sign(Stage.RECALL, signer, now=now, subjects=statement.subjects, previous=previous, facts=facts)


def status(evidence: EvidenceStore, request_digest: str, *, directory: Directory) -> State:
    """Where a request stands, computed from the statements alone.

    Raises:
        IntegrityError: `evidence-missing` when there is no such statement, `release-statement` when it is no request.
    """
    case = Request.read(open_envelope(evidence.read(request_digest).data, directory.keys()))
    return state_of(case, evidence.envelopes(directory.keys()), directory=directory)


def find_request(evidence: EvidenceStore, name: str, *, directory: Directory) -> Request:
    """The request of this id (`R-` and ten digits) or whole digest. Raises UsageError (`request-unknown`)."""
    requests = [
        Request.read(envelope)
        for envelope in evidence.envelopes(directory.keys())
        if envelope.statement.stage is Stage.REQUEST
    ]
    found = [case for case in requests if name in (case.id, case.digest)]
    if len(found) != 1:
        raise UsageError(
            "request-unknown",
            asked="find a release request",
            found=f"{len(found)} requests of that name among {len(requests)}",
            expected="R- and ten hexadecimal digits, or the whole digest of the request's statement",
            todo="list the requests with `curator show`, and give the whole digest where two share an id",
        )
    return found[0]


def _artifacts(manifests: Sequence[Manifest]) -> tuple[Artifact, ...]:
    kinds = [manifest.kind for manifest in manifests]
    if not kinds or len(set(kinds)) != len(kinds) or not set(kinds) <= set(KINDS):
        raise UsageError(
            "release-subjects",
            asked="release some versions",
            found=f"{len(kinds)} versions ({', '.join(sorted(kinds)) or 'none'})",
            expected="one dataset version, one model version, or one of each",
            todo="make one request for each dataset",
        )
    ordered = sorted(manifests, key=lambda manifest: KINDS.index(manifest.kind))
    return tuple(Artifact(manifest.ref, manifest.digest) for manifest in ordered)


def _check_spec(manifest: Manifest, use_case: UseCase) -> None:
    """The version was made by this spec; a manifest names it by its digest, or by its name and digest."""
    spec = manifest.about.get("spec")
    if use_case.digest not in (spec, spec.get("digest") if isinstance(spec, Mapping) else None):
        raise _other_spec(manifest.ref, use_case)


def _terms(
    use_case: UseCase,
    manifests: Sequence[Manifest],
    *,
    channel: str,
    purpose: str,
    recipient: str,
    until: date,
    now: datetime,
) -> Terms:
    """What the request says, once the spec allows it."""
    opened = use_case.channels.terms(channel)
    check_channel(
        channel,
        allowed_channels=_channels(use_case),
        purpose=purpose,
        allowed_purposes=opened.purposes if opened else (),
        regime=use_case.law.regime,
        legal_text=opened.legal_text if opened else None,
    )
    if opened is None:
        raise _closed(channel)
    _check_channel_limits(opened, manifests, channel=channel, days=(until - now.date()).days)
    raw = {"channel": channel, "purpose": purpose, "recipient": recipient, "until": until.isoformat()}
    return Terms.from_json({**raw, "licence": opened.licence})


def _check_channel_limits(opened: ChannelTerms, manifests: Sequence[Manifest], *, channel: str, days: int) -> None:
    if not opened.models and any(manifest.kind == MODEL for manifest in manifests):
        raise NotAllowedError(
            "channel-not-allowed",
            asked=f"release a model by `{channel}`",
            found=f"a spec that lets no model leave by `{channel}`",
            expected="`models: true` under that channel in the spec",
            todo="release the dataset alone, or change the spec and curate a new version",
        )
    if days > opened.max_days:
        raise NotAllowedError(
            "release-too-long",
            asked=f"release by `{channel}` for {days:,} days",
            found=f"a spec that allows {opened.max_days:,} days",
            expected=f"a last day at most {opened.max_days:,} days from today",
            todo="choose an earlier last day; a new request can follow when it is past",
        )


def _channels(use_case: UseCase) -> tuple[str, ...]:
    return tuple(name for name in type(use_case.channels).model_fields if use_case.channels.terms(name))


def _read_request(asked: Envelope, *, use_case: UseCase, directory: Directory) -> Request:
    case = Request.read(open_envelope(asked.data, directory.keys()))
    if case.spec != use_case.digest:
        raise _other_spec(case.id, use_case)
    return case


def _move(
    action: str,
    state: State,
    *,
    signer: Signer,
    directory: Directory,
    use_case: UseCase,
    terms: Terms,
    now: datetime,
    asked: Sequence[Artifact],
    present: Sequence[Artifact],
    requester: str,
) -> None:
    may(
        action,
        request_state=state,
        agent=directory.agent(signer.name),
        directory=directory,
        today=now.date(),
        requester=requester,
        channel=terms.channel,
        allowed_channels=_channels(use_case),
        expires=terms.until,
        requested_digest=bytes_digest(asked),
        present_digest=bytes_digest(present),
    )


def _sign(
    stage: Stage,
    signer: Signer,
    *,
    now: datetime,
    subjects: Sequence[Artifact],
    inputs: Sequence[Artifact] = (),
    previous: Sequence[str],
    facts: Mapping[str, object],
) -> Envelope:
    statement = Statement(
        stage=stage,
        subjects=tuple(subjects),
        inputs=tuple(inputs),
        previous=tuple(digest for digest in previous if digest),
        agent=signer.name,
        keyid=signer.keyid,
        time=format_time(now),
        facts=facts,  # type: ignore[arg-type]
    )
    return sign_statement(statement, signer)


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


def _contents(
    terms: Terms,
    folders: Mapping[str, Path],
    manifests: Mapping[str, Manifest],
    *,
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


def void(found: str) -> NotAllowedError:
    return NotAllowedError(
        "request-void",
        asked="deliver what was reviewed",
        found=found,
        expected="the versions byte for byte as the reviewer saw them",
        todo="restore the version (`curator verify`, `dvc checkout`), or make a new request for the new bytes",
    )


def _closed(channel: str) -> NotAllowedError:
    return NotAllowedError(
        "channel-not-allowed",
        asked=f"release by `{channel}`",
        found="a channel that the use case does not open",
        expected="a channel listed under `channels` in the spec",
        todo="choose another channel, or change the spec and curate a new version",
    )


def _other_spec(what: str, use_case: UseCase) -> SpecError:
    return SpecError(
        "release-spec",
        asked=f"judge {what} by the spec {use_case.ref}",
        found="a version or request that names another spec",
        expected="the spec whose digest the version's manifest holds",
        todo="give the spec that is published with that version (`specs/NAME@VERSION.yaml`)",
    )


def _no_decision() -> UsageError:
    return UsageError(
        "review-decision",
        asked="sign a decision",
        found="no decision, or no reason for it",
        expected="`approve` or `refuse`, and a sentence that says why",
        todo="give both; the sentence is kept in the evidence for ever, so name nobody in it",
    )
