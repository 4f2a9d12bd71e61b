"""No dependency reports on anybody: loaded as curator does, each leaves no file in the home, and connects nowhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from capital_world import ROOT

from curator.capital import Capital

LOADED = {
    "a registered model": "import curator; curator.open(sys.argv[1]).model('injury-severity').session()",
    "a model in memory": "from curator.edges.onnx_models._session import OnnxModel; OnnxModel(model.read_bytes())",
    "a received model": "from curator.receiving._models import open_session; import hashlib; "
    "open_session(Path(sys.argv[2]), sha256=hashlib.sha256(model.read_bytes()).hexdigest())",
    "the runtime's faults": "from curator.edges.onnx_models._session import run_errors; run_errors()",
    "rows as datasets": "import curator; curator.open(sys.argv[1]).dataset('road-accidents').load('test')",
    "the rules of Great Expectations": "from curator.edges.expectations import *; import great_expectations; "
    "great_expectations.get_context(mode='ephemeral')",
}
START = "import sys; from pathlib import Path; model = Path(sys.argv[2])\n"
TALKS = ("ORT_", "HF_", "DO_NOT_TRACK", "DVC_NO", "GX_", "XDG_", "CURATOR_")


@pytest.mark.parametrize("what", LOADED)
def test_loading_leaves_nothing_in_the_home_of_the_user(what: str, whole: Capital, tmp_path: Path) -> None:
    """In a fresh process whose environment asks for no silence: curator itself must ask for it."""
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    model = shutil.copyfile(whole.workspace.root / "models/injury-severity/1.0.0/model.onnx", tmp_path / "model.onnx")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(TALKS)}
    environ = {
        **kept,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    log = tmp_path / "calls"
    traced = ["strace", "-f", "-qq", "-o", str(log), "-e", "trace=connect"] if shutil.which("strace") else []
    command = [sys.executable, "-c", START + LOADED[what], str(whole.workspace.root), str(model)]
    done = subprocess.run([*traced, *command], env=environ, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    left = [path for folder in (home, temporary) for path in folder.rglob("*") if path.is_file()]
    assert left == []
    if traced:
        assert [line for line in log.read_text(errors="replace").splitlines() if "AF_INET" in line] == []
