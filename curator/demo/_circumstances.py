"""Small codes of accidents, vehicles and persons, and how badly each person was hurt.

Codes follow the French accident form (BAAC). Severity is a draw whose odds really depend on role, vehicle, road, belt
or helmet, age, light and obstacle, so that a model trained on the base learns something; all in integer points
(tenths of a logit) and threshold tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np
import pyarrow as pa

from curator.demo._mixing import Mask, Numbers, Streams, Words, lookup
from curator.demo._strings import Vocabulary, to_column
from curator.demo._structure import DRIVER, PASSENGER, PEDESTRIAN, Frame
from curator.demo._truth import Tally

TWO_WHEELS = (2, 30, 31, 32, 33, 34)
BICYCLE = 1
HEAVY = (13, 14, 15, 37, 38)
_HOURS = [10, 8, 7, 6, 6, 9, 16, 34, 44, 34, 34, 40, 44, 42, 46, 52, 64, 78, 74, 54, 34, 24, 20, 16]
_SUNRISE = np.array([522, 480, 425, 420, 370, 350, 362, 398, 440, 482, 465, 510])  # minutes, Paris, by month
_SUNSET = np.array([1035, 1083, 1128, 1233, 1277, 1305, 1300, 1256, 1195, 1133, 1025, 1010])
_CATEGORIES = {1: 45, 2: 60, 30: 15, 31: 20, 32: 35, 33: 95, 34: 15}
_CATEGORIES |= {7: 640, 10: 60, 13: 6, 14: 14, 15: 14, 37: 8, 38: 5, 3: 5, 17: 4, 21: 3, 40: 1, 99: 5}

# column: (weight of each code from the first, first code, share of nulls)
_ACCIDENT_CODES: dict[str, tuple[list[float], int, float]] = {
    "weather": ([800, 110, 22, 4, 8, 3, 9, 32, 12], 1, 0.002),
    "intersection": ([700, 110, 95, 15, 30, 22, 8, 2, 18], 1, 0.001),
    "surface": ([780, 180, 4, 1, 6, 1, 12, 4, 12], 1, 0.03),
    "lanes": ([60, 640, 70, 180, 20, 30], 1, 0.06),
}
_VEHICLE_CODES: dict[str, tuple[list[float], int, float]] = {
    "moving_obstacle": ([170, 150, 640, 0.1, 6, 7, 8, 0.1, 0.1, 20], 0, 0.005),
    "shock": ([40, 390, 120, 110, 150, 55, 45, 40, 30, 20], 0, 0.005),
    "manoeuvre": (
        [20, 430, 45, 14, 8, 6, 3, 3, 10, 50, 6, 12, 10, 60, 45, 90, 60, 30, 9, 11, 6, 14, 9, 16, 3, 30],
        0,
        0.0,
    ),
}
_PERSON_CODES: dict[str, tuple[list[float], int, float]] = {
    "trip": ([290, 130, 20, 25, 90, 380, 0.1, 0.1, 0.1, 65], 0, 0.02),
    "alcohol_test": ([25, 900, 60, 15], 0, 0.04),
    "drug_test": ([600, 360, 30, 10], 0, 0.05),
    "licence_status": ([10, 900, 12, 14, 14, 30, 20], 0, 0.06),
    "occupation": ([20, 60, 90, 160, 210, 130, 180, 120, 30], 1, 0.08),
    "hospital_transport": ([520, 400, 80], 0, 0.03),
    "ejected": ([970, 30], 0, 0.02),
    "trapped": ([960, 40], 0, 0.02),
    "insured": ([20, 930, 50], 0, 0.03),
}
_PEDESTRIAN_CODES: dict[str, tuple[list[float], int, float]] = {
    "pedestrian_location": ([0.1, 90, 210, 260, 230, 110, 40, 20, 40], 0, 0.0),
    "pedestrian_action": ([90, 40, 60, 560, 50, 60, 10, 0.1, 0.1, 130], 0, 0.0),
    "pedestrian_company": ([60, 720, 170, 50], 0, 0.0),
}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What the severity of a person depends on, one value an accident (or a vehicle).

    Attributes:
        minute: minute of the day of each accident.
        light, road, built_up: codes of each accident.
        category, obstacle: codes of each vehicle.
    """

    minute: Numbers
    light: Numbers
    road: Numbers
    built_up: Mask
    category: Numbers
    obstacle: Numbers


