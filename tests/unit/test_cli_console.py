"""How commands speak and end: pipes, terminals, interruptions, full disks, faults of our own."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from curator.cli import _proof, main
from curator.cli._console import pairs, plain, table
from curator.demo import generate
from curator.errors import StorageError

ROOT = Path(__file__).resolve().parents[2]
CURATOR = [sys.executable, "-m", "curator"]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("CURATOR_")}
ENVIRON = {**CLEAN, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
INTERRUPTED = {130, -signal.SIGINT}  # a shell shows 130 for both: CPython itself may end by the signal it was sent
SECRET = "1850578006084"  # stands for a cell


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A capital without a version, a base and a spec."""
    folder = tmp_path_factory.mktemp("console")
    generate(folder / "source", persons=20_000, truth_identifiers=False)
    shutil.copy(ROOT / "specs" / "road-accidents.yaml", folder / "spec.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("CURATOR_CAPITAL", raising=False)
        assert main(["--quiet", "init", "--holder", "Console"]) == 0
        yield folder


CHECK = [*CURATOR, "curate", "spec.yaml", "--data", "source", "--until", "protect"]


def on_terminal(environ: dict[str, str], place: Path) -> str:
    """What a run writes to a stderr that is a terminal."""
    reader, writer = pty.openpty()
    done = subprocess.Popen(CHECK, cwd=place, env={**ENVIRON, **environ}, stdout=subprocess.DEVNULL, stderr=writer)
    os.close(writer)
    written = b""
    while True:
        try:
            written += (part := os.read(reader, 65536))
        except OSError:  # Linux: the other end is closed
            break
        if not part:
            break
    os.close(reader)
    assert done.wait(600) == 0
    return written.decode()


def test_a_terminal_sees_progress_that_vanishes(place: Path) -> None:
    seen = on_terminal({"TERM": "xterm-256color", "COLUMNS": "100"}, place)
    assert "stream" in seen
    assert re.search(r"\x1b\[\d+m|\x1b\[\d+;\d+m|\x1b\[38;", seen)  # colours
    assert seen.endswith("\x1b[2K") or "\x1b[2K" in seen.rsplit("stream", 1)[1]


def test_no_color_is_obeyed(place: Path) -> None:
    seen = on_terminal({"TERM": "xterm-256color", "NO_COLOR": "1", "COLUMNS": "100"}, place)
    assert "stream" in seen
    assert not re.search(r"\x1b\[[0-9;]*(?:3[0-9]|4[0-9]|9[0-9])[0-9;]*m", seen)


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_dumb_terminal_sees_no_control_character(place: Path, term: str) -> None:
    assert "\x1b" not in on_terminal({"TERM": term}, place)


def test_a_pipe_sees_no_control_character(place: Path) -> None:
    done = subprocess.run(CHECK, cwd=place, env={**ENVIRON, "TERM": "xterm"}, capture_output=True, check=True)
    assert done.stderr == b""
    assert plain(done.stdout.decode()) == done.stdout.decode()


def test_a_closed_pipe_is_quiet() -> None:
    running = subprocess.Popen([*CURATOR, "explain"], env=ENVIRON, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout is not None
    running.stdout.close()
    assert running.stderr is not None
    assert running.stderr.read() == b""
    assert running.wait(600) == 141
    running.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("words", [["explain"], ["explain", "--json"], ["explain", "nonsense", "--json"]])
def test_a_full_disk_behind_stdout_is_a_storage_error(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*CURATOR, *words], env=ENVIRON, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == StorageError.exit_code
    assert done.stderr.startswith(b"error[no-space]")
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


WAITING = """
import sys, time
from curator.engines.duckdb import DuckDBEngine
def wait(*args, **kwargs):
    time.sleep(600)  # for Ctrl-C: however busy the machine, the run does not end before it
DuckDBEngine.batches = wait
from curator.cli import main
sys.exit(main(sys.argv[1:]))
"""


def interrupted(words: list[str], *, program: list[str], place: Path, when: str) -> subprocess.CompletedProcess[str]:
    """Run, and press Ctrl-C as soon as a path that matches `when` exists."""
    running = subprocess.Popen(
        [*program, *words], cwd=place, env=ENVIRON, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 600
    while not any(place.glob(when)) and running.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=600)
    return subprocess.CompletedProcess(words, running.returncode, out, err)


def test_an_interrupted_curate_leaves_nothing(place: Path) -> None:
    done = interrupted(
        ["curate", "spec.yaml", "--data", "source", "--threads", "1"],
        program=[sys.executable, "-c", WAITING], place=place, when="capital/.curator/tmp/curate*",
    )  # fmt: skip
    assert (done.returncode in INTERRUPTED, done.stdout) == (True, "")
    assert done.stderr == "interrupted: nothing is half made\n"
    assert list((place / "capital" / ".curator" / "tmp").iterdir()) == []
    assert main(["--quiet", "verify"]) == 0
    assert main(["--quiet", "curate", "spec.yaml", "--data", "source"]) == 0  # the number is still free


def test_an_interrupted_demo_removes_its_folder(tmp_path: Path) -> None:
    words = ["demo", "--rows", "2000000", "--json"]
    done = interrupted(words, program=CURATOR, place=tmp_path, when="capital-demo/source/*")
    assert done.returncode in INTERRUPTED
    assert json.loads(done.stdout) == {"error": "interrupted", "exit_code": 130}
    assert list(tmp_path.iterdir()) == []


def broken(*_: object) -> None:
    raise ValueError(f"cannot convert {SECRET}")


def test_a_fault_of_ours_never_prints_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_proof, "verify", broken)
    monkeypatch.delenv("CURATOR_DEBUG", raising=False)
    assert main(["verify"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert re.match(r"error\[internal\] curator itself failed: ValueError at curator/cli/_main\.py:\d+\n", err)
    assert main(["verify", "--json"]) == 1
    document = capsys.readouterr().out
    assert json.loads(document)["kind"] == "ValueError"
    assert SECRET not in err + document


def test_the_traceback_is_there_for_who_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_proof, "verify", broken)
    monkeypatch.setenv("CURATOR_DEBUG", "1")
    assert main(["verify", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["error"] == "internal"
    assert f"ValueError: cannot convert {SECRET}" in err


def test_an_error_of_the_system_is_a_storage_error_without_its_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spec", "schema", "--out", "/nowhere-at-all/schema.json"]) == 17
    err = capsys.readouterr().err
    assert err.startswith("error[disk-failed]")
    assert "No such file or directory" in err
    assert "nowhere-at-all" not in err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é 東京 👍", "plain é 東京 👍"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\rb", "a\\rb"),
        ("abc\u202egnp.exe", "abc\\u202egnp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("c1 \x9b31m", "c1 \\x9b31m"),
        ("half \ud800", "half \\ud800"),
        ("line\u2028break", "line\\u2028break"),
    ],
)
def test_no_text_drives_a_terminal(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_a_stream_that_is_not_utf8_gets_escapes() -> None:
    environ = {**ENVIRON, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*CURATOR, "explain", "too-rare", "--lang", "fr"], env=environ, capture_output=True, check=True, text=True
    )
    assert "\\xf4ter plus de lignes" in done.stdout


def test_tables_and_pairs_align() -> None:
    rows = [("dataset", 1_234), ("model", 5)]
    assert table(rows, heads=("kind", "rows")) == "kind      rows\ndataset  1,234\nmodel        5"
    assert table([], heads=("kind",)) == ""
    assert pairs({"a": 1, "long name": "", "b": None}) == "a          1\nlong name\nb          None"
    assert pairs({}) == ""
