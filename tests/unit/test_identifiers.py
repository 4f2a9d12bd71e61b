"""Canonical spellings: a table of behaviour, then laws that hold on any text, then a slow and simple reference."""

import itertools
import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curator.errors import SpecError, UsageError
from curator.identifiers import FORMS, PLACEHOLDERS, canonical

CODES = ["nir", "plate", "phone", "licence", "iban", "siret", "siren", "vin"]
NBSP, NARROW = "\u00a0", "\u202f"


def one(value: str | None, form: str) -> str | None:
    return canonical(pa.array([value], pa.string()), form).to_pylist()[0]


SPELLINGS = {
    "nir": {
        "2840576451089": [
            "2840576451089",
            "284057645108978",
            "2 84 05 76 451 089 78",
            "2.84.05.76.451.089",
            "2-84-05-76-451-089-78",
            f"2{NBSP}84{NARROW}05 76 451 089",
            "２８４０５７６４５１０８９",
            "٢٨٤٠٥٧٦٤٥١٠٨٩",
            "284057645108900",
            "\ufeff2840576451089\n",
        ],
        "123042A123456": ["1 23 04 2a 123 456", "123042A12345648", "123042a123456 48"],
        "123042B123456": ["1 23 04 2B 123 456 75"],
        "ABCDEFGHIJKLMNO": ["abcdefghijklmno"],  # 15 characters, but no key to drop
        "12345678901234": ["12345678901234"],
    },
    "plate": {
        "AB123CD": [
            "AB-123-CD",
            "ab-123-cd",
            "AB 123 CD",
            "ab123cd",
            f"AB{NBSP}123{NBSP}CD",
            "AB–123–CD",
            "ＡＢ-１２３-ＣＤ",
            "A.B.1/2'3(CD)",
        ],
        "1234AB75": ["1234 AB 75", "1234-ab-75"],
        "AB1?3CD": ["AB-1?3-CD"],  # an unknown sign stays: it must not become another plate
    },
    "phone": {
        "+33612345678": [
            "0612345678",
            "06 12 34 56 78",
            "06.12.34.56.78",
            "06-12-34-56-78",
            "+33612345678",
            "+33 6 12 34 56 78",
            "+33 (0)6 12 34 56 78",
            "0033 6 12 34 56 78",
            "00 33 (0) 612345678",
            "33612345678",
            "330612345678",
            f"06{NBSP}12{NARROW}34 56 78",
            "٠٦١٢٣٤٥٦٧٨",
            "(06) 12/34/56/78",
        ],
        "+262692123456": ["0692 12 34 56", "+262 692 12 34 56", "00262 692 123456", "+33 692 12 34 56"],
        "+590590123456": ["0590 12 34 56", "+590 590 12 34 56"],
        "+594694123456": ["0694123456"],
        "+596696123456": ["0696123456", "+33 (0)696 123456"],
        "+442079460958": ["+44 20 7946 0958", "0044 20 7946 0958"],
        "+4915112345678": ["+49 151 12345678"],
        "17": ["17"],
        "3939": ["39 39"],
        "061234567": ["06 12 34 56 7"],
        "06123456789": ["06123456789"],
        "0612345678X": ["06 12 34 56 78 x"],
        "+330012345678": ["+33 00 12 34 56 78"],
        "003361234567890123456": ["003361234567890123456"],
    },
    "email": {
        "jean.dupont@example.fr": [
            "jean.dupont@example.fr",
            " Jean.Dupont@Example.FR ",
            f"{NBSP}jean.dupont@example.fr\t\n",
            "jean.dupont@example.fr\u200b",
        ],
        "hélène@example.fr": ["HÉLÈNE@example.fr", "he\u0301le\u0300ne@example.fr"],
        "a b@example.fr": ["A B@example.fr"],
    },
    "name": {
        "D ARTAGNAN": ["d'Artagnan", "D’ARTAGNAN", "d` artagnan", "D´Artagnan", "  D  ARTAGNAN "],
        "JEAN PAUL": [
            "Jean-Paul",
            "JEAN PAUL",
            "jean‑paul",
            f"Jean{NBSP}Paul",
            "Jean – Paul",
            "Jean\tPaul",
            "(Jean) Paul.",
        ],
        "ELOISE": ["Éloïse", "E\u0301loi\u0308se", "éloïse", "ELOÏSE"],
        "DE LA TOUR": ["de La Tour", "DE  LA-TOUR"],
        "OEDIPE AESOPE": ["Œdipe Æsope", "œdipe æsope"],
        "STRASSER": ["Straßer", "STRAẞER"],
        "OESTERGAARD": ["Østergaard"],
        "LUKASZ": ["Łukasz"],
        "NGUYEN": ["Nguyễn"],
        "ИВАН": ["Иван", "иван"],
        "JEAN 2": ["Jean ２", "Jean 😀 2"],
    },
    "surname": {
        "DELATOUR": ["de La Tour", "DE  LA-TOUR", "Delatour", "De\u2019La Tour"],
        "LEGALL": ["Le Gall", "LEGALL", "le-gall"],
        "DORMESSON": ["d\u2019Ormesson", "D'ORMESSON", "DORMESSON", "d ormesson"],
        "SAINTEXUPERY": ["Saint-Exupéry", "SAINT EXUPERY", "Saint-Exupe\u0301ry"],
        "GAULLE": ["Gaulle"],
        "DEGAULLE": ["de Gaulle"],
    },
    "weapon": {"0123456789": ["01 2345-6789"], "AB123456C": ["ab.123.456/c"]},
    "licence": {"13AA00002": ["13aa00002", "13 AA 00002"], "810475200111": ["8104.75.200111"]},
    "iban": {"FR7630006000011234567890189": ["FR76 3000 6000 0112 3456 7890 189", "fr7630006000011234567890189"]},
    "siret": {"73282932000074": ["732 829 320 00074"]},
    "siren": {"732829320": ["732 829 320", "732.829.320"]},
    "vin": {"VF1BB05CF12345678": ["vf1bb05cf12345678", "VF1-BB05CF-12345678"]},
    "date": {"1984-05-12": ["1984-05-12", " 1984-05-12\n", f"{NBSP}1984-05-12"], "12/05/1984": ["12/05/1984"]},
    "code": {"A-12 B": ["a-12 b", " A-12 B "], "É1": ["é1", "e\u03011"]},
    "raw": {" a\u0301-B ": [" a\u0301-B "], "N/A": ["N/A"], "X": ["X"], "0": ["0"], " ": [" "]},
}
TABLE = [
    (form, spelling, plain) for form in SPELLINGS for plain in SPELLINGS[form] for spelling in SPELLINGS[form][plain]
]