def set_scene(streams: Streams, frame: Frame, *, day: Numbers, town: Numbers) -> Scene:
    """The scene of each accident; `town` is thousands of inhabitants of the commune, `day` counts from 1970-01-01."""
    keys = frame.accidents
    hour = streams.pick(keys, "hour", table=_TABLES["hour"])
    minute = hour * 60 + streams.below(keys, "minute", limit=60)
    built_up = streams.below(keys, "built up", limit=100) < np.where(town > 90, 82, 58)
    road = np.where(
        built_up,
        streams.pick(keys, "road in town", table=_TABLES["road in town"]),
        streams.pick(keys, "road outside", table=_TABLES["road outside"]),
    ).astype(np.int64)
    vehicles = frame.vehicle_key
    return Scene(
        minute=minute,
        light=_light(streams, keys, minute=minute, day=day, built_up=built_up),
        road=road,
        built_up=built_up,
        category=streams.pick(vehicles, "category", table=_TABLES["category"]),
        obstacle=streams.pick(vehicles, "obstacle", table=_TABLES["obstacle"]),
    )


def accident_codes(tally: Tally, frame: Frame) -> dict[str, pa.Array]:
    """Small codes of the accidents that nothing else depends on."""
    return _codes(tally, frame.accidents, table="accidents", columns=_ACCIDENT_CODES)


def vehicle_codes(tally: Tally, keys: Words) -> dict[str, pa.Array]:
    """Small codes of the vehicles that nothing else depends on."""
    return _codes(tally, keys, table="vehicles", columns=_VEHICLE_CODES)


def person_codes(tally: Tally, frame: Frame) -> dict[str, pa.Array]:
    """Small codes of the persons; the three about pedestrians are 0 for everybody else."""
    keys = frame.person_key
    columns = _codes(tally, keys, table="persons", columns=_PERSON_CODES)
    afoot = frame.role == PEDESTRIAN
    for name in _PEDESTRIAN_CODES:
        drawn = tally.streams.pick(keys, f"persons/{name}", table=_TABLES[f"persons/{name}"])
        columns[name] = to_column((drawn * afoot).astype(np.int8), pa.int8())
    behind = 2 + (keys & np.uint64(7)).view(np.int64)
    seat = np.where(frame.role == DRIVER, 1, np.where(frame.role == PASSENGER, behind, 0))
    columns["seat"] = to_column(seat.astype(np.int8), pa.int8())
    return columns


def safety(streams: Streams, frame: Frame, *, scene: Scene) -> Numbers:
    """Safety equipment, two digits: 1 belt or 2 helmet; then 1 used, 2 not used, 3 unknown. Pedestrians have 0."""
    category = scene.category[frame.person_vehicle]
    kind = np.where(np.isin(category, TWO_WHEELS), 2, np.where(category == BICYCLE, 2, 1))
    draw = streams.below(frame.person_key, "safety", limit=1000)
    missed = np.where(category == BICYCLE, 600, np.where(frame.role == PASSENGER, 90, 55))
    use = np.where(draw < missed, 2, np.where(draw > 955, 3, 1))
    return np.where(frame.role == PEDESTRIAN, 0, kind * 10 + use)


def safety_column(codes: Numbers) -> pa.Array:
    """The codes of `safety` as text."""
    return _SAFETY.column(_SAFETY.find(codes))


def severity(tally: Tally, frame: Frame, *, scene: Scene, age: Numbers, equipment: Numbers) -> pa.Array:
    """1 unhurt, 2 killed, 3 in hospital, 4 lightly hurt; null where the fault is injected.

    About 41 %, 3 %, 20 % and 36 %, as national statistics of the 2010s report (ONISR yearly reports).
    """
    points = _points(frame, scene, age=age, equipment=equipment)
    draw = [
        (tally.streams.draw(frame.person_key, f"severity {step}") >> np.uint64(48)).view(np.int64)
        for step in ("serious", "killed", "unhurt")
    ]
    serious = draw[0] < _SERIOUS[points]
    killed = draw[1] < _KILLED[points]
    unhurt = draw[2] < _UNHURT[points]
    code = np.where(serious, np.where(killed, 2, 3), np.where(unhurt, 1, 4))
    nulls = tally.strike(frame.person_key, "persons.severity")["null"]
    return to_column(code.astype(np.int8), pa.int8(), nulls=nulls)


