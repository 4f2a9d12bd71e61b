"""Postal addresses: number, kind of way, its name, then flat, postcode and commune, as far as they go.

A way's name has no end of its own in French prose; it is read word by word: small words belong to it when a bigger one
follows, and after the first one only words with a capital (or, in lines without case, words that are not common ones).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from curator.text._dates import slips
from curator.text._kinds import Kind
from curator.text._lists import listed
from curator.text._spans import Span
from curator.text._words import COMMON, ENDS_WAY, TOWNS, is_common

_WAYS = listed("""
rue avenue boulevard place chemin impasse allee allees quai cours route square passage villa cite residence
lotissement hameau faubourg sentier sente montee esplanade promenade venelle ruelle traverse domaine quartier
parvis clos mail rocade galerie ruelle chaussee voie cour levee drive porte pont corniche rampe descente cote
carriere peristyle
""")
_SHORT_WAYS = listed("""
av ave bd bld blvd boul pl ch che chem imp all qu rte sq pass res lot fg fbg r qrt qua lieu-dit lieudit
rond-point
""")
_NEEDS_NUMBER = frozenset(listed("""
place cours passage cite cour voie porte pont cote carriere drive domaine quartier galerie mail clos villa rampe
descente levee traverse promenade pl ch all qu sq pass res lot r che chaussee residence route rte hameau av ave
rocade montee
"""))  # fmt: skip
_ESTATES = frozenset(listed("residence lotissement hlm hameau domaine villa foyer camping clos cite quartier ehpad"))
_NUMBER = (
    r"(?:(?:n|no|num|numero)\b ?[.o°]? ?)?\d{1,4}(?: ?(?:bis|ter|quater|[a-d])\b)?"
    r"(?: ?(?:/|-|et|a|,) ?\d{1,4}(?: ?(?:bis|ter|[a-d])\b)?)?"
)
_START = re.compile(
    rf"(?<![0-9A-Za-z])(?:(?P<number>{_NUMBER}) {{0,2}},? {{0,2}}(?:, ?)?)?"
    rf"(?P<way>[a-z][a-z\-]{{0,12}})(?![0-9A-Za-z'])\.?(?= {{1,2}}[0-9A-Za-z'])",
    re.I,
)
_PART = re.compile(r"([ \-]{1,2}|'|\. ?|, ?(?=\d{5})){0,2}([A-Za-z]+'|[A-Za-z]+|\d{1,4}(?:er|eme|e)?(?![0-9A-Za-z]))")
_SMALL = frozenset(
    listed("""
