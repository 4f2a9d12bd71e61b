"""Statements and envelopes: what is written, what is refused, and that foreign tools agree."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.canonical import canonical_json
from curator.edges.keys import AgentSigner, create_agent_key, load_signer, public_pem
from curator.errors import IntegrityError, SecretError
from curator.evidence import (
    MAX_BYTES,
    PAYLOAD_TYPE,
    Artifact,
    Envelope,
    Stage,
    Statement,
    format_time,
    keyed_digest,
    keyid_of,
    open_envelope,
    peek_envelope,
    pre_authentication_encoding,
    sign_statement,
)

A, B, C = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> AgentSigner:
    private = tmp_path_factory.mktemp("private")
    create_agent_key(private, "alice")
    return load_signer(private, "alice", environ={})


@pytest.fixture(scope="module")
def keys(signer: AgentSigner) -> dict[str, bytes]:
    return {signer.keyid: signer.public}


@pytest.fixture(scope="module")
def statement(signer: AgentSigner) -> Statement:
    return Statement(
        stage=Stage.COMMIT,
        subjects=(Artifact("road-accidents@1.0.0", A),),
        inputs=(Artifact("accidents.parquet", B, "curatorHmacSha256"),),
        previous=(C,),
        agent="alice",
        keyid=signer.keyid,
        time="2026-01-31T08:00:00Z",
        facts={"rows": {"train": 70, "test": 30}, "note": "été"},
    )


@pytest.fixture(scope="module")
def envelope(statement: Statement, signer: AgentSigner) -> Envelope:
    return sign_statement(statement, signer)


def wrapped(payload: bytes, signer: AgentSigner, **changes: Any) -> bytes:
    """An envelope with a good signature over whatever bytes, as a hostile but listed signer could make it."""
    raw = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {
                "keyid": signer.keyid,
                "sig": base64.b64encode(signer.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))).decode(),
            }
        ],
    }
    return canonical_json(raw | changes)


def refused(data: bytes, keys: dict[str, bytes]) -> str:
    with pytest.raises(IntegrityError) as caught:
        open_envelope(data, keys)
    assert caught.value.exit_code == 15
    return caught.value.code


def test_the_payload_is_an_in_toto_statement(statement: Statement, signer: AgentSigner) -> None:
    assert statement.to_payload() == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "road-accidents@1.0.0", "digest": {"sha256": A}}],
        "predicateType": "urn:curator:evidence:commit:1",
        "predicate": {
            "inputs": [{"name": "accidents.parquet", "digest": {"curatorHmacSha256": B}}],
            "previous": [C],
            "agent": {"name": "alice", "keyid": signer.keyid},
            "time": "2026-01-31T08:00:00Z",
            "facts": {"rows": {"train": 70, "test": 30}, "note": "été"},
        },
    }
    assert Statement.from_payload(statement.to_payload()) == statement


def test_an_envelope_opens_as_it_was_signed(envelope: Envelope, statement: Statement, keys: dict[str, bytes]) -> None:
    assert open_envelope(envelope.data, keys) == envelope
    assert peek_envelope(envelope.data).statement == statement
    assert envelope.digest == hashlib.sha256(envelope.data).hexdigest()
    assert envelope.path == f"evidence/{envelope.digest[:2]}/{envelope.digest}.json"
    assert canonical_json(json.loads(envelope.data)) == envelope.data


def test_the_encoding_is_the_example_of_the_dsse_protocol() -> None:
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pre_authentication_encoding("é", "é".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xa9"


def test_signing_again_gives_the_same_bytes(statement: Statement, signer: AgentSigner, envelope: Envelope) -> None:
    assert sign_statement(replace(statement, previous=(C, C)), signer).data == envelope.data


def test_previous_statements_are_a_set(statement: Statement) -> None:
    assert replace(statement, previous=(C, A, C)).previous == (A, C)


def test_facts_are_a_copy_in_the_form_they_are_read_back(statement: Statement) -> None:
    rows: dict[str, Any] = {"shares": (0.7, 1.0), "deep": {"list": [1]}}
    copied = replace(statement, facts=rows)
    rows["deep"]["list"].append(2)
    assert copied.facts == {"shares": [0.7, 1], "deep": {"list": [1]}}


# ---- refused when written --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"subjects": ()},
        {"subjects": (Artifact("same", A), Artifact("same", B))},
        {"inputs": (Artifact("same", A), Artifact("same", A))},
        {"previous": ("A" * 64,)},
        {"previous": (A[:-1],)},
        {"agent": ""},
        {"agent": "Alice"},
        {"agent": "../alice"},
        {"agent": "a" * 65},
        {"agent": "alice\n"},
        {"keyid": "0" * 63},
        {"stage": "publish"},
        {"time": "2026-01-31T08:00:00+00:00"},
        {"time": "2026-01-31T08:00:00.5Z"},
        {"time": "2026-02-30T08:00:00Z"},
        {"time": "2026-01-31T24:00:00Z"},
        {"time": "٢٠٢٦-01-31T08:00:00Z"},
        {"time": "2026-01-31T08:00:00Z\n"},
        {"facts": {"x": float("nan")}},
        {"facts": {"x": 2**53}},
        {"facts": {"x": b"bytes"}},
        {"facts": {1: "a key that is no text"}},
        {"facts": {"x": "\ud800"}},
    ],
    ids=str,
)
def test_a_wrong_statement_cannot_be_made(statement: Statement, changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError) as caught:
        replace(statement, **changes)
    assert caught.value.code == "statement-invalid"


@pytest.mark.parametrize(
    "arguments",
    [("", A), ("a\nb", A), ("a\x00", A), ("x" * 513, A), ("x", A[:-1]), ("x", "A" * 64), ("x", A, "md5")],
    ids=str,
)
def test_a_wrong_artifact_cannot_be_made(arguments: tuple[str, ...]) -> None:
    with pytest.raises(IntegrityError, match="statement-invalid"):
        Artifact(*arguments)


def test_only_the_named_agent_signs(statement: Statement, signer: AgentSigner) -> None:
    for other in (replace(statement, agent="bob"), replace(statement, keyid=A)):
        with pytest.raises(IntegrityError, match="another agent or key"):
            sign_statement(other, signer)


def test_what_could_not_be_read_back_is_not_signed(statement: Statement, signer: AgentSigner) -> None:
    deep: Any = []
    for _ in range(40):
        deep = [deep]
    large = {"x": "y" * MAX_BYTES}
    for facts in ({"deep": deep}, large, {"x": 1e17}):
        with pytest.raises(IntegrityError, match="statement-invalid"):
            sign_statement(replace(statement, facts=facts), signer)


# ---- refused when read -----------------------------------------------------------------------------------------


def test_an_unknown_signer_is_refused(envelope: Envelope, signer: AgentSigner) -> None:
    assert refused(envelope.data, {}) == "signer-unknown"
    assert refused(envelope.data, {keyid_of(b"k" * 32): b"k" * 32}) == "signer-unknown"
    assert refused(envelope.data, {signer.keyid: b"k" * 32}) == "signer-unknown"


def test_a_signature_over_other_bytes_is_refused(
    envelope: Envelope, statement: Statement, signer: AgentSigner, keys: dict[str, bytes]
) -> None:
    other = json.loads(sign_statement(replace(statement, time="2026-01-31T08:00:01Z"), signer).data)
    mixed = json.loads(envelope.data) | {"signatures": other["signatures"]}
    assert refused(canonical_json(mixed), keys) == "signature-invalid"


def test_a_signature_for_another_payload_type_is_refused(envelope: Envelope, keys: dict[str, bytes]) -> None:
    raw = json.loads(envelope.data) | {"payloadType": "application/json"}
    assert refused(canonical_json(raw), keys) == "statement-invalid"


def test_every_single_bit_counts(envelope: Envelope, keys: dict[str, bytes]) -> None:
    bits = range(len(envelope.data) * 8)
    for bit in random.Random(7).sample(bits, 1500):
        changed = bytearray(envelope.data)
        changed[bit // 8] ^= 1 << bit % 8
        assert refused(bytes(changed), keys) in {"statement-invalid", "signer-unknown", "signature-invalid"}


def test_every_cut_is_refused(envelope: Envelope, keys: dict[str, bytes]) -> None:
    for size in range(0, len(envelope.data), 7):
        assert refused(envelope.data[:size], keys) == "statement-invalid"


Rewrite = Callable[[Any], bytes]
SPELLINGS: dict[str, Rewrite] = {
    "keys in another order": lambda raw: json.dumps(
        dict(reversed(raw.items())), separators=(",", ":"), ensure_ascii=False
    ).encode(),
    "spaces": lambda raw: json.dumps(raw).encode(),
    "a line end": lambda raw: canonical_json(raw) + b"\n",
    "a byte order mark": lambda raw: b"\xef\xbb\xbf" + canonical_json(raw),
    "UTF-16": lambda raw: canonical_json(raw).decode().encode("utf-16"),
    "a key twice": lambda raw: canonical_json(raw).replace(b"{", b'{"payload":"",', 1),
    "an unknown key": lambda raw: canonical_json(raw | {"note": 1}),
    "a missing key": lambda raw: canonical_json({"payload": raw["payload"], "signatures": raw["signatures"]}),
    "no signature": lambda raw: canonical_json(raw | {"signatures": []}),
    "the signature twice": lambda raw: canonical_json(raw | {"signatures": raw["signatures"] * 2}),
    "an unknown key in the signature": lambda raw: canonical_json(
        raw | {"signatures": [raw["signatures"][0] | {"cert": ""}]}
    ),
    "base64 without padding": lambda raw: canonical_json(
        raw | {"signatures": [raw["signatures"][0] | {"sig": raw["signatures"][0]["sig"].rstrip("=")}]}
    ),
    "base64 with a line end": lambda raw: canonical_json(raw | {"payload": raw["payload"] + "\n"}),
    "an upper-case key id": lambda raw: canonical_json(
        raw | {"signatures": [raw["signatures"][0] | {"keyid": raw["signatures"][0]["keyid"].upper()}]}
    ),
    "another type": lambda raw: canonical_json([raw]),
    "a number as payload": lambda raw: canonical_json(raw | {"payload": 1}),
    "too large": lambda raw: canonical_json(raw) + b" " * MAX_BYTES,
    "deep": lambda raw: b"[" * 1_000_000,
    "deep behind quotes": lambda raw: b'"' + b'\\"' * 500_000 + b"[" * 1_000_000,
    "braces in text only": lambda raw: canonical_json("[" * 100_000),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_content_has_one_spelling(spelling: str, envelope: Envelope, keys: dict[str, bytes]) -> None:
    data = SPELLINGS[spelling](json.loads(envelope.data))
    assert data != envelope.data
    assert refused(data, keys) == "statement-invalid"


PAYLOADS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another type": lambda raw: raw | {"_type": "https://in-toto.io/Statement/v0.1"},
    "another predicate type": lambda raw: raw | {"predicateType": "urn:curator:evidence:commit:2"},
    "a foreign predicate type": lambda raw: raw | {"predicateType": "commit"},
    "an unknown stage": lambda raw: raw | {"predicateType": "urn:curator:evidence:publish:1"},
    "an unknown key": lambda raw: raw | {"note": 1},
    "an unknown key in the predicate": lambda raw: raw | {"predicate": raw["predicate"] | {"note": 1}},
    "a missing key in the predicate": lambda raw: raw | {"predicate": {"facts": {}}},
    "no subject": lambda raw: raw | {"subject": []},
    "a subject that is text": lambda raw: raw | {"subject": ["x"]},
    "subjects that are no list": lambda raw: raw | {"subject": {}},
    "two digests": lambda raw: raw | {"subject": [{"name": "x", "digest": {"sha256": A, "curatorHmacSha256": A}}]},
    "no digest": lambda raw: raw | {"subject": [{"name": "x", "digest": {}}]},
    "an unknown algorithm": lambda raw: raw | {"subject": [{"name": "x", "digest": {"md5": A}}]},
    "a digest that is a number": lambda raw: raw | {"subject": [{"name": "x", "digest": {"sha256": 1}}]},
    "a uri": lambda raw: raw | {"subject": [{"name": "x", "digest": {"sha256": A}, "uri": "http://x"}]},
    "previous not sorted": lambda raw: raw | {"predicate": raw["predicate"] | {"previous": [C, A]}},
    "previous twice": lambda raw: raw | {"predicate": raw["predicate"] | {"previous": [C, C]}},
    "facts that are a list": lambda raw: raw | {"predicate": raw["predicate"] | {"facts": []}},
    "another key id": lambda raw: raw | {"predicate": raw["predicate"] | {"agent": {"name": "alice", "keyid": A}}},
    "an agent that is text": lambda raw: raw | {"predicate": raw["predicate"] | {"agent": "alice"}},
    "nothing": lambda raw: None,
}


@pytest.mark.parametrize("case", PAYLOADS)
def test_a_signed_payload_of_another_form_is_refused(
    case: str, statement: Statement, signer: AgentSigner, keys: dict[str, bytes]
) -> None:
    payload = canonical_json(PAYLOADS[case](dict(statement.to_payload())))
    assert refused(wrapped(payload, signer), keys) == "statement-invalid"


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"{", b"[" * 100 + b"]" * 100, b'{"x":NaN}', b"1" * 5000], ids=lambda raw: repr(raw[:9])
)
def test_a_signed_payload_that_is_not_json_is_refused(
    payload: bytes, signer: AgentSigner, keys: dict[str, bytes]
) -> None:
    assert refused(wrapped(payload, signer), keys) == "statement-invalid"


def test_a_signed_payload_in_another_spelling_is_refused(
    statement: Statement, signer: AgentSigner, keys: dict[str, bytes]
) -> None:
    spaced = json.dumps(statement.to_payload()).encode()
    assert refused(wrapped(spaced, signer), keys) == "statement-invalid"
    assert open_envelope(wrapped(statement.to_bytes(), signer), keys).statement == statement


def test_an_error_never_quotes_the_file(signer: AgentSigner, keys: dict[str, bytes]) -> None:
    payload = canonical_json({"_type": "SECRET-CELL", "SECRET-KEY": "SECRET-VALUE"})
    for data in (wrapped(payload, signer), b"SECRET-CELL", wrapped(b"SECRET-CELL", signer)):
        with pytest.raises(IntegrityError) as caught:
            open_envelope(data, keys)
        assert "SECRET" not in str(caught.value)


@given(data=st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_refused_by_a_typed_error(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        peek_envelope(data)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=9)
    | st.floats(-1e9, 1e9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(facts=st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=9), JSON, max_size=5))
@settings(max_examples=100, deadline=None)
def test_any_facts_come_back(facts: dict[str, Any], statement: Statement, signer: AgentSigner) -> None:
    signed = sign_statement(replace(statement, facts=facts), signer)
    opened = open_envelope(signed.data, {signer.keyid: signer.public})
    assert opened.statement == signed.statement
    assert opened.statement.facts == facts


# ---- foreign tools ---------------------------------------------------------------------------------------------


def foreign_key(signer: AgentSigner) -> Any:
    from securesystemslib.signer import SSlibKey

    return SSlibKey(signer.keyid, "ed25519", "ed25519", {"public": signer.public.hex()})


def test_securesystemslib_verifies_ours(envelope: Envelope, signer: AgentSigner) -> None:
    from securesystemslib.dsse import Envelope as Foreign
    from securesystemslib.exceptions import VerificationError

    foreign = Foreign.from_dict(json.loads(envelope.data))
    assert foreign.pae() == pre_authentication_encoding(PAYLOAD_TYPE, envelope.statement.to_bytes())
    assert set(foreign.verify([foreign_key(signer)], 1)) == {signer.keyid}
    foreign.payload += b" "
    with pytest.raises(VerificationError):
        foreign.verify([foreign_key(signer)], 1)


def test_we_verify_what_securesystemslib_signs(statement: Statement, tmp_path: Path) -> None:
    from securesystemslib.dsse import Envelope as Foreign
    from securesystemslib.signer import CryptoSigner

    public = create_agent_key(tmp_path, "alice")
    keyid = keyid_of(public)
    pem = (tmp_path / "keys/agents/alice.pem").read_bytes()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import SSlibKey

    key = SSlibKey(keyid, "ed25519", "ed25519", {"public": public.hex()})
    theirs = Foreign(replace(statement, keyid=keyid).to_bytes(), PAYLOAD_TYPE, {})
    theirs.sign(CryptoSigner(load_pem_private_key(pem, None), key))
    data = canonical_json(theirs.to_dict())
    assert open_envelope(data, {keyid: public}).statement == replace(statement, keyid=keyid)
    assert data == sign_statement(replace(statement, keyid=keyid), load_signer(tmp_path, "alice", environ={})).data


def test_the_references_openssl_recipe_verifies(envelope: Envelope, signer: AgentSigner, tmp_path: Path) -> None:
    if not (shutil.which("openssl") and shutil.which("python3")):
        pytest.skip("the openssl and python3 programs are needed")
    page = Path(__file__).resolve().parents[2] / "docs/reference/evidence.md"
    recipe = page.read_text(encoding="utf-8").partition("```sh\n")[2].partition("```")[0]
    (tmp_path / "holder.pub").write_bytes(public_pem(signer.public))
    (tmp_path / "statement.json").write_bytes(envelope.data)
    script = recipe.replace("evidence/ab/ab....json", "statement.json")
    assert script != recipe
    run = ["sh", "-e", "-c", script]
    assert subprocess.run(run, cwd=tmp_path, capture_output=True).returncode == 0
    other = json.loads(envelope.data)
    other["payload"] = base64.b64encode(envelope.statement.to_bytes() + b" ").decode()
    (tmp_path / "statement.json").write_text(json.dumps(other))
    assert subprocess.run(run, cwd=tmp_path, capture_output=True).returncode != 0


# ---- small words -----------------------------------------------------------------------------------------------


def test_times_are_utc_whole_seconds() -> None:
    paris = timezone(timedelta(hours=2))
    assert format_time(datetime(2026, 7, 1, 1, 30, 5, 999, tzinfo=paris)) == "2026-06-30T23:30:05Z"
    assert format_time(datetime(2026, 7, 1, tzinfo=UTC)) == "2026-07-01T00:00:00Z"
    with pytest.raises(ValueError, match="time zone"):
        format_time(datetime(2026, 7, 1))


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1])
def test_a_keyed_digest_is_hmac_sha256(size: int, tmp_path: Path) -> None:
    path, key = tmp_path / "source", b"k" * 32
    path.write_bytes(b"x" * size)
    assert keyed_digest(path, key) == hmac.digest(key, b"x" * size, "sha256").hex()


def test_a_digest_under_a_short_key_would_be_a_plain_one(tmp_path: Path) -> None:
    for key in (b"", b"k" * 31):
        with pytest.raises(SecretError, match="key-too-short"):
            keyed_digest(tmp_path / "source", key)


def test_reading_the_words_loads_no_cryptography() -> None:
    code = "import sys, curator.evidence, curator.agents, curator.edges.keys, curator.policy;"
    code += (
        "print([name for name in sys.modules if name.split('.')[0] in {'cryptography', 'pandas', 'pyarrow', 'numpy'}])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
