"""A dataset that follows its source: a new version when something changed, and nothing at all when nothing did.

`feed: full` reads every row and compares it, by a keyed index that only the holder has, with the version before.
`feed: append` leaves known rows in the source by their watermark. Either way only the difference is written: shards
without a row that left or changed stay as they are (links, not copies), the others are written again without these
rows, new rows go into shards of their own, and the limits on finding somebody are counted and measured over all.
What new rows alone cannot decide (a changed row, an expectation about the whole table) is left to a comparison of all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.capital import _curation
from curator.capital._changes import ChangeFeed
from curator.capital._curation import publish_run
from curator.capital._keys import epoch_root
from curator.capital._models import numbers
from curator.capital._options import RunOptions, change_feed, source_paths
from curator.capital._run import Follower, holder_key
from curator.capital._sources import kept_book, kept_digests, kept_held, kept_index
from curator.capital._watermarks import OvertakenError, beyond, floor_of
from curator.edges.parquet import shard_count
from curator.errors import CuratorError, DisclosureError, IntegrityError, QualityError, SpecError, UsageError
from curator.files import Place, files_of
from curator.following import Feed, Following
from curator.records import DatasetVersion, html_table
from curator.rowdigest import RowDigest
from curator.rowindex import Changes, changes_between
from curator.samples import Written, split_names
from curator.spec import UseCase, load_use_case, parse_use_case, scope_of
from curator.spec.model import Refresh
from curator.spec.people import people_of
from curator.suite import compile_suite

if TYPE_CHECKING:
    from curator.capital import Capital

_FRAGMENTS = 64  # shards beyond those of a version written at once that a comparison of all rows leaves as they are
_FINAL = ("refresh-operation", "refresh-order", "plain-hash", "identifier-in-pieces")  # no comparison mends these
_VERSION = re.compile(r"""(?m)^(\s*"?version"?\s*:\s*["']?)\d+\.\d+\.\d+""")


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What a refresh did.

    Attributes:
        version: the new version; None when nothing changed.
        previous: the version before; None for a first one.
        feed: how the source was read: `full`, `append`, or `none` when its files are byte for byte those of before.
        changes: rows added, changed and vanished; None where no index of the version before was kept.
        rejected: first reason -> rows set apart, of the rows read; those of a new version are in its evidence too.
    """

    version: DatasetVersion | None
    previous: DatasetVersion | None
    feed: str
    changes: Changes | None = None
    rejected: Mapping[str, int] = field(default_factory=dict)

    @property
    def shards(self) -> dict[str, int]:
        """Shards of the version before that were kept, written again or are gone, and new ones."""
        if self.version is None or self.previous is None:
            return {}
        return _shards(self.previous, self.version)

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "changed": self.version is not None,
            "version": self.version.to_json() if self.version else None,
            "previous": self.previous.ref if self.previous else None,
            "feed": self.feed,
            "rows": self.changes.facts() if self.changes else None,
            "splits": {name: dict(counts) for name, counts in self.changes.splits.items()} if self.changes else None,
            "shards": self.shards or None,
            "rejected": dict(sorted(self.rejected.items())),
        }

    def _repr_html_(self) -> str:
        rows = self.changes.facts() if self.changes else {}
        lines = {"previous": self.previous.ref if self.previous else "none", "feed": self.feed}
        title = f"dataset {self.version.ref}" if self.version else "nothing changed"
        return html_table(title, lines | {name: f"{count:,}" for name, count in rows.items()})


def refresh(capital: Capital, spec: Path, *, options: RunOptions, full: bool = False) -> Refreshed:
    """Make the next version of a dataset from its source as it is now; see `Capital.refresh`."""
    declared = load_use_case(spec)
    try:
        previous = capital.dataset(declared.name)
    except UsageError as fault:
        if fault.code != "version-unknown":
            raise
        version = _curation.curate(capital, spec, use_case=declared, options=options)
        return Refreshed(version=version, previous=None, feed="full")
    spec_bytes, use_case = _renumbered(spec, _next(previous.manifest.version))
    refresher = _Refresher(capital, spec, use_case=use_case, options=options, spec_bytes=spec_bytes, previous=previous)
    feed = use_case.refresh.feed if use_case.refresh is not None and not full else "full"
    if refresher.same_spec and not full and feed != "changes" and refresher.same_files():
        return Refreshed(version=None, previous=previous, feed="none", changes=Changes())
    partly = {"append": refresher.appended, "changes": refresher.told}.get(feed) if refresher.same_spec else None
    return (partly() if partly else None) or refresher.compared()


class _Refresher:
    """One refresh of one dataset."""

    def __init__(
        self,
        capital: Capital,
        spec: Path,
        *,
        use_case: UseCase,
        options: RunOptions,
        spec_bytes: bytes,
        previous: DatasetVersion,
    ) -> None:
        self._capital, self._spec, self._use_case = capital, spec, use_case
        self._options, self._spec_bytes, self._previous = options, spec_bytes, previous
        self._splits = split_names(use_case)
        self._private = capital.workspace.private
        self._line = str(previous.manifest.about.get("refresh", {}).get("line") or previous.ref)
        self._before = before = capital.use_case(previous)
        self._index, self._noted = kept_index(self._private, previous.ref)
        context = {"recipient": options.recipient, "epoch": epoch_root(capital, options.epoch)[0]}
        self._same_tokens = {name: self._noted.get(name) for name in context} == context
        self.same_spec = before.model_copy(update={"version": use_case.version}).digest == use_case.digest

    def same_files(self) -> bool:
        """Whether every source is files, each with the bytes that the version before was made from."""
        if not self._same_tokens:
            return False
        noted = kept_digests(self._private, self._previous.ref)
        where = source_paths(self._use_case, spec_folder=self._spec.parent, options=self._options)
        if set(noted) != set(where):
            return False
        for name, wanted in noted.items():
            try:
                _, places = files_of(name, where[name])
            except CuratorError:
                return False
            if not _same(places, wanted, key=holder_key(self._capital, "source-digest")):
                return False
        return True

    def compared(self) -> Refreshed:
        """Read all rows, and publish unless they are the rows of the version before."""
        try:
            following = self._difference("full")
            if following is not None:
                return self._followed(following, "full")
        except IntegrityError as fault:
            if fault.code != "refresh-index":
                raise
        following = Following(self._splits)
        return self._followed(following, "full")

    def appended(self) -> Refreshed | None:
        """Read the rows beyond the watermark; None when a comparison of all rows must decide."""
        if self._noted.get("watermark") is None or whole_table(self._use_case):
            return None
        try:
            following = self._difference("append")
            return (
                self._followed(following, "append", read=_beyond(self._use_case, self._noted["watermark"]), since=True)
                if following
                else None
            )
        except (QualityError, DisclosureError, IntegrityError) as refused:
            if refused.code == "no-rows":
                return self._done(None, "append", changes=Changes())
            if refused.code in _FINAL or (isinstance(refused, IntegrityError) and refused.code != "refresh-index"):
                raise
            return None
        except OvertakenError:
            return None

    def told(self) -> Refreshed | None:
        """Read the feed of changes beyond its watermark; None when a comparison of all rows must decide."""
        feed = change_feed(self._use_case, spec_folder=self._spec.parent, options=self._options, noted=self._noted)
        stops = any(join.orphans == "stop" for join in self._use_case.extract.join)
        if whole_table(self._use_case) or stops or not feed.readable:
            return None
        try:
            following = self._difference("changes")
            return self._followed(following, "changes", read=feed.use_case(), changes=feed) if following else None
        except (QualityError, DisclosureError, IntegrityError) as refused:
            if refused.code in _FINAL or (isinstance(refused, IntegrityError) and refused.code != "refresh-index"):
                raise
            return None
        except OvertakenError:
            return None

    def _difference(self, feed: Feed) -> Following | None:
        """What is known of the version before, when no more than the difference has to be written.

        Raises:
            IntegrityError: `refresh-index`, when the rows held back cannot be read.
        """
        about, files = (
            self._previous.manifest.about,
            tuple(file for file in self._previous.manifest.files if file.split),
        )
        digests = about.get("row_digest", {}).get("splits")
        same = self.same_spec and self._same_tokens and about.get("order") == self._options.order == "keyed"
        if self._index is None or digests is None or not same or people_of(self._use_case).told == "stream":
            return None
        if feed == "full" and len(files) > _FRAGMENTS + 2 * len(self._splits) * shard_count(self._noted["live"]):
            return None
        private = self._capital.workspace.private
        held = kept_held(private, self._previous.ref, key=self._held_key()) if self._noted.get("held") else None
        return Following(
            self._splits,
            feed=feed,
            index=self._index,
            files=files,
            digests={split: RowDigest.parse(text) for split, text in digests.items()},
            held=held,
            live=int(self._noted["live"]),
            schema=[(field["name"], field["type"]) for field in about["schema"]],
            book=kept_book(private, self._previous.ref, key=self._held_key(), files=files),
        )

    def _followed(
        self, following: Following, feed: str, *, read: UseCase | None = None, changes: ChangeFeed | None = None,
        since: bool = False,
    ) -> Refreshed:  # fmt: skip
        """Run, and publish unless nothing changed."""
        index = self._index if self._same_tokens else None
        found: list[tuple[Changes | None, Mapping[str, int]]] = []

        def judge(written: Written) -> dict[str, Any] | None:
            differ = following.changes
            if following.feed == "whole" and index is not None:
                differ = changes_between(index, following.index, splits=self._splits)
            found.append((differ, written.quality.rejected))
            same = self._previous.manifest.about.get("row_digest") == written.row_digest
            return None if same and self.same_spec else self._told(feed, differ)

        version = self._run(following, judge, read=read, changes=changes, noted=self._noted if since else None)
        changed, rejected = found[0]
        return self._done(version, feed, changes=changed, rejected=rejected)

    def _run(
        self, following: Following, judge: Any, *, read: UseCase | None, changes: ChangeFeed | None,
        noted: Mapping[str, Any] | None,
    ) -> DatasetVersion | None:  # fmt: skip
        follower = Follower(
            previous=self._previous, before=self._before, line=self._line, following=following, judge=judge, read=read,
            changes=changes, noted=noted,
        )  # fmt: skip
        return publish_run(
            self._capital,
            self._spec,
            use_case=self._use_case,
            options=self._options,
            spec_bytes=self._spec_bytes,
            follower=follower,
        )

    def _held_key(self) -> bytes:
        return holder_key(self._capital, "held-rows")

    def _told(self, feed: str, changes: Changes | None) -> dict[str, Any]:
        """What manifest and statement say of the version before."""
        rows = changes.facts() if changes is not None else None
        before = {"ref": self._previous.ref, "digest": self._previous.digest}
        return {"refresh": {"feed": feed, "line": self._line, "previous": before, "rows": rows}}

    def _done(
        self, version: DatasetVersion | None, feed: str, *, changes: Changes | None,
        rejected: Mapping[str, int] | None = None,
    ) -> Refreshed:  # fmt: skip
        return Refreshed(version=version, previous=self._previous, feed=feed, changes=changes, rejected=rejected or {})


def whole_table(use_case: UseCase) -> bool:
    """Whether an expectation is about all rows together, so that some of them cannot tell whether it is met."""
    suite, key = compile_suite(use_case, scope_of(use_case)), set(use_case.extract.row_key)
    repeats = any(not key <= set(rule.columns) for rule in suite.uniques)
    return bool(suite.figures) or repeats or any(rule.holds is None for rule in suite.tables)


def _shards(before: DatasetVersion, after: DatasetVersion) -> dict[str, int]:
    """What became of the shards of a version, and how many are new."""
    old = {entry.path: entry.sha256 for entry in before.manifest.files if entry.split}
    new = {entry.path: entry.sha256 for entry in after.manifest.files if entry.split}
    kept = sum(new.get(path) == digest for path, digest in old.items())
    again = sum(path in new for path in old) - kept
    return {"kept": kept, "rewritten": again, "new": len(new.keys() - old.keys()), "gone": len(old.keys() - new.keys())}


def _same(places: Sequence[Place], wanted: Sequence[Mapping[str, Any]], *, key: bytes) -> bool:
    """Whether files have the names, sizes and digests that were noted."""
    states = [place.identity() for place in places]
    found = [(place.name, state.size if state else None) for place, state in zip(places, states, strict=True)]
    if found != [(entry["file"], entry["bytes"]) for entry in wanted]:
        return False
    pairs = zip(places, wanted, strict=True)
    return all(place.digest(key) == entry.get("keyed") for place, entry in pairs)


def _beyond(use_case: UseCase, watermark: str) -> UseCase:
    """The use case with a filter that leaves rows up to the watermark in the source.

    Of moments, rows of the last minute are read again: the language has whole minutes, and known rows are left out.
    """
    refresh = use_case.refresh or Refresh()
    column = refresh.watermark or ""
    kind = str(use_case.sources[use_case.extract.from_].columns[column].type)
    since = beyond(column, floor_of(watermark, kind=kind, refresh=refresh))
    where = f"({use_case.extract.where}) and {since}" if use_case.extract.where else since
    return use_case.model_copy(update={"extract": use_case.extract.model_copy(update={"where": where})})


def _renumbered(spec: Path, version: str) -> tuple[bytes, UseCase]:
    """The spec with another version, the rest to the letter. Raises SpecError when its version is not found."""
    text = spec.read_text(encoding="utf-8")
    renumbered, count = _VERSION.subn(rf"\g<1>{version}", text, count=1)
    use_case = parse_use_case(renumbered, file=str(spec)) if count else None
    if use_case is not None and use_case.version == version:
        return renumbered.encode(), use_case
    raise SpecError(
        "refresh-version",
        asked=f"give {spec.name} the version {version}",
        found="no line `version: MAJOR.MINOR.PATCH` of its own",
        expected="the version on a line of its own, since a refresh writes the next number there",
        todo="write `version:` on its own line in the spec",
    )


def _next(version: str) -> str:
    major, minor, patch = numbers(version)
    return f"{major}.{minor}.{patch + 1}"
