"""What the stream must find out: repeated row keys, classes that only look diverse, equal rows in either order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from curator.engines import open_engine
from curator.errors import CuratorError, DisclosureError, QualityError
from curator.extraction import extract
from curator.protection import protect
from curator.pseudonyms import KeyContext
from curator.quality import check
from curator.samples import CheckedSample, Written
from curator.spec.model import UseCase
from curator.versioning import write_shards

Order = Literal["keyed", "engine"]
CONTEXT = KeyContext(holder="h", purpose="p", recipient="r", epoch="1")


def use_case(folder: Path, *, on_failure: str = "warn", disclosure: dict[str, Any] | None = None) -> UseCase:
    unique = {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}, "on_failure": on_failure}
    known = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "place"}}
    columns = {"id": "integer", "place": "text", "outcome": "integer"}
    spec = {
        "curator": 1, "name": "stream", "version": "1.0.0", "title": "t",
        "owner": {"organisation": "o", "contact": "c@observatory.example"},
        "purpose": {"statement": "s"},
        "law": {"regime": "gdpr", "basis": "public-task", "text": "t", "dpia": "none", "ai_act": "minimal",
                "retention_days": 1},
        "sources": {"rows": {"path": "rows.parquet", "columns": columns}},
        "extract": {"from": "rows", "row_key": ["id"], "entity": ["id"]},
        "fields": {"id": {"meaning": "i", "identifier": "direct", "protect": "token", "form": "raw"},
                   "place": {"meaning": "p", "identifier": "quasi"},
                   "outcome": {"meaning": "o", "identifier": "sensitive"}},
        "quality": {"expectations": [unique, known], "max_rejected": 1},
        "splits": {"by": "entity", "shares": {"train": 0.5, "test": 0.5}},
        **({"disclosure": disclosure} if disclosure else {}),
    }  # fmt: skip
    return UseCase.model_validate_json(json.dumps(spec))


def checked(folder: Path, rows: list[tuple[int, str | None, int | None]], **wanted: Any) -> CheckedSample:
    schema = pa.schema([("id", pa.int64()), ("place", pa.string()), ("outcome", pa.int8())])
    names = schema.names
    table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=schema)
    parquet.write_table(table, folder / "rows.parquet")
    engine = open_engine("duckdb", scratch=folder)
    return check(extract(use_case(folder, **wanted), engine=engine, paths={"rows": folder / "rows.parquet"}))


def written(sample: CheckedSample, folder: Path, order: Order = "keyed") -> Written:
    protected = protect(sample, root=bytes(range(32)), context=CONTEXT)
    return write_shards(protected, folder=folder / f"version-{order}", scratch=folder, order=order)


@pytest.mark.parametrize("order", ["keyed", "engine"])
def test_a_key_repeated_by_a_rejected_row_is_counted(tmp_path: Path, order: Order) -> None:
    """Both rows fail, though one of them is never written; checking alone says the same."""
    sample = checked(tmp_path, [(1, "a", 1), (2, "a", 2), (2, None, 3)])
    quality = written(sample, tmp_path, order).quality
    unique = next(rule.id for rule in sample.suite.uniques)
    assert quality.failing[unique] == 2
    assert (quality.rows, quality.accepted) == (3, 2)
    assert sample.run().failing[unique] == 2


@pytest.mark.parametrize("order", ["keyed", "engine"])
def test_keys_that_do_not_repeat_pass_without_a_query(tmp_path: Path, order: Order) -> None:
    sample = checked(tmp_path, [(1, "a", 1), (2, "a", 2), (3, None, 3)], on_failure="stop")
    quality = written(sample, tmp_path, order).quality
    assert quality.failing[sample.suite.uniques[0].id] == 0
    assert sample.suite.uniques[0].id in sample.implied


@pytest.mark.parametrize(("on_failure", "code"), [("stop", "expectation-unmet"), ("warn", "row-key-repeated")])
def test_a_repeated_key_is_refused(tmp_path: Path, on_failure: str, code: str) -> None:
    sample = checked(tmp_path, [(1, "a", 1), (2, "a", 2), (2, "b", 3)], on_failure=on_failure)
    with pytest.raises(QualityError) as refusal:
        written(sample, tmp_path)
    assert refusal.value.code == code


def test_a_rule_that_rejects_is_asked_before_the_stream(tmp_path: Path) -> None:
    sample = checked(tmp_path, [(1, "a", 1), (2, "a", 2), (2, "b", 3)], on_failure="reject")
    assert not sample.implied
    assert written(sample, tmp_path).quality.accepted == 1


def test_a_missing_sensitive_value_makes_no_class_diverse(tmp_path: Path) -> None:
    """The stream leaves such a class out, as the measure on the files wants it."""
    rows = [(1, "a", 1), (2, "a", None), (3, "b", 1), (4, "b", 2), (5, "b", 2)]
    limits = {"k": 2, "l": {"column": "outcome", "value": 2}, "suppress": 0.5}
    disclosure = written(checked(tmp_path, rows, disclosure=limits), tmp_path).disclosure
    assert disclosure is not None
    assert (disclosure.suppressed, disclosure.l) == (2, 2)


def test_a_class_below_the_limits_is_refused_when_too_much_must_go(tmp_path: Path) -> None:
    rows = [(1, "a", 1), (2, "a", None), (3, "b", 1), (4, "b", 2)]
    limits = {"k": 2, "l": {"column": "outcome", "value": 2}, "suppress": 0.1}
    with pytest.raises(DisclosureError) as refusal:
        written(checked(tmp_path, rows, disclosure=limits), tmp_path)
    assert refusal.value.code == "too-rare"


def test_both_orders_hold_the_same_rows(tmp_path: Path) -> None:
    rows = [(number, f"place {number % 7}", number % 3) for number in range(2_000)]
    tables = []
    for order in ("keyed", "engine"):
        files = written(checked(tmp_path, rows), tmp_path, order).files  # type: ignore[arg-type]
        table = pa.concat_tables(parquet.read_table(tmp_path / f"version-{order}" / entry.path) for entry in files)
        tables.append(table.sort_by("id"))
    assert tables[0].equals(tables[1])
    assert len(tables[0]) == 2_000


def test_written_files_have_plain_types_and_no_statistics(tmp_path: Path) -> None:
    files = written(checked(tmp_path, [(number, "a", 1) for number in range(50)]), tmp_path).files
    for entry in files:
        shard = parquet.ParquetFile(tmp_path / "version-keyed" / entry.path)
        assert shard.schema_arrow.types == [pa.binary(16), pa.string(), pa.int8()]
        group = shard.metadata.row_group(0)
        assert not any(group.column(place).is_stats_set for place in range(3))
        assert [group.column(place).compression for place in range(3)] == ["UNCOMPRESSED", "ZSTD", "ZSTD"]


def test_errors_are_of_the_tree(tmp_path: Path) -> None:
    with pytest.raises(CuratorError):
        written(checked(tmp_path, []), tmp_path)
