"""`curator demo`: the whole main job in one command, and what it leaves to look at."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_cli import documented

from curator.cli import main
from curator.cli._demo import demo_spec
from curator.receiving import open_package

ROOT = Path(__file__).resolve().parents[2]
ROWS = 6_000
ENVIRON = {
    **{name: value for name, value in os.environ.items() if not name.startswith("CURATOR_")},
    "PYTHONPATH": str(ROOT),
    "LC_ALL": "C.UTF-8",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """The folder it was run in, its document and its messages, from a process of its own, as a newcomer runs it.

    A variable for a real key is set, and wrong: the demonstration must not look at it.
    """
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "curator", "demo", "--rows", str(ROWS), "--json"],
        cwd=folder, env={**ENVIRON, "CURATOR_ROOT_KEY": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return folder, json.loads(done.stdout), done.stderr


def test_the_document_is_whole(made: tuple[Path, dict[str, Any], str]) -> None:
    _, document, _ = made
    assert set(document) == documented("demo")
    assert document["base"]["persons"] == ROWS
    assert document["findings"] == []
    assert document["release"]["state"] == "delivered"
    assert document["steps"] >= 7
    quality = document["quality"]
    assert quality["rows"] == quality["accepted"] + sum(quality["rejected"].values())
    scored = document["received"]["scored"]
    assert 0 < scored["positive"] < scored["rows"]
    assert 0.6 < scored["roc_auc"] < 1


def test_the_steps_are_told_in_order(made: tuple[Path, dict[str, Any], str]) -> None:
    _, document, told = made
    lines = told.splitlines()
    assert [line[:5] for line in lines] == [f"[{number}/8]" for number in range(1, 9)]
    assert list(document["seconds"]) == ["generate", "init", "curate", "train", "release", "receive", "trace", "verify"]


def test_the_vendor_needs_nothing_of_the_capital(made: tuple[Path, dict[str, Any], str], tmp_path: Path) -> None:
    folder, document, _ = made
    vendor = folder / "capital-demo" / "vendor"
    assert sorted(path.suffix for path in vendor.iterdir()) == ["", ".cur", ".pub"]
    package = vendor / Path(document["received"]["file"]).name
    code = "import sys, curator; p = curator.open_package(sys.argv[1], trust=sys.argv[2]); print(len(p.load('test')))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(package), str(vendor / "holder.pub")],
        cwd=tmp_path, env={**ENVIRON, "PATH": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) == document["dataset"]["rows"]["test"]


def test_no_identifier_of_the_base_is_in_what_left(made: tuple[Path, dict[str, Any], str]) -> None:
    import pyarrow.parquet as pq

    folder, document, _ = made
    vendor = folder / "capital-demo" / "vendor"
    persons = pq.read_table(folder / "capital-demo" / "source" / "persons.parquet")
    cells = {cell for name in ("nir", "phone", "email", "licence_number") for cell in persons[name].to_pylist() if cell}
    with open_package(vendor / Path(document["received"]["file"]).name, trust=vendor / "holder.pub") as package:
        for split in package.manifest.rows:
            rows = package.table(split)
            texts = {str(cell) for name in rows.column_names for cell in rows[name].to_pylist()}
            assert not texts & cells


def test_the_commands_it_names_work(made: tuple[Path, dict[str, Any], str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, document, _ = made
    monkeypatch.chdir(folder / "capital-demo")
    monkeypatch.delenv("CURATOR_CAPITAL", raising=False)
    name = Path(document["received"]["file"]).name
    for words in (
        ["show"],
        ["trace", "injury-severity@1.0.0"],
        ["verify"],
        ["rejected", "road-accidents@1.0.0"],
        ["receive", f"vendor/{name}", "--trust", "vendor/holder.pub"],
        ["curate", "road-accidents.yaml", "--data", "source", "--until", "check"],
    ):
        assert main(["--quiet", *words]) == 0


def test_a_folder_that_exists_is_never_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kept.txt").write_text("kept")
    assert main(["demo", "--folder", str(tmp_path / "mine")]) == 17
    assert "folder-exists" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["kept.txt"]


@pytest.mark.parametrize(("keep", "left"), [(False, []), (True, ["demo"])])
def test_a_failed_step_removes_the_folder_unless_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: bool, left: list[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no Git there
    words = ["--quiet", "demo", "--rows", "50", "--folder", str(tmp_path / "demo"), *(["--keep"] if keep else [])]
    assert main(words) == 17
    assert [path.name for path in tmp_path.iterdir()] == left


def test_a_base_too_small_to_hide_anybody_is_refused_and_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--rows", "1000", "--folder", str(tmp_path / "demo")]) == 13
    err = capsys.readouterr().err
    assert "error[too-rare]" in err
    assert "--rows 20000" in err
    assert list(tmp_path.iterdir()) == []


def test_the_spec_is_the_one_of_the_checkout() -> None:
    assert (
        hashlib.sha256(demo_spec()).digest()
        == hashlib.sha256((ROOT / "specs" / "road-accidents.yaml").read_bytes()).digest()
    )
