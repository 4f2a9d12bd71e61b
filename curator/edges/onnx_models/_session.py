"""A converted model as a receiver runs it: onnxruntime on the CPU, one tensor (n, 1) per feature, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from curator.edges.onnx_models._features import Columns, Task
from curator.errors import ParityError
from curator.inference import runtime

_KINDS = {"tensor(float)": np.float32, "tensor(string)": object}


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a model says of n rows.

    Attributes:
        labels: classification: shape (n,), int64 or str objects; regression: empty.
        scores: classification: probabilities, shape (n, classes), classes in ascending order; regression: predictions,
            shape (n, 1), in the unit of the target.
    """

    labels: np.ndarray[Any, Any]
    scores: np.ndarray[Any, Any]


class OnnxModel:
    """An ONNX file in memory, ready to answer; sequential, so that the same rows give the same bits.

    Raises:
        ParityError: `onnx-not-runnable` when onnxruntime refuses the bytes.
    """

    def __init__(self, model: bytes) -> None:
        ort = runtime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # its messages may quote what a row holds
        try:
            self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except run_errors() as fault:
            raise not_runnable(type(fault).__name__) from None

    @property
    def inputs(self) -> list[dict[str, object]]:
        """Name, element type and shape of each input; null stands for any number of rows."""
        return [_port(port) for port in self._session.get_inputs()]

    @property
    def outputs(self) -> list[dict[str, object]]:
        """Name, element type and shape of each output; null stands for any number of rows."""
        return [_port(port) for port in self._session.get_outputs()]

    def answers(self, columns: Columns, *, task: Task) -> Answers:
        """What the model says of the rows of `columns`.

        Raises:
            ParityError: `onnx-not-runnable` when onnxruntime fails on them.
        """
        feeds = {p.name: columns[p.name].astype(_KINDS[p.type]).reshape(-1, 1) for p in self._session.get_inputs()}
        try:
            outputs: Sequence[Any] = self._session.run(None, feeds)
        except run_errors() as fault:
            raise not_runnable(type(fault).__name__) from None
        if task == "regression":
            return Answers(labels=np.empty(0), scores=np.asarray(outputs[0]).reshape(-1, 1))
        return Answers(labels=np.asarray(outputs[0]).ravel(), scores=np.asarray(outputs[1]))


def run_errors() -> tuple[type[BaseException], ...]:
    """Everything onnxruntime raises; its classes share no base but Exception."""
    runtime()
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NotImplemented",
        "RuntimeException",
        "EPFail",
    )
    return (*(getattr(state, name) for name in names), RuntimeError, ValueError)


def not_runnable(found: str) -> ParityError:
    """The error for a model that onnxruntime cannot load or run; `found` is an error's type, never its message."""
    return ParityError(
        "onnx-not-runnable",
        asked="run the converted model with onnxruntime",
        found=found,
        expected="a model that loads, and answers every row",
        todo="simplify the pipeline step by step until it runs; texts need the locale C.UTF-8 on the machine",
    )


def _port(port: Any) -> dict[str, object]:
    shape = [size if isinstance(size, int) else None for size in port.shape]
    return {"name": port.name, "type": port.type, "shape": shape}
