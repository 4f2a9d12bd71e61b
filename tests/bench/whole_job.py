"""One variant of the whole job, in a process of its own, told as one JSON line.

`python -m tests.bench.whole_job VARIANT BASE OUT`; BENCH_MEMORY caps the engine's memory, for example 1GB;
BENCH_LEVEL is the level of zstd in the place of 1, which is curator's (DuckDB's own is 3).

Variants:
    limit          DuckDB's COPY of the same join, raw values, same codec and level, then SHA-256 and MD5 of the file
    carry          the same rows, raw, streamed from the engine through Arrow into curator's writer: nothing is computed
    keyed          curator: checks, tokens, generalises, splits, measures, hashes; rows in keyed order (the default)
    engine         the same with rows in engine order
    unchecked      keyed without the twelve expectations
    parts          keyed; then, timed apart: the measure again, uniqueness on the files, the version step, dvc add
    peer           pandas + Great Expectations + hmac.digest loop + datasets writer + hashes + dvc add
    peer-hash      the same with polars-hash in place of the loop
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PARTS: dict[str, float] = {}
LEVEL = int(os.environ.get("BENCH_LEVEL", "1"))


@contextmanager
def part(name: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    PARTS[name] = round(PARTS.get(name, 0) + time.perf_counter() - begun, 3)


def hashes(folder: Path) -> None:
    for path in sorted(folder.rglob("*.parquet")):
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        with path.open("rb", buffering=0) as stream:
            while block := stream.read(1 << 20):
                sha256.update(block)
                md5.update(block)


def raw_columns() -> dict[str, str]:
    """The columns of the join that the job reads into its output, as `name -> table.column`."""
    from curator.spec import load_use_case, scope_of

    use_case = load_use_case(HERE / "job.yaml")
    scope = scope_of(use_case)
    wanted: dict[str, str] = {}
    for name, field in use_case.kept().items():
        read = scope.sources_of(field.from_ or name) if field.value is None else _read_by(field.value, scope)
        for column in sorted(read):
            table, source = column.split(".")
            wanted.setdefault(source, f"{table}.{source}")
    return wanted


def _read_by(formula: str, scope: Any) -> set[str]:
    from curator.expressions import parse

    return {f"{scope.origin[name]}.{name}" for name in parse(formula, scope.expression_types()).columns}


def joined(base: Path) -> str:
    columns = ", ".join(raw_columns().values())
    tables = {name: f"'{base}/{name}.parquet' {name}" for name in ("persons", "vehicles", "accidents")}
    return (
        f"SELECT {columns} FROM {tables['persons']} JOIN {tables['vehicles']} "
        "ON persons.num_acc = vehicles.num_acc AND persons.num_veh = vehicles.num_veh "
        f"JOIN {tables['accidents']} ON persons.num_acc = accidents.num_acc "
        "WHERE nature <> 'N39' AND year(occurred_at) <= 2020"
    )


def run_limit(base: Path, out: Path) -> None:
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order = false; SET threads = 2")
    if cap := os.environ.get("BENCH_MEMORY"):
        connection.execute(f"SET memory_limit = '{cap}'; SET temp_directory = '{out}/spill'")
    with part("copy"):
        connection.execute(
            f"COPY ({joined(base)}) TO '{out}/a.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {LEVEL})"
        )
    with part("hash"):
        hashes(out)


def run_carry(base: Path, out: Path) -> None:
    import pyarrow as pa

    from curator.arrow import recycled_memory
    from curator.edges.parquet import ROW_GROUP, EngineOrderShards
    from curator.engines import open_engine
    from curator.kernel import ORDER, SPLIT
    from curator.versioning import BATCH_ROWS

    (out / "scratch").mkdir()
    engine = open_engine("duckdb", scratch=out / "scratch", threads=2, memory=os.environ.get("BENCH_MEMORY"))
    helpers = [pa.nulls(ROW_GROUP, pa.binary(16)), pa.nulls(ROW_GROUP, pa.int8()).fill_null(0)]
    with recycled_memory(), EngineOrderShards(out / "version", splits=["all"]) as shards, part("write"):
        for batch in engine.batches(joined(base), rows=BATCH_ROWS):
            columns = [*(column.slice(0, len(batch)) for column in helpers), *batch.columns]
            shards.add(pa.RecordBatch.from_arrays(columns, names=[ORDER, SPLIT, *batch.schema.names]))
        PARTS["files"] = len(shards.finish().files)


def run_curator(base: Path, out: Path, *, order: str = "keyed", checked: bool = True) -> Any:
    """The job; gives the protected sample and what was written."""
    from curator.engines import open_engine
    from curator.extraction import extract
    from curator.protection import protect
    from curator.pseudonyms import KeyContext
    from curator.quality import check
    from curator.spec import load_use_case
    from curator.spec.model import Quality
    from curator.versioning import write_shards

    use_case = load_use_case(HERE / "job.yaml")
    if not checked:
        use_case = use_case.model_copy(update={"quality": Quality()})
    if order == "engine":  # no second pass to leave rare classes out: the limits are measured only
        limits = use_case.disclosure.model_copy(update={"k": 1, "l": None})
        use_case = use_case.model_copy(update={"disclosure": limits})
    scratch = out / "scratch"
    scratch.mkdir()
    engine = open_engine("duckdb", scratch=scratch, threads=2, memory=os.environ.get("BENCH_MEMORY"))
    paths = {name: base / source.path for name, source in use_case.sources.items()}
    with part("check"):
        checked_sample = check(extract(use_case, engine=engine, paths=paths))
    context = KeyContext(holder="bench", purpose="bench", recipient="bench", epoch="1")
    protected = protect(checked_sample, root=bytes(range(32)), context=context)
    with part("write"):
        written = write_shards(protected, folder=out / "version", scratch=scratch, order=order)  # type: ignore[arg-type]
    PARTS["rows"] = written.rows
    PARTS["files"] = len(written.files)
    return protected, written


def run_parts(base: Path, out: Path) -> None:
    """What the job holds besides the stream, each timed on the job's own files."""
    from curator.disclosure import WRITTEN, measure
    from curator.edges.store import Cache, pointer_text
    from curator.manifest import Manifest

    protected, written = run_curator(base, out)
    engine = protected.checked.sample.engine
    files = [out / "version" / entry.path for entry in written.files]
    with part("measure"):
        began = time.process_time()
        measure(engine, protected.use_case, files=files)
        PARTS["measure, processor"] = round(time.process_time() - began, 3)
    with part("uniqueness"):
        engine.rows(f"SELECT count(DISTINCT person_id) FROM {WRITTEN}")
    (out / "theirs").mkdir()
    shutil.copytree(out / "version", out / "theirs" / "version")
    manifest = Manifest(kind="dataset", name="bench", version="1.0.0", files=tuple(sorted(written.files)))
    (out / "version" / "manifest.json").write_bytes(manifest.to_bytes())
    with part("version step"):
        Cache(out).adopt(manifest, out / "version")
        pointer_text(manifest, "version")
    dvc_add(out / "theirs")


