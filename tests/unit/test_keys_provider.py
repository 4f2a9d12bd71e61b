"""Key providers: a real PKCS#11 token, whose root never leaves it, and how little another provider needs."""

from __future__ import annotations

import hmac
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from capital_world import curate, spec_value

from curator.capital import Capital, _founding, _keys
from curator.edges.keys import FileKeys, KeyProvider, Pkcs11Keys, provider_of
from curator.errors import SecretError

LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so",
)  # fmt: skip
PIN = "982451653"
PERSON = "person"


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A software token with a root of its own; SoftHSM reads its settings once in a process."""
    library = next((path for path in LIBRARIES if Path(path).is_file()), None)
    if library is None or not importlib.util.find_spec("pkcs11"):
        pytest.skip("SoftHSM (Debian: softhsm2) or python-pkcs11 is not installed")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    made = ["softhsm2-util", "--init-token", "--free", "--label", "curator", "--so-pin", "12345678", "--pin", PIN]
    subprocess.run(made, check=True, capture_output=True)
    environ = {"CURATOR_PKCS11_MODULE": library, "CURATOR_PKCS11_TOKEN": "curator", "CURATOR_PKCS11_PIN": PIN}
    Pkcs11Keys.from_environ(environ).create_root()
    yield environ
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def test_the_environment_chooses_the_provider(tmp_path: Path) -> None:
    assert isinstance(provider_of(tmp_path, {}), FileKeys)
    named = {"CURATOR_PKCS11_MODULE": "x.so", "CURATOR_PKCS11_TOKEN": "t", "CURATOR_PKCS11_PIN": PIN}
    keys = provider_of(tmp_path, named)
    assert isinstance(keys, Pkcs11Keys)
    assert PIN not in repr(keys)
    pin = tmp_path / "pin"
    pin.write_text(PIN + "\n")
    pin.chmod(0o600)
    filed = {**named, "CURATOR_PKCS11_PIN_FILE": str(pin)}
    del filed["CURATOR_PKCS11_PIN"]
    assert provider_of(tmp_path, filed) == keys
    pin.chmod(0o644)
    with pytest.raises(SecretError, match="key-readable-by-others"):
        provider_of(tmp_path, filed)
    for lost, code in (("CURATOR_PKCS11_TOKEN", "key-provider"), ("CURATOR_PKCS11_PIN", "key-missing")):
        with pytest.raises(SecretError, match=code):
            provider_of(tmp_path, {name: value for name, value in named.items() if name != lost})


def test_a_library_that_does_not_open_is_told() -> None:
    if not importlib.util.find_spec("pkcs11"):
        pytest.skip("python-pkcs11 is not installed")
    keys = Pkcs11Keys("/nowhere/at-all.so", "curator", PIN)
    with pytest.raises(SecretError, match="key-provider") as refused:
        keys.root()
    assert PIN not in str(refused.value)


def test_the_token_computes_and_keeps_its_secrets(token: dict[str, str]) -> None:
    import pkcs11

    keys = Pkcs11Keys.from_environ(token)
    assert keys.root() == keys.root()
    assert len(keys.root()) == 32
    keys.create_epoch("a")
    keys.create_epoch("b")
    assert len({keys.root(), keys.epoch_root("a"), keys.epoch_root("b")}) == 3
    assert keys.has_epoch("a")
    with pytest.raises(SecretError, match="key-exists"):
        keys.create_epoch("a")
    with pytest.raises(SecretError, match="key-exists"):
        keys.create_root()
    with keys._session() as session:
        found = keys._find(session, "curator-root")
        with pytest.raises(pkcs11.exceptions.PKCS11Error):
            found[pkcs11.Attribute.VALUE]  # the secret cannot be read out
    keys.destroy_epoch("a")
    keys.destroy_epoch("a")
    assert not keys.has_epoch("a")
    with pytest.raises(SecretError, match="key-missing"):
        keys.epoch_root("a")


def test_a_wrong_pin_or_token_is_told(token: dict[str, str]) -> None:
    for changes in ({"CURATOR_PKCS11_PIN": "1234"}, {"CURATOR_PKCS11_TOKEN": "another"}):
        with pytest.raises(SecretError, match="key-provider") as refused:
            Pkcs11Keys.from_environ({**token, **changes}).root()
        assert "1234" not in str(refused.value)


def people(capital: Capital, ref: str) -> set[bytes]:
    version = capital.dataset(ref)
    return {value for split in version.splits for value in version.table(split, [PERSON])[PERSON].to_pylist() if value}


def test_a_capital_whose_root_stays_in_a_token(
    token: dict[str, str], tmp_path: Path, demo_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made, rotated and shredded; neither the root nor an epoch's secret is in any file."""
    for name, value in token.items():
        monkeypatch.setenv(name, value)
    for name in ("1", "2"):
        Pkcs11Keys.from_environ(token).destroy_epoch(name)
    capital = Capital.create(tmp_path / "capital", holder="Observatory")
    assert not (capital.workspace.private / "keys" / "root.key").exists()
    assert not (capital.workspace.private / "keys" / "epochs").exists()
    spec = spec_value(disclosure={"k": 1})
    first = curate(capital, demo_base, spec=spec)
    capital.rotate_keys()
    second = curate(capital, demo_base, spec={**spec, "version": "1.1.0"})
    one, two = people(capital, first.ref), people(capital, second.ref)
    assert one
    assert not one & two
    capital.add_agent("keeper", roles=["custodian"])
    keeper = Capital.open(capital.workspace.root, agent="keeper")
    keeper.destroy_keys("1", reason="The term is over.")
    assert not Pkcs11Keys.from_environ(token).has_epoch("1")
    with pytest.raises(SecretError, match="epoch-destroyed"):
        curate(capital, demo_base, spec={**spec, "version": "1.2.0"}, epoch="1")


