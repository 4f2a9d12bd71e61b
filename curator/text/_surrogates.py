"""What stands in the place of each mention: the same word for the same person, number or place.

Within a document the words are counted in reading order (PERSONNE_1). Within a dataset a counter would tell the order
of arrival and need every document before the first: there the word is keyed, under a key of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from curator.text._dates import day_of
from curator.text._echoes import ends_of, name_tokens, one_slip
from curator.text._kinds import Kind
from curator.text._numbers import code_of
from curator.text._spans import Span
from curator.text._view import View
from curator.text._words import FIRST, LAST, TITLES

_APART = re.compile(r"\b(?:[A-Z] ){2,}[A-Z]\b")
_LED = re.compile(r"(?:^|[ \-])(LE|LA)[ \-]([A-Z]{2,})")
_LONG = 5  # letters from which a slip is told from another name
_MOST = 50  # bearers of one name that are looked at
_CALLED_FROM_FRANCE = re.compile(r"^(?:00)?33(?:0)?(?=[1-9]\d{8}$)")


@dataclass(frozen=True, slots=True)
class _Person:
    tokens: frozenset[str]
    name: str


def identities(text: str, spans: Sequence[Span]) -> list[str]:
    """For each mention, who or what it names within its document: equal texts for the same, whatever the spelling.

    A shorter mention is joined to the one person whose names hold it; where several could be meant it stays apart:
    to give one person the deeds of another is worse than to lose a link.
    """
    plain = [View(text[span.start : span.end]).plain for span in spans]
    persons = _persons(
        [
            (index, _tokens(name), _titled(text, span.start))
            for index, (span, name) in enumerate(zip(spans, plain, strict=True))
            if span.kind is Kind.person
        ]
    )
    return [
        persons[index] if index in persons else _canonical(name, span.kind)
        for index, (span, name) in enumerate(zip(spans, plain, strict=True))
    ]


def _canonical(plain: str, kind: Kind) -> str:
    if kind is Kind.phone:
        return _CALLED_FROM_FRANCE.sub("0", re.sub(r"\D", "", plain.replace("O", "0").replace("(0)", "")))
    if kind in (Kind.email, Kind.url):
        return re.sub(r"\s", "", plain.lower()).replace("(at)", "@")
    if kind is Kind.date:
        return day_of(plain) or code_of(plain) or plain
    return code_of(plain) or plain


def _titled(text: str, start: int) -> bool:
    """Whether a title stands before: then the name is meant as it is written."""
    before = View(text[max(0, start - 16) : start]).plain.rstrip(" .").rpartition(" ")[2]
    return before.upper() in TITLES


def _tokens(name: str) -> tuple[str, ...]:
    """What tells who it is: letters set apart and `Le Gall` written together, `Jean Marie` as one first name."""
    text = _APART.sub(lambda match: match[0].replace(" ", ""), name.upper())
    pieces = name_tokens(_LED.sub(lambda match: f" {match[1]}{match[2]}", text).replace("'", ""))
    joined: list[str] = []
    for piece in pieces:
        if joined and f"{joined[-1]}-{piece}" in FIRST:
            joined[-1] += f"-{piece}"
        else:
            joined.append(piece)
    return tuple(joined)


def _persons(mentions: Iterable[tuple[int, tuple[str, ...], bool]]) -> dict[int, str]:
    """The name of the person behind each mention; fuller mentions first."""
    people: dict[frozenset[str], _Person] = {}
    bearers: dict[str, list[_Person]] = {}
    initials: dict[str, list[_Person]] = {}
    near: dict[tuple[str, str], str] = {}
    chosen: dict[int, str] = {}
    for index, tokens, titled in sorted(mentions, key=_told):
        full = frozenset(token if titled else _righted(token, bearers, near=near) for token in tokens if len(token) > 1)
        short = frozenset(token for token in tokens if len(token) == 1)
        person = people.get(full | short) or _meant(full, short, bearers=bearers, initials=initials)
        if person is None:
            person = people[full | short] = _Person(full | short, " ".join(sorted(full | short)))
            _enter(person, bearers=bearers, initials=initials, near=near)
        chosen[index] = person.name
    return chosen


def _told(mention: tuple[int, tuple[str, ...], bool]) -> tuple[int, int, int]:
    """Mentions that tell most come first, then in reading order."""
    index, tokens, _ = mention
    full = sum(len(token) > 1 for token in tokens)
    return -full, full - len(tokens), index


def _enter(
    person: _Person,
    *,
    bearers: dict[str, list[_Person]],
    initials: dict[str, list[_Person]],
    near: dict[tuple[str, str], str],
) -> None:
    for token in person.tokens:
        if len(token) >= _LONG and token not in bearers:
            near.update(dict.fromkeys(((ends, token[:1]) for ends in ends_of(token)), token))
        bearers.setdefault(token, []).append(person)
    firsts = sorted({token[0] for token in person.tokens})
    for pair in combinations(firsts, 2):
        initials.setdefault("".join(pair), []).append(person)


def _meant(
    full: frozenset[str],
    short: frozenset[str],
    *,
    bearers: Mapping[str, Sequence[_Person]],
    initials: Mapping[str, Sequence[_Person]],
) -> _Person | None:
    """The one person whom a shorter mention can mean: None when nobody does, or several do."""
    if not full:
        fitting = list(initials.get("".join(sorted(short)), ()))[:_MOST]
    else:
        lists = [bearers.get(token, ()) for token in full]
        fitting = [
            person
            for person in min(lists, key=len)[:_MOST]
            if full < person.tokens and short <= {token[0] for token in person.tokens - full}
        ]
    return fitting[0] if len(fitting) == 1 else None


def _righted(token: str, bearers: Mapping[str, object], *, near: Mapping[tuple[str, str], str]) -> str:
    """A name with a slip of the pen as the one of the text that it is a slip of; known names are no slips."""
    if token in bearers or len(token) < _LONG or token in LAST or token in FIRST:
        return token
    for ends in ends_of(token):
        other = near.get((ends, token[:1]))
        if other is not None and one_slip(token, other):
            return other
    return token
