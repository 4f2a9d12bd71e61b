"""Use-case specs: read, checked, described.

`load_use_case` reads a YAML spec and reports *all* of its faults at once, each with file, line, column, what was found
and what was expected with the nearest valid word. The records themselves are in `curator.spec.model`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from curator.errors import Fault, SpecError
from curator.spec.checks import troubles_of
from curator.spec.model import UseCase
from curator.spec.nearest import nearest
from curator.spec.reading import Document, parse_document, read_document
from curator.spec.scope import Scope, build_scope

__all__ = ["Scope", "UseCase", "build_scope", "json_schema", "load_use_case", "parse_use_case", "scope_of"]


def load_use_case(path: Path) -> UseCase:
    """Read and check a spec file. Raises SpecError carrying every fault found."""
    return _checked(read_document(path))


def parse_use_case(text: str, *, file: str = "spec.yaml") -> UseCase:
    """Read and check a spec given as YAML text. Raises SpecError likewise."""
    return _checked(parse_document(text, file=file))


def scope_of(spec: UseCase) -> Scope:
    """The names a checked spec can use, with their types and formulas."""
    return build_scope(spec)[0]


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a spec, for completion in editors."""
    schema = UseCase.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "curator use case"
    column = schema["$defs"]["Column"]
    schema["$defs"]["Column"] = {"anyOf": [{"$ref": "#/$defs/LogicalType"}, column], "title": "Column"}
    return schema


def _checked(document: Document) -> UseCase:
    try:
        spec = UseCase.model_validate_json(json.dumps(document.value))
    except ValidationError as invalid:
        raise _refusal(document, [_fault(document, error) for error in invalid.errors()]) from None
    troubles = troubles_of(spec)[1]
    if troubles:
        faults = [document.fault(item.path, found=item.found, expected=item.expected) for item in troubles]
        raise _refusal(document, faults)
    return spec


def _refusal(document: Document, faults: list[Fault]) -> SpecError:
    ordered = sorted(dict.fromkeys(faults), key=lambda fault: (fault.line, fault.column))
    count = f"{len(ordered)} fault" + ("s" if len(ordered) > 1 else "")
    return SpecError(
        "spec-invalid",
        asked=f"read the use case in {document.file}",
        found=count,
        expected="a spec that `curator spec schema` describes and whose parts agree",
        todo="correct each place below, then run `curator spec check` again",
        faults=ordered,
    )


def _fault(document: Document, error: Any) -> Fault:
    path = _existing(document, error["loc"])
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden" and error["input"] is None and " " in str(path[-1]):
        expected = "quotes around the whole text before it: in `{...}` a comma ends a text"
        return document.fault(path, found=f"the key `{path[-1]}`", expected=expected)
    if kind == "extra_forbidden":
        return document.fault(path, found=f"the key `{path[-1]}`", expected=nearest(str(path[-1]), _known_keys(path)))
    if kind == "missing":
        return document.fault(path, found=f"no `{error['loc'][-1]}`", expected=f"the key `{error['loc'][-1]}`")
    if kind in ("enum", "literal_error"):
        words = [word.strip("' ") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
        return document.fault(path, found=_shown(error["input"]), expected=nearest(str(error["input"]), words))
    return document.fault(path, found=_shown(error["input"]), expected=_lower(error["msg"]))


def _existing(document: Document, location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """A pydantic location without the parts that are not keys of the document (union tags and the like)."""
    path: tuple[str | int, ...] = ()
    for part in location:
        if (*path, part) in document.places:
            path = (*path, part)
    return path


def _known_keys(path: tuple[str | int, ...]) -> list[str]:
    """Keys allowed beside an unknown one, found by walking the schema."""
    schema = json_schema()
    here: Any = schema
    for part in path[:-1]:
        here = _resolve(schema, here)
        properties = here.get("properties", {})
        keyed = next(iter(here.get("patternProperties", {}).values()), None)  # a mapping whose keys have a pattern
        here = properties.get(part) or here.get("items") or keyed or here.get("additionalProperties") or {}
    return sorted(_properties(schema, here))


def _resolve(schema: dict[str, Any], here: Any) -> dict[str, Any]:
    while isinstance(here, dict) and "$ref" in here:
        here = schema["$defs"][here["$ref"].rsplit("/", 1)[1]]
    choices = (here.get("anyOf") or here.get("oneOf") or []) if isinstance(here, dict) else []
    for choice in choices:
        resolved = _resolve(schema, choice)
        if "properties" in resolved or "items" in resolved:
            return resolved
    return here if isinstance(here, dict) else {}


def _properties(schema: dict[str, Any], here: Any) -> set[str]:
    here = here if isinstance(here, dict) else {}
    names = set(_resolve(schema, here).get("properties", {}))
    for choice in here.get("anyOf", here.get("oneOf", [])):
        names |= set(_resolve(schema, choice).get("properties", {}))
    return names


def _shown(value: Any) -> str:
    """A spec's own value, short: specs hold no row."""
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _lower(message: str) -> str:
    """What the validator says should be, as the end of "expected ..."."""
    message = message.removeprefix("Input should be ").removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
