"""What a card says of masked text: how it was masked, and how well that was measured to work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curator.cards._markdown import code, prose, table
from curator.spec import UseCase

_SCOPES = {
    "document": "within one text only",
    "dataset": "in the whole dataset (keyed: nobody without the holder's key can test a name)",
}


def masked_text(use_case: UseCase, protection: Mapping[str, Any]) -> str:
    """Each masked field with its measured recall, or the plain statement that nothing was measured."""
    facts = protection.get("fields", {})
    fields = [name for name, field in use_case.kept().items() if field.protect == "mask"]
    return "\n\n".join(_field(name, facts.get(name, {})) for name in fields)


def _field(name: str, facts: Mapping[str, Any]) -> str:
    model = facts.get("model")
    how = f"rules {prose(str(facts.get('rules', '?')))}" + (
        f" and the model {code(model['name'])} {prose(model['version'])}" if model else ", no model"
    )
    text = (
        f"{code(name)}: mentions of {prose(', '.join(facts.get('kinds', ())))} are replaced by surrogates ({how}). "
        f"One person has one surrogate {_SCOPES[facts.get('scope', 'document')]}. "
        "Other words may tell who somebody is: a job, a place, a rare fact."
    )
    measured = facts.get("evaluation")
    if not measured:
        return text + " **How many mentions it misses was not measured.**"
    text += (
        f" Measured on {measured['documents']:,} labelled texts (SHA-256 {code(measured['labelled']['sha256'])}): "
        "a mention not wholly masked is missed. On texts of another sort it may miss more."
    )
    rows = [
        [kind, f"{row['mentions']:,}", _share(row["recall"]), _share(row["recall_low"]), _share(row["precision"])]
        for kind, row in sorted(measured["kinds"].items(), key=lambda item: (item[0] == "all", item[0]))
        if row["mentions"]
    ]
    return text + "\n\n" + table(["Kind", "Mentions#", "Recall#", "At least (95 %)#", "Precision#"], rows)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
