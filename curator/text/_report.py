"""The report of an evaluation: written by whoever measured, read when a spec names it for its masked texts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from curator.errors import SpecError
from curator.text._evaluation import Evaluation
from curator.text._masker import Masker

_FORM = "curator-text-evaluation/1"


def report(evaluation: Evaluation, *, masker: Masker, labelled: Path) -> dict[str, Any]:
    """What was measured, with which masking and on which texts (named by digest)."""
    digest = hashlib.sha256(labelled.read_bytes()).hexdigest()
    return {
        "form": _FORM,
        "masking": masker.describe(),
        "labelled": {"file": labelled.name, "sha256": digest},
        **evaluation.to_json(),
    }


def read_evaluation(path: Path, *, masker: Masker) -> dict[str, Any]:
    """The figures of a report, for the evidence: recall and precision of each kind, and the digests it rests on.

    Raises:
        SpecError: `text-evaluation-missing` when there is no such file; `text-evaluation-stale` when it is no report,
            or one of another masking: other rules, model or kinds.
    """
    asked = f"read the evaluation {path.name} of masked text"
    todo = f"run `curator text evaluate FILE --out {path.name}` with the model and entities of the spec"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SpecError(
            "text-evaluation-missing", asked=asked, found="no such file", expected="a report beside the spec", todo=todo
        ) from error
    try:
        told = json.loads(data)
        known = told["form"] == _FORM
        digest = told["masking"]["digest"]
        figures = {
            kind: {name: row[name] for name in ("mentions", "recall", "recall_low", "recall_same", "precision")}
            for kind, row in {"all": told["all"], **told["kinds"]}.items()
        }
        facts = {"documents": told["documents"], "labelled": told["labelled"], "kinds": figures}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _stale(asked, found="no report of `curator text evaluate`", todo=todo) from error
    if not known or digest != masker.describe()["digest"]:
        raise _stale(asked, found="a report on other rules, another model or other entities", todo=todo)
    return {"sha256": hashlib.sha256(data).hexdigest(), **facts}


def _stale(asked: str, *, found: str, todo: str) -> SpecError:
    return SpecError(
        "text-evaluation-stale",
        asked=asked,
        found=found,
        expected="a report on the very masking of the spec",
        todo=todo,
    )
