"""Release: ask, review, deliver, recall. Nobody decides alone, and what leaves is byte for byte what was reviewed.

This verb is pure of storage: it reads the evidence it is given and returns signed statements for the workspace to
publish; only `deliver` writes a file, the package itself. Every move is judged by `curator.policy.may`.
"""

from curator.release._asking import request
from curator.release._delivering import Delivery, deliver
from curator.release._judging import find_request, recall, review, status
from curator.release._moves import KINDS, void

__all__ = ["KINDS", "Delivery", "deliver", "find_request", "recall", "request", "review", "status", "void"]
