"""Judging: approve or refuse, recall, and where a request stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from curator.agents import Directory
from curator.errors import UsageError
from curator.evidence import Envelope, EvidenceStore, Signer, Stage, open_envelope
from curator.lifecycle import APPROVE, REFUSE, Request, state_of
from curator.manifest import Manifest
from curator.policy import State, may
from curator.release._moves import artifacts_of, judge, no_decision, read_request, sign
from curator.spec.model import UseCase


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
        raise no_decision()
    case = read_request(asked, use_case=use_case, directory=directory)
    judge(
        decision, state_of(case, evidence.envelopes(directory.keys()), directory=directory), signer=signer,
        directory=directory, use_case=use_case, terms=case.terms, now=now,
        asked=case.artifacts, present=artifacts_of(manifests), requester=case.requester,
    )  # fmt: skip
    facts = {"decision": decision, "reason": reason.strip(), "request": case.digest}
    previous = [case.digest, directory.digest]
    return sign(Stage.REVIEW, signer, now=now, subjects=case.artifacts, previous=previous, facts=facts)


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
        raise no_decision()
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
    return sign(Stage.RECALL, signer, now=now, subjects=statement.subjects, previous=previous, facts=facts)


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
