"""What a receiver holds once a package is verified."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from curator.errors import UsageError
from curator.evidence import Envelope
from curator.hub import load_split, read_table
from curator.lifecycle import Request, Terms
from curator.lineage import Step, newest_first
from curator.manifest import Manifest
from curator.package_file import DATASET, MODEL
from curator.receiving._models import open_session

if TYPE_CHECKING:
    import pyarrow as pa

_MODEL_FILE = "model.onnx"


@dataclass(frozen=True, kw_only=True)
class Papers:
    """The verified statements of a package.

    Attributes:
        delivery: the `deliver` statement.
        request: what it fulfils.
        evidence: every other statement, by digest.
    """

    delivery: Envelope
    request: Request
    evidence: Mapping[str, Envelope]


class Package:
    """A verified package: its rows, its model, its terms and where they come from.

    Made by `open_package` alone. Use it as a context manager, or call `close`, to remove a temporary folder early.

    Attributes:
        folder: where it is unpacked.
        manifests: manifest of each version in it, by kind (`dataset`, `model`).
    """

    def __init__(self, folder: Path, *, papers: Papers, manifests: Mapping[str, Manifest], temporary: bool) -> None:
        self.folder, self.manifests, self._papers = folder, dict(manifests), papers
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True) if temporary else None

    def __enter__(self) -> Package:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder when it is a temporary one; a folder that was asked for stays."""
        if self._remove:
            self._remove()

    @property
    def manifest(self) -> Manifest:
        """The manifest of the dataset, or of the model when there is no dataset."""
        return self.manifests.get(DATASET) or self.manifests[MODEL]

    @property
    def terms(self) -> Terms:
        """On what terms it may be used."""
        return self._papers.request.terms

    @property
    def delivery(self) -> Envelope:
        """The signed statement of the delivery."""
        return self._papers.delivery

    def load(self, split: str, *, streaming: bool = False) -> Any:
        """One split as a `datasets.Dataset` (`IterableDataset` when streaming). Nulls are None.

        Raises:
            UsageError: `split-unknown`, or `package-without` when the package holds no dataset.
            StorageError: `shard-unreadable` when the unpacked files were removed meanwhile.
        """
        return load_split(self._folder(DATASET), self.manifests[DATASET], split=split, streaming=streaming)

    def table(self, split: str, *, columns: Sequence[str] | None = None) -> pa.Table:
        """One split as an Arrow table. Raises as `load`, and UsageError `column-unknown`."""
        return read_table(self._folder(DATASET), self.manifests[DATASET], split=split, columns=columns)

    def session(self) -> Any:
        """The model, as an `onnxruntime.InferenceSession` on the processor.

        Raises:
            UsageError: `package-without` when the package holds no model.
            IntegrityError: `package-model` when the file was changed since, is a link, or is not a plain ONNX model.
        """
        folder = self._folder(MODEL)
        entry = next((entry for entry in self.manifests[MODEL].files if entry.path == _MODEL_FILE), None)
        if entry is None:
            raise _without(_MODEL_FILE, self.manifests)
        return open_session(folder / _MODEL_FILE, sha256=entry.sha256)

    def trace(self) -> tuple[Step, ...]:
        """Every statement behind the package, newest first, back to the sources."""
        return newest_first([*self._papers.evidence.values(), self.delivery])

    def __repr__(self) -> str:
        held = ", ".join(f"{kind} {manifest.ref}" for kind, manifest in self.manifests.items())
        return f"<Package {held}; {self.terms.channel}, {self.terms.purpose}, until {self.terms.until}>"

    def _repr_html_(self) -> str:
        rows = [(kind, f"{manifest.ref} ({_size(manifest)})") for kind, manifest in self.manifests.items()]
        rows += [(name, str(value)) for name, value in self.terms.to_json().items()]
        rows += [("request", self._papers.request.id), ("delivered by", self.delivery.statement.agent)]
        cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
        return f"<table><caption>Verified package</caption><tbody>{cells}</tbody></table>"

    def _folder(self, kind: str) -> Path:
        if kind not in self.manifests:
            raise _without(kind, self.manifests)
        return self.folder / kind


def _size(manifest: Manifest) -> str:
    counts = ", ".join(f"{split}: {rows:,} rows" for split, rows in manifest.rows.items())
    return counts or f"{len(manifest.files)} files"


def _without(what: str, manifests: Mapping[str, Manifest]) -> UsageError:
    return UsageError(
        "package-without",
        asked=f"read the {what} of a package",
        found=f"a package that holds {', '.join(manifests)} only",
        expected=f"a package with a {what}",
        todo="look at `package.manifests` to see what it holds",
    )
