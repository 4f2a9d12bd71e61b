# ruff: noqa: E501 (documents are written as tables of pieces)
"""Hard French documents whose mentions are known: the set on which the masking of text is measured.

Nothing here comes from the recognisers: layouts, spellings and words are written from how reports, letters, tables, log
books and scans look, and names are held out. `HELD_OUT_*` are names that no list of `curator.text` holds (a test asserts
it); three names in four come from there, which is far harder than real texts, where most people bear a common name.
"""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from curator.text import Kind, Labelled, Span
from curator.text._lists import listed

HELD_OUT_FIRST = listed("""
Abigaëlle Achraf Aelys Ainhoa Alaric Aldric Aloysius Amaury Ancelin Anastasia Andréane Annick Apolline Arwen
Athénaïs Aubane Aude Aurèle Aziliz Baudouin Berthe Bertille Betty Bohdan Bogdan Brieuc Briac Calixte Cédrik
Clarisse Cléa Clélia Cosima Côme Cunégonde Cyriaque Diégo-Luis Domitille Donatien Dragan Ekaterina Elfriede
Elouan Emeric Erwann Eudes Evariste Ewen Fadela Fanch Fayçal Fleur Foulques Gaïa Georgette Gildas Gontran
Goulven Guerric Guénaëlle Gwenn Haïm Hedwige Heidi Hermine Hervé-Marie Hildegarde Houria Ignace Iban Ihsane
Ilyès Inaya Irénée Isaure Isidore Iwona Jacinthe Jehanne Jessim Joris Kahina Kalidou Katarzyna Kerstin Kheira
Kouadio Kristell Lenaïg Léandre Leopoldine Loreleï Ludmila Lukasz Maëlys Magdalena Maïwenn Maïlys Malvina Maylis
Mériadec Milos Moïra Mouloud Nadejda Nikolaï Noëllie Nolann Oanh Odalys Ondine Oriana Orlane Ottilie Palmyre
Parfait Pélagie Perceval Philippine Quitterie Radia Réjane Romaric Rozenn-Anne Ruben Salvatore Sékou Sigrid
Siham Souad Stéphanette Suzon Sylvana Tancrède Tanguy-Luc Thècle Thi-Lan Tugdual Ulysse Valentina Vérane Wanda
Wenceslas Wojciech Xuan Yamina Yannis Ysaline Yseult Zélie Zbigniew
""")  # fmt: skip
HELD_OUT_LAST = listed("""
Abaziou|Achouri|Aguirre-Etcheverry|Ahamada|Altmayer|Anquetin|Apesteguy|Arbogast|Arhancet|Arrighi|
Audouard|Aunillon|Bacquaert|Balavoine|Baldacchino|Banhegyi|Barbanchon|Bartkowiak|Beaugendre|Behaghel|
Belhomme|Benchetrit|Bergougnoux|Bessonneau|Bidegain|Bieuzen|Blaszczyk|Bloquaux|Bodénès|Boisgontier|
Bonaventure|Bouchikhi|Bouquillard|Bourhis|Boussemart|Bozonnet|Brzezinski|Cadoudal|Caltagirone|
Capdevielle|Casabianca|Castagnède|Cazaubon|Chastagner|Chouikha|Cieslak|Coëtmeur|Combescure|Coppolani|
Coquerelle|Courrèges|Cozannet|Czapla|Daguenet|Dambreville|Danjou|Darrigrand|Debaecker|Degroote|
Delpierre|Demaizière|Dengremont|Desmoulières|Dieudonné|Dieng|Djelloul|Doussineau|Drevillon|Duchaussoy|
Dusseaux|Duquesnoy|Ebersold|Eggenspieler|Elissalde|Erraïs|Escoffier|Etchegaray|Eymard|Fabiani|
Falkowski|Fauchereau|Ferracci|Feuvrier|Filiâtre|Fofana|Fouilloux|Freyssinet|Galvagni|Gandolfi|
Garandeau|Gauchotte|Gbagbo|Ghisoni|Gidrol|Gourvennec|Grandclément|Grzybowski|Guédon|Guilloteau|
Guyonvarch|Haberstroh|Haudiquet|Hennebelle|Hentgen|Heurtebise|Hirigoyen|Hocquard|Iglésias|Inchauspé|
Iratchet|Jaffrelot|Jagodzinski|Jankowiak|Jestin|Joncour|Kaczmarek|Karoui|Kerbrat|Kermarrec|Khoury|
Kirchhoffer|Klopfenstein|Kubiak|Labrousse|Lacaze-Duthiers|Laffargue|Landrevie|Larroque|Lavabre|
Le Cloirec|Le Guillouzic|Le Hénaff|Le Pennec|Lespinasse|Lestrade|Letourneur|Lhéritier|Loussouarn|
Magnonnaud|Mandelbaum|Manescau|Marcaggi|Maupertuis|Mbappou|Menguy|Mézerette|Michalowski|Mihoubi|
Monfroy|Morvézen|Mouhoubi|Naegelen|Ndongo|Nedjar|Niedbalski|Nouvian|Oberlin|Ogier|Olszewski|Orsoni|
Oudghiri|Pannetier|Paoletti|Pastoret|Penven|Pérouse|Peyrelongue|Pfirsch|Pietri|Plouzennec|Poignonec|
Pouliquen|Poussardin|Przybylski|Quillévéré|Quiniou|Rabearivelo|Rakotomalala|Randrianarisoa|Ravailler|
Rebuffat|Rivoallan|Rouquette|Rozanski|Sagnol|Sallaberry|Sanguinetti|Sauvanet|Scaglia|Schlumpf|
Schnaebele|Segalen|Sérusclat|Signoret|Sourisseau|Stefaniak|Stoeckel|Szymanski|Taillandier|Tamazount|
Tchoumi|Thévenoux|Tocqueville|Trochu|Tschirhart|Urruty|Vaissière|Valadier|Van Cauwenberghe|
Vandenbroucke|Vergnaud|Villedieu|Vuillermoz|Wadowski|Weisgerber|Wesolowski|Wurtz|Ximenes|Ybarnegaray|
Zaepffel|Zielinski|Zwickert|de Kerangal|de La Morinerie|d'Ussel|O'Mahony|N'Gotty|M'Bengue|El Moudni|
Ben Haddada|Aït Saada|Da Rocha|Dos Reis
""", "|")  # fmt: skip
_COMMON_FIRST = listed("""
Jean Marie Pierre Nathalie Mohamed Sylvie Julien Céline Thomas Camille Jean-Claude Anne-Sophie Éric Inès
""")
_COMMON_LAST = "Martin Bernard Petit Dubois Moreau Lefèvre Garcia Roux Diallo Nguyen Le Gall|Blanc|Rousseau|Lambert|Benoît".replace(" ", "|").replace("Le|Gall", "Le Gall").split("|")  # fmt: skip
_STREETS = listed(
    """
Jean Jaurès|de la Fontaine aux Loups|du 8 Mai 1945|des Frères Lumière|Aristide Briand|du Moulin à Vent|
des Tilleuls|de l'Abbé Grégoire|du Général Leclerc|Pasteur|de Kerbihan|des Trois Croix|Émile Zola|
de la Gare|Saint-Exupéry|du Docteur Calmette|d'Alsace|des Acacias|du Pont Neuf|Notre-Dame|de Verdun|
Marcel Pagnol|des Cordeliers|Hoche|de la Croix Rousse|Victor Schoelcher|du Maréchal Foch|de l'Église|
Beausoleil|des Quatre Vents|Sainte-Barbe|Lamartine
""",
    "|",
)
_WAYS = (
    "rue",
    "avenue",
    "boulevard",
    "bd",
    "av.",
    "impasse",
    "chemin",
    "allée",
    "place",
    "route",
    "quai",
    "cours",
    "Rue",
    "square",
)
_TOWNS = listed(
    """
Plougastel-Daoulas 29470|Saint-Jean-de-Védas 34430|Ribeauvillé 68150|Oloron-Sainte-Marie 64400|
Carhaix-Plouguer 29270|Bruay-la-Buissière 62700|Le Bouscat 33110|Craponne 69290|Aubusson 23200|
La Ferté-Bernard 72400|Crépy-en-Valois 60800|Ploërmel 56800|Lamballe 22400|Sarlat-la-Canéda 24200|
Hazebrouck 59190|L'Isle-Adam 95290|Corte 20250|Gannat 03800|Saint-Gilles-Croix-de-Vie 85800|
Wittenheim 68270|Bourgueil 37140|Lyon 69003|Rennes 35000|Marseille 13008
""",
    "|",
)
_MONTHS = listed("""
janvier février mars avril mai juin juillet août septembre octobre novembre décembre
""")
_SHORT_MONTHS = listed("""
janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.
""")
_MAKES = (
    "Renault Clio",
    "Peugeot 208",
    "fourgon Ducato",
    "Citroën C3",
    "scooter Yamaha",
    "Golf",
    "Dacia Sandero",
    "poids lourd Scania",
)
_DOMAINS = ("orange.fr", "free.fr", "gmail.com", "laposte.net", "wanadoo.fr", "exemple.org", "mairie-bourg.fr")

