"""The versions of a capital: found by name, and believed only when a statement names what their manifest says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from curator.capital._run import holder_key
from curator.edges.quarantine import read_rejected
from curator.errors import IntegrityError, UsageError
from curator.evidence import Stage
from curator.manifest import Manifest
from curator.records import DatasetVersion
from curator.spec import UseCase, parse_use_case

if TYPE_CHECKING:
    import pyarrow as pa

    from curator.capital import Capital


def folder_of(capital: Capital, ref: str, *, kind: Literal["dataset", "model"]) -> Path:
    """The folder of `name@version`, or of the newest version of `name`. Raises UsageError `version-unknown`."""
    name, _, wanted = ref.partition("@")
    known = [version for known_name, version in capital.workspace.versions(kind) if known_name == name]
    version = wanted or (known[-1] if known else "")  # the workspace lists the oldest first
    if version not in known:
        names = ", ".join(capital.datasets() + capital.models())
        raise UsageError(
            "version-unknown",
            asked=f"find {ref}",
            found=f"no {kind} version of that name",
            expected=f"one of: {names}"[:600] if names else "a version; there is none yet",
            todo="list the versions with `curator list`" if names else "make one with `curator curate SPEC`",
        )
    return capital.workspace.root / f"{kind}s" / name / version


def manifest_of(capital: Capital, folder: Path) -> Manifest:
    """The manifest of a version's folder. Raises IntegrityError `manifest-unproved` when no statement names it."""
    manifest = Manifest.read(folder)
    if not capital.evidence.about(manifest.digest):
        raise _unproved(manifest.ref, found="a manifest that no statement names")
    return manifest


def quality(capital: Capital, version: DatasetVersion) -> dict[str, Any]:
    """What the check behind a dataset version counted; see `Capital.quality`.

    Its own check, or the newest it comes from: the lineage of a refreshed version holds those of the versions before,
    and a version re-keyed for a recipient was checked under its source's name.
    """
    commits = [env.digest for env in capital.evidence.about(version.digest) if env.statement.stage is Stage.COMMIT]
    lineage = capital.evidence.closure(commits, keys=capital.directory().keys())
    checks = [env.statement.facts for env in lineage if env.statement.stage is Stage.CHECK]
    own = [facts for facts in checks if facts.get("use_case") == version.ref]
    if not checks:
        raise _unproved(version.ref, found="no statement of its check")
    return {"ref": version.ref, **(own or checks)[-1]}


def rejected(capital: Capital, version: DatasetVersion) -> pa.Table:
    """The rows set apart when a version was made; see `Capital.rejected`."""
    name, _, number = version.ref.partition("@")
    area = capital.workspace.private / "holder" / "rejected"
    return read_rejected(area, name=name, version=number, key=holder_key(capital, "quarantine"))


def use_case(version: DatasetVersion) -> UseCase:
    """The spec that made a dataset version, from the version's own folder."""
    text = (version.folder / "use-case.yaml").read_text(encoding="utf-8")
    return parse_use_case(text, file=f"{version.ref}/use-case.yaml")


def _unproved(ref: str, *, found: str) -> IntegrityError:
    return IntegrityError(
        "manifest-unproved",
        asked=f"open {ref}",
        found=found,
        expected="the manifest that was committed, with the statements that made it",
        todo="run `curator verify`, then restore the version from a copy or with `dvc pull`",
    )
