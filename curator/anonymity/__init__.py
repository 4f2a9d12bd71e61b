"""Classes of like persons: rows that agree on every quasi-identifier, counted while rows stream by.

k-anonymity (Sweeney, 2002): every class holds at least k people; rows, where people are not counted. Distinct and
entropy l-diversity (Machanavajjhala et al., 2007): every class holds at least l values of the sensitive column, or as
much entropy. t-closeness (Li et al., 2007): the values of no class are further than t from those of all rows that stay.
Among quasi-identifiers a null is a value like another: all rows without a value are alike. In the sensitive column it
is no value, so that it never makes a class look diverse.

Each class gets a 64-bit code that is the same in every batch, process and engine: a weighted sum, modulo 2**64, of
keyed codes of its values. Two classes meet under one code with probability 2**-64 a pair; that could only hide a
small class from suppression, never from the measure, which is taken again on the exact values of the files written.
"""

from __future__ import annotations

from curator.anonymity._codes import ClassCoder, Codes, Numbers, members, pair_codes
from curator.anonymity._counter import ClassCounter
from curator.anonymity._people import PeopleCounter
from curator.anonymity._spread import ClassLimits, Spread

__all__ = [
    "ClassCoder",
    "ClassCounter",
    "ClassLimits",
    "Codes",
    "Numbers",
    "PeopleCounter",
    "Spread",
    "members",
    "pair_codes",
]
