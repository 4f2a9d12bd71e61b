"""Reading and writing an object store, beside `s3fs` moving the same bytes; a store on loopback (moto).

python tests/bench/bench_s3.py [MEGABYTES]
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pyarrow as pa
import pyarrow.parquet as parquet
from s3_server import ACCESS, s3_server

from curator.addresses import address_of
from curator.files import files_of

ROUNDS = 3
_BLOCK = 1 << 20


def seconds(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Best wall seconds of each way, rounds interleaved."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, work in ways.items():
            start = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - start)
    return {name: round(value, 3) for name, value in best.items()}


def drained(opener: Callable[[], object]) -> int:
    """Bytes of a stream, block by block."""
    with opener() as stream:  # type: ignore[attr-defined]
        return sum(len(block) for block in iter(lambda: stream.read(_BLOCK), b""))


SHARD = 25 << 20


def remote_of(base: Path, number: int) -> Any:
    """A remote of a prefix of its own."""
    from curator.edges.remote import Remote

    (base / ".dvc").mkdir(exist_ok=True)
    (base / ".dvc" / "config").write_text(f"['remote \"team\"']\n    url = s3://bench/remote{number}\n")
    return Remote.of(base, "team")


def version(base: Path, shards: int) -> Any:
    """A manifest of shards of random bytes, and the shards."""
    from curator.manifest import FileEntry, Manifest

    entries = []
    for number in range(shards):
        part = os.urandom(SHARD)
        (base / f"{number:03}").write_bytes(part)
        md5 = hashlib.md5(part, usedforsecurity=False).hexdigest()
        entries.append(FileEntry(path=f"{number:03}", sha256=hashlib.sha256(part).hexdigest(), md5=md5, size=SHARD))
    manifest = Manifest(kind="dataset", name="bench", version="1.0.0", files=tuple(entries))
    (base / "manifest.json").write_bytes(manifest.to_bytes())
    return manifest


def send(remote: Any, manifest: Any, base: Path) -> None:
    """What a run sends."""
    with remote.sending() as sending:
        for entry in manifest.files:
            sending.take(base / entry.path, entry)
        sending.finish(manifest, base)


def written_and_read(store: Any, base: Path, shards: int) -> dict[str, float]:
    """A version sent to a DVC remote and read back, beside `s3fs` with the same files."""
    manifest, numbers = version(base, shards), itertools.count()
    first = remote_of(base, next(numbers))
    send(first, manifest, base)
    names = [entry.path for entry in manifest.files]
    keys = [f"bench/put/{name}" for name in names]
    store.put([str(base / name) for name in names], keys)

    def put() -> None:
        number = next(numbers)
        store.put([str(base / name) for name in names], [f"bench/put{number}/{name}" for name in names])

    return seconds({
        "curator send": lambda: send(remote_of(base, next(numbers)), manifest, base), "s3fs put": put,
        "curator fetch and hash": lambda: [first.fetched(entry) for entry in manifest.files],
        "s3fs cat": lambda: [store.cat_file(key) for key in keys],
    })  # fmt: skip


def peaks(base: Path, sizes: Sequence[int]) -> dict[str, dict[int, int]]:
    """Peak memory in MB of a process that sends, and of one that reads, so many megabytes."""
    found: dict[str, dict[int, int]] = {"send": {}, "read": {}}
    for megabytes in sizes:
        folder = base / f"v{megabytes}"
        folder.mkdir()
        manifest = version(folder, megabytes * (1 << 20) // SHARD)
        remote_of(folder, 1_000 + megabytes)
        for way in found:
            command = [sys.executable, __file__, "--child", way, str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[way][megabytes] = int(done.stdout)
        for entry in manifest.files:
            (folder / entry.path).unlink()
    return found


def child(way: str, base: Path) -> None:
    """Send or read, and print the peak memory in MB."""
    from curator.edges.remote import Remote
    from curator.manifest import Manifest

    remote, manifest = Remote.of(base, "team"), Manifest.read(base)
    if way == "send":
        send(remote, manifest, base)
    else:
        for entry in manifest.files:
            remote.fetched(entry)
    # The kernel's own mark of this program; `ru_maxrss` keeps that of the process which started it.
    status = Path("/proc/self/status").read_text()
    print(next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM")))


def main(megabytes: int) -> None:
    """Print one JSON document."""
    with tempfile.TemporaryDirectory() as folder, s3_server(Path(folder) / "log") as endpoint:
        os.environ.update(ACCESS, AWS_ENDPOINT_URL_S3=endpoint)
        import s3fs

        store, base = s3fs.S3FileSystem(), Path(folder)
        store.mkdir("bench")
        data = os.urandom(megabytes << 20)
        store.pipe_file("bench/rows.csv", data)
        table = pa.table({f"c{n}": pa.array(range(megabytes * 16_384)) for n in range(8)})
        parquet.write_table(table, base / "rows.parquet", compression="none", use_dictionary=False)
        store.put(str(base / "rows.parquet"), "bench/rows.parquet")
        whole = files_of("t", address_of("s3://bench/rows.csv", source="t"))[1][0]
        parts = files_of("t", address_of("s3://bench/rows.parquet", source="t"))[1][0]
        remotes = written_and_read(store, base, max(megabytes * (1 << 20) // SHARD, 1))
        memory = peaks(base, (megabytes, 4 * megabytes))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        streams = seconds({
            "curator stream": lambda: drained(whole.open),
            "s3fs open": lambda: drained(lambda: store.open("bench/rows.csv", "rb")),
            "s3fs get": lambda: store.get("bench/rows.csv", str(base / "got")),
        })  # fmt: skip
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        columns = seconds({
            "curator parts": lambda: parquet.ParquetFile(parts.open(parts=True)).read(["c0", "c1"]),
            "s3fs parts": lambda: parquet.ParquetFile(store.open("bench/rows.parquet", "rb")).read(["c0", "c1"]),
        })  # fmt: skip
    print(json.dumps({
        "megabytes": megabytes, "remote": remotes, "peak_mb": memory, "stream": streams,
        "two of eight columns": columns,
        "stream_ratio": round(min(streams["s3fs open"], streams["s3fs get"]) / streams["curator stream"], 2),
        "parts_ratio": round(columns["s3fs parts"] / columns["curator parts"], 2), "memory_grown_mb": grown // 1024,
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
