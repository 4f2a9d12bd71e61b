"""The draw as a statistician sees it: uniform, each stage independent of the others, of the columns and of the splits.

Every key is fixed, so that nothing here turns on luck: a bound that holds once holds always.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sampling_world import TYPES, connected, drawn, drawn_in, spec_of

from curator.engines import open_engine
from curator.extraction import extract
from curator.files import where_of
from curator.pseudonyms import KeyContext, TokenKernel, derive_key, thresholds
from curator.representation import chi_square_tail

Row = tuple[Any, ...]
KINDS = ["integer", "text", "text", "boolean"]


def kept(sample: dict[str, Any], rows: Iterable[Row], *, seed: int = 0) -> list[Row]:
    found = drawn(spec_of({"sample": {**sample, "seed": seed}}), {"t": rows}, "id, who, place, ill")
    return [tuple(row) for row in found]


def chi_square(found: Sequence[float], wanted: Sequence[float]) -> float:
    """The p-value of Pearson's test, one degree less than classes."""
    value = sum((one - other) ** 2 / other for one, other in zip(found, wanted, strict=True))
    return chi_square_tail(value, len(found) - 1)


# ---- stages are independent ------------------------------------------------------------------------------------------

ONE_OR_MANY = [
    *((number, f"one {number}", "one", None) for number in range(1_000)),
    *((1_000 + number, f"many {number // 20}", "many", None) for number in range(20_000)),
]


def test_a_share_of_capped_rows_is_that_share() -> None:
    """With one hash for both, the row of each entity that the cap keeps, its lowest, would nearly always be drawn."""
    rows = kept({"by": ["id"], "per_entity": 1, "fraction": 0.1}, ONE_OR_MANY)
    assert 160 < len(rows) < 245, "a tenth of 2,000 entities"


@pytest.mark.parametrize("after", [{"max_rows": 400}, {"quotas": {"by": "ill", "rows": {"true": 1}, "others": 400}}])
def test_entities_of_many_rows_do_not_crowd_out_those_of_one(after: dict[str, Any]) -> None:
    places = Counter(row[2] for row in kept({"by": ["id"], "per_entity": 1, **after}, ONE_OR_MANY))
    assert places.total() == 400
    assert 160 < places["one"] < 240, "half of the entities have one row"


def test_a_maximum_keeps_the_ratio_of_negatives() -> None:
    rows = [(number, None, "n", number % 50 == 0) for number in range(20_000)]
    found = Counter(row[3] for row in kept({"by": ["id"], "negatives": {"positive": "ill", "per_positive": 2.0},
                                            "max_rows": 300}, rows))  # fmt: skip
    assert found.total() == 300
    assert 75 < found[True] < 125, "one in three"


def test_a_maximum_takes_strata_of_every_size_alike() -> None:
    rows = [(number, None, "small" if number < 100 else "large", None) for number in range(10_000)]
    places = Counter(row[2] for row in kept({"by": ["id"], "strata": {"by": ["place"], "rows": 100}, "max_rows": 100},
                                            rows))  # fmt: skip
    assert 35 < places["small"] < 65


def test_two_strata_that_follow_each_other_are_drawn_apart() -> None:
    """What a quota leaves of a large class is as likely to be kept by the stratum as a row of a small class."""
    rows = [(number, None, "small" if number < 100 else "large", True) for number in range(10_000)]
    sample = {"by": ["id"], "quotas": {"by": "place", "rows": {"large": 100}},
              "strata": {"by": ["ill"], "fraction": 0.5}}  # fmt: skip
    assert 35 < Counter(row[2] for row in kept(sample, rows))["small"] < 65


# ---- what has a least number has it ----------------------------------------------------------------------------------


def test_a_rare_class_of_one_person_is_kept_whole() -> None:
    """Sixty rows of one key do not fit into fifty; a class that must keep fifty keeps them all."""
    rows = [(number, f"p{number // 60}", "rare" if number < 60 else "n", None) for number in range(6_000)]
    sample = {"by": ["who"], "fraction": 0.01, "at_least": {"by": ["place"], "rows": 50}}
    found = Counter(row[2] for row in kept(sample, rows))
    assert found["rare"] == 60
    assert found["n"] >= 50


