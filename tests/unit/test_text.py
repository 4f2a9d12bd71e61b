# ruff: noqa: E501 (spellings are written as tables)
"""Free text: what each recogniser knows and leaves alone, exact places, time that grows with the length alone."""

from __future__ import annotations

import pickle
import random
import time
import unicodedata
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_documents import HELD_OUT_FIRST, HELD_OUT_LAST, documents

from curator.errors import SpecError, UsageError
from curator.identifiers import valid
from curator.text import LABELS, Finder, Kind, Masker, Span, hidden, load_model, read_text, union
from curator.text._checks import iban_holds, luhn_holds, nir_holds, vin_holds
from curator.text._words import FIRST, LAST_PARTS

FINDER = Finder()

KNOWN = {
    Kind.nir: [
        "1 85 03 75 116 001 85", "185037511600185", "1.85.03.75.116.001.85", "2 54 11 2A 004 123 29", "1 8 5 0 3 7 5 1 1 6 0 0 1 8 5",
        "1 85 03 75 116 001 / 85", "1 85 O3 75 116 0O1 85",
    ],
    Kind.phone: [
        "06 12 34 56 78", "0612345678", "06.12.34.56.78", "06-12-34-56-78", "+33 6 12 34 56 78", "+33 (0)6 12 34 56 78", "0033612345678",
        "06  12  34  56  78", "O6 12 34 56 78", "0612 345 678", "+32 475 12 34 56", "02 62 12 34 56",
    ],
    Kind.plate: ["AB-123-CD", "AB 123 CE", "AB123CD", "ab-123-cd", "A B - 1 2 3 - C D", "1234 AB 75", "123-ABC-2A", "12 XY 974"],
    Kind.iban: ["FR7630006000011234567890189", "FR76 3000 6000 0112 3456 7890 189", "fr76 3000 6000 0112 3456 7890 189", "DE89 3704 0044 0532 0130 00"],
    Kind.email: [
        "jean.durand@orange.fr", "JDURAND@FREE.FR", "j-p_durand75@mail.exemple.gouv.fr", "jean.durand @ orange.fr", "jean(at)free.fr", "a.b@c.fr",
    ],
    Kind.date: [
        "12/03/1985", "12/3/85", "12.03.1985", "12-03-1985", "1985-03-12", "12 mars 1985", "1er mars 1985", "1 er mars 1985", "12 MARS 1985",
        "12 fevrier 1985", "12 févr. 1985", "12 fevier 1985", "douze mars 1985", "douze mars mil neuf cent quatre-vingt-cinq", "12 mars", "12-III-1985",
        "12 / 03 / 1985", "mardi 12 mars 1985", "12 03 1985", "mars 1985", "vingt-et-un juin 2001",
    ],
    Kind.address: [
        "12 rue des Lilas", "12 bis, avenue Jean Jaurès, 69003 Lyon", "3 bd de la République 35000 RENNES", "45 AVENUE DES CHAMPS ELYSEES 75008 PARIS",
        "8 impasse du Moulin à Vent - 29470 Plougastel-Daoulas", "5 ru des Acacias", "22 route de l'Église, bât. C, 59190 Hazebrouck CEDEX", "BP 1234",
        "12 rue du 8 Mai 1945", "75011 PARIS",
    ],
    Kind.siret: ["732 829 320 00074", "73282932000074"],
    Kind.siren: ["732 829 320"],
    Kind.vin: ["VF1AB123456789012", "1M8GDM9AXKP042788"],
    Kind.licence: ["12AB34567", "123456789012"],
    Kind.url: ["https://exemple.fr/a?b=c", "www.exemple.org/page", "mairie-bourg.fr"],
    Kind.ip: ["192.168.1.12", "2001:db8::8a2e:370:7334", "00:1B:44:11:3A:B7"],
    Kind.coordinates: ["48.8566, 2.3522", "48°51'24\"N 2°21'07\"E", "lat : 48.8566"],
    Kind.amount: ["1 234,56 €", "500 euros", "300 EUR", "12 k€", "€ 25"],
}  # fmt: skip
FRAMES = ("{}", "Voir {} .", "il y a ({}) et ensuite,", "Objet :\t{}\nSuite")

