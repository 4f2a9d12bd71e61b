"""The gate: every attack on exactly the bytes about to leave, by the attacker whom the channel is declared to meet.

Leaks close the gate whatever was promised: a value that a public transform of an identifier gives, a planted canary,
an identifier in clear, statistics, metadata or bytes beside the rows, a column nobody declared, rows in an order that
tells, a model that keeps rows or rare words of its training, fewer alike than the spec's k, a difference from an
earlier release that is one person.
The three attacks on people measure; they close the gate where the release claims to be anonymous. That word needs all
three to fail, for an attacker who knows every column, and no pseudonym left in the rows (Recital 26 of the GDPR;
Article 29 Working Party, Opinion 05/2014: singling out, linkability, inference).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.attacks._canaries import canary_leaks
from curator.attacks._clear import clear_leaks, paper_leaks
from curator.attacks._dictionary import SAMPLE, dictionary_hits, enumerated, prefixes, remainder_hits
from curator.attacks._differences import difference_leaks
from curator.attacks._leak import Leak
from curator.attacks._members import member_leaks
from curator.attacks._models import model_leaks, rare_words
from curator.attacks._odds import Odds
from curator.attacks._order import order_leaks
from curator.attacks._people import Tables, inferring, linking, singling_out
from curator.attacks._pieces import piece_leaks
from curator.attacks._shards import shard_leaks
from curator.closeness import Distance
from curator.risk import Column, Measures, Roles, column_of, entity_of, measure, whose

LIMIT = 0.05
"""Success beyond the safe baseline above which an attack counts, by the lower end of its 95 % interval."""

SIZE = 30_000  # rows in which neighbours are sought; more are sampled by person
_SECRETS = 3
_SLACK = 1e-9
_LARGE = 10**5  # numbers that could be what remains of a digest
_ALIKE = 2  # values up to which every distance is the same
_MANY = 5_000  # digests from which a longer dictionary is worth its time


@dataclass(frozen=True, kw_only=True)
class Attacker:
    """Who receives the package, and what they hold already.

    Attributes:
        channel: by which it leaves.
        knows: columns whose values they may have of people from elsewhere.
    """

    channel: str
    knows: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the spec promises of the rows.

    Attributes:
        k: fewest people alike, where the rows tell people apart, or rows; 0 when nothing is promised.
        rows: whether rows are promised, whatever the rows tell.
        l: fewest distinct values of `column` in a class; None when not promised.
        entropy_l: least exp(entropy) of them; None likewise.
        t: greatest distance of a class from all rows; None likewise.
        distance: ground distance of t.
        column: the sensitive field that these three are of.
        anonymous: whether the release claims to be anonymous.
    """

    k: int = 0
    rows: bool = False
    l: int | None = None  # noqa: E741 (the literature's own letter)
    entropy_l: float | None = None
    t: float | None = None
    distance: Distance = "equal"
    column: str | None = None
    anonymous: bool = False