@pytest.mark.parametrize(("form", "spelling", "plain"), TABLE)
def test_spellings(form: str, spelling: str, plain: str) -> None:
    assert one(spelling, form) == plain


@pytest.mark.parametrize("form", FORMS)
def test_a_value_does_not_depend_on_its_neighbours(form: str) -> None:
    """All the spellings of the table in one column, with nulls between, and in a slice of it."""
    spellings = [None, *itertools.chain.from_iterable((spelling, None) for _, spelling, _ in TABLE)]
    alone = [one(spelling, form) for spelling in spellings]
    assert canonical(pa.array(spellings), form).to_pylist() == alone
    assert canonical(pa.array(spellings).slice(7, 90), form).to_pylist() == alone[7:97]


def test_every_form_is_in_the_table_and_documented() -> None:
    assert set(SPELLINGS) == set(FORMS)
    for name, form in FORMS.items():
        assert form.name == name
        assert form.title
        assert form.meaning
        assert form.source


UNKNOWN = [
    *PLACEHOLDERS,
    "",
    " ",
    "\t",
    NBSP,
    "\x00",
    "-",
    "--",
    "---",
    ".",
    "?",
    "???",
    "/",
    "_",
    "x",
    "X",
    "XXX",
    "0",
    "000",
    "0000000000000",
    "00000000000000000000000000000000000000",
    "n/a",
    "Inconnu",
    "inconnue",
    "Non renseigné",
    "néant",
    "\u200b",
    "Ne\u0301ant",
    "N / A",
    " NA ",
    "–",
    "…",
]


