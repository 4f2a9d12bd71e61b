"""Rows as `datasets` gives them: offline, equal to the Parquet, and without any second copy on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from package_world import accidents, write_dataset, write_manifest

from curator.errors import StorageError, UsageError
from curator.hub import load_split, read_table
from curator.manifest import Manifest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    folder = tmp_path_factory.mktemp("version")
    manifest = write_dataset(folder, spec="0" * 64)
    return folder, manifest


def test_a_split_equals_its_rows(version: tuple[Path, Manifest]) -> None:
    dataset = load_split(*version, split="train")
    assert dataset.split == "train"
    assert dataset.to_list() == accidents(120).to_pylist()


def test_streaming_gives_the_same_rows(version: tuple[Path, Manifest]) -> None:
    stream = load_split(*version, split="test", streaming=True)
    assert list(stream) == accidents(30).to_pylist()
    assert stream.features == load_split(*version, split="test").features


def test_no_file_is_written(version: tuple[Path, Manifest]) -> None:
    before = sorted(version[0].rglob("*"))
    dataset = load_split(*version, split="train")
    dataset.filter(lambda row: row["severity"] == 1)
    assert dataset.cache_files == []
    assert sorted(version[0].rglob("*")) == before


def test_the_fingerprint_follows_from_the_bytes(version: tuple[Path, Manifest], tmp_path: Path) -> None:
    again = write_dataset(tmp_path / "again", spec="0" * 64)
    other = write_dataset(tmp_path / "other", spec="1" * 64)
    marks = [
        load_split(folder, manifest, split="train")._fingerprint
        for folder, manifest in (version, (tmp_path / "again", again), (tmp_path / "other", other))
    ]
    assert marks[0] == marks[1] != marks[2]
    assert load_split(*version, split="test")._fingerprint != marks[0]


def test_columns_in_the_order_asked(version: tuple[Path, Manifest]) -> None:
    table = read_table(*version, split="test", columns=["severity", "place"])
    assert table.column_names == ["severity", "place"]
    assert table.equals(accidents(30).select(["severity", "place"]))


@pytest.mark.parametrize("split", ["valid", "", "TRAIN", "data/train"])
def test_an_unknown_split_names_the_known_ones(split: str, version: tuple[Path, Manifest]) -> None:
    with pytest.raises(UsageError) as raised:
        read_table(*version, split=split)
    assert raised.value.code == "split-unknown"
    assert raised.value.expected == "train, test"


def test_an_unknown_column_names_the_known_ones(version: tuple[Path, Manifest]) -> None:
    with pytest.raises(UsageError) as raised:
        read_table(*version, split="train", columns=["speed"])
    assert (raised.value.code, raised.value.expected) == ("column-unknown", "person, place, severity, day")


@pytest.mark.parametrize("damage", ["absent", "garbage", "link"])
def test_a_damaged_shard_is_said(damage: str, tmp_path: Path) -> None:
    manifest = write_dataset(tmp_path / "x", spec="0" * 64)
    shard = tmp_path / "x" / manifest.shards("train")[0]
    if damage == "garbage":
        shard.write_bytes(b"PAR1garbagePAR1")
    else:
        shard.rename(tmp_path / "moved")
    if damage == "link":
        shard.symlink_to(tmp_path / "moved")
    with pytest.raises(StorageError) as raised:
        read_table(tmp_path / "x", manifest, split="train")
    assert raised.value.code == "shard-unreadable"


def test_several_shards_are_read_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "x/data/train"
    folder.mkdir(parents=True)
    for number in range(3):
        pq.write_table(pa.table({"n": [number * 2, number * 2 + 1]}), folder / f"part-{number:05}.parquet")
    manifest = write_manifest(tmp_path / "x", kind="dataset", name="x", about={})
    assert read_table(tmp_path / "x", manifest, split="train")["n"].to_pylist() == list(range(6))
    assert load_split(tmp_path / "x", manifest, split="train", streaming=True).num_shards == 3
    assert [row["n"] for row in load_split(tmp_path / "x", manifest, split="train", streaming=True)] == list(range(6))


CHILD = """
import json, os, sys
import socket
calls = []
def refuse(*arguments, **keywords):
    calls.append(1)
    raise OSError("no network in this test")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from pathlib import Path
from curator.hub import load_split, read_table
light = sorted({"datasets", "pandas"} & set(sys.modules))
from curator.manifest import Manifest
folder = Path(sys.argv[1])
read_table(folder, Manifest.read(folder), split="train")
after_table = sorted({"datasets", "pandas"} & set(sys.modules))
load_split(folder, Manifest.read(folder), split="train")
print(json.dumps([light, after_table, os.environ["HF_HUB_OFFLINE"], len(calls)]))
"""


def test_offline_and_lazy(version: tuple[Path, Manifest], tmp_path: Path) -> None:
    """`datasets` is imported by `load_split` alone, offline whatever the environment says, with no look-up."""
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(version[0])],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "0", "HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [[], [], "1", 0]
    assert [path for path in home.rglob("*") if path.is_file()] == []
