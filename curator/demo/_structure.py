"""Which accidents, vehicles and persons there are, and which persons are one human being; no column values yet.

Accident `a` has 1 to 4 vehicles, each with a driver and passengers, and pedestrians beside the first vehicle: 1.7
persons on average. A person's *row key* is `64 a + 16 vehicle + position`. The *entity key* names the human being: it
is the row key of the first accident, where a person who returns points back to the first driver of an earlier
accident (and so on back to a driver who is new). About 0.7 people stand behind each row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from curator.demo._mixing import Mask, Numbers, Streams, Words, lookup
from curator.demo._truth import Tally

ACCIDENTS_PER_PERSON = (10, 17)
FIRST_DAY = 16436  # 2015-01-01, counted in days from 1970-01-01
DAYS = 3653  # ten years
DRIVER, PASSENGER, PEDESTRIAN = 1, 2, 3

_VEHICLES = lookup([70, 27.5, 2, 0.5], values=[1, 2, 3, 4])
_PASSENGERS = lookup([86, 10.8, 2.2, 1.0])
_PEDESTRIANS = lookup([87, 12, 1])
_FIRST_RETURNS = 0.30
_LAST_RETURNS = 0.58  # of the accidents whose first driver is new
_ALL_NEW = np.uint64(3)  # nobody returns in the first accidents
_SHIFT = np.uint64(6)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A run of accidents with their vehicles and persons; positions count inside the frame.

    Attributes:
        accidents: accident numbers, from 0.
        vehicle_accident: position of each vehicle's accident.
        vehicle_rank: 0 for the first vehicle of an accident.
        vehicle_occupants: driver and passengers.
        person_vehicle: position of each person's vehicle (of the one that hit, for a pedestrian).
        person_key: row key; a duplicated row repeats it.
        entity: entity key.
        role: DRIVER, PASSENGER or PEDESTRIAN.
        duplicated: rows that repeat the row before them.
    """

    accidents: Words
    vehicle_accident: Numbers
    vehicle_rank: Numbers
    vehicle_occupants: Numbers
    person_vehicle: Numbers
    person_key: Words
    entity: Words
    role: Numbers
    duplicated: Mask

    @property
    def person_accident(self) -> Numbers:
        """Position of each person's accident."""
        return self.vehicle_accident[self.person_vehicle]

    @property
    def vehicle_key(self) -> Words:
        """The row key of each vehicle's driver: 64 a + 16 rank."""
        return (self.accidents[self.vehicle_accident] << _SHIFT) + (self.vehicle_rank << 4).view(np.uint64)

    @property
    def drivers(self) -> Numbers:
        """Position of each vehicle's driver among the persons."""
        return _first_positions(self.person_vehicle, len(self.vehicle_rank))

    @property
    def returning(self) -> Mask:
        """Persons already seen in an earlier accident."""
        return np.not_equal(self.entity, self.person_key)

    def cut(self, rows: int) -> Frame:
        """The first `rows` persons, with the accidents and vehicles they need."""
        if rows >= len(self.person_key):
            return self
        vehicles = int(self.person_vehicle[rows - 1]) + 1
        accidents = int(self.vehicle_accident[vehicles - 1]) + 1
        names = ("person_vehicle", "person_key", "entity", "role", "duplicated")
        vehicle_names = ("vehicle_accident", "vehicle_rank", "vehicle_occupants")
        return replace(
            self,
            accidents=self.accidents[:accidents],
            **{name: getattr(self, name)[:vehicles] for name in vehicle_names},
            **{name: getattr(self, name)[:rows] for name in names},
        )


