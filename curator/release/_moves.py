"""What every verb of release shares: the move judged by the table, the statement signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from curator.agents import Directory
from curator.errors import NotAllowedError, SpecError, UsageError
from curator.evidence import Artifact, Envelope, Signer, Stage, Statement, format_time, open_envelope, sign_statement
from curator.lifecycle import Request, Terms, bytes_digest
from curator.manifest import Manifest
from curator.package_file import DATASET, MODEL
from curator.policy import State, may
from curator.spec.model import UseCase

KINDS = (DATASET, MODEL)
"""What may leave; also the folder of each in a package."""


def artifacts_of(manifests: Sequence[Manifest]) -> tuple[Artifact, ...]:
    """The versions as artifacts, dataset first. Raises UsageError (`release-subjects`)."""
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


def open_channels(use_case: UseCase) -> tuple[str, ...]:
    """Names of the channels that the spec opens."""
    return tuple(name for name in type(use_case.channels).model_fields if use_case.channels.terms(name))


def read_request(asked: Envelope, *, use_case: UseCase, directory: Directory) -> Request:
    """The request, verified. Raises SpecError (`release-spec`) when it names another spec."""
    case = Request.read(open_envelope(asked.data, directory.keys()))
    if case.spec != use_case.digest:
        raise other_spec(case.id, use_case)
    return case


def judge(
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
    """One move of the table, for the bytes asked for and those present. Raises NotAllowedError."""
    may(
        action,
        request_state=state,
        agent=directory.agent(signer.name),
        directory=directory,
        today=now.date(),
        requester=requester,
        channel=terms.channel,
        allowed_channels=open_channels(use_case),
        expires=terms.until,
        requested_digest=bytes_digest(asked),
        present_digest=bytes_digest(present),
    )


def sign(
    stage: Stage,
    signer: Signer,
    *,
    now: datetime,
    subjects: Sequence[Artifact],
    inputs: Sequence[Artifact] = (),
    previous: Sequence[str],
    facts: Mapping[str, object],
) -> Envelope:
    """A signed statement of this stage."""
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


def check_spec(manifest: Manifest, use_case: UseCase) -> None:
    """The version was made by this spec; a manifest names it by its digest, or by its name and digest."""
    spec = manifest.about.get("spec")
    if use_case.digest not in (spec, spec.get("digest") if isinstance(spec, Mapping) else None):
        raise other_spec(manifest.ref, use_case)


def void(found: str) -> NotAllowedError:
    """The error of bytes that are not those asked for or reviewed."""
    return NotAllowedError(
        "request-void",
        asked="deliver what was reviewed",
        found=found,
        expected="the versions byte for byte as the reviewer saw them",
        todo="restore the version (`curator verify`, a copy or `dvc pull`), or make a new request for the new bytes",
    )


def other_spec(what: str, use_case: UseCase) -> SpecError:
    """The error of a version or request that names another spec."""
    return SpecError(
        "release-spec",
        asked=f"judge {what} by the spec {use_case.ref}",
        found="a version or request that names another spec",
        expected="the spec whose digest the version's manifest holds",
        todo="give the spec that is published with that version (`specs/NAME@VERSION.yaml`)",
    )


def no_decision() -> UsageError:
    """The error of a decision without a word or a reason."""
    return UsageError(
        "review-decision",
        asked="sign a decision",
        found="no decision, or no reason for it",
        expected="`approve` or `refuse`, and a sentence that says why",
        todo="give both; the sentence is kept in the evidence for ever, so name nobody in it",
    )
