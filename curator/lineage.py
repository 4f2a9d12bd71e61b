"""A lineage as people read it: one step a statement, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import TopologicalSorter

from curator.evidence import Envelope

_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Step:
    """One statement of a lineage.

    Attributes:
        time: RFC 3339, UTC; the signer's word.
        stage: what was done.
        agent: by whom.
        made: names of what it made or judged.
        used: names of what it read.
        digest: SHA-256 of the statement's file.
    """

    time: str
    stage: str
    agent: str
    made: tuple[str, ...]
    used: tuple[str, ...]
    digest: str

    @classmethod
    def of(cls, envelope: Envelope) -> Step:
        """The step that a statement tells."""
        statement = envelope.statement
        return cls(
            time=statement.time,
            stage=str(statement.stage),
            agent=statement.agent,
            made=tuple(artifact.name for artifact in statement.subjects),
            used=tuple(artifact.name for artifact in statement.inputs),
            digest=envelope.digest,
        )

    def __str__(self) -> str:
        source = f" from {_some(self.used)}" if self.used and self.used != self.made else ""
        return f"{self.time}  {self.stage:<8} {_some(self.made)}{source}  ({self.agent}, {self.digest[:10]})"


def newest_first(envelopes: Iterable[Envelope]) -> tuple[Step, ...]:
    """Steps of a lineage: every statement before those it follows, later ones first."""
    known = {envelope.digest: envelope for envelope in envelopes}
    order = sorted(known, key=lambda digest: (known[digest].statement.time, digest))
    links = {digest: [past for past in known[digest].statement.previous if past in known] for digest in order}
    return tuple(Step.of(known[digest]) for digest in reversed(tuple(TopologicalSorter(links).static_order())))


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
