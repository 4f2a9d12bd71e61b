"""Epochs of keys: listed, rotated, destroyed; and what a stage needs to derive its keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from curator.agents import Role
from curator.capital._parts import Recorder
from curator.edges.keys import EPOCH_NAME, KeyProvider, provider_of
from curator.epochs import Change, Epoch, artifact_of, facts_of, find_epoch, read_epochs
from curator.errors import SecretError, UsageError
from curator.evidence import Envelope, Stage, open_envelope
from curator.pseudonyms import key_id

if TYPE_CHECKING:
    from curator.capital import Capital

_STAGES = (Stage.KEYS, Stage.PROTECT)
_LONGEST = 500


def provider(capital: Capital) -> KeyProvider:
    """Whoever holds the secrets of a capital."""
    return provider_of(capital.workspace.private, capital.environ)


def epochs(capital: Capital) -> tuple[Epoch, ...]:
    """Every epoch, oldest first; ends a destruction that was cut short after it was recorded."""
    directory = capital.directory()
    keys = directory.keys()
    told = (env for env in capital.evidence.unverified() if env.statement.stage in _STAGES)
    found = read_epochs((open_envelope(envelope.data, keys) for envelope in told), directory=directory)
    secrets = provider(capital)
    for epoch in found:
        if epoch.destroyed and epoch.own_secret and secrets.has_epoch(epoch.name):
            secrets.destroy_epoch(epoch.name)
    return found


def epoch_root(capital: Capital, name: str | None) -> tuple[str, bytes]:
    """The name of an epoch, the current one for None, and what its keys derive from.

    Raises:
        SecretError: `epoch-unknown`, `epoch-destroyed`; `key-another` when the secrets here are not those that the
            epoch was created with; `key-missing` and others when they cannot be read.
    """
    epoch = find_epoch(epochs(capital), name)
    if not epoch.own_secret:
        return epoch.name, provider(capital).root()
    root = provider(capital).epoch_root(epoch.name)
    if key_id(root) != epoch.key_id:
        raise another_key(f"use the keys of epoch {epoch.name}")
    return epoch.name, root


def current_epoch(capital: Capital) -> Epoch:
    """The epoch that new versions take. Raises SecretError as `epoch_root`."""
    name, _ = epoch_root(capital, None)
    return find_epoch(epochs(capital), name)


def begin_epoch(recorder: Recorder, keys: KeyProvider, *, name: str, previous: Iterable[str] = ()) -> Envelope:
    """Draw an epoch's secret and sign that it was created; the caller publishes, and destroys it if that fails.

    A secret that is there although no statement tells of the epoch was drawn by a command that was cut short: nothing
    was made with it, and it is taken; one that was half destroyed is destroyed first.
    """
    if keys.has_epoch(name):
        try:
            keys.epoch_root(name)
        except SecretError as fault:
            if fault.code != "key-malformed":
                raise
            keys.destroy_epoch(name)
    if not keys.has_epoch(name):
        keys.create_epoch(name)
    named = key_id(keys.epoch_root(name))
    facts = facts_of(Change.CREATE, epoch=name, key_id=named)
    return recorder.record(Stage.KEYS, subjects=(artifact_of(name, named),), previous=previous, facts=facts)


def rotate(capital: Capital, name: str | None) -> Epoch:
    """Begin a new epoch, which becomes the current one; see `Capital.rotate_keys`."""
    with capital.workspace.lock():  # from the look at what is there to the statement about it
        return _rotate(capital, name)


def _rotate(capital: Capital, name: str | None) -> Epoch:
    recorder = capital.recorder(Role.STEWARD, Role.CUSTODIAN)
    known = epochs(capital)
    chosen = name or _next_name(known)
    if not EPOCH_NAME.fullmatch(chosen) or any(epoch.name == chosen for epoch in known):
        raise UsageError(
            "epoch-name",
            asked="begin a new epoch",
            found="a name that an epoch has or had" if EPOCH_NAME.fullmatch(chosen) else "a name of another form",
            expected="1 to 64 of a-z, 0-9, dot and hyphen, beginning with a letter or digit, never used before",
            todo="choose another name, or leave it out for the next number",
        )
    keys = provider(capital)
    envelope = begin_epoch(recorder, keys, name=chosen, previous=_last_changes(capital))
    try:
        _publish(capital, envelope, message=f"Begin the epoch {chosen}")
    except BaseException:
        if not (capital.workspace.root / envelope.path).is_file():
            keys.destroy_epoch(chosen)
        raise
    return find_epoch(epochs(capital), chosen)


def destroy(capital: Capital, name: str, *, reason: str) -> Epoch:
    """Record, then do, the destruction of an epoch's secret; see `Capital.destroy_keys`."""
    with capital.workspace.lock():
        return _destroy(capital, name, reason=reason)


def _destroy(capital: Capital, name: str, *, reason: str) -> Epoch:
    recorder = capital.recorder(Role.CUSTODIAN)
    said = checked_reason(reason, asked=f"destroy the keys of epoch {name}")
    epoch = find_epoch(epochs(capital), name)
    if epoch.current or not epoch.own_secret:
        raise UsageError(
            "epoch-in-use",
            asked=f"destroy the keys of epoch {name}",
            found="the current epoch" if epoch.current else "an epoch whose keys derive from the root secret alone",
            expected="an earlier epoch with a secret of its own",
            todo="begin another epoch first: `curator keys rotate`"
            if epoch.current
            else "these keys go only with the root secret; versions made in later epochs can be shredded",
        )
    provider(capital).check_destroyable(name)
    facts = facts_of(Change.DESTROY, epoch=name, key_id=epoch.key_id, reason=said)
    subjects = (artifact_of(name, epoch.key_id),)
    envelope = recorder.record(Stage.KEYS, subjects=subjects, previous=_last_changes(capital), facts=facts)
    # Recorded first: a crash in between leaves a secret that nothing may use any more and the next look destroys.
    _publish(capital, envelope, message=f"Destroy the keys of epoch {name}")
    return next(found for found in epochs(capital) if found.name == name)


def checked_reason(reason: str, *, asked: str) -> str:
    """A reason as evidence keeps it. Raises UsageError `reason-missing`."""
    said = " ".join(reason.split())
    if not said or len(said) > _LONGEST:
        raise UsageError(
            "reason-missing",
            asked=asked,
            found="no reason" if not said else f"a reason of more than {_LONGEST} characters",
            expected="one sentence, which the evidence keeps for ever",
            todo='say why with --reason "...", and name nobody',
        )
    return said


def another_key(asked: str) -> SecretError:
    """The error of secrets that are not those that something was made with."""
    return SecretError(
        "key-another",
        asked=asked,
        found="secrets that give a key of another id than the evidence names",
        expected="the root secret and the epoch's secret that it was made with",
        todo="restore both from their safe copies; `curator keys list` shows the ids",
    )


def _last_changes(capital: Capital) -> tuple[str, ...]:
    """The `keys` statements that no other one follows: times are whole seconds, so order is told by links."""
    changes = {env.digest: env for env in capital.evidence.unverified() if env.statement.stage is Stage.KEYS}
    followed = {digest for envelope in changes.values() for digest in envelope.statement.previous}
    return tuple(sorted(set(changes) - followed))


def _next_name(known: tuple[Epoch, ...]) -> str:
    numbers = [int(epoch.name) for epoch in known if epoch.name.isascii() and epoch.name.isdigit()]
    return str(max(numbers, default=0) + 1)


def _publish(capital: Capital, envelope: Envelope, *, message: str) -> None:
    capital.workspace.publish(folders={}, files={envelope.path: envelope.data}, message=message, tag=None)
