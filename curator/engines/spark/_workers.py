"""Whether the machines of a cluster have what this one has: other packages could write other bytes, or none.

Each executor that is there is asked before any row or key is sent, by a function that needs nothing of curator. One
that comes later refuses its own tasks: Spark gives them to others, and ends the job where nobody takes them.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa

from curator.engines.spark._faults import carry, unlike
from curator.errors import UsageError

_WRITERS = ("curator", "pyarrow", "numpy")
_PACKAGES = (*_WRITERS, "duckdb", "cryptography")
_TASKS = 4  # for each core: so many that no executor is passed over


def require_alike(session: Any) -> None:
    """Refuse a cluster with a worker whose packages differ. Raises UsageError `spark-worker`."""
    tasks = _TASKS * session.sparkContext.defaultParallelism
    frame = session.range(0, tasks, 1, tasks).mapInArrow(telling(_PACKAGES), "data BINARY")
    ours = versions(_PACKAGES)
    for row in frame.distinct().collect():
        _compare(json.loads(bytes(row.data)), ours=ours)


def require_same(ours: dict[str, str]) -> None:
    """In a task: refuse to work with other packages than the asker's. Raises what `carry` makes of `spark-worker`."""
    try:
        _compare(versions(tuple(ours)), ours=ours)
    except UsageError as fault:
        raise carry(fault) from None


def _compare(theirs: dict[str, str], *, ours: dict[str, str]) -> None:
    wrong = {name: theirs[name] for name in ours if theirs[name] != ours[name]}
    if wrong:
        here = f"what is here: {_listed({name: ours[name] for name in wrong})}"
        raise unlike("work on the Spark cluster", found=f"a worker with {_listed(wrong)}", here=here)


def telling(packages: tuple[str, ...]) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function of a task that tells the versions it finds; it travels whole, and needs none of the packages."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            found = {}
            for name in packages:
                try:
                    found[name] = str(getattr(importlib.import_module(name), "__version__", "missing"))
                except ImportError:
                    found[name] = "missing"
            data = pa.array([json.dumps(found).encode()], pa.binary())
            yield pa.RecordBatch.from_arrays([data], names=["data"])

    return run


def versions(packages: tuple[str, ...] = _WRITERS) -> dict[str, str]:
    """The versions of this process: of what decides on the bytes written, unless others are named."""
    return {name: str(importlib.import_module(name).__version__) for name in packages}


def _listed(found: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items())
