"""What stands in the place of each mention: the same word for the same person, number or place.

Within a document the words are counted in reading order (PERSONNE_1). Within a dataset a counter would tell the order
of arrival and need every document before the first: there the word is keyed, under a key of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from curator.text._echoes import name_tokens
from curator.text._kinds import Kind
from curator.text._numbers import code_of
from curator.text._spans import Span
from curator.text._view import View

_CALLED_FROM_FRANCE = re.compile(r"^(?:00)?33(?:0)?(?=[1-9]\d{8}$)")


@dataclass(slots=True)
class _Person:
    tokens: set[str]
    initials: set[str] = field(default_factory=set)
    name: str = ""


def identities(text: str, spans: Sequence[Span]) -> list[str]:
    """For each mention, who or what it names within its document: equal texts for the same, whatever the spelling.

    Persons are joined when one's names hold the other's; a family name alone goes to the fullest person that bears it.
    """
    plain = [View(text[span.start : span.end]).plain for span in spans]
    persons = _persons(
        [
            (index, name_tokens(name))
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
    return code_of(plain) or plain


def _persons(mentions: Iterable[tuple[int, tuple[str, ...]]]) -> dict[int, str]:
    """The name of the person behind each mention; fuller mentions first."""
    people: list[_Person] = []
    bearers: dict[str, list[_Person]] = {}
    chosen: dict[int, _Person] = {}
    for index, tokens in sorted(mentions, key=lambda item: (-sum(len(token) > 1 for token in item[1]), item[0])):
        full = {token for token in tokens if len(token) > 1}
        short = {token for token in tokens if len(token) == 1}
        person = _known(
            full, short, people=people if not full else bearers.get(min(full, key=lambda t: (-len(t), t)), [])
        )
        if person is None:
            candidates = [one for token in full for one in bearers.get(token, [])]
            person = _known(full, short, people=candidates)
        if person is None:
            person = _Person(tokens=full or short, name=" ".join(sorted(full or short)))
            people.append(person)
            for token in full:
                bearers.setdefault(token, []).append(person)
        chosen[index] = person
    return {index: person.name for index, person in chosen.items()}


def _known(full: set[str], short: set[str], *, people: Sequence[_Person]) -> _Person | None:
    for person in people:
        rest = {token[0] for token in person.tokens - full}
        if full <= person.tokens and short <= (rest or {token[0] for token in person.tokens}):
            return person
    return None
