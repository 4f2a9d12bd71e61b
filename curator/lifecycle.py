"""The life of a release request, read from statements alone: what was asked, who judged it, where it stands.

A request names the exact bytes it is about; a review binds itself to the same bytes and to that request; a delivery
names both. `curator.release` makes these statements and `curator.receiving` believes them, by the same functions, so
that a vendor applies the very rules that the holder did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from curator.agents import Directory
from curator.canonical import Json, canonical_json, sha256_json
from curator.errors import IntegrityError, NotAllowedError
from curator.evidence import MAKING, PLAIN, Artifact, Envelope, Stage, Statement
from curator.policy import Channel, State, check_author

APPROVALS = 1
"""Approving reviews that a delivery needs; none of them by the agent who asked."""

APPROVE, REFUSE = "approve", "refuse"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On what terms something leaves: closed, and refused by default.

    Attributes:
        channel: `open`, `research` or `industry`.
        purpose: the one thing the recipient may do with it.
        recipient: who receives it, in the holder's words.
        until: last day on which it may be opened; that day still counts.
        licence: SPDX name or the agreement's reference.
    """

    channel: str
    purpose: str
    recipient: str
    until: date
    licence: str

    def to_json(self) -> dict[str, Json]:
        """As it stands in statements and in `terms.json`."""
        return {**vars(self), "until": self.until.isoformat()}

    def to_bytes(self) -> bytes:
        """`terms.json`: canonical JSON (RFC 8785)."""
        return canonical_json(self.to_json())

    @classmethod
    def from_json(cls, raw: Any) -> Terms:
        """Read terms strictly. Raises IntegrityError (`release-statement`) when they are not so."""
        entry = _exact(raw, {"channel", "purpose", "recipient", "until", "licence"})
        if not all(isinstance(value, str) and value.strip() for value in entry.values()):
            raise _malformed("terms with an empty value, or one that is not text")
        try:
            terms = cls(**{**entry, "until": date.fromisoformat(entry["until"])})
        except ValueError as fault:
            raise _malformed("a last day that is not a date") from fault
        if terms.channel not in set(Channel) or terms.until.isoformat() != entry["until"]:
            raise _malformed("an unknown channel, or a last day in another form than YYYY-MM-DD")
        return terms


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request to release some versions, as its statement says.

    Attributes:
        envelope: the statement.
        use_case: `name@version` of the spec.
        spec: SHA-256 of the spec's meaning (`UseCase.digest`).
        terms: what was asked for.
    """

    envelope: Envelope
    use_case: str
    spec: str
    terms: Terms

    @property
    def digest(self) -> str:
        """SHA-256 of the statement's file."""
        return self.envelope.digest

    @property
    def id(self) -> str:
        """What people call it: `R-` and the first ten hexadecimal digits of the digest."""
        return request_id(self.digest)

    @property
    def requester(self) -> str:
        """Name of the agent who asked."""
        return self.envelope.statement.agent

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """The versions asked for; their digests are those of their manifests."""
        return self.envelope.statement.subjects

    @classmethod
    def read(cls, envelope: Envelope) -> Request:
        """Read a request. Raises IntegrityError (`release-statement`) when it is not one."""
        statement = _staged(envelope, Stage.REQUEST)
        facts = _exact(statement.facts, {"use_case", "spec", "terms"})
        if statement.inputs != statement.subjects or any(item.algorithm != PLAIN for item in statement.subjects):
            raise _malformed("a request whose inputs are not the versions that it asks for")
        if not isinstance(facts["use_case"], str) or not isinstance(facts["spec"], str):
            raise _malformed("a request that names no spec")
        terms = Terms.from_json(facts["terms"])
        return cls(envelope=envelope, use_case=facts["use_case"], spec=facts["spec"], terms=terms)


def request_id(digest: str) -> str:
    """The short name of the request whose statement has this digest."""
    return f"R-{digest[:10]}"


def bytes_digest(artifacts: Iterable[Artifact]) -> str:
    """One digest for several versions: SHA-256 of the canonical list of their names and digests, sorted."""
    return sha256_json(sorted([artifact.name, artifact.digest] for artifact in artifacts))


