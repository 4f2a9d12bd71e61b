"""What card, description and plan say of the rows: every option is told, in the words of the spec."""

from __future__ import annotations

from typing import Any

import pytest
from markdown_it import MarkdownIt
from sampling_world import HEAD, spec_of

from curator.cards._sampling import sampling_limits, stands_for
from curator.planning import plan
from curator.sampling import told_draw
from curator.spec import scope_of

LABEL = {"name": "back", "events": "t", "on": ["who"], "at": "day", "after": "day", "within_days": 30}
HISTORY = {"events": "t", "on": ["who"], "at": "day", "until": "day", "columns": {"seen": "count"}}
SOURCES = {"t": {**HEAD["sources"]["t"], "columns": {**HEAD["sources"]["t"]["columns"], "day": "date"}}}
CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"fraction": 0.25}, "It is a sample of 25.00% by hash", "kept a share of 0.25 of the rows, by hash"),
    (
        {"fraction": 0.1, "at_least": {"by": ["place"], "rows": 5}},
        "Classes of `place` keep 5 rows at least: rare ones are over-represented.",
        "kept at least 5 rows of each class, by hash",
    ),
    ({"per_entity": 3}, "At most 3 rows of one entity", "kept at most 3 rows of one entity, by hash"),
    (
        {"quotas": {"by": "place", "rows": {"n": 1}}},
        "Classes of `place` have quotas",
        "kept quotas of place, by hash",
    ),
    (
        {"strata": {"by": ["place", "ill"], "rows": 4}},
        "Strata of `place`, `ill` have quotas",
        "kept quotas of the strata of place, ill, by hash",
    ),
    (
        {"negatives": {"positive": "ill", "per_positive": 2.5}},
        "There are 2.5 negative rows for each positive one",
        "kept 2.5 negative rows a positive one, by hash",
    ),
    ({"max_rows": 9000}, "At most 9,000 rows were drawn", "kept at most 9000 rows, by hash"),
]


@pytest.mark.parametrize(("sample", "on_card", "described"), CASES)
def test_every_option_is_told(sample: dict[str, Any], on_card: str, described: str) -> None:
    spec = spec_of({"sample": {"by": ["who"], **sample}})
    assert any(line.startswith(on_card) for line in sampling_limits(spec))
    assert described in told_draw(spec)
    assert "SAMPLE" not in plan(spec, scope_of(spec)).render()
    assert "  sample " in plan(spec, scope_of(spec)).render()


def test_the_card_tells_how_to_weigh_rows() -> None:
    spec = spec_of({"sample": {"by": ["id"], "negatives": {"positive": "ill", "per_positive": 2.0}}})
    drawing = {"population": 10_000, "sample": 300, "positive rows": 100, "positive rows drawn": 100,
               "negative rows": 9_000, "negative rows drawn": 200}  # fmt: skip
    told = " ".join(sampling_limits(spec, drawing))
    assert "300 rows were drawn from a population of 10,000" in told
    assert "A positive row stands for 1 rows of the population, a negative one for 45:" in told
    assert "stands for" not in " ".join(sampling_limits(spec, drawing | {"positive rows drawn": 9})), "a small count"
    matched = spec_of({"sample": {"by": ["id"], "negatives": {"positive": "ill", "per_positive": 2.0,
                                                              "within": ["place"]}}})  # fmt: skip
    assert "stands for" not in " ".join(sampling_limits(matched, drawing)), "another weight in each class"


def test_labels_histories_and_windows_are_told() -> None:
    spec = spec_of(
        {"label": LABEL, "history": [HISTORY], "window": {"column": "day", "since": "2020-01-01"}}, sources=SOURCES
    )
    assert told_draw(spec) == [
        "made seen from t up to day", "made back from t within 30 days after day",
        "kept day from 2020-01-01 to the last",
    ]  # fmt: skip
    assert any("nobody said until when events are known" in line for line in sampling_limits(spec))
    known = spec_of({"label": {**LABEL, "observed_until": "2020-12-31"}}, sources=SOURCES)
    assert list(sampling_limits(known)) == ["`back` is null where its 30 days end after 2020-12-31."]
    assert told_draw(spec_of()) == []
    assert list(sampling_limits(spec_of())) == []


def test_the_card_has_a_table_of_figures() -> None:
    facts = {
        "population": 51920, "drawn": 15433, "kept": 13038, "smallest_cell": 10, "limits": {},
        "dimensions": {"race": {
            "classes": 7, "divergence": 0.084, "difference": None,
            "missing": {"null": 0, "empty": 8221, "unknown": 9219},
            "missing_kept": None, "missing_depends_on": {"state": "empty", "dimension": "mdc", "v": 1.0, "p": 0.0}}},
    }  # fmt: skip
    told = stands_for(facts)
    assert "13,038 rows were kept of 15,433 drawn from a population of 51,920." in told
    assert "| `race` | 7 | 0.084 |  | 17,440 | empty: `mdc` (1.00) |" in told
    assert "table_open" in {token.type for token in MarkdownIt("commonmark").enable("table").parse(told)}
    assert stands_for(None) == ""
