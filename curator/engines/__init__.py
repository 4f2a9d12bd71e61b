"""Engines: where rows live while they are worked on. One file each, imported when used."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from curator.errors import UsageError
from curator.protocols import Engine

ENGINES = ("duckdb", "spark")
"""Names that `--engine` takes."""


def open_engine(name: str, *, scratch: Path, threads: int | None = None, memory: str | None = None) -> Engine:
    """Open an engine by name.

    Args:
        name: one of ENGINES.
        scratch: private folder for temporary files, which the engine encrypts.
        threads: worker threads; the engine's own choice when None.
        memory: limit such as `1GB`; the engine's own choice when None.

    Raises:
        UsageError: the name is not an engine, or what it needs is not installed.
    """
    if name == "duckdb":
        from curator.engines.duckdb import DuckDBEngine

        return DuckDBEngine(scratch=scratch, threads=threads, memory=memory)
    if name == "spark":
        _require_pyspark()
        from curator.engines.spark import SparkEngine

        return SparkEngine(scratch=scratch, threads=threads, memory=memory)
    raise UsageError(
        "engine-unknown",
        asked=f"open the engine `{name}`",
        found="no engine of that name",
        expected="one of " + ", ".join(ENGINES),
        todo="choose one of these with --engine",
    )


def _require_pyspark() -> None:
    if find_spec("pyspark") is None:
        raise UsageError(
            "spark-missing",
            asked="open the engine spark",
            found="no package pyspark",
            expected="curator's extra `spark`",
            todo="`pip install 'curator-capital[spark]'` and Java 17, or use `--engine duckdb`",
        )
