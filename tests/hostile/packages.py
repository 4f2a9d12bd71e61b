"""Hostile packages, generated: what a thief in transit, a forger and a dishonest insider could send.

`CASES` maps a name to a function that makes one package, and to the error code and exit code due.
"""

import insiders
import payloads
import thefts
from forge import CASES, Forge

__all__ = ["CASES", "Forge", "insiders", "payloads", "thefts"]
