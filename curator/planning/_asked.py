"""What each source is asked for: the columns that something needs, and the rows that are certainly not wanted.

A condition may be applied in a source, before the joins, where that changes no row of the sample:

- a source's own `where`, always: it is defined to come before the joins;
- a part of `extract.where` (parts joined by AND, derived columns replaced by their formulas) that concerns one source
  alone, in the base and in tables joined `inner`. In a table joined `left` it must wait: a row left behind would come
  back as a row without partner, whose nulls may meet the condition;
- not in tables whose rows without partner the engine counts, nor in events: both look at whole tables. A database that
  holds both tables may count them itself, before any row leaves it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from curator.expressions import Expression, conjuncts, in_terms_of, parse
from curator.planning._build import plan
from curator.protocols import Asked, AskedJoin, AskedJoined
from curator.sampling import pushed_share
from curator.spec import Scope, UseCase
from curator.spec.model import Join
from curator.spec.scope import source_types

_NAME = re.compile(r"[^\W\d]\w*")
_FIRST_YEAR = "1583"  # `parse_date` knows no day of an earlier year: such a bound is the engine's alone


def asked(use_case: UseCase, scope: Scope, *, counted: Collection[str] = ()) -> dict[str, Asked]:
    """What a run asks of each of its sources; pure, reads nothing.

    Args:
        use_case: a checked spec.
        scope: its names, as `curator.spec.scope_of` gives them.
        counted: joined sources whose rows without partner are counted already, in the database.
    """
    conditions = tuple(_conditions(use_case, scope))
    needed = _needed(use_case, scope)
    found = {}
    for name, source in use_case.sources.items():
        own = tuple(_own(use_case, name))
        joined = _joined(use_case, name, counted=counted)
        where = [one for one in conditions if joined and _about(one, scope) == {name}]
        columns = needed[name] | {column for condition in own for column in condition.columns}
        found[name] = Asked(
            name=name,
            source=source,
            columns=tuple(column for column in source.columns if column in columns),
            where=(*own, *where),
            share=_Share(use_case=use_case, scope=scope, name=name, counted=tuple(counted)),
        )
    return found


def asked_joined(
    use_case: UseCase,
    scope: Scope,
    *,
    wanted: Mapping[str, Asked],
    joins: Sequence[AskedJoin],
    counted: Collection[str],
) -> AskedJoined:
    """What a run asks of a database that joins several of its tables itself; pure, reads nothing.

    Conditions come after the join there, so that one may concern several of the tables, those joined `left` too.

    Args:
        use_case: a checked spec.
        scope: its names.
        wanted: what each source would be asked alone.
        joins: the tables that the database brings to the base.
        counted: joined sources whose rows without partner are counted already, in the database.
    """
    base = wanted[use_case.extract.from_]
    among = (base.name, *(join.asked.name for join in joins))
    origin = {name: source for name, source in scope.origin.items() if source in among}
    declared = {name: scope.columns[name].model_copy(update={"column": None}) for name in origin}
    own = [part for name in among for part in _own(use_case, name)]
    where = [one for one in _conditions(use_case, scope) if _about(one, scope) <= set(among)]
    rows = Asked(
        name=base.name,
        source=base.source.model_copy(update={"columns": declared, "table": None, "where": None, "strict": False}),
        columns=tuple(name for name, source in origin.items() if name in wanted[source].columns),
        where=(*own, *where),
        share=_Share(use_case=use_case, scope=scope, name=base.name, joined=among, counted=tuple(counted)),
    )
    return AskedJoined(rows=rows, base=base, joins=tuple(joins), origin=origin)


def measured(asked: Asked) -> Asked:
    """The same of a population whose classes are counted already: its threshold may then be left to the source."""
    return replace(asked, share=replace(asked.share, measured=True) if isinstance(asked.share, _Share) else None)


@dataclass(frozen=True, kw_only=True)
class _Share:
    """The sample's threshold for a source that spells its key alike; a key of several columns stays with the engine."""

    use_case: UseCase
    scope: Scope
    name: str
    joined: Collection[str] = ()
    counted: Collection[str] = ()
    measured: bool = False

    def __call__(self, texts: Mapping[str, str]) -> str | None:
        sample = self.use_case.extract.sample
        if sample is None or len(sample.by) != 1 or sample.by[0] not in texts:
            return None
        return pushed_share(
            self.use_case, self.scope, source=self.name, columns=texts, joined=self.joined, counted=self.counted,
            measured=self.measured,
        )  # fmt: skip


