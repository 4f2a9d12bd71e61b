"""A text as recognisers read it: without accents, invisible marks, escapes and typographic variants, with the way back.

Recognisers are written once, for plain letters; every place they find is given in offsets of the text as it came, in
whatever Unicode form it came (Unicode Standard Annex 15): a combining accent belongs to the letter before it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from html import unescape

_GONE = re.compile("[\u0300-\u036f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")
_GONE_MARKS = frozenset(mark for mark in map(chr, range(0x300, 0x10000)) if _GONE.match(mark)) | {"\u00ad"}
_TORN = frozenset("\u00c2\u00c3")
_MARKS = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
            "\u202f\u205f\u3000", " "),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"),
        **dict.fromkeys("\u2018\u2019\u201b\u02bc\u2032\u00b4\u0060", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\u2033", '"'),
        **dict.fromkeys("\u00b7\u2022\u2027\u2219\u22c5", "."),
        "\x0b": "\n", "\x0c": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n",
    }
)  # fmt: skip
# What UTF-8 read as windows-1252 leaves of the French letters; each pair is one letter.
_MOJIBAKE = re.compile(
    "\u00c3[\u0080-\u00bf\u2018-\u2122\u0152-\u017e\u0178\u0192\u02c6\u02dc]|\u00c2[\u00a0\u00b0\u00ab\u00bb]"
)
# What other programs write for one letter: entities of HTML, escapes of RTF and JSON, octets of quoted-printable mail.
_ESCAPE = re.compile(
    r"&(?:#[0-9]{2,6}|#[xX][0-9A-Fa-f]{2,5}|[A-Za-z]{2,8});|\\'[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}"
    r"|=C3=[89AB][0-9A-F]|=C2=[AB][0-9A-F]|(?<=[A-Za-z])=[CEF][0-9A-F](?=[a-z ,.=])|=\r?\n"
)
_ESCAPES = frozenset("&\\=")
_WIDE = (
    (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_STRANGE = re.compile(f"{_GONE.pattern}|{_MOJIBAKE.pattern}|{_ESCAPE.pattern}")


class View:
    """One text, and the plain form that recognisers read.

    Attributes:
        text: as given.
        plain: one code point for each one kept; accents folded, spaces, dashes and apostrophes made plain.
        read: the same code points as they were, for a model, which knows accents.
    """

    __slots__ = ("_places", "plain", "read", "text")

    def __init__(self, text: str) -> None:
        """Read a text."""
        self.text = text
        self._places: list[int] | None = None
        if text.isascii() and not _ESCAPE.search(text):
            self.plain = self.read = text
            return
        marks = frozenset(text)
        if (
            not _GONE_MARKS.isdisjoint(marks)
            or (not _TORN.isdisjoint(marks) and _MOJIBAKE.search(text))
            or (not _ESCAPES.isdisjoint(marks) and _ESCAPE.search(text))
        ):
            self._places, text = _kept(text)
            marks = frozenset(text)
        self.read = text
        self.plain = text.translate(_fold_table(marks))

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the text as given of a place in the plain one; what was left out goes with the letter before."""
        if self._places is None:
            return start, end
        places = self._places
        return places[start], places[end] if end < len(places) else len(self.text)


def read_text(data: bytes) -> str:
    """Bytes as text: UTF-8, with or without its mark, and windows-1252 in the lines that are no UTF-8.

    Files put together from several programs change encoding in the middle; a text with holes in it would hide names.
    A mark of UTF-16 or UTF-32 at the head is obeyed (Unicode Standard, section 2.6): as bytes, its names would pass.
    """
    for mark, encoding in _WIDE:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return "\n".join(_line(line) for line in lines)


def _line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def fold(text: str) -> str:
    """A short text without accents, in capitals: how names are compared."""
    return View(text).plain.upper()


def _kept(text: str) -> tuple[list[int], str]:
    """Where each kept code point stands, and the kept ones; a letter torn in two by a wrong decoding is one again."""
    places: list[int] = []
    kept: list[str] = []
    last = 0
    for match in _STRANGE.finditer(text):
        one = _one_letter(match[0])
        if one is None:
            continue
        places.extend(range(last, match.start()))
        kept.append(text[last : match.start()])
        if one:
            places.append(match.start())
            kept.append(one)
        last = match.end()
    places.extend(range(last, len(text)))
    kept.append(text[last:])
    return places, "".join(kept)


def _one_letter(found: str) -> str | None:
    """The letter that stands behind some marks: empty when nothing does, None when they are to stay."""
    if found[0] in "&\\=":
        return _unescaped(found)
    return _decoded(found) if len(found) == 2 else ""


def _unescaped(found: str) -> str | None:
    if found[0] == "&":
        one = unescape(found)
    elif found[0] == "=":
        octets = bytes(int(octet, 16) for octet in found.split("=")[1:]) if found[1] not in "\r\n" else b""
        one = octets.decode("utf-8" if len(octets) > 1 else "cp1252", errors="replace")
    else:
        one = (
            bytes([int(found[2:], 16)]).decode("cp1252", errors="replace")
            if found[1] == "'"
            else chr(int(found[2:], 16))
        )
    surrogate = len(one) == 1 and "\ud800" <= one <= "\udfff"
    return None if len(one) > 1 or surrogate or (not one and found[0] != "=") else one


def _decoded(pair: str) -> str:
    for encoding in ("cp1252", "latin-1"):
        try:
            one = pair.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        if len(one) == 1:
            return one
    return "a"


@cache
def _fold_mark(mark: str) -> str:
    """One code point for one."""
    plain = mark.translate(_MARKS)
    if plain != mark or mark.isascii():
        return plain
    if mark in "\u0152\u00c6":
        return "O" if mark == "\u0152" else "A"
    if mark in "\u0153\u00e6":
        return "o" if mark == "\u0153" else "a"
    if unicodedata.category(mark) in ("So", "Sk", "Cs") and mark not in "\u00b0\u2116":
        return " "  # an emoji between two digits is a gap
    base = unicodedata.normalize("NFKD", mark)[:1]
    return base if base and (base.isalnum() or base == " ") else mark


def _fold_table(marks: frozenset[str]) -> dict[int, str]:
    return {ord(mark): _fold_mark(mark) for mark in marks if not mark.isascii() or mark in "\x0b\x0c`"}
