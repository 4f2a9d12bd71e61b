"""Rules that tie the parts of a spec together. Pure; every rule yields troubles, none stops at the first."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise

from curator.addresses import holds_secret
from curator.expressions import regex_is_safe
from curator.spec.channel_checks import channel_troubles
from curator.spec.expectations import EXPECTATIONS, ExpectationType
from curator.spec.form_checks import FORMS, form_troubles
from curator.spec.model import (
    AiActClass,
    Column,
    Disclosure,
    EntitySplits,
    Expectation,
    IdentifierKind,
    LegalBasis,
    OutputField,
    Regime,
    Source,
    SourceFormat,
    TimeSplits,
    UseCase,
)
from curator.spec.nearest import nearest
from curator.spec.personal import looks_personal
from curator.spec.protecting import DAYS, NUMBERS, protection_troubles, written_type
from curator.spec.refreshing import refresh_troubles
from curator.spec.row_checks import row_troubles
from curator.spec.scope import PathKey, Scope, Trouble, build_scope, try_parse
from curator.spec.searching import search_troubles
from curator.spec.whole_rows import whole_row_troubles

_NUMBERS = {"integer", "decimal", "float"}
# The strftime directives that an engine reads back, and those of them that give a year: without one it would be 1900.
_DIRECTIVE = re.compile(r"%(-?.?)", re.DOTALL)
_DIRECTIVES = frozenset("aAbBdfHIjmMpSTyYzZ%") | {"-d", "-H", "-I", "-j", "-m", "-M", "-S", "-y"}
_NAMED = re.compile(r"(?:the name |`)([a-z][a-z0-9_]*)(?:, at character|`, which is no)")
_YEARS = frozenset({"y", "-y", "Y"})


def troubles_of(spec: UseCase) -> tuple[Scope, list[Trouble]]:
    """The scope of a well-formed spec and everything that is wrong with it."""
    scope, troubles = build_scope(spec)
    for rule in (
        _law, _channels, channel_troubles, _readers, _extraction, row_troubles, refresh_troubles, form_troubles,
        _fields, protection_troubles, _personal_names, _expectations, _disclosure, search_troubles, _splits,
        _baseline, whole_row_troubles,
    ):  # fmt: skip
        troubles += rule(spec, scope)
    return scope, _first_causes(spec, scope, troubles=troubles)


def _first_causes(spec: UseCase, scope: Scope, *, troubles: list[Trouble]) -> list[Trouble]:
    """The troubles without those that only follow from a derived column whose formula is at fault itself.

    Of derived columns that name each other, or themselves, the first keeps its trouble: only an earlier one is a cause.
    """
    at_fault = {trouble.path for trouble in troubles}
    order: dict[PathKey, int] = {("extract", "derive", name): place for place, name in enumerate(spec.extract.derive)}
    faulty = {str(path[-1]): place for path, place in order.items() if path in at_fault and path[-1] not in scope.types}

    def follows(trouble: Trouble) -> bool:
        named = _NAMED.match(trouble.found)
        cause = faulty.get(named[1]) if named else None
        return cause is not None and cause < order.get(trouble.path, len(order))

    return [trouble for trouble in troubles if not follows(trouble)]


def _unknown(path: PathKey, name: str, *, scope: Iterable[str]) -> Trouble:
    return Trouble(path, f"`{name}`, which is no column here", nearest(name, scope))


def _law(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    police, law = spec.law.regime == Regime.police, spec.law
    if police != (law.basis == LegalBasis.law_enforcement):
        expected = "`law-enforcement`" if police else "a basis of GDPR art. 6(1)"
        yield Trouble(("law", "basis"), f"`{law.basis}` under `{law.regime}`", expected)
    if law.ai_act == AiActClass.prohibited:
        yield Trouble(("law", "ai_act"), "`prohibited`", "a use that article 5 of the AI Act does not prohibit")


def _channels(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    for channel in ("open", "research", "industry"):
        terms = spec.channels.terms(channel)
        if terms and spec.law.regime == Regime.police and terms.legal_text is None:
            yield Trouble(
                ("channels", channel),
                "no `legal_text`",
                "the text that lets police data leave for another purpose (Directive 2016/680, art. 9)",
            )


def _readers(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    for name, source in spec.sources.items():
        path: PathKey = ("sources", name)
        if any(holds_secret(address) for address in source.addresses):
            yield Trouble(
                (*path, "path"), "an address that holds a secret", "a path; secrets come from the environment"
            )
        if source.format in (SourceFormat.duckdb, SourceFormat.sqlite) and source.table is None:
            yield Trouble(path, "no `table`", "the name of the table inside the database file")
        yield from _drift(path, source)
        for column, declared in source.columns.items():
            place = (*path, "columns", column)
            refused = regex_is_safe(declared.from_name) if declared.from_name else None
            if refused:
                yield Trouble((*place, "from_name"), refused, "a pattern of the portable kind, such as `[0-9]{4}`")
            if declared.format and declared.type not in ("date", "timestamp"):
                yield Trouble(place, f"a format on a column of type {declared.type}", "a format on dates only")
            elif declared.format:
                yield from _layout((*place, "format"), declared.format)
            yield from _truths(place, declared, source=source)


def _truths(place: PathKey, column: Column, *, source: Source) -> Iterator[Trouble]:
    """Words for true and false: both or none, of a boolean, each meaning one thing."""
    told = {"true": column.true, "false": column.false}
    for word, words in told.items():
        if words is not None and column.type != "boolean":
            yield Trouble(
                (*place, word), f"`{word}` of a column of type {column.type}", "`true` and `false` of booleans"
            )
            return
        if words is None and any(told.values()):
            other = "false" if word == "true" else "true"
            yield Trouble((*place, other), f"`{other}` without `{word}`", f"`{word}`: the words that mean {word}")
            return
    seen: dict[str, str] = {token.strip().lower(): "null" for token in source.null_tokens} if column.true else {}
    for word, words in told.items():
        for text in words or ():
            if text != text.strip():
                yield Trouble((*place, word), "a word with spaces around it", "the word alone: a blank cell is null")
            elif seen.get(text.lower(), word) != word:
                yield Trouble((*place, word), f"`{text}`, which means {seen[text.lower()]} too", "one meaning a word")
            seen.setdefault(text.lower(), word)


def _drift(path: PathKey, source: Source) -> Iterator[Trouble]:
    """Every name in a rule for differing files is one that the source declares."""
    spelt = {column.column or key for key, column in source.columns.items()}
    for index, rule in enumerate(source.drift):
        place = (*path, "drift", index)
        told = {"rename": rule.rename.values(), "absent": rule.absent, "constants": rule.constants}
        for word, names in told.items():
            for name in names:
                if name not in spelt:
                    yield Trouble((*place, word), f"`{name}`, which the source declares nowhere", nearest(name, spelt))
        for name, layout in rule.formats.items():
            if name not in source.columns:
                yield _unknown((*place, "formats"), name, scope=source.columns)
            elif source.columns[name].type in ("date", "timestamp"):
                yield from _layout((*place, "formats"), layout)
            else:
                yield Trouble((*place, "formats"), f"a layout of `{name}`, no date", "layouts of dates only")


def _layout(path: PathKey, layout: str) -> Iterator[Trouble]:
    directives = set(_DIRECTIVE.findall(layout))
    unknown = ", ".join(f"`%{directive}`" for directive in sorted(directives - _DIRECTIVES))
    if unknown:
        yield Trouble(path, unknown, "directives such as those of `%d/%m/%Y`, `%d %b %y` or `%Y-%m-%d %H:%M:%S%z`")
    elif not directives & _YEARS:
        yield Trouble(path, "a layout without a year", "`%Y` (four digits) or `%y` (two)")


def _extraction(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    extract = spec.extract
    if extract.where is not None:
        condition, troubles = try_parse(extract.where, scope.types, path=("extract", "where"))
        yield from troubles
        if condition is not None and condition.type != "boolean":
            yield Trouble(("extract", "where"), f"a formula of type {condition.type}", "a condition (true or false)")
    named = {"row_key": extract.row_key, "entity": extract.entity}
    if extract.sample:
        named["sample"] = extract.sample.by
    for part, names in named.items():
        for name in names:
            if name not in scope.types:
                yield _unknown(("extract", part), name, scope=scope.types)
            elif scope.types[name] in ("float", "free_text"):
                yield Trouble(("extract", part), f"`{name}` of type {scope.types[name]}", "a column with exact values")


def _fields(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    for name, field in spec.fields.items():
        path: PathKey = ("fields", name)
        origin = field.from_ or name
        if field.protect == "generalise":
            yield from _generalised(name, field, scope=scope)
        elif field.value is not None:
            yield Trouble((*path, "value"), f"a value with `protect: {field.protect}`", "`protect: generalise`")
        elif origin not in scope.types:
            yield _unknown((*path, "from") if field.from_ else path, origin, scope=scope.types)
            continue
        yield from _protection(name, field, spec=spec, scope=scope)
    if not spec.kept():
        yield Trouble(("fields",), "every field dropped", "at least one field to write")


def _generalised(name: str, field: OutputField, *, scope: Scope) -> Iterator[Trouble]:
    path: PathKey = ("fields", name, "value")
    if field.value is None or field.from_ is not None:
        yield Trouble(path, "`generalise` without `value`, or with `from`", "`value`: the formula of the coarser value")
        return
    expression, troubles = try_parse(field.value, scope.types, path=path)
    yield from troubles
    if expression is not None and len(expression.columns) == 1 and expression.text.strip() in expression.columns:
        yield Trouble(path, "the column itself", "a formula that makes it coarser")


def _protection(name: str, field: OutputField, *, spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    path: PathKey = ("fields", name, "protect")
    kind = scope.types.get(field.from_ or name, "")
    if kind == "free_text" and field.protect not in ("drop", "mask"):
        yield Trouble(path, f"free text with `{field.protect}`", "`mask` or `drop`: prose may name anybody")
    if field.identifier == IdentifierKind.direct and field.protect not in ("token", "drop", "mask"):
        yield Trouble(path, f"a direct identifier with `{field.protect}`", "`token` or `drop`")
    if field.protect == "token":
        if field.form not in FORMS and field.form not in spec.forms:
            known = nearest(field.form or "", [*FORMS, *spec.forms])
            yield Trouble((*path[:-1], "form"), f"`{field.form or 'nothing'}`", f"{known}, or one declared in `forms`")
        if kind not in ("text", "integer", "date", "free_text", ""):
            yield Trouble(path, f"a token of a column of type {kind}", "a text, integer or date column")
        if field.identifier in (None, IdentifierKind.none):
            yield Trouble(
                path, "a token of something that identifies nobody", "`identifier: direct` (or quasi, sensitive)"
            )
    elif field.form or field.domain:
        yield Trouble(path, f"`form` or `domain` with `{field.protect}`", "`protect: token`")


def _personal_names(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    for name, field in spec.fields.items():
        origin = scope.columns.get(field.from_ or name)
        spellings = [name, field.from_ or name, (origin.column if origin and origin.column else name)]
        guesses = {looks_personal(spelling) for spelling in spellings} - {None}
        if not guesses:
            continue
        guess = "direct" if "direct" in guesses else "quasi"
        if field.identifier is None:
            yield Trouble(
                ("fields", name),
                "a name that looks personal, and no `identifier`",
                f"`identifier: {guess}`, or another kind",
            )
        elif guess == "direct" and field.identifier == IdentifierKind.none and field.because is None:
            yield Trouble(
                ("fields", name, "identifier"),
                "`none` for a name that looks like a direct identifier",
                "`because`: why it identifies nobody",
            )


def _expectations(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    for index, expectation in enumerate(spec.quality.expectations):
        path: PathKey = ("quality", "expectations", index)
        known = EXPECTATIONS.get(expectation.type)
        if known is None:
            yield Trouble((*path, "type"), f"`{expectation.type}`", nearest(expectation.type, EXPECTATIONS))
            continue
        yield from _arguments(expectation, known, path=path)
        yield from _argument_columns(expectation, known, where=(path, scope))
        if expectation.on_failure == "reject" and not known.rejects_rows:
            yield Trouble((*path, "on_failure"), "`reject` where no row can be named", "`warn` or `stop`")


def _arguments(expectation: Expectation, known: ExpectationType, *, path: PathKey) -> Iterator[Trouble]:
    given = set(expectation.kwargs)
    for name in sorted(given - known.arguments):
        yield Trouble((*path, "kwargs", name), f"`{name}`", nearest(name, known.arguments))
    for name in known.required:
        if name not in given:
            yield Trouble((*path, "kwargs"), f"no `{name}`", f"`{name}` of {known.name}")
    mostly = expectation.kwargs.get("mostly", 1.0)
    if not isinstance(mostly, (int, float)) or isinstance(mostly, bool) or not 0 <= mostly <= 1:
        yield Trouble((*path, "kwargs", "mostly"), "a share outside 0 to 1", "a number from 0 to 1")
    regex = expectation.kwargs.get("regex")
    if regex is not None:
        reason = regex_is_safe(regex) if isinstance(regex, str) else "not text"
        if reason:
            yield Trouble(
                (*path, "kwargs", "regex"), f"a pattern with {reason}", "the safe subset of regular expressions"
            )


def _argument_columns(
    expectation: Expectation, known: ExpectationType, *, where: tuple[PathKey, Scope]
) -> Iterator[Trouble]:
    path, scope = where
    for argument in ("column", "column_A", "column_B", "column_list"):
        value = expectation.kwargs.get(argument)
        for name in value if isinstance(value, list) else [value] if value is not None else []:
            if not isinstance(name, str) or name not in scope.types:
                yield _unknown((*path, "kwargs", argument), str(name)[:60], scope=scope.types)
            elif known.column_types and scope.types[name] not in known.column_types:
                allowed = ", ".join(known.column_types)
                yield Trouble(
                    (*path, "kwargs", argument), f"`{name}` of type {scope.types[name]}", f"a column of type {allowed}"
                )


def _disclosure(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    personal = {IdentifierKind.direct, IdentifierKind.quasi, IdentifierKind.sensitive}
    if spec.disclosure is None:
        if any(field.identifier in personal for field in spec.fields.values()):
            yield Trouble(("fields",), "identifiers, and no `disclosure` limits", "`disclosure: {k: ...}`")
        return
    if not spec.quasi_identifiers() and spec.disclosure.k > 1:
        yield Trouble(
            ("disclosure", "k"),
            "a limit with no quasi-identifier kept",
            "`identifier: quasi` on the fields that an attacker may know",
        )
    yield from _sensitive_limits(spec, spec.disclosure, scope=scope)


def _sensitive_limits(spec: UseCase, limits: Disclosure, *, scope: Scope) -> Iterator[Trouble]:
    """Diversity and closeness are limited of one field, which is written; in order only where it has one."""
    for word in ("l", "entropy_l", "t"):
        limit, path = getattr(limits, word), ("disclosure", word, "column")
        if limit is not None and limit.column not in spec.kept():
            yield _unknown(path, limit.column, scope=spec.kept())
        elif limit is not None and limit.column != limits.sensitive:
            yield Trouble(path, f"`{limit.column}`", f"`{limits.sensitive}`, as in the limit before")
    if limits.t is not None and limits.t.distance == "ordered" and limits.t.column in spec.kept():
        kind = written_type(limits.t.column, spec.fields[limits.t.column], scope=scope)
        if kind not in (*NUMBERS, *DAYS, "boolean", None):
            yield Trouble(
                ("disclosure", "t", "distance"),
                f"`ordered` of a field of type {kind}, whose order means nothing",
                "`equal`, or a field of numbers, dates or times",
            )


def _splits(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    splits = spec.splits
    part, names = ("shares", splits.shares) if isinstance(splits, EntitySplits) else ("until", splits.until)
    if "all" in names:
        yield Trouble(
            ("splits", part, "all"), "a split named `all`", "another name: `datasets` keeps it for every split"
        )
    if isinstance(splits, EntitySplits):
        total = sum(Fraction(str(share)) for share in splits.shares.values())
        if total != 1:
            yield Trouble(
                ("splits", "shares"), f"shares that add up to {float(total):g}", "shares that add up to exactly 1"
            )
        return
    if scope.types.get(splits.column) not in ("date", "timestamp"):
        yield Trouble(("splits", "column"), f"`{splits.column}`, which is no date here", "a date or timestamp column")
    yield from _time_bounds(splits)


def _time_bounds(splits: TimeSplits) -> Iterator[Trouble]:
    bounds = list(splits.until.values())
    if bounds[-1] is not None or any(bound is None for bound in bounds[:-1]):
        yield Trouble(
            ("splits", "until"), "an open split that is not the last, or none", "`null` for the last split only"
        )
        return
    try:
        dates = [datetime.date.fromisoformat(bound) for bound in bounds if bound is not None]
    except ValueError:
        yield Trouble(("splits", "until"), "a bound that is no date", "dates as 2015-12-31")
        return
    if any(later <= earlier for earlier, later in pairwise(dates)):
        yield Trouble(("splits", "until"), "bounds that do not grow", "each split later than the one before")


def _baseline(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    model = spec.model
    if model is None:
        return
    kept = spec.kept()
    named = {"target": (model.target,), "features": model.features, "text_features": model.text_features}
    for part, names in named.items():
        for name in names:
            if name in spec.fields and name not in kept:
                yield Trouble(("model", part), f"`{name}`, a field that is dropped", nearest("", kept))
            elif name not in kept:
                yield _unknown(("model", part), name, scope=kept)
            elif kept[name].protect == "token":
                yield Trouble(
                    ("model", part), f"`{name}`, a token", "a field that carries meaning; tokens are only for joining"
                )
    if model.target in model.features:
        yield Trouble(("model", "features"), f"`{model.target}`, the target", "features other than the target")
    linear = {"linear-regression": "regression", "logistic-regression": "classification"}
    if linear.get(model.estimator, model.task) != model.task:
        yield Trouble(("model", "estimator"), f"`{model.estimator}` for {model.task}", "an estimator of that task")
