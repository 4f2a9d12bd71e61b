"""The levels of a search, and how the version is written for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curator.coarsening._combinations import tuples_of
from curator.coarsening._kept import Kept
from curator.coarsening._rare import merge
from curator.errors import DisclosureError, SpecError
from curator.generalising import (
    METRIC,
    FieldLevel,
    Generalisation,
    Hierarchy,
    Levels,
    Limits,
    LocalGeneralisation,
    Tuples,
    generalise,
    held_at,
    local_generalisation,
    local_levels,
    recode,
)
from curator.samples import CheckedSample, Coarse
from curator.spec import UseCase
from curator.spec.model import Disclosure, GeneralisationSearch

_DIGITS = 9


def coarsen(checked: CheckedSample, *, folder: Path, kept: Kept | None = None) -> Coarse:
    """Settle how coarse the fields of a sample are written.

    Args:
        checked: the sample; only rows that it accepts are counted.
        folder: where the spec stands, and the hierarchies that it names.
        kept: what a refresh keeps of the version before.

    Raises:
        DisclosureError: as `generalise`, `held_at` and `recode`; `recoding-grows`, when levels of classes would have to
            be kept.
        SpecError: a hierarchy misses a value or is none.
    """
    use_case = checked.sample.use_case
    rare = {name: field for name, field in use_case.kept().items() if field.protect == "merge_rare"}
    search = use_case.disclosure.search if use_case.disclosure else None
    merged = {name: merge(checked, name, field=field, kept=kept) for name, field in rare.items()}
    told: dict[str, Any] = {}
    if merged:
        told["merged"] = {name: {"fewer_than": rare[name].fewer_than, **facts} for name, (_, facts) in merged.items()}
    coarse = Coarse(merged={name: found for name, (found, _) in merged.items()}, told=told)
    if search is None or not use_case.quasi_identifiers():
        return coarse
    tuples, leaves = tuples_of(checked, search, folder=folder, merged=coarse.merged)
    if search.recoding == "local":
        return _local(coarse, tuples, leaves=leaves, use_case=use_case, kept=kept)
    return _global(coarse, tuples, leaves=leaves, use_case=use_case, kept=kept)


def searched(checked: CheckedSample, *, folder: Path) -> Generalisation | LocalGeneralisation:
    """The best levels for a sample whose spec has a search, whatever it settles; by class with `recoding: local`.

    Raises as `generalise` and `recode`.
    """
    use_case = checked.sample.use_case
    wanted = require_search(use_case)
    rare = {name: field for name, field in use_case.kept().items() if field.protect == "merge_rare"}
    merged = {name: merge(checked, name, field=field, kept=None)[0] for name, field in rare.items()}
    tuples, _ = tuples_of(checked, wanted, folder=folder, merged=merged)
    if wanted.recoding == "local":
        return local_generalisation(tuples, recode(tuples, limits_of(use_case)))
    return generalise(tuples, limits_of(use_case))


def require_search(use_case: UseCase) -> GeneralisationSearch:
    """The search of a spec. Raises SpecError `search-absent`."""
    if use_case.disclosure is not None and use_case.disclosure.search is not None:
        return use_case.disclosure.search
    raise SpecError(
        "search-absent",
        asked=f"search the best generalisation of {use_case.ref}",
        found="no `disclosure.search` in the spec",
        expected="the fields that may grow coarser, and how",
        todo="add `search: {fields: {age_band: {of: age, bands: [5, 10, 20]}}}` under `disclosure`",
    )


def limits_of(use_case: UseCase) -> Limits:
    """What the search must hold."""
    limits = use_case.disclosure or Disclosure(k=1)
    return Limits(
        k=limits.k, l=limits.l.value if limits.l else None,
        entropy_l=limits.entropy_l.value if limits.entropy_l else None,
        t=limits.t.value if limits.t else None, distance=limits.t.distance if limits.t else "equal",
        suppress=limits.suppress,
    )  # fmt: skip


def _global(
    coarse: Coarse, tuples: Tuples, *, leaves: Mapping[str, str], use_case: UseCase, kept: Kept | None
) -> Coarse:
    """One level a field: searched, settled by the spec, or kept from the version before."""
    search = require_search(use_case)
    settled = search.levels if search.levels is not None or kept is None else kept.levels
    names = [hierarchy.name for hierarchy in tuples.hierarchies]
    if settled is not None and kept is not None and kept.growing:  # held to the limits over all rows, in the stream
        levels, told = settled, {"recoding": "global", "how": "settled", "levels": dict(settled)}
    else:
        limits = limits_of(use_case)
        found = generalise(tuples, limits) if settled is None else held_at(tuples, limits, levels=settled)
        levels = {field.name: field.level for field in found.fields if field.name in search.fields}
        told = _told(found, levels, way="searched" if settled is None else "settled")
    if kept is not None and kept.levels == levels and search.levels is None:
        told = {**told, "how": "kept", "of": kept.ref}
    fields, table = {}, {}
    for name, hierarchy in zip(names, tuples.hierarchies, strict=True):
        if name in search.fields:
            words = _words(hierarchy, levels[name])
            if words is None:
                table[name] = hierarchy
            else:
                fields[name] = use_case.fields[name].model_copy(update=words)
    return Coarse(
        fields=fields,
        merged=coarse.merged,
        levels=Levels(hierarchies=table, written=tuple(table), level=levels) if table else None,
        leaves={name: leaves[name] for name in table},
        told={**coarse.told, "search": told},
    )


def _words(hierarchy: Hierarchy, level: int) -> dict[str, Any] | None:
    """The words of a field written at a level; None where no formula says it."""
    formula = (hierarchy.formulas or (None,) * hierarchy.height)[level]
    said = FieldLevel(
        name=hierarchy.name, level=level, levels=hierarchy.height, groups=0, values=0, loss=0.0, formula=formula
    ).words()
    if not said:
        return None
    return {"protect": said["protect"], "value": said.get("value"), "from_": said.get("from")}


def _told(found: Generalisation, levels: Mapping[str, int], *, way: str) -> dict[str, Any]:
    return {
        "recoding": "global", "how": way, "levels": dict(levels), "metric": METRIC,
        "score": round(found.score, _DIGITS), "suppressed": found.suppressed, "rows": found.rows,
        "combinations": found.combinations, "classes": found.classes, "looked_at": found.looked_at,
        "nodes": found.nodes,
    }  # fmt: skip


def _local(
    coarse: Coarse, tuples: Tuples, *, leaves: Mapping[str, str], use_case: UseCase, kept: Kept | None
) -> Coarse:
    """Each class at levels of its own."""
    if kept is not None and kept.growing:
        raise DisclosureError(
            "recoding-grows",
            asked=f"add rows to {use_case.name} beside classes that were recoded each on its own",
            found="files whose classes have levels of their own",
            expected="all rows read again, since a new row may belong to any class",
            todo="refresh with `--full`, or use `recoding: global`",
        )
    found = recode(tuples, limits_of(use_case))
    written = [name for name in require_search(use_case).fields if name in leaves]
    facts = local_generalisation(tuples, found).facts()
    told = {
        "recoding": "local", "how": "searched", "granularity": round(found.granularity, _DIGITS), "suppressed": 0,
        **{name: facts[name] for name in ("rows", "combinations", "classes", "metric")},
    }  # fmt: skip
    return Coarse(
        merged=coarse.merged,
        levels=local_levels(tuples, found.levels, written=written),
        leaves={name: formula for name, formula in leaves.items() if name not in coarse.merged},
        told={**coarse.told, "search": told},
    )