@dataclass(frozen=True, kw_only=True)
class GateReport:
    """What the attacks found; counts and names only, the same for the same bytes.

    Attributes:
        attacker: who was played.
        rows: attacked.
        leaks: what should not be there; any closes the gate.
        people: attack on people -> its odds.
        measures: how alike people are; None without quasi-identifiers.
        dictionary: column -> identifiers tried on it.
        canaries: planted identifiers sought.
        pseudonyms: fields that still stand for a person or a thing, by which rows can be linked.
        models: models among the members; the attacks on people do not try them.
        limits: what was promised.
    """

    attacker: Attacker
    rows: int
    leaks: tuple[Leak, ...]
    people: Mapping[str, Odds] = field(default_factory=dict)
    measures: Measures | None = None
    dictionary: Mapping[str, int] = field(default_factory=dict)
    canaries: int = 0
    pseudonyms: tuple[str, ...] = ()
    models: int = 0
    limits: Limits = Limits()

    @property
    def withstood(self) -> Mapping[str, bool]:
        """Attack on people -> whether it gained no more than the limit."""
        return {name: odds.low <= LIMIT for name, odds in self.people.items()}

    @property
    def anonymous(self) -> bool:
        """Whether the word may be used: claimed, so attacked by one who knows all; nothing leaks; all withstood."""
        kinds = {name.partition(":")[0] for name in self.people}
        whole = kinds == {"singling-out", "linking", "inferring"} or not self.rows
        tried = self.limits.anonymous and whole and not self.models
        return tried and not self.leaks and not self.pseudonyms and all(self.withstood.values())

    @property
    def passed(self) -> bool:
        """Whether the package may leave."""
        return not self.leaks and (self.anonymous or not self.limits.anonymous)

    def reasons(self) -> tuple[str, ...]:
        """Why it may not, each in a few words."""
        found = [f"{leak.kind} in {leak.where} ({leak.count:,})" for leak in self.leaks]
        if self.limits.anonymous and not self.anonymous:
            failed = [name for name, held in self.withstood.items() if not held]
            failed += [f"linking by the pseudonym {name}" for name in self.pseudonyms]
            failed += ["what a model remembers, which is not attacked"] if self.models else []
            found.append(f"called anonymous, but not safe from {', '.join(failed or ['an attack that needs columns'])}")
        return tuple(found)

    def facts(self) -> dict[str, Any]:
        """The report as JSON, for the evidence."""
        return {
            "attacker": {"channel": self.attacker.channel, "knows": list(self.attacker.knows)},
            "rows": self.rows,
            "passed": self.passed,
            "anonymous": self.anonymous,
            "claimed": self.limits.anonymous,
            "leaks": [vars(leak) for leak in self.leaks],
            "people": {name: _rounded(odds) for name, odds in self.people.items()},
            "limit": LIMIT,
            "measured": _measured(self.measures),
            "dictionary": dict(self.dictionary),
            "canaries": self.canaries,
            "pseudonyms": list(self.pseudonyms),
        }


def attack_package(
    contents: Mapping[str, bytes | Path],
    *,
    roles: Roles,
    forms: Mapping[str, str],
    attacker: Attacker,
    limits: Limits | None = None,
    canaries: Sequence[str] = (),
    salts: Sequence[str] = (),
    earlier: Sequence[Sequence[Path]] = (),
    trained: Sequence[Path] = (),
    seed: int = 0,
) -> GateReport:
    """Attack a package before it leaves.

    Args:
        contents: path inside the package -> its bytes, or the file that holds them; shards stand under `dataset/`.
        roles: what its columns are.
        forms: token field -> canonical form of the identifier behind it.
        attacker: who receives it.
        limits: what the spec promises.
        canaries: identifiers that the holder planted in the sources.
        salts: words that stand in the package, which an attacker would try as salts.
        earlier: shards of each version released before under the same name.
        trained: shards on which a model among the members was trained.
        seed: of the draws; the same bytes and seed give the same report.
    """
    shards = {path: content for path, content in contents.items() if path.endswith(".parquet")}
    models = {path: _whole(content) for path, content in contents.items() if path.endswith(".onnx")}
    limits = limits or Limits()
    leaks = [*member_leaks(contents), *canary_leaks(contents, canaries), *paper_leaks(contents)]
    for path, content in shards.items():
        leaks += shard_leaks(path.partition("/")[2], content)
    words = _texts(trained, wanted=bool(models) and limits.k > 1)
    for path, data in models.items():
        leaks += [*model_leaks(path, data), *rare_words(path, data, trained=words, least=limits.k)]
    if not shards:
        return GateReport(
            attacker=attacker, rows=0, leaks=tuple(leaks), canaries=len(canaries), models=len(models), limits=limits
        )
    parts = [_table(content) for content in shards.values()]
    table = pa.concat_tables(parts, promote_options="default")
    leaks += _undeclared(table, roles)
    tried, hits = _dictionary(table, forms=forms, canaries=canaries, salts=salts)
    leaks += hits
    leaks += [leak for name in table.column_names for leak in clear_leaks(name, table.column(name))]
    leaks += piece_leaks(table, canaries)
    leaks += order_leaks([{name: part.column(name) for name in part.column_names} for part in parts])
    columns = {name: column_of(name, table.column(name)) for name in _used(roles, attacker)}
    people, measures = _people(columns, roles, attacker=attacker, limits=limits, seed=seed)
    leaks += _too_few(measures, limits)
    for before in earlier if limits.k else ():
        leaks += difference_leaks(table, before, left_out=roles.tokens, least=max(limits.k, 2))
    return GateReport(
        attacker=attacker, rows=len(table), leaks=tuple(leaks), people=people, measures=measures, dictionary=tried,
        canaries=len(canaries), pseudonyms=roles.tokens, models=len(models), limits=limits,
    )  # fmt: skip


