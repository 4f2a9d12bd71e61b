"""A small world of release for tests: agents with keys, evidence, a dataset and a model, and packages made of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from curator import release
from curator.agents import Agent, Directory, Role
from curator.canonical import canonical_json, sha256_file
from curator.evidence import (
    KEYED,
    Artifact,
    Envelope,
    EvidenceStore,
    Stage,
    Statement,
    format_time,
    keyid_of,
    sign_statement,
)
from curator.manifest import MANIFEST, FileEntry, Manifest
from curator.spec.model import UseCase

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
UNTIL = date(2026, 12, 31)
TODAY = date(2026, 6, 1)

SPEC: dict[str, Any] = {
    "curator": 1,
    "name": "road-accidents",
    "version": "1.0.0",
    "title": "Road accidents",
    "owner": {"organisation": "Ministry", "contact": "data@ministry.example"},
    "purpose": {"statement": "Safer roads"},
    "law": {
        "regime": "gdpr",
        "basis": "public-task",
        "text": "Code de la route, art. L. 1",
        "dpia": "DPIA-7",
        "ai_act": "minimal",
        "retention_days": 3650,
    },
    "sources": {
        "accidents": {
            "path": "accidents.csv",
            "columns": {"id": "text", "severity": "integer", "place": "text", "day": "date"},
        }
    },
    "extract": {"from": "accidents", "row_key": ["id"], "entity": ["id"]},
    "fields": {
        "person": {"from": "id", "meaning": "person", "identifier": "direct", "protect": "token"},
        "place": {"meaning": "place", "identifier": "none"},
        "severity": {"meaning": "severity", "identifier": "none"},
        "day": {"meaning": "day", "identifier": "none", "because": "invented"},
    },
    "splits": {"by": "entity", "shares": {"train": 0.8, "test": 0.2}},
    "channels": {
        "research": {"purposes": ["road-safety"], "licence": "Agreement 12", "max_days": 400, "models": True},
        "open": {"purposes": ["any"], "licence": "etalab-2.0", "max_days": 3000},
    },
}

CARD = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train/*.parquet
  - split: test
    path: data/test/*.parquet
---
# Road accidents
"""


