"""Train a baseline and package any fitted scikit-learn pipeline: ONNX, proved equal, measured, carded, traceable.

`fit_baseline` trains what the spec asks for. `package` takes that, or any pipeline the caller fitted, and writes a
folder that stands alone: the model, the proof that it answers as the pipeline did, its figures, its card and its
manifest. The ONNX file itself says which dataset, spec and code it came from, so a trace can start from the bare file.

Tables are asked for split by split from a function the caller gives; `needed_columns` tells that function which columns
to read, so that training never loads the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from curator.canonical import canonical_json, sha256_bytes
from curator.edges.onnx_models import (
    METRIC_NAMES,
    Fitted,
    OnnxModel,
    Parity,
    adopt,
    baseline_pipeline,
    columns_of,
    convert,
    feature_names,
    fit,
    frame_of,
    frequent_categories,
    library_versions,
    opsets,
    read_provenance,
    signature,
    stamp,
)
from curator.errors import SpecError, StorageError, UsageError
from curator.manifest import MANIFEST, FileEntry, Manifest
from curator.modelling._card import card
from curator.modelling._examination import Examination, Tables, examine, project
from curator.spec.model import Baseline, EntitySplits, UseCase

__all__ = [
    "Fitted",
    "Packaged",
    "Parity",
    "Tables",
    "Versioned",
    "fit_baseline",
    "needed_columns",
    "package",
    "read_provenance",
    "training_frame",
]

NULLS = {"number": "NaN", "text": ""}
MODEL = "model.onnx"
_FILES = (MODEL, "README.md", "metrics.json", "parity.json", MANIFEST)


class Versioned(Protocol):
    """A version of a dataset, as a Manifest is one."""

    @property
    def ref(self) -> str:
        """`name@version`."""

    @property
    def digest(self) -> str:
        """SHA-256 of its manifest."""


@dataclass(frozen=True, kw_only=True)
class Packaged:
    """A packaged model.

    Attributes:
        manifest: of the folder written; its digest is the model's identity.
        facts: for the evidence: digest of the ONNX file, figures per split, parity, library versions.
    """

    manifest: Manifest
    facts: Mapping[str, Any]


def needed_columns(model: Any, *, target: str | None = None, features: Sequence[str] | None = None) -> tuple[str, ...]:
    """The columns that training or packaging reads, each once, features first.

    Args:
        model: a spec's Baseline, a Fitted, or a fitted pipeline.
        target: for a pipeline, the column it predicts.
        features: for a pipeline fitted without column names, those it reads.
    """
    if isinstance(model, Baseline):
        return tuple(dict.fromkeys((*_inputs(model), model.target)))
    if isinstance(model, Fitted):
        return tuple(dict.fromkeys((*(feature.name for feature in model.features), model.target)))
    return tuple(dict.fromkeys((*feature_names(model, features), *((target,) if target else ()))))


def training_frame(table: pa.Table, features: Sequence[str]) -> Any:
    """The features as a pandas DataFrame to fit a pipeline of one's own on, exactly as the ONNX model will see them.

    Numbers are float32 with NaN for null, texts are str with "" for null.

    Raises:
        SpecError: `feature-absent`, `feature-type`, `feature-name`. QualityError: `feature-not-finite`.
    """
    return frame_of(columns_of(table, signature(table.schema, features)))


def fit_baseline(use_case: UseCase, tables: Tables) -> Fitted:
    """Train the model that the spec describes, on the train split.

    Categories, words, labels and leaves of trees that fewer than k rows share (the spec's `disclosure.k`) are not
    learnt: they would stand in the model file.

    Args:
        use_case: with a `model`.
        tables: rows by split; only `train` (the first split) is asked for.

    Raises:
        SpecError: `model-absent`, and as `baseline_pipeline` and `fit`.
        QualityError: `training-empty`, `target-single-class`, `feature-not-finite`, `training-refused`.
        ParityError: `estimator-not-convertible`.
    """
    baseline = use_case.model
    if baseline is None:
        raise SpecError(
            "model-absent",
            asked=f"train the baseline of {use_case.ref}",
            found="no `model` in the spec",
            expected="a `model` with name, task, estimator, target and features",
            todo="add it to the spec, or fit a pipeline of your own and package that",
        )
    rarest = use_case.disclosure.k if use_case.disclosure else 1
    table = project(tables(_splits(use_case)[0]), needed_columns(baseline))
    texts = [f.name for f in signature(table.schema, _inputs(baseline)) if f.kind == "text"]
    categories = frequent_categories(table, [n for n in texts if n not in baseline.text_features], rarest=rarest)
    pipeline = baseline_pipeline(baseline, table.schema, rarest=rarest, categories=categories)
    return fit(pipeline, table, features=_inputs(baseline), target=baseline.target, task=baseline.task, rarest=rarest)


def package(
    model: Any,
    *,
    use_case: UseCase,
    tables: Tables,
    trained_on: Versioned,
    into: Path,
    name: str,
    version: str,
    target: str | None = None,
    features: Sequence[str] | None = None,
    code_version: str = "unknown",
) -> Packaged:
    """Convert a fitted model to ONNX, prove it, measure it and write it with its card into `into`.

    Args:
        model: a Fitted, or a fitted scikit-learn pipeline, classifier or regressor.
        use_case: the spec of the dataset it was trained on.
        tables: rows by split, with `needed_columns`; every split of the spec is asked for, one at a time.
        trained_on: the dataset version, for the link back.
        into: folder to write, created when absent; must hold none of the files to write.
        name: of the model, as in `name@version`.
        version: likewise.
        target: column it predicts; needed for a pipeline, known for a Fitted.
        features: columns it reads; needed only for a pipeline fitted without column names.
        code_version: of the code that trained it, such as a commit.

    Returns:
        The manifest (kind `model`) of the folder, and facts for the evidence. Same fit, same bytes.

    Raises:
        ParityError: `estimator-not-convertible`, `parity-failed`, `pipeline-refuses-rows`, `onnx-not-runnable`; then
            nothing is written.
        SpecError: `target-absent`, `target-type`, `feature-absent`, `feature-type`,
            `feature-name`.
        QualityError: `feature-not-finite`, `training-empty`.
        UsageError: `target-unknown`, `features-unknown`. StorageError: `folder-in-use`.
    """
    _check_free(into)
    splits = _splits(use_case)
    fitted = _fitted(model, tables=tables, train=splits[0], target=target, features=features)
    bare = convert(fitted)
    found = examine(fitted, bare, tables=tables, splits=splits)
    found.proof.require()
    about = _about(fitted, bare, use_case=use_case, trained_on=trained_on, code_version=code_version)
    stamped = stamp(bare, _provenance(about, ref=f"{name}@{version}"))
    files = {
        MODEL: stamped,
        "metrics.json": canonical_json(_metrics(fitted, found)),
        "parity.json": canonical_json(found.proof.to_json()),
        "README.md": card(fitted, found, use_case=use_case, about=about, name=name, version=version).encode(),
    }
    manifest = _write(into, files, name=name, version=version, about=about)
    return Packaged(manifest=manifest, facts=_facts(files, found, about=about))


def _splits(use_case: UseCase) -> tuple[str, ...]:
    """The spec's splits, the one to train on first."""
    names = use_case.splits.shares if isinstance(use_case.splits, EntitySplits) else use_case.splits.until
    return tuple(sorted(names, key=lambda name: name != "train"))


def _inputs(baseline: Baseline) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*baseline.features, *baseline.text_features)))


