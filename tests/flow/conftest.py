"""One capital for every flow on real tables, and the tables that no file holds as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from flows import Flow

from curator.demo import Truth, enrich_baac


@pytest.fixture(scope="session")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    return Flow(tmp_path_factory.mktemp("flow") / "capital")


@pytest.fixture(scope="session")
def identities(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """Invented persons, plates and papers for the real accidents, with the count of every fault in them."""
    folder = tmp_path_factory.mktemp("identities")
    return folder, enrich_baac(shared_data / "baac-2013", folder, truth_identifiers=False)


@pytest.fixture(scope="session")
def register(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two editions of the motor register and its claims, from R data to Parquet."""
    pyreadr = pytest.importorskip("pyreadr", reason="pyreadr reads the R data of the register")
    folder = tmp_path_factory.mktemp("register")
    tables = {"pg17trainpol": "policies", "pg17testyear1": "policies-year-1", "pg17trainclaim": "claims"}
    for stored, name in tables.items():
        (frame,) = pyreadr.read_r(str(shared_data / "motor-fr-pg17" / f"{stored}.rda")).values()
        frame.to_parquet(folder / f"{name}.parquet")
    return folder
