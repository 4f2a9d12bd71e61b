"""What a text file cannot hold of a mistake: rights, links, lost or damaged files, foreign bytes. One function each."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

Preparation = Callable[[Path], None]


def git(work: Path, *words: str) -> None:
    """A Git command in the capital."""
    subprocess.run(["git", "-C", str(work / "capital"), *words], check=True, capture_output=True)


def pointer(work: Path) -> Path:
    """The committed pointer of the version made."""
    return work / "capital/datasets/visits/1.0.0.dvc"


def statement(work: Path) -> Path:
    """The last statement, by name."""
    return sorted((work / "capital/evidence").glob("*/*.json"))[-1]


def overwrite(path: Path, data: bytes) -> None:
    """Other bytes in a file, under its mode."""
    mode = path.stat().st_mode & 0o777
    path.unlink()
    path.write_bytes(data)
    path.chmod(mode)


def as_parquet(work: Path) -> None:
    """The table as Parquet with `cost` as text and `born` as a timestamp: another system's export."""
    table = pyarrow.csv.read_csv(work / "visits.csv")
    table = table.set_column(table.column_names.index("cost"), "cost", table["cost"].cast(pa.string()))
    pq.write_table(table, work / "visits.parquet")


def key(work: Path) -> Path:
    """The root secret's file."""
    return work / "capital/.curator/keys/root.key"


def folder_for_file(work: Path) -> None:
    """A folder where the table should be."""
    (work / "visits.csv").unlink()
    (work / "visits.csv").mkdir()


def sqlite_without_table(work: Path) -> None:
    """A database whose table has another name."""
    import sqlite3

    with sqlite3.connect(work / "visits.sqlite") as connection:
        connection.execute("CREATE TABLE stays (visit_id INTEGER)")
    connection.close()


def duckdb_without_table(work: Path) -> None:
    """Likewise."""
    import duckdb

    with duckdb.connect(str(work / "visits.duckdb")) as connection:
        connection.execute("CREATE TABLE stays (visit_id INTEGER)")


def late_latin_1(work: Path) -> None:
    """A foreign byte far behind the part of the file that is looked at first."""
    header, *rows = (work / "visits.csv").read_bytes().splitlines(keepends=True)
    many = [str(number).encode() + row[row.index(b",") :] for number, row in enumerate(rows * 500)]
    many[-1] = many[-1].replace(b"th,", b"th\xc9CANARY,")
    (work / "visits.csv").write_bytes(header + b"".join(many))


def alias_bomb(work: Path) -> None:
    """A billion values in ten lines."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (work / "spec.yaml").write_text("\n".join(lines))


def huge(work: Path) -> None:
    """A hundred megabytes of brackets."""
    (work / "spec.yaml").write_bytes(b"[" * 100_000_000)


def deep(work: Path) -> None:
    """Nesting that fits the size limit."""
    (work / "spec.yaml").write_bytes(b"a: " + b"[" * 400_000)


def deep_mapping(work: Path) -> None:
    """Nesting of keys."""
    (work / "spec.yaml").write_text("\n".join(" " * depth + "a:" for depth in range(1_000)))


def wide(work: Path) -> None:
    """Too many values, no nesting."""
    (work / "spec.yaml").write_text("a: [" + "1," * 60_000 + "1]")


def binary(work: Path) -> None:
    """No text at all."""
    (work / "spec.yaml").write_bytes(bytes(range(256)) * 4)


PREPARATIONS: dict[str, Preparation] = {
    "no file": lambda work: (work / "visits.csv").unlink(),
    "empty file": lambda work: overwrite(work / "visits.csv", b""),
    "header only": lambda work: overwrite(work / "visits.csv", (work / "visits.csv").read_bytes()[:58]),
    "folder for file": folder_for_file,
    "garbage parquet": lambda work: (work / "visits.parquet").write_bytes(b"PAR1 CANARY no parquet at all PAR1"),
    "as parquet": as_parquet,
    "sqlite without table": sqlite_without_table,
    "duckdb without table": duckdb_without_table,
    "garbage gzip": lambda work: (work / "visits.csv.gz").write_bytes(b"\x1f\x8b CANARY no gzip at all"),
    "alias bomb": alias_bomb,
    "huge": huge,
    "deep": deep,
    "deep mapping": deep_mapping,
    "wide": wide,
    "binary": binary,
    "no key": lambda work: key(work).unlink(),
    "short key": lambda work: overwrite(key(work), b"00" * 16),
    "readable key": lambda work: key(work).chmod(0o644),
    "malformed key": lambda work: overwrite(key(work), b"correct horse battery staple " * 3),
    "dirty": lambda work: overwrite(work / "capital/specs/visits@1.0.0.yaml", b"curator: 1\n"),
    "late latin-1": late_latin_1,
    "no git": lambda work: (work / "capital/.git").rename(work / "git-moved-away"),
    "detached": lambda work: git(work, "checkout", "-q", "--detach"),
    "index locked": lambda work: (work / "capital/.git/index.lock").touch(),
    "empty pointer": lambda work: overwrite(pointer(work), b""),
    "garbage pointer": lambda work: overwrite(pointer(work), b"\x00\xff not: [yaml"),
    "empty lock": lambda work: (work / "capital/dvc.lock").touch(),
    "empty statement": lambda work: overwrite(statement(work), b""),
    "garbage statement": lambda work: overwrite(statement(work), b"\x00\xff garbage"),
    "no manifest": lambda work: (work / "capital/datasets/visits/1.0.0/manifest.json").unlink(),
    "garbage manifest": lambda work: overwrite(work / "capital/datasets/visits/1.0.0/manifest.json", b"{"),
    "garbage shard": lambda work: overwrite(
        work / "capital/datasets/visits/1.0.0/data/train/part-00000.parquet", b"PAR1 garbage PAR1"
    ),
    "no settings": lambda work: (work / "capital/curator.yaml").unlink(),
    "garbage settings": lambda work: overwrite(work / "capital/curator.yaml", b"\x00\xff: ["),
    "garbage holder": lambda work: overwrite(work / "capital/holder.pub", b"-----BEGIN PUBLIC KEY-----\n"),
}
"""Name in a case -> what it does to the folder `work`, which holds the tables, the spec and the capital."""
