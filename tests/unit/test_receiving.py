"""Receiving: what a vendor gets from a good package, with one public key and nothing else."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from package_world import TODAY, UNTIL, World, accidents, doubling_model

from curator.edges.keys import public_pem
from curator.errors import IntegrityError, NotAllowedError, SecretError, StorageError, UsageError
from curator.receiving import open_package

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def file(world: World) -> Path:
    """A package with a dataset and a model."""
    return world.package(models=True)


def test_everything_is_there(file: Path, world: World) -> None:
    with open_package(file, trust=world.holder, today=TODAY) as package:
        assert package.load("train").to_list() == accidents(120).to_pylist()
        assert len(list(package.load("test", streaming=True))) == 30
        assert package.table("test", columns=["severity"]).column_names == ["severity"]
        assert package.manifest == world.dataset
        assert package.manifests["model"] == world.model
        assert package.terms.purpose == "road-safety"


def test_the_model_answers(file: Path, world: World) -> None:
    with open_package(file, trust=world.holder, today=TODAY) as package:
        (answer,) = package.session().run(None, {"x": np.array([[1.5]], dtype=np.float32)})
    assert answer.tolist() == [[3.0]]


def test_the_lineage_goes_back_to_the_source(file: Path, world: World) -> None:
    with open_package(file, trust=world.holder, today=TODAY) as package:
        steps = package.trace()
    assert [step.stage for step in steps] == ["deliver", "review", "request", "package", "commit", "extract", "agents"]
    assert steps[-2].used == ("accidents.csv",)
    assert str(steps[4]).startswith(
        "2026-01-05T08:02:00Z  commit   road-accidents@1.0.0 from road-accidents sample  (ada"
    )


@pytest.mark.parametrize("form", ["raw", "pem", "path", "text"])
def test_trust_is_a_key_or_a_file(form: str, file: Path, world: World, tmp_path: Path) -> None:
    pem = tmp_path / "holder.pub"
    pem.write_bytes(public_pem(world.holder))
    trust = {"raw": world.holder, "pem": pem.read_bytes(), "path": pem, "text": str(pem)}[form]
    with open_package(str(file), trust=trust, today=TODAY) as package:
        assert package.manifest.rows == {"train": 120, "test": 30}


@pytest.mark.parametrize("trust", [b"", b"x" * 31, b"-----BEGIN PUBLIC KEY-----", Path("absent.pub")])
def test_trust_that_is_no_key(trust: bytes | Path, file: Path) -> None:
    with pytest.raises(SecretError):
        open_package(file, trust=trust, today=TODAY)


def test_another_key_is_not_trusted(file: Path, world: World) -> None:
    with pytest.raises(IntegrityError) as raised:
        open_package(file, trust=world.keys["dan"].public, today=TODAY)
    assert raised.value.code == "package-holder"


def test_the_last_day_still_counts(file: Path, world: World) -> None:
    open_package(file, trust=world.holder, today=UNTIL).close()
    with pytest.raises(NotAllowedError) as raised:
        open_package(file, trust=world.holder, today=UNTIL + timedelta(days=1))
    assert (raised.value.code, raised.value.exit_code) == ("release-expired", 14)


def test_a_folder_that_was_asked_for_stays(file: Path, world: World, tmp_path: Path) -> None:
    with open_package(file, trust=world.holder, into=tmp_path / "in", today=TODAY) as package:
        assert package.folder == tmp_path / "in"
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert world.dataset.differences(tmp_path / "in/dataset") == []
    assert world.model.differences(tmp_path / "in/model") == []


def test_a_temporary_folder_is_private_and_goes(file: Path, world: World) -> None:
    package = open_package(file, trust=world.holder, today=TODAY)
    assert package.folder.stat().st_mode & 0o777 == 0o700
    package.close()
    package.close()
    assert not package.folder.exists()


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_nothing_is_overwritten(kind: str, file: Path, world: World, tmp_path: Path) -> None:
    into = tmp_path / "in"
    {"folder": into.mkdir, "file": into.touch, "dangling link": lambda: into.symlink_to("absent")}[kind]()
    with pytest.raises(StorageError) as raised:
        open_package(file, trust=world.holder, into=into, today=TODAY)
    assert raised.value.code == "folder-exists"
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_absent_place_is_said(file: Path, world: World, tmp_path: Path) -> None:
    with pytest.raises(StorageError) as raised:
        open_package(file, trust=world.holder, into=tmp_path / "absent/in", today=TODAY)
    assert raised.value.code == "package-unwritable"


def test_a_full_disk_is_said_before_anything_is_written(
    file: Path, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=10))
    with pytest.raises(StorageError) as raised:
        open_package(file, trust=world.holder, into=tmp_path / "in", today=TODAY)
    assert raised.value.code == "no-space"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["changed", "hard link", "link", "absent"])
def test_a_model_that_was_touched_since_is_refused(damage: str, file: Path, world: World, tmp_path: Path) -> None:
    package = open_package(file, trust=world.holder, into=tmp_path / "in", today=TODAY)
    path = tmp_path / "in/model/model.onnx"
    if damage == "changed":
        path.write_bytes(doubling_model() + b"\x08\x0a")
    elif damage == "hard link":
        (tmp_path / "second").hardlink_to(path)
    else:
        path.rename(tmp_path / "moved")
    if damage == "link":
        path.symlink_to(tmp_path / "moved")
    with pytest.raises(IntegrityError) as raised:
        package.session()
    assert raised.value.code == "package-model"


def test_a_package_of_a_dataset_alone_has_no_model(world: World, tmp_path: Path) -> None:
    asked = world.request()
    world.review(asked)
    path = world.deliver(asked, destination=tmp_path / "data.cur").path
    with open_package(path, trust=world.holder, today=TODAY) as package, pytest.raises(UsageError) as raised:
        package.session()
    assert raised.value.code == "package-without"


def test_a_package_of_a_model_alone_has_no_rows(world: World, tmp_path: Path) -> None:
    asked = world.request(manifests=[world.model])
    world.review(asked, manifests=[world.model])
    folders = {"model": world.folder / "model"}
    path = world.deliver(asked, destination=tmp_path, folders=folders).path
    assert path.name == "road-severity-1.0.0.cur"
    with open_package(path, trust=world.holder, today=TODAY) as package:
        assert package.manifest == world.model
        assert "commit" in {step.stage for step in package.trace()}
        with pytest.raises(UsageError) as raised:
            package.load("train")
    assert raised.value.code == "package-without"


def test_what_a_notebook_shows_is_escaped(world: World, tmp_path: Path) -> None:
    asked = world.request(recipient="<script>alert('x')</script> & co")
    world.review(asked)
    path = world.deliver(asked, destination=tmp_path / "x.cur").path
    with open_package(path, trust=world.holder, today=TODAY) as package:
        shown = package._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "train: 120 rows, test: 30 rows" in shown


# ---- what a vendor has ----------------------------------------------------------------------------------------

CHILD = """
import json, sys
from datetime import date
from pathlib import Path
from curator.receiving import open_package
package = open_package(sys.argv[1], trust=bytes.fromhex(sys.argv[2]), today=date.fromisoformat(sys.argv[3]))
opened = sorted({"datasets", "pandas", "onnxruntime", "onnx"} & set(sys.modules))
rows = package.load("train").num_rows
package.session()
package.trace()
never = {"duckdb", "dvc", "great_expectations", "sklearn", "skl2onnx", "onnx", "sqlglot"}
print(json.dumps([opened, rows, sorted(never & set(sys.modules))]))
"""


def test_a_vendor_needs_no_engine(file: Path, world: World) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(file), world.holder.hex(), TODAY.isoformat()],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [[], 120, []]


FOREIGN = """
import base64, hashlib, json, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

