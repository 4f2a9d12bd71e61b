"""`init`."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from curator.capital import Capital
from curator.cli._console import Answer, Console, pairs
from curator.cli._places import capital_folder


def init(args: Namespace, console: Console) -> Answer:
    """Create a capital."""
    root = Path(args.folder) if args.folder else capital_folder(args)
    capital = Capital.create(root, holder=args.holder)
    held_outside = [name for name in ("CURATOR_ROOT_KEY", "CURATOR_ROOT_KEY_FILE") if name in os.environ]
    held = {
        "holder": capital.workspace.holder,
        "folder": str(root),
        "public_key": str(root / "holder.pub"),
        "root_secret": next(iter(held_outside), str(capital.workspace.private / "keys" / "root.key")),
    }
    console.note(
        "Back up the root secret and, apart from it, keys/epochs, where only the holder can read them: without\n"
        "both, no later version can carry the same tokens. Whoever receives packages needs only holder.pub, by\n"
        "another way than the packages."
    )
    return Answer(document=held, text=pairs({name.replace("_", " "): value for name, value in held.items()}))
