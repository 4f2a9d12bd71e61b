"""What a spec promises of people: what a receiver knows, and whether "anonymous" may be said."""

from __future__ import annotations

import re
from collections.abc import Iterator

from curator.spec.model import ChannelTerms, UseCase
from curator.spec.scope import PathKey, Scope, Trouble

_WORD = re.compile(r"\banonym\w*", re.IGNORECASE)


def channel_troubles(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    """Fields that a receiver cannot know, and a claim of anonymity that nothing could hold."""
    for channel in type(spec.channels).model_fields:
        terms = spec.channels.terms(channel)
        if terms is not None:
            yield from _knows(spec, terms, path=("channels", channel))
            yield from _claim(spec, terms, path=("channels", channel))
    if not _claimed(spec):
        yield from _words(spec)


def _knows(spec: UseCase, terms: ChannelTerms, *, path: PathKey) -> Iterator[Trouble]:
    knowable = [name for name, field in spec.kept().items() if field.protect != "token"]
    for place, name in enumerate(terms.knows or ()):
        if name not in knowable:
            token = name in spec.kept()
            found = "a token, which nobody knows beforehand" if token else f"`{name}`, which is not written"
            yield Trouble((*path, "knows", place), found, f"one of {', '.join(knowable)}")


def _claim(spec: UseCase, terms: ChannelTerms, *, path: PathKey) -> Iterator[Trouble]:
    """Recital 26 GDPR; Article 29 Working Party, Opinion 05/2014, 2.2: pseudonymised data are not anonymous."""
    tokens = [name for name, field in spec.kept().items() if field.protect == "token"]
    if terms.claim == "anonymous" and tokens:
        found = f"`anonymous` beside {', '.join(f'`{name}`' for name in tokens)}"
        yield Trouble((*path, "claim"), found, "`pseudonymised`, or no token among the fields")


def _claimed(spec: UseCase) -> bool:
    channels = (spec.channels.terms(name) for name in type(spec.channels).model_fields)
    return any(terms is not None and terms.claim == "anonymous" for terms in channels)


def _words(spec: UseCase) -> Iterator[Trouble]:
    """The word in what people will read of the dataset, where no channel is held to it."""
    texts: list[tuple[PathKey, str | None]] = [(("title",), spec.title), (("description",), spec.description)]
    for channel in type(spec.channels).model_fields:
        terms = spec.channels.terms(channel)
        if terms is not None:
            texts.append((("channels", channel, "licence"), terms.licence))
            texts += [(("channels", channel, "purposes", place), text) for place, text in enumerate(terms.purposes)]
    for path, text in texts:
        word = _WORD.search(text or "")
        if word:
            yield Trouble(path, f"the word `{word[0]}`", "`pseudonymised`, or a channel with `claim: anonymous`")
