"""A model of named entities behind a small protocol; spaCy's is loaded when asked for, and only the parts it needs.

No network: a model is an installed package, and its files are read once for the digest that the evidence names.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from curator.errors import UsageError
from curator.text._kinds import Kind
from curator.text._lists import groups
from curator.text._network import Network, network_of
from curator.text._spans import Span

MODELS = ("fr_core_news_sm", "fr_core_news_md", "fr_core_news_lg")
"""Models that a spec may name."""

_KINDS = {"PER": Kind.person, "LOC": Kind.place, "ORG": Kind.organisation, "MISC": Kind.other}
_UNUSED = ("morphologizer", "parser", "senter", "attribute_ruler", "lemmatizer", "tagger", "trainable_lemmatizer")
_UNREAD = (
    "LIKE_NUM", "LIKE_URL", "LIKE_EMAIL", "IS_STOP", "IS_CURRENCY", "IS_BRACKET", "IS_QUOTE", "IS_LEFT_PUNCT",
    "IS_RIGHT_PUNCT", "IS_PUNCT", "IS_TITLE", "IS_DIGIT", "IS_ALPHA", "IS_ASCII",
)  # fmt: skip
_AT_ONCE = 12_000  # code points: some pages, as much as the caches like to see multiplied at once
_MOST_WORDS = 200_000  # that spaCy keeps; words met later are forgotten after each call
_TURN = threading.Lock()  # a pipeline and its table of words serve one thread at a time
_LINE = re.compile(r"[^\n]+")


class EntityModel(Protocol):
    """What the finder asks of a model."""

    def describe(self) -> dict[str, str]:
        """Name, version and digest, for the evidence."""

    def entities(self, texts: Sequence[str]) -> Sequence[Sequence[Span]]:
        """The named entities of each text, in offsets of the text given."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SpacyModel:
    """A French pipeline of spaCy, with `tok2vec` and `ner` alone.

    `ner` brings vectors of its own in these models, so `tok2vec` is loaded but asked only where the network has another
    shape than the one that `Network` multiplies out.

    Attributes:
        name: the package.
        version: its version.
        digest: SHA-256 over its files, names included.
        pipeline: the loaded pipeline.
        network: its network as numpy reads it; None where the library itself must run it.
    """

    name: str
    version: str
    digest: str
    pipeline: Any
    network: Network | None = None

    def describe(self) -> dict[str, str]:
        """Name, version and digest."""
        return {"name": self.name, "version": self.version, "sha256": self.digest}

    def entities(self, texts: Sequence[str]) -> Sequence[Sequence[Span]]:
        """PER, LOC, ORG and MISC; lines in capitals are read with capitals at the head of words only."""
        pipeline = self.pipeline
        with _TURN, pipeline.memory_zone() if len(pipeline.vocab) > _MOST_WORDS else nullcontext():
            return [spans for group in groups(texts, size=_AT_ONCE) for spans in self._read(group)]

    def _read(self, texts: Sequence[str]) -> Iterator[list[Span]]:
        if self.network is None:
            for doc in self.pipeline.pipe(map(_cased, texts), batch_size=len(texts)):
                yield list(_spans(doc, ((one.start, one.end, one.label_) for one in doc.ents)))
            return
        docs = [self.pipeline.make_doc(_cased(text)) for text in texts]
        for doc, found in zip(docs, self.network.entities(docs), strict=True):
            yield list(_spans(doc, found))


def _spans(doc: Any, found: Iterable[tuple[int, int, str]]) -> Iterator[Span]:
    """Entities given by words, in offsets."""
    for first, last, label in found:
        entity = doc[first:last]
        if label in _KINDS and any(mark.isalnum() for mark in entity.text):
            yield Span(entity.start_char, entity.end_char, _KINDS[label])


@cache
def load_model(name: str) -> EntityModel:
    """Load a model once for the process.

    Args:
        name: one of MODELS.

    Raises:
        UsageError: `text-model-missing` when spaCy or the model is not installed, or cannot be loaded.
    """
    try:
        import spacy
        from spacy.util import get_package_path

        folder = get_package_path(name)
        pipeline = spacy.load(name, exclude=list(_UNUSED))
    except (ImportError, OSError) as error:
        raise UsageError(
            "text-model-missing",
            asked=f"find names in free text with `{name}`",
            found="spaCy or this model is not installed",
            expected="the extra `text`, which brings both",
            todo='install "curator-capital[text]", or leave `model` out to use the rules alone',
        ) from error
    pipeline.max_length = 10**9
    _use_numpy(pipeline)
    _forget_unread(pipeline)
    version = str(pipeline.meta.get("version", "?"))
    return SpacyModel(
        name=name, version=version, digest=_digest(Path(folder)), pipeline=pipeline, network=network_of(pipeline)
    )


def _use_numpy(pipeline: Any) -> None:
    """Multiply matrices by numpy's BLAS, about twice as fast as the one that thinc brings; same answers."""
    from thinc.api import NumpyOps

    plain = NumpyOps(use_blis=False)
    for _, part in pipeline.pipeline:
        for node in part.model.walk():
            if isinstance(node.ops, NumpyOps):
                node.ops = plain


def _forget_unread(pipeline: Any) -> None:
    """Do not reckon, for each new word, the attributes that neither the tokeniser nor these networks read."""
    from spacy import attrs

    getters = pipeline.vocab.lex_attr_getters
    for name in _UNREAD:
        getters.pop(getattr(attrs, name), None)


def _digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in _files(folder):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".pyc")


def _cased(text: str) -> str:
    """The same text, of the same length, without its lines in capitals."""
    return _LINE.sub(_line_cased, text)


def _line_cased(match: re.Match[str]) -> str:
    line = match[0]
    if len(line) > 12 and line.isupper():
        titled = line.title()
        return titled if len(titled) == len(line) else line
    return line
