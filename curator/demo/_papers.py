"""How an entity's numbers and addresses are written: NIR, telephone, street."""

from __future__ import annotations

import numpy as np

from curator.demo._lists import PHONE_PREFIXES, PHONE_SEPARATORS, PHONE_TABLE, SURNAME_TABLE, lists
from curator.demo._mixing import Numbers, Streams, Words
from curator.demo._people import Identity
from curator.demo._strings import Text, digits, join, only, plain_number


def surname_spelling(streams: Streams, rows: Words, *, label: str) -> Numbers:
    """Which spelling each row's surname has; position in the spelling table."""
    return streams.pick(rows, label, table=SURNAME_TABLE)


def phone_text(streams: Streams, who: Identity, *, spelling: Numbers) -> Text:
    """The mobile number of each entity in the given spelling (position in the spelling table)."""
    number = streams.below(who.key, "phone", limit=100_000_000)
    seven = streams.chance(who.key, "phone 07", share=0.3)
    digits_ = digits(number, 8)
    gap = PHONE_SEPARATORS[spelling][:, None]
    prefix = np.take(PHONE_PREFIXES, spelling, axis=0)
    lead = np.where(seven, ord("7"), ord("6")).astype(np.uint8)[:, None]
    pairs = [part for start in range(0, 8, 2) for part in (gap, digits_[:, start : start + 2])]
    return join([prefix, lead, *pairs])


def phone_spelling(streams: Streams, rows: Words, *, label: str) -> Numbers:
    """Which spelling each row's telephone number has."""
    return streams.pick(rows, label, table=PHONE_TABLE)


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


def street_address(streams: Streams, keys: Words) -> Text:
    """House number and street."""
    streets = lists().streets
    count = len(streets.texts)
    street = streets.bytes(streets.find(streams.below(keys, "street", limit=count)))
    number = plain_number(1 + streams.below(keys, "house number", limit=180), 3)
    return join([number, only(" bis", streams.chance(keys, "house bis", share=0.05)), " ", street])