Piece = str | tuple[Kind, str]


class Writer:
    """Draws people, numbers and documents."""

    def __init__(
        self, seed: int, *, first: Sequence[str] = HELD_OUT_FIRST, last: Sequence[str] = HELD_OUT_LAST
    ) -> None:
        self.dice = random.Random(seed)
        self._first, self._last = first, last

    # ---- persons --------------------------------------------------------------------------------------------------

    def person(self) -> tuple[str, str]:
        pick = self.dice.choice
        first = pick(_COMMON_FIRST) if self.dice.random() < 0.25 else pick(self._first)
        return first, pick(_COMMON_LAST) if self.dice.random() < 0.25 else pick(self._last)

    def title(self) -> str:
        return self.dice.choice(
            (
                "M. ",
                "Mme ",
                "Monsieur ",
                "Madame ",
                "Mlle ",
                "Mr ",
                "le nommé ",
                "la nommée ",
                "le sieur ",
                "M.",
                "Mme. ",
            )
        )

    def full(self, person: tuple[str, str]) -> str:
        first, last = person
        forms = (
            f"{last.upper()} {first}",
            f"{first} {last.upper()}",
            f"{first} {last}",
            f"{last} {first}",
            f"{last.upper()} {first.upper()}",
            f"{last.upper()}, {first}",
        )
        return self.dice.choices(forms, (5, 4, 3, 1, 2, 1))[0]

    def initial(self, person: tuple[str, str]) -> list[Piece]:
        """J. Durand; an M. is read as a title by everybody, and tells nothing."""
        first, last = person
        last = last.upper() if self.dice.random() < 0.5 else last
        return ["M. ", (Kind.person, last)] if first[0] == "M" else [(Kind.person, f"{first[0]}. {last}")]

    def slipped(self, name: str) -> str:
        """A name with a slip of the pen."""
        if len(name) < 7 or not name.isalpha():
            return name
        place = self.dice.randrange(2, len(name) - 2)
        if self.dice.random() < 0.5:
            return name[:place] + name[place + 1] + name[place] + name[place + 2 :]
        return name[:place] + name[place + 1 :]

    # ---- numbers --------------------------------------------------------------------------------------------------

    def digits(self, count: int) -> str:
        return "".join(self.dice.choice("0123456789") for _ in range(count))

    def nir(self) -> str:
        place = self.dice.choice(("75116", "13055", "2A004", "2B033", "69123", "97411", "99352", "35238"))
        n13 = f"{self.dice.choice('12')}{self.dice.randrange(30, 100)}{self.dice.randrange(1, 13):02}{place}{self.dice.randrange(1, 999):03}"
        number = int(n13.replace("2A", "19").replace("2B", "18"))
        key = f"{97 - number % 97:02}"
        parts = [n13[0], n13[1:3], n13[3:5], n13[5:7], n13[7:10], n13[10:], key]
        style = self.dice.randrange(6)
        if style == 0:
            return n13 + key
        if style == 1:
            return n13 + " " + key
        if style == 2:
            return "-".join(parts)
        if style == 3:
            return ".".join(parts)
        if style == 4:
            return " ".join(n13[:7]) + " " + " ".join(n13[7:]) + " " + " ".join(key)
        return " ".join(parts)

    def phone(self) -> str:
        number = self.dice.choice("1234567679") + self.digits(8)
        pairs = [number[1:][place : place + 2] for place in range(0, 8, 2)]
        gap = self.dice.choice((" ", ".", "-", "", "/", "  "))
        head = self.dice.choice(("0", "0", "0", "+33", "+33 ", "0033", "+33 (0)", "O"))
        if head == "O" and gap == "":
            head = "0"
        if self.dice.random() < 0.1:
            return f"0{number[:3]} {number[3:6]} {number[6:]}"
        return head + number[0] + gap + gap.join(pairs)

    def plate(self) -> str:
        letters = "ABCDEFGHJKLMNPQRSTVWXYZ"
        pick = self.dice.choice
        if self.dice.random() < 0.3:
            gap = pick((" ", "", "-"))
            old = f"{self.dice.randrange(10, 9999)}{gap}{pick(letters)}{pick('BCDFGHJKLMNPQRSTVWXZ')}{gap}{pick(('75', '13', '35', '2A', '69', '974', '59'))}"
            return old if self.dice.random() < 0.9 else old.lower()
        first, last = pick("ABCDEFGHJK") + pick("BCDFGHJKLMNPQRTVWXYZ"), pick("BCDFGHJKLMNPQRTVWXYZ") + pick(letters)
        gap = pick(("-", "-", " ", "", ".", " - "))
        plate = f"{first}{gap}{self.dice.randrange(1, 999):03}{gap}{last}"
        return plate if self.dice.random() < 0.85 else plate.lower()

    def iban(self) -> str:
        body = self.digits(10) + self.digits(10) + self.dice.choice("0123456789ABX") + self.digits(2)
        rest = "".join(str(int(mark, 36)) for mark in body + "FR00")
        iban = f"FR{98 - int(rest) % 97:02}{body}"
        style = self.dice.randrange(4)
        if style == 0:
            return iban
        if style == 1:
            return iban.lower()
        groups = [iban[place : place + 4] for place in range(0, 27, 4)]
        return (" " if style == 2 else self.dice.choice(("  ", "-", " "))).join(groups)

    def email(self, person: tuple[str, str]) -> str:
        first, last = (_ascii(part).lower().replace(" ", "").replace("'", "") for part in person)
        local = self.dice.choice(
            (
                f"{first}.{last}",
                f"{first[0]}{last}",
                f"{last}.{first[0]}",
                f"{first}-{last}",
                f"{first}_{last}{self.digits(2)}",
                f"{first[0]}.{last}",
            )
        )
        domain = self.dice.choice(_DOMAINS)
        style = self.dice.random()
        if style < 0.08:
            return f"{local} @ {domain}"
        if style < 0.14:
            return f"{local}(at){domain}"
        if style < 0.2:
            return f"{local}@{domain}".upper()
        return f"{local}@{domain}"

    def date(self) -> str:
        day, month, year = self.dice.randrange(1, 29), self.dice.randrange(1, 13), self.dice.randrange(1930, 2026)
        name = _MONTHS[month - 1]
        first = "1er" if day == 1 else str(day)
        forms = (
            f"{day:02}/{month:02}/{year}", f"{day}/{month}/{year % 100:02}", f"{day:02}.{month:02}.{year}", f"{day:02}-{month:02}-{year}",
            f"{year}-{month:02}-{day:02}", f"{first} {name} {year}", f"{first} {name}", f"{day} {_SHORT_MONTHS[month - 1]} {year}",
            f"{first} {name.upper()} {year}", f"{day:02} {month:02} {year}", f"{first} {self._slip_month(name)} {year}",
            f"{self.dice.choice(('lundi', 'mardi', 'jeudi', 'dimanche'))} {first} {name} {year}", f"{day:02}/{month:02}/{year % 100:02}",
            f"{_in_letters(day)} {name} {year}", f"{day:02} / {month:02} / {year}",
        )  # fmt: skip
        return self.dice.choice(forms)

    def _slip_month(self, name: str) -> str:
        if len(name) < 6:
            return name
        place = self.dice.randrange(2, len(name) - 1)
        return name[:place] + name[place + 1 :]

    def address(self, *, town: bool | None = None) -> str:
        pick = self.dice.choice
        number = f"{self.dice.randrange(1, 240)}{pick(('', '', '', ' bis', ' ter', 'B', ' A'))}"
        street = f"{number}{pick((' ', ' ', ', '))}{pick(_WAYS)} {pick(_STREETS)}"
        name, code = pick(_TOWNS).rsplit(" ", 1)
        with_town = self.dice.random() < 0.6 if town is None else town
        extra = pick(("", "", "", ", appt 12", ", bât. C", " - Résidence Les Pins"[:0]))
        if not with_town:
            return street
        return f"{street}{extra}{pick((', ', ' ', ' - ', chr(10)))}{code} {pick((name, name.upper(), name))}"

    # ---- documents ------------------------------------------------------------------------------------------------

    def document(self) -> Labelled:
        """One document in one of the layouts, then perhaps shouted, stripped of accents, torn by a scanner."""
        layout = self.dice.choice(_LAYOUTS)
        return build(self._treated(layout(self), shout=layout not in (_form, _mail)))

    def _treated(self, pieces: list[Piece], *, shout: bool) -> list[Piece]:
        draw = self.dice.random()
        work: list[Callable[[str], str]] = []
        if shout and draw < 0.18:
            work.append(str.upper)
        elif shout and draw < 0.26:
            work.append(str.lower)
        draw = self.dice.random()
        if draw < 0.15:
            work.append(_ascii)
        elif draw < 0.25:
            work.append(lambda text: unicodedata.normalize("NFD", text))
        elif draw < 0.31:
            work.append(_mojibake)
        elif draw < 0.4:
            work.append(
                lambda text: (
                    text.replace("'", "\u2019").replace(" ", "\u00a0")
                    if len(text) < 14
                    else text.replace("'", "\u2019")
                )
            )
        for change in work:
            pieces = [change(piece) if isinstance(piece, str) else (piece[0], change(piece[1])) for piece in pieces]
        return pieces