def test_no_stratum_disappears_from_a_share() -> None:
    rows = [(number, f"p{number // 7}", f"s{number // 7 % 30}", None) for number in range(2_100)]
    found = Counter(row[2] for row in kept({"by": ["who"], "strata": {"by": ["place"], "fraction": 0.05}}, rows))
    assert len(found) == 30
    assert set(found.values()) == {7}, "70 rows each: 3.5, rounded up to 4, and the key that reaches it taken whole"


NAMES = ["", " ", "a( b", "( ", "o'brien", '"', "\\", "\\'", "a\\nb", "Ünï", "e\u0301", "👮", "%s", "{0}", "--", ";",
         "null", "true", "all", "0012", "n" * 300]  # fmt: skip


def test_classes_of_any_name_are_told_apart() -> None:
    rows = [(number, None, (*NAMES, None)[number % 22], None) for number in range(220)]
    whole = dict.fromkeys(NAMES[::2], "all")
    quotas = {"by": "place", "rows": {**whole, **dict.fromkeys(NAMES[1::2], 3)}, "others": 2}
    found = Counter(row[2] for row in kept({"by": ["id"], "quotas": quotas}, rows))
    assert found == {**dict.fromkeys(NAMES[::2], 10), **dict.fromkeys(NAMES[1::2], 3), None: 2}
    capped = Counter(row[2] for row in kept({"by": ["id"], "quotas": quotas, "max_rows": 110}, rows))
    assert all(capped[name] == 10 for name in NAMES[::2]), "those kept whole come first, whatever they are called"


# ---- uniform ---------------------------------------------------------------------------------------------------------


def test_each_seed_draws_another_sample_of_the_same_size() -> None:
    """Over 60 seeds: sizes as of a binomial, and each pair of seeds overlaps as two independent draws do."""
    rows = [(number, f"p{number}", None, None) for number in range(2_000)]
    spec = spec_of({"sample": {"fraction": 0.1, "by": ["who"]}})
    draws = []
    with connected(spec, {"t": rows}) as connection:
        for seed in range(60):
            one = spec_of({"sample": {"fraction": 0.1, "by": ["who"], "seed": seed}})
            draws.append({row[0] for row in drawn_in(connection, one, "id")})
    sizes = [len(one) for one in draws]
    assert sum(sizes) / len(sizes) == pytest.approx(200, abs=6)
    spread = math.sqrt(sum((size - 200) ** 2 for size in sizes) / len(sizes))
    assert spread == pytest.approx(math.sqrt(2_000 * 0.1 * 0.9), rel=0.25)
    together = [len(one & other) for place, one in enumerate(draws) for other in draws[:place]]
    assert sum(together) / len(together) == pytest.approx(20, abs=1)
    times = Counter(Counter(number for one in draws for number in one).values())
    wanted = [math.comb(60, n) * 0.1**n * 0.9 ** (60 - n) * 2_000 for n in range(61)]
    low, high = 2, 11
    found = [sum(times[n] for n in range(low + 1)) + (2_000 - times.total()), *(times[n] for n in range(low + 1, high)),
             sum(times[n] for n in range(high, 61))]  # fmt: skip
    assert chi_square(found, [sum(wanted[: low + 1]), *wanted[low + 1 : high], sum(wanted[high:])]) > 0.001


