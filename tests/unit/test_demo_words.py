"""The counters and byte matrices under the demonstration base, against plain Python."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.demo import _strings as strings
from curator.demo._lists import department_of, lists
from curator.demo._mixing import Streams, below, lookup

WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9), min_size=1)
MASK64 = (1 << 64) - 1


def splitmix64(seed: int, label: str, key: int) -> int:
    offset = int.from_bytes(hashlib.blake2b(f"{seed}/{label}".encode(), digest_size=8).digest(), "little")
    mixed = (key * 0x9E3779B97F4A7C15 + offset) & MASK64
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & MASK64
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & MASK64
    return mixed ^ (mixed >> 31)


@given(st.integers(), st.text(max_size=5), st.lists(st.integers(0, MASK64), min_size=1, max_size=20))
@settings(max_examples=60)
def test_a_draw_is_the_published_finaliser(seed: int, label: str, keys: list[int]) -> None:
    drawn = Streams(seed).draw(np.array(keys, dtype=np.uint64), label)
    assert drawn.tolist() == [splitmix64(seed, label, key) for key in keys]


@pytest.mark.parametrize("limit", [1, 2, 7, 999, 100_000_000])
def test_numbers_stay_below_their_limit_and_reach_it(limit: int) -> None:
    drawn = Streams(1).below(np.arange(200_000, dtype=np.uint64), "x", limit=limit)
    assert drawn.min() >= 0
    assert drawn.max() < limit
    assert limit > 999 or set(drawn.tolist()) == set(range(limit))


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=40).filter(lambda weights: sum(weights) > 1))
@settings(max_examples=60)
def test_a_lookup_table_holds_each_value_in_its_share(weights: list[float]) -> None:
    table = lookup(weights)
    shares = np.bincount(table, minlength=len(weights)) / len(table)
    assert len(table) == 1 << 14
    assert np.abs(shares - np.array(weights) / sum(weights)).max() <= 1.01 / (1 << 14)


def test_shares_are_thresholds() -> None:
    bits = np.array([0, 1 << 63, MASK64], dtype=np.uint64)
    assert below(bits, share=0.0).tolist() == [False, False, False]
    assert below(bits, share=0.5).tolist() == [True, False, False]
    assert below(bits, share=0.75).tolist() == [True, True, False]


@given(WORDS, st.data())
@settings(max_examples=80)
def test_matrices_say_what_python_says(words: list[str], data: st.DataObject) -> None:
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words))))
    nulls = np.array(data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words))))
    text = strings.join(
        [strings.matrix(words), "/", strings.only("é", mask), strings.choose(mask, "y", no=strings.matrix(words))]
    )
    made = strings.to_arrow(text, nulls=nulls)
    made.validate(full=True)
    assert made.to_pylist() == [
        None if null else f"{word}/{'é' if hit else ''}{'y' if hit else word}"
        for word, hit, null in zip(words, mask, nulls, strict=True)
    ]


def test_an_empty_row_is_an_empty_string() -> None:
    assert strings.to_arrow(strings.blank(strings.matrix(["a", "b"]).copy(), np.array([True, False]))).to_pylist() == [
        "",
        "b",
    ]


@given(st.lists(st.integers(0, 10**12 - 1), min_size=1, max_size=20))
@settings(max_examples=60)
def test_digits(numbers: list[int]) -> None:
    array = np.array(numbers, dtype=np.int64)
    assert strings.to_arrow(strings.digits(array, 12)).to_pylist() == [f"{number:012d}" for number in numbers]
    assert strings.to_arrow(strings.plain_number(array, 12)).to_pylist() == [str(number) for number in numbers]
    assert strings.to_arrow(strings.digits(array % 1000, 3)).to_pylist() == [
        f"{number % 1000:03d}" for number in numbers
    ]


@given(st.lists(st.text("abcxyzAZ09 -'éèêëàâîïôùûüçÉÈ÷", max_size=9), min_size=1, max_size=20), st.data())
@settings(max_examples=80)
def test_capitals_are_those_of_python(words: list[str], data: st.DataObject) -> None:
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words))))
    made = strings.to_arrow(strings.upper(strings.matrix(words).copy(), mask)).to_pylist()
    assert made == [word.upper() if hit else word for word, hit in zip(words, mask, strict=True)]


def test_every_name_of_the_lists_can_be_put_in_capitals() -> None:
    for names in (lists().surnames, lists().first_names, lists().streets):
        plain = names.column(np.arange(len(names.texts), dtype=np.int32)).dictionary_decode().to_pylist()
        made = strings.to_arrow(strings.upper(names.texts.copy(), np.ones(len(plain), dtype=bool))).to_pylist()
        assert made == [name.upper() for name in plain]


def test_vocabulary_entries_are_unique_and_found() -> None:
    names = strings.Vocabulary(["Zoé", "Anne"], [str, str.upper, lambda name: name])
    found = names.find(np.array([0, 0, 1, 1]), np.array([0, 1, 2, 1]))
    assert names.column(found).to_pylist() == ["Zoé", "ZOÉ", "Anne", "ANNE"]
    assert len(set(names.column(found).dictionary.to_pylist())) == 4
    assert names.entry("ZOÉ") == found[1]


@pytest.mark.parametrize(
    ("commune", "department"), [("75056", "75"), ("2A004", "2A"), ("2B033", "2B"), ("97411", "974"), ("01053", "01")]
)
def test_department_of_a_commune(commune: str, department: str) -> None:
    assert department_of(commune) == department
