"""A small version, staged as curator's writers leave one, and the process that publishes it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

from curator.edges.durable import disk_errors
from curator.edges.workspace import Workspace
from curator.errors import CuratorError
from curator.manifest import MANIFEST, FileEntry, Manifest

PARTS = {"train/part-0.parquet": b"rows" * 300, "test/part-0.parquet": b"other rows", "card.md": b"# x\n"}


def stage(folder: Path, name: str, version: str, *, parts: Mapping[str, bytes] = PARTS) -> Manifest:
    """Write a version's files and its manifest in a new folder."""
    entries = []
    for path, data in sorted(parts.items()):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        entries.append(FileEntry(path=path, sha256=hashlib.sha256(data).hexdigest(), md5=md5, size=len(data)))
    manifest = Manifest(kind="dataset", name=name, version=version, files=tuple(entries))
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST).write_bytes(manifest.to_bytes())
    return manifest


def publish(workspace: Workspace, name: str, version: str, *, parts: Mapping[str, bytes] = PARTS) -> str:
    """Stage and publish one version with its evidence, its spec and its tag; returns the commit."""
    with workspace.scratch("curate") as scratch:
        with disk_errors(scratch, asked="write the version"):
            manifest = stage(scratch / "data", name, version, parts=parts)
        return workspace.publish(
            folders={f"datasets/{name}/{version}": scratch / "data"},
            files={
                f"evidence/{manifest.digest[:2]}/{manifest.digest}.json": manifest.to_bytes(),
                f"specs/{name}@{version}.yaml": f"name: {name}\n".encode(),
                "README.md": f"newest: {version}\n".encode(),
            },
            message=f"Publish {name}@{version}",
            tag=f"{name}@{version}",
        )


def main(root: str, version: str) -> int:
    """Open the workspace and publish one more version; the exit code of a refusal is the error's."""
    try:
        publish(Workspace.open(Path(root)), "accidents", version, parts=PARTS | {"card.md": version.encode()})
    except CuratorError as fault:
        print(fault, file=sys.stderr)
        return fault.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
