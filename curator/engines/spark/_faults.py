"""Spark's faults as curator's: what Spark says is dropped, for it quotes cells, formulas and stack traces.

A fault that curator itself raises inside an executor (a file cut short, a cell that is no text) travels home as a line
of JSON inside Spark's message. Errors of curator hold no value of a row, so that the line may be read again.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from curator import errors
from curator.engines._refusals import no_memory, no_space, too_large
from curator.errors import CuratorError, SourceError, StorageError, UsageError

_MARK = "curator-fault:"
_CARRIED = re.compile(re.escape(_MARK) + r"([A-Za-z0-9+/=]+)")
_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_]{2,60})(?:\.[A-Z0-9_]+)?\]")
_SIGNS = {
    "no-space": ("No space left on device",),
    "engine-memory": ("java.lang.OutOfMemoryError", "UNABLE_TO_ACQUIRE_MEMORY", "SparkOutOfMemoryError"),
    "number-overflow": ("ARITHMETIC_OVERFLOW", "NUMERIC_VALUE_OUT_OF_RANGE"),
    "source-unreadable": ("FAILED_READ_FILE", "PATH_NOT_FOUND", "FileNotFoundException", "UNABLE_TO_INFER_SCHEMA"),
    "worker-differs": ("PYTHON_VERSION_MISMATCH", "ModuleNotFoundError", "ImportError", "Can't get attribute",
                       "Cannot run program", "Error from python worker", "InvalidClassException"),
    "engine-lost": ("Could not parse Master URL", "All masters are unresponsive", "SparkContext was shut down",
                    "SparkContext has been shutdown", "stopped SparkContext", "ExecutorLostFailure",
                    "CHECKPOINT_RDD_BLOCK_ID_NOT_FOUND", "Checkpoint block"),
}  # fmt: skip


class CarriedFaultError(Exception):
    """A fault of curator on its way through Spark."""


def carry(fault: CuratorError) -> CarriedFaultError:
    """The fault as something Spark can carry home."""
    document = {"class": type(fault).__name__, **fault.to_json()}
    return CarriedFaultError(_MARK + base64.b64encode(json.dumps(document).encode()).decode())


@contextmanager
def translated(asked: str) -> Iterator[None]:
    """Turn Spark's faults into curator's."""
    try:
        yield
    except (PySparkException, Py4JError) as fault:
        raise translate(asked, str(fault)) from None


def translate(asked: str, message: str) -> CuratorError:
    """What Spark's message means, without its words."""
    carried = _CARRIED.search(message)
    if carried:
        return _read(json.loads(base64.b64decode(carried.group(1))))
    kind = next((code for code, signs in _SIGNS.items() if any(sign in message for sign in signs)), None)
    if kind is not None:
        return _KNOWN[kind](asked)
    condition = _CONDITION.search(message)
    named = f" called {condition.group(1)}" if condition else ""
    return SourceError(
        "source-malformed",
        asked=asked,
        found=f"a fault of the engine{named} (its text is withheld: it may quote a cell)",
        expected="rows of the declared shape",
        todo="run the same spec on the engine duckdb, which names the place, or check the source's declaration",
    )


def _read(document: dict[str, Any]) -> CuratorError:
    kind = getattr(errors, document["class"], SourceError)
    words = {name: document[name] for name in ("asked", "found", "expected", "todo")}
    fault: CuratorError = kind(document["error"], **words)
    return fault


def _unreadable(asked: str) -> CuratorError:
    return SourceError(
        "source-unreadable",
        asked=asked,
        found="a file that cannot be read, or that is not what its format says",
        expected="a readable file of the declared format, at the same place on every machine of the cluster",
        todo="check the file, its `format` and its permissions",
    )


def _lost(asked: str) -> CuratorError:
    return StorageError(
        "spark-lost",
        asked=asked,
        found="no Spark master, or executors that went away",
        expected="a running cluster at CURATOR_SPARK_MASTER, with the same Spark and the same secret",
        todo="start the cluster again, or leave CURATOR_SPARK_MASTER out to work on this machine alone",
    )


def unlike(
    asked: str,
    *,
    found: str = "a worker without the Python, the Spark or the packages of this machine, or with others",
    here: str = "the same Python, Spark and curator",
) -> UsageError:
    """The refusal of a machine that has other programs than this one; `here` tells what this one has."""
    return UsageError(
        "spark-worker",
        asked=asked,
        found=found,
        expected=f"on every machine of the cluster {here}",
        todo="install curator in the same version there, for the Python that PYSPARK_PYTHON names",
    )


_KNOWN = {
    "no-space": no_space,
    "engine-memory": no_memory,
    "number-overflow": too_large,
    "source-unreadable": _unreadable,
    "worker-differs": unlike,
    "engine-lost": _lost,
}
