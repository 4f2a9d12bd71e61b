"""Numbers that name somebody: social security, telephone, bank account, register, licence, plate, chassis, agent.

Every pattern is bounded and begins where a number begins, so that time grows with the length of the text alone. Blanks,
dots and hyphens may stand anywhere inside (scanned pages), and O or l may stand for 0 or 1. A number that looks like
none of these but is long enough to name somebody is a `number`: nothing of the wrong shape passes.

Sources: the forms of `curator.identifiers` (NIR, plates, phones, IBAN, SIREN, VIN, licences).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from curator.text._checks import IBAN_LENGTHS, iban_holds, luhn_holds, nir_holds, siret_holds, vin_holds
from curator.text._kinds import Kind
from curator.text._lists import listed
from curator.text._spans import Span
from curator.text._zones import near_digits

_GAP = r"[ .\-_/]{0,2}"  # what may stand between two digits
_D = "[0-9OoIl]"
_AS_DIGITS = str.maketrans("OoIiLl", "001111")
_NOT_CODE = re.compile(r"[^0-9A-Z]")
_BEFORE = r"(?<![0-9A-Za-z])"
_NOT_BEFORE_DIGIT = r"(?<!\d)(?<!\d[.,/-])"

_NIR = re.compile(
    rf"(?<!\d)(?<!\d[.,/-])[1-478](?:{_GAP}{_D}){{4}}{_GAP}{_D}{_GAP}[0-9OolIABab](?:{_GAP}{_D}){{6}}"
    rf"(?P<key>[ .\-_/(|]{{0,3}}(?:cle ?:? ?)?{_D} ?{_D}(?![0-9]))?(?![0-9])",
    re.I,
)
_PHONE = re.compile(
    rf"(?<![0-9A-Za-z+])(?:(?:\+|00) ?3 ?3[ .\-]{{0,2}}(?:\( ?0 ?\)[ .\-]{{0,2}}"
    rf"|0(?=[ .\-]?[1-9]))?|\(0(?=[1-9]\))|[0Oo][ .\-]{{0,2}})"
    rf"[1-9Il]\)?(?:[ .\-/_]{{0,2}}{_D}){{8}}(?![0-9])"
)
_FOREIGN_PHONE = re.compile(r"(?<![0-9A-Za-z+])(?:\+|00) ?[1-9](?:[ .\-/()]{0,2}\d){6,13}(?!\d)")
_IBAN = re.compile(
    rf"{_BEFORE}({'|'.join(sorted(IBAN_LENGTHS))})[ .\-]{{0,2}}{_D}[ .\-]?{_D}(?=[ .\-]{{0,2}}[0-9A-Z])", re.I
)
_IBAN_REST = re.compile(r"(?:[ .\-]{0,2}[0-9A-Za-z]){8,30}")
_SIRET = re.compile(rf"{_NOT_BEFORE_DIGIT}\d(?:[ .\-]{{0,2}}\d){{13}}(?![0-9])")
_SIREN = re.compile(rf"{_NOT_BEFORE_DIGIT}\d(?:[ .]{{0,2}}\d){{8}}(?![0-9])")
_SIREN_WORD = re.compile(r"(?:siren|siret|rcs|kbis|tva)\b.{0,24}$", re.I | re.S)
_CARD = re.compile(rf"{_NOT_BEFORE_DIGIT}\d(?:[ \-]{{0,2}}\d){{15}}(?![0-9])")
_RIB = re.compile(r"(?<!\d)\d{5}[ .\-]?\d{5}[ .\-]?[0-9A-Z]{11}[ .\-]?\d{2}(?!\d)")

# ---- plates -----------------------------------------------------------------------------------------------------

_LETTER = "[A-HJ-NP-TV-Z]"
_SIV = re.compile(
    rf"{_BEFORE}({_LETTER} ?{_LETTER})([ .\-_]{{0,3}})({_D} ?{_D} ?{_D})([ .\-_]{{0,3}})({_LETTER} ?{_LETTER})"
    r"(?![0-9A-Za-z])",
    re.I,
)
_FNI = re.compile(
    r"(?<![0-9A-Za-z,.])([1-9]\d{0,3})([ .\-_]{0,3})([A-HJ-NP-Z]{1,3})([ .\-_]{0,3})"
    r"(0[1-9]|[1-8]\d|9[0-5]|97[1-6]|2[AB])(?![0-9A-Za-z]|[.,]\d)",
    re.I,
)
_PLATE_WORD = re.compile(
    r"(?:immat|imat|imm?\.|plaque|plq|vehicule|veh\b|voiture|vl\b|pl\b|moto|scooter)[^\n]{0,40}$", re.I
)
_ANY_PLATE = re.compile(
    r"\b(?:immatricul\w{0,3}|imatricul\w{0,3}|immat\.?|plaques?|plq\.?)(?![0-9A-Za-z])(?: d'immatriculation)?"
    r"(?: (?:n|no|numero)\b[ .o]{0,3})?(?: (?:en|au|aux) [A-Za-z\-]{3,20})?[ :=(]{0,4}"
    r"((?=[0-9A-Za-z -]{0,12}\d)[0-9A-Z]{1,8}(?:[ .\-_][0-9A-Z]{1,4}){0,3})(?![0-9A-Za-z])",
    re.I,
)
_FOREIGN_PLATE = re.compile(
    rf"{_BEFORE}(?:"
    r"\d-[A-Z]{3}-\d{3}"  # Belgium
    r"|[A-Z]{1,3}-[A-Z]{1,2}[ -]?\d{1,4}[EH]?"  # Germany
    r"|\d{4}[ -]?[BCDFGHJ-NPR-TV-Z]{3}"  # Spain
    r"|[A-HJ-PR-Y]{2}\d{2} ?[A-HJ-PR-Z]{3}"  # Great Britain
    r"|\d{2}-[A-Z]{2}-\d{2}|[A-Z]{2}-\d{2}-[A-Z]{2}"  # Portugal
    r"|[A-Z]{2}-\d{3}-[A-Z]|\d{1,2}-[A-Z]{3}-\d{1,2}"  # Netherlands
    r"|\d{1,5} ?- ?[A-Z] ?- ?\d{1,2}"  # Morocco
    r"|\d{1,3} TUN \d{1,4}"  # Tunisia
    r"|WW?-\d{3}-[A-Z]{2}"  # garages
    r"|(?:AG|AI|AR|BE|BL|BS|FR|GE|GL|GR|JU|LU|NE|NW|OW|SG|SH|SO|SZ|TG|TI|UR|VD|VS|ZG|ZH)[ -]\d{4,6}"  # Switzerland
    r")(?![0-9A-Za-z]|-[0-9A-Za-z])"
)
# Letters then figures, or figures then letters, as many countries have them: where a word announces plates.
_OTHER_PLATE = re.compile(
    rf"{_BEFORE}(?:[A-Z]{{1,3}} ?\d{{3,5}}[A-Z]{{0,3}}|[A-Z]{{1,2}} \d{{2,3}} [A-Z]{{3}})(?![0-9A-Za-z])"
)
# Words of two or three letters between numbers, which are no plate.
_WORDS = frozenset(
    listed("""