@pytest.mark.parametrize("form", sorted(set(FORMS) - {"raw", "date", "email", "code"}))
@pytest.mark.parametrize("value", UNKNOWN)
def test_unknown_people_never_become_one(form: str, value: str) -> None:
    assert one(value, form) is None or (value == "…" and form in CODES)


@pytest.mark.parametrize("form", ["email", "code", "date"])
@pytest.mark.parametrize("value", [value for value in UNKNOWN if value not in ("N / A", "–", "…")])
def test_unknown_in_forms_that_keep_inner_characters(form: str, value: str) -> None:
    assert one(value, form) is None


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("date", "0000-00-00"),
        ("date", "00/00/0000"),
        ("phone", "+00"),
        ("phone", "00 00 00 00 00"),
        ("phone", "9999999999"),
        ("nir", "9999999999999"),
        ("nir", "0 00 00 00 000 000 00"),
        ("siren", "999 999 999"),
        ("date", "XXXX-XX-XX"),
    ],
)
def test_fillers(form: str, value: str) -> None:
    assert one(value, form) is None


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("name", "NADIA"),
        ("name", "SANSON"),
        ("name", "NOEL"),
        ("name", "AUCUNIER"),
        ("name", "XAVIER"),
        ("name", "SO"),
        ("plate", "NC123ND"),
        ("plate", "XX123XX"),
        ("code", "NA1"),
        ("code", "99999"),
        ("code", "10"),
        ("code", "X0"),
        ("phone", "+33999999999"),
        ("vin", "XXX00000000000001"),
        ("email", "na@na.fr"),
        ("email", "x@x.fr"),
    ],
)
def test_what_only_resembles_a_placeholder_is_kept(form: str, value: str) -> None:
    assert one(value, form) == value


def test_raw_only_nulls_the_empty_text() -> None:
    assert canonical(pa.array(["", " ", "N/A", None, "\u0301"]), "raw").to_pylist() == [
        None,
        " ",
        "N/A",
        None,
        "\u0301",
    ]


# ---- laws ---------------------------------------------------------------------------------------------------------

HOSTILE = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from("aAzZ09 -.'/+()\t\n\x00\x1f\x7f\u00a0\u202f\u200b\u0301\u0345éÉßŒıİǅΐςΣ٣½①’–\u2028\ufeff😀"),
    ),
    max_size=24,
)
LIKELY = st.from_regex(r"(\+|00)?(33)?0?[0-9 .]{0,14}[ab2]{0,2}[0-9]{0,3}", fullmatch=True)
COLUMN = st.lists(st.none() | HOSTILE | LIKELY | st.sampled_from(UNKNOWN), max_size=12)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25, deadline=None)
@given(values=COLUMN)
def test_twice_is_once(form: str, values: list[str | None]) -> None:
    first = canonical(pa.array(values, pa.string()), form)
    first.validate(full=True)
    assert canonical(first, form).to_pylist() == first.to_pylist()


@pytest.mark.parametrize("form", sorted(set(FORMS) - {"raw"}))
@settings(max_examples=25, deadline=None)
@given(values=st.lists(HOSTILE, max_size=12))
def test_normal_forms_of_unicode_agree(form: str, values: list[str]) -> None:
    composed = pa.array([unicodedata.normalize("NFC", value) for value in values], pa.string())
    decomposed = pa.array([unicodedata.normalize("NFD", value) for value in values], pa.string())
    assert canonical(composed, form).to_pylist() == canonical(decomposed, form).to_pylist()


@pytest.mark.parametrize("form", CODES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_decoration_changes_nothing(form: str, data: st.DataObject) -> None:
    plain = data.draw(st.text("ABCDEFGHJKLMNPQRSTUVW0123456789", min_size=1, max_size=30))
    marks = st.text(" .-_/\t\u00a0\u202f\u2013\u2019\u200b\u0300'", max_size=3)
    decorated = "".join(data.draw(marks) + data.draw(st.sampled_from([mark, mark.lower()])) for mark in plain)
    assert one(decorated + data.draw(marks), form) == one(plain, form)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("ABCDEFGHIJKLM", min_size=2, max_size=8), min_size=1, max_size=4), st.data())
