"""Every folder of tests/bad is a mistake and the words it must get: exit code and message to the letter.

A case holds `case.yaml` (why; replacements in the spec; preparations from `bad_worlds`; commands, of which the last is
judged), files laid over those of `_base`, and `expected.txt`. To write the words anew: `CURATOR_BLESS=1 pytest
tests/test_bad_input.py`, then read each difference as a user would.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from bad_worlds import PREPARATIONS
from capital_world import SECRET

from curator.capital import Capital
from curator.cli import main
from curator.errors import CuratorError

HERE = Path(__file__).resolve().parent / "bad"
CASES = sorted(path.name for path in HERE.iterdir() if (path / "case.yaml").is_file())
CANARY = b"CANARY"
LABELS = ("error[", "  found:    ", "  expected: ", "  do next:  ")


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables, the spec and an empty capital; copied for every case."""
    work = tmp_path_factory.mktemp("bad") / "clinic"
    shutil.copytree(HERE / "_base", work)
    Capital.create(work / "capital", holder="Clinic", root_secret=SECRET)
    return work


def laid_out(case: str, clinic: Path, work: Path) -> dict[str, Any]:
    """The world of a case in `work`."""
    subprocess.run(["cp", "-a", str(clinic), str(work)], check=True)
    told: dict[str, Any] = yaml.safe_load((HERE / case / "case.yaml").read_text(encoding="utf-8"))
    for path in (HERE / case).iterdir():
        if path.name not in ("case.yaml", "expected.txt"):
            shutil.copy(path, work / path.name)
    spec = (work / "spec.yaml").read_text(encoding="utf-8")
    for old, new in told.get("spec", ()):
        assert old in spec, f"{case}: the base has no {old!r} to replace"
        spec = spec.replace(old, new)
    (work / "spec.yaml").write_text(spec, encoding="utf-8")
    return told


def prepared(told: dict[str, Any], work: Path) -> None:
    for name in told.get("prepare", ()):
        PREPARATIONS[name](work)


def outside(capital: Path) -> dict[str, bytes]:
    """Every file of the capital but the sealed rows, and Git's objects decompressed."""
    files = {path.relative_to(capital).as_posix(): path.read_bytes() for path in capital.rglob("*") if path.is_file()}
    if (capital / ".git/HEAD").is_file():
        command = ["git", "-C", str(capital), "cat-file", "--batch-all-objects", "--batch"]
        files[".git objects"] = subprocess.run(command, check=True, capture_output=True).stdout
    return files


def normal(text: str, work: Path) -> str:
    """The text without what changes from run to run: the folder, digests of this run's statements, process numbers."""
    text = text.replace(str(work), "WORK")
    text = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", text)
    text = re.sub(r"\bcurator \w+ \[-h\] .*", "USAGE", text)
    text = re.sub(r"evidence/[0-9a-f]{2}/", "evidence/XX/", text)
    return re.sub(r"\b(process|pid) \d+", r"\1 N", text)


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_ends_well(
    case: str, clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    told = laid_out(case, clinic, work)
    monkeypatch.chdir(work)
    for name in ("CURATOR_CAPITAL", "CURATOR_ROOT_KEY", "CURATOR_ROOT_KEY_FILE", "CURATOR_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.get("environment", {}).items():
        monkeypatch.setenv(name, value)
    *before, judged = [words.split() if isinstance(words, str) else words for words in told["commands"]]
    for words in before:
        assert main(words) == 0, capfd.readouterr().err
    prepared(told, work)
    capfd.readouterr()
    began = time.process_time()  # of this process: others may be busy
    code = main(judged)
    took = time.process_time() - began
    out, err = capfd.readouterr()

    said = f"exit {code}\n{normal(err, work)}"
    if told.get("output"):
        said += normal(out, work)
    if os.environ.get("CURATOR_BLESS") == "1":
        (HERE / case / "expected.txt").write_text(said, encoding="utf-8")
    assert said == (HERE / case / "expected.txt").read_text(encoding="utf-8")
    if code:
        for label in LABELS if not told.get("output") else ():
            assert label in err, "asked, found, expected, do next"
    assert "Traceback" not in err + out
    assert CANARY.decode() not in err + out, "a value of a row"
    allowed = set(told.get("canary_in", ()))
    assert {name for name, data in outside(work / "capital").items() if CANARY in data} <= allowed
    assert took < told.get("seconds", 60)
    if told.get("publishes_nothing", True) and not before:
        assert not [*(work / "capital/datasets").glob("*/*")]
        assert not (work / "capital/.curator/tmp").is_dir() or not [*(work / "capital/.curator/tmp").iterdir()]


def test_every_preparation_is_used() -> None:
    used = {
        name for case in CASES for name in yaml.safe_load((HERE / case / "case.yaml").read_text()).get("prepare", ())
    }
    assert used == PREPARATIONS.keys()


def test_the_base_itself_is_good(clinic: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    subprocess.run(["cp", "-a", str(clinic), str(work)], check=True)
    capital = Capital.open(work / "capital")
    try:
        version = capital.curate(work / "spec.yaml")
    except CuratorError as refused:  # pragma: no cover - the message is the test's own explanation
        pytest.fail(str(refused))
    assert sum(version.manifest.rows.values()) == 60
    assert not [name for name, data in outside(work / "capital").items() if CANARY in data]
