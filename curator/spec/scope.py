"""The names a spec can use: every declared column and derived column, in one flat namespace, with its type.

A join key keeps one name for both sides; any other name that two sources share must be renamed (`column:` gives the
source's own spelling), so a formula never needs a prefix and never means two things.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from curator.errors import CuratorError
from curator.expressions import KEYWORDS, Expression, parse
from curator.spec.model import Column, History, Label, OutputField, UseCase

PathKey = tuple[str | int, ...]

WHOLE_ROW = "whole_row"
"""The name, in `extract.row_key`, a text of all cells of a row of the base source and its number among equals."""


@dataclass(frozen=True)
class Trouble:
    """A fault before it has a place: the path in the document, what was found, what was expected."""

    path: PathKey
    found: str
    expected: str


@dataclass(frozen=True)
class Scope:
    """Names in force after extraction.

    Attributes:
        columns: name -> declared column, in order of base source then joins.
        origin: name -> source it is read from.
        derived: name -> parsed formula, in the order of the spec.
        types: every name -> logical type, `free_text` included.
        brought: column made from events -> the source columns (as `source.column`) that it is made from.
        whole: the columns of the base source that `whole_row` is made from; empty where the rows have a key.
    """

    columns: dict[str, Column]
    origin: dict[str, str]
    derived: dict[str, Expression]
    types: dict[str, str]
    brought: dict[str, frozenset[str]] = field(default_factory=dict)
    whole: tuple[str, ...] = ()

    def expression_types(self) -> dict[str, str]:
        """Types as formulas see them: free text is text."""
        return _formula_types(self.types)

    def sources_of(self, name: str) -> frozenset[str]:
        """The source columns (as `source.column`) that a name is made from."""
        if name in self.derived:
            return frozenset[str]().union(*(self.sources_of(used) for used in self.derived[name].columns))
        if name in self.brought:
            return self.brought[name]
        return frozenset({f"{self.origin[name]}.{self.columns[name].column or name}"})

    def bases(self, name: str) -> frozenset[str]:
        """The names, none of them derived, that a name is made from."""
        if name in self.derived:
            return frozenset[str]().union(*(self.bases(used) for used in self.derived[name].columns))
        return frozenset({name}) & self.types.keys()

    def made_from(self, field: OutputField, name: str) -> frozenset[str]:
        """The same for a field of the dataset, whose name in the spec is `name`."""
        if field.protect != "generalise":
            return self.bases(field.from_ or name)
        expression, _ = try_parse(field.value or "", self.types, path=())
        return frozenset[str]().union(*(self.bases(used) for used in (expression.columns if expression else ())))


def nameless(spec: UseCase) -> bool:
    """Whether rows have no key and are named by all their cells."""
    declared = any(WHOLE_ROW in source.columns for source in spec.sources.values())
    return WHOLE_ROW in spec.extract.row_key and not declared


def source_types(spec: UseCase, source: str) -> dict[str, str]:
    """Types of the columns of one source, as formulas about its rows alone see them."""
    declared = spec.sources[source].columns if source in spec.sources else {}
    return _formula_types({name: str(column.type) for name, column in declared.items()})


def _formula_types(types: dict[str, str]) -> dict[str, str]:
    return {name: "text" if kind == "free_text" else kind for name, kind in types.items()}


def build_scope(spec: UseCase) -> tuple[Scope, list[Trouble]]:
    """The scope of a spec and what is wrong with its sources, joins and derived columns."""
    troubles = list(_source_troubles(spec))
    columns: dict[str, Column] = {}
    origin: dict[str, str] = {}
    keys = {name for join in spec.extract.join for name in join.on}
    for source in _used_sources(spec):
        for name, column in spec.sources[source].columns.items():
            if name in KEYWORDS:
                troubles.append(_reserved(("sources", source, "columns", name), name, column=column.column))
            if name not in columns:
                columns[name], origin[name] = column, source
            elif not _is_key_of(spec, source, name=name):
                hint = f"a name of its own (`column: {column.column or name}` keeps the source's spelling)"
                shared = (
                    "a join key of another join" if name in keys else f"`{name}`, also a column of `{origin[name]}`"
                )
                troubles.append(Trouble(("sources", source, "columns", name), shared, hint))
    types = {name: str(column.type) for name, column in columns.items()}
    brought: dict[str, frozenset[str]] = {}
    for place, name, kind, made_from in _event_columns(spec):
        if name in KEYWORDS:
            troubles.append(_reserved(place, name, column=None))
        elif name in types:
            troubles.append(Trouble(place, f"`{name}`, already a column", "a new name"))
        else:
            types[name], brought[name] = kind, made_from
    derived: dict[str, Expression] = {}
    for name, formula in spec.extract.derive.items():
        path: PathKey = ("extract", "derive", name)
        if name in KEYWORDS:
            troubles.append(_reserved(path, name, column=None))
        if name in types:
            troubles.append(Trouble(path, f"`{name}`, already a column", "a new name"))
            continue
        expression, trouble = try_parse(formula, types, path=path)
        troubles += trouble
        if expression is not None:
            derived[name], types[name] = expression, expression.type
    whole: tuple[str, ...] = ()
    if nameless(spec) and WHOLE_ROW not in types:
        whole = tuple(name for name, source in origin.items() if source == spec.extract.from_)
        types[WHOLE_ROW] = "text"
        brought[WHOLE_ROW] = frozenset(f"{origin[name]}.{columns[name].column or name}" for name in whole)
    return Scope(columns, origin, derived, types, brought, whole), troubles


def _event_columns(spec: UseCase) -> Iterator[tuple[PathKey, str, str, frozenset[str]]]:
    """Place, name, type and source columns of each column made from events."""
    for index, table in enumerate(spec.extract.history):
        for name, measure in table.columns.items():
            of = source_types(spec, table.events).get(measure.of or "", "integer")
            sums = "integer" if of == "integer" else "decimal"
            kind = {"count": "integer", "days_since": "integer", "sum": sums, "mean": "float"}.get(measure.measure, of)
            yield ("extract", "history", index, "columns", name), name, kind, _read_of(spec, table, of=measure.of)
    label = spec.extract.label
    if label is not None:
        yield ("extract", "label", "name"), label.name, "boolean", _read_of(spec, label, of=None)


def _read_of(spec: UseCase, table: History | Label, *, of: str | None) -> frozenset[str]:
    declared = spec.sources[table.events].columns if table.events in spec.sources else {}
    names = {*table.on, table.at, *([of] if of else [])}
    if table.where is not None:
        condition, _ = try_parse(table.where, source_types(spec, table.events), path=())
        names |= condition.columns if condition else set()
    return frozenset(f"{table.events}.{declared[name].column or name}" for name in names if name in declared)


def _reserved(path: PathKey, name: str, *, column: str | None) -> Trouble:
    """A column named `true` or `null` would be read as the word wherever a formula or a rule names it."""
    origin = "" if path[0] == "extract" else f"; `column: {column or name}` keeps the source's own"
    return Trouble(path, f"`{name}`, a word of the expression language", f"another name{origin}")


def try_parse(formula: str, types: dict[str, str], *, path: PathKey) -> tuple[Expression | None, list[Trouble]]:
    """Parse a formula; its refusal becomes a trouble at `path`."""
    try:
        return parse(formula, _formula_types(types)), []
    except CuratorError as refused:
        return None, [Trouble(path, refused.found, refused.expected)]


def _used_sources(spec: UseCase) -> list[str]:
    order = [spec.extract.from_, *(join.source for join in spec.extract.join)]
    return [name for index, name in enumerate(order) if name in spec.sources and name not in order[:index]]


def _is_key_of(spec: UseCase, source: str, *, name: str) -> bool:
    return any(join.source == source and name in join.on for join in spec.extract.join)


def _source_troubles(spec: UseCase) -> Iterator[Trouble]:
    known = ", ".join(f"`{name}`" for name in spec.sources)
    if spec.extract.from_ not in spec.sources:
        yield Trouble(("extract", "from"), f"`{spec.extract.from_}`", f"a declared source: {known}")
    seen = {spec.extract.from_}
    for index, join in enumerate(spec.extract.join):
        path: PathKey = ("extract", "join", index)
        if join.source not in spec.sources:
            yield Trouble((*path, "source"), f"`{join.source}`", f"a declared source: {known}")
            continue
        if join.source in seen:
            yield Trouble((*path, "source"), f"`{join.source}` a second time", "each source joined once")
        yield from _key_troubles(spec, join.source, join=(path, join.on, seen))
        seen.add(join.source)
    seen |= {table.events for table in spec.extract.event_tables()}
    for name in spec.sources:
        if name not in seen:
            yield Trouble(
                ("sources", name),
                f"`{name}`, which nothing reads",
                "a source used by `from`, a join, a history or a label",
            )


def _key_troubles(spec: UseCase, source: str, *, join: tuple[PathKey, tuple[str, ...], set[str]]) -> Iterator[Trouble]:
    path, keys, earlier = join
    for key in keys:
        left = next((spec.sources[name].columns[key] for name in sorted(earlier) if name in spec.sources
                     and key in spec.sources[name].columns), None)  # fmt: skip
        right = spec.sources[source].columns.get(key)
        if left is None or right is None:
            side = "an earlier source" if left is None else f"`{source}`"
            yield Trouble((*path, "on"), f"`{key}`, not a column of {side}", "a column declared on both sides")
        elif left.type != right.type:
            yield Trouble(
                (*path, "on"), f"`{key}`: {left.type} joined with {right.type}", "the same type on both sides"
            )