DE DU DES LA LE LES L' D' AU AUX A EN SUR SOUS ET LES LEZ SAINT SAINTE ST STE NOTRE CH
""")
)
_POSTCODE = re.compile(r"[ ,;\-\n(]{0,4}(?:F[ -]{1,2})?(\d{2} ?\d{3})(?![0-9])(?= {0,2}[ \-,]? {0,2}[A-Za-z(])")
_TOWN = re.compile(r"[ \-,(]{0,4}((?:[A-Za-z]+'?[ \-]?){1,6})")
_BEFORE_TOWN = re.compile(r" ?(?:, ?a\b|,|-|\ba\b|\(|\n) ?", re.I)
_TOWN_WORDS = re.compile(r"[A-Za-z]+'?")
_CEDEX = re.compile(r" {1,2}cedex(?: \d{1,2})?", re.I)
_POSTCODE_ALONE = re.compile(
    r"(?<![0-9A-Za-z])(?<!\d[ .])(?:F-)?((?:0[1-9]|[1-8]\d|9[0-58])(?: ?\d{3}|\d{3}))(?= {1,2}[A-Za-z]{2})"
)
_EXTRA = re.compile(
    r"[ ,;\-]{0,3}\b(?:(?:app|appt|appart|appartement|apt|bat|batiment|esc|escalier|porte|etage|entree|hall|villa|"
    r"lot|chez|bp|cs)\b\.? ?"
    r"(?:n ?°? ?)?(?:[0-9]{1,5}[A-Z]?|[A-Z])(?![0-9A-Za-z])|\d{1,2}(?:er|e|eme) etage)",
    re.I,
)
_BOX = re.compile(r"(?<![0-9A-Za-z])(?:B\.?P\.?|C\.?S\.?|TSA) ?(?:n ?°? ?)?\d{1,5}(?![0-9])")
# Ways of neighbouring countries: number first (12 Baker Street), last (Hauptstrasse 12, Via Roma 3) or both.
_ABROAD = re.compile(
    r"(?<![0-9A-Za-z])\d{1,4}[A-Za-z]?,? (?:[A-Z][A-Za-z']{1,20} ){1,3}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive|Square|Place|Crescent|Gardens|Terrace|Court|Close)\b\.?"
    r"|\b[A-Z][A-Za-z\u00df]{2,24}(?:stra(?:ss|\u00df)e|str\.|platz|gasse|allee|weg|laan|straat|plein|dreef)"
    r",? \d{1,4}[a-z]?(?![0-9A-Za-z])"
    r"|\b(?:Calle|C/|Avenida|Avda\.?|Plaza|Paseo|Via|Viale|Piazza|Corso|Rua|Travessa|Praca|Largo)"
    r"(?: (?:de|del|da|do|dos|la|las|los|di|della|d')){0,3}(?: [A-Z][A-Za-z']{1,20}){1,4}"
    r",?(?: n[.o°]{0,2})? \d{1,4}(?![0-9])"
)
_TOWN_ABROAD = re.compile(r",? {0,1}(?:[A-Z]{1,2}-)?\d{4,5} [A-Z][A-Za-z\-]{2,24}|, [A-Z][A-Za-z\-]{2,24}(?![A-Za-z])")
_LIVES = re.compile(
    r"\b(?:demeurant|domicilie\w{0,3}|habitant|habite|residant|reside|demeure|adresse)\b"
    r"(?: (?:au|a|en|est|actuellement))?(?: (?:la|le|les|l'))?(?: commune de| ville de)?[ :]{1,3}",
    re.I,
)
_AT = re.compile(
    r"\b(?:nee?s? a|ne\(e\) a|nee? le .{6,24}? a|commune de|ville de|mairie de|tribunal de|fait a|"
    r"demeurant a|habitant|domicilie\w{0,3} a|residant a) ",
    re.I,
)


def find_addresses(plain: str) -> Iterator[Span]:
    """Every postal address of a plain text, and the communes that a verb of living or birth announces."""
    for match in _START.finditer(plain):
        if _is_way(match["way"].lower(), numbered=match["number"] is not None) or _is_estate(plain, match):
            end = _name_end(plain, match.end())
            if end > match.end():
                yield Span(_with_extras_before(plain, match.start()), _tail(plain, end), Kind.address)
    for match in _ABROAD.finditer(plain):
        town = _TOWN_ABROAD.match(plain, match.end())
        yield Span(match.start(), town.end() if town else match.end(), Kind.address)
    for match in _POSTCODE_ALONE.finditer(plain):
        end = _town_end(plain, match.end())
        if end > match.end():
            yield Span(match.start(), end, Kind.address)
    for match in _BOX.finditer(plain):
        yield Span(match.start(), _tail(plain, match.end()), Kind.address)
    for pattern in (_LIVES, _AT):
        for match in pattern.finditer(plain):
            end = _town_end(plain, match.end())
            if end > match.end():
                yield Span(match.end(), end, Kind.place)


def _is_estate(plain: str, match: re.Match[str]) -> bool:
    """Whether a house or estate without number is named: a capital follows, or a verb of living stands before."""
    if match["way"].lower() not in _ESTATES:
        return False
    lives = _LIVES.search(plain, max(0, match.start() - 40), match.start())
    capital = plain[match.end() : match.end() + 3].lstrip(" ")[:1].isupper()
    return (capital and not _bare(plain, match.start())) or (lives is not None and lives.end() == match.start())


@cache
def _is_way(word: str, *, numbered: bool) -> bool:
    if word in _WAYS or word in _SHORT_WAYS:
        return numbered or word not in _NEEDS_NUMBER
    return numbered and word in _near_ways()


@cache
def _near_ways() -> frozenset[str]:
    near = frozenset().union(*(slips(way) for way in _WAYS if len(way) >= 5)) | {
        "ru",
        "rus",
        "reu",
        "rur",
        "rrue",
        "bvd",
        "bdv",
    }
    return frozenset(word for word in near if word.upper() not in COMMON)


def _name_end(plain: str, start: int) -> int:
    """Where the name of a way ends: the start when there is none."""
    place, end, words, before = start, start, 0, ""
    while words < 5 and (match := _PART.match(plain, place)):
        word, joined = match[2], match[1] in ("-", "'", "- ")
        upper = word.upper()
        if upper in _COURTESY or (match[1] and "." in match[1] and len(before) > 1 and before not in _SHORTENED):
            break
        before = upper
        if upper in _SMALL and words < 6:
            place = match.end()
            continue
        if not (words == 0 or joined or _goes_on(word, plain[place - 1 : place], bare=_bare(plain, start))):
            break
        if words == 0 and (upper in _NOT_A_WAY or (word.isdecimal() and len(word) > 2)):
            break
        words += 1
        place = end = match.end()
    return end


_SHORTENED = frozenset(listed("ST STE DR PR PDT MAL GAL GEN CDT COL LT CNE ABBE MGR FG GD GDE PT PTE NTRE"))
_COURTESY = frozenset(
    listed("""