def build(pieces: Sequence[Piece]) -> Labelled:
    """Put pieces end to end and note where the mentions stand."""
    parts: list[str] = []
    spans: list[Span] = []
    place = 0
    for piece in pieces:
        text = piece if isinstance(piece, str) else piece[1]
        if not isinstance(piece, str):
            spans.append(Span(place, place + len(text), piece[0]))
        parts.append(text)
        place += len(text)
    return Labelled(text="".join(parts), spans=tuple(spans))


def documents(
    count: int, *, seed: int = 2026, first: Sequence[str] = HELD_OUT_FIRST, last: Sequence[str] = HELD_OUT_LAST
) -> list[Labelled]:
    """So many documents; the same for the same seed."""
    writer = Writer(seed, first=first, last=last)
    return [writer.document() for _ in range(count)]


def write_labelled(path: Path, rows: Sequence[Labelled]) -> None:
    """The file that `curator text evaluate` reads."""
    with path.open("w", encoding="utf-8") as out:
        for row in rows:
            spans = [{"start": span.start, "end": span.end, "kind": span.kind.value} for span in row.spans]
            out.write(json.dumps({"text": row.text, "spans": spans}, ensure_ascii=False) + "\n")


def _ascii(text: str) -> str:
    plain = text.replace("œ", "oe").replace("Œ", "OE")
    return "".join(mark for mark in unicodedata.normalize("NFD", plain) if not unicodedata.combining(mark))


