"""The `narrative` of an accident: short French incident text that names people, plates and telephones.

A text is a row of optional phrases around values; phrases come in several wordings, some misspelt or without accents,
and a share of the texts is in capitals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curator.demo._mixing import Mask, Numbers, Streams, Words
from curator.demo._people import Identity, lists, phone_spelling, phone_text, street_address, surname_spelling
from curator.demo._strings import Text, join, matrix, only, upper
from curator.demo._vehicles import make_names, plate_spelling, plate_text

_OPENINGS = matrix(
    ["Le conducteur ", "Selon les temoins, ", "Ce jour, ", "A notre arrivée, ", "Appel CORG. ", "Les faits : le nommé "]
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
        surname, plate, phone: what they name, as written there; nothing where they do not.
    """

    text: Text
    surname: Text
    plate: Text
    phone: Text


def narrate(streams: Streams, accidents: Words, *, who: Identity, make: Numbers, has_plate: Mask) -> Narratives:
    """The text of each accident.

    Args:
        streams: source of every draw.
        accidents: accident numbers.
        who: the first driver of each accident.
        make: position of the first vehicle's make.
        has_plate: whether the first vehicle bears a plate.
    """
    rows = len(accidents)
    capitals = streams.chance(accidents, "text capitals", share=0.15)
    named = streams.chance(accidents, "text names", share=0.75)
    plated = streams.chance(accidents, "text plate", share=0.55) & has_plate
    called = streams.chance(accidents, "text phone", share=0.25)
    placed = streams.chance(accidents, "text street", share=0.6)

    def phrase(label: str, choices: Text) -> Text:
        return np.take(choices, streams.below(accidents, f"text/{label}", limit=len(choices)), axis=0)

    names = lists()
    surname = names.surnames.bytes(names.surnames.find(who.surname, surname_spelling(streams, accidents, "text surname")))
    first = names.first_names.bytes(names.first_names.find(who.first))
    surname = upper(only(surname, named), capitals & named)
    plate = plate_text(streams, who.key, plate_spelling(streams, accidents, "text plate spelling"))
    plate = upper(only(plate, plated), capitals & plated)
    phone = only(phone_text(streams, who, phone_spelling(streams, accidents, "text phone spelling")), called)
    title = np.where((who.sex == 2)[:, None], *_same_width(phrase("title", _LADIES), phrase("title", _TITLES)))
    parts: list[Text | str] = [
        phrase("opening", _OPENINGS),
        only(title, named),
        surname,
        only(join([_spaces(rows), first]), named),
        only(phrase("call", _CALLS), called),
        phone,
        phrase("drives", _DRIVES),
        make_names().bytes(make_names().find(make)),
        only(phrase("plate", _PLATES), plated),
        plate,
        only(join([phrase("street", _STREETS), street_address(streams, accidents)]), placed),
        phrase("event", _EVENTS),
        phrase("ending", _ENDINGS),
    ]
    return Narratives(text=upper(join(parts), capitals), surname=surname, plate=plate, phone=phone)


def _spaces(rows: int) -> Text:
    return np.full((rows, 1), 32, dtype=np.uint8)


def _same_width(left: Text, right: Text) -> tuple[Text, Text]:
    width = max(left.shape[1], right.shape[1])
    return _widen(left, width), _widen(right, width)


def _widen(text: Text, width: int) -> Text:
    return np.pad(text, ((0, 0), (0, width - text.shape[1])))
