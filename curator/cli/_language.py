"""The language to answer in."""

from __future__ import annotations

import os
from typing import Literal


def language(wanted: str | None) -> Literal["en", "fr"]:
    """The one asked for, else French when the environment is French (POSIX's order: LC_ALL, LC_MESSAGES, LANG)."""
    found = (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name))
    chosen = wanted or next(found, "")
    return "fr" if chosen.lower().startswith("fr") else "en"
