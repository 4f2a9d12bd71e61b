"""Requests, reviews and deliveries: the verbs of release, published."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator import release
from curator.agents import Role
from curator.capital._rekey import refuse_shared_tokens
from curator.edges.durable import disk_errors, move, sync_file
from curator.errors import NotAllowedError, UsageError
from curator.evidence import Envelope, Stage
from curator.lifecycle import Request
from curator.policy import State
from curator.records import DatasetVersion, ModelVersion, html_table
from curator.spec import UseCase

if TYPE_CHECKING:
    from curator.capital import Capital


@dataclass(frozen=True, kw_only=True)
class Case:
    """A release request as people see it.

    Attributes:
        id: `R-` and ten hexadecimal digits.
        state: requested, approved, refused, delivered, recalled or voided.
        subjects: references of what would leave.
        requester: who asked.
        terms: channel, purpose, recipient, until, licence.
    """

    id: str
    state: str
    subjects: tuple[str, ...]
    requester: str
    terms: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {**vars(self), "subjects": list(self.subjects), "terms": dict(self.terms)}

    def _repr_html_(self) -> str:
        lines = {"state": self.state, "of": ", ".join(self.subjects), "asked by": self.requester}
        return html_table(f"release {self.id}", {**lines, **{name: str(value) for name, value in self.terms.items()}})


def request(capital: Capital, refs: tuple[str, ...], *, to: str, channel: str, purpose: str, until: date) -> Case:
    """Sign and publish a request."""
    recorder = capital.recorder(Role.ENGINEER)
    versions = [capital.version(ref) for ref in refs]
    refuse_shared_tokens(capital, versions, recipient=to)
    envelope = release.request(
        [version.manifest for version in versions],
        use_case=_use_case(capital, versions),
        channel=channel,
        purpose=purpose,
        recipient=to,
        until=until,
        signer=recorder.signer,
        directory=recorder.directory,
        now=recorder.now(),
    )
    _publish(capital, envelope, message=f"Request the release of {', '.join(refs)}")
    return _case(capital, Request.read(envelope))


def review(capital: Capital, name: str, *, approve: bool, reason: str) -> Case:
    """Sign and publish a review."""
    with capital.workspace.lock():  # a request is judged as it stands, and nobody changes it meanwhile
        return _review(capital, name, approve=approve, reason=reason)


def _review(capital: Capital, name: str, *, approve: bool, reason: str) -> Case:
    recorder = capital.recorder(*Role)
    asked = release.find_request(capital.evidence, name, directory=recorder.directory)
    versions = _versions(capital, asked)
    envelope = release.review(
        asked.envelope,
        decision="approve" if approve else "refuse",
        reason=reason,
        manifests=[_as_it_stands(version) for version in versions],
        use_case=_use_case(capital, versions),
        evidence=capital.evidence,
        signer=recorder.signer,
        directory=recorder.directory,
        now=recorder.now(),
    )
    _publish(capital, envelope, message=f"Review the request {asked.id}")
    return _case(capital, asked)


def deliver(capital: Capital, name: str, *, into: Path | None, canaries: Path | None = None) -> Path:
    """Write the package, then publish the statement; a package whose statement cannot be published is removed."""
    planted = _canaries(canaries or capital.workspace.private / "holder" / "canaries.txt", required=bool(canaries))
    recorder = capital.recorder(*Role)
    asked = release.find_request(capital.evidence, name, directory=recorder.directory)
    versions = _versions(capital, asked)
    refuse_shared_tokens(capital, versions, recipient=asked.terms.recipient)
    folder = into or capital.workspace.root / "releases"
    folder.mkdir(parents=True, exist_ok=True)
    workspace = capital.workspace
    with disk_errors(workspace.root, asked=f"deliver {asked.id}"), workspace.scratch("deliver") as scratch:
        delivery = release.deliver(
            asked.envelope,
            folders={version.manifest.kind: version.folder for version in versions},
            destination=scratch,
            use_case=_use_case(capital, versions),
            evidence=capital.evidence,
            signer=recorder.signer,
            directory=recorder.directory,
            now=recorder.now(),
            canaries=planted,
            earlier=_released_before(capital, versions),
            trained=_trained_on(capital, versions),
        )
        with workspace.lock():
            _still_approved(capital, asked)
            final = _place(folder, delivery.path, asked=asked)
            try:
                _publish(capital, delivery.envelope, message=f"Deliver {asked.id}")
            except BaseException:
                if not (workspace.root / delivery.envelope.path).is_file():  # else published before the interruption
                    final.unlink(missing_ok=True)
                raise
    return final


def _still_approved(capital: Capital, asked: Request) -> None:
    """Refuse a delivery when somebody delivered or refused while its package was attacked and written."""
    state = release.status(capital.evidence, asked.digest, directory=capital.directory())
    if state is not State.APPROVED:
        raise NotAllowedError(
            "move-not-allowed",
            asked=f"deliver {asked.id}",
            found=f"a request that is {state} since the delivery began",
            expected="a request that is approved",
            todo="see where the request stands with `curator release status`; the package was not kept",
        )


def recall(capital: Capital, name: str, *, reason: str) -> Case:
    """Sign and publish a recall."""
    with capital.workspace.lock():
        return _recall(capital, name, reason=reason)


def _recall(capital: Capital, name: str, *, reason: str) -> Case:
    recorder = capital.recorder(*Role)
    asked = release.find_request(capital.evidence, name, directory=recorder.directory)
    deliveries = [
        envelope
        for envelope in capital.evidence.envelopes(recorder.directory.keys())
        if envelope.statement.stage is Stage.DELIVER and envelope.statement.facts.get("request") == asked.digest
    ]
    if not deliveries:
        raise UsageError(
            "not-delivered",
            asked=f"recall {asked.id}",
            found="no package delivered for this request",
            expected="a delivered request",
            todo="see where the request stands with `curator release status`",
        )
    envelope = release.recall(
        deliveries[-1],
        reason=reason,
        evidence=capital.evidence,
        signer=recorder.signer,
        directory=recorder.directory,
        now=recorder.now(),
    )
    _publish(capital, envelope, message=f"Recall {asked.id}")
    return _case(capital, asked)


def requests(capital: Capital) -> tuple[Case, ...]:
    """Every request, oldest first."""
    keys = capital.directory().keys()
    found = [envelope for envelope in capital.evidence.envelopes(keys) if envelope.statement.stage is Stage.REQUEST]
    return tuple(_case(capital, Request.read(envelope)) for envelope in found)


def _released_before(capital: Capital, versions: Iterable[DatasetVersion | ModelVersion]) -> list[list[Path]]:
    """Shards of every other dataset version that was delivered under the same name, to whomever, and is still here."""
    names = {version.manifest.name: version.digest for version in versions if isinstance(version, DatasetVersion)}
    delivered = {
        item
        for envelope in capital.evidence.envelopes(capital.directory().keys())
        if envelope.statement.stage is Stage.DELIVER
        for item in envelope.statement.inputs
    }
    known = set(capital.datasets())
    found = []
    for item in sorted(delivered):
        name = item.name.partition("@")[0]
        if item.name in known and name in names and item.digest != names[name]:
            earlier = capital.dataset(item.name)
            found.append([earlier.folder / entry.path for entry in earlier.manifest.files if entry.split])
    return found


def _trained_on(capital: Capital, versions: Iterable[DatasetVersion | ModelVersion]) -> list[Path]:
    """Shards of the training split behind a model, by which the gate tells whose words it holds."""
    found = []
    for version in versions:
        if isinstance(version, ModelVersion):
            dataset = capital.dataset(version.trained_on)
            found += [dataset.folder / entry.path for entry in dataset.manifest.files if entry.split == "train"]
    return found


def _canaries(file: Path, *, required: bool) -> tuple[str, ...]:
    """Planted identifiers, one a line; none when the holder keeps no such file."""
    if not file.is_file() and not required:
        return ()
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise UsageError(
            "canaries-unreadable",
            asked="read the planted identifiers",
            found=type(fault).__name__,
            expected="a text file in UTF-8, one identifier a line",
            todo="correct the path after --canaries",
        ) from None
    return tuple(line.strip() for line in lines if line.strip())


def _case(capital: Capital, asked: Request) -> Case:
    state = release.status(capital.evidence, asked.digest, directory=capital.directory())
    statement = asked.envelope.statement
    return Case(
        id=asked.id,
        state=state.value,
        subjects=tuple(subject.name for subject in statement.subjects),
        requester=asked.requester,
        terms={key: str(value) for key, value in vars(asked.terms).items()},
    )


def _versions(capital: Capital, asked: Request) -> list[DatasetVersion | ModelVersion]:
    return [capital.version(subject.name) for subject in asked.envelope.statement.subjects]


def _as_it_stands(version: DatasetVersion | ModelVersion) -> Any:
    """The manifest, once every byte it lists has been read again: a reviewer approves bytes, not names."""
    faults = version.manifest.differences(version.folder)
    if faults:
        raise release.void(f"{version.ref}: {faults[0]}")
    return version.manifest


def _use_case(capital: Capital, versions: Iterable[DatasetVersion | ModelVersion]) -> UseCase:
    """The spec behind the versions: a dataset's own, a model's through the dataset it was trained on."""
    for version in versions:
        if isinstance(version, DatasetVersion):
            return capital.use_case(version)
    first = next(iter(versions))
    return capital.use_case(capital.dataset(first.trained_on if isinstance(first, ModelVersion) else first.ref))


def _place(folder: Path, written: Path, *, asked: Request) -> Path:
    """Move the package to its folder under a name of its own; one left by a delivery cut short is replaced."""
    final = folder / f"{written.stem}-{asked.id}{written.suffix}"
    part = final.with_suffix(".part")
    try:
        shutil.copyfile(written, part)
        sync_file(part)
        move(part, final)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return final


def _publish(capital: Capital, envelope: Envelope, *, message: str) -> None:
    capital.workspace.publish(folders={}, files={envelope.path: envelope.data}, message=message, tag=None)
