"""Provenance inside the ONNX file: what is stamped is read back by us, by onnx and by onnxruntime; nothing else is."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from curator.edges.onnx_models import read_provenance, stamp
from curator.errors import IntegrityError

NOTES = {"curator.dataset": "roads@1.0.0", "curator.code": "", "curator.target": "gravité", "curator.long": "x" * 5000}


def a_model() -> bytes:
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", ports[:1], ports[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    helper.set_model_props(model, {"author": "someone"})
    return bytes(model.SerializeToString())


def written(folder: Path, data: bytes) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(data)
    return path


def test_what_is_stamped_is_what_onnx_and_onnxruntime_read(tmp_path: Path) -> None:
    data = stamp(a_model(), NOTES)
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    assert {prop.key: prop.value for prop in model.metadata_props} == {"author": "someone", **NOTES}
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map == {"author": "someone", **NOTES}
    assert read_provenance(written(tmp_path, data)) == NOTES


def test_metadata_that_onnx_wrote_is_read_too(tmp_path: Path) -> None:
    model = onnx.load_from_string(a_model())
    helper.set_model_props(model, NOTES)
    assert read_provenance(written(tmp_path, model.SerializeToString())) == NOTES


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(max_size=20).map(lambda key: f"curator.{key}"), st.text(max_size=300), min_size=1))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, notes: dict[str, str]) -> None:
    assert read_provenance(written(tmp_path_factory.mktemp("wire"), stamp(a_model(), notes))) == notes


def test_the_order_of_the_facts_does_not_change_the_bytes() -> None:
    assert stamp(a_model(), NOTES) == stamp(a_model(), dict(reversed(NOTES.items())))


PAIR = stamp(b"", {"curator.a": "b"})
HOSTILE = {
    "text": b"this is no model, but it is long enough to look like one",
    "pickle": b"\x80\x05\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94",
    "named twice": PAIR + PAIR,
    "not UTF-8": b"\x72\x06\x0a\x02\xff\xfe\x12\x00",
    "foreign field in a pair": b"\x72\x04\x1a\x02ab",
    "pair that leaves its entry": b"\x72\x04\x0a\x7fab",
    "field that leaves the file": b"\x3a\xff\xff\xff\xff\x7f" + PAIR,
    "endless number": b"\xff" * 30,
    "group": b"\x0b\x0c" + PAIR,
    "field zero": b"\x02\x00" + PAIR,
    "entry of a gigabyte": b"\x72\x80\x80\x80\x80\x04" + PAIR,
    "entry beyond 64 KiB": stamp(b"", {"curator.a": "x" * 70_000}),
    "too many fields": b"\x08\x01" * 10_001 + PAIR,
    "cut": PAIR[:-1],
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        read_provenance(written(tmp_path, data))
    assert caught.value.code == "onnx-unreadable"


@pytest.mark.parametrize("data", [b"", a_model()], ids=["empty", "foreign model"])
def test_a_model_of_others_has_no_provenance(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        read_provenance(written(tmp_path, data))
    assert caught.value.code == "onnx-without-provenance"


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "absent"):
        with pytest.raises(IntegrityError):
            read_provenance(path)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_only_ever_raise_our_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = written(tmp_path_factory.mktemp("wire"), data)
    with contextlib.suppress(IntegrityError):
        assert all(key.startswith("curator.") for key in read_provenance(path))


def test_reading_provenance_and_importing_modelling_load_nothing_heavy(tmp_path: Path) -> None:
    path = written(tmp_path, stamp(a_model(), NOTES))
    code = (
        "import sys; from pathlib import Path; from curator.modelling import read_provenance\n"
        f"assert read_provenance(Path({str(path)!r}))\n"
        "heavy = {'onnx', 'onnxruntime', 'sklearn', 'skl2onnx', 'pandas', 'scipy'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
