"""spaCy's network of named entities with its own weights, multiplied out by numpy over many texts at a time.

The network reads each word with four neighbours on either side, then a small machine opens and closes entities from
left to right. Three properties let the same answers come several times faster than from the library's general code:

- what a word contributes before its neighbours are looked at depends on its spelling alone: reckoned once for each;
- the first layer over neighbours is a sum of three products, each reckoned once for each spelling of a batch;
- while no entity is open the machine looks at one word alone, so all words are decided together; only the words after
  one that opens an entity are followed step by step, all entities of the batch abreast.

Sources: the documented architectures of spaCy 3 (`MultiHashEmbed`, `MaxoutWindowEncoder`, `TransitionBasedParser`);
maxout of Goodfellow et al. 2013; layer normalisation of Ba et al. 2016. A pipeline of any other shape is left to the
library (`network_of` returns None). A test holds the answers to the library's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

_PAD = 4  # rows of nothing between texts: as many as the network has layers over neighbours
_MOST_SPELLINGS = 40_000  # kept: 15 MB
_EPSILON = 1e-8
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)  # odd: no information is lost


@dataclass(frozen=True, kw_only=True, eq=False)
class _Maxout:
    """A layer: the greatest of some linear forms, then normalised."""

    weights: tuple[Floats, ...]  # for each neighbour: inputs x (pieces x outputs)
    bias: Floats
    scale: Floats
    shift: Floats

    @property
    def width(self) -> int:
        """How many numbers it gives."""
        return len(self.scale)

    def __call__(self, forms: Floats) -> Floats:
        """Finish from the linear forms."""
        width = self.width
        best = forms[:, :width]
        for piece in range(width, forms.shape[1], width):
            best = np.maximum(best, forms[:, piece : piece + width])
        best -= best.mean(axis=1, keepdims=True)
        spread = np.einsum("ij,ij->i", best, best) / np.float32(width) + np.float32(_EPSILON)
        best *= (1 / np.sqrt(spread))[:, None]
        best *= self.scale
        best += self.shift
        return best


@dataclass(frozen=True, kw_only=True, eq=False)
class _Moves:
    """What the machine may do, as places among the scores."""

    opening: Places  # begin an entity of a kind
    inside: Places  # go on in it
    last: Places  # end it here
    unit: Places  # an entity of one word
    labels: tuple[str, ...]  # of the four above, in the same order
    out: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """The weights, and the rows of the spellings met so far."""

    columns: tuple[str, ...]  # the attributes of a word that the network reads
    spelt: Any  # thinc layers: attributes of words to features
    vectors: Any  # spaCy's table of word vectors, None when the model has none
    projection: Floats
    mixer: Any  # thinc layers: features to the row of a spelling
    layers: tuple[_Maxout, ...]
    narrow: tuple[Floats, Floats]
    seen: tuple[Floats, Floats, Floats]  # the word, the first of the entity, the word before
    absent: Floats  # the last two, when no entity is open, with the bias
    bias: Floats
    upper: tuple[Floats, Floats]
    moves: _Moves
    _rows: dict[int, int] = field(default_factory=dict)
    _table: list[Floats] = field(default_factory=list)

    def entities(self, docs: Sequence[Any]) -> list[list[tuple[int, int, str]]]:
        """First word, last word (excluded) and label of each entity of each tokenised text."""
        lengths = [len(doc) for doc in docs]
        found: list[list[tuple[int, int, str]]] = [[] for _ in docs]
        if not sum(lengths):
            return found
        words, blank = self._words(docs)
        firsts = np.cumsum([0, *lengths])
        rows = self._read(words, lengths)
        last = np.zeros(len(rows), bool)
        last[firsts[1:][np.array(lengths) > 0] - 1] = True
        for start, end, label in self._walk(rows, last=last, blank=blank):
            place = int(np.searchsorted(firsts, start, side="right")) - 1
            found[place].append((start - int(firsts[place]), end - int(firsts[place]), label))
        return found

    # ---- words to rows ----------------------------------------------------------------------------------------------

    def _words(self, docs: Sequence[Any]) -> tuple[Places, npt.NDArray[np.bool_]]:
        """The row of each word's spelling, and which words are blanks."""
        facts = np.concatenate([doc.to_array([*self.columns, "ORTH", "IS_SPACE"]) for doc in docs if len(doc)])
        keys = facts[:, -2] * _MIX[0] + facts[:, 0] * _MIX[1]
        distinct, firsts, places = np.unique(keys, return_index=True, return_inverse=True)
        if len(self._rows) + len(distinct) > _MOST_SPELLINGS:
            self._rows.clear()
            self._table.clear()
        spellings = distinct.tolist()
        new = [place for place, key in enumerate(spellings) if key not in self._rows]
        if new:
            rows = self._spellings(np.ascontiguousarray(facts[firsts[new]]))
            start = len(self._rows)
            self._rows.update((spellings[place], start + rank) for rank, place in enumerate(new))
            self._table[:] = [np.concatenate([*self._table, rows])]
        known = np.fromiter((self._rows[key] for key in spellings), np.intp, len(spellings))
        return known[places], facts[:, -1].astype(bool)

    def _spellings(self, facts: npt.NDArray[np.uint64]) -> Floats:
        """What each spelling contributes before its neighbours are looked at, by the library's own layers."""
        features = self.spelt.predict(np.ascontiguousarray(facts[:, : len(self.columns)]))
        if self.vectors is not None:
            rows = self.vectors.find(keys=facts[:, -2])
            meaning = self.vectors.data[rows] @ self.projection
            meaning[rows < 0] = 0
            features = np.hstack([features, meaning])
        mixed: Floats = self.mixer.predict(features)
        return mixed

    def _read(self, words: Places, lengths: Sequence[int]) -> Floats:
        """The row of each word among its neighbours."""
        kept = np.ones(len(words) + _PAD * (len(lengths) + 1), bool)
        place = 0
        for length in lengths:
            kept[place : place + _PAD] = False
            place += _PAD + length
        kept[place:] = False
        spellings, which = np.unique(words, return_inverse=True)
        table = np.vstack([self._table[0][spellings], np.zeros((1, self.layers[0].width), np.float32)])
        padded = np.full(len(kept), len(spellings), np.intp)
        padded[kept] = which
        first, *others = self.layers
        rows = table[padded] + first(_neighbours([(table @ one)[padded] for one in first.weights], first.bias))
        for layer in others:
            rows += layer(_neighbours([rows @ one for one in layer.weights], layer.bias))
        weights, bias = self.narrow
        return np.asarray(rows[kept] @ weights + bias)

    # ---- the machine ------------------------------------------------------------------------------------------------

    def _scores(self, forms: Floats) -> Floats:
        half = forms.shape[1] // 2
        weights, bias = self.upper
        return np.asarray(np.maximum(forms[:, :half], forms[:, half:]) @ weights + bias)

    def _walk(
        self, rows: Floats, *, last: npt.NDArray[np.bool_], blank: npt.NDArray[np.bool_]
    ) -> Iterator[tuple[int, int, str]]:
        """First and last word and label of each entity, in order; `last` are the words that end a text."""
        moves, count = self.moves, len(self.moves.labels)
        here = rows @ self.seen[0]
        scores = self._scores(here + self.absent)
        opening, unit = scores[:, moves.opening], scores[:, moves.unit]
        opening[last | blank] = -np.inf
        unit[blank] = -np.inf
        choices = np.hstack([opening, unit, scores[:, [moves.out]]])
        chosen = choices.argmax(axis=1)
        begun = np.flatnonzero(chosen < count)
        ends = dict(
            zip(
                begun.tolist(),
                self._ends(rows, here, starts=begun, kinds=chosen[begun], last=last).tolist(),
                strict=True,
            )
        )
        reached = 0
        for start in np.flatnonzero(chosen < 2 * count).tolist():
            if start >= reached:
                reached = ends.get(start, start) + 1
                yield start, reached, moves.labels[chosen[start] % count]

    def _ends(
        self, rows: Floats, here: Floats, *, starts: Places, kinds: Places, last: npt.NDArray[np.bool_]
    ) -> Places:
        """The last word of each entity that begins."""
        ends = starts.copy()
        since = rows[starts] @ self.seen[1] + self.bias
        open_ = np.arange(len(starts))
        while len(open_):
            ends[open_] += 1
            now = ends[open_]
            scores = self._scores(here[now] + since[open_] + rows[now - 1] @ self.seen[2])
            rank = np.arange(len(open_))
            goes_on = scores[rank, self.moves.inside[kinds[open_]]] >= scores[rank, self.moves.last[kinds[open_]]]
            open_ = open_[goes_on & ~last[now]]
        return ends


