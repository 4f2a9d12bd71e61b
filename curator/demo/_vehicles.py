"""The `vehicles` table: plate, identification number, make and small codes; a car comes back with its driver."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from curator.demo._circumstances import BICYCLE, HEAVY, TWO_WHEELS, Scene, vehicle_codes
from curator.demo._lists import PLACEHOLDER, PLATE_LETTERS
from curator.demo._makes import CAR_MAKES, HEAVY_MAKES, TWO_WHEEL_MAKES
from curator.demo._mixing import Mask, Numbers, Streams, Words, lookup
from curator.demo._strings import (
    Text,
    Vocabulary,
    blank,
    choose,
    constant,
    digits,
    join,
    letters,
    matrix,
    only,
    to_arrow,
    to_column,
)
from curator.demo._structure import Frame, years_of
from curator.demo._truth import Tally

VEHICLE_NAMES = Vocabulary(["A01", "B01", "C01", "D01", "Z01"])
MISSING_VEHICLE = 4  # Z01 stands in no accident
# Letter pairs of a plate: no I, O, U, nor the reserved SS and WW (decree of 9 February 2009).
_PAIRS = [left + right for left in PLATE_LETTERS for right in PLATE_LETTERS if left + right not in ("SS", "WW")]
_PLATES = 999 * len(_PAIRS) ** 2
_STRIDE = 171_474_316  # about 0.618 of the number of plates and coprime to it: plates do not repeat
_PLATE_SPELLINGS = {"plain": 76, "joined": 10, "spaced": 9, "lower": 5}
_PLATE_TABLE = lookup(list(_PLATE_SPELLINGS.values()))
_PAIR_TEXTS = matrix(_PAIRS)
_LOWER_PLATE = 3
_PLATE_GAPS = np.frombuffer(b"-\0 -", dtype=np.uint8)
_OLD_PLATE_GAPS = np.frombuffer(b" \0 -", dtype=np.uint8)
_OLD_PLATE = 0.03
_OLD_DEPARTMENTS = matrix([f"{number:02d}" for number in range(1, 96) if number != 20])
_VIN_SIGNS = ("ABCDEFGHJKLMNPRSTUVWXYZ0123456789" * 125)[:4096]
# ISO 3779 / 49 CFR 565: transliteration and weights of the 17 places; the check digit stands at the ninth.
_VIN_VALUES = np.zeros(256, dtype=np.int64)
for _letter, _value in zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", "123456781234579234567890123456789", strict=True):
    _VIN_VALUES[ord(_letter)] = int(_value)
_VIN_WEIGHTS = np.array([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2])
_VIN_YEARS = "ABCDEFGHJKLMNPRSTVWXY123456789"  # 1980, 1981 ... repeats after thirty years


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The vehicles behind the rows: a driver keeps one car, one two-wheeler and one heavy vehicle.

    Attributes:
        key: names a vehicle; the driver's entity key and the kind of vehicle.
        make: position of the make.
        year: of first registration.
        plated: whether it bears a plate and a number (bicycles do not).
    """

    key: Words
    make: Numbers
    year: Numbers
    plated: Mask

    def take(self, rows: Numbers) -> Fleet:
        """The vehicles at some positions."""
        return Fleet(**{name: values[rows] for name, values in vars(self).items()})


def find_fleet(streams: Streams, owner: Words, *, category: Numbers, seen: Numbers) -> Fleet:
    """The vehicle of each row.

    Args:
        streams: source of every draw.
        owner: entity key of the driver (its four low bits are zero).
        category: code of each vehicle.
        seen: day of the driver's first accident, from 1970-01-01.
    """
    kind = np.where(np.isin(category, TWO_WHEELS), 1, np.where(np.isin(category, HEAVY), 2, 0))
    key = owner + kind.view(np.uint64)
    age = streams.pick(key, "vehicle age", table=_AGE_TABLE)
    make = np.choose(kind, [streams.pick(key, "make", table=table) for table in _make_tables()])
    return Fleet(key=key, make=make, year=years_of(seen) - age, plated=category != BICYCLE)


def vehicle_columns(tally: Tally, frame: Frame, *, scene: Scene, fleet: Fleet, rows: Numbers) -> dict[str, pa.Array]:
    """The columns of `vehicles` but the two of its key, for the vehicles at `rows`."""
    keys, fleet, category = frame.vehicle_key[rows], fleet.take(rows), scene.category[rows]
    absent = tally.missing("vehicles.plate", ~fleet.plated)
    return {
        "category": to_column(category.astype(np.int8), pa.int8()),
        "plate": plate_column(tally, fleet, rows=keys),
        "vin": vin_column(tally, fleet, rows=keys),
        "make": make_names().column(make_names().find(fleet.make), nulls=absent),
        "first_registered": to_column(fleet.year.astype(np.int16), pa.int16(), nulls=absent),
        "obstacle": to_column(scene.obstacle[rows].astype(np.int8), pa.int8()),
        **vehicle_codes(tally, keys),
        "occupants": to_column(frame.vehicle_occupants[rows].astype(np.int8), pa.int8()),
    }


@cache
def make_names() -> Vocabulary:
    """The makes: cars, two wheels, heavy vehicles."""
    return Vocabulary([row[0] for row in _make_rows()])


