"""What is said where a limit does not hold."""

from __future__ import annotations

from curator.errors import DisclosureError, IntegrityError
from curator.spec import UseCase
from curator.spec.model import Disclosure
from curator.spec.people import people_of


def too_rare(use_case: UseCase, *, counts: tuple[int, int, int], allowed: bool) -> DisclosureError:
    """The refusal of (rows, accepted rows, classes) below the limits; `allowed` when suppression was possible."""
    limits, (rows, accepted, classes) = use_case.disclosure or Disclosure(k=1), counts
    most = f"at most {limits.suppress:.2%} of the rows to suppress (`disclosure.suppress`)"
    if rows <= limits.suppress * accepted:  # every row, and every row may be
        most = "a row that is left once those below the limits are suppressed"
    return DisclosureError(
        "too-rare",
        asked=f"write {use_case.ref} with {_wanted(use_case, limits)} over {', '.join(use_case.quasi_identifiers())}",
        found=f"{rows:,} of {accepted:,} rows ({rows / accepted:.2%}) in {classes:,} classes below the limits",
        expected=most if allowed else "no row below the limits: rows in the engine's order cannot be suppressed",
        todo="make a quasi-identifier coarser, drop one, or "
        + ("allow more suppression in the spec" if allowed else "write in keyed order"),
    )


def _wanted(use_case: UseCase, limits: Disclosure) -> str:
    unit = "rows" if people_of(use_case).told in ("rows", "alone") else "people"
    wanted = [f"k >= {limits.k} {unit}"]
    wanted += [f"l >= {limits.l.value}"] if limits.l else []
    wanted += [f"entropy l >= {limits.entropy_l.value:g}"] if limits.entropy_l else []
    wanted += [f"t <= {limits.t.value:g} ({limits.t.distance} distance)"] if limits.t else []
    return " and ".join(wanted) + (f" of `{limits.sensitive}`" if limits.sensitive else "")


def uncounted(use_case: UseCase) -> DisclosureError:
    return DisclosureError(
        "persons-uncounted",
        asked=f"add rows to {use_case.name} and count the people of each class",
        found="files of the version before that do not tell people apart",
        expected="a token of every column of `extract.entity` in the files, or all rows read again",
        todo="refresh with `--full`, write the entity as a token, or declare `count: rows` in the spec",
    )


def coded_alike(keys: int) -> IntegrityError:
    return IntegrityError(
        "classes-coded-alike",
        asked="measure how alike people are in the files written",
        found=f"classes that share a code of 64 bits under each of {keys} keys",
        expected="a code of its own for each class",
        todo="run again; if it repeats, report the fault with the spec and no data",
    )