def _neighbours(forms: Sequence[Floats], bias: Floats) -> Floats:
    """The sum of what the word before, the word and the word after contribute."""
    before, total, after = forms
    total += bias
    total[1:] += before[:-1]
    total[:-1] += after[1:]
    return total


def network_of(pipeline: Any) -> Network | None:
    """The network of a loaded pipeline; None when it is not of the shape that is known here."""
    model = pipeline.get_pipe("ner").model
    parts = [layer.name for layer in model.layers]
    reads = model.layers[0].layers if parts else []
    if parts[1:] != ["precomputable_affine", "linear"] or [part.name for part in reads[1:]] != ["list2array", "linear"]:
        return None
    embed, encode = reads[0].layers
    columns = [node.attrs["columns"] for node in embed.walk() if node.name == "extract_features"]
    spelt = [node for node in embed.walk() if node.name.startswith("with_array(ints-getitem>>hashembed")]
    mixers = [node for node in embed.walk() if node.name.startswith("with_array(maxout>>layernorm")]
    vectors = [node for node in embed.walk() if node.name == "static_vectors"]
    layers = [_maxout(part) for part in encode.layers[0].layers]
    lower, moves = model.layers[1], _moves(pipeline.get_pipe("ner").moves)
    known = (
        len(columns) == len(spelt) == len(mixers) == 1 >= len(vectors)
        and None not in layers
        and len(layers) == _PAD == encode.attrs["pad"]
        and (lower.get_dim("nF"), lower.get_dim("nP")) == (3, 2)
        and moves is not None
        and not model.attrs["unseen_classes"]
        and (not vectors or (pipeline.vocab.vectors.mode == "default" and vectors[0].attrs["key_attr"] == "ORTH"))
    )
    if not known or moves is None:
        return None
    pieces, absent, bias = _lower(lower)
    return Network(
        columns=tuple(columns[0]),
        spelt=spelt[0],
        vectors=pipeline.vocab.vectors if vectors else None,
        projection=_turned(vectors[0].get_param("W")) if vectors else np.zeros((0, 0), np.float32),
        mixer=mixers[0],
        layers=tuple(layer for layer in layers if layer is not None),
        narrow=_linear(reads[2]),
        seen=pieces,
        absent=absent,
        bias=bias,
        upper=_linear(model.layers[2]),
        moves=moves,
    )


