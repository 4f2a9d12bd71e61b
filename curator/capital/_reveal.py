"""Reveal: the one way back from a token to an identifier, for the custodian alone, with a reason that stays."""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from curator.agents import Directory, Role
from curator.capital._keys import another_key, checked_reason, epoch_root, provider
from curator.errors import IntegrityError, NotAllowedError, UsageError
from curator.evidence import KEYED, Artifact, Envelope, Stage
from curator.protection import token_domain, token_key
from curator.pseudonyms import KEY_BYTES, KeyContext, SivKernel, derive_key, key_id
from curator.records import DatasetVersion

if TYPE_CHECKING:
    from curator.capital import Capital

_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){16,4096}")


@dataclass(frozen=True, kw_only=True)
class Revealed:
    """An identifier behind a token.

    Attributes:
        ref: the dataset version.
        column: the field.
        value: the identifier in its canonical spelling; not in the printed form of this record.
        statement: digest of the evidence that it was revealed.
    """

    ref: str
    column: str
    value: str
    statement: str

    def __repr__(self) -> str:
        return f"Revealed(ref={self.ref!r}, column={self.column!r}, value=..., statement={self.statement!r})"


def reveal(capital: Capital, ref: str, *, column: str, token: str, reason: str) -> Revealed:
    """Open one token, after the reason is in the evidence; see `Capital.reveal`."""
    recorder = capital.recorder(Role.CUSTODIAN)
    require_apart(recorder.directory, capital.agent)
    asked = f"reveal a token of {ref}"
    said, sealed = checked_reason(reason, asked=asked), _parsed(token, asked)
    version = capital.dataset(ref)
    protection = protection_of(capital, version, directory=recorder.directory)
    kernels = list(_kernels(capital, version, column=column, protection=protection))
    _require_present(version, column, sealed=sealed)
    value = _opened(kernels, sealed)
    if _named_in(said, value):
        raise UsageError(
            "reason-names-person",
            asked=asked,
            found="a reason that holds the identifier itself",
            expected="a reason that names nobody: the evidence keeps it for ever and may be read by others",
            todo="name the file, order or request that allows it instead",
        )
    envelope = recorder.record(
        Stage.REVEAL,
        subjects=(Artifact(f"token of {column} in {version.ref}", _digest(capital, sealed), KEYED),),
        inputs=(Artifact(version.ref, version.digest),),
        facts={"version": version.ref, "column": column, "reason": said, "context": protection["context"]},
    )
    message = f"Reveal a token of {version.ref}"
    capital.workspace.publish(folders={}, files={envelope.path: envelope.data}, message=message, tag=None)
    return Revealed(ref=version.ref, column=column, value=value, statement=envelope.digest)


def require_apart(directory: Directory, name: str) -> None:
    """Refuse a custodian who is an engineer too: whoever makes tokens does not open them.

    Raises:
        NotAllowedError: `roles-together`.
    """
    if Role.ENGINEER not in directory.agent(name).roles:
        return
    able = [other for other in directory.holding(Role.CUSTODIAN) if other not in directory.holding(Role.ENGINEER)]
    raise NotAllowedError(
        "roles-together",
        asked=f"reveal a token as {name}",
        found=f"{name}, who is custodian and engineer at once",
        expected=f"a custodian who is no engineer: {', '.join(able) or 'nobody yet'}",
        todo="let a steward give the roles to two people: `curator agent add`",
    )


def protection_of(capital: Capital, version: DatasetVersion, *, directory: Directory) -> Mapping[str, Any]:
    """The facts of the statement that tells how a version was protected, the nearest one before it.

    Raises:
        IntegrityError: `manifest-unproved` when no verified statement tells it.
    """
    made = [env.digest for env in capital.evidence.about(version.digest) if env.statement.stage is Stage.COMMIT]
    found: list[Envelope] = []
    for envelope in capital.evidence.closure(made, keys=directory.keys()):
        if envelope.statement.stage is Stage.PROTECT:
            found.append(envelope)
    if not found:
        raise IntegrityError(
            "manifest-unproved",
            asked=f"tell how {version.ref} was protected",
            found="no statement of its protection",
            expected="the manifest that was committed, with the statements that made it",
            todo="run `curator verify`, then restore the version from a copy or with `dvc pull`",
        )
    return found[-1].statement.facts


