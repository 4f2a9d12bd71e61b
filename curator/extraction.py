"""Extract: only the fields a use case needs, joined, filtered and sampled inside the engine.

`extract` moves no row of a file. It binds the files, reads live sources into the engine (only the columns that
something needs, and rows that may be wanted; joined already where one database holds the tables and compares their keys
as the engine does; drawn already where it counts the population that a `representation` is measured against), names the
joined relation in the engine and hands on a `Sample`: a typed handle that later stages
add to, so that rows move once, when a dataset version is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

from curator.addresses import Address, place_of
from curator.errors import SourceError
from curator.files import Where
from curator.planning import Together, asked, measured, to_count, together, whole
from curator.protocols import Asked, AskedClasses, AskedJoined, BoundSource, Engine
from curator.representation import class_columns, classes_sql
from curator.samples import SAMPLE, Sample
from curator.sampling import (
    EQUALS,
    POPULATION,
    Extracting,
    answers_sql,
    chosen_sql,
    event_counts,
    refuse_leaks,
    relations,
    sample_sql,
    whole_row_sql,
)
from curator.sources import (
    Snapshots,
    classes_statement,
    is_live,
    joined_statement,
    statement_of,
    would_count,
    would_join,
)
from curator.spec import Scope, UseCase, scope_of
from curator.spec.model import Column
from curator.sqltext import quoted

_WHOLE = "whole rows"


def extract(
    use_case: UseCase, *, engine: Engine, paths: Mapping[str, Where], digest_key: bytes | None = None,
    live: Snapshots | None = None,
) -> Sample:  # fmt: skip
    """Bind the sources of a use case and name its extracted rows.

    Args:
        use_case: a checked spec.
        engine: where to work.
        paths: source -> where it stands: files, or the address of a live source.
        digest_key: for the digests of what live sources hand over; none are taken without.
        live: live sources that stay open, to be read as of the same moment before or afterwards.

    Raises:
        SourceError: a source is missing or not shaped as declared, or a join declared `orphans: stop` has orphans.
        QualityError: `feature-leak`, when a feature is newer than its cut-off.
    """
    scope = scope_of(use_case)
    with nullcontext(live) if live is not None else Snapshots(key=digest_key) as snapshots:
        counted = _counted(use_case, scope, snapshots=snapshots, paths=paths)
        wanted = asked(use_case, scope, counted=counted)
        joining = _joining(use_case, scope, wanted=wanted, paths=paths, snapshots=snapshots, counted=counted)
        asking_classes = _asked_classes(use_case, scope, wanted=wanted, joining=joining)
        classes = _classes(asking_classes, engine=engine, where=paths[use_case.extract.from_], snapshots=snapshots)
        if asking_classes is not None and classes is not None:
            wanted, joining = _drawn_there(asking_classes, wanted, joining=joining)
        bound = _bound(use_case, wanted, joining=joining, engine=engine, paths=paths, snapshots=snapshots)
    tables = _tables(
        use_case, engine, relations={name: source.relation for name, source in bound.items()}, joining=joining
    )
    orphans = _orphans(use_case, engine, tables=tables, counted=counted)
    equal = _whole_rows(use_case, scope, engine=engine, tables=tables)
    raw = {name: source.raw_columns for name, source in bound.items()}
    parts = Extracting(
        use_case=use_case, scope=scope, dialect=engine.dialect, tables=tables, raw=raw, merged=joining.merged
    )
    for name, sql in relations(parts):
        engine.define(name, sql)
    drawing = equal | _drawn(parts, engine)
    return Sample(
        use_case=use_case, scope=scope, engine=engine, paths=dict(paths), bound=bound, orphans=orphans, drawing=drawing,
        classes=classes,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What databases would be asked, for a plan.

    Attributes:
        statements: source -> what its database would be asked; of tables joined there, under the base alone.
        joins: joined source in a database -> where it would be joined, and why there.
    """

    statements: Mapping[str, str]
    joins: Mapping[str, str]


