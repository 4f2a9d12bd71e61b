"""How one identifier can stand in bytes: as registers spell it, and as programs write it.

Spellings change what a person would still read as the same identifier; codings are what a program makes of a text
(RFC 4648 for base16, base32 and base64, RFC 3986 for percent signs, RFC 8259 for JSON, RFC 2045 for mail, HTML for
entities). None of them needs a key: whoever sees the one has the other.
"""

from __future__ import annotations

import base64
import codecs
import json
import quopri
import re
import unicodedata
from collections.abc import Iterator
from html.entities import codepoint2name
from urllib.parse import quote

SHORTEST = 5
"""Letters from which an identifier is sought: a shorter one would be found everywhere."""

_SEPARATORS = re.compile(r"[\s.\-_/]")
_PHONE = re.compile(r"(?:\+33|0033|33|0)([1-9]\d{8})")
_PLATE = re.compile(r"([A-Z]{2})(\d{3})([A-Z]{2})")
_NIR = re.compile(r"([1-478]\d{4}(?:\d{2}|2A|2B)\d{6})(\d{2})?")
_INVISIBLE = re.compile(r"[\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_LOOSE = re.compile(r"[ \t.\-_/()'\u2019\"\u2010-\u2015\u00a0\u202f\\]+")
_WORD = re.compile(r"[^\W\d_]{6,}")
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")


def spellings(identifier: str) -> tuple[str, ...]:
    """An identifier as registers spell it: as given, upper and lower case, without separators, and as its form has it.

    A French telephone number has its national, international and grouped forms, a plate its hyphens and spaces, a
    social security number its key and none.
    """
    bare = _SEPARATORS.sub("", identifier)
    plain = unaccented(identifier)
    forms = (identifier, identifier.upper(), identifier.lower(), bare, bare.upper(), bare.lower(), plain, plain.upper(),
             plain.lower(), *_registered(bare.upper()))  # fmt: skip
    return tuple(dict.fromkeys(forms))


def unaccented(text: str) -> str:
    """A text without marks above or below its letters."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def folded(text: str) -> str:
    """Letters and digits as a reader hears them: case, accents, separators and invisible signs gone."""
    if not text.isascii():
        text = unaccented(_INVISIBLE.sub("", text))
    return _LOOSE.sub("", text).casefold()


def words_of(identifier: str) -> tuple[str, ...]:
    """The words of six letters or more of a name, as word lists hold them; none of an identifier with digits."""
    if any(letter.isdigit() for letter in identifier) or len(identifier.split()) > 4 or "@" in identifier:
        return ()
    found = _WORD.findall(unicodedata.normalize("NFC", identifier))
    return tuple(found) if len(found) > 1 or (found and found[0] != identifier) else ()


def codings(text: str) -> Iterator[bytes]:
    """A text as programs write it, whole."""
    plain = text.encode("utf-8", "surrogatepass")
    yield plain
    yield from (text.encode(name, "surrogatepass") for name in ("utf-16-le", "utf-16-be", "utf-32-le"))
    latin = text.encode("latin-1", "ignore")
    yield latin if len(latin) >= SHORTEST else plain
    yield text[::-1].encode("utf-8", "surrogatepass")
    yield codecs.encode(text, "rot13").encode("utf-8", "surrogatepass")
    yield plain.hex().encode()
    yield plain.hex(" ").encode()
    yield plain.hex(":").encode()
    yield text.encode("ascii", "backslashreplace")
    yield json.dumps(text)[1:-1].encode()
    yield repr(plain)[2:-1].encode()
    yield text.encode("ascii", "xmlcharrefreplace")
    yield "".join(_entity(letter) for letter in text).encode("utf-8", "surrogatepass")
    yield quote(plain, safe="").encode()
    yield quote(plain, safe=" ").replace(" ", "+").encode()
    yield quopri.encodestring(plain).rstrip(b"=\n")
    yield base64.b32encode(plain).rstrip(b"=")[: len(plain) * 8 // 5]
    yield from _base64(plain)


def decoded(data: bytes) -> bytes:
    """What long runs of base64 in a text stand for, line by line; signed statements hold theirs so."""
    found = []
    for run in _BASE64_RUN.findall(data):
        text = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        found.append(base64.b64decode(text[: len(text) - (len(text) % 4 == 1)] + b"=" * (-len(text) % 4)))
    return b"\n".join(found)


def _base64(plain: bytes) -> Iterator[bytes]:
    """What stands in base64 wherever in a longer text the identifier begins."""
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain)
        middle = coded[(0, 2, 3)[shift] : len(coded) - 4]
        if len(middle) >= SHORTEST + 3:
            yield middle
            yield middle.replace(b"+", b"-").replace(b"/", b"_")


def _entity(letter: str) -> str:
    name = codepoint2name.get(ord(letter))
    return f"&{name};" if name and not letter.isascii() else letter


def _registered(bare: str) -> Iterator[str]:
    """The forms that a register of its kind would write."""
    if phone := _PHONE.fullmatch(bare):
        rest = phone[1]
        pairs = ["0" + rest[0], *(rest[place : place + 2] for place in range(1, 9, 2))]
        yield from ("0" + rest, "+33" + rest, "33" + rest, "0033" + rest, rest, " ".join(pairs), ".".join(pairs),
                    "-".join(pairs), f"+33 {rest[0]} {' '.join(pairs[1:])}")  # fmt: skip
    elif plate := _PLATE.fullmatch(bare):
        yield from ("-".join(plate.groups()), " ".join(plate.groups()))
    elif number := _NIR.fullmatch(bare):
        body = number[1]
        digits = int(body.replace("2A", "19").replace("2B", "18")) if body[5:7] in ("2A", "2B") else int(body)
        key = f"{97 - digits % 97:02d}"
        parts = (body[0], body[1:3], body[3:5], body[5:7], body[7:10], body[10:13], key)
        yield from (body, body + key, " ".join(parts[:-1]), " ".join(parts))
