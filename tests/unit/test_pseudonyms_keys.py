"""Derived keys: RFC 5869 by the library, unambiguous context, named without being shown."""

import dataclasses
import hashlib
import hmac
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.canonical import canonical_json
from curator.errors import SecretError
from curator.pseudonyms import KeyContext, derive_key, key_id

ROOT = bytes(range(32))
CONTEXT = KeyContext("préfecture", "road-safety", "laboratory", "2024")
TEXT = st.text(min_size=1, max_size=6).filter(lambda text: text.strip() != "")


def hkdf_sha256(root: bytes, *, salt: bytes, info: bytes) -> bytes:
    """RFC 5869 in two lines, for 32 bytes of output."""
    extracted = hmac.digest(salt, root, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def test_a_derived_key_is_hkdf_of_the_named_parts() -> None:
    parts = dataclasses.asdict(CONTEXT) | {"usage": "token", "domain": "person"}
    expected = hkdf_sha256(ROOT, salt=b"curator/key-derivation/v1", info=canonical_json(parts))
    assert derive_key(ROOT, CONTEXT, usage="token", domain="person") == expected


def test_the_derivation_never_changes() -> None:
    """Tokens already given out depend on these bytes: a change here breaks every existing data set."""
    key = derive_key(ROOT, KeyContext("h", "p", "r", "e"), usage="token", domain="d")
    assert hashlib.sha256(key).hexdigest() == "50abda6e1b350aac4d9bdebf11084d7e2e7686c106774ac7107285340c198c8c"
    assert key_id(key) == "f4519a19f689f3f7"


@pytest.mark.parametrize("field", ["holder", "purpose", "recipient", "epoch", "usage", "domain"])
def test_each_part_changes_the_key(field: str) -> None:
    parts = {**dataclasses.asdict(CONTEXT), "usage": "token", "domain": "person"}
    other = parts | {field: "another"}

    def key(of: dict[str, str]) -> bytes:
        context = KeyContext(of["holder"], of["purpose"], of["recipient"], of["epoch"])
        return derive_key(ROOT, context, usage=of["usage"], domain=of["domain"])

    assert key(parts) != key(other)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, min_size=6, max_size=6), st.lists(TEXT, min_size=6, max_size=6))
def test_two_contexts_share_a_key_only_if_they_are_one(left: list[str], right: list[str]) -> None:
    def key(parts: list[str]) -> bytes:
        return derive_key(ROOT, KeyContext(*parts[:4]), usage=parts[4], domain=parts[5])

    plain = [[unicodedata.normalize("NFC", part) for part in parts] for parts in (left, right)]
    assert (key(left) == key(right)) == (plain[0] == plain[1])


def test_parts_cannot_slide_into_each_other() -> None:
    one = derive_key(ROOT, KeyContext("a", "bc", "r", "e"), usage="token", domain="d")
    two = derive_key(ROOT, KeyContext("ab", "c", "r", "e"), usage="token", domain="d")
    assert one != two


def test_composed_and_decomposed_contexts_are_one() -> None:
    decomposed = dataclasses.replace(CONTEXT, holder=unicodedata.normalize("NFD", CONTEXT.holder))
    assert decomposed != CONTEXT
    assert derive_key(ROOT, decomposed, usage="token", domain="d") == derive_key(
        ROOT, CONTEXT, usage="token", domain="d"
    )


@pytest.mark.parametrize("field", ["holder", "purpose", "recipient", "epoch"])
@pytest.mark.parametrize("value", ["", "  ", "\u00a0", None, 2024])
def test_a_context_without_a_part_is_refused(field: str, value: object) -> None:
    with pytest.raises(SecretError) as caught:
        dataclasses.replace(CONTEXT, **{field: value})
    assert caught.value.code == "key-context-missing"
    assert field in str(caught.value)


@pytest.mark.parametrize(("usage", "domain"), [("", "d"), ("token", " ")])
def test_usage_and_domain_are_needed(usage: str, domain: str) -> None:
    with pytest.raises(SecretError, match="key-context-missing"):
        derive_key(ROOT, CONTEXT, usage=usage, domain=domain)


def test_a_context_that_is_not_unicode_text_is_refused() -> None:
    with pytest.raises(SecretError, match="key-context-missing"):
        dataclasses.replace(CONTEXT, holder="\ud800")


@pytest.mark.parametrize("length", [0, 16, 31])
def test_a_short_root_is_refused_without_showing_it(length: int) -> None:
    root = b"\x41" * length
    with pytest.raises(SecretError) as caught:
        derive_key(root, CONTEXT, usage="token", domain="d")
    assert caught.value.code == "key-too-short"
    assert "AAAA" not in str(caught.value)


def test_a_longer_root_is_used_whole() -> None:
    keys = {derive_key(ROOT + bytes([last]), CONTEXT, usage="token", domain="d") for last in range(4)}
    assert len(keys) == 4


def test_key_id_names_a_key_without_showing_it() -> None:
    keys = [derive_key(ROOT, CONTEXT, usage="token", domain=str(number)) for number in range(200)]
    names = [key_id(key) for key in keys]
    assert len(set(names)) == 200
    assert all(len(name) == 16 and int(name, 16) >= 0 for name in names)
    assert not any(name in key.hex() for name, key in zip(names, keys, strict=True))


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(33)])
def test_key_id_asks_for_a_derived_key(key: bytes) -> None:
    with pytest.raises(SecretError, match="key-length-wrong"):
        key_id(key)
