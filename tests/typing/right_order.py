"""The stages in their order: type-checks, so that the files beside it fail for their own reason alone."""

from pathlib import Path

from curator.engines import open_engine
from curator.extraction import extract
from curator.protection import protect
from curator.pseudonyms import KeyContext
from curator.quality import check
from curator.samples import Written
from curator.spec import UseCase
from curator.versioning import write_shards


def made(use_case: UseCase, paths: dict[str, Path], folder: Path, root: bytes, context: KeyContext) -> Written:
    sample = extract(use_case, engine=open_engine("duckdb", scratch=folder), paths=paths)
    return write_shards(protect(check(sample), root=root, context=context), folder=folder, scratch=folder)
