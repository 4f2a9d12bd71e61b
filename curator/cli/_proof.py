"""`trace`, `verify`, `rejected`."""

from __future__ import annotations

from argparse import Namespace

from curator.cli._console import Answer, Console, table
from curator.cli._places import open_capital
from curator.errors import IntegrityError


def trace(args: Namespace, console: Console) -> Answer:
    """The steps back to the sources, newest first."""
    steps = open_capital(args).trace(args.what)
    document = {"what": args.what, "steps": [vars(step) for step in steps]}
    return Answer(document=document, text="\n".join(str(step) for step in steps))


def verify(args: Namespace, console: Console) -> Answer:
    """Everything that is not as the evidence says; exit code 15 when there is anything."""
    with console.busy("verify"):
        findings = [str(finding) for finding in open_capital(args).verify(remote=args.remote)]
    document = {"sound": not findings, "findings": findings}
    if not findings:
        return Answer(document=document, text="sound: every byte is as the evidence says")
    count = f"{len(findings)} finding" + ("s" if len(findings) > 1 else "")
    text = "\n".join([f"not sound, {count}:", *(f"  - {finding}" for finding in findings)])
    return Answer(document=document, text=text, exit_code=IntegrityError.exit_code)


def rejected(args: Namespace, console: Console) -> Answer:
    """Rejected rows by reason, from the signed statement of the check; no row is read."""
    counts = open_capital(args).quality(args.ref)
    reasons: dict[str, int] = counts["rejected"]
    rows = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    document = {"ref": counts["ref"], "rows": counts["rows"], "accepted": counts["accepted"], "rejected": dict(rows)}
    total = sum(reasons.values())
    summary = f"{counts['ref']}: {counts['accepted']:,} of {counts['rows']:,} rows accepted, {total:,} rejected"
    return Answer(document=document, text="\n".join(filter(None, [summary, table(rows, heads=("reason", "rows"))])))
