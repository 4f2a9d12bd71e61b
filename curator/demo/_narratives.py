"""The `narrative` of an accident: short French incident text that names people, plates and telephones.

A text is a row of optional phrases around values; phrases come in several wordings, some misspelt or without accents,
and a share of the texts is in capitals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curator.demo._lists import lists
from curator.demo._mixing import Mask, Streams, Words
from curator.demo._papers import phone_spelling, phone_text, street_address, surname_spelling
from curator.demo._people import Identity
from curator.demo._strings import Text, join, matrix, only, upper
from curator.demo._vehicles import Fleet, make_names, plate_spelling, plate_text

_OPENINGS = matrix(
    ["", "Selon les temoins, ", "Ce jour, ", "A notre arrivée, ", "Appel CORG. ", "Les faits : le nommé "]
)
_TITLES = matrix(["M. ", "Mr ", "Monsieur ", "", "le sieur ", "MR "])
_LADIES = matrix(["Mme ", "Mme. ", "Madame ", "", "la nommée ", "MME "])
_DRIVES = matrix(
    [
        " circulait à bord du véhicule ",
        " circulais à bord de son vehicule ",
        " au volant d'un ",
        " roulait avec le véh. ",
        " conduisant un véhicule de marque ",
        " a perdu le controle du vehicule ",
    ]
)
_NOBODY = matrix(["l'interessé", "le conducteur", "une personne", "l'intéressée", "un individu", "le propriétaire"])
_PLATES = matrix([" immatriculé ", " immat. ", " imatriculé ", ", plaque ", " (", " immatricule "])
_STREETS = matrix([" devant le ", " à hauteur du ", " a hauteur du ", ", au ", " au niveau du ", " angle "])
_CALLS = matrix([", joint au ", ", tel. ", ", tél ", ", joignable au ", ", contact ", ", portable "])
_EVENTS = matrix(
    [
        ". Choc frontal avec un autre usager.",
        ". Le véhicule a quitté la chaussée.",
        ". Refus de priorité présumé.",
        ". Chaussée glissante, perte d'adhérance.",
        ". Pieton renversé hors passage protégé.",
        ". Vitesse exessive selon les témoins.",
        ". Dépistage alcool négatif.",
        ". Aucun témoin sur place.",
    ]
)
_ENDINGS = matrix(["", " VL enlevé.", " Pompiers sur place.", " Blessé évacué.", " PV en cours.", " Photos jointes."])


@dataclass(frozen=True, kw_only=True)
class Narratives:
    """The texts and the identifiers inside them, one row an accident.

    Attributes:
        text: the whole texts.
        absent: accidents without a text.
        named: what the texts name, as written there, by kind; an empty row where they do not.
    """

    text: Text
    absent: Mask
    named: dict[str, Text]


def narrate(streams: Streams, accidents: Words, *, who: Identity, fleet: Fleet) -> Narratives:
    """The text of each accident.

    Args:
        streams: source of every draw.
        accidents: accident numbers.
        who: the first driver of each accident.
        fleet: the first vehicle of each accident.
    """
    capitals = streams.chance(accidents, "text capitals", share=0.15)
    placed = streams.chance(accidents, "text street", share=0.6)
    named = _name(streams, accidents, who=who, fleet=fleet)
    for text in named.values():
        upper(text, capitals)
    phrase = _Phrases(streams, accidents)
    somebody = _filled(named["surname"])
    parts = [
        phrase.drawn("opening", _OPENINGS),
        only(phrase.drawn("title", _LADIES), somebody & (who.sex == 2)),
        only(phrase.drawn("title", _TITLES), somebody & (who.sex == 1)),
        only(phrase.drawn("nobody", _NOBODY), ~somebody),
        named["surname"],
        only(" ", somebody),
        named["first_names"],
        only(phrase.drawn("call", _CALLS), _filled(named["phone"])),
        named["phone"],
        phrase.drawn("drives", _DRIVES),
        make_names().bytes(make_names().find(fleet.make)),
        only(phrase.drawn("plate", _PLATES), _filled(named["plate"])),
        named["plate"],
        only(join([phrase.drawn("street", _STREETS), street_address(streams, accidents)]), placed),
        phrase.drawn("event", _EVENTS),
        phrase.drawn("ending", _ENDINGS),
    ]
    absent = streams.chance(accidents, "no text", share=0.06)
    return Narratives(text=upper(join(parts), capitals), absent=absent, named=named)


@dataclass(frozen=True)
class _Phrases:
    streams: Streams
    accidents: Words

    def drawn(self, label: str, choices: Text) -> Text:
        """One of the wordings on each row."""
        return np.take(choices, self.streams.below(self.accidents, f"text/{label}", limit=len(choices)), axis=0)


def _name(streams: Streams, accidents: Words, *, who: Identity, fleet: Fleet) -> dict[str, Text]:
    """The identifiers that each text gives away: three texts in four name somebody."""
    facts = lists()
    told = streams.chance(accidents, "text names", share=0.75)
    spelling = surname_spelling(streams, accidents, label="text surname")
    plate = plate_text(streams, fleet, spelling=plate_spelling(streams, accidents, label="text plate spelling"))
    phone = phone_text(streams, who, spelling=phone_spelling(streams, accidents, label="text phone spelling"))
    return {
        "surname": only(facts.surnames.bytes(facts.surnames.find(who.surname, spelling)), told),
        "first_names": only(facts.first_names.bytes(facts.first_names.find(who.first)), told),
        "plate": only(plate, streams.chance(accidents, "text plate", share=0.55) & fleet.plated),
        "phone": only(phone, streams.chance(accidents, "text phone", share=0.25)),
    }


def _filled(text: Text) -> Mask:
    return np.asarray(text.any(axis=1), dtype=bool)
