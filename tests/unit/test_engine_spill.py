"""What the engine spills to the disk holds no cell in clear (and cannot be spilled otherwise)."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from curator.engines import duckdb as engine_module
from curator.engines.duckdb import DuckDBEngine
from curator.errors import SourceError, StorageError

CANARY = b"CANARY-CELL"
TABLE = "SELECT i, 'CANARY-CELL-' || (i * 7919) % 1000003 || repeat('x', 40) AS s FROM range(1500000) t(i)"


class Watcher(threading.Thread):
    """Reads every temporary file again and again while the engine works."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.most, self.seen, self.ended = folder, 0, False, threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            for path in self.folder.glob("*"):
                try:
                    data = path.read_bytes()
                except OSError:
                    continue
                self.most = max(self.most, len(data))
                self.seen |= CANARY in data
            time.sleep(0.02)


def test_spilled_rows_are_encrypted(tmp_path: Path) -> None:
    engine = DuckDBEngine(scratch=tmp_path, threads=2, memory="60MB")
    watcher = Watcher(tmp_path / "engine")
    watcher.start()
    try:
        engine.materialise("big", TABLE)
        rows = sum(len(batch) for batch in engine.batches("SELECT * FROM big ORDER BY s DESC, i", rows=131_072))
    finally:
        watcher.ended.set()
        watcher.join()
        engine.close()
    assert rows == 1_500_000
    assert watcher.most > 1_000_000, "nothing was spilled, so nothing was tested"
    assert not watcher.seen
    assert list((tmp_path / "engine").glob("*")) == []


def test_remote_files_are_out_of_reach(tmp_path: Path) -> None:
    engine = DuckDBEngine(scratch=tmp_path)
    with pytest.raises(SourceError) as refused:
        engine.rows("SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')")
    assert "has been disabled" in str(refused.value.__context__)


def test_no_engine_without_its_encryption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module.duckdb, "__version__", "0.0.0")
    with pytest.raises(StorageError) as refused:
        DuckDBEngine(scratch=tmp_path)
    assert refused.value.code == "engine-encryption"
