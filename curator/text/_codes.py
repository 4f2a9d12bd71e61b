"""What computers write: e-mail and network addresses, links, positions; and amounts of money."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from curator.text._kinds import Kind
from curator.text._spans import Span
from curator.text._zones import near_digits

_WORD = r"[0-9A-Za-z_%+'\-]"
_AT = r"(?:@|\(at\)|\[at\]| at (?=\w+ ?\. ?\w)|\barobase\b|\(a\))"
_EMAIL = re.compile(
    rf"(?<![0-9A-Za-z_%+.\-]){_WORD}++(?:\.{{1,2}}{_WORD}++)*+\.? {{0,2}}{_AT} {{0,2}}"
    r"[0-9A-Za-z\-]++(?: ?(?:\.|,(?=[a-z]{2,4}\b)| dot | point ) ?[0-9A-Za-z\-]++){1,5}",
    re.I,
)
_EMAIL_SPACED = re.compile(
    rf"(?<![0-9A-Za-z_%+.\-]){_WORD}{{1,40}}+(?: ?[._\-] ?{_WORD}{{1,40}}+){{0,4}} ?{_AT} ?"
    r"[0-9A-Za-z\-]{1,40}+(?: ?\. ?[0-9A-Za-z\-]{1,40}+){1,4}",
    re.I,
)
_URL = re.compile(
    r"(?:https?|ftp)://[^\s<>\"|]+|\bwww\.[^\s<>\"|]+"
    r"|(?<![@0-9A-Za-z.\-])[a-z0-9](?:[a-z0-9\-]{0,60}\.){1,4}(?:fr|com|org|net|eu|info|io|example)(?![0-9A-Za-z.])(?:/[^\s<>\"|]*)?",
    re.I,
)
_IPV4 = re.compile(r"(?<![0-9.])(?:\d{1,3}\.){3}\d{1,3}(?![0-9]|\.\d)")
_IPV6 = re.compile(r"(?<![0-9A-Fa-f:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![0-9A-Fa-f:])")
_MAC = re.compile(r"(?<![0-9A-Fa-f:\-])[0-9A-Fa-f]{2}(?:([:\-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![0-9A-Fa-f])")
_MAC_DOTTED = re.compile(r"(?<![0-9A-Fa-f.])(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}(?![0-9A-Fa-f.])")
# Names of accounts: after a sign, or after the name of the place where they live.
_HANDLE = re.compile(
    r"(?<![0-9A-Za-z_.@/])@[A-Za-z0-9_][A-Za-z0-9_.]{1,38}[A-Za-z0-9_](?![A-Za-z0-9_@]|\.[a-z])"
    r"|(?<![0-9A-Za-z_.])[A-Za-z][A-Za-z0-9_.]{1,30}#\d{4}(?!\d)"
)
_ACCOUNT = re.compile(
    r"\b(?:insta(?:gram)?|snap(?:chat)?|twitter|tiktok|facebook|fb|telegram|whatsapp|skype|discord|messenger|"
    r"linkedin|twitch|steam|psn|pseudo(?:nyme)?|user(?:name)?|login|compte)"
    r"(?: (?:twitter|insta(?:gram)?|snap(?:chat)?|facebook|fb|tiktok|telegram|discord|skype|est|de))?"
    r"(?: ?[:=] ?| )(?:live:)?\"?(?:@ ?)?"
    r"((?=[a-z.\-]{0,30}[0-9_.][a-z0-9_])(?=[0-9_.]{0,10}[a-z])[a-z0-9][a-z0-9_.\-]{1,38}[a-z0-9])(?![a-z0-9@])",
    re.I,
)
_QUOTED_ACCOUNT = re.compile(
    r"\b(?:pseudo(?:nyme)?|surnom|insta(?:gram)?|snap(?:chat)?|twitter|tiktok|facebook|fb|telegram|discord)\b"
    r"[^\n\"]{0,24}\" ?([^\n\"]{2,40}?) ?\"",
    re.I,
)
_WALLET = re.compile(r"(?<![0-9A-Za-z])(?=[A-Za-z]{0,24}\d)(?=\d{0,24}[A-Za-z])[0-9A-Za-z]{24,100}(?![0-9A-Za-z])")
_DEGREES = (
    r"(?:(?<![A-Za-z])[NSEOW] ?)?\d{1,3} ?[°d] ?\d{1,2}(?:[.,]\d{1,6})? ?"
    r"(?:['m] ?(?:\d{1,2}(?:[.,]\d{1,6})? ?(?:\"|''|s) ?)?)?[NSEOW]?"
)
_POSITION = re.compile(
    r"(?<![0-9.,])[+-]?\d{1,2}[.,]\d{3,10} ?°? ?[NS]?"
    r"(?: ?[,;/] ?| {1,3}| et | - |, ?(?:long?\w{0,6})[ :=]{1,3}|;? ?lon\w{0,6}[ :=]{1,3})"
    r"[+-]?\d{1,3}[.,]\d{3,10}(?: ?°? ?[EOW]\b)?(?![0-9])"
    rf"|(?<![0-9]){_DEGREES}(?:[ ,;/-]{{1,3}}(?:et )?{_DEGREES})?(?![0-9A-Za-z])"
    r"|\b(?:lat|latitude|lng|lon|long|longitude)\.? {0,2}[:=]? {0,2}[+-]?\d{1,3}[.,]\d{2,10}(?![0-9])",
    re.I,
)
_AMOUNT = re.compile(
    r"(?<![0-9A-Za-z,.])(?:\d{1,3}(?:[ .]\d{3}){1,4}|\d{1,9})(?:[.,]\d{1,2})? ?(?:k|m|mille |millions? d')?"
    r"(?:€|\u20ac|euros?\b|eur\b|ke\b|francs?\b|cts?\b|centimes?\b|\$|dollars?\b|chf\b|£)"
    r"|(?:€|\$|£) ?\d{1,9}(?:[.,]\d{1,2})?",
    re.I,
)


def find_codes(plain: str) -> Iterator[Span]:
    """Every e-mail and network address, link, position and amount of a plain text."""
    yield from find_emails(plain)
    if "." in plain:
        yield from _spans(_URL, plain, kind=Kind.url)
    if ":" in plain or "-" in plain:
        yield from _spans(_MAC, plain, kind=Kind.ip)
    yield from _accounts(plain)
    if plain.count(":") > 1:
        yield from _addresses(_IPV6, plain)
    yield from near_digits(plain, _figured)


def _figured(plain: str) -> Iterator[Span]:
    """Those that have digits."""
    yield from _spans(_AMOUNT, plain, kind=Kind.amount)
    yield from _spans(_POSITION, plain, kind=Kind.coordinates)
    yield from _addresses(_IPV4, plain)
    yield from _spans(_MAC_DOTTED, plain, kind=Kind.ip)
    yield from _spans(_WALLET, plain, kind=Kind.number)


def _accounts(plain: str) -> Iterator[Span]:
    """Names under which somebody is known on line."""
    if "@" in plain or "#" in plain:
        yield from _spans(_HANDLE, plain, kind=Kind.account)
    for pattern in (_ACCOUNT, _QUOTED_ACCOUNT):
        for match in pattern.finditer(plain):
            yield Span(*match.span(1), Kind.account)


def _addresses(pattern: re.Pattern[str], plain: str) -> Iterator[Span]:
    for match in pattern.finditer(plain):
        if _is_ip(match[0]):
            yield Span(*match.span(), Kind.ip, certain=True)


def find_emails(plain: str) -> Iterator[Span]:
    """E-mail addresses, also those taken apart by a scanner or written `name (at) place.fr`."""
    if "@" not in plain and not re.search(_AT, plain, re.I):
        return
    for match in _EMAIL.finditer(plain):
        yield Span(*match.span(), Kind.email, certain=True)
    for match in _EMAIL_SPACED.finditer(plain):
        text = match[0]
        if " @" in text or "@ " in text or " ." in text:
            yield Span(*match.span(), Kind.email)


def _spans(pattern: re.Pattern[str], plain: str, *, kind: Kind) -> Iterator[Span]:
    for match in pattern.finditer(plain):
        yield Span(*match.span(), kind)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
