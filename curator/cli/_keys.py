"""`keys list`, `keys rotate`, `keys destroy`, `rekey`, `reveal`."""

from __future__ import annotations

from argparse import Namespace

from curator.cli._console import Answer, Console, pairs, table
from curator.cli._places import open_capital
from curator.epochs import Epoch


def list_epochs(args: Namespace, console: Console) -> Answer:
    """Every epoch of keys."""
    found = open_capital(args).epochs()
    rows = [
        (epoch.name, epoch.state, "yes" if epoch.own_secret else "no", epoch.since or "-", epoch.key_id or "-")
        for epoch in found
    ]
    heads = ("epoch", "state", "own secret", "since", "key id")
    return Answer(document={"epochs": [epoch.to_json() for epoch in found]}, text=table(rows, heads=heads))


def rotate(args: Namespace, console: Console) -> Answer:
    """Begin a new epoch."""
    epoch = open_capital(args).rotate_keys(args.name)
    console.note("Back up its secret beside the root's: without it, versions of this epoch cannot be carried on.")
    return _epoch(epoch)


def destroy(args: Namespace, console: Console) -> Answer:
    """Destroy the secret of an epoch."""
    epoch = open_capital(args).destroy_keys(args.epoch, reason=args.reason)
    console.note(
        "The secret is gone from this workspace. Destroy its copies (backups, snapshots) too; what was delivered in\n"
        "this epoch is not erased by this, it only can no longer be linked back by anybody."
    )
    return _epoch(epoch)


def rekey(args: Namespace, console: Console) -> Answer:
    """A version of its own for one recipient."""
    capital = open_capital(args)
    with console.busy("rekey"):
        version = capital.rekey(args.ref, to=args.to, epoch=args.epoch, name=args.name)
    document = {**version.to_json(), "folder": str(version.folder), "recipient": args.to}
    lines = {**document, "rows": ", ".join(f"{split} {rows:,}" for split, rows in version.manifest.rows.items())}
    return Answer(document=document, text=pairs(lines))


def reveal(args: Namespace, console: Console) -> Answer:
    """Open one token."""
    found = open_capital(args).reveal(args.ref, column=args.column, token=args.token, reason=args.reason)
    document = {"ref": found.ref, "column": found.column, "value": found.value, "statement": found.statement}
    return Answer(document=document, text=pairs(document))


def _epoch(epoch: Epoch) -> Answer:
    document = epoch.to_json()
    lines = {**document, "own_secret": "yes" if epoch.own_secret else "no"}
    return Answer(document=document, text=pairs({name: value for name, value in lines.items() if value}))
