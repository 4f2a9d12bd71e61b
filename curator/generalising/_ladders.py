"""Built-in hierarchies: the groups of a value at each level, and the formula that a spec writes for them.

Every level is said twice: in Python, for the distinct values that occur, and as a formula in the language of specs, for
the engine; a test holds the two to each other. Departments and regions follow the Code officiel géographique of INSEE
(regions of the law 2015-29): a commune's first two characters, three overseas; 2A and 2B (and 20, before 1976) are
Corsica; a collectivity that belongs to no region stays its own.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from curator.generalising._hierarchy import EVERYTHING

Grouping = Callable[[str], str | None]

REGIONS: dict[str, str] = {
    "84": "01 03 07 15 26 38 42 43 63 69 73 74", "27": "21 25 39 58 70 71 89 90", "53": "22 29 35 56",
    "24": "18 28 36 37 41 45", "94": "20 2A 2B", "44": "08 10 51 52 54 55 57 67 68 88", "32": "02 59 60 62 80",
    "11": "75 77 78 91 92 93 94 95", "28": "14 27 50 61 76", "75": "16 17 19 23 24 33 40 47 64 79 86 87",
    "76": "09 11 12 30 31 32 34 46 48 65 66 81 82", "52": "44 49 53 72 85", "93": "04 05 06 13 83 84",
    "01": "971", "02": "972", "03": "973", "04": "974", "06": "976",
}  # fmt: skip
"""Region -> its departments."""

_REGION_OF = {department: region for region, departments in REGIONS.items() for department in departments.split()}
_PLACE = re.compile(r"(?:[0-9]{2}|2[AB])(?:[0-9]{3})?|9[78][0-9](?:[0-9]{2})?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Level:
    """One level: its name, the group of a value (None: the value has no place here), and the formula.

    `alone` says a group so that it is not taken for a group of another level.
    """

    name: str
    group: Grouping
    formula: str
    alone: Callable[[str], str] = str


def bands(value: str, widths: Sequence[int]) -> list[Level]:
    """Bands of whole width: 37 is in the band 30 of width 10."""
    return [
        Level(name=f"bands of {width}", group=_band(width), formula=f"band({value}, {width})", alone=_interval(width))
        for width in widths
    ]


def dates(value: str, steps: Sequence[str]) -> list[Level]:
    """Month, quarter and year of a date."""
    quarters = " ".join(f"WHEN month({value}) <= {3 * part} THEN '-Q{part}'" for part in (1, 2, 3))
    known = {
        "month": (_part_of_day(lambda day: f"{day:%Y-%m}-01"), f"month_start({value})"),
        "quarter": (
            _part_of_day(lambda day: f"{day:%Y}-Q{(day.month + 2) // 3}"),
            f"to_text(year({value})) || CASE {quarters} WHEN month({value}) <= 12 THEN '-Q4' END",
        ),
        "year": (_part_of_day(lambda day: str(day.year)), f"year({value})"),
    }
    alone: dict[str, Callable[[str], str]] = {"month": lambda group: group[:7]}
    return [
        Level(name=step, group=known[step][0], formula=known[step][1], alone=alone.get(step, str)) for step in steps
    ]


def places(value: str, steps: Sequence[str]) -> list[Level]:
    """Department and region of a commune or department code."""
    overseas = f"starts_with({value}, '97') or starts_with({value}, '98')"
    short = f"CASE WHEN {overseas} THEN substr({value}, 1, 3) ELSE substr({value}, 1, 2) END"
    cases = " ".join(
        f"WHEN substr({value}, 1, {len(names[0])}) in ({', '.join(map(_quoted, names))}) THEN {_quoted(region)}"
        for region, names in ((region, names.split()) for region, names in REGIONS.items())
    )
    known = {
        "department": (department_of, short),
        "region": (region_of, f"CASE {cases} ELSE substr({value}, 1, 3) END"),
    }
    return [
        Level(name=step, group=known[step][0], formula=known[step][1], alone=f"{step} {{}}".format) for step in steps
    ]


def prefixes(value: str, lengths: Sequence[int]) -> list[Level]:
    """The first characters of a code."""
    return [
        Level(
            name=f"first {length}",
            group=_prefix(length),
            formula=f"substr({value}, 1, {length})",
            alone="{}*".format,
        )
        for length in lengths
    ]


def everything() -> Level:
    """One group for all."""
    return Level(name="one group", group=lambda _: EVERYTHING, formula=_quoted(EVERYTHING))


def table_formulas(value: str, rows: Sequence[Sequence[str]], *, longest: int) -> list[str | None]:
    """A formula for each level of a table; None where it is longer than `longest`: the table alone says that level."""
    formulas: list[str | None] = []
    for place in range(1, len(rows[0]) if rows else 1):
        groups: dict[str, list[str]] = {}
        for row in rows:
            groups.setdefault(row[place], []).append(row[0])
        cases = " ".join(
            f"WHEN {value} in ({', '.join(map(_quoted, names))}) THEN {_quoted(group)}"
            for group, names in groups.items()
        )
        formula = f"CASE {cases} END" if len(groups) > 1 else _quoted(next(iter(groups)))
        formulas.append(formula if len(formula) <= longest and formula.isprintable() else None)
    return formulas


def department_of(code: str) -> str | None:
    """Department of a commune or department code; None when it is neither."""
    if not _PLACE.fullmatch(code):
        return None
    return code[: 3 if code.startswith(("97", "98")) else 2]


def region_of(code: str) -> str | None:
    """Region of a commune or department code; a collectivity outside the regions is its own."""
    department = department_of(code)
    if department is None or (len(department) == 2 and department not in _REGION_OF):
        return None
    return _REGION_OF.get(department, department)


def _band(width: int) -> Grouping:
    def group(text: str) -> str | None:
        try:
            return str(int(float(text) // width) * width)
        except (ValueError, OverflowError):
            return None

    return group


def _interval(width: int) -> Callable[[str], str]:
    return lambda group: f"{group}..{int(group) + width - 1}"


def _part_of_day(spell: Callable[[datetime.date], str]) -> Grouping:
    def group(text: str) -> str | None:
        try:
            return spell(datetime.date.fromisoformat(text[:10]))
        except ValueError:
            return None

    return group


def _prefix(length: int) -> Grouping:
    return lambda text: text[:length]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
