"""How several workers share the suite: a file stays whole, so that what its tests read together is made once.

`pytest -n 2` by itself hands out tests in runs of any length: capitals and bases that a file makes for all its tests
would be made by every worker, and which tests meet in one process would depend on the load of the machine. Files are
taken up as they are collected, those of whole jobs and servers before the many small ones of `tests/unit`, so that no
worker is left with a long one at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    import pytest
    from xdist.remote import Producer

SPARK = (
    "tests/behaviour/test_coarsening_engines.py",
    "tests/behaviour/test_engines_agree.py",
    "tests/behaviour/test_expression_table.py",
    "tests/behaviour/test_feeds_agree.py",
    "tests/behaviour/test_odd_folders.py",
    "tests/behaviour/test_sampling_engines.py",
    "tests/behaviour/test_sampling_reference.py",
    "tests/behaviour/test_spark_secrets.py",
    "tests/outside/test_joined_there.py",
    "tests/outside/test_live_feeds.py",
    "tests/outside/test_represented_there.py",
    "tests/property/test_expressions_agree.py",
    "tests/property/test_sources_agree.py",
    "tests/unit/test_extraction.py",
    "tests/unit/test_truths.py",
    "tests/unit/test_whole_rows.py",
)
TOGETHER = dict.fromkeys(SPARK, "spark")
"""Files that share something dear: one worker starts Spark, and warms it, for all of them."""


class WholeFiles(LoadFileScheduling):  # type: ignore[misc]
    """Files by the worker that is free, in the order of collection; those that belong together as one."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # by number of tests: one test may be a cluster's

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return TOGETHER.get(file, file)