@dataclass(frozen=True)
class Key:
    """A signer for tests, drawn from a seed so that every run signs alike."""

    name: str
    _key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of(cls, name: str, *, seed: str = "") -> Key:
        return cls(name, Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"{name}{seed}".encode()).digest()))

    @property
    def public(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    @property
    def keyid(self) -> str:
        return keyid_of(self.public)

    def sign(self, message: bytes, /) -> bytes:
        return self._key.sign(message)


ROLES = {
    "holder": {Role.STEWARD},
    "ada": {Role.ENGINEER},
    "bob": {Role.REVIEWER},
    "eve": {Role.ENGINEER, Role.REVIEWER},
    "dan": {Role.DELIVERER},
}


class World:
    """Everything that a workspace would hold, in one folder."""

    def __init__(self, folder: Path, *, spec: dict[str, Any] | None = None) -> None:
        self.folder, self.now = folder, START
        self.keys = {name: Key.of(name) for name in ROLES}
        self.use_case = UseCase.model_validate_json(json.dumps(spec or SPEC))
        self.evidence = EvidenceStore(folder / "evidence")
        self.directory = self._agents()
        self.dataset = write_dataset(folder / "dataset", spec=self.use_case.digest)
        self.model = write_model(folder / "model", spec=self.use_case.digest, trained_on=self.dataset)
        self._lineage()

    @property
    def holder(self) -> bytes:
        return self.keys["holder"].public

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def keep(self, envelope: Envelope) -> Envelope:
        path = self.folder / envelope.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(envelope.data)
        return envelope

    def sign(self, stage: Stage, agent: str, **parts: Any) -> Envelope:
        key = self.keys[agent]
        time = parts.pop("time", None) or format_time(self.tick())
        return sign_statement(Statement(stage=stage, agent=key.name, keyid=key.keyid, time=time, **parts), key)

    def request(self, *, models: bool = False, **changes: Any) -> Envelope:
        manifests = [self.dataset, self.model] if models else [self.dataset]
        arguments: dict[str, Any] = {
            "use_case": self.use_case,
            "channel": "research",
            "purpose": "road-safety",
            "recipient": "Université d'Été",
            "until": UNTIL,
            "signer": self.keys["ada"],
            "directory": self.directory,
            "now": self.tick(),
        }
        return self.keep(release.request(changes.pop("manifests", manifests), **{**arguments, **changes}))

    def review(self, asked: Envelope, **changes: Any) -> Envelope:
        arguments: dict[str, Any] = {
            "decision": "approve",
            "reason": "as agreed",
            "manifests": [self.dataset, self.model][: len(asked.statement.subjects)],
            "use_case": self.use_case,
            "evidence": self.evidence,
            "signer": self.keys["bob"],
            "directory": self.directory,
            "now": self.tick(),
        }
        return self.keep(release.review(asked, **{**arguments, **changes}))

    def deliver(self, asked: Envelope, **changes: Any) -> release.Delivery:
        folders = {"dataset": self.folder / "dataset", "model": self.folder / "model"}
        arguments: dict[str, Any] = {
            "folders": dict(list(folders.items())[: len(asked.statement.subjects)]),
            "destination": self.folder,
            "use_case": self.use_case,
            "evidence": self.evidence,
            "signer": self.keys["dan"],
            "directory": self.directory,
            "now": self.tick(),
        }
        delivery = release.deliver(asked, **{**arguments, **changes})
        self.keep(delivery.envelope)
        return delivery

    def package(self, *, models: bool = False) -> Path:
        asked = self.request(models=models)
        self.review(asked)
        return self.deliver(asked).path

    def _agents(self) -> Directory:
        since = format_time(self.now)
        agents = tuple(
            Agent(name=name, public=self.keys[name].public.hex(), roles=frozenset(roles), since=since)
            for name, roles in ROLES.items()
        )
        listed = Directory(agents)
        self.keep(self.sign(Stage.AGENTS, "holder", subjects=(listed.artifact(),), facts=listed.facts(), time=since))
        return Directory.from_envelopes(self.evidence.unverified(), self.holder)

    def _lineage(self) -> None:
        first = (self.directory.digest,)
        rows = Artifact("road-accidents sample", hashlib.sha256(b"sample").hexdigest())
        source = Artifact("accidents.csv", hashlib.sha256(b"source").hexdigest(), KEYED)
        extract = self.keep(self.sign(Stage.EXTRACT, "ada", subjects=(rows,), inputs=(source,), previous=first))
        dataset = Artifact(self.dataset.ref, self.dataset.digest)
        commit = self.sign(Stage.COMMIT, "ada", subjects=(dataset,), inputs=(rows,), previous=(extract.digest,))
        self.keep(commit)
        model = Artifact(self.model.ref, self.model.digest)
        train = self.sign(Stage.PACKAGE, "ada", subjects=(model,), inputs=(dataset,), previous=(commit.digest,))
        self.keep(train)


def write_dataset(folder: Path, *, spec: str, tables: dict[str, pa.Table] | None = None) -> Manifest:
    """A dataset version as curator publishes it, small."""
    tables = tables or {"train": accidents(120), "test": accidents(30)}
    texts = {"README.md": CARD, "croissant.json": "{}", "use-case.yaml": "curator: 1\n", "quality.json": "{}"}
    for name, text in texts.items():
        write(folder / name, text.encode())
    for split, table in tables.items():
        path = folder / f"data/{split}/part-00000.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, compression="zstd", write_statistics=False)
    return write_manifest(folder, kind="dataset", name="road-accidents", about={"spec": spec})


def write_model(folder: Path, *, spec: str, trained_on: Manifest, onnx: bytes | None = None) -> Manifest:
    """A model version as curator publishes it, small."""
    write(folder / "model.onnx", onnx or doubling_model())
    write(folder / "README.md", b"# Model\n")
    write(folder / "metrics.json", b"{}")
    about = {
        "spec": {"ref": "road-accidents@1.0.0", "digest": spec},
        "trained_on": {"ref": trained_on.ref, "digest": trained_on.digest},
    }
    return write_manifest(folder, kind="model", name="road-severity", about=about)


def write_manifest(folder: Path, *, kind: str, name: str, about: dict[str, Any]) -> Manifest:
    """The manifest of what stands in a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    entries = [_entry(folder, path) for path in paths]
    entries.sort(key=lambda entry: entry.path)
    manifest = Manifest(kind=kind, name=name, version="1.0.0", files=tuple(entries), about=about)
    write(folder / MANIFEST, manifest.to_bytes())
    return manifest


def _entry(folder: Path, path: Path) -> FileEntry:
    relative = path.relative_to(folder).as_posix()
    parts = relative.split("/")
    split, rows = "", 0
    if relative.endswith(".parquet"):
        split = parts[1]
        try:
            rows = pq.read_metadata(path).num_rows
        except (pa.ArrowException, OSError):
            rows = 1
    return FileEntry(path=relative, sha256=sha256_file(path), size=path.stat().st_size, split=split, rows=rows)


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def accidents(rows: int) -> pa.Table:
    """Rows with a token, a text with nulls and accents, a number and a date."""
    return pa.table(
        {
            "person": pa.array([hashlib.sha256(str(row).encode()).digest()[:16] for row in range(rows)], pa.binary(16)),
            "place": pa.array([None if row % 7 == 0 else ["Évry", "L'Haÿ", "Sète"][row % 3] for row in range(rows)]),
            "severity": pa.array([row % 4 for row in range(rows)], pa.int8()),
            "day": pa.array([date(2025, 1, 1) + timedelta(days=row * 61 % 97) for row in range(rows)]),
        }
    )


def doubling_model() -> bytes:
    """An ONNX model that doubles its input, with a weight inside the file."""
    from onnx import TensorProto, helper

    weight = helper.make_tensor("two", TensorProto.FLOAT, [1], [2.0])
    node = helper.make_node("Mul", ["x", "two"], ["prediction"])
    graph = helper.make_graph(
        [node],
        "model",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1])],
        [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, [None, 1])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return bytes(model.SerializeToString())


def canonical(value: Any) -> bytes:
    return canonical_json(value)
