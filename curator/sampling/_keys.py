"""The one hash that draws rows: MD5 of the seed and the sampling key, compared as hexadecimal text.

MD5 spreads rows, it hides nothing here: seed and key are public, so that anybody who may read the source can draw the
same rows again. It is the one hash whose text DuckDB, Spark, PostgreSQL and MariaDB all spell alike, and digits and
small letters are in the same order in every collation. No engine's own sampler is used: none agrees with another.

Each option ranks by a hash of its own: MD5 of seed, its name and key. With one hash for all, what an option kept, the
lowest of their class, would be the lowest for the next one too, and rows of large classes would crowd out the others:
the two stages of a draw must be independent (W. G. Cochran, Sampling Techniques, 3rd edition, 1977, chapter 10).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction

from curator.spec import Scope, UseCase
from curator.spec.model import Sample, Source
from curator.sqltext import TEXT, quoted, text_key

_SPELT_ALIKE = ("text", "integer", "date")  # types whose text every database writes as the engines do


def hash_sql(key: str, seed: int, *, step: str = "") -> str:
    """MD5 of `seed:key`, or of `seed:step:key`, as 32 hexadecimal digits; null when the key is null.

    Args:
        key: SQL of the key as text.
        seed: of the sample.
        step: the option that ranks by it; none for a share.
    """
    return f"md5('{seed}:{step}{':' if step else ''}' || {key})"


def draw_sql(sample: Sample, row_key: Sequence[str], *, step: str = "") -> str:
    """The hash of a row's sampling key.

    A row whose key has a null is drawn by its row key, so that it is kept with the same chance as any other.
    """
    return hash_sql(f"coalesce({text_key(sample.by)}, {text_key(row_key)}, '')", sample.seed, step=step)


def row_sql(sample: Sample, row_key: Sequence[str], *, step: str) -> str:
    """The hash of a row's own key, by which rows of one entity are ranked."""
    return hash_sql(f"coalesce({text_key(row_key)}, '')", sample.seed, step=step)


def below_sql(draw: str, fraction: float) -> str:
    """Hash threshold: the first 32 bits of the hash lie below the fraction of their range."""
    limit = f"{min(round(fraction * (1 << 32)), 0xFFFFFFFF):08x}"
    return f"substr({draw}, 1, 8) < '{limit}'"


def ratio(number: float) -> Fraction:
    """A number of the spec as the exact fraction that its decimal spelling means."""
    return Fraction(str(number))


def pushed_share(
    use_case: UseCase, scope: Scope, *, source: str, columns: Mapping[str, str] | None = None,
    joined: Collection[str] = (), counted: Collection[str] = (), measured: bool = False,
) -> str | None:  # fmt: skip
    """A condition that a source may apply itself, so that rows which cannot be drawn never leave it.

    It lets through every row that the sample can hold, and those without sampling key: the engine applies the exact
    condition again. It holds in any database with `md5`, `substr` and `||` (PostgreSQL; MariaDB with PIPES_AS_CONCAT).

    Args:
        use_case: a checked spec.
        scope: its names.
        source: which source asks.
        columns: column of the spec -> SQL of its text in the source's dialect; the quoted name cast to text when
            None.
        joined: the sources whose joined rows the source hands over; itself alone when empty.
        counted: joined sources whose rows without partner are counted already, in the database.
        measured: whether the classes of the population are counted already, in the database.

    Returns:
        SQL of the condition; None when the key is not of these sources alone, when its text may be spelt another way
        there, or when all rows must be seen (ranks over all of them, a measure against the population).
    """
    sample = use_case.extract.sample
    if sample is None or sample.fraction is None or sample.fraction >= 1:
        return None
    if not _threshold_only(use_case) or (use_case.representation is not None and not measured):
        return None
    among = set(joined) or {source}
    if any(scope.origin.get(name) not in among for name in sample.by):
        return None
    if not _row_by_row(use_case, source, joined=joined, counted=counted):
        return None
    if any(not _spelt_alike(use_case.sources[scope.origin[name]], name) for name in sample.by):
        return None
    names = columns or {name: f"CAST({quoted(name)} AS {TEXT})" for name in sample.by}
    texts = [names[name] for name in sample.by]
    if len(texts) == 1:
        key = texts[0]
    else:
        key = "(" + " || ".join(f"CAST(length({text}) AS {TEXT}) || ':' || {text}" for text in texts) + ")"
    missing = " OR ".join(f"{text} IS NULL" for text in texts)
    return f"({missing} OR {below_sql(hash_sql(key, sample.seed), sample.fraction)})"


def _threshold_only(use_case: UseCase) -> bool:
    """Whether no other part of the spec looks at rows that the threshold leaves out."""
    sample = use_case.extract.sample
    if sample is None or sample.at_least is not None:
        return False
    return sample.per_entity is None or set(sample.by) == set(use_case.extract.entity)


def _row_by_row(use_case: UseCase, source: str, *, joined: Collection[str], counted: Collection[str]) -> bool:
    """Whether leaving out a row of the source leaves out the joined rows, and changes nothing else."""
    if any(table.events in {source, *joined} for table in use_case.extract.event_tables()):
        return False
    joins = {join.source: join for join in use_case.extract.join}
    if any(join.orphans != "ignore" and join.source not in counted for join in joins.values()):
        return False  # rows without partner are counted over whole tables
    if joined or source == use_case.extract.from_:
        return True
    return source in joins and joins[source].kind == "inner"


def _spelt_alike(source: Source, name: str) -> bool:
    column = source.columns[name]
    return column.type in _SPELT_ALIKE and column.format is None and not source.null_tokens
