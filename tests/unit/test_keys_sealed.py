"""Sealed files: what goes in comes out, and nothing else does."""

from __future__ import annotations

import gc
import io
import os
import random
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.edges.keys import CHUNK, SealedReader, SealedWriter, open_sealed, seal, unseal
from curator.errors import IntegrityError, SecretError

KEY = b"k" * 32
HEADER, STEP = 47, CHUNK + 16
SIZES = [0, 1, 15, 16, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 5]


def noise(size: int, *, seed: int = 7) -> bytes:
    return random.Random(seed).randbytes(size)


def refused(path: Path, key: bytes = KEY) -> bool:
    """Whether reading the whole file ends in the one error that says so."""
    try:
        with open_sealed(path, key) as stream:
            stream.read()
    except IntegrityError as fault:
        return fault.code == "sealed-file-invalid"
    return False


@pytest.fixture(scope="module")
def three_chunks(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A sealed file of two full chunks and a short one."""
    path = tmp_path_factory.mktemp("sealed") / "rows"
    seal(KEY, source=[noise(2 * CHUNK + 100)], target=path)
    return path.read_bytes()


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out(size: int, tmp_path: Path) -> None:
    path, data = tmp_path / "rows", noise(size)
    with SealedWriter(path, KEY) as writer:
        for start in range(0, size, 300_001):
            assert writer.write(data[start : start + 300_001]) == len(data[start : start + 300_001])
        assert writer.tell() == size
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_size == HEADER + size + 16 * max(1, -(-size // CHUNK))
    with open_sealed(path, KEY) as stream:
        assert stream.read() == data
    target = io.BytesIO()
    unseal(KEY, source=path, target=target)
    assert target.getvalue() == data


@pytest.mark.parametrize("size", SIZES)
def test_the_file_is_what_the_format_says(size: int, tmp_path: Path) -> None:
    """An independent reader written from the description of the format alone."""
    path = tmp_path / "rows"
    seal(KEY, source=[noise(size)], target=path)
    raw = path.read_bytes()
    magic, salt, prefix, body = raw[:8], raw[8:40], raw[40:47], raw[47:]
    assert magic == b"CURSEAL\x01"
    cipher = AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=magic).derive(KEY))
    chunks = [body[start : start + STEP] for start in range(0, len(body), STEP)]
    plain = b""
    for number, chunk in enumerate(chunks):
        last = number == len(chunks) - 1
        plain += cipher.decrypt(prefix + number.to_bytes(4, "big") + bytes([last]), chunk, magic)
    assert plain == noise(size)


def test_the_same_rows_never_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        seal(KEY, source=[b"rows"], target=tmp_path / name)
    assert (tmp_path / "one").read_bytes()[8:] != (tmp_path / "two").read_bytes()[8:]


def test_nothing_of_the_rows_is_on_disk(tmp_path: Path) -> None:
    canary = b"DUPONT-1850199123456"
    seal(KEY, source=[canary * 100_000], target=tmp_path / "rows")
    assert canary not in (tmp_path / "rows").read_bytes()


# ---- changed files ---------------------------------------------------------------------------------------------


def test_another_key_is_refused(tmp_path: Path) -> None:
    seal(KEY, source=[b"rows"], target=tmp_path / "rows")
    assert refused(tmp_path / "rows", b"K" * 32)
    for key in (b"", b"k" * 16, b"k" * 31, b"k" * 33):
        for call in (open_sealed, SealedWriter):
            with pytest.raises(SecretError) as caught:
                call(tmp_path / "rows", key)
            assert caught.value.code == "key-too-short"


def test_every_single_bit_counts(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    seal(KEY, source=[noise(50)], target=path)
    good = path.read_bytes()
    for bit in range(len(good) * 8):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bad)
        assert refused(path), bit
    path.write_bytes(good)
    assert not refused(path)


def test_a_bit_in_any_chunk_counts(three_chunks: bytes, tmp_path: Path) -> None:
    path, dice = tmp_path / "rows", random.Random(7)
    for _ in range(20):
        bad = bytearray(three_chunks)
        bad[dice.randrange(len(bad))] ^= 1 << dice.randrange(8)
        path.write_bytes(bad)
        assert refused(path)


@pytest.mark.parametrize(
    "size",
    [
        0,
        1,
        8,
        HEADER - 1,
        HEADER,
        *(HEADER + place for place in (15, 16, STEP - 1, STEP, STEP + 1, STEP + 16)),
        *(HEADER + 2 * STEP + place for place in (0, 15, 16, 115)),
    ],
)
def test_every_cut_is_refused_on_opening(size: int, three_chunks: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(three_chunks[:size])
    with pytest.raises(IntegrityError):
        open_sealed(path, KEY)


def test_chunks_cannot_be_moved_repeated_dropped_or_borrowed(three_chunks: bytes, tmp_path: Path) -> None:
    head, one, two, last = (
        three_chunks[:HEADER],
        three_chunks[HEADER : HEADER + STEP],
        three_chunks[HEADER + STEP : HEADER + 2 * STEP],
        three_chunks[HEADER + 2 * STEP :],
    )
    path = tmp_path / "rows"
    seal(KEY, source=[noise(2 * CHUNK + 100)], target=tmp_path / "other")
    other = (tmp_path / "other").read_bytes()
    arrangements = {
        "exchanged": head + two + one + last,
        "repeated": head + one + one + last,
        "dropped first": head + two + last,
        "dropped middle": head + one + last,
        "added": head + one + two + last + last,
        "added full": head + one + two + two + last,
        "a byte more": three_chunks + b"\0",
        "another file's header": other[:HEADER] + three_chunks[HEADER:],
        "another file's chunk": head + other[HEADER : HEADER + STEP] + two + last,
    }
    for name, data in arrangements.items():
        path.write_bytes(data)
        assert refused(path), name
    path.write_bytes(head + one + two + last)
    assert not refused(path)


def test_bytes_of_a_bad_chunk_are_never_given(three_chunks: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    bad = bytearray(three_chunks)
    bad[HEADER + STEP + 5] ^= 1
    path.write_bytes(bad)
    target = io.BytesIO()
    with pytest.raises(IntegrityError):
        unseal(KEY, source=path, target=target)
    assert target.getvalue() == noise(2 * CHUNK + 100)[:CHUNK]


def test_an_error_quotes_nothing(tmp_path: Path) -> None:
    (tmp_path / "rows").write_bytes(b"SECRET" * 50)
    with pytest.raises(IntegrityError) as caught:
        open_sealed(tmp_path / "rows", KEY)
    assert "SECRET" not in str(caught.value)
    assert caught.value.exit_code == 15


# ---- the writer ------------------------------------------------------------------------------------------------


def test_an_exception_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    writer = SealedWriter(path, KEY)
    with pytest.raises(ZeroDivisionError), writer:
        writer.write(b"half of the rows" * (1 // 0))
    assert not path.exists()
    assert writer.closed


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_at_the_last_chunk_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    writer = SealedWriter(path, KEY)
    writer.write(b"rows")
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, writer._target.fileno())  # type: ignore[union-attr]
    os.close(full)
    with pytest.raises(OSError, match="No space left"):
        writer.close()
    assert writer.closed
    assert not path.exists()


def test_a_forgotten_writer_leaves_no_file_that_looks_whole(tmp_path: Path) -> None:
    writer = SealedWriter(tmp_path / "rows", KEY)
    writer.write(b"half of the rows")
    del writer
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_leaves_a_file_that_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    pid = os.fork()
    if pid == 0:
        writer = SealedWriter(path, KEY)
        writer.write(noise(3 * CHUNK))
        writer._target.flush()  # type: ignore[union-attr]
        os._exit(0)
    os.waitpid(pid, 0)
    assert path.stat().st_size == HEADER + 2 * STEP
    assert refused(path)


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    seal(KEY, source=[b"rows"], target=path)
    with pytest.raises(FileExistsError):
        SealedWriter(path, KEY)
    assert not refused(path)


def test_a_closed_writer_takes_nothing_and_closes_twice(tmp_path: Path) -> None:
    writer = SealedWriter(tmp_path / "rows", KEY)
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"more")
    assert not refused(tmp_path / "rows")


def test_any_buffer_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    with SealedWriter(path, KEY) as writer:
        for piece in (b"ab", bytearray(b"cd"), memoryview(b"ef"), pa.py_buffer(b"gh"), memoryview(b"ijkl").cast("H")):
            assert writer.write(piece) == memoryview(piece).nbytes
    assert open_sealed(path, KEY).read() == b"abcdefghijkl"


def test_memory_stays_flat(tmp_path: Path) -> None:
    piece = noise(1 << 18)
    tracemalloc.start()
    with SealedWriter(tmp_path / "rows", KEY) as writer:
        for _ in range(100):
            writer.write(piece)
    with open_sealed(tmp_path / "rows", KEY) as stream:
        while stream.read(1 << 18):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * CHUNK  # 25 chunks went through


# ---- the reader ------------------------------------------------------------------------------------------------


@given(moves=st.lists(st.tuples(st.integers(0, 2 * CHUNK + 300), st.integers(0, CHUNK + 50)), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_any_place_can_be_read(moves: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "random-access"
    data = noise(2 * CHUNK + 100)
    if not path.exists():
        seal(KEY, source=[data], target=path)
    with open_sealed(path, KEY) as stream:
        for place, size in moves:
            assert stream.seek(place) == place
            assert stream.read(size) == data[place : place + size]
            assert stream.tell() == place + len(data[place : place + size])


def test_seeking_as_in_any_file(tmp_path: Path) -> None:
    seal(KEY, source=[b"0123456789"], target=tmp_path / "rows")
    with SealedReader(tmp_path / "rows", KEY) as reader:
        assert reader.seek(-3, io.SEEK_END) == 7
        assert reader.read(2) == b"78"
        assert reader.seek(-1, io.SEEK_CUR) == 8
        assert reader.seek(100) == 100
        assert reader.read(1) == b""
        with pytest.raises(ValueError, match="before the start"):
            reader.seek(-1)


def test_lines_can_be_read(tmp_path: Path) -> None:
    seal(KEY, source=[b"first\n", b"second\n"], target=tmp_path / "rows")
    assert list(open_sealed(tmp_path / "rows", KEY)) == [b"first\n", b"second\n"]


def test_parquet_goes_through(tmp_path: Path) -> None:
    table = pa.table({"row": pa.array(range(200_000), pa.int64()), "reason": pa.array(["late"] * 200_000)})
    with SealedWriter(tmp_path / "rows", KEY) as writer, pq.ParquetWriter(writer, table.schema) as parquet:
        for batch in table.to_batches(max_chunksize=20_000):
            parquet.write_batch(batch)
    with open_sealed(tmp_path / "rows", KEY) as stream:
        assert pq.read_table(stream).equals(table)
