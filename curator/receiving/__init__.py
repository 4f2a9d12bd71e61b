"""Receiving: verify a package alone, offline, with one public key; then read it.

Nothing is written before every signature, role, review, link and date has been verified in memory; the data is then
unpacked into a private folder that appears under its name only when every byte matched. A vendor needs neither the
engine, nor Git, nor DVC, nor Great Expectations, nor scikit-learn.
"""

from curator.lineage import Step
from curator.receiving._opening import open_package
from curator.receiving._package import Package

__all__ = ["Package", "Step", "open_package"]
