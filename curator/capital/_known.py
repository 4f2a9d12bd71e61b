"""The dictionary attack with the true identifiers, while they are still at hand: before a version is published.

Whoever attacks a released column lists identifiers and hashes them; the holder need not guess, and tries those of the
rows themselves. One that comes out by a public transform shows a column that was hashed without a key, by curator
or by whoever made the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

from curator.attacks import Prefixes, dictionary_hits, prefixes
from curator.errors import DisclosureError
from curator.samples import SAMPLE, Sample
from curator.spec.model import IdentifierKind
from curator.sqltext import quoted

_ROWS = 1_000
_MET = 64  # rows of the files that the identifiers tried should be of
_SHARDS = 8
_LONGEST = 64  # letters of an identifier; longer direct fields are prose


def refuse_plain_hashes(sample: Sample, files: Sequence[Path], *, recipient: str) -> None:
    """Refuse files in which a public transform of a direct identifier of the source stands.

    Args:
        sample: the extracted rows, still in the engine; the direct identifiers of up to a thousand of them are tried:
            as many as make it likely that some sixty are of rows looked at in the files.
        files: the shards written.
        recipient: for whom tokens are made; tried as a salt, like the names in the spec.

    Raises:
        DisclosureError: `plain-hash`, naming the columns and transforms, never a value.
    """
    use_case, scope = sample.use_case, sample.scope
    fields = [(name, field) for name, field in use_case.fields.items() if field.identifier == IdentifierKind.direct]
    names = sorted({base for name, field in fields for base in scope.made_from(field, name)})
    digests, share = _digests(files) if names else ({}, 1.0)
    if not digests:
        return
    tried = min(_ROWS, round(_MET / share))
    sql = f"SELECT {', '.join(map(quoted, names))} FROM {quoted(SAMPLE)} LIMIT {tried}"  # noqa: S608 (a checked spec's)
    known = dict.fromkeys(
        value
        for batch in sample.engine.batches(sql, rows=_ROWS)
        for row in zip(*(column.cast(pa.string()).to_pylist() for column in batch.columns), strict=True)
        for value in row
        if value and len(value) <= _LONGEST
    )
    salts = (use_case.name, use_case.ref, use_case.owner.organisation, recipient, "curator", "salt")
    found = dictionary_hits(digests, known, salts=salts)
    if found:
        told = [
            f"{transform} in {column} ({count:,})"
            for column, hits in found.items()
            for transform, count in hits.items()
        ]
        raise DisclosureError(
            "plain-hash",
            asked=f"make {use_case.ref}",
            found=f"values that anybody can compute from an identifier: {'; '.join(told[:5])}",
            expected="tokens under a key, or no identifier at all",
            todo="make the field a token (`protect: token`) of the identifier itself, or drop it",
        )


def _digests(files: Sequence[Path]) -> tuple[dict[str, Prefixes], float]:
    """The columns that look like digests, from the first rows of a few shards, and their share of all rows."""
    columns: dict[str, list[pa.Array]] = {}
    looked, rows = 0, 0
    for place, file in enumerate(files):
        with parquet.ParquetFile(file) as reader:
            rows += reader.metadata.num_rows
            if place >= _SHARDS or not reader.num_row_groups:
                continue
            table = reader.read_row_group(0)
        looked += len(table)
        for name in table.column_names:
            columns.setdefault(name, []).extend(table.column(name).chunks)
    found = {name: prefixes(pa.chunked_array(chunks)) for name, chunks in columns.items()}
    return {name: values for name, values in found.items() if len(values)}, looked / max(rows, 1) or 1.0
