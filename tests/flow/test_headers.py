"""Headers as real tables have them: a column without a name, the same name twice, letters of another case."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flows import SPECS, Flow

from curator.capital import Preview, RunOptions
from curator.errors import SourceError
from curator.spec.reading import read_document


def _check(flow: Flow, folder: Path, *, text: str) -> Preview:
    """Check the two columns `key` and `value` of a text."""
    (folder / "table.csv").write_text(text, encoding="utf-8")
    value = read_document(SPECS / "accident-vehicles.yaml").value
    columns = {"key": "text", "value": "integer"}
    value |= {
        "sources": {"table": {"path": "table.csv", "columns": columns}},
        "extract": {"from": "table", "row_key": ["key"], "entity": ["key"]},
        "fields": {"value": {"meaning": "A number."}},
        "quality": {},
    }
    (folder / "spec.yaml").write_text(json.dumps(value), encoding="utf-8")
    return flow.capital.preview(folder / "spec.yaml", until="check", options=RunOptions(data=folder))


@pytest.mark.parametrize(
    "header",
    [
        ",key,value",  # a data frame's index, written without a name
        "key,,value",
        "key,value,",
        "note,key,value,note",  # the same name twice, which nobody asks for
        "Note,key,value,NOTE",
        ",key,value,,",
    ],
)
def test_columns_that_nobody_declares_may_be_called_anything(flow: Flow, tmp_path: Path, header: str) -> None:
    names = header.split(",")
    line = ",".join({"key": "a", "value": "7"}.get(name, "x") for name in names)
    preview = _check(flow, tmp_path, text=f"{header}\n{line}\n")
    assert preview.quality is not None
    assert (preview.quality["rows"], preview.quality["accepted"]) == (1, 1)
    assert preview.extraction["sources"]["table"]["columns_left_unread"] == len(names) - 2


@pytest.mark.parametrize("header", ["key,value,value", "value,key,VALUE", "Value,key,value"])
def test_a_declared_column_that_is_there_twice_is_refused(flow: Flow, tmp_path: Path, header: str) -> None:
    with pytest.raises(SourceError, match="more than one column named `value`") as refused:
        _check(flow, tmp_path, text=f"{header}\n1,2,3\n")
    assert refused.value.code == "source-column-repeated"
