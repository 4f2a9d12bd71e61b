"""What the engine spills to the disk holds no cell in clear (and cannot be spilled otherwise)."""

from __future__ import annotations

import errno
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.engines._spill import SealedSpill
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
            self.look()
            time.sleep(0.02)

    def look(self) -> None:
        for path in self.folder.glob("*"):
            try:
                data = path.read_bytes()
            except OSError:
                continue
            self.most = max(self.most, len(data))
            self.seen |= CANARY in data


def test_spilled_rows_are_encrypted(tmp_path: Path) -> None:
    engine = DuckDBEngine(scratch=tmp_path, threads=2, memory="60MB")
    watcher = Watcher(tmp_path / "engine")
    watcher.start()
    try:
        engine.materialise("big", TABLE)
        watcher.look()  # once for certain, however little the machine lets the other thread run
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
    assert "requires the extension httpfs" in str(refused.value.__context__)


def test_long_values_are_spilled_and_read_back(tmp_path: Path) -> None:
    """Texts of 20 kB each: the engine writes blocks of several sizes, each to a file of that size."""
    engine = DuckDBEngine(scratch=tmp_path, threads=1, memory="100MB")
    table = "SELECT i, repeat(chr((65 + i % 26)::INTEGER), 20000) || i AS s FROM range(20000) t(i)"
    try:
        engine.materialise("big", table)
        assert len(list((tmp_path / "engine").glob("*storage*"))) >= 2
        kept = engine.rows("SELECT count(*), sum(hash(s)) FROM big")
        assert kept == engine.rows(f"SELECT count(*), sum(hash(s)) FROM ({table})")
    finally:
        engine.close()


def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    engine = DuckDBEngine(scratch=tmp_path, threads=2, memory="60MB")
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageError) as refused:
        engine.materialise("big", TABLE + " ORDER BY s")
    assert refused.value.code == "no-space"
    monkeypatch.undo()
    engine.close()


class Sealed:
    """One file of a sealed place, by descriptor."""

    def __init__(self, folder: Path) -> None:
        self.system = SealedSpill(folder)
        self.file = self.system.open("sealed://spill/blocks", "rb+")
        self.path = folder / "spill" / "blocks"

    def put(self, position: int, data: bytes) -> None:
        self.file.seek(position)
        assert self.file.write(data) == len(data)

    def get(self, position: int, size: int) -> bytes:
        self.file.seek(position)
        return self.file.read(size)


@given(
    blocks=st.lists(st.binary(min_size=1, max_size=64), min_size=1, max_size=6),
    again=st.binary(min_size=1, max_size=64),
)
def test_what_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[bytes], again: bytes
) -> None:
    sealed = Sealed(tmp_path_factory.mktemp("sealed"))
    for place, block in enumerate(blocks):
        sealed.put(64 * place, block)
    sealed.put(0, again)
    assert sealed.get(0, len(again)) == again
    for place, block in enumerate(blocks[1:], start=1):
        assert sealed.get(64 * place, len(block)) == block
        assert sealed.get(64 * place + len(block) // 2, len(block) - len(block) // 2) == block[len(block) // 2 :]
    assert sealed.path.stat().st_mode & 0o777 == 0o600


def test_nothing_is_read_where_nothing_was_written(tmp_path: Path) -> None:
    sealed = Sealed(tmp_path)
    sealed.put(100, b"x" * 50)
    for position, size in ((0, 10), (90, 20), (140, 20), (200, 1)):
        with pytest.raises(OSError, match="nothing was written"):
            sealed.get(position, size)


def test_a_changed_or_exchanged_block_is_refused(tmp_path: Path) -> None:
    sealed = Sealed(tmp_path)
    sealed.put(0, b"a" * 32)
    sealed.put(32, b"b" * 32)
    data = sealed.path.read_bytes()
    for changed in (bytes([data[0] ^ 1]) + data[1:], data[32:] + data[:32]):
        sealed.path.write_bytes(changed)
        with pytest.raises(OSError, match="was changed"):
            sealed.get(0, 32)


def test_threads_keep_their_own_place(tmp_path: Path) -> None:
    """The engine seeks and then reads, from several threads at once, through one open file."""
    sealed = Sealed(tmp_path)
    for place in range(64):
        sealed.put(1024 * place, bytes([place]) * 1024)
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda place: sealed.get(1024 * place, 1024), list(range(64)) * 20))
    assert read == [bytes([place]) * 1024 for place in range(64)] * 20


def test_equal_blocks_do_not_show(tmp_path: Path) -> None:
    sealed = Sealed(tmp_path)
    for place in range(4):
        sealed.put(64 * place, b"same" * 16)
    data = sealed.path.read_bytes()
    assert len({data[start : start + 64] for start in range(0, 256, 64)}) == 4
    sealed.put(0, b"same" * 16)
    assert sealed.path.read_bytes()[:64] != data[:64]
