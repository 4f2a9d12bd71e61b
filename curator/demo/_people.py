"""Human beings: who they are (one answer per entity) and how a clerk wrote it down (one answer per row)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import sqrt

import numpy as np
import pyarrow as pa

from curator.demo._mixing import Mask, Numbers, Streams, Words, below, lookup, pick
from curator.demo._names import FEMALE_NAMES, MALE_NAMES, SURNAMES
from curator.demo._places import COMMUNES, COUNTRIES, STREETS
from curator.demo._strings import (
    Text,
    Vocabulary,
    address_form,
    choose,
    constant,
    decomposed,
    digits,
    join,
    letters,
    matrix,
    only,
    plain_number,
    to_arrow,
    to_column,
    upper,
    without_accents,
)
from curator.demo._structure import DRIVER, PEDESTRIAN
from curator.demo._truth import Tally

PLACEHOLDER = "INCONNU"
PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTVWXYZ"  # no I, O, U (decree of 2009 on the French registration system)
_DOMAINS = ("courriel.example", "example.org", "example.net", "poste.example", "example.com")
_YEAR = 365.2425

# Spellings of a name; the first is the plain one.
_SURNAME_SPELLINGS: dict[str, tuple[float, Callable[[str], str]]] = {
    "plain": (70, str.upper),
    "no_accents": (12, lambda name: without_accents(name).upper()),
    "title": (8, str),
    "lower": (4, str.lower),
    "decomposed": (2, lambda name: decomposed(name.upper())),
    "spaced": (4, lambda name: name.upper().replace("-", " ").replace("'", " ")),
}
_FIRST_NAME_SPELLINGS: dict[str, tuple[float, Callable[[str], str]]] = {
    "plain": (72, str),
    "no_accents": (10, without_accents),
    "upper": (9, str.upper),
    "lower": (4, str.lower),
    "decomposed": (2, decomposed),
    "spaced": (3, lambda name: name.replace("-", " ")),
}
# prefix and separator of each way to write a mobile number
_PHONE_SPELLINGS = {
    "plain": (55, "0", ""),
    "spaced": (18, "0", " "),
    "dotted": (9, "0", "."),
    "e164": (9, "+33", ""),
    "international_spaced": (6, "+33 ", " "),
    "double_zero": (3, "0033", ""),
}
_AGES = {
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
        oldest: people who lived very long.
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
    oldest: Mask

    def take(self, rows: Numbers) -> Identity:
        """The identities at some positions."""
        return Identity(**{name: values[rows] for name, values in vars(self).items()})


@dataclass(frozen=True, kw_only=True)
class Lists:
    """The vocabularies and weights, built once."""

    surnames: Vocabulary
    surname_table: Numbers
    surname_count: int
    first_names: Vocabulary
    male_table: Numbers
    female_table: Numbers
    surname_forms: Vocabulary
    first_forms: Vocabulary
    domains: Text
    streets: Vocabulary
    commune_codes: Vocabulary
    commune_names: Vocabulary
    postcodes: Vocabulary
    departments: Vocabulary
    commune_table: Numbers
    commune_sizes: Numbers
    latitudes: Numbers
    longitudes: Numbers
    place_codes: Vocabulary
    place_table: Numbers
    place_values: Numbers
    ages: dict[str, Numbers]


@cache
def lists() -> Lists:
    """Build the vocabularies from the lists of facts."""
    surnames = [name.strip() for name in SURNAMES.replace("\n", "").split(",")]
    male, female = _weighted(MALE_NAMES), _weighted(FEMALE_NAMES)
    names = [*male, *female]
    communes = [line.split("|") for line in COMMUNES.strip().splitlines()]
    countries = [line.split("|") for line in COUNTRIES.strip().splitlines()]
    places = [row[1] for row in communes] + [row[1] for row in countries]
    births = [sqrt(float(row[3])) for row in communes]
    abroad = [float(row[2]) * sum(births) * 0.11 / 330 for row in countries]
    return Lists(
        surnames=Vocabulary([*surnames, PLACEHOLDER, ""], [spell for _, spell in _SURNAME_SPELLINGS.values()]),
        surname_table=lookup([1 / (rank + 25) for rank in range(len(surnames))]),
        surname_count=len(surnames),
        first_names=Vocabulary(names, [spell for _, spell in _FIRST_NAME_SPELLINGS.values()]),
        male_table=lookup(list(male.values())),
        female_table=lookup(list(female.values()), values=range(len(male), len(names))),
        surname_forms=Vocabulary(surnames, [address_form]),
        first_forms=Vocabulary(names, [address_form]),
        domains=matrix(_DOMAINS),
        streets=Vocabulary([street for line in STREETS.strip().splitlines() for street in line.split("|")]),
        commune_codes=Vocabulary([row[1] for row in communes]),
        commune_names=Vocabulary([row[0] for row in communes]),
        postcodes=Vocabulary([row[2] for row in communes]),
        departments=Vocabulary([department_of(row[1]) for row in communes]),
        commune_table=lookup([float(row[3]) for row in communes]),
        commune_sizes=np.array([int(row[3]) for row in communes]),
        latitudes=np.array([round(float(row[4]) * 100) for row in communes]),
        longitudes=np.array([round(float(row[5]) * 100) for row in communes]),
        place_codes=Vocabulary(places),
        place_table=lookup(births + abroad),
        place_values=np.array([int(code.replace("2A", "19").replace("2B", "18")) for code in places]),
        ages={name: lookup(weights) for name, weights in _AGES.items()},
    )


def department_of(commune: str) -> str:
    """Department code of an INSEE commune code: three characters overseas, two elsewhere."""
    return commune[:3] if commune.startswith("97") else commune[:2]


def identify(streams: Streams, entity: Words, *, role: Numbers, seen: Numbers) -> Identity:
    """Who each entity is.

    Args:
        streams: source of every draw.
        entity: entity keys, one a row.
        role: role in the first accident of the entity (decides the age group and the sex ratio).
        seen: day of that first accident.
    """
    facts = lists()
    birth, oldest = _births(streams, entity, role=role, seen=seen)
    men = np.where(role == DRIVER, 0.68, np.where(role == PEDESTRIAN, 0.5, 0.42))
    sex = np.where((streams.draw(entity, "sex") >> np.uint64(40)) < (men * (1 << 24)).astype(np.uint64), 1, 2)
    woman = sex == 2
    first, second = (_first_name(streams, entity, label, woman=woman) for label in ("first name", "second name"))
    return Identity(
        key=entity,
        sex=sex,
        birth=birth,
        surname=streams.pick(entity, "surname", table=facts.surname_table).astype(np.int64),
        married=streams.pick(entity, "married name", table=facts.surname_table).astype(np.int64),
        has_married=woman & (seen - birth > 25 * 365) & streams.chance(entity, "married", share=0.4),
        first=first,
        second=second,
        has_second=streams.chance(entity, "has second name", share=0.35),
        birth_place=streams.pick(entity, "birth place", table=facts.place_table).astype(np.int64),
        home=streams.pick(entity, "home", table=facts.commune_table).astype(np.int64),
        oldest=oldest,
    )


def identity_columns(tally: Tally, who: Identity, *, rows: Words, day: Numbers) -> dict[str, pa.Array]:
    """The columns of `persons` that say who somebody is, as written on each row, faults included.

    Args:
        tally: counts and faults.
        who: the entity behind each row.
        rows: row keys.
        day: day of each row's accident.
    """
    adult = day - who.birth > 17 * 365
    return {
        "sex": _sex(tally, who, rows),
        "last_name": _last_name(tally, who, rows),
        "married_name": _married_name(tally, who, rows),
        "first_names": _first_names(tally, who, rows),
        "birth_date": _birth_date(tally, who, rows=rows, day=day),
        "birth_place": lists().place_codes.column(lists().place_codes.find(who.birth_place)),
        "nir": _nir(tally, who, rows),
        "phone": _phone(tally, who, rows),
        "email": _email(tally, who, rows),
        "address": _address(tally, who, rows),
        "postcode": lists().postcodes.column(lists().postcodes.find(who.home)),
        "city": lists().commune_names.column(lists().commune_names.find(who.home)),
        "licence_number": _licence(tally, who, adult=adult),
    }


def surname_spelling(streams: Streams, rows: Words, label: str) -> Numbers:
    """Which spelling each row's surname has; position in the spelling table."""
    return streams.pick(rows, label, table=_SURNAME_TABLE).astype(np.int64)


