"""Checked rows with the way each field is protected."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from curator.expressions import parse
from curator.identifiers import DeclaredForm
from curator.kernel import BY, ENTITY, LATITUDE, LEAF, ROW_KEY, SPLIT, Anchor, BatchKernel, EntityPart
from curator.pseudonyms import KeyContext
from curator.samples._checked import CheckedSample
from curator.samples._coarse import Coarse
from curator.samples._sample import SAMPLE
from curator.samples._step import RowStep
from curator.spec import UseCase
from curator.spec.model import EntitySplits, OutputField, TimeSplits
from curator.spec.people import people_of
from curator.spec.protecting import engine_formula
from curator.sqltext import TEXT, literal, quoted, text_key


@dataclass(frozen=True, kw_only=True)
class ProtectedSample:
    """Checked rows with the way each field is protected, still in the engine.

    Attributes:
        checked: what is protected.
        kernel: the keyed part, run on each batch.
        context: for whom and why the keys are derived.
        key_ids: field -> id of its token key; an id tells nothing of the key.
        text: masked field -> how, and what was measured of it.
        coarse: how fields that were searched or merged are written.
    """

    checked: CheckedSample
    kernel: BatchKernel
    context: KeyContext
    key_ids: dict[str, str]
    text: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    coarse: Coarse = dataclasses.field(default_factory=Coarse)

    @property
    def use_case(self) -> UseCase:
        """The use case, its fields as they are written."""
        return self.coarse.of(self.checked.sample.use_case)

    def sql(self) -> str:
        """The one query that feeds the stream: masks, row key, entity or split, then the fields before the kernel."""
        scope, dialect = self.checked.sample.scope, self.checked.sample.engine.dialect
        columns = self.checked.mask_columns()
        columns.append(f"{text_key(self.use_case.extract.row_key)} AS {quoted(ROW_KEY)}")
        columns += self._place_columns()
        columns += self._move_columns()
        for name, leaf in self.coarse.leaves.items():
            value = parse(leaf, scope.expression_types()).sql(dialect)
            columns.append(f"CAST({value} AS {TEXT}) AS {quoted(LEAF.format(name))}")
        for name, field in self.use_case.kept().items():
            formula = engine_formula(name, field, scope=scope)
            if formula is not None:
                value = parse(formula, scope.expression_types()).sql(dialect)
            elif field.protect == "token":
                value = f"CAST({quoted(field.from_ or name)} AS {TEXT})"
            else:
                value = quoted(field.from_ or name)
            columns.append(f"{value} AS {quoted(name)}")
        return f"SELECT {', '.join(columns)} FROM {quoted(SAMPLE)}"  # noqa: S608 (built from a checked spec)

    def _place_columns(self) -> list[str]:
        splits, asked = self.use_case.splits, self.kernel.entity or self.kernel.people
        parts = zip(self.use_case.extract.entity if asked else (), asked, strict=True)
        columns = [
            f"CAST({quoted(name)} AS {TEXT}) AS {quoted(ENTITY.format(index))}"
            for index, (name, part) in enumerate(parts)
            if part.field is None
        ]
        return columns if isinstance(splits, EntitySplits) else [*columns, f"{_time_split(splits)} AS {quoted(SPLIT)}"]

    def step(self) -> RowStep:
        """What each batch of that query passes through, wherever the rows are."""
        return RowStep(kernel=self.kernel, rejecting=self.checked.rejecting, keys=bool(self.checked.implied))

    def _move_columns(self) -> list[str]:
        """Whom a date or coordinate belongs to where no token field says it, and the latitudes of longitudes."""
        moved = self.kernel.moved
        names = dict.fromkeys(anchor.column for move in moved for anchor in move.by if anchor.field is None)
        columns = [f"CAST({quoted(name)} AS {TEXT}) AS {quoted(BY.format(name))}" for name in names]
        for move in moved:
            if move.longitude:
                latitude = self.use_case.fields[move.name].latitude or ""
                columns.append(f"{quoted(latitude)} AS {quoted(LATITUDE.format(move.name))}")
        return columns

    def facts(self) -> dict[str, Any]:
        """How each field was protected, for the evidence: methods, forms and key ids, never a key."""
        fields = {name: _described(field, self.key_ids.get(name)) for name, field in self.use_case.fields.items()}
        for name, masking in self.text.items():
            fields[name] |= masking
        return {
            "context": {
                "purpose": self.context.purpose,
                "recipient": self.context.recipient,
                "epoch": self.context.epoch,
            },
            "fields": fields,
            "tokens": _methods(self.use_case),
            **({"coarse": dict(self.coarse.told)} if self.coarse.told else {}),
        }


def entity_parts(use_case: UseCase) -> tuple[EntityPart, ...]:
    """The parts of the entity with their canonical forms; none when splits are cut in time."""
    return entity_forms(use_case) if isinstance(use_case.splits, EntitySplits) else ()


def people_parts(use_case: UseCase) -> tuple[EntityPart, ...]:
    """The parts of the entity where people are counted whom no written field tells apart; none otherwise."""
    return entity_forms(use_case) if people_of(use_case).told == "stream" else ()


def entity_forms(use_case: UseCase) -> tuple[EntityPart, ...]:
    """The parts of the entity, with their canonical forms."""
    return tuple(EntityPart(form=form, field=field) for _, form, field in _named(use_case, use_case.extract.entity))


def anchors(use_case: UseCase, field: OutputField) -> tuple[Anchor, ...]:
    """The columns that say who or what moves as one: the field's `by`, else the entity."""
    names = _named(use_case, field.by or use_case.extract.entity)
    return tuple(Anchor(column=column, form=form, field=token) for column, form, token in names)


