"""The `vehicles` table: plate, identification number, make and small codes; a car comes back with its driver."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from curator.demo._circumstances import BICYCLE, HEAVY, TWO_WHEELS, Scene, vehicle_codes
from curator.demo._makes import CAR_MAKES, HEAVY_MAKES, TWO_WHEEL_MAKES
from curator.demo._mixing import Mask, Numbers, Streams, Words, lookup
from curator.demo._people import PLACEHOLDER, PLATE_LETTERS
from curator.demo._strings import Text, Vocabulary, choose, constant, digits, join, letters, matrix, to_arrow, to_column
from curator.demo._structure import Frame
from curator.demo._truth import Tally

VEHICLE_NAMES = Vocabulary(["A01", "B01", "C01", "D01", "Z01"])
MISSING_VEHICLE = 4  # Z01 stands in no accident
_PLATES = 999 * 23**4
_STRIDE = 1_000_003 * 97  # coprime to the number of plates: plates do not repeat
_PLATE_SPELLINGS = {"plain": 76, "joined": 10, "spaced": 9, "lower": 5}
_PLATE_TABLE = lookup(list(_PLATE_SPELLINGS.values()))
_OLD_PLATE = 0.03
# ISO 3779 / 49 CFR 565: transliteration and weights of the 17 places; the check digit stands at the ninth.
_VIN_VALUES = np.zeros(256, dtype=np.int64)
for _letter, _value in zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", "123456781234579234567890123456789", strict=True):
    _VIN_VALUES[ord(_letter)] = int(_value)
_VIN_WEIGHTS = np.array([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2])
_VIN_YEARS = "ABCDEFGHJKLMNPRSTVWXY123456789"  # 1980, 1981 ... repeats after thirty years


def vehicle_columns(tally: Tally, frame: Frame, scene: Scene, *, day: Numbers) -> dict[str, pa.Array]:
    """The columns of `vehicles` but the two of its key; `day` is the day of each accident, from 1970-01-01."""
    owner = frame.entity[frame.drivers]
    rows = frame.vehicle_key
    year = 1970 + day[frame.vehicle_accident] // 365
    first_year = year - tally.streams.pick(owner, "vehicle age", table=_AGE_TABLE).astype(np.int64)
    make = makes_of(tally.streams, owner, category=scene.category)
    absent = tally.missing("vehicles.plate", scene.category == BICYCLE)
    return {
        "category": to_column(scene.category.astype(np.int8), pa.int8()),
        "plate": _plate(tally, owner, rows=rows, absent=absent),
        "vin": _vin(tally, owner, rows=rows, make=make, year=first_year, absent=absent),
        "make": make_names().column(make_names().find(make), nulls=scene.category == BICYCLE),
        "first_registered": to_column(first_year.astype(np.int16), pa.int16(), nulls=absent),
        "obstacle": to_column(scene.obstacle.astype(np.int8), pa.int8()),
        **vehicle_codes(tally, rows),
        "occupants": to_column(frame.vehicle_occupants.astype(np.int8), pa.int8()),
    }


def makes_of(streams: Streams, keys: Words, *, category: Numbers) -> Numbers:
    """Position of each vehicle's make in `make_names`, fit for its category."""
    tables = _make_tables()
    two = streams.pick(keys, "make", table=tables["two"])
    heavy = streams.pick(keys, "make", table=tables["heavy"])
    car = streams.pick(keys, "make", table=tables["car"])
    return np.where(np.isin(category, TWO_WHEELS), two, np.where(np.isin(category, HEAVY), heavy, car))


@cache
def make_names() -> Vocabulary:
    """The makes: cars, two wheels, heavy vehicles."""
    return Vocabulary([row[0] for row in _make_rows()])


