"""Keys: where they come from, who may read them, and what happens when somebody else could."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from curator.edges.keys import (
    create_agent_key,
    create_root,
    load_root,
    load_signer,
    parse_public,
    public_pem,
    read_public,
)
from curator.errors import SecretError
from curator.evidence import keyid_of

SECRET = bytes(range(32))


def code(call: Callable[[], object]) -> str:
    with pytest.raises(SecretError) as caught:
        call()
    assert caught.value.exit_code == 18
    assert SECRET.hex()[:16] not in str(caught.value).lower()
    return caught.value.code


def written(path: Path, data: bytes, *, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)
    return path


# ---- the root secret -------------------------------------------------------------------------------------------


def test_a_new_root_is_random_private_and_comes_back(tmp_path: Path) -> None:
    create_root(tmp_path / "one")
    create_root(tmp_path / "two")
    one, two = load_root(tmp_path / "one", {}), load_root(tmp_path / "two", {})
    assert len(one) == len(two) == 32
    assert one != two
    path = tmp_path / "one/keys/root.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["root.key"]


def test_a_known_secret_can_be_carried_on(tmp_path: Path) -> None:
    create_root(tmp_path, secret=SECRET * 2)
    assert load_root(tmp_path, {}) == SECRET * 2
    assert code(lambda: create_root(tmp_path / "short", secret=SECRET[:-1])) == "key-too-short"


def test_a_root_is_never_overwritten(tmp_path: Path) -> None:
    create_root(tmp_path, secret=SECRET)
    assert code(lambda: create_root(tmp_path)) == "key-exists"
    assert load_root(tmp_path, {}) == SECRET
    assert [entry.name for entry in (tmp_path / "keys").iterdir()] == ["root.key"]


def test_a_root_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o777)
    try:
        (tmp_path / "keys").mkdir()
        (tmp_path / "keys").chmod(0o700)
        create_root(tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "keys/root.key").stat().st_mode & 0o777 == 0o600


def test_the_variable_comes_before_the_file_of_the_variable_before_the_workspace(tmp_path: Path) -> None:
    value, other = b"v" * 32, b"f" * 40
    path = written(tmp_path / "elsewhere.key", other.hex().encode())
    create_root(tmp_path, secret=SECRET)
    both = {"CURATOR_ROOT_KEY": value.hex(), "CURATOR_ROOT_KEY_FILE": str(path)}
    assert load_root(tmp_path, both) == value
    del both["CURATOR_ROOT_KEY"]
    assert load_root(tmp_path, both) == other
    assert load_root(tmp_path, {}) == SECRET


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "key-too-short"),
        ("  \n", "key-too-short"),
        (SECRET.hex()[:-2], "key-too-short"),
        (SECRET.hex()[:-1], "key-malformed"),
        (SECRET.hex() + "0", "key-malformed"),
        (SECRET.hex() + "zz", "key-malformed"),
        (SECRET.hex(" "), "key-malformed"),
        ("٠" * 64, "key-malformed"),
        ("correct horse battery staple", "key-malformed"),
    ],
)
def test_a_secret_that_is_none_is_refused_from_everywhere(text: str, expected: str, tmp_path: Path) -> None:
    create_root(tmp_path, secret=SECRET)
    path = written(tmp_path / "other.key", text.encode())
    assert code(lambda: load_root(tmp_path, {"CURATOR_ROOT_KEY": text})) == expected
    assert code(lambda: load_root(tmp_path, {"CURATOR_ROOT_KEY_FILE": str(path)})) == expected


@pytest.mark.parametrize("text", [SECRET.hex(), SECRET.hex().upper(), SECRET.hex() + "\n", " " + SECRET.hex() + "\r\n"])
def test_spellings_of_one_secret(text: str, tmp_path: Path) -> None:
    assert load_root(tmp_path, {"CURATOR_ROOT_KEY": text}) == SECRET


# ---- who may read a key ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_modes_that_are_private(mode: int, tmp_path: Path) -> None:
    written(tmp_path / "keys/root.key", SECRET.hex().encode(), mode=mode)
    assert load_root(tmp_path, {}) == SECRET


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666, 0o660, 0o601, 0o610, 0o700, 0o4600])
def test_modes_that_are_not(mode: int, tmp_path: Path) -> None:
    path = written(tmp_path / "keys/root.key", SECRET.hex().encode(), mode=mode)
    assert code(lambda: load_root(tmp_path, {})) == "key-readable-by-others"
    assert code(lambda: load_root(tmp_path, {"CURATOR_ROOT_KEY_FILE": str(path)})) == "key-readable-by-others"


def test_a_link_is_refused(tmp_path: Path) -> None:
    target = written(tmp_path / "target", SECRET.hex().encode())
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/root.key").symlink_to(target)
    assert code(lambda: load_root(tmp_path, {})) == "key-readable-by-others"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_owner_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "keys/root.key", SECRET.hex().encode())
    os.chown(path, 12345, -1)
    assert code(lambda: load_root(tmp_path, {})) == "key-readable-by-others"


def test_a_key_that_is_absent_or_no_file(tmp_path: Path) -> None:
    assert code(lambda: load_root(tmp_path, {})) == "key-missing"
    assert code(lambda: load_root(tmp_path, {"CURATOR_ROOT_KEY_FILE": str(tmp_path / "none")})) == "key-missing"
    assert code(lambda: load_signer(tmp_path, "alice", environ={})) == "key-missing"
    assert code(lambda: load_root(tmp_path, {"CURATOR_ROOT_KEY_FILE": str(tmp_path)})) == "key-malformed"
    os.mkfifo(tmp_path / "fifo", 0o600)
    assert code(lambda: load_root(tmp_path, {"CURATOR_ROOT_KEY_FILE": str(tmp_path / "fifo")})) == "key-malformed"
    large = written(tmp_path / "large", b"0" * 70_000)
    assert code(lambda: load_root(tmp_path, {"CURATOR_ROOT_KEY_FILE": str(large)})) == "key-malformed"


# ---- agents' keys ----------------------------------------------------------------------------------------------


def test_an_agents_key_signs_as_ed25519_does(tmp_path: Path) -> None:
    public = create_agent_key(tmp_path, "alice")
    signer = load_signer(tmp_path, "alice", environ={})
    assert (signer.name, signer.public, signer.keyid) == ("alice", public, keyid_of(public))
    ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signer.sign(b"message"), b"message")
    path = tmp_path / "keys/agents/alice.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [folder.stat().st_mode & 0o777 for folder in (path.parent, path.parent.parent)] == [0o700, 0o700]
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")


def test_rfc_8032_vector_2(tmp_path: Path) -> None:
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    written(tmp_path / "keys/agents/alice.pem", pem)
    signer = load_signer(tmp_path, "alice", environ={})
    assert signer.public.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert signer.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_a_signer_does_not_show_its_key(tmp_path: Path) -> None:
    create_agent_key(tmp_path, "alice")
    signer = load_signer(tmp_path, "alice", environ={})
    assert repr(signer) == f"AgentSigner(name='alice', keyid='{signer.keyid}')"


def test_an_agents_key_is_never_overwritten(tmp_path: Path) -> None:
    public = create_agent_key(tmp_path, "alice")
    assert code(lambda: create_agent_key(tmp_path, "alice")) == "key-exists"
    assert load_signer(tmp_path, "alice", environ={}).public == public


def test_the_variable_comes_before_the_workspace(tmp_path: Path) -> None:
    create_agent_key(tmp_path / "here", "alice")
    public = create_agent_key(tmp_path / "there", "alice")
    environ = {"CURATOR_SIGNING_KEY_FILE": str(tmp_path / "there/keys/agents/alice.pem")}
    assert load_signer(tmp_path / "here", "alice", environ=environ).public == public
    environ["CURATOR_SIGNING_KEY_FILE"] += ".absent"
    assert code(lambda: load_signer(tmp_path / "here", "alice", environ=environ)) == "key-missing"


@pytest.mark.parametrize(
    "name", ["", "Alice", "../../etc/x", "a/b", ".hidden", "-a", "a b", "é", "a" * 65, "a\n", "a\0"]
)
def test_names_that_no_agent_has(name: str, tmp_path: Path) -> None:
    assert code(lambda: create_agent_key(tmp_path, name)) == "key-malformed"
    assert code(lambda: load_signer(tmp_path, name, environ={})) == "key-malformed"
    assert list(tmp_path.iterdir()) == []


def test_keys_that_are_no_signing_key(tmp_path: Path) -> None:
    def private(key: rsa.RSAPrivateKey | x25519.X25519PrivateKey) -> bytes:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    good = ed25519.Ed25519PrivateKey.generate()
    bad = [
        b"",
        b"garbage",
        private(rsa.generate_private_key(65537, 2048)),
        private(x25519.X25519PrivateKey.generate()),
        good.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")),
        public_pem(good.public_key().public_bytes_raw()),
    ]
    for number, pem in enumerate(bad):
        written(tmp_path / f"keys/agents/agent{number}.pem", pem)
        assert code(lambda number=number: load_signer(tmp_path, f"agent{number}", environ={})) == "key-malformed"


# ---- public keys -----------------------------------------------------------------------------------------------


def test_a_public_key_is_published_and_read_back(tmp_path: Path) -> None:
    public = create_agent_key(tmp_path, "holder")
    path = tmp_path / "holder.pub"
    path.write_bytes(public_pem(public))
    assert read_public(path) == public
    assert path.read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----\n")


def test_openssl_reads_both_halves(tmp_path: Path) -> None:
    public = create_agent_key(tmp_path, "holder")
    pem = tmp_path / "keys/agents/holder.pem"
    asked = ["openssl", "pkey", "-in", str(pem), "-pubout"]
    try:
        answer = subprocess.run(asked, capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip("the openssl program is not installed")
    assert answer.stdout == public_pem(public)
    (tmp_path / "holder.pub").write_bytes(public_pem(public))
    (tmp_path / "message").write_bytes(b"message")
    (tmp_path / "signature").write_bytes(load_signer(tmp_path, "holder", environ={}).sign(b"message"))
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "holder.pub", "-rawin", "-in", "message"]
    subprocess.run([*verify, "-sigfile", "signature"], cwd=tmp_path, check=True, capture_output=True)


def test_public_keys_that_are_none(tmp_path: Path) -> None:
    create_agent_key(tmp_path, "alice")
    weak = rsa.generate_private_key(65537, 2048).public_key()
    bad = [
        b"",
        b"garbage",
        b"\xff" * 100,
        b"x" * 20_000,
        (tmp_path / "keys/agents/alice.pem").read_bytes(),
        weak.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    ]
    for data in bad:
        path = written(tmp_path / "some.pub", data)
        assert code(lambda path=path: read_public(path)) == "key-malformed"
        assert code(lambda data=data: parse_public(data)) == "key-malformed"
    assert code(lambda: read_public(tmp_path / "none.pub")) == "key-missing"
    assert code(lambda: read_public(tmp_path)) == "key-missing"
    assert code(lambda: public_pem(b"short")) == "key-malformed"
