"""The model card: what a reader must know before using the model (Mitchell et al. 2019, Hugging Face front matter).

It holds figures and names, never a row: no label, no category and no count of a class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from curator.edges.onnx_models import METRIC_NAMES, Case, Fitted
from curator.modelling._examination import Examination
from curator.spec.model import UseCase

_CASES = {
    "plain": "held-back rows as they are",
    "nulls": "each feature null, and all at once",
    "unknown": "texts never met in training",
    "accents": "accents, composed and decomposed, upper and lower case",
    "extremes": "numbers far out, odd and very long texts",
}

_WORDS = (
    "It counts words, which takes the locale C.UTF-8 on the machine and an operator of the domain com.microsoft: it "
    "runs in onnxruntime only."
)


def card(
    fitted: Fitted, found: Examination, *, use_case: UseCase, about: Mapping[str, Any], name: str, version: str
) -> str:
    """The README.md of a packaged model: YAML front matter, then Markdown; ends with a line feed.

    Args:
        fitted: the model.
        found: its figures and its proof.
        use_case: purpose, law, owner and channels.
        about: the facts of its manifest.
        name: of the model.
        version: of the model.
    """
    sections = [
        f"# {_line(use_case.title)}: {name} {version}",
        _summary(fitted, use_case),
        _section("Purpose", _purpose(use_case)),
        _section("Law", _law(use_case)),
        _section("Trained on", _training(fitted, found, about=about)),
        _section("How good it is", _figures(found)),
        _section("Same answers as the trained pipeline", _proof(found)),
        _section("How to call it", _usage(about)),
        _section("Limits", _bullets(_limits(fitted, found, about=about))),
        _section("Licence", _licence(use_case)),
    ]
    front = yaml.safe_dump(
        _front(found, fitted, use_case=use_case, about=about, name=name), sort_keys=False, allow_unicode=True
    )
    return f"---\n{front}---\n\n" + "\n\n".join(sections) + "\n"


def _front(
    found: Examination, fitted: Fitted, *, use_case: UseCase, about: Mapping[str, Any], name: str
) -> dict[str, Any]:
    terms = use_case.channels.open
    dataset = about["trained_on"]["ref"].split("@")[0]
    return {
        "license": "other",
        "license_name": _line(terms.licence) if terms and terms.models else "restricted",
        "library_name": "onnx",
        "pipeline_tag": f"tabular-{fitted.task}",
        "tags": ["curator", "onnx", f"tabular-{fitted.task}"],
        "datasets": [dataset],
        "model-index": [{"name": name, "results": _results(found, fitted, dataset=dataset)}],
    }


def _results(found: Examination, fitted: Fitted, *, dataset: str) -> list[dict[str, Any]]:
    return [
        {
            "task": {"type": f"tabular-{fitted.task}"},
            "dataset": {"name": dataset, "type": dataset, "split": split},
            "metrics": [{"type": key, "value": value} for key, value in score.model.items() if value is not None],
        }
        for split, score in found.scores.items()
    ]


def _summary(fitted: Fitted, use_case: UseCase) -> str:
    steps = getattr(fitted.pipeline, "steps", None)
    estimator = type(steps[-1][1] if steps else fitted.pipeline).__name__
    text = f"Predicts `{fitted.target}` ({fitted.task}) with a {estimator}, converted to ONNX."
    return f"{text}\n\n{use_case.description.strip()}" if use_case.description else text


def _purpose(use_case: UseCase) -> str:
    uses = _bullets(_line(use) for use in use_case.purpose.compatible_uses)
    answer = f"Answers for it: {_line(use_case.owner.organisation)} ({_line(use_case.owner.contact)})."
    return "\n\n".join(part for part in (use_case.purpose.statement.strip(), uses, answer) if part)


def _law(use_case: UseCase) -> str:
    law = use_case.law
    return _bullets(
        [
            f"Regime: {law.regime}; basis: {law.basis}.",
            f"Text: {_line(law.text)}",
            f"Impact assessment: {_line(law.dpia)}",
            f"Class of the intended system (Regulation 2024/1689): {law.ai_act}.",
            f"The training data must be erased after {law.retention_days} days.",
        ]
    )


def _training(fitted: Fitted, found: Examination, *, about: Mapping[str, Any]) -> str:
    lines = [
        f"Dataset: `{about['trained_on']['ref']}`, SHA-256 of its manifest `{about['trained_on']['digest']}`.",
        f"Spec: `{about['spec']['ref']}`, SHA-256 `{about['spec']['digest']}`.",
        f"Code: `{_line(about['code'])}`.",
        f"Libraries: {', '.join(f'{name} {number}' for name, number in about['libraries'].items())}.",
        *fitted.notes,
        *(f"{rows} rows of {split} have no target: left out." for split, rows in found.without_target.items() if rows),
        *(
            f"{s.unseen} rows of {name} have a label training never saw."
            for name, s in found.scores.items()
            if s.unseen
        ),
    ]
    return _bullets(lines)


def _figures(found: Examination) -> str:
    used = [key for key in METRIC_NAMES if any(key in score.model for score in found.scores.values())]
    rows = [
        [split, str(score.rows), key, _number(score.model[key]), _number(score.baseline[key])]
        for split, score in found.scores.items()
        for key in used
    ]
    head = ["split", "rows", "figure", "model", "without looking"]
    means = _bullets(f"`{key}`: {METRIC_NAMES[key]}" for key in used)
    note = "*Without looking* always answers the commonest label (or the mean) of the train split."
    return f"Measured on the ONNX file itself. {note}\n\n{_table(head, rows)}\n\n{means}"


def _proof(found: Examination) -> str:
    head = ["rows made", "rows", "largest difference", "labels that differ", "ties", "not compared"]
    rows = [_case(name, case) for name, case in found.proof.per_case.items()]
    where = ", ".join(found.proved_on)
    return f"Compared on {where}. Required: {found.proof.tolerance}.\n\n{_table(head, rows)}"


def _case(name: str, case: Case) -> list[str]:
    refused = f"refused for {', '.join(case.refused)}" if case.refused else ""
    figures = [str(case.rows), f"{case.max_abs_difference:.2g}", str(case.label_disagreements), str(case.ties)]
    return [f"{name}: {_CASES[name]}", *figures, refused]


def _usage(about: Mapping[str, Any]) -> str:
    ports = [["input", port["name"], port["type"], _shape(port)] for port in about["inputs"]]
    ports += [["output", port["name"], port["type"], _shape(port)] for port in about["outputs"]]
    nulls = "**A null number is sent as NaN, a null text as the empty text.** Numbers are 32-bit, booleans 0 and 1."
    return f"{nulls}\n\n{_table(['', 'name', 'type', 'shape'], ports)}"


def _shape(port: Mapping[str, Any]) -> str:
    return "(" + ", ".join("n" if size is None else str(size) for size in port["shape"]) + ")"


def _limits(fitted: Fitted, found: Examination, *, about: Mapping[str, Any]) -> list[str]:
    cases = found.proof.per_case
    limits = [
        "It describes the rows it learnt from; elsewhere and later it must be measured again.",
        "Integers beyond 16,777,216 lose digits as 32-bit floats.",
        "The file holds the categories and words it learnt, as they stand in the dataset.",
    ]
    if fitted.counts_words:
        limits.append(_WORDS)
    for case, what in (("nulls", "nulls"), ("unknown", "texts never met"), ("extremes", "odd values")):
        if case in cases and cases[case].refused:
            names = ", ".join(cases[case].refused)
            limits.append(f"Never send {what} for: {names}. The pipeline refuses them; ONNX would not.")
    if about["code"] == "unknown":
        limits.append("The version of the code that trained it was not recorded.")
    return limits


def _licence(use_case: UseCase) -> str:
    channels = [(name, use_case.channels.terms(name)) for name in ("open", "research", "industry")]
    rows = [
        [name, _line(terms.licence), ", ".join(terms.purposes), str(terms.max_days)]
        for name, terms in channels
        if terms and terms.models
    ]
    if not rows:
        return "No channel of the spec lets models leave; this model stays with its owner."
    return _table(["channel", "licence", "purposes", "longest release, days"], rows)


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_line(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _line(text: str) -> str:
    return " ".join(text.split())


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"
