"""Whom a dataset stands for: measured from a spec and its sources, or as it was measured when a version was made."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from curator.capital._options import RunOptions, source_paths
from curator.capital._reports import kept_report
from curator.edges.durable import disk_errors
from curator.engines import open_engine
from curator.errors import UsageError
from curator.extraction import extract
from curator.quality import check
from curator.records import DatasetVersion
from curator.representation import RepresentationReport, measure
from curator.spec import load_use_case

if TYPE_CHECKING:
    from curator.capital import Capital


def represent(capital: Capital, what: str, *, options: RunOptions) -> RepresentationReport:
    """Measure a spec, or read the report of a version; see `Capital.represent`."""
    if what.endswith((".yaml", ".yml")):
        return _measured(capital, Path(what), options=options)
    version = capital.version(what)
    report = kept_report(capital.workspace.private, version.ref) if isinstance(version, DatasetVersion) else None
    if report is None:
        raise _not_asked(version.ref)
    return report


def _measured(capital: Capital, spec: Path, *, options: RunOptions) -> RepresentationReport:
    """Extract and check as `curate` would, and refuse nothing."""
    use_case = load_use_case(spec)
    if use_case.representation is None:
        raise _not_asked(use_case.ref)
    with ExitStack() as stack:
        stack.enter_context(disk_errors(capital.workspace.root, asked=f"look at {use_case.ref}"))
        scratch = stack.enter_context(capital.workspace.scratch("represent"))
        engine = open_engine(options.engine, scratch=scratch, threads=options.threads, memory=options.memory)
        stack.callback(engine.close)
        sample = extract(
            use_case, engine=engine, paths=source_paths(use_case, spec_folder=spec.parent, options=options)
        )  # fmt: skip
        report = measure(check(sample))
        sample.unchanged()
    if report is None:  # pragma: no cover (refused above)
        raise _not_asked(use_case.ref)
    return report


def _not_asked(ref: str) -> UsageError:
    return UsageError(
        "representation-absent",
        asked=f"tell whom {ref} stands for",
        found="no `representation` in its spec, or no report of it kept in this capital",
        expected="a spec that names the dimensions to compare, or a version made from one",
        todo="add `representation: {dimensions: {...}}` to the spec, then run the command on it",
    )
