"""A store that speaks S3, on loopback, in a process of its own, stopped by its number."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from held_port import held_port

ACCESS = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "tester-secret", "AWS_DEFAULT_REGION": "us-east-1"}
_RUN = "from moto.server import main; import sys; main(sys.argv[1:])"


@contextmanager
def s3_server(log: Path) -> Iterator[str]:
    """The endpoint of a fresh store; its log holds one line a request."""
    with held_port() as port, log.open("wb") as stream:
        command = [sys.executable, "-c", _RUN, "-H", "127.0.0.1", "-p", str(port)]
        with subprocess.Popen(command, stdout=stream, stderr=stream) as process:
            try:
                _await(port, process)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                process.wait(600)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the S3 server did not start")
