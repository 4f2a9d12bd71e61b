"""How a run is asked for, where its sources are, and what one finds that publishes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from curator.capital._changes import ChangeFeed
from curator.extraction import require_known
from curator.files import Where, where_of
from curator.samples import (
    RowOrder,
)
from curator.spec import UseCase
from curator.versioning import Progress

if TYPE_CHECKING:
    pass


Until = Literal["extract", "check", "protect"]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How to run, without any effect on what a keyed-order dataset holds.

    Attributes:
        sources: source -> file or address, instead of the spec's own path.
        data: folder that the spec's relative paths start from; the spec's own folder when None.
        engine, threads, memory: where to compute and with what.
        recipient, epoch: context of the token keys; the current epoch when None.
        order: `keyed`, or `engine` for speed without reproducible bytes.
        to: name of a DVC remote on S3 that gets the version as it is written; none when None.
        progress: called with stage, done, total.
    """

    sources: Mapping[str, Path | str] = field(default_factory=dict)
    data: Path | str | None = None
    engine: str = "duckdb"
    threads: int | None = None
    memory: str | None = None
    recipient: str = "internal"
    epoch: str | None = None
    order: RowOrder = "keyed"
    to: str | None = None
    progress: Progress | None = None


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a run that stops before `commit` found.

    Attributes:
        stage: the last stage run.
        extraction: facts of the extraction.
        quality: facts of the check, from `check` on.
        disclosure: facts of the measure, for `protect`.
    """

    stage: str
    extraction: dict[str, Any]
    quality: dict[str, Any] | None = None
    disclosure: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return vars(self)


def source_paths(use_case: UseCase, *, spec_folder: Path, options: RunOptions) -> dict[str, Where]:
    """Where each source stands. Raises SourceError when `sources` names one that the spec does not have."""
    require_known(use_case, options.sources)
    base = Path(options.data or spec_folder)
    told = {name: (source.addresses, base) for name, source in use_case.sources.items()}
    told |= {name: ((str(where),), Path()) for name, where in options.sources.items()}
    return {name: where_of(addresses, source=name, folder=folder) for name, (addresses, folder) in told.items()}


def change_feed(
    use_case: UseCase, *, spec_folder: Path, options: RunOptions, noted: Mapping[str, Any] | None = None
) -> ChangeFeed:
    """The feed of changes of a use case that declares one, from the watermark on that was noted."""
    addresses = use_case.refresh.changes.addresses if use_case.refresh and use_case.refresh.changes else ()
    place = where_of(addresses, source="refresh.changes", folder=Path(options.data or spec_folder))
    noted = noted or {}
    return ChangeFeed(use_case, place=place, after=noted.get("watermark"), noted=noted.get("fence"))
