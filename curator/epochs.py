"""Epochs: which periods of keys there were, which one is current, which were destroyed; read from statements alone.

A `keys` statement says that an epoch was created or destroyed, and names its key by id. The first epoch of a capital
made with a given root secret, or by an earlier curator, has no such statement: its keys derive from the root alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from curator.agents import Directory
from curator.canonical import Json, sha256_json
from curator.errors import CuratorError, SecretError
from curator.evidence import Artifact, Envelope, Stage, Statement
from curator.policy import check_author

FIRST = "1"
"""What the first epoch is called."""


class Change(StrEnum):
    """What a `keys` statement says."""

    CREATE = "create"
    DESTROY = "destroy"


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """A period of keys.

    Attributes:
        name: as `--epoch` takes it.
        key_id: of what its keys derive from; empty for one that derives from the root alone.
        since: when it was created, RFC 3339; empty when no statement says it.
        destroyed: when its secret was destroyed; empty while it is there.
        current: whether new versions take it.
    """

    name: str
    key_id: str = ""
    since: str = ""
    destroyed: str = ""
    current: bool = False

    @property
    def own_secret(self) -> bool:
        """Whether it has a secret of its own, which can be destroyed."""
        return bool(self.key_id)

    @property
    def state(self) -> str:
        """`current`, `past` or `destroyed`."""
        return "destroyed" if self.destroyed else "current" if self.current else "past"

    def to_json(self) -> dict[str, Json]:
        """What `--json` prints."""
        return {
            "name": self.name,
            "state": self.state,
            "own_secret": self.own_secret,
            "key_id": self.key_id,
            "since": self.since,
            "destroyed": self.destroyed,
        }


def facts_of(change: Change, *, epoch: str, key_id: str, reason: str = "") -> dict[str, Json]:
    """The facts of a `keys` statement."""
    return {"change": change.value, "epoch": epoch, "key_id": key_id, "reason": reason}


def artifact_of(epoch: str, key_id: str) -> Artifact:
    """The subject of such a statement: an epoch and the id of its key, which tells nothing of the key."""
    return Artifact(f"epoch {epoch}", sha256_json({"epoch": epoch, "key_id": key_id}))


def read_epochs(envelopes: Iterable[Envelope], *, directory: Directory) -> tuple[Epoch, ...]:
    """Every epoch, oldest first; at most one is current: the newest that was created and is not destroyed.

    Args:
        envelopes: verified statements, ancestors first; stages other than `keys` and `protect` are passed over.
        directory: the newest one; a change signed by somebody who was not allowed then does not count.
    """
    found: dict[str, Epoch] = {}
    used: dict[str, None] = {}
    for envelope in envelopes:
        statement = envelope.statement
        if statement.stage is Stage.KEYS and _counts(statement, directory):
            _apply(found, statement)
        elif statement.stage is Stage.PROTECT:
            used |= dict.fromkeys(_used(statement.facts))
    older = [Epoch(name=name) for name in used if name not in found]
    if not older and not found:
        older = [Epoch(name=FIRST)]
    alive = [epoch for epoch in (*older, *found.values()) if not epoch.destroyed]
    own = [epoch for epoch in alive if epoch.own_secret]
    newest = (own or [epoch for epoch in alive if epoch.name == FIRST] or alive)[-1:]
    return tuple(replace(epoch, current=epoch in newest) for epoch in (*older, *found.values()))


def find_epoch(epochs: Iterable[Epoch], name: str | None) -> Epoch:
    """The epoch of a name, or the current one.

    Raises:
        SecretError: `epoch-unknown` when there is none of that name, `epoch-destroyed` when its keys are gone.
    """
    known = tuple(epochs)
    for epoch in known:
        if epoch.name == name or (name is None and epoch.current):
            if epoch.destroyed:
                raise destroyed(epoch)
            return epoch
    alive = ", ".join(epoch.name for epoch in known if not epoch.destroyed) or "none"
    raise SecretError(
        "epoch-unknown",
        asked=f"use the keys of epoch {name}" if name is not None else "use the keys of the current epoch",
        found="no epoch of that name" if name is not None else "no epoch whose keys are there",
        expected=f"one of: {alive}",
        todo="list them with `curator keys list`; begin a new one with `curator keys rotate`",
    )


def destroyed(epoch: Epoch) -> SecretError:
    """The error of keys that are gone for ever."""
    return SecretError(
        "epoch-destroyed",
        asked=f"use the keys of epoch {epoch.name}",
        found=f"an epoch whose secret was destroyed on {epoch.destroyed[:10]}",
        expected="an epoch whose secret is there",
        todo="use the current epoch: tokens of a destroyed one can be neither made again nor opened, by anybody",
    )


def _counts(statement: Statement, directory: Directory) -> bool:
    try:
        check_author(statement, directory)
    except CuratorError:
        return False
    return True


def _apply(found: dict[str, Epoch], statement: Statement) -> None:
    name, key_id = str(statement.facts.get("epoch", "")), str(statement.facts.get("key_id", ""))
    change = statement.facts.get("change")
    if change == Change.CREATE and name not in found:
        found[name] = Epoch(name=name, key_id=key_id, since=statement.time)
    elif change == Change.DESTROY and name in found and not found[name].destroyed:
        found[name] = replace(found[name], destroyed=statement.time)


def _used(facts: Mapping[str, Any]) -> list[str]:
    context = facts.get("context")
    name = context.get("epoch") if isinstance(context, Mapping) else None
    return [name] if isinstance(name, str) else []
