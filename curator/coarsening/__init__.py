"""Coarsen: settle, before the rows move, how coarse each field is written. Rows are counted where they are.

    accepted rows ─► distinct combinations, with their rows and people ─► rare categories merged ─► levels searched

The engine groups the rows; what leaves it are combinations of quasi-identifiers, and whose they are. Settled are: the
categories of a `merge_rare` field that stay, and the node of the lattice (or the level of each class) for the fields of
`disclosure.search`. The same table gives the same answer, on every engine.
"""

from curator.coarsening._kept import Kept
from curator.coarsening._settled import coarsen, require_search, searched

__all__ = ["Kept", "coarsen", "require_search", "searched"]
