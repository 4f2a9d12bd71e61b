"""Conversion in a child process with a fixed hash seed and a fixed graph name: the same fit gives the same bytes.

skl2onnx orders parts of its graph by hash, so that PYTHONHASHSEED decides the bytes; it can only be set at the start of
a process. The fitted pipeline goes to the child through a pipe, never through a file: a pickle holds categories and
words of the rows, and one that cannot be found on a disk cannot be swapped either.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from curator.edges.onnx_models._fitted import Fitted, not_convertible, parts
from curator.errors import ParityError
from curator.inference import SILENT

_OPSETS = {"": 21, "ai.onnx.ml": 3}
_SECONDS = 900
_MARK = "curator-child-error:"


def convert(fitted: Fitted) -> bytes:
    """The fitted pipeline as an ONNX model, checked by `onnx.checker`, without any metadata yet.

    Inputs: one tensor (n, 1) per feature, float32 or string, named as the feature. Outputs: `label` (n,) and
    `probabilities` (n, classes), classes in ascending order; or `prediction` (n, 1).

    Raises:
        ParityError: `estimator-not-convertible` when skl2onnx cannot hold a step, or would hold it wrongly.
    """
    for part in parts(fitted.pipeline):
        if np.any(getattr(part, "is_categorical_", None)):
            raise not_convertible(type(part).__name__, "native categories, whose conversion is wrong without any error")
    return _run_child(_pickled(request_of(fitted), fitted), fitted)


def request_of(fitted: Fitted) -> dict[str, Any]:
    """What the child is told: plain values and the pipeline."""
    return {
        "pipeline": fitted.pipeline,
        "inputs": [(feature.name, feature.kind) for feature in fitted.features],
        "task": fitted.task,
        "opsets": _OPSETS,
    }


def _pickled(request: dict[str, Any], fitted: Fitted) -> bytes:
    try:
        return pickle.dumps(request, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError):
        raise not_convertible(
            type(fitted.pipeline).__name__, "a step holding a function or object of its own"
        ) from None


def _run_child(request: bytes, fitted: Fitted) -> bytes:
    command = [sys.executable, "-m", "curator.edges.onnx_models._child"]
    try:
        done = subprocess.run(command, input=request, capture_output=True, env=_environment(), timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise not_convertible(type(fitted.pipeline).__name__, f"no end after {_SECONDS} s") from None
    if done.returncode == 0 and done.stdout:
        return done.stdout
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    kinds = [line.removeprefix(_MARK) for line in lines if line.startswith(_MARK)]
    raise _refused(fitted, kinds[-1] if kinds else f"the converter ended with code {done.returncode}")


def _refused(fitted: Fitted, kind: str) -> ParityError:
    steps = {type(part).__name__ for part in parts(fitted.pipeline)} - {"Pipeline"}
    fault, _, step = kind.partition(" ")
    return not_convertible(
        ", ".join(sorted(step for step in steps if not step.startswith("_"))),
        f"skl2onnx refuses {step if step in steps else 'it'} ({fault})",
    )


def _environment() -> dict[str, str]:
    """The child finds the same modules and nothing else of ours: no key, no token of the parent's environment."""
    paths = [path or str(Path.cwd()) for path in sys.path]
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV") if name in os.environ}
    return (
        kept
        | SILENT
        | {
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONSAFEPATH": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
        }
    )


def library_versions() -> dict[str, str]:
    """Versions of everything that had a part in the bytes."""
    return {name: version(name) for name in ("scikit-learn", "skl2onnx", "onnx", "onnxruntime", "numpy")}


def opsets() -> dict[str, int]:
    """Operator set version per ONNX domain; "" is ONNX's own."""
    return dict(_OPSETS)