def attack_people(tables: Tables, *, known: Sequence[str], secrets: Sequence[str], seed: int = 0) -> dict[str, Odds]:
    """The three attacks on people.

    Args:
        tables: what they work with.
        known: columns that the attacker may know.
        secrets: columns that nobody should learn; those that the attacker knows are left out.
        seed: of the draws.
    """
    if not known or not tables.rows:
        return {}
    found = {"singling-out": singling_out(tables, known, seed=seed)}
    half = (len(known) + 1) // 2
    if len(known) > 1:
        found["linking"] = linking(tables, known[:half], second=known[half:], seed=seed)
    for secret in [name for name in secrets if name not in known][:_SECRETS]:
        found[f"inferring: {secret}"] = inferring(tables, known, secret=secret, seed=seed)
    return found


def _whole(content: bytes | Path) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def _table(content: bytes | Path) -> pa.Table:
    with parquet.ParquetFile(pa.BufferReader(content) if isinstance(content, bytes) else content) as reader:
        return reader.read()


def _texts(trained: Sequence[Path], *, wanted: bool) -> dict[str, pa.ChunkedArray]:
    """The text columns of the rows that a model was trained on."""
    if not trained or not wanted:
        return {}
    table = pa.concat_tables([_table(file) for file in trained], promote_options="default")
    return {
        name: table.column(name) for name in table.column_names if pa.types.is_string(table.schema.field(name).type)
    }


def _undeclared(table: pa.Table, roles: Roles) -> list[Leak]:
    """Columns that the spec does not have: nobody said what they are, so nobody protected them."""
    known = {*roles.quasi, *roles.sensitive, *roles.other, *roles.entity, *roles.tokens}
    return [Leak(kind="undeclared-column", where=f"column {place}") for place, name in enumerate(table.column_names)
            if name not in known]  # fmt: skip


def _people(
    columns: Mapping[str, Column],
    roles: Roles,
    *,
    attacker: Attacker,
    limits: Limits,
    seed: int,
) -> tuple[dict[str, Odds], Measures | None]:
    entity = entity_of([columns[name] for name in roles.entity])
    rows = len(next(iter(columns.values())).codes) if columns else 0
    people = np.arange(rows) if entity is None else whose(entity)
    quasi = [columns[name] for name in roles.quasi]
    sensitive = [columns[name] for name in roles.sensitive if name == limits.column]
    ordered = all(column.ordered for column in sensitive)
    distance = limits.distance if limits.distance == "equal" or ordered else None
    measures = measure(quasi, sensitive=sensitive, entity=entity, distance=distance) if quasi else None
    known = [name for name in attacker.knows if columns[name].values > 1]
    secrets = _secrets(columns, roles, attacker=attacker)
    if limits.anonymous:  # whoever is in the public knows anything that is not the secret itself
        known = [name for name in columns if name not in (*roles.tokens, *secrets) and columns[name].values > 1]
    kept = _sampled(people, seed=seed)
    cut = {name: _at(columns[name], kept) for name in (*known, *secrets)}
    tables = Tables(released=cut, people=people[kept], targets=cut, target_people=people[kept])
    return attack_people(tables, known=known, secrets=secrets, seed=seed), measures


def _secrets(columns: Mapping[str, Column], roles: Roles, *, attacker: Attacker) -> list[str]:
    """The sensitive fields, or, when none is declared, those unknown fields that vary most."""
    declared = [name for name in roles.sensitive if name not in attacker.knows]
    if declared:
        return declared[:_SECRETS]
    others = [name for name in roles.other if name not in attacker.knows and columns[name].values > 1]
    return sorted(others, key=lambda name: (-columns[name].values, name))[:1]


