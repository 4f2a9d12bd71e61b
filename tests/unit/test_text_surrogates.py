# ruff: noqa: E501 (texts are written as tables)
"""Surrogates of a dataset: one for one person however it is written, two for two."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from curator.text import Masker
from curator.text._dates import day_of

KEYED = Masker(scope="dataset", key=bytes(range(32)))
COUNTED = Masker()
_SURROGATE = re.compile(r"(?:PERSONNE|TELEPHONE|PLAQUE|DATE|NIR|IBAN|COURRIEL|ADRESSE)_[0-9A-Z]+")

ONE = {
    "given name first or last": ("M. Jean DURAND a nié", "Entendu DURAND Jean ce jour", "Vu Jean Durand hier"),
    "case and accents": ("Mme Hélène QUÉMÉNEUR signe", "mme helene quemeneur signe", "MME HELENE QUEMENEUR SIGNE"),
    "decomposed accents": ("Mme Hélène QUÉMÉNEUR signe", "Mme He\u0301le\u0300ne QUE\u0301ME\u0301NEUR signe"),
    "a wrong decoding": ("Mme Hélène QUÉMÉNEUR signe", "Mme HÃ©lÃ¨ne QUÃ‰MÃ‰NEUR signe"),
    "entities of HTML": ("Mme Hélène Quéméneur signe", "Mme H&eacute;l&egrave;ne Qu&eacute;m&eacute;neur signe"),
    "hyphens": ("M. Jean-Marie DURAND part", "M. Jean Marie DURAND part", "M. DURAND Jean\u2011Marie part"),
    "the article": ("M. Jean LE GALL part", "M. Jean Legall part", "M. LE GALL Jean part"),
    "apostrophes": ("Mme Awa N'DIAYE part", "Mme Awa NDIAYE part", "Mme Awa N\u2019Diaye part"),
    "letters set apart": ("M. Jean DURAND part", "M. D U R A N D Jean part"),
    "particles": ("M. Paul de La Tour part", "M. Paul DE LA TOUR part", "M. Paul de la Tour part"),
    "telephones": ("au 06 12 34 56 78.", "au +33612345678.", "au 06.12.34.56.78.", "au 0033 6 12 34 56 78."),
    "plates": ("vl AB-123-CD.", "vl AB 123 CD.", "vl ab123cd."),
    "dates": ("le 12/03/1985.", "le 12 mars 1985.", "le 12.03.1985.", "le 1985-03-12.", "le mardi 12 mars 1985."),
    "addresses": ("au 12 rue des Lilas, 69003 Lyon.", "au 12, RUE DES LILAS 69003 LYON."),
    "e-mail": ("à jean.durand@free.fr.", "à Jean.Durand@FREE.FR.", "à jean.durand @ free.fr."),
    "NIR": ("NIR 1 85 03 75 116 001 85.", "NIR 185037511600185."),
}  # fmt: skip
TWO = (
    ("M. Jean DURAND part", "M. Jean DURANT part"),
    ("M. Jean DURAND part", "Mme Marie DURAND part"),
    ("M. Jean DURAND part", "M. Jean-Paul DURAND part"),
    ("M. Jean DURAND part", "M. Jean DUPOND part"),
    ("M. Li WANG part", "M. Lin WANG part"),
    ("au 06 12 34 56 78.", "au 06 12 34 56 79."),
    ("vl AB-123-CD.", "vl AB-123-CE."),
    ("le 12/03/1985.", "le 03/12/1985."),
    ("M. Jean DURAND part", "au 06 12 34 56 78."),
)


def words(texts: tuple[str, ...], masker: Masker = KEYED) -> list[str]:
    masked = masker.column(pa.array(texts)).to_pylist()
    found = [_SURROGATE.findall(text) for text in masked]
    assert all(len(one) == 1 for one in found), masked
    return [one[0] for one in found]


@pytest.mark.parametrize("case", ONE)
def test_one_has_one_surrogate_in_every_text(case: str) -> None:
    assert len(set(words(ONE[case]))) == 1


@pytest.mark.parametrize("pair", TWO)
def test_two_have_two(pair: tuple[str, str]) -> None:
    assert len(set(words(pair))) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jean DURAND accuse. Durand insiste, J.D. signe.", "PERSONNE_1 accuse. PERSONNE_1 insiste, PERSONNE_1 signe."),
        ("Jean DURAND a vu Marie DURAND. Durand nie.", "PERSONNE_1 a vu PERSONNE_2. PERSONNE_3 nie."),
        ("Jean DURAND a vu Jean-Paul DURAND. Jean Durand nie.", "PERSONNE_1 a vu PERSONNE_2. PERSONNE_1 nie."),
        ("J. DURAND a vu P. DURAND.", "PERSONNE_1 a vu PERSONNE_2."),
        ("J. DURAND est venu. Durand nie.", "PERSONNE_1 est venu. PERSONNE_1 nie."),
        ("M. Durand a vu M. Durant.", "M. PERSONNE_1 a vu M. PERSONNE_2."),
        ("M. Jean QUÉMÉNEUR nie. Quémeneur part, Qéméneur aussi.", "M. PERSONNE_1 nie. PERSONNE_1 part, PERSONNE_1 aussi."),
        ("Jean DURAND, Julie DUPONT. J.D. signe.", "PERSONNE_1, PERSONNE_2. PERSONNE_3 signe."),
    ],
)  # fmt: skip
def test_within_a_text_a_shorter_mention_goes_to_the_only_one_it_can_mean(text: str, expected: str) -> None:
    assert COUNTED.texts([text]) == [expected]


def test_surrogates_do_not_depend_on_the_other_texts_or_their_order() -> None:
    texts = [text for case in ONE.values() for text in case] + [text for pair in TWO for text in pair]
    alone = [KEYED.texts([text])[0] for text in texts]
    assert KEYED.texts(texts) == alone
    assert KEYED.texts(texts[::-1])[::-1] == alone


def test_another_key_has_no_surrogate_in_common() -> None:
    texts = [text for case in ONE.values() for text in case]
    other = Masker(scope="dataset", key=bytes(32))
    ours, theirs = (
        {word for text in masker.texts(texts) for word in _SURROGATE.findall(text)} for masker in (KEYED, other)
    )
    assert ours
    assert not ours & theirs


def test_ten_thousand_people_have_ten_thousand_surrogates() -> None:
    letters = "BCDFGHKLMNPRSTVZ"
    names = [f"M. {a}o{b}a{c}i{d}U".title() for a in letters for b in letters for c in letters for d in letters[:3]]
    masked = KEYED.texts(names)
    assert len(set(masked)) == len(set(names)) == 12_288
    assert all(text.startswith("M. PERSONNE_") for text in masked)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("12/03/1985", "1985-03-12"), ("12 MARS 1985", "1985-03-12"), ("1er avril 2020", "2020-04-01"), ("1985-03-12", "1985-03-12"),
        ("31/02/2020", None), ("12/03/85", None), ("12 marss 1985", None), ("mars 1985", None), ("lundi 1er juin 2020", "2020-06-01"),
    ],
)  # fmt: skip
def test_a_day_is_read_whatever_way_it_is_written(text: str, day: str | None) -> None:
    assert day_of(text) == day
