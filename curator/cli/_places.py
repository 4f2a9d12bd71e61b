"""Which capital a command works on, and in whose name."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curator.capital import Capital

SETTINGS = "curator.yaml"
DEFAULT = "capital"


def capital_folder(args: Namespace) -> Path:
    """`--capital`, else $CURATOR_CAPITAL, else the nearest folder above that is a capital, else ./capital."""
    named = args.capital or os.environ.get("CURATOR_CAPITAL")
    if named:
        return Path(named)
    here = Path.cwd()
    above = (folder for folder in (here, *here.parents) if (folder / SETTINGS).is_file())
    return next(above, Path(DEFAULT))


def open_capital(args: Namespace) -> Capital:
    """The capital, in the name of `--as`. Raises as `Capital.open`."""
    from curator.capital import Capital

    return Capital.open(capital_folder(args), agent=args.agent)
