"""The `accidents` table: when, where, in what conditions, who recorded it, and what was written down."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from curator.demo._circumstances import Scene, accident_codes
from curator.demo._lists import PLACEHOLDER, lists
from curator.demo._mixing import Numbers, Streams, Words, lookup
from curator.demo._narratives import Narratives
from curator.demo._strings import Text, Vocabulary, constant, digits, join, only, to_arrow, to_column
from curator.demo._structure import Frame, years_of
from curator.demo._truth import Tally

UNITS = 420
AGENTS_PER_UNIT = 18
_MICROSECONDS = 60_000_000
_NATURES = Vocabulary([f"N{code:02d}" for code in range(40)])
_NATURE_TABLE = lookup([1 / (rank + 3) for rank in range(40)])
_ALONE = lookup([0.1, 0.1, 0.1, 0.1, 0.1, 620, 320], values=range(1, 8))
_TWO = lookup([170, 200, 500, 0.1, 0.1, 100, 20], values=range(1, 8))
_MANY = lookup([20, 30, 40, 560, 240, 100, 10], values=range(1, 8))


def accident_numbers(accidents: Words, day: Numbers) -> Text:
    """Twelve digits: the year, then the running number from 1."""
    return join([digits(years_of(day), 4), digits(accidents.astype(np.int64) + 1, 8)])


def accident_columns(
    tally: Tally, frame: Frame, *, scene: Scene, day: Numbers, commune: Numbers, narratives: Narratives
) -> dict[str, pa.Array]:
    """The columns of `accidents` but its key.

    Args:
        tally: counts and faults.
        frame: the accidents.
        scene: hour, light and road of each.
        day: day of each, from 1970-01-01.
        commune: position of each accident's commune in the list.
        narratives: the text of each accident.
    """
    keys, streams, facts = frame.accidents, tally.streams, lists()
    late = tally.strike(keys, "accidents.time_text")["midnight_as_24"]
    minute = np.where(late, 1440, scene.minute)
    lat, lon = _position(tally, keys, commune=commune)
    return {
        "occurred_at": to_column((day * 1440 + minute) * _MICROSECONDS, pa.timestamp("us")),
        "time_text": to_arrow(join([digits(minute // 60, 2), ":", digits(minute % 60, 2)])),
        "dep": facts.departments.column(facts.departments.find(commune)),
        "com": _commune(tally, keys, commune=commune),
        "nature": _NATURES.column(_NATURES.find(streams.pick(keys, "nature", table=_NATURE_TABLE))),
        "collision": to_column(_collision(streams, frame), pa.int8()),
        "light": to_column(scene.light.astype(np.int8), pa.int8()),
        "road_category": to_column(scene.road.astype(np.int8), pa.int8()),
        "built_up": to_column(scene.built_up.astype(np.int8), pa.int8()),
        **accident_codes(tally, frame),
        "lat": lat,
        "lon": lon,
        **recorded_by(streams, keys, day=day),
        "narrative": to_arrow(narratives.text, nulls=tally.missing("accidents.narrative", narratives.absent)),
    }


def recorded_by(streams: Streams, keys: Words, *, day: Numbers) -> dict[str, pa.Array]:
    """Unit, agent (a six-digit service number) and report number of each accident."""
    unit = streams.below(keys, "unit", limit=UNITS)
    agent = unit * AGENTS_PER_UNIT + streams.below(keys, "agent", limit=AGENTS_PER_UNIT)
    unit_code = 10_000 + unit * 193 % 80_000
    serial = streams.below(keys, "report", limit=99_999) + 1
    return {
        "unit_code": to_arrow(digits(unit_code, 5)),
        "agent_number": to_arrow(digits(100_000 + agent * 97 % 290_000, 6)),
        "report_number": to_arrow(join([digits(unit_code, 5), "/", digits(serial, 5), "/", digits(years_of(day), 4)])),
    }


def _commune(tally: Tally, keys: Words, *, commune: Numbers) -> pa.Array:
    faults = tally.strike(keys, "accidents.com")
    text = lists().commune_codes.bytes(lists().commune_codes.find(commune))
    text[faults["unknown_code"], 2:] = ord("9")
    text = join([only(text, ~faults["placeholder"]), only(constant(PLACEHOLDER, len(keys)), faults["placeholder"])])
    return to_arrow(text)


def _collision(streams: Streams, frame: Frame) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    vehicles = np.bincount(frame.vehicle_accident, minlength=len(frame.accidents))
    bits = {name: streams.pick(frame.accidents, "collision", table=table) for name, table in _COLLISIONS.items()}
    code = np.where(vehicles == 1, bits["alone"], np.where(vehicles == 2, bits["two"], bits["many"]))
    return code.astype(np.int8)


def _position(tally: Tally, keys: Words, *, commune: Numbers) -> tuple[pa.Array, pa.Array]:
    """Degrees around the town centre, to 1e-5; null for a quarter, both 0 where the fault is injected."""
    streams, facts = tally.streams, lists()
    zero = tally.strike(keys, "accidents.position")["zero"]
    nulls = tally.missing("accidents.lat", streams.chance(keys, "no position", share=0.25) & ~zero)
    columns = []
    for label, centres in (("lat", facts.latitudes), ("lon", facts.longitudes)):
        spread = streams.below(keys, label, limit=12_000) - 6_000
        degrees = (centres[commune] * 1000 + spread) / 100_000
        columns.append(to_column(np.where(zero, 0.0, degrees), pa.float64(), nulls=nulls))
    return columns[0], columns[1]


_COLLISIONS = {"alone": _ALONE, "two": _TWO, "many": _MANY}
