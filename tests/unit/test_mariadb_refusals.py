"""What MariaDB and MySQL say by number, without a server; and the types that only one of both has."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from curator.addresses import address_of
from curator.sources._mariadb_session import _unconnected, connected, refused
from curator.sources.mariadb import FEEDING

ADDRESS = address_of("mysql://reader@db.example/base", source="t")
CODES = {
    # MySQL alone: offline, a function withheld, an account locked, blocked, of a kind that is not loaded, too slow
    3032: "database-unreachable", 1370: "database-denied", 3118: "database-login", 3955: "database-login",
    1524: "database-login", 3024: "database-timeout",
    # MariaDB alone: another number for the same
    4151: "database-login", 1969: "database-timeout", 1698: "database-login",
    # both
    1040: "database-unreachable", 1203: "database-unreachable", 1226: "database-unreachable", 1045: "database-login",
    1044: "database-denied", 1049: "database-missing", 1142: "database-denied", 1143: "database-denied",
    1317: "database-timeout", 1205: "database-timeout", 1356: "database-fault", 1412: "database-snapshot",
    3159: "database-login", 1251: "database-login", 2026: "database-unreachable", 2003: "database-unreachable",
    2013: "database-unreachable", 1146: "database-snapshot", 1213: "database-conflict", 1114: "database-resources",
    1932: "database-damaged", 1064: "database-fault",
}  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_each_number_has_its_refusal(code: int) -> None:
    error = _unconnected(Exception(code, "canary cell"), ADDRESS, source="t", given=True)
    assert error.code == CODES[code]
    assert "canary" not in str(error)


def test_a_number_means_another_thing_while_rows_are_read() -> None:
    said = {code: refused("t", ADDRESS, code=code) for code in (1045, 2013, 4031, 1927, 1820, 1, 0)}
    assert {code: error.code for code, error in said.items()} == {
        1045: "database-fault", 2013: "database-lost", 4031: "database-lost", 1927: "database-lost",
        1820: "database-login", 1: "database-fault", 0: "database-lost",
    }  # fmt: skip
    assert "whose owner is gone" in said[1045].found
    assert "state 1 " in said[1].found


@pytest.mark.parametrize(
    ("below", "found"),
    [
        (ssl.SSLCertVerificationError(1, "canary"), "a server whose certificate none of `ssl_ca` vouches for"),
        (ssl.SSLError(1, "canary"), "a server that speaks no TLS, or none that is spoken here"),
        (OSError("canary"), "no server that answers there"),
    ],
)
def test_why_tls_fails(below: OSError, found: str) -> None:
    fault = Exception(2003, "canary")
    fault.original_exception = below  # type: ignore[attr-defined]
    error = _unconnected(fault, ADDRESS, source="t", given=True)
    assert (error.code, error.found.startswith(found)) == ("database-unreachable", True)
    assert "canary" not in str(error)


def authority() -> bytes:
    """A certificate, in the spelling of files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an authority")])
    first = datetime.datetime(2026, 1, 1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(first)
        .not_valid_after(first.replace(year=2126))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    ("options", "verified", "named"),
    [
        ("ssl_ca={ca}", True, True), ("ssl_ca={ca}&ssl_verify_identity=false", True, False),
        ("ssl_verify_identity=true", True, True), ("", False, False),
    ],
)  # fmt: skip
def test_what_the_driver_is_told_of_tls(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: str, verified: bool, named: bool
) -> None:
    """A file of authorities that the driver is given by name alone would not be looked at."""
    pymysql = pytest.importorskip("pymysql")
    said = {}

    class Silent:
        _read_timeout = None

    def connect(**settings: object) -> Silent:
        said.update(settings)
        return Silent()

    monkeypatch.setattr(pymysql, "connect", connect)
    authorities = tmp_path / "ca.pem"
    authorities.write_bytes(authority())
    connected(address_of(f"mysql://u@h/b?{options.format(ca=authorities)}", source="t"), "t", password="é€")
    context = said.get("ssl")
    assert said["password"] == "é€".encode()
    assert isinstance(context, ssl.SSLContext) is verified
    if isinstance(context, ssl.SSLContext):
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, named)


def test_types_that_one_of_both_has() -> None:
    """JSON is a type in MySQL, a long text in MariaDB: one spec reads both."""
    assert {kind for kind, types in FEEDING.fitting.items() if "json" in types} == {"text", "free_text"}
    assert {kind for kind, types in FEEDING.fitting.items() if "uuid" in types} == {"text"}
    refused_types = ("vector", "geomcollection", "geometry", "varbinary")
    assert not [kind for types in FEEDING.fitting.values() for kind in types if kind in refused_types]