key = load_pem_public_key(open("holder.pub", "rb").read())
names = {hashlib.sha256(key.public_bytes_raw()).hexdigest(): key}
for path in sys.argv[1:]:
    outer = json.load(open(path))
    payload, kind = base64.b64decode(outer["payload"]), outer["payloadType"].encode()
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    for signature in outer["signatures"]:
        names[signature["keyid"]].verify(base64.b64decode(signature["sig"]), message)
    for agent in json.loads(payload)["predicate"]["facts"].get("agents", []):
        public = bytes.fromhex(agent["public"])
        names[hashlib.sha256(public).hexdigest()] = Ed25519PublicKey.from_public_bytes(public)
"""


def test_foreign_tools_verify_a_package(file: Path, tmp_path: Path) -> None:
    """GNU tar, sha256sum and a page of Python that knows DSSE: no line of curator."""
    subprocess.run(["tar", "xf", str(file)], cwd=tmp_path, check=True)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)
    script = tmp_path.parent / "foreign.py"
    script.write_text(FOREIGN)
    statements = sorted((tmp_path / "evidence").iterdir(), key=lambda path: _time(path))
    order = [str(path) for path in statements] + ["package.json"]
    subprocess.run([sys.executable, "-I", str(script), *order], cwd=tmp_path, check=True)
    listed = {entry["path"]: entry for entry in _payload(tmp_path / "package.json")["predicate"]["facts"]["members"]}
    present = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert present == {*listed, "package.json"}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_verifies_the_first_signature(file: Path, tmp_path: Path) -> None:
    """The directory of agents, which everything else hangs on, is signed by the key in holder.pub."""
    subprocess.run(["tar", "xf", str(file)], cwd=tmp_path, check=True)
    (agents,) = [
        path for path in (tmp_path / "evidence").iterdir() if ":agents:" in str(_payload(path)["predicateType"])
    ]
    outer = json.loads(agents.read_bytes())
    payload, kind = base64.b64decode(outer["payload"]), outer["payloadType"].encode()
    (tmp_path / "message").write_bytes(b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload))
    (tmp_path / "signature").write_bytes(base64.b64decode(outer["signatures"][0]["sig"]))
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "holder.pub", "-rawin"]
    files = ["-in", "message", "-sigfile", "signature"]
    subprocess.run([*verify, *files], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "message").write_bytes(b"other")
    assert subprocess.run([*verify, *files], cwd=tmp_path, check=False, capture_output=True).returncode != 0


LOADING = """
import sys, datasets
found = datasets.load_dataset(sys.argv[1])
print({name: rows.num_rows for name, rows in found.items()})
"""


def test_load_dataset_opens_the_extracted_folder(file: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "xf", str(file)], cwd=tmp_path, check=True)
    done = subprocess.run(
        [sys.executable, "-c", LOADING, str(tmp_path / "dataset")],
        env={**os.environ, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "{'train': 120, 'test': 30}"


def _payload(path: Path) -> dict[str, object]:
    return json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))  # type: ignore[no-any-return]


def _time(path: Path) -> str:
    return str(_payload(path)["predicate"]["time"])  # type: ignore[index]