def _kernels(
    capital: Capital, version: DatasetVersion, *, column: str, protection: Mapping[str, Any]
) -> Iterator[SivKernel]:
    """What opens well made and malformed tokens of a column. Raises UsageError, SecretError."""
    field = capital.use_case(version).kept().get(column)
    told = protection.get("fields", {}).get(column, {})
    if field is None or field.protect != "token" or told.get("method") != "siv":
        raise UsageError(
            "token-one-way",
            asked=f"reveal a token of `{column}` in {version.ref}",
            found="no such column" if field is None else "a column whose tokens lead one way only, or that has none",
            expected="a column with `protect: token` and `method: siv`",
            todo="see the columns with `curator show`; one-way tokens can be revealed by nobody",
        )
    context = protection["context"]
    name, root = epoch_root(capital, context["epoch"])
    full = KeyContext(
        holder=capital.workspace.holder, purpose=context["purpose"], recipient=context["recipient"], epoch=name
    )
    domain = token_domain(column, field)
    key = token_key(root, full, method="siv", domain=domain)
    if key_id(key[:KEY_BYTES]) != told.get("key_id"):
        raise another_key(f"reveal a token of `{column}` in {version.ref}")
    yield SivKernel(key, padded=True)
    yield SivKernel(token_key(root, full, method="siv", domain=f"malformed {domain}"), padded=True)


def _opened(kernels: list[SivKernel], sealed: bytes) -> str:
    """The value under whichever key it was sealed with. Raises IntegrityError `token-not-authentic`."""
    column = pa.array([sealed], pa.binary())
    for kernel in kernels[:-1]:
        try:
            return str(kernel.open(column)[0].as_py().decode("utf-8"))
        except IntegrityError:
            continue
    return str(kernels[-1].open(column)[0].as_py().decode("utf-8"))


def _require_present(version: DatasetVersion, column: str, *, sealed: bytes) -> None:
    wanted = pa.scalar(sealed, pa.binary())
    for split in version.splits:
        tokens = version.table(split, [column]).column(column).cast(pa.binary())
        if pc.any(pc.equal(tokens, wanted)).as_py():
            return
    raise UsageError(
        "token-absent",
        asked=f"reveal a token of `{column}` in {version.ref}",
        found="a token that no row of this version holds",
        expected="a token as the version holds it, all its bytes in hexadecimal",
        todo="copy it whole; a version made for another recipient has other tokens",
    )


def _parsed(token: str, asked: str) -> bytes:
    if not _HEX.fullmatch(token):
        raise UsageError(
            "token-malformed",
            asked=asked,
            found=f"{len(token)} characters that are no token",
            expected="an even number of hexadecimal digits, 32 or more",
            todo="give the bytes of the token in hexadecimal, without prefix",
        )
    return bytes.fromhex(token)


def _digest(capital: Capital, sealed: bytes) -> str:
    """A keyed digest of the token: the holder can tell which one it was, nobody else."""
    context = KeyContext(holder=capital.workspace.holder, purpose="reveal", recipient="holder", epoch="all")
    key = derive_key(provider(capital).root(), context, usage="reveal-log", domain="holder")
    return hmac.digest(key, sealed, "sha256").hex()


def _named_in(reason: str, value: str) -> bool:
    """Whether the identifier stands in the reason, however it is spaced, cased or accented there."""
    wanted = _letters(value)
    return bool(wanted) and wanted in _letters(reason)


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(mark for mark in plain if mark.isalnum())
