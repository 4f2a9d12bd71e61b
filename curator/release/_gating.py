"""The gate before a delivery: the attacks, by whom the spec expects, on the members as they are about to leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from curator.attacks import Attacker, GateReport, Limits, attack_package
from curator.errors import DisclosureError
from curator.lifecycle import Terms
from curator.policy import Channel
from curator.risk import roles_of
from curator.spec.model import UseCase

_TOLD = 5


def gate(
    contents: Mapping[str, bytes | Path],
    *,
    use_case: UseCase,
    terms: Terms,
    canaries: Sequence[str],
    earlier: Sequence[Sequence[Path]] = (),
    trained: Sequence[Path] = (),
) -> GateReport:
    """Attack a package before it leaves.

    Args:
        contents: path inside the package -> its bytes, or the file that holds them.
        use_case: the spec; its channel says what the receiver knows and what the release may be called.
        terms: on which it leaves.
        canaries: identifiers that the holder planted in the sources.
        earlier: shards of each version released before under the same name.
        trained: shards on which a model in the package was trained.

    Returns:
        What the attacks found, none of it beyond the limits.

    Raises:
        DisclosureError: `attack-succeeded`, naming attacks and columns, never a value.
    """
    opened = use_case.channels.terms(terms.channel)
    claimed = opened is not None and opened.claim == "anonymous"
    owner = use_case.owner.organisation
    salts = (use_case.name, use_case.ref, owner, terms.recipient, terms.purpose, "curator", "salt")
    report = attack_package(
        contents,
        roles=roles_of(use_case),
        forms={name: field.form or "raw" for name, field in use_case.kept().items() if field.protect == "token"},
        attacker=Attacker(channel=terms.channel, knows=_knows(use_case, terms.channel)),
        limits=_promised(use_case, claimed=claimed),
        canaries=canaries,
        salts=salts,
        earlier=earlier,
        trained=trained,
    )
    if not report.passed:
        raise _refusal(report)
    return report


def _promised(use_case: UseCase, *, claimed: bool) -> Limits:
    """The limits of the spec, for the bytes that leave."""
    limits = use_case.disclosure
    if limits is None:
        return Limits(anonymous=claimed)
    return Limits(
        k=limits.k,
        rows=limits.count == "rows",
        l=limits.l.value if limits.l else None,
        entropy_l=limits.entropy_l.value if limits.entropy_l else None,
        t=limits.t.value if limits.t else None,
        distance=limits.t.distance if limits.t else "equal",
        column=limits.sensitive,
        anonymous=claimed,
    )


def _knows(use_case: UseCase, channel: str) -> tuple[str, ...]:
    """What the spec says the receiver may know; the quasi-identifiers when silent, in public every field but tokens."""
    opened = use_case.channels.terms(channel)
    if opened is not None and opened.knows is not None:
        return opened.knows
    if channel == Channel.OPEN:
        return tuple(name for name, field in use_case.kept().items() if field.protect != "token")
    return use_case.quasi_identifiers()


def _refusal(report: GateReport) -> DisclosureError:
    reasons = report.reasons()
    more = f"; and {len(reasons) - _TOLD} more" if len(reasons) > _TOLD else ""
    return DisclosureError(
        "attack-succeeded",
        asked=f"deliver by `{report.attacker.channel}`",
        found="; ".join(reasons[:_TOLD]) + more,
        expected="a package in which no attack of the gate succeeds",
        todo="look at `curator risk`, protect the columns named above, and release a new version",
    )
