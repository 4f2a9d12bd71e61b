"""curator turns sensitive operational data into training sets and models that can be proved.

    capital = curator.open("capital")                              # created by `curator init`
    version = capital.curate("specs/road-accidents.yaml")          # extract, check, protect, commit
    train = version.load("train")                                  # datasets.Dataset
    model = capital.train(version.ref)                             # ONNX, parity proved, carded, registered
    package = curator.open_package("road-accidents.cur", trust="holder.pub")   # verified before it is read

Importing this package loads nothing heavy: each name below is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # `typing` itself takes as long to load as Python takes to start
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from curator.capital import Capital as Capital
    from curator.capital import RunOptions as RunOptions
    from curator.errors import CuratorError as CuratorError
    from curator.errors import DisclosureError as DisclosureError
    from curator.errors import IntegrityError as IntegrityError
    from curator.errors import NotAllowedError as NotAllowedError
    from curator.errors import ParityError as ParityError
    from curator.errors import QualityError as QualityError
    from curator.errors import SecretError as SecretError
    from curator.errors import SourceError as SourceError
    from curator.errors import SpecError as SpecError
    from curator.errors import StorageError as StorageError
    from curator.errors import UsageError as UsageError
    from curator.receiving import Package as Package
    from curator.receiving import open_package as open_package
    from curator.records import DatasetVersion as DatasetVersion
    from curator.records import ModelVersion as ModelVersion
    from curator.spec import UseCase as UseCase
    from curator.spec import load_use_case as load_use_case

__version__ = "0.1.0"

_HOMES = {
    "Capital": "curator.capital",
    "RunOptions": "curator.capital",
    "CuratorError": "curator.errors",
    "DisclosureError": "curator.errors",
    "IntegrityError": "curator.errors",
    "NotAllowedError": "curator.errors",
    "ParityError": "curator.errors",
    "QualityError": "curator.errors",
    "SecretError": "curator.errors",
    "SourceError": "curator.errors",
    "SpecError": "curator.errors",
    "StorageError": "curator.errors",
    "UsageError": "curator.errors",
    "Package": "curator.receiving",
    "open_package": "curator.receiving",
    "DatasetVersion": "curator.records",
    "ModelVersion": "curator.records",
    "UseCase": "curator.spec",
    "load_use_case": "curator.spec",
}

__all__ = ["__version__", "create", "open", *_HOMES]


def open(root: str | Path, *, agent: str = "holder") -> Capital:
    """Open a capital, in the name of one of its agents; see `curator.capital.Capital.open`."""
    from curator.capital import Capital

    return Capital.open(root, agent=agent)


def create(root: str | Path, *, holder: str) -> Capital:
    """Create a capital for a holder; see `curator.capital.Capital.create`."""
    from curator.capital import Capital

    return Capital.create(root, holder=holder)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'curator' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
