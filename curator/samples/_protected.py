"""Checked rows with the way each field is protected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curator.expressions import parse
from curator.kernel import ENTITY, ROW_KEY, SPLIT, BatchKernel, EntityPart
from curator.pseudonyms import KeyContext
from curator.samples._checked import CheckedSample
from curator.samples._sample import SAMPLE
from curator.samples._step import RowStep
from curator.spec import UseCase
from curator.spec.model import EntitySplits, OutputField, TimeSplits
from curator.sqltext import TEXT, literal, quoted, text_key


@dataclass(frozen=True, kw_only=True)
class ProtectedSample:
    """Checked rows with the way each field is protected, still in the engine.

    Attributes:
        checked: what is protected.
        kernel: the keyed part, run on each batch.
        context: for whom and why the keys are derived.
        key_ids: field -> id of its token key; an id tells nothing of the key.
    """

    checked: CheckedSample
    kernel: BatchKernel
    context: KeyContext
    key_ids: dict[str, str]

    @property
    def use_case(self) -> UseCase:
        """The use case."""
        return self.checked.sample.use_case

    def sql(self) -> str:
        """The one query that feeds the stream: masks, row key, entity or split, then the fields before the kernel."""
        scope, dialect = self.checked.sample.scope, self.checked.sample.engine.dialect
        columns = self.checked.mask_columns()
        columns.append(f"{text_key(self.use_case.extract.row_key)} AS {quoted(ROW_KEY)}")
        columns += self._place_columns()
        for name, field in self.use_case.kept().items():
            if field.protect == "generalise":
                value = parse(field.value or "", scope.expression_types()).sql(dialect)
            elif field.protect == "token":
                value = f"CAST({quoted(field.from_ or name)} AS {TEXT})"
            else:
                value = quoted(field.from_ or name)
            columns.append(f"{value} AS {quoted(name)}")
        return f"SELECT {', '.join(columns)} FROM {quoted(SAMPLE)}"  # noqa: S608 (built from a checked spec)

    def _place_columns(self) -> list[str]:
        splits = self.use_case.splits
        if isinstance(splits, EntitySplits):
            parts = zip(self.use_case.extract.entity, entity_parts(self.use_case), strict=True)
            return [
                f"CAST({quoted(name)} AS {TEXT}) AS {quoted(ENTITY.format(index))}"
                for index, (name, part) in enumerate(parts)
                if part.field is None
            ]
        return [f"{_time_split(splits)} AS {quoted(SPLIT)}"]

    def step(self) -> RowStep:
        """What each batch of that query passes through, wherever the rows are."""
        return RowStep(kernel=self.kernel, rejecting=self.checked.rejecting, keys=bool(self.checked.implied))

    def facts(self) -> dict[str, Any]:
        """How each field was protected, for the evidence: methods, forms and key ids, never a key."""
        fields = {name: _described(field, self.key_ids.get(name)) for name, field in self.use_case.fields.items()}
        return {
            "context": {
                "purpose": self.context.purpose,
                "recipient": self.context.recipient,
                "epoch": self.context.epoch,
            },
            "fields": fields,
            "tokens": "AES-256-CMAC (NIST SP 800-38B) under HKDF-SHA256 keys (RFC 5869)",
        }


def entity_parts(use_case: UseCase) -> tuple[EntityPart, ...]:
    """The parts of the entity with their canonical forms; none when splits are cut in time."""
    if not isinstance(use_case.splits, EntitySplits):
        return ()
    tokens = {field.from_ or name: (name, field) for name, field in use_case.kept().items() if field.protect == "token"}
    forms = {field.from_ or name: field.form for name, field in use_case.fields.items() if field.form}
    return tuple(
        EntityPart(form=tokens[name][1].form or "raw", field=tokens[name][0])
        if name in tokens
        else EntityPart(form=forms.get(name) or "raw")
        for name in use_case.extract.entity
    )


def split_names(use_case: UseCase) -> tuple[str, ...]:
    """Names of the splits, in the order of their index."""
    splits = use_case.splits
    return tuple(splits.shares) if isinstance(splits, EntitySplits) else tuple(splits.until)


def _time_split(splits: TimeSplits) -> str:
    """Index of the first split whose bound the row's day does not pass; rows without a date are rejected before."""
    day = f"CAST({quoted(splits.column)} AS DATE)"
    cases = [
        f"WHEN {day} <= CAST({literal(bound)} AS DATE) THEN {index}"
        for index, bound in enumerate(splits.until.values())
        if bound is not None
    ]
    null = f"WHEN {day} IS NULL THEN 0 "
    return f"CAST(CASE {null}{' '.join(cases)} ELSE {len(splits.until) - 1} END AS INTEGER)"


def _described(field: OutputField, key: str | None) -> dict[str, Any]:
    described: dict[str, Any] = {"protect": field.protect, "identifier": field.identifier or "none"}
    if field.protect == "token":
        described |= {"form": field.form, "key_id": key}
    if field.protect == "generalise":
        described["value"] = field.value
    return described