def dvc_add(folder: Path) -> None:
    """`dvc add` of the folder `version`, without network."""
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    program = str(Path(sys.executable).with_name("dvc"))
    subprocess.run([program, "init", "--no-scm", "-q"], cwd=folder, env=environment, check=True)
    with part("dvc add"):
        subprocess.run([program, "add", "-q", "version"], cwd=folder, env=environment, check=True)


def run_peer(base: Path, out: Path, *, polars: bool) -> None:
    import great_expectations as gx
    import pandas as pd

    with part("read and join"):
        columns = raw_columns()
        extra = {"persons": ["num_acc", "num_veh"], "vehicles": ["num_acc", "num_veh"], "accidents": ["num_acc"]}
        frames = {
            table: pd.read_parquet(
                base / f"{table}.parquet",
                columns=sorted({name.split(".")[1] for name in columns.values() if name.startswith(table)} | set(keys)),
            )
            for table, keys in extra.items()
        }
        frame = frames["persons"].merge(frames["vehicles"], on=["num_acc", "num_veh"])
        frame = frame.merge(frames["accidents"], on="num_acc")
        frame = frame[(frame["nature"] != "N39") & (frame["occurred_at"].dt.year <= 2020)]
    with part("expectations"):
        validate(gx, frame)
    with part("tokens"):
        for column in ("nir", "phone", "plate"):
            frame[column] = tokens_polars(frame[column]) if polars else tokens_loop(frame[column])
    with part("generalise"):
        frame["birth_band"] = pd.to_datetime(frame["birth_date"], errors="coerce").dt.year // 5 * 5
        frame["residence"] = frame["postcode"].str[:2]
        frame["zone"] = frame["com"].str[:2]
        frame["month"] = frame["occurred_at"].dt.to_period("M").astype(str)
        frame = frame.drop(columns=["birth_date", "postcode", "com", "occurred_at"])
    with part("measure"):
        groups = frame.groupby(["birth_band", "residence", "sex"], dropna=False)["severity"]
        PARTS["k"] = int(groups.size().min())
        groups.nunique().min()
    with part("split and write"):
        write_datasets(frame, out)
    with part("hash"):
        hashes(out)
    dvc_add(out)


