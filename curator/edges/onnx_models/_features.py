"""What goes into a model: one named column per feature, a 32-bit number or a text, and how a null is told.

Null policy, the same for training, for proof and for whoever receives the file: **a null number is NaN, a null text
is the empty text.** Numbers are 32-bit from the start, because that is what the converted model computes in: a model
trained on 64-bit numbers can fall on the other side of its own thresholds once converted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.errors import QualityError, SpecError

if TYPE_CHECKING:
    import pandas as pd

Kind: TypeAlias = Literal["number", "text"]
Task: TypeAlias = Literal["classification", "regression"]
Columns: TypeAlias = Mapping[str, "np.ndarray[Any, Any]"]
"""Feature name -> array of shape (n,): float32 for numbers (NaN is null), object of str for texts ("" is null)."""

OUTPUTS = ("label", "probabilities", "prediction")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One input of a model.

    Attributes:
        name: column of the dataset and input of the ONNX graph.
        kind: `number` is a float32 tensor (n, 1); `text` a string tensor (n, 1).
    """

    name: str
    kind: Kind


def signature(schema: pa.Schema, names: Sequence[str]) -> tuple[Feature, ...]:
    """The inputs that the columns `names` make, in that order.

    Integers, floats, decimals and booleans are numbers; texts (also dictionary-encoded) are texts.

    Raises:
        SpecError: `feature-absent` when a column is missing, `feature-type` for dates, tokens and nested types,
            `feature-name` for a name that ONNX could not keep.
    """
    if not names:
        raise _absent("no feature at all")
    for name in names:
        _check_name(name)
        if schema.get_field_index(name) < 0:
            raise _absent(f"no single column `{name}`")
    return tuple(Feature(name=name, kind=_kind(schema.field(name))) for name in names)


def _check_name(name: str) -> None:
    """Refuse what the converter would rename without a word, and what its outputs are called."""
    if _NAME.fullmatch(name) and name not in OUTPUTS:
        return
    raise SpecError(
        "feature-name",
        asked=f"name an input of the model `{name}`",
        found="a name with other characters than ASCII letters, digits and `_`, or the name of an output",
        expected=f"a plain name, none of {', '.join(OUTPUTS)}",
        todo="rename the column; the converted model must be called by the names of the dataset",
    )


def _kind(field: pa.Field[Any]) -> Kind:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if _is_number(kind):
        return "number"
    if _is_text(kind):
        return "text"
    raise SpecError(
        "feature-type",
        asked=f"use `{field.name}` as a feature",
        found=f"a column of type {field.type}",
        expected="numbers, booleans or texts",
        todo=f"derive a number from `{field.name}` (an age in days, a month, an hour) or leave it out of the features",
    )


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _absent(found: str) -> SpecError:
    return SpecError(
        "feature-absent",
        asked="read the features of a model",
        found=found,
        expected="features that are columns of the dataset, each once",
        todo="compare the model's `features` with the dataset's columns (`curator show`)",
    )


def columns_of(table: pa.Table, features: Sequence[Feature]) -> dict[str, np.ndarray[Any, Any]]:
    """The features of a table as a model reads them: arrays of shape (n,), nulls as the module says.

    Raises:
        QualityError: `feature-not-finite` when a number is infinite or beyond the range of 32-bit floats (3.4e38).
        SpecError: as `signature`, when a column is not what the model learnt from.
    """
    found = signature(table.schema, [feature.name for feature in features])
    for want, got in zip(features, found, strict=True):
        if want.kind != got.kind:
            raise _absent(f"`{want.name}` as {got.kind}, learnt as {want.kind}")
    return {f.name: _numbers(table, f.name) if f.kind == "number" else _texts(table, f.name) for f in features}


def plain(table: pa.Table, name: str) -> pa.ChunkedArray[Any]:
    """A column without its dictionary encoding."""
    column = table.column(name)
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _numbers(table: pa.Table, name: str) -> np.ndarray[Any, Any]:
    column = plain(table, name)
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64(), safe=False)
    filled: Any = pc.fill_null(column.cast(pa.float32(), safe=False), pa.scalar(float("nan"), pa.float32()))
    values = _memory(filled, np.float32)
    infinite = int(np.isinf(values).sum())
    if infinite:
        raise QualityError(
            "feature-not-finite",
            asked=f"read `{name}` as 32-bit numbers",
            found=f"{infinite} rows that are infinite or beyond 3.4e38",
            expected="finite numbers, or nulls",
            todo=f"add an `expect_column_values_to_be_between` on `{name}` to the spec, or derive a bounded number",
        )
    return values


def _memory(column: Any, kind: type[np.generic]) -> np.ndarray[Any, Any]:
    """A chunked array without nulls as one numpy array of the same fixed width, from Arrow's own memory."""
    chunks = [chunk for chunk in column.chunks if len(chunk)]
    parts = [np.frombuffer(c.buffers()[1], kind)[c.offset : c.offset + len(c)] for c in chunks]
    return np.concatenate(parts) if parts else np.empty(0, kind)


def texts(table: pa.Table, name: str) -> Any:
    """A text column as Arrow large strings, a null as the empty text."""
    return pc.fill_null(plain(table, name).cast(pa.large_string()), pa.scalar("", pa.large_string()))


def _texts(table: pa.Table, name: str) -> np.ndarray[Any, Any]:
    values = np.empty(table.num_rows, dtype=object)
    values[:] = texts(table, name).to_pylist()
    return values


def frame_of(columns: Columns) -> pd.DataFrame:
    """The columns as scikit-learn's ColumnTransformer addresses them, texts as plain Python str objects."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()})


def read_target(table: pa.Table, target: str, *, task: Task) -> tuple[pa.Table, np.ndarray[Any, Any]]:
    """The rows that have a target, and their targets: shape (n,).

    Null policy: a row without target teaches nothing and measures nothing; it is left out.

    Returns:
        The rows kept, and labels (int64, or object of str; booleans become 0 and 1) or float64 values.

    Raises:
        SpecError: `target-absent` when there is no such column, `target-type` when the task cannot be done with it.
    """
    if table.schema.get_field_index(target) < 0:
        raise SpecError(
            "target-absent",
            asked=f"learn to predict `{target}`",
            found="no such column in the dataset",
            expected="a target that is a written field (not dropped, not a token)",
            todo="correct `model.target` in the spec, or keep that field",
        )
    rows = table.filter(pc.is_valid(table.column(target)))
    column = plain(rows, target)
    if task == "regression" and _is_number(column.type):
        return rows, _memory(column.cast(pa.float64(), safe=False), np.float64)
    if task == "classification" and (pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)):
        return rows, _memory(column.cast(pa.int64(), safe=False), np.int64)
    if task == "classification" and _is_text(column.type):
        return rows, _texts(rows, target)
    raise SpecError(
        "target-type",
        asked=f"learn `{target}` by {task}",
        found=f"a column of type {column.type}",
        expected="numbers for regression; texts, integers or booleans for classification",
        todo="change `model.task`, or derive a target of the right type",
    )