def build_frame(tally: Tally, *, first: int, count: int) -> Frame:
    """The accidents `first` to `first + count - 1`, with vehicles and persons."""
    streams = tally.streams
    accidents = np.arange(first, first + count, dtype=np.uint64)
    vehicles = streams.pick(accidents, "vehicles", table=_VEHICLES)
    vehicle_accident = np.repeat(np.arange(count), vehicles)
    vehicle_rank = _rank_in_group(vehicles)
    vehicle_key = (accidents[vehicle_accident] << _SHIFT) + (vehicle_rank << 4).view(np.uint64)
    occupants = 1 + streams.pick(vehicle_key, "passengers", table=_PASSENGERS)
    leading = vehicle_rank == 0
    pedestrians = np.zeros(len(vehicle_rank), dtype=np.int64)
    pedestrians[leading] = streams.pick(accidents, "pedestrians", table=_PEDESTRIANS)
    repeated = np.zeros(len(vehicle_rank), dtype=np.int64)
    repeated[leading] = tally.masks(accidents, "persons.row")["duplicate"]

    sizes = occupants + pedestrians + repeated
    person_vehicle = np.repeat(np.arange(len(sizes)), sizes)
    position = _rank_in_group(sizes)
    duplicated = (position == sizes[person_vehicle] - 1) & (repeated[person_vehicle] == 1)
    position -= duplicated
    person_key = vehicle_key[person_vehicle] + position.view(np.uint64)
    role = np.where(position == 0, DRIVER, np.where(position < occupants[person_vehicle], PASSENGER, PEDESTRIAN))
    return Frame(
        accidents=accidents,
        vehicle_accident=vehicle_accident,
        vehicle_rank=vehicle_rank,
        vehicle_occupants=occupants,
        person_vehicle=person_vehicle,
        person_key=person_key,
        entity=_entities(streams, person_key, person_accident=vehicle_accident[person_vehicle]),
        role=role,
        duplicated=duplicated,
    )


def first_day(entity: Words, accidents: int) -> Numbers:
    """Day (from 1970-01-01) of the accident in which each entity, or row, key was made."""
    return day_of(entity >> _SHIFT, accidents)


def day_of(accident: Words, accidents: int) -> Numbers:
    """Day (from 1970-01-01) of each accident: they follow each other over ten years, evenly."""
    day = accident.astype(np.int64) * DAYS // accidents
    return np.minimum(day, DAYS - 1) + FIRST_DAY


def years_of(day: Numbers) -> Numbers:
    """Calendar year of days counted from 1970-01-01."""
    return day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def _entities(streams: Streams, person_key: Words, *, person_accident: Numbers) -> Words:
    """Entity key of each row: at most one person an accident returns, so no one meets themselves."""
    starts = np.flatnonzero(np.diff(person_accident, prepend=-1))
    first_keys = person_key[starts]
    last_keys = person_key[np.append(starts[1:], len(person_key)) - 1]
    accident = first_keys >> _SHIFT
    first = _first_returns(streams, accident)
    last = ~first & (last_keys != first_keys) & (accident > _ALL_NEW)
    last &= streams.chance(accident, "last returns", share=_LAST_RETURNS)
    back = np.where(first, first_keys, last_keys)
    group = np.cumsum(np.diff(person_accident, prepend=-1) != 0) - 1
    chosen = (first | last)[group] & (person_key == back[group])
    entity = person_key.copy()
    entity[chosen] = _root(streams, person_key[chosen] >> _SHIFT) << _SHIFT
    return entity


def _first_returns(streams: Streams, accident: Words) -> Mask:
    return streams.chance(accident, "first returns", share=_FIRST_RETURNS) & (accident > _ALL_NEW)


def _root(streams: Streams, accident: Words) -> Words:
    """The earlier accident in which the person who returns at `accident` was new (its first driver)."""
    found = streams.draw(accident, "returns from") % accident
    pending = np.flatnonzero(_first_returns(streams, found))
    while len(pending):
        found[pending] = streams.draw(found[pending], "returns from") % found[pending]
        pending = pending[_first_returns(streams, found[pending])]
    return found


def _rank_in_group(sizes: Numbers) -> Numbers:
    """0, 1, ... inside each group of the given sizes."""
    ends = np.cumsum(sizes)
    return np.arange(int(ends[-1])) - np.repeat(ends - sizes, sizes)


def _first_positions(group: Numbers, groups: int) -> Numbers:
    """Position of the first row of each group; groups are contiguous and none is empty."""
    positions = np.flatnonzero(np.diff(group, prepend=-1))
    return positions[:groups]
