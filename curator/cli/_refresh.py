"""`refresh`."""

from __future__ import annotations

from argparse import Namespace

from curator.cli._console import Answer, Console, pairs
from curator.cli._data import run_options
from curator.cli._places import open_capital

_READ = {
    "none": "nothing: the files are those of before",
    "append": "rows beyond the watermark",
    "changes": "the feed of changes",
}


def refresh(args: Namespace, console: Console) -> Answer:
    """The next version of a dataset, when its source changed."""
    capital = open_capital(args)
    with console.progress() as progress:
        found = capital.refresh(args.spec, run_options(args, progress), full=args.full)
    told = {
        "version": found.version.ref if found.version else "none: nothing changed",
        "previous": found.previous.ref if found.previous else "none",
        "read": _READ.get(found.feed, "every row"),
    }
    rows = {name: f"{count:,}" for name, count in found.changes.facts().items()} if found.changes else {}
    shards = {"shards": ", ".join(f"{count} {name}" for name, count in found.shards.items())} if found.shards else {}
    apart = ", ".join(f"{count:,} {reason}" for reason, count in sorted(found.rejected.items()))
    rejected = {"rejected": f"of the rows read: {apart}"} if apart else {}
    return Answer(document=found.to_json(), text=pairs({**told, **rows, **shards, **rejected}))
