"""Vocabularies and weights of people and places, built once from the lists of facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import sqrt

import numpy as np

from curator.demo._mixing import Numbers, lookup
from curator.demo._names import FEMALE_NAMES, MALE_NAMES, SURNAMES
from curator.demo._places import COMMUNES, COUNTRIES, STREETS
from curator.demo._strings import Text, Vocabulary, address_form, decomposed, matrix, without_accents

PLACEHOLDER = "INCONNU"
PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTVWXYZ"  # no I, O, U (decree of 2009 on the French registration system)
DOMAINS = ("courriel.example", "example.org", "example.net", "poste.example", "example.com")

# Spellings of a name; the first is the plain one.
SURNAME_SPELLINGS: dict[str, tuple[float, Callable[[str], str]]] = {
    "plain": (70, str.upper),
    "no_accents": (12, lambda name: without_accents(name).upper()),
    "title": (8, str),
    "lower": (4, str.lower),
    "decomposed": (2, lambda name: decomposed(name.upper())),
    "spaced": (4, lambda name: name.upper().replace("-", " ").replace("'", " ")),
}
FIRST_NAME_SPELLINGS: dict[str, tuple[float, Callable[[str], str]]] = {
    "plain": (72, str),
    "no_accents": (10, without_accents),
    "upper": (9, str.upper),
    "lower": (4, str.lower),
    "decomposed": (2, decomposed),
    "spaced": (3, lambda name: name.replace("-", " ")),
}
# prefix and separator of each way to write a mobile number
PHONE_SPELLINGS = {
    "plain": (55, "0", ""),
    "spaced": (18, "0", " "),
    "dotted": (9, "0", "."),
    "e164": (9, "+33", ""),
    "international_spaced": (6, "+33 ", " "),
    "double_zero": (3, "0033", ""),
}


@dataclass(frozen=True, kw_only=True)
class Lists:
    """The vocabularies and weights, built once."""

    surnames: Vocabulary
    surname_table: Numbers
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
        surnames=Vocabulary([*surnames, PLACEHOLDER, ""], [spell for _, spell in SURNAME_SPELLINGS.values()]),
        surname_table=lookup([1 / (rank + 25) for rank in range(len(surnames))]),
        first_names=Vocabulary(names, [spell for _, spell in FIRST_NAME_SPELLINGS.values()]),
        male_table=lookup(list(male.values())),
        female_table=lookup(list(female.values()), values=range(len(male), len(names))),
        surname_forms=Vocabulary(surnames, [address_form]),
        first_forms=Vocabulary(names, [address_form]),
        domains=matrix(DOMAINS),
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
    )


def department_of(commune: str) -> str:
    """Department code of an INSEE commune code: three characters overseas, two elsewhere."""
    return commune[:3] if commune.startswith("97") else commune[:2]


def _weighted(text: str) -> dict[str, float]:
    pairs = (entry.rsplit(" ", 1) for entry in text.replace("\n", "").split(","))
    return {name.strip(): float(weight) for name, weight in pairs}


SURNAME_TABLE = lookup([weight for weight, _ in SURNAME_SPELLINGS.values()])
FIRST_NAME_TABLE = lookup([weight for weight, _ in FIRST_NAME_SPELLINGS.values()])
PHONE_TABLE = lookup([weight for weight, _, _ in PHONE_SPELLINGS.values()])
PHONE_PREFIXES = matrix([prefix for _, prefix, _ in PHONE_SPELLINGS.values()])
PHONE_SEPARATORS = np.array([ord(gap) if gap else 0 for _, _, gap in PHONE_SPELLINGS.values()], dtype=np.uint8)