def _dictionary(
    table: pa.Table, *, forms: Mapping[str, str], canaries: Sequence[str], salts: Sequence[str]
) -> tuple[dict[str, int], list[Leak]]:
    """Identifiers tried on each column that looks like digests, and the columns where one came out."""
    digests = {name: prefixes(table.column(name)) for name in table.column_names}
    digests = {name: values for name, values in digests.items() if len(values)}
    tried, leaks = dict.fromkeys(sorted(digests), 0), []
    wanted: dict[str, list[str]] = {}
    for name in digests:
        for form in [forms[name]] if name in forms else ["phone", "plate", "licence", "nir"]:
            wanted.setdefault(form, []).append(name)
    for form, names in sorted(wanted.items()):
        most = max(len(digests[name]) for name in names)
        candidates = [*canaries, *enumerated(form, SAMPLE if most > _MANY else SAMPLE // 4)]
        for name in names:
            tried[name] += len(candidates)
        hits = dictionary_hits({name: digests[name] for name in names}, candidates, salts=salts)
        leaks += [
            Leak(kind=f"dictionary ({transform})", where=name, count=count)
            for name, transforms in sorted(hits.items())
            for transform, count in sorted(transforms.items())
        ]
    leaks += [
        Leak(kind=f"dictionary ({transform})", where=name, count=count)
        for name, transforms in sorted(_remainders(table, forms=forms, canaries=canaries).items())
        for transform, count in sorted(transforms.items())
    ]
    return tried, leaks


def _remainders(table: pa.Table, *, forms: Mapping[str, str], canaries: Sequence[str]) -> dict[str, dict[str, int]]:
    """Columns of large whole numbers that are what remains of digests."""
    numbers = {
        name: table.column(name) for name in table.column_names if pa.types.is_integer(table.schema.field(name).type)
    }
    numbers = {name: column for name, column in numbers.items() if (pc.max(column).as_py() or 0) >= _LARGE}
    if not numbers:
        return {}
    tried = ["phone", "plate", "licence", "nir"]
    return remainder_hits(numbers, [*canaries, *(value for form in tried for value in enumerated(form, _MANY))])


def _too_few(measures: Measures | None, limits: Limits) -> Iterator[Leak]:
    """Limits that the bytes do not hold: of people, where they tell people apart."""
    if measures is None or not measures.rows:
        return
    fields = ", ".join(measures.quasi)
    told = measures.k if limits.rows or measures.k_persons is None else measures.k_persons
    if told < limits.k:
        yield Leak(kind="k", where=f"{fields}: {told} of {limits.k}", count=measures.unique)
    for found in measures.diversity:
        if limits.l is not None and found.l < limits.l:
            yield Leak(kind="l", where=f"{found.field}: {found.l} of {limits.l}", count=found.told)
        if limits.entropy_l is not None and found.entropy_l < limits.entropy_l - _SLACK:
            where = f"{found.field}: {found.entropy_l:.3f} of {limits.entropy_l:g}"
            yield Leak(kind="entropy l", where=where, count=found.told)
        if limits.t is None:
            continue
        if found.distance != limits.distance and found.values > _ALIKE:  # of two values both distances are one
            where = f"{found.field}: {limits.distance} distance of values that have no order"
            yield Leak(kind="t", where=where, count=found.told)
        elif found.t > limits.t + _SLACK:
            yield Leak(kind="t", where=f"{found.field}: {found.t:.4f} of {limits.t:g}", count=found.told)


def _used(roles: Roles, attacker: Attacker) -> Iterable[str]:
    return dict.fromkeys((*roles.quasi, *roles.sensitive, *roles.other, *roles.entity, *attacker.knows))


def _sampled(people: npt.NDArray[np.int64], *, seed: int) -> npt.NDArray[np.int64]:
    """Places of all rows of as many people as give some thirty thousand rows."""
    if len(people) <= SIZE:
        return np.arange(len(people))
    drawn = np.random.default_rng(seed).random(int(people.max()) + 1)
    return np.flatnonzero(drawn[people] < SIZE / len(people))


def _at(column: Column, places: npt.NDArray[np.int64]) -> Column:
    return Column(
        name=column.name, codes=column.codes[places], values=column.values, nulls=column.nulls, ordered=column.ordered
    )


def _rounded(odds: Odds) -> dict[str, Any]:
    """Odds in decimals as text-safe numbers: six places are more than their uncertainty."""
    plain = {name: round(value, 6) if isinstance(value, float) else value for name, value in vars(odds).items()}
    return {**plain, "withstood": odds.low <= LIMIT}


def _measured(found: Measures | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"k": found.k, "k_persons": found.k_persons, "persons": found.persons, "classes": found.classes}
