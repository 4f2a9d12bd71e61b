"""Identifiers in another dress: what follows an identifier row by row is refused while both are at hand."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from capital_world import curate, empty_capital, spec_value
from mistakes.mistakes_world import rewritten, with_column
from mistakes.red import goes_red

from curator.attacks import disguised, enumerated
from curator.capital import _curation
from curator.errors import DisclosureError

PHONES = ["0" + phone[3:] for phone in enumerated("phone", 150)]
MAILS = [f"n{n}.durand@exemple.fr" for n in range(len(PHONES))]
BIRTHS = [date(1940, 1, 1) + timedelta(days=97 * n) for n in range(len(PHONES))]


def told(values: Sequence[Any], identifiers: Sequence[Any] = PHONES) -> tuple[str, ...]:
    return disguised({"note": values}, {"who": identifiers})


WAYS: dict[str, Callable[[str], Any]] = {
    "as it is": str,
    "reversed": lambda text: text[::-1],
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "percent signs": lambda text: quote(text, safe=""),
    "upper": str.upper,
    "spaced out": lambda text: " ".join(text),
    "inside a text": lambda text: f"see {text} about it",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_writing_of_an_identifier_is_told(way: str) -> None:
    assert told([WAYS[way](mail) for mail in MAILS], MAILS) == ("note is a writing of who",)


@pytest.mark.parametrize("make", [
    lambda text: int(text), lambda text: float(text), lambda text: int(text) / 1e9, lambda text: int(text[::-1]),
    lambda text: int(text) * 1000,
])  # fmt: skip
def test_a_number_of_its_digits_is_told(make: Callable[[str], float]) -> None:
    assert told([make(phone) for phone in PHONES]) == ("note is a writing of who",)


def test_a_number_or_a_day_moved_by_a_constant_is_told() -> None:
    assert told([int(phone) + 271_828 for phone in PHONES]) == ("note is who moved by a constant",)
    assert told([3 * int(phone) - 7 for phone in PHONES]) == ("note is who moved by a constant",)
    assert told([day + timedelta(days=1_000) for day in BIRTHS], BIRTHS) == ("note is who moved by a constant",)
    assert told([day.toordinal() - 700_000 for day in BIRTHS], BIRTHS) == ("note is who moved by a constant",)


def test_a_few_rows_are_enough_and_a_few_may_lie() -> None:
    values: list[Any] = ["calm"] * len(MAILS)
    values[3:6] = [mail[::-1] for mail in MAILS[3:6]]
    assert told(values, MAILS)
    moved: list[Any] = [int(phone) + 5 for phone in PHONES]
    moved[:3] = [1, 2, None]
    assert told([*moved[3:], *moved[:3]], [*PHONES[3:], *PHONES[:3]])


def test_what_has_nothing_to_do_with_it_is_left_alone() -> None:
    rng = np.random.default_rng(3)
    rows = len(PHONES)
    for values in (
        rng.random(rows).tolist(), rng.integers(0, 10**9, rows).tolist(), [PHONES[n] for n in rng.permutation(rows)],
        [date(2013, 1, 1) + timedelta(days=int(n)) for n in rng.integers(0, 365, rows)], [None] * rows,
        [True] * rows, [2024 - day.year for day in BIRTHS],
    ):  # fmt: skip
        assert told(values) == ()
        assert told(values, BIRTHS) == ()


def moved_birthday(folder: Path, base: Path) -> None:
    """A field called harmless that is everybody's birthday, a thousand days later."""

    def persons(table):  # type: ignore[no-untyped-def]
        days = [day + timedelta(days=1_000) if day else None for day in table.column("birth_date").to_pylist()]
        return with_column(table, "seen_on", days)

    spec = spec_value(disclosure={"k": 1})
    spec.pop("model")
    spec["sources"]["persons"]["columns"]["seen_on"] = "date"
    spec["fields"]["birth"] = {
        "from": "birth_date", "meaning": "Birthday.", "identifier": "direct", "protect": "drop"
    }  # fmt: skip
    spec["fields"]["seen_on"] = {"meaning": "Some day.", "identifier": "none", "because": "Nobody looked."}
    tables = rewritten(base, folder / "base", persons=persons)
    with pytest.raises(DisclosureError) as refused:
        curate(empty_capital(folder / "capital"), tables, spec=spec)
    assert refused.value.code == "plain-hash"
    assert "seen_on is birth_date moved by a constant" in refused.value.found


def test_it_is_refused_when_the_version_is_made(tmp_path: Path, demo_base: Path) -> None:
    moved_birthday(tmp_path, demo_base)


def test_it_goes_red_when_nobody_compares(tmp_path: Path, demo_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_curation, "refuse_disguises", lambda *arguments: None)
    goes_red(lambda: moved_birthday(tmp_path, demo_base))
