"""A protection is believed only when its absence shows: the same check must fail once the protection is taken away."""

from __future__ import annotations

from collections.abc import Callable

import pytest


def goes_red(check: Callable[[], object], *, refused: tuple[type[Exception], ...] = ()) -> None:
    """Run a check whose protection was just removed; it must fail, by an assertion or because nothing was refused.

    Args:
        check: what was green a moment ago.
        refused: errors by which a second line of defence stops it before the check itself can see anything.
    """
    with pytest.raises((AssertionError, pytest.fail.Exception, *refused)):
        check()