def asking(use_case: UseCase, scope: Scope, *, given: Mapping[str, str]) -> Asking:
    """What each live source would be asked, for a plan; opens nothing.

    Args:
        use_case: a checked spec.
        scope: its names.
        given: source -> place, instead of the spec's own.

    Raises:
        SourceError: an address that holds a secret, or that nothing reads.
    """
    texts = {name: (given[name],) if name in given else source.addresses for name, source in use_case.sources.items()}
    # A secret in an address is refused before the plan is shown.
    places = {name: [place_of(text, source=name) for text in texts[name]] for name in texts}
    live = {name: one for name, (one, *_) in places.items() if isinstance(one, Address) and is_live(one)}
    base, alone = use_case.extract.from_, asked(use_case, scope)
    counted = [
        join.source
        for join in to_count(use_case)
        if base in live and join.source in live and live[base].text == live[join.source].text
        and would_count(alone[base], alone[join.source], on=join.on, where=live[base])
    ]  # fmt: skip
    wanted = asked(use_case, scope, counted=counted)
    joining = together(
        use_case, scope, wanted=wanted, places={name: where.text for name, where in live.items()}, counted=counted,
        able=lambda join, tables: would_join(join, tables, where=live[base]),
    )  # fmt: skip
    classes = _asked_classes(use_case, scope, wanted=wanted, joining=joining) if base in live else None
    counting = classes_statement(live[base], classes) if classes is not None else None
    if classes is not None and counting is not None:
        wanted, joining = _drawn_there(classes, wanted, joining=joining)
    said = {
        name: joined_statement(where, joining.asked)
        if joining.asked and name == base
        else statement_of(where, wanted[name])
        for name, where in live.items()
        if name not in joining.merged
    }
    statements = {name: statement for name, statement in said.items() if statement is not None}
    if counting is not None:
        statements[base] = f"{counting}; {statements[base]}"
    return Asking(statements=statements, joins=joining.said)


def require_known(use_case: UseCase, given: Iterable[str]) -> None:
    """Refuse places given for sources that the spec does not have. Raises SourceError `source-unknown`."""
    unknown = sorted(set(given) - set(use_case.sources))
    if unknown:
        raise SourceError(
            "source-unknown",
            asked="read given files instead of the spec's own",
            found=f"no source {', '.join(f'`{name}`' for name in unknown)} in {use_case.ref}",
            expected="one of " + ", ".join(f"`{name}`" for name in use_case.sources),
            todo="correct the name before `=` in --source",
        )


def _counted(
    use_case: UseCase, scope: Scope, *, snapshots: Snapshots, paths: Mapping[str, Where]
) -> dict[str, dict[str, int]]:
    """Rows without partner of tables that one database holds and counts itself: it may then leave rows behind."""
    wanted, base = asked(use_case, scope), use_case.extract.from_
    found: dict[str, dict[str, int]] = {}
    for join in to_count(use_case):
        left, right = paths[base], paths[join.source]
        if isinstance(left, Address) and isinstance(right, Address) and is_live(left) and is_live(right):
            counts = snapshots.without_partner((wanted[base], left), (wanted[join.source], right), on=join.on)
            found |= {join.source: dict(zip(("left", "right"), counts, strict=True))} if counts is not None else {}
    return found


def _joining(
    use_case: UseCase, scope: Scope, *, wanted: Mapping[str, Asked], paths: Mapping[str, Where], snapshots: Snapshots,
    counted: Mapping[str, object],
) -> Together:  # fmt: skip
    """Which joins a database makes itself, by its own catalogue."""
    live = {name: where for name, where in paths.items() if isinstance(where, Address) and is_live(where)}
    base = use_case.extract.from_
    return together(
        use_case, scope, wanted=wanted, places={name: where.text for name, where in live.items()}, counted=counted,
        able=lambda join, tables: snapshots.joinable(join, tables, where=live[base]),
    )  # fmt: skip


