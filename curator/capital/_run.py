"""One run: the stages in order, and what they share: folder, keys, engine, digests of the sources.

The rows move once, when `write` streams them into the staged folder; what comes before is lazy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.capital._changes import ChangeFeed, highest
from curator.capital._keys import epoch_root
from curator.capital._options import RunOptions, change_feed
from curator.capital._watermarks import Watch
from curator.coarsening import Kept, coarsen
from curator.edges.durable import link
from curator.edges.quarantine import RejectedRows
from curator.edges.remote import Sending
from curator.engines import open_engine
from curator.errors import SourceError
from curator.evidence import KEYED, Artifact
from curator.extraction import extract
from curator.files import SourceDigests, Where
from curator.following import Following
from curator.manifest import FileEntry
from curator.protection import protect
from curator.pseudonyms import KeyContext, derive_key
from curator.quality import check
from curator.records import DatasetVersion
from curator.representation import RepresentationReport, measure
from curator.samples import (
    SAMPLE,
    CheckedSample,
    ProtectedSample,
    Sample,
    Written,
)
from curator.sources import Snapshots
from curator.spec import UseCase
from curator.versioning import write_shards

if TYPE_CHECKING:
    from curator.capital import Capital


@dataclass(frozen=True, kw_only=True)
class Follower:
    """What makes a run the refresh of a version.

    Attributes:
        previous: the version before.
        before: the spec that made it.
        line: the first version of those that share an order of rows.
        following: which rows are known, and which shards stay.
        read: the use case with the filter that leaves known rows in the source; the use case itself when None.
        changes: the feed of changes, where one is read in the place of the base source.
        noted: the watermark of the version before and what was noted of the rows below it, where `read` reads on.
        judge: called with what was written before it is published; None publishes nothing, else facts of the changes.
    """

    previous: DatasetVersion
    before: UseCase
    line: str
    following: Following
    judge: Callable[[Written], dict[str, Any] | None]
    read: UseCase | None = None
    changes: ChangeFeed | None = None
    noted: Mapping[str, Any] | None = None


class Run:
    """The moving parts of one run."""

    def __init__(self, capital: Capital, use_case: UseCase, *, options: RunOptions, scratch: Path) -> None:
        self._capital, self._use_case, self._options, self._scratch = capital, use_case, options, scratch
        self.folder = scratch / "version"
        self.folder.mkdir()
        self._root = capital.root_key()
        self.spec_folder: Path | None = None
        epoch, self._epoch_root = epoch_root(capital, options.epoch)
        self._context = KeyContext(
            holder=capital.workspace.holder, purpose=use_case.purpose_name, recipient=options.recipient, epoch=epoch
        )
        self._engine = open_engine(options.engine, scratch=scratch, threads=options.threads, memory=options.memory)
        self.digests = SourceDigests(self.key("source-digest"))
        self.representation: RepresentationReport | None = None
        self.follower: Follower | None = None
        self.following: Following | None = None
        self.looks: RunOptions | None = None
        self.reached: str | None = None
        self.fence: dict[str, Any] = {}
        self.sending: Sending | None = None

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()

    def sample(self, paths: Mapping[str, Where]) -> Sample:
        """Extract; keyed digests of the sources are taken meanwhile, on another thread."""
        key = self.key("source-digest")
        read = self.follower.read if self.follower and self.follower.read else self._use_case
        feed = self.follower.changes if self.follower else None
        engine = feed.engine(self._engine) if feed else self._engine
        with Snapshots(key=key) as live:
            self._look(live)
            watch = self._watched(paths, live)
            if feed is not None:
                feed.take(live, self._engine)
            sample = extract(read, engine=engine, paths=feed.paths(paths) if feed else paths, digest_key=key, live=live)
            if watch is not None:
                self.reached = self._highest(sample) or self._noted.get("watermark")
                self.fence = watch.noted(live, self.reached)
        for name, bound in sample.bound.items():
            self.digests.begin(name, bound.places)
        return sample

    def check(self, sample: Sample) -> CheckedSample:
        """Check, and compare what is kept with its population. Raises QualityError when a limit is passed."""
        checked = check(sample)
        self.representation = measure(checked)
        if self.representation is not None:
            self.representation.refuse()
        return checked

    def stands_for(self) -> dict[str, Any]:
        """Figures of that comparison, as a part of the check's facts."""
        return {"representation": self.representation.facts()} if self.representation else {}

    def protect(self, checked: CheckedSample) -> ProtectedSample:
        """Protect."""
        coarse = coarsen(checked, folder=self.spec_folder or Path(), kept=self._kept())
        return protect(
            checked,
            coarse=coarse,
            root=self._root,
            context=self._context,
            epoch_root=self._epoch_root,
            folder=self.spec_folder,
            line=self.follower.line if self.follower else None,
        )

    def _kept(self) -> Kept | None:
        """The levels of the version before, for as long as the spec searches the same."""
        if self.follower is None:
            return None
        if _search_of(self.follower.before) != _search_of(self._use_case):
            return None
        previous = self.follower.previous
        told = json.loads((previous.folder / "disclosure.json").read_text(encoding="utf-8")) or {}
        return Kept(
            ref=previous.ref,
            levels=told.get("coarse", {}).get("search", {}).get("levels"),
            files=tuple(previous.folder / entry.path for entry in previous.manifest.files if entry.split),
            growing=self.follower.read is not None,
        )

    def noted(self, protected: ProtectedSample) -> dict[str, Any]:
        """What the next refresh starts from: for whom tokens were made, and the highest watermark read."""
        sample, refresh = protected.checked.sample, self._use_case.refresh
        told: dict[str, Any] = {"recipient": self._context.recipient, "epoch": self._context.epoch}
        feed = self.follower.changes if self.follower else None
        if feed is not None:
            told |= {"watermark": feed.position, "fence": feed.fence}
        elif self.reached is not None or (refresh is not None and refresh.feed == "changes"):
            told |= {"watermark": self.reached, "fence": self.fence}
        elif refresh is not None and refresh.watermark is not None:
            told["watermark"] = self._highest(sample)
        return told

    @property
    def _noted(self) -> Mapping[str, Any]:
        """The watermark of the version before, where this run reads on from it."""
        return (self.follower.noted if self.follower else None) or {}

    def _highest(self, sample: Sample) -> str | None:
        """The highest watermark among the rows read."""
        since = self.follower is not None and self.follower.read is not None
        relation = SAMPLE if since else sample.bound[self._use_case.extract.from_].relation
        column = self._use_case.refresh.watermark if self._use_case.refresh else None
        return highest(sample.engine, relation, column=column or "")

    def _watched(self, paths: Mapping[str, Where], live: Snapshots) -> Watch | None:
        """The watermark of a base source that grows in a database. Raises OvertakenError."""
        refresh, base = self._use_case.refresh, self._use_case.extract.from_
        if self.looks is None or refresh is None or refresh.feed != "append":
            return None
        watch = Watch.of(self._use_case, source=self._use_case.sources[base], where=paths[base])
        if watch is not None and self._noted:
            watch.require(live, watermark=self._noted["watermark"], noted=self._noted.get("fence") or {})
        return watch

    def _look(self, live: Snapshots) -> None:
        """Know how far the feed of changes reaches before the base source is read, unless it is read in its place.

        What comes into it meanwhile is read again by the next refresh, which does no harm.
        """
        refresh, followed = self._use_case.refresh, self.follower is not None and self.follower.changes is not None
        if self.looks is None or refresh is None or refresh.feed != "changes" or followed:
            return
        feed = change_feed(self._use_case, spec_folder=self.spec_folder or Path(), options=self.looks)
        try:
            feed.look(live, self._engine)
        except SourceError as missing:
            if missing.code != "source-missing":
                raise
        self.reached, self.fence = feed.position, feed.fence

    def protected(self, paths: Mapping[str, Where]) -> ProtectedSample:
        """Extract, check and protect, lazily."""
        return self.protect(self.check(self.sample(paths)))

    def write(self, protected: ProtectedSample, rejected: RejectedRows | None) -> Written:
        """Move the rows; refuses when a file's bytes changed meanwhile."""
        written = write_shards(
            protected,
            folder=self.folder,
            scratch=self._scratch,
            order=self._options.order,
            quarantine=rejected,
            progress=self._options.progress,
            following=self._staged(),
            finished=self._finished if self.sending is not None else None,
        )
        self.digests.settle()
        return written

    def _finished(self, entry: FileEntry) -> None:
        """Begin to send a shard; the store shows nothing of it before the run is through."""
        if self.sending is not None:
            self.sending.take(self.folder / entry.path, entry)

    def _staged(self) -> Following | None:
        """Link the shards that stay into the staged folder."""
        if self.follower is not None and self.following is not None:
            for entry in self.following.files.values():
                link(self.follower.previous.folder / entry.path, self.folder / entry.path)
        return self.following

    def rejected_rows(self) -> RejectedRows:
        """The encrypted place for rejected rows."""
        return RejectedRows(self._scratch / "rejected", key=self.key("quarantine"))

    def source_artifacts(self) -> tuple[Artifact, ...]:
        """The sources by keyed digest; a plain digest of raw data would confirm a guess."""
        return tuple(Artifact(f"source {name}: {file}", digest, KEYED) for name, file, digest in self.digests.keyed())

    def key(self, usage: str) -> bytes:
        """A key for the holder's own notes."""
        return holder_key(self._capital, usage)


def holder_key(capital: Capital, usage: str) -> bytes:
    """A key for the holder's own notes. Raises SecretError as `Capital.root_key`."""
    context = KeyContext(holder=capital.workspace.holder, purpose=usage, recipient="holder", epoch="all")
    return derive_key(capital.root_key(), context, usage=usage, domain="holder")


def _search_of(use_case: UseCase) -> tuple[Any, ...]:
    """What a spec says of coarser values, where they are settled by the data."""
    merged = {name: field for name, field in use_case.fields.items() if field.protect == "merge_rare"}
    return (use_case.disclosure.search if use_case.disclosure else None, merged)
