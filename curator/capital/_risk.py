"""Who could be found: in a version or a package as written, and in its sources before protection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from curator.capital._curation import RunOptions, source_paths
from curator.edges.durable import disk_errors
from curator.engines import open_engine
from curator.errors import UsageError
from curator.extraction import extract
from curator.manifest import Manifest
from curator.package_file import DATASET
from curator.receiving import open_package
from curator.records import DatasetVersion
from curator.risk import Measures, RiskReport, entity_of, measure, report_files, roles_of, table_columns
from curator.samples import SAMPLE, Sample
from curator.spec import UseCase, parse_use_case, scope_of
from curator.sqltext import quoted

if TYPE_CHECKING:
    from curator.capital import Capital

_BATCH = 131_072
_PACKAGE = ".cur"


@dataclass(frozen=True, kw_only=True)
class RiskAnswer:
    """What `risk` found; counts, shares and names of columns only.

    Attributes:
        ref: of the dataset version.
        report: on the files as written.
        before: on the columns behind the quasi-identifiers, as the sources have them; None when not asked for.
    """

    ref: str
    report: RiskReport
    before: Measures | None = None

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {"ref": self.ref, **self.report.facts(), "before": self.before.facts() if self.before else None}


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
    return _of_folder(
        capital, version.folder, manifest=version.manifest, use_case=capital.use_case(version), options=options,
        population=population,
    )  # fmt: skip


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
    if options is not None and report.measures is not None:
        before = _before(capital, use_case, options=options)
    return RiskAnswer(ref=manifest.ref, report=report, before=before)


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
