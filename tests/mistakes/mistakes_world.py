"""Small capitals for the tests of mistakes: a spec bent in one place, a package asked for, approved and delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
from capital_world import curate, empty_capital, spec_value

from curator.capital import Capital
from curator.records import DatasetVersion


def plain_spec(**changes: Any) -> dict[str, Any]:
    """The shipped spec without a model, the columns that only coarse people share, and whole parts replaced."""
    value = spec_value()
    value.pop("model")
    value["disclosure"] = {"k": 5, "suppress": 0.5}
    return {**value, **changes}


def with_fields(value: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A spec with fields added or replaced."""
    return {**value, "fields": {**value["fields"], **fields}}


def made(folder: Path, base: Path, spec: Mapping[str, Any]) -> tuple[Capital, DatasetVersion]:
    """A capital with one version of a base."""
    capital = empty_capital(folder)
    capital.add_agent("reviewer", roles=["reviewer"])
    return capital, curate(capital, base, spec=spec)


def delivered(capital: Capital, refs: Sequence[str], *, canaries: Path | None = None, to: str = "Institute") -> Path:
    """The package of some versions, asked for and approved."""
    until = datetime.now(UTC).date() + timedelta(days=30)
    case = capital.request(refs, to=to, channel="research", purpose="road-safety-research", until=until)
    Capital.open(capital.workspace.root, agent="reviewer").review(case.id, approve=True, reason="looked at")
    return capital.deliver(case.id, canaries=canaries)


def rewritten(base: Path, target: Path, **changes: Any) -> Path:
    """A copy of a base with tables changed: name -> function from a table to a table."""
    target.mkdir()
    for path in base.glob("*.parquet"):
        table = parquet.read_table(path)
        table = changes[path.stem](table) if path.stem in changes else table
        parquet.write_table(table, target / path.name)
    return target


def with_column(table: pa.Table, name: str, values: Sequence[Any]) -> pa.Table:
    """A table with a column added or replaced."""
    column = pa.array(list(values))
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, column)
    return table.append_column(name, column)
