"""Verdicts: known good and bad identifiers, and every check digit against the plainest computation of it."""

import datetime
import re
from itertools import chain

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.errors import SpecError, UsageError
from curator.identifiers import FORMS, canonical, examined, nir_key, valid, vin_check
from curator.identifiers._column import from_arrow
from curator.identifiers._quick import accepted
from curator.identifiers._valid import _SHAPES


def verdict(value: str | None, form: str) -> bool | None:
    return valid(pa.array([value], pa.string()), form).to_pylist()[0]


GOOD = {
    "nir": [
        "2840576451089",
        "284057645108978",
        "2 84 05 76 451 089 78",
        "1 23 04 2a 123 456",
        "1840597451089",
        "7840576451089",
        "8840576451089",
        "3840576451089",
        "1842076451089",
        "1849976451089",
    ],
    "plate": [
        "AB-123-CD",
        "aa 001 aa",
        "WW-123-AB",
        "W-123-AB",
        "1234 AB 75",
        "1 A 2A",
        "123 ABC 971",
        "12 BCD 95",
        "SA-123-AS",
    ],
    "phone": [
        "0612345678",
        "+33 1 42 34 56 78",
        "+44 20 7946 0958",
        "+1 202 555 0143",
        "+352 621 123 456",
        "0692123456",
    ],
    "email": [
        "a@b.fr",
        "Jean.Dupont+x@sub.example.co.uk",
        "hélène@exemple.fr",
        "x@xn--bcher-kva.ch",
        "o'neil_1@a-b.fr",
    ],
    "name": ["Dupont", "d'Artagnan", "Иван", "李", "X Æ"],
    "surname": ["de La Tour", "d\u2019Ormesson", "Le Gall"],
    "weapon": ["0123456789", "AB-1234-C"],
    "licence": ["13AA00002", "810475200111"],
    "iban": [
        "FR76 3000 6000 0112 3456 7890 189",
        "GB82 WEST 1234 5698 7654 32",
        "DE89370400440532013000",
        "BE68539007547034",
    ],
    "siret": ["73282932000074", "35600000000048", "356 000 000 49837"],
    "siren": ["732829320", "356000000"],
    "vin": ["1M8GDM9AXKP042788", "11111111111111111", "VF1BB05CF12345678", "WVWZZZ1JZ3W386752"],
    "date": ["2024-02-29", "2000-02-29", "1984-12-31", "0001-01-01"],
    "code": ["anything"],
    "raw": ["anything", " "],
}
BAD = {
    "nir": [
        "284057645108979",
        "5840576451089",
        "9840576451089",
        "2841376451089",
        "2840076451089",
        "2840500451089",
        "2840576451000",
        "28405764510",
        "28405764510897",
        "284052C451089",
        "2A40576451089",
        "28405764510891234",
        "abc",
    ],
    "plate": [
        "IB-123-CD",
        "AO-123-CD",
        "AU-123-CD",
        "SS-123-AB",
        "AB-123-SS",
        "AB-000-CD",
        "AB-12-CD",
        "A-123-CD",
        "1234 AB 96",
        "0123 AB 75",
        "12345 AB 75",
        "1234 ABCD 75",
        "123 AB 977",
        "123 AB 2C",
        "ÀB-1?3-CD",
        "1234 AI 75",
    ],
    "phone": [
        "17",
        "06 12 34 56",
        "+33 06 12 34 56",
        "0612345678X",
        "+0123456789",
        "+1234567890123456",
        "+33 0 0 12345678",
    ],
    "email": [
        "a",
        "a@b",
        "@b.fr",
        "a@",
        "a@b..fr",
        ".a@b.fr",
        "a.@b.fr",
        "a b@c.fr",
        "a@b@c.fr",
        "a@-b.fr",
        "a@b-.fr",
        "a@b.f",
        "a" * 65 + "@b.fr",
        "a@" + "b." * 130 + "fr",
        "a@b.12",
    ],
    "name": ["Dupont 2", "42"],
    "surname": ["42", "Martin 2"],
    "weapon": ["12345", "ABCDEFG", "AB123", "0123456789012345678901"],
    "licence": ["13AA0000", "1234567890123", "AA1300002"],
    "iban": [
        "FR7630006000011234567890188",
        "FR76300060000112345678901",
        "GB82",
        "7630006000011234567890189",
        "FR76 3000?",
    ],
    "siret": ["73282932000075", "7328293200007", "35600000049838"],
    "siren": ["732829321", "73282932", "7328293200"],
    "vin": ["1M8GDM9A1KP042788", "IM8GDM9AXKP042788", "1M8GDM9AXKP04278", "LM8GDM9A1KP042788"],
    "date": [
        "2023-02-29",
        "1900-02-29",
        "2024-13-01",
        "2024-04-31",
        "2024-1-1",
        "01/02/2024",
        "0000-01-01",
        "2024-02-29T00:00",
    ],
}


@pytest.mark.parametrize(("form", "value"), [(form, value) for form in GOOD for value in GOOD[form]])
def test_well_made(form: str, value: str) -> None:
    assert verdict(value, form) is True


@pytest.mark.parametrize(("form", "value"), [(form, value) for form in BAD for value in BAD[form]])
def test_badly_made(form: str, value: str) -> None:
    assert verdict(value, form) is False


@pytest.mark.parametrize("form", FORMS)
def test_a_verdict_does_not_depend_on_its_neighbours(form: str) -> None:
    values = [None, "", "INCONNU", "\u200b", *chain(*GOOD.values()), *chain(*BAD.values()), None]
    column = pa.array(values)
    found = valid(column, form)
    found.validate(full=True)
    assert found.to_pylist() == [verdict(value, form) for value in values]
    assert valid(column.slice(5, 60), form).to_pylist() == found.to_pylist()[5:65]
    assert [one is None for one in found.to_pylist()] == [one is None for one in canonical(column, form).to_pylist()]
    chunks = pa.chunked_array([column[:3], column[3:3], column[3:]])
    assert valid(chunks, form).to_pylist() == found.to_pylist()
    assert valid(column.dictionary_encode(), form).to_pylist() == found.to_pylist()


