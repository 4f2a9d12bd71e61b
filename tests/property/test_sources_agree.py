"""The same rows, written by anybody in any form, are read the same on either engine, as the manual says, or refused."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from random_tables import BAD, parquet_file, seen, texts

from curator.engines import open_engine
from curator.errors import SourceError
from curator.rowdigest import digest_rows
from curator.spec.model import Source


def read(name: str, folder: Path, path: Path, told: dict[str, Any]) -> tuple[list[list[Any]], str]:
    """The rows of a file by an engine, unreadable cells marked, and the digest of the readable rows."""
    scratch = folder / name
    scratch.mkdir()
    engine = open_engine(name, scratch=scratch, threads=1)
    try:
        bound = engine.bind("t", Source.model_validate_json(json.dumps({"path": path.name, **told})), path=path)
        names = list(told["columns"])
        unread = [f'({bound.raw_columns[key]} IS NOT NULL AND "{key}" IS NULL)' if key in bound.raw_columns else "false"
                  for key in names]  # fmt: skip
        marks = [f'{test} AS "unread {key}"' for key, test in zip(names, unread, strict=True)]
        listed = ", ".join([*(f'"{key}"' for key in names), *marks])
        table = pa.Table.from_batches(list(engine.batches(f'SELECT {listed} FROM "{bound.relation}"', rows=1_000)))
    finally:
        engine.close()
    cells = [[BAD if row[f"unread {key}"] else row[key] for key in names] for row in table.to_pylist()]
    sound = pa.array([BAD not in row for row in cells], pa.bool_())
    return cells, str(digest_rows(table.select(names).filter(sound)))


def disagreement(engines: tuple[str, ...], folder: Path, made: tuple[Path, dict[str, Any], list[list[Any]]]) -> Any:
    """What an engine and the manual read otherwise, or None; a refusal that says why agrees with everything."""
    path, told, rows = made
    wanted = seen(rows, told["columns"])
    for name in engines:
        try:
            cells, digest = read(name, folder, path, told)
        except SourceError as refused:
            if "a mix of line ends" in refused.found:  # a carriage return that the writer left without quotes
                continue
            raise
        lines = seen(cells, told["columns"])[0]
        if (lines, digest) != wanted:
            return name, told, [pair for pair in zip(lines, wanted[0], strict=False) if pair[0] != pair[1]][:3]
    return None


@pytest.mark.parametrize("kind", ["csv", "json", "sqlite", "parquet"])
@pytest.mark.parametrize("start", [0, pytest.param(10_000, marks=pytest.mark.sweep)])
def test_every_table_is_read_as_the_manual_says(kind: str, start: int, tmp_path: Path) -> None:
    for seed in range(start, start + (1_500 if start else 25)):
        draw, folder = random.Random(seed), tmp_path / str(seed)
        folder.mkdir()
        made = parquet_file(draw, folder, width=draw.randint(1, 6)) if kind == "parquet" else texts(draw, folder, kind)
        assert disagreement(("duckdb",), folder, made) is None, seed


@pytest.mark.parametrize("start", [0, pytest.param(10_000, marks=pytest.mark.sweep)])
def test_both_engines_read_parquet_as_the_manual_says(start: int, spark: None, tmp_path: Path) -> None:
    for seed in range(start, start + (100 if start else 1)):
        folder = tmp_path / str(seed)
        folder.mkdir()
        made = parquet_file(random.Random(seed), folder, width=30)
        assert disagreement(("duckdb", "spark"), folder, made) is None, seed
