"""A run that sends its version to the remote `team` and kills itself before one request: ROOT METHOD NUMBER|ENDING."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from curator.capital import Capital, RunOptions
from curator.edges import remote
from curator.files import ObjectStore


def main(root: Path, method: str, which: str) -> None:
    """Run, and end before the request of that method: the so many-th, or the one whose key ends so."""
    remote._SMALL = 2_000  # so that shards go in parts
    remote._LATE = 0
    remote._SENDERS = remote._EARLY_SENDERS = 1
    seen, plain = 0, ObjectStore._call

    def counting(store: Any, asked: str, **arguments: Any) -> Any:
        nonlocal seen
        seen += asked == method
        if asked == method and (arguments["Key"].endswith(which) if which.startswith(".") else seen == int(which)):
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(store, asked, **arguments)

    ObjectStore._call = counting  # type: ignore[method-assign]
    Capital.open(root).curate(root.parent / "spec.yaml", RunOptions(to="team"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
