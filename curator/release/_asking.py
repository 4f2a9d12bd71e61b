"""Asking: which versions, by which channel, for what, until when; what the spec does not open is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from curator.agents import Directory
from curator.errors import NotAllowedError
from curator.evidence import Envelope, Signer, Stage
from curator.lifecycle import Terms
from curator.manifest import Manifest
from curator.package_file import MODEL
from curator.policy import State, check_channel
from curator.release._moves import artifacts_of, check_spec, judge, open_channels, sign
from curator.spec.model import ChannelTerms, UseCase


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
    artifacts = artifacts_of(manifests)
    for manifest in manifests:
        check_spec(manifest, use_case)
    terms = _terms(use_case, manifests, channel=channel, purpose=purpose, recipient=recipient, until=until, now=now)
    judge(
        "request", State.ABSENT, signer=signer, directory=directory, use_case=use_case, terms=terms, now=now,
        asked=artifacts, present=artifacts, requester=signer.name,
    )  # fmt: skip
    facts = {"use_case": use_case.ref, "spec": use_case.digest, "terms": terms.to_json()}
    return sign(
        Stage.REQUEST, signer, now=now, subjects=artifacts, inputs=artifacts, previous=[directory.digest], facts=facts
    )


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
        allowed_channels=open_channels(use_case),
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


def _closed(channel: str) -> NotAllowedError:
    return NotAllowedError(
        "channel-not-allowed",
        asked=f"release by `{channel}`",
        found="a channel that the use case does not open",
        expected="a channel listed under `channels` in the spec",
        todo="choose another channel, or change the spec and curate a new version",
    )
