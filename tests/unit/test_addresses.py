"""Addresses of sources, and that one with a secret goes no further."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator.addresses import Address, address_of, holds_secret, is_address, place_of
from curator.errors import SourceError

CANARY = "canary-Pq8"
SECRETS = [
    f"postgresql://user:{CANARY}@host/base", f"postgresql://:{CANARY}@host/base", f"postgresql://user:{CANARY}@/base",
    f"postgresql://user:a/{CANARY}@host/base", f"postgresql://user:a@{CANARY}@host/base",
    f"postgresql://host/base?password={CANARY}", f"postgresql://host/base?user=a&PASSWORD={CANARY}",
    f"mariadb://host/base?pwd={CANARY}", f"mariadb://host/base?ssl_password={CANARY}",
    f"s3://bucket/key.csv?secret_key={CANARY}", f"https://host/blob?sv=1&sig={CANARY}", f"x://host/?token={CANARY}",
    f"x://host/?api_key={CANARY}", f"x://host/;accesskey={CANARY}", f"x://host/#access_key={CANARY}",
    f"x://host/?X-Amz-Signature={CANARY}", f"postgresql://host/base?passfile=/{CANARY}",
]  # fmt: skip
PLAIN = [
    "postgresql://reader@db.example:5432/accidents", "postgresql:///base?host=/run/postgresql&user=reader",
    "s3://bucket/2019/*.csv", "s3://bucket/a:b@c.csv", "mariadb://[::1]:3306/base", "x://host/passwords",
    "postgresql://reader@host/base?sslmode=verify-full", "x://host/?signed=1",
]  # fmt: skip


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_refused_and_not_repeated(text: str) -> None:
    assert holds_secret(text)
    with pytest.raises(SourceError) as caught:
        address_of(text, source="persons")
    assert caught.value.code in ("address-secret", "address-invalid")
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_secret_passes(text: str) -> None:
    assert not holds_secret(text)
    assert address_of(text, source="persons").text == text


def test_the_parts() -> None:
    address = address_of("PostgreSQL://a%20b@db.example:5433/road%20base?sslmode=require", source="t")
    assert (address.scheme, address.user, address.host, address.port) == ("postgresql", "a b", "db.example", 5433)
    assert (address.place, address.name, dict(address.options)) == ("road base", "road base", {"sslmode": "require"})
    assert address_of("s3://bucket/a/b.csv", source="t").name == "b.csv"


@pytest.mark.parametrize("text", ["postgresql://host:port/base", "postgresql://host:99999/base", "x://ho\nst/base"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        address_of(text, source="t")
    assert caught.value.code in ("address-invalid", "address-secret")


def test_paths_stay_paths() -> None:
    assert not is_address("data/a.csv")
    assert not is_address(Path("a"))
    assert place_of("a.csv", source="t", folder=Path("data")) == Path("data/a.csv")
    assert isinstance(place_of("x://h/b", source="t", folder=Path("data")), Address)