def plate_text(streams: Streams, owner: Words, spelling: Numbers) -> Text:
    """The plate of each owner's vehicle: AA-123-AA, or 1234 AB 75 for a few old ones.

    Args:
        streams: source of every draw.
        owner: entity key of the driver.
        spelling: position in the table of spellings (plain, joined, spaced, lower).
    """
    index = ((owner >> np.uint64(6)) * np.uint64(4) + ((owner >> np.uint64(4)) & np.uint64(3))).view(np.int64)
    number = (index % _PLATES) * _STRIDE % _PLATES
    middle = digits(number % 999 + 1, 3)
    number //= 999
    signs = [letters(number // 23**place % 23, PLATE_LETTERS) for place in range(4)]
    gap = np.array([45, 0, 32, 45], dtype=np.uint8)[spelling][:, None]
    new = join([signs[0], signs[1], gap, middle, gap, signs[2], signs[3]])
    old_gap = np.array([32, 0, 32, 45], dtype=np.uint8)[spelling][:, None]
    department = digits(streams.below(owner, "plate department", limit=95) + 1, 2)
    department[(department[:, 0] == 50) & (department[:, 1] == 48)] = 49  # 20 is Corsica, no longer in use: 11
    serial = digits(streams.below(owner, "old plate", limit=9000) + 1000, 4)
    old = join([serial, old_gap, signs[0], signs[1], old_gap, department])
    text = choose(streams.chance(owner, "has old plate", share=_OLD_PLATE), old, new)
    small = text[spelling == 3]
    small[(small >= 65) & (small <= 90)] += 32
    text[spelling == 3] = small
    return text


def vin_text(streams: Streams, owner: Words, *, make: Numbers, year: Numbers) -> Text:
    """A 17-character vehicle identification number with its check digit (ISO 3779; 49 CFR 565.15)."""
    alphabet = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
    bits = streams.draw(owner, "vin")
    described = [letters((bits >> np.uint64(8 * place)).view(np.int64) % 33, alphabet) for place in range(5)]
    serial = digits(streams.below(owner, "vin serial", limit=1_000_000), 6)
    plant = letters((bits >> np.uint64(50)).view(np.int64) % 23, alphabet)
    model_year = letters((year - 1980) % 30, _VIN_YEARS)
    text = join([np.take(_manufacturers(), make, axis=0), *described, "0", model_year, plant, serial])
    check = (_VIN_VALUES[text] * _VIN_WEIGHTS).sum(axis=1) % 11
    text[:, 8] = np.where(check == 10, ord("X"), 48 + check)
    return text


def plate_spelling(streams: Streams, rows: Words, label: str) -> Numbers:
    """Which spelling each row's plate has."""
    return streams.pick(rows, label, table=_PLATE_TABLE).astype(np.int64)


def _plate(tally: Tally, owner: Words, *, rows: Words, absent: Mask) -> pa.Array:
    faults = tally.masks(rows, "vehicles.plate")
    hit = np.zeros(len(rows), dtype=bool)
    for kind, mask in faults.items():
        mask &= ~absent
        tally.faults[f"vehicles.plate.{kind}"] += int(np.count_nonzero(mask))
        hit |= mask
    spelling = plate_spelling(tally.streams, rows, "plate spelling")
    for name, position in zip(_PLATE_SPELLINGS, range(4), strict=True):
        if position:
            tally.spelled("vehicles.plate", name, (spelling == position) & ~hit & ~absent)
    text = plate_text(tally.streams, owner, spelling)
    text[faults["empty"] | faults["placeholder"]] = 0
    text[faults["placeholder"], : len(PLACEHOLDER)] = constant(PLACEHOLDER, 1)
    text[faults["wrong_shape"]] = _misshapen(text[faults["wrong_shape"]])
    return to_arrow(text, nulls=absent)


def _misshapen(text: Text) -> Text:
    """The plate cut after its fourth sign and closed with two forbidden letters."""
    text = text.copy()
    text[:, 4:] = 0
    text[:, 4:6] = np.frombuffer(b"IO", dtype=np.uint8)
    return text


def _vin(tally: Tally, owner: Words, *, rows: Words, make: Numbers, year: Numbers, absent: Mask) -> pa.Array:
    wrong = tally.masks(rows, "vehicles.vin")["bad_check_digit"] & ~absent
    tally.faults["vehicles.vin.bad_check_digit"] += int(np.count_nonzero(wrong))
    text = vin_text(tally.streams, owner, make=make, year=year)
    check = text[:, 8]
    text[:, 8] = np.where(wrong, np.where(check == ord("5"), ord("6"), ord("5")), check)
    unknown = ~absent & ~wrong & tally.streams.chance(owner, "no vin", share=0.05)
    return to_arrow(text, nulls=absent | tally.missing("vehicles.vin", unknown))


@cache
def _make_rows() -> list[list[str]]:
    return [line.split("|") for text in (CAR_MAKES, TWO_WHEEL_MAKES, HEAVY_MAKES) for line in text.strip().splitlines()]


@cache
def _manufacturers() -> Text:
    """World manufacturer identifiers; row `i` is that of make `i`."""
    return matrix([row[1] for row in _make_rows()])


@cache
def _make_tables() -> dict[str, Numbers]:
    tables, start = {}, 0
    for name, text in (("car", CAR_MAKES), ("two", TWO_WHEEL_MAKES), ("heavy", HEAVY_MAKES)):
        weights = [float(line.split("|")[2]) for line in text.strip().splitlines()]
        tables[name] = lookup(weights, values=range(start, start + len(weights)))
        start += len(weights)
    return tables


_AGE_TABLE = lookup([9, 9, 8, 8, 8, 7, 7, 7, 6, 6, 6, 5, 4, 4, 3, 3, 2, 2, 1, 1])
