"""The dictionary attack with the true identifiers, while they are still at hand: before a version is published.

Whoever attacks a released column lists identifiers and hashes them; the holder need not guess, and tries those of the
rows themselves. One that comes out by a public transform shows a column that was hashed without a key, by curator
or by whoever made the source. Of each column that looks like digests, rows are tried in which it is filled;
neighbouring columns are tried joined, as programs join them before a hash; and fields in clear that are an identifier
together are found too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.arrow import integers, rows_at, rows_where, without_chunks
from curator.attacks import RUN, Prefixes, dictionary_hits, in_pieces, join_ways, prefixes, spellings
from curator.errors import DisclosureError
from curator.expressions import parse
from curator.kernel import ROW_KEY
from curator.samples import SAMPLE, Sample
from curator.spec.model import IdentifierKind, OutputField
from curator.spec.protecting import engine_formula
from curator.sqltext import quoted, text_key

_ROWS, _BATCH = 1_000, 131_072
_MET = 64  # rows of the files that the identifiers tried should be of
_SHARDS = 8
_LONGEST = 64  # letters of an identifier; longer direct fields are prose
_FILLED = 0.5  # share of rows below which a column is tried by rows of its own
_FEW = 16  # rows with a value that show what a column holds
_JOINED = 16  # rows whose neighbouring columns are joined
_SURE = 16  # rows known to stand in the files that are as good as a thousand others
_SOUGHT = 1_000_000  # rows among which they are looked for
_KEYED = ("token", "mask", "shift", "jitter", "drop")


Stands: TypeAlias = Callable[[pa.RecordBatch], npt.NDArray[np.bool_]]
"""Which rows of a batch with their `ROW_KEY` stand in the files."""


def refuse_plain_hashes(sample: Sample, files: Sequence[Path], *, recipient: str, stands: Stands | None = None) -> None:
    """Refuse files in which a public transform of a direct identifier of the source stands, or one in pieces.

    Args:
        sample: the extracted rows, still in the engine; the direct identifiers of up to a thousand of them are tried:
            as many as make it likely that some sixty are of rows looked at in the files. Columns that few rows fill
            are tried by sixty rows that fill them.
        files: the shards written.
        recipient: for whom tokens are made; tried as a salt, like the names in the spec.
        stands: tells which rows stand in the files. Those are then tried first: a new file has few rows of a large
            source, and where the values of a row are known to be looked at, few rows find what many would.

    Raises:
        DisclosureError: `plain-hash` or `identifier-in-pieces`, naming the columns and transforms, never a value.
    """
    tried = _Tried(sample)
    looked = _looked(files) if tried.identifiers else {}
    suspects = [name for name, seen in looked.items() if len(prefixes(seen.values))]
    if not tried.identifiers or not (suspects or len(tried.clear) > 1):
        return
    share = min((looked[name].share for name in suspects), default=1.0)
    tables = [tried.rows(min(_ROWS, round(_MET / share)))]
    sure = tried.standing(tables[0], stands, suspects=suspects) if stands is not None and share == 1 else None
    tables = [tables[0] if sure is None else sure]
    if len(tables[0]):
        _refuse_pieces(tried, tables[0])
    sparse = [name for name in suspects if looked[name].filled < _FILLED]
    tables = [table for table in (*tables, *tried.filled(sparse, tables[0])) if len(table)]
    digests = {name: tried.with_own(name, looked[name].values, tables=tables) for name in suspects}
    use_case = sample.use_case
    salts = (use_case.name, use_case.ref, use_case.owner.organisation, recipient, "curator", "salt")
    words = tried.words(tables, joined=_JOINED if sure is None else _SURE // 2)
    chosen = None if sure is None else tried.few(tables)
    found = dictionary_hits(digests, words, salts=salts, salted=chosen) if digests else {}
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


def _refuse_pieces(tried: _Tried, table: pa.Table) -> None:
    """Refuse fields in clear that are a direct identifier together, unless k counts all of them together."""
    use_case = tried.sample.use_case
    counted = use_case.disclosure is not None and use_case.disclosure.k > 1
    found = in_pieces(
        {name: table.column(_FIELD.format(name)).to_pylist() for name in tried.clear},
        {base: table.column(_SOURCE.format(base)).to_pylist() for base in tried.exact},
        apart=use_case.quasi_identifiers() if counted else (),
    )
    if found:
        raise DisclosureError(
            "identifier-in-pieces",
            asked=f"make {use_case.ref}",
            found=f"fields that are an identifier together: {'; '.join(found[:5])}",
            expected="fields that make no identifier together, or quasi-identifiers that k counts together",
            todo="drop one of them, make it coarser, or declare all of them `identifier: quasi` with a k above 1",
        )


# ---- the rows that are tried -----------------------------------------------------------------------------------------

_FIELD, _SOURCE = "field {}", "source {}"


class _Tried:
    """Which columns are asked of the sample, and the rows that were.

    Attributes:
        sample: the extracted rows.
        identifiers: the columns that direct identifiers are made from.
        exact: those of them that are texts or whole numbers.
        clear: fields whose values the engine computes and nothing changes after.
        neighbours: the columns behind all fields, in the order of their sources.
    """

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        fields, scope = sample.use_case.fields, sample.scope
        direct = [(name, field) for name, field in fields.items() if field.identifier == IdentifierKind.direct]
        self.identifiers = sorted({base for name, field in direct for base in scope.made_from(field, name)})
        self.exact = [name for name in self.identifiers if scope.types[name] in ("text", "integer")]
        self.clear = {name: field for name, field in sample.use_case.kept().items() if field.protect not in _KEYED}
        used = {base for name, field in fields.items() for base in scope.made_from(field, name)}
        short = {name for name in used if scope.types[name] in ("text", "integer", "date")}
        self.neighbours = [name for name in scope.types if name in short]
        columns = dict.fromkeys([*self.identifiers, *self.neighbours])
        selected = [f"{text_key(sample.use_case.extract.row_key)} AS {quoted(ROW_KEY)}"]
        selected += [f"{quoted(name)} AS {quoted(_SOURCE.format(name))}" for name in columns]
        for name, field in self.clear.items():
            selected.append(f"{self._value(name, field)} AS {quoted(_FIELD.format(name))}")
        self._select = f"SELECT {', '.join(selected)} FROM {quoted(SAMPLE)}"  # noqa: S608 (a checked spec's)

    def rows(self, count: int, *, where: str = "") -> pa.Table:
        """Some rows, as many as are asked for or there are; a table without columns where there is none."""
        batches = list(self.sample.engine.batches(f"{self._select}{where} LIMIT {count}", rows=_ROWS))
        return pa.Table.from_batches(batches) if batches else pa.Table.from_arrays([], names=[])

    def standing(self, first: pa.Table, stands: Stands, *, suspects: Sequence[str]) -> pa.Table | None:
        """Rows that stand in the files, those first that lack least of what is tried; None where few are found.

        They are looked for among some rows, then further on.
        """
        found = [rows_where(batch, stands(batch)) for batch in first.to_batches()]
        if sum(map(len, found)) < _MET:
            found, sought = [], f"{self._select} LIMIT {_SOUGHT}"
            with closing(self.sample.engine.batches(sought, rows=_BATCH)) as batches:  # type: ignore[type-var]
                for batch in batches:
                    found.append(rows_where(batch, stands(batch))[:_MET])
                    if sum(map(len, found)) >= _MET:
                        break
        if sum(map(len, found)) < _SURE:
            return None
        table = pa.Table.from_batches(found)
        shown = [_FIELD.format(name) for name in suspects if name in self.clear]
        lacking = np.zeros(len(table), np.int64)
        for name in (*map(_SOURCE.format, self.identifiers), *shown):
            lacking += integers(without_chunks(pc.cast(table.column(name).is_null(), pa.uint8())))
        return rows_at(table.combine_chunks(), np.argsort(lacking, kind="stable"))

    def few(self, tables: Sequence[pa.Table]) -> list[str]:
        """What is tried with each salt of rows that stand in the files: every spelling, and neighbours joined."""
        whole = [text for row in _texts(tables[0].slice(0, _SURE), self.identifiers) for text in row if text]
        whole += [text for table in tables[1:] for row in _texts(table, self.identifiers) for text in row if text]
        joined = [text for table in tables for text in self._joined(table.slice(0, _SURE // 2))]
        ways = [*(way for text in whole for way in spellings(text)), *joined]
        return list(dict.fromkeys(text for text in ways if len(text) <= _LONGEST))

    def filled(self, names: Sequence[str], seen: pa.Table) -> Iterator[pa.Table]:
        """Rows in which columns are filled that few rows fill: of all together first, then of those still unseen."""
        fields = self.sample.use_case.kept()
        tests = {name: f"({self._value(name, fields[name])}) IS NOT NULL" for name in names if name in fields}
        if len(tests) > 1:
            seen = self.rows(_MET * len(tests), where=f" WHERE {' OR '.join(tests.values())}")
            yield seen
        for name, test in tests.items():
            column = _FIELD.format(name)
            known = seen.column(column).length() - seen.column(column).null_count if column in seen.column_names else 0
            if known < _FEW:
                yield self.rows(_MET, where=f" WHERE {test}")

    def with_own(self, name: str, values: pa.ChunkedArray, *, tables: Sequence[pa.Table]) -> Prefixes:
        """What stands in a column of the files, and, of a field in clear, in the very rows that are tried."""
        column = _FIELD.format(name)
        own = [chunk for table in tables if name in self.clear for chunk in table.column(column).chunks]
        alike = [chunk.cast(values.type) for chunk in own if _castable(chunk.type, values.type)]
        return prefixes(pa.chunked_array([*values.chunks, *alike], type=values.type))

    def words(self, tables: Sequence[pa.Table], *, joined: int = _JOINED) -> list[str]:
        """The identifiers of the rows, each once; then neighbouring columns of a few rows, joined."""
        whole = [text for table in tables for row in _texts(table, self.identifiers) for text in row if text]
        ways = [text for table in tables for text in self._joined(table.slice(0, joined))]
        return list(dict.fromkeys(text for text in (*whole, *ways) if len(text) <= _LONGEST))

    def _joined(self, table: pa.Table) -> Iterator[str]:
        names = self.neighbours
        for row in _texts(table, names):
            for start in range(len(row)):
                for size in range(2, RUN):
                    run = row[start : start + size]
                    if len(run) == size and all(run) and set(names[start : start + size]) & set(self.identifiers):
                        yield from join_ways([text for text in run if text])

    def _value(self, name: str, field: OutputField) -> str:
        """What the engine computes of a field; of a token or a moved value, the source's own."""
        formula = engine_formula(name, field, scope=self.sample.scope)
        if formula is None:
            return quoted(field.from_ or name)
        return parse(formula, self.sample.scope.expression_types()).sql(self.sample.engine.dialect)


