"""SQL of figures, one template per figure and engine: what one aggregate query computes beside the counts."""

from __future__ import annotations

from curator.errors import UsageError
from curator.sqltext import TEXT
from curator.suite._rules import FigureRule, UniqueRule

_TEMPLATES: dict[str, dict[str, str]] = {
    "duckdb": {
        "mean": "avg({value})",
        "median": "CAST(median({value}) AS DOUBLE)",
        "sum": "coalesce(sum({value}), 0)",
        "min": "min({value})",
        "max": "max({value})",
        "distinct": "count(DISTINCT {value})",
        "proportion": "coalesce(count(DISTINCT {value}) / nullif(count({value}), 0), 0)",
        "filled": "coalesce(count({value}) / nullif(count(*), 0), 0)",
    },
    "spark": {
        "mean": "CAST(avg({value}) AS DOUBLE)",
        "median": "CAST(median({value}) AS DOUBLE)",
        "sum": "coalesce(sum({value}), 0)",
        "min": "min({value})",
        "max": "max({value})",
        "distinct": "count(DISTINCT {value})",
        "proportion": "coalesce(CAST(count(DISTINCT {value}) AS DOUBLE) / nullif(count({value}), 0), 0)",
        "filled": "coalesce(CAST(count({value}) AS DOUBLE) / nullif(count(*), 0), 0)",
    },
}
"""engine -> figure -> aggregate over `{value}`, where NaN is null already. Null when no value is there.

Deviations, and sums and means of what is no whole number, are taken by `curator.suite._moments`."""

_SORTED = {
    "duckdb": "list_sort(list({value}) FILTER (WHERE {value} IS NOT NULL))",
    "spark": "array_sort(collect_list({value}))",
}
_NEAREST = {
    "duckdb": "{sorted}[1 + CAST(round_even((count({value}) - 1) * CAST({share} AS DOUBLE), 0) AS BIGINT)]",
    "spark": "CASE WHEN count({value}) > 0 THEN element_at({sorted}, "
    "1 + CAST(rint((count({value}) - 1) * CAST({share} AS DOUBLE)) AS INT)) END",
}
_LIST = {"duckdb": "[{}]", "spark": "array({})"}
_WIDE = "CAST({value} AS DECIMAL(38, 0))"  # Spark adds 64-bit integers in 64 bits, and averages them as doubles


def figure_sql(rule: FigureRule, engine: str, *, column_sql: str) -> str:
    """The aggregate expression of a figure.

    Quantiles are the nearest rank as GX asks it of pandas (`interpolation="nearest"`): the value at index
    round((n - 1) q) of the sorted values, halves to the even index (NumPy's method `nearest`; Hyndman and Fan 1996
    discuss the family). They hold the column's values in memory, as DuckDB's own quantiles do.

    Args:
        rule: what is asked.
        engine: `duckdb` or `spark`.
        column_sql: the column as that engine writes it, quoted.

    Returns:
        SQL for the select list of an aggregate query without GROUP BY. Null counts as nowhere.

    Raises:
        UsageError: `figure-engine` for an engine without templates.
    """
    templates = _TEMPLATES.get(engine)
    if templates is None:
        raise UsageError(
            "figure-engine",
            asked=f"compute `{rule.figure}` for the rule {rule.id}",
            found="an engine that has no template for figures",
            expected=", ".join(_TEMPLATES),
            todo="run the quality stage on one of these engines",
        )
    value = _value(rule, column_sql)
    if rule.figure == "quantile":
        return _quantiles(rule, value, engine=engine)
    if engine == "spark" and rule.type == "integer" and rule.figure in ("sum", "mean"):
        total = f"sum({_WIDE.format(value=value)})"
        mean = f"CAST({total} AS DOUBLE) / nullif(count({value}), 0)"
        return mean if rule.figure == "mean" else f"coalesce({total}, 0)"
    sql = templates[rule.figure].format(value=value)
    if rule.figure in ("min", "max") and rule.type in ("date", "timestamp"):
        return f"CAST({sql} AS {TEXT})"
    if rule.type == "decimal" and rule.figure in ("sum", "min", "max"):
        # Rounded once: DuckDB divides a rounded number by a power of ten, but reads a text exactly, as Spark does.
        return f"CAST(CAST({sql} AS {TEXT}) AS DOUBLE)"
    return sql


def _value(rule: FigureRule, column: str) -> str:
    """The column as the figure reads it: NaN as null, decimals as doubles where two of them are averaged."""
    if rule.type == "float":
        return f"CASE WHEN NOT isnan({column}) THEN {column} END"
    if rule.type == "decimal" and rule.figure in ("median", "quantile"):
        return f"CAST({column} AS DOUBLE)"
    return column


def _quantiles(rule: FigureRule, value: str, *, engine: str) -> str:
    values = _SORTED[engine].format(value=value)
    shares = (_NEAREST[engine].format(sorted=values, value=value, share=repr(q)) for q in rule.arguments["quantiles"])
    return _LIST[engine].format(", ".join(shares))


def key_sql(rule: UniqueRule, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The parts of a key as they are compared: NaN as null, like everywhere.

    Args:
        rule: what is asked.
        columns: the key's columns as the engine writes them, quoted, in the order of `rule.columns`.

    Returns:
        One expression per column, for GROUP BY or PARTITION BY on any engine where NaN is above every number.
    """
    return tuple(
        f"CASE WHEN NOT ({column} > 0 AND -{column} > 0) THEN {column} END" if kind == "float" else column
        for column, kind in zip(columns, rule.types, strict=True)
    )


def unique_sql(rule: UniqueRule, *, relation: str, columns: tuple[str, ...], missing: str | None) -> str:
    """The one query of a uniqueness rule, for every SQL engine: rows whose key occurs twice, rows not looked at.

    Every member of a repeated key is unexpected, as pandas' `duplicated(keep=False)` and GX count it.

    Args:
        rule: what is asked.
        relation: the relation as the engine writes it, quoted.
        columns: the key's columns as the engine writes them, quoted, in the order of `rule.columns`.
        missing: `rule.missing` in the SQL of the engine.

    Returns:
        SQL giving one row: `unexpected`, `missing`.
    """
    keys = [f"k{place}" for place in range(len(columns))]
    selected = ", ".join(f"{column} AS {key}" for column, key in zip(key_sql(rule, columns), keys, strict=True))
    looked_at = f"SELECT {missing or 'FALSE'} AS m, {selected} FROM {relation}"  # noqa: S608 (quoted by the caller)
    counted = f"SELECT m, count(*) AS n FROM ({looked_at}) AS looked_at GROUP BY m, {', '.join(keys)}"  # noqa: S608
    return (
        "SELECT coalesce(sum(CASE WHEN n > 1 AND NOT m THEN n END), 0) AS unexpected, "  # noqa: S608
        f"coalesce(sum(CASE WHEN m THEN n END), 0) AS missing FROM ({counted}) AS counted"
    )
