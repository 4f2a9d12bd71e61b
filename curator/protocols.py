"""What the verbs ask of an engine. Rows stay behind this line; only Arrow batches and small results cross it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

    from curator.expressions import Engine as Dialect
    from curator.spec.model import Source


Step: TypeAlias = "Callable[[pa.RecordBatch], tuple[pa.RecordBatch | None, ...]]"
"""A pure function from one batch of rows to a few."""


class Engine(Protocol):
    """An engine that holds relations by name and answers SQL over them.

    SQL text given to an engine is always built by curator from a checked spec; it never holds a key or a row value.
    """

    @property
    def dialect(self) -> Dialect:
        """The dialect in which formulas are printed: `duckdb`, `spark` or `postgres`."""

    def describe(self) -> dict[str, Any]:
        """Name, version and settings, for the evidence."""

    def bind(self, name: str, source: Source, path: Path) -> BoundSource:
        """Make a source readable as relation `name`, typed as declared. Raises SourceError."""

    def define(self, name: str, sql: str) -> None:
        """Name a query as a relation (not materialised)."""

    def define_files(self, name: str, paths: Sequence[Path]) -> None:
        """Name Parquet shards as one relation."""

    def materialise(self, name: str, sql: str) -> None:
        """Keep the result of a query for the run, in memory or in encrypted temporary files."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small result (counts, figures)."""

    def batches(self, sql: str, *, rows: int) -> Iterator[pa.RecordBatch]:
        """A query's rows as record batches of about `rows` rows, read as they are asked for."""

    def mapped(self, sql: str, step: Step, *, rows: int) -> Iterator[tuple[pa.RecordBatch | None, ...]]:
        """A query's rows, each batch of at most `rows` passed through a pure function where the rows are.

        On a cluster the function runs on its workers: it must be picklable and hold no file and no connection. Batches
        come in any order.
        """

    def close(self) -> None:
        """Release memory and temporary files."""


class BoundSource(Protocol):
    """A source that an engine can read."""

    @property
    def relation(self) -> str:
        """The relation's name in the engine."""

    @property
    def estimated_rows(self) -> int:
        """Rows by the file's own account, or an estimate from its size; the same for the same bytes."""

    @property
    def raw_columns(self) -> Mapping[str, str]:
        """Name -> SQL of the cell as text, for columns whose cells may be unreadable as their declared type."""

    @property
    def unread(self) -> Sequence[str]:
        """Columns of the source that the spec does not declare, and which are therefore never read."""

    @property
    def fingerprint(self) -> tuple[int, int]:
        """Size and modification time at binding, to notice a source that changes while it is read."""
