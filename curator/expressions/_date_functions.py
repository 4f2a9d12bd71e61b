"""Functions over dates, timestamps (without zone) and times of day."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from functools import cache

from curator.expressions._calendar import TIME_LAYOUTS, date_pattern, engine_format, format_fault
from curator.expressions._dialects import Engine, quote_text
from curator.expressions._model import Function, LiteralValue, Parameter, templates

_END = {"duckdb": r"\z", "spark": r"\z", "postgres": "$"}
_ZONE = re.compile(r"UTC|[A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_-]+){1,2}")


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _zone(value: LiteralValue) -> str | None:
    known = isinstance(value, str) and _ZONE.fullmatch(value) and (not _zones() or value in _zones())
    return None if known else "a zone of the IANA time zone database, such as 'Europe/Paris'"


def _format(value: LiteralValue) -> str | None:
    return format_fault(value) if isinstance(value, str) else "a date format such as '%d/%m/%Y'"


def _layout(value: LiteralValue) -> str | None:
    return None if value in TIME_LAYOUTS else "one of " + ", ".join(f"'{name}'" for name in TIME_LAYOUTS)


def _date_fragments(values: tuple[LiteralValue, ...], engine: Engine) -> Mapping[str, str]:
    pattern = f"^(?:{date_pattern(str(values[0]))}){_END[engine]}"
    return {
        "pattern": quote_text(pattern, engine),
        "format": quote_text(engine_format(str(values[0]), engine), engine),
    }


def _time_fragments(values: tuple[LiteralValue, ...], engine: Engine) -> Mapping[str, str]:
    return {"pattern": quote_text(f"^(?:{TIME_LAYOUTS[str(values[0])]}){_END[engine]}", engine)}


def _part(name: str) -> dict[Engine, str]:
    return templates(f"CAST(EXTRACT({name} FROM $1) AS BIGINT)")


_DATE = Parameter(name="date", types=("date",))
_MOMENT = Parameter(name="date", types=("date", "timestamp"))
_TIMESTAMP = Parameter(name="timestamp", types=("timestamp",))
_CLOCK = "CAST(REPLACE(NULLIF(REGEXP_EXTRACT($1, $pattern, 0), ''), ':', '') AS BIGINT)"
_CLOCK_POSTGRES = "CAST(REPLACE(SUBSTRING($1 FROM $pattern), ':', '') AS BIGINT)"


def _in_calendar(moment: str, *, low: str, high: str) -> str:
    """A day or moment, null before `low` or from `high` on.

    What lies beyond becomes the nearest that is beyond, and that null, so that the argument is printed once. Every
    engine looks past a null in `LEAST` and `GREATEST`.
    """
    return f"NULLIF(NULLIF(GREATEST(LEAST({moment}, {high}), {low}), {low}), {high})"


def _in_days(day: str, *, spark: bool = False) -> str:
    """A date of the years 1 to 9999: few programs read others, and no file of text holds one."""
    if spark:
        return _in_calendar(day, low="DATE_SUB(DATE '0001-01-01', 1)", high="DATE_ADD(DATE '9999-12-31', 1)")
    low, high = "CAST(DATE '0001-01-01' - 1 AS DATE)", "CAST(DATE '9999-12-31' + 1 AS DATE)"
    return _in_calendar(day, low=low, high=high)


def _in_moments(moment: str, *, spark: bool = False) -> str:
    """The same of a timestamp."""
    if spark:
        low = "(CAST(DATE '0001-01-01' AS TIMESTAMP_NTZ) - INTERVAL '0.000001' SECOND)"
        return _in_calendar(moment, low=low, high="CAST(DATE_ADD(DATE '9999-12-31', 1) AS TIMESTAMP_NTZ)")
    low = "(CAST(DATE '0001-01-01' AS TIMESTAMP) - INTERVAL '1 microsecond')"
    return _in_calendar(moment, low=low, high="CAST(DATE '9999-12-31' + 1 AS TIMESTAMP)")


def _year_month_day(argument: str) -> str:
    return (
        f"(EXTRACT(YEAR FROM {argument}) * 10000 + EXTRACT(MONTH FROM {argument}) * 100 + EXTRACT(DAY FROM {argument}))"
    )


def _age(double: str) -> str:
    """With dates as numbers yyyymmdd, the whole ten-thousands of their difference are the completed years."""
    return f"CAST(FLOOR(CAST({_year_month_day('$2')} - {_year_month_day('$1')} AS {double}) / 10000) AS BIGINT)"


def _minutes(clock: str, *, divide: str) -> str:
    """Of hhmm as a number, hh * 60 + mm = hhmm - 40 * hh."""
    return f"({clock} - 40 * ({clock} {divide} 100))"


DATE_FUNCTIONS: tuple[Function, ...] = (
    Function(
        name="parse_date",
        parameters=(
            Parameter(name="text", types=("text",)),
            Parameter(name="format", types=("text",), literal=_format),
        ),
        returns="date",
        meaning="The date of a text of fixed layout: `%Y` four digits (1583 to 9999), `%m` and `%d` two digits each.",
        example="parse_date('29/02/2012', '%d/%m/%Y')",
        example_result="2012-02-29",
        nulls="null when the text is null, has another layout, or names a day that does not exist",
        fragments=_date_fragments,
        templates=templates(
            "CAST(STRPTIME(NULLIF(REGEXP_EXTRACT($1, $pattern, 0), ''), $format) AS DATE)",
            spark="TO_DATE(NULLIF(REGEXP_EXTRACT($1, $pattern, 0), ''), $format)",
            postgres="TO_DATE(SUBSTRING($1 FROM $pattern), $format)",
        ),
    ),
    Function(
        name="minutes_of_day",
        parameters=(
            Parameter(name="text", types=("text",)),
            Parameter(name="layout", types=("text",), literal=_layout),
        ),
        returns="integer",
        meaning="Minutes since midnight of a time of day. Layouts: 'H:MM' (8:30, 08:30), 'HHMM' (0830), 'HMM' (one to "
        "four digits, minutes last: 5 is 00:05, 830 is 08:30). 24:00 is 1440.",
        example="minutes_of_day('830', 'HMM')",
        example_result="510",
        nulls="null when the text is null, has another layout, or names no time of day",
        fragments=_time_fragments,
        templates=templates(
            _minutes(_CLOCK, divide="//"),
            spark=_minutes(_CLOCK, divide="DIV"),
            postgres=_minutes(_CLOCK_POSTGRES, divide="/"),
        ),
    ),
    Function(
        name="year",
        parameters=(_MOMENT,),
        returns="integer",
        meaning="The year.",
        example="year(parse_date('2013-02-19', '%Y-%m-%d'))",
        example_result="2013",
        templates=_part("YEAR"),
    ),
    Function(
        name="month",
        parameters=(_MOMENT,),
        returns="integer",
        meaning="The month, 1 to 12.",
        example="month(parse_date('2013-02-19', '%Y-%m-%d'))",
        example_result="2",
        templates=_part("MONTH"),
    ),
    Function(
        name="day",
        parameters=(_MOMENT,),
        returns="integer",
        meaning="The day of the month, 1 to 31.",
        example="day(parse_date('2013-02-19', '%Y-%m-%d'))",
        example_result="19",
        templates=_part("DAY"),
    ),
    Function(
        name="hour",
        parameters=(_TIMESTAMP,),
        returns="integer",
        meaning="The hour, 0 to 23.",
        example="hour(timestamp_of(parse_date('2013-02-19', '%Y-%m-%d'), 1035))",
        example_result="17",
        templates=_part("HOUR"),
    ),
    Function(
        name="minute",
        parameters=(_TIMESTAMP,),
        returns="integer",
        meaning="The minute of the hour, 0 to 59.",
        example="minute(timestamp_of(parse_date('2013-02-19', '%Y-%m-%d'), 1035))",
        example_result="15",
        templates=_part("MINUTE"),
    ),
    Function(
        name="weekday",
        parameters=(_MOMENT,),
        returns="integer",
        meaning="The day of the week, 1 Monday to 7 Sunday (ISO 8601).",
        example="weekday(parse_date('2013-02-19', '%Y-%m-%d'))",
        example_result="2",
        templates=templates(
            "CAST(ISODOW($1) AS BIGINT)",
            spark="CAST(WEEKDAY($1) + 1 AS BIGINT)",
            postgres="CAST(EXTRACT(ISODOW FROM $1) AS BIGINT)",
        ),
    ),
    Function(
        name="month_start",
        parameters=(_MOMENT,),
        returns="date",
        meaning="The first day of the month.",
        example="month_start(parse_date('2013-02-19', '%Y-%m-%d'))",
        example_result="2013-02-01",
        templates=templates("CAST(DATE_TRUNC('month', $1) AS DATE)", spark="TRUNC($1, 'MM')"),
    ),
    Function(
        name="year_start",
        parameters=(_MOMENT,),
        returns="date",
        meaning="The first day of the year.",
        example="year_start(parse_date('2013-02-19', '%Y-%m-%d'))",
        example_result="2013-01-01",
        templates=templates("CAST(DATE_TRUNC('year', $1) AS DATE)", spark="TRUNC($1, 'YEAR')"),
    ),
    Function(
        name="date_of",
        parameters=(_TIMESTAMP,),
        returns="date",
        meaning="The calendar day of a timestamp.",
        example="date_of(timestamp_of(parse_date('2013-02-19', '%Y-%m-%d'), 1035))",
        example_result="2013-02-19",
        templates=templates("CAST($1 AS DATE)"),
    ),
    Function(
        name="timestamp_of",
        parameters=(_DATE, Parameter(name="minutes", types=("integer",))),
        returns="timestamp",
        meaning="Midnight of the date plus minutes (see `minutes_of_day`); 1440 is the next midnight.",
        example="timestamp_of(parse_date('2013-02-19', '%Y-%m-%d'), 1035)",
        example_result="2013-02-19 17:15:00",
        nulls="null when an argument is null, the minutes lie outside 0 to 1440, or the year 9999 ends",
        templates=templates(
            _in_moments("(CAST($1 AS TIMESTAMP) + TO_MINUTES(CASE WHEN $2 BETWEEN 0 AND 1440 THEN $2 END))"),
            spark=_in_moments(
                "(CAST($1 AS TIMESTAMP_NTZ) "
                "+ MAKE_DT_INTERVAL(0, 0, CAST(CASE WHEN $2 BETWEEN 0 AND 1440 THEN $2 END AS INT), 0))",
                spark=True,
            ),
            postgres=_in_moments(
                "(CAST($1 AS TIMESTAMP) + (CASE WHEN $2 BETWEEN 0 AND 1440 THEN $2 END) * INTERVAL '1 minute')"
            ),
        ),
    ),
    Function(
        name="days_between",
        parameters=(_DATE, Parameter(name="later", types=("date",))),
        returns="integer",
        meaning="Days from the first date to the second; negative when the second is earlier.",
        example="days_between(parse_date('2013-02-19', '%Y-%m-%d'), parse_date('2013-03-01', '%Y-%m-%d'))",
        example_result="10",
        templates=templates(
            "CAST(DATE_DIFF('day', $1, $2) AS BIGINT)",
            spark="CAST(DATEDIFF($2, $1) AS BIGINT)",
            postgres="CAST($2 - $1 AS BIGINT)",
        ),
    ),
    Function(
        name="add_days",
        parameters=(_DATE, Parameter(name="days", types=("integer",))),
        returns="date",
        meaning="The date that many days later; earlier when negative.",
        example="add_days(parse_date('2012-02-28', '%Y-%m-%d'), 2)",
        example_result="2012-03-01",
        nulls="null when an argument is null, the days lie outside -1000000 to 1000000, or the date would lie outside "
        "the years 1 to 9999",
        templates=templates(
            _in_days("($1 + CAST(CASE WHEN $2 BETWEEN -1000000 AND 1000000 THEN $2 END AS INTEGER))"),
            spark=_in_days(
                "DATE_ADD($1, CAST(CASE WHEN $2 BETWEEN -1000000 AND 1000000 THEN $2 END AS INT))", spark=True
            ),
        ),
    ),
    Function(
        name="age_years",
        parameters=(Parameter(name="birth", types=("date",)), Parameter(name="at", types=("date",))),
        returns="integer",
        meaning="Completed years from birth to a date; a 29 February completes on 1 March in common years. Negative "
        "when the date is before birth.",
        example="age_years(parse_date('2004-02-29', '%Y-%m-%d'), parse_date('2013-02-28', '%Y-%m-%d'))",
        example_result="8",
        templates=templates(_age("DOUBLE"), postgres=_age("DOUBLE PRECISION")),
    ),
    Function(
        name="local_time",
        parameters=(_TIMESTAMP, Parameter(name="zone", types=("text",), literal=_zone)),
        returns="timestamp",
        meaning="A UTC timestamp as the clock of a zone shows it, by the IANA time zone database of the engine.",
        example="local_time(timestamp_of(parse_date('2013-07-01', '%Y-%m-%d'), 0), 'Europe/Paris')",
        example_result="2013-07-01 02:00:00",
        nulls="null when the timestamp is null, or the clock shows a year outside 1 to 9999",
        templates=templates(
            _in_moments("TIMEZONE($2, TIMEZONE('UTC', $1))"),
            spark=_in_moments("CONVERT_TIMEZONE('UTC', $2, $1)", spark=True),
        ),
    ),
)