def _fitted(model: Any, *, tables: Tables, train: str, target: str | None, features: Sequence[str] | None) -> Fitted:
    if isinstance(model, Fitted):
        return model
    if target is None:
        raise UsageError(
            "target-unknown",
            asked="package a fitted pipeline",
            found="no target",
            expected="the name of the column that the pipeline predicts",
            todo="pass target=...",
        )
    return adopt(model, tables(train).schema, target=target, features=features)


def _about(
    fitted: Fitted, bare: bytes, *, use_case: UseCase, trained_on: Versioned, code_version: str
) -> dict[str, Any]:
    """The manifest's facts, as the module's documentation lists them."""
    runner = OnnxModel(bare)
    return {
        "trained_on": {"ref": trained_on.ref, "digest": trained_on.digest},
        "spec": {"ref": use_case.ref, "digest": use_case.digest},
        "code": code_version,
        "task": fitted.task,
        "target": fitted.target,
        "inputs": runner.inputs,
        "outputs": runner.outputs,
        "nulls": NULLS,
        "opsets": opsets(),
        "libraries": library_versions(),
    }


def _provenance(about: Mapping[str, Any], *, ref: str) -> dict[str, str]:
    """What the ONNX file says of itself."""
    return {
        "curator.format": "curator/onnx/1",
        "curator.model": ref,
        "curator.dataset": about["trained_on"]["ref"],
        "curator.dataset.sha256": about["trained_on"]["digest"],
        "curator.spec": about["spec"]["ref"],
        "curator.spec.sha256": about["spec"]["digest"],
        "curator.code": about["code"],
        "curator.task": about["task"],
        "curator.target": about["target"],
        "curator.nulls": "numbers: NaN; texts: the empty text",
    }


def _metrics(fitted: Fitted, found: Examination) -> dict[str, Any]:
    splits = {name: score.to_json() for name, score in found.scores.items()}
    used = {metric for score in found.scores.values() for metric in score.model}
    names = {name: text for name, text in METRIC_NAMES.items() if name in used}
    return {"task": fitted.task, "target": fitted.target, "names": names, "splits": splits}


def _facts(files: Mapping[str, bytes], found: Examination, *, about: Mapping[str, Any]) -> dict[str, Any]:
    proof = found.proof.to_json()
    return {
        "onnx": sha256_bytes(files[MODEL]),
        "parity": {key: proof[key] for key in ("rows", "max_abs_difference", "label_disagreements", "share")},
        "metrics": {name: score.to_json() for name, score in found.scores.items()},
        **{key: about[key] for key in ("trained_on", "spec", "code", "task", "target", "libraries")},
    }


def _check_free(into: Path) -> None:
    taken = [name for name in _FILES if (into / name).exists()]
    if taken:
        raise StorageError(
            "folder-in-use",
            asked=f"write a model into {into.name}",
            found=f"files that are there already: {', '.join(taken)}",
            expected="an empty folder",
            todo="give another folder, or another version; a packaged model is never overwritten",
        )


def _write(into: Path, files: Mapping[str, bytes], *, name: str, version: str, about: Mapping[str, Any]) -> Manifest:
    into.mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        (into / path).write_bytes(data)
    entries = tuple(_entry(path, files[path]) for path in sorted(files))
    manifest = Manifest(kind="model", name=name, version=version, files=entries, about=about)
    (into / MANIFEST).write_bytes(manifest.to_bytes())
    return manifest


def _entry(path: str, data: bytes) -> FileEntry:
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return FileEntry(path=path, sha256=sha256_bytes(data), md5=md5, size=len(data))
