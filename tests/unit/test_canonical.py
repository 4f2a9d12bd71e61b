"""Canonical bytes: those of RFC 8785 for whatever JSON holds, and refusals for what it does not."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from enum import IntEnum, StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.canonical import canonical_json


class Word(StrEnum):
    ONE = 'é"\n'


class Number(IntEnum):
    SEVEN = 7


plain = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from([Word.ONE, Number.SEVEN, (), OrderedDict(b=1, a=2)]),
)  # fmt: skip
names = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [Word.ONE, "\ufb33", "\U0001f600", "\u20ac"]
)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=20
)


@settings(derandomize=True, max_examples=300)
@given(values)
def test_the_bytes_are_those_of_the_reference(value: Any) -> None:
    found = canonical_json(value)
    assert found == rfc8785.dumps(value)
    assert canonical_json(json.loads(found, parse_int=float)) == found, "what was read back is spelt otherwise"


def test_names_are_ordered_by_their_utf16_units() -> None:
    """The example of RFC 8785, 3.2.3."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\u00f6"]
    found = canonical_json(dict.fromkeys(names, 0)).decode()
    assert found == '{"\\r":0,"1":0,"\x80":0,"\u00f6":0,"\u20ac":0,"\U0001f600":0,"\ufb33":0}'


@pytest.mark.parametrize(
    "value", [math.nan, [math.inf], {"a": 2**53}, -(2**53), {1: 0}, {"a": {None: 0}}, "\ud83d",
              {"\ud83d": 1, "\u00e9": 2}, object(), {"a": {1, 2}}, b"bytes"],
)  # fmt: skip
def test_what_json_cannot_carry_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        canonical_json(value)
