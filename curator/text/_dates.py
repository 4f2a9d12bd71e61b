"""Dates in every French spelling: figures, months in letters (also short, misspelt or in Roman), years in letters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from curator.text._checks import day_holds
from curator.text._kinds import Kind
from curator.text._lists import listed
from curator.text._spans import Span
from curator.text._zones import near_digits

_MONTHS = (
    "janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre",
    "decembre",
)  # fmt: skip
_SHORT = {
    "janv": 1, "jan": 1, "fev": 2, "fevr": 2, "mar": 3, "avr": 4, "jui": 6, "juil": 7, "jul": 7, "jlt": 7, "sept": 9,
    "sep": 9, "oct": 10, "nov": 11, "dec": 12, "jun": 6, "aou": 8,
}  # fmt: skip
_ABROAD = listed("""
january february march april may june july august september october november december
januar februar marz maerz mai juni juli august oktober dezember
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre
janeiro fevereiro marco maio junho julho setembro outubro novembro dezembro
""")
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_ONES = (
    "un|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingt|vingts|trente|"
    "quarante|cinquante|soixante|septante|huitante|nonante"
)
_DAY_WORDS = (
    "premier|(?:vingt|trente)[ -]et[ -]un|vingt[ -](?:deux|trois|quatre|cinq|six|sept|huit|neuf)|trente|vingt|"
    "dix[ -](?:sept|huit|neuf)|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize"
)
_YEAR_WORDS = rf"(?:mil(?:le)?|deux[ -]mille)(?:[ -](?:et|cents?|{_ONES})\b){{0,8}}"
_YEAR = r"(?:1[89]|20|2l|l9|2O)[0-9Ol]{2}"
_WEEKDAY = r"(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche),? "

_FIGURES = re.compile(
    rf"(?<![0-9A-Za-z])(?<![0-9][./])(3[01]|[0-2IlO]?[0-9Ol])( ?[/.\-\\] ?| )"
    rf"(1[0-2]|[0O]?[0-9Ol])(?: ?[/.\-\\] ?| )({_YEAR}|[0-9]{{2}})(?![0-9])"
)
_ISO = re.compile(r"(?<![0-9])((?:19|20)\d{2})([./\- ])(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?![0-9])")
_COMPACT = re.compile(
    r"(?<![0-9A-Za-z.,/-])(\d{2})(\d{2})((?:19|20)\d{2})(?![0-9])|(?<![0-9A-Za-z.,/-])((?:19|20)\d{2})(\d{2})(\d{2})(?![0-9])"
)
_ROMAN_MONTH = re.compile(
    rf"(?<![0-9])(\d{{1,2}})[ ./\-]"
    rf"({'|'.join(sorted(_ROMAN, key=len, reverse=True))})[ ./\-]({_YEAR}|\d{{2}})(?![0-9])",
    re.I,
)
_LETTERS = re.compile(
    rf"(?<![0-9A-Za-z])(?:{_WEEKDAY})?(\d{{1,2}} ?(?:er|eme)?|[0-9OlI]{{2}}(?![A-Za-z])|(?:{_DAY_WORDS})\b)"
    rf"(?:st|nd|rd|th)?[ .\-/]{{0,3}}(?:de |du mois de |of )?([a-z]{{3,11}})\b\.?"
    rf"(?:(?:,|[ .\-/]{{1,3}}(?:de l'an )?|\n)(?:de |of )?"
    rf"(?P<year>{_YEAR_WORDS}|{_YEAR}|'?\d{{2}}(?! ?[h:/0-9]))(?![0-9A-Za-z]))?",
    re.I,
)
_SPACED_MONTH = re.compile(
    rf"(?<![0-9])\d{{1,2}}(?:er)? {{1,2}}"
    rf"({'|'.join(' '.join(month) for month in _MONTHS)}) {{1,2}}(?:{_YEAR}|[12] \d \d \d)",
    re.I,
)
_MONTH_FIRST = re.compile(
    rf"\b(january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|"
    rf"aug|sept?|oct|nov|dec)\.? (?:the )?\d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR}(?![0-9])",
    re.I,
)
_MONTH_YEAR = re.compile(rf"(?<![0-9A-Za-z])([a-z]{{3,11}})\.? (?:de )?({_YEAR})(?![0-9])", re.I)
_MONTH_SLASH = re.compile(r"(?<![0-9/.])(0[1-9]|1[0-2])[/-]((?:19|20)\d{2})(?![0-9/])")
_BIRTH_YEAR = re.compile(
    rf"\b(?:nee?s?(?:\(e\))?|naissance|annee|an|en) (?:en |: ?|l'an |de )?({_YEAR})(?![0-9])", re.I
)
_BIRTH_SHORT = re.compile(
    r"\bnee?s?(?:\(e\))? (?:en |vers )((?:([a-z]{3,9})\.? )?'?\d{2})(?![0-9/.\-]| ?(?:ans|mois)\b)", re.I
)
_SPACED = re.compile(r"(?<![0-9/.\-])([0-3] ?\d) ?[/.\-] ?([01] ?\d) ?[/.\-] ?([12] ?[089] ?\d ?\d)(?! ?\d)(?![0-9/])")


def find_dates(plain: str) -> Iterator[Span]:
    """Every date of a plain text."""
    yield from near_digits(plain, _figured)
    yield from _lettered(plain)


def _figured(plain: str) -> Iterator[Span]:
    """Dates with a year or a month in figures."""
    for match in _FIGURES.finditer(plain):
        day, month, year = (_number(match[part]) for part in (1, 3, 4))
        blank = match[2] == " "
        if (
            day_holds(day, month, year=year)
            if len(match[4]) == 4
            else 1 <= month <= 12 and 1 <= day <= 31 and not blank
        ):
            yield Span(*match.span(), Kind.date, certain=len(match[4]) == 4 and not blank)
    for match in _ISO.finditer(plain):
        yield Span(*match.span(), Kind.date, certain=True)
    for match in _COMPACT.finditer(plain):
        parts = match.groups()[:3] if match[1] else match.groups()[:2:-1]
        day, month, year = (int(part) for part in parts)
        if day_holds(day, month, year=year):
            yield Span(*match.span(), Kind.date)
    for pattern in (_ROMAN_MONTH, _SPACED_MONTH, _MONTH_SLASH, _MONTH_FIRST):
        for match in pattern.finditer(plain):
            yield Span(*match.span(), Kind.date)
    for match in _MONTH_YEAR.finditer(plain):
        if match[1].lower() in _near_months():
            yield Span(*match.span(), Kind.date)
    for match in _BIRTH_YEAR.finditer(plain):
        yield Span(*match.span(1), Kind.date)
    for match in _BIRTH_SHORT.finditer(plain):
        if not match[2] or match[2].lower() in _near_months():
            yield Span(*match.span(1), Kind.date)
    for match in _SPACED.finditer(plain):
        day, month, year = (int(part.replace(" ", "")) for part in match.groups())
        if day_holds(day, month, year=year):
            yield Span(*match.span(), Kind.date)


def _lettered(plain: str) -> Iterator[Span]:
    for match in _LETTERS.finditer(plain):
        month = match[2].lower()
        if month in _exact_months() or (match["year"] and month in _near_months()) or month in _LONG_ABROAD:
            yield Span(*match.span(), Kind.date)


_LONG_ABROAD = frozenset(month for month in _ABROAD if len(month) > 4) - {"march", "marco"}


def day_of(plain: str) -> str | None:
    """A day as ISO 8601 writes it, whatever way the text does; None when the year is short or a word is unknown."""
    if match := re.fullmatch(r"(\d{4}) ?[./\- ] ?(\d{1,2}) ?[./\- ] ?(\d{1,2})", plain):
        year, month, day = match.groups()
    elif match := re.fullmatch(
        r"(?:[a-z]{5,8},? )?(\d{1,2}) ?(?:er)?[ ./\-]{1,3}([a-z]{3,9}|\d{1,2})[ ./\-]{1,3}(\d{4})", plain, re.I
    ):
        day, month, year = match.groups()
    else:
        return None
    rank = int(month) if month.isdecimal() else _ranks().get(month.lower(), 0)
    return f"{year}-{rank:02}-{int(day):02}" if rank and day_holds(int(day), rank, year=int(year)) else None


@cache
def _ranks() -> dict[str, int]:
    return {**_SHORT, **{month: rank for rank, month in enumerate(_MONTHS, 1)}}


def _number(text: str) -> int:
    return int(text.replace("O", "0").replace("l", "1").replace("I", "1"))


@cache
def _exact_months() -> frozenset[str]:
    return frozenset(_MONTHS) | frozenset(_SHORT)


@cache
def _near_months() -> frozenset[str]:
    """The months, and every word one slip away from those of five letters or more."""
    return _exact_months().union(_ABROAD, *(slips(month) for month in _MONTHS if len(month) > 4)) - {"marie"}


def slips(word: str) -> set[str]:
    """Every word one slip away: a letter dropped, doubled, changed, or two swapped."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    return (
        {head + tail[1:] for head, tail in cuts if tail}
        | {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
        | {head + letter + tail[1:] for head, tail in cuts if tail for letter in letters}
        | {head + letter + tail for head, tail in cuts for letter in letters}
    )
