"""The card's section on who could be found: what was measured, left out, and settled about coarser values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from curator.cards._markdown import code, table
from curator.samples import DisclosureReport
from curator.spec import UseCase
from curator.spec.model import Disclosure

_HOW = {"searched": "found to lose least", "settled": "settled by the spec", "kept": "kept from the version before"}


def risk(use_case: UseCase, found: DisclosureReport | None, *, protection: Mapping[str, Any]) -> str:
    """How alike the persons of the version are, and what the spec asked for."""
    if found is None:
        return (
            "No limit was declared, or no written field tells who somebody is together with others (quasi-identifier): "
            "how alike persons are was not measured."
        )
    limits = use_case.disclosure
    alike = ", ".join(map(code, found.quasi_identifiers))
    text = (
        f"Measured on the files as written. Rows alike on {alike} form a class: "
        f"{found.classes:,} classes, the smallest of {_smallest(found)} (k-anonymity; the limit is "
        f"{limits.k if limits else 1})."
    )
    if limits and found.sensitive is not None:
        text += f" Of {code(found.sensitive)}, {_sensitive(found, limits)}."
    text += f" {found.suppressed:,} rows were left out to reach this." + _coarse(protection.get("coarse", {}))
    if found.rows:
        text += "\n\n" + table(["Rows in classes of size", "Rows#", "Share#"], _histogram(found))
    return text


def _smallest(found: DisclosureReport) -> str:
    if found.k_persons is None:
        return f"{found.k:,} rows"
    where = ", counted before the files were written, which do not tell them apart" if found.people == "stream" else ""
    return f"{found.k_persons:,} people{where}, {found.k:,} rows"


def _sensitive(found: DisclosureReport, limits: Disclosure) -> str:
    """Diversity and closeness as measured, each with its limit where there is one."""
    far = f"at most {limits.t.value:g}" if limits.t else "none"
    least = {"l": limits.l.value if limits.l else "none"}
    least["entropy_l"] = f"{limits.entropy_l.value:g}" if limits.entropy_l else "none"
    return (
        f"each class holds at least {found.l:,} different values (distinct l-diversity; the limit is {least['l']}), "
        f"{found.entropy_l or 0:.3f} by entropy (limit: {least['entropy_l']}), and is at most {found.t or 0:.4f} away "
        f"from all rows (t-closeness by the {found.distance} distance; limit: {far})"
    )


def _coarse(told: Mapping[str, Any]) -> str:
    """What was settled about coarser values when the version was made."""
    text, search = "", told.get("search")
    for name, facts in told.get("merged", {}).items():
        text += f" Of the categories of {code(name)}, {facts['merged']:,} became one and {facts['kept']:,} stayed."
    if search is not None and search["recoding"] == "local":
        text += (
            f"\n\nEach class is as fine as its own rows allow (local recoding of {search['combinations']:,} "
            f"combinations): granularity {search['granularity']:.3f}, where 1 is every value as it was."
        )
    elif search is not None:
        levels = ", ".join(f"{code(name)} {level}" for name, level in search["levels"].items())
        text += f"\n\nThe levels found for this version, from 0 for the finest: {levels} ({_HOW[search['how']]})."
        if "score" in search:
            text += f" The loss is {search['score']:.6f}: {search['metric']}."
    return text


def _histogram(found: DisclosureReport) -> Iterable[list[str]]:
    """The report's bins, from the smallest classes up; `more` is what is above the last bound."""
    low = 1
    for bound in sorted(int(size) for size in found.sizes if size.isdigit()):
        rows = found.sizes[str(bound)]
        yield [str(bound) if bound == low else f"{low} to {bound}", f"{rows:,}", f"{rows / found.rows:.2%}"]
        low = bound + 1
    rows = found.sizes.get("more", 0)
    yield [f"{low} or more", f"{rows:,}", f"{rows / found.rows:.2%}"]
