"""Other surroundings: a time zone, a language, a home that cannot be written, names of folders from anywhere."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from outside_world import spec_of

from curator.cli import main

ROOT = Path(__file__).resolve().parents[2]
ROWS = "id;wer;Größe;Tag\n1;Ä;1,5;29.02.2024\n2;İ;2,5;31.12.1999\n3;ß;;01.01.0001\n"


def curator(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CURATOR_", "LC_", "PYTHON"))}
    return subprocess.run(
        [sys.executable, "-m", "curator", *words],
        cwd=folder, env={**kept, "PYTHONPATH": str(ROOT), **environ}, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capital, a table and its spec, to be copied to other places."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "Unfälle.csv").write_text(ROWS, encoding="utf-8")
    columns = {"size": {"type": "float", "column": "Größe"},
               "day": {"type": "date", "column": "Tag", "format": "%d.%m.%Y"}}  # fmt: skip
    source = {"separator": ";", "decimal": ","}
    spec = spec_of(columns, path="Unfälle.csv", source=source)
    spec["sources"]["t"]["columns"]["who"] = {"type": "text", "column": "wer"}
    (folder / "spec.yaml").write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    made = curator(folder, "init", "--quiet", "--holder", "Behörde für Straßen")
    assert made.returncode == 0, made.stderr
    return folder


def made_in(prepared: Path, folder: Path, **environ: str) -> str:
    """The digest of the rows of a version made from a copy in this folder."""
    shutil.copytree(prepared, folder, symlinks=True, dirs_exist_ok=True)
    made = curator(folder, "--json", "curate", "spec.yaml", **environ)
    assert made.returncode == 0, made.stdout + made.stderr
    shards = sorted((folder / "capital" / "datasets").rglob("*.parquet"))
    return hashlib.sha256(b"".join(shard.read_bytes() for shard in shards)).hexdigest()


@pytest.fixture(scope="module")
def usual(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return made_in(prepared, tmp_path_factory.mktemp("usual") / "w", TZ="UTC")


@pytest.mark.parametrize(
    "environ",
    [
        {"TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": "/proc"},
        {"TZ": "America/St_Johns", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "HOME": "/nonexistent"},
    ],
    ids=["tokyo", "turkish"],
)
def test_the_same_bytes_in_other_surroundings(
    prepared: Path, usual: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    assert made_in(prepared, tmp_path / "w", **environ) == usual


def test_the_same_bytes_in_a_folder_of_another_name(prepared: Path, usual: str, tmp_path: Path) -> None:
    folder = tmp_path / "mes données 日本 'q\" $x *[1]" / ("d" * 90) / ("e" * 90)
    folder.parent.mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(folder.parent)
    assert made_in(prepared, link / folder.name) == usual


def test_names_that_are_not_utf_8_are_refused_by_that_name(tmp_path: Path) -> None:
    said = curator(tmp_path, "list", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (said.returncode, "locale-not-unicode" in said.stderr) == (2, True)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full", ">/dev/full 2>/dev/full"])
@pytest.mark.parametrize(("words", "code"), [("explain disk-failed", 0), ("explain nonsense", 2)])
def test_streams_that_are_closed_or_full_change_no_exit_code(words: str, code: int, closed: str) -> None:
    """A message that nobody can read is lost; a result that cannot be written is the one thing that fails."""
    command = f'"{sys.executable}" -m curator {words} {closed}'
    done = subprocess.run(
        ["bash", "-c", command], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    lost = closed.startswith(">/dev/full") and not code
    assert (done.returncode, "Traceback" in done.stderr) == (17 if lost else code, False)


def test_ctrl_c_while_it_is_said_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("curator.cli._faults.tell", pressed)
    assert main(["explain", "nonsense"]) == 130


def test_no_more_memory_is_no_fault_of_curator(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("curator.cli._manual.explain", full)
    assert (main(["explain"]), "error[engine-memory]" in capsys.readouterr().err) == (17, True)


def test_a_capital_is_nobody_elses_to_write_whatever_the_umask(tmp_path: Path) -> None:
    """Files of keys are closed to all others, and nothing stands open to everybody's writing."""
    command = f'umask 000; exec "{sys.executable}" -m curator --quiet init "{tmp_path}/capital" --holder H'
    subprocess.run(["bash", "-c", command], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    modes = {path: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if not path.is_symlink()}
    assert [path for path, mode in modes.items() if mode & 0o002] == []
    secret = [path for path in modes if path.is_file() and "/.curator/keys/" in str(path)]
    assert {modes[path] for path in secret} == {0o600}
    assert modes[tmp_path / "capital/.curator"] == 0o700