def test_decoration_of_names_changes_nothing(words: list[str], data: st.DataObject) -> None:
    between = st.text(" -'’.\u00a0\u2010", min_size=1, max_size=3)
    accents = st.sampled_from(["", "\u0301", "\u0308"])
    typed = [
        "".join(data.draw(st.sampled_from([mark, mark.lower()])) + data.draw(accents) for mark in word)
        for word in words
    ]
    decorated = "".join(data.draw(between) + word for word in typed)
    assert one(unicodedata.normalize("NFC", decorated), "name") == one(" ".join(words), "name")


@pytest.mark.parametrize("form", ["plate", "name", "email", "code"])
def test_every_character_of_unicode(form: str) -> None:
    """Twice is once for each character, and equal to the reference."""
    codes = itertools.chain(range(0x3200), range(0xF900, 0x10100), range(0x1D400, 0x1D800), range(0x1F000, 0x1F700))
    every = [f"k{chr(code)}k" for code in codes]
    first = canonical(pa.array(every), form)
    assert canonical(first, form).equals(first)
    assert first.to_pylist() == [reference(value, form) for value in every]


# ---- a reference that treats one value at a time --------------------------------------------------------------------

LETTERS = {"Œ": "OE", "Æ": "AE", "Ø": "OE", "ẞ": "SS", "Þ": "TH", "Ð": "D", "Đ": "D", "Ł": "L", "Ħ": "H", "Ŋ": "N"}
APOSTROPHES = "\u02b9\u02bb\u02bc\u02bd\u2018\u2019\u201a\u201b\u2032\u2035"
OVERSEAS = {
    "262": "262",
    "263": "262",
    "269": "262",
    "639": "262",
    "692": "262",
    "693": "262",
    "590": "590",
    "690": "590",
    "691": "590",
    "594": "594",
    "694": "594",
    "596": "596",
    "696": "596",
    "697": "596",
}


def plain_text(value: str, *, words: bool) -> str:
    out = ""
    upper = "".join(unicodedata.normalize("NFKD", mark).upper() if mark > "\x7f" else mark for mark in value)
    for mark in unicodedata.normalize("NFKD", upper):
        kind = unicodedata.category(mark)
        if mark in LETTERS:
            out += LETTERS[mark]
        elif mark in APOSTROPHES:
            out += "'"
        elif mark.isascii():
            out += mark.upper()
        elif mark.isspace():
            out += " "
        elif kind == "Pd" or mark == "\u2212":
            out += "-"
        elif mark == "\u2044":
            out += "/"
        elif kind == "Nd":
            out += str(unicodedata.decimal(mark))
        elif kind not in ("Mn", "Me", "Cf", "Cc"):
            out += " " if words and kind[0] in "PS" else mark
    return out


def trimmed(value: str, form: str) -> str:
    if not value.isascii():
        value = "".join(" " if mark.isspace() else mark for mark in value if unicodedata.category(mark) != "Cf")
        value = unicodedata.normalize("NFC", value)
        value = {"email": value.lower(), "code": value.upper(), "date": value}[form]
        value = unicodedata.normalize("NFC", value)
    value = re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", "", value)
    return {"email": value.lower(), "code": value.upper(), "date": value}[form].strip(" \t\n\v\f\r")


def e164(value: str) -> str:
    if not re.fullmatch(r"\+?[0-9]+", value):
        return value
    french = re.fullmatch(r"(?:\+33|0033|33)0?([1-9][0-9]{8})|0([1-9][0-9]{8})", value)
    if french:
        number = french[1] or french[2]
        return f"+{OVERSEAS.get(number[:3], '33')}{number}"
    return "+" + value[2:] if re.fullmatch(r"00[1-9][0-9]{6,14}", value) else value


