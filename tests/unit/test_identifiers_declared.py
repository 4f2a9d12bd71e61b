"""Forms that a spec declares: one spelling for one identifier of any country, and only the well made pass."""

from __future__ import annotations

import json
import random
from typing import Any

import pyarrow as pa
import pytest
from capital_world import spec_value

from curator.errors import SpecError
from curator.identifiers import DeclaredForm, canonical, examined, valid
from curator.spec import parse_use_case
from curator.spec.model import IdentifierForm

CYRILLIC = "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
DNI = {"pattern": "([0-9]{8}|[XYZ][0-9]{7})[A-Z]", "width": 9,
       "checks": [{"weights": [10**place for place in range(7, -1, -1)], "modulo": 23, "symbols": DNI_LETTERS,
                   "letters": {"X": 0, "Y": 1, "Z": 2}}]}  # fmt: skip
CPF = {
    "pattern": "[0-9]{11}",
    "checks": [
        {"weights": list(range(10, 1, -1)), "modulo": 11, "symbols": "00987654321"},
        {"weights": list(range(11, 1, -1)), "modulo": 11, "symbols": "00987654321"},
    ],
}
NI = {"pattern": "[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]?", "significant": 8}
UK_PHONE = {"pattern": "[+][1-9][0-9]{6,14}", "calling_code": "44"}
ES_PHONE = {"pattern": "[+]34[6-9][0-9]{8}", "calling_code": "34", "trunk": ""}
RU_PLATE = {"pattern": "[ABEKMHOPCTYX][0-9]{3}[ABEKMHOPCTYX]{2}[0-9]{2,3}",
            "same": dict(zip(CYRILLIC, "ABEKMHOPCTYX", strict=True))}  # fmt: skip

SPELT = [
    (NI, ["ab 12 34 56 c", "AB-123456-D", "AB123456", "QQ123456C", "n/a", None],
     ["AB123456", "AB123456", "AB123456", "QQ123456C", None, None], [True, True, True, False, None, None]),
    (DNI, ["12345678Z", "12.345.678-z", "12345678A", "x1234567l", "1234567L", "77"],
     ["12345678Z", "12345678Z", "12345678A", "X1234567L", "01234567L", "77"], [True, True, False, True, True, False]),
    (CPF, ["529.982.247-25", "529.982.247-24", "529.982.247-15"],
     ["52998224725", "52998224724", "52998224715"], [True, False, False]),
    ({"pattern": "[1-9][0-9]{10}", "checks": ["mod-11-10"], "unknown": ["Unbekannt", "k. A."]},
     ["86 095 742 719", "86095742718", "unbekannt", "k.A."], ["86095742719", "86095742718", None, None],
     [True, False, None, None]),
    ({"pattern": "[0-9]{9}", "width": 9, "checks": [{"weights": [9, 8, 7, 6, 5, 4, 3, 2, -1], "modulo": 11}]},
     ["111222333", "11122233", "123456782"], ["111222333", "011122233", "123456782"], [True, False, True]),
    ({"pattern": "[0-9]{11}", "checks": [{"weights": [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1], "modulo": 10}]},
     ["44051401359", "44051401358"], ["44051401359", "44051401358"], [True, False]),
    ({"pattern": "[0-9]{9}", "checks": ["luhn"]}, ["046 454 286", "046454287"], ["046454286", "046454287"],
     [True, False]),
    ({"pattern": "[A-Z0-9]{20}", "checks": ["mod-97-10"]}, ["529900T8BM49AURSDO55", "529900T8BM49AURSDO56"],
     ["529900T8BM49AURSDO55", "529900T8BM49AURSDO56"], [True, False]),
    (UK_PHONE, ["020 7946 0958", "+44 (0)20 7946 0958", "0044 20 7946 0958", "442079460958", "+33 612345678", "999"],
     ["+442079460958"] * 4 + ["+33612345678", "999"], [True] * 5 + [False]),
    (ES_PHONE, ["600 11 22 33", "+34600112233", "0034600112233", "34600112233"], ["+34600112233"] * 4, [True] * 4),
    (RU_PLATE, ["\u0410123\u0412\u0421 77", "A123BC77", "\u0430123\u0432\u044177"], ["A123BC77"] * 3, [True] * 3),
    ({"spelling": "words"}, ["\u0391\u03b8\u03ae\u03bd\u03b1  \u0392", "de  la Tour"],
     ["\u0391\u0398\u0397\u039d\u0391 \u0392", "DE LA TOUR"], [True, True]),
    ({"spelling": "exact"}, [" a ", "", "NA"], [" a ", None, "NA"], [True, None, True]),
    ({"spelling": "lower"}, [" A\u0301B "], ["\u00e1b"], [True]),
]  # fmt: skip


