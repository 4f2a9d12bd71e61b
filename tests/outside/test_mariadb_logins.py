"""How one comes into MariaDB and MySQL: kinds of passwords, TLS that knows its server, sockets, shut accounts."""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from live_world import extracted
from mariadb_server import MYSQLD, MariadbServer, mariadb_server
from outside_world import spec_of

from curator.errors import SourceError

PASSWORD = "canary é€ ß'\\x"
QUOTED = PASSWORD.replace("\\", "\\\\").replace("'", "''")
KINDS = ("caching_sha2_password", "sha256_password") if MYSQLD else ("mysql_native_password",)
_DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", PASSWORD)


def authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    return key, certificate(key, "an authority", issuer=None, about=x509.BasicConstraints(ca=True, path_length=None))


def certificate(
    key: Any, name: str, *, issuer: tuple[Any, x509.Certificate] | None, about: x509.ExtensionType
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(about, critical=isinstance(about, x509.BasicConstraints))
        .sign(issuer[0] if issuer else key, hashes.SHA256())
    )


def written(path: Path, *certificates: x509.Certificate) -> Path:
    path.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates))
    return path


@pytest.fixture(scope="module")
def certificates() -> Iterator[Path]:
    """Two authorities, and a server's certificate of the first for 127.0.0.1, where the server may read them."""
    folder = Path(tempfile.mkdtemp(prefix="curator-tls-"))
    try:
        folder.chmod(0o755)
        issuer, key = authority(), ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        written(folder / "ca.pem", issuer[1])
        written(folder / "other.pem", authority()[1])
        written(folder / "cert.pem", certificate(key, "a server", issuer=issuer, about=names))
        (folder / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (folder / "locked.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"canary phrase"),
            )
        )
        if os.geteuid() == 0:
            os.chown(folder / "key.pem", 65534, 65534)
        (folder / "key.pem").chmod(0o600)
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def vouched(mariadb: MariadbServer, certificates: Path) -> Iterator[MariadbServer]:
    """A server with a certificate; `reader` is let in by TLS alone."""
    files = (
        f"--ssl-ca={certificates}/ca.pem",
        f"--ssl-cert={certificates}/cert.pem",
        f"--ssl-key={certificates}/key.pem",
    )
    with mariadb_server(*files) as server:
        _furnish(server)
        server.run("ALTER USER 'reader'@'127.0.0.1' REQUIRE SSL")
        yield server


@pytest.fixture(scope="module")
def plain(mariadb: MariadbServer) -> Iterator[MariadbServer]:
    """A server without TLS."""
    with mariadb_server("--tls-version=" if MYSQLD else "--skip-ssl") as server:
        _furnish(server)
        yield server


def _furnish(server: MariadbServer) -> None:
    server.run(
        "CREATE OR REPLACE TABLE doors (id int, who varchar(9), x int)", "INSERT INTO doors VALUES (1, 'p', 5)",
        f"CREATE OR REPLACE USER 'reader'@'127.0.0.1' IDENTIFIED BY '{QUOTED}'",
        "GRANT SELECT ON accidents.* TO 'reader'@'127.0.0.1'",
    )  # fmt: skip


def read(folder: Path, address: str) -> list[Any]:
    return [row["x"] for row in extracted(folder, spec_of({"x": "integer"}, path=address, source={"table": "doors"}))]


