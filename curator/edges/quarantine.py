"""Rejected rows, kept for their holder only: encrypted as they come, with their reasons, until their day is over."""

from __future__ import annotations

import json
import logging
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from curator.edges.durable import sync_folder, write_synced
from curator.edges.keys import SealedWriter, open_sealed
from curator.errors import UsageError
from curator.spec import UseCase

log = logging.getLogger("curator")

_ROWS, _FACTS = "rows.arrow.sealed", "facts.json"


class RejectedRows:
    """Collects the rejected rows of one run. Use as a context manager; `keep` moves them to the holder's area.

    Args:
        folder: private scratch folder.
        key: 32 bytes; the rows are an Arrow stream sealed under it, so nothing is ever on disk in clear.
    """

    def __init__(self, folder: Path, *, key: bytes) -> None:
        self._folder, self._key = folder, key
        self._sealed: SealedWriter | None = None
        self._stream: Any = None
        self.rows = 0

    def __enter__(self) -> RejectedRows:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._sealed is not None and not self._sealed.closed:
            self._sealed.abandon()

    def add(self, batch: pa.RecordBatch) -> None:
        """Seal a batch of rejected rows."""
        if self._stream is None:
            self._folder.mkdir(mode=0o700)
            self._sealed = SealedWriter(self._folder / _ROWS, self._key)
            self._stream = pa.ipc.new_stream(pa.PythonFile(self._sealed, mode="w"), batch.schema)
        self._stream.write_batch(batch)
        self.rows += len(batch)

    def keep(self, area: Path, *, use_case: UseCase) -> None:
        """Move the rows to `area/NAME/VERSION`, to be destroyed after the spec's `keep_rejected_days`."""
        if self._stream is None or self._sealed is None:
            return
        self._stream.close()
        self._sealed.close()
        until = datetime.now(UTC).date() + timedelta(days=use_case.quality.keep_rejected_days)
        facts = {"rows": self.rows, "until": until.isoformat(), "use_case": use_case.digest}
        write_synced(self._folder / _FACTS, json.dumps(facts).encode(), mode=0o600)
        sync_folder(self._folder)
        place = area / use_case.name / use_case.version
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if place.exists():  # left by a run of this version that was cut short before it was published
            shutil.rmtree(place)
        self._folder.rename(place)


def read_rejected(area: Path, *, name: str, version: str, key: bytes) -> pa.Table:
    """The rejected rows of a version, for its holder.

    Raises:
        UsageError: none are kept (none were rejected, or their day is over).
        IntegrityError: the file was changed, or the key is another one.
    """
    path = area / name / version / _ROWS
    if not path.is_file():
        raise UsageError(
            "rejected-absent",
            asked=f"read the rejected rows of {name}@{version}",
            found="none kept",
            expected="a version with rejected rows whose retention is not over",
            todo="see the counts with `curator show`; rows are kept `quality.keep_rejected_days` days",
        )
    with open_sealed(path, key) as source, pa.ipc.open_stream(source) as stream:
        return stream.read_all()


def destroy_expired(area: Path, *, today: date) -> int:
    """Remove rejected rows whose day is over; returns how many versions were cleared.

    Rows whose last day cannot be read, or that the disk does not let go, stay and are named in a warning: a damaged
    note must not keep a capital from being opened.
    """
    cleared = 0
    for facts in area.glob(f"*/*/{_FACTS}"):
        try:
            if _last_day(facts) < today:
                shutil.rmtree(facts.parent)
                cleared += 1
        except FileNotFoundError:
            continue  # another process was first
        except (OSError, ValueError, KeyError, TypeError):
            version = f"{facts.parent.parent.name}@{facts.parent.name}"
            log.warning("the rejected rows of %s: their last day cannot be read, or they cannot be removed", version)
    return cleared


def _last_day(facts: Path) -> date:
    return date.fromisoformat(json.loads(facts.read_bytes())["until"])