def _maxout(part: Any) -> _Maxout | None:
    """One layer over three neighbours, its pieces side by side."""
    nodes = {node.name: node for node in part.walk()}
    if not {"expand_window", "maxout", "layernorm"} <= nodes.keys() or not part.name.startswith("residual("):
        return None
    weights, bias = nodes["maxout"].get_param("W"), nodes["maxout"].get_param("b")
    outputs, pieces, inputs = weights.shape
    if nodes["expand_window"].attrs["window_size"] != 1 or inputs != 3 * outputs:
        return None
    flat = weights.transpose(1, 0, 2).reshape(pieces * outputs, inputs)
    return _Maxout(
        weights=tuple(_turned(flat[:, start : start + outputs]) for start in range(0, inputs, outputs)),
        bias=np.ascontiguousarray(bias.T).reshape(-1),
        scale=nodes["layernorm"].get_param("G"),
        shift=nodes["layernorm"].get_param("b"),
    )


def _lower(part: Any) -> tuple[tuple[Floats, Floats, Floats], Floats, Floats]:
    """What each of the three words in sight contributes to the machine, what absent ones do, and the bias."""
    weights, pad, bias = (part.get_param(name) for name in ("W", "pad", "b"))
    here, first, before = (
        _turned(weights[place].transpose(1, 0, 2).reshape(-1, weights.shape[-1])) for place in range(3)
    )
    absent = (pad[0, 1] + pad[0, 2] + bias).T.reshape(-1)
    return (here, first, before), absent, bias.T.reshape(-1)


def _linear(part: Any) -> tuple[Floats, Floats]:
    return _turned(part.get_param("W")), part.get_param("b")


def _turned(weights: Floats) -> Floats:
    return np.ascontiguousarray(weights.T)


def _moves(system: Any) -> _Moves | None:
    names = [str(system.get_class_name(place)) for place in range(system.n_moves)]
    labels = [name[2:] for name in names if name.startswith("B-")]
    wanted = [f"{move}-{label}" for move in "BILU" for label in labels]
    if [name for name in names if name not in ("U-", "O")] != wanted or names[-1] != "O":
        return None
    of = {move: np.array([names.index(f"{move}-{label}") for label in labels], np.intp) for move in "BILU"}
    return _Moves(
        opening=of["B"], inside=of["I"], last=of["L"], unit=of["U"], labels=tuple(labels), out=names.index("O")
    )