def reference(value: str | None, form: str) -> str | None:
    if value is None or form == "raw":
        return value or None
    if form in ("email", "code", "date"):
        out = trimmed(value, form)
    elif form in ("name", "surname"):
        out = re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", "", plain_text(value, words=True)).translate(WORDS)
        out = re.sub(" +", " " if form == "name" else "", out).strip(" ")
    else:
        out = re.sub(r"[\x00- .\-_/\\,;:'\"`()\[\]|\x7f]", "", plain_text(value, words=False))
    if form == "nir" and re.fullmatch(r"[0-9]{6}[0-9AB][0-9]{8}", out):
        out = out[:13]
    if form == "phone":
        out = e164(out)
    return None if out == "" or is_placeholder(out, form) else out


WORDS = {code: " " for code in range(128) if not chr(code).isalnum()}


PLAIN = {word.translate(str.maketrans("ÉÀ", "EA")) for word in PLACEHOLDERS}
KNOWN = {re.sub(r"[ ./]+", blank, word).strip() for word in PLAIN for blank in ("", " ")} | PLAIN | set(PLACEHOLDERS)
NUMBERS = ("nir", "phone", "siren", "siret", "licence")
FILLER = re.compile(r"[!-/:-@\[-`{-~\s]+|[Xx]+|\+?0+", re.ASCII)
DATE_FILLER = re.compile(r"[0!-/:-@\[-`{-~\s]+|[Xx!-/:-@\[-`{-~\s]+", re.ASCII)


def is_placeholder(value: str, form: str) -> bool:
    if form in NUMBERS and re.fullmatch("9{5,}", value):
        return True
    return value.upper() in KNOWN or (DATE_FILLER if form == "date" else FILLER).fullmatch(value) is not None


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=35, deadline=None)
@given(values=COLUMN)
@example(values=["x" * 70_000, None, "é" * 300, "\x00", "😀" * 20, "0033" + "٣" * 9])
@example(values=[chr(code) for code in range(1, 0x180)])
@example(values=["00NA", "+NA", "000000000000012", "0" * 15, "0" * 40, "00" + "0" * 9 + "1"])
def test_equal_to_the_reference(form: str, values: list[str | None]) -> None:
    found = canonical(pa.array(values, pa.string()), form).to_pylist()
    assert found == [reference(value, form) for value in values]


@pytest.mark.parametrize("form", FORMS)
def test_a_value_of_one_megabyte(form: str) -> None:
    value = ("a-1é’" * 200_000)[: 1 << 20]
    assert canonical(pa.array([None, value, "b"]), form).to_pylist() == [
        reference(item, form) for item in (None, value, "b")
    ]


# ---- columns ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_types_of_text(kind: pa.DataType) -> None:
    found = canonical(pa.array(["ab-1", None, "é"], pa.string()).cast(kind), "plate")
    assert (found.type, found.to_pylist()) == (pa.string(), ["AB1", None, "E"])


def test_chunks_dictionaries_nulls_and_nothing() -> None:
    column = pa.array(["ab-1", None, "n/a", "ab 1"])
    expected = ["AB1", None, None, "AB1"]
    assert canonical(pa.chunked_array([column[:1], column[1:1], column[1:]]), "plate").to_pylist() == expected
    assert canonical(column.dictionary_encode(), "plate").to_pylist() == expected
    assert canonical(pa.nulls(2), "plate").to_pylist() == [None, None]
    for form in FORMS:
        for nothing in (pa.array([], pa.string()), pa.chunked_array([], pa.string()), pa.array(["a"]).slice(1)):
            assert canonical(nothing, form).to_pylist() == []


def test_the_input_is_not_changed() -> None:
    column = pa.array(["é-1", "a b", None])
    for form in FORMS:
        canonical(column, form)
    assert column.to_pylist() == ["é-1", "a b", None]


@pytest.mark.parametrize("column", [pa.array([1]), pa.array([b"a"]), pa.array([1.5])], ids=str)
def test_other_types_are_refused(column: pa.Array) -> None:
    with pytest.raises(UsageError, match="identifier-type"):
        canonical(column, "plate")


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(SpecError, match="identifier-form-unknown"):
        canonical(pa.array(["a"]), "passport")
