"""Identifiers of other countries with their check digits, in the spellings of registers and spreadsheets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import outside_world
import pyarrow.parquet as parquet
import pytest
from outside_world import TOKEN, kept, spec_of

from curator.capital import RunOptions
from curator.records import DatasetVersion

_CPF = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]
FORMS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nhs": (
        {"pattern": "[0-9]{10}", "checks": [{"weights": [10, 9, 8, 7, 6, 5, 4, 3, 2, 1], "modulo": 11}]},
        ["9434765919", "943 476 5919", "943-476-5919"],
    ),
    "bsn": (
        {"pattern": "[0-9]{9}", "width": 9, "checks": [{"weights": [9, 8, 7, 6, 5, 4, 3, 2, -1], "modulo": 11}]},
        ["012345672", "12345672", "0123.45.672"],
    ),
    "cpf": (
        {"pattern": "[0-9]{11}", "width": 11, "checks": [{"weights": _CPF[1:], "modulo": 11, "symbols": "00987654321"},
                                                         {"weights": _CPF, "modulo": 11, "symbols": "00987654321"}]},
        ["01234567890", "012.345.678-90", "1234567890"],
    ),
    "my-number": (
        {"pattern": "[0-9]{12}",
         "checks": [{"weights": [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], "modulo": 11, "symbols": "00987654321"}]},
        ["123456789018", "1234-5678-9018", "１２３４５６７８９０１８", "１２３４\u3000５６７８\u3000９０１８"],
    ),
    "teudat-zehut": (
        {"pattern": "[0-9]{9}", "width": 9, "checks": ["luhn"]},
        ["000000018", "18", "\u200f000000018\u200e", "٠٠٠٠٠٠٠١٨", "\u202b00000001-8\u202c"],
    ),
    "ahv": (
        {"pattern": "756[0-9]{10}", "checks": [{"weights": [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1], "modulo": 10}]},
        ["7569217076985", "756.9217.0769.85"],
    ),
    "amka": ({"pattern": "[0-9]{11}", "width": 11, "checks": ["luhn"]}, ["01018012342", "1018012342", "010180 12342"]),
}  # fmt: skip


def made(folder: Path, form: dict[str, Any], *, spelt: list[str]) -> DatasetVersion:
    """The version of a table with one row a spelling."""
    lines = [json.dumps({"id": place, "who": text}, ensure_ascii=False) for place, text in enumerate(spelt)]
    (folder / "table.jsonl").write_text("\n".join(lines), encoding="utf-8")
    spec = spec_of({}, path="table.jsonl", forms={"theirs": {"title": "A number", "source": "Its law", **form}})
    spec["fields"] = {"who": {**TOKEN, "form": "theirs"}, "id": kept()}
    spec["name"] = f"identifiers-{next(outside_world._NUMBERS)}"
    path = folder / "spec.yaml"
    path.write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    return outside_world.CAPITALS[-1].curate(path, RunOptions(data=folder))


def tokens(version: DatasetVersion) -> list[bytes]:
    shards = sorted((version.folder / "data").rglob("*.parquet"))
    return [token for shard in shards for token in parquet.read_table(shard, partitioning=None)["who"].to_pylist()]


@pytest.mark.parametrize("name", FORMS)
def test_every_spelling_of_a_person_is_one_token_and_a_wrong_digit_is_told(tmp_path: Path, name: str) -> None:
    form, spelt = FORMS[name]
    version = made(tmp_path, form, spelt=spelt)
    assert len(set(tokens(version))) == 1
    assert version.notes == ()
    wrong = spelt[0][:-1] + str((int(spelt[0][-1]) + 1) % 10)
    version = made(tmp_path, form, spelt=[spelt[0], wrong])
    assert len(set(tokens(version))) == 2
    assert version.notes == ("`who`: 1 of 2 identifiers break the rules of their form",)


def test_a_number_that_a_spreadsheet_keeps_as_a_text_is_told(tmp_path: Path) -> None:
    form = {"pattern": "[0-9]{11}", "checks": [{"weights": [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1], "modulo": 10}]}
    version = made(tmp_path, form, spelt=["44051401359", '="44051401359"', "'44051401359", "4.40514E+10"])
    assert version.notes == ("`who`: 2 of 4 identifiers break the rules of their form",)
