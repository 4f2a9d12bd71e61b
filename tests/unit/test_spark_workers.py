"""What a Spark worker tells of itself, and what is refused of it: no Java is started here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from curator.errors import StorageError, UsageError
from curator.spreading import Writing

pytest.importorskip("pyspark")

ROW = pa.record_batch({"id": [0]})


def test_a_worker_tells_what_it_has_and_what_it_lacks() -> None:
    from curator.engines.spark._workers import telling, versions

    (told,) = telling(("curator", "pyarrow", "no_such_package", "json.decoder"))(iter([ROW]))
    found = json.loads(told.column("data")[0].as_py())
    assert found == {**versions(("curator", "pyarrow")), "no_such_package": "missing", "json.decoder": "missing"}


def test_what_a_worker_tells_with_needs_nothing_of_curator_there() -> None:
    from pyspark.cloudpickle import dumps

    from curator.engines.spark._transport import reaching
    from curator.engines.spark._workers import telling

    for step in (telling(("pyarrow",)), reaching(["/"])):
        assert b"curator.errors" not in dumps(step)
        assert b"RecordBatch" in dumps(step)


def test_a_task_refuses_to_work_with_other_packages() -> None:
    from curator.engines.spark._faults import CarriedFaultError, translate
    from curator.engines.spark._workers import require_same, versions

    require_same(versions())
    with pytest.raises(CarriedFaultError) as carried:
        require_same({**versions(), "pyarrow": "0.1"})
    fault = translate("x", f"Job aborted: {carried.value}")
    assert isinstance(fault, UsageError)
    assert fault.code == "spark-worker"
    assert fault.found == f"a worker with pyarrow {pa.__version__}"
    assert fault.expected.endswith("pyarrow 0.1")


@pytest.mark.parametrize(
    "said",
    [
        "ModuleNotFoundError: No module named 'curator'",
        "[PYTHON_VERSION_MISMATCH] Python in worker has different version",
        'java.io.IOException: Cannot run program "/opt/python": error=2',
        "java.io.InvalidClassException: local class incompatible",
    ],
)
def test_what_spark_says_of_an_unlike_worker_is_told_so(said: str) -> None:
    from curator.engines.spark._faults import translate

    assert translate("x", said).code == "spark-worker"


def test_rows_that_went_with_a_worker_are_told_so() -> None:
    from curator.engines.spark._faults import translate

    assert translate("x", "Checkpoint block rdd_0_0 not found! Perhaps").code == "spark-lost"


@pytest.mark.parametrize(
    ("master", "here"),
    [("spark://127.0.0.1:7077", "127.0.0.1"), ("spark://127.0.0.1:7077,10.0.0.1:7077", "127.0.0.1"), ("yarn", "")],
)
def test_workers_are_given_the_address_by_which_the_master_is_reached(master: str, here: str) -> None:
    from curator.engines.spark._session import _reaching

    assert _reaching(master) == here


def test_a_worker_without_the_folder_of_the_version_writes_nothing(tmp_path: Path) -> None:
    """It would make a folder of its own, and its shards would be lost."""
    writing = Writing(folder=tmp_path / "v", splits=("all",), failing=np.empty(0, np.uint64), keys=False)
    with pytest.raises(StorageError) as refused:
        writing(0, iter(()))
    assert refused.value.code == "spark-folder"
    assert not [*tmp_path.iterdir()]
