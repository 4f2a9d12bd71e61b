"""What Spark's own processes are given of this one."""

from __future__ import annotations

from pathlib import Path

import pytest
from spark_cluster import WITHHELD


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="the environment of processes is not shown here")
def test_the_java_process_has_no_key_and_no_password(spark: None) -> None:
    """A child's environment can be read, and is inherited by whatever the child starts."""
    from curator.engines.spark import _session

    given = Path(f"/proc/{_session._gateway.proc.pid}/environ").read_bytes().split(b"\0")
    names = {entry.partition(b"=")[0].decode() for entry in given}
    assert "PATH" in names
    assert not names & set(WITHHELD)
