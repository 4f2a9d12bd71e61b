"""An engine short of memory spills into its scratch folder and finishes; what it spills cannot be read as text."""

from __future__ import annotations

from pathlib import Path

from curator.engines import open_engine

ROWS = 4_000_000
CELL = "JEANNE-MARTIN"


def test_an_engine_spills_unreadably_and_finishes(tmp_path: Path) -> None:
    engine = open_engine("duckdb", scratch=tmp_path, threads=2, memory="100MB")
    engine.materialise("wide", f"SELECT i, '{CELL}' || (i % 1000) AS name, hash(i) AS h FROM range({ROWS}) t(i)")
    spilled = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in spilled) > 1 << 20
    assert not any(CELL.encode() in path.read_bytes() for path in spilled)
    assert engine.rows("SELECT count(*), count(DISTINCT i) FROM wide") == [(ROWS, ROWS)]
    engine.close()
    assert not any(path.is_file() for path in tmp_path.rglob("*"))