PERSONS = {
    "M. Durand est venu": "Durand",
    "le nommé KOWALCZYK Zbigniew circulait": "KOWALCZYK Zbigniew",
    "Mme Le Hénaff née Quillévéré": "Le Hénaff",
    "LE CONDUCTEUR JESSIM WADOWSKI A FREINE": "JESSIM WADOWSKI",
    "reçu mme durand ce matin avec son fils": "durand",
    "J. Przybylski confirme": "Przybylski",
    "j'ai vu Karim hier": "Karim",
    "Présents : Siham Karoui, Oanh Doussineau, Élodie Petit": "Oanh Doussineau",
    "Nom : de La Morinerie\nPrénom : Gontran": "Gontran",
    "Nom;Prénom\nTrzebinski;Ola\n": "Trzebinski",
    "Cordialement,\n\nBérengère Feuvrier": "Bérengère Feuvrier",
    "Monsieur BEHAGHEL, Tancrède a signé": "BEHAGHEL, Tancrède",
    "l'adjudant Ployart a rédigé": "Ployart",
    "B E H A G H E L Jean": "B E H A G H E L",
    "Mosieur Behaghel": "Behaghel",
    "Awa N'Diaye": "N'Diaye",
}
ECHOES = {
    "Durand a nié": "Durand", "J.D. a nié": "J.D.", "DURAND a nié": "DURAND", "Durnad a nié": "Durnad", "Dúrand a nié": "Dúrand",
    "Duran\u0302d": "Duran\u0302d", "j.durand75@free.fr": "j.durand75@free.fr", "D U R A N D a nié": "D U R A N D", "DU-\nRAND a nié": "DU-\nRAND",
    "chez les Durand-Petit": "Durand-Petit", "login jean_durand75": "jean_durand",
}  # fmt: skip
NOTHING = (
    "Le véhicule circulait sur la chaussée glissante vers 14h35, à 130 km/h.",
    "REFUS DE PRIORITE PRESUME. CHAUSSEE GLISSANTE, PERTE D'ADHERENCE.",
    "Article 12 du code de procédure pénale, alinéa 3.",
    "Trois personnes ont été entendues ; rien à signaler.",
    "Il a freiné sur 25 mètres, de 120 au point d'arrêt.",
)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in KNOWN.items() for text in texts])
def test_a_recogniser_knows_its_spellings(kind: Kind, text: str, frame: str) -> None:
    whole = frame.format(text)
    start = whole.index(text)
    found = [span for span in FINDER.find(whole) if span.kind is kind]
    assert any(span.start <= start and span.end >= start + len(text) for span in found), FINDER.find(whole)


@pytest.mark.parametrize(("text", "name"), PERSONS.items())
def test_persons_are_found_without_a_model(text: str, name: str) -> None:
    start = text.index(name)
    over = [span for span in FINDER.find(text) if span.start <= start and start + len(name) <= span.end]
    assert [span.kind for span in over] == [Kind.person]


@pytest.mark.parametrize(("echo", "name"), ECHOES.items())
def test_other_spellings_of_a_person_are_found(echo: str, name: str) -> None:
    text = f"Entendu M. Jean DURAND ce jour.\n{echo}\n"
    start = text.index(name, 32)
    assert hidden(text, Span(start, start + len(name), Kind.person), found=FINDER.find(text))


@pytest.mark.parametrize("text", NOTHING)
def test_plain_prose_is_left_alone(text: str) -> None:
    assert FINDER.find(text) == []


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKD"])
def test_places_are_those_of_the_text_as_given(form: str) -> None:
    text = unicodedata.normalize(form, "é\u00ad\u200bà Mme Hélène Quéméneur, été, 06\u00a012\u202f34 56 78 ; œuvre.")
    spans = FINDER.find(text)
    assert [span.kind for span in spans] == [Kind.person, Kind.phone]
    assert unicodedata.normalize("NFC", text[spans[0].start : spans[0].end]) == "Hélène Quéméneur"
    assert text[spans[1].start : spans[1].end].endswith("78")


def test_what_a_wrong_decoding_tore_apart_is_still_found() -> None:
    torn = "Mme Hélène Quéméneur, 3 allée des Frères Lumière".encode().decode("cp1252")
    assert [span.kind for span in FINDER.find(torn)] == [Kind.person, Kind.address]
    assert read_text("été\n".encode() + "été".encode("cp1252")) == "été\nété"