def _mojibake(text: str) -> str:
    try:
        return text.encode("utf-8").decode("cp1252")
    except UnicodeError:
        return text


def _in_letters(day: int) -> str:
    return listed("""
premier deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit
dix-neuf vingt vingt-et-un vingt-deux vingt-trois vingt-quatre vingt-cinq vingt-six vingt-sept vingt-huit
""")[day - 1]


P, A, D, T, E = Kind.person, Kind.address, Kind.date, Kind.phone, Kind.email


def _report(w: Writer) -> list[Piece]:
    one, two = w.person(), w.person()
    pick = w.dice.choice
    return [
        pick(("Le ", "Ce jour, ", "En date du ")), (D, w.date()), " à 14h35, ", pick(("la patrouille intervient au ", "intervention au ", "rendus au ")),
        (A, w.address()), pick((" pour un différend. ", " suite à un accident corporel. ", ", appel pour tapage. ")),
        "Sur place, ", w.title(), (P, w.full(one)), pick((" déclare que ", " nous explique que ", " relate que ")), w.title(), (P, w.full(two)),
        pick((" l'a percuté avec son véhicule ", " aurait quitté les lieux à bord d'un véhicule ", " circulait à vive allure en ")), pick(_MAKES),
        pick((" immatriculé ", " (", ", immat. ", " plaque ")), (Kind.plate, w.plate()), pick((". ", "), ")), "Contacté au ", (T, w.phone()), ", ",
        (P, w.slipped(one[1].upper())), pick((" confirme les faits.", " n'a pas souhaité déposer plainte.", " maintient sa version.")),
        pick(("", " Transport au CHU par les sapeurs-pompiers.", " Dépistage négatif.")),
    ]  # fmt: skip


