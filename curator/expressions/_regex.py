r"""The subset of regular expressions that means the same, and stays fast, on every engine.

RE2 (DuckDB), java.util.regex (Spark) and PostgreSQL's own engine disagree on `.`, `$`, `\w`, look-around,
back-references and on which alternative wins; a backtracking engine can also need exponential time. So a pattern is
read by our own tokenizer, kept only if every part is in the subset, and printed again in a spelling all three share:
`.` as "any character but a line feed", groups without capture, the end as the true end of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from curator.expressions._dialects import Engine
from curator.expressions._lexer import is_hidden

MAX_PATTERN = 500
MAX_REPEAT = 255  # PostgreSQL's DUPMAX
MAX_UNBOUNDED = 4
MAX_OPTIONAL = 10

_CLASS = re.compile(r"\[\^?+((?:\\[\\\]\[^.$|()*+?{}/-]|[^\\\[\]])+)\]")
_CLASS_ITEM = re.compile(r"(\\?.)-(\\?.)|\\(.)|(.)")
_ESCAPE = re.compile(r"\\[.+*?()\[\]{}|^$/\\-]")
_QUANTIFIER = re.compile(r"[*+?]|\{([0-9]{1,3})(?:(,)([0-9]{1,3})?)?\}")
_SPECIAL = frozenset("\\.+*?()[]{}|^$")
_ESCAPE_IN_CLASS = frozenset("\\]-[^&~|")
#: The end of the text, never "before a last line feed" as `$` means in Java.
_END = {"duckdb": r"\z", "spark": r"\z", "postgres": "$"}


class UnsafePattern(ValueError):  # noqa: N818 - named as what it is
    """A pattern outside the subset; its text is the reason."""


def regex_is_safe(pattern: str) -> str | None:
    r"""Why a pattern is outside the portable subset, or None when it is inside.

    The subset: plain characters, `\` before a punctuation sign, `.`, classes such as `[A-Z0-9-]` or `[^,]`, one
    quantifier (`?`, `*`, `+`, `{2}`, `{2,}`, `{2,5}`) on a single character or class, groups of alternatives
    `(a|b)` possibly followed by `?`, `^` first and `$` last. At most 500 characters, 4 unbounded and 10 bounded
    quantifiers or groups, so that a backtracking engine stays polynomial.

    Args:
        pattern: the pattern as the spec writes it.

    Returns:
        A reason that fits after "pattern refused:", or None.
    """
    try:
        _parts(pattern)
    except UnsafePattern as fault:
        return str(fault)
    return None


def has_choice(pattern: str) -> bool:
    """Whether a safe pattern has a group or an alternative, whose winner is not the same on every engine.

    Args:
        pattern: a pattern for which `regex_is_safe` is None.
    """
    return any(part in ("(?:", "|") for part in _parts(pattern))


def portable(pattern: str, engine: Engine, *, full: bool = False) -> str:
    """The pattern as one engine must read it.

    Args:
        pattern: a pattern for which `regex_is_safe` is None.
        engine: who will run it.
        full: anchor it at both ends.

    Raises:
        UnsafePattern: the pattern is outside the subset.
    """
    body = "".join(_END[engine] if part == "$" else part for part in _parts(pattern))
    return f"^(?:{body}){_END[engine]}" if full else f"(?:{body})"


def _parts(pattern: str) -> list[str]:
    if not pattern:
        raise UnsafePattern("it is empty")
    if len(pattern) > MAX_PATTERN:
        raise UnsafePattern(f"it is longer than {MAX_PATTERN} characters")
    if any(map(is_hidden, pattern)):
        raise UnsafePattern("it holds a control, format or no-break character")
    parts = list(_scan(pattern))
    _check_groups(parts)
    _check_cost(parts)
    return parts


def _scan(pattern: str) -> Iterator[str]:
    """Each atom, quantifier and bracket in its portable spelling, in order."""
    position, quantifiable = 0, ""
    while position < len(pattern):
        sign = pattern[position]
        if quantifier := _QUANTIFIER.match(pattern, position):
            yield _quantifier(quantifier, after=quantifiable)
            position, quantifiable = quantifier.end(), ""
            continue
        if sign in "(|)":
            if sign == "(" and pattern.startswith("(?", position):
                raise UnsafePattern("(? groups (look-around, flags, names) are not portable")
            yield {"(": "(?:"}.get(sign, sign)
            position, quantifiable = position + 1, "group" if sign == ")" else ""
            continue
        if sign in "^$":
            if position != (0 if sign == "^" else len(pattern) - 1):
                raise UnsafePattern("^ may only stand first and $ only last")
            yield sign
            position += 1
            continue
        atom, position = _atom(pattern, position)
        yield atom
        quantifiable = "atom"


def _atom(pattern: str, position: int) -> tuple[str, int]:
    sign = pattern[position]
    if sign == ".":
        return r"[^\n]", position + 1
    if sign == "[":
        match = _CLASS.match(pattern, position)
        if match is None:
            raise UnsafePattern("a [class] is empty, not closed, or holds [ or a named class")
        return _class(match), match.end()
    if sign == "\\":
        match = _ESCAPE.match(pattern, position)
        if match is None:
            raise UnsafePattern(r"\ may only stand before a punctuation sign; write [0-9] for \d, [A-Za-z0-9_] for \w")
        text = match.group()
        return (text if text[1] in _SPECIAL else text[1]), match.end()
    if sign in _SPECIAL:
        raise UnsafePattern(f"{sign} alone has no meaning; write \\{sign} for the character itself")
    return sign, position + 1


def _class(match: re.Match[str]) -> str:
    items = []
    for item in _CLASS_ITEM.finditer(match.group(1)):
        low, high, escaped, plain = item.groups()
        if low is None:
            items.append(_in_class(escaped or plain))
            continue
        if not (_same_kind(low, high) and low <= high):
            raise UnsafePattern("a range in a [class] must go up inside 0-9, A-Z, a-z or À-ÿ; - means itself when last")
        items.append(f"{low}-{high}")
    negation = "^" if match.group().startswith("[^") else ""
    return f"[{negation}{''.join(items)}]"


def _in_class(character: str) -> str:
    return "\\" + character if character in _ESCAPE_IN_CLASS else character


def _same_kind(low: str, high: str) -> bool:
    return any(re.fullmatch(kind, low + high) for kind in ("[0-9]{2}", "[A-Z]{2}", "[a-z]{2}", "[À-ÿ]{2}"))


def _quantifier(match: re.Match[str], *, after: str) -> str:
    text = match.group()
    if not after:
        raise UnsafePattern("a quantifier must follow one character or one [class], once")
    if after == "group" and text != "?":
        raise UnsafePattern("a group may be optional (?), not repeated: repetition of groups can take exponential time")
    low, _, high = match.groups()
    if low is not None:
        top = int(high or low)
        if top > MAX_REPEAT or int(low) > top or top == 0:
            raise UnsafePattern(f"repeat bounds must go up, from 0 to at most {MAX_REPEAT}")
    return text


def _check_groups(parts: list[str]) -> None:
    depth = 0
    for part in parts:
        depth += (part == "(?:") - (part == ")")
        if depth < 0 or depth > 5:
            raise UnsafePattern("brackets do not pair" if depth < 0 else "more than 5 groups inside each other")
    if depth:
        raise UnsafePattern("brackets do not pair")
    for left, right in zip(["|", *parts], [*parts, "|"], strict=True):
        if left in ("(?:", "|") and right in (")", "|"):
            raise UnsafePattern("an alternative is empty")


def _check_cost(parts: list[str]) -> None:
    unbounded = sum(part in ("*", "+") or part.endswith(",}") for part in parts)
    if unbounded > MAX_UNBOUNDED:
        raise UnsafePattern(f"more than {MAX_UNBOUNDED} unbounded quantifiers (*, +, {{n,}})")
    optional = sum(part in ("?", "(?:") or bool(re.fullmatch(r"\{\d+,\d+\}", part)) for part in parts)
    if optional > MAX_OPTIONAL:
        raise UnsafePattern(f"more than {MAX_OPTIONAL} groups and bounded quantifiers (?, {{m,n}})")