@pytest.mark.parametrize("key", ["number", "date", "letters", "padded"])
def test_the_draw_knows_nothing_of_the_column_that_it_hashes(key: str) -> None:
    """Keys that follow each other, by tenths of their order: each tenth gives its tenth of the sample."""
    spell = {
        "number": str, "date": lambda n: f"20{n // 372:02}-{n // 31 % 12 + 1:02}-{n % 31 + 1:02}",
        "letters": lambda n: chr(97 + n // 676 % 26) + chr(97 + n // 26 % 26) + chr(97 + n % 26),
        "padded": lambda n: f"{n:020}",
    }[key]  # fmt: skip
    rows = [(number, spell(number), None, None) for number in range(17_000)]
    numbers = [row[0] for row in kept({"fraction": 0.2, "by": ["who"]}, rows, seed=7)]
    found = [sum(place * 1_700 <= n < (place + 1) * 1_700 for n in numbers) for place in range(10)]
    assert chi_square(found, [sum(found) / 10] * 10) > 0.001
    assert len(numbers) == pytest.approx(3_400, abs=170)


def test_every_row_of_a_ranked_draw_has_the_same_chance() -> None:
    """Fifty seeds of a draw of a quarter: how often each of 200 rows comes out has the spread of fair draws."""
    rows = [(number, f"p{number // 4}", "ns"[number % 2], None) for number in range(200)]
    for sample in ({"max_rows": 50}, {"strata": {"by": ["place"], "rows": 25}}, {"per_entity": 1}):
        times: Counter[int] = Counter()
        spec = spec_of({"sample": {"by": ["id"], **sample}})
        with connected(spec, {"t": rows}) as connection:
            for seed in range(50):
                one = spec_of({"sample": {"by": ["id"], "seed": seed, **sample}})
                times.update(row[0] for row in drawn_in(connection, one, "id"))
        assert times.total() == 2_500
        value = sum((times[n] - 12.5) ** 2 for n in range(200)) / (50 * 0.25 * 0.75)
        assert 120 < value < 290, "a chi-square of 200 terms"


# ---- independent of the splits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("root", range(4))
def test_a_sample_and_the_splits_are_independent(root: int) -> None:
    """A tenth of the people, then 80/10/10 of them: each split gives its share of the sample, under any key."""
    people = [f"p{number}" for number in range(30_000)]
    drawn_ones = {row[1] for row in kept({"fraction": 0.1, "by": ["who"]},
                                         [(number, who, None, None) for number, who in enumerate(people)])}  # fmt: skip
    context = KeyContext(holder="h", purpose="p", recipient="r", epoch="1")
    key = derive_key(bytes([root]) * 32, context, usage="split", domain="drawn")
    places = thresholds(TokenKernel(key).tokens(pa.array(people)), [0.8, 0.1, 0.1]).tolist()
    inside = Counter(place for who, place in zip(people, places, strict=True) if who in drawn_ones)
    outside = Counter(place for who, place in zip(people, places, strict=True) if who not in drawn_ones)
    shares = (0.8, 0.1, 0.1)
    for side in (inside, outside):
        assert chi_square([side[n] for n in range(3)], [share * side.total() for share in shares]) > 0.001
    assert all(inside[place] for place in range(3))


# ---- the weights -----------------------------------------------------------------------------------------------------


def test_the_draw_counts_what_weighs_its_rows(tmp_path: Path) -> None:
    """Rows weighed by what the evidence says of them give back the population's own share."""
    rows = [(number, f"p{number}", None, number % 50 == 0 if number % 11 else None) for number in range(5_000)]
    names = ["id", "who", "place", "ill"]
    cells = [pa.array(list(cell), TYPES[kind]) for cell, kind in zip(zip(*rows, strict=True), KINDS, strict=True)]
    pq.write_table(pa.table(cells, names=names), tmp_path / "t.parquet")
    spec = spec_of({"sample": {"by": ["id"], "negatives": {"positive": "ill", "per_positive": 3.0}}},
                   sources={"t": {"path": "t.parquet", "columns": dict(zip(names, KINDS, strict=True))}})  # fmt: skip
    engine = open_engine("duckdb", scratch=tmp_path, threads=1)
    try:
        sample = extract(spec, engine=engine, paths={"t": where_of(("t.parquet",), source="t", folder=tmp_path)})
        drawn_rows = engine.rows("SELECT ill FROM sample")
    finally:
        engine.close()
    told = sample.facts()["drawing"]
    assert (told["population"], told["sample"]) == (5_000, len(drawn_rows))
    weights = {True: told["positive rows"] / told["positive rows drawn"],
               False: told["negative rows"] / told["negative rows drawn"]}  # fmt: skip
    share = sum(weights[ill] for (ill,) in drawn_rows if ill) / sum(weights[ill] for (ill,) in drawn_rows)
    known = [row[3] for row in rows if row[3] is not None]
    assert share == pytest.approx(sum(known) / len(known))
