"""Verify names every file that changed, is missing or was added; trace leads from any file alone to the sources."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from capital_world import copy_capital, curate, published, spec_value

from curator.canonical import sha256_file
from curator.capital import Capital
from curator.errors import CuratorError, UsageError


@pytest.fixture(scope="module")
def copy(whole: Capital, tmp_path_factory: pytest.TempPathFactory) -> Capital:
    """One copy that every test of this module leaves as it found it."""
    return copy_capital(whole, tmp_path_factory.mktemp("verify") / "capital")


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if data else b"?"


def replaced(path: Path, data: bytes | None) -> Callable[[], None]:
    """Put other bytes in the file's place (none: remove it), as a new file; the call returned undoes it."""
    aside = path.parents[len(path.parents) - 2].parent / "tmp" / f"aside-{os.getpid()}"
    aside.parent.mkdir(exist_ok=True)
    path.rename(aside)
    if data is not None:
        path.write_bytes(data)
        shutil.copystat(aside, path)  # same size, same time: no index may be fooled by that

    def undo() -> None:
        path.unlink(missing_ok=True)
        aside.rename(path)

    return undo


def names(capital: Capital, path: Path, change: Callable[[Path], Callable[[], None]]) -> str | None:
    """None when verify names the changed file, else what it says instead."""
    name = path.relative_to(capital.workspace.root).as_posix()
    undo = change(path)
    try:
        found = [str(finding) for finding in Capital.open(capital.workspace.root).verify()]
    except CuratorError as refused:
        found = [str(refused)]
    finally:
        undo()
    if any(_says(text, name) for text in found):
        return None
    return "; ".join(found) or "nothing"


def test_a_whole_capital_has_no_fault(copy: Capital) -> None:
    assert copy.verify() == ()


def _says(text: str, name: str) -> bool:
    """A sentence names a file by its path, or a cache object by what it is a copy of."""
    if name.startswith(".dvc/cache/"):
        return "cache object of " in text
    parts = name.split("/")
    return name in text or ("/".join(parts[:3]) in text and "/".join(parts[3:]) in text and len(parts) > 3)


SWEEP = [pytest.param(change, marks=pytest.mark.sweep) for change in ("empty", "append")]


@pytest.mark.parametrize("change", ["flip", "remove", *SWEEP])
def test_every_file_is_named_when_it_changes(change: str, copy: Capital) -> None:
    def do(path: Path) -> Callable[[], None]:
        old = path.read_bytes()
        new = {"flip": flipped(old), "empty": b"", "remove": None, "append": old + b"\n"}[change]
        return replaced(path, new)

    files = published(copy.workspace.root)
    if change == "remove":  # a package is made to go away; everything else must be there
        files = [path for path in files if path.suffix != ".cur"]
    assert len(files) > 45
    missed = {path.relative_to(copy.workspace.root).as_posix(): names(copy, path, do) for path in files}
    assert {name: said for name, said in missed.items() if said} == {}
    assert copy.verify() == ()


PLACES = ["datasets/road-accidents/1.0.0/data/train", "datasets/road-accidents/1.0.0", "models/injury-severity/1.0.0",
          "evidence", "evidence/00", "releases"]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["part-00009.parquet", "a.json", ".hidden"])
def test_an_added_file_is_named(place: str, name: str, copy: Capital) -> None:
    path = copy.workspace.root / place / name
    path.parent.mkdir(exist_ok=True)
    folder_mode = path.parent.stat().st_mode
    path.parent.chmod(0o755)
    path.write_bytes(b"added")
    said = [str(finding) for finding in copy.verify()]
    path.unlink()
    path.parent.chmod(folder_mode)
    if not any(path.parent.iterdir()):
        path.parent.rmdir()
    assert [text for text in said if name in text], said


