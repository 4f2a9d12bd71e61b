"""Protect: direct identifiers become keyed tokens, quasi-identifiers coarser values, the rest is as declared or absent.

`protect` decides for every field; nothing moves yet. What the engine can do (coarser values) stays SQL; what needs a
key is the batch kernel, so no key ever reaches an engine. A field that the spec drops, or does not declare, is not
even read.
"""

from __future__ import annotations

from curator.kernel import BatchKernel, TokenField
from curator.pseudonyms import KeyContext, derive_key, key_id
from curator.samples import CheckedSample, ProtectedSample, entity_parts
from curator.spec.model import EntitySplits


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
        entity=entity_parts(use_case),
        shares=tuple(use_case.splits.shares.values()) if isinstance(use_case.splits, EntitySplits) else (),
        class_key=derive_key(root, context, usage="class", domain=use_case.ref) if counted else None,
        quasi=use_case.quasi_identifiers(),
        sensitive=use_case.disclosure.l.column if use_case.disclosure and use_case.disclosure.l else None,
    )
    key_ids = {token.name: key_id(token.key) for token in tokens}
    return ProtectedSample(checked=checked, kernel=kernel, context=context, key_ids=key_ids)
