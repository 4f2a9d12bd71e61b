"""Who could be found: in a version or a package as written, and in its sources before protection.

The sources are measured when they are given, which is a second pass over them; the figures, which are counts and names
of columns alone, are kept in the holder's private place, so that they are shown from then on without the sources.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from curator.agents import Directory
from curator.capital._options import RunOptions, source_paths
from curator.capital._reveal import protection_of
from curator.edges.durable import disk_errors
from curator.engines import open_engine
from curator.errors import IntegrityError, UsageError
from curator.extraction import extract
from curator.manifest import Manifest
from curator.package_file import DATASET
from curator.receiving import open_package
from curator.records import DatasetVersion
from curator.risk import (
    Copies,
    Measures,
    RiskReport,
    compare_copies,
    entity_of,
    measure,
    report_files,
    roles_of,
    table_columns,
)
from curator.samples import SAMPLE, Sample
from curator.spec import UseCase, parse_use_case, scope_of
from curator.sqltext import quoted

if TYPE_CHECKING:
    from curator.capital import Capital

_BATCH = 131_072
_FOLDER = "holder/risk"
_COPIES = 5  # versions for other recipients that are told
_LOOKED = 50  # last versions among which they are looked for
_PACKAGE = ".cur"


@dataclass(frozen=True, kw_only=True)
class RiskAnswer:
    """What `risk` found; counts, shares and names of columns only.

    Attributes:
        ref: of the dataset version.
        report: on the files as written.
        before: on the columns behind the quasi-identifiers, as the sources have them; None when they were never
            measured here.
        copies: what links it with versions of the capital that were made for other recipients, last ones first.
    """

    ref: str
    report: RiskReport
    before: Measures | None = None
    copies: tuple[Copies, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        before = self.before.facts() if self.before else None
        return {
            "ref": self.ref, **self.report.facts(), "before": before, "copies": [item.facts() for item in self.copies]
        }  # fmt: skip


def risk(
    capital: Capital, what: str | Path, *, options: RunOptions | None = None, population: Sequence[Path] = (),
    trust: Path | None = None,
) -> RiskAnswer:  # fmt: skip
    """Measure a version or package, and its sources where they are given; see `Capital.risk`."""
    if str(what).endswith(_PACKAGE):
        return _of_package(capital, Path(what), options=options, population=population, trust=trust)
    version = capital.version(str(what))
    if not isinstance(version, DatasetVersion):
        raise _no_rows(version.ref)
    answer = _of_folder(
        capital, version.folder, manifest=version.manifest, use_case=capital.use_case(version), options=options,
        population=population,
    )  # fmt: skip
    return replace(answer, copies=_copies(capital, version))


def _of_package(
    capital: Capital, file: Path, *, options: RunOptions | None, population: Sequence[Path], trust: Path | None
) -> RiskAnswer:
    with open_package(file, trust=trust or capital.holder_key()) as package:
        if DATASET not in package.manifests:
            raise _no_rows(file.name)
        folder, manifest = package.folder / DATASET, package.manifests[DATASET]
        use_case = parse_use_case((folder / "use-case.yaml").read_text(encoding="utf-8"), file="use-case.yaml")
        return _of_folder(
            capital, folder, manifest=manifest, use_case=use_case, options=options, population=population
        )  # fmt: skip


def _of_folder(
    capital: Capital,
    folder: Path,
    *,
    manifest: Manifest,
    use_case: UseCase,
    options: RunOptions | None,
    population: Sequence[Path],
) -> RiskAnswer:
    files = [folder / entry.path for entry in manifest.files if entry.split]
    report = report_files(files, roles_of(use_case), population=population)
    before = None
    if report.measures is not None and options is None:
        before = kept_before(capital.workspace.private, manifest)
    elif report.measures is not None and options is not None:
        before = _before(capital, use_case, options=options)
        if before is not None:
            _keep_before(capital.workspace.private, manifest, before=before)
    return RiskAnswer(ref=manifest.ref, report=report, before=before)


def _copies(capital: Capital, version: DatasetVersion) -> tuple[Copies, ...]:
    """What links a version with those made for other recipients from the same spec, or from one of its versions."""
    directory = capital.directory()
    own, shards = _made_for(capital, version, directory=directory), _shards(version)
    roles = roles_of(capital.use_case(version))
    found: list[Copies] = []
    for ref in list(reversed(capital.datasets()))[:_LOOKED] if own and shards else ():
        other = capital.dataset(ref)
        made = _made_for(capital, other, directory=directory)
        beside = made is not None and own is not None and made[1] != own[1] and made[0] & own[0]
        if ref != version.ref and beside and _shards(other):
            found.append(compare_copies(ref, shards, others=_shards(other), roles=roles))
    return tuple(found[:_COPIES])


def _made_for(capital: Capital, version: DatasetVersion, *, directory: Directory) -> tuple[set[str], str] | None:
    """The names that a version goes by, its own and that of the version it was re-keyed from, and its recipient."""
    try:
        told = protection_of(capital, version, directory=directory)
    except IntegrityError:  # `curator verify` tells what is wrong; here nobody knows for whom it was made
        return None
    rekeyed = told.get("rekeyed") or {}
    names = {version.manifest.name, str(rekeyed.get("from", version.ref)).partition("@")[0]}
    return names, str(told.get("context", {}).get("recipient", ""))


def _shards(version: DatasetVersion) -> list[Path]:
    return [version.folder / entry.path for entry in version.manifest.files if entry.split]


def kept_before(private: Path, manifest: Manifest) -> Measures | None:
    """The figures of a version's sources as they were measured here; None when they never were, or of another version.

    Args:
        private: the workspace's private place.
        manifest: of the version.
    """
    path = private / _FOLDER / f"{manifest.ref}.json"
    if not path.is_file():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Measures.from_facts(kept["before"]) if kept["version"] == manifest.digest else None


def _keep_before(private: Path, manifest: Manifest, *, before: Measures) -> None:
    """Keep the figures, readable by the holder alone (mode 0600)."""
    folder = private / _FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{manifest.ref}.json"
    path.touch(mode=0o600)
    told = {"version": manifest.digest, "before": before.facts()}
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _before(capital: Capital, use_case: UseCase, *, options: RunOptions) -> Measures | None:
    """The same figures on the columns that the quasi-identifiers are made from; nothing is written."""
    workspace = capital.workspace
    with (
        disk_errors(workspace.root, asked=f"measure the sources of {use_case.ref}"),
        workspace.scratch("risk") as place,
    ):
        engine = open_engine(options.engine, scratch=place, threads=options.threads, memory=options.memory)
        try:
            sample = extract(use_case, engine=engine, paths=source_paths(use_case, spec_folder=Path(), options=options))
            return _of_sample(sample, use_case)
        finally:
            engine.close()


def _of_sample(sample: Sample, use_case: UseCase) -> Measures:
    scope = scope_of(use_case)
    fields = [(name, use_case.fields[name]) for name in use_case.quasi_identifiers()]
    quasi = dict.fromkeys(base for name, field in fields for base in sorted(scope.made_from(field, name)))
    sensitive = [name for name in roles_of(use_case).sensitive if use_case.fields[name].protect == "keep"]
    shown = {name: use_case.fields[name].from_ or name for name in sensitive}
    names = list(dict.fromkeys([*quasi, *shown.values(), *use_case.extract.entity]))
    sql = f"SELECT {', '.join(quoted(name) for name in names)} FROM {quoted(SAMPLE)}"  # noqa: S608 (a checked spec's)
    table = pa.Table.from_batches(list(sample.engine.batches(sql, rows=_BATCH)))
    columns = table_columns(table, names)
    entity = entity_of([columns[name] for name in use_case.extract.entity])
    return measure(
        [columns[name] for name in quasi], sensitive=[columns[name] for name in shown.values()], entity=entity
    )


def _no_rows(ref: str) -> UsageError:
    return UsageError(
        "risk-no-dataset",
        asked=f"tell who could be found in {ref}",
        found="a model, or a package without rows",
        expected="a dataset version, or a package that holds one",
        todo="choose a dataset version; `curator list` shows them",
    )