def test_nulls_hide_nothing_and_nothing_is_nothing() -> None:
    for form in FORMS:
        assert valid(pa.nulls(2), form).to_pylist() == [None, None]
        assert valid(pa.array([], pa.string()), form).to_pylist() == []


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(SpecError, match="identifier-form-unknown"):
        valid(pa.array(["a"]), "passport")


# ---- check digits ---------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.from_regex(r"[12][0-9]{2}(0[1-9]|1[0-2])(0[1-9]|2A|2B|75)[0-9]{3}[1-9][0-9]{2}", fullmatch=True),
    st.integers(1, 97),
)
def test_only_one_key_holds(number: str, key: int) -> None:
    digits = int(number.replace("2A", "19").replace("2B", "18") if number[5:7] in ("2A", "2B") else number)
    assert nir_key(number) == f"{97 - digits % 97:02d}"
    assert verdict(f"{number}{key:02d}", "nir") is (f"{key:02d}" == nir_key(number))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.text("0123456789", min_size=9, max_size=9) | st.text("0123456789", min_size=14, max_size=14), max_size=20
    )
)
def test_luhn(values: list[str]) -> None:
    def holds(value: str) -> bool:
        doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(value))]
        return sum(sum(divmod(number, 10)) for number in doubled) % 10 == 0

    for form, length in (("siren", 9), ("siret", 14)):
        fit = [
            value for value in values if len(value) == length and not value.startswith("356000000") and value.strip("0")
        ]
        fit = [value for value in fit if value.strip("9")]
        assert valid(pa.array(fit, pa.string()), form).to_pylist() == [holds(value) for value in fit]


@settings(max_examples=40, deadline=None)
@given(st.from_regex(r"(FR|BE|ZZ)[0-9]{2}[0-9A-Z]{11,30}", fullmatch=True), st.integers(0, 97))
def test_iban(value: str, check: int) -> None:
    value = f"{value[:2]}{check:02d}{value[4:]}"
    number = int("".join(str(int(mark, 36)) for mark in value[4:] + value[:4]))
    length = {"FR": 27, "BE": 16}.get(value[:2], len(value))
    assert verdict(value, "iban") is (number % 97 == 1 and len(value) == length)


@settings(max_examples=40, deadline=None)
@given(st.text("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", min_size=16, max_size=16))
def test_vin(value: str) -> None:
    marked = "1" + value[1:8] + "0" + value[8:]
    values = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", "012345678912345678123457923456789", strict=True))
    values = {mark: int(number) for mark, number in values.items()}
    weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]
    expected = "0123456789X"[sum(values[mark] * weight for mark, weight in zip(marked, weights, strict=True)) % 11]
    assert vin_check(marked) == expected
    assert verdict(marked[:8] + expected + marked[9:], "vin") is True


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9999), st.integers(1, 12), st.integers(1, 31))
def test_dates(year: int, month: int, day: int) -> None:
    try:
        datetime.date(year, month, day)
        exists = True
    except ValueError:
        exists = False
    assert verdict(f"{year:04d}-{month:02d}-{day:02d}", "date") is exists


@pytest.mark.parametrize(
    "number", ["", "284057645108", "28405764510899", "284052C451089", "a840576451089", "٢840576451089"]
)
def test_the_key_of_nothing_is_refused(number: str) -> None:
    with pytest.raises(UsageError) as caught:
        nir_key(number)
    assert caught.value.code == "nir-shape"
    assert len(number) < 3 or number not in str(caught.value)


@pytest.mark.parametrize("number", ["", "1M8GDM9AXKP04278", "1M8GDM9AXKP04278O", "1m8gdm9axkp042788"])
def test_the_check_of_nothing_is_refused(number: str) -> None:
    with pytest.raises(UsageError, match="vin-shape"):
        vin_check(number)


@pytest.mark.parametrize("form", FORMS)
def test_examined_is_canonical_and_valid_at_once(form: str) -> None:
    values = pa.array([None, "", "INCONNU", *chain(*GOOD.values()), *chain(*BAD.values())])
    for column in (values, values.slice(4, 50), values.dictionary_encode(), pa.chunked_array([values[:9], values[9:]])):
        spellings, verdicts = examined(column, form)
        assert spellings.equals(canonical(column, form))
        assert verdicts.to_pylist() == valid(column, form).to_pylist()


SHAPED = st.sampled_from(["nir", "plate", "licence", "phone", "siren", "siret"])
NEAR = st.lists(
    st.none()
    | st.from_regex(r"[1-9][0-9]{2}(0[0-9]|1[0-9]|20)([0-9]{2}|2[AB])[0-9]{6,8}", fullmatch=True)
    | st.from_regex(r"[A-Z]{2}[0-9]{3}[A-Z]{2}|[0-9]{2}[A-Z]{2}[0-9]{5}|[0-9]{9,14}|\+33[0-9]{9}", fullmatch=True),
    min_size=1,
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(form=SHAPED, values=NEAR)
def test_what_is_accepted_at_once_has_the_whole_shape(form: str, values: list[str | None]) -> None:
    column = from_arrow(canonical(pa.array(values, pa.string()), form))
    quick = accepted(column, form)
    texts = [column.text(row) for row in range(len(values))]
    for text, fast in zip(texts, quick.tolist(), strict=True):
        whole = all(re.search(pattern, text) for pattern in _SHAPES[form])
        assert whole or not fast, "accepted without the shape"
