"""Reads a YAML spec as plain values, each with its place, and refuses what could harm or mislead.

Limits come before parsing: size, then nesting and node count on the event stream. Anchors and aliases are refused (an
alias bomb expands later), so are tags, duplicate keys and several documents. Scalars follow the YAML 1.2 core schema
(yaml.org/spec/1.2.2, 10.3.2): `no` is text, `012` is text, `24:00` is text; only `true`/`false`, plain decimal numbers
and `null` are anything else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from curator.errors import Fault, SpecError

MAX_BYTES = 1_000_000
MAX_DEPTH = 30
MAX_NODES = 50_000

_TOO_LARGE = object()

Path_ = tuple[str | int, ...]
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_LARGEST = 2**53 - 1  # the largest integer that every JSON reader holds exactly (RFC 8785, 3.2.2.3)
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?\Z")
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values, and where each of them stands.

    Attributes:
        file: the name shown in faults.
        value: the mapping at the top.
        places: path of keys and indexes -> (line, column), both from 1; keys have the place of the key itself.
    """

    file: str
    value: dict[str, Any]
    places: dict[Path_, tuple[int, int]]

    def fault(self, path: Path_, *, found: str, expected: str) -> Fault:
        """A fault at `path`, or at its nearest parent that has a place."""
        while path and path not in self.places:
            path = path[:-1]
        line, column = self.places.get(path, (1, 1))
        return Fault(file=self.file, line=line, column=column, found=found, expected=expected)


def read_document(path: Path) -> Document:
    """Read one spec file. Raises SpecError with the place of the first thing that cannot be read."""
    if not path.is_file():
        raise _refused(path.name, "spec-missing", found="no such file", expected="the path of a use-case spec in YAML")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise _refused(path.name, "spec-too-large", found=f"{size:,} bytes", expected=f"at most {MAX_BYTES:,} bytes")
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise _refused(
            path.name, "spec-not-utf8", found="bytes that are not UTF-8", expected="a UTF-8 text file"
        ) from None
    return parse_document(text, file=path.name)


def parse_document(text: str, *, file: str) -> Document:
    """Parse YAML text into values and places. Raises SpecError likewise."""
    try:
        _check_events(text, file=file)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        place = _place(mark) if mark else (1, 1)
        found = str(fault.problem or fault.context).removeprefix("but ").removeprefix("found ")
        raise _refused(file, "spec-not-yaml", found=found, expected="well-formed YAML", place=place) from None
    except (yaml.YAMLError, ValueError) as fault:
        raise _refused(
            file, "spec-not-yaml", found=f"a {type(fault).__name__}", expected="well-formed YAML text"
        ) from None
    if not isinstance(node, yaml.MappingNode):
        raise _refused(
            file, "spec-not-yaml", found="no mapping at the top", expected="`key: value` lines, the first `curator: 1`"
        )
    places: dict[Path_, tuple[int, int]] = {}
    return Document(file=file, value=_mapping(node, (), context=_Context(file, places)), places=places)


@dataclass(frozen=True)
class _Context:
    file: str
    places: dict[Path_, tuple[int, int]]


def _check_events(text: str, *, file: str) -> None:
    depth = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=_Loader), start=1):
        place = _place(event.start_mark) if event.start_mark else (0, 0)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused(
                file, "spec-alias", found="a YAML anchor or alias", expected="every value written out", place=place
            )
        if getattr(event, "tag", None) and not getattr(event, "implicit", True):
            raise _refused(file, "spec-tag", found="a YAML tag", expected="plain values without `!`", place=place)
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise _refused(
                file,
                "spec-too-deep",
                found="more nesting or more values than a spec can need",
                expected=f"at most {MAX_DEPTH} levels and {MAX_NODES:,} values",
                place=place,
            )


def _value(node: Any, path: Path_, *, context: _Context) -> Any:
    context.places.setdefault(path, _place(node.start_mark))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, context=context)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, index), context=context) for index, child in enumerate(node.value)]
    value = _scalar(node)
    if value is _TOO_LARGE:
        raise _refused(
            context.file,
            "spec-number-too-large",
            found="a number of too many digits",
            expected=f"at most {_LARGEST:,}, or quotes around it",
            place=_place(node.start_mark),
        )
    return value


def _mapping(node: Any, path: Path_, *, context: _Context) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in _pairs(node, context):
        key, place = key_node.value, _place(key_node.start_mark)
        if key in result:
            raise _refused(
                context.file,
                "spec-duplicate-key",
                found=f"the key `{key}` twice",
                expected="each key once",
                place=place,
            )
        context.places[(*path, key)] = place
        result[key] = _value(value_node, (*path, key), context=context)
    return result


def _pairs(node: Any, context: _Context) -> Iterator[tuple[Any, Any]]:
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _refused(
                context.file,
                "spec-not-yaml",
                found="a key that is not text",
                expected="plain text keys",
                place=_place(key_node.start_mark),
            )
        yield key_node, value_node


def _scalar(node: Any) -> Any:
    text = node.value
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.match(text):
        return int(text) if len(text) < 20 and abs(int(text)) <= _LARGEST else _TOO_LARGE
    number = float(text) if _FLOAT.match(text) else math.inf
    return number if math.isfinite(number) else text


def _place(mark: Any) -> tuple[int, int]:
    """Line and column, from 1 on."""
    return mark.line + 1, mark.column + 1


def _refused(file: str, code: str, *, found: str, expected: str, place: tuple[int, int] = (0, 0)) -> SpecError:
    line, column = place
    return SpecError(
        code,
        asked=f"read the spec {file}",
        found=found,
        expected=expected,
        todo="correct the file and run `curator spec check` again",
        faults=[Fault(file=file, line=line, column=column, found=found, expected=expected)],
    )
