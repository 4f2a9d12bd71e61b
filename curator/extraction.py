"""Extract: only the fields a use case needs, joined, filtered and sampled inside the engine.

`extract` moves no row. It binds the sources, names the joined relation in the engine and hands on a `Sample`: a typed
handle that later stages add to, so that rows move once, when a dataset version is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from curator.errors import SourceError
from curator.expressions import parse
from curator.protocols import BoundSource, Engine
from curator.samples import SAMPLE, Sample
from curator.spec import Scope, UseCase, scope_of
from curator.sqltext import quoted, text_key


def extract(use_case: UseCase, *, engine: Engine, paths: Mapping[str, Path]) -> Sample:
    """Bind the sources of a use case and name its extracted rows.

    Args:
        use_case: a checked spec.
        engine: where to work.
        paths: source -> file.

    Raises:
        SourceError: a source is missing or not shaped as declared, or a join declared `orphans: stop` has orphans.
    """
    scope = scope_of(use_case)
    bound = {name: engine.bind(name, use_case.sources[name], paths[name]) for name in use_case.sources}
    orphans = _orphans(use_case, engine, bound)
    engine.define(SAMPLE, _sample_sql(use_case, scope, engine, bound))
    return Sample(use_case=use_case, scope=scope, engine=engine, paths=dict(paths), bound=bound, orphans=orphans)


def _sample_sql(use_case: UseCase, scope: Scope, engine: Engine, bound: Mapping[str, BoundSource]) -> str:
    """The joined rows; then one nested query per derived column (each may use those before it); then the filters."""
    sql = _joined_sql(use_case, scope, bound)
    for name, expression in scope.derived.items():
        sql = f"SELECT *, {expression.sql(engine.dialect)} AS {quoted(name)} FROM ({sql}) t"  # noqa: S608
    conditions = []
    if use_case.extract.where is not None:
        conditions.append(parse(use_case.extract.where, scope.expression_types()).sql(engine.dialect))
    if use_case.extract.sample is not None and use_case.extract.sample.fraction < 1:
        conditions.append(_share_sql(use_case))
    where = " WHERE " + " AND ".join(f"({condition})" for condition in conditions) if conditions else ""
    return f"SELECT * FROM ({sql}) t{where}"  # noqa: S608 (built from a checked spec)


def _joined_sql(use_case: UseCase, scope: Scope, bound: Mapping[str, BoundSource]) -> str:
    selected = []
    for name, source in scope.origin.items():
        selected.append(f"{quoted(source)}.{quoted(name)}")
        if name in bound[source].raw_columns:
            selected.append(f"{quoted(source)}.{bound[source].raw_columns[name]}")
    base = use_case.extract.from_
    tables = f"{quoted(bound[base].relation)} AS {quoted(base)}"
    for join in use_case.extract.join:
        on = " AND ".join(f"{_side(scope, key)} = {quoted(join.source)}.{quoted(key)}" for key in join.on)
        tables += f" {join.kind.upper()} JOIN {quoted(bound[join.source].relation)} AS {quoted(join.source)} ON {on}"
    return f"SELECT {', '.join(selected)} FROM {tables}"  # noqa: S608 (built from a checked spec)


def _side(scope: Scope, key: str) -> str:
    """The earlier side of a join key: the source the name belongs to."""
    return f"{quoted(scope.origin[key])}.{quoted(key)}"


def _share_sql(use_case: UseCase) -> str:
    """Hash threshold on the key's text: the first 32 bits of MD5, whose spelling every engine shares.

    MD5 spreads rows, it hides nothing here; the seed is public and part of the spec. A row whose key has a hole is
    drawn by its own row key: it is kept with the same chance as any other.
    """
    sample = use_case.extract.sample
    if sample is None:  # pragma: no cover (guarded by the caller)
        return "true"
    limit = f"{min(round(sample.fraction * (1 << 32)), 0xFFFFFFFF):08x}"
    key = f"coalesce({text_key(sample.by)}, {text_key(use_case.extract.row_key)}, '')"
    return f"substr(md5('{sample.seed}:' || {key}), 1, 8) < '{limit}'"


def _orphans(use_case: UseCase, engine: Engine, bound: Mapping[str, BoundSource]) -> dict[str, dict[str, int]]:
    """Rows without partner on either side of each join, from the keys alone."""
    counts = {}
    base = use_case.extract.from_
    for join in use_case.extract.join:
        if join.orphans == "ignore":
            continue
        if not all(key in use_case.sources[base].columns for key in join.on):
            continue  # the key comes through an earlier join, whose orphans are counted there
        keys = ", ".join(quoted(key) for key in join.on)
        left, right = quoted(bound[base].relation), quoted(bound[join.source].relation)
        query = "SELECT count(*) FROM {} ANTI JOIN (SELECT DISTINCT {} FROM {}) o USING ({})"
        counts[join.source] = {
            "left": int(engine.rows(query.format(left, keys, right, keys))[0][0]),
            "right": int(engine.rows(query.format(right, keys, left, keys))[0][0]),
        }
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
