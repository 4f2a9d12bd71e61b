"""The converting process: a pickled request on standard input, ONNX bytes on standard output.

Started by `convert` only, which is also who wrote the pickle. Errors leave as the name of their type and of the step
that was being converted: a converter's message may quote categories, which are values of rows.
"""

from __future__ import annotations

import os
import pickle
import sys
from types import TracebackType
from typing import Any

from curator.edges.onnx_models._convert import _MARK
from curator.edges.onnx_models._fitted import parts, reads_text

# RE2, which onnxruntime uses, knows `\w` in ASCII only; these are the classes of str.isalnum() and the underscore.
_DEFAULT_WORDS = r"(?u)\b\w\w+\b"
_RE2_WORDS = r"[\p{L}\p{N}_]{2,}"


def main() -> None:
    """Convert one model."""
    sys.excepthook = _name_only
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)  # a library that prints must not spoil the bytes
        request = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 (our own pipe, written by our parent)
        answer.write(convert_request(request))


def _name_only(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(f"\n{_MARK}{kind.__name__} {_step_in(trace)}\n")


def _step_in(trace: TracebackType | None) -> str:
    """Name of the class of the innermost step that was being converted; empty before any was."""
    found = ""
    while trace is not None:
        for value in list(trace.tb_frame.f_locals.values()):
            step = getattr(value, "raw_operator", None)  # skl2onnx hands each step on within an object of its own
            found = type(step).__name__ if step is not None else found
        trace = trace.tb_next
    return found


def convert_request(request: dict[str, Any]) -> bytes:
    """ONNX bytes for a request of `convert`; the order of some parts follows PYTHONHASHSEED."""
    import onnx
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    classify = request["task"] == "classification"
    pipeline = _addressed(_eased(request["pipeline"]), request["inputs"])
    types = {"number": FloatTensorType, "text": StringTensorType}
    model = convert_sklearn(
        pipeline,
        name="curator",
        doc_string="",
        initial_types=[(name, types[kind]([None, 1])) for name, kind in request["inputs"]],
        final_types=None if classify else [("prediction", FloatTensorType([None, 1]))],
        target_opset=request["opsets"],
        options=_options(pipeline, classify=classify),
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _eased(pipeline: Any) -> Any:
    """The pipeline, this process's own copy, in a form of equal answers that skl2onnx takes."""
    for part in parts(pipeline):
        if hasattr(part, "flatten_transform"):  # of a vote: how `transform` would shape what no prediction reads
            part.flatten_transform = False
        if getattr(part, "encode", None) == "onehot" and hasattr(part, "bin_edges_"):
            part.encode = "onehot-dense"
    return pipeline


def _addressed(pipeline: Any, inputs: list[tuple[str, str]]) -> Any:
    """The pipeline behind a step that gathers the named inputs, unless it addresses columns by name itself."""
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    first = pipeline
    while hasattr(first, "steps"):
        first = first.steps[0][1]
    if isinstance(first, ColumnTransformer) or reads_text(pipeline) or len(inputs) == 1:
        return pipeline
    names = [name for name, _ in inputs]
    kinds = {kind for _, kind in inputs}
    sample = pd.DataFrame([["" if "text" in kinds else 0.0] * len(names)], columns=names)
    gather = ColumnTransformer([("inputs", "passthrough", names)]).fit(sample)
    return Pipeline([("inputs", gather), ("model", pipeline)])


def _options(pipeline: Any, *, classify: bool) -> dict[int, dict[str, Any]]:
    options: dict[int, dict[str, Any]] = {id(pipeline): {"zipmap": False}} if classify else {}
    for part in parts(pipeline):
        if hasattr(part, "token_pattern"):
            options[id(part)] = {"locale": "C.UTF-8"}
            if part.analyzer == "word" and part.token_pattern == _DEFAULT_WORDS:
                options[id(part)]["tokenexp"] = _RE2_WORDS
    return options


if __name__ == "__main__":
    main()
