"""Reading and writing an object store, beside `s3fs` moving the same bytes; a store on loopback (moto).

python tests/bench/bench_s3.py [MEGABYTES]
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

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


def written_and_read(store: object, base: Path, data: bytes) -> dict[str, float]:
    """A version of four shards sent to a DVC remote and read back, beside `s3fs` with the same files."""
    from curator.edges.remote import Remote
    from curator.manifest import FileEntry, Manifest

    (base / ".dvc").mkdir()
    (base / ".dvc" / "config").write_text("['remote \"team\"']\n    url = s3://bench/remote\n")
    remote, size, entries = Remote.of(base, "team"), len(data) // 4, []
    for number in range(4):
        part = data[number * size : (number + 1) * size]
        (base / f"{number}").write_bytes(part)
        md5 = hashlib.md5(part, usedforsecurity=False).hexdigest()
        entries.append(FileEntry(path=f"{number}", sha256=hashlib.sha256(part).hexdigest(), md5=md5, size=size))
    manifest = Manifest(kind="dataset", name="bench", version="1.0.0", files=tuple(entries))
    (base / "manifest.json").write_bytes(manifest.to_bytes())

    def send() -> None:
        store.invalidate_cache()  # type: ignore[attr-defined]
        if store.exists("bench/remote"):  # type: ignore[attr-defined]
            store.rm("bench/remote", recursive=True)  # type: ignore[attr-defined]
        with remote.sending() as sending:
            for entry in entries:
                sending.take(base / entry.path, entry)
            sending.finish(manifest, base)

    def put() -> None:
        store.put([str(base / entry.path) for entry in entries], [f"bench/put/{entry.path}" for entry in entries])  # type: ignore[attr-defined]

    return seconds({
        "curator send": send, "s3fs put": put,
        "curator fetch and hash": lambda: [remote.fetched(entry) for entry in entries],
        "s3fs cat": lambda: [store.cat_file(f"bench/put/{entry.path}") for entry in entries],  # type: ignore[attr-defined]
    })  # fmt: skip


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
        remotes = written_and_read(store, base, data)
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
        "megabytes": megabytes, "remote": remotes, "stream": streams, "two of eight columns": columns,
        "stream_ratio": round(min(streams["s3fs open"], streams["s3fs get"]) / streams["curator stream"], 2),
        "parts_ratio": round(columns["s3fs parts"] / columns["curator parts"], 2), "memory_grown_mb": grown // 1024,
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