def _points(frame: Frame, scene: Scene, *, age: Numbers, equipment: Numbers) -> Numbers:
    """Tenths of a logit above `_LOWEST`, clipped to the tables."""
    vehicle, accident = frame.person_vehicle, frame.person_accident
    category = scene.category[vehicle]
    afoot = frame.role == PEDESTRIAN
    bare = (equipment % 10 == 2) & ~afoot
    kind = np.where(afoot, 13, _CATEGORY_POINTS[category])
    around = _ROAD_POINTS[scene.road] + _LIGHT_POINTS[scene.light] - 5 * scene.built_up
    old = np.digitize(age, [15, 18, 25, 65, 75]).astype(np.int64)
    points = kind + around[accident] + _AGE_POINTS[old] + 11 * bare + 9 * (scene.obstacle[vehicle] >= 2) * ~afoot
    clipped: Numbers = np.clip(points - _LOWEST, 0, _STEPS - 1)
    return clipped


def _light(streams: Streams, keys: Words, *, minute: Numbers, day: Numbers, built_up: Mask) -> Numbers:
    """1 day, 2 dawn or dusk, 3 night unlit, 4 night with lamps off, 5 night with lamps on."""
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    rise, fall = _SUNRISE[month], _SUNSET[month]
    dark = (minute < rise - 25) | (minute > fall + 25)
    twilight = ~dark & ((minute < rise + 25) | (minute > fall - 25))
    lamps = streams.below(keys, "lamps", limit=100)
    night = np.where(built_up, np.where(lamps < 88, 5, 4), np.where(lamps < 78, 3, 5))
    return np.where(dark, night, np.where(twilight, 2, 1))


def _codes(
    tally: Tally, keys: Words, *, table: str, columns: dict[str, tuple[list[float], int, float]]
) -> dict[str, pa.Array]:
    made = {}
    for name, (_, _, share) in columns.items():
        label = f"{table}/{name}"
        values = tally.streams.pick(keys, label, table=_TABLES[label]).astype(np.int8)
        nulls = None
        if share:
            absent = tally.streams.chance(keys, f"{label}/absent", share=share)
            nulls = tally.missing(f"{table}.{name}", absent)
        made[name] = to_column(values, pa.int8(), nulls=nulls)
    return made


def _tables() -> dict[str, Numbers]:
    tables = {
        "hour": lookup(_HOURS),
        "road in town": lookup([2, 5, 130, 600, 0.1, 12, 0.1, 0.1, 10], values=range(1, 10)),
        "road outside": lookup([130, 150, 560, 90, 0.1, 6, 0.1, 0.1, 12], values=range(1, 10)),
        "category": lookup(list(_CATEGORIES.values()), values=list(_CATEGORIES)),
        "obstacle": lookup([855, 20, 18, 14, 12, 1, 12, 2, 14, 4, 2, 2, 6, 14, 4, 1, 6, 8]),
    }
    groups = (("accidents", _ACCIDENT_CODES), ("vehicles", _VEHICLE_CODES), ("persons", _PERSON_CODES))
    for table, columns in (*groups, ("persons", _PEDESTRIAN_CODES)):
        for name, (weights, first, _) in columns.items():
            tables[f"{table}/{name}"] = lookup(weights, values=range(first, first + len(weights)))
    return tables


def _thresholds(middle: float, *, slope: float) -> Numbers:
    """Chance of each number of points, in 1/65536: a logistic curve that passes one half at `middle` points."""
    steps = range(_LOWEST, _LOWEST + _STEPS)
    return np.array([round(65536 / (1 + exp(-slope * (point - middle) / 10))) for point in steps])


def _by_category() -> Numbers:
    points = np.zeros(100, dtype=np.int64)
    points[list(TWO_WHEELS)] = 11
    points[BICYCLE] = 8
    points[list(HEAVY)] = -10
    return points


_TABLES = _tables()
_SAFETY = Vocabulary([f"{code:02d}" for code in range(100)])
_CATEGORY_POINTS = _by_category()
_ROAD_POINTS = np.array([0, -3, 3, 6, -4, 0, -8, 0, 0, 0])
_LIGHT_POINTS = np.array([0, 0, 1, 6, 4, 1])
_AGE_POINTS = np.array([-3, 1, 2, 0, 4, 9])
_LOWEST, _STEPS = -40, 120
_SERIOUS = _thresholds(16, slope=1.15)
_KILLED = _thresholds(37, slope=0.9)
_UNHURT = _thresholds(1, slope=-1.0)
