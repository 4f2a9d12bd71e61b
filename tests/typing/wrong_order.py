"""Every stage handed what is not yet, or no longer, its turn: each line must be refused with the code it names."""

from datetime import date
from pathlib import Path

from curator.capital import Capital, RunOptions
from curator.describing import describe
from curator.errors import SpecError
from curator.extraction import extract
from curator.manifest import Manifest
from curator.protection import protect
from curator.protocols import Engine
from curator.pseudonyms import KeyContext
from curator.quality import check
from curator.records import DatasetVersion, ModelVersion
from curator.samples import CheckedSample, ProtectedSample, Sample, Written
from curator.spec import UseCase
from curator.versioning import write_shards


def stages(sample: Sample, checked: CheckedSample, protected: ProtectedSample, folder: Path, context: KeyContext) -> None:  # noqa: E501
    write_shards(sample, folder=folder, scratch=folder)  # expect: arg-type
    write_shards(checked, folder=folder, scratch=folder)  # expect: arg-type
    protect(sample, root=b"", context=context)  # expect: arg-type
    protect(protected, root=b"", context=context)  # expect: arg-type
    protect(checked, root="secret", context=context)  # expect: arg-type
    protect(checked, context=context)  # expect: call-arg
    protect(checked, b"", context)  # expect: call-arg
    check(checked)  # expect: arg-type
    check(protected)  # expect: arg-type
    check(folder)  # expect: arg-type
    write_shards(protected, folder=folder, scratch=folder, order="sorted")  # expect: arg-type
    write_shards(protected, folder, folder)  # expect: call-arg


def records(use_case: UseCase, engine: Engine, written: Written, sample: Sample, manifest: Manifest, folder: Path) -> None:  # noqa: E501
    extract(folder, engine=engine, paths={})  # expect: arg-type
    extract(use_case, engine="duckdb", paths={})  # expect: arg-type
    describe(folder, use_case=use_case, written=sample, protected=sample, spec=b"")  # expect: arg-type
    sample.engine = engine  # expect: misc
    manifest.version = "2.0.0"  # expect: misc
    use_case.version = "2.0.0"  # expect: misc
    written.files += ()  # expect: misc


def capital(capital: Capital, dataset: DatasetVersion, model: ModelVersion) -> None:
    capital.train(dataset)  # expect: arg-type
    capital.package(object(), trained_on=model, name="m", target="t")  # expect: arg-type
    capital.preview("spec.yaml", until="commit")  # expect: arg-type
    capital.request("visits", to="x", channel="y", purpose="z", until="2026-01-01")  # expect: arg-type
    capital.request(["visits"], "x", "y", "z", date.today())  # expect: call-arg
    capital.review("R-1", approve="yes", reason="x")  # expect: arg-type
    model.load("train")  # expect: attr-defined
    RunOptions(order="random")  # expect: arg-type
    SpecError("code", asked="a", found="b", expected="c")  # expect: call-arg
