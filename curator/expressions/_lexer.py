"""From text to tokens: the characters and marks of the language, and a named refusal for everything else.

The caps stand here, before any recursion: 2,000 characters, 32 levels of nesting. A parser that meets nothing but
these tokens cannot be led into another statement, table or function, because no token spells one.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from curator.expressions._faults import ExpressionRefused

MAX_LENGTH = 2_000
MAX_NESTING = 32

KEYWORDS = frozenset(
    "and or not is null true false in between case when then else end distinct from".split()  # noqa: SIM905
)

Kind = Literal["name", "keyword", "number", "text", "mark", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """One word or mark: `value` is the keyword in lower case, the unescaped text, or the spelling itself."""

    kind: Kind
    value: str
    offset: int


_TOKEN = re.compile(
    r"(?P<space> +)"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>\d+(?:\.\d+)?(?![\w.]))"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<mark>\|\||<>|!=|<=|>=|[-+*=<>(),])"
)
_NUMBER = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,15})?")

#: What people try first, and what the language has instead. Longest spellings first.
_REFUSED_MARKS: tuple[tuple[str, str, str], ...] = (
    ("--", "a comment or a double minus", "no comment in an expression; write - (-1) for a double minus"),
    ("/*", "a comment", "no comment in an expression"),
    ("//", "//", "whole_div(n, m)"),
    ("::", "a cast", "to_int(text), to_float(text), to_text(number) or parse_date(text, format)"),
    ("==", "==", "a single ="),
    (";", "a semicolon", "one expression, without semicolon"),
    ("/", "/", "ratio(n, m) for a quotient, whole_div(n, m) for a whole one"),
    ("%", "%", "mod(n, m)"),
    ('"', "a double quote", "column names without quotes, texts between single quotes"),
    ("`", "a back quote", "column names without quotes"),
    ("'", "a text that is not closed", "a closing single quote; inside a text a quote is written twice"),
    (".", "a dot", "a column name alone, a number such as 0.5"),
    ("?", "a parameter", "columns and literals only"),
    ("$", "a parameter", "columns and literals only"),
    (":", "a parameter", "columns and literals only"),
    ("@", "a variable", "columns and literals only"),
    ("[", "a bracket", "round brackets"),
    ("]", "a bracket", "round brackets"),
    ("{", "a brace", "round brackets"),
    ("}", "a brace", "round brackets"),
    ("|", "|", "|| to join texts, OR between conditions"),
    ("&", "&", "AND between conditions"),
    ("!", "!", "NOT, or <> to compare"),
    ("~", "~", "matches(text, pattern) or finds(text, pattern)"),
    ("#", "#", "no comment in an expression"),
)


def tokens(text: str) -> tuple[Token, ...]:
    """Cut an expression into tokens, an `end` token last.

    Args:
        text: the expression as the spec writes it.

    Raises:
        ExpressionRefused: too long, a hidden character, a mark outside the language, or nested too deep.
    """
    check_characters(text)
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = None if text.startswith(("--", "=="), position) else _TOKEN.match(text, position)
        if match is None:
            raise _refused_mark(text, position)
        if match.lastgroup != "space":
            found.append(_token(match))
        position = match.end()
    found.append(Token("end", "", len(text)))
    _check_nesting(found)
    return tuple(found)


def check_characters(text: str) -> None:
    """Refuse a text that is too long or holds a character that cannot be seen.

    Control, format (bidi, zero width), line separator, lone surrogate and every space but the plain one are refused
    (Unicode general categories Cc, Cf, Cs, Zl, Zp, Zs), since they make the line read otherwise than it runs
    (Unicode Technical Report 36 and Technical Standard 55).

    Args:
        text: the expression.

    Raises:
        ExpressionRefused: at the first such character.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionRefused(
            offset=MAX_LENGTH, found=f"{len(text)} characters", expected=f"at most {MAX_LENGTH} characters"
        )
    for offset, character in enumerate(text):
        if is_hidden(character):
            name = unicodedata.name(character, "a control character").lower()
            raise ExpressionRefused(
                offset=offset,
                found=f"U+{ord(character):04X} ({name})",
                expected="visible characters and plain spaces, on one line (in YAML, write a long expression after >-)",
            )


def is_hidden(character: str) -> bool:
    """Whether a character cannot be seen, or passes for a plain space.

    Args:
        character: one code point.
    """
    if " " <= character <= "~":
        return False
    category = unicodedata.category(character)
    return category in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs") or ord(character) & 0xFFFE == 0xFFFE


def _token(match: re.Match[str]) -> Token:
    kind, value, offset = match.lastgroup, match.group(), match.start()
    if kind == "text":
        return Token("text", value[1:-1].replace("''", "'"), offset)
    if kind == "number":
        if not _NUMBER.fullmatch(value):
            raise ExpressionRefused(
                offset=offset,
                found="a number too long or not in plain digits",
                expected="at most 18 digits, then at most 15 after the point",
            )
        return Token("number", value, offset)
    if kind == "name":
        lower = value.lower()
        is_keyword = value.isascii() and lower in KEYWORDS
        return Token("keyword", lower, offset) if is_keyword else Token("name", value, offset)
    return Token("mark", value, offset)


def _refused_mark(text: str, offset: int) -> ExpressionRefused:
    for mark, found, expected in _REFUSED_MARKS:
        if text.startswith(mark, offset):
            return ExpressionRefused(offset=offset, found=found, expected=expected)
    if text[offset].isdigit():
        return ExpressionRefused(
            offset=offset, found="a number that is not plain", expected="digits, and a point where needed: 12 or 0.5"
        )
    return ExpressionRefused(
        offset=offset, found=f"the character U+{ord(text[offset]):04X}", expected="names, numbers, texts and operators"
    )


def _check_nesting(found: list[Token]) -> None:
    depth = 0
    for token in found:
        if token.value in ("(", "case") and token.kind in ("mark", "keyword"):
            depth += 1
        elif token.value in (")", "end") and token.kind in ("mark", "keyword"):
            depth -= 1
        if depth > MAX_NESTING:
            raise ExpressionRefused(
                offset=token.offset,
                found=f"more than {MAX_NESTING} levels of brackets and CASE",
                expected="a flatter expression, or a derived column for a part of it",
            )
