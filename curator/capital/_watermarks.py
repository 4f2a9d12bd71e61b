"""How far a source was read: the floor from which a refresh reads on, and a figure of the rows below it.

    notes: watermark, figure of the rows below the floor ─► the same still? ─► read from the floor on
                                                       └── no: one was committed late, or erased: all are compared

A transaction may take its number or its moment before another one and commit after it: its rows then appear below a
watermark that was read already. No reader sees that by looking further on, so the database counts the rows below and
adds up a hash of their watermarks, in the same snapshot as the reading: one erased and one come late do not cancel.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from curator.addresses import Address
from curator.files import Where
from curator.protocols import Asked
from curator.sources import Snapshots, can_follow, is_live
from curator.spec import UseCase
from curator.spec.model import Refresh, Source

Floor: TypeAlias = "int | datetime.date | datetime.datetime"


class OvertakenError(Exception):
    """Rows below the floor came or went: what lies beyond it does not tell all. It never leaves the capital."""


def floor_of(watermark: str, *, kind: str, refresh: Refresh) -> Floor:
    """The value from which rows are read again, that of the watermark and `overlap` before it included.

    Args:
        watermark: the highest value read, as text.
        kind: its logical type: `integer`, `date`, `timestamp`; of moments, whole minutes.
        refresh: says how far before it rows may still appear, in numbers, days or minutes.
    """
    back = refresh.overlap
    if kind == "integer":
        return int(watermark) - back + (1 if refresh.feed == "append" and not back else 0)
    moment = datetime.datetime.fromisoformat(watermark)
    try:
        if kind == "date":
            return moment.date() - datetime.timedelta(days=back)
        return moment.replace(second=0, microsecond=0) - datetime.timedelta(minutes=back)
    except OverflowError:
        return datetime.date.min if kind == "date" else datetime.datetime.min


def beyond(column: str, floor: Floor) -> str:
    """A condition of the language that rows from the floor on meet.

    Of a moment its day is said too: databases that compute nothing are asked for days.
    """
    if isinstance(floor, int):
        return f"{column} >= {floor}"
    if floor.year < 1000:
        return f"{column} is not null"
    day = f"parse_date('{floor:%Y-%m-%d}', '%Y-%m-%d')"
    if not isinstance(floor, datetime.datetime):
        return f"{column} >= {day}"
    minutes = floor.hour * 60 + floor.minute
    return f"date_of({column}) >= {day} and {column} >= timestamp_of({day}, {minutes})"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A watermark in a live table that can be counted.

    Attributes:
        asked: the table and the columns that the watch needs.
        where: the database.
        refresh: names the watermark.
    """

    asked: Asked
    where: Address
    refresh: Refresh

    @staticmethod
    def of(use_case: UseCase, *, source: Source, where: Where) -> Watch | None:
        """The watch of a source; None where it is no live one, or one that does not count."""
        refresh = use_case.refresh
        if refresh is None or refresh.watermark is None or not isinstance(where, Address) or not is_live(where):
            return None
        if not can_follow(where, source=use_case.extract.from_):
            return None
        named = {refresh.watermark, *((refresh.operation,) if refresh.operation else ()), *use_case.extract.row_key}
        columns = tuple(name for name in source.columns if name in named)
        asked = Asked(name=use_case.extract.from_, source=source, columns=columns)
        return Watch(asked=asked, where=where, refresh=refresh)

    @property
    def column(self) -> str:
        """The watermark's name in the spec."""
        return self.refresh.watermark or ""

    def floor(self, watermark: str) -> Floor:
        """From where on rows are read again."""
        kind = str(self.asked.source.columns[self.column].type)
        return floor_of(watermark, kind=kind, refresh=self.refresh)

    def reach(self, live: Snapshots) -> str | None:
        """The highest value there; None where there is none."""
        return live.highest(self.asked, self.where, column=self.column)

    def noted(self, live: Snapshots, watermark: str | None) -> dict[str, Any]:
        """What the next refresh compares; nothing where nothing was read, or the database would count otherwise."""
        if watermark is None:
            return {}
        floor = self.floor(watermark)
        rows = live.earlier(self.asked, self.where, column=self.column, floor=floor)
        return {} if rows is None else {"from": str(floor), "rows": rows}

    def require(self, live: Snapshots, *, watermark: str, noted: Mapping[str, Any]) -> None:
        """Refuse to read on where the rows below the floor are not those of before.

        A feed may be emptied of what was read. Raises OvertakenError.
        """
        floor = self.floor(watermark)
        rows = live.earlier(self.asked, self.where, column=self.column, floor=floor)
        emptied = rows == 0 and self.refresh.feed == "changes"
        if rows is None or noted.get("from") != str(floor) or (noted.get("rows") != rows and not emptied):
            raise OvertakenError
