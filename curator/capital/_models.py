"""From a dataset version to a registered model version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curator.agents import Role
from curator.capital._parts import code_facts
from curator.edges.durable import disk_errors
from curator.errors import StorageError, UsageError
from curator.evidence import Artifact, Stage
from curator.modelling import fit_baseline, needed_columns
from curator.modelling import package as package_model
from curator.records import DatasetVersion, ModelVersion

if TYPE_CHECKING:
    import pyarrow as pa

    from curator.capital import Capital


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the model will be called and what it predicts; see `Capital.package`."""

    name: str
    target: str
    features: tuple[str, ...] | None = None
    version: str | None = None


def train(capital: Capital, dataset: DatasetVersion, *, version: str | None) -> ModelVersion:
    """Fit the spec's baseline and register it; see `Capital.train`."""
    capital.recorder(Role.ENGINEER)  # who may not register a model is told so before the work
    use_case = capital.use_case(dataset)
    if use_case.model is None:  # fit_baseline says so, with its own words
        fit_baseline(use_case, dataset.table)
        raise AssertionError("a spec without a model was trained")
    wanted = Wanted(name=use_case.model.name, target=use_case.model.target, version=version)
    _refuse_taken(capital, wanted)
    fitted = fit_baseline(use_case, _tables(dataset, needed_columns(use_case.model)))
    return package(capital, fitted, dataset=dataset, wanted=wanted)


def package(capital: Capital, model: Any, *, dataset: DatasetVersion, wanted: Wanted) -> ModelVersion:
    """Convert, prove, describe and register; see `Capital.package`."""
    recorder = capital.recorder(Role.ENGINEER)
    use_case = capital.use_case(dataset)
    number = wanted.version or _next_version(capital, wanted.name)
    capital.workspace.require_place(f"models/{wanted.name}/{number}")
    _refuse_taken(capital, wanted)
    columns = needed_columns(model, target=wanted.target, features=wanted.features)
    workspace = capital.workspace
    with disk_errors(workspace.root, asked=f"package {wanted.name}"), workspace.scratch("model") as scratch:
        into = scratch / "version"
        packaged = package_model(
            model,
            use_case=use_case,
            tables=_tables(dataset, columns),
            trained_on=dataset,
            into=into,
            name=wanted.name,
            version=number,
            target=wanted.target,
            features=wanted.features,
            code_version=code_facts()["source_sha256"],
        )
        manifest = packaged.manifest
        files = tuple(Artifact(f"{manifest.ref}/{entry.path}", entry.sha256) for entry in manifest.files)
        commit = [envelope.digest for envelope in capital.evidence.about(dataset.digest)][:1]
        envelope = recorder.record(
            Stage.PACKAGE,
            subjects=(Artifact(manifest.ref, manifest.digest), *files),
            inputs=(Artifact(dataset.ref, dataset.digest), Artifact(f"use case {use_case.ref}", use_case.digest)),
            previous=commit,
            facts={**packaged.facts, "code": code_facts()},
        )
        place = f"models/{manifest.name}/{manifest.version}"
        capital.workspace.publish(
            folders={place: into},
            files={envelope.path: envelope.data},
            message=f"Add the model {manifest.ref}",
            tag=manifest.ref,
            tag_message=f"{manifest.ref}\n\nmanifest sha256: {manifest.digest}\nstatement: {envelope.digest}\n",
        )
    return ModelVersion(manifest=manifest, folder=capital.workspace.root / place)


def _tables(dataset: DatasetVersion, columns: tuple[str, ...]) -> Callable[[str], pa.Table]:
    """Rows of a split, only the columns that are needed; a split without rows is an empty table."""

    def table(split: str) -> pa.Table:
        if split in dataset.splits:
            return dataset.table(split, columns)
        return dataset.table(dataset.splits[0], columns).slice(0, 0)

    return table


def numbers(version: str) -> tuple[int, ...]:
    """The three numbers of a version, without what a hyphen adds (`1.2.0-rc.1`)."""
    return tuple(int(part) for part in version.partition("-")[0].split("."))


def _next_version(capital: Capital, name: str) -> str:
    taken = [numbers(version) for known, version in capital.workspace.versions("model") if known == name]
    if not taken:
        return "1.0.0"
    major, minor, patch = max(taken)
    return f"{major}.{minor}.{patch + 1}"


def _refuse_taken(capital: Capital, wanted: Wanted) -> None:
    """Refuse, before any work, a name that a dataset has or a version that exists; publishing checks again."""
    if wanted.name in {known for known, _ in capital.workspace.versions("dataset")}:
        raise UsageError(
            "name-taken",
            asked=f"register a model called {wanted.name}",
            found="a dataset of that name",
            expected="a name of its own: one reference names one thing",
            todo="choose another name for the model",
        )
    if (wanted.name, wanted.version) in capital.workspace.versions("model"):
        raise StorageError(
            "version-exists",
            asked=f"register {wanted.name}@{wanted.version}",
            found="a version of that name and number",
            expected="a number that is not taken: a version is never overwritten",
            todo=f"leave the version out to get {_next_version(capital, wanted.name)}, or choose another",
        )