DE DU LE LA AU EN UN ET OU KM IL ON NE SE CE SA MA TA ME TE JE TU NI SI ES AS HT CM MM KG GR FR HS MN PK RD RN
RUE DES LES KMS BIS TER AVE EUR HRS MIN PAR SUR UNE ANS VL PL JRS RES APT BAT LOT BD CV CH AV SEC NUM EST A H F
M L
""")
)

_LETTERS_ALONE = re.compile("[A-Z]+")
_UNITS = frozenset(
    listed("""
KM CM MM KG GR HS MN M H
""")
)

_VIN = re.compile(r"(?<![0-9A-Za-z])(?=[A-HJ-NPR-Z]{0,16}\d)[0-9A-HJ-NPR-Z]{17}(?![0-9A-Za-z])", re.I)
_VIN_SPACED = re.compile(
    r"(?:\bvin|chassis|\bserie)\b[^0-9A-Za-z\n]{0,4}(?:(?:n|no|numero)\b[ .:]{0,3})?"
    r"((?:[0-9A-HJ-NPR-Z][ .\-]{0,1}){16}[0-9A-HJ-NPR-Z])(?![0-9A-Za-z])",
    re.I,
)

# ---- papers -----------------------------------------------------------------------------------------------------

_PAPER = re.compile(rf"{_BEFORE}\d{{2}} ?[A-Z]{{2}} ?\d{{5}}(?![0-9A-Za-z])")
_NAMED = {
    Kind.licence: re.compile(
        r"\b(?:permis|pc|licence|passeport|cni|carte (?:nationale )?d'identite|titre de sejour|visa|recepisse|sia|"
        r"arme|detention|autorisation|ppa|permis de chasser)\b[^0-9\n]{0,40}?"
        r"((?<![0-9A-Za-z])(?=[0-9A-Za-z \-/.]{0,12}\d)[0-9A-Z]{1,9}(?:[ \-/.][0-9A-Z]{2,6}){0,4})(?![0-9A-Za-z])",
        re.I,
    ),
    Kind.agent: re.compile(
        r"\b(?:matricule|mle|mat\.|nigend|rio|r\.i\.o|badge|carte professionnelle|identifiant|login|"
        r"numero d'agent|agent (?:n|no|num)\b)"
        r"(?: (?:d'|de l')?agent)?[ .:o=#]{0,4}(?:(?:n|no|numero)\b[ .:o°]{0,3})?"
        r"((?=[A-Z]{0,3}[ -]?\d)[A-Z]{0,3}[ -]?\d[0-9 .\-]{2,9}\d)",
        re.I,
    ),
    Kind.number: re.compile(
        r"\b(?:n|no|num|numero|dossier|pv|proces-verbal|reference|ref|contrat|police|client|compte|cb|carte|"
        r"allocataire|etudiant|fiscal|agdref|ecrou|adherent|patient|ipp|abonne|facture|mandat|procedure|imei|imsi|iccid|"
        r"dni|nie|niss|passport|licence number|digicode|code pin)"
        r"\b ?[.:o°#]{0,2} {0,2}(?:(?-i:[A-Z]{2,6}) )?"
        r"((?=[A-Z/\-]{0,5}\d)[0-9A-Z]{1,12}(?:[/\-.][0-9A-Z]{1,10}){0,4})(?![0-9A-Za-z])",
        re.I,
    ),
}  # fmt: skip
_CARD_CODE = re.compile(r"(?=[A-Z]*\d)[0-9A-Z]{9}")  # cards and permits since 2021
_TWELVE = re.compile(r"(?<![0-9])\d{2}[ .]?\d{2}[ .]?\d{2}[ .]?\d{6}(?![0-9])|(?<![0-9])\d{12}(?![0-9])")
_REPORT = re.compile(r"(?<![0-9/])\d{3,6}/\d{2,6}/\d{2,4}(?![0-9/])")
_LONG = re.compile(
    r"(?<![0-9A-Za-z])(?:(?=[A-Z]{0,4}\d)[A-Z]{0,4}\d(?:[ .\-/_]?\d){7,}+(?:-?[A-Z](?![0-9A-Za-z]))?"
    r"|[A-Z]{1,4}-?\d{6,7}+-?[A-Z]?(?![0-9A-Za-z]))",
    re.I,
)
_DIGIT = re.compile(r"\d")


def find_numbers(plain: str) -> Iterator[Span]:
    """Every number of a plain text."""
    return near_digits(plain, _numbers)


def _numbers(plain: str) -> Iterator[Span]:
    yield from _ibans(plain)
    yield from _nirs(plain)
    yield from _phones(plain)
    yield from find_plates(plain)
    yield from _registers(plain)
    yield from _papers(plain)


def code_of(text: str) -> str:
    """A number without what stands between its characters, in capitals."""
    return _NOT_CODE.sub("", text.upper())


def digits_of(text: str) -> str:
    """A number whose letters O, I and l are read as digits."""
    return re.sub(r"\D", "", text.translate(_AS_DIGITS))


def _mostly_digits(text: str, least: int) -> bool:
    return len(_DIGIT.findall(text)) >= least


def _nirs(plain: str) -> Iterator[Span]:
    for match in _NIR.finditer(plain):
        if not _mostly_digits(match[0], 10):
            continue
        start, end = match.span()
        code = re.sub(r"(?i)cle", "", match[0])
        code = code_of(code.translate(_AS_DIGITS))
        if nir_holds(code):
            yield Span(start, end, Kind.nir, certain=len(code) == 15)
        elif match["key"] and nir_holds(code[:13]):
            yield Span(start, end, Kind.nir)


def _phones(plain: str) -> Iterator[Span]:
    for pattern in (_PHONE, _FOREIGN_PHONE):
        for match in pattern.finditer(plain):
            if _mostly_digits(match[0], 7):
                yield Span(*match.span(), Kind.phone)


def _ibans(plain: str) -> Iterator[Span]:
    for match in _IBAN.finditer(plain):
        rest = _IBAN_REST.match(plain, match.end())
        if rest is None:
            continue
        wanted = IBAN_LENGTHS[match[1].upper()] - 4
        end = _after(plain, match.end(), count=wanted)
        code = code_of(plain[match.start() : end])
        read = code[:2] + code[2:].replace("O", "0").replace("I", "1").replace("L", "1")
        if _mostly_digits(code, 8) and (iban_holds(code) or iban_holds(read)):
            yield Span(match.start(), end, Kind.iban, certain=True)
        elif match[1].upper() == "FR" and _mostly_digits(code, 18):
            yield Span(match.start(), end, Kind.iban)
    for match in _RIB.finditer(plain):
        yield Span(*match.span(), Kind.iban)


def _after(plain: str, start: int, *, count: int) -> int:
    """Offset after so many letters or digits, blanks skipped."""
    place, end = start, start
    while place < len(plain) and count and (plain[place].isalnum() or plain[place] in " .-"):
        if plain[place].isalnum():
            count, end = count - 1, place + 1
        place += 1
    return end


def find_plates(plain: str) -> Iterator[Span]:
    """Plates: those of 2009 (AA-123-AA), those before (1234 AB 75), and whatever follows a word that announces one."""
    known: set[int] = set()
    for match in _SIV.finditer(plain):
        first, digits, last = match[1].replace(" ", ""), match[3], match[5].replace(" ", "")
        tight = bool(match[2].strip() or match[4].strip() or not (match[2] or match[4]))
        if not _DIGIT.search(digits):
            continue
        words = (first.upper() in _WORDS) + (last.upper() in _WORDS)
        if tight or words == 0 or (words == 1 and first.isupper()) or _announced(plain, match.start()):
            known.add(match.start())
            yield Span(*match.span(), Kind.plate, certain=first.isupper() and tight)
    for match in _FNI.finditer(plain):
        letters, tight = match[3].upper(), match[2] == match[4] and match[2] != " "
        announced = _announced(plain, match.start())
        if letters == "H":  # 14h35
            continue
        word = letters in _WORDS and (len(letters) == 3 or not (announced or (tight and letters not in _UNITS)))
        if not word and (len(letters) > 1 or announced):
            known.add(match.start())
            yield Span(*match.span(), Kind.plate)
    for match in _ANY_PLATE.finditer(plain):
        if match.start(1) not in known and _DIGIT.search(match[1]) and not _is_time(match[1]):
            yield Span(*match.span(1), Kind.plate)
    for match in _FOREIGN_PLATE.finditer(plain):
        letters = _LETTERS_ALONE.findall(match[0])
        lone = len(letters) == 1 == len(letters[0]) and match[0].count("-") > 1
        if lone or not _WORDS.intersection(letters) or _announced(plain, match.start()):
            yield Span(*match.span(), Kind.plate)
    for match in _OTHER_PLATE.finditer(plain):
        if _PLATE_WORD.search(plain, max(0, match.start() - 50), match.start()):
            yield Span(*match.span(), Kind.plate)


def _is_time(text: str) -> bool:
    return bool(re.fullmatch(r"\d{1,2} ?h ?\d{0,2}|\d{4}", text, re.I))


def _announced(plain: str, start: int) -> bool:
    before = plain[max(0, start - 50) : start]
    return before.rstrip(" ").endswith(("|", ";", "\t")) or _PLATE_WORD.search(before) is not None


def _registers(plain: str) -> Iterator[Span]:
    for match in _SIRET.finditer(plain):
        certain = siret_holds(digits_of(match[0]))
        if certain or _SIREN_WORD.search(plain, max(0, match.start() - 40), match.start()):
            yield Span(*match.span(), Kind.siret)
    for match in _SIREN.finditer(plain):
        if luhn_holds(digits_of(match[0])) or _SIREN_WORD.search(plain, max(0, match.start() - 40), match.start()):
            yield Span(*match.span(), Kind.siren)
    for match in _CARD.finditer(plain):
        yield Span(*match.span(), Kind.number, certain=luhn_holds(digits_of(match[0])))


def _papers(plain: str) -> Iterator[Span]:
    for match in _VIN.finditer(plain):
        if _mostly_digits(match[0], 4) and not match[0].isdecimal():
            yield Span(*match.span(), Kind.vin, certain=vin_holds(match[0].upper()))
    for match in _VIN_SPACED.finditer(plain):
        yield Span(*match.span(1), Kind.vin)
    for match in _PAPER.finditer(plain):
        yield Span(*match.span(), Kind.licence, certain=True)
    for match in _TWELVE.finditer(plain):
        yield Span(*match.span(), Kind.licence)
    for kind, pattern in _NAMED.items():
        for match in pattern.finditer(plain):
            if _mostly_digits(match[1], 3) or (kind is Kind.licence and _CARD_CODE.fullmatch(match[1])):
                yield Span(*match.span(1), kind)
    for pattern in (_REPORT, _LONG):
        for match in pattern.finditer(plain):
            yield Span(*match.span(), Kind.number)
