"""Protect: direct identifiers become keyed tokens, quasi-identifiers coarser values, the rest is as declared or absent.

`protect` decides for every field; nothing moves yet. What the engine can do (coarser values) stays SQL; what needs a
key is the batch kernel, so no key ever reaches an engine. A field that the spec drops, or does not declare, is not
even read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curator.identifiers import DeclaredForm
from curator.kernel import BatchKernel, MovedField, TokenField
from curator.pseudonyms import KEY_BYTES, KeyContext, derive_key, derive_siv_key, key_id
from curator.samples import CheckedSample, Coarse, ProtectedSample, anchors, entity_parts, form_of, people_parts
from curator.spec import UseCase
from curator.spec.model import EntitySplits, OutputField, TextMask
from curator.text import Kind, Masker, read_evaluation


def protect(
    checked: CheckedSample,
    *,
    root: bytes,
    context: KeyContext,
    epoch_root: bytes | None = None,
    folder: Path | None = None,
    line: str | None = None,
    coarse: Coarse | None = None,
) -> ProtectedSample:
    """Decide how each field is protected and derive the keys for it.

    Args:
        checked: rows and their rules.
        root: the holder's root key; what outlives epochs (the split) derives from it.
        context: holder, purpose, recipient and epoch; another context gives other tokens.
        epoch_root: what the epoch's keys derive from, so that destroying it destroys them; the root when None.
        folder: where the spec stands, and the evaluations of masked text that it names.
        line: the first version of those that share an order of rows; the version itself when None.
        coarse: how the fields that were searched or merged are written.

    Raises:
        SecretError: a root is too short or the context lacks a part.
    """
    coarse = coarse or Coarse()
    use_case, secret = coarse.of(checked.sample.use_case), epoch_root or root
    tokens = tuple(
        _token_field(name, field, form=form_of(use_case, field.form), secret=secret, context=context)
        for name, field in use_case.kept().items()
        if field.protect == "token"
    )
    counted = use_case.disclosure is not None and bool(use_case.quasi_identifiers())
    stable = KeyContext(holder=context.holder, purpose=context.purpose, recipient="all", epoch="all")
    kernel = BatchKernel(
        fields=tuple(use_case.kept()),
        tokens=tokens,
        order_key=derive_key(secret, context, usage="order", domain=line or use_case.ref),
        split_key=derive_key(root, stable, usage="split", domain=use_case.purpose_name),
        entity=entity_parts(use_case),
        shares=tuple(use_case.splits.shares.values()) if isinstance(use_case.splits, EntitySplits) else (),
        class_key=derive_key(secret, context, usage="class", domain=use_case.ref) if counted else None,
        quasi=use_case.quasi_identifiers(),
        sensitive=use_case.disclosure.sensitive if use_case.disclosure else None,
        moved=tuple(_moved_fields(use_case, secret=secret, context=context)),
        masked=dict(_maskers(use_case, secret=secret, context=context)),
        merged=coarse.merged,
        levels=coarse.levels,
        people=people_parts(use_case) if counted else (),
    )
    key_ids = {token.name: key_id(token.key[:KEY_BYTES]) for token in tokens}
    text = {name: _masking(use_case.fields[name], masker, folder=folder) for name, masker in kernel.masked.items()}
    return ProtectedSample(checked=checked, kernel=kernel, context=context, key_ids=key_ids, text=text, coarse=coarse)


def token_key(root: bytes, context: KeyContext, *, method: str, domain: str) -> bytes:
    """The key of one token domain: 32 bytes, or 64 for `siv`. Methods never share a key. Raises as `derive_key`."""
    if method == "siv":
        return derive_siv_key(root, context, domain=domain)
    return derive_key(root, context, usage="token" if method == "cmac" else f"token-{method}", domain=domain)


def token_domain(name: str, field: OutputField) -> str:
    """The key domain of a token field: its own, else its form, else its name."""
    return field.domain or field.form or name


def _token_field(
    name: str, field: OutputField, *, form: str | DeclaredForm, secret: bytes, context: KeyContext
) -> TokenField:
    domain, method = token_domain(name, field), field.method or "cmac"
    return TokenField(
        name=name,
        form=form,
        key=token_key(secret, context, method=method, domain=domain),
        method=method,
        malformed=field.malformed or "apart",
        apart=token_key(secret, context, method=method, domain=f"malformed {domain}"),
    )


def _maskers(use_case: UseCase, *, secret: bytes, context: KeyContext) -> Iterator[tuple[str, Masker]]:
    """What masks each text; those of one key domain give one person one surrogate in all of them."""
    for name, field in use_case.kept().items():
        if field.protect == "mask":
            words = field.mask or TextMask()
            key = derive_key(secret, context, usage="text", domain="surrogates") if words.scope == "dataset" else None
            kinds = frozenset(Kind(kind) for kind in words.entities) or frozenset(Kind)
            model = None if words.model == "none" else words.model
            yield name, Masker(kinds=kinds, scope=words.scope, model=model, key=key)


def _masking(field: OutputField, masker: Masker, *, folder: Path | None) -> dict[str, Any]:
    """How a text is masked and how well that was measured to work, for the evidence and the card."""
    named = field.mask.evaluation if field.mask else None
    measured = read_evaluation((folder or Path()) / named, masker=masker) if named else None
    return {**masker.describe(), "scope": masker.scope, "evaluation": measured}


def _moved_fields(use_case: UseCase, *, secret: bytes, context: KeyContext) -> Iterator[MovedField]:
    """Dates and coordinates to move: one key for all dates, one for all places, so that what belongs together stays."""
    for name, field in use_case.kept().items():
        if field.protect in ("shift", "jitter"):
            yield MovedField(
                name=name,
                key=derive_key(secret, context, usage=field.protect, domain=use_case.purpose_name),
                by=anchors(use_case, field),
                days=field.days or 0,
                metres=field.metres or 0,
                longitude=field.latitude is not None,
            )
