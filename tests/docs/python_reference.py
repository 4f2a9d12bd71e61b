"""Writes docs/reference/python.md from the docstrings of the public names: `python tests/docs/python_reference.py`."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "python.md"
ORDER = ("open", "create", "Capital", "RunOptions", "DatasetVersion", "ModelVersion", "open_package", "Package",
         "load_use_case", "UseCase", "CuratorError")  # fmt: skip
_HEAD = """\
# Python

The public names of `curator`, and nothing else: what is not on this page may change without a word. This page is made
from the code by `python tests/docs/python_reference.py`, and a test holds it to the code.

Importing `curator` loads nothing heavy; each name is imported when it is first used.
"""
_MODULE = re.compile(r"\b(?:[a-z_]\w*\.)+(?=[A-Z_a-z])")


def build() -> str:
    """The page."""
    import curator

    errors = [name for name in sorted(curator.__all__) if name.endswith("Error") and name not in ORDER]
    if set(ORDER) | set(errors) | {"__version__"} != set(curator.__all__):
        raise ValueError("a public name has no place on the page: add it to ORDER")
    parts = [_HEAD]
    for name in ORDER:
        parts += _describe(getattr(curator, name), name)
    parts.append("## Errors\n\nEach is a `CuratorError`, with the exit code of its class.\n")
    rows = [getattr(curator, name) for name in errors]
    lines = [f"| `{error.__name__}` | {error.exit_code} | {_summary(error)} |" for error in rows]
    parts.append("\n".join(["| error | exit code | when |", "|---|---:|---|", *lines]) + "\n")
    return "\n".join(parts)


def _describe(thing: Any, name: str) -> Iterator[str]:
    """A function, or a class with its public members."""
    if not inspect.isclass(thing):
        yield f"## `{name}{_signature(thing)}`\n\n{_text(thing)}\n"
        return
    yield f"## `{name}`\n\n{_text(thing)}\n"
    for member, value in _members(thing):
        plain = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if isinstance(value, property | cached_property):
            yield f"### `{name}.{member}`\n\n{_text(value)}\n"
        else:
            yield f"### `{name}.{member}{_signature(plain)}`\n\n{_text(plain)}\n"


def _members(thing: type) -> Iterator[tuple[str, Any]]:
    """Public members that curator defines, those of its own bases included, in the order of the source."""
    seen: set[str] = set()
    for owner in reversed([base for base in thing.__mro__ if base.__module__.startswith("curator.")]):
        for name, value in vars(owner).items():
            callable_ = inspect.isfunction(value) or isinstance(value, classmethod | staticmethod | property)
            if callable_ and not name.startswith("_") and name not in seen and inspect.getdoc(value):
                seen.add(name)
                yield name, value


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    given = [
        item.replace(annotation=_Plain(item.annotation))
        for name, item in signature.parameters.items()
        if name not in ("self", "cls")
    ]
    return str(signature.replace(parameters=given, return_annotation=_Plain(signature.return_annotation)))


class _Plain:
    """An annotation that prints without quotes and without the modules of its names."""

    def __init__(self, annotation: object) -> None:
        self._text = _MODULE.sub("", str(annotation))

    def __repr__(self) -> str:
        return self._text


def _text(thing: Any) -> str:
    """A docstring as Markdown: sections become bold lines, their entries a list."""
    lines: list[str] = []
    section = False
    for line in (inspect.getdoc(thing) or "").splitlines():
        if re.fullmatch(r"[A-Z][a-z]+:", line):
            section = True
            lines += [f"**{'Arguments' if line == 'Args:' else line.removesuffix(':')}**", ""]
        elif section and re.match(r"    \S", line):
            lines.append("- " + line.strip())
        elif section and line.startswith("     "):
            lines[-1] += " " + line.strip()
        else:
            section = False
            lines.append(line)
    return "\n".join(lines)


def _summary(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(build(), encoding="utf-8")
