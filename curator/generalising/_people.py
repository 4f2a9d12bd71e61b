"""Whose the rows of combinations are: what k counts, exactly, at any node and without the rows.

Most people have all their rows in one combination: they are a number beside it, and add up like rows. Only those met in
several are kept as pairs of combination and person, and counted once in each class.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.arrow import distinct

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class People:
    """The people of a table of combinations.

    Attributes:
        alone: for each combination, people whose rows all lie in it.
        places, persons: each combination of each of the others, and who it is; no pair twice, in order of places.
    """

    alone: Integers
    places: Integers
    persons: Integers

    @property
    def total(self) -> int:
        """People of the table."""
        return int(self.alone.sum()) + len(distinct(self.persons))

    def per_class(self, classes: npt.NDArray[Any], *, count: int, enough: int | None = None) -> Integers:
        """People of each class.

        Args:
            classes: class of each combination.
            count: number of classes.
            enough: people from which a class needs no exact number: what is returned is at least this then.
        """
        found = np.bincount(classes, self.alone, minlength=count).astype(np.int64)
        return self._with_shared(found, classes[self.places].astype(np.int64), persons=self.persons, enough=enough)

    def within(self, members: Integers, groups: Integers, *, count: int, enough: int) -> Integers:
        """The same for the groups of some combinations only."""
        found = np.bincount(groups, self.alone[members], minlength=count).astype(np.int64)
        starts = self._starts[members]
        lengths = self._starts[members + 1] - starts
        if not lengths.any():
            return found
        first = np.cumsum(lengths) - lengths
        pairs = np.arange(int(lengths.sum())) + np.repeat(starts - first, lengths)
        return self._with_shared(found, np.repeat(groups, lengths), persons=self.persons[pairs], enough=enough)

    def regrouped(self, places: npt.NDArray[Any], *, count: int) -> People:
        """The same people when combinations are put together: `places` is the new number of each."""
        alone = np.bincount(places, self.alone, minlength=count).astype(np.int64)
        return people_of(places[self.places], self.persons, count=count, alone=alone)

    def _with_shared(self, found: Integers, classes: Integers, *, persons: Integers, enough: int | None) -> Integers:
        if enough is not None:
            short = found[classes] < enough
            classes, persons = classes[short], persons[short]
        if len(classes):
            width = self._width
            met = distinct(classes * width + persons) // width
            found = found + np.bincount(met, minlength=len(found))
        return found

    @cached_property
    def _width(self) -> int:
        return int(self.persons.max(initial=0)) + 1

    @cached_property
    def _starts(self) -> Integers:
        """Where the pairs of each combination begin, and of the last one end."""
        return np.searchsorted(self.places, np.arange(len(self.alone) + 1)).astype(np.int64)


def people_of(
    combinations: npt.NDArray[Any], persons: npt.NDArray[Any], *, count: int, alone: Integers | None = None
) -> People:
    """The people of combinations.

    Args:
        combinations: combination of each pair; pairs may come twice.
        persons: who has rows in it.
        count: number of combinations.
        alone: people of each combination besides, who are in no other.
    """
    width = int(persons.max(initial=0)) + 1
    pairs = distinct(combinations.astype(np.int64) * width + persons)
    places, who = pairs // width, pairs % width
    single = np.bincount(who, minlength=1)[who] == 1
    found = np.bincount(places[single], minlength=count).astype(np.int64)
    if alone is not None:
        found = found + alone
    return People(alone=found, places=places[~single], persons=who[~single])
