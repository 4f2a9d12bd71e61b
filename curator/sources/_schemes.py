"""The table from scheme to class, and what an absent driver is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Protocol

from curator.addresses import Address
from curator.errors import SourceError
from curator.protocols import Asked, AskedClasses, AskedJoin, AskedJoined, LiveSource

SCHEMES: dict[str, str] = {
    "postgresql": "curator.sources.postgres:PostgresSource",
    "postgres": "curator.sources.postgres:PostgresSource",
    "mariadb": "curator.sources.mariadb:MariadbSource",
    "mysql": "curator.sources.mariadb:MariadbSource",
    "oracle": "curator.sources.oracle:OracleSource",
}
"""Scheme -> module and class, imported when a source of that scheme is read."""

GROUP = "curator.sources"
"""The group of entry points by which other packages add schemes."""


class SourceClass(Protocol):
    """A class of live sources."""

    def __call__(self, address: Address, *, source: str) -> LiveSource:
        """Open an address for the first source that needs it. Raises SourceError."""

    def planned(self, address: Address, asked: Asked) -> str | None:
        """A class method or static method: what the source would be asked if its columns are of the declared types.

        Opens nothing. None where the source has no language of its own.
        """


_REGISTERED: dict[str, SourceClass] = {}


def register(scheme: str, source: SourceClass) -> None:
    """Read addresses of a scheme through a class of your own; the last registration counts.

    Args:
        scheme: in lower case, without `://`.
        source: the class.
    """
    _REGISTERED[scheme] = source


def source_class(address: Address, *, source: str) -> SourceClass:
    """The class that reads an address.

    Raises:
        SourceError: `source-scheme` when no class is known, `driver-missing` when its package is not installed.
    """
    if address.scheme in _REGISTERED:
        return _REGISTERED[address.scheme]
    if address.scheme in SCHEMES:
        module, _, name = SCHEMES[address.scheme].partition(":")
        found: SourceClass = getattr(import_module(module), name)
        return found
    for entry in entry_points(group=GROUP):
        if entry.name == address.scheme:
            loaded: SourceClass = entry.load()
            return loaded
    raise SourceError(
        "source-scheme",
        asked=f"read the source `{source}` from an address",
        found=f"the scheme `{address.scheme}`, which nothing here reads",
        expected="one of " + ", ".join(f"`{scheme}`" for scheme in known_schemes()),
        todo="correct the scheme, or install the package that reads it",
    )


def is_live(where: Address) -> bool:
    """Whether an address is of a live source; those of object stores, for instance, are of files."""
    return where.scheme in known_schemes()


def can_follow(where: Address, *, source: str) -> bool:
    """Whether what is read there can be followed by a watermark. Raises SourceError like `source_class`."""
    return hasattr(source_class(where, source=source), "earlier")


def known_schemes() -> list[str]:
    """Every scheme that can be read, sorted."""
    return sorted({*SCHEMES, *_REGISTERED, *(entry.name for entry in entry_points(group=GROUP))})


def would_join(join: AskedJoin, tables: Mapping[str, Asked], *, where: Address) -> bool:
    """Whether a database would join a table to those before it itself, were all columns of the declared types."""
    return bool(_planning(where, join.asked.name, name="planned_joinable", otherwise=_never)(join, tables))


def would_count(left: Asked, right: Asked, *, on: Sequence[str], where: Address) -> bool:
    """Whether a database would count rows of two tables without partner itself, as far as a plan can tell."""
    able = hasattr(source_class(where, source=right.name), "without_partner")
    link = AskedJoin(asked=right, on=dict.fromkeys(on, left.name), kind="inner")
    return (
        able and not left.source.where and not right.source.where and would_join(link, {left.name: left}, where=where)
    )


def joined_statement(address: Address, asked: AskedJoined) -> str | None:
    """What a source would be asked for joined rows, for the plan; opens nothing."""
    said: str | None = _planning(address, asked.base.name, name="planned_joined", otherwise=_never)(asked)
    return said


def classes_statement(address: Address, asked: AskedClasses) -> str | None:
    """What a source would be asked for the classes of a population, for the plan; opens nothing."""
    said: str | None = _planning(address, asked.tables[0].name, name="planned_classes", otherwise=_never)(asked)
    return said


def _planning(where: Address, source: str, *, name: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(source_class(where, source=source), name, otherwise)
    return found


def _never(*_: object) -> None:
    """What a class of sources that cannot join or count says."""


def statement_of(address: Address, asked: Asked) -> str | None:
    """What a source would be asked, for the plan; opens nothing. Raises SourceError like `source_class`."""
    return source_class(address, source=asked.name).planned(address, asked)