def _needed(use_case: UseCase, scope: Scope) -> dict[str, set[str]]:
    """Source -> declared columns that something needs; of a table of events, all of them.

    A name that stands anywhere in the extraction counts as needed: a column too many costs a little, one too few would
    be read as nulls.
    """
    needed = {name: set(source.columns) for name, source in use_case.sources.items()}
    events = {table.events for table in use_case.extract.event_tables()}
    spoken = use_case.extract.model_dump(mode="json", exclude={"derive"})
    named = {base for word in _words(spoken) if word in scope.types for base in _bases(word, scope)}
    for part in plan(use_case, scope).sources:
        if part.name not in events:
            used = {column.name for column in part.columns if column.used_for}
            needed[part.name] = used | (named & set(use_case.sources[part.name].columns))
    return needed


def _words(spoken: object) -> Iterator[str]:
    if isinstance(spoken, str):
        yield from _NAME.findall(spoken)
    elif isinstance(spoken, dict):
        for value in spoken.values():
            yield from _words(value)
    elif isinstance(spoken, list):
        for value in spoken:
            yield from _words(value)


def _bases(name: str, scope: Scope) -> set[str]:
    """The declared columns that a name is made from."""
    if name in scope.derived:
        return set[str]().union(*(_bases(used, scope) for used in scope.derived[name].columns))
    return {name}


def _about(condition: Expression, scope: Scope) -> set[str | None]:
    return {scope.origin.get(name) for name in condition.columns}


def _own(use_case: UseCase, name: str) -> Iterator[Expression]:
    where = use_case.sources[name].where
    if where is not None:
        yield from conjuncts(parse(where, source_types(use_case, name)))


def _joined(use_case: UseCase, name: str, *, counted: Collection[str]) -> bool:
    """Whether a row left behind by this source means one joined row less, and nothing else."""
    extract = use_case.extract
    if any(table.events == name for table in extract.event_tables()):
        return False
    whole = {join.source for join in to_count(use_case)} - set(counted)
    if name == extract.from_:
        return not whole
    join = next(join for join in extract.join if join.source == name)
    return join.kind == "inner" and name not in whole


def to_count(use_case: UseCase) -> list[Join]:
    """The joins whose rows without partner are counted; one whose key comes through another is counted there."""
    base = use_case.sources[use_case.extract.from_].columns
    return [join for join in use_case.extract.join if join.orphans != "ignore" and all(key in base for key in join.on)]


def _conditions(use_case: UseCase, scope: Scope) -> Iterator[Expression]:
    """The parts of the filter and of the window, in terms of declared columns."""
    extract, types = use_case.extract, scope.expression_types()
    texts = [extract.where] if extract.where is not None else []
    window = extract.window
    kind = scope.types.get(window.column) if window is not None else None
    if window is not None and kind in ("date", "timestamp"):
        day = window.column if kind == "date" else f"date_of({window.column})"
        bounds = {">=": window.since, "<=": window.until}
        texts += [
            f"{day} {sign} parse_date('{datetime.date.fromisoformat(bound)}', '%Y-%m-%d')"
            for sign, bound in bounds.items()
            if bound is not None and bound >= _FIRST_YEAR
        ]
    for text in texts:
        for part in conjuncts(parse(text, types)):
            plain = in_terms_of(part, scope.derived)
            if plain is not None and plain.columns:
                yield plain
