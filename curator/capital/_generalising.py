"""`generalise`: distinct combinations counted in the engine, the lattice searched on them; no row is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from curator.capital._options import RunOptions, source_paths
from curator.coarsening import require_search, searched
from curator.edges.durable import disk_errors
from curator.engines import open_engine
from curator.extraction import extract
from curator.generalising import Generalisation, LocalGeneralisation
from curator.quality import check
from curator.spec import UseCase

if TYPE_CHECKING:
    from curator.capital import Capital


def search_levels(
    capital: Capital, spec: Path, *, use_case: UseCase, options: RunOptions
) -> Generalisation | LocalGeneralisation:
    """Search the best generalisation of a spec's quasi-identifiers; see `Capital.generalise`."""
    require_search(use_case)
    workspace = capital.workspace
    with (
        disk_errors(workspace.root, asked=f"search the levels of {use_case.ref}"),
        workspace.scratch("generalise") as place,
    ):
        engine = open_engine(options.engine, scratch=place, threads=options.threads, memory=options.memory)
        try:
            paths = source_paths(use_case, spec_folder=spec.parent, options=options)
            return searched(check(extract(use_case, engine=engine, paths=paths)), folder=spec.parent)
        finally:
            engine.close()
