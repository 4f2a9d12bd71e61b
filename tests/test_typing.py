"""The wrong order does not type-check: mypy is run on files whose wrong lines name the code that must refuse them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ERROR = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$")


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[int, set[str]]]:
    """File name -> line -> codes, from one run of mypy."""
    pytest.importorskip("mypy")
    files = sorted((HERE / "typing").glob("*.py"))
    cache = tmp_path_factory.mktemp("mypy")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--hide-error-context", "--no-pretty"]
    done = subprocess.run(
        [*command, "--config-file", str(HERE.parent / "pyproject.toml"), "--cache-dir", str(cache), *map(str, files)],
        capture_output=True, text=True, cwd=HERE.parent, timeout=1200,
    )  # fmt: skip
    found: dict[str, dict[int, set[str]]] = {path.name: {} for path in files}
    for line in done.stdout.splitlines():
        match = ERROR.fullmatch(line)
        if match and Path(match["file"]).name in found:
            found[Path(match["file"]).name].setdefault(int(match["line"]), set()).add(match["code"])
    assert done.returncode == 1, done.stdout + done.stderr
    return found


def expected(path: Path) -> dict[int, set[str]]:
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    return {number: {line.rpartition("# expect: ")[2]} for number, line in lines if "# expect: " in line}


def test_the_right_order_checks(verdicts: dict[str, dict[int, set[str]]]) -> None:
    assert verdicts["right_order.py"] == {}


def test_each_wrong_line_is_refused_for_its_reason(verdicts: dict[str, dict[int, set[str]]]) -> None:
    wanted = expected(HERE / "typing" / "wrong_order.py")
    assert len(wanted) > 25
    got = verdicts["wrong_order.py"]
    assert {line: codes for line, codes in wanted.items() if not codes <= got.get(line, set())} == {}
    assert got.keys() == wanted.keys()
