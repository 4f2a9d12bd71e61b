"""The masking of a column: Arrow in, Arrow out, each mention replaced by its surrogate and nothing else changed."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

import pyarrow as pa

from curator.canonical import sha256_json
from curator.errors import SpecError
from curator.pseudonyms import TokenKernel
from curator.text._finder import RULES, Finder
from curator.text._kinds import LABELS, Kind
from curator.text._model import load_model
from curator.text._spans import Span
from curator.text._surrogates import identities

Scope = Literal["document", "dataset"]

_KEYED_BYTES = 15  # of the 16 of a token: 24 letters, 120 bits
_LOOKS_MASKED = re.compile(rf"\b(?:{'|'.join(LABELS.values())})_[0-9A-Z]+\b")


@dataclass(frozen=True, kw_only=True, repr=False)
class Masker:
    """Masks texts.

    It holds names of settings and a key, no model: it travels to other processes, and each loads the model once.

    Attributes:
        kinds: what is masked.
        scope: `document` counts surrogates within a text (PERSONNE_1); `dataset` keys them, so that one person has one
            surrogate in every text.
        model: the name of a model of named entities, None for the rules alone.
        key: 32 bytes, for the dataset's scope only.
    """

    kinds: frozenset[Kind] = frozenset(Kind)
    scope: Scope = "document"
    model: str | None = None
    key: bytes | None = None
    _loaded: dict[str, Finder] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if (self.scope == "dataset") != (self.key is not None):
            raise SpecError(
                "text-scope-key",
                asked=f"mask text within a {self.scope}",
                found="no key" if self.key is None else "a key",
                expected="a key for the dataset's scope, none for the document's",
                todo="derive a key for the field, or choose `scope: document`",
            )

    def __getstate__(self) -> dict[str, object]:
        """Everything but the loaded model."""
        return {**{name: getattr(self, name) for name in ("kinds", "scope", "model", "key")}, "_loaded": {}}

    @property
    def finder(self) -> Finder:
        """What finds the mentions. Raises UsageError `text-model-missing` when the model is not installed."""
        if "finder" not in self._loaded:
            model = load_model(self.model) if self.model else None
            self._loaded["finder"] = Finder(kinds=self.kinds, model=model)
        return self._loaded["finder"]

    def describe(self) -> dict[str, object]:
        """What an evaluation must have been made with to speak of this masking, and its digest. Never the key."""
        model = self.finder.model
        facts: dict[str, object] = {
            "rules": RULES,
            "model": model.describe() if model else None,
            "kinds": sorted(kind.value for kind in self.kinds),
        }
        return {**facts, "digest": sha256_json(facts)}

    def column(self, array: pa.Array) -> pa.Array:
        """The masked texts: nulls stay null, equal texts are read once.

        Raises:
            UsageError: `text-model-missing`.
        """
        texts = array.to_pylist()
        distinct = list(dict.fromkeys(text for text in texts if text is not None))
        masked = dict(zip(distinct, self.texts(distinct), strict=True))
        return _strings([None if text is None else masked[text] for text in texts])

    def texts(self, texts: Sequence[str]) -> list[str]:
        """The masked texts, one for one."""
        found = self.finder.find_all(texts)
        named = [identities(text, spans) for text, spans in zip(texts, found, strict=True)]
        word = self._keyed(found, named) if self.key is not None else _counted
        return [
            _replaced(text, spans, words=word(spans, names))
            for text, spans, names in zip(texts, found, named, strict=True)
        ]

    def _keyed(
        self, found: Sequence[Sequence[Span]], named: Sequence[Sequence[str]]
    ) -> Callable[[Sequence[Span], Sequence[str]], list[str]]:
        """The keyed surrogates of a batch: one bulk call for all its distinct names."""
        messages = {
            f"{span.kind}\x1f{name}": None
            for spans, names in zip(found, named, strict=True)
            for span, name in zip(spans, names, strict=True)
        }
        tokens = TokenKernel(self.key or b"").tokens(_strings(list(messages))).to_pylist()
        letters = {
            message: base64.b32encode(token[:_KEYED_BYTES]).decode()
            for message, token in zip(messages, tokens, strict=True)
        }
        return lambda spans, names: [
            f"{LABELS[span.kind]}_{letters[f'{span.kind}{chr(0x1F)}{name}']}"
            for span, name in zip(spans, names, strict=True)
        ]


def _counted(spans: Sequence[Span], names: Sequence[str]) -> list[str]:
    """PERSONNE_1, PERSONNE_2 ... in reading order."""
    numbers: dict[Kind, dict[str, int]] = {}
    words = []
    for span, name in zip(spans, names, strict=True):
        known = numbers.setdefault(span.kind, {})
        words.append(f"{LABELS[span.kind]}_{known.setdefault(name, len(known) + 1)}")
    return words


def _replaced(text: str, spans: Sequence[Span], *, words: Sequence[str]) -> str:
    parts, last = [], 0
    for span, word in zip(spans, words, strict=True):
        parts += [_LOOKS_MASKED.sub("[...]", text[last : span.start]), word]
        last = span.end
    return "".join([*parts, _LOOKS_MASKED.sub("[...]", text[last:])])


def _strings(texts: Sequence[str | None]) -> pa.Array:
    """Texts as an Arrow column, past 2 GiB too, without the import of pandas that `pa.array` may bring."""
    encoded = [b"" if text is None else text.encode() for text in texts]
    ends = [0, *accumulate(map(len, encoded))]
    large = ends[-1] >= 1 << 31
    offsets = memoryview(b"".join(end.to_bytes(8 if large else 4, "little") for end in ends))
    bits = bytearray((len(texts) + 7) // 8)
    for index, text in enumerate(texts):
        if text is not None:
            bits[index >> 3] |= 1 << (index & 7)
    return pa.Array.from_buffers(
        pa.large_string() if large else pa.string(),
        len(texts),
        [pa.py_buffer(bytes(bits)), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))],
    )
