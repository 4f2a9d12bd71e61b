"""Identifiers in clear: recognised by shape and check digits in columns, in texts and in papers.

Where check digits pass by chance (one number in 97 does), only more than chance explains counts; an e-mail address, or
any identifier inside a longer text, counts alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from curator.attacks._leak import Leak
from curator.attacks._spellings import decoded
from curator.identifiers import valid

_SEEN = 50_000  # distinct values looked at in a column
_SHARE = 0.05  # numbers that look like telephones by chance
_MOST_NUMBERS = 0.5  # whole numbers that look like telephones without their zero
_FEWEST_NUMBERS = 50
_CHANCE = {"nir": 1 / 97, "iban": 1 / 97}
_SHAPES = {
    "nir": re.compile(
        r"(?<![\w.+/-])[1-478][\s.]?\d\d[\s.]?\d\d[\s.]?(?:\d\d|2[ABab])(?:[\s.]?\d{3}){2}[\s.]?\d\d(?![\w+/]|\.\d)"
    ),
    "email": re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}"),
    "iban": re.compile(r"(?<![\w+/-])[A-Za-z]{2}\d{2}(?:\s?[\dA-Za-z]{4}){2,7}(?:\s?[\dA-Za-z]{1,3})?(?![\w+/])"),
    "phone": re.compile(r"(?<![\w.+/-])(?:\+33\s?|0033\s?|0)[1-79](?:[\s.-]?\d{2}){4}(?![\w+/])"),
}  # fmt: skip
# Lengths of the registry of ISO 13616. Digests of curator's own are hexadecimal: two letters that no country has, or a
# length that its numbers do not have, are no account, or one digest in a thousand would be taken for one.
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "BI BJ DJ FR GR IT MC MR SM",
        28: "AL AZ BY CI CM CY DO GT HN HU LB NI PL SN SV", 29: "BR EG PS QA UA",
        30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_DIGITS_ONLY = ("AE", "BA", "BE", "DE", "EE")  # of those whose letters are hexadecimal too
_NUMBERS = {"nir": (r"^[1-478]\d{14}$", ""), "phone": (r"^(?:33)?[67]\d{8}$", "0")}
_PAPERS = (".md", ".json", ".yaml", ".txt", ".html", ".csv")
_SPEC = "use-case.yaml"
_CODE_RUN = re.compile(rb"[A-Za-z0-9+/=_-]{40,}")


def clear_leaks(name: str, column: pa.ChunkedArray) -> tuple[Leak, ...]:
    """Identifiers in clear among the values of a column of texts or numbers."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return tuple(_in_numbers(name, column))
    if pa.types.is_nested(kind):
        column = pa.chunked_array([pa.array([repr(value) for value in column.to_pylist()], pa.string())])
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        texts = [value.decode("utf-8", "replace") for value in pc.unique(column).drop_null().to_pylist()]
        column = pa.chunked_array([pa.array(texts, pa.string())])
    elif not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return ()
    return tuple(_in_texts(name, pc.unique(column).drop_null().slice(0, _SEEN)))


def paper_leaks(contents: Mapping[str, bytes | Path]) -> tuple[Leak, ...]:
    """Identifiers in clear in the papers of a package and in what signed statements hold; the spec's own contacts may.

    Args:
        contents: path inside the package -> its bytes, or the file that holds them.
    """
    papers = {path: _read(content) for path, content in contents.items() if path.endswith(_PAPERS)}
    spec = "\n".join(data.decode("utf-8", "replace") for path, data in papers.items() if path.endswith(_SPEC))
    said = {found for form in ("email", "phone") for found in _found(spec, form)}
    leaks = []
    for path, data in papers.items():
        text = _CODE_RUN.sub(b" ", data).decode("utf-8", "replace")
        text += "\n" + decoded(data).decode("utf-8", "replace")
        for form in _SHAPES:
            count = len(set(_found(text, form)) - said)
            if count:
                leaks.append(Leak(kind="clear-identifier", where=f"{path}: {form}", count=count))
    return tuple(leaks)


def _in_texts(name: str, values: pa.Array) -> Iterator[Leak]:
    texts = values.to_pylist()
    for form in _SHAPES:
        shaped = [(text, match) for text in texts for match in [next(_shaped(text, form), None)] if match]
        if not shaped:
            continue
        right = valid(pa.array([match for _, match in shaped]), form).to_pylist()
        inside = sum(bool(ok) and len(text) > len(match) + 8 for ok, (text, match) in zip(right, shaped, strict=True))
        count, chance = sum(map(bool, right)), _CHANCE.get(form, 0.0) * len(shaped)
        least = chance + 5 * chance**0.5 + (2 if chance else 0)
        if form == "phone":
            least = _SHARE * len(texts)
        if count > least or inside > (chance + 5 * chance**0.5 if chance > 1 else 0):
            yield Leak(kind="clear-identifier", where=f"{name}: {form}", count=count)


def _in_numbers(name: str, column: pa.ChunkedArray) -> Iterator[Leak]:
    """Whole numbers that are identifiers without their leading zero: a social security number, mobile telephones."""
    values = pc.unique(column).drop_null().slice(0, _SEEN)
    texts = [
        str(int(value)) for value in values.to_pylist() if value == value and abs(value) < 2**63 and value % 1 == 0
    ]
    for form, (shape, lost) in _NUMBERS.items():
        shaped = [lost + text.removeprefix("33") if lost else text for text in texts if re.match(shape, text)]
        if not shaped:
            continue
        count = sum(map(bool, valid(pa.array(shaped), form).to_pylist()))
        chance = _CHANCE.get(form, 0.0) * len(shaped)
        least = chance + 5 * chance**0.5 + 2
        if form == "phone":
            least = max(_MOST_NUMBERS * len(texts), _FEWEST_NUMBERS)
        if count > least:
            yield Leak(kind="clear-identifier", where=f"{name}: {form}", count=count)


def _found(text: str, form: str) -> Iterable[str]:
    matches = list(_shaped(text, form))
    if not matches:
        return ()
    right = valid(pa.array(matches), form).to_pylist()
    return (match for match, ok in zip(matches, right, strict=True) if ok)


def _shaped(text: str, form: str) -> Iterator[str]:
    """The parts of a text that have the shape of an identifier."""
    for match in _SHAPES[form].finditer(text):
        found = _account(match[0]) if form == "iban" else match[0]
        if found:
            yield found


def _account(text: str) -> str | None:
    """The account number that a text begins with, of its country's length; words may follow, letters may not."""
    country = text[:2].upper()
    length, seen = _IBAN_LENGTHS.get(country, 0), 0
    for end, mark in enumerate(text, start=1):
        seen += not mark.isspace()
        if seen == length and not text[end : end + 1].strip():
            code = "".join(text[2:end].split())
            return text[:end] if code.isdecimal() or country not in _DIGITS_ONLY else None
    return None


def _read(content: bytes | Path) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()
