"""Versions in a DVC remote on S3: read from there, and held there to what the evidence says."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curator.audit import Finding
from curator.edges.remote import Remote
from curator.edges.store import Pointer
from curator.errors import CuratorError, IntegrityError
from curator.hub import parquet_of
from curator.manifest import Manifest
from curator.records import DatasetVersion

if TYPE_CHECKING:
    import pyarrow.parquet as pq

    from curator.capital import Capital


def stored_dataset(capital: Capital, folder: Path, *, remote: str) -> DatasetVersion:
    """A dataset version whose rows are read from a remote; see `Capital.dataset`."""
    store = Remote.of(capital.workspace.root, remote)
    manifest = _manifest(capital, folder, store=store)
    return DatasetVersion(
        manifest=manifest, folder=folder, opener=_Shards(store=store, manifest=manifest, folder=folder)
    )


def remote_findings(capital: Capital, remote: str) -> tuple[Finding, ...]:
    """What is wrong with the versions in a remote; reads every byte there. Raises StorageError `remote-refused`."""
    store, found = Remote.of(capital.workspace.root, remote), []
    for kind in ("dataset", "model"):
        for name, version in capital.workspace.versions(kind):
            folder = capital.workspace.root / f"{kind}s" / name / version
            try:
                faults = list(store.faults(_manifest(capital, folder, store=store)))
            except IntegrityError as fault:
                faults = [fault.found]
            found += [Finding(f"{remote}: {kind}s/{name}/{version}: {fault}") for fault in faults]
    return tuple(sorted(found))


def _manifest(capital: Capital, folder: Path, *, store: Remote) -> Manifest:
    """The manifest that a committed pointer leads to in the remote, and that a statement names."""
    place = folder.relative_to(capital.workspace.root).as_posix()
    manifest = store.manifest(Pointer.from_bytes(capital.workspace.read_committed(f"{place}.dvc")))
    if (manifest.name, manifest.version) != (folder.parent.name, folder.name) or not capital.evidence.about(
        manifest.digest
    ):
        raise _stranger(store.name)
    return manifest


@dataclass(frozen=True, kw_only=True)
class _Shards:
    """Opens a shard fetched whole, held to its SHA-256 before a row of it is read."""

    store: Remote
    manifest: Manifest
    folder: Path

    def __call__(self, path: Path) -> pq.ParquetFile:
        place = path.relative_to(self.folder).as_posix()
        entry = next(entry for entry in self.manifest.files if entry.path == place)
        return parquet_of(io.BytesIO(self.store.fetched(entry)), path)


def _stranger(name: str) -> CuratorError:
    return IntegrityError(
        "remote-differs",
        asked=f"read a version from the DVC remote `{name}`",
        found="a manifest that no statement names",
        expected="the manifest that was committed, with the statements that made it",
        todo="run `curator verify`, then `dvc push` from a workspace that it calls sound",
    )