def refused(folder: Path, address: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(folder, address)
    assert "canary" not in str(caught.value)
    return caught.value


def account(server: MariadbServer, kind: str, *, host: str = "127.0.0.1", more: str = "") -> None:
    """A user `guest` with a kind of password."""
    by = f"WITH {kind} BY '{QUOTED}'" if MYSQLD else f"VIA {kind} USING PASSWORD('{QUOTED}')"
    server.run(
        f"CREATE OR REPLACE USER 'guest'@'{host}' IDENTIFIED {by} {more}",
        f"GRANT SELECT ON accidents.* TO 'guest'@'{host}'",
    )


@pytest.mark.parametrize("way", ["tls", "plain", "socket"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_password(
    vouched: MariadbServer, plain: MariadbServer, certificates: Path, tmp_path: Path, kind: str, way: str
) -> None:
    """Twice, since MySQL remembers a password that came once. Signs beyond ASCII are those that the server keeps."""
    server = plain if way == "plain" else vouched
    account(server, kind, host="localhost" if way == "socket" else "127.0.0.1")
    options = {
        "tls": f"?ssl_ca={certificates}/ca.pem", "plain": "", "socket": f"?socket={server.folder}/socket",
    }[way]  # fmt: skip
    for time in ("first", "again"):
        assert read(tmp_path / time, server.address(user="guest", options=options)) == [5]


def test_tls_that_knows_its_server(vouched: MariadbServer, certificates: Path, tmp_path: Path) -> None:
    ca = f"?ssl_ca={certificates}/ca.pem"
    assert read(tmp_path, vouched.address()) == [5], "without more, any TLS that the server has"
    assert read(tmp_path, vouched.address(options=ca)) == [5]
    other = refused(tmp_path, vouched.address(options=f"?ssl_ca={certificates}/other.pem"))
    assert (other.code, other.found) == (
        "database-unreachable", "a server whose certificate none of `ssl_ca` vouches for, or not for this name",
    )  # fmt: skip
    by_name = vouched.address(options=ca).replace("127.0.0.1", "localhost")
    assert refused(tmp_path, by_name).found == other.found, "the certificate is of the number"
    assert read(tmp_path, by_name + "&ssl_verify_identity=false") == [5]
    assert refused(tmp_path, vouched.address(options="?ssl_verify_identity=true")).found == other.found


def test_no_password_goes_to_a_server_that_speaks_no_tls(
    plain: MariadbServer, certificates: Path, tmp_path: Path
) -> None:
    error = refused(tmp_path, plain.address(options=f"?ssl_ca={certificates}/ca.pem"))
    assert (error.code, error.found) == (
        "database-unreachable", "a server that speaks no TLS, or none that is spoken here",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("option", "expected"),
    [("ssl_ca=/no/such/file", "the name of a file of certificates"), ("ssl_verify_identity=yes", "`true` or `false`")],
)
def test_options_of_tls_that_say_nothing(tmp_path: Path, option: str, expected: str) -> None:
    pytest.importorskip("pymysql")
    error = refused(tmp_path, f"mariadb://reader@127.0.0.1:1/accidents?{option}")
    assert (error.code, error.expected) == ("address-invalid", expected)


@pytest.mark.parametrize("shut", ["ACCOUNT LOCK", "PASSWORD EXPIRE", "REQUIRE X509"])
def test_accounts_that_are_shut(vouched: MariadbServer, tmp_path: Path, shut: str) -> None:
    account(vouched, KINDS[0], more=shut)
    assert refused(tmp_path, vouched.address(user="guest")).code == "database-login"


def test_an_account_that_wants_a_certificate(vouched: MariadbServer, certificates: Path, tmp_path: Path) -> None:
    account(vouched, KINDS[0], more="REQUIRE X509")
    own = f"?ssl_ca={certificates}/ca.pem&ssl_cert={certificates}/cert.pem"
    assert read(tmp_path, vouched.address(user="guest", options=f"{own}&ssl_key={certificates}/key.pem")) == [5]
    for key in ("", f"&ssl_key={certificates}/ca.pem", f"&ssl_key={certificates}/locked.pem"):
        error = refused(tmp_path, vouched.address(user="guest", options=own + key))
        assert (error.code, error.found) == (
            "address-invalid", "the option `ssl_cert` with a value that is not one of its own",
        )  # fmt: skip


def test_a_user_with_too_many_connections(vouched: MariadbServer, tmp_path: Path) -> None:
    import pymysql

    account(vouched, KINDS[0], more="WITH MAX_USER_CONNECTIONS 1")
    with pymysql.connect(host="127.0.0.1", port=vouched.port, user="guest", password=PASSWORD.encode()):
        error = refused(tmp_path, vouched.address(user="guest"))
    assert error.found == "a server that takes no more connections, or no more of this user"


def test_rights_of_a_role(vouched: MariadbServer, tmp_path: Path) -> None:
    """A role counts once it is the user's default one."""
    every = "DEFAULT ROLE ALL TO" if MYSQLD else "DEFAULT ROLE readers FOR"
    account(vouched, KINDS[0])
    vouched.run(
        "REVOKE SELECT ON accidents.* FROM 'guest'@'127.0.0.1'", "DROP ROLE IF EXISTS readers", "CREATE ROLE readers",
        "GRANT SELECT (id, who, x) ON accidents.doors TO readers", "GRANT readers TO 'guest'@'127.0.0.1'",
    )  # fmt: skip
    assert refused(tmp_path, vouched.address(user="guest")).code == "database-denied"
    vouched.run(f"SET {every} 'guest'@'127.0.0.1'")
    assert read(tmp_path, vouched.address(user="guest")) == [5]
