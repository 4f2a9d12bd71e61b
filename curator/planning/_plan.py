"""What a plan says, as frozen records; `Plan.render` prints them, `Plan.to_json` hands them on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from curator.planning._layout import Section, page

_PROTECTION = {
    "keep": "as it is", "token": "keyed token", "generalise": "coarser", "shift": "date moved",
    "jitter": "place moved", "clamp": "top and bottom coded", "round": "rounded",
    "merge_rare": "rare categories merged", "mask": "text masked",
}  # fmt: skip
_ON_FAILURE = {"reject": "row set apart", "warn": "reported", "stop": "run stops"}


@dataclass(frozen=True, kw_only=True)
class ColumnPlan:
    """One declared column of a source.

    Attributes:
        name: in the spec.
        column: in the source.
        type: logical type.
        used_for: `field NAME`, `rule ID`, `join SOURCE`, `row key`, `entity`, `filter`, `sample`, `split`; empty when
            nothing needs it.
    """

    name: str
    column: str
    type: str
    used_for: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SourcePlan:
    """One source.

    Attributes:
        name: in the spec.
        path: as the spec gives it.
        options: reader options that are not the default, by name.
        statement: what a database would be asked; None for files.
        columns: what it declares; no other column is read.
    """

    name: str
    path: str
    options: Mapping[str, Any]
    columns: tuple[ColumnPlan, ...]
    statement: str | None = None


@dataclass(frozen=True, kw_only=True)
class JoinPlan:
    """A table brought to the base table; attributes as in the spec.

    Attributes:
        where: of a table in a database, whether it is joined there, or why it is joined here; None for files.
    """

    source: str
    on: tuple[str, ...]
    kind: str
    orphans: str
    where: str | None = None


@dataclass(frozen=True, kw_only=True)
class DerivedPlan:
    """A derived column: its formula, its type and the source columns it is made from."""

    name: str
    formula: str
    type: str
    made_from: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FieldPlan:
    """A field to be written.

    Attributes:
        name: in the dataset.
        made_from: source columns, as `source.column`.
        protect: as the spec has it; dropped fields are not here.
        value: formula of a coarser value.
        form: canonical form before a token is made.
        domain: key domain of a token; fields that share one can be joined.
        identifier: what it tells about a person.
    """

    name: str
    made_from: tuple[str, ...]
    protect: str
    value: str | None
    form: str | None
    domain: str | None
    identifier: str


@dataclass(frozen=True, kw_only=True)
class RulePlan:
    """An expectation.

    Attributes:
        id: as in every report.
        type: its Great Expectations name.
        arguments: as in the spec.
        on_failure: `reject`, `warn` or `stop`.
        reason: what a failing row is told.
        because: why it must hold; None when the spec does not say.
    """

    id: str
    type: str
    arguments: Mapping[str, Any]
    on_failure: str
    reason: str
    because: str | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What `curate` would do with a spec, before any row is read.

    Attributes:
        ref, title: of the use case.
        spec: SHA-256 of the spec's meaning.
        law: owner, contact, purpose, compatible uses, regime, basis, text, impact assessment, AI Act class, days of
            retention.
        sources: what would be read.
        base: the source whose rows are counted.
        joins, where, derived, sample: how rows would be brought together and chosen; None where the spec says nothing.
        window: the days a row may be of; None likewise.
        events: histories and label, as the spec has them.
        row_key, entity: columns that name a row, and whom it is about.
        fields: what would be written.
        dropped: declared fields that would not be written.
        only_for_rules: columns read for nothing but rules, as `source.column`.
        needless: declared columns that no part of the dataset needs.
        rules, max_rejected, keep_rejected_days: what rows must meet, and what becomes of those that do not.
        quasi_identifiers, disclosure: fields and limits of the measure; None when no limit is declared.
        representation: dimensions compared with the population, and limits; None where there are none.
        splits, model: as in the spec; the model is None when there is none.
        channels: terms by channel; None for a closed one.
        notes: what a careful reader would ask about.
    """

    ref: str
    title: str
    spec: str
    law: Mapping[str, Any]
    sources: tuple[SourcePlan, ...]
    base: str
    joins: tuple[JoinPlan, ...]
    where: str | None
    derived: tuple[DerivedPlan, ...]
    window: Mapping[str, Any] | None
    events: tuple[Mapping[str, Any], ...]
    sample: Mapping[str, Any] | None
    row_key: tuple[str, ...]
    entity: tuple[str, ...]
    fields: tuple[FieldPlan, ...]
    dropped: tuple[str, ...]
    only_for_rules: tuple[str, ...]
    needless: tuple[str, ...]
    rules: tuple[RulePlan, ...]
    max_rejected: float
    keep_rejected_days: int
    quasi_identifiers: tuple[str, ...]
    disclosure: Mapping[str, Any] | None
    representation: Mapping[str, Any] | None
    splits: Mapping[str, Any]
    model: Mapping[str, Any] | None
    channels: Mapping[str, Mapping[str, Any] | None]
    notes: tuple[str, ...]

    def reading(
        self, places: Mapping[str, str], statements: Mapping[str, str], *, joins: Mapping[str, str] | None = None
    ) -> Plan:
        """The same plan with other places of its sources, what databases would be asked, and where joins are made."""
        sources = tuple(
            replace(source, path=places.get(source.name, source.path), statement=statements.get(source.name))
            for source in self.sources
        )
        made = tuple(replace(join, where=(joins or {}).get(join.source)) for join in self.joins)
        return replace(self, sources=sources, joins=made)

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints: the attributes, records as objects and tuples as lists."""
        plain: dict[str, Any] = _plain(self)
        return plain

    def render(self) -> str:
        """The plan as aligned plain text, at most 100 columns wide; ends with a line feed."""
        return page(f"{self.ref}: {self.title} (nothing has been read)", self._sections())

    def __str__(self) -> str:
        return self.render()

    def _sections(self) -> Iterator[Section]:
        yield "Why", [(name.replace("_", " "), _words(value)) for name, value in self.law.items() if value]
        yield "Sources", [_source_row(source) for source in self.sources]
        yield "Read", [row for source in self.sources for row in _column_rows(source)]
        asked = [(source.name, source.statement) for source in self.sources if source.statement]
        yield "Asked of databases, if their columns are of the declared types", asked
        yield "Read only for a rule", [(name,) for name in self.only_for_rules]
        yield "Declared, but needed by nothing", [(_words(self.needless),)] if self.needless else []
        yield "Rows", list(self._row_rows())
        yield "Write", [_field_row(field) for field in self.fields]
        yield "Leave out", [(_words(self.dropped),)] if self.dropped else []
        yield "Check", [_rule_row(rule) for rule in self.rules]
        yield "Rows set apart", list(self._rejection_rows())
        yield "Who could be found", list(self._disclosure_rows())
        compared = (self.representation or {}).items()
        yield "Compare with the population", [(name, _words(value)) for name, value in compared]
        yield "Splits", [(name, _words(value)) for name, value in self.splits.items()]
        yield (
            "Model",
            [(name, _words(value)) for name, value in (self.model or {}).items() if value not in (None, (), [])],
        )
        yield "Channels", [(name, _terms(terms)) for name, terms in self.channels.items()]
        yield "To consider", [(note,) for note in self.notes]

    def _row_rows(self) -> Iterator[tuple[str, str]]:
        yield "base", self.base
        for join in self.joins:
            where = f"; {join.where}" if join.where else ""
            told = f"({join.kind}; rows without partner: {join.orphans}{where})"
            yield "join", f"{join.source} on {_words(join.on)} {told}"
        for table in self.events:
            yield ("history" if "columns" in table else "label"), _words(table)
        for column in self.derived:
            yield "derive", f"{column.name} = {column.formula} ({column.type}, from {_words(column.made_from)})"
        if self.window:
            yield "window", _words(self.window)
        if self.where:
            yield "keep", self.where
        if self.sample:
            yield "sample", _words(self.sample)
        yield "row key", _words(self.row_key)
        yield "about", _words(self.entity)

    def _rejection_rows(self) -> Iterator[tuple[str, str]]:
        unread = "a needed cell of a CSV, JSON or SQLite source cannot be read as declared"
        yield "because", f"a rule above says so; a part of the row key is missing; {unread}"
        yield "at most", f"{self.max_rejected:.1%} of the rows, or the run stops"
        yield "kept", f"encrypted, {self.keep_rejected_days:,} days"

    def _disclosure_rows(self) -> Iterator[tuple[str, str]]:
        yield "fields together", _words(self.quasi_identifiers) or "none"
        for name, value in (self.disclosure or {"limits": "none declared"}).items():
            if name == "search" and value is not None:
                yield name, _search_words(value)
            elif value is not None:
                yield name, _words(value)


def _search_words(search: Mapping[str, Any]) -> str:
    """What will be settled about the levels when the version is made."""
    fields = ", ".join(search["fields"])
    if search.get("levels"):
        return f"levels settled by the spec, held to the limits: {_words(search['levels'])}"
    if search.get("recoding") == "local":
        return f"the levels of {fields} for each class, when the version is made; nobody left out"
    return f"the best levels of {fields}, found when the version is made, and kept by a refresh"


def _source_row(source: SourcePlan) -> tuple[str, ...]:
    options = (f"{name}: {_option(value)}" for name, value in source.options.items())
    return source.name, source.path, "; ".join(options)


def _option(value: Any) -> str:
    """A reader option in words; a mark such as `;` between quotes."""
    if isinstance(value, list):
        return ", ".join(map(_option, value))
    bare = isinstance(value, str) and not any(character.isalnum() for character in value)
    return repr(value) if bare else _words(value)


def _column_rows(source: SourcePlan) -> Iterator[tuple[str, ...]]:
    for column in source.columns:
        renamed = f" (there: {column.column})" if column.column != column.name else ""
        needed = _words(column.used_for) or "not needed"
        yield f"{source.name}.{column.name}{renamed}", column.type, needed


def _field_row(field: FieldPlan) -> tuple[str, ...]:
    how = _PROTECTION[field.protect]
    if field.protect == "token":
        how += f": form {field.form}, key domain {field.domain}"
    if field.protect == "generalise":
        how += f": {field.value}"
    return field.name, _words(field.made_from), how, "" if field.identifier == "none" else field.identifier


def _rule_row(rule: RulePlan) -> tuple[str, ...]:
    arguments = {
        name: value for name, value in rule.arguments.items() if name not in ("column", "column_A", "column_B")
    }
    because = f" [{rule.because}]" if rule.because else ""
    return rule.id, _ON_FAILURE[rule.on_failure], rule.reason + because, _words(arguments)


def _terms(terms: Mapping[str, Any] | None) -> str:
    return "closed" if terms is None else _words({name: value for name, value in terms.items() if value is not None})


def _words(value: Any) -> str:
    """A value of a spec in words: lists joined by commas, mappings as `name: value`."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_words(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_words(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