M MM MR MME MMES MLLE MONSIEUR MADAME MADEMOISELLE
""")
)
_NOT_A_WAY = frozenset(
    listed("""
EST ETAIT A AVAIT ET OU QUI QUE LIEU CAUSE PUBLIQUE GLISSANTE MOUILLEE DEVANT APRES AVANT OPPOSEE LATERALE
""")
)


def _goes_on(word: str, before: str, *, bare: bool) -> bool:
    """Whether another word belongs to the name of a way."""
    upper = word.upper()
    if word.isdecimal():
        return len(word) <= 2 or (len(word) == 4 and before != ",")
    if word[0].isdecimal():
        return True
    if bare:
        return upper not in ENDS_WAY and not upper.endswith(("AIT", "AIENT", "EMENT"))
    return word[0].isupper() and upper not in _NOT_A_WAY and not (upper in COMMON and len(upper) < 3)


def _bare(plain: str, place: int) -> bool:
    """Whether the line has no use of case: all capitals, or hardly any."""
    start, end = (
        plain.rfind("\n", max(0, place - 120), place) + 1 or max(0, place - 60),
        plain.find("\n", place, place + 60),
    )
    line = plain[max(start, place - 60) : end if end > 0 else place + 60]
    capitals = sum(mark.isupper() for mark in line)
    letters = sum(mark.isalpha() for mark in line)
    return capitals > 0.7 * letters or capitals <= max(1, letters // 60)


def _tail(plain: str, end: int) -> int:
    """The end of an address after its way: flat, box, postcode and commune."""
    for _ in range(4):
        extra = _EXTRA.match(plain, end)
        if not extra:
            break
        end = extra.end()
    code = _POSTCODE.match(plain, end)
    if code:
        return max(code.end(), _town_end(plain, code.end()))
    town = _BEFORE_TOWN.match(plain, end)
    if town:
        reach = _known_town_end(plain, town.end())
        if reach > town.end():
            return reach
    return end


def _town_end(plain: str, start: int) -> int:
    """Where the name of a commune ends: the start when there is none."""
    known = _known_town_end(plain, start)
    if known > start:
        cedex = _CEDEX.match(plain, known)
        return cedex.end() if cedex else known
    match = _TOWN.match(plain, start)
    if match is None:
        return start
    bare, end = _bare(plain, start), start
    for word in _TOWN_WORDS.finditer(plain, match.start(1), match.end(1)):
        text = word[0].upper()
        joined = plain[word.start() - 1] in "-'" and end
        small = text in _SMALL or text in ("L'", "D'", "CEDEX")
        if joined or text == "CEDEX":
            end = word.end()
        elif not small and (text in COMMON or is_common(text) or not (word[0][0].isupper() or bare)):
            break
        elif not small:
            if end and not (bare or plain[word.start() - 1] == "-") and text in COMMON:
                break
            end = word.end()
    return end or start


def _known_town_end(plain: str, start: int) -> int:
    """Where a commune of the list ends, the longest one; the start when none stands there."""
    match = _TOWN.match(plain, start)
    if match is None:
        return start
    ends = [word.end() for word in _TOWN_WORDS.finditer(plain, match.start(1), match.end(1))]
    for end in reversed(ends):
        text = plain[match.start(1) : end].upper()
        if len(text) <= 32 and (text in TOWNS or text.replace(" ", "-") in TOWNS) and plain[match.start(1)] != " ":
            return end
    return start


def _with_extras_before(plain: str, start: int) -> int:
    """The start of an address with the flat or building written just before."""
    window = max(0, start - 60)
    last = start
    for match in _EXTRA.finditer(plain, window, start):
        if not plain[match.end() : start].strip(" ,;-"):
            last = match.start() + len(match[0]) - len(match[0].lstrip(" ,;-"))
    return last
