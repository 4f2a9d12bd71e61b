"""Every hostile package is refused with the code that it deserves, quickly, in little memory, and leaves nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from package_world import TODAY, World
from packages import CASES, Forge

from curator.errors import CuratorError
from curator.receiving import open_package

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 5
MEMORY = 512 << 20


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    return Forge(World(tmp_path_factory.mktemp("world")))


@pytest.fixture(scope="module")
def corpus(forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every case as a file, made once."""
    folder = tmp_path_factory.mktemp("corpus")
    for name, case in CASES.items():
        (folder / f"{name}.cur").write_bytes(case.write(forge))
    return folder


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is both the place to unpack into and the machine's temporary folder."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def refusal(file: Path, *, trust: bytes, into: Path | None, today: date = TODAY) -> CuratorError:
    start = time.process_time()
    with pytest.raises(CuratorError) as raised:
        open_package(file, trust=trust, into=into, today=today)
    assert time.process_time() - start < SECONDS
    return raised.value


def test_the_corpus_is_large() -> None:
    assert len(CASES) >= 60


def test_the_good_package_opens(forge: Forge, empty: Path) -> None:
    file = empty.parent / "good.cur"
    file.write_bytes(forge.package)
    with open_package(file, trust=forge.world.holder, today=TODAY) as package:
        assert package.manifest.rows == {"train": 120, "test": 30}
    assert list(empty.iterdir()) == []


def test_the_forge_itself_makes_good_packages(forge: Forge, empty: Path) -> None:
    """What the forge signs without a lie opens: so each case is refused for its lie, not for the forge's hand."""
    for number, raw in enumerate((forge.signed(), forge.with_evidence(request=forge.ask()))):
        file = empty.parent / f"signed-{number}.cur"
        file.write_bytes(raw)
        open_package(file, trust=forge.world.holder, today=TODAY).close()


@pytest.mark.parametrize("name", CASES)
def test_hostile_package_is_refused(name: str, forge: Forge, corpus: Path, empty: Path) -> None:
    case = CASES[name]
    error = refusal(corpus / f"{name}.cur", trust=forge.world.holder, into=empty / "into")
    assert (error.code, error.exit_code) == (case.code, case.exit_code), str(error)
    assert list(empty.iterdir()) == []
    shown = error.render() + json.dumps(error.to_json())
    for word in ("etc/hosts", "hidden", "../x", "OTHER", "os.system"):
        assert word not in shown, "an error repeats what a hostile file says"


def test_a_changed_byte_in_any_member_is_refused(forge: Forge, empty: Path) -> None:
    for name in forge.names:
        file = empty.parent / "flipped.cur"
        file.write_bytes(forge.flipped(name))
        error = refusal(file, trust=forge.world.holder, into=empty / "into")
        assert error.exit_code == 15, name
        assert list(empty.iterdir()) == [], name


def test_any_flipped_bit_is_refused(forge: Forge, empty: Path) -> None:
    """Sampled over the whole file, headers, padding and end included."""
    file = empty.parent / "bit.cur"
    for place in range(0, len(forge.package), 397):
        raw = bytearray(forge.package)
        raw[place] ^= 1 << (place % 8)
        file.write_bytes(raw)
        assert refusal(file, trust=forge.world.holder, into=empty / "into").exit_code == 15, place
    assert list(empty.iterdir()) == []


def test_any_truncation_is_refused(forge: Forge, empty: Path) -> None:
    file = empty.parent / "short.cur"
    for length in [*range(0, len(forge.package), 1021), len(forge.package) - 1]:
        file.write_bytes(forge.package[:length])
        assert refusal(file, trust=forge.world.holder, into=empty / "into").exit_code == 15, length
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_pipe_or_folder_is_refused_at_once(make: object, forge: Forge, empty: Path) -> None:
    file = empty.parent / "not-a-file.cur"
    make(file)  # type: ignore[operator]
    assert refusal(file, trust=forge.world.holder, into=empty / "into").code == "package-not-package"


def test_an_absent_file_is_no_integrity_fault(forge: Forge, empty: Path) -> None:
    error = refusal(empty.parent / "absent.cur", trust=forge.world.holder, into=None)
    assert (error.code, error.exit_code) == ("package-absent", 17)


CHILD = """
import json, sys
from datetime import date
from pathlib import Path
from curator.errors import CuratorError
from curator.receiving import open_package

codes = {}
for file in sorted(Path(sys.argv[1]).glob("*.cur")):
    try:
        open_package(file, trust=bytes.fromhex(sys.argv[2]), today=date.fromisoformat(sys.argv[3]))
    except CuratorError as error:
        codes[file.stem] = error.code
status = Path("/proc/self/status").read_text()  # ru_maxrss would count the parent's memory too
peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
heavy = sorted({"duckdb", "dvc", "great_expectations", "sklearn", "datasets", "onnx", "pandas"} & set(sys.modules))
print(json.dumps({"codes": codes, "rss": peak, "heavy": heavy}))
"""


def test_the_whole_corpus_in_little_memory(forge: Forge, corpus: Path, tmp_path: Path) -> None:
    """One fresh process opens every case: its peak memory stays below the limit, and it imports nothing heavy."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(corpus), forge.world.holder.hex(), TODAY.isoformat()],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        text=True,
        timeout=600,
    )
    found = json.loads(done.stdout)
    assert found["codes"] == {name: case.code for name, case in CASES.items()}
    assert found["rss"] < MEMORY
    assert found["heavy"] == []
    assert list(tmp_path.iterdir()) == []