def _asked_classes(
    use_case: UseCase, scope: Scope, *, wanted: Mapping[str, Asked], joining: Together
) -> AskedClasses | None:
    """What to ask for the classes of a population that one source holds whole; None where it cannot be asked."""
    part, there = use_case.representation, whole(use_case, scope, wanted=wanted, joining=joining)
    if part is None or there is None:
        return None
    columns = {name: Column(type=kind) for name, kind in class_columns(part).items()}
    source = use_case.sources[use_case.extract.from_].model_copy(
        update={"columns": columns, "table": None, "where": None, "strict": False, "null_tokens": ()}
    )
    return AskedClasses(
        rows=there.rows,
        formulas=there.formulas,
        counts=Asked(name=use_case.extract.from_, source=source, columns=tuple(columns)),
        statement=partial(classes_sql, part),
    )


def _classes(asked: AskedClasses | None, *, engine: Engine, where: Where, snapshots: Snapshots) -> str | None:
    """The relation of the population's classes, where its database counts them."""
    if asked is None or not isinstance(where, Address) or not is_live(where):
        return None
    return snapshots.classes(asked, where, engine=engine)


def _drawn_there(
    asked: AskedClasses, wanted: Mapping[str, Asked], *, joining: Together
) -> tuple[dict[str, Asked], Together]:
    """The same as was to be asked, the threshold of the sample now among what is left to the database."""
    base = asked.tables[0]
    if not isinstance(asked.rows, AskedJoined):
        return {**wanted, base.name: asked.rows}, joining
    return {**wanted, base.name: measured(base)}, replace(joining, asked=asked.rows)


def _bound(
    use_case: UseCase, wanted: Mapping[str, Asked], *, joining: Together, engine: Engine, paths: Mapping[str, Where],
    snapshots: Snapshots,
) -> dict[str, BoundSource]:  # fmt: skip
    """Files as the engine reads them; live sources taken in, those of one address as of one moment."""
    found: dict[str, BoundSource] = {}
    for name, source in use_case.sources.items():
        where = paths[name]
        if name in found:
            continue
        if not isinstance(where, Address) or not is_live(where):
            found[name] = engine.bind(name, source, path=where, asked=wanted[name])
        elif joining.asked is not None and name in joining.asked.tables:
            alone = wanted[use_case.extract.from_]
            found |= snapshots.adopt_joined(joining.asked, where, engine=engine, alone=alone)
        else:
            found[name] = snapshots.adopt(wanted[name], where, engine=engine)
    return {name: found[name] for name in use_case.sources}


def _tables(use_case: UseCase, engine: Engine, *, relations: Mapping[str, str], joining: Together) -> dict[str, str]:
    """The relation of each source, after its own filter; of joined rows, after the filters of all that they are of."""
    tables = {
        name: _chosen(use_case, engine, name=name, relation=relation)
        for name, relation in relations.items()
        if name not in joining.merged
    }
    base = use_case.extract.from_
    for name in joining.merged:
        tables[base] = _chosen(use_case, engine, name=name, relation=tables[base])
    return tables


def _chosen(use_case: UseCase, engine: Engine, *, name: str, relation: str) -> str:
    """The relation of a source, after its own filter."""
    sql = chosen_sql(use_case, name, dialect=engine.dialect, relation=relation)
    if sql is None:
        return relation
    engine.define(f"chosen {name}", sql)
    return f"chosen {name}"


def _whole_rows(use_case: UseCase, scope: Scope, *, engine: Engine, tables: dict[str, str]) -> dict[str, int]:
    """Name the rows of a base without a key, once for the run; counts those that only a number tells from another."""
    if not scope.whole:
        return {}
    base = use_case.extract.from_
    engine.materialise(_WHOLE, whole_row_sql(scope, tables[base]))
    tables[base] = _WHOLE
    counted = f"SELECT count(*) FROM {quoted(_WHOLE)} WHERE {quoted(EQUALS)} > 1"  # noqa: S608 (quoted identifiers)
    return {"rows told apart by a number": int(engine.rows(counted)[0][0])}


