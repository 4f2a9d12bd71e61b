"""From a spec to a published dataset version, or to a look at what would become of it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.agents import Role
from curator.capital._disguises import refuse_disguises
from curator.capital._known import refuse_plain_hashes
from curator.capital._models import numbers
from curator.capital._options import Preview, RunOptions, Until, source_paths
from curator.capital._reports import keep_report
from curator.capital._run import Follower, Run
from curator.capital._sources import forget_held, keep_digests, keep_index
from curator.capital._statements import statements
from curator.describing import describe
from curator.edges.durable import disk_errors
from curator.edges.remote import Remote
from curator.errors import StorageError, UsageError
from curator.following import Following
from curator.manifest import Manifest
from curator.records import DatasetVersion
from curator.samples import (
    ProtectedSample,
    Written,
    split_names,
)
from curator.spec import UseCase

if TYPE_CHECKING:
    from curator.capital import Capital


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
        protected = run.protected(source_paths(use_case, spec_folder=spec.parent, options=options))
        rejected = stack.enter_context(run.rejected_rows())
        if follower is not None and follower.changes is not None:
            follower.following.touched = follower.changes.touched(protected)
        written = run.write(protected, rejected)
        refreshed = follower.judge(written) if follower else {}
        if refreshed is None:
            return None
        _refuse_known(run, protected, written=written, recipient=options.recipient)
        manifest = describe(
            run.folder, use_case=use_case, written=written, protected=protected, spec=spec_bytes,
            as_written=protected.coarse.of(use_case),
            representation=run.representation, about=refreshed,
        )  # fmt: skip
        envelopes = statements(
            recorder, protected, written=written, manifest=manifest, sources=run.source_artifacts(),
            representation=run.representation, use_case=use_case, before=follower.previous if follower else None,
        )  # fmt: skip
        _keep_notes(capital, run, use_case=use_case, protected=protected, manifest=manifest)
        rejected.keep(capital.workspace.private / "holder" / "rejected", use_case=use_case)
        if run.sending is not None:  # before the version is named here: what Git names is in the store whole
            run.sending.finish(manifest, run.folder)
        place = _publish(
            capital, use_case, folder=run.folder, manifest=manifest, envelopes=envelopes, spec_bytes=spec_bytes
        )
        if follower is not None:
            forget_held(capital.workspace.private, follower.previous.ref)
    notes = (*protected.checked.sample.notes, *written.notes)
    return DatasetVersion(manifest=manifest, folder=capital.workspace.root / place, notes=notes)


def _refuse_known(run: Run, protected: ProtectedSample, *, written: Written, recipient: str) -> None:
    """Refuse new shards that hold identifiers in a disguise; those that stayed were tried when they were published."""
    stayed = set(run.following.files.values()) if run.following else set()
    shards = [run.folder / entry.path for entry in written.files if entry not in stayed]
    following, kernel = run.following, protected.kernel
    stands = None if following is None else lambda batch: following.wrote(kernel.row_tokens(batch))
    refuse_plain_hashes(protected.checked.sample, shards, recipient=recipient, stands=stands)
    refuse_disguises(protected.checked.sample, shards)


def _keep_notes(
    capital: Capital, run: Run, *, use_case: UseCase, protected: ProtectedSample, manifest: Manifest
) -> None:
    """Keep for the holder alone what the next run starts from."""
    private = capital.workspace.private
    keep_index(
        private,
        use_case.ref,
        following=run.following,
        told=run.noted(protected),
        previous=run.follower.previous.ref if run.follower else None,
        key=run.key("held-rows"),
        files=[entry for entry in manifest.files if entry.split],
    )
    keep_digests(private, use_case.ref, told=run.digests.facts())
    keep_report(private, use_case.ref, report=run.representation)


def _prepared(
    capital: Capital,
    use_case: UseCase,
    *,
    options: RunOptions,
    spec_folder: Path,
    follower: Follower | None,
    stack: ExitStack,
) -> Run:
    """A run with all that it needs open; the stack closes it."""
    run = Run(capital, use_case, options=options, scratch=stack.enter_context(capital.workspace.scratch("curate")))
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
        run = Run(capital, use_case, options=options, scratch=scratch)
        run.spec_folder = spec.parent
        stack.callback(run.close)
        stack.enter_context(run.digests)
        sample = run.sample(source_paths(use_case, spec_folder=spec.parent, options=options))
        if until == "extract":
            rows = sample.engine.rows("SELECT count(*) FROM sample")[0][0]
            return Preview(stage=until, extraction={**sample.facts(), "rows": int(rows)})
        if until == "check":
            checked = run.check(sample)
            quality = {**checked.run().facts(), **run.stands_for()}
            return Preview(stage=until, extraction=sample.facts(), quality=quality)
        written = run.write(run.protect(run.check(sample)), None)
        disclosure = written.disclosure.facts() if written.disclosure else None
        return Preview(stage=until, extraction=sample.facts(), quality=written.quality.facts(), disclosure=disclosure)


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
        major, minor, patch = numbers(taken[-1])  # the workspace lists the oldest first
        raise StorageError(
            "version-exists",
            asked=f"make {use_case.ref}",
            found="a version of that name and number",
            expected="a number that is not taken: a version is never overwritten",
            todo=f"set `version: {major}.{minor}.{patch + 1}` (same rows), or a new minor or major number, in the spec",
        )
