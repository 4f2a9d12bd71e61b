"""Fields that are a direct identifier in another dress, found while both are at hand: before a version is published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.attacks import disguised
from curator.errors import DisclosureError
from curator.expressions import parse
from curator.samples import SAMPLE, Sample
from curator.spec.model import IdentifierKind
from curator.spec.protecting import engine_formula
from curator.sqltext import quoted

_HEAD = 1_000  # rows of a file that tell which fields vary enough
_ROWS = 300
_VARIED = 0.5
_FEWEST = 20
_KEYED = ("token", "mask", "shift", "jitter", "drop")


def refuse_disguises(sample: Sample, files: Sequence[Path]) -> None:
    """Refuse fields in clear that are, row by row, a public transform of a direct identifier.

    Nothing is asked of the engine unless a field in clear has nearly as many values as rows.

    Args:
        sample: the extracted rows, still in the engine.
        files: the shards written.

    Raises:
        DisclosureError: `plain-hash`, naming the columns, never a value.
    """
    use_case, scope = sample.use_case, sample.scope
    direct = [(name, field) for name, field in use_case.fields.items() if field.identifier == IdentifierKind.direct]
    bases = sorted({base for name, field in direct for base in scope.made_from(field, name)})
    clear = {name: field for name, field in use_case.kept().items() if field.protect not in _KEYED}
    varied = [name for name in _varied(files) if name in clear] if bases else []
    if not varied:
        return
    columns = []
    for name in varied:
        formula = engine_formula(name, clear[name], scope=scope)
        value = quoted(clear[name].from_ or name)
        if formula is not None:
            value = parse(formula, scope.expression_types()).sql(sample.engine.dialect)
        columns.append(f"{value} AS {quoted(f'field {name}')}")
    columns += [f"{quoted(base)} AS {quoted(f'source {base}')}" for base in bases]
    sql = f"SELECT {', '.join(columns)} FROM {quoted(SAMPLE)} LIMIT {_ROWS}"  # noqa: S608 (a checked spec's)
    table = pa.Table.from_batches(list(sample.engine.batches(sql, rows=_ROWS)))
    found = disguised(
        {name: table.column(f"field {name}").to_pylist() for name in varied},
        {base: table.column(f"source {base}").to_pylist() for base in bases},
    )
    if found:
        raise DisclosureError(
            "plain-hash",
            asked=f"make {use_case.ref}",
            found=f"values that anybody can compute from an identifier: {'; '.join(found[:5])}",
            expected="tokens under a key, or no identifier at all",
            todo="make the field a token (`protect: token`) of the identifier itself, or drop it",
        )


def _varied(files: Sequence[Path]) -> list[str]:
    """Columns with a value of its own in every other row, by the first rows of the first shard."""
    for file in files[:1]:
        with parquet.ParquetFile(file) as reader:
            batch = next(reader.iter_batches(batch_size=_HEAD), None)
        if batch is None:
            return []
        found = []
        for name in batch.schema.names:
            column = batch.column(name)
            known = len(column) - column.null_count
            distinct = len(pc.unique(column).drop_null())
            if distinct >= _FEWEST and distinct >= _VARIED * known:
                found.append(name)
        return found
    return []