def _statement(w: Writer) -> list[Piece]:
    one, two = w.person(), w.person()
    return [
        "PROCÈS-VERBAL D'AUDITION\nJe me nomme ", (P, w.full(one)), ", né(e) le ", (D, w.date()), " à ", w.dice.choice(_TOWNS).rsplit(" ", 1)[0],
        ". Je demeure ", (A, w.address(town=True)), ". Mon numéro de sécurité sociale est le ", (Kind.nir, w.nir()),
        ". Mon téléphone portable est le ", (T, w.phone()), ". Les faits se sont produits ", w.dice.choice(("le ", "dans la nuit du ", "aux alentours du ")),
        (D, w.date()), ". Mon voisin, ", w.title(), (P, w.full(two)), ", a tout vu. ", (P, w.dice.choice((f"{two[0][0]}.{two[1][0].upper()}.", two[0]))),
        " vous le confirmera.\nLecture faite, persiste et signe.\n", (P, w.full(one)),
    ]  # fmt: skip


def _letter(w: Writer) -> list[Piece]:
    one, two = w.person(), w.person()
    return [
        (P, w.full(one)), "\n", (A, w.address(town=True)), "\n", (E, w.email(one)), "\n\n", "Objet : réclamation du ", (D, w.date()), "\n\n",
        w.dice.choice(("Madame, Monsieur,", "Bonjour,", "Maître,")), "\n\nJe vous écris au sujet du sinistre déclaré par ", w.title(), (P, w.full(two)),
        ". Merci de verser l'indemnité sur le compte ", (Kind.iban, w.iban()), w.dice.choice((".", " (BNP).", ", à ce jour sans réponse.")),
        "\nVous pouvez me joindre au ", (T, w.phone()), ".\n\nVeuillez agréer mes salutations distinguées.\n\n", (P, w.full(one)), "\n",
    ]  # fmt: skip