# ---- a provider of one's own: a keeper in another process, in twenty lines ----------------------------------------

KEEPER = """
import hmac, os, sys
root, epochs = bytes.fromhex(os.environ["KEEPER_ROOT"]), {}
for line in sys.stdin:
    word, _, name = line.strip().partition(" ")
    if word == "create":
        epochs[name] = os.urandom(32)
    elif word == "destroy":
        epochs.pop(name, None)
    message = {"root": b"root", "epoch": b"epoch" + epochs.get(name, b"")}.get(word)
    gone = word == "epoch" and name not in epochs
    answer = "" if gone or message is None else hmac.digest(root, message, "sha256").hex()
    print(answer if message else str(name in epochs), flush=True)
"""


class KeeperKeys:
    """Secrets in another process, which answers one line for a line: root, epoch, create, destroy, has."""

    root_elsewhere = True

    def __init__(self, keeper: subprocess.Popen[str]) -> None:
        self._keeper = keeper

    def _ask(self, question: str) -> str:
        assert self._keeper.stdin
        assert self._keeper.stdout
        self._keeper.stdin.write(question + "\n")
        self._keeper.stdin.flush()
        return self._keeper.stdout.readline().strip()

    def root(self) -> bytes:
        return bytes.fromhex(self._ask("root"))

    def epoch_root(self, name: str) -> bytes:
        answer = self._ask(f"epoch {name}")
        if not answer:
            raise SecretError("key-missing", asked="x", found="x", expected="x", todo="x")
        return bytes.fromhex(answer)

    def has_epoch(self, name: str) -> bool:
        return self._ask(f"has {name}") == "True"

    def create_epoch(self, name: str) -> None:
        self._ask(f"create {name}")

    def check_destroyable(self, name: str) -> None:
        pass

    def destroy_epoch(self, name: str) -> None:
        self._ask(f"destroy {name}")


def test_a_provider_of_ones_own_is_twenty_lines(
    tmp_path: Path, demo_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = bytes(range(32))
    given = {"KEEPER_ROOT": secret.hex(), "PATH": os.environ["PATH"]}
    with subprocess.Popen(
        [sys.executable, "-c", KEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=given
    ) as keeper:
        keys: KeyProvider = KeeperKeys(keeper)
        assert keys.root() == hmac.digest(secret, b"root", "sha256")
        for place in (_keys, _founding):
            monkeypatch.setattr(place, "provider_of", lambda private, environ: keys)
        capital = Capital.create(tmp_path / "capital", holder="Observatory")
        version = curate(capital, demo_base, spec=spec_value(disclosure={"k": 1}))
        assert people(capital, version.ref)
        held = [path for path in capital.workspace.root.rglob("*") if path.is_file()]
        assert not [path for path in held if secret.hex().encode() in path.read_bytes() or secret in path.read_bytes()]
        capital.rotate_keys()
        keys.destroy_epoch("1")
        with pytest.raises(SecretError, match="key-missing"):
            curate(capital, demo_base, spec=spec_value(version="1.1.0", disclosure={"k": 1}), epoch="1")
        assert keeper.stdin
        keeper.stdin.close()