def _texts(table: pa.Table, names: Sequence[str]) -> Iterator[tuple[str | None, ...]]:
    columns = [table.column(_SOURCE.format(name)).cast(pa.string()).to_pylist() for name in names]
    return zip(*columns, strict=True)


def _castable(kind: pa.DataType, wanted: pa.DataType) -> bool:
    return bool(kind == wanted or (pa.types.is_integer(kind) and pa.types.is_integer(wanted))
                or (pa.types.is_string(kind) and pa.types.is_large_string(wanted)))  # fmt: skip


# ---- what stands in the files ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Column:
    """Values of a column of the files.

    Attributes:
        values: those looked at.
        share: rows looked at, of all.
        filled: share of the rows looked at that have a value.
    """

    values: pa.ChunkedArray
    share: float
    filled: float


def _looked(files: Sequence[Path]) -> Mapping[str, _Column]:
    """The columns of the first rows of a few shards; of those with few values there, all rows."""
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
    found = {}
    for name, chunks in columns.items():
        values, share = pa.chunked_array(chunks), looked / max(rows, 1) or 1.0
        filled = 1 - values.null_count / max(len(values), 1)
        if len(values) - values.null_count < _MET and share < 1:  # few values, so that the whole column is soon read
            values, share = _whole(files, name), 1.0
        found[name] = _Column(values=values, share=share, filled=filled)
    return found


def _whole(files: Sequence[Path], name: str) -> pa.ChunkedArray:
    """The values of a column that few rows fill."""
    chunks: list[pa.Array] = []
    kind = None
    for file in files:
        with parquet.ParquetFile(file) as reader:
            column = reader.read(columns=[name]).column(0)
        kind = column.type
        chunks += column.drop_null().chunks
    return pa.chunked_array(chunks, type=kind)
