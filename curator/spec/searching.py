"""Rules that tie `disclosure.search` to the fields it makes coarser."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from curator.spec.model import GeneralisationSearch, Ladder, UseCase
from curator.spec.nearest import nearest
from curator.spec.scope import PathKey, Scope, Trouble, try_parse

_NEEDS = {
    "bands": {"integer", "decimal", "float"}, "dates": {"date", "timestamp"}, "places": {"text"}, "prefix": {"text"},
    "file": {"text"},
}  # fmt: skip


def search_troubles(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    """What is wrong with `disclosure.search`."""
    if spec.disclosure is None or spec.disclosure.search is None:
        return
    search, path = spec.disclosure.search, ("disclosure", "search")
    quasi = spec.quasi_identifiers()
    for name, ladder in search.fields.items():
        here = (*path, "fields", name)
        if name not in quasi:
            found = f"`{name}`, which is no quasi-identifier that is kept" + nearest(name, quasi)
            yield Trouble(here, found, "a field with `identifier: quasi`")
            continue
        yield from _ladder(name, ladder, spec=spec, scope=scope, path=here)
    yield from _levels(search, path)
    if search.recoding == "local" and spec.disclosure.suppress:
        yield Trouble(
            ("disclosure", "suppress"),
            f"{spec.disclosure.suppress:g} with `recoding: local`",
            "0: it leaves nobody out",
        )


def _levels(search: GeneralisationSearch, path: PathKey) -> Iterator[Trouble]:
    """Levels that are settled: of every field, and only where each is written at one level."""
    if search.levels is None:
        return
    if search.recoding == "local":
        yield Trouble((*path, "levels"), "settled levels with `recoding: local`", "one or the other")
    for name in search.levels:
        if name not in search.fields:
            found = f"`{name}`, which is not searched" + nearest(name, search.fields)
            yield Trouble((*path, "levels", name), found, "a field of `fields`")
    missing = [name for name in search.fields if name not in search.levels]
    if missing:
        yield Trouble((*path, "levels"), f"no level of {', '.join(f'`{name}`' for name in missing)}", "one a field")


def leaf(name: str, ladder: Ladder | None, *, spec: UseCase) -> str:
    """The formula of the finest value of a field."""
    field = spec.fields[name]
    coarse = field.value if field.protect == "generalise" else None
    return (ladder.of if ladder else None) or coarse or field.from_ or name


def _ladder(name: str, ladder: Ladder, *, spec: UseCase, scope: Scope, path: PathKey) -> Iterator[Trouble]:
    if spec.fields[name].protect not in ("keep", "generalise"):
        yield Trouble(path, f"a field with `protect: {spec.fields[name].protect}`", "`protect: keep` or `generalise`")
        return
    kinds = ladder.kinds()
    if len(kinds) > 1:
        yield Trouble(path, " and ".join(f"`{kind}`" for kind in kinds), "one of them")
        return
    expression, troubles = try_parse(leaf(name, ladder, spec=spec), scope.types, path=(*path, "of"))
    if expression is None:
        yield from troubles
        return
    if kinds and expression.type not in _NEEDS.get(kinds[0], {expression.type}):
        wanted = " or ".join(sorted(_NEEDS[kinds[0]]))
        expected = f"a value of type {wanted}; `of` gives its formula"
        yield Trouble((*path, kinds[0]), f"a value of type {expression.type}", expected)
    if any(later % earlier or later == earlier for earlier, later in pairwise(ladder.bands)):
        yield Trouble((*path, "bands"), "a width that is no multiple of the one before", "such as [5, 10, 20]")
    if any(later >= earlier for earlier, later in pairwise(ladder.prefix)):
        yield Trouble((*path, "prefix"), "a length that is not below the one before", "such as [4, 2]")
    for kind, order in (("dates", ("month", "quarter", "year")), ("places", ("department", "region"))):
        steps = getattr(ladder, kind)
        if list(steps) != [step for step in order if step in steps]:
            yield Trouble((*path, kind), "steps out of order or said twice", ", ".join(order) + ", in this order")
