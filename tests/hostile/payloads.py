"""The worst insider: everybody signed, and the payload is hostile."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from forge import (
    CASES,
    DATA,
    Case,
    Forge,
    case,
    reviewed_payload,
)
from onnx import TensorProto, helper
from package_world import World, accidents, write, write_dataset, write_manifest, write_model

from curator.canonical import canonical_json, sha256_bytes
from curator.evidence import Artifact, Stage

# ---- the insider's payload ------------------------------------------------------------------------------------


@case("payload-beside-the-manifest", "package-manifest")
def _(forge: Forge) -> bytes:
    return forge.signed({**forge.contents, "dataset/extra.md": b"x"})


@case("payload-without-a-listed-file", "package-manifest")
def _(forge: Forge) -> bytes:
    return forge.signed({name: data for name, data in forge.contents.items() if name != DATA})


@case("payload-changed-and-signed", "package-manifest")
def _(forge: Forge) -> bytes:
    return forge.signed({**forge.contents, DATA: b"other"})


@case("payload-changed-with-its-manifest", "package-manifest")
def _(forge: Forge) -> bytes:
    folder = forge.world.folder / "swapped"
    manifest = write_dataset(folder, spec=forge.world.use_case.digest, tables={"train": accidents(7)})
    contents = {name: data for name, data in forge.contents.items() if not name.startswith("dataset/")}
    for path in [entry.path for entry in manifest.files] + ["manifest.json"]:
        contents[f"dataset/{path}"] = (folder / path).read_bytes()
    return forge.signed(contents)


@case("payload-without-the-model", "package-manifest")
def _(forge: Forge) -> bytes:
    return forge.signed({name: data for name, data in forge.contents.items() if not name.startswith("model/")})


@case("payload-none", "package-manifest")
def _(forge: Forge) -> bytes:
    return forge.signed(
        {name: data for name, data in forge.contents.items() if not name.startswith(("model/", "dataset/"))}
    )


@case("manifest-left-out", "package-manifest")
def _(forge: Forge) -> bytes:
    return forge.signed({name: data for name, data in forge.contents.items() if name != "dataset/manifest.json"})


def _shard(name: str, code: str, content: Callable[[], bytes]) -> None:
    def change(world: World) -> None:
        write(world.folder / "dataset/data/train/part-00000.parquet", content())
        about = {"spec": world.use_case.digest}
        world.dataset = write_manifest(world.folder / "dataset", kind="dataset", name="road-accidents", about=about)

    CASES[name] = Case(lambda forge: reviewed_payload(forge, name, change), code)


def parquet(table: pa.Table, **options: Any) -> bytes:
    stream = io.BytesIO()
    options.setdefault("write_statistics", False)  # the gate refuses them before anything else is looked at
    pq.write_table(table, stream, compression="zstd", **options)
    return stream.getvalue()


def dictionary_bomb() -> bytes:
    """A few kilobytes that would unfold to 200 GB: one value of 200 kB, a million references to it."""
    indices = pa.array(np.zeros(1_000_000, dtype=np.int32))
    column = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 200_000]))
    return parquet(pa.table({"x": column}), write_statistics=False)


def run_length_bomb() -> bytes:
    """A file that would unfold to 1.6 GB of one number, repeated 200 million times."""
    stream = io.BytesIO()
    zeros = pa.table({"x": pa.array(np.zeros(5_000_000, dtype=np.int64))})
    with pq.ParquetWriter(stream, zeros.schema, compression="zstd", write_statistics=False) as writer:
        for _ in range(40):
            writer.write_table(zeros, row_group_size=5_000_000)
    return stream.getvalue()


def page_bomb() -> bytes:
    """Plain pages of zeros, 320 MB, that zstd makes tiny."""
    ends = pa.py_buffer(np.arange(0, 321 << 20, 1 << 20, dtype=np.int32))
    column = pa.Array.from_buffers(pa.binary(), 320, [None, ends, pa.py_buffer(np.zeros(320 << 20, dtype=np.uint8))])
    return parquet(pa.table({"x": column}), use_dictionary=False, write_statistics=False)


_shard("parquet-dictionary-bomb", "package-table", dictionary_bomb)
_shard("parquet-run-length-bomb", "package-table", run_length_bomb)
_shard("parquet-page-bomb", "package-table", page_bomb)
_shard("parquet-garbage", "package-table", lambda: b"x" * 5000)
_shard("parquet-empty", "package-table", lambda: b"")
_shard("parquet-cut-short", "package-table", lambda: parquet(accidents(50))[:-100])
_shard("parquet-is-a-pickle", "package-table", lambda: pickle.dumps([1, 2, 3]))
_shard("parquet-footer-too-long", "package-table", lambda: b"PAR1" + b"\xff\xff\xff\x7f" + b"PAR1")
_shard("parquet-nested", "package-table", lambda: parquet(pa.table({"x": [[1, 2], [3]]})))


@case("parquet-with-other-rows-than-the-manifest", "package-table")
def _(forge: Forge) -> bytes:
    def change(world: World) -> None:
        entries = tuple(replace(entry, rows=1_000_000) if entry.rows else entry for entry in world.dataset.files)
        world.dataset = replace(world.dataset, files=entries)
        write(world.folder / "dataset/manifest.json", world.dataset.to_bytes())

    return reviewed_payload(forge, "rows", change)


def _model(name: str, content: Callable[[], bytes]) -> None:
    def change(world: World) -> None:
        spec, dataset = world.use_case.digest, world.dataset
        world.model = write_model(world.folder / "model", spec=spec, trained_on=dataset, onnx=content())

    CASES[name] = Case(lambda forge: reviewed_payload(forge, name, change), "package-model")


def external(tensor: TensorProto) -> TensorProto:
    """The tensor, its bytes in another file."""
    tensor.ClearField("raw_data")
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/hostname")
    return tensor


def weight() -> TensorProto:
    return helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])


def model_of(nodes: list[Any], weights: list[Any] | None = None, **more: Any) -> bytes:
    value = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph(nodes, "g", [], [value], weights or [], **more.pop("graph", {}))
    return bytes(helper.make_model(graph, **more).SerializeToString())


def location_only() -> bytes:
    tensor = weight()
    tensor.data_location = TensorProto.EXTERNAL
    return model_of([helper.make_node("Identity", ["w"], ["y"])], [tensor])


def in_subgraph() -> bytes:
    value = helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])
    inner = helper.make_graph([helper.make_node("Identity", ["w"], ["z"])], "i", [], [value], [external(weight())])
    node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    return model_of([node], [helper.make_tensor("c", TensorProto.BOOL, [], [True])])


def in_function() -> bytes:
    node = helper.make_node("Constant", [], ["y"], value=external(weight()))
    function = helper.make_function("own", "F", [], ["y"], [node], [helper.make_opsetid("", 21)])
    return model_of([helper.make_node("F", [], ["y"], domain="own")], functions=[function])


def in_sparse() -> bytes:
    indices = helper.make_tensor("i", TensorProto.INT64, [1], [0])
    sparse = helper.make_sparse_tensor(external(weight()), indices, [1])
    return model_of([helper.make_node("Identity", ["w"], ["y"])], graph={"sparse_initializer": [sparse]})


_model("onnx-external-weights", lambda: model_of([helper.make_node("Identity", ["w"], ["y"])], [external(weight())]))
_model("onnx-external-location-only", location_only)
_model(
    "onnx-external-in-attribute", lambda: model_of([helper.make_node("Constant", [], ["y"], value=external(weight()))])
)
_model("onnx-external-in-subgraph", in_subgraph)
_model("onnx-external-in-function", in_function)
_model("onnx-external-in-sparse-weights", in_sparse)
_model("onnx-is-a-pickle", lambda: pickle.dumps({"model": list(range(100))}))
_model("onnx-is-a-zip", lambda: b"PK\x03\x04" + bytes(100))
_model("onnx-is-text", lambda: b"import os; os.system('true')")
_model("onnx-deep-field-nesting", lambda: b"\x08\x0a" + nested_graphs(200))


def nested_graphs(depth: int) -> bytes:
    """A graph in an attribute of a node of a graph, and so on."""
    inner = b""
    for _ in range(depth):
        inner = field(7, field(1, field(5, field(6, inner)))) if not inner else field(1, field(5, field(6, inner)))
    return field(7, inner)


def field(number: int, content: bytes) -> bytes:
    size, length = len(content), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


@case("manifest-nesting-bomb", "manifest-invalid")
def _(forge: Forge) -> bytes:
    return signed_manifest(forge, b"[" * 1_000_000)


@case("manifest-not-canonical", "manifest-invalid")
def _(forge: Forge) -> bytes:
    return signed_manifest(forge, json.dumps(json.loads(forge.contents["dataset/manifest.json"])).encode())


@case("manifest-of-a-model-for-the-dataset", "package-manifest")
def _(forge: Forge) -> bytes:
    raw = json.loads(forge.contents["dataset/manifest.json"])
    return signed_manifest(forge, canonical_json({**raw, "kind": "model"}))


@case("manifest-under-another-name", "package-manifest")
def _(forge: Forge) -> bytes:
    raw = json.loads(forge.contents["dataset/manifest.json"])
    return signed_manifest(forge, canonical_json({**raw, "name": "other"}))


@case("manifest-with-a-path-that-leaves", "manifest-invalid")
def _(forge: Forge) -> bytes:
    raw = json.loads(forge.contents["dataset/manifest.json"])
    files = [{**raw["files"][0], "path": "../x"}, *raw["files"][1:]]
    return signed_manifest(forge, canonical_json({**raw, "files": files}))


def signed_manifest(forge: Forge, data: bytes) -> bytes:
    """A hostile manifest that the commit, the request and the review all name."""
    old = forge.request.statement.subjects
    new = (Artifact(old[0].name, sha256_bytes(data)), *old[1:])
    commit = forge.sign(
        Stage.COMMIT,
        forge.world.keys["ada"],
        like=forge.request.statement,
        subjects=new[:1],
        inputs=(),
        previous=(forge.world.directory.digest,),
        facts={},
    )
    asked = forge.ask(subjects=new, inputs=new)
    judged = forge.review(asked, subjects=new)
    contents = dict(forge.contents)
    for gone in (forge.request, forge.reviewed):
        del contents[f"evidence/{gone.digest}.json"]
    contents |= {f"evidence/{item.digest}.json": item.data for item in (commit, asked, judged)}
    contents["dataset/manifest.json"] = data
    previous = (asked.digest, judged.digest, forge.world.directory.digest)
    return forge.signed(contents, previous=previous, inputs=new, facts={"request": asked.digest})
