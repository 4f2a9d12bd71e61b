"""How alike people are in a table: k, l, entropy l, t and the risks of being found, from counts of classes.

A class is the rows that agree on every quasi-identifier. Sources of the figures:

- k-anonymity: Sweeney, "k-anonymity: a model for protecting privacy", IJUFKS 10(5), 2002;
- distinct and entropy l: Machanavajjhala et al., "l-diversity", ACM TKDD 1(1), 2007 (entropy l is exp of the entropy);
- t-closeness: Li et al., ICDE 2007; the ground distance is always told (`curator.closeness`);
- prosecutor, journalist and marketer risk: El Emam, "Guide to the De-Identification of Personal Health Information"
  (CRC Press, 2013), ch. 16: with f persons of the table and F of the population in a class, the prosecutor knows that
  somebody is in the table and finds them with 1/f, the journalist only that they are in the population, 1/F, and the
  marketer tries everybody at once.

People are counted, not rows, wherever the table says who a row is about: five rows of one person hide nobody. Nulls of
a quasi-identifier are one value; a row without a sensitive value counts for no diversity and no distance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.closeness import Distance, class_distances
from curator.risk._columns import Column, Numbers, dense, together

BOUNDS = (1, 2, 4, 9, 19, 49, 99)
THRESHOLD = 0.09  # the European Medicines Agency's, policy 0070, external guidance 5.4: a cell of at least 11


@dataclass(frozen=True, kw_only=True)
class Diversity:
    """How much a class tells of a sensitive field.

    Attributes:
        field: its name.
        values: distinct values in the table.
        l: fewest distinct values in a class.
        entropy_l: exp of the least entropy of a class, 1 to `values`.
        t: greatest distance of a class from the table, 0 to 1.
        distance: ground distance behind t, `equal` or `ordered`.
        told: rows in classes of which every row has the same value: whoever is placed there has that value.
    """

    field: str
    values: int
    l: int  # noqa: E741 (the literature's own letter)
    entropy_l: float
    t: float
    distance: str
    told: int


@dataclass(frozen=True, kw_only=True)
class Risk:
    """One attacker's chances (El Emam 2013, ch. 16).

    Attributes:
        highest: for the person easiest to find, 0 to 1.
        mean: over everybody.
        share: of people whose chance is above the threshold.
    """

    highest: float
    mean: float
    share: float


@dataclass(frozen=True, kw_only=True)
class Measures:
    """A table's figures; counts and shares only.

    Attributes:
        rows: of the table.
        persons: people in it; None when the table does not say who a row is about.
        most_rows: rows of the person with most; 1 when people are not told apart.
        quasi: the quasi-identifiers.
        classes: distinct combinations of them.
        k: fewest rows in a class; 0 when there is no row.
        k_persons: fewest people in a class; None as `persons`.
        unique: classes of one person (of one row where people are not told apart).
        hidden: rows without a value in any quasi-identifier; they form one class, whatever they hide.
        sizes: upper bound of a class's people -> people in classes up to that size and above the bound before.
        diversity: one entry a sensitive field.
        prosecutor, journalist: chances of these attackers; without a population both are the same, which is the
            most that the second can be.
        marketer: share of people found by one who tries everybody.
        threshold: chance above which a person counts as at risk.
        population: people of the population in classes that the table has; None when it is the table itself.
    """

    rows: int
    persons: int | None
    most_rows: int
    quasi: tuple[str, ...]
    classes: int
    k: int
    k_persons: int | None
    unique: int
    hidden: int
    sizes: Mapping[str, int] = field(default_factory=dict)
    diversity: tuple[Diversity, ...] = ()
    prosecutor: Risk
    journalist: Risk
    marketer: float
    threshold: float = THRESHOLD
    population: int | None = None

    def facts(self) -> dict[str, Any]:
        """The figures as JSON."""
        plain = {**vars(self), "quasi": list(self.quasi), "sizes": dict(self.sizes)}
        plain["diversity"] = [vars(item) for item in self.diversity]
        return {**plain, "prosecutor": vars(self.prosecutor), "journalist": vars(self.journalist)}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Measures:
        """What `facts` gave, read back."""
        plain = {
            **facts,
            "quasi": tuple(facts["quasi"]),
            "sizes": {str(bound): int(count) for bound, count in facts["sizes"].items()},
            "diversity": tuple(Diversity(**item) for item in facts["diversity"]),
            "prosecutor": Risk(**facts["prosecutor"]),
            "journalist": Risk(**facts["journalist"]),
        }
        return cls(**plain)


def measure(
    quasi: Sequence[Column],
    *,
    sensitive: Sequence[Column] = (),
    entity: Column | None = None,
    crowd: Numbers | None = None,
    threshold: float = THRESHOLD,
    distance: Distance | None = None,
) -> Measures:
    """Measure a table.

    Args:
        quasi: its quasi-identifiers; at least one.
        sensitive: fields whose values nobody should learn.
        entity: whom each row is about; a row without a value is about somebody of its own.
        crowd: for each row, how many of the population that the table was drawn from share its class (`crowd_of`);
            None when there is no population.
        threshold: chance of being found above which a person counts as at risk.
        distance: ground distance of t; `ordered` for numbers, dates and times and `equal` for others when None.
    """
    codes, values = together(quasi)
    classes, count = dense(codes, values=values)
    rows = np.bincount(classes, minlength=count)
    people, total, most = _people(classes, count, entity=entity)
    fewest = None if people is None else int(people.min(initial=len(classes)))
    hidden = np.logical_and.reduce([~column.known for column in quasi]) if len(classes) else np.zeros(0, np.bool_)
    f = rows if people is None else people
    whole = f if crowd is None else np.maximum(_per_class(crowd, classes, count=count), f)
    return Measures(
        rows=len(classes), persons=total, most_rows=most, quasi=tuple(column.name for column in quasi), classes=count,
        k=int(rows.min(initial=len(classes))), k_persons=fewest,
        unique=int((f == 1).sum()), hidden=int(hidden.sum()), sizes=sizes_of(f),
        diversity=tuple(_diversity(classes, count, column=column, distance=distance) for column in sensitive),
        prosecutor=_risk(f, f, threshold=threshold), journalist=_risk(f, whole, threshold=threshold),
        marketer=_share(float((f / whole).sum()), f), threshold=threshold,
        population=None if crowd is None else int(whole.sum()),
    )  # fmt: skip


def sizes_of(people: Numbers) -> dict[str, int]:
    """Upper bound of a class's size -> people in classes up to it and above the bound before; `more` for the rest."""
    found = {}
    for low, high in zip((0, *BOUNDS[:-1]), BOUNDS, strict=True):
        found[str(high)] = int(people[(people > low) & (people <= high)].sum())
    found["more"] = int(people[people > BOUNDS[-1]].sum())
    return found


