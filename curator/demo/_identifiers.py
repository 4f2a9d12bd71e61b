"""`truth/identifiers.parquet` and `truth/entities.parquet`: what a leak test and a linkage test compare with."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.demo._lists import PLACEHOLDER
from curator.demo._mixing import Words
from curator.demo._narratives import Narratives
from curator.demo._strings import matrix, to_arrow, to_column
from curator.demo._writers import TableWriter

# kind of each identifying column
KINDS: dict[str, dict[str, str]] = {
    "persons": {
        "last_name": "surname",
        "married_name": "surname",
        "first_names": "first_names",
        "nir": "nir",
        "phone": "phone",
        "email": "email",
        "address": "address",
        "licence_number": "licence",
    },
    "vehicles": {"plate": "plate", "vin": "vin"},
    "accidents": {"agent_number": "agent", "report_number": "report"},
}
_NOBODY = to_arrow(matrix([PLACEHOLDER, "", "0000000000"]))


class IdentifierWriter:
    """Lists every direct identifier as written, with the row that holds it.

    Columns of `identifiers.parquet`: kind, value, table, column (of the base), num_acc, num_veh (null for
    accidents), person_id (null but for persons). Nulls, empty strings and placeholders are not listed. Columns of
    `entities.parquet`: person_id, entity (one number for each human being).

    Args:
        folder: where both files go.
        names: other names for `table.column`, when the base is written under other names.
    """

    def __init__(self, folder: Path, *, names: Mapping[str, str] | None = None) -> None:
        self._names = names or {}
        self._stack = ExitStack()
        self._identifiers = TableWriter(folder, "identifiers", form="parquet", codec="lz4")
        self._entities = TableWriter(folder, "entities", form="parquet")

    def __enter__(self) -> IdentifierWriter:
        self._stack.enter_context(self._identifiers)
        self._stack.enter_context(self._entities)
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._stack.__exit__(kind, fault, at)

    def write(self, tables: Mapping[str, Mapping[str, pa.Array]], *, narratives: Narratives, entity: Words) -> None:
        """Append the identifiers of one chunk and the entity key of each of its persons."""
        for table, kinds in KINDS.items():
            for column, kind in kinds.items():
                self._list(tables[table], tables[table][column], kind=kind, place=(table, column))
        for kind, text in narratives.named.items():
            values = to_arrow(text, nulls=narratives.absent)
            self._list(tables["accidents"], values, kind=kind, place=("accidents", "narrative"))
        numbers = to_column(entity.view(np.int64), pa.int64())
        self._entities.write({"person_id": tables["persons"]["person_id"], "entity": numbers})

    def _list(self, rows: Mapping[str, pa.Array], values: pa.Array, *, kind: str, place: tuple[str, str]) -> None:
        written = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
        kept = pc.indices_nonzero(pc.and_(written.is_valid(), pc.invert(pc.is_in(written, value_set=_NOBODY))))
        if not len(kept):
            return
        absent = {"num_veh": pa.string(), "person_id": pa.int64()}
        references = {
            name: rows[name].take(kept) if name in rows else pa.nulls(len(kept), type_)
            for name, type_ in absent.items()
        }
        table, column = self._names.get(".".join(place), ".".join(place)).split(".")
        self._identifiers.write(
            {
                "kind": _repeated(kind, len(kept)),
                "value": written.take(kept),
                "table": _repeated(table, len(kept)),
                "column": _repeated(column, len(kept)),
                "num_acc": rows["num_acc"].take(kept),
                "num_veh": _dense(references["num_veh"]),
                "person_id": references["person_id"],
            }
        )


def _repeated(text: str, rows: int) -> pa.DictionaryArray:
    nothing = to_column(np.zeros(rows, dtype=np.int32), pa.int32())
    return pa.DictionaryArray.from_arrays(nothing, to_arrow(matrix([text])))


def _dense(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
