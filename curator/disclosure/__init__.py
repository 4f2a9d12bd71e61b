"""Limits on finding somebody: counted while rows stream by, reached by leaving rows out, measured on the files written.

    stream ─► Crowd.count ─► Crowd.failing: the classes to leave out, or a refusal
    files  ─► measure: k, l, entropy l and t from the values written ─► require: what was promised holds, or a refusal

k counts people wherever the written fields, or the stream before them, tell people apart: five rows of one person hide
nobody. `curator.anonymity` names the sources of the limits. The measure classes rows by codes of 64 bits and lets the
engine count the exact classes beside them: two classes under one code would show, and are coded anew.
"""

from __future__ import annotations

from curator.disclosure._crowd import Crowd, limits_of
from curator.disclosure._measure import COUNTED, WRITTEN, Tallied, measure, require, summed
from curator.disclosure._people import known_people, person_codes

__all__ = [
    "COUNTED",
    "WRITTEN",
    "Crowd",
    "Tallied",
    "known_people",
    "limits_of",
    "measure",
    "person_codes",
    "require",
    "summed",
]