UNITS = (
    "1234567890", "1 ", "06 12 ", "a", "@", "a@", "A. ", "I", "a.", ":", "FR76", "\n", " ", "Durand ", "12 rue de la ", "M. ", "e\u0301", "|",
    "d'", "1/", "le ", "1 Janv ", "A B ", "Jean-", "12°",
)  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_with_the_length_alone(unit: str) -> None:
    text = unit * (150_000 // len(unit))
    start = time.process_time()
    spans = FINDER.find(text)
    assert time.process_time() - start < 20
    assert all(one.end <= other.start for one, other in pairwise(spans))


@pytest.mark.parametrize("unit", ["1234567890", "Entendu M. Jean DURAND, 06 12 34 56 78, ce jour.\n"])
def test_a_cell_of_a_megabyte_is_masked(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    start = time.process_time()
    [masked] = Masker().texts([text])
    assert time.process_time() - start < 90
    assert unit.strip() not in masked
    assert "DURAND" not in masked


def test_a_text_of_only_digits_is_a_number_whole() -> None:
    assert Masker().texts(["1234567890" * 5_000]) == ["NUMERO_1"]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_masked_without_fault_and_outside_its_spans_unchanged(text: str) -> None:
    spans = FINDER.find(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert union(spans) == spans
    [masked] = Masker().texts([text])
    for before, after in zip(
        [0, *(span.end for span in spans)], [*(span.start for span in spans), len(text)], strict=True
    ):
        if not any(label in text for label in LABELS.values()):
            assert text[before:after] in masked


def test_a_column_keeps_its_nulls_and_length() -> None:
    column = pa.array(["M. Durand", None, "", "M. Durand", "rien"])
    assert Masker().column(column).to_pylist() == ["M. PERSONNE_1", None, "", "M. PERSONNE_1", "rien"]
    assert Masker().column(pa.nulls(2, pa.string())).to_pylist() == [None, None]


def test_one_person_has_one_surrogate_within_a_document() -> None:
    text = "M. DURAND Jean et Mme Karoui. Durand nie, J.D. aussi ; Karoui confirme au 06 12 34 56 78 (+33612345678)."
    [masked] = Masker().texts([text])
    assert masked == (
        "M. PERSONNE_1 et Mme PERSONNE_2. PERSONNE_1 nie, PERSONNE_1 aussi ; PERSONNE_2 confirme au TELEPHONE_1 (TELEPHONE_1)."
    )


def test_two_who_share_a_family_name_stay_two() -> None:
    [masked] = Masker().texts(["Jean DURAND et Marie DURAND sont venus."])
    assert "PERSONNE_1 et PERSONNE_2" in masked


def test_surrogates_of_a_dataset_are_keyed() -> None:
    masker = Masker(scope="dataset", key=bytes(32))
    one, two = masker.texts(["M. Jean DURAND", "Vu DURAND Jean, AB-123-CD"])
    assert one.split()[1] == two.split()[1].rstrip(",")
    other = Masker(scope="dataset", key=bytes(range(32))).texts(["M. Jean DURAND"])[0]
    assert other != one
    with pytest.raises(SpecError, match="text-scope-key"):
        Masker(scope="dataset")


def test_a_surrogate_that_stood_there_before_is_not_believed() -> None:
    assert Masker().texts(["PERSONNE_1 a vu M. Durand"]) == ["[...] a vu M. PERSONNE_1"]


def test_kinds_that_are_not_asked_for_stay() -> None:
    masker = Masker(kinds=frozenset({Kind.phone}))
    assert masker.texts(["M. Durand, 06 12 34 56 78"]) == ["M. Durand, TELEPHONE_1"]


def test_a_masker_travels_without_its_model() -> None:
    masker = Masker(scope="dataset", key=bytes(32))
    assert masker.texts(["M. Durand"]) == pickle.loads(pickle.dumps(masker)).texts(["M. Durand"])
    assert "key" not in repr(masker)


def test_a_model_that_is_not_installed_says_what_to_install() -> None:
    with pytest.raises(UsageError, match=r"curator-capital\[text\]") as refused:
        load_model("fr_core_news_absent")
    assert refused.value.code == "text-model-missing"


@pytest.mark.parametrize("form", ["nir", "siren", "iban", "vin"])
def test_check_digits_agree_with_those_of_columns(form: str) -> None:
    dice = random.Random(3)
    shapes = {
        "nir": lambda: (
            f"{dice.choice('12')}{dice.randrange(100):02}{dice.randrange(1, 13):02}{dice.choice(('75', '2A', '2B', '13'))}116{dice.randrange(1, 999):03}{dice.randrange(100):02}"
        ),
        "siren": lambda: f"{dice.randrange(10**9):09}",
        "iban": lambda: f"FR{dice.randrange(100):02}{dice.randrange(10**23):023}",
        "vin": lambda: "1" + "".join(dice.choice("ABCDEFGH0123456789X") for _ in range(16)),
    }
    holds = {"nir": nir_holds, "siren": luhn_holds, "iban": iban_holds, "vin": vin_holds}
    values = [shapes[form]() for _ in range(3_000)]
    expected = [bool(verdict) for verdict in valid(pa.array(values), form).to_pylist()]
    assert [holds[form](value) for value in values] == expected
    assert any(expected)


def test_held_out_names_are_on_no_list() -> None:
    from curator.text._view import fold

    assert not {fold(name) for name in HELD_OUT_FIRST} & FIRST
    assert not {fold(name) for name in HELD_OUT_LAST} & LAST_PARTS


def test_the_names_of_the_demonstration_are_on_the_lists() -> None:
    from curator.demo._names import FEMALE_NAMES, MALE_NAMES, SURNAMES
    from curator.text._view import fold
    from curator.text._words import LAST

    first = {
        fold(entry.rsplit(" ", 1)[0].strip()) for entry in f"{MALE_NAMES},{FEMALE_NAMES}".replace("\n", "").split(",")
    }
    assert first <= FIRST
    assert {fold(name.strip()) for name in SURNAMES.replace("\n", "").split(",")} <= LAST


def test_spans_of_one_place_become_one() -> None:
    assert union([Span(0, 5, Kind.place), Span(3, 9, Kind.person), Span(9, 12, Kind.date)]) == [
        Span(0, 9, Kind.person), Span(9, 12, Kind.date),
    ]  # fmt: skip


def test_documents_are_the_same_for_the_same_seed() -> None:
    assert documents(5, seed=4) == documents(5, seed=4)
