"""No identifier leaves: not as written, not in another spelling, not as a digest that would confirm a guess."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from leaks import Net, blobs, secret_texts

from curator.capital import Capital


@pytest.fixture(scope="module")
def net(demo_base: Path) -> Net:
    texts = secret_texts(demo_base)
    assert {kind for kind, values in texts.items() if len(values) > 500} >= {"nir", "phone", "email", "plate", "vin"}
    return Net(text for kind, values in texts.items() if kind != "agent" for text in values)


def test_no_identifier_in_anything_published(net: Net, whole: Capital) -> None:
    found = {}
    count = 0
    for name, data in blobs(whole.workspace.root):
        count += 1
        hits: set[object] = set(net.in_bytes(data))
        if not name.endswith((".parquet", ".onnx")) and ".dvc/cache" not in name:
            hits |= net.in_text(data.decode("utf-8", errors="replace"))
        if hits:
            found[name] = hits
    assert count > 60
    assert found == {}


def test_no_identifier_in_any_cell(net: Net, whole: Capital) -> None:
    shards = [*whole.workspace.root.glob("datasets/**/*.parquet")]
    assert len(shards) >= 3
    assert {path.name: found for path in shards if (found := net.in_cells(path))} == {}


def test_rejected_rows_are_sealed(net: Net, whole: Capital) -> None:
    kept = [path for path in (whole.workspace.private / "holder").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) > 1_000, "some rows must have been rejected"
    assert {path.name: found for path in kept if (found := net.in_bytes(path.read_bytes()))} == {}


def test_nothing_temporary_stays(whole: Capital) -> None:
    assert [*(whole.workspace.private / "tmp").iterdir()] == []


def test_the_net_holds_what_it_should(net: Net, demo_base: Path, tmp_path: Path) -> None:
    """The net finds every source it was made from, so its silence elsewhere means something."""
    texts = secret_texts(demo_base)
    for kind in ("nir", "phone", "email", "vin"):
        text = max(texts[kind], key=len)
        for planted in (text.encode(), b"xyz" + text.lower().encode() + b"\0", text.encode("utf-16-le")):
            assert net.in_bytes(b"\x01" * 13 + planted), (kind, planted)
    plate = min(text for text in texts["plate"] if text.isalnum())
    assert net.in_text(f"a car {plate}, seen") == {plate.casefold()}
    nir = min(text for text in texts["nir"] if text.isdigit())
    token = hashlib.sha256(nir.encode()).digest()[:16]
    table = pa.table({"person": pa.array([token], pa.binary(16)), "note": [f"owner of {plate}"]})
    pq.write_table(table, tmp_path / "t.parquet")
    assert {plate.casefold(), token.hex()} <= net.in_cells(tmp_path / "t.parquet")
    assert net.in_cells(demo_base / "persons.parquet")
