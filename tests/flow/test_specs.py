"""The specs that ship: each is read without a fault, and the schema beside them is the one the code writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flows import SPECS

from curator.planning import plan
from curator.spec import json_schema, load_use_case, scope_of

ALL = sorted(SPECS.glob("*.yaml"))


def test_there_are_specs() -> None:
    assert {path.stem for path in ALL} >= {
        "accident-vehicles", "control-placement", "motor-register", "rescue-activity", "road-accidents",
        "road-narratives",
    }  # fmt: skip


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_spec_is_read_without_a_fault_and_is_called_as_its_file(path: Path) -> None:
    assert load_use_case(path).name == path.stem


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_spec_points_editors_to_the_schema(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=use-case.schema.json\n")


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_spec_has_a_plan_before_any_row_is_read(path: Path) -> None:
    spec = load_use_case(path)
    assert plan(spec, scope_of(spec))


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_no_direct_identifier_leaves_as_it_is(path: Path) -> None:
    kept = load_use_case(path).kept()
    assert {field.protect for field in kept.values() if field.identifier == "direct"} <= {"token", "mask"}


def test_schema_file_is_the_one_the_code_writes() -> None:
    stored = json.loads((SPECS / "use-case.schema.json").read_text(encoding="utf-8"))
    assert stored == json_schema(), (
        "write it again: json.dumps(json_schema(), indent=1) into specs/use-case.schema.json"
    )
