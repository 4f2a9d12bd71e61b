"""A lineage as people read it: one step a statement, newest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

from curator.evidence import MAKING, Envelope, Stage

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
        notes: what a reader should know of it: how well a text was masked.
    """

    time: str
    stage: str
    agent: str
    made: tuple[str, ...]
    used: tuple[str, ...]
    digest: str
    notes: tuple[str, ...] = ()

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
            notes=tuple(_masked(statement.facts)) if statement.stage is Stage.PROTECT else (),
        )

    def __str__(self) -> str:
        source = f" from {_some(self.used)}" if self.used and self.used != self.made else ""
        line = f"{self.time}  {self.stage:<8} {_some(self.made)}{source}  ({self.agent}, {self.digest[:10]})"
        return "\n".join([line, *(f"{'':<22}{note}" for note in self.notes)])


def _masked(facts: Mapping[str, Any]) -> Iterator[str]:
    """How well each text was masked, as it was measured."""
    for name, told in sorted(facts.get("fields", {}).items()):
        if told.get("protect") != "mask":
            continue
        measured = told.get("evaluation")
        if not measured:
            yield f"text {name} masked; how much is found was not measured"
            continue
        share = measured["kinds"]["all"]
        yield (
            f"text {name} masked; recall {share['recall']:.4f} (at least {share['recall_low']:.4f}) "
            f"on {measured['documents']:,} labelled texts"
        )


def newest_first(envelopes: Iterable[Envelope]) -> tuple[Step, ...]:
    """Steps of a lineage, later ones first, and every statement before those it follows or whose work it read.

    A clock may err, and several steps share a second: order comes from the links, time only decides where none exists.
    """
    known = {envelope.digest: envelope for envelope in envelopes}
    makers = _makers(known.values())
    followers: dict[str, list[str]] = defaultdict(list)
    waiting: dict[str, int] = {}
    for digest, envelope in known.items():
        parents = _parents(envelope, makers) & known.keys()
        waiting[digest] = len(parents)
        for parent in parents:
            followers[parent].append(digest)
    ready = [(known[digest].statement.time, digest) for digest, count in waiting.items() if not count]
    heapify(ready)
    ordered: list[str] = []
    while ready:
        digest = heappop(ready)[1]
        ordered.append(digest)
        for follower in followers[digest]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heappush(ready, (known[follower].statement.time, follower))
    ordered += sorted(known.keys() - ordered)  # in a circle, which curator never signs: shown all the same
    return tuple(Step.of(known[digest]) for digest in reversed(ordered))


def _parents(envelope: Envelope, makers: Mapping[str, set[str]]) -> set[str]:
    """Digests of the statements that one follows, or that made what it read."""
    read = (makers.get(artifact.digest, set()) for artifact in envelope.statement.inputs)
    return set(envelope.statement.previous).union(*read) - {envelope.digest}


def _makers(envelopes: Iterable[Envelope]) -> dict[str, set[str]]:
    makers: dict[str, set[str]] = {}
    for envelope in envelopes:
        if envelope.statement.stage in MAKING:
            for artifact in envelope.statement.subjects:
                makers.setdefault(artifact.digest, set()).add(envelope.digest)
    return makers


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