def phone_text(streams: Streams, who: Identity, spelling: Numbers) -> Text:
    """The mobile number of each entity in the given spelling (position in the spelling table)."""
    number = streams.below(who.key, "phone", limit=100_000_000)
    seven = streams.chance(who.key, "phone 07", share=0.3)
    digits_ = digits(number, 8)
    gap = _PHONE_SEPARATORS[spelling][:, None]
    prefix = np.take(_PHONE_PREFIXES, spelling, axis=0)
    lead = np.where(seven, ord("7"), ord("6")).astype(np.uint8)[:, None]
    pairs = [part for start in range(0, 8, 2) for part in (gap, digits_[:, start : start + 2])]
    return join([prefix, lead, *pairs])


def phone_spelling(streams: Streams, rows: Words, label: str) -> Numbers:
    """Which spelling each row's telephone number has."""
    return streams.pick(rows, label, table=_PHONE_TABLE).astype(np.int64)


def _weighted(text: str) -> dict[str, float]:
    pairs = (entry.rsplit(" ", 1) for entry in text.replace("\n", "").split(","))
    return {name.strip(): float(weight) for name, weight in pairs}


def _births(streams: Streams, entity: Words, *, role: Numbers, seen: Numbers) -> tuple[Numbers, Mask]:
    """Day of birth, and who is a hundred years old or more when first seen."""
    ages, bits = lists().ages, streams.draw(entity, "age")
    age = pick(bits, table=ages["passenger"])
    age = np.where(role == DRIVER, pick(bits, table=ages["driver"]), age)
    age = np.where(role == PEDESTRIAN, pick(bits, table=ages["pedestrian"]), age).astype(np.int64)
    oldest = streams.chance(entity, "oldest", share=_OLDEST_SHARE) & (age >= 18)
    age[oldest] = 100 + streams.below(entity[oldest], "oldest age", limit=OLDEST - 99)
    first = entity == np.uint64(_OLDEST_KEY)
    age[first] = OLDEST
    within = streams.below(entity, "birthday", limit=364)
    return seen - (age * 146097 // 400) - 1 - within, oldest | first


def _first_name(streams: Streams, entity: Words, label: str, *, woman: Mask) -> Numbers:
    bits = streams.draw(entity, label)
    facts = lists()
    return np.where(woman, pick(bits, table=facts.female_table), pick(bits, table=facts.male_table))


def _count_spellings(tally: Tally, column: str, *, names: tuple[str, ...], spelling: Numbers) -> None:
    for name, count in zip(names, np.bincount(spelling, minlength=len(names)), strict=True):
        if name != "plain":
            tally.spellings[f"{column}.{name}"] += int(count)


def _sex(tally: Tally, who: Identity, rows: Words) -> pa.Array:
    wrong = tally.strike(rows, "persons.sex")["outside_codes"]
    other = np.array([0, 3, 9])[tally.streams.below(rows, "wrong sex", limit=3)]
    return to_column(np.where(wrong, other, who.sex).astype(np.int8), pa.int8())


def _last_name(tally: Tally, who: Identity, rows: Words) -> pa.Array:
    names = lists().surnames
    faults = tally.strike(rows, "persons.last_name")
    spelling = surname_spelling(tally.streams, rows, "surname spelling")
    hit = faults["placeholder"] | faults["empty"]
    _count_spellings(tally, "persons.last_name", names=tuple(_SURNAME_SPELLINGS), spelling=spelling[~hit])
    entries = names.find(who.surname, spelling)
    entries[faults["placeholder"]] = names.entry(PLACEHOLDER)
    entries[faults["empty"]] = names.entry("")
    return names.column(entries)


def _married_name(tally: Tally, who: Identity, rows: Words) -> pa.Array:
    names = lists().surnames
    nulls = tally.missing("persons.married_name", ~who.has_married)
    spelling = surname_spelling(tally.streams, rows, "married name spelling")
    return names.column(names.find(who.married, spelling), nulls=nulls)


def _first_names(tally: Tally, who: Identity, rows: Words) -> pa.Array:
    names = lists().first_names
    spelling = tally.streams.pick(rows, "first name spelling", table=_FIRST_NAME_TABLE).astype(np.int64)
    _count_spellings(tally, "persons.first_names", names=tuple(_FIRST_NAME_SPELLINGS), spelling=spelling)
    first = names.bytes(names.find(who.first, spelling))
    second = names.bytes(names.find(who.second, spelling))
    return to_arrow(join([first, only(join([constant(" ", len(rows)), second]), who.has_second)]))


def _birth_date(tally: Tally, who: Identity, *, rows: Words, day: Numbers) -> pa.Array:
    faults = tally.strike(rows, "persons.birth_date")
    birth = who.birth.copy()
    birth[faults["impossible"]] -= round(150 * _YEAR)  # more than 130 years old
    birth[faults["after_accident"]] = (day + 1 + tally.streams.below(rows, "late birth", limit=900))[
        faults["after_accident"]
    ]
    tally.extremes["persons.age_100_or_more"] += int(np.count_nonzero(who.oldest))
    return to_column(birth.astype(np.int32), pa.date32(), nulls=faults["null"])


def nir_parts(streams: Streams, who: Identity) -> tuple[Text, Numbers]:
    """The 13 characters of each entity's NIR and its key (INSEE: 97 - number mod 97, 2A read 19, 2B read 18)."""
    facts = lists()
    months = who.birth.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    year, month = (months // 12 + 1970) % 100, months % 12 + 1
    order = 1 + streams.below(who.key, "nir order", limit=999)
    number = (((who.sex * 100 + year) * 100 + month) * 100_000 + facts.place_values[who.birth_place]) * 1000 + order
    place = facts.place_codes.bytes(facts.place_codes.find(who.birth_place))
    text = join([digits(who.sex * 10000 + year * 100 + month, 5), place, digits(order, 3)])
    return text, 97 - number % 97


def _nir(tally: Tally, who: Identity, rows: Words) -> pa.Array:
    faults = tally.strike(rows, "persons.nir")
    text, key = nir_parts(tally.streams, who)
    key = np.where(faults["bad_key"], key % 97 + 1, key)
    bits = tally.streams.draw(rows, "nir spelling")
    shown = ~(faults["null"] | faults["empty"])
    spaced = tally.spelled("persons.nir", "spaced", below(bits, share=0.12) & shown)
    dashed = tally.spelled("persons.nir", "dashed_key", ~below(bits, share=0.12) & below(bits, share=0.17) & shown)
    corsica = (text[:, 6] == ord("A")) | (text[:, 6] == ord("B"))
    small = tally.spelled("persons.nir", "lower_case", corsica & ~below(bits, share=0.8) & shown)
    text[small, 6] += 32
    gap = (spaced * np.uint8(32))[:, None]
    dash = (spaced * np.uint8(32) + dashed * np.uint8(45))[:, None]
    ends = (0, 1, 3, 5, 7, 10)
    parts = [part for start, end in zip(ends, ends[1:], strict=False) for part in (text[:, start:end], gap)]
    full = join([*parts, text[:, 10:], dash, digits(key, 2)])
    return to_arrow(only(full, ~faults["empty"]), nulls=faults["null"])


def _phone(tally: Tally, who: Identity, rows: Words) -> pa.Array:
    faults = tally.strike(rows, "persons.phone")
    hit = faults["placeholder"] | faults["all_zero"] | faults["empty"]
    nulls = tally.missing("persons.phone", tally.streams.chance(who.key, "no phone", share=0.08) & ~hit)
    spelling = phone_spelling(tally.streams, rows, "phone spelling")
    _count_spellings(tally, "persons.phone", names=tuple(_PHONE_SPELLINGS), spelling=spelling[~(hit | nulls)])
    text = phone_text(tally.streams, who, spelling)
    text[hit] = 0
    text[faults["placeholder"], : len(PLACEHOLDER)] = constant(PLACEHOLDER, 1)
    text[faults["all_zero"], :10] = ord("0")
    return to_arrow(text, nulls=nulls)


def _email(tally: Tally, who: Identity, rows: Words) -> pa.Array:
    facts, streams = lists(), tally.streams
    faults = tally.strike(rows, "persons.email")
    nulls = streams.chance(who.key, "no e-mail", share=0.3) & ~faults["empty"] & ~faults["no_at_sign"]
    number = streams.below(who.key, "e-mail number", limit=200)
    text = join(
        [
            facts.first_forms.bytes(facts.first_forms.find(who.first)),
            ".",
            facts.surname_forms.bytes(facts.surname_forms.find(who.surname)),
            only(plain_number(number, 2), number < 100),
            only("@", ~faults["no_at_sign"]),
            np.take(facts.domains, streams.below(who.key, "e-mail domain", limit=len(_DOMAINS)), axis=0),
        ]
    )
    shout = streams.chance(rows, "e-mail capitals", share=0.05) & ~nulls & ~faults["empty"]
    text = upper(text, tally.spelled("persons.email", "upper", shout))
    return to_arrow(only(text, ~faults["empty"]), nulls=tally.missing("persons.email", nulls))


def street_address(streams: Streams, keys: Words) -> Text:
    """House number and street."""
    streets = lists().streets
    count = len(streets.texts)
    street = streets.bytes(streets.find(streams.below(keys, "street", limit=count)))
    number = plain_number(1 + streams.below(keys, "house number", limit=180), 3)
    return join([number, only(" bis", streams.chance(keys, "house bis", share=0.05)), " ", street])


def _address(tally: Tally, who: Identity, rows: Words) -> pa.Array:
    empty = tally.strike(rows, "persons.address")["empty"]
    shout = tally.streams.chance(rows, "address capitals", share=0.12) & ~empty
    text = upper(street_address(tally.streams, who.key), tally.spelled("persons.address", "upper", shout))
    return to_arrow(only(text, ~empty))


def _licence(tally: Tally, who: Identity, *, adult: Mask) -> pa.Array:
    """Driving licence number: twelve digits before 2013, then two digits, two letters and five digits."""
    streams = tally.streams
    nulls = ~adult | streams.chance(who.key, "no licence", share=0.1)
    year = who.birth // 365 + 1970 + 19 + streams.below(who.key, "licence year", limit=8)
    month = 1 + streams.below(who.key, "licence month", limit=12)
    serial = streams.below(who.key, "licence serial", limit=100_000_000)
    old = join([digits(year % 100, 2), digits(month, 2), digits(serial, 8)])
    pair = [letters(serial // 7 % 23, PLATE_LETTERS), letters(serial // 1000 % 23, PLATE_LETTERS)]
    new = join([digits(year % 100, 2), *pair, digits(serial, 5)])
    return to_arrow(choose(year < 2013, old, new), nulls=tally.missing("persons.licence_number", nulls))


_SURNAME_TABLE = lookup([weight for weight, _ in _SURNAME_SPELLINGS.values()])
_FIRST_NAME_TABLE = lookup([weight for weight, _ in _FIRST_NAME_SPELLINGS.values()])
_PHONE_TABLE = lookup([weight for weight, _, _ in _PHONE_SPELLINGS.values()])
_PHONE_PREFIXES = matrix([prefix for _, prefix, _ in _PHONE_SPELLINGS.values()])
_PHONE_SEPARATORS = np.array([ord(gap) if gap else 0 for _, _, gap in _PHONE_SPELLINGS.values()], dtype=np.uint8)