def validate(gx: Any, frame: Any) -> None:
    from curator.spec import load_use_case

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("bench").add_dataframe_asset("bench")
    batch = asset.add_batch_definition_whole_dataframe("bench")
    suite = context.suites.add(gx.ExpectationSuite(name="bench"))
    for expectation in load_use_case(HERE / "job.yaml").quality.expectations:
        if expectation.kwargs.get("column") == "birth_date":
            continue  # dates arrive as objects in pandas
        kind = "".join(word.capitalize() for word in expectation.type.split("_"))
        suite.add_expectation(getattr(gx.expectations, kind)(**expectation.kwargs))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name="bench", data=batch, suite=suite))
    definition.run(batch_parameters={"dataframe": frame}, result_format="BOOLEAN_ONLY")


def tokens_loop(column: Any) -> list[str | None]:
    key = bytes(range(32))
    return [hmac.digest(key, value.encode(), "sha256").hex() if isinstance(value, str) else None for value in column]


def tokens_polars(column: Any) -> Any:
    import polars as pl
    import polars_hash  # noqa: F401 (adds the namespace)

    made = pl.col("v").chash.hmac_sha256(key=bytes(range(32)).hex())
    return pl.from_pandas(column).to_frame("v").select(made)["v"].to_pandas()


def write_datasets(frame: Any, out: Path) -> None:
    import datasets

    datasets.disable_progress_bars()
    bucket = frame["nir"].fillna("0" * 8).str[:8].apply(int, base=16) / 2**32
    folder = out / "version"
    for name, low, high in (("train", 0, 0.8), ("validation", 0.8, 0.9), ("test", 0.9, 1.1)):
        rows = frame[(bucket >= low) & (bucket < high)].reset_index(drop=True)
        (folder / name).mkdir(parents=True)
        datasets.Dataset.from_pandas(rows, preserve_index=False).to_parquet(str(folder / name / "data.parquet"))


VARIANTS: dict[str, Callable[[Path, Path], None]] = {
    "limit": run_limit,
    "carry": run_carry,
    "keyed": run_curator,
    "engine": lambda base, out: run_curator(base, out, order="engine"),
    "unchecked": lambda base, out: run_curator(base, out, checked=False),
    "parts": run_parts,
    "peer": lambda base, out: run_peer(base, out, polars=False),
    "peer-hash": lambda base, out: run_peer(base, out, polars=True),
}


def main() -> None:
    begun = time.perf_counter()
    variant, base, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    out.mkdir(parents=True)
    if LEVEL != 1:
        from curator.edges.parquet import _shard

        _shard._LEVEL = LEVEL
    VARIANTS[variant](base, out)
    usage, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    size = sum(path.stat().st_size for path in out.rglob("*.parquet"))
    print(
        json.dumps(
            {
                "variant": variant,
                "seconds": round(time.perf_counter() - begun, 2),
                "cpu": round(usage.ru_utime + usage.ru_stime + children.ru_utime + children.ru_stime, 2),
                "peak_mb": usage.ru_maxrss >> 10,
                "output_mb": size >> 20,
                "parts": PARTS,
            }
        )
    )


if __name__ == "__main__":
    main()