def check_review(review: Envelope, request: Request, *, directory: Directory) -> str:
    """Whether a verified review counts for a request.

    Args:
        review: a `review` statement whose signature holds.
        request: the request.
        directory: the newest one; roles are judged as they were at the review's time.

    Returns:
        Its decision, `approve` or `refuse`.

    Raises:
        IntegrityError: `release-statement` when it is malformed; `review-mismatch` when it is about another request
            or other bytes, or is older than the request.
        NotAllowedError: `own-request` when requester and reviewer are one; `role-missing` or `agent-unknown` when the
            signer was no reviewer then.
    """
    statement = _staged(review, Stage.REVIEW)
    facts = _exact(statement.facts, {"decision", "reason", "request"})
    if facts["decision"] not in (APPROVE, REFUSE) or not isinstance(facts["reason"], str):
        raise _malformed("a review without a decision and a reason")
    asked = request.envelope.statement
    if facts["request"] != request.digest or request.digest not in statement.previous:
        raise _mismatch("a review of another request")
    if set(statement.subjects) != set(asked.subjects) or statement.time < asked.time:
        raise _mismatch("a review of other bytes than those asked for, or one older than the request")
    if statement.agent == asked.agent or statement.keyid == asked.keyid:
        raise _own_request(request)
    check_author(statement, directory)
    return str(facts["decision"])


def reviews_of(request: Request, envelopes: Iterable[Envelope], *, directory: Directory) -> dict[str, list[Envelope]]:
    """The reviews that count for a request, by decision; those that do not count are passed over.

    Args:
        request: the request.
        envelopes: verified statements of any stage.
        directory: as `check_review`.
    """
    found: dict[str, list[Envelope]] = {APPROVE: [], REFUSE: []}
    for envelope in envelopes:
        if envelope.statement.stage is Stage.REVIEW and request.digest in envelope.statement.previous:
            try:
                found[check_review(envelope, request, directory=directory)].append(envelope)
            except (IntegrityError, NotAllowedError):
                continue
    return found


def state_of(request: Request, envelopes: Iterable[Envelope], *, directory: Directory) -> State:
    """Where a request stands, from statements alone.

    A statement that does not count (wrong role at its time, own request, other bytes) changes nothing. Whether the
    bytes changed since (`voided`) is not in the statements: `curator.policy.may` judges it at each move.

    Args:
        request: the request.
        envelopes: verified statements of any stage.
        directory: as `check_review`.
    """
    statements = tuple(envelopes)
    reviews = reviews_of(request, statements, directory=directory)
    deliveries = _followers(statements, Stage.DELIVER, previous={request.digest}, directory=directory)
    if _followers(statements, Stage.RECALL, previous={envelope.digest for envelope in deliveries}, directory=directory):
        return State.RECALLED
    if deliveries:
        return State.DELIVERED
    if reviews[REFUSE]:
        return State.REFUSED
    approvers = {envelope.statement.agent for envelope in reviews[APPROVE]}
    return State.APPROVED if len(approvers) >= APPROVALS else State.REQUESTED


def check_delivery(delivery: Envelope, papers: Mapping[str, Envelope], *, directory: Directory) -> Request:
    """Whether a verified delivery follows from an approved request, by nothing but the papers that travel with it.

    Args:
        delivery: the `deliver` statement.
        papers: every statement that came with it, verified, by digest.
        directory: built from the `agents` statements among them.

    Returns:
        The request that it fulfils.

    Raises:
        IntegrityError: `release-statement`, `review-mismatch`, `release-evidence` (a statement is missing, stands
            there without being needed, or the request and the delivery do not agree).
        NotAllowedError: `own-request`, `role-missing`, `agent-unknown`, or `move-not-allowed` when it was refused or
            not approved often enough.
    """
    statement = _staged(delivery, Stage.DELIVER)
    facts = _exact(statement.facts, {"request", "terms", "members"}, optional={"attacks"})
    _check_whole(statement, papers)
    for envelope in papers.values():
        if envelope.statement.stage not in (Stage.REVIEW, Stage.AGENTS):
            check_author(envelope.statement, directory)
    check_author(statement, directory)
    if facts["request"] not in papers:
        raise _evidence("a delivery without its request")
    request = Request.read(papers[facts["request"]])
    if facts["terms"] != request.terms.to_json() or set(statement.inputs) != set(request.artifacts):
        raise _evidence("a delivery of other versions, or on other terms, than were asked for")
    _check_reviews(statement, request, papers=papers, directory=directory)
    return request


