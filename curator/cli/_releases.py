"""`release request`, `review`, `deliver`, `recall`, `status`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from curator.cli._console import Answer, Console, pairs, table
from curator.cli._places import open_capital
from curator.errors import UsageError

if TYPE_CHECKING:
    from curator.capital._releases import Case


def request(args: Namespace, console: Console) -> Answer:
    """Ask to release versions."""
    case = open_capital(args).request(
        args.refs, to=args.to, channel=args.channel, purpose=args.purpose, until=args.until
    )
    console.note(f"next: a reviewer runs `curator --as NAME release review {case.id} --approve --reason TEXT`")
    return _case(case)


def review(args: Namespace, console: Console) -> Answer:
    """Approve or refuse."""
    case = open_capital(args).review(args.request, approve=args.approve, reason=args.reason)
    return _case(case)


def deliver(args: Namespace, console: Console) -> Answer:
    """Write the package."""
    with console.busy("deliver"):
        path = open_capital(args).deliver(args.request, into=args.out, canaries=args.canaries)
    console.note("Send holder.pub by another way than the package: it is what the receiver trusts.")
    document = {"request": args.request, "package": str(path), "bytes": path.stat().st_size}
    return Answer(document=document, text=str(path))


def recall(args: Namespace, console: Console) -> Answer:
    """Declare a delivered package void."""
    return _case(open_capital(args).recall(args.request, reason=args.reason))


def status(args: Namespace, console: Console) -> Answer:
    """One request, or all."""
    cases = open_capital(args).requests()
    if args.request is None:
        rows = [(case.id, case.state, case.terms["recipient"], ", ".join(case.subjects)) for case in cases]
        document = {"requests": [case.to_json() for case in cases]}
        return Answer(document=document, text=table(rows, heads=("request", "state", "to", "what")))
    for case in cases:
        if case.id == args.request:
            return _case(case)
    raise UsageError(
        "request-unknown",
        asked="tell where a request stands",
        found="no request of that name",
        expected=", ".join(case.id for case in cases) or "a request: there is none yet",
        todo="list them with `curator release status`",
    )


def _case(case: Case) -> Answer:
    document = case.to_json()
    shown = {"request": case.id, "state": case.state, "what": ", ".join(case.subjects), "asked by": case.requester}
    return Answer(document=document, text=pairs({**shown, **case.terms}))