def form(words: dict[str, Any]) -> DeclaredForm:
    return DeclaredForm(
        name="declared", words=IdentifierForm.model_validate_json(json.dumps({"title": "One.", **words}))
    )


@pytest.mark.parametrize(("words", "written", "spelt", "sound"), SPELT)
def test_one_spelling_and_one_verdict(
    words: dict[str, Any], written: list[str | None], spelt: list[str | None], sound: list[bool | None]
) -> None:
    column = pa.array(written, pa.string())
    values, verdict = examined(column, form(words))
    assert (values.to_pylist(), verdict.to_pylist()) == (spelt, sound)
    assert canonical(column, form(words)).equals(values)
    assert valid(column, form(words)).equals(verdict)
    assert canonical(values, form(words)).equals(values), "twice is as once"


def test_slices_dictionaries_chunks_and_nothing() -> None:
    column = pa.array(["x", "12345678Z", "1234567L", None])[1:]
    spelt = ["12345678Z", "01234567L", None]
    assert canonical(column, form(DNI)).to_pylist() == spelt
    assert canonical(column.dictionary_encode(), form(DNI)).to_pylist() == spelt
    assert examined(pa.chunked_array([column[:1], column[1:]]), form(DNI))[0].to_pylist() == spelt
    for nothing in (pa.nulls(2), pa.array([], pa.string())):
        assert canonical(nothing, form(DNI)).null_count == len(nothing)


def test_the_checks_agree_with_counting_by_hand() -> None:
    draw = random.Random(11)
    numbers = [draw.randrange(10**8) for _ in range(2000)]
    made = [f"{number:08d}{draw.choice(DNI_LETTERS)}" for number in numbers]
    truth = [text[8] == DNI_LETTERS[int(text[:8]) % 23] for text in made]
    assert valid(pa.array(made), form(DNI)).to_pylist() == truth


@pytest.mark.parametrize(
    ("forms", "told"),
    [
        ({"plate": {"title": "P."}}, "the name of a form that curator has"),
        ({"mine": {"title": "M."}}, "a form that no field names"),
        ({"mine": {"title": "M.", "width": 5}}, "`width` without `pattern`"),
        ({"mine": {"title": "M.", "significant": 5}}, "`significant` without `pattern`"),
        ({"mine": {"title": "M.", "pattern": "(?=a)b"}}, "a pattern outside the portable ones"),
        ({"mine": {"title": "M.", "pattern": "a", "calling_code": "44", "spelling": "words"}}, "of a telephone number"),
        ({"mine": {"title": "M.", "pattern": "[0-9]", "checks": [{"weights": [1], "modulo": 7, "symbols": "AB"}]}},
         "2 symbols for 7 rests"),
        ({"mine": {"title": "M.", "patern": "a"}}, "`patern`"),
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_meant_is_told_at_its_place(forms: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_use_case(json.dumps({**spec_value(), "forms": forms}))
    assert told in str(caught.value)
    assert "spec.yaml:" in str(caught.value)


def test_a_field_may_name_a_declared_form_and_no_other() -> None:
    value = spec_value()
    value["forms"] = {"mine": {"title": "M."}}
    value["fields"]["person"]["form"] = "mine"
    assert parse_use_case(json.dumps(value)).forms["mine"].title == "M."
    value["fields"]["person"]["form"] = "mein"
    with pytest.raises(SpecError, match="`mine`, or one declared in `forms`"):
        parse_use_case(json.dumps(value))
