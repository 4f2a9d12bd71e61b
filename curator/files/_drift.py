"""Several files as one table: by which declared rules a file differs from the others, and what differs without one.

A source names its columns once. A file of another year may call them otherwise, lack some, or be written otherwise;
each such difference is declared under `drift`, for the files whose name matches. A difference that no rule declares
is refused with the words to write, since a renamed column and one that was dropped look the same to a program.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from curator.errors import SourceError
from curator.files._words import plain_name
from curator.spec.model import Source

Names = Sequence[str]


@dataclass(frozen=True, kw_only=True)
class FileReading:
    """How one file of a source is read.

    Attributes:
        source: the source as it stands for this file (encoding, separator, formats of this file).
        spelt: name that the spec expects -> name in this file.
        absent: expected names that this file lacks, by rule: null there.
        constants: expected names whose value is not in the rows, by rule or from the file's name -> its text.
        extra: columns that only such files have, by rule; `*` for any.
    """

    source: Source
    spelt: Mapping[str, str] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    constants: Mapping[str, str] = field(default_factory=dict)
    extra: frozenset[str] = frozenset()

    def name_in_file(self, column: str) -> str:
        """What this file calls an expected column."""
        return self.spelt.get(column, column)

    def needed(self) -> set[str]:
        """The columns that this file must have, as it calls them."""
        columns = {column.column or key for key, column in self.source.columns.items()}
        return {self.name_in_file(column) for column in columns - self.absent - set(self.constants)}

    def written(self, *, separator: str) -> FileReading:
        """The same with the separator that holds for this file."""
        changed = self.source.model_copy(update={"separator": separator})
        return replace(self, source=changed) if separator != self.source.separator else self


def reading_of(name: str, source: Source, *, file: str) -> FileReading:
    """How the file of that name is read: the rules of every matching `drift` entry, later ones first.

    Raises:
        SourceError: `source-file-name`, when a column is taken from the file's name and the name does not hold it.
    """
    spelt: dict[str, str] = {}
    absent: set[str] = set()
    extra: set[str] = set()
    constants: dict[str, str] = {}
    changes: dict[str, object] = {}
    formats: dict[str, str] = {}
    for rule in source.drift:
        if any(fnmatchcase(file, pattern) for pattern in rule.patterns):
            spelt |= {expected: found for found, expected in rule.rename.items()}
            absent |= set(rule.absent)
            extra |= set(rule.extra)
            constants |= rule.constants
            changes |= rule.told()
            formats |= rule.formats
    for key, column in source.columns.items():
        if column.from_name is not None:
            constants[column.column or key] = _from_name(name, key, pattern=column.from_name, file=file)
    if formats:
        changes["columns"] = {
            key: column.model_copy(update={"format": formats[key]}) if key in formats else column
            for key, column in source.columns.items()
        }
    varied = source.model_copy(update=changes) if changes else source
    return FileReading(
        source=varied, spelt=spelt, absent=frozenset(absent), constants=constants, extra=frozenset(extra)
    )


def _from_name(name: str, key: str, *, pattern: str, file: str) -> str:
    match = re.search(pattern, file)
    if match is None:
        raise SourceError(
            "source-file-name",
            asked=f"take the column `{key}` of the source `{name}` from the names of its files",
            found=f"no part of {file} that matches `{pattern}`",
            expected="a value in the name of every file",
            todo="correct `from_name`, narrow the pattern in `path`, or give the value of that file by a `drift` rule",
        )
    return match.group(1) if match.re.groups else match.group()


def compare(name: str, source: Source, *, headers: Mapping[str, tuple[FileReading, Names]]) -> None:
    """Refuse columns in which the files of one source differ without a rule.

    Args:
        name: of the source.
        source: its declaration.
        headers: file -> how it is read, and the columns it has.

    Raises:
        SourceError: `source-drift`.
    """
    if len(headers) < 2:
        return
    declared = {column.column or key for key, column in source.columns.items()}
    expected = {file: _expected(reading, columns) for file, (reading, columns) in headers.items()}
    respelt = {file: _respelt(names, reading=headers[file][0], declared=declared) for file, names in expected.items()}
    strangers = [file for file, names in expected.items() if not names & declared and not respelt[file]]
    if strangers and len(strangers) < len(headers):  # names of columns may be shown only when they are names
        troubles = [f"{file} has none of the declared columns in its first line" for file in strangers]
        raise _refusal(
            name,
            headers,
            troubles=troubles,
            todo="leave these files out of `path`, or correct their `separator` in `drift`",
        )
    everywhere = set[str]().union(*(names - respelt[file].keys() for file, names in expected.items()))
    troubles, rules = [], []
    for file, (reading, _) in headers.items():
        known = expected[file] | reading.absent | set(reading.constants)
        lacking = sorted(column for column in everywhere - known if not _tolerated(column, headers, declared=declared))
        if lacking:
            troubles.append(f"{file} has no {', '.join(f'`{column}`' for column in lacking)}")
            other = [column for column in lacking if column not in respelt[file].values()]
            rules += _renamed(file, respelt[file]) + _rules(file, other, declared=declared, headers=headers)
    if troubles:
        raise _refusal(
            name,
            headers,
            troubles=troubles,
            todo=f"write under `drift:` of the source: {'; '.join(dict.fromkeys(rules))}",
        )


def _refusal(name: str, headers: Mapping[str, object], *, troubles: Sequence[str], todo: str) -> SourceError:
    return SourceError(
        "source-drift",
        asked=f"read {len(headers)} files as the one source `{name}`",
        found="; ".join(troubles)[:900],
        expected="the same columns in every file, or a `drift` rule for each difference",
        todo=todo[:900],
    )


def _expected(reading: FileReading, columns: Names) -> set[str]:
    """The columns of a file by the names that the spec expects, without those declared to be its own."""
    back = {found: wanted for wanted, found in reading.spelt.items()}
    return {back.get(column, column) for column in columns}


def _respelt(names: set[str], *, reading: FileReading, declared: set[str]) -> dict[str, str]:
    """Columns of a file whose names are those of declared ones but for letter case, spaces and the like -> those."""
    lacking = declared - names - reading.absent - set(reading.constants)
    alike = {plain_name(column): column for column in sorted(lacking)}
    own = sorted(names - declared)
    return {column: alike[plain_name(column)] for column in own if plain_name(column) in alike}


def _renamed(file: str, respelt: Mapping[str, str]) -> list[str]:
    names = ", ".join(f"{json.dumps(there, ensure_ascii=False)}: {wanted}" for there, wanted in respelt.items())
    return [f'- {{files: "{file}", rename: {{{names}}}}}'] if respelt else []


def _tolerated(column: str, headers: Mapping[str, tuple[FileReading, Names]], *, declared: set[str]) -> bool:
    """Whether every file that has an undeclared column is allowed to have it."""
    if column in declared:
        return False
    having = [reading for reading, columns in headers.values() if column in _expected(reading, columns)]
    return all({column, "*"} & reading.extra for reading in having)


def _rules(
    file: str, lacking: Sequence[str], *, declared: set[str], headers: Mapping[str, tuple[FileReading, Names]]
) -> list[str]:
    """The rules to write: a declared column that a file lacks is absent or renamed; another is extra where it is."""
    rules = []
    needed = [column for column in lacking if column in declared]
    if needed:
        rules.append(f'- {{files: "{file}", absent: [{", ".join(needed)}]}}, or `rename: {{NAME THERE: {needed[0]}}}`')
    others = [column for column in lacking if column not in declared]
    for other, (reading, columns) in headers.items():
        own = [column for column in others if column in _expected(reading, columns)]
        if own:
            rules.append(f'- {{files: "{other}", extra: [{", ".join(own)}]}}')
    return rules