def _table(w: Writer) -> list[Piece]:
    mark = w.dice.choice((" | ", ";", "\t", " ; "))
    heads = w.dice.choice(
        (
            ("Nom", "Prénom", "Tél", "Immat"),
            ("NOM", "PRENOM", "TELEPHONE", "VEHICULE"),
            ("Titulaire", "Prénoms", "Contact", "Plaque"),
        )
    )
    pieces: list[Piece] = ["Personnes présentes\n", mark.join(heads), "\n"]
    for _ in range(w.dice.randrange(2, 5)):
        first, last = w.person()
        pieces += [
            (P, w.dice.choice((last, last.upper()))), mark, (P, w.dice.choice((first, first.upper()))), mark, (T, w.phone()), mark, (Kind.plate, w.plate()), "\n",
        ]  # fmt: skip
    return pieces


def _sheet(w: Writer) -> list[Piece]:
    mark = w.dice.choice((" | ", "\t", ";"))
    pieces: list[Piece] = [mark.join(("N°", "Identité", "Né(e) le", "Adresse", "NIR")), "\n"]
    for rank in range(1, w.dice.randrange(3, 5)):
        address = w.address(town=True).replace("\n", ", ").replace(";", ",")
        pieces += [
            str(rank),
            mark,
            (P, w.full(w.person()).replace(",", "")),
            mark,
            (D, w.date()),
            mark,
            (A, address),
            mark,
            (Kind.nir, w.nir()),
            "\n",
        ]
    return pieces


def _form(w: Writer) -> list[Piece]:
    first, last = w.person()
    gap = w.dice.choice((" : ", ": ", " :  ", " = "))
    return [
        "FICHE DE RENSEIGNEMENTS\n", "Nom", gap, (P, w.dice.choice((last, last.upper()))), "\nPrénom(s)", gap, (P, first), "\nDate de naissance", gap, (D, w.date()),
        "\nN° SS", gap, (Kind.nir, w.nir()), "\nDomicile", gap, (A, w.address(town=True)), "\nTél.", gap, (T, w.phone()), "\nMail", gap, (E, w.email((first, last))),
        "\nRIB", gap, (Kind.iban, w.iban()), "\nImmatriculation", gap, (Kind.plate, w.plate()), "\n",
    ]  # fmt: skip