def form_of(use_case: UseCase, name: str | None) -> str | DeclaredForm:
    """The canonical form that a spec names: its own when it declares one of that name; `raw` for none."""
    words = use_case.forms.get(name or "")
    return DeclaredForm(name=name or "", words=words) if words else name or "raw"


def _named(use_case: UseCase, columns: Iterable[str]) -> Iterator[tuple[str, str | DeclaredForm, str | None]]:
    """Each column with its canonical form, and the token field made from it, whose canonical values serve both."""
    tokens = {field.from_ or name: (name, field) for name, field in use_case.kept().items() if field.protect == "token"}
    forms = {field.from_ or name: field.form for name, field in use_case.fields.items() if field.form}
    for column in columns:
        if column in tokens:
            yield column, form_of(use_case, tokens[column][1].form), tokens[column][0]
        else:
            yield column, form_of(use_case, forms.get(column)), None


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


_WORDS = ("by", "days", "metres", "latitude", "least", "most", "to", "fewer_than", "other")

_METHODS = {
    "cmac": "AES-256-CMAC (NIST SP 800-38B)",
    "hmac-sha256": "HMAC-SHA256 (FIPS 198-1) cut to 128 bits",
    "siv": "AES-SIV with two 256-bit keys (RFC 5297), which the holder's custodian can reveal",
}


def _methods(use_case: UseCase) -> str:
    """How the tokens are made, in words; CMAC when there is none."""
    used = dict.fromkeys(field.method or "cmac" for field in use_case.kept().values() if field.protect == "token")
    return f"{', '.join(_METHODS[method] for method in used or ['cmac'])} under HKDF-SHA256 keys (RFC 5869)"


def _described(field: OutputField, key: str | None) -> dict[str, Any]:
    described: dict[str, Any] = {"protect": field.protect, "identifier": field.identifier or "none"}
    if field.protect == "token":
        described |= {"form": field.form, "key_id": key, "method": field.method or "cmac"}
        described["malformed"] = field.malformed or "apart"
    if field.protect == "generalise":
        described["value"] = field.value
    words = {word: getattr(field, word) for word in _WORDS}
    return described | {word: value for word, value in words.items() if value is not None}