@pytest.mark.parametrize(
    "place", ["datasets/road-accidents/1.0.1", "models/injury-severity/9.0.0", "datasets/other/1.0.0"]
)
def test_an_added_version_is_named(place: str, copy: Capital) -> None:
    folder = copy.workspace.root / place
    shutil.copytree(copy.workspace.root / "datasets/road-accidents/1.0.0", folder)
    said = [str(finding) for finding in copy.verify()]
    shutil.rmtree(folder)
    if place.startswith("datasets/other"):
        folder.parent.rmdir()
    assert [text for text in said if place in text], said


def test_a_byte_changed_in_place_is_named(copy: Capital) -> None:
    """The cache holds hard links: a write in place, times set back, changes both at once; neither vouches then."""
    path = next((copy.workspace.root / "datasets/road-accidents/1.0.0/data/train").glob("*.parquet"))
    old, times = path.read_bytes(), path.stat()
    path.chmod(0o644)
    path.write_bytes(flipped(old))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    said = [str(finding) for finding in copy.verify()]
    path.write_bytes(old)
    path.chmod(times.st_mode & 0o777)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert any("changed: data/train/part-00000.parquet" in text for text in said), said


def test_every_object_and_reference_of_git_counts(copy: Capital) -> None:
    git = copy.workspace.root / ".git"
    files = [path for part in ("objects", "refs") for path in (git / part).rglob("*") if path.is_file()]
    files += [git / "HEAD"]
    assert len(files) > 60
    missed = {}
    for path in files:
        undo = replaced(path, flipped(path.read_bytes()))
        try:
            found: object = Capital.open(copy.workspace.root).verify()
        except CuratorError as refused:
            found = refused
        finally:
            undo()
        if not found:
            missed[path.relative_to(git).as_posix()] = found
    assert missed == {}
    assert copy.verify() == ()


# ---- trace ----------------------------------------------------------------------------------------------------

SOURCES = {f"source {table}: {table}.parquet" for table in ("persons", "vehicles", "accidents")}


@pytest.mark.parametrize("by", ["path", "digest", "copy elsewhere"])
@pytest.mark.parametrize("file", ["models/injury-severity/1.0.0/model.onnx", "models/injury-severity/1.0.0/README.md",
                                  "datasets/road-accidents/1.0.0/data/test/part-00000.parquet",
                                  "datasets/road-accidents/1.0.0/manifest.json"])  # fmt: skip
def test_a_file_alone_leads_to_the_sources(file: str, by: str, whole: Capital, tmp_path: Path) -> None:
    path = whole.workspace.root / file
    what: Path | str = sha256_file(path) if by == "digest" else path
    if by == "copy elsewhere":
        what = Path(shutil.copyfile(path, tmp_path / "found-on-a-disk"))
    steps = whole.trace(what)
    assert steps[0].stage == ("package" if file.startswith("models") else "commit")
    assert {name for step in steps for name in step.used} >= SOURCES
    assert [step.stage for step in steps][-5:] == ["commit", "protect", "check", "extract", "agents"]


def test_a_package_alone_leads_to_the_sources(whole: Capital) -> None:
    package = next((whole.workspace.root / "releases").glob("*.cur"))
    stages = [step.stage for step in whole.trace(package)]
    assert stages[0] == "deliver"
    assert {"review", "request", "package", "commit", "extract"} <= set(stages)


def test_a_changed_file_has_no_lineage(whole: Capital, tmp_path: Path) -> None:
    model = whole.workspace.root / "models/injury-severity/1.0.0/model.onnx"
    (tmp_path / "model.onnx").write_bytes(flipped(model.read_bytes()))
    with pytest.raises(UsageError) as refused:
        whole.trace(tmp_path / "model.onnx")
    assert refused.value.code == "trace-unknown"


def test_the_lineage_of_a_version_is_its_own(whole: Capital, demo_base: Path, tmp_path: Path) -> None:
    capital = copy_capital(whole, tmp_path / "capital")
    again = curate(capital, demo_base, spec=spec_value(version="1.0.1"))
    steps = capital.trace(again.ref)
    assert [step.stage for step in steps] == ["commit", "protect", "check", "extract", "agents", "agents"]
    assert not [step for step in steps if "road-accidents@1.0.0" in str(step)]
    assert capital.verify() == ()