def _people(classes: Numbers, count: int, *, entity: Column | None) -> tuple[Numbers | None, int | None, int]:
    """People of each class, people in all, and rows of the one with most."""
    if entity is None:
        return None, None, 1
    who = whose(entity)
    width = max(int(who.max(initial=-1)) + 1, 1)
    pairs, _ = _runs(classes * np.int64(width) + who)
    per_person = np.bincount(who)
    return np.bincount(pairs // width, minlength=count), int((per_person > 0).sum()), int(per_person.max(initial=1))


def whose(entity: Column) -> npt.NDArray[np.int64]:
    """A number for each row's person; rows about nobody known are each about somebody of their own."""
    who = entity.codes.astype(np.int64)
    unknown = np.flatnonzero(~entity.known)
    who[unknown] = entity.values + np.arange(len(unknown))
    return who


def crowd_of(quasi: Sequence[Column], *, rows: int) -> Numbers:
    """For each of the first `rows` rows, how many of the others share its class.

    Args:
        quasi: the quasi-identifiers of the table and, after it, of the population, numbered together.
        rows: of the table.
    """
    codes, values = together(quasi)
    classes, count = dense(codes, values=values)
    return np.bincount(classes[rows:], minlength=count)[classes[:rows]]


def _per_class(per_row: Numbers, classes: Numbers, *, count: int) -> Numbers:
    found = np.zeros(count, np.int64)
    found[classes] = per_row
    return found


def _risk(f: Numbers, whole: Numbers, *, threshold: float) -> Risk:
    if not len(f):
        return Risk(highest=0.0, mean=0.0, share=0.0)
    chance = 1.0 / whole
    return Risk(
        highest=float(chance.max()),
        mean=_share(float((f * chance).sum()), f),
        share=_share(float(f[chance > threshold].sum()), f),
    )


def _share(part: float, f: Numbers) -> float:
    return part / float(f.sum()) if len(f) else 0.0


def _diversity(classes: Numbers, count: int, *, column: Column, distance: Distance | None) -> Diversity:
    """The sensitive field's figures, from how often each value occurs in each class."""
    known = column.known
    distinct = column.values - (1 if column.nulls else 0)
    width = max(distinct, 1)
    pairs, counts = _runs(classes[known] * np.int64(width) + column.codes[known])
    owner, value = pairs // width, pairs % width
    sizes = np.bincount(owner, counts, minlength=count)
    kinds = np.bincount(owner, minlength=count)
    shares = counts / sizes[owner]
    entropy = np.bincount(owner, -shares * np.log(shares), minlength=count)
    distance = distance or ("ordered" if column.ordered else "equal")
    reference = np.bincount(column.codes[known], minlength=width)[:width]
    far = class_distances(owner, value, counts=counts, reference=reference, distance=distance)
    least = int(kinds.min(initial=distinct))
    return Diversity(
        field=column.name, values=distinct, l=least,
        entropy_l=float(np.exp(entropy.min(initial=np.log(width)))) if least else 0.0,
        t=float(far.max(initial=0.0)), distance=distance, told=int(sizes[kinds == 1].sum()),
    )  # fmt: skip


def _runs(codes: Numbers) -> tuple[Numbers, Numbers]:
    """Distinct numbers, ascending, and how often each occurs; by sorting, which is faster than a hash here."""
    return np.unique(codes, return_counts=True)
