"""The records people hold in their hands: dataset and model versions, each with the folder its bytes are in."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.hub import Opener, load_split, open_shard, read_table
from curator.inference import runtime
from curator.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

_MODEL = "model.onnx"


@dataclass(frozen=True, kw_only=True, repr=False)
class _Version:
    manifest: Manifest
    folder: Path

    @property
    def ref(self) -> str:
        """`name@version`."""
        return self.manifest.ref

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest: the identity of the version."""
        return self.manifest.digest

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "kind": self.manifest.kind,
            "ref": self.ref,
            "digest": self.digest,
            "files": len(self.manifest.files),
            "bytes": sum(entry.size for entry in self.manifest.files),
            "rows": self.manifest.rows,
        }

    def __repr__(self) -> str:
        said = "".join(f", {split}={count}" for split, count in self.manifest.rows.items())
        return f"{type(self).__name__}({self.ref!r}{said})"

    def _repr_html_(self) -> str:
        return html_table(f"{self.manifest.kind} {self.ref}", self._lines())

    def _lines(self) -> Mapping[str, str]:
        size = sum(entry.size for entry in self.manifest.files)
        rows = ", ".join(f"{split} {count:,}" for split, count in self.manifest.rows.items())
        lines = {"digest": self.digest, "files": f"{len(self.manifest.files)} ({size:,} bytes)"}
        return {**lines, **({"rows": rows} if rows else {})}


@dataclass(frozen=True, kw_only=True, repr=False)
class DatasetVersion(_Version):
    """A dataset version: `load` gives a split as `datasets.Dataset`, `table` as an Arrow table.

    Attributes:
        opener: opens a shard in a store that has the version; None where the folder has it.
        notes: what became of rows and identifiers, in words, of the version that this process made; empty of others.
    """

    opener: Opener | None = field(default=None, compare=False, repr=False)
    notes: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def row_digest(self) -> str:
        """Digest of the rows, the same in any order and from any engine; empty where the manifest states none."""
        stated = self.manifest.about.get("row_digest")
        return str(stated["digest"]) if isinstance(stated, dict) else ""

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {**super().to_json(), "row_digest": self.row_digest}

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that hold rows."""
        return tuple(self.manifest.rows)

    def load(self, split: str, *, streaming: bool = False) -> Any:
        """One split as a `datasets.Dataset` (or an `IterableDataset`), offline, without a second copy on disk.

        Raises:
            UsageError: there is no such split.
            StorageError: a shard cannot be read.
        """
        return load_split(
            self.folder, self.manifest, split=split, streaming=streaming, opener=self.opener or open_shard
        )

    def table(self, split: str, columns: Sequence[str] | None = None) -> pa.Table:
        """One split as an Arrow table, with the columns asked for. Raises as `load`."""
        return read_table(self.folder, self.manifest, split=split, columns=columns, opener=self.opener or open_shard)


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelVersion(_Version):
    """A model version: one ONNX file, its card, its metrics and its parity."""

    @property
    def path(self) -> Path:
        """The ONNX file."""
        return self.folder / _MODEL

    @property
    def trained_on(self) -> str:
        """Reference of the dataset version it was trained on."""
        return str(self.manifest.about.get("trained_on", {}).get("ref", ""))

    def session(self) -> Any:
        """An `onnxruntime.InferenceSession` on the CPU."""
        return runtime().InferenceSession(str(self.path), providers=["CPUExecutionProvider"])

    def _lines(self) -> Mapping[str, str]:
        return {**super()._lines(), "trained on": self.trained_on}


def html_table(title: str, lines: Mapping[str, str]) -> str:
    """A small table for notebooks; every text escaped."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in lines.items())
    return f"<table><caption>{escape(title)}</caption>{rows}</table>"