def _mail(w: Writer) -> list[Piece]:
    one, two = w.person(), w.person()
    return [
        "De : ", (P, f"{one[0]} {one[1]}"), " <", (E, w.email(one).replace(" ", "")), ">\nÀ : ", (E, w.email(two).replace(" ", "")), "\nEnvoyé : ", (D, w.date()),
        "\n\nBonjour ", (P, two[0]), ",\n\nLe véhicule ", (Kind.plate, w.plate()), " sera livré au ", (A, w.address()), w.dice.choice((" avant le ", " le ")), (D, w.date()),
        ". Appelle-moi au ", (T, w.phone()), " si besoin.\n\nBien à toi,\n", (P, one[0]), "\n", "--\n", (P, f"{one[0]} {one[1].upper()}"), "\n",
    ]  # fmt: skip


def _log(w: Writer) -> list[Piece]:
    pieces: list[Piece] = ["MAIN COURANTE\n"]
    for _ in range(w.dice.randrange(2, 5)):
        who = w.person()
        pieces += [
            f"{w.dice.randrange(24):02}h{w.dice.randrange(60):02} - ", w.dice.choice(("appel de ", "reçu ", "signalement par ", "RDV avec ")), w.title(), (P, w.full(who)),
            w.dice.choice((", tel ", " au ", " (", ", joignable au ")), (T, w.phone()), w.dice.choice((", vh ", ") ref vl ", ", véhicule ")), (Kind.plate, w.plate()),
            w.dice.choice((", ", " devant le ", " au ")), (A, w.address(town=False)), ".\n",
        ]  # fmt: skip
    return pieces


def _scan(w: Writer) -> list[Piece]:
    first, last = w.person()
    spaced = " ".join(last.upper().replace(" ", "").replace("'", "").replace("-", ""))
    return [
        "CERTIFICAT D'IMMATRICULATI0N\n", "Titulaire : ", (P, f"{spaced}"), "\n", "Né le ", (D, w.date()), "\n", "(A) ", (Kind.plate, w.plate().upper()),
        "\n", "Adresse ", (A, w.address(town=True)), "\nVersement par virement ", (Kind.iban, w.iban()), "\nLe conducteur ", (P, f"{first} {last.upper()}"),
        ", NIR ", (Kind.nir, w.nir()), ", a signé le ", (D, w.date()), "\n",
    ]  # fmt: skip


def _minutes(w: Writer) -> list[Piece]:
    one, two, three = w.person(), w.person(), w.person()
    return [
        "Compte rendu de la réunion du ", (D, w.date()), "\nPrésents : ", (P, f"{one[0]} {one[1]}"), ", ", (P, f"{two[0]} {two[1].upper()}"), ", ", (P, f"{three[1].upper()} {three[0]}"),
        ".\n", *w.initial(one), " rappelle le calendrier. ", (P, f"{two[1].upper()}"), " demande un report au ", (D, w.date()), ". ",
        (P, three[1]), " s'y oppose. Contact : ", (E, w.email(two)), ", ", (T, w.phone()), ".\n", "Rédacteur : ", *w.initial(three), "\n",
    ]  # fmt: skip


def _note(w: Writer) -> list[Piece]:
    who = w.person()
    return [
        w.dice.choice(("Vu ", "Entendu ", "Contrôlé ", "Interpellé ")), w.title(), (P, w.full(who)), w.dice.choice((" né le ", ", ddn ", " (né le ")), (D, w.date()),
        w.dice.choice((" demeurant ", ", domicilié ", ", adresse ")), (A, w.address()), w.dice.choice((" ; NIR ", ", n° sécu ", ", ")), (Kind.nir, w.nir()),
        w.dice.choice((". RIB : ", ". Compte ")), (Kind.iban, w.iban()), ". Mail ", (E, w.email(who)), w.dice.choice((" pour suite.", ".", " fin.")),
    ]  # fmt: skip


_LAYOUTS = (_report, _report, _statement, _letter, _table, _sheet, _form, _mail, _log, _scan, _minutes, _note)
