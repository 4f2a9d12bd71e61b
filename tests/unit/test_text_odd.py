# ruff: noqa: E501 (texts are written as tables, in many scripts)
"""Texts as they come: neighbours' plates and names, mail, HTML, RTF, scans, marks that turn or hide letters, hostile ones."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.text import Finder, Masker

FINDER, MASKER = Finder(), Masker()

MASKED = {
    # plates and telephones of the neighbours
    "belge 1-ABC-123, allemand B-MW 1234, espagnol 1234 BCD, anglais AB12 CDE": "belge PLAQUE_1, allemand PLAQUE_2, espagnol PLAQUE_3, anglais PLAQUE_4",
    "immatriculé en Espagne 5678-FGH, en Belgique 1-XYZ-987, en Italie AA 123 BB": "immatriculé en Espagne PLAQUE_1, en Belgique PLAQUE_2, en Italie PLAQUE_3",
    "au +32 475 12 34 56, +49 151 23456789, +34 612 345 678, 0044 7911 123456": "au TELEPHONE_1, TELEPHONE_2, TELEPHONE_3, TELEPHONE_4",
    # what agents, papers and machines bear
    "NIGEND 123456, RIO n° 1 234 567, matricule 987654": "NIGEND MATRICULE_1, RIO n° MATRICULE_2, matricule MATRICULE_3",
    "Passeport n° 09AB12345, CNI 880692310285, visa FRA123456": "Passeport n° PERMIS_1, CNI PERMIS_2, visa PERMIS_3",
    "DNI 12345678Z, n° allocataire 1234567, étudiant 21904567": "DNI NUMERO_1, n° allocataire NUMERO_2, étudiant NUMERO_3",
    "IMEI 490154203237518 puis IMEI : 35-209900-176148-1": "IMEI NUMERO_1 puis IMEI : NUMERO_2",
    "CB 4970 1012 3456 7893, 4970-1012-3456-7893": "CB NUMERO_1, NUMERO_1",
    "IP 2001:db8:85a3::8a2e:370:7334, fe80::1, 10.0.0.12": "IP IP_1, IP_2, IP_3",
    "MAC 00:1B:44:11:3A:B7, 001B.4411.3AB7": "MAC IP_1, IP_1",
    "IBAN BE68 5390 0754 7034, ES91 2100 0418 4502 0005 1332": "IBAN IBAN_1, IBAN_2",
    "bitcoin bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq": "bitcoin NUMERO_1",
    "Twitter @jean_durand75, insta : jeannot.du.33, snap: zozo_77, discord jeannot#1234": "Twitter COMPTE_1, insta : COMPTE_2, snap: COMPTE_3, discord COMPTE_4",
    "pseudo « Jeannot Lapin 33 »": "pseudo « COMPTE_1 »",
    # places and times
    "Position 48° 51' 24\" N, 2° 21' 07\" E au PR 12+300": "Position POSITION_1 au PR 12+300",
    "N 48°51.400 E 002°21.116": "POSITION_1",
    "à 14h35, vers 8 heures, à 08:15, à 23 h 59, 14:35:22": "à 14h35, vers 8 heures, à 08:15, à 23 h 59, 14:35:22",
    "le douze mars deux mille vingt à huit heures": "le DATE_1 à huit heures",
    "le premier janvier mille neuf cent quatre-vingt-dix-neuf": "le DATE_1",
    "le vingt septembre 2019 et le dix septembre": "le DATE_1 et le DATE_2",
    # names of foreign origin
    "Mohammed Ben Abdallah El Fassi est entendu": "PERSONNE_1 est entendu",
    "M. Wojciech Szczęsny et Mme Małgorzata Wiśniewska": "M. PERSONNE_1 et Mme PERSONNE_2",
    "Madame Trần Thị Thu Hà signe": "Madame PERSONNE_1 signe",
    "M. Mehmet Çağlar Öztürk et M. İbrahim Yılmaz": "M. PERSONNE_1 et M. PERSONNE_2",
    "Mme Conceição Gonçalves da Silva": "Mme PERSONNE_1",
    "Monsieur Abd al-Rahman ibn Khaldoun": "Monsieur PERSONNE_1",
    "M. Łukasz Żurawski": "M. PERSONNE_1",
    "M. محمد الفاسي habite ici": "M. PERSONNE_1 habite ici",
    "vu Иван Петров hier": "vu PERSONNE_1 hier",
    "M. Durant et M. Paul de la Tour": "M. PERSONNE_1 et M. PERSONNE_2",
    # other languages
    "Mr John Smith, born on 12 March 1985, lives at 12 Baker Street, London": "Mr PERSONNE_1, born on DATE_1, lives at ADRESSE_1",
    "Mrs. Jane O'Connor, March 12, 2020": "Mrs. PERSONNE_1, DATE_1",
    "Herr Hans Müller, geboren am 12. März 1985, wohnhaft Hauptstraße 12, 10115 Berlin": "Herr PERSONNE_1, geboren am DATE_1, wohnhaft ADRESSE_1",
    # wrappings
    "<p>Mme H&eacute;l&egrave;ne Qu&eacute;m&eacute;neur, 12&nbsp;rue des Lilas</p>": "<p>Mme PERSONNE_1, ADRESSE_1</p>",
    r"{\rtf1 Mme H\'e9l\'e8ne Qu\'e9m\'e9neur, t\'e9l 06 12 34 56 78}": r"{\rtf1 Mme PERSONNE_1, t\'e9l TELEPHONE_1}",
    "Mme H=C3=A9l=C3=A8ne Qu=C3=A9m=C3=A9neur et Mme Ren=E9e Qu=E9rard": "Mme PERSONNE_1 et Mme PERSONNE_2",
    r"Mme H\u00e9l\u00e8ne Qu\u00e9m\u00e9neur part": "Mme PERSONNE_1 part",
    'De : "Nguyen Van Hieu" <hieu.nguyen@example.com>': 'De : "PERSONNE_1" <COURRIEL_1>',
    "From: João da Silva <joao.silva@exemplo.pt>": "From: PERSONNE_1 <COURRIEL_1>",
    "Cordialement,\nBérengère Feuvrier\nDirectrice adjointe\nTél : 02 99 12 34 56": "Cordialement,\nPERSONNE_1\nDirectrice adjointe\nTél : TELEPHONE_1",
    # marks that turn, hide or stand between letters
    "M. Du\u202erand\u202c, M. D\u200bu\u200bp\u200bo\u200bn\u200bt, M. \u2066Lefèvre\u2069": "M. PERSONNE_1\u202c, M. PERSONNE_2, M. \u2066PERSONNE_3\u2069",
    "06😀12😀34 56 78 😀": "TELEPHONE_1 😀",
    "06·12·34·56·78": "TELEPHONE_1",
    "M. D U R A N D  J e a n , 0 6 1 2 3 4 5 6 7 8": "M. PERSONNE_1 , TELEPHONE_1",
    "MONSIEUR DURAND JEAN NE LE 12 MARS 1985 DEMEURANT 12 RUE DES LILAS 69003 LYON TEL 0612345678": "MONSIEUR PERSONNE_1 NE LE DATE_1 DEMEURANT ADRESSE_1 TEL TELEPHONE_1",
}  # fmt: skip


@pytest.mark.parametrize(("text", "masked"), MASKED.items())
def test_masked(text: str, masked: str) -> None:
    got = MASKER.texts([text])[0]
    assert got.replace("\u202c", "").replace("\u2069", "") == masked.replace("\u202c", "").replace("\u2069", "")


LEFT = (
    "Article L. 121-3 du code de la route, alinéa 2 : 130 km/h, 35 °C, 1 500 m, 12 %.",
    "tel=20 et a=E9 & b ; 3 < 4 ; \\u sans suite ; &inconnu; ; C:\\'temp",
    "Le compte peut-être clos, le compte rendu est joint.",
    "Le Ministre et le Préfet sont prévenus.",
)


@pytest.mark.parametrize("text", LEFT)
def test_left_alone(text: str) -> None:
    assert MASKER.texts([text]) == [text]


def test_what_stands_for_a_digit_is_not_swallowed() -> None:
    """An escape that is none must not take the first digits of a number."""
    assert MASKER.texts(["tel=0612345678 date=2012-03-04"]) == ["tel=TELEPHONE_1 date=DATE_1"]


PIECES = (
    "1", "12 ", "06 ", "a", "@", "a@", ".", ":", "-", "/", "FR76", "\n", " ", "Durand ", "rue ", "12 rue de la ", "M. ", "e\u0301", "|",
    "d'", "le ", "Janv ", "A B ", "Jean-", "12°", "&", "&eacute;", "\\'e9", "=E9", "=C3=A9", "<b>", "#1", "insta ", 'pseudo "', '"',
    "compte ", "Calle ", "B-MW 1", "N°", "48°", "é", "😀", "\u200b", "ا", "И", "Ã©", "de ", "de : ", "al-R", "AB-", "1a", "x1", "Street ",
    "du mois de ", "mille ", "vingt ", "né le ", "et ", "(", ";", "\t", "www.", "a.b", "::", "1.", "1,", "O", "l", "_", "Présents : ",
    "demeurant à ", "Signé ", "immatriculé ", "permis ", "numero ", "DURAND ", "J. ", "Le ", "SAINT-", "0x", "+33", "=\n", "ß", "½", "①",
)  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=4), st.sampled_from(("", "Jean DURAND ", "06 12 34 56 78 "))
)
def test_time_of_hostile_texts_grows_with_their_length(unit: list[str], head: str) -> None:
    """Forty thousand code points of any repeated pieces take some tenths of a second; a square would take a minute."""
    text = head + "".join(unit) * (40_000 // len("".join(unit)))
    start = time.process_time()
    spans = FINDER.find(text)
    assert time.process_time() - start < 10
    assert all(one.end <= other.start for one, other in pairwise(spans))


@pytest.mark.parametrize(
    "unit", [":de ", "DE DE : ", "de la ", "M. de la ", "A. DE ", "J.D. ", "Saint-", "Jean DURAND, ", "1.", "&amp"]
)
def test_words_that_lead_on_for_ever_cost_no_more(unit: str) -> None:
    start = time.process_time()
    FINDER.find(unit * (100_000 // len(unit)))
    assert time.process_time() - start < 15


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(alphabet=st.sampled_from("aàé\u0301\u200b\u202e&;#x=C3A9\\'u0e12 .-M\n😀ﬁœßİ½Ã©â€™\ufeff"), max_size=60))
def test_escapes_and_marks_never_shift_what_is_kept(text: str) -> None:
    spans = FINDER.find(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    [masked] = MASKER.texts([text])
    outside = [
        text[start:end]
        for start, end in zip(
            [0, *(span.end for span in spans)], [*(span.start for span in spans), len(text)], strict=True
        )
    ]
    assert all(part in masked for part in outside)
