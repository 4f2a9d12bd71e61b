"""From a checked spec to its plan: who uses which column, and all the rest as the stages will do it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from curator.expressions import parse
from curator.planning._plan import ColumnPlan, DerivedPlan, FieldPlan, JoinPlan, Plan, RulePlan, SourcePlan
from curator.planning._rows import row_needs, row_notes, source_needs, stated
from curator.spec import Scope, UseCase
from curator.spec.model import AiActClass, EntitySplits, IdentifierKind, OutputField, Source
from curator.spec.scope import WHOLE_ROW
from curator.suite import columns_of, compile_suite


def plan(use_case: UseCase, scope: Scope) -> Plan:
    """What `curate` would read, join, choose, drop, protect, check and write. Reads no row and opens no file.

    Args:
        use_case: a checked spec.
        scope: its names, as `curator.spec.scope_of` gives them.

    Raises:
        SpecError: `expectation-invalid`, when an expectation cannot be compiled.
    """
    rules = _rules(use_case, scope)
    sources = _sources(use_case, scope, uses=_uses(use_case, scope, rules=rules))
    extract = use_case.extract
    told: dict[str, Any] = use_case.to_json()
    return Plan(
        ref=use_case.ref,
        title=use_case.title,
        spec=use_case.digest,
        law=_law(use_case),
        sources=sources,
        base=extract.from_,
        joins=tuple(JoinPlan(source=j.source, on=j.on, kind=j.kind, orphans=j.orphans) for j in extract.join),
        where=extract.where,
        derived=tuple(_derived(use_case, scope)),
        window=stated(told["extract"]["window"]),
        events=tuple(stated(table) or {} for table in (*told["extract"]["history"], told["extract"]["label"]) if table),
        sample=stated(told["extract"]["sample"]),
        row_key=extract.row_key,
        entity=extract.entity,
        fields=tuple(_field(name, field, use_case=use_case, scope=scope) for name, field in use_case.kept().items()),
        dropped=tuple(name for name, field in use_case.fields.items() if field.protect == "drop"),
        only_for_rules=tuple(_columns(sources, only="rule ")),
        needless=tuple(_columns(sources, only=None)),
        rules=rules,
        max_rejected=use_case.quality.max_rejected,
        keep_rejected_days=use_case.quality.keep_rejected_days,
        quasi_identifiers=use_case.quasi_identifiers(),
        disclosure=told["disclosure"],
        representation=stated(told["representation"]),
        splits=told["splits"],
        model=told["model"],
        channels=told["channels"],
        notes=tuple(_notes(use_case, scope)),
    )


def _law(use_case: UseCase) -> dict[str, Any]:
    law = use_case.law
    return {
        "purpose": use_case.purpose.statement,
        "compatible_uses": list(use_case.purpose.compatible_uses),
        "owner": use_case.owner.organisation,
        "contact": use_case.owner.contact,
        "regime": str(law.regime),
        "basis": str(law.basis),
        "text": law.text,
        "impact_assessment": law.dpia,
        "ai_act": str(law.ai_act),
        "retention_days": law.retention_days,
    }


# ---- columns and their uses ------------------------------------------------------------------------------------------


def _uses(use_case: UseCase, scope: Scope, *, rules: tuple[RulePlan, ...]) -> dict[str, list[str]]:
    """Declared column -> what needs it, derived columns followed back to declared ones."""
    uses: dict[str, list[str]] = {}
    for why, names in _needs(use_case, scope, rules=rules):
        for base in sorted(set().union(*(_bases(name, scope) for name in names))):
            uses.setdefault(base, []).append(why)
    return uses


def _needs(use_case: UseCase, scope: Scope, *, rules: tuple[RulePlan, ...]) -> Iterator[tuple[str, Iterable[str]]]:
    """Each use with the names, declared or derived, that it reads."""
    extract, splits = use_case.extract, use_case.splits
    yield "row key", extract.row_key
    if use_case.refresh is not None and use_case.refresh.feed == "append" and use_case.refresh.watermark is not None:
        yield "watermark", [use_case.refresh.watermark]
    if isinstance(splits, EntitySplits):
        yield "entity", extract.entity
    else:
        yield "split", [splits.column]
    for join in extract.join:
        yield f"join {join.source}", join.on
    if extract.where:
        yield "filter", parse(extract.where, scope.expression_types()).columns
    yield from row_needs(use_case, scope)
    for name, field in use_case.kept().items():
        yield f"field {name}", _read_by(name, field, use_case=use_case, scope=scope)
    for rule, expectation in zip(rules, use_case.quality.expectations, strict=True):
        yield f"rule {rule.id}", columns_of(expectation)


def _read_by(name: str, field: OutputField, *, use_case: UseCase, scope: Scope) -> Iterable[str]:
    """The names that a field is made from, as the protection reads them."""
    if field.protect == "generalise":
        return sorted(parse(field.value or "", scope.expression_types()).columns)
    moved = (field.by or use_case.extract.entity) if field.protect in ("shift", "jitter") else ()
    return dict.fromkeys([field.from_ or name, *moved, *([field.latitude] if field.latitude else [])])


def _bases(name: str, scope: Scope) -> set[str]:
    if name in scope.derived:
        return set[str]().union(*(_bases(used, scope) for used in scope.derived[name].columns))
    return set(scope.whole) if scope.whole and name == WHOLE_ROW else {name}


def _sources(use_case: UseCase, scope: Scope, *, uses: dict[str, list[str]]) -> tuple[SourcePlan, ...]:
    extract = use_case.extract
    read = [extract.from_, *(join.source for join in extract.join), *(table.events for table in extract.event_tables())]
    order, alone = list(dict.fromkeys(read)), source_needs(use_case)
    joined = {join.source: join.on for join in use_case.extract.join}
    plans = []
    for name in order:
        source, keys = use_case.sources[name], joined.get(name, ())
        columns = [
            ColumnPlan(
                name=key,
                column=column.column or key,
                type=str(column.type),
                used_for=(
                    *((f"join {name}",) if key in keys else uses.get(key, ()) if scope.origin.get(key) == name else ()),
                    *alone.get((name, key), ()),
                ),
            )
            for key, column in source.columns.items()
        ]
        plans.append(
            SourcePlan(name=name, path=", ".join(source.addresses), options=_options(source), columns=tuple(columns))
        )
    return tuple(plans)


def _options(source: Source) -> dict[str, Any]:
    """Reader options that the spec sets to something else than the default."""
    said = source.model_dump(mode="json", exclude_defaults=True, exclude={"path", "columns"})
    formats = {name: column.format for name, column in source.columns.items() if column.format}
    said |= {"formats": formats} if formats else {}
    truths = {
        name: f"true: {', '.join(column.true)}; false: {', '.join(column.false or ())}"
        for name, column in source.columns.items()
        if column.true
    }
    return said | ({"truths": truths} if truths else {})


def _columns(sources: Iterable[SourcePlan], *, only: str | None) -> Iterator[str]:
    """`source.column` of the columns whose every use begins with `only`; of those without a use when it is None."""
    for source in sources:
        for column in source.columns:
            wanted = not column.used_for if only is None else bool(column.used_for)
            if wanted and all(use.startswith(only or "") for use in column.used_for):
                yield f"{source.name}.{column.column}"


# ---- fields and rules ------------------------------------------------------------------------------------------------


def _derived(use_case: UseCase, scope: Scope) -> Iterator[DerivedPlan]:
    for name, formula in use_case.extract.derive.items():
        made_from = tuple(sorted(scope.sources_of(name)))
        yield DerivedPlan(name=name, formula=formula, type=scope.types[name], made_from=made_from)


def _field(name: str, field: OutputField, *, use_case: UseCase, scope: Scope) -> FieldPlan:
    used = _read_by(name, field, use_case=use_case, scope=scope)
    made_from = set[str]().union(*(scope.sources_of(column) for column in used))
    token = field.protect == "token"
    return FieldPlan(
        name=name,
        made_from=tuple(sorted(made_from)),
        protect=field.protect,
        value=field.value,
        form=(field.form or "raw") if token else None,
        domain=(field.domain or field.form or name) if token else None,
        identifier=str(field.identifier or IdentifierKind.none),
    )


def _rules(use_case: UseCase, scope: Scope) -> tuple[RulePlan, ...]:
    suite = compile_suite(use_case, scope)
    return tuple(
        RulePlan(
            id=rule.id,
            type=rule.expectation.type,
            arguments=dict(rule.expectation.kwargs),
            on_failure=rule.expectation.on_failure,
            reason=suite.reasons[rule.id],
            because=rule.expectation.because,
        )
        for rule in suite.rules
    )


def _notes(use_case: UseCase, scope: Scope) -> Iterator[str]:
    """What a spec may say and a reader should still weigh."""
    kept, disclosure = use_case.kept(), use_case.disclosure
    searched = disclosure.search.fields if disclosure and disclosure.search else {}
    plain = [name for name in use_case.quasi_identifiers() if kept[name].protect == "keep" and name not in searched]
    if plain:
        yield f"Quasi-identifiers written as they are, not coarser: {', '.join(plain)}."
    sensitive = [name for name, field in kept.items() if field.identifier == IdentifierKind.sensitive]
    bounded = disclosure.sensitive if disclosure else None
    bare = [name for name in sensitive if name != bounded]
    if bare:
        words = "`disclosure.l`, `entropy_l` or `t`"
        yield f"Sensitive fields without a limit on their diversity ({words}): {', '.join(bare)}."
    if not isinstance(use_case.splits, EntitySplits):
        yield "Splits are cut in time: one person may be in several of them."
    if use_case.law.ai_act == AiActClass.high:
        yield "A high-risk system: article 10 of the AI Act (data and data governance) applies to this dataset."
    yield from row_notes(use_case, scope)
    if use_case.channels.open is not None:
        yield "The open channel is not closed: anybody may receive the dataset for its purposes."