def _drawn(parts: Extracting, engine: Engine) -> dict[str, int]:
    """Name the sample, and count what only a pass of its own can tell.

    Ranks and histories look at all rows at once: their result is kept for the run, so that it is computed once.
    """
    extract = parts.use_case.extract
    ranked = extract.sample is not None and extract.sample.ranked
    if not ranked and not extract.event_tables():
        engine.define(SAMPLE, sample_sql(parts))
        return {}
    engine.materialise(SAMPLE, sample_sql(parts))
    counts = {}
    if ranked:
        counts = {name: _count(engine, name) for name in (POPULATION, SAMPLE)} | _answers(parts, engine)
    for names, sql in event_counts(parts):
        counts |= {name: int(count or 0) for name, count in zip(names, engine.rows(sql)[0], strict=True)}
    return counts | refuse_leaks(parts, rows=engine.rows, relation=SAMPLE)


def _answers(parts: Extracting, engine: Engine) -> dict[str, int]:
    """Positive and negative rows of the population and of the sample, where negatives are drawn: what weighs them."""
    found: dict[str, int] = {}
    for relation, told in ((POPULATION, "rows"), (SAMPLE, "rows drawn")):
        sql = answers_sql(parts.use_case, parts.scope, dialect=parts.dialect, relation=relation)
        if sql is not None:
            positive, negative = engine.rows(sql)[0]
            found |= {f"positive {told}": int(positive or 0), f"negative {told}": int(negative or 0)}
    return found


def _count(engine: Engine, relation: str) -> int:
    return int(engine.rows(f"SELECT count(*) FROM {quoted(relation)}")[0][0])  # noqa: S608 (quoted identifier)


def _orphans(
    use_case: UseCase, engine: Engine, *, tables: Mapping[str, str], counted: Mapping[str, dict[str, int]]
) -> dict[str, dict[str, int]]:
    """Rows without partner on either side of each join, from the keys alone, unless they are counted already."""
    counts = {}
    base = use_case.extract.from_
    for join in to_count(use_case):
        counts[join.source] = counted.get(join.source) or _alone(
            engine, tables[base], right=tables[join.source], on=join.on
        )
        alone = counts[join.source]
        if join.orphans == "stop" and any(alone.values()):
            raise SourceError(
                "join-orphans",
                asked=f"join `{join.source}`, declared without orphans",
                found=f"{alone['left']:,} rows of `{base}`, {alone['right']:,} of `{join.source}` without partner",
                expected="a partner for every row",
                todo="ask the holder of the tables, or declare `orphans: report`",
            )
    return counts


def _alone(engine: Engine, left: str, *, right: str, on: Iterable[str]) -> dict[str, int]:
    """Both numbers from one pass over either side: a key with a null has no partner."""
    keys = [quoted(key) for key in on]
    listed, null = ", ".join(keys), " OR ".join(f"{key} IS NULL" for key in keys)
    both = " UNION ALL ".join(
        f'SELECT {listed}, {number} AS ".right" FROM {quoted(side)}'  # noqa: S608 (quoted identifiers)
        for number, side in enumerate((left, right))
    )
    grouped = f'SELECT {listed}, count(*) AS ".rows", sum(".right") AS ".rights" FROM ({both}) s GROUP BY {listed}'  # noqa: S608
    counted = ", ".join(
        f"coalesce(sum(CASE WHEN {lonely} OR {null} THEN {rows} END), 0)"
        for lonely, rows in (('".rights" = 0', '".rows" - ".rights"'), ('".rights" = ".rows"', '".rights"'))
    )
    ((of_left, of_right),) = engine.rows(f"SELECT {counted} FROM ({grouped}) g")  # noqa: S608 (quoted identifiers)
    return {"left": int(of_left), "right": int(of_right)}
