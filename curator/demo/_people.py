"""Human beings: one answer per entity, the same on each of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curator.demo._lists import lists
from curator.demo._mixing import Mask, Numbers, Streams, Words, lookup, pick
from curator.demo._structure import DRIVER, PEDESTRIAN

_AGES: dict[str, Sequence[float]] = {
    "driver": [0] * 18 + [26] * 7 + [22] * 10 + [18] * 10 + [16] * 10 + [12] * 10 + [8] * 10 + [5] * 10 + [1.2] * 10,
    "passenger": [9] * 14 + [16] * 11 + [8] * 25 + [6] * 25 + [3] * 15 + [0.6] * 5,
    "pedestrian": [8] * 14 + [11] * 11 + [8] * 35 + [10] * 25 + [4] * 8,
}
OLDEST = 104
_OLDEST_KEY = 3 << 6  # the first driver of the fourth accident
_OLDEST_SHARE = 0.0002


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One answer per entity, repeated on each of its rows.

    Attributes:
        key: entity key.
        sex: 1 man, 2 woman.
        birth: day of birth, from 1970-01-01.
        surname, married, first, second: positions in the name lists.
        has_married, has_second: whether the last two are borne.
        birth_place: position among communes, then countries.
        home: position among communes.
    """

    key: Words
    sex: Numbers
    birth: Numbers
    surname: Numbers
    married: Numbers
    has_married: Mask
    first: Numbers
    second: Numbers
    has_second: Mask
    birth_place: Numbers
    home: Numbers

    def take(self, rows: Numbers) -> Identity:
        """The identities at some positions."""
        return Identity(**{name: values[rows] for name, values in vars(self).items()})


def identify(streams: Streams, entity: Words, *, role: Numbers, seen: Numbers) -> Identity:
    """Who each entity is.

    Args:
        streams: source of every draw.
        entity: entity keys, one a row.
        role: role in the first accident of the entity (decides the age group and the sex ratio).
        seen: day of that first accident.
    """
    facts = lists()
    birth = _births(streams, entity, role=role, seen=seen)
    men = np.where(role == DRIVER, 0.68, np.where(role == PEDESTRIAN, 0.5, 0.42))
    sex = np.where((streams.draw(entity, "sex") >> np.uint64(40)) < (men * (1 << 24)).astype(np.uint64), 1, 2)
    woman = sex == 2
    first, second = (_first_name(streams, entity, label=label, woman=woman) for label in ("first name", "second name"))
    return Identity(
        key=entity,
        sex=sex,
        birth=birth,
        surname=streams.pick(entity, "surname", table=facts.surname_table),
        married=streams.pick(entity, "married name", table=facts.surname_table),
        has_married=woman & (seen - birth > 25 * 365) & streams.chance(entity, "married", share=0.4),
        first=first,
        second=second,
        has_second=streams.chance(entity, "has second name", share=0.35),
        birth_place=streams.pick(entity, "birth place", table=facts.place_table),
        home=streams.pick(entity, "home", table=facts.commune_table),
    )


def _births(streams: Streams, entity: Words, *, role: Numbers, seen: Numbers) -> Numbers:
    """Day of birth; a few people are 100 to 104 years old when first seen."""
    ages, bits = _AGE_TABLES, streams.draw(entity, "age")
    age = pick(bits, table=ages["passenger"])
    age = np.where(role == DRIVER, pick(bits, table=ages["driver"]), age)
    age = np.where(role == PEDESTRIAN, pick(bits, table=ages["pedestrian"]), age).astype(np.int64)
    oldest = streams.chance(entity, "oldest", share=_OLDEST_SHARE) & (age >= 18)
    age[oldest] = 100 + streams.below(entity[oldest], "oldest age", limit=OLDEST - 99)
    first = entity == np.uint64(_OLDEST_KEY)
    age[first] = OLDEST
    within = streams.below(entity, "birthday", limit=364)
    return seen - (age * 146097 // 400) - 1 - within


def _first_name(streams: Streams, entity: Words, *, label: str, woman: Mask) -> Numbers:
    bits = streams.draw(entity, label)
    facts = lists()
    return np.where(woman, pick(bits, table=facts.female_table), pick(bits, table=facts.male_table))


_AGE_TABLES = {name: lookup(weights) for name, weights in _AGES.items()}