def plate_text(streams: Streams, fleet: Fleet, *, spelling: Numbers) -> Text:
    """The plate of each vehicle: AA-123-AA (decree of 2009), or 1234 AB 75 for a few old ones.

    Args:
        streams: source of every draw.
        fleet: the vehicles; two of them share no plate below 17 million accidents.
        spelling: position in the table of spellings (plain, joined, spaced, lower).
    """
    index = ((fleet.key >> np.uint64(6)) << np.uint64(4)) | (fleet.key >> np.uint64(2)) & np.uint64(12)
    index |= fleet.key & np.uint64(3)
    start = streams.below(np.zeros(1, dtype=np.uint64), "first plate", limit=_PLATES)
    number = (index.view(np.int64) % _PLATES * _STRIDE + start) % _PLATES
    middle = digits(number % 999 + 1, 3)
    left = np.take(_PAIR_TEXTS, number // 999 % len(_PAIRS), axis=0)
    right = np.take(_PAIR_TEXTS, number // (999 * len(_PAIRS)), axis=0)
    gap = _PLATE_GAPS[spelling][:, None]
    new = join([left, gap, middle, gap, right])
    old_gap = _OLD_PLATE_GAPS[spelling][:, None]
    department = np.take(_OLD_DEPARTMENTS, streams.below(fleet.key, "plate department", limit=94), axis=0)
    serial = digits(streams.below(fleet.key, "old plate", limit=9000) + 1000, 4)
    old = join([serial, old_gap, left, old_gap, department])
    text = choose(streams.chance(fleet.key, "has old plate", share=_OLD_PLATE), old, no=new)
    small = text[spelling == _LOWER_PLATE]
    small[(small >= 65) & (small <= 90)] += 32
    text[spelling == _LOWER_PLATE] = small
    return text


def vin_text(streams: Streams, fleet: Fleet) -> Text:
    """A 17-character vehicle identification number with its check digit (ISO 3779; 49 CFR 565.15)."""
    bits = streams.draw(fleet.key, "vin")
    described = [letters((bits >> np.uint64(12 * place)).view(np.int64) & 4095, _VIN_SIGNS) for place in range(5)]
    serial = digits(streams.below(fleet.key, "vin serial", limit=1_000_000), 6)
    plant = letters((fleet.year + fleet.make) % 23, _VIN_SIGNS)
    model_year = letters((fleet.year - 1980) % 30, _VIN_YEARS)
    text = join([np.take(_manufacturers(), fleet.make, axis=0), *described, "0", model_year, plant, serial])
    check = (_VIN_VALUES[text] @ _VIN_WEIGHTS) % 11
    text[:, 8] = np.where(check == 10, ord("X"), 48 + check)
    return text


def plate_spelling(streams: Streams, rows: Words, *, label: str) -> Numbers:
    """Which spelling each row's plate has."""
    return streams.pick(rows, label, table=_PLATE_TABLE)


def plate_column(tally: Tally, fleet: Fleet, *, rows: Words) -> pa.Array:
    """Plates as written on each row, faults included; null for a bicycle."""
    faults = tally.strike(rows, "vehicles.plate", among=fleet.plated)
    shown = fleet.plated & ~(faults["empty"] | faults["placeholder"] | faults["wrong_shape"])
    spelling = plate_spelling(tally.streams, rows, label="plate spelling")
    for position, name in enumerate(_PLATE_SPELLINGS):
        if position:
            tally.spelled("vehicles.plate", name, mask=(spelling == position) & shown)
    text = blank(plate_text(tally.streams, fleet, spelling=spelling), faults["empty"] | faults["placeholder"])
    text[faults["placeholder"], : len(PLACEHOLDER)] = constant(PLACEHOLDER, 1)
    return to_arrow(join([text, only("99X", faults["wrong_shape"])]), nulls=~fleet.plated)


def vin_column(tally: Tally, fleet: Fleet, *, rows: Words) -> pa.Array:
    """Identification numbers, faults included; null for a bicycle and for one vehicle in twenty."""
    wrong = tally.strike(rows, "vehicles.vin", among=fleet.plated)["bad_check_digit"]
    text = vin_text(tally.streams, fleet)
    check = text[:, 8]
    text[:, 8] = np.where(wrong, np.where(check == ord("5"), ord("6"), ord("5")), check)
    unknown = ~wrong & tally.streams.chance(fleet.key, "no vin", share=0.05)
    return to_arrow(text, nulls=tally.missing("vehicles.vin", ~fleet.plated | unknown))


@cache
def _make_rows() -> list[list[str]]:
    return [line.split("|") for text in (CAR_MAKES, TWO_WHEEL_MAKES, HEAVY_MAKES) for line in text.strip().splitlines()]


@cache
def _manufacturers() -> Text:
    """World manufacturer identifiers; row `i` is that of make `i`."""
    return matrix([row[1] for row in _make_rows()])


@cache
def _make_tables() -> list[Numbers]:
    """Makes by share: of cars, of two-wheelers, of heavy vehicles."""
    tables, start = [], 0
    for text in (CAR_MAKES, TWO_WHEEL_MAKES, HEAVY_MAKES):
        weights = [float(line.split("|")[2]) for line in text.strip().splitlines()]
        tables.append(lookup(weights, values=range(start, start + len(weights))))
        start += len(weights)
    return tables


_AGE_TABLE = lookup([9, 9, 8, 8, 8, 7, 7, 7, 6, 6, 6, 5, 4, 4, 3, 3, 2, 2, 1, 1])
