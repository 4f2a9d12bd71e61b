"""The columns of `persons` that say who somebody is, as a clerk wrote them on each row, faults included."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa

from curator.demo._lists import (
    DOMAINS,
    FIRST_NAME_SPELLINGS,
    FIRST_NAME_TABLE,
    PHONE_SPELLINGS,
    PLACEHOLDER,
    PLATE_LETTERS,
    SURNAME_SPELLINGS,
    lists,
)
from curator.demo._mixing import Mask, Numbers, Words, below
from curator.demo._papers import nir_parts, phone_spelling, phone_text, street_address, surname_spelling
from curator.demo._people import Identity
from curator.demo._strings import (
    blank,
    choose,
    constant,
    digits,
    join,
    letters,
    only,
    plain_number,
    to_arrow,
    to_column,
    upper,
)
from curator.demo._truth import Tally

_CENTURY = 36_525  # days
_IMPOSSIBLE = 54_787  # days: a birth 150 years too early


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
        "sex": _sex(tally, who, rows=rows),
        "last_name": _last_name(tally, who, rows=rows),
        "married_name": _married_name(tally, who, rows=rows),
        "first_names": _first_names(tally, who, rows=rows),
        "birth_date": _birth_date(tally, who, rows=rows, day=day),
        "birth_place": lists().place_codes.column(lists().place_codes.find(who.birth_place)),
        "nir": _nir(tally, who, rows=rows),
        "phone": _phone(tally, who, rows=rows),
        "email": _email(tally, who, rows=rows),
        "address": _address(tally, who, rows=rows),
        "postcode": lists().postcodes.column(lists().postcodes.find(who.home)),
        "city": lists().commune_names.column(lists().commune_names.find(who.home)),
        "licence_number": _licence(tally, who, adult=adult),
    }


def _count_spellings(tally: Tally, column: str, *, names: tuple[str, ...], spelling: Numbers) -> None:
    for name, count in zip(names, np.bincount(spelling, minlength=len(names)), strict=True):
        if name != "plain":
            tally.spellings[f"{column}.{name}"] += int(count)


def _sex(tally: Tally, who: Identity, *, rows: Words) -> pa.Array:
    wrong = tally.strike(rows, "persons.sex")["outside_codes"]
    other = np.array([0, 3, 9])[tally.streams.below(rows, "wrong sex", limit=3)]
    return to_column(np.where(wrong, other, who.sex).astype(np.int8), pa.int8())


def _last_name(tally: Tally, who: Identity, *, rows: Words) -> pa.Array:
    names = lists().surnames
    faults = tally.strike(rows, "persons.last_name")
    spelling = surname_spelling(tally.streams, rows, label="surname spelling")
    hit = faults["placeholder"] | faults["empty"]
    _count_spellings(tally, "persons.last_name", names=tuple(SURNAME_SPELLINGS), spelling=spelling[~hit])
    entries = names.find(who.surname, spelling)
    entries[faults["placeholder"]] = names.entry(PLACEHOLDER)
    entries[faults["empty"]] = names.entry("")
    return names.column(entries)


def _married_name(tally: Tally, who: Identity, *, rows: Words) -> pa.Array:
    names = lists().surnames
    nulls = tally.missing("persons.married_name", ~who.has_married)
    spelling = surname_spelling(tally.streams, rows, label="married name spelling")
    return names.column(names.find(who.married, spelling), nulls=nulls)


def _first_names(tally: Tally, who: Identity, *, rows: Words) -> pa.Array:
    names = lists().first_names
    spelling = tally.streams.pick(rows, "first name spelling", table=FIRST_NAME_TABLE)
    _count_spellings(tally, "persons.first_names", names=tuple(FIRST_NAME_SPELLINGS), spelling=spelling)
    first = names.bytes(names.find(who.first, spelling))
    second = names.bytes(names.find(who.second, spelling))
    return to_arrow(join([first, only(join([constant(" ", len(rows)), second]), who.has_second)]))


def _birth_date(tally: Tally, who: Identity, *, rows: Words, day: Numbers) -> pa.Array:
    faults = tally.strike(rows, "persons.birth_date")
    birth = who.birth.copy()
    birth[faults["impossible"]] -= _IMPOSSIBLE
    birth[faults["after_accident"]] = (day + 1 + tally.streams.below(rows, "late birth", limit=900))[
        faults["after_accident"]
    ]
    old = (day - birth >= _CENTURY) & ~faults["impossible"] & ~faults["null"]
    tally.extremes["persons.hundred_years_or_more"] += int(np.count_nonzero(old))
    return to_column(birth.astype(np.int32), pa.date32(), nulls=faults["null"])


def _nir(tally: Tally, who: Identity, *, rows: Words) -> pa.Array:
    faults = tally.strike(rows, "persons.nir")
    text, key = nir_parts(tally.streams, who)
    key = np.where(faults["bad_key"], key % 97 + 1, key)
    bits = tally.streams.draw(rows, "nir spelling")
    shown = ~(faults["null"] | faults["empty"])
    spaced = tally.spelled("persons.nir", "spaced", mask=below(bits, share=0.12) & shown)
    dashed = tally.spelled("persons.nir", "dashed_key", mask=~below(bits, share=0.12) & below(bits, share=0.17) & shown)
    corsica = (text[:, 6] == ord("A")) | (text[:, 6] == ord("B"))
    small = tally.spelled("persons.nir", "lower_case", mask=corsica & ~below(bits, share=0.8) & shown)
    text[small, 6] += 32
    gap = (spaced * np.uint8(32))[:, None]
    dash = (spaced * np.uint8(32) + dashed * np.uint8(45))[:, None]
    ends = (0, 1, 3, 5, 7, 10)
    parts = [part for start, end in pairwise(ends) for part in (text[:, start:end], gap)]
    full = join([*parts, text[:, 10:], dash, digits(key, 2)])
    return to_arrow(blank(full, faults["empty"]), nulls=faults["null"])


def _phone(tally: Tally, who: Identity, *, rows: Words) -> pa.Array:
    faults = tally.strike(rows, "persons.phone")
    hit = faults["placeholder"] | faults["all_zero"] | faults["empty"]
    nulls = tally.missing("persons.phone", tally.streams.chance(who.key, "no phone", share=0.08) & ~hit)
    spelling = phone_spelling(tally.streams, rows, label="phone spelling")
    _count_spellings(tally, "persons.phone", names=tuple(PHONE_SPELLINGS), spelling=spelling[~(hit | nulls)])
    text = phone_text(tally.streams, who, spelling=spelling)
    text[hit] = 0
    text[faults["placeholder"], : len(PLACEHOLDER)] = constant(PLACEHOLDER, 1)
    text[faults["all_zero"], :10] = ord("0")
    return to_arrow(text, nulls=nulls)


def _email(tally: Tally, who: Identity, *, rows: Words) -> pa.Array:
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
            np.take(facts.domains, streams.below(who.key, "e-mail domain", limit=len(DOMAINS)), axis=0),
        ]
    )
    shout = streams.chance(rows, "e-mail capitals", share=0.05) & ~nulls & ~faults["empty"]
    text = upper(text, tally.spelled("persons.email", "upper", mask=shout))
    return to_arrow(blank(text, faults["empty"]), nulls=tally.missing("persons.email", nulls))


def _address(tally: Tally, who: Identity, *, rows: Words) -> pa.Array:
    empty = tally.strike(rows, "persons.address")["empty"]
    shout = tally.streams.chance(rows, "address capitals", share=0.12) & ~empty
    text = upper(street_address(tally.streams, who.key), tally.spelled("persons.address", "upper", mask=shout))
    return to_arrow(blank(text, empty))


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
    return to_arrow(choose(year < 2013, old, no=new), nulls=tally.missing("persons.licence_number", nulls))
