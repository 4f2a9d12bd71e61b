"""From a spec to a published dataset version: the stages in order, one signed statement each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from curator.agents import Role
from curator.canonical import canonical_json, sha256_json
from curator.capital._changes import ChangeFeed, highest
from curator.capital._disguises import refuse_disguises
from curator.capital._keys import epoch_root
from curator.capital._known import refuse_plain_hashes
from curator.capital._parts import Recorder, code_facts
from curator.capital._reports import keep_report
from curator.capital._sources import forget_held, keep_digests, keep_index
from curator.capital._watermarks import Watch
from curator.coarsening import Kept, coarsen
from curator.describing import describe
from curator.edges.durable import disk_errors, link
from curator.edges.quarantine import RejectedRows
from curator.edges.remote import Remote, Sending
from curator.engines import open_engine
from curator.errors import SourceError, StorageError, UsageError
from curator.evidence import KEYED, Artifact, Stage
from curator.extraction import extract, require_known
from curator.files import SourceDigests, Where, where_of
from curator.following import Following
from curator.manifest import FileEntry, Manifest
from curator.protection import protect
from curator.pseudonyms import KeyContext, derive_key
from curator.quality import check
from curator.records import DatasetVersion
from curator.representation import RepresentationReport, measure
from curator.samples import (
    SAMPLE,
    CheckedSample,
    ProtectedSample,
    QualityReport,
    RowOrder,
    Sample,
    Written,
    split_names,
)
from curator.sources import Snapshots
from curator.spec import UseCase
from curator.versioning import Progress, write_shards

if TYPE_CHECKING:
    from curator.capital import Capital

Until = Literal["extract", "check", "protect"]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How to run, without any effect on what a keyed-order dataset holds.

    Attributes:
        sources: source -> file or address, instead of the spec's own path.
        data: folder that the spec's relative paths start from; the spec's own folder when None.
        engine, threads, memory: where to compute and with what.
        recipient, epoch: context of the token keys; the current epoch when None.
        order: `keyed`, or `engine` for speed without reproducible bytes.
        to: name of a DVC remote on S3 that gets the version as it is written; none when None.
        progress: called with stage, done, total.
    """

    sources: Mapping[str, Path | str] = field(default_factory=dict)
    data: Path | str | None = None
    engine: str = "duckdb"
    threads: int | None = None
    memory: str | None = None
    recipient: str = "internal"
    epoch: str | None = None
    order: RowOrder = "keyed"
    to: str | None = None
    progress: Progress | None = None


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a run that stops before `commit` found.

    Attributes:
        stage: the last stage run.
        extraction: facts of the extraction.
        quality: facts of the check, from `check` on.
        disclosure: facts of the measure, for `protect`.
    """

    stage: str
    extraction: dict[str, Any]
    quality: dict[str, Any] | None = None
    disclosure: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return vars(self)


def source_paths(use_case: UseCase, *, spec_folder: Path, options: RunOptions) -> dict[str, Where]:
    """Where each source stands. Raises SourceError when `sources` names one that the spec does not have."""
    require_known(use_case, options.sources)
    base = Path(options.data or spec_folder)
    told = {name: (source.addresses, base) for name, source in use_case.sources.items()}
    told |= {name: ((str(where),), Path()) for name, where in options.sources.items()}
    return {name: where_of(addresses, source=name, folder=folder) for name, (addresses, folder) in told.items()}


def change_feed(
    use_case: UseCase, *, spec_folder: Path, options: RunOptions, noted: Mapping[str, Any] | None = None
) -> ChangeFeed:
    """The feed of changes of a use case that declares one, from the watermark on that was noted."""
    addresses = use_case.refresh.changes.addresses if use_case.refresh and use_case.refresh.changes else ()
    place = where_of(addresses, source="refresh.changes", folder=Path(options.data or spec_folder))
    noted = noted or {}
    return ChangeFeed(use_case, place=place, after=noted.get("watermark"), noted=noted.get("fence"))


@dataclass(frozen=True, kw_only=True)
class Follower:
    """What makes a run the refresh of a version.

    Attributes:
        previous: the version before.
        line: the first version of those that share an order of rows.
        following: which rows are known, and which shards stay.
        read: the use case with the filter that leaves known rows in the source; the use case itself when None.
        changes: the feed of changes, where one is read in the place of the base source.
        noted: the watermark of the version before and what was noted of the rows below it, where `read` reads on.
        judge: called with what was written before it is published; None publishes nothing, else facts of the changes.
    """

    previous: DatasetVersion
    line: str
    following: Following
    judge: Callable[[Written], dict[str, Any] | None]
    read: UseCase | None = None
    changes: ChangeFeed | None = None
    noted: Mapping[str, Any] | None = None


def curate(capital: Capital, spec: Path, *, use_case: UseCase, options: RunOptions) -> DatasetVersion:
    """Run every stage and publish the version; see `Capital.curate`."""
    version = publish_run(capital, spec, use_case=use_case, options=options, spec_bytes=spec.read_bytes())
    if version is None:  # pragma: no cover (only a refresh may decide to publish nothing)
        raise RuntimeError
    return version


def publish_run(
    capital: Capital,
    spec: Path,
    *,
    use_case: UseCase,
    options: RunOptions,
    spec_bytes: bytes,
    follower: Follower | None = None,
) -> DatasetVersion | None:
    """Run every stage and publish the version; None when a refresh finds nothing new."""
    recorder = capital.recorder(Role.ENGINEER)
    refuse_existing(capital, use_case)
    with ExitStack() as stack:
        stack.enter_context(disk_errors(capital.workspace.root, asked=f"make {use_case.ref}"))
        run = _prepared(capital, use_case, options=options, spec_folder=spec.parent, follower=follower, stack=stack)
        following = run.following
        protected = run.protected(source_paths(use_case, spec_folder=spec.parent, options=options))
        rejected = stack.enter_context(run.rejected_rows())
        if follower is not None and follower.changes is not None:
            follower.following.touched = follower.changes.touched(protected)
        written = run.write(protected, rejected)
        refreshed = follower.judge(written) if follower else {}
        if refreshed is None:
            return None
        stayed = set(following.files.values()) if following else set()  # attacked when they were published
        shards = [run.folder / entry.path for entry in written.files if entry not in stayed]
        refuse_plain_hashes(protected.checked.sample, shards, recipient=options.recipient)
        refuse_disguises(protected.checked.sample, shards)
        manifest = describe(
            run.folder, use_case=use_case, written=written, protected=protected, spec=spec_bytes,
            as_written=protected.coarse.of(use_case),
            representation=run.representation, about=refreshed,
        )  # fmt: skip
        envelopes = _statements(
            recorder, protected, written=written, manifest=manifest, sources=run.source_artifacts(),
            representation=run.representation, use_case=use_case, before=follower.previous if follower else None,
        )  # fmt: skip
        keep_index(
            capital.workspace.private,
            use_case.ref,
            following=following,
            told=run.noted(protected),
            previous=follower.previous.ref if follower else None,
            key=run.key("held-rows"),
            files=[entry for entry in manifest.files if entry.split],
        )
        rejected.keep(capital.workspace.private / "holder" / "rejected", use_case=use_case)
        keep_digests(capital.workspace.private, use_case.ref, told=run.digests.facts())
        keep_report(capital.workspace.private, use_case.ref, report=run.representation)
        if run.sending is not None:  # before the version is named here: what Git names is in the store whole
            run.sending.finish(manifest, run.folder)
        place = _publish(
            capital, use_case, folder=run.folder, manifest=manifest, envelopes=envelopes, spec_bytes=spec_bytes
        )
        if follower is not None:
            forget_held(capital.workspace.private, follower.previous.ref)
    return DatasetVersion(manifest=manifest, folder=capital.workspace.root / place)


def _prepared(
    capital: Capital,
    use_case: UseCase,
    *,
    options: RunOptions,
    spec_folder: Path,
    follower: Follower | None,
    stack: ExitStack,
) -> _Run:
    """A run with all that it needs open; the stack closes it."""
    run = _Run(capital, use_case, options=options, scratch=stack.enter_context(capital.workspace.scratch("curate")))
    run.spec_folder, run.follower = spec_folder, follower
    run.following = follower.following if follower else None
    if run.following is None and use_case.refresh is not None and options.order == "keyed":
        run.following = Following(split_names(use_case))
    stack.callback(run.close)
    stack.enter_context(run.digests)
    if options.to is not None:
        run.sending = stack.enter_context(Remote.of(capital.workspace.root, options.to).sending())
    run.looks = options
    return run


def _publish(
    capital: Capital, use_case: UseCase, *, folder: Path, manifest: Manifest, envelopes: list[Any], spec_bytes: bytes
) -> str:
    """Publish the version, its statements and its spec at once; returns its place in the workspace."""
    place = f"datasets/{use_case.name}/{use_case.version}"
    capital.workspace.publish(
        folders={place: folder},
        files={**{envelope.path: envelope.data for envelope in envelopes}, f"specs/{use_case.ref}.yaml": spec_bytes},
        message=f"Add {use_case.ref}",
        tag=use_case.ref,
        tag_message=f"{use_case.ref}\n\nmanifest sha256: {manifest.digest}\nstatement: {envelopes[-1].digest}\n",
    )
    return place


def preview(capital: Capital, spec: Path, *, use_case: UseCase, options: RunOptions, until: Until) -> Preview:
    """Run the stages up to `until` and publish nothing."""
    with ExitStack() as stack:
        stack.enter_context(disk_errors(capital.workspace.root, asked=f"look at {use_case.ref}"))
        scratch = stack.enter_context(capital.workspace.scratch("preview"))
        run = _Run(capital, use_case, options=options, scratch=scratch)
        run.spec_folder = spec.parent
        stack.callback(run.close)
        stack.enter_context(run.digests)
        sample = run.sample(source_paths(use_case, spec_folder=spec.parent, options=options))
        if until == "extract":
            rows = sample.engine.rows("SELECT count(*) FROM sample")[0][0]
            return Preview(stage=until, extraction={**sample.facts(), "rows": int(rows)})
        if until == "check":
            checked = run.check(sample)
            quality = {**_quality_facts(checked.run()), **run.stands_for()}
            return Preview(stage=until, extraction=sample.facts(), quality=quality)
        written = run.write(run.protect(run.check(sample)), None)
        disclosure = written.disclosure.facts() if written.disclosure else None
        return Preview(
            stage=until, extraction=sample.facts(), quality=_quality_facts(written.quality), disclosure=disclosure
        )


class _Run:
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
        before, use_case = self._capital.use_case(self.follower.previous), self._use_case
        if _search_of(before) != _search_of(use_case):
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


def _statements(
    recorder: Recorder,
    protected: ProtectedSample,
    *,
    written: Written,
    manifest: Manifest,
    sources: tuple[Artifact, ...],
    use_case: UseCase,
    representation: RepresentationReport | None = None,
    before: DatasetVersion | None = None,
) -> list[Any]:
    """One statement a stage, each following the one before: sources -> sample -> checked -> protected -> version."""
    sample = protected.checked.sample
    spec = Artifact(f"use case {use_case.ref}", use_case.digest)
    engine = sample.engine.describe()
    stands_for = {"representation": representation.facts()} if representation else {}
    disclosure = written.disclosure.facts() if written.disclosure else None
    shielded = {**protected.facts(), "disclosure": disclosure, **_identifiers(written)}
    steps = [
        (Stage.EXTRACT, "sample", {**sample.facts(), "engine": engine, "rows": written.quality.rows}, (*sources, spec)),
        (Stage.CHECK, "checked sample", {**_quality_facts(written.quality), **stands_for}, (spec,)),
        (Stage.PROTECT, "protected sample", shielded, (spec,)),
    ]
    envelopes: list[Any] = []
    inputs: tuple[Artifact, ...] = ()
    for stage, name, facts, read in steps:
        facts = {**facts, "use_case": use_case.ref, "code": code_facts()}  # so that no two versions share a digest
        made = Artifact(f"{name} of {use_case.ref}", sha256_json(_plain(facts)))
        follows = [envelopes[-1].digest] if envelopes else []
        envelopes.append(
            recorder.record(stage, subjects=(made,), inputs=(*inputs, *read), previous=follows, facts=_plain(facts))
        )
        inputs = (made,)
    committed: dict[str, Any] = {
        "rows": manifest.rows,
        "files": len(manifest.files),
        "order": written.order,
        "code": code_facts(),
    }
    if before is not None:
        committed["refresh"] = dict(manifest.about["refresh"])
        inputs = (*inputs, Artifact(before.ref, before.digest))
    subjects = (Artifact(manifest.ref, manifest.digest), *_files(manifest))
    envelopes.append(
        recorder.record(
            Stage.COMMIT, subjects=subjects, inputs=(*inputs, spec), previous=[envelopes[-1].digest], facts=committed
        )
    )
    return envelopes


def _identifiers(written: Written) -> dict[str, Any]:
    """How many identifiers each token field had, how likely its tokens are to collide, and what could not be moved."""
    told: dict[str, Any] = {"identifiers": {name: count.facts() for name, count in written.identifiers.items()}}
    return {**told, "unmoved": dict(written.unmoved)} if written.unmoved else told


def _files(manifest: Manifest) -> tuple[Artifact, ...]:
    """Every file as a subject, so that a trace can start from any of them alone."""
    unique = {entry.sha256: Artifact(f"{manifest.ref}/{entry.path}", entry.sha256) for entry in manifest.files}
    return tuple(sorted(unique.values()))


def _quality_facts(report: QualityReport) -> dict[str, Any]:
    return report.facts()


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(canonical_json(facts))
    return plain


def refuse_existing(capital: Capital, use_case: UseCase) -> None:
    """Refuse before any work a version that exists; the workspace checks again when it publishes."""
    if use_case.name in {name for name, _ in capital.workspace.versions("model")}:
        raise UsageError(
            "name-taken",
            asked=f"make {use_case.ref}",
            found="a model of that name",
            expected="a name of its own: one reference names one thing",
            todo="choose another `name` in the spec",
        )
    taken = [version for name, version in capital.workspace.versions("dataset") if name == use_case.name]
    if use_case.version in taken:
        major, minor, patch = (int(part) for part in max(taken, key=_numbers).split("."))
        raise StorageError(
            "version-exists",
            asked=f"make {use_case.ref}",
            found="a version of that name and number",
            expected="a number that is not taken: a version is never overwritten",
            todo=f"set `version: {major}.{minor}.{patch + 1}` (same rows), or a new minor or major number, in the spec",
        )


def _search_of(use_case: UseCase) -> tuple[Any, ...]:
    """What a spec says of coarser values, where they are settled by the data."""
    merged = {name: field for name, field in use_case.fields.items() if field.protect == "merge_rare"}
    return (use_case.disclosure.search if use_case.disclosure else None, merged)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
