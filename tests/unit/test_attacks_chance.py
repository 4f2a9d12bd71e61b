"""What looks like an identifier by chance is none: digests in papers and texts, account numbers of no country."""

from __future__ import annotations

import hashlib
import json

import pyarrow as pa
import pytest

from curator.attacks import clear_leaks
from curator.attacks._clear import paper_leaks

ACCOUNTS = {
    "AT": "AT611904300234573201",
    "BE": "BE68539007547034",
    "DE": "DE89370400440532013000",
    "ES": "ES9121000418450200051332",
    "GB": "GB29NWBK60161331926819",
    "NO": "NO9386011117947",
    "PL": "PL61109010140000071219812874",
    "SA": "SA0380000000608010167519",
}
"""The examples of the registry of ISO 13616."""


def test_digests_are_no_account_numbers() -> None:
    digests = [hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest() for number in range(50_000)]
    found = [digest for digest in digests if paper_leaks({"manifest.json": json.dumps({"md5": digest}).encode()})]
    assert not found
    short = json.dumps([{"key_id": digest[:16]} for digest in digests]).encode()
    assert paper_leaks({"evidence.json": short}) == ()


@pytest.mark.parametrize("code", ACCOUNTS.values(), ids=ACCOUNTS)
@pytest.mark.parametrize("spelt", ["{}", "{} para mi casa", "({})", "pay {}."])
def test_an_account_number_is_found_whatever_follows(code: str, spelt: str) -> None:
    grouped = " ".join(code[place : place + 4] for place in range(0, len(code), 4))
    for text in (code, grouped, code.lower()):
        leaks = paper_leaks({"README.md": spelt.format(text).encode()})
        assert "README.md: iban" in [leak.where for leak in leaks]


def test_an_account_number_in_a_longer_text_of_a_column_is_found() -> None:
    column = pa.chunked_array(
        [["nothing", f"please transfer it to {ACCOUNTS['ES'][:4]} 2100 0418 4502 0005 1332 soon"]]
    )
    assert [leak.where for leak in clear_leaks("note", column)] == ["note: iban"]


def test_a_digest_in_a_text_of_a_column_is_none() -> None:
    digests = [hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest() for number in range(20_000)]
    assert clear_leaks("note", pa.chunked_array([[f"see the object {digest} there" for digest in digests]])) == ()
