"""Measure the masking of `specs/road-narratives.yaml` anew, after its rules changed.

    python tests/text_report.py

The labelled texts are invented: the narratives of a demonstration base that no test reads, whose mentions its truth
file lists, and as many hard documents of `text_documents`. Both come from fixed seeds; the report names them by digest.
The truth lists no place of an accident, so addresses in the narratives count as masked without need.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
from text_documents import documents, write_labelled

from curator.demo import generate
from curator.spec import load_use_case
from curator.text import Kind, Labelled, Masker, Span, evaluate, read_labelled, report, union

SPEC = Path(__file__).resolve().parents[1] / "specs" / "road-narratives.yaml"
PERSONS, SEED = 4_000, 4_041
_KINDS = {"surname": Kind.person, "first_names": Kind.person, "phone": Kind.phone, "plate": Kind.plate}
_ALL = """
SELECT a.narrative, list({'kind': i.kind, 'value': i.value}) FILTER (i.value IS NOT NULL)
FROM '{base}/accidents.parquet' a
LEFT JOIN '{base}/truth/identifiers.parquet' i ON i.num_acc = a.num_acc AND i."column" = 'narrative'
WHERE a.narrative IS NOT NULL GROUP BY a.num_acc, a.narrative ORDER BY a.num_acc"""


def narratives(base: Path) -> Iterator[Labelled]:
    """The narratives of a demonstration base with every mention that its truth lists."""
    for text, listed in duckdb.sql(_ALL.replace("{base}", str(base))).fetchall():
        spans = [
            Span(*match.span(), _KINDS[one["kind"]])
            for one in listed or ()
            for match in re.finditer(rf"(?<!\w){re.escape(one['value'])}(?!\w)", text)
        ]
        yield Labelled(text=text, spans=tuple(union(spans)))


def main() -> int:
    """Write the report beside the spec."""
    mask = load_use_case(SPEC).fields["narrative"].mask
    masker = Masker(model=mask.model if mask else None)
    with tempfile.TemporaryDirectory() as folder:
        base, path = Path(folder) / "base", Path(folder) / "road-narratives.labelled.jsonl"
        generate(base, persons=PERSONS, seed=SEED)
        told = list(narratives(base))
        write_labelled(path, [*told, *documents(len(told), seed=SEED)])
        found = report(evaluate(read_labelled(path), masker.finder), masker=masker, labelled=path)
    out = SPEC.with_name("road-narratives.evaluation.json")
    out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
