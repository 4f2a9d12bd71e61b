"""Protect: direct identifiers become keyed tokens, quasi-identifiers coarser values, the rest is as declared or absent.

`protect` decides for every field; nothing moves yet. What the engine can do (coarser values) stays SQL; what needs a key is the
batch kernel, so no key ever reaches an engine. A field that the spec drops, or does not declare, is not even read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curator.expressions import parse
from curator.extraction import SAMPLE
from curator.kernel import ENTITY, ROW_KEY, SPLIT, BatchKernel, TokenField
from curator.pseudonyms import KeyContext, derive_key, key_id
from curator.quality import CheckedSample
from curator.spec import UseCase
from curator.spec.model import EntitySplits, OutputField, TimeSplits
from curator.sqltext import literal, quoted, text_key


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
                value = f"CAST({quoted(field.from_ or name)} AS VARCHAR)"
            else:
                value = quoted(field.from_ or name)
            columns.append(f"{value} AS {quoted(name)}")
        return f"SELECT {', '.join(columns)} FROM {quoted(SAMPLE)}"  # noqa: S608 (built from a checked spec)

    def _place_columns(self) -> list[str]:
        splits = self.use_case.splits
        if isinstance(splits, EntitySplits):
            return [
                f"CAST({quoted(name)} AS VARCHAR) AS {quoted(ENTITY.format(index))}"
                for index, name in enumerate(self.use_case.extract.entity)
            ]
        return [f"{_time_split(splits)} AS {quoted(SPLIT)}"]

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


def protect(checked: CheckedSample, *, root: bytes, context: KeyContext) -> ProtectedSample:
    """Decide how each field is protected and derive the keys for it.

    Args:
        checked: rows and their rules.
        root: the holder's root key.
        context: holder, purpose, recipient and epoch; another context gives other tokens.

    Raises:
        SecretError: the root is too short or the context lacks a part.
    """
    use_case = checked.sample.use_case
    tokens = tuple(
        TokenField(
            name=name,
            form=field.form or "raw",
            key=derive_key(root, context, usage="token", domain=field.domain or field.form or name),
        )
        for name, field in use_case.kept().items()
        if field.protect == "token"
    )
    counted = use_case.disclosure is not None and bool(use_case.quasi_identifiers())
    stable = KeyContext(holder=context.holder, purpose=context.purpose, recipient="all", epoch="all")
    kernel = BatchKernel(
        fields=tuple(use_case.kept()),
        tokens=tokens,
        order_key=derive_key(root, context, usage="order", domain=use_case.ref),
        split_key=derive_key(root, stable, usage="split", domain=use_case.name),
        entity_forms=_entity_forms(use_case),
        shares=tuple(use_case.splits.shares.values()) if isinstance(use_case.splits, EntitySplits) else (),
        class_key=derive_key(root, context, usage="class", domain=use_case.ref) if counted else None,
        quasi=use_case.quasi_identifiers(),
        sensitive=use_case.disclosure.l.column if use_case.disclosure and use_case.disclosure.l else None,
    )
    key_ids = {token.name: key_id(token.key) for token in tokens}
    return ProtectedSample(checked=checked, kernel=kernel, context=context, key_ids=key_ids)


def split_names(use_case: UseCase) -> tuple[str, ...]:
    """Names of the splits, in the order of their index."""
    splits = use_case.splits
    return tuple(splits.shares) if isinstance(splits, EntitySplits) else tuple(splits.until)


def _entity_forms(use_case: UseCase) -> tuple[str, ...]:
    """The canonical form of each part of the entity, so that one person's spellings stay in one split."""
    if not isinstance(use_case.splits, EntitySplits):
        return ()
    forms = {field.from_ or name: field.form for name, field in use_case.fields.items() if field.form}
    return tuple(forms.get(name) or "raw" for name in use_case.extract.entity)


def _time_split(splits: TimeSplits) -> str:
    """Index of the first split whose bound the row's day does not pass; a null date goes to the first."""
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
