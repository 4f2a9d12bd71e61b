"""Point-in-time joins: what events tell of a row up to its cut-off, and whether one comes after it.

The many side is brought together once for each key and cut-off, never for each row: rows that share both share the
answer. The newest event that was looked at stays beside the features, so that the data themselves show that none is
newer than its cut-off (see `curator.sampling._leaks`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from curator.expressions import parse
from curator.sampling._parts import Extracting
from curator.spec.model import History, Label, Measure
from curator.spec.scope import source_types
from curator.sqltext import literal, quoted

_KEY, _CUT, _AT, _OF = ".key {} {}", ".cut {}", ".at", ".of {}"
NEWEST, _FOUND, _MADE = ".newest {}", ".found {}", ".made {} {}"


def event_sql(index: int, table: History | Label, *, parts: Extracting, joined: str) -> tuple[str, str]:
    """Name and SQL of the relation that holds, for each key and cut-off of the rows, what its events tell.

    Args:
        index: place of the table among the event tables.
        table: a history, or the label.
        parts: what the SQL is written from.
        joined: name of the relation that holds the rows.
    """
    keys = [_KEY.format(index, place) for place in range(len(table.on))]
    group = ", ".join(quoted(name) for name in (*keys, _CUT.format(index)))
    rows = _asked_sql(index, table, joined=joined)
    events = _events_sql(table, parts)
    same = " AND ".join(f"b.{quoted(key)} = e.{quoted(name)}" for key, name in zip(keys, table.on, strict=True))
    matched = f"SELECT b.*, e.* FROM ({rows}) b JOIN ({events}) e ON {same} AND {_in_time(index, table)}"  # noqa: S608
    told = [f"count(*) AS {quoted(_FOUND.format(index))}", f"max({quoted(_AT)}) AS {quoted(NEWEST.format(index))}"]
    if isinstance(table, History):
        newest = f"max({quoted(_AT)}) OVER (PARTITION BY {group})"
        matched = f"SELECT *, {newest} AS {quoted('.newest')} FROM ({matched}) t"  # noqa: S608 (built from a spec)
        told += list(_told(index, table, parts=parts))
    sql = f"SELECT {group}, {', '.join(told)} FROM ({matched}) t GROUP BY {group}"  # noqa: S608 (likewise)
    return _relation(index), sql


def brought_sql(parts: Extracting, *, joined: str) -> str:
    """The rows with the columns made from events beside them."""
    selected, tables = ["t.*"], f"{quoted(joined)} t"
    for index, table in enumerate(parts.use_case.extract.event_tables()):
        cut = _cut_column(table)
        on = " AND ".join(
            f"t.{quoted(name)} = {quoted(_KEY.format(index, place))}" for place, name in enumerate(table.on)
        )
        tables += f" LEFT JOIN {quoted(_relation(index))} ON {on} AND t.{quoted(cut)} = {quoted(_CUT.format(index))}"
        selected.append(quoted(NEWEST.format(index)))
        unknown = " OR ".join(f"t.{quoted(name)} IS NULL" for name in (*table.on, cut))
        if isinstance(table, Label):
            label = _label_sql(index, table, unknown=unknown, kind=parts.scope.types[cut])
            selected.append(f"{label} AS {quoted(table.name)}")
        else:
            selected += list(_brought(index, table, parts=parts, unknown=unknown))
    return f"SELECT {', '.join(selected)} FROM {tables}"  # noqa: S608 (built from a checked spec)


def event_counts(parts: Extracting) -> Iterator[tuple[list[str], str]]:
    """For each source of events, names of counts and the query that takes them.

    Events without a time belong to no moment and are looked past; cells that cannot be read as declared are null. Both
    are counted, since no row of the dataset shows them.
    """
    tables = parts.use_case.extract.event_tables()
    for source in dict.fromkeys(table.events for table in tables):
        mine = [table for table in tables if table.events == source]
        wanted = dict.fromkeys(name for table in mine for name in _names(table))
        counts = {f"{source} without {table.at}": f"{quoted(table.at)} IS NULL" for table in mine}
        raw = parts.raw.get(source, {})
        counts |= {
            f"{source} unreadable {name}": f"{raw[name]} IS NOT NULL AND {quoted(name)} IS NULL"
            for name in wanted
            if name in raw
        }
        selected = ", ".join(f"sum(CASE WHEN {condition} THEN 1 ELSE 0 END)" for condition in counts.values())
        yield list(counts), f"SELECT {selected} FROM {quoted(parts.tables[source])}"  # noqa: S608 (quoted identifiers)


def _names(table: History | Label) -> list[str]:
    of = [measure.of for measure in table.columns.values()] if isinstance(table, History) else []
    return [*table.on, table.at, *(name for name in of if name is not None)]


def _relation(index: int) -> str:
    return f"events {index}"


def _cut_column(table: History | Label) -> str:
    return table.until if isinstance(table, History) else table.after


def _asked_sql(index: int, table: History | Label, *, joined: str) -> str:
    """Each key and cut-off of the rows, once; a row without one of them has no history."""
    cut = _cut_column(table)
    selected = [f"{quoted(name)} AS {quoted(_KEY.format(index, place))}" for place, name in enumerate(table.on)]
    selected.append(f"{quoted(cut)} AS {quoted(_CUT.format(index))}")
    known = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in (*table.on, cut))
    return f"SELECT DISTINCT {', '.join(selected)} FROM {quoted(joined)} t WHERE {known}"  # noqa: S608 (quoted)


def _events_sql(table: History | Label, parts: Extracting) -> str:
    """The events that meet the condition, at a known time: key, time and the columns that are told of."""
    selected = [quoted(name) for name in table.on]
    selected.append(f"{quoted(table.at)} AS {quoted(_AT)}")
    if isinstance(table, History):
        selected += [
            f"{quoted(measure.of)} AS {quoted(_OF.format(place))}"
            for place, measure in enumerate(table.columns.values())
            if measure.of is not None
        ]
    conditions = [f"{quoted(table.at)} IS NOT NULL"]
    if table.where is not None:
        conditions.append(parse(table.where, source_types(parts.use_case, table.events)).sql(parts.dialect))
    where = " AND ".join(f"({condition})" for condition in conditions)
    relation = quoted(parts.tables[table.events])
    return f"SELECT {', '.join(selected)} FROM {relation} t WHERE {where}"  # noqa: S608 (built from a checked spec)


def _in_time(index: int, table: History | Label) -> str:
    """History: up to the cut-off. Label: after the cut-off, the last day of the horizon included."""
    at, cut = f"e.{quoted(_AT)}", f"b.{quoted(_CUT.format(index))}"
    if isinstance(table, Label):
        return f"{at} > {cut} AND {_moment(at)} <= {_moment(cut)} + {_days(table.within_days)}"
    upto = f"{at} {'<' if table.strictly else '<='} {cut}"
    if table.within_days is None:
        return upto
    return f"{upto} AND {_moment(at)} >= {_moment(cut)} - {_days(table.within_days)}"


def _told(index: int, table: History, *, parts: Extracting) -> Iterator[str]:
    types = source_types(parts.use_case, table.events)
    for place, measure in enumerate(table.columns.values()):
        figure = _figure(measure, quoted(_OF.format(place)), kind=types.get(measure.of or "", ""))
        if figure:
            yield f"{figure} AS {quoted(_MADE.format(index, place))}"


def _figure(measure: Measure, cell: str, *, kind: str) -> str:
    """An aggregate that is the same whatever order the events come in: sums are of exact numbers only."""
    if measure.measure == "sum":
        return f"CAST(sum({cell}) AS {'BIGINT' if kind == 'integer' else 'DECIMAL(18, 6)'})"
    if measure.measure == "mean":
        return f"CAST(sum({cell}) AS DOUBLE) / nullif(count({cell}), 0)"
    if measure.measure in ("min", "max"):
        return f"{measure.measure}({cell})"
    if measure.measure == "last":  # of several events at the newest moment, the greatest value
        return f"max(CASE WHEN {quoted(_AT)} = {quoted('.newest')} THEN {cell} END)"
    return ""


def _brought(index: int, table: History, *, parts: Extracting, unknown: str) -> Iterator[str]:
    for place, (name, measure) in enumerate(table.columns.items()):
        if measure.measure == "count":
            value = f"CASE WHEN {unknown} THEN NULL ELSE coalesce({quoted(_FOUND.format(index))}, 0) END"
        elif measure.measure == "days_since":
            value = _days_since(index, table, parts=parts)
        else:
            value = quoted(_MADE.format(index, place))
        yield f"{value} AS {quoted(name)}"


def _days_since(index: int, table: History, *, parts: Extracting) -> str:
    """Calendar days from the last event to the cut-off."""
    kind = parts.scope.types[table.until]
    formula = "days_between(last, cut)" if kind == "date" else "days_between(date_of(last), date_of(cut))"
    expression = parse(formula, {"last": kind, "cut": kind})
    return expression.sql(parts.dialect, rename={"last": NEWEST.format(index), "cut": table.until})


def _label_sql(index: int, label: Label, *, unknown: str, kind: str) -> str:
    cases = [f"WHEN {unknown} THEN NULL"]
    if label.observed_until is not None:
        end = f"{_moment('t.' + quoted(label.after))} + {_days(label.within_days)}"
        clock = "23:59:59.999999" if kind == "timestamp" else "00:00:00"  # the whole of the last day is known
        cases.append(f"WHEN {end} > {_moment(literal(f'{label.observed_until} {clock}'))} THEN NULL")
    cases.append(f"WHEN {quoted(_FOUND.format(index))} IS NOT NULL THEN true")
    return f"CASE {' '.join(cases)} ELSE false END"


def _moment(cell: str) -> str:
    return f"CAST({cell} AS TIMESTAMP)"


def _days(days: int) -> str:
    return f"INTERVAL '{days}' DAY"


def newest_columns(tables: Sequence[History | Label]) -> Iterator[tuple[History, str]]:
    """Each history with the column that holds the newest event it looked at."""
    for index, table in enumerate(tables):
        if isinstance(table, History):
            yield table, NEWEST.format(index)