def _check_reviews(
    delivery: Statement, request: Request, *, papers: Mapping[str, Envelope], directory: Directory
) -> None:
    reviews = [envelope for envelope in papers.values() if envelope.statement.stage is Stage.REVIEW]
    decisions = [check_review(review, request, directory=directory) for review in reviews]
    approvers = {review.statement.agent for review in reviews}
    if REFUSE in decisions or len(approvers) < APPROVALS:
        raise NotAllowedError(
            "move-not-allowed",
            asked=f"accept the delivery of {request.id}",
            found=f"{len(approvers)} approving reviews" if REFUSE not in decisions else "a review that refuses it",
            expected=f"at least {APPROVALS} by a reviewer who did not ask for it, and none that refuses",
            todo="do not use what was delivered; ask the holder for a delivery that was reviewed",
        )
    if any(review.statement.time > delivery.time for review in reviews):
        raise _mismatch("a review later than the delivery")


def _check_whole(delivery: Statement, papers: Mapping[str, Envelope]) -> None:
    """Every statement that another follows is there, every version has its maker, and nothing else is there."""
    makers: dict[tuple[str, str], list[str]] = defaultdict(list)
    for digest, envelope in papers.items():
        if envelope.statement.stage in MAKING:
            for subject in envelope.statement.subjects:
                makers[subject.algorithm, subject.digest].append(digest)
    if not all(makers[item.algorithm, item.digest] for item in delivery.inputs) or not delivery.inputs:
        raise _evidence("a version without the statement that made it")
    reached: set[str] = set()
    waiting = [delivery]
    while waiting:
        statement = waiting.pop()
        made = [digest for item in statement.inputs for digest in makers.get((item.algorithm, item.digest), ())]
        for digest in {*statement.previous, *made} - reached:
            if digest not in papers:
                raise _evidence("a statement that follows one which is not there")
            reached.add(digest)
            waiting.append(papers[digest].statement)
    if reached != set(papers):
        raise _evidence("a statement that nothing leads to")


def _followers(
    envelopes: Sequence[Envelope], stage: Stage, *, previous: Collection[str], directory: Directory
) -> list[Envelope]:
    found = []
    for envelope in envelopes:
        statement = envelope.statement
        if statement.stage is stage and not set(previous).isdisjoint(statement.previous):
            try:
                check_author(statement, directory)
            except NotAllowedError:
                continue
            found.append(envelope)
    return found


def _staged(envelope: Envelope, stage: Stage) -> Statement:
    if envelope.statement.stage is not stage:
        raise _malformed(f"a `{envelope.statement.stage}` statement where a `{stage}` one is due")
    return envelope.statement


def _exact(raw: Any, keys: set[str], *, optional: Collection[str] = ()) -> dict[str, Any]:
    if not isinstance(raw, Mapping) or set(raw) - set(optional) != keys:
        raise _malformed(f"facts that are not exactly {', '.join(sorted(keys))}")
    return dict(raw)


def _malformed(found: str) -> IntegrityError:
    return IntegrityError(
        "release-statement",
        asked="read a statement about a release",
        found=found,
        expected="a request, review or delivery as curator writes it",
        todo="check which file you gave; if it came with a package, tell its sender",
    )


def _mismatch(found: str) -> IntegrityError:
    return IntegrityError(
        "review-mismatch",
        asked="count a review",
        found=found,
        expected="a review that names this request and the digests that it asks for, made after it",
        todo="have the request reviewed again; nothing may leave on this review",
    )


def _own_request(request: Request) -> NotAllowedError:
    return NotAllowedError(
        "own-request",
        asked=f"review the request {request.id}",
        found="the agent who made the request",
        expected="a reviewer other than the requester: nobody decides alone",
        todo="ask another reviewer",
    )


def _evidence(found: str) -> IntegrityError:
    return IntegrityError(
        "release-evidence",
        asked="follow a delivery back to its sources",
        found=found,
        expected="every statement from the sources to the delivery, and nothing besides",
        todo="do not use what was delivered; ask its sender for a package written by curator",
    )
